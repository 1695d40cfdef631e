"""The web process: webhooks in, health and metrics out. It never imports torch.

All that it does with a delivery is to keep it: what follows is the worker's work.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from waitress.server import create_server
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from bot.beating import beating
from bot.connecting import connector
from bot.console import add_console
from bot.console.answering import crash, http_problem, wants_page
from bot.health import readiness
from bot.health_page import add_health
from bot.intake import receive
from bot.log import make_logger
from bot.metrics import CONTENT_TYPE, Metrics
from bot.refusals import Refusal, TooLarge
from bot.webhook_secrets import WebhookSecrets

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger
    from werkzeug.wrappers import Response as AnyResponse

    from bot.settings import Settings
    from bot.store import Store

Answer = tuple[Response, int]

MAX_BODY_BYTES = 25 * 1024 * 1024
"""GitHub sends no larger payload (docs.github.com, "Webhook events and payloads")."""
_SERVER_THREADS = 8
_SERVER_BODY_BYTES = 2 * MAX_BODY_BYTES


def create_app(
    settings: Settings,
    store: Store,
    *,
    now: Callable[[], float] = time.time,
    log: FilteringBoundLogger | None = None,
) -> Flask:
    """The web application. Raises SettingsError where webhooks are to come and no secret is set.

    `now` gives epoch seconds; `log` is made from the settings where it is None.
    """
    settings.require(webhook=settings.intake == "webhook")
    logger = log or make_logger(settings.log_level, settings.log_format, secrets=settings.secrets)
    app = Flask("bot", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    metrics = Metrics(settings, store, now=now)
    _add_webhook(app, settings, store, metrics, logger)
    _add_operations(app, settings, store, metrics, now)
    add_health(app, settings, store, now)
    add_console(app, settings, store, connect=connector(settings), log=logger, now=now)
    _answer_errors(app, metrics, logger)
    return app


def run_web(
    settings: Settings,
    store: Store,
    *,
    now: Callable[[], float] = time.time,
    log: FilteringBoundLogger | None = None,
    started: Callable[[str, int], None] | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; for a process's main thread. Requests under way are finished.

    `started` is told the host and the port, once it listens: port 0 in the settings takes a free
    one. Raises SettingsError, and OSError where the address is taken.
    """
    logger = log or make_logger(settings.log_level, settings.log_format, secrets=settings.secrets)
    app = create_app(settings, store, now=now, log=logger)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=_SERVER_THREADS,
        max_request_body_size=_SERVER_BODY_BYTES,
        clear_untrusted_proxy_headers=True,
        ident=None,
    )
    signal.signal(signal.SIGTERM, _stop)
    if started is not None:
        started(*_address(server))
    try:
        with beating(store, "web", logger):
            server.run()
    finally:
        server.close()
        store.close()


def _add_webhook(
    app: Flask, settings: Settings, store: Store, metrics: Metrics, log: FilteringBoundLogger
) -> None:
    secrets = WebhookSecrets(settings)

    @app.post("/webhook")
    def webhook() -> Answer:
        with metrics.seconds.time():
            receipt = receive(
                store,
                {name.lower(): value for name, value in request.headers},
                _body(),
                secrets=secrets.now(),
                allowed=settings.allowed_accounts,
            )
        metrics.deliveries.labels(receipt.event, receipt.action, receipt.result).inc()
        log.info(
            "delivery",
            guid=receipt.guid,
            event_name=receipt.event,
            action=receipt.action,
            result=receipt.result,
        )
        return jsonify(result=receipt.result, delivery=receipt.guid), 202


def _add_operations(
    app: Flask, settings: Settings, store: Store, metrics: Metrics, now: Callable[[], float]
) -> None:
    @app.get("/healthz")
    def healthz() -> Answer:
        return jsonify(status="ok"), 200

    @app.get("/readyz")
    def readyz() -> Answer:
        checks = readiness(store, settings.home, now=now)
        ready = all(check.ok for check in checks)
        found = {check.name: {"ok": check.ok, "message": check.message} for check in checks}
        return jsonify(ready=ready, checks=found), 200 if ready else 503

    @app.get("/metrics")
    def prometheus() -> Response:
        return Response(metrics.render(), content_type=CONTENT_TYPE)


def _answer_errors(app: Flask, metrics: Metrics, log: FilteringBoundLogger) -> None:
    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Answer:
        metrics.refused.labels(refusal.reason).inc()
        log.info("delivery refused", reason=refusal.reason, status=refusal.status)
        if refusal.status == HTTPStatus.ACCEPTED:
            return jsonify(result="ignored", reason=refusal.reason, message=str(refusal)), 202
        return jsonify(error=refusal.reason, message=str(refusal)), refusal.status

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Answer | AnyResponse:
        if wants_page() or request.path.startswith("/api/"):
            return http_problem(error)
        return jsonify(error=error.name, message=error.description), error.code or 500

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> AnyResponse:
        return crash(log, error)


def _body() -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        limit = MAX_BODY_BYTES // 2**20
        raise TooLarge(f"the body is over {limit} MB, and GitHub sends none so large") from None


def _address(server: object) -> tuple[str, int]:
    """Where a waitress server listens; the first address of one that listens on several."""
    several = getattr(server, "effective_listen", None)
    if several:
        host, port = several[0]
        return str(host), int(port)
    return str(getattr(server, "effective_host", "")), int(getattr(server, "effective_port", 0))


def _stop(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)
