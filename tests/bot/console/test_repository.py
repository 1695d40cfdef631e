"""The page of a repository: its labels, its mode, and what another target would mean."""

from __future__ import annotations

import json
import re

import pytest

from bot.store.live_days import LiveDay
from bot.store.rows import Label, LiveState
from tests.bot.console.planted import curves, keep, publish, replay
from tests.bot.console.world import HTML, NOW, PRIVATE, PUBLIC, Browser, Console

PAGE, MODE = f"/r/{PUBLIC}", f"/r/{PUBLIC}/mode"


def cells(page: str, label: str) -> str:
    """The text of a label's row in the table of labels."""
    table = page.split('<h2 id="labels">')[1].split("</table>")[0]
    [row] = [each for each in table.split("<tr>") if f"<bdi>{label}</bdi>" in each]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_each_label_says_what_is_done_with_it_and_why(console: Console, operator: Browser) -> None:
    publish(console)
    page = operator.page(PAGE)
    assert "applies 96 of 100 0.80" in cells(page, "bug")
    assert "90 % 70 % 31 learned from 90" in cells(page, "bug")
    assert "suggests too few examples" in cells(page, "docs")


def test_without_a_model_labels_are_suggested_by_their_names(operator: Browser) -> None:
    page = operator.page(PAGE)
    assert "suggests by its name and description" in cells(page, "bug")
    assert "none yet" in page


def test_the_configuration_leaves_a_label_out(console: Console, operator: Browser) -> None:
    publish(console)
    config = {"labels": {"deny": ["bug"]}}
    console.store.repositories.set_config(console.repository().id, config, None)
    assert "off labels.deny leaves it out: bug" in cells(operator.page(PAGE), "bug")


def test_live_precision_has_the_last_word(console: Console, operator: Browser) -> None:
    publish(console)
    row = console.repository()
    bug = console.store.labels.by_name(row.id, "bug")
    assert bug is not None
    state = LiveState(bug.id, "suggested only", None, "4 of the last 8 right", 8, 4, NOW)
    console.store.live.keep(row.id, [state], [])
    found = cells(operator.page(PAGE), "bug")
    assert "suggests live precision: 4 of the last 8 right" in found
    assert "50 % 4 of 8: 22 % to 78 %" in found


def test_a_damaged_version_is_told_and_the_page_stands(console: Console, operator: Browser) -> None:
    version = publish(console)
    folder = console.desk.registry.path(console.repository().id, version)
    (folder / "labels.json").write_text("{")
    assert "is damaged" in operator.page(PAGE)


def test_the_history_being_read_shows_how_far_it_is(console: Console, operator: Browser) -> None:
    told = {"started": "2026-05-01T00:00:00Z", "issues": 120, "total": 400}
    console.store.meta.set(f"backfill:{console.repository().id}", json.dumps(told))
    assert "120 of 400 issues" in operator.page(PAGE)


def test_the_errors_of_the_configuration_are_shown_as_text(
    console: Console, operator: Browser
) -> None:
    errors = ["line 3: unknown key `<script>alert(1)</script>`"]
    console.store.repositories.set_config(console.repository().id, None, None, errors)
    page = operator.page(PAGE)
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page


def test_names_of_an_attacker_are_shown_as_text(console: Console, operator: Browser) -> None:
    row = console.repository()
    name = "<script>alert(1)</script>\u202e\x1b[31m" + "x" * 10_000
    console.store.labels.upsert(Label(row.id, 999, name, color='"><script>'))
    keep(console, "curves", curves(confusion={"labels": [name], "counts": [[1]], "pairs": [
        {"true": name, "predicted": name, "count": 1, "share": None}]}))  # fmt: skip
    page = operator.page(PAGE)
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert "\u202e" not in page and "\x1b" not in page


def judged_well(console: Console) -> None:
    """People found 19 of 20 decisions about a label right; no night has passed since."""
    row = console.repository()
    bug = console.store.labels.by_name(row.id, "bug")
    assert bug is not None
    console.store.live.keep(row.id, [LiveState(bug.id, "as trained", 0.0, "", 20, 19, NOW)], [])


def test_what_people_judged_stands_with_its_interval(console: Console, operator: Browser) -> None:
    row = console.repository()
    assert "nobody has judged a label yet" in operator.page(PAGE)
    judged_well(console)
    before = operator.page(PAGE)
    assert "19 of 20, so 76 % to 99 %" in before and "nobody has judged" not in before
    coverage = '<span class="value">{}</span><span class="name">of what belongs was applied'
    assert coverage.format("–") in before, "what was missed is known after the first night"
    console.store.live_days.keep(LiveDay(row.id, "2026-05-20", None, 30, 20, 19, 2, 0))
    assert coverage.format("90 %") in operator.page(PAGE)


def test_the_same_figures_stand_on_the_first_page(console: Console, operator: Browser) -> None:
    row = console.repository()
    for number in (1, 2):
        console.open(number, "It crashes", "bug")
    console.store.issues.delete(row.id, 2)
    judged_well(console)
    counted = console.store.overview.counted([row.id])[row.id]
    assert (counted.issues, counted.precision, counted.coverage) == (1, 0.95, None)
    for path in ("/", PAGE):
        assert "95 %" in operator.page(path) and "100 %" not in operator.page(path)
    console.store.live_days.keep(LiveDay(row.id, "2026-05-20", None, 30, 20, 19, 2, 0))
    assert console.store.overview.counted([row.id])[row.id].coverage == 19 / 21


def test_applying_is_one_click_after_the_replay_report(console: Console, operator: Browser) -> None:
    page = operator.page(PAGE)
    assert 'value="apply"' not in page and f'href="{PAGE}/report"' in page
    keep(console, "replay", replay())
    page = operator.page(PAGE)
    assert "<strong>67 %</strong>" in page and 'value="apply"' in page
    assert operator.post(MODE, {"mode": "apply"}).status_code == 303
    assert console.repository().mode == "apply"


def test_nothing_is_applied_before_the_replay_report(console: Console, operator: Browser) -> None:
    assert operator.post(MODE, {"mode": "apply"}).status_code == 409
    keep(console, "replay", {"problem": "no model yet"})
    assert operator.post(MODE, {"mode": "apply"}).status_code == 409
    assert console.repository().mode is None


def test_a_repository_is_turned_off_and_handed_back_to_its_file(
    console: Console, operator: Browser
) -> None:
    operator.post(MODE, {"mode": "off"})
    assert console.repository().mode == "off"
    assert "the repository's file says <code>suggest</code>" in operator.page(PAGE)
    operator.post(MODE, {"mode": "file"})
    assert console.repository().mode is None


def test_a_mode_that_does_not_exist_is_refused(console: Console, operator: Browser) -> None:
    assert operator.post(MODE, {"mode": "everything"}).status_code == 400


@pytest.mark.parametrize("role", ["read", "triage", "write"])
def test_who_may_not_maintain_sees_and_cannot_switch(console: Console, role: str) -> None:
    console.role("reader", role)
    browser = console.browser("reader")
    assert f'action="{MODE}"' not in browser.page(PAGE)
    assert browser.post(MODE, {"mode": "off"}).status_code == 403
    assert console.repository().mode is None


def test_a_maintainer_switches(console: Console) -> None:
    console.role("keeper", "maintain")
    assert console.browser("keeper").post(MODE, {"mode": "off"}).status_code == 303
    assert console.repository().mode == "off"


@pytest.mark.parametrize("path", ["/mode", "/figures", "/report"])
def test_a_form_without_its_token_does_nothing(operator: Browser, path: str) -> None:
    answer = operator.client.post(PAGE + path, data={"mode": "off"}, headers=HTML)
    assert answer.status_code == 400 and "Nothing was done" in answer.text


@pytest.mark.parametrize("path", ["", "/issues", "/report"])
def test_what_one_may_not_know_of_is_not_here(console: Console, path: str) -> None:
    stranger = console.browser("stranger")
    hidden = stranger.page(f"/r/{PRIVATE}{path}", 404)
    assert "There is no repository acme/secret here that you may see" in hidden
    assert "There is no repository acme/none here" in stranger.page(f"/r/acme/none{path}", 404)


def test_a_target_is_chosen_without_a_script(console: Console, operator: Browser) -> None:
    keep(console, "curves", curves())
    page = operator.page(f"{PAGE}?target=0.75")
    assert '<option value="0.75" selected>' in page
    assert 'data-figure="precision">75 %' in page and 'data-figure="coverage">75 %' in page
    assert 'data-figure="labeled_a_month">35.0' in page
    assert "never: <bdi>it is sensitive</bdi>" in page


@pytest.mark.parametrize("target", ["", "nan", "inf", "-7", "<b>", "0.9"])
def test_any_target_gives_a_page(console: Console, operator: Browser, target: str) -> None:
    keep(console, "curves", curves())
    assert "selected>" in operator.page(f"{PAGE}?target={target}")


def test_the_curves_of_another_version_say_so(console: Console, operator: Browser) -> None:
    publish(console)
    keep(console, "curves", curves(), version="0000-00000000")
    assert "They are of version 0000-00000000" in operator.page(PAGE)


def test_labels_that_are_mixed_up_are_counted(console: Console, operator: Browser) -> None:
    keep(console, "curves", curves())
    text = " ".join(re.sub(r"<[^>]+>", " ", operator.page(PAGE)).split())
    assert "docs bug 7 25 %" in text


def test_figures_that_cannot_be_made_say_why(console: Console, operator: Browser) -> None:
    keep(console, "curves", {"problem": "Train a newer version: this one keeps no scores."})
    assert "this one keeps no scores" in operator.page(PAGE)


def test_figures_are_asked_for_by_triage(console: Console) -> None:
    publish(console)
    console.role("helper", "triage")
    helper = console.browser("helper")
    assert helper.post(f"{PAGE}/figures").status_code == 303
    page = helper.page(PAGE)
    assert "The figures are being worked out" in page and 'hx-trigger="every 3s"' in page


def test_a_reader_asks_for_nothing(console: Console) -> None:
    assert console.browser("reader").post(f"{PAGE}/figures").status_code == 403
    assert console.store.jobs.counts() == {}
