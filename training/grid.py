"""The grid of the comparison: which method meets which slice, from which encoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training import cells, protocol
from training.cells import Cell, Place
from training.data import Examples
from training.methods.base import Resources, Task
from training.methods.space import Space
from training.methods.table import Row
from training.protocol import Part, Protocol, Size

FIRST_VERSION = ""
"""Of a method that was never changed since it was first compared."""


@dataclass(frozen=True)
class Start:
    """An encoder that methods start from, and its adapted version where there is one."""

    name: str
    vanilla: Space
    adapted: Space | None = None

    @property
    def version(self) -> str:
        """Of the vanilla encoder; names the pair."""
        return self.vanilla.encoder.version


@dataclass(frozen=True)
class Field:
    """A data set under a protocol: one part a repository."""

    protocol: Protocol
    dataset: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Job:
    """A cell to be."""

    row: Row
    start: Start
    field: Field
    size: Size
    seed: int

    @property
    def place(self) -> Place:
        """Where its cell lies."""
        version = self.start.version if self.row.encoder else "any"
        where = self.field
        return Place(where.protocol, where.dataset, version, self.row.key, self.size, self.seed)


@dataclass(frozen=True)
class Grid:
    """What is compared on what.

    sizes         by the cost of a row
    seeds         of "cheap" rows, and of all others ("tuned")
    unlabeled     the most unlabeled texts that a task brings
    shared        resources that do not depend on the encoder: nli, max_tokens, effort
    """

    rows: tuple[Row, ...]
    starts: tuple[Start, ...]
    fields: tuple[Field, ...]
    sizes: dict[str, tuple[Size, ...]]
    seeds: dict[str, tuple[int, ...]]
    unlabeled: int
    shared: dict[str, Any]
    _tasks: dict[Any, dict[Size, tuple[Task, ...]]] = field(default_factory=dict)

    def jobs(self) -> Iterator[Job]:
        """All cells: cheap rows first, and one seed of every row before the next seed, so that
        whoever stops early has all methods."""
        for cheap in (True, False):
            rows = [row for row in self.rows if (row.cost == "cheap") == cheap]
            for seed in self.seeds["cheap" if cheap else "tuned"]:
                for where in self.fields:
                    for size in self.tasks(where, seed):
                        yield from self._jobs_at(rows, where, size, seed)

    def _jobs_at(self, rows: list[Row], where: Field, size: Size, seed: int) -> Iterator[Job]:
        for row in rows:
            if size in self.sizes[row.cost]:
                for start in self.starts if row.encoder else self.starts[:1]:
                    yield Job(row, start, where, size, seed)

    def tasks(self, where: Field, seed: int) -> dict[Size, tuple[Task, ...]]:
        """A field's tasks by slice, the smallest first, one for each repository.

        A slice that one of the repositories is too small for is left out.
        """
        key = where.protocol, where.dataset, seed
        if key not in self._tasks:
            wanted = sorted({s for sizes in self.sizes.values() for s in sizes}, key=in_order)
            made = [protocol.slices(part, wanted, seed) for part in where.parts]
            self._tasks[key] = {
                size: tuple(
                    protocol.task(part, rows[size], self.unlabeled)
                    for part, rows in zip(where.parts, made, strict=True)
                )
                for size in wanted
                if all(size in rows for rows in made)
            }
        return self._tasks[key]

    def finished(self, job: Job, out: Path) -> Cell | None:
        """The job's cell, if it was run with the same inputs and did not fail.

        A cell from before an input was written down is taken for one of today's, but of the
        methods' first versions.
        """
        cell = cells.read(job.place.path(out))
        if cell is None or cell.status != "ok":
            return None
        inputs = self._inputs(job)
        then = {**inputs, "version": FIRST_VERSION, **cell.inputs}
        return cell if then.items() >= inputs.items() else None

    def run(self, job: Job) -> Cell:
        """Learn and judge; the seed that comes first is timed."""
        where = job.field
        tasks = self.tasks(where, job.seed)[job.size]
        resources = Resources(
            vanilla=job.start.vanilla,
            adapted=job.start.adapted,
            others=self._others(where, None),
            seed=job.seed,
            **self.shared,
        )
        return cells.run(
            job.row,
            Cell(job.place, self._inputs(job)),
            where.parts,
            tasks,
            resources,
            timed=job.seed == self.seeds["cheap" if job.row.cost == "cheap" else "tuned"][0],
            rest={part.name: self._others(where, part) for part in where.parts},
        )

    def _inputs(self, job: Job) -> dict[str, str]:
        """All that the job's result depends on, and nothing else: a row is run again for an input
        that it uses, not for another row's."""
        row, where = job.row, job.field
        tasks = self.tasks(where, job.seed)[job.size]
        adapted = job.start.adapted if row.space != "vanilla" else None
        shared = {key: str(x) for key, x in self.shared.items() if key != "nli" or row.nli}
        inputs = {
            "data": protocol.fingerprint(where.parts, tasks),
            "details": protocol.details(where.parts),
            "encoder": job.place.encoder,
            "adapted": adapted.encoder.version if adapted else "",
            "version": row.version,
            **shared,
        }
        if row.alone:
            others = (x for part in where.parts for x in self._others(where, part))
            inputs["others"] = protocol.fingerprint_whole(tuple(others))
        return inputs

    def _others(self, where: Field, part: Part | None) -> tuple[Examples, ...]:
        """The pools of other data sets, and of this one's other repositories when `part` is one."""
        same = [field for field in self.fields if field.protocol == where.protocol]
        return tuple(
            other.pool
            for field in same
            for other in field.parts
            if other is not part and (part or field is not where)
        )


def in_order(size: Size) -> float:
    """To sort slices by: "all" comes last."""
    return float("inf") if size == "all" else float(size)
