"""Every reason why a delivery is not taken in. `status` and `reason` are the answer's own words.

`reason` is a short constant (it becomes a metric's label); the message says what to do next.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from bot.errors import BotError

SignatureFault = Literal[
    "signature_missing", "signature_sha1_only", "signature_truncated", "signature_wrong"
]


class Refusal(BotError):
    """Base: the delivery is not accepted. A subclass means a different answer over HTTP."""

    status: ClassVar[int] = 400
    reason: str = "bad_request"


class BadSignature(Refusal):
    """The sender did not prove that it is GitHub; nothing of the body was looked at."""

    status = 401

    def __init__(self, fault: SignatureFault, message: str) -> None:
        super().__init__(message)
        self.reason = fault


class TooLarge(Refusal):
    """The body is over the limit, which is GitHub's own."""

    status = 413
    reason = "too_large"


class WrongContentType(Refusal):
    """The body is not declared as JSON."""

    status = 415
    reason = "wrong_content_type"


class MissingHeader(Refusal):
    """A header that GitHub always sends is not there."""

    reason = "missing_header"


class NotJson(Refusal):
    """The body is not a JSON object in UTF-8."""

    reason = "not_json"


class MissingField(Refusal):
    """The payload lacks the ids that say what it is about."""

    reason = "missing_field"


class AccountNotAllowed(Refusal):
    """The App's operator does not serve this account."""

    status = 403
    reason = "account_not_allowed"


class Forgotten(Refusal):
    """It is about an issue that is gone here and shall not come back: its text is not kept."""

    status = 202
    reason = "forgotten"


class UnknownEvent(Refusal):
    """No feature listens to this event: it is thanked for and dropped."""

    status = 202
    reason = "unknown_event"
