"""A program that uses the JSON interface: every answer is checked against the description."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.test import EnvironBuilder, TestResponse

from bot.console.api.description import description
from tests.bot.console.world import NOW, PUBLIC, Console

AT = f"/repositories/{PUBLIC}"
SECRET = "lw_a-token-of-the-tests"


@cache
def described() -> OpenAPI:
    return OpenAPI.from_dict(description())  # type: ignore[arg-type]


@dataclass
class Program:
    """A client with somebody's token, "operator" for the one who runs the server."""

    client: FlaskClient
    secret: str

    def ask(self, path: str, method: str = "GET", json: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"}
        answer = self.client.open(f"/api/v1{path}", method=method, json=json, headers=headers)
        conforms(answer, json)
        return answer

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.ask(path)
        assert answer.status_code == status, answer.text
        return answer.json

    def send(self, method: str, path: str, json: Any, status: int = 200) -> Any:
        answer = self.ask(path, method, json)
        assert answer.status_code == status, answer.text
        return answer.json


def conforms(answer: TestResponse, json: Any = None) -> None:
    """The answer is one that the description promises; so was the question, if it was taken."""
    sent = answer.request
    given = None if json is None else {"json": json}
    again = EnvironBuilder(
        path=sent.path,
        method=sent.method,
        query_string=sent.query_string.decode(),
        headers={k: v for k, v in sent.headers.items() if not k.startswith("Content-")},
        **(given or {}),
    )
    request = WerkzeugOpenAPIRequest(again.get_request())
    if answer.status_code < 400:
        described().validate_request(request)
    described().validate_response(request, WerkzeugOpenAPIResponse(answer))


def program(console: Console, login: str = "operator", *, days: float = 1.0) -> Program:
    """A program of somebody's."""
    number = 0 if login == "operator" else int(console.github.control.add_account(login)["id"])
    secret = f"{SECRET}-{login}"
    console.store.sessions.add_token(
        secret, person_id=number, login=login, name="tests", expires_at=NOW + days * 86_400
    )
    return Program(console.app.test_client(), secret)
