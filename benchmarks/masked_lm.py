"""Masked-language training: windows a second, ours against a plain Trainer run.

    python -m benchmarks.masked_lm
    python -m benchmarks.masked_lm --bert-base --windows 20000 --tokens 65536    on a GPU

Both begin with the same weights and the same head, see the same windows of real issues once at the
same learning rate, and are judged on the same fixed masks of other windows. They take turns, each
turn in a process of its own. The plain run is transformers' Trainer as its documentation shows it:
float32, every window padded to 128 tokens, batches of 32, logits for all positions. Ours is
`training.trainer.train` with `training.masked_lm.masked_loss`. `--bert-base` is about speed alone:
a model of that size has random weights here.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedModel,
    Trainer,
)
from transformers import TrainingArguments as Arguments

from benchmarks import common, machine
from models.encoder import DEFAULT_ENCODER
from models.text import prepare
from training.checkpoint import Checkpoint
from training.corpus import Window, windows
from training.judging import HeldOut
from training.masked_lm import count_tokens, load_masked, masked_loss
from training.masking import Masks
from training.objectives import Collate
from training.schedule import Schedule
from training.trainer import Work, train

WINDOW, OVERLAP, BATCH, TOKENS, WARMUP = 128, 16, 32, 2048, 0.1
JUDGED = 256
SEED = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit status."""
    options = common.parser(__spec__.name, __doc__)
    options.add_argument("--windows", type=int, default=384, help="to learn from")
    options.add_argument("--turns", type=int, default=3, help="of each of the two")
    options.add_argument("--learning-rate", type=float, default=2e-4)
    options.add_argument("--encoder", default=DEFAULT_ENCODER, help="id or folder")
    options.add_argument("--bert-base", action="store_true", help="110 M random weights instead")
    options.add_argument("--tokens", type=int, default=TOKENS, help="of one of our batches")
    options.add_argument("--turn", choices=sorted(RUNS), help="one turn, in this process")
    options.add_argument("--material", type=Path, help="folder of the turn's weights and windows")
    args = options.parse_args(argv)
    if args.turn:
        print(json.dumps(turn(args.turn, args.material, args.learning_rate, args.tokens)))
        return 0
    path = common.file_or_skip(args.data, common.ISSUES)
    facts = machine.describe()
    with tempfile.TemporaryDirectory() as folder:
        encoder = args.encoder
        if args.bert_base:
            encoder = str(write_bert_base(Path(folder) / "base", args.encoder))
        write_material(Path(folder), path, encoder, args.windows)
        found = [
            spawn(name, Path(folder), args.learning_rate, args.tokens)
            for _ in range(args.turns)
            for name in ("plain", "ours")
        ]
    figures = summed(found)
    show(figures)
    common.finish(args.out, figures, facts)
    return 0


def write_bert_base(folder: Path, encoder: str) -> Path:
    """A BERT of 12 layers and a width of 768 with random weights and an encoder's tokenizer."""
    tokenizer = Checkpoint.find(encoder).tokenizer
    torch.manual_seed(SEED)
    BertForMaskedLM(BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_material(folder: Path, path: Path, encoder: str, count: int) -> None:
    """The weights that both begin with, and the windows to learn from and to judge by."""
    checkpoint = Checkpoint.find(encoder)
    texts = {prepare(row["title"], row["body"]) for row in common.read_rows(path)}
    ordered = sorted(texts, key=lambda text: text.hash)
    random.Random(SEED).shuffle(ordered)
    most, size = 2 * (count + JUDGED), {"max_tokens": WINDOW, "overlap": OVERLAP}
    judged = windows(ordered[0::2][:most], checkpoint.tokenizer, **size)
    learned = windows(ordered[1::2][:most], checkpoint.tokenizer, **size)
    counts = count_tokens(learned, len(checkpoint.tokenizer))
    load_masked(checkpoint, counts).save_pretrained(folder)
    checkpoint.tokenizer.save_pretrained(folder)
    rng = random.Random(SEED)
    parts = {
        "learned": rng.sample(learned, min(count, len(learned))),
        "judged": rng.sample(judged, min(JUDGED, len(judged))),
    }
    rows = {name: [[w.ids, w.special] for w in part] for name, part in parts.items()}
    (folder / "windows.json").write_text(json.dumps(rows), encoding="utf-8")


def spawn(name: str, folder: Path, rate: float, tokens: int) -> dict[str, Any]:
    """One turn in a process of its own."""
    options = ["--turn", name, "--material", str(folder), "--learning-rate", str(rate)]
    options += ["--tokens", str(tokens)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.masked_lm", *options],
        cwd=common.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{name}: {found['windows_per_second']:.1f} windows a second,"
        f" loss {found['before']:.4f} -> {found['after']:.4f}",
        file=sys.stderr,
        flush=True,
    )
    return found


def turn(name: str, folder: Path, rate: float, tokens: int = TOKENS) -> dict[str, Any]:
    """Train once; windows a second, and the loss on fixed masks before and after."""
    checkpoint = Checkpoint.find(str(folder))
    rows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    learned, judged = ([_window(row) for row in rows[key]] for key in ("learned", "judged"))
    held_out = HeldOut(judged, checkpoint, seed=SEED)
    model, run = RUNS[name](checkpoint, learned, rate, tokens)
    before = held_out.masked(model)
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    return {
        "run": name,
        "windows": len(learned),
        "seconds": round(seconds, 2),
        "windows_per_second": len(learned) / seconds,
        "before": before,
        "after": held_out.masked(model),
        "threads": torch.get_num_threads(),
    }


Prepared = tuple[PreTrainedModel, Callable[[], object]]


def plain(checkpoint: Checkpoint, learned: Sequence[Window], rate: float, tokens: int) -> Prepared:
    """transformers' Trainer as its documentation shows it, which counts rows and not tokens."""
    from transformers import AutoModelForMaskedLM

    model: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(checkpoint.folder)
    rows = [
        checkpoint.tokenizer.pad(
            {"input_ids": list(window.ids), "special_tokens_mask": list(window.special)},
            padding="max_length",
            max_length=WINDOW,
        )
        for window in learned
    ]
    arguments = Arguments(
        output_dir=str(checkpoint.folder / "plain"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=rate,
        warmup_steps=WARMUP,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=not torch.cuda.is_available(),
        seed=SEED,
    )
    collator = DataCollatorForLanguageModeling(checkpoint.tokenizer, mlm_probability=0.15)
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collator)
    return model, trainer.train


def ours(checkpoint: Checkpoint, learned: Sequence[Window], rate: float, tokens: int) -> Prepared:
    """The training loop of this project, with one learning rate for all weights."""
    model = load_masked(checkpoint)
    work = Work(
        items=list(learned),
        lengths=[len(window.ids) for window in learned],
        collate=Collate(checkpoint, Masks(checkpoint.tokenizer), ("masked",)),
        objective=masked_loss,
    )
    schedule = Schedule(
        epochs=1,
        learning_rate=rate,
        head_rate=rate,
        layer_decay=1.0,
        weight_decay=0.0,
        warmup=WARMUP,
        tokens=tokens,
        seed=SEED,
    )
    folder = checkpoint.folder / "ours"
    return model, lambda: train(model, work, schedule, folder, encoder=model.base_model)


RUNS: dict[str, Callable[[Checkpoint, Sequence[Window], float, int], Prepared]] = {
    "plain": plain,
    "ours": ours,
}


def summed(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The medians of the turns, and how many times as fast ours is in each pair of turns."""
    rates = {n: [f["windows_per_second"] for f in found if f["run"] == n] for n in RUNS}
    losses = {n: [f["after"] for f in found if f["run"] == n] for n in RUNS}
    pairs = zip(rates["plain"], rates["ours"], strict=True)
    return {
        "windows_per_second": {name: statistics.median(each) for name, each in rates.items()},
        "times_as_fast": statistics.median(ours / plain for plain, ours in pairs),
        "loss_before": found[0]["before"],
        "loss_after": {name: statistics.fmean(each) for name, each in losses.items()},
        "turns": list(found),
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    rows = [
        (name, figures["windows_per_second"][name], figures["loss_after"][name]) for name in RUNS
    ]
    common.table(
        f"Masked-language training, {figures['turns'][0]['windows']} windows of at most {WINDOW}"
        f" tokens, loss {figures['loss_before']:.3f} before",
        ("run", "windows a second", "validation loss"),
        rows,
    )
    print(f"{figures['times_as_fast']:.2f} times as fast (median of the turns)")


def _window(row: list[list[int]]) -> Window:
    ids, special = row
    return Window(tuple(ids), tuple(special), ((0, 0),) * len(ids))


if __name__ == "__main__":
    sys.exit(main())
