"""Web: the Flask application. Every route states its policy, and every error is problem+json."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from hub import log
from hub.clock import Monotonic, monotonic
from hub.engine.door import Door
from hub.engine.vitals import Check, Snapshot
from hub.errors import Unavailable
from hub.sdk import Answer
from hub.web.callback import CALLBACK, page
from hub.web.fast import Front
from hub.web.gathering import Gathering
from hub.web.hooks import PREFIX, Intake, asked_by_wsgi, response_of
from hub.web.metrics import CONTENT_TYPE, Metrics
from hub.web.policy import policy, policy_of, refusal
from hub.web.problems import of_error, problem

_LOG = log.get(__name__)
_DOOR, _INTAKE = "hub_door", "hub_intake"
# All that the door has to say something about itself, so that its no is the same as in front of Flask.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app(
    door: Door,
    health: Callable[[], Sequence[Check]],
    snapshot: Callable[[], Snapshot],
    *,
    operator_token: str | None = None,
    steady: Monotonic = monotonic,
) -> Flask:
    """The application. health: what was found of the store, its migrations and the worker. snapshot: the databases' numbers.

    operator_token: what opens /metrics from another machine (see hub/web/policy.py).
    """
    app = Flask("hub.web", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    metrics = Metrics(snapshot)
    intake = Intake(door, metrics.observe, steady)
    app.extensions[_DOOR], app.extensions[_INTAKE] = door, intake

    @app.before_request
    def _guard() -> Response | None:
        if request.endpoint is None:
            return None  # no such route: Flask says so
        no = refusal(policy_of(app, request.endpoint), operator_token)
        return _sent(no) if no else None

    @app.route(f"{PREFIX}<path:rest>", methods=_METHODS, provide_automatic_options=False)
    @policy("signed")
    def hooks(rest: str) -> Response:
        return _sent(intake(asked_by_wsgi(request.environ)))

    @app.get("/healthz")
    @policy("public")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="ok")

    @app.get("/readyz")
    @policy("public")
    def readyz() -> ResponseReturnValue:
        return _readiness(health)

    @app.get(CALLBACK)
    @policy("public")
    def oauth_callback() -> Response:
        return page()

    @app.get("/metrics")
    @policy("operator")
    def metrics_text() -> Response:
        return Response(metrics.text(), content_type=CONTENT_TYPE)

    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Unavailable, lambda error: _sent(of_error(error)))
    app.register_error_handler(Exception, _on_error)
    return app


def front_of(app: Flask) -> Front:
    """The application with its webhooks answered in front of Flask, for one event loop."""
    door: Door = app.extensions[_DOOR]
    return Front(app, app.extensions[_INTAKE], Gathering(door.inbox), door.body_bytes_most)


def _readiness(health: Callable[[], Sequence[Check]]) -> ResponseReturnValue:
    """503 when something vital is missing. A worker that is behind or away is said, and no reason to refuse deliveries."""
    try:
        checks = health()
    except Unavailable as error:
        checks = [Check("store", ok=False, detail=str(error))]
    except Exception:  # noqa: BLE001 - whatever it is, the answer to "are you ready?" is no
        _LOG.exception("the state of the hub could not be read")
        checks = [Check("store", ok=False, detail="it does not answer")]
    ready = all(check.ok for check in checks if check.vital)
    said = {check.name: check.detail or ("ok" if check.ok else "not ok") for check in checks}
    return jsonify(status="ready" if ready else "not ready", checks=said), 200 if ready else 503


def _sent(answer: Answer) -> Response:
    status, headers, body = response_of(answer, request.method)
    response = Response(body, status, headers)
    if answer.content_type is None:
        response.headers.remove("Content-Type")
    return response


def _on_http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(status=error.code, headers=error.get_headers())
    kept = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    detail = {
        404: "There is nothing at this address.",
        405: f"This address does not take {request.method}.",
    }.get(error.code, error.description or "The request failed.")
    return _sent(problem(error.code, detail, headers=kept))


def _on_error(error: Exception) -> Response:
    _LOG.exception("a request failed", path=request.path, method=request.method)
    return _sent(problem(500, "The hub could not do this; its log says why.", "Tell whoever runs the hub."))
