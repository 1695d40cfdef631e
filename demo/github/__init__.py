"""A stand-in for GitHub's API, for the demo and the tests."""

from .application import Exchange, Observer
from .remote import RemoteControl
from .server import StandIn

__all__ = ["Exchange", "Observer", "RemoteControl", "StandIn"]
