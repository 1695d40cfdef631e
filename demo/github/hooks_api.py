"""Routes for an App's webhook: where it goes, what was delivered, sending it again.

https://docs.github.com/rest/apps/webhooks
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request

from . import webhooks
from .context import answer, number_of, the_app, the_object, the_state
from .errors import ApiError, not_found
from .model import App, Delivery

routes = Blueprint("hooks", __name__, url_prefix="/app/hook")
LISTED = (
    "id",
    "guid",
    "delivered_at",
    "redelivery",
    "duration",
    "status",
    "status_code",
    "event",
    "action",
    "installation_id",
    "repository_id",
)


@routes.get("/config")
def get_config() -> Response:
    """Where the App's webhook goes."""
    return answer(_config(the_app()))


@routes.patch("/config")
def set_config() -> Response:
    """Send the App's webhook somewhere else, or sign it with another secret."""
    app, body = the_app(), the_object()
    app.webhook_url = body.get("url", app.webhook_url)
    app.webhook_secret = body.get("secret", app.webhook_secret)
    return answer(_config(app))


def _config(app: App) -> dict[str, Any]:
    shown = {"content_type": "json", "insecure_ssl": "0", "url": app.webhook_url or ""}
    return shown | ({"secret": "********"} if app.webhook_secret else {})


@routes.get("/deliveries")
def list_deliveries() -> Response:
    """What was sent, newest first; `cursor` goes on where the last page ended."""
    mine = [d for d in reversed(the_state().deliveries) if d.app_id == the_app().id]
    mine = [d for d in mine if d.status != "pending" and _asked_for(d)]
    size, before = number_of("per_page", 30, most=100), request.args.get("cursor")
    if before is not None and not before.removeprefix("v1_").isdigit():
        raise ApiError(400, "Invalid cursor")
    if before is not None:
        mine = [d for d in mine if d.id < int(before.removeprefix("v1_"))]
    response = answer([listed(delivery) for delivery in mine[:size]])
    if len(mine) > size:
        address = f"{the_state().url}/app/hook/deliveries?per_page={size}"
        response.headers["Link"] = f'<{address}&cursor=v1_{mine[size - 1].id}>; rel="next"'
    return response


def _asked_for(delivery: Delivery) -> bool:
    status = request.args.get("status")
    return status is None or (status == "success") == (delivery.status == "OK")


def listed(delivery: Delivery) -> dict[str, Any]:
    """A delivery as lists show it."""
    return {name: getattr(delivery, name) for name in LISTED} | {"throttled_at": None}


@routes.get("/deliveries/<int:delivery_id>")
def get_delivery(delivery_id: int) -> Response:
    """One delivery, with request and response."""
    delivery = _delivery(delivery_id)
    body = {"headers": delivery.headers, "payload": json.loads(delivery.body)}
    got = {"headers": delivery.response_headers, "payload": delivery.response_body}
    return answer({**listed(delivery), "url": delivery.url, "request": body, "response": got})


@routes.post("/deliveries/<int:delivery_id>/attempts")
def redeliver(delivery_id: int) -> Response:
    """Send a delivery again, under the same guid."""
    webhooks.redeliver(the_state(), _delivery(delivery_id))
    return answer({}, 202)


def _delivery(delivery_id: int) -> Delivery:
    app = the_app()
    for delivery in the_state().deliveries:
        if (delivery.id, delivery.app_id) == (delivery_id, app.id):
            return delivery
    raise not_found()
