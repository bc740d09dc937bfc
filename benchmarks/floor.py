"""Floor: the least that must be done, without a hub: what the machine itself allows.

    python -m benchmarks.floor FOLDER PORT

serves the smallest WSGI application that checks the HMAC of a delivery and keeps it durably before it answers: one row in
SQLite at `synchronous=FULL`, one commit for all that wait. The hub's server with threads, as it serves WSGI.
"""

from __future__ import annotations

import functools
import hmac
import multiprocessing
import sqlite3
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from benchmarks.workspace import signature

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_THREADS = 32


def application(folder: Path) -> WSGIApplication:
    """The application; its writer is a thread that ends with the process."""
    rows: list[tuple[bytes]] = []
    waiting: list[threading.Event] = []
    changed = threading.Condition()

    def write() -> None:
        nonlocal rows, waiting
        connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS delivery (seq INTEGER PRIMARY KEY, body BLOB)")
        while True:
            with changed:
                while not rows:
                    changed.wait()
                taken, settled, rows, waiting = rows, waiting, [], []
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO delivery (body) VALUES (?)", taken)
            connection.execute("COMMIT")
            for one in settled:
                one.set()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        expected = signature(environ.get("HTTP_WEBHOOK_ID", ""), environ.get("HTTP_WEBHOOK_TIMESTAMP", ""), body)
        if not hmac.compare_digest(environ.get("HTTP_WEBHOOK_SIGNATURE", ""), expected):
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return []
        kept = threading.Event()
        with changed:
            rows.append((body,))
            waiting.append(kept)
            changed.notify()
        kept.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    threading.Thread(target=write, daemon=True).start()
    return answer


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    server = MPServer(
        "floor",
        address="127.0.0.1",
        port=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=_THREADS,
        backpressure=1024,
        log_level=LogLevels.error,
        log_access=False,
    )
    server.serve(target_loader=functools.partial(application, Path(sys.argv[1])), wrap_loader=False)
