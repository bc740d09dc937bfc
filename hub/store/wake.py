"""Wake-up: tells the worker at once that there is something to do, so that it need not poll.

A ring is a hint and nothing more: work is found in the database, and a worker that misses a ring finds it at its next look.
So ringing never blocks, never fails, and needs no answer.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from hub import log

_SOCKET_NAME = "worker.sock"
_CAN_USE_SOCKETS = hasattr(socket, "AF_UNIX")
_LOG = log.get(__name__)


class Waker(Protocol):
    """What rings the worker, wherever it is; for any number of threads."""

    def ring(self) -> None:
        """Say that there is work. Never blocks, never fails."""
        ...

    def close(self) -> None:
        """Give back what it took; later rings do nothing."""
        ...


class Bell(Protocol):
    """What the worker listens to."""

    def wait(self, seconds: float) -> bool:
        """Sleep until it rings, at most so long. True when it rang, also when that was before the call."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class SocketWaker:
    """Rings the bell of the worker that serves a data folder, in this process or another. For any number of threads."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / _SOCKET_NAME)
        self._socket = _datagram_socket()

    def ring(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # no worker is there, it is behind by a full buffer, or we have been closed
                self._socket.sendto(b"!", self._address)

    def close(self) -> None:
        """Give the socket back; later rings do nothing."""
        if self._socket is not None:
            self._socket.close()


class SocketBell:
    """What the one worker of a data folder listens to; whoever makes it holds the worker's lock on the folder.

    Where there are no unix sockets, or the folder's path is too long for one, it never rings and `wait` only sleeps.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _SOCKET_NAME
        self._socket = _datagram_socket()
        if self._socket is None:
            return
        try:
            self._path.unlink(missing_ok=True)  # left by a worker that was killed
            self._socket.bind(str(self._path))
        except OSError as error:
            _LOG.info("no wake-up in this folder; the worker looks on a timer", path=str(self._path), reason=str(error))
            self._socket.close()
            self._socket = None

    def wait(self, seconds: float) -> bool:
        if self._socket is None:
            time.sleep(seconds)
            return False
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        """Stop listening and take the socket out of the folder."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)


class ThreadBell:
    """A bell within one process."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def close(self) -> None:
        """Nothing to stop."""


def _datagram_socket() -> socket.socket | None:
    if not _CAN_USE_SOCKETS:
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
