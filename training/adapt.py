"""Adapt an encoder to text without labels: snapshots in, an encoder version out.

    python -m training.adapt --snapshot var/snapshots/S --out var/encoders/E
    torchrun --nproc-per-node 4 -m training.adapt --snapshot var/snapshots/S --out var/encoders/E

Continues masked-language training (Gururangan et al. 2020, "Don't stop pretraining", arXiv
2004.10964) with terms that keep a sentence encoder's geometry, then keeps as much of what was
learned as helps a head on top. Reads the snapshots up to where each holdout begins.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, set_seed

from models import snapshot
from models.encoder import DEFAULT_ENCODER, Encoder
from models.encoder_card import EncoderCard
from models.errors import ModelError
from models.snapshot import Snapshot
from training import hardware, interpolate
from training.adapt_recipe import AdaptRecipe as AdaptRecipe
from training.checkpoint import Checkpoint
from training.corpus import gather
from training.export import export, push_to_hub, write_version
from training.interpolate import Choice, blend
from training.masked_lm import check, load_masked, longest
from training.phases import Entries, Material, Run, prepare
from training.progress import Report, beside, progress, silent
from training.resuming import telling, write_whole

State = dict[str, torch.Tensor]


class Unfinished(ModelError):
    """A run was begun here before, with these settings or with others."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, adapt, save; the exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    args = _arguments(given)
    try:
        with _terminating(), progress(args.status or beside(args.out)) as report:
            if args.threads:
                torch.set_num_threads(args.threads)
            _require_free(_plain(args))
            recipe = AdaptRecipe.read(args.recipe) if args.recipe else AdaptRecipe()
            check(Checkpoint.find(args.encoder))
            encoder = Encoder.load(args.encoder, max_tokens=args.max_tokens)
            sources = [snapshot.read(folder) for folder in args.snapshot]
            card = adapt(sources, encoder, recipe, args.out, resume=args.resume, report=report)
            if card:
                _tell(card, args.out)
                _hand_on(args)
    except (ModelError, FileExistsError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        again = shlex.join(["python", "-m", "training.adapt", *given])
        resume = "" if args.resume else " --resume"
        print(f"training: interrupted; go on with: {again}{resume}", file=sys.stderr)
        return 1
    finally:
        hardware.leave()
    return 0


def adapt(
    snapshots: Sequence[Snapshot],
    encoder: Encoder,
    recipe: AdaptRecipe,
    out: Path,
    *,
    resume: bool = False,
    report: Report = silent,
) -> EncoderCard | None:
    """Adapt `encoder` to the snapshots' text and write the encoder version `out`; its card.

    Checkpoints lie in a folder beside it while it is not done; `resume` goes on from them. Of
    several processes the first writes, and the others get None. Raises ModelError, FileExistsError.
    """
    started = time.time()
    if out.exists():
        raise FileExistsError(f"{out} exists; an encoder version is never overwritten")
    hardware.join()
    set_seed(recipe.seed)
    checkpoint = Checkpoint.find(str(encoder.folder))
    material = prepare(gather(snapshots, recipe.holdout, recipe.held_out), checkpoint, recipe)
    model = load_masked(checkpoint, material.counts, dropout=recipe.dropout)
    _require_room(model, recipe)
    work = _work_folder(out, _settings(snapshots, encoder, recipe), resume)

    history: Entries = [{"phase": recipe.phases[0].name, "step": 0, **_first(model, material)}]
    start: State = _state(model)
    for phase in recipe.phases:
        run = Run(phase, recipe, checkpoint, material, work / phase.name, resume)
        history += run.entries(model, _named(report, phase.name), history[-1]["step"])
        if phase.trains == "head":
            start = _state(model)
    if hardware.rank():
        return None
    tuned = _state(model)
    choice = _choose(snapshots, encoder, recipe, checkpoint, (model, start, tuned))
    losses = {"untrained_head": history[0]["eval_loss"], "tuned": material.held_out.masked(model)}
    for name, share in (("parent", 0.0), ("chosen", choice.share)):
        model.load_state_dict(blend(start, tuned, share))
        losses[name] = material.held_out.masked(model)
    card = _card(encoder, recipe, material, choice, losses, started)
    write_version(out, model, checkpoint, history, card)
    shutil.rmtree(work)
    return card


def _require_room(model: PreTrainedModel, recipe: AdaptRecipe) -> None:
    if recipe.max_tokens > longest(model):
        raise ModelError(
            f"max_tokens is {recipe.max_tokens} in the recipe, the encoder reads {longest(model)}"
        )


def _first(model: PreTrainedModel, material: Material) -> dict[str, float]:
    loss = material.held_out.masked(model)
    return {"eval_loss": loss, "eval_perplexity": float(np.exp(loss))}


def _state(model: PreTrainedModel) -> State:
    """On the CPU: a phase may leave the model on a GPU, and one that was resumed may not."""
    weights = model.state_dict().items()
    return {name: weight.detach().to("cpu", copy=True) for name, weight in weights}


def _choose(
    snapshots: Sequence[Snapshot],
    encoder: Encoder,
    recipe: AdaptRecipe,
    checkpoint: Checkpoint,
    weights: tuple[PreTrainedModel, State, State],
) -> Choice:
    model, start, tuned = weights
    window = min(encoder.max_tokens, longest(model))

    def encode(share: float) -> interpolate.Encode:
        model.load_state_dict(blend(start, tuned, share))
        return lambda texts: checkpoint.encode(model.base_model, texts, window)

    candidates = interpolate.probes(snapshots, recipe.holdout)
    choice = interpolate.choose(candidates, recipe.shares, encode, seed=recipe.seed)
    model.load_state_dict(tuned)
    return choice


def _card(
    encoder: Encoder,
    recipe: AdaptRecipe,
    material: Material,
    choice: Choice,
    losses: Mapping[str, float],
    started: float,
) -> EncoderCard:
    counts = {"windows": len(material.train), "judged": len(material.held_out.windows)}
    return EncoderCard(
        name=f"{Path(encoder.origin).name}-adapted",
        origin=encoder.origin,
        parent=encoder.version,
        corpus={**material.corpus.to_json(), **counts},
        recipe=recipe.to_json(),
        share=choice.share,
        shares=choice.table,
        why=choice.why,
        losses={name: round(loss, 6) for name, loss in losses.items()},
        software={
            name: importlib.metadata.version(name) for name in ("torch", "transformers", "numpy")
        },
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        seconds=round(time.time() - started, 1),
        processes=hardware.world(),
    )


def _settings(
    snapshots: Sequence[Snapshot], encoder: Encoder, recipe: AdaptRecipe
) -> dict[str, Any]:
    """What a run that is resumed must have in common with the one that was interrupted."""
    return {
        "snapshots": [each.id for each in snapshots],
        "encoder": encoder.version,
        "recipe": recipe.to_json(),
        "processes": hardware.world(),
    }


def _work_folder(out: Path, settings: Mapping[str, Any], resume: bool) -> Path:
    """The folder of the checkpoints. Raises Unfinished."""
    folder = out.with_name(f"{out.name}.unfinished")
    path = folder / "settings.json"
    hardware.wait()
    if path.exists() and not resume:
        raise Unfinished(f"{folder} holds a run that was not finished: add --resume, or delete it")
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != settings:
        raise Unfinished(f"{folder} was begun with other settings: delete it, or give those again")
    hardware.wait()
    if hardware.rank() == 0:
        with telling(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(settings))
    return folder


def _named(report: Report, name: str) -> Report:
    def named(phase: str, done: int, total: int, loss: float | None = None) -> None:
        if hardware.rank() == 0:
            report(f"{phase} {name}", done, total, loss)

    return named


@contextmanager
def _terminating() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, with a word on how to go on.

    Outside of the main thread (a worker of Ray has its own) nobody can: it ends with its process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _tell(card: EncoderCard, out: Path) -> None:
    print(
        f"adapted to {card.corpus['texts']} texts in {card.seconds:.0f} s: masked-language loss"
        f" {card.losses['parent']:.3f} -> {card.losses['tuned']:.3f},"
        f" share {card.share:g} kept; {card.why}\nwritten to {out}",
        file=sys.stderr,
    )


def _plain(args: argparse.Namespace) -> Path | None:
    """Where the plain folder goes, None where nobody wants one."""
    beside: Path = args.out.with_name(f"{args.out.name}.plain")
    return args.export or (beside if args.push_to_hub else None)


def _require_free(folder: Path | None) -> None:
    """That a folder can be written, before hours of training. Raises FileExistsError."""
    if folder is not None and folder.exists():
        raise FileExistsError(f"{folder} exists; a plain folder is never overwritten")


def _hand_on(args: argparse.Namespace) -> None:
    target = _plain(args)
    if target is not None:
        export(args.out, target)
    if target is not None and args.push_to_hub:
        push_to_hub(target, args.push_to_hub)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.adapt",
        description="Adapt an encoder to text: snapshots in, an encoder version out.",
        epilog="several GPUs: torchrun --nproc-per-node N -m training.adapt ...",
    )
    add: Callable[..., Any] = parser.add_argument
    add("--snapshot", type=Path, action="append", required=True, help="a folder; may be repeated")
    add("--out", type=Path, required=True, help="folder to write; must not exist")
    add("--encoder", default=DEFAULT_ENCODER, help="id or folder of a masked language model")
    add("--recipe", type=Path, help="a TOML file of settings; see training/adapt_recipe.py")
    add("--resume", action="store_true", help="go on with a run that was interrupted")
    add("--max-tokens", type=int, default=256, help="of an issue, where shares are compared")
    add("--threads", type=int, help="of the processor (default: all cores)")
    add("--status", type=Path, help="file for where it is (default: OUT.status.json)")
    add("--export", type=Path, metavar="DIR", help="write a plain Hugging Face folder as well")
    add("--push-to-hub", metavar="ID", help="upload that folder to the hub; off by default")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
