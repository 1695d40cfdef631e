"""Control: what people do to issues, labels and repositories."""

from __future__ import annotations

from typing import Any

from . import actions, lifecycle, render, talk
from .control_base import Base, locked
from .model import Label, Repository
from .state import find_label


class People(Base):
    """Everything a person does on the site. `by` is a login; a new one becomes an account.

    An App's bot acts too, as `slug[bot]`: its events then name the App.
    """

    @locked
    def open_issue(
        self,
        full_name: str,
        *,
        title: str,
        body: str | None = None,
        by: str = "reporter",
        labels: list[str] | None = None,
        pull_request: bool = False,
    ) -> dict[str, Any]:
        """Open an issue, or a pull request; `labels` are those that its template puts on it."""
        repo = self._repository(full_name)
        names = tuple(labels or ())
        issue = actions.open_issue(
            self.state,
            repo,
            self._by(by),
            title=title,
            body=body,
            labels=names,
            is_pull_request=pull_request,
        )
        return render.detailed_issue(self.state, repo, issue)

    @locked
    def issue(self, full_name: str, number: int) -> dict[str, Any]:
        """An issue as it is now, deleted ones too."""
        repo, issue = self._issue(full_name, number)
        return render.detailed_issue(self.state, repo, issue)

    @locked
    def labels_on(self, full_name: str, number: int) -> list[str]:
        """The names of the labels now on an issue, sorted."""
        repo, issue = self._issue(full_name, number)
        return sorted(repo.labels[i].name for i in issue.label_ids)

    @locked
    def label_history(self, full_name: str, number: int) -> list[list[str]]:
        """[action, label, login] of every label event of an issue, oldest first."""
        _, issue = self._issue(full_name, number)
        logins = {a.id: a.login for a in self.state.accounts.values()}
        events = [event for event in issue.events if event.label is not None]
        return [[e.kind, e.label.name, logins.get(e.actor_id or 0, "")] for e in events if e.label]

    @locked
    def suggestions(self, full_name: str, number: int) -> list[dict[str, Any]]:
        """The labels offered on an issue without being put on it, with what became of each."""
        repo, issue = self._issue(full_name, number)
        return [
            {"name": repo.labels[each.label_id].name, **talk.render_suggestion(issue, each)}
            for each in issue.suggestions
            if each.label_id in repo.labels
        ]

    @locked
    def take_suggestions(self, how: str) -> None:
        """Behave like a GitHub that takes suggestions so: on, absent, ignored or refused."""
        if how not in talk.HOW:
            raise ValueError(f"{how!r} is none of {', '.join(talk.HOW)}")
        self.state.suggestions = how

    @locked
    def accept_suggestion(
        self, full_name: str, number: int, label: str, by: str = "maintainer"
    ) -> None:
        """Approve a suggested label: it is put on in that person's name."""
        repo, issue = self._issue(full_name, number)
        found = talk.pending(repo, issue, label)
        talk.resolve(self.state, repo, issue, self._by(by), found, "approved")

    @locked
    def dismiss_suggestion(
        self, full_name: str, number: int, label: str, by: str = "maintainer"
    ) -> None:
        """Dismiss a suggested label: no webhook and no event tells of it."""
        repo, issue = self._issue(full_name, number)
        found = talk.pending(repo, issue, label)
        talk.resolve(self.state, repo, issue, self._by(by), found, "dismissed")

    @locked
    def edit_issue(
        self,
        full_name: str,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        by: str = "reporter",
    ) -> None:
        """Change the title, the body or both."""
        repo, issue = self._issue(full_name, number)
        given = {"title": title, "body": body}
        changes = {key: text for key, text in given.items() if text is not None}
        actions.edit_issue(self.state, repo, issue, self._by(by), changes)

    @locked
    def label(
        self, full_name: str, number: int, labels: str | list[str], by: str = "maintainer"
    ) -> None:
        """Put a label, or several, on an issue."""
        repo, issue = self._issue(full_name, number)
        names = [labels] if isinstance(labels, str) else labels
        actions.add_labels(self.state, repo, issue, self._by(by), names)

    @locked
    def unlabel(self, full_name: str, number: int, label: str, by: str = "maintainer") -> None:
        """Take a label off an issue."""
        repo, issue = self._issue(full_name, number)
        actions.remove_label(self.state, repo, issue, self._by(by), label)

    @locked
    def comment(
        self, full_name: str, number: int, body: str, by: str = "maintainer"
    ) -> dict[str, Any]:
        """Comment on an issue."""
        repo, issue = self._issue(full_name, number)
        made = actions.add_comment(self.state, repo, issue, self._by(by), body)
        return render.comment(self.state, repo, issue, made)

    @locked
    def comments(self, full_name: str, number: int) -> list[dict[str, Any]]:
        """The comments on an issue, oldest first."""
        repo, issue = self._issue(full_name, number)
        return [render.comment(self.state, repo, issue, each) for each in issue.comments]

    @locked
    def edit_comment(
        self, full_name: str, comment_id: int, body: str, by: str = "maintainer"
    ) -> None:
        """Change a comment."""
        repo = self._repository(full_name)
        issue, comment = talk.find_comment(repo, comment_id)
        talk.edit_comment(self.state, repo, issue, self._by(by), comment, body)

    @locked
    def delete_comment(self, full_name: str, comment_id: int, by: str = "maintainer") -> None:
        """Delete a comment."""
        repo = self._repository(full_name)
        issue, comment = talk.find_comment(repo, comment_id)
        talk.delete_comment(self.state, repo, issue, self._by(by), comment)

    @locked
    def close(self, full_name: str, number: int, by: str = "maintainer") -> None:
        """Close an issue as completed."""
        repo, issue = self._issue(full_name, number)
        actions.set_state(self.state, repo, issue, self._by(by), "closed")

    @locked
    def reopen(self, full_name: str, number: int, by: str = "maintainer") -> None:
        """Reopen an issue."""
        repo, issue = self._issue(full_name, number)
        actions.set_state(self.state, repo, issue, self._by(by), "open")

    @locked
    def lock(
        self, full_name: str, number: int, locked: bool = True, by: str = "maintainer"
    ) -> None:
        """Lock the conversation of an issue, or (False) unlock it."""
        repo, issue = self._issue(full_name, number)
        actions.set_lock(self.state, repo, issue, self._by(by), locked)

    @locked
    def delete_issue(self, full_name: str, number: int, by: str = "maintainer") -> None:
        """Delete an issue."""
        repo, issue = self._issue(full_name, number)
        lifecycle.delete_issue(self.state, repo, issue, self._by(by))

    @locked
    def transfer_issue(
        self, full_name: str, number: int, to: str, by: str = "maintainer"
    ) -> dict[str, Any]:
        """Move an issue to another repository; answers the issue that it became there."""
        repo, issue = self._issue(full_name, number)
        target = self._repository(to)
        moved = lifecycle.transfer_issue(self.state, repo, issue, self._by(by), target)
        return render.detailed_issue(self.state, target, moved)

    @locked
    def create_label(
        self,
        full_name: str,
        name: str,
        *,
        color: str = "ededed",
        description: str | None = None,
        by: str = "maintainer",
    ) -> dict[str, Any]:
        """Make a label."""
        repo, by_whom = self._repository(full_name), self._by(by)
        facts = {"name": name, "color": color, "description": description}
        made = actions.create_label(self.state, repo, by_whom, **facts)  # type: ignore[arg-type]
        return render.label(self.state, repo, made)

    @locked
    def edit_label(
        self, full_name: str, name: str, changes: dict[str, str], by: str = "maintainer"
    ) -> None:
        """Change a label's name, color or description."""
        repo = self._repository(full_name)
        label = self._label(repo, name)
        actions.edit_label(self.state, repo, label, self._by(by), dict(changes))

    @locked
    def delete_label(self, full_name: str, name: str, by: str = "maintainer") -> None:
        """Delete a label."""
        repo = self._repository(full_name)
        actions.delete_label(self.state, repo, self._label(repo, name), self._by(by))

    @locked
    def labels(self, full_name: str) -> list[dict[str, Any]]:
        """The labels of a repository."""
        repo = self._repository(full_name)
        return [render.label(self.state, repo, label) for label in repo.labels.values()]

    def _label(self, repo: Repository, name: str) -> Label:
        label = find_label(repo, name)
        if label is None:
            raise LookupError(f"no label {name}")
        return label

    @locked
    def rename_repository(self, full_name: str, name: str, by: str = "maintainer") -> None:
        """Give a repository another name under the same owner."""
        lifecycle.rename_repository(self.state, self._repository(full_name), self._by(by), name)

    @locked
    def transfer_repository(self, full_name: str, to: str, by: str = "maintainer") -> None:
        """Give a repository to another account."""
        repo, owner = self._repository(full_name), self._by(to).account
        lifecycle.transfer_repository(self.state, repo, self._by(by), owner)

    @locked
    def archive(self, full_name: str, archived: bool = True, by: str = "maintainer") -> None:
        """Archive a repository, or (False) take it back."""
        repo = self._repository(full_name)
        lifecycle.set_archived(self.state, repo, self._by(by), archived)

    @locked
    def privatize(self, full_name: str, private: bool = True, by: str = "maintainer") -> None:
        """Make a repository private, or (False) public."""
        repo = self._repository(full_name)
        lifecycle.set_private(self.state, repo, self._by(by), private)

    @locked
    def delete_repository(self, full_name: str, by: str = "maintainer") -> None:
        """Delete a repository."""
        lifecycle.delete_repository(self.state, self._repository(full_name), self._by(by))
