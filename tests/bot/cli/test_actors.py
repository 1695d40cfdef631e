"""`labelwright actors`: who labels, and what the operator decides of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import Actor, Decision, Issue, Label, LabelEvent
from bot.times import from_epoch
from tests.bot.cli.conftest import Command

REPO = "octo/app"
CAME = 1_800_000_000.0


def said(number: int, id: int, login: str, *, kind: str = "person") -> LabelEvent:
    who = (id, login, kind, from_epoch(CAME + number), "webhook")
    return LabelEvent(9, number, 1, "bug", "labeled", *who)  # type: ignore[arg-type]


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """Ada labeled 3 issues, Mallory 101 within two minutes, a template 1."""
    home.mkdir()
    made = Store.open(home / "labelwright.db", now=lambda: CAME)
    made.repositories.upsert(9, REPO)
    made.labels.upsert(Label(9, 1, "bug"))
    with made.transaction():
        for number in range(1, 202):
            made.issues.upsert(Issue(9, number, number, "t", "b", labels=(1,)))
    made.decisions.record(Decision(9, 1, "v1", "apply", (), at=CAME))
    made.events.add([said(n, 7, "ada") for n in range(1, 4)])
    made.events.add([said(n, 66, "mallory") for n in range(101, 202)])
    made.events.add([said(50, 8, "reporter", kind="template")])
    made.actors.set_role(Actor(9, 7, "ada"), "maintain", CAME)
    made.actors.set_role(Actor(9, 66, "mallory"), "read", CAME)
    yield made
    made.close()


@pytest.mark.usefixtures("store")
def test_the_list_says_who_labels_and_who_is_over_the_cap(labelwright: Command):
    found = labelwright("actors", REPO, "--json").json()
    assert found["cap"] == {"events": 100, "seconds": 86400.0}
    assert found["since"] == from_epoch(CAME)
    mallory, ada, reporter = found["actors"]
    assert mallory == {
        "id": 66,
        "login": "mallory",
        "kind": "person",
        "events": 101,
        "over_cap": 101,
        "labels": 101,
        "role": "read",
        "may_label": False,
        "state": "over the cap",
    }
    assert (ada["role"], ada["may_label"], ada["state"]) == ("maintain", True, "heard")
    assert (reporter["kind"], reporter["role"], reporter["may_label"]) == ("template", None, None)
    shown = labelwright("actors", REPO).out
    assert "capped: more than 100 label events in 86400 s, since 2027" in shown
    assert "mallory" in shown and "over the cap" in shown


def test_excluding_says_how_many_labels_it_concerns_and_asks_for_a_training(
    labelwright: Command, store: Store
):
    said = labelwright("actors", REPO, "exclude", "ADA")
    [job] = store.jobs.list("waiting", "train")
    assert said.out == (
        f"ada (number 7) is excluded: 3 labels count no more; a training is asked for"
        f" (job {job.id})\n"
    )
    again = labelwright("actors", REPO, "exclude", "ada", "--json").json()
    assert (again["state"], again["changed"], again["training"]) == ("excluded", 0, None)


def test_excluding_one_over_the_cap_changes_nothing_that_counts(labelwright: Command, store: Store):
    done = labelwright("actors", REPO, "exclude", "66", "--json").json()
    assert (done["login"], done["state"], done["changed"]) == ("mallory", "excluded", 0)
    assert store.jobs.list("waiting", "train") == []


def test_a_trusted_actor_is_heard_and_reset_takes_it_back(labelwright: Command, store: Store):
    trusted = labelwright("actors", REPO, "trust", "mallory").out
    assert trusted.startswith(
        "mallory (number 66) is trusted, and not capped: 101 more labels count; a training is asked"
    )
    assert (
        "of 101 labels the word changes; a training waits already"
        in labelwright("actors", REPO, "reset", "mallory").out
    )
    assert [actor.stance for actor in store.actors.all(9)] == [None, None]


def test_an_actor_is_found_by_a_name_of_before_and_stays_excluded_under_a_new_one(
    labelwright: Command, store: Store
):
    store.events.add([said(5, 7, "countess")])
    assert "countess (number 7)" in labelwright("actors", REPO, "exclude", "ada").out
    store.events.add([said(6, 7, "third-name")])
    rows = labelwright("actors", REPO, "--json").json()["actors"]
    assert [(x["login"], x["state"]) for x in rows if x["id"] == 7] == [("third-name", "excluded")]


def test_a_login_of_two_accounts_is_not_guessed(labelwright: Command, store: Store):
    store.events.add([said(5, 70, "ada")])
    refused = labelwright("actors", REPO, "exclude", "ada")
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert "more than one account was called ada: name one by number: 7, 70" in refused.err
    assert labelwright("actors", REPO, "exclude", "#70").status == 0


@pytest.mark.usefixtures("store")
def test_somebody_unknown_is_refused_in_one_line(labelwright: Command):
    refused = labelwright("actors", REPO, "exclude", "nobody")
    assert (refused.status, refused.out) == (1, "")
    assert "nobody called nobody has labeled here (but mallory, ada, reporter)" in refused.err


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("args", [("exclude",), ("list", "ada")])
def test_what_does_not_belong_together_is_wrong_usage(labelwright: Command, args: tuple[str, ...]):
    assert labelwright("actors", REPO, *args).status == 2


def test_without_a_cap_the_list_says_so(
    labelwright: Command, store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LABELWRIGHT_ACTOR_CAP", "0")
    assert "nobody is capped: LABELWRIGHT_ACTOR_CAP is 0" in labelwright("actors", REPO).out
    store.repositories.upsert(10, "octo/new")
    monkeypatch.delenv("LABELWRIGHT_ACTOR_CAP")
    shown = labelwright("actors", "octo/new").out
    assert shown.startswith("octo/new: nobody is known to have labeled\nnobody is capped: neither")
