"""forget: remove a repository's, an issue's or a user's text, and what learned from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.common import AsJson, Desk, desk, full_name, print_json, print_table

if TYPE_CHECKING:
    from bot.forgetting import Found, Subject
    from bot.store.rows import Repository
    from bot.traces import Backups

_ISSUE = re.compile(r"(?P<name>[^#]+)#(?P<number>[1-9]\d{0,17})")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")


def issue_name(value: str | None) -> str | None:
    """Check that an option is OWNER/NAME#N."""
    if value is not None:
        found = _ISSUE.fullmatch(value)
        if found is None:
            raise typer.BadParameter(f"{value!r} is not like OWNER/NAME#3")
        full_name(found["name"])
    return value


def login(value: str | None) -> str | None:
    """Check that an option may be the name of a user on GitHub."""
    if value is not None and not _LOGIN.fullmatch(value):
        raise typer.BadParameter(f"{value!r} is no login")
    return value


def forget(
    repo: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", callback=full_name, help="A repository.")
    ] = None,
    issue: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME#N", callback=issue_name, help="One issue.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(metavar="LOGIN", callback=login, help="A user's issues, and the name."),
    ] = None,
    encoder: Annotated[
        bool,
        typer.Option("--encoder", help="Also go back to an encoder that has not learned from it."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove text for good: rows, vectors, models that hold it.

    It does not come back from GitHub either. Models that learned from it are trained anew without
    it; without --yes nothing is changed. On GitHub nothing is touched.

    Example: labelwright forget --issue octo/app#12 --yes
    """
    from bot.forgetting import Forgetter

    if sum(value is not None for value in (repo, issue, user)) != 1:
        raise typer.BadParameter("give one of --repo, --issue and --user")
    with desk() as here:
        subject = _subject(here, repo, issue, user)
        names = {row.id: row.full_name for row in _rows(here, subject)}
        forgetter = Forgetter(here.settings, here.store, here.registry())
        found = forgetter.carry_out(subject) if yes else forgetter.plan(subject)
        back = list(_roll_back(here, found)) if yes and encoder else []
    facts = {"dry_run": not yes, **_facts(found, names), "encoder_now": back}
    if as_json:
        print_json(facts)
        return
    _print(str(repo or issue or user), facts)


def _subject(here: Desk, repo: str | None, issue: str | None, user: str | None) -> Subject:
    from bot import forgetting

    if repo is not None:
        return forgetting.repository(here.store, repo)
    if issue is not None:
        name, _, number = issue.partition("#")
        return forgetting.issue(here.store, name, int(number))
    return forgetting.user(here.store, str(user))


def _rows(here: Desk, subject: Subject) -> Iterator[Repository]:
    yield from here.store.repositories.all()
    concerned = (*subject.repositories, *subject.issues)
    yield from filter(None, (here.store.repositories.get(each) for each in concerned))


def _roll_back(here: Desk, found: Found) -> Iterator[str | None]:
    """Go back as long as the encoder in force may have learned from it; yields what is in force."""
    from bot.encoder_versions import roll_back
    from models.encoders import Encoders

    encoders = Encoders(here.settings.encoders)
    while encoders.current() in found.encoders:
        yield roll_back(here.settings, here.store, here.registry()).encoder


def _facts(found: Found, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "rows": {table: count for table, count in found.rows.items() if count},
        "versions": {names[key]: list(found.versions[key]) for key in found.versions},
        "runs": list(found.runs),
        "trainings": [names[each] for each in found.trainings],
        "encoders": list(found.encoders),
        "tuned_with": {names[key]: list(found.tuned_with[key]) for key in found.tuned_with},
        "backups": _backups(found.backups),
    }


def _backups(found: Backups) -> dict[str, Any]:
    from bot.times import from_epoch

    return {
        "expire": [str(path) for path in found.expire],
        "gone_by": None if found.gone_by is None else from_epoch(found.gone_by),
        "kept": [str(path) for path in found.kept],
    }


def _print(what: str, facts: Mapping[str, Any]) -> None:
    rows = [(table.replace("_", " "), count) for table, count in facts["rows"].items()]
    rows += [(f"versions of {name}", len(found)) for name, found in facts["versions"].items()]
    rows += [("folders of trainings", len(facts["runs"]))] if facts["runs"] else []
    title = "what would go" if facts["dry_run"] else "forgotten"
    if rows:
        print_table(f"{what}: {title}", ("what", "how many"), rows)
    else:
        print(f"{what}: nothing of it is here")
    for line in _said(facts):
        print(line)
    if facts["dry_run"]:
        print("nothing was changed; --yes does it")


def _said(facts: Mapping[str, Any]) -> Iterator[str]:
    """What stays, when it goes, and what is to be done about it."""
    for name in facts["trainings"]:
        yield f"{name} is trained without it, by the server or `labelwright train {name}`"
    for name in facts["tuned_with"]:
        yield f"{name} shares a tuned encoder with it: `labelwright train {name}` ends that"
    if facts["encoders"]:
        listed = ", ".join(facts["encoders"])
        yield (
            f"encoder {listed} may have learned from it and cannot unlearn: `labelwright adapt`"
            " makes one without it, --encoder goes back to one before"
        )
    for name in facts["encoder_now"]:
        yield f"encoder {name or 'of the settings'} is in force now"
    yield from _said_of_backups(facts["backups"])


def _said_of_backups(found: Mapping[str, Any]) -> Iterator[str]:
    if found["expire"]:
        until = f"until about {found['gone_by']}" if found["gone_by"] else "until you remove them"
        yield f"{len(found['expire'])} backups that were made before may hold it {until}"
    for path in found["kept"]:
        yield f"{path} may hold it until you remove it"
