"""Control: accounts, repositories, Apps and installations."""

from __future__ import annotations

from typing import Any

from . import auth, installing, lifecycle, render, render_accounts, webhooks
from .actions import create_label
from .control_base import Base, locked
from .model import Repository


class Setup(Base):
    """What exists before anything happens. Logins, full names and slugs name things."""

    @locked
    def add_account(self, login: str, kind: str = "User") -> dict[str, Any]:
        """An account: User, Organization or Bot; one that exists is returned."""
        return render_accounts.user(self.state, installing.add_account(self.state, login, kind))

    @locked
    def add_repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        labels: list[Any] | None = None,
        organization: bool = False,
        description: str | None = None,
    ) -> dict[str, Any]:
        """A repository with labels (names, or objects with name, color, description)."""
        login, _, name = full_name.partition("/")
        kind = "Organization" if organization else "User"
        owner = installing.add_account(self.state, login, kind)
        if self.state.repository(full_name) is not None:
            raise ValueError(f"{full_name} exists")
        number, at = self.state.next_id("repository"), self.state.timestamp()
        repo = Repository(number, owner.id, name, at, private, description=description)
        self.state.repositories[number] = repo
        for item in labels or []:
            facts = {"name": item} if isinstance(item, str) else item
            create_label(self.state, repo, self._by(login), **facts)
        return render.full_repository(self.state, repo)

    @locked
    def set_role(self, full_name: str, login: str, role: str, name: str | None = None) -> None:
        """Give an account a role: read, triage, write, maintain or admin, or (none) take it away.

        `name` makes it a custom role of an organization, with that role as its base.
        """
        repo, account = self._repository(full_name), self._by(login).account
        repo.role_names.pop(account.id, None)
        repo.roles.pop(account.id, None)
        if role != "none":
            repo.roles[account.id] = role
        if name is not None:
            repo.role_names[account.id] = name

    @locked
    def put_file(self, full_name: str, path: str, text: str | None) -> None:
        """Put a file into a repository, or take it away (None)."""
        files = self._repository(full_name).files
        files.pop(path, None)
        if text is not None:
            files[path] = text.encode()

    @locked
    def plant_issues(
        self, full_name: str, issues: list[dict[str, Any]], author: str = "ghost-writer"
    ) -> int:
        """Put issues of the past into a repository without any webhook; returns how many.

        Each is an issue as GitHub's REST API gives it (see `lifecycle.plant_issue`); `user` may be
        a login or an object, and `events` a list of [action, label, login, time].
        """
        repo = self._repository(full_name)
        for facts in issues:
            user = facts.get("user") or author
            by = self._by(user if isinstance(user, str) else user["login"])
            events = facts.get("events")
            if events is not None:
                events = [(k, name, self._by(login), at) for k, name, login, at in events]
            lifecycle.plant_issue(self.state, repo, by, {**facts, "events": events})
        return len(issues)

    @locked
    def add_app(
        self,
        slug: str = "labelwright",
        *,
        owner: str = "owner",
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        permissions: dict[str, str] | None = None,
        events: list[str] | None = None,
        private_key: str | None = None,
    ) -> dict[str, Any]:
        """An App, with the private key (`pem`) that signs its JWTs; made here unless given."""
        if private_key:
            private, public = private_key, installing.public_half(private_key)
        else:
            private, public = installing.new_key()
        given = {"permissions": permissions, "events": events}
        facts: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
        facts |= {"webhook_url": webhook_url, "webhook_secret": webhook_secret}
        account = installing.add_account(self.state, owner)
        app = installing.create_app(self.state, slug, account, public, **facts)
        bot = self.state.accounts[app.bot_id]
        extra = {"pem": private, "webhook_secret": webhook_secret, "bot_id": bot.id}
        extra["client_secret"] = app.client_secret
        return {**render_accounts.app(self.state, app), **extra}

    @locked
    def set_webhook(self, slug: str, url: str | None, secret: str | None = None) -> None:
        """Send an App's webhooks to another address, signed with this secret if one is given."""
        app = self._app(slug)
        app.webhook_url = url
        app.webhook_secret = secret or app.webhook_secret

    @locked
    def ping(self, slug: str = "labelwright") -> None:
        """Send an App's ping."""
        webhooks.ping(self.state, self._app(slug))

    @locked
    def install(
        self, slug: str, login: str, repositories: list[str] | None = None, by: str | None = None
    ) -> dict[str, Any]:
        """Install an App on an account: on some repositories (full names), or on all (None)."""
        chosen = None if repositories is None else [self._repository(r) for r in repositories]
        account = installing.add_account(self.state, login)
        sender = self._by(by or login).account
        made = installing.install(self.state, self._app(slug), account, sender, chosen)
        return render_accounts.installation(self.state, made)

    @locked
    def uninstall(self, installation_id: int, by: str = "owner") -> None:
        """Remove an installation."""
        installation = self._installation(installation_id)
        installing.uninstall(self.state, installation, self._by(by).account)

    @locked
    def suspend(self, installation_id: int, suspended: bool = True, by: str = "owner") -> None:
        """Suspend an installation, or (False) end that."""
        installation = self._installation(installation_id)
        installing.suspend(self.state, installation, self._by(by).account, suspended)

    @locked
    def set_permissions(
        self, installation_id: int, permissions: dict[str, str], by: str = "owner"
    ) -> None:
        """Change what an installation may."""
        installation = self._installation(installation_id)
        installing.set_permissions(self.state, installation, self._by(by).account, permissions)

    @locked
    def change_repositories(
        self,
        installation_id: int,
        *,
        added: list[str] | None = None,
        removed: list[str] | None = None,
        by: str = "owner",
    ) -> None:
        """Let an installation reach more repositories, or fewer (full names)."""
        installing.change_repositories(
            self.state,
            self._installation(installation_id),
            self._by(by).account,
            added=[self._repository(name) for name in added or []],
            removed=[self._repository(name) for name in removed or []],
        )

    @locked
    def rename_account(self, login: str, to: str) -> None:
        """Give an account another login."""
        account = self._by(login).account
        installing.rename_account(self.state, account, to, account)

    @locked
    def manifest_code(self, manifest: dict[str, Any], owner: str = "owner") -> str:
        """A code for POST /app-manifests/{code}/conversions, as a browser would bring it back."""
        code = self.state.secret(40).lower()
        account = installing.add_account(self.state, owner)
        self.state.manifests[code] = {"manifest": manifest, "owner_id": account.id}
        return code

    @locked
    def personal_token(self, login: str) -> str:
        """A personal access token of an account."""
        return auth.personal_token(self.state, self._by(login).account).value
