"""The control surface of a stand-in that runs in another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any


class RemoteControl:
    """Every method of `Control`, over HTTP: `RemoteControl(url).open_issue("o/n", title=...)`.

    Arguments are given by name, but for the first one or two of the methods that name a repository
    and a number. Raises RuntimeError with the stand-in's words when it refuses.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._signatures = json.loads(self._fetch("", None))

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)

        def call(*args: Any, **named: Any) -> Any:
            return json.loads(self._fetch(f"/{method}", {**self._named(method, args), **named}))

        return call

    def _named(self, method: str, args: tuple[Any, ...]) -> dict[str, Any]:
        inside = self._signatures.get(method, "(").split("(", 1)[1]
        names = [part.split(":")[0].strip() for part in inside.split(",")]
        return dict(zip(names, args, strict=False))

    def _fetch(self, path: str, arguments: dict[str, Any] | None) -> str:
        data = None if arguments is None else json.dumps(arguments).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_control{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(error.read().decode()) from None
