"""Problems: every error over HTTP is one JSON object that says what happened and what to do (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from hub.engine.door import TurnedAway
from hub.errors import HubError, Refused, Unavailable
from hub.sdk import Answer

_WHEN_REFUSED = (
    "Compare the secret of the connection with the platform's, and the address that the platform calls with the one that "
    "`hub connections` shows."
)


def problem(status: int, detail: str, hint: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """The answer for an error. detail: what happened; hint: what to do next."""
    said: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if hint:
        said["hint"] = hint
    return Answer(status, json.dumps(said, ensure_ascii=False).encode(), "application/problem+json", headers or {})


def of_error(error: HubError) -> Answer:
    """The answer for what the door said."""
    if isinstance(error, TurnedAway):
        return problem(error.status, str(error), error.hint, error.headers)
    if isinstance(error, Refused):
        return problem(401, str(error), _WHEN_REFUSED, {"WWW-Authenticate": "Signature"})
    if isinstance(error, Unavailable):
        return problem(503, str(error), headers={"Retry-After": str(error.retry_after_seconds)})
    return problem(500, "The hub could not do this; its log says why.", "Tell whoever runs the hub.")
