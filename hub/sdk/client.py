"""Client: how a connector calls its platform: address, auth, time-outs, careful retries, and errors by verdict."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import requests
from pydantic import BaseModel, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception

from hub import log
from hub.errors import CallFailed, Unreadable, Verdict
from hub.sdk import encode
from hub.sdk.auth import OAuth2
from hub.sdk.authorization import Authorization
from hub.sdk.connection import Connection
from hub.sdk.envelope import Source
from hub.sdk.failures import Failure, Reply, failed, judge
from hub.sdk.network import not_sent
from hub.sdk.pages import Paging, turn
from hub.sdk.parameters import findings
from hub.sdk.tokens import Token, TokenStore

Model = TypeVar("Model", bound=BaseModel)

ATTEMPTS_MOST = 3
PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MOST = 20.0
REPEAT_SECONDS_MOST = 20.0
CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
REPLY_BYTES_MOST = 16 * 1024 * 1024
REDIRECTS_MOST = 3

_ABSENT = frozenset({404, 410})

# One key for each call of a step, made of the step's own: the same on every attempt, in the form that all platforms take.
_KEYS = uuid.UUID("6f9c2f0e-2f2b-5d0a-9f4a-3f1c6f5c8f5b")


class Client:
    """Calls one connection's platform.

    session: from `network.open_session`. call_key: the unique text of the step that calls; makes the idempotency keys. repeat:
    what may be repeated besides reading, as the action declares it. tokens: where OAuth tokens are kept.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        session: requests.Session,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        call_key: str | None = None,
        tokens: TokenStore | None = None,
        repeat: str = "never",
    ) -> None:
        self.connection = connection
        self._session = session
        self._monotonic = monotonic
        self._sleep = sleep
        self._call_key = call_key
        self._tokens = tokens
        self._repeat = repeat
        self._calls: Counter[str] = Counter()
        self._token: Token | None = None

    def get(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Reads; see `call` for what may be said. Gives the decoded JSON, or a model of it."""
        return self._decoded("GET", path, into, said)

    def find(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Reads what may not be there; None where the platform says that there is no such thing (404, 410)."""
        try:
            return self.get(path, into=into, **said)
        except CallFailed as failure:
            if failure.status in _ABSENT:
                return None
            raise

    def post(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Creates or does something."""
        return self._decoded("POST", path, into, said)

    def put(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Replaces something."""
        return self._decoded("PUT", path, into, said)

    def patch(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Changes something in part."""
        return self._decoded("PATCH", path, into, said)

    def delete(self, path: str, *, into: type[Model] | None = None, **said: Any) -> Any:
        """Removes something."""
        return self._decoded("DELETE", path, into, said)

    def pages(self, path: str, *, items: str, next: Paging, method: str = "GET", **said: Any) -> Iterator[Any]:  # noqa: A002
        """The items under the dotted path `items` of every page, bounded; CallFailed when a page comes again."""
        return turn(lambda where, more: self.call(method, where, safe=True, **more), path, items, next, said)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        form: Any = None,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
        at: Mapping[str, Any] | None = None,
        safe: bool | None = None,
        bare: bool = False,
    ) -> Reply:
        """One call, repeated only where that does no harm.

        path: from the platform's base address, or a whole URL of a host that the connector names; `{setting}` stands for a
        setting, `{name}` for a value of `at`, quoted. json, form, query: mappings (form and query also pairs); None is left
        out. safe: True when this call only reads, though its method does not say so; False when it is never repeated as it is,
        though the action may be done again as a whole, because it looks first. bare: without showing who we are, where the
        address itself is the secret. CallFailed when the platform does not do it.
        """
        reads = bool(safe) or method in {"GET", "HEAD"}
        key = self._key_of_call(f"{method} {path} {dict(at or {})}") if not reads and self._repeat == "keyed" else None
        again = reads or (safe is None and (self._repeat == "safe" or key is not None))
        sent = dict(headers or {})
        idempotency = self.connection.connector.idempotency
        if key and isinstance(idempotency, Source):
            if idempotency.place == "header":
                sent.setdefault(idempotency.path, key)
            elif idempotency.place == "query":
                query = [*encode.pairs(query or ()), (idempotency.path, key)]
            else:
                json = encode.laid_in(json, idempotency.path, key)
        url, asked = self._url(path, at or {})
        body = encode.json_text(json).encode() if json is not None else encode.form_body(form) if form is not None else None
        if body is not None:
            as_json = self.connection.connector.headers.get("Content-Type", "application/json")
            sent.setdefault("Content-Type", as_json if json is not None else "application/x-www-form-urlencoded")
        request = {"method": method, "url": url, "params": encode.pairs(query or ()), "data": body, "headers": sent}
        try:
            return self._retrying(lambda: self._judged(request, f"{method} {asked}", again, bare))
        except CallFailed as error:  # its words are the platform's, or of an address
            wait, status = error.retry_after_seconds, error.status
            raise CallFailed(self.struck(str(error)), error.verdict, retry_after_seconds=wait, status=status) from None

    def exchange(self, code: str, authorization: Authorization, now: datetime) -> Token:
        """The first token of a connection that a person has authorised."""
        auth = self.connection.auth
        if not isinstance(auth, OAuth2):
            raise CallFailed(f"{self.connection.connector.title} takes no OAuth tokens.", "lasting")
        return auth.exchange(self.connection, code, authorization, now, self._post_token)

    def alone(self, what: str) -> AbstractContextManager[None]:
        """Held by one call of this connection at a time, for reading first and writing then what depends on it."""
        return self._tokens.lease(f"{self.connection.name}/{what}") if self._tokens is not None else nullcontext()

    def now(self) -> datetime:
        """The hub's time, for what a platform is told of it: until when it shall call us, for instance."""
        if self._tokens is None:
            raise CallFailed(f"{self.connection.name} was given no clock, so it cannot be used here.", "lasting")
        return self._tokens.now()

    def struck(self, text: str) -> str:
        """A text of the platform's without our secrets, where it is kept as it came: a platform may say again what it heard."""
        tokens = (self._token.access, self._token.refresh) if self._token is not None else ()
        known = [*self.connection.settings.secrets(), *(secret.reveal() for secret in tokens if secret)]
        return log.strike(text, known)

    def _decoded(self, method: str, path: str, into: type[Model] | None, said: Mapping[str, Any]) -> Any:
        reply = self.call(method, path, **said)
        # It answered 2xx, so it was done; asking again would do it twice. What was only read and is no JSON was cut off, or is
        # the page of something in between.
        reads = method == "GET" or bool(said.get("safe"))
        verdict: Verdict
        try:
            value = reply.json()
            return value if into is None else into.model_validate(value)
        except ValidationError as error:
            problem, verdict = findings(error), "lasting" if reads else "uncertain"
        except Unreadable as error:
            problem, verdict = str(error), "passing" if reads else "uncertain"
        title = self.connection.connector.title
        raise CallFailed(f"{title} answered {reply.status}, but not in the form that we know: {problem}", verdict)

    def _key_of_call(self, call: str) -> str | None:
        if self._call_key is None:
            return None
        # By what is called, not by how many calls came before: another attempt may find that some are not needed any more.
        self._calls[call] += 1
        return str(uuid.uuid5(_KEYS, f"{self._call_key}:{call}:{self._calls[call]}"))

    def _url(self, path: str, at: Mapping[str, Any]) -> tuple[str, str]:
        """The whole URL, and its path for messages."""
        for name, value in at.items():
            text = str(value)
            if text in {"", ".", ".."}:
                raise CallFailed(f"The value {text!r} of `{name}` cannot be part of the address {path}.", "lasting")
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
        path = self.connection.fill(path)
        known = self.connection.addresses()
        base = self.connection.base_url or self._account_base() or (known[0] if known else "")
        if re.match(r"https?://", path):
            origin = _origin(path)
            if origin not in map(_origin, [*known, base]):
                title = self.connection.connector.title
                raise CallFailed(f"{origin} is not an address of {title}; it is not called.", "lasting")
            path = path[len(origin) :] if self.connection.base_url or origin == _origin(base) else path
            base = _origin(base) if not path.startswith("http") else ""
        if re.search(r"[\s#\\]|/\.\.?(/|$)", path) or not re.match(r"/|https?://", path):
            raise CallFailed(f"{path!r} is not a path that can be called.", "lasting")
        if not base and path.startswith("/"):
            raise CallFailed(f"{self.connection.name} has no address to call; set `base_url`.", "lasting")
        url = base.rstrip("/") + path
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise CallFailed(f"The address of {self.connection.name} must be https://host or http://host.", "lasting")
        return url, parts.path

    def _account_base(self) -> str | None:
        auth = self.connection.auth
        if not (isinstance(auth, OAuth2) and auth.base and self._tokens):
            return None
        self._token = self._token or auth.current(self.connection, self._tokens, self._post_token)
        return self._token.base_url

    def _retrying(self, once: Callable[[], Reply]) -> Reply:
        until = self._monotonic() + REPEAT_SECONDS_MOST
        retrying = Retrying(
            # Quick repeats are quick: whoever lets us wait is asked again by the outbox.
            stop=lambda state: state.attempt_number >= ATTEMPTS_MOST or self._monotonic() >= until,
            wait=_pause,
            retry=retry_if_exception(_worth_waiting),
            sleep=self._sleep,
            reraise=True,
        )
        reply: Reply = retrying(once)
        return reply

    def _judged(self, request: Mapping[str, Any], asked: str, again: bool, bare: bool) -> Reply:
        reply = self._sent(request, asked, again, bare, rejected=None)
        if reply.status == 401 and isinstance(self.connection.auth, OAuth2) and self._token is not None and not bare:
            reply = self._sent(request, asked, again, bare, rejected=self._token)
        judged = self.connection.connector.failures
        failure = judged(reply) if judged else None
        if failure is None and not reply.ok:
            failure = Failure(judge(reply, again=again))
        if failure is None:
            return reply
        raise failed(self.connection.connector.title, asked, reply, failure, self.struck)

    def _sent(self, request: Mapping[str, Any], asked: str, again: bool, bare: bool, *, rejected: Token | None) -> Reply:
        connector = self.connection.connector
        fixed = {name: self.connection.fill(value) for name, value in connector.headers.items()}
        shown, params = ({}, {}) if bare else self._proof(rejected)
        full = {
            **request,
            "headers": {"Accept": "application/json", **fixed, **shown, **request["headers"]},
            "params": [*request["params"], *params.items()],
        }
        return self._exchange(full, asked, again)

    def _proof(self, rejected: Token | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        auth = self.connection.auth
        if auth is None:
            return {}, {}
        if isinstance(auth, OAuth2) and self._tokens is not None:
            self._token = auth.current(self.connection, self._tokens, self._post_token, rejected=rejected)
            return auth.bearer(self._token), {}
        return auth.headers(self.connection), auth.query(self.connection)

    def _post_token(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        if self.connection.base_url:
            url = _origin(self.connection.base_url) + urlsplit(url).path
        request = {"method": "POST", "url": url, "params": [], "data": dict(form), "headers": dict(headers)}
        reply = self._exchange(request, "the token address", again=True)
        if not reply.ok:
            lasting = 400 <= reply.status < 500 and reply.status != 429
            failure = Failure("reconnect" if lasting else "passing")
            raise failed(self.connection.connector.title, "POST token", reply, failure, self.struck)
        try:
            value = reply.json()
        except Unreadable:
            value = None
        return value if isinstance(value, dict) else {}

    def _exchange(self, request: Mapping[str, Any], asked: str, again: bool) -> Reply:
        request = dict(request)
        for _ in range(REDIRECTS_MOST + 1):
            reply = self._once(request, asked, again)
            target = reply.headers.get("location", "")
            if reply.status not in {301, 302, 303, 307, 308} or request["method"] != "GET" or not target:
                return reply
            try:
                target = urljoin(request["url"], target)
                origin = _origin(target)
            except ValueError:  # an address that is none
                origin = "nowhere"
            if origin != _origin(request["url"]):
                raise CallFailed(f"{asked} was redirected to {origin}; other hosts are not followed.", "lasting")
            request |= {"url": target, "params": []}
        raise CallFailed(f"{asked} was redirected more than {REDIRECTS_MOST} times.", "lasting")

    def _once(self, request: Mapping[str, Any], asked: str, again: bool) -> Reply:
        title = self.connection.connector.title
        try:
            with self._session.request(
                **request, timeout=(CONNECT_SECONDS, READ_SECONDS), stream=True, allow_redirects=False
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(65536):
                    body += chunk
                    if len(body) > REPLY_BYTES_MOST:
                        verdict: Verdict = "lasting" if again else "uncertain"
                        most = f"more than {REPLY_BYTES_MOST:,} bytes"
                        raise CallFailed(f"The answer of {title} to {asked} is too long: {most}.", verdict)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, headers, bytes(body))
        except (requests.RequestException, UnicodeError) as error:
            if isinstance(error, ValueError):  # an address or a header that cannot be sent
                message = f"{title} was not asked: what should be sent ({asked}) is not HTTP ({type(error).__name__})."
                raise CallFailed(message, "lasting") from None
            before = not_sent(error)
            if before is not None:
                raise CallFailed(f"{title} could not be reached ({asked}): {before}.", "passing") from None
            ending: Verdict = "passing" if again else "uncertain"
            raise CallFailed(f"{title} did not answer ({asked}: {type(error).__name__}).", ending) from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _worth_waiting(error: BaseException) -> bool:
    is_passing = isinstance(error, CallFailed) and error.verdict == "passing"
    return is_passing and (getattr(error, "retry_after_seconds", None) or 0) <= PAUSE_SECONDS_MOST


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after_seconds if isinstance(error, CallFailed) else None
    return PAUSE_SECONDS * 2.0 ** (state.attempt_number - 1) if told is None else told
