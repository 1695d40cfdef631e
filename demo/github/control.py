"""The other side of GitHub: people, set-up, faults and the log, by method or by HTTP.

`POST /_control/METHOD` with a JSON object of arguments calls the method of that name of `Control`
and answers its result; `GET /_control` lists the methods. Results are JSON in GitHub's shapes.
"""

from __future__ import annotations

import inspect

from flask import Blueprint, Response, current_app, request

from .context import answer
from .control_instruments import Instruments
from .control_people import People
from .control_setup import Setup
from .control_signin import SignIn
from .errors import ApiError

routes = Blueprint("control", __name__, url_prefix="/_control")


class Control(Setup, SignIn, People, Instruments):
    """Everything that a test or the demo can do to the stand-in besides calling its API."""

    def methods(self) -> list[str]:
        """The names of what can be called by HTTP."""
        members = inspect.getmembers(self, inspect.ismethod)
        return [name for name, _ in members if not name.startswith("_") and name != "methods"]


@routes.get("")
def list_methods() -> Response:
    """The methods with their signatures and first lines."""
    tools: Control = current_app.extensions["control"]
    shown = {}
    for name in tools.methods():
        method = getattr(tools, name)
        shown[name] = (
            f"{inspect.signature(method)}: {(inspect.getdoc(method) or '').splitlines()[0]}"
        )
    return answer(shown)


@routes.post("/<method>")
def call(method: str) -> Response:
    """Call one method with the arguments of the JSON body; wrong arguments answer 400."""
    tools: Control = current_app.extensions["control"]
    if method not in tools.methods():
        raise ApiError(404, f"No control method {method!r}; GET /_control lists them")
    arguments = request.get_json(silent=True) or {}
    try:
        inspect.signature(getattr(tools, method)).bind(**arguments)
        return answer(getattr(tools, method)(**arguments))
    except (TypeError, ValueError, LookupError) as error:
        raise ApiError(400, f"{type(error).__name__}: {error}") from error
