"""Servers: granian for real work, and a small threaded one inside the process for the demo and for tests."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from hub import log

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from a2wsgi.asgi_typing import ASGIApp

_LOG = log.get(__name__)
_FORKS = sys.platform == "linux"  # elsewhere the system's own libraries may have threads by then
_STOPS = (signal.SIGINT, signal.SIGTERM)
_CONNECTIONS_MOST = 1024
_STOP_SECONDS_MOST = 30
_IDLE_SECONDS_MOST = 75
_CHUNK_BYTES = 64 * 1024
_DRAIN_CHUNKS_MOST = 512
_TO_OUR_LOGS = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {name: {"level": "ERROR", "handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
}


def serve(
    load: Callable[[], ASGIApp],
    host: str,
    port: int,
    *,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests that are being answered then are finished first. For the main thread.

    load: makes the application in the process that serves, a child of this one; so it is a function of a module, or a partial
    of one with values that can be pickled, and it opens what it needs itself. meanwhile: called once signals are heard, while
    that process begins to load.

    Until then this process has no thread but the main one, and nothing open that a child must not have: so the child is forked
    from it, and shares what was imported.
    """
    multiprocessing.set_start_method("fork" if _FORKS else "spawn", force=True)
    server = _Supervisor(
        "hub",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        backpressure=_CONNECTIONS_MOST,
        workers_kill_timeout=_STOP_SECONDS_MOST,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_access=False,
        log_dictconfig=_TO_OUR_LOGS,
    )
    _LOG.info("serving", address=f"http://{host}:{port}")
    server.meanwhile = meanwhile
    server.serve(target_loader=functools.partial(_load_as_child, load), wrap_loader=False)


class _Supervisor(MPServer):
    """Begins the process that serves, and another one in its place when that has failed. meanwhile: what goes on beside it."""

    meanwhile: Callable[[], None]

    def _spawn_workers(self, *args: Any) -> None:
        if _FORKS:
            signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # one that comes now is for the child as well
        super()._spawn_workers(*args)  # type: ignore[no-untyped-call]
        if _FORKS:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        # From here on there are threads and handles: a fork would copy locks and databases as they stand.
        multiprocessing.set_start_method("spawn", force=True)
        self.meanwhile()


def _load_as_child(load: Callable[[], ASGIApp]) -> ASGIApp:
    """The application in the process that serves it, which ends when the one that supervises it does.

    One that was killed cannot tell its child to stop; the port is shared, so both the old and the next one would serve.
    """
    if _FORKS:
        for number in _STOPS:
            signal.signal(number, signal.SIG_DFL)  # until it serves; a forked one has its parent's answers to them
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="orphan", daemon=True).start()
    return load()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_STOP_SECONDS_MOST)  # what is being answered is finished; nobody is left who could insist
    os._exit(1)


@dataclass(frozen=True, slots=True)
class Served:
    """Where the threaded server can be reached. port: the one it was given when 0 was asked for."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address without a path, for instance `http://127.0.0.1:8080`."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def threaded_server(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """Serve from threads of this process while the block lasts; then finish what is being answered and stop.

    HTTP/1.1 with keep-alive. OSError when the port is taken.
    """
    with socket.create_server((host, port), backlog=128) as listening:
        server = _Server(host, listening.getsockname()[1], app, handler=_Handler, fd=listening.fileno())
    accepting = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="http", daemon=True)
    accepting.start()
    try:
        yield Served(host, server.port)
    finally:
        server.shutdown()
        accepting.join()
        server.server_close()
        server.hang_up()


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that those which only wait can be ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[request]

    def hang_up(self) -> None:
        """Let nobody send more; wait for the answers that are being given."""
        with self._lock:
            left = dict(self._open)
        for connection in left:
            with suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RD)
        for thread in left.values():
            thread.join(_STOP_SECONDS_MOST)


class _Body:
    """The body of one request: reads stop at its end."""

    def __init__(self, source: Any, length: int) -> None:
        self._source = source
        self._left = length

    def read(self, size: int = -1) -> bytes:
        part: bytes = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(part)
        return part


class _Handler(WSGIRequestHandler):
    """werkzeug's handler, but with connections kept open and answers sent whole."""

    timeout = _IDLE_SECONDS_MOST
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        self._bound(environ)
        said: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            said[:] = [status, headers]
            return parts.append

        parts: list[bytes] = []
        answer = self.server.app(environ, start_response)
        try:
            parts.extend(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        self._send(said[0], said[1], b"".join(parts), keep_open=self._drained(environ["wsgi.input"]))

    def _bound(self, environ: dict[str, Any]) -> None:
        """Let reads of the body stop at its end. A chunked one does so already."""
        if environ.get("wsgi.input_terminated"):
            return
        length = environ.get("CONTENT_LENGTH", "0")
        is_number = length.isascii() and length.isdigit()
        self.close_connection = self.close_connection or not is_number  # where the next request begins is anybody's guess
        environ["wsgi.input"] = _Body(self.rfile, int(length) if is_number else 0)
        environ["wsgi.input_terminated"] = True

    def _drained(self, body: Any) -> bool:
        """Read what the application left, so that the client hears the answer; True when another request can follow."""
        try:
            for _ in range(_DRAIN_CHUNKS_MOST):
                if not body.read(_CHUNK_BYTES):
                    return not self.close_connection
        except OSError:  # gone, or chunks that are none
            return False
        return False

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes, *, keep_open: bool) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in names and int(code) not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        if not keep_open:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_request(self, *args: Any) -> None:
        """Deliveries are counted, not logged one by one."""
