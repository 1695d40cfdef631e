"""Webhooks: who gets which event, with what payload, signed how."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from . import render, render_accounts
from .ids import node_id
from .model import Account, App, Delivery, Installation, Repository
from .state import State

ALWAYS_SENT = {"github_app_authorization", "installation", "installation_repositories", "ping"}
"""What every App gets and none may subscribe to."""


def signatures(secret: str, body: bytes) -> dict[str, str]:
    """The two signature headers of a body: SHA-256, and the old SHA-1 that GitHub still sends."""
    key = secret.encode()
    return {
        "X-Hub-Signature": f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}",
        "X-Hub-Signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}",
    }


def emit(
    state: State,
    event: str,
    action: str,
    repository: Repository,
    sender: Account,
    **parts: Any,
) -> None:
    """Tell every App that reaches the repository and subscribed; a suspended one hears nothing."""
    for installation in state.installations_of(repository):
        if installation.suspended_at is None and event in installation.events:
            emit_to(state, installation, event, action, sender, repository=repository, **parts)


def emit_to(
    state: State,
    installation: Installation,
    event: str,
    action: str,
    sender: Account,
    /,
    *,
    repository: Repository | None = None,
    **parts: Any,
) -> None:
    """Tell one installation. `parts` are the fields that this event has besides the usual ones."""
    payload: dict[str, Any] = {"action": action, **parts}
    if repository is not None:
        payload["repository"] = render.repository(state, repository)
        owner = state.accounts[repository.owner_id]
        payload |= _organization(state, owner)
    reference = {"id": installation.id, "node_id": installation_node_id(installation)}
    payload.setdefault("installation", reference)
    payload["sender"] = render_accounts.user(state, sender)
    app = state.apps[installation.app_id]
    ids = (installation.id, repository.id if repository else None)
    send(state, app, event, payload, installation_id=ids[0], repository_id=ids[1])


def installation_node_id(installation: Installation) -> str:
    """The installation's global id."""
    return node_id("IN", installation.app_id, installation.id)


def _organization(state: State, owner: Account) -> dict[str, Any]:
    return {"organization": organization(state, owner)} if owner.type == "Organization" else {}


def organization(state: State, account: Account) -> dict[str, Any]:
    """An organization as webhooks show it."""
    shown = render_accounts.user(state, account)
    kept = {key: shown[key] for key in ("login", "id", "node_id", "repos_url", "avatar_url")}
    api = f"{state.url}/orgs/{account.login}"
    return kept | {
        "url": api,
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "description": None,
    }


def ping(state: State, app: App) -> None:
    """Send the ping that GitHub sends when a webhook is set."""
    hook_id = app.id + 300_000_000
    hook = {
        "type": "App",
        "id": hook_id,
        "name": "web",
        "active": True,
        "events": app.events,
        "app_id": app.id,
        "config": {"content_type": "json", "insecure_ssl": "0", "url": app.webhook_url},
        "updated_at": app.created_at,
        "created_at": app.created_at,
        "deliveries_url": f"{state.url}/app/hook/deliveries",
    }
    payload = {"zen": "Keep it logically awesome.", "hook_id": hook_id, "hook": hook}
    send(state, app, "ping", payload)


def send(
    state: State,
    app: App,
    event: str,
    payload: dict[str, Any],
    *,
    installation_id: int | None = None,
    repository_id: int | None = None,
) -> None:
    """Sign a payload and queue its delivery; an App without a webhook gets none."""
    if not app.webhook_url:
        return
    body, guid = json.dumps(payload).encode(), state.guid()
    delivery = Delivery(
        id=state.next_id("delivery"),
        guid=guid,
        event=event,
        action=payload.get("action"),
        app_id=app.id,
        installation_id=installation_id,
        repository_id=repository_id,
        url=app.webhook_url,
        headers=headers(app, event, guid, body),
        body=body,
        delivered_at=state.timestamp(),
    )
    queue(state, delivery)


def headers(app: App, event: str, guid: str, body: bytes) -> dict[str, str]:
    """The request headers of a delivery; without a secret GitHub does not sign."""
    named = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": f"GitHub-Hookshot/{guid[:7]}",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(app.id + 300_000_000),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    return named | (signatures(app.webhook_secret, body) if app.webhook_secret else {})


def queue(state: State, delivery: Delivery) -> None:
    """Record a delivery and hand it to the sender, unless deliveries are being lost."""
    state.deliveries.append(delivery)
    if state.webhooks_lost:
        delivery.status, delivery.status_code = "failed to connect to host", 502
        return
    state.outbox.put(delivery)


def redeliver(state: State, delivery: Delivery) -> Delivery:
    """Queue a delivery again: the same guid and body, another id, to where the App listens now."""
    app = state.apps[delivery.app_id]
    again = Delivery(
        **{
            **{name: getattr(delivery, name) for name in Delivery.__dataclass_fields__},
            "id": state.next_id("delivery"),
            "url": app.webhook_url or delivery.url,
            "headers": headers(app, delivery.event, delivery.guid, delivery.body),
            "delivered_at": state.timestamp(),
            "redelivery": True,
            "status": "pending",
            "status_code": 0,
            "response_headers": {},
            "response_body": "",
        }
    )
    queue(state, again)
    return again
