"""Hooks: `/hooks/<connection>[/<token>]`, from the HTTP request to the door and back. Never raises.

The Flask route and the application in front of Flask (hub/web/fast.py) both call the one `Intake`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hub import log
from hub.clock import Monotonic
from hub.engine.door import Door, Genuine, Knock, TurnedAway
from hub.errors import HubError, Refused, Unavailable
from hub.sdk import Answer
from hub.web.gathering import Gathering
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


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request for a webhook address, whose body may still be to read.

    path: as text; length: as the sender says it, None when it does not. headers: by name in lower case. query: as sent.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    length: str | None
    read: Callable[[int], bytes]

    def announced(self) -> int | None:
        """The length of the body; None when the sender does not say it, or what it says is no number."""
        return length_of(self.length)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request ended. connection: empty where there is none of that name."""

    connection: str
    outcome: str
    answer: Answer


class Intake:
    """Takes requests to the door. observe: told of each (connection, outcome, seconds); unknown connections have no name."""

    def __init__(self, door: Door, observe: Observe, monotonic: Monotonic) -> None:
        self._door = door
        self._observe = observe
        self._monotonic = monotonic

    def __call__(self, asked: Asked) -> Answer:
        """The answer, when the delivery is kept; waits in this thread."""
        began = self._monotonic()
        found = self._let_in(asked)
        return self._told(self._kept(found) if isinstance(found, Genuine) else found, began)

    async def soon(self, asked: Asked, gathering: Gathering) -> Answer:
        """The answer, when the delivery is kept; lets other requests go on meanwhile."""
        began = self._monotonic()
        found = self._let_in(asked)
        return self._told(await self._kept_soon(found, gathering) if isinstance(found, Genuine) else found, began)

    def _kept(self, genuine: Genuine) -> Ended:
        try:
            self._door.inbox.keep(genuine.delivery)
        except Exception as error:  # noqa: BLE001 - see _failed
            return _failed(genuine.connection.name, error)
        return self._thanks(genuine)

    async def _kept_soon(self, genuine: Genuine, gathering: Gathering) -> Ended:
        try:
            await gathering.keep(genuine.delivery)
        except Exception as error:  # noqa: BLE001 - see _failed
            return _failed(genuine.connection.name, error)
        return self._thanks(genuine)

    def _let_in(self, asked: Asked) -> Genuine | Ended:
        found = _PATH.fullmatch(asked.path)
        if found is None:
            return Ended(
                "", "unknown", problem(404, "A webhook address is /hooks/<connection> or /hooks/<connection>/<token>.")
            )
        name, announced = found[1], asked.announced()
        if asked.length is not None and announced is None:
            no = problem(400, "The Content-Length of the request is not a number.", "Send the delivery again.")
            return Ended("", "cut_off", no)
        try:
            let_in = self._door.let_in(Knock(asked.method, name, found[2], asked.query, asked.headers, announced, asked.read))
        except Exception as error:  # noqa: BLE001 - see _failed
            return _failed(name, error)
        return let_in if isinstance(let_in, Genuine) else Ended(name, let_in.outcome, let_in.answer)

    def _thanks(self, kept: Genuine) -> Ended:
        received = self._door.thanks(kept)
        return Ended(kept.connection.name, received.outcome, received.answer)

    def _told(self, ended: Ended, began: float) -> Answer:
        self._observe(ended.connection, ended.outcome, self._monotonic() - began)
        return ended.answer


def _failed(name: str, error: Exception) -> Ended:
    """The last fence: whatever went wrong, the sender gets an answer, and the log the reason."""
    if isinstance(error, TurnedAway | Refused | Unavailable):
        outcome = _outcome_of(error)
        return Ended("" if outcome == "unknown" else name, outcome, of_error(error))
    _LOG.exception("a delivery could not be taken", connection=name)
    return Ended(name, "failed", of_error(HubError(str(error))))


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


def asked_by_wsgi(environ: Mapping[str, Any]) -> Asked:
    """The request that a WSGI server hands over."""
    length = environ.get("CONTENT_LENGTH") or None
    if length is None and not environ.get("wsgi.input_terminated"):
        length = "0"  # who reads on would read the next request
    return Asked(
        method=environ["REQUEST_METHOD"],
        path=_text(environ.get("PATH_INFO", "")),
        query=in_a_url(environ.get("QUERY_STRING", "").encode("latin-1", "replace")),
        headers=_headers_of(environ),
        length=length,
        read=environ["wsgi.input"].read,
    )


def length_of(text: str | None) -> int | None:
    """The number that a Content-Length is: digits and nothing else."""
    return int(text) if text is not None and _LENGTH.fullmatch(text) else None


def in_a_url(raw: bytes) -> str:
    """A query byte for byte, since a signature may cover it; bytes that no URL may hold are percent-encoded."""
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
