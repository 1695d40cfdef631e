import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import MAX_BODY_CHARACTERS, TEXT_VERSION, clean_body, headings, prepare

REPEATED = [
    *("\n", " ", "\t", "a", "é", "7", "_", "[", "]", "(", "!", "<", ">", "`", "~", "#", "*", "-"),
    *("\x00", "\u200b", "\u2028", "\xa0", "😀", "א", "日", '"', "=", "|", ".", "/"),
    *("\r", "\r\n", "\n ", "\n\t\n", "# ", "- [ ] ", "- [x", "\n- [ ]", "[a](", "![a](", "**a"),
    *("<a", "</a ", "<!--", "-->", "\n```", "\n~~~\n", "http://", "http://a/", "Error ", "aError"),
    *('  File "', "at a.", "\nat a.b (", "_No response_", "\n_No response_ ", "# a  ", "\n**a**: "),
]


def test_crlf_and_lf_give_the_same_text():
    body = "First line\n\n```\nx = 1\n```\n- [x] ticked\n# Heading\n"
    assert prepare("a", body) == prepare("a", body.replace("\n", "\r\n"))
    assert prepare("a", body).hash == prepare("a", body.replace("\n", "\r")).hash


def test_html_comments_of_templates_go():
    body = "before <!-- Please search\nfirst! --> after"
    assert clean_body(body) == "before after"


def test_unclosed_comment_keeps_what_a_person_may_have_written():
    assert "it crashes" in clean_body("hello <!-- it crashes")


def test_comment_inside_a_comment_ends_at_the_first_end():
    assert clean_body("a <!-- b <!-- c --> d") == "a d"


def test_error_line_survives_in_the_middle_of_a_long_block():
    log = [f"step {i} done" for i in range(200)]
    log[97] = "ValueError: could not read the index"
    cleaned = clean_body("```\n" + "\n".join(log) + "\n```")
    assert "ValueError: could not read the index" in cleaned
    assert len(cleaned.split("\n")) == 9


def test_last_three_of_many_error_lines_survive():
    log = [*"abcd", *(f"error number {i}" for i in range(50)), *"efgh"]
    cleaned = clean_body("~~~\n" + "\n".join(log) + "\n~~~").split("\n")
    assert cleaned == [*"abcd", "error number 47", "error number 48", "error number 49", *"efgh"]


def test_short_block_stays_whole():
    assert clean_body("```py\na = 1\nb = 2\n```") == "a = 1\nb = 2"


def test_unclosed_fence_is_a_block_up_to_the_end():
    body = "intro\n```\n" + "\n".join(f"line {i}" for i in range(100))
    assert len(clean_body(body).split("\n")) == 9


def test_inner_fence_of_another_kind_does_not_close_a_block():
    assert clean_body("~~~~\n```\n~~~\n~~~~\nend") == "```\n~~~\nend"


def test_run_of_stack_frames_outside_a_fence_is_cut_to_its_first():
    frames = "\n".join(f"    at app.main.Run{i} (main.js:{i})" for i in range(30))
    cleaned = clean_body(f"TypeError: x is null\n{frames}\nthen it stopped")
    assert cleaned.split("\n") == [
        "TypeError: x is null",
        "at app.main.Run0 (main.js:0)",
        "then it stopped",
    ]


def test_unticked_boxes_and_empty_answers_go_and_ticked_ones_stay():
    body = "- [ ] Windows\n- [x] Linux\n\n_No response_\n"
    assert clean_body(body) == "- Linux"


def test_links_and_images_become_their_words():
    assert clean_body("see [the docs](https://a.io/b) ![shot](https://c.io/d.png)") == (
        "see the docs shot"
    )


def test_bare_url_becomes_its_host_and_last_part():
    assert clean_body("https://www.example.org/a/b/page.html here") == "example.org page.html here"


def test_tags_go_and_their_text_stays():
    assert clean_body("<details><summary>Log</summary>\nall</details>") == "Log\nall"


def test_nul_zero_width_and_lone_surrogates_go():
    assert prepare("a\x00b\ud83d", "c\u200bd\udfff\x1b").full == "ab\ncd"


def test_null_title_and_body_give_an_empty_text():
    assert prepare(None, None).full == ""
    assert len(prepare(None, None).hash) == 32


def test_title_stays_on_one_line_and_is_bounded():
    assert prepare("a\r\n b\tc", None).title == "a b c"
    assert len(prepare("x" * 100_000, None).title) == 1000


@pytest.mark.parametrize(
    "text", ["😀🎉👩‍👩‍👧", "التطبيق لا يعمل", "האפליקציה קורסת", "\u202eabc\u202c"]
)
def test_emoji_and_right_to_left_text_stays(text: str):
    assert prepare(text, text).full == f"{text}\n{text}"


def test_longest_body_that_github_takes_is_cut_to_the_bound():
    assert len(clean_body("word " * 13_107 + "x")) == MAX_BODY_CHARACTERS


@pytest.mark.parametrize("piece", REPEATED, ids=ascii)
def test_a_megabyte_of_one_thing_takes_less_than_two_seconds(piece: str):
    text = "# x" + piece * (1_000_000 // len(piece)) + "y"
    started = time.process_time()
    prepare(text, text)
    headings(text)
    assert time.process_time() - started < 2


def test_hash_tells_title_from_body():
    assert prepare("a b", "").hash != prepare("a", "b").hash


def test_headings_are_the_mark_of_a_template():
    body = (
        "### Describe the bug ###\r\ntext\r\n**Version:**\n```\n# a comment\n```\n<!--\n# no\n-->"
    )
    assert headings(body) == ("describe the bug", "version")


def test_body_without_headings_has_none():
    assert headings(None) == headings("") == headings("#hashtag and **bold** words") == ()


@given(st.text(), st.text())
def test_any_text_is_taken_and_named_alike_each_time(title: str, body: str):
    text = prepare(title, body)
    assert text == prepare(title, body)
    assert text.hash == prepare(title, body).hash
    assert len(text.title) <= 1000
    assert len(text.body) <= MAX_BODY_CHARACTERS


@given(st.lists(st.sampled_from([*REPEATED, "word"]), max_size=60).map("".join))
def test_any_markdown_is_taken(body: str):
    text = prepare(body, body)
    text.full.encode()
    headings(body)
    assert "\r" not in text.full
    assert text.body == text.body.strip()


def test_hash_stays_the_same_until_the_rules_change():
    text = prepare("Crash on start", "It *crashes*.")
    assert (TEXT_VERSION, text.hash) == ("1", "e18e3f9d99cb8e76ca4b2b7827e78b0e")
