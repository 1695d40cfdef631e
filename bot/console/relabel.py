"""Label an issue as the person at the browser: GitHub checks whether they may, and names them.

What GitHub then says of the issue's labels is read back at once and kept as it would be after a
webhook; the webhook comes as well, and is the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from bot.console.errors import ConsoleError, Forbidden, GitHubSilent, NotHere, SignInFirst, TooLate
from bot.context import Context
from bot.github.errors import Forbidden as Refused
from bot.github.errors import (
    GitHubError,
    Gone,
    Moved,
    NotFound,
    RateLimited,
    Unauthorized,
    Unprocessable,
)
from bot.github.person import PersonClient
from bot.handlers.issue_labeled import follow
from bot.issue_now import read_live, sync_labels
from bot.predictors import Loaders, Predictors
from bot.strays import remove_strays

if TYPE_CHECKING:
    from bot.console.desk import Desk
    from bot.console.people import Person
    from bot.github.remote import RemoteLabel
    from bot.issue_now import Live
    from bot.store.rows import Issue, Label, Repository


class NotTaken(ConsoleError):
    """GitHub says that the request makes no sense."""

    status = 422
    title = "GitHub does not take that"


class Labeler:
    """One person, who has a token of their own, and one issue."""

    def __init__(self, at: Desk, who: Person, repository: Repository, issue: Issue) -> None:
        if who.token is None:
            raise SignInFirst("To label on GitHub, sign in with GitHub.")
        self._at, self._who, self._repository, self._issue = at, who, repository, issue
        self._client = PersonClient(who.token, at.settings.github_url, now=at.now)
        self._context = Context(
            at.settings, at.store, at.app(), at.registry, _no_models(at), at.log, at.now
        )

    def put_on(self, labels: Sequence[Label]) -> tuple[int, ...]:
        """Add labels; returns the ids of the events that came of it, as far as GitHub tells yet.

        Raises a ConsoleError: then nothing is recorded.
        """
        before = self._known()
        name, number = self._repository.full_name, self._issue.number
        with self._client:
            try:
                answer = self._client.add_labels(name, number, [each.name for each in labels])
            except GitHubError as error:
                self._refuse(error)
        self._refuse_strays(labels, answer)
        return self._hear(before, {label.id for label in answer})

    def take_off(self, label: Label) -> tuple[int, ...]:
        """Remove a label; one that is not there is off already. The rest as `put_on`."""
        before = self._known()
        name, number = self._repository.full_name, self._issue.number
        with self._client:
            try:
                self._client.remove_label(name, number, label.name)
            except NotFound as error:
                if "label" not in error.message.lower():
                    self._refuse(error)
            except GitHubError as error:
                self._refuse(error)
        return self._hear(before, set(self._issue.labels) - {label.id})

    def _known(self) -> set[int]:
        events = self._at.store.events.for_issue(self._repository.id, self._issue.number)
        return {event.id for event in events}

    def _hear(self, before: set[int], now_on: set[int]) -> tuple[int, ...]:
        """Read the issue and its label events again, and do what a webhook would.

        It is done whatever GitHub says now: then only the labels are kept, and the rest follows.
        """
        store, here = self._at.store, (self._repository.id, self._issue.number)
        try:
            live = self._read()
        except GitHubError as error:
            self._at.log.warning("labeled, and not read back", issue=here[1], error=str(error))
            known = {label.id for label in store.labels.all(here[0])}
            store.issues.set_labels(*here, now_on & known)
            return ()
        present = [label.name for label in live.issue.labels]
        fresh = [event for event in store.events.for_issue(*here) if event.id not in before]
        with store.transaction():
            for event in fresh:
                follow(self._context, live.repository, event, present)
        return tuple(event.id for event in fresh if event.actor_id == self._who.id)

    def _read(self) -> Live:
        return read_live(self._context, self._repository, self._issue.number, with_events=True)

    def _refuse_strays(self, labels: Sequence[Label], answer: Sequence[RemoteLabel]) -> None:
        """Undo it where a label was deleted a moment ago, so that GitHub made a new one."""
        wanted = {label.name.casefold(): label.id for label in labels}
        strays = [x for x in answer if wanted.get(x.name.casefold(), x.id) != x.id]
        if not strays:
            return
        try:
            live = self._read()
            remove_strays(self._context, live, strays)
            sync_labels(self._context, live.client, live.repository)
        except GitHubError as error:
            self._at.log.warning("a label was made by adding it", error=str(error))
        names = ", ".join(label.name for label in strays)
        raise TooLate(f"{names} was deleted on GitHub a moment ago: reload the page.")

    def _refuse(self, error: GitHubError) -> NoReturn:
        """What GitHub's refusal means for the person. Their role is asked for again from now on."""
        self._at.roles.forget(self._who.id)
        kind, said = _meaning(error)
        raise kind(said.format(number=self._issue.number, name=self._repository.full_name)) from (
            error
        )


def _meaning(error: GitHubError) -> tuple[Callable[[str], ConsoleError], str]:
    message = error.message.replace("{", "(").replace("}", ")").replace("`", "'")
    match error:
        case Unauthorized():
            return SignInFirst, (
                "GitHub does not take your sign-in any more. Nothing was done: sign out and in"
                " again."
            )
        case RateLimited():
            return GitHubSilent, f"GitHub asks to wait. Nothing was done: {message}"
        case Refused():
            return Forbidden, (
                f"GitHub does not let you label in {{name}} (it says: {message}). Nothing was done"
                " or recorded. It needs triage permission or more: whoever runs the repository"
                " gives it."
            )
        case NotFound():
            return NotHere, (
                "GitHub does not show you #{number} of {name}: it is gone, or you have no access"
                " any more. Nothing was done or recorded."
            )
        case Gone():
            return NotHere, "#{number} of {name} was deleted on GitHub. Nothing was recorded."
        case Moved():
            return TooLate, (
                "#{number} of {name} was moved, or the repository has a new name. Nothing was"
                " done: try again in a minute."
            )
        case Unprocessable():
            return NotTaken, f"GitHub does not take that: {message}. Nothing was done or recorded."
    return GitHubSilent, (
        f"GitHub does not answer ({message}). Nothing is recorded here: look at the issue on"
        " GitHub, then try again."
    )


def _no_models(at: Desk) -> Predictors:
    """The worker predicts; here GitHub is only read and written."""

    def never(_: Any) -> NoReturn:
        raise AssertionError("the web process loads no model")

    return Predictors(at.registry, Loaders(bundle=never, zero_shot=never), at.log)
