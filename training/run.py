"""Train models from snapshots: a bundle for each.

    python -m training.run --snapshot var/snapshots/S --out var/bundles/B
    python -m training.run --snapshot var/snapshots/S --snapshot var/snapshots/T --out var/bundles \
        --recipe finetuned

Reads snapshots, writes bundles, touches nothing else. Two fits: the evaluation fit never sees the
newest fifth of the labeled issues and gives the figures; the deployed fit uses everything. With
`--champion` the figures of the version in force stand beside them, see training/gate.py. Several
repositories share one encoder, tuned on the labels of all; each has a bundle with a head of its
own, in the folder of its id.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models import bundle, snapshot
from models.bundle import Bundle
from models.encoder import DEFAULT_ENCODER, Encoder
from models.errors import ArtifactRefused, ModelError, NotEnoughLabels
from models.snapshot import Snapshot
from models.text import IssueText
from training import bundling, data
from training.fits import Job, Outcome, Tuner, can_tune, reporting, two_fits
from training.gate import Gate, Incomparable, Rival
from training.methods.space import Space
from training.progress import Report, beside, progress
from training.recipe import Recipe
from training.side_by_side import without_applying


class NotTogether(ModelError):
    """These snapshots cannot be trained together; the message says what to do instead."""


@dataclass(frozen=True)
class Plan:
    """How to train, whatever the repositories. `encoder` is the one to begin with, `rivals` are the
    versions to compare with; encoders that are made on the way go into `folder`."""

    recipe: Recipe
    encoder: Encoder
    folder: Path
    report: Report
    rivals: Mapping[str, Rival]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, fit, evaluate, fit again, save; the exit status."""
    args = _arguments(argv)
    started = time.time()
    try:
        rivals = {"champion": _rival(args.champion), "best": _rival(args.best)}
        recipe = _recipe(args.recipe, rivals["champion"])
        if args.out.exists():
            raise FileExistsError(f"{args.out} exists; a bundle is never overwritten")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        status = args.status or beside(args.out)
        with progress(status) as report, _aside(args.out) as folder:
            if args.threads and (recipe.adapt or recipe.tune != "none"):
                import torch  # an encoder whose vectors are all at hand would not set it

                torch.set_num_threads(args.threads)
            sources = [snapshot.read(each) for each in args.snapshot]
            _require_together(sources, recipe)
            encoder = Encoder.load(args.encoder, max_tokens=args.max_tokens, threads=args.threads)
            made = _train(sources, Plan(recipe, encoder, folder, report, rivals))
            versions = [
                _with_own_encoder(bundling.bundled(source, each, recipe, started), each, folder)
                for source, each in zip(sources, made, strict=True)
            ]
            bundling.write(args.out, versions)
    except (ModelError, FileExistsError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk: not "training: ", which tells to try no more
        print(f"the bundle could not be written: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training: interrupted; nothing was written", file=sys.stderr)
        return 1
    _tell(sources, made, time.time() - started)
    return 0


def _train(sources: Sequence[Snapshot], plan: Plan) -> list[Outcome]:
    """Adapt, tune and fit, as far as the recipe asks for each."""
    _require_enough(sources)
    server = plan.encoder
    adapted: dict[str, Any] = {}
    if plan.recipe.adapt:
        plan, adapted = _adapted(sources, plan)
    jobs = [_job(source, plan, alone=len(sources) == 1) for source in sources]
    # One BLAS thread: sums come out the same on any number of cores, and the matrices are too
    # small for more to help.
    with threadpool_limits(1, user_api="blas"):
        made = two_fits(jobs, _tuner(jobs, plan))
        made = [
            _examined(job, each, plan, _space(source, server))
            for source, job, each in zip(sources, jobs, made, strict=True)
        ]
    return [replace(each, chosen={**adapted, **each.chosen}) for each in made]


def _examined(job: Job, made: Outcome, plan: Plan, server: Space) -> Outcome:
    """With what the gate measured, and without applying labels that it found wanting."""
    compared = any(plan.rivals.values())
    gate = Gate(job, made, server, compared=compared)
    final = replace(made.final, labels=without_applying(made.final.labels, gate.reasons()))
    metrics = {**made.metrics, "gate": gate.report(plan.rivals)}
    return replace(made, metrics=metrics, final=final)


def _space(source: Snapshot, encoder: Encoder) -> Space:
    return Space(encoder, dict(source.vectors) if source.encoder == encoder.version else {})


def _rival(folder: Path | None) -> Rival:
    """A version to compare with; one that is damaged is no reason to keep it."""
    if folder is None:
        return None
    try:
        return bundle.read(folder)
    except ArtifactRefused as error:
        return Incomparable(f"it cannot be read: {error}", "publish")


def _recipe(named: str | None, champion: Rival) -> Recipe:
    """The recipe of that name or file, else the champion's, else the default."""
    if named:
        return Recipe.find(named)
    if isinstance(champion, Bundle) and "recipe" in champion.card:
        return Recipe.of_card(champion.card["recipe"])
    return Recipe()


def _require_together(sources: Sequence[Snapshot], recipe: Recipe) -> None:
    """That several snapshots are of as many repositories, and have anything in common."""
    if len(sources) == 1:
        return
    if recipe.tune == "none":
        first = " after `python -m training.adapt` on all of them" if recipe.adapt else ""
        raise NotTogether(
            f"recipe {recipe.name} tunes nothing that repositories could share: train each"
            f" snapshot by itself{first}, or take a recipe that tunes, such as finetuned"
        )
    ids = [source.repository.id for source in sources]
    for source in sources:
        if ids.count(source.repository.id) > 1:
            name = source.repository.full_name
            raise NotTogether(f"several snapshots are of {name}: give the newest one alone")


def _require_enough(sources: Sequence[Snapshot]) -> None:
    """Raises NotEnoughLabels, which names each repository that lacks them."""
    short = []
    for source in sources:
        labeled = [issue for issue in source.issues if data.is_labeled(issue)]
        names = [label.name for label in source.repository.labels]
        truth, _ = data.truth_and_weights(labeled, names)
        if len(labeled) < snapshot.MIN_LABELED or not (truth.sum(axis=0) >= 2).any():
            name = f"{source.repository.full_name}: " if len(sources) > 1 else ""
            short.append(f"{name}{len(labeled)} labeled issues, {snapshot.MIN_LABELED} needed")
    if short:
        until = "until then labels are suggested from their names"
        raise NotEnoughLabels("; ".join([*short, until]))


def _adapted(sources: Sequence[Snapshot], plan: Plan) -> tuple[Plan, dict[str, Any]]:
    """The plan over the encoder adapted to the repositories' own text from before their holdouts,
    and what cards say of that. Where the encoder was best as it is, the plan stays as it is."""
    from training.adapt import AdaptRecipe, adapt  # loads transformers' Trainer, in seconds

    before = plan.encoder
    out = plan.folder / "adapted"
    card = adapt(sources, before, AdaptRecipe.within(plan.recipe), out, report=plan.report)
    assert card, "only the first of several processes has a card, and this one is alone"
    if card.share:
        plan = replace(plan, encoder=Encoder.load(str(out), max_tokens=before.max_tokens))
    return plan, {"adapted": {"share": card.share, "why": card.why}}


def _job(source: Snapshot, plan: Plan, *, alone: bool) -> Job:
    name = source.repository.full_name
    report = plan.report if alone else reporting(plan.report, name)
    examples, vectors = data.load(
        source, plan.encoder, progress=lambda done, total: report("encode", done, total)
    )
    unlabeled: tuple[IssueText, ...] = ()
    if plan.recipe.tune != "none":
        from training.corpus import unlabeled_before_holdout  # loads transformers, in seconds

        unlabeled = unlabeled_before_holdout(source, plan.recipe.holdout)
    return Job(
        name=name,
        recipe=plan.recipe,
        space=Space(plan.encoder, dict(vectors)),
        examples=examples,
        report=report,
        unlabeled=unlabeled,
    )


def _tuner(jobs: Sequence[Job], plan: Plan) -> Tuner | None:
    taking_part = [job for job in jobs if can_tune(job)]
    if plan.recipe.tune == "none" or not taking_part:
        return None
    from training.tuner import LabelTuner  # loads transformers' Trainer, in seconds

    return LabelTuner(taking_part, plan.folder, plan.report)


def _with_own_encoder(version: Bundle, made: Outcome, folder: Path) -> Bundle:
    """With the encoder in it, where that was made on the way."""
    own = made.space.folder.is_relative_to(folder)
    return replace(version, encoder=made.space.folder if own else None)


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A folder beside the bundle for encoders that are made on the way."""
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.encoders.", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(sources: Sequence[Snapshot], made: Sequence[Outcome], seconds: float) -> None:
    for source, each in zip(sources, made, strict=True):
        name = f"{source.repository.full_name}: " if len(made) > 1 else ""
        print(
            f"{name}trained on {len(each.examples)} issues in {seconds:.1f} s:"
            f" micro F1 {each.metrics['micro_f1']:.3f}, macro F1 {each.metrics['macro_f1']:.3f}"
            f" on the newest {each.metrics['n_holdout']}",
            file=sys.stderr,
        )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.run",
        description="Train models: snapshots in, a bundle for each out.",
        epilog="example: python -m training.run --snapshot var/snapshots/S --out var/bundles/B",
    )
    parser.add_argument(
        "--snapshot",
        type=Path,
        action="append",
        required=True,
        help="a folder; several share one encoder that is tuned on the labels of all",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder to write, must not exist; of several, OUT/ID for each repository's id",
    )
    parser.add_argument(
        "--recipe",
        help="the name of one in recipes/, or a TOML file; see training/recipe.py"
        " (default: that of the champion, else instant)",
    )
    parser.add_argument(
        "--champion", type=Path, help="bundle in force, to compare with; for one snapshot"
    )
    parser.add_argument("--best", type=Path, help="the best bundle so far, where it is another")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="name, folder or cached hub id")
    parser.add_argument("--max-tokens", type=int, default=256, help="tokens read of an issue")
    parser.add_argument("--threads", type=int, help="torch threads (default: all cores)")
    parser.add_argument(
        "--status", type=Path, help="file for where it is (default: OUT.status.json)"
    )
    args = parser.parse_args(argv)
    if (args.champion or args.best) and len(args.snapshot) > 1:
        parser.error("--champion and --best are for one snapshot: several would have to share it")
    return args


if __name__ == "__main__":
    raise SystemExit(main())
