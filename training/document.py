"""A comparison as Markdown, and its place in a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import ModelError
from training.results import Comparison, Point, Spread

BEGIN, END = "<!-- comparison: begin -->", "<!-- comparison: end -->"
NEWEST, FIFTH = "the newest fifth as the test set", "a stratified fifth as the test set"
CHAPTER = "the chapter's protocol, thresholds on a validation set"
FIGURES = {"micro_f1": "Micro F1", "macro_f1": "Macro F1"}


class PageRefused(ModelError):
    """A page without the two lines between which the comparison belongs."""


def fill(page: Path, comparisons: Sequence[Comparison], out: Path) -> None:
    """Put tables and figures between the page's markers; the figures go to `img/` beside it.

    Raises PageRefused.
    """
    text = page.read_text(encoding="utf-8")
    head, begins, rest = text.partition(BEGIN)
    _, ends, tail = rest.partition(END)
    if not (begins and ends):
        raise PageRefused(f"{page} has no lines {BEGIN} and {END}")
    images = page.parent / "img"
    images.mkdir(exist_ok=True)
    for each in comparisons:
        for kind in ("svg", "png"):
            shutil.copyfile(out / f"{each.name}.{kind}", images / f"compare-{each.name}.{kind}")
    made = markdown(comparisons, "img/compare-")
    page.write_text(f"{head}{BEGIN}\n{made}\n{END}{tail}", encoding="utf-8")


def markdown(comparisons: Sequence[Comparison], images: str = "") -> str:
    """All comparisons; `images` is what comes before a figure's file name."""
    return "\n".join("\n".join(_section(each, images)) for each in comparisons)


def summary(each: Comparison) -> Iterator[str]:
    """The differences that the comparison is for, for a terminal."""
    for gap in each.differences():
        span = "" if gap.low is None else f" ({gap.low:+.4f} to {gap.high:+.4f})"
        counts = f"{gap.pairs} pairs of {gap.seeds} seeds, t over {gap.over}"
        yield f"{each.name}: {gap.what}: {gap.mean:+.4f}{span}, {counts}"
    for rank in each.choice():
        yield f"{each.name}, {rank['slice']}: auto {rank['minus_best']:+.3f} to {rank['best']}"


def _section(each: Comparison, images: str) -> Iterator[str]:
    facts = each.facts
    test = CHAPTER if each.protocol == "chapter" else (NEWEST if facts["in_time"] else FIFTH)
    yield f"### {each.dataset}: {test}\n"
    yield f"![F1 by number of labeled issues]({images}{each.name}.svg)\n"
    yield _about(each) + "\n"
    for key, title in FIGURES.items():
        yield from _table(each, key, title)
    yield from _costs(each)
    yield from _differences(each)
    removed = ", ".join(f"{count} of {part}" for part, count in facts["duplicates_removed"].items())
    yield f"Texts removed because another part has them too: {removed}.\n"


def _about(each: Comparison) -> str:
    facts = each.facts
    issues = f"{facts['test']} issues to judge on, {facts['to_learn_from']} to learn from"
    if facts["validation"]:
        issues += f", {facts['validation']} for thresholds"
    if facts["repositories"] > 1:
        issues += f", in {facts['repositories']} repositories (F1 is their mean)"
    counted, labels = facts["macro_labels"], facts["labels"]
    macro = "all of them" if set(counted) == set(labels) else ", ".join(counted)
    return f"{issues}; {len(labels)} labels; macro F1 over {macro}."


def _table(each: Comparison, key: str, title: str) -> Iterator[str]:
    sizes = each.sizes()
    rows = [{size: getattr(p, key) for size, p in x.points().items()} for x in each.lines]
    best = {size: max(round(row[size].mean, 3) for row in rows if size in row) for size in sizes}
    yield _row(title, *map(str, sizes))
    yield "|---" + "|---:" * len(sizes) + "|"
    for line, row in zip(each.lines, rows, strict=True):
        if row:
            yield _row(line.title, *(_cell(row.get(size), best[size]) for size in sizes))
        else:
            yield _row(line.title, line.why.partition(": ")[0], *[""] * (len(sizes) - 1))
    yield ""


def _cell(value: Spread | None, best: float) -> str:
    if value is None:
        return ""
    mean = f"**{value.mean:.3f}**" if round(value.mean, 3) == best else f"{value.mean:.3f}"
    return f"{mean} ± {value.sd:.3f}" if value.seeds > 1 else mean


def _costs(each: Comparison) -> Iterator[str]:
    yield "| cost | seeds | CPU seconds to fit, by slice | issues a second | MB |"
    yield "|---|---:|---:|---:|---:|"
    for line in each.lines:
        points = list(line.points().values())
        if points:
            yield _row(line.title, *_cost(points))
    yield ""


def _cost(points: list[Point]) -> Iterator[str]:
    yield str(max(point.micro_f1.seeds for point in points))
    yield f"{points[0].cpu_seconds:.1f} to {points[-1].cpu_seconds:.1f}"
    speeds = [point.speed for point in points if point.speed]
    yield f"{sum(speeds) / len(speeds):.0f}" if speeds else ""
    yield f"{max(point.peak_mb for point in points):.0f}"


def _differences(each: Comparison) -> Iterator[str]:
    found = each.differences()
    if found:
        yield "| micro F1, paired over slices and seeds | mean | 95 % interval | seeds | pairs |"
        yield "|---|---:|---:|---:|---:|"
        for gap in found:
            span = (
                "" if gap.low is None else f"{gap.low:+.4f} to {gap.high:+.4f} (t over {gap.over})"
            )
            yield _row(gap.what, f"{gap.mean:+.4f}", span, str(gap.seeds), str(gap.pairs))
        yield ""
    choice = each.choice()
    if choice:
        yield "| auto, micro F1 | the best other row | auto − best | auto − Naive Bayes |"
        yield "|---|---|---:|---:|"
        for rank in choice:
            above = rank["minus_baseline"]
            shown = "" if above is None else f"{above:+.3f}"
            yield _row(str(rank["slice"]), rank["best"], f"{rank['minus_best']:+.3f}", shown)
        yield ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
