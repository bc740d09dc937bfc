"""Processes: those of the hub as they are deployed, each ready to be killed, forked from one that has imported everything.

Run as a program it is that one: for each order on its socket it forks a process that becomes `hub web`, `hub worker` or what
else the order says. What is bought with the fork is the second that Python takes to import; the commands are those of the hub.
"""

from __future__ import annotations

import json
import mmap
import multiprocessing
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[3]
_GIVE_UP_SECONDS = 120


class SharedClock:
    """The machine's clock, moved on for all processes at once by a number of seconds that they share in a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=struct.unpack("d", self._shared[:8])[0])

    def move_on(self, seconds: float) -> None:
        self._shared[:8] = struct.pack("d", struct.unpack("d", self._shared[:8])[0] + seconds)


@dataclass
class Process:
    """A process of the hub. pid: the leader of its group. said: what it told of its end; nothing when it was killed."""

    pid: int
    _pipe: int
    said: str = ""
    _over: bool = field(default=False)

    def kill(self, *, leader: bool = False) -> None:
        """SIGKILL, to the whole group or to its leader alone."""
        with suppress(ProcessLookupError):
            (os.kill if leader else os.killpg)(self.pid, signal.SIGKILL)

    def ended(self, seconds: float) -> bool:
        """True when within that time everything that belongs to it has ended."""
        until = time.monotonic() + seconds
        while not self._over:
            if not select.select([self._pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                return False
            part = os.read(self._pipe, 4096)
            self.said += part.decode()
            if not part:
                os.close(self._pipe)
                self._over = True
        return True

    def end(self) -> str:
        """Wait for its end; gives what it told of it."""
        assert self.ended(_GIVE_UP_SECONDS), f"the process {self.pid} does not end"
        return self.said


class Nursery:
    """Starts processes of the hub. environment: on top of this process's own. log: where they write their logs."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
        self._log = log
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        self._control = ours
        with log.open("ab") as file, theirs:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.kill.processes", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdout=file,
                stderr=file,
                env=self._environment,
            )
        assert ours.recv(64) == b"ready", f"see {log}"

    def fork(self, words: Sequence[str], *, clock: Path, doom: tuple[str, int] | None = None) -> Process:
        """A process that becomes `hub WORDS`, and kills itself as `doom` says: a point, and the how manieth time."""
        reading, writing = os.pipe()
        order = json.dumps({"words": list(words), "doom": doom, "clock": str(clock)}).encode()
        with self._lock:
            socket.send_fds(self._control, [order], [writing])
            os.close(writing)
            return Process(int(self._control.recv(64)), reading)

    def start(self, words: Sequence[str]) -> Process:
        """`hub WORDS` as anybody starts it."""
        reading, writing = os.pipe()
        with self._log.open("ab") as file:
            started = subprocess.Popen(
                [sys.executable, "-m", "hub", *words],
                cwd=ROOT,
                env=self._environment,
                stdout=file,
                stderr=file,
                pass_fds=[writing],
                start_new_session=True,
            )
        os.close(writing)
        threading.Thread(target=started.wait, daemon=True).start()
        return Process(started.pid, reading)

    def close(self) -> None:
        self._control.close()
        self._parent.wait(_GIVE_UP_SECONDS)


def main(control: socket.socket) -> None:
    """Fork a process for each order, until nobody gives orders any more."""
    from tests.engine.kill import life  # noqa: PLC0415 - all of the hub, once

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    multiprocessing.set_start_method("fork")
    control.send(b"ready")
    while True:
        order, fds, _, _ = socket.recv_fds(control, 65536, 1)
        if not order:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            life.live(json.loads(order), fds[0])
        os.close(fds[0])
        with suppress(OSError):  # it may have been faster, or have ended
            os.setpgid(pid, pid)
        control.send(str(pid).encode())


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
