"""Nothing is believed before its signature is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.refusals import BadSignature
from bot.signature import sign, verify

SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def reason(body: bytes, signature: str | None, *secrets: str, sha1: str | None = None) -> str:
    with pytest.raises(BadSignature) as caught:
        verify(body, signature, secrets, sha1=sha1)
    assert caught.value.status == 401
    return caught.value.reason


def test_the_example_of_githubs_documentation_is_accepted() -> None:
    assert sign(SECRET, BODY) == SIGNATURE
    verify(BODY, SIGNATURE, [SECRET])


def test_the_previous_secret_is_accepted_while_it_is_being_changed() -> None:
    verify(BODY, SIGNATURE, ["the new one", SECRET])


def test_digits_may_be_upper_case() -> None:
    verify(BODY, "sha256=" + SIGNATURE.removeprefix("sha256=").upper(), [SECRET])


@pytest.mark.parametrize(
    ("signature", "sha1", "expected"),
    [
        (None, None, "signature_missing"),
        ("", None, "signature_missing"),
        (None, "sha1=" + "0" * 40, "signature_sha1_only"),
        (SIGNATURE[:-1], None, "signature_truncated"),
        ("sha256=", None, "signature_truncated"),
        (SIGNATURE + "0", None, "signature_wrong"),
        (SIGNATURE.removeprefix("sha256="), None, "signature_wrong"),
        ("sha1=" + "0" * 40, None, "signature_wrong"),
        ("sha256=" + "g" * 64, None, "signature_wrong"),
        ("sha256=" + "٣" * 64, None, "signature_wrong"),
        ("sha256=" + "0" * 64, None, "signature_wrong"),
    ],
)
def test_each_bad_signature_has_its_reason(
    signature: str | None, sha1: str | None, expected: str
) -> None:
    assert reason(BODY, signature, SECRET, sha1=sha1) == expected


def test_a_good_sha1_signature_does_not_help_a_wrong_sha256_one() -> None:
    assert reason(BODY, "sha256=" + "0" * 64, SECRET, sha1="sha1=abc") == "signature_wrong"


def test_without_a_secret_nothing_is_accepted() -> None:
    assert reason(BODY, sign("", BODY)) == "signature_wrong"
    assert reason(BODY, sign("", BODY), "", "") == "signature_wrong"


@given(body=st.binary(), secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_what_a_secret_signs_it_verifies(body: bytes, secret: str) -> None:
    verify(body, sign(secret, body), [secret])


@given(body=st.binary(), other=st.binary())
def test_a_signature_fits_one_body_only(body: bytes, other: bytes) -> None:
    if body != other:
        assert reason(other, sign(SECRET, body), SECRET) == "signature_wrong"


@given(signature=st.none() | st.text(), sha1=st.none() | st.text())
def test_any_header_is_refused_with_a_reason(signature: str | None, sha1: str | None) -> None:
    assert reason(BODY, signature, SECRET, sha1=sha1).startswith("signature_")
