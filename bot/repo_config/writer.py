"""A configuration as the text of `.github/labelwright.yml`: what is not the default. Pure."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import yaml

from bot.repo_config.values import RepoConfig


def to_yaml(config: RepoConfig) -> str:
    """The shortest file that means this; reading it gives the same value."""
    plain = config.to_dict()
    defaults = RepoConfig().to_dict()
    kept: dict[str, Any] = {"version": config.version, "mode": config.mode}
    for name in (field.name for field in fields(RepoConfig)):
        if name not in kept and plain[name] != defaults[name]:
            kept[name] = plain[name]
    if "labels" in kept:
        kept["labels"] = _labels(config)
    if "groups" in kept:
        kept["groups"] = [asdict(group) for group in config.groups]
    if "skip" in kept:
        kept["skip"] = {key: value for key, value in plain["skip"].items() if value}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, default_flow_style=False)


def _labels(config: RepoConfig) -> dict[str, Any]:
    rules = config.labels
    overrides = {
        name: {key: value for key, value in asdict(own).items() if value is not None}
        for name, own in rules.overrides.items()
    }
    found = {"allow": list(rules.allow), "deny": list(rules.deny), "overrides": overrides}
    return {key: value for key, value in found.items() if value}
