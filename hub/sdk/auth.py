"""Auth: how we show a platform who we are, and OAuth 2 tokens that are renewed by one caller at a time."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from hub import log
from hub.errors import CallFailed
from hub.sdk.authorization import Authorization
from hub.sdk.connection import Connection
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token, TokenStore

RENEW_SECONDS_BEFORE = 120
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Post = Callable[[str, Mapping[str, str], Mapping[str, str]], Mapping[str, Any]]
"""Posts a form with headers to a token address and gives the JSON reply; CallFailed when it is refused."""


class Auth(ABC):
    """A way to show who we are. Ways combine: `a | b` is the first of both that the connection has the settings for."""

    @property
    def shown(self) -> str:
        """What people call it."""
        return type(self).__name__

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """The settings without which it shows nothing."""

    @abstractmethod
    def headers(self, connection: Connection) -> Mapping[str, str]:
        """Headers to add. CallFailed(reconnect) when a secret is not set."""

    def query(self, connection: Connection) -> Mapping[str, str]:
        """Query parameters to add."""
        return {}

    def chosen(self, connection: Connection) -> Auth:
        """The way that this connection uses."""
        return self

    def __or__(self, other: Auth) -> Auth:
        return Either(self, other)


@dataclass(frozen=True, slots=True)
class Either(Auth):
    """Two ways to show who we are, of which a connection uses the first that it has the settings for."""

    first: Auth
    second: Auth

    @property
    def shown(self) -> str:
        return f"{self.first.shown} or {self.second.shown}"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.first.needs

    def headers(self, connection: Connection) -> Mapping[str, str]:
        return self.chosen(connection).headers(connection)

    def query(self, connection: Connection) -> Mapping[str, str]:
        return self.chosen(connection).query(connection)

    def chosen(self, connection: Connection) -> Auth:
        ways = (self.first.chosen(connection), self.second.chosen(connection))
        return next((way for way in ways if all(map(connection.settings.get, way.needs))), ways[0])


def _need(connection: Connection, name: str) -> str:
    value = connection.settings.get(name)
    if isinstance(value, Secret):
        return value.reveal()
    if not value:
        raise CallFailed(f"The setting `{name}` of {connection.name} is not set, so it cannot be called.", "reconnect")
    return str(value)


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Header(Auth):
    """A secret in a header, after a prefix."""

    name: str
    secret: str
    prefix: str = ""

    @property
    def shown(self) -> str:
        return "bearer token" if (self.name, self.prefix) == ("Authorization", "Bearer ") else "key (header)"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.secret,)

    def headers(self, connection: Connection) -> Mapping[str, str]:
        return {self.name: self.prefix + _need(connection, self.secret)}


@dataclass(frozen=True, slots=True)
class Basic(Auth):
    """HTTP basic authentication. username, password: settings; suffix: what the platform wants after the name (`/token`).

    fixed: the password that everybody has, where the name is the secret.
    """

    username: str
    password: str = ""
    suffix: str = ""
    fixed: str = ""

    @property
    def shown(self) -> str:
        return "basic"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.username, self.password) if self.password else (self.username,)

    def headers(self, connection: Connection) -> Mapping[str, str]:
        user = _need(connection, self.username) + self.suffix
        return {"Authorization": _basic(user, _need(connection, self.password) if self.password else self.fixed)}


@dataclass(frozen=True, slots=True)
class Query(Auth):
    """A secret in a query parameter; it is struck out of every message."""

    name: str
    secret: str

    @property
    def shown(self) -> str:
        return "key (query)"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.secret,)

    def headers(self, connection: Connection) -> Mapping[str, str]:
        return {}

    def query(self, connection: Connection) -> Mapping[str, str]:
        return {self.name: _need(connection, self.secret)}


@dataclass(frozen=True, slots=True)
class OAuth2(Auth):
    """OAuth 2, by authorisation code, by client credentials, or by an assertion that we sign (RFC 7523).

    token: the token address (settings may stand in it and in scopes). grant: `authorization_code` or `client_credentials`, or
    the setting that says which (`{grant}`). client: `body` or `basic`, how it wants our credentials. base: the field of its
    reply with this account's API address. header, prefix: where the token stands, and after what. assertion: makes the signed
    assertion of a connection at a moment; then no person has to agree, and no other credentials are sent. pkce: whether the
    platform checks that who asks for the token is who asked for the code (RFC 7636). more: what it wants to be told when a
    person is asked; with_code: what it wants beside the code that they bring back.
    """

    token: str
    authorize: str = ""
    scopes: str = ""
    grant: str = "authorization_code"
    client: Literal["body", "basic"] = "body"
    client_id: str = "client_id"
    client_secret: str = "client_secret"  # noqa: S105  # the name of a setting
    base: str = ""
    header: str = "Authorization"
    prefix: str = "Bearer "
    assertion: Callable[[Connection, datetime], str] | None = None
    pkce: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    with_code: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        return "OAuth 2 (assertion)" if self.assertion else "OAuth 2"

    @property
    def needs(self) -> tuple[str, ...]:
        return () if self.assertion else (self.client_id, self.client_secret)

    def headers(self, connection: Connection) -> Mapping[str, str]:
        raise CallFailed(f"{connection.name} has no token store, so OAuth cannot be used here.", "reconnect")

    def bearer(self, token: Token) -> Mapping[str, str]:
        """The header with a token."""
        return {self.header: self.prefix + token.access.reveal()}

    def asks_a_person(self, connection: Connection) -> bool:
        """True when somebody has to agree first."""
        return bool(self.authorize) and self.assertion is None and connection.fill(self.grant) == "authorization_code"

    def authorize_url(self, connection: Connection, authorization: Authorization) -> str:
        """Where a person agrees that we may use the account."""
        asked = {
            "response_type": "code",
            "client_id": _need(connection, self.client_id),
            "redirect_uri": authorization.redirect_uri,
            "state": authorization.state,
            **({"code_challenge": authorization.challenge, "code_challenge_method": "S256"} if self.pkce else {}),
            **({"scope": connection.fill(self.scopes)} if self.scopes else {}),
            **self.more,
        }
        return f"{connection.fill(self.authorize)}?{urlencode(asked)}"

    def exchange(self, connection: Connection, code: str, asked: Authorization, now: datetime, post: Post) -> Token:
        """The first token, for the code that the person brought back."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked.redirect_uri, **self.with_code}
        if self.pkce:
            form["code_verifier"] = asked.verifier
        return self._asked(connection, form, now, post, None)

    def current(self, connection: Connection, store: TokenStore, post: Post, *, rejected: Token | None = None) -> Token:
        """A token that is good now; renewed by one caller while the others wait. rejected: one that was refused just now.

        CallFailed(reconnect) when a person must authorise again.
        """
        if token := _good(store.load(connection.name), store.now(), rejected):
            return token
        with store.lease(connection.name):
            old = store.load(connection.name)
            if token := _good(old, store.now(), rejected):
                return token
            try:
                renewed = self._renewed(connection, old, store, post)
            except CallFailed as error:
                # A lease can be lost with its connection: then another process may have been faster, and was answered.
                if token := _good(store.load(connection.name), store.now(), old):
                    return token
                raise _with_doubt(error, old) from None
            store.save(connection.name, renewed)  # before it is used: the one before may be worthless by now
            return renewed

    def _renewed(self, connection: Connection, token: Token | None, store: TokenStore, post: Post) -> Token:
        now = store.now()
        if self.assertion is not None:
            form = {"grant_type": JWT_BEARER, "assertion": self.assertion(connection, now)}
            return self._asked(connection, form, now, post, token)
        if connection.fill(self.grant) == "client_credentials":
            form = {"grant_type": "client_credentials", **({"scope": connection.fill(self.scopes)} if self.scopes else {})}
            return self._asked(connection, form, now, post, token)
        if token is None or token.refresh is None:
            how = f"`hub connections authorize {connection.name}` connects it"
            raise CallFailed(f"{connection.name} is not authorised (any more); {how}.", "reconnect")
        store.asking(connection.name)
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh.reveal()}
        return self._asked(connection, form, now, post, token)

    def _asked(self, connection: Connection, form: dict[str, str], now: datetime, post: Post, old: Token | None) -> Token:
        headers: dict[str, str] = {}
        if self.assertion is None:
            name, secret = _need(connection, self.client_id), _need(connection, self.client_secret)
            if self.client == "basic":
                headers["Authorization"] = _basic(name, secret)
            else:
                form |= {"client_id": name, "client_secret": secret}
        reply = post(connection.fill(self.token), form, headers)
        access = reply.get("access_token")
        if not isinstance(access, str) or not access:
            # Some platforms refuse with 200.
            said = reply.get("error_description") or reply.get("error")
            why = f" ({said})" if isinstance(said, str) and said else ""
            raise CallFailed(f"{connection.name} gave no access token{why}. Connect it again.", "reconnect")
        # A refresh token that is not repeated stays the same (RFC 6749, section 6).
        refresh = reply.get("refresh_token")
        for given in (access, refresh):
            if isinstance(given, str):
                log.redact.add_passing(connection.name, given)
        kept = Secret(refresh) if isinstance(refresh, str) and refresh else (old.refresh if old else None)
        base = reply.get(self.base) if self.base else None
        base = base if isinstance(base, str) and base.startswith("https://") else (old.base_url if old else None)
        return Token(Secret(access), kept, _expiry(reply, now), base)


def _with_doubt(error: CallFailed, old: Token | None) -> CallFailed:
    """The failure; when an answer was lost before, it says that this may be why."""
    if error.verdict != "reconnect" or old is None or old.asked_at is None:
        return error
    lost = f"A new token was asked for at {old.asked_at:%Y-%m-%d %H:%M} UTC, and the answer did not arrive; that may be why."
    return CallFailed(f"{error} {lost}", "reconnect")


def _good(token: Token | None, now: datetime, rejected: Token | None) -> Token | None:
    if token is None or (rejected is not None and token.access.reveal() == rejected.access.reveal()):
        return None
    fresh = token.expires_at is None or token.expires_at - now > timedelta(seconds=RENEW_SECONDS_BEFORE)
    return token if fresh else None


def _expiry(reply: Mapping[str, Any], now: datetime) -> datetime | None:
    told = reply.get("expires_in")
    if isinstance(told, str) and told.isdecimal():
        told = int(told)
    if isinstance(told, int) and not isinstance(told, bool) and 0 < told < 10**9:
        return now + timedelta(seconds=told)
    try:
        at = datetime.fromisoformat(str(reply.get("expires_at")))
    except ValueError:
        return None
    return at if at.tzinfo else None


def bearer(secret: str) -> Header:
    """`Authorization: Bearer <secret>`."""
    return Header("Authorization", secret, "Bearer ")


def basic(username: str, password: str = "", *, suffix: str = "", fixed: str = "") -> Basic:
    """HTTP basic authentication, by the names of two settings; or of one, where the password says nothing (`fixed="X"`)."""
    return Basic(username, password, suffix, fixed)


def header(name: str, secret: str, *, prefix: str = "") -> Header:
    """A secret in a header."""
    return Header(name, secret, prefix)


def query(name: str, secret: str) -> Query:
    """A secret in a query parameter."""
    return Query(name, secret)


def oauth2(token: str, **said: Any) -> OAuth2:
    """OAuth 2; see `OAuth2` for what may be said."""
    return OAuth2(token, **said)
