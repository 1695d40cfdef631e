"""jobs: what waits, runs and was given up, and what to do about that."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, desk, print_json, print_table
from bot.errors import BotError
from bot.times import from_epoch

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.rows import Job


class Action(StrEnum):
    """What to do with the jobs."""

    list = "list"
    requeue = "requeue"
    discard = "discard"


class State(StrEnum):
    """The states of a job."""

    waiting = "waiting"
    running = "running"
    done = "done"
    dead = "dead"


class NoSuchJob(BotError):
    """There is no job of that number which that can be done to."""


def jobs(
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.list,
    number: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="The job, for requeue and discard.")
    ] = None,
    state: Annotated[State | None, typer.Option(help="List only jobs in this state.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="The same as --state dead.")] = False,
    all_dead: Annotated[
        bool, typer.Option("--all-dead", help="Queue every dead letter again.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why a job is discarded.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs; queue dead letters again.

    A dead letter is a job that was given up, kept with its reason. requeue lets it wait again
    with all its attempts; discard marks a job done without doing it.

    Example: labelwright jobs requeue --all-dead
    """
    _check(action, number, all_dead, reason)
    with desk() as here:
        if action is Action.list:
            wanted = State.dead if dead else state
            _list(here.store, wanted.value if wanted else None, as_json)
        elif action is Action.requeue:
            _requeue(here.store, number, as_json)
        else:
            _discard(here.store, number or 0, reason or "", as_json)


def _check(action: Action, number: int | None, all_dead: bool, reason: str | None) -> None:
    """Refuse what does not belong together. Raises typer.BadParameter."""
    if action is Action.list and (number is not None or all_dead or reason is not None):
        raise typer.BadParameter("list takes neither an ID nor --all-dead nor --reason")
    if action is Action.requeue and ((number is None) != all_dead or reason is not None):
        raise typer.BadParameter("requeue takes an ID or --all-dead")
    if action is Action.discard and (number is None or reason is None or all_dead):
        raise typer.BadParameter("discard needs an ID and --reason")


def _list(store: Store, state: Any, as_json: bool) -> None:
    found = [_facts(store, job) for job in store.jobs.list(state)]
    if as_json:
        print_json({"jobs": found})
    elif found:
        print_table("", list(found[0]), [list(row.values()) for row in found])
    else:
        print(f"no {state} jobs" if state else "no jobs")


def _facts(store: Store, job: Job) -> dict[str, Any]:
    row = store.repositories.get(job.repository_id) if job.repository_id else None
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "repository": row.full_name if row else None,
        "issue": job.number,
        "attempts": job.attempts,
        "created_at": from_epoch(job.created_at),
        "finished_at": from_epoch(job.finished_at) if job.finished_at else None,
        "message": job.result if job.state == "done" else job.error,
    }


def _requeue(store: Store, number: int | None, as_json: bool) -> None:
    if number is None:
        count = store.jobs.requeue_dead()
    else:
        count = int(store.jobs.requeue(number))
        if not count:
            raise NoSuchJob(f"no dead job {number}: `labelwright jobs --dead` lists them")
    if as_json:
        print_json({"requeued": count})
    else:
        print(f"{count} jobs wait again")


def _discard(store: Store, number: int, reason: str, as_json: bool) -> None:
    if not store.jobs.discard(number, reason):
        raise NoSuchJob(f"no job {number} that is not done: `labelwright jobs` lists them")
    if as_json:
        print_json({"discarded": number})
    else:
        print(f"job {number} is discarded: {reason}")
