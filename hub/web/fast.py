"""Fast: webhooks are answered in front of Flask, from an event loop, by the same intake as Flask's route.

Flask's request machinery costs more than the signature, the disk and everything else of a delivery together, and a thread for
each request that waits for the disk costs as much again.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware

from hub.web.gathering import Gathering
from hub.web.hooks import PREFIX, Asked, Intake, in_a_url, length_of, response_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from a2wsgi.asgi_typing import HTTPScope, Receive, Scope, Send

_PAGES_AT_ONCE = 16


class Front:
    """An ASGI application: deliveries go to the intake, all else to `app`, in threads. For one event loop.

    body_bytes_most: of a body that is longer, no more is read than shows that it is.
    """

    def __init__(self, app: WSGIApplication, intake: Intake, gathering: Gathering, body_bytes_most: int) -> None:
        self._app = WSGIMiddleware(app, workers=_PAGES_AT_ONCE)  # type: ignore[arg-type]  # its own idea of WSGI's types
        self._intake = intake
        self._gathering = gathering
        self._body_bytes_most = body_bytes_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(_as_sent(scope), receive, send)
            return
        asked = await self._asked(scope, receive)
        answer = await self._intake.soon(asked, self._gathering)
        status, headers, body = response_of(answer, asked.method)
        said = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": body})

    async def _asked(self, scope: HTTPScope, receive: Receive) -> Asked:
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name, text = raw.decode("latin-1"), value.decode("latin-1")
            headers[name] = f"{headers[name]},{text}" if name in headers else text
        length = headers.pop("content-length", None)
        if length is None and "transfer-encoding" not in headers:
            length = "0"
        query = in_a_url(scope["query_string"])
        read = await self._body(receive, length)
        return Asked(scope["method"], scope["path"], query, headers, length, read)

    async def _body(self, receive: Receive, length: str | None) -> Callable[[int], bytes]:
        """What reads the body; nothing has come of one that is announced as too long."""
        if length is not None and (length_of(length) or 0) > self._body_bytes_most:
            return BytesIO().read
        parts, got, more = [], 0, True
        while more and got <= self._body_bytes_most:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                return _gone
            parts.append(message.get("body", b""))
            got += len(parts[-1])
            more = message.get("more_body", False)
        return BytesIO(parts[0] if len(parts) == 1 else b"".join(parts)).read


def _gone(_: int) -> bytes:
    raise ConnectionResetError("the sender hung up")


def _as_sent(scope: Any) -> Any:
    """The scope for Flask: a query in characters that a URL may hold."""
    return scope if scope["type"] != "http" else {**scope, "query_string": in_a_url(scope["query_string"]).encode("ascii")}
