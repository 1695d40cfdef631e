"""The configuration as it was read, and the editor for the next one."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from bot.repo_config import FILE, GroupRule, LabelRules, RepoConfig, Skip, parse, to_yaml
from tests.bot.console.world import PRIVATE, PUBLIC, Browser, Console

PAGE = f"/r/{PUBLIC}/configuration"
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).map(
    str.strip
)


def test_the_page_shows_what_is_in_force_and_what_was_wrong(
    console: Console, operator: Browser
) -> None:
    row = console.repository()
    console.store.repositories.set_config(row.id, {"mode": "apply"}, f"{PUBLIC} etag")
    console.store.repositories.set_config(row.id, None, f"{PUBLIC} new", ["line 3: <b>mood</b>"])
    page = operator.page(PAGE)
    assert "mode: apply" in page and "line 3: &lt;b&gt;mood&lt;/b&gt;" in page


def test_the_file_is_shown_as_github_has_it_with_its_errors_by_line(
    console: Console, operator: Browser
) -> None:
    console.github.control.put_file(PUBLIC, FILE, "version: 1\nmode: <script>\n")
    page = operator.page(f"{PAGE}/file")
    assert "mode: &lt;script&gt;" in page and 'class="wrong"' in page


def test_github_being_silent_is_said(console: Console, operator: Browser) -> None:
    console.github.control.fail("status", status=500, times=9, path="/contents/")
    assert "did not give the file" in operator.page(f"{PAGE}/file")


def test_a_wrong_text_is_refused_with_its_line(operator: Browser) -> None:
    page = operator.post(f"{PAGE}/check", {"text": "version: 1\nmodus: apply\n"}).text
    assert "line 2" in page and "new/HEAD" not in page


def test_a_valid_text_leads_to_githubs_page_filled_with_it(
    console: Console, operator: Browser
) -> None:
    text = "version: 1\nmode: apply\n"
    page = operator.post(f"{PAGE}/check", {"text": text}).text
    link = page.split('class="button primary" href="')[1].split('"')[0].replace("&amp;", "&")
    filled = parse_qs(urlsplit(link).query)
    assert link.startswith(f"{console.github.url}/{PUBLIC}/new/HEAD?")
    assert filled == {"filename": [FILE], "value": [text.strip() + "\n"]} or filled["value"] == [
        text
    ]


def test_a_text_too_long_for_a_link_is_to_be_copied(operator: Browser) -> None:
    names = "".join(f'    - "label number {i}"\n' for i in range(400))
    page = operator.post(f"{PAGE}/check", {"text": f"version: 1\nlabels:\n  deny:\n{names}"}).text
    assert "too long for a link" in page


def test_the_form_writes_the_file(operator: Browser) -> None:
    form = {"mode": "apply", "target_precision": "0.95", "deny": "wontfix\n*stale*\n"}
    page = operator.post(f"{PAGE}/write", form).text
    assert "mode: apply" in page and "target_precision: 0.95" in page and "wontfix" in page


def test_numbers_that_are_none_are_refused(operator: Browser) -> None:
    assert operator.post(f"{PAGE}/write", {"target_precision": "much"}).status_code == 400


def test_who_may_not_see_the_repository_sees_no_configuration(console: Console) -> None:
    console.role("stranger", "triage", PUBLIC)
    assert console.browser("stranger").get(f"/r/{PRIVATE}/configuration").status_code == 404


def test_reading_again_takes_triage(console: Console) -> None:
    console.role("reader", "read")
    console.role("member", "triage")
    assert console.browser("reader").post(f"{PAGE}/read-again").status_code == 403
    assert console.browser("member").post(f"{PAGE}/read-again").status_code == 303
    assert [job.kind for job in console.store.jobs.list("waiting")] == ["sync_config"]


@given(
    st.builds(
        RepoConfig,
        mode=st.sampled_from(["suggest", "apply", "off"]),
        target_precision=st.sampled_from([0.5, 0.9, 0.99]),
        labels=st.builds(LabelRules, allow=st.lists(NAMES.filter(bool), max_size=3).map(tuple)),
        groups=st.lists(
            st.builds(GroupRule, name=NAMES.filter(bool), match=NAMES.filter(bool)), max_size=2
        ).map(tuple),
        skip=st.builds(Skip, authors=st.lists(NAMES.filter(bool), max_size=2).map(tuple)),
        fallback=st.none() | NAMES.filter(bool),
        grace_seconds=st.integers(0, 3600),
    )
)
def test_what_is_written_is_read_as_the_same(config: RepoConfig) -> None:
    parsed = parse(to_yaml(config))
    assert parsed.config == config or parsed.problems
