"""Play: a platform played from samples, without a network: every call is kept, every reply was written down before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from hub.sdk import decode
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.encode import json_text, pairs
from hub.sdk.request import Answer
from hub.sdk.sample import SAMPLE_NOW, Ask, lies_in
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token


@dataclass(frozen=True, slots=True)
class Called:
    """A call as it went out. headers: names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.url).path}"


Respond = Callable[[Called, int], Answer | Exception]
"""The reply (or the failure of the line) to a call, given the number of calls before it."""


@dataclass
class Play(BaseAdapter):
    """A session, a clock and a token store for a Client, all of them played. slept: the seconds that it waited, one by one."""

    respond: Respond
    calls: list[Called] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def session(self) -> requests.Session:
        """A session whose calls come here."""
        session = requests.Session()
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, self)
        return session

    def client(self, connection: Connection, *, call_key: str | None = None, repeat: str = "never") -> Client:
        """A Client that calls into this play."""
        return Client(
            connection,
            session=self.session(),
            monotonic=lambda: sum(self.slept),
            sleep=self.slept.append,
            call_key=call_key,
            tokens=PlayedTokens(),
            repeat=repeat,
        )

    def send(self, request: requests.PreparedRequest, **said: Any) -> requests.Response:  # type: ignore[override]
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        called = Called(request.method or "", request.url or "", headers, body)
        answer = self.respond(called, len(self.calls))
        self.calls.append(called)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update({"Content-Type": answer.content_type or "text/plain", **answer.headers})
        response.raw = HTTPResponse(BytesIO(answer.body), preload_content=False)
        response.url, response.request = called.url, request
        return response

    def close(self) -> None:
        """There is nothing to close."""


@dataclass
class PlayedTokens:
    """A token store that always has one."""

    token: Token = field(default_factory=lambda: Token(Secret("played-access-7Qd2"), Secret("played-refresh-7Qd2")))

    def now(self) -> datetime:
        """The samples' time."""
        return SAMPLE_NOW

    def load(self, connection: str) -> Token | None:
        """The token that is kept, good for an hour."""
        return Token(self.token.access, self.token.refresh, SAMPLE_NOW + timedelta(hours=1), self.token.base_url)

    def save(self, connection: str, token: Token) -> None:
        """Keeps it."""
        self.token = token

    def asking(self, connection: str) -> None:
        """Nothing."""

    @contextmanager
    def lease(self, connection: str) -> Iterator[None]:
        """There is nobody to wait for."""
        yield


def one_by_one(replies: Sequence[Answer | Exception]) -> Respond:
    """The replies in order; a call too many is answered with 418, so that it shows."""
    surplus = Answer(418, b"no reply was written down for this call")
    return lambda called, before: replies[before] if before < len(replies) else surplus


def difference(asked: Ask, called: Called) -> str:
    """In what a call differs from what a sample says; empty when it does not."""
    url = urlsplit(called.url)
    path = f"{url.scheme}://{url.netloc}{url.path}" if asked.path.startswith("http") else url.path
    if (asked.method, unquote(asked.path)) != (called.method, unquote(path)):
        return f"asks {called.method} {path}, not {asked.method} {asked.path}"
    for what, expected, got in (
        ("query", asked.query, parse_qsl(url.query, keep_blank_values=True)),
        ("form", asked.form, decode.pairs(called.body) if asked.form is not None else []),
    ):
        if expected is not None and (missing := [pair for pair in pairs(expected) if pair not in got]):
            return f"the {what} lacks {missing}; it has {got}"
    if asked.json is not None:
        sent = decode.json_value(called.body)
        if not lies_in(decode.json_value(json_text(asked.json).encode()), sent):
            return f"sends {json_text(sent)}"
    for name, value in (asked.headers or {}).items():
        if called.headers.get(name.lower()) != value:
            return f"the header {name} is {called.headers.get(name.lower())!r}"
    return ""
