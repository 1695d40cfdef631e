"""Who sent this? Answered before anything of the body is parsed. Pure: bytes in, or a refusal.

Source: docs.github.com, "Validating webhook deliveries".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from bot.refusals import BadSignature

_PREFIX = "sha256="
_HEX_DIGITS = 64
_HEX = re.compile("[0-9a-fA-F]*")


def sign(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` for a body: "sha256=" and 64 hexadecimal digits."""
    return _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(
    body: bytes, signature: str | None, secrets: Sequence[str], *, sha1: str | None = None
) -> None:
    """Return if one of `secrets` signed `body`; raise BadSignature with the reason otherwise.

    `signature` and `sha1` are the headers `X-Hub-Signature-256` and `X-Hub-Signature`. `secrets`
    holds the current secret and, while it is being changed, the previous one; an empty one is
    passed over, and with none at all nothing is accepted. Every secret is always compared, in
    constant time.
    """
    given = _digest(signature, sha1)
    matches = [
        hmac.compare_digest(sign(secret, body), _PREFIX + given) for secret in secrets if secret
    ]
    if not matches:
        raise BadSignature("signature_wrong", "no webhook secret is set on this server")
    if not any(matches):
        raise BadSignature(
            "signature_wrong",
            "the signature does not match: set the same webhook secret in the App's settings "
            "and here",
        )


def _digest(signature: str | None, sha1: str | None) -> str:
    """The 64 digits of the header in lower case, or BadSignature for what is none."""
    if not signature:
        if sha1:
            raise BadSignature(
                "signature_sha1_only",
                "only the SHA-1 signature came: a proxy may have removed X-Hub-Signature-256",
            )
        raise BadSignature(
            "signature_missing",
            "no X-Hub-Signature-256 header: set a webhook secret in the App's settings",
        )
    digest = signature.removeprefix(_PREFIX)
    if digest == signature or not _HEX.fullmatch(digest) or len(digest) > _HEX_DIGITS:
        raise BadSignature("signature_wrong", "X-Hub-Signature-256 is not sha256=<64 digits>")
    if len(digest) < _HEX_DIGITS:
        raise BadSignature("signature_truncated", "X-Hub-Signature-256 is cut short")
    return digest.lower()
