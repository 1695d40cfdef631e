"""Versions of a model: what each is, and who may put which in force."""

from __future__ import annotations

import pytest

from bot.version_facts import Change
from tests.bot.console.versions import add_version, refuse
from tests.bot.console.world import PRIVATE, PUBLIC, Browser, Console

AT = f"/r/{PUBLIC}/models"


@pytest.fixture
def maintainer(console: Console) -> Browser:
    console.role("may", "maintain")
    return console.browser("may")


def current(console: Console) -> str | None:
    return console.desk.registry.current(console.repository().id)


def test_without_a_version_the_page_says_how_one_comes(operator: Browser) -> None:
    page = operator.page(AT)
    assert "No version yet" in page and "Train now" in page


def test_each_version_stands_beside_the_one_before_with_sign_and_word(
    console: Console, operator: Browser
) -> None:
    first = add_version(console)
    second = add_version(console, micro_f1=0.53, macro_f1=0.35)
    page = operator.page(AT)
    assert page.index(f"{second}</a> <span") < page.index(f"{first}</a>")
    assert '<span class="ok">+0.030 <span class="word">better' in page
    assert '<span class="alarm">-0.050 <span class="word">worse' in page


@pytest.mark.parametrize(
    ("difference", "text"), [(0.0004, "±0.000"), (-0.0004, "±0.000"), (0.0123, "+0.012")]
)
def test_a_difference_that_is_not_shown_is_none(difference: float, text: str) -> None:
    assert Change.of(difference).text == text


def test_a_version_shows_what_it_is_made_of_and_why_the_gate_refused(
    console: Console, operator: Browser
) -> None:
    first, second = add_version(console), add_version(console, force=False)
    refuse(console, second, first)
    page = operator.page(f"{AT}/{second}")
    for wanted in ("04ed2f7549d6bcc6", "80% right, 90% wanted", "Beside 0001-", "it got worse"):
        assert wanted in page
    assert f"micro F1 0.500 against 0.600 of {first}" in page


def test_a_trial_is_told_with_how_many_issues_it_needs(console: Console, operator: Browser) -> None:
    first, second = add_version(console), add_version(console, force=False)
    console.store.trials.begin(console.repository().id, second, first, 1_780_000_000.0)
    assert "0 of 100 issues" in operator.page(AT)
    assert "0 new issues scored, 0 judged by people; 100 are needed" in operator.page(
        f"{AT}/{second}"
    )


def test_an_unknown_version_is_not_here(console: Console, operator: Browser) -> None:
    add_version(console)
    assert "There is no version 0009-abcdabcd" in operator.page(f"{AT}/0009-abcdabcd", 404)
    answer = operator.post(f"{AT}/0009-abcdabcd/publish", {"seen": current(console)})
    assert answer.status_code == 404
    assert operator.get(f"{AT}/..%2F..%2Fkeys").status_code == 404


def test_a_maintainer_publishes_a_refused_version(console: Console, maintainer: Browser) -> None:
    first, second = add_version(console), add_version(console, force=False)
    refuse(console, second, first)
    assert "The gate refused it" in maintainer.page(AT)
    answer = maintainer.post(f"{AT}/{second}/publish", {"seen": first})
    assert answer.status_code == 303
    assert current(console) == second
    assert console.store.jobs.is_pending("figures")


def test_what_was_published_meanwhile_is_not_undone_by_an_old_page(
    console: Console, maintainer: Browser
) -> None:
    first, second = add_version(console), add_version(console)
    third = add_version(console, force=False)
    assert maintainer.post(f"{AT}/{third}/publish", {"seen": first}).status_code == 409
    assert maintainer.post(f"{AT}/rollback", {"seen": first}).status_code == 409
    assert current(console) == second


def test_rolling_back_goes_to_the_version_before_and_not_twice(
    console: Console, maintainer: Browser
) -> None:
    first, second = add_version(console), add_version(console)
    assert maintainer.post(f"{AT}/rollback", {"seen": second}).status_code == 303
    assert current(console) == first
    assert maintainer.post(f"{AT}/rollback", {"seen": second}).status_code == 409
    answer = maintainer.post(f"{AT}/rollback", {"seen": first})
    assert answer.status_code == 400 and "no earlier version" in answer.text
    assert current(console) == first


def test_a_damaged_version_does_not_come_into_force(console: Console, maintainer: Browser) -> None:
    first, second = add_version(console), add_version(console, force=False)
    folder = console.desk.registry.path(console.repository().id, second)
    (folder / "terms.json").write_text("[]")
    assert maintainer.post(f"{AT}/{second}/publish", {"seen": first}).status_code == 400
    assert current(console) == first


def test_train_now_asks_the_worker_once(console: Console, maintainer: Browser) -> None:
    assert maintainer.post(f"{AT}/train").status_code == 303
    assert "A training was asked for" in maintainer.page(AT)
    maintainer.post(f"{AT}/train")
    assert "A training waits or is under way" in maintainer.page(AT)
    (job,) = console.store.jobs.list(kind="train")
    assert job.repository_id == console.repository().id and job.lane == "slow"


@pytest.mark.parametrize("role", ["triage", "write"])
def test_those_below_maintain_read_and_change_nothing(console: Console, role: str) -> None:
    first, second = add_version(console), add_version(console)
    console.role("reader", role)
    browser = console.browser("reader")
    assert "Train now" not in browser.page(AT) and "Roll back" not in browser.page(AT)
    for path in ("train", "rollback", f"{first}/publish"):
        assert browser.post(f"{AT}/{path}", {"seen": second}).status_code == 403
    assert current(console) == second and not console.store.jobs.list(kind="train")


def test_without_its_token_a_form_does_nothing(console: Console, maintainer: Browser) -> None:
    first, second = add_version(console), add_version(console)
    for path in ("train", "rollback", f"{first}/publish"):
        answer = maintainer.client.post(f"{AT}/{path}", data={"seen": second})
        assert answer.status_code == 400
    assert current(console) == second and not console.store.jobs.list(kind="train")


def test_a_stranger_learns_nothing_of_a_private_repository(console: Console) -> None:
    version = add_version(console, name=PRIVATE)
    stranger = console.browser("stranger")
    for path in ("", f"/{version}"):
        assert stranger.get(f"/r/{PRIVATE}/models{path}").status_code == 404
