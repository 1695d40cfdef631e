"""Apps and their installations: made, installed, suspended, given other repositories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import render, render_accounts
from .model import Account, App, Installation, Permissions, Repository
from .state import State
from .webhooks import emit_to, ping

DEFAULT_PERMISSIONS = {"issues": "write", "metadata": "read", "single_file": "read"}
DEFAULT_EVENTS = ("installation_target", "issue_comment", "issues", "label", "repository")
DEFAULT_FILES = (".github/labelwright.yml",)


def new_key() -> tuple[str, str]:
    """A fresh RSA key as (private PEM as GitHub hands it out, public PEM)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return private.decode(), public_half(private.decode())


def public_half(private_pem: str) -> str:
    """The public PEM of a private one."""
    # To validate the key takes 40 ms, and a stand-in takes it on trust.
    key = serialization.load_pem_private_key(
        private_pem.encode(), None, unsafe_skip_rsa_key_validation=True
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def add_account(state: State, login: str, kind: str = "User") -> Account:
    """The account of that login, made when it does not exist."""
    found = state.account(login)
    if found is not None:
        return found
    account = Account(state.next_id("account"), login, kind, state.timestamp())
    state.accounts[account.id] = account
    return account


def create_app(state: State, slug: str, owner: Account, public_key: str, **facts: Any) -> App:
    """Register an App and its bot; `facts` are fields of `App`. A webhook URL is pinged."""
    bot = add_account(state, f"{slug}[bot]", "Bot")
    app = App(
        id=state.next_id("app"),
        slug=slug,
        owner_id=owner.id,
        bot_id=bot.id,
        client_id=f"Iv23li{state.secret(14)}",
        client_secret=state.secret(40).lower(),
        public_keys=[public_key],
        created_at=state.timestamp(),
        **{
            "name": slug.replace("-", " ").capitalize(),
            "permissions": dict(DEFAULT_PERMISSIONS),
            "events": list(DEFAULT_EVENTS),
            "single_file_paths": list(DEFAULT_FILES),
            **facts,
        },
    )
    state.apps[app.id] = app
    ping(state, app)
    return app


def install(
    state: State, app: App, account: Account, by: Account, repositories: Sequence[Repository] | None
) -> Installation:
    """Install an App on an account, on some repositories or (None) on all that it ever has."""
    installation = Installation(
        id=state.next_id("installation"),
        app_id=app.id,
        account_id=account.id,
        permissions=dict(app.permissions),
        events=list(app.events),
        created_at=state.timestamp(),
        selection="all" if repositories is None else "selected",
        repository_ids={repo.id for repo in repositories or ()},
        single_file_paths=list(app.single_file_paths),
    )
    state.installations[installation.id] = installation
    _announce(state, installation, "created", by)
    return installation


def uninstall(state: State, installation: Installation, by: Account) -> None:
    """Remove an installation; its tokens stop working."""
    _announce(state, installation, "deleted", by)
    del state.installations[installation.id]


def suspend(state: State, installation: Installation, by: Account, suspended: bool) -> None:
    """Suspend an installation, or end that."""
    installation.suspended_at = state.timestamp() if suspended else None
    installation.suspended_by_id = by.id if suspended else None
    _announce(state, installation, "suspend" if suspended else "unsuspend", by)


def set_permissions(
    state: State, installation: Installation, by: Account, permissions: Permissions
) -> None:
    """An owner accepts (or the stand-in imposes) other permissions; old tokens keep theirs."""
    installation.permissions = dict(permissions)
    _announce(state, installation, "new_permissions_accepted", by)


def set_single_file(state: State, app: App, by: Account, path: str) -> None:
    """Name the one file that an App's single_file permission opens, or (empty) none.

    Every installation takes the change at once, as if its owner had accepted it.
    """
    app.single_file_paths = [path] if path else []
    for installation in list(state.installations.values()):
        if installation.app_id == app.id:
            installation.single_file_paths = list(app.single_file_paths)
            set_permissions(state, installation, by, installation.permissions)


def choose_repositories(
    state: State, installation: Installation, by: Account, chosen: Sequence[Repository] | None
) -> None:
    """Let an installation reach these repositories, or (None) all that its account ever has."""
    before = state.of_installation(installation)
    mine = [r for r in state.repositories.values() if r.owner_id == installation.account_id]
    wanted = [r for r in mine if not r.deleted] if chosen is None else list(chosen)
    installation.repository_ids = {repo.id for repo in before}
    installation.selection = "all" if chosen is None else "selected"
    added = [repo for repo in wanted if repo not in before]
    removed = [repo for repo in before if repo not in wanted]
    change_repositories(state, installation, by, added=added, removed=removed)


def change_repositories(
    state: State,
    installation: Installation,
    by: Account,
    *,
    added: Iterable[Repository] = (),
    removed: Iterable[Repository] = (),
) -> None:
    """Let an installation reach more repositories, or fewer; one webhook for each direction."""
    for action, repos in (("added", list(added)), ("removed", list(removed))):
        if not repos:
            continue
        chosen = {repo.id for repo in repos}
        installation.repository_ids |= chosen
        if action == "removed":
            installation.repository_ids -= chosen
        shown = [render.short_repository(state, repo) for repo in repos]
        parts: dict[str, Any] = {"repositories_added": [], "repositories_removed": []}
        parts |= {f"repositories_{action}": shown, "requester": None}
        parts |= {"repository_selection": installation.selection}
        parts |= {"installation": render_accounts.installation(state, installation)}
        emit_to(state, installation, "installation_repositories", action, by, **parts)


def rename_account(state: State, account: Account, login: str, by: Account) -> None:
    """Give an account another login; installations that subscribed hear of it."""
    for repo in state.repositories.values():
        if repo.owner_id == account.id:
            state.old_names[state.full_name(repo).lower()] = repo.id
    before, account.login = account.login, login
    for installation in list(state.installations.values()):
        heard = "installation_target" in installation.events
        if heard and installation.account_id == account.id:
            shown = render_accounts.public_user(state, account).items()
            parts: dict[str, Any] = {"account": {k: v for k, v in shown if v is not None}}
            parts |= {"changes": {"login": {"from": before}}, "target_type": account.type}
            emit_to(state, installation, "installation_target", "renamed", by, **parts)


def _announce(state: State, installation: Installation, action: str, by: Account) -> None:
    repos = state.of_installation(installation)
    parts: dict[str, Any] = {
        "installation": render_accounts.installation(state, installation),
        "repositories": [render.short_repository(state, repo) for repo in repos],
    }
    if action == "created":
        parts["requester"] = None
    emit_to(state, installation, "installation", action, by, **parts)
