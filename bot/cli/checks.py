"""doctor: look at everything, and say what to do."""

from __future__ import annotations

import typer

from bot.cli.common import AsJson, print_json, print_table


def doctor(as_json: AsJson = False) -> None:
    """Check everything, and say what to do.

    Settings, database, disk, encoder, models, GitHub, the App and its webhook. Exit status 1 when
    something fails.

    Example: labelwright doctor
    """
    from bot.doctor import examine

    findings = examine()
    failed = [each for each in findings if each.state == "fails"]
    if as_json:
        checks = [{"name": x.name, "state": x.state, "message": x.message} for x in findings]
        print_json({"ok": not failed, "checks": checks})
    else:
        rows = [(each.state, each.name, each.message) for each in findings]
        print_table("", ("state", "check", "what is, and what to do"), rows)
        print()
        print(f"{len(failed)} of {len(findings)} checks fail" if failed else "all is well")
    if failed:
        raise typer.Exit(1)
