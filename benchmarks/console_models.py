"""One model that is really trained, as three versions of every repository's model.

The console reads the figures of a model, never its weights, so that copies with their own labels'
ids serve as well as fifty trainings.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.console_data import VERSIONS, Place
from benchmarks.console_words import TOPICS
from bot import figures, replay_report, review_queue
from bot.store import Store
from bot.store.reports import Kind, Report
from demo.product import Product
from models import bundle, manifest
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
    reports = _reports(product, registry, learner, current)
    source = (root / str(learner.id)).rename(product.home / "trained") / current
    for place in places:
        for version in VERSIONS:
            _copy(source, root / str(place.id) / version, place)
        state = {"version": VERSIONS[-1], "history": VERSIONS[:-1]}
        (root / str(place.id) / "current.json").write_text(json.dumps(state), "utf-8")
    shutil.rmtree(source.parent)
    _keep(product, places, reports)
    return True


def _reports(
    product: Product, registry: Registry, learner: Place, version: str
) -> dict[Kind, dict[str, Any]]:
    """What the worker works out of a version; in this process, since none runs."""
    with closing(Store.open(product.home / "labelwright.db")) as store:
        repository = store.repositories.get(learner.id)
        assert repository is not None
        loaded = bundle.read(registry.path(learner.id, version))
        return {
            "curves": figures.made(store, registry, repository, version),
            "replay": replay_report.made(store, registry, repository, version),
            "doubts": review_queue.doubts(store, repository, loaded),
        }


def _keep(
    product: Product, places: Sequence[Place], reports: Mapping[Kind, dict[str, Any]]
) -> None:
    with closing(Store.open(product.home / "labelwright.db")) as store, store.transaction():
        for place in places:
            for kind, body in reports.items():
                report = Report(place.id, kind, VERSIONS[-1], store.now(), body)
                store.reports.keep(report)


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
