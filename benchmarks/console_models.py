"""One model that is really trained, as three versions of every repository's model.

The console reads the figures of a model, never its weights, so that copies with their own labels'
ids serve as well as fifty trainings.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.console_data import VERSIONS, Place
from benchmarks.console_words import TOPICS
from demo.product import Product
from models import manifest
from models.registry import Registry

ENOUGH = 300
"""Issues; the model is of the smallest repository that has so many, to be quick."""


def publish(product: Product, places: Sequence[Place]) -> bool:
    """Train, and give the result to all. False where no repository is large enough."""
    able = [place for place in places if place.issues >= ENOUGH]
    if not able:
        return False
    learner = min(able, key=lambda place: place.issues)
    product.read("train", learner.name, "--json")
    root = product.home / "models"
    registry = Registry(root)
    current = registry.current(learner.id)
    assert current is not None  # the first version has no rival that could keep it out
    source = (root / str(learner.id)).rename(product.home / "trained") / current
    for place in places:
        for version in VERSIONS:
            _copy(source, root / str(place.id) / version, place)
        state = {"version": VERSIONS[-1], "history": VERSIONS[:-1]}
        (root / str(place.id) / "current.json").write_text(json.dumps(state), "utf-8")
    shutil.rmtree(source.parent)
    return True


def _copy(source: Path, target: Path, place: Place) -> None:
    card = json.loads((source / "card.json").read_text("utf-8"))
    ids = {topic.name: place.label_id(i) for i, topic in enumerate(TOPICS)}
    with manifest.writing(target) as aside:
        for path in source.iterdir():
            if path.name not in ("card.json", "labels.json"):
                os.link(path, aside / path.name)
        labels = json.loads((source / "labels.json").read_text("utf-8"))
        labels["rules"] = [rule | {"id": ids[rule["name"]]} for rule in labels["rules"]]
        (aside / "labels.json").write_text(json.dumps(labels) + "\n", "utf-8")
        owner: dict[str, Any] = {"id": place.id, "full_name": place.name}
        manifest.seal(aside, "card.json", card | {"repository": owner})
