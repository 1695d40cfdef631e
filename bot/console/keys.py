"""What the console keeps secret, in files of the home folder that only the server may read.

`console.key` signs cookies and encrypts people's tokens; `operator-token` lets whoever can read the
home folder in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

KEY, OPERATOR = "console.key", "operator-token"


class Keys:
    """The console's secrets; each is made when it is first needed."""

    def __init__(self, home: Path) -> None:
        self.signing = _kept(home / KEY)
        self._operator = _kept(home / OPERATOR)
        derived = hashlib.sha256(b"people's tokens " + self.signing.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def is_operator(self, token: str) -> bool:
        """Whether this is the operator's token."""
        return hmac.compare_digest(token.strip().encode(), self._operator.encode())

    def seal(self, token: str) -> bytes:
        """A person's token, for the store."""
        return self._fernet.encrypt(token.encode())

    def open(self, sealed: bytes) -> str | None:
        """The token again; None where another key sealed it."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None


def _kept(path: Path) -> str:
    """The secret in a file; a new one where there is none. Two processes agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # somebody else was first
        finally:
            aside.unlink()
    return path.read_text("ascii").strip()
