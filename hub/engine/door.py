"""Door: where platforms deliver. What is genuine is kept, what is not is turned away, and nothing is read any further.

The order is: whose delivery it is, how large it is, whether it is only a handshake, whether it is genuine; then it is kept as
raw bytes, and only then answered. What the body says is the worker's affair: a genuine delivery that nobody can read is kept
and acknowledged like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote_plus

from hub import log
from hub.clock import Clock
from hub.engine.inbox import Delivery, Inbox
from hub.errors import HubError, Refused, Unavailable, Unreadable
from hub.sdk import Answer, Connection, Request

BODY_BYTES_MOST = 1024 * 1024
Outcome = Literal["kept", "handshake", "unknown", "wrong_method", "too_large", "cut_off", "refused"]

_LOG = log.get(__name__)
_CHUNK_BYTES = 64 * 1024
_SHORTEST_STRUCK = 4
_NAME_LONGEST_SHOWN = 64
_PLAIN_IN_A_PATH = "!$&'()*+,;=:@"
_NEVER_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})
_NEEDED_TO_READ = frozenset({"content-type"})


@dataclass(frozen=True, slots=True)
class Knock:
    """An HTTP request whose body has not been read.

    token: the part of the path after the connection's name, None when there is none. query: as sent. headers: names in lower
    case. length: what the sender says, None when it does not. read: gives up to so many bytes of the body, none at its end.
    """

    method: str
    connection: str
    token: str | None
    query: str
    headers: Mapping[str, str]
    length: int | None
    read: Callable[[int], bytes]

    @property
    def path(self) -> str:
        """The path as it stands in a URL."""
        last = "" if self.token is None else "/" + quote(self.token, safe=_PLAIN_IN_A_PATH)
        return f"/hooks/{quote(self.connection)}{last}"


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a delivery that was let in, and what the platform wants to hear."""

    outcome: Outcome
    answer: Answer


@dataclass(frozen=True, slots=True)
class Genuine:
    """A delivery that has been let in and is not kept yet; only when it is may its platform hear `Door.thanks`."""

    delivery: Delivery
    request: Request
    connection: Connection


class TurnedAway(HubError):
    """A request that the door does not take, other than a forged one. status: the HTTP code for it."""

    def __init__(
        self, outcome: Outcome, status: int, message: str, hint: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.status = status
        self.hint = hint
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Door:
    """Takes deliveries for the connections that there are. For any number of threads.

    public_url: how platforms reach us, as they were told; signatures cover it. unusable: names of connections that hub.yaml has
    and that lack something, for instance a secret; a 404 would make some platforms give up on them for ever.
    """

    inbox: Inbox
    connections: Mapping[str, Connection]
    clock: Clock
    public_url: str
    body_bytes_most: int = BODY_BYTES_MOST
    unusable: Collection[str] = ()

    def receive(self, knock: Knock) -> Received:
        """Keep the delivery and say what to answer. TurnedAway, Refused or Unavailable when nothing was kept."""
        found = self.let_in(knock)
        if isinstance(found, Received):
            return found
        self.inbox.keep(found.delivery)
        return self.thanks(found)

    def let_in(self, knock: Knock) -> Genuine | Received:
        """What is to be kept, or the answer to what is no delivery. TurnedAway, Refused or Unavailable when it is neither."""
        connection = self._connection_of(knock)
        if knock.method not in {"POST", "GET", "HEAD"}:
            raise _wrong_method(knock)
        request = self._request_of(knock, self._body_of(knock))
        greeting = self._shake(request, connection)
        if greeting is not None:
            return Received("handshake", greeting)
        if knock.method != "POST":
            raise _wrong_method(knock)
        self._verify(request, connection)
        return Genuine(_to_be_kept(request, connection), request, connection)

    def thanks(self, kept: Genuine) -> Received:
        """The platform's own form of thanks. The delivery is kept by now, so nothing may make the platform send it again."""
        try:
            answer = kept.connection.connector.answer(kept.request, kept.connection)
        except Exception:  # noqa: BLE001 - a connector's mistake in a courtesy
            name = kept.connection.name
            _LOG.exception("the connector could not make its answer; an empty one was sent", connection=name)
            answer = Answer(200)
        return Received("kept", answer)

    def _connection_of(self, knock: Knock) -> Connection:
        name = knock.connection
        connection = self.connections.get(name)
        if connection is not None:
            return connection
        if name in self.unusable:
            _LOG.warning(
                "delivery for a connection that cannot be used yet; the platform was told to send it again", connection=name
            )
            raise Unavailable("This connection is not complete yet; send it again later.", retry_after_seconds=60)
        _LOG.info("delivery for a connection that there is not", name=log.redact(name)[:_NAME_LONGEST_SHOWN])
        raise TurnedAway(
            "unknown",
            404,
            "There is no connection of this name here.",
            "Look at the spelling; `hub connections` shows each connection with its webhook address.",
        )

    def _body_of(self, knock: Knock) -> bytes:
        """The whole body; never more than the limit is read, whatever the sender says of its length."""
        if knock.length is not None and knock.length > self.body_bytes_most:
            raise self._too_large(f"{knock.length} bytes were announced")
        wanted = knock.length if knock.length is not None else self.body_bytes_most + 1
        parts, got = [], 0
        while got < wanted:
            try:
                part = knock.read(min(_CHUNK_BYTES, wanted - got))
            except OSError as error:
                raise _cut_off(f"the connection broke after {got} bytes") from error
            if not part:
                break
            parts.append(part)
            got += len(part)
        if got > self.body_bytes_most:
            raise self._too_large("it was still going on after that")
        if knock.length is not None and got < knock.length:
            raise _cut_off(f"{knock.length} bytes were announced and {got} came")
        return b"".join(parts)

    def _too_large(self, how: str) -> TurnedAway:
        return TurnedAway(
            "too_large",
            413,
            f"The body is larger than the {self.body_bytes_most} bytes that are taken: {how}.",
            "Send fewer items in one delivery.",
        )

    def _request_of(self, knock: Knock, body: bytes) -> Request:
        path = knock.path
        url = self.public_url.rstrip("/") + path + (f"?{knock.query}" if knock.query else "")
        return Request(
            method=knock.method,
            path=path,
            query=knock.query,
            headers=knock.headers,
            body=body,
            received_at=self.clock.now(),
            url=url,
        )

    def _shake(self, request: Request, connection: Connection) -> Answer | None:
        try:
            return connection.connector.shake(request, connection)
        except Unreadable:
            return None  # not a handshake, whatever else it is
        except Refused as error:
            raise _refused(connection, error) from error
        except Exception as error:
            raise _in_trouble(connection, "answer the handshake") from error

    def _verify(self, request: Request, connection: Connection) -> None:
        try:
            connection.connector.verify(request, connection, request.received_at)
        except (Refused, Unreadable) as error:
            raise _refused(connection, error) from error
        except Exception as error:
            raise _in_trouble(connection, "check the signature") from error


def _refused(connection: Connection, error: HubError) -> Refused:
    reason = log.redact(str(error))
    _LOG.warning("delivery refused", connection=connection.name, reason=reason)
    return Refused(reason)


def _in_trouble(connection: Connection, doing: str) -> Unavailable:
    """A connector broke where it must not; the platform keeps the delivery until that is mended."""
    _LOG.exception(f"the connector could not {doing}; the platform was told to send it again", connection=connection.name)
    return Unavailable("The hub has a problem with this connection; send it again later.", retry_after_seconds=60)


def _wrong_method(knock: Knock) -> TurnedAway:
    return TurnedAway(
        "wrong_method",
        405,
        f"Deliveries come by POST; this was {knock.method[:_NAME_LONGEST_SHOWN]}.",
        "Set the webhook to POST.",
        headers={"Allow": "POST"},
    )


def _cut_off(how: str) -> TurnedAway:
    return TurnedAway("cut_off", 400, f"The body is not whole: {how}.", "Send the delivery again.")


def _to_be_kept(request: Request, connection: Connection) -> Delivery:
    """The delivery without what proves identity: the connector knows where that is; elsewhere no secret stays either."""
    stripped = connection.connector.strip(request)
    path, query = stripped.path, stripped.query
    headers = {name: value for name, value in stripped.headers.items() if name not in _NEVER_KEPT}
    secrets = [secret for secret in connection.settings.secrets() if len(secret) >= _SHORTEST_STRUCK]
    everything = "\n".join((path, unquote_plus(query), *headers.values()))
    if any(secret in everything for secret in secrets):  # one look at all of it: nearly always there is nothing to strike
        path = _struck(path, secrets)
        query = "&".join(_struck_field(part, secrets) for part in query.split("&"))
        headers = {name: text if name in _NEEDED_TO_READ else _struck(text, secrets) for name, text in headers.items()}
    return Delivery("http", request.body, request.received_at, connection.name, request.method, path, query, headers)


def _struck(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, log.STRUCK)
    return text


def _struck_field(part: str, secrets: Sequence[str]) -> str:
    """One field of a query; there are many ways to write a secret in percent signs, so it is looked for in the plain text."""
    if not any(secret in unquote_plus(part) for secret in secrets):
        return part
    name, _, _ = part.partition("=")
    return log.STRUCK if any(secret in unquote_plus(name) for secret in secrets) else f"{name}={log.STRUCK}"
