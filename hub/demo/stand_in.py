"""The stand-in: a local server that plays Square's and Twilio's APIs for the demo, and keeps what it was asked.

It answers as the vendors document: bearer and basic auth are required, what is not there is a 404 in the vendor's own words.
`GET /` shows what it was asked.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

from hub.demo.vendors import Ask, Reply, SquareApi, TwilioApi

_SHOWN_MOST = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """One request that the hub made of a vendor, and what it got."""

    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    status: int


class StandIn:
    """Serves both vendors on a free local port while it is open; use it as a context manager.

    kept: every request in the order of arrival.
    """

    def __init__(self, square: SquareApi, twilio: TwilioApi) -> None:
        self.kept: list[Kept] = []
        self._apis: dict[str, Callable[[Ask], Reply]] = {"square": square.answer, "twilio": twilio.answer}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stand-in", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens; a vendor's API is at `<url>/<vendor>`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def messages(self) -> list[Kept]:
        """The texts that Twilio accepted."""
        with self._lock:
            return [kept for kept in self.kept if kept.vendor == "twilio" and kept.method == "POST" and kept.status == 201]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def handle(self, vendor: str, ask: Ask) -> Reply:
        """Answer one request and keep it."""
        answer = self._apis.get(vendor)
        reply = answer(ask) if answer else Reply(404, {"message": f"Nobody called {vendor} is played here."})
        with self._lock:
            self.kept.append(Kept(vendor, ask.method, ask.path, ask.query, ask.body, reply.status))
        return reply

    def page(self) -> dict[str, Any]:
        """What a person who looks at `/` sees: totals and the newest requests."""
        with self._lock:
            newest = [asdict(kept) for kept in self.kept[-_SHOWN_MOST:]]
            asked = Counter(f"{kept.vendor} {kept.method}" for kept in self.kept)
        return {"asked": asked, "newest": newest[::-1]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes; without this the second would wait for the peer's delayed acknowledgement.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer a GET."""
        if urlsplit(self.path).path == "/":
            self._send(200, self.server.stand_in.page(), indent=2)
        else:
            self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Say nothing on the terminal."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        _, vendor, path = (parts.path + "/").split("/", 2)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ask = Ask(
            self.command,
            "/" + path.rstrip("/"),
            {key: values[-1] for key, values in parse_qs(parts.query).items()},
            _body(raw, self.headers.get("Content-Type", "")),
            self.headers.get("Authorization", ""),
        )
        reply = self.server.stand_in.handle(vendor, ask)
        self._send(reply.status, reply.body)

    def _send(self, status: int, value: Mapping[str, Any], indent: int | None = None) -> None:
        body = json.dumps(value, indent=indent).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _body(raw: bytes, content_type: str) -> dict[str, Any]:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    if not raw:
        return {}
    value = json.loads(raw)
    return value if isinstance(value, dict) else {"": value}
