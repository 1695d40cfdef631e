"""Fixtures of the stand-in's tests."""

from tests.demo.world import inbox, listening, world

__all__ = ["inbox", "listening", "world"]
