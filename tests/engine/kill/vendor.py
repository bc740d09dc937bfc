"""Vendor: the other side of the hub's calls, over HTTP: it keeps keys, can be asked what it did, and is not always well."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SLOW_SECONDS_MOST = 0.03
PULLED = 100


class Vendor:
    """What reached the vendor. letters: how often each text was sent, by effect (a key that comes again has none).

    cards: what it shows of each of its customers, by phone number.
    """

    def __init__(self, random: Random) -> None:
        self.url = ""
        self.calls = 0
        self.cut = 0
        self.again = 0
        self.looks = 0
        self.pulls = 0
        self.visits: dict[str, Mapping[str, Any]] = {}
        self.payments: list[Mapping[str, Any]] = []
        self.letters: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()
        self.cards: dict[str, dict[str, str]] = {}
        self._keys: dict[str, str] = {}
        self._references: dict[str, str] = {}
        self._random = random
        self._lock = threading.Lock()

    def answer(self, method: str, url: str, key: str | None, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Do what is asked. A status of 0 stands for an answer that is lost on its way."""
        path = urlsplit(url).path
        with self._lock:
            self.calls += 1
            fate = self._random.random()
            if fate < 0.02:
                return 503, {"message": "try later"}
            if fate < 0.03:
                return 429, {"message": "slow down"}
            done = self._done(method, path, url, key, body)
            if fate < 0.06 and method != "GET":
                self.cut += 1
                return 0, {}
            return done

    def patience(self) -> float:
        """For how many seconds the next answer is kept waiting."""
        with self._lock:
            return self._random.uniform(0, SLOW_SECONDS_MOST)

    def _done(
        self, method: str, path: str, url: str, key: str | None, body: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, Any]]:
        query, name = parse_qs(urlsplit(url).query), unquote(path.rpartition("/")[2])
        if path == "/letters":
            return self._letter(key, body) if method == "POST" else self._looked_up(query["reference"][0])
        if path.startswith("/cards"):
            return self._card(name, body) if method == "PUT" else self._shown(query["phone"][0])
        if path == "/payments":
            self.pulls += 1
            return 200, {"payments": self.payments[-PULLED:]}
        if path.startswith("/visits/"):
            return 200, self.visits[name]
        self.marks[name] += 1
        return 200, {"id": name}

    def _letter(self, key: str | None, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        if key is not None and key in self._keys:
            self.again += 1
            return 200, {"id": self._keys[key]}
        self.letters[body["text"]] += 1
        name = f"ltr_{self.letters.total()}"
        if key is not None:
            self._keys[key] = name
        if body["reference"]:
            self._references[body["reference"]] = name
        return 200, {"id": name}

    def _looked_up(self, reference: str) -> tuple[int, Mapping[str, Any]]:
        self.looks += 1
        found = self._references.get(reference)
        return 200, {"letters": [found] if found else []}

    def _card(self, number: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        self.cards[number] |= body
        return 200, {}

    def _shown(self, number: str) -> tuple[int, Mapping[str, Any]]:
        return 200, {"cards": [self.cards[number]] if number in self.cards else []}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        vendor: Vendor = self.server.vendor  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        threading.Event().wait(vendor.patience())
        status, told = vendor.answer(
            self.command, self.path, self.headers.get("Idempotency-Key"), json.loads(body) if body else {}
        )
        if not status:
            self.close_connection = True
            return
        text = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *said: Any) -> None:
        """The vendor says nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed while it was answered."""


@contextmanager
def vendor_server(vendor: Vendor) -> Iterator[None]:
    """The vendor listens while the block lasts; its address is in `url`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.vendor = vendor  # type: ignore[attr-defined]
        vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
        listening = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        listening.start()
        try:
            yield
        finally:
            server.shutdown()
            listening.join()
