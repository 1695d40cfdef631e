"""The job that labels one issue, against the stand-in for GitHub and a real store."""

from __future__ import annotations

import pytest

from tests.bot.tasks.label_world import stored
from tests.bot.world import LABELS, REPO, OneVersion, World


def test_an_issue_gets_its_labels_in_two_requests(world: World):
    world.context.bot  # noqa: B018 - asked once per App, not once per issue
    number = world.open("crash when I click the button")
    world.site.clear_log()
    job = world.work()
    assert job.result == "labelled: area/ui, bug"
    assert world.labels_on(number) == ["area/ui", "bug"]
    asked = [e for e in world.site.requests() if "access_tokens" not in e["path"]]
    assert [e["method"] for e in asked] == ["GET", "POST"]


def test_the_decision_is_kept_with_a_reason_for_every_label(world: World):
    number = world.open("crash")
    world.work()
    decision = world.store.decisions.latest(world.repository_id, number)
    assert decision is not None
    assert (decision.version, decision.mode, decision.trigger) == ("v1", "apply", "opened")
    assert {v["label"] for v in decision.verdicts} == {*LABELS, "defect"}
    assert all(v["reason"] for v in decision.verdicts)
    assert world.outcomes(number) == [("bug", "applied")]


def test_an_issue_that_nothing_fits_gets_nothing(world: World):
    number = world.open("hello")
    assert world.work().result == "nothing applied, nothing suggested"
    assert world.site.count("POST", "/labels$") == 0
    assert world.labels_on(number) == []


def test_in_mode_suggest_nothing_is_written(world: World):
    world.configure(mode="suggest")
    number = world.open("crash")
    assert world.work().result == "nothing applied; suggested: bug"
    assert world.labels_on(number) == []


def test_the_text_of_this_moment_counts(world: World):
    number = world.open("hello")
    world.store.issues.upsert(stored(world, number, title="crash"))
    world.site.edit_issue(REPO, number, title="typo in the readme")
    assert world.work().result == "labelled: docs"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("crash", None),
        ("\u200b", "crash"),
        ("\U0001f4a5" * 40, "crash"),
        ("\u202e\u0627\u0644\u062e\u0637\u0623 crash", ""),
        ("crash", "x " * 32_768),
        ("cra\0sh", "nul\0 crash"),
    ],
)
def test_any_text_is_read(world: World, title: str, body: str | None):
    number = world.open(title, body=body)
    assert world.work().result == "labelled: bug"
    assert world.labels_on(number) == ["bug"]


def test_a_repository_whose_labels_were_never_read_reads_them_first(world: World):
    number = world.open("crash")
    world.store.repositories.upsert(world.repository_id, REPO, False, world.installation_id)
    with world.store.transaction() as db:
        db.execute("UPDATE repositories SET labels_synced_at = NULL")
        db.execute("DELETE FROM labels")
    world.work()
    assert world.labels_on(number) == ["bug"]


def test_a_repository_without_labels_is_left_alone(world: World):
    world.open("crash")
    world.store.labels.sync(world.repository_id, [])
    assert world.work().result == "left alone: the repository has no labels"


def test_without_a_version_zero_shot_predicts(world: World):
    assert isinstance(world.context.registry, OneVersion)
    world.context.registry.version = None
    number = world.open("crash")
    world.work()
    assert world.labels_on(number) == ["bug"]


# The fallback label


def test_the_fallback_label_comes_and_goes_when_a_person_triages(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    assert world.work().result == "labelled: needs-triage"
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "triaged")
    assert world.work().result == "taken off: needs-triage (triaged: ada added docs)"
    assert world.labels_on(number) == ["docs"]
    assert world.outcomes(number) == [("needs-triage", "undone")]


def test_the_fallback_label_goes_when_a_better_one_comes(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    world.work()
    world.site.edit_issue(REPO, number, title="crash")
    world.ask(number, "edited")
    assert world.work().result == "labelled: bug; taken off: needs-triage"
    assert world.labels_on(number) == ["bug"]


def test_a_fallback_label_that_a_person_put_on_stays(world: World):
    world.configure(mode="apply", fallback="needs-triage")
    number = world.open("hello")
    world.site.label(REPO, number, "needs-triage", by="ada")
    world.work()
    world.site.label(REPO, number, "docs", by="ada")
    world.ask(number, "triaged")
    assert world.work().result == "nothing to do: we put no fallback label on this issue"
    assert world.labels_on(number) == ["docs", "needs-triage"]
