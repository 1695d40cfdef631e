"""Say in one comment why an issue has its labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot import own_comment
from bot.github.errors import (
    Forbidden,
    Gone,
    Moved,
    NotFound,
    PermissionMissing,
    Suspended,
    Unprocessable,
)
from bot.issue_now import read_live
from bot.reach import served
from bot.repo_config import RepoConfig
from bot.tasks import task

if TYPE_CHECKING:
    from bot.context import Context
    from bot.store.rows import Job


@task("explain", lane="fast")
def explain(context: Context, job: Job) -> str:
    """Write the comment on the job's issue, or bring the one that is there up to date."""
    repository = served(context, job)
    if isinstance(repository, str):
        return repository
    if repository.archived:
        return "left alone: the repository is archived"
    wanted = RepoConfig.from_dict(repository.config).comment == "explain"
    say = own_comment.write if wanted else own_comment.refresh
    try:
        live = read_live(context, repository, job.number or 0, with_events=True)
        return tell(lambda: say(context, live))
    except (Gone, NotFound, Moved) as error:
        return f"left alone: the issue cannot be reached ({error.status})"


def tell(say: Callable[[], str]) -> str:
    """Run what writes a comment; a comment that GitHub does not take is no failure."""
    try:
        return say()
    except (Suspended, PermissionMissing):
        raise
    except (Forbidden, Unprocessable) as error:
        # A locked conversation, or a comment that GitHub does not want: the labels stand anyway.
        return f"no comment: GitHub does not take it ({error.message})"
