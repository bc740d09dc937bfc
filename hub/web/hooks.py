"""Hooks: `/hooks/<connection>[/<token>]`, from the WSGI environment to the door and back. Never raises.

The Flask route and the callable in front of Flask (hub/web/fast.py) both call the one `Intake`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from hub import log
from hub.clock import Monotonic
from hub.engine.door import Door, Knock, TurnedAway
from hub.errors import HubError, Refused, Unavailable
from hub.sdk import Answer
from hub.web.problems import of_error, problem

PREFIX = "/hooks/"
Observe = Callable[[str, str, float], None]

_LOG = log.get(__name__)
_PATH = re.compile(r"/hooks/([^/]+)(?:/([^/]*))?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_NOT_IN_A_URL = re.compile(rb"[^\x21-\x7e]")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The servers lay the process's environment under the request's, so this one would be the machine's proxy setting.
_NOT_A_HEADER = "HTTP_PROXY"


class Intake:
    """Takes one request to the door. observe: told of each (connection, outcome, seconds); unknown connections have no name."""

    def __init__(self, door: Door, observe: Observe, monotonic: Monotonic) -> None:
        self._door = door
        self._observe = observe
        self._monotonic = monotonic

    def __call__(self, environ: Mapping[str, Any]) -> Answer:
        began = self._monotonic()
        name, outcome, answer = self._take(environ)
        self._observe(name, outcome, self._monotonic() - began)
        return answer

    def _take(self, environ: Mapping[str, Any]) -> tuple[str, str, Answer]:
        found = _PATH.fullmatch(_text(environ.get("PATH_INFO", "")))
        if found is None:
            return "", "unknown", problem(404, "A webhook address is /hooks/<connection> or /hooks/<connection>/<token>.")
        length = environ.get("CONTENT_LENGTH") or None
        if length is not None and not _LENGTH.fullmatch(length):
            return "", "cut_off", problem(400, "The Content-Length of the request is not a number.", "Send the delivery again.")
        name = found[1]
        try:
            received = self._door.receive(_knock_of(environ, name, found[2], length))
        except (TurnedAway, Refused, Unavailable) as error:
            outcome = _outcome_of(error)
            return "" if outcome == "unknown" else name, outcome, of_error(error)
        except Exception as error:  # noqa: BLE001 - the last fence: the sender gets an answer, the log gets the reason
            _LOG.exception("a delivery could not be taken", connection=name)
            return name, "failed", of_error(HubError(str(error)))
        return name, received.outcome, received.answer


def response_of(answer: Answer, method: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body as WSGI wants them."""
    headers = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
    for name, value in answer.headers.items():
        if _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value):
            headers.append((name, value))
        else:
            _LOG.error("a header that cannot be sent was left out of an answer", name=name)
    if answer.status in {204, 304}:
        return answer.status, headers, b""
    if answer.content_type:
        headers.append(("Content-Type", answer.content_type))
    headers.append(("Content-Length", str(len(answer.body))))
    return answer.status, headers, b"" if method == "HEAD" else answer.body


def _outcome_of(error: TurnedAway | Refused | Unavailable) -> str:
    if isinstance(error, TurnedAway):
        return error.outcome
    return "refused" if isinstance(error, Refused) else "unavailable"


def _knock_of(environ: Mapping[str, Any], name: str, token: str | None, length: str | None) -> Knock:
    ends_by_itself = bool(environ.get("wsgi.input_terminated"))
    return Knock(
        method=environ["REQUEST_METHOD"],
        connection=name,
        token=token,
        query=_query_of(environ),
        headers=_headers_of(environ),
        length=int(length) if length is not None else None if ends_by_itself else 0,
        read=environ["wsgi.input"].read,
    )


def _query_of(environ: Mapping[str, Any]) -> str:
    """The query byte for byte, since a signature may cover it; bytes that no URL may hold are percent-encoded."""
    raw = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
    return _NOT_IN_A_URL.sub(lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")


def _headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {name: value for key, value in environ.items() if (name := _header_name(key))}
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    return headers


@lru_cache(maxsize=1024)
def _header_name(key: str) -> str:
    """The header that this key of the environment stands for, in lower case; empty when it stands for none."""
    return key[5:].replace("_", "-").lower() if key.startswith("HTTP_") and key != _NOT_A_HEADER else ""


def _text(latin: str) -> str:
    """A path as WSGI hands it over (bytes that pretend to be Latin-1) as text."""
    return latin.encode("latin-1", "replace").decode("utf-8", "replace")
