"""Who asks, and what they may: App JWTs, tokens of installations, of people, nobody.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from .actions import By
from .errors import ApiError, bad_credentials, forbidden, not_found, suspended
from .model import Account, App, Installation, Repository, Token
from .state import State

TOKEN_LIFE = 3600.0
JWT_LIFE = 600.0
LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
ROLE_LEVELS = {"read": 1, "triage": 1, "write": 2, "maintain": 2, "admin": 3}


@dataclass(frozen=True)
class Caller:
    """Who sent a request; all None for nobody. An App acts as its bot once it has a token.

    A person who signed in through an App has an account and an App, but no installation.
    """

    app: App | None = None
    installation: Installation | None = None
    account: Account | None = None
    token: Token | None = None

    @property
    def key(self) -> str:
        """A name for the log and the limits: `installation 52000001`, `app x`, `user y`."""
        if self.installation is not None:
            return f"installation {self.installation.id}"
        if self.account is not None:
            return f"user {self.account.login}"
        return f"app {self.app.slug}" if self.app is not None else "anonymous"

    @property
    def limit_message(self) -> str:
        """Who it is, in the words of the primary limit's error."""
        if self.installation is not None:
            return f"installation ID {self.installation.id}"
        return f"user ID {self.account.id}" if self.account is not None else "127.0.0.1"

    def by(self) -> By:
        """The actor of what this caller writes; raises 401 for nobody."""
        if self.account is None:
            raise ApiError(401, "Requires authentication")
        return By(self.account, self.app.id if self.app is not None else None)


def identify(state: State, header: str | None) -> Caller:
    """The caller behind an Authorization header.

    Raises 401 for a token or JWT that does not hold, 403 for one of a suspended installation.
    """
    if not header:
        return Caller()
    scheme, _, value = header.partition(" ")
    if scheme.lower() not in ("token", "bearer") or not value:
        raise bad_credentials()
    if value.count(".") == 2:
        return Caller(app=verify_jwt(state, value))
    token = state.tokens.get(value)
    if token is None or (token.expires_at is not None and token.expires_at <= state.now()):
        raise bad_credentials()
    if token.account_id is not None:
        app = state.apps[token.app_id] if token.app_id is not None else None
        return Caller(app, account=state.accounts[token.account_id], token=token)
    return _as_installation(state, token)


def _as_installation(state: State, token: Token) -> Caller:
    installation = state.installations.get(token.installation_id or 0)
    if installation is None:
        raise bad_credentials()
    if installation.suspended_at is not None:
        raise suspended()
    app = state.apps[installation.app_id]
    return Caller(app, installation, state.accounts[app.bot_id], token)


def verify_jwt(state: State, value: str) -> App:
    """The App that signed a JWT. Raises 401 with GitHub's reason, 404 for an App there is not."""
    try:
        claims = jwt.decode(value, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise _bad_jwt("A JSON web token could not be decoded") from error
    app = _issuer(state, claims.get("iss"))
    if not any(_signed(value, key) for key in app.public_keys):
        raise _bad_jwt("A JSON web token could not be decoded")
    _check_times(claims, state.now())
    return app


def _signed(value: str, public_key: str) -> bool:
    try:
        unchecked = {"verify_exp": False, "verify_iat": False, "verify_iss": False}
        jwt.decode(value, public_key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
    except jwt.InvalidTokenError:
        return False
    return True


def _issuer(state: State, issuer: Any) -> App:
    if issuer is None:
        raise _bad_jwt("Missing 'issuer' claim ('iss') in assertion")
    for app in state.apps.values():
        if str(issuer) in (str(app.id), app.client_id):
            return app
    raise ApiError(404, "Integration not found")


def _check_times(claims: dict[str, Any], now: float) -> None:
    expiry, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expiry, int | float) or expiry <= now:
        raise _bad_jwt(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time "
            "at which the assertion expires"
        )
    if expiry > now + JWT_LIFE:
        raise _bad_jwt("'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(issued, int | float) or issued > math.ceil(now):
        raise _bad_jwt(
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued"
        )


def _bad_jwt(message: str) -> ApiError:
    return ApiError(401, message)


def issue_token(
    state: State,
    installation: Installation,
    permissions: dict[str, str] | None,
    repository_ids: Iterable[int] | None,
) -> Token:
    """A token of an installation, good for an hour, with some or all of its permissions.

    Raises 422 for permissions or repositories that the installation does not have.
    """
    granted = installation.permissions
    asked = granted if permissions is None else permissions
    if any(LEVELS[level] > LEVELS[granted.get(name, "none")] for name, level in asked.items()):
        message = "The permissions requested are not granted to this installation."
        raise ApiError(422, message)
    reach = {repo.id for repo in state.of_installation(installation)}
    chosen = None if repository_ids is None else frozenset(repository_ids)
    if chosen is not None and not chosen <= reach:
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation.",
        )
    # Metadata comes with every token, asked for or not.
    asked = {"metadata": "read", **asked} if "metadata" in granted else dict(asked)
    value = f"ghs_{state.secret(36)}"
    expiry = math.floor(state.now() + TOKEN_LIFE)
    token = Token(value, expiry, installation.id, None, dict(asked), chosen)
    state.tokens[value] = token
    return token


def personal_token(state: State, account: Account) -> Token:
    """A personal access token, which does not expire and may do what its owner may."""
    token = Token(f"ghp_{state.secret(36)}", None, account_id=account.id)
    state.tokens[token.value] = token
    return token


def reaches(state: State, caller: Caller, repo: Repository) -> bool:
    """True when an installation's token covers the repository."""
    if caller.installation is None or caller.token is None:
        return False
    scope = caller.token.repository_ids
    return repo in state.of_installation(caller.installation) and (
        scope is None or repo.id in scope
    )


def signed_in_through(state: State, caller: Caller, repo: Repository) -> Installation | None:
    """The installation that reaches the repository, of the App that a person signed in through."""
    if caller.app is None or caller.account is None:
        return None
    found = (i for i in state.installations_of(repo) if i.app_id == caller.app.id)
    return next(found, None)


def opens_file(state: State, caller: Caller, repo: Repository, path: str) -> bool:
    """Whether the caller, who may read the repository, may read this file of it.

    An App whose permission is single_file, and who signed in through it, read what it names.
    """
    if not repo.private or caller.app is None or caller.token is None:
        return True
    installation = caller.installation or signed_in_through(state, caller, repo)
    if installation is None:
        return False
    held = caller.token.permissions if caller.installation else installation.permissions
    return "contents" in held or path in installation.single_file_paths


def role_level(caller: Caller, repo: Repository) -> int:
    """What a person may in a repository: 0 nothing, 1 read, 2 write, 3 administer."""
    if caller.account is None:
        return 0
    if caller.account.id == repo.owner_id:
        return 3
    return ROLE_LEVELS.get(repo.roles.get(caller.account.id, ""), 0)


def may_triage(caller: Caller, repo: Repository) -> bool:
    """True for a person who may label issues: triage and up."""
    role = repo.roles.get(caller.account.id) if caller.account is not None else None
    return role == "triage" or role_level(caller, repo) >= LEVELS["write"]


def require(
    state: State, caller: Caller, repo: Repository, permissions: Collection[str], level: str
) -> None:
    """Raise unless the caller may, by any one of `permissions`, at `level` (read or write).

    404 for a private repository that it cannot see, 403 for one that it can. Anybody reads what is
    public. A person needs a role: triage is enough to write what an App's `issues` covers. Who
    signed in through an App needs the App's permission as well.
    """
    public_read = level == "read" and not repo.private
    if caller.installation is not None:
        _require_app(state, caller, repo, permissions, level)
        return
    mine = role_level(caller, repo)
    if repo.private and mine == 0:
        raise not_found()
    if caller.app is not None and not public_read:
        _require_grant(signed_in_through(state, caller, repo), repo, permissions, level)
    triages = "issues" in permissions and may_triage(caller, repo)
    if not public_read and not triages and mine < LEVELS[level]:
        raise ApiError(403, "Must have admin rights to Repository.")


def _require_grant(
    installation: Installation | None, repo: Repository, permissions: Collection[str], level: str
) -> None:
    if installation is None:
        raise not_found() if repo.private else forbidden()
    if installation.suspended_at is not None:
        raise suspended()
    held = [installation.permissions.get(name, "none") for name in permissions]
    if max(LEVELS[grant] for grant in held) < LEVELS[level]:
        raise forbidden()


def _require_app(
    state: State, caller: Caller, repo: Repository, permissions: Collection[str], level: str
) -> None:
    reached = reaches(state, caller, repo)
    if repo.private and not reached:
        raise not_found()
    if level == "read" and not repo.private:
        return
    token, installation = caller.token, caller.installation
    if token is None or installation is None or not reached:
        raise forbidden()
    for name in permissions:
        # What is granted now counts as well: a permission taken back is gone from older tokens.
        held = (token.permissions.get(name, "none"), installation.permissions.get(name, "none"))
        if min(LEVELS[grant] for grant in held) >= LEVELS[level]:
            return
    raise forbidden()
