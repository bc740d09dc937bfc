"""An ASGI application, called with what a WSGI server would hand over, so that one client speaks to both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

_NOT_NAMED_HTTP = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
_PART_BYTES = 6_667


def as_wsgi(app: Any) -> Callable[..., Iterable[bytes]]:
    """The application as a WSGI one; each request is a turn of an event loop of its own, and its body comes in parts."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said: list[dict[str, Any]] = []
        length = environ.get("CONTENT_LENGTH", "")
        is_open = bool(environ.get("wsgi.input_terminated"))
        left = int(length) if length.isascii() and length.isdigit() else 0

        async def receive() -> dict[str, Any]:
            nonlocal left
            try:
                part = environ["wsgi.input"].read(_PART_BYTES if is_open else min(_PART_BYTES, left))
            except OSError:
                return {"type": "http.disconnect"}
            left -= len(part)
            return {"type": "http.request", "body": part, "more_body": bool(part) and (is_open or left > 0)}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        asyncio.run(app(_scope(environ), receive, send))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in said[0]["headers"]]
        start_response(f"{said[0]['status']} {HTTPStatus(said[0]['status']).phrase}", headers)
        return [message["body"] for message in said[1:]]

    return call


def _scope(environ: dict[str, Any]) -> dict[str, Any]:
    headers = [
        ((_NOT_NAMED_HTTP.get(key) or key[5:].replace("_", "-").lower()).encode(), value.encode("latin-1", "replace"))
        for key, value in environ.items()
        if (key in _NOT_NAMED_HTTP and value) or (key.startswith("HTTP_") and key != "HTTP_PROXY")
    ]
    if environ.get("wsgi.input_terminated"):
        headers.append((b"transfer-encoding", b"chunked"))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "headers": headers,
        "client": (environ["REMOTE_ADDR"], 1),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "scheme": "http",
    }
