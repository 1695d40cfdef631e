"""Where trainings run, in words for the operator: issue text that leaves this machine is named."""

from __future__ import annotations

from typing import Literal

from bot.launch import cluster
from bot.launchers import Unreachable
from bot.settings import Settings


def sweep(settings: Settings) -> str:
    """End and remove what is left on a cluster of trainings that are no more here; why not, if not.

    Issue text is in it, and what learned from issue text.
    """
    if settings.ray_address is None or settings.ray_storage is None:
        return ""
    try:
        cluster(settings).sweep()
    except Unreachable as error:
        return f"; left alone: {error}"
    return ""


def where(settings: Settings) -> tuple[Literal["ok", "note", "fails"], str]:
    """The place, once it has answered; `fails` with what to look at, where it does not."""
    if settings.launcher == "local":
        return "ok", "trainings run on this machine; no text leaves it"
    place = f"the Ray cluster at {settings.ray_address} by way of {settings.ray_storage}"
    try:
        version = cluster(settings).probe()
    except Unreachable as error:
        return "fails", f"encoders are to be trained on {place}, but {error}"
    what = f"to train encoders, issue text goes to {place}; both answer, Ray there is {version}"
    return "note", f"{what}; heads are trained on this machine"
