"""A PostgreSQL server that one test file has for itself: it may be stopped, crashed, filled up and made to refuse."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

FAST, CRASH = signal.SIGINT, signal.SIGQUIT
_SECONDS_MOST = 30
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "fsync": "off",  # a process that is killed leaves what it wrote to the operating system, which lives on
}


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until it is so; fail when it does not become so."""
    deadline = time.monotonic() + _SECONDS_MOST
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {_SECONDS_MOST} seconds"
        time.sleep(0.01)


class OwnServer:
    """A server in a folder of its own; `hub` is a role on it that is no superuser. Where we are root, it runs as `postgres`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self._as:
            shutil.chown(folder, "postgres", "postgres")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()
        self.say("CREATE ROLE hub LOGIN")
        self._made = 0

    def start(self) -> None:
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [self._programs / "postgres", "-D", "data", "-p", str(self._port), *settings]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stderr=log, stdout=log, **self._as)
        until(self._answers, "the server started")

    def stop(self, how: signal.Signals = FAST) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(_SECONDS_MOST)

    def database(self) -> str:
        """The address of a new database."""
        self._made += 1
        self.say(f"CREATE DATABASE hub_{self._made} OWNER hub")
        return f"postgresql://hub@127.0.0.1:{self._port}/hub_{self._made}"

    def say(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What the server answers its superuser; on the database of this name or address."""
        address = f"postgresql://postgres@127.0.0.1:{self._port}/{database.rpartition('/')[2]}"
        with psycopg.connect(address, autocommit=True) as connection:
            answered = connection.execute(statement.encode())
            return answered.fetchall() if answered.description else []

    def cut(self) -> None:
        """End all connections of the hub."""
        self.say("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'hub'")

    def _answers(self) -> bool:
        try:
            self.say("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self._programs / program, *words], cwd=self._folder, check=True, stdout=subprocess.DEVNULL, **self._as)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """The server; without its programs the test is skipped, and fails where HUB_CI says that nothing may be left out."""
    programs, why = _programs()
    if programs is None:
        if os.environ.get("HUB_CI"):
            pytest.fail(why)
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="hub-postgres-") as folder:
        server = OwnServer(programs, Path(folder))
        try:
            yield server
        finally:
            server.stop(CRASH)


def _programs() -> tuple[Path | None, str]:
    candidates = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)]
    if found := shutil.which("initdb"):
        candidates.insert(0, Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            if os.getuid() == 0 and not any(user.pw_name == "postgres" for user in pwd.getpwall()):
                return None, "a PostgreSQL server does not run as root, and there is no user `postgres` to run it"
            return folder, ""
    return None, "no PostgreSQL server to start is installed (initdb and postgres)"
