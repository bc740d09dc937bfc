"""Wire: a way to a PostgreSQL server on which trips are counted, and which can be cut when a COMMIT has gone through."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

_COMMIT = b"COMMIT\0"


class Wire:
    """Hands on what a client and the server say. trips: how often the server was asked and answered.

    cut_commits: that many connections are cut when the server has carried out a COMMIT, before the client hears of it;
    commits_before_cut: so many COMMITs are let through first.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()
        self.trips = 0
        self.cut_commits = self.commits_before_cut = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def is_to_be_cut(self) -> bool:
        """Whether this COMMIT is one whose answer nobody shall hear."""
        if self.commits_before_cut:
            self.commits_before_cut -= 1
            return False
        self.cut_commits, cut = max(0, self.cut_commits - 1), self.cut_commits > 0
        return cut

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                _Way(self, client, socket.create_connection(self._server))


class _Way:
    """One connection through the wire."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._asked = self._cutting = False
        for target in (self._up, self._down):
            threading.Thread(target=target, daemon=True).start()

    def _up(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(1 << 16):
                if _COMMIT in data and self._wire.is_to_be_cut():
                    self._cutting = True
                self._asked = True
                self._server.sendall(data)
        self._close()

    def _down(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(1 << 16):
                if self._cutting and data.endswith(b"Z\0\0\0\5I"):  # idle again: the transaction is over
                    break
                self._wire.trips += self._asked
                self._asked = False
                if not self._cutting:
                    self._client.sendall(data)
        self._close()

    def _close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
