"""Fast: webhooks are answered in front of Flask, by the same intake as its route.

Flask's request machinery costs more than the signature, the disk and everything else of a delivery together.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from hub.web.hooks import PREFIX, Intake, response_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Front:
    """A WSGI application: deliveries go to the intake, all else to `app`."""

    def __init__(self, app: WSGIApplication, intake: Intake) -> None:
        self._app = app
        self._intake = intake

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._app(environ, start_response)
        status, headers, body = response_of(self._intake(environ), environ["REQUEST_METHOD"])
        start_response(_LINES.get(status, f"{status} Unknown"), headers)
        return [body]
