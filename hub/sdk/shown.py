"""Shown: proofs that need no arithmetic, because the secret is shown as it is, or because there is none.

What is shown is taken out of a request before it is kept.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl

from hub.errors import Refused, Unreadable
from hub.sdk.proof import Proof, any_same, current, header_of, with_query
from hub.sdk.request import Request
from hub.sdk.settings import Settings, SettingsForm, setting


@dataclass(frozen=True, slots=True)
class Token(Proof):
    """A shared secret as it is: in a header, a query parameter, a form or JSON field, or as the last part of the path."""

    secret: str
    header: str = ""
    query: str = ""
    path: bool = False

    @property
    def shown(self) -> str:
        return f"token ({'header' if self.header else 'query' if self.query else 'path'})"

    @property
    def compares_with(self) -> tuple[str, ...]:
        return (self.secret,)

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        expected = current(settings, self.secret)
        if self.header:
            given, where = header_of(request, self.header), f"in the header {self.header}"
        elif self.query:
            given, where = self._asked(request), f"in the query parameter `{self.query}`"
        else:
            given, where = request.last_segment, "at the end of the path"
        if not any_same(given, expected):
            raise Refused(f"The secret token {where} is not the one that this connection expects.")

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        token = current(settings, self.secret)[0]
        if self.header:
            return request.with_headers({self.header: token})
        if self.query:
            return with_query(request, [*parse_qsl(request.query, keep_blank_values=True), (self.query, token)])
        base, mark, query = request.url.partition("?")
        return replace(request, path=f"{request.path}/{token}", url=f"{base}/{token}{mark}{query}")

    def examples(self, seed: str = "") -> Mapping[str, str]:
        return {self.secret: f"example-{self.secret.replace('_', '-')}-7Qd2{seed}"}

    def strip(self, request: Request) -> Request:
        if self.header:
            return _without(request, self.header)
        if self.query:
            kept = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] != self.query]
            return with_query(request, kept)
        if request.path.count("/") < 3:  # /hooks/name: no token stands there, for the proof was another one
            return request
        base, mark, query = request.url.partition("?")
        return replace(request, path=request.path.rpartition("/")[0], url=f"{base.rpartition('/')[0]}{mark}{query}")

    def _asked(self, request: Request) -> str:
        try:
            given = request.asked(self.query)
        except Unreadable as error:
            raise Refused(f"The query string cannot be read: {error}") from None
        if not given:
            raise Refused(f"The query parameter `{self.query}` with the secret token is missing.")
        return given


@dataclass(frozen=True, slots=True)
class Basic(Proof):
    """HTTP basic authentication, by two settings. is_fixed: the user name is this very text, and no setting."""

    username: str
    password: str
    is_fixed: bool = False

    @property
    def shown(self) -> str:
        return "basic"

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        scheme, _, coded = header_of(request, "Authorization").partition(" ")
        if scheme.lower() != "basic":
            raise Refused("The header Authorization is malformed: `Basic …` is expected.")
        try:
            name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise Refused("The header Authorization is malformed: what follows `Basic` is not base64 of text.") from None
        known = any_same(name, self._names(settings))
        right = any_same(password, current(settings, self.password))
        if not (colon and known and right):
            raise Refused("The user name or the password is not the one that this connection expects.")

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        pair = f"{self._names(settings)[0]}:{current(settings, self.password)[0]}"
        return request.with_headers({"authorization": "Basic " + base64.b64encode(pair.encode()).decode()})

    def examples(self, seed: str = "") -> Mapping[str, str]:
        named = {} if self.is_fixed else {self.username: "hub"}
        return {**named, self.password: f"example-password-7Qd2{seed}"}

    def _names(self, settings: Settings) -> tuple[str, ...]:
        return (self.username,) if self.is_fixed else _plain(settings, self.username)

    def strip(self, request: Request) -> Request:
        return _without(request, "authorization")


@dataclass(frozen=True, slots=True)
class Nothing(Proof):
    """No proof at all. Then the connection must say `accept_unsigned: true` in so many words."""

    because: str

    @property
    def shown(self) -> str:
        return "nothing, if accepted"

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        if not self.can_hold(settings):
            raise Refused(
                f"This platform does not sign what it sends ({self.because}), so anybody could send it. "
                "To take it all the same, write `accept_unsigned: true` into the connection."
            )

    def can_hold(self, settings: Settings) -> bool:
        return settings.get("accept_unsigned") is True

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        return request

    def examples(self, seed: str = "") -> Mapping[str, str]:
        return {}

    def settings(self) -> SettingsForm:
        return setting("accept_unsigned", f"take webhooks that nobody signed ({self.because})", bool, default=False)


def _plain(settings: Settings, name: str) -> tuple[str, ...]:
    value = settings.get(name)
    return (value,) if isinstance(value, str) and value else current(settings, name)


def _without(request: Request, header: str) -> Request:
    if request.header(header) is None:
        return request
    return replace(request, headers={name: value for name, value in request.headers.items() if name != header.lower()})
