"""Look at everything that the server needs, one finding for each, with what to do about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bot import launching
from bot.backup import backups
from bot.clock import next_times
from bot.errors import SettingsError, StoreError
from bot.github.errors import GitHubError, NotFound, Unauthorized
from bot.health import readiness
from bot.repo_config import FILE
from bot.settings import Settings
from bot.store import Store
from bot.store.filesystem import refuse_network
from bot.times import from_epoch
from models.errors import ModelError

if TYPE_CHECKING:
    from bot.github.app import GitHubApp
    from bot.predictors import Loaders
    from bot.store.rows import Repository
    from models.encoder import Encoder
    from models.registry import Registry

State = Literal["ok", "note", "fails"]
MOST_NAMED = 5
MOST_SKEW = 30.0
"""Seconds that our clock may be off: GitHub refuses a token dated more than a minute off."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `note` is worth knowing and no failure."""

    name: str
    state: State
    message: str


def examine(now: Callable[[], float] = time.time) -> list[Finding]:
    """Every finding, in the order in which to mend things. Never raises for what it looks at."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        return [Finding("settings", "fails", problem) for problem in error.problems]
    encoder = _encoder(settings)
    return [
        *_settings(settings),
        _alarms(settings),
        _encoder_finding(settings, encoder),
        *_adapted(settings),
        *_store(settings, now),
        *_github(settings, now),
        Finding("launcher", *launching.where(settings)),
    ]


def _ok(name: str, message: str) -> Finding:
    return Finding(name, "ok", message)


def _settings(settings: Settings) -> list[Finding]:
    missing = settings.missing(app=True, webhook=settings.intake == "webhook")
    if missing:
        return [Finding("settings", "fails", line) for line in missing]
    return [_ok("settings", f"read; everything is kept in {settings.home}")]


def _alarms(settings: Settings) -> Finding:
    """Who is told of an outage. The address itself may hold a token."""
    if settings.alarm_url is None:
        what = (
            "nobody is told of an outage: set LABELWRIGHT_ALARM_URL, or let somebody watch /health"
        )
        return Finding("alarms", "note", what)
    host = urlsplit(settings.alarm_url.get_secret_value()).hostname
    return _ok("alarms", f"{host} is told; `labelwright alarms` shows them, `--test` sends a test")


def _store(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    try:
        if not settings.database.exists():
            refuse_network(settings.database, None)
            yield Finding("database", "note", f"none yet: {settings.database} is made when needed")
            return
        with closing(Store.open(settings.database, identity=settings.database_identity)) as store:
            for check in readiness(store, settings.home, now=now):
                missed: State = "note" if check.name == "worker" else "fails"
                yield Finding(check.name, "ok" if check.ok else missed, check.message)
            yield _dead_letters(store)
            yield _capped(store)
            yield from _upkeep(settings, store, now())
            yield from _repositories(settings, store)
    except StoreError as error:
        yield Finding("database", "fails", str(error))


def _dead_letters(store: Store) -> Finding:
    dead = sum(n for (_, state), n in store.jobs.counts().items() if state == "dead")
    if not dead:
        return _ok("dead letters", "none: no job was given up")
    what = "`labelwright jobs --dead` says why, `labelwright jobs requeue` does them again"
    return Finding("dead letters", "note", f"{dead} jobs were given up: {what}")


def _capped(store: Store) -> Finding:
    found = store.actors.capped()
    if not found:
        return _ok("actors", "nobody is over the cap of label events")
    repositories = {row.id: row.full_name for row in store.repositories.all()}
    named = [
        f"{each.login} in {repositories[each.repository_id]}"
        for each in found
        if each.repository_id in repositories
    ]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    what = "`labelwright actors OWNER/NAME` lists them; its `trust` or `exclude` settles it"
    return Finding("actors", "note", f"not heard: {', '.join(named[:MOST_NAMED])}{more}: {what}")


def _upkeep(settings: Settings, store: Store, now: float) -> Iterator[Finding]:
    """When the database was backed up, and when that, pruning and adapting come next."""
    soon = next_times(settings, store, now)
    found = backups(settings, store)
    newest = f"the newest is {found[-1]}" if found else "there is none yet"
    if "backup" in soon:
        message = f"{newest}; the next is due at {from_epoch(soon['backup'])}"
        yield Finding("backup", "ok" if found else "note", message)
    else:
        yield Finding("backup", "note", f"{newest}; LABELWRIGHT_BACKUP_SCHEDULE is never")
    if "prune" in soon:
        yield _ok("pruning", f"the next is due at {from_epoch(soon['prune'])}")
    else:
        what = "LABELWRIGHT_PRUNE_SCHEDULE is never: `labelwright prune` does it by hand"
        yield Finding("pruning", "note", what)
    if "adapt_if_due" in soon:
        what = f"the next is considered at {from_epoch(soon['adapt_if_due'])}"
        yield _ok("adaptation", f"{what}, where there is enough new text")
    else:
        what = "LABELWRIGHT_ADAPT_SCHEDULE is never: `labelwright adapt` does it by hand"
        yield Finding("adaptation", "note", what)


def _repositories(settings: Settings, store: Store) -> Iterator[Finding]:
    from bot.predictors import standard_loaders
    from models.registry import Registry

    registry, loaders = Registry(settings.models), standard_loaders(settings)
    for row in store.repositories.all():
        for problem in row.config_errors:
            message = f"refused, the last valid configuration holds: {problem}"
            yield Finding(f"configuration of {row.full_name}", "fails", message)
        yield _model(registry, row, loaders)


def _model(registry: Registry, row: Repository, loaders: Loaders) -> Finding:
    name = f"model of {row.full_name}"
    retrain = f"`labelwright train {row.full_name}`"
    try:
        version = registry.current(row.id)
        if version is None:
            return Finding(name, "note", f"none yet, zero-shot suggestions go on: {retrain}")
        loaders.bundle(registry.path(row.id, version))
    except ModelError as error:
        return Finding(name, "fails", f"{error}: {retrain}, or go back")
    return _ok(name, f"{version} is current and whole")


def _encoder(settings: Settings) -> Encoder | ModelError:
    from models.encoder import Encoder

    try:
        return Encoder.load(settings.encoder, max_tokens=settings.max_tokens)
    except ModelError as error:
        return error


def _encoder_finding(settings: Settings, encoder: Encoder | ModelError) -> Finding:
    if isinstance(encoder, ModelError):
        return Finding("encoder", "fails", str(encoder))
    return _ok("encoder", f"{settings.encoder} is there, version {encoder.version}")


def _adapted(settings: Settings) -> Iterator[Finding]:
    """The adapted encoder that new trainings use, where there is one."""
    from models.encoders import Encoders

    name, back = "adapted encoder", "`labelwright encoders rollback`"
    try:
        found = Encoders(settings.encoders).whole()
    except ModelError as error:
        yield Finding(name, "fails", f"{error}: {back}")
        return
    if found is None:
        return
    version, origin = found
    if Path(origin).name == Path(settings.encoder).name:
        yield _ok(name, f"{version} is in force for new trainings, and whole")
    else:
        what = f"{version} is in force, made from {origin}, and not LABELWRIGHT_ENCODER: {back}"
        yield Finding(name, "note", what)


def _github(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    from bot.github.probe import probe

    try:
        answer = probe(settings.github_url)
    except GitHubError as error:
        what = f"{error}: is LABELWRIGHT_GITHUB_URL right, and may this machine reach it?"
        yield Finding("github", "fails", what)
        return
    yield _ok("github", f"{settings.github_url} answers")
    yield _clock(answer.at, now())
    with _app(settings) as app:
        if isinstance(app, Finding):
            yield app
            return
        yield _ok("private key", "can be read")
        try:
            yield from _look_at_app(settings, app)
        except (NotFound, Unauthorized) as error:
            what = f"{error}: make sure that LABELWRIGHT_APP_ID and the key are of the same App"
            yield Finding("app", "fails", what)
        except GitHubError as error:
            yield Finding("app", "fails", str(error))


def _clock(at: float | None, now: float) -> Finding:
    if at is None:
        return Finding("clock", "note", "GitHub told no time to compare with")
    skew = now - at
    if abs(skew) <= MOST_SKEW:
        return _ok("clock", f"{abs(skew):.0f} s from GitHub's")
    way = "ahead of" if skew > 0 else "behind"
    return Finding("clock", "fails", f"{abs(skew):.0f} s {way} GitHub's: turn on NTP")


@contextmanager
def _app(settings: Settings) -> Iterator[GitHubApp | Finding]:
    """The App, or why there is none."""
    if settings.missing(app=True):
        yield Finding("app", "fails", "no App is set up: see the missing settings above")
        return
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from bot.github.app import GitHubApp

    credentials = settings.require_app()
    try:
        load_pem_private_key(credentials.private_key.encode(), password=None)
    except (TypeError, ValueError):
        # `from None` in spirit: the library's words may quote the key.
        what = "is damaged or has a passphrase: make a new one in the App's settings on GitHub"
        yield Finding("private key", "fails", what)
        return
    with closing(
        GitHubApp(credentials.app_id, credentials.private_key, settings.github_url)
    ) as app:
        yield app


def _look_at_app(settings: Settings, app: GitHubApp) -> Iterator[Finding]:
    about = app.about()
    yield _ok("app", f"{about.name or about.slug} (number {about.id})")
    yield _permissions("permissions of the app", about.permissions, "the App's settings on GitHub")
    if settings.intake == "webhook":
        yield _events(about.events, pull_requests="pull_requests" in about.permissions)
        yield _webhook(settings, app.hook_config())
    else:
        yield _ok("webhook", f"none needed: GitHub is asked every {settings.poll_seconds:g} s")
    yield from _installations(app)


def _permissions(name: str, granted: Any, where: str) -> Finding:
    from bot.github.app import LEVELS, TOKEN_PERMISSIONS

    lacking = [
        f"{permission}: {level}"
        for permission, level in TOKEN_PERMISSIONS.items()
        if LEVELS.index(level) > _level(granted.get(permission))
    ]
    if lacking:
        return Finding(name, "fails", f"grant {', '.join(lacking)} in {where}")
    return _ok(name, "complete")


def _level(granted: str | None) -> int:
    from bot.github.app import LEVELS

    return LEVELS.index(granted) if granted in LEVELS else -1


def _events(subscribed: Iterable[str], *, pull_requests: bool) -> Finding:
    from bot import handlers
    from bot.manifest import events

    wanted = events(handlers.load(), pull_requests=pull_requests)
    lacking = sorted(set(wanted) - set(subscribed))
    if lacking:
        return Finding("events", "fails", f"subscribe the App to: {', '.join(lacking)}")
    return _ok("events", f"subscribed to {', '.join(wanted)}")


def _webhook(settings: Settings, config: dict[str, str]) -> Finding:
    url = urlsplit(config.get("url", ""))
    problems = []
    if not url.hostname:
        problems.append("set its URL to https://YOUR-HOST/webhook, or LABELWRIGHT_INTAKE=poll")
    elif url.path.rstrip("/") != "/webhook":
        problems.append(f"its path is {url.path or '/'}, not /webhook")
    if url.scheme == "http" and url.hostname not in _LOCAL:
        problems.append("its URL is http: anybody on the way can read the issues")
    if config.get("content_type") != "json":
        problems.append("set its content type to application/json")
    if config.get("insecure_ssl", "0") not in ("0", "0.0"):
        problems.append("turn SSL verification on")
    if not config.get("secret"):
        problems.append("set its secret, the same as LABELWRIGHT_WEBHOOK_SECRET")
    if problems:
        return Finding("webhook", "fails", "; ".join(problems))
    return _ok("webhook", f"goes to {config['url']}, signed")


def _installations(app: GitHubApp) -> Iterator[Finding]:
    found = app.installations()
    if not found:
        yield Finding("installations", "note", "none: install the App on a repository")
    for each in found:
        name = f"installation on {each.account_login}"
        if each.suspended:
            yield Finding(name, "note", "suspended: its jobs wait")
            continue
        yield _permissions(name, each.permissions, f"the settings of {each.account_login}")
        if each.single_files is not None and FILE not in each.single_files:
            what = f'type {FILE} as the path of the App\'s permission "Single file" on GitHub'
            yield Finding(f"single file on {each.account_login}", "fails", what)
