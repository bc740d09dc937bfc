"""The processes: `hub run` takes deliveries and works them, stops when told, and hands over to a second worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.databases import Corner

CONNECTIONS = """public_url: https://points.example.com
connections:
  twilio:
    account_sid: AC0123456789abcdef0123456789abcdef
    auth_token: twilio-auth-token
    sender: "+15005550006"
    base_url: http://127.0.0.1:9
    allow_private: true
"""
_STOP_SECONDS_MOST = 30


@pytest.fixture
def connected(shop: Path) -> Path:
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + CONNECTIONS, "utf-8")
    return shop


@pytest.fixture
def scaled_out(connected: Path, postgres: Corner) -> Path:
    """A workspace on PostgreSQL."""
    (connected / "hub.yaml").write_text(f"{(connected / 'hub.yaml').read_text('utf-8')}database: {postgres.url}\n", "utf-8")
    return connected


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    return free_port()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def running(*words: object):
    """A process of the hub; it is told to stop at the end."""
    command = [sys.executable, "-m", "hub", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def stopped(process: subprocess.Popen, number: int = signal.SIGTERM) -> tuple[int, str]:
    """Tells the process to stop; gives its exit code and what it wrote to standard error."""
    process.send_signal(number)
    _, said = process.communicate(timeout=_STOP_SECONDS_MOST)
    return process.returncode, said


def reached(url: str) -> requests.Response:
    """The answer of a server that may still be starting."""
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(connect=12, backoff_factor=0.1, backoff_max=2)))
        return session.get(url, timeout=10)


def test_run_takes_works_and_stops(hub, ask, connected, port):
    """`hub run` is web and worker in one: a delivery is worked while it runs; on SIGTERM it ends with 0 and its log is JSON."""
    with running("run", "--port", port, "-w", connected) as process:
        base = f"http://127.0.0.1:{port}"
        assert reached(f"{base}/healthz").status_code == 200
        assert "Accepted" in hub("send", "twilio", "message_received", "--to", base, "-w", connected).stdout
        assert requests.get(f"{base}/readyz", timeout=10).json()["status"] == "ready"
        code, said = stopped(process)
    assert code == 0, said
    assert all(line.startswith("{") for line in said.splitlines())
    assert [one["fact"] for one in ask("events", "-w", connected)] == ["message_received"]


def test_one_worker_at_a_time(hub, connected, sales):
    """A second worker stands by; `--drain` beside a worker is refused; what comes in is worked by the one that runs."""
    hub("db", "migrate", "-w", connected)
    with running("worker", "-w", connected) as first:
        line = first.stderr.readline()
        assert "working" in line
        assert "another worker" in hub("worker", "--drain", "-w", connected, code=1).stderr
        with running("worker", "-w", connected) as second:
            assert "standing by" in second.stderr.readline()
            assert stopped(second)[0] == 0
        assert stopped(first, signal.SIGINT)[0] == 0


def test_what_any_web_process_takes_is_worked_whoever_is_killed(hub, ask, scaled_out):
    """On PostgreSQL: two web processes, two workers, both at work; one is killed, and the other goes on by itself."""
    ports = free_port(), free_port()
    with (
        running("worker", "-w", scaled_out) as first,
        running("worker", "-w", scaled_out) as second,
        running("web", "--port", ports[0], "-w", scaled_out) as web,
        running("web", "--port", ports[1], "-w", scaled_out) as other,
    ):
        assert all("working" in one.stderr.readline() for one in (first, second))
        for number, port in enumerate(ports * 2):
            base = f"http://127.0.0.1:{port}"
            assert reached(f"{base}/healthz").status_code == 200
            if number == 2:
                first.kill()
            assert "Accepted" in hub("send", "twilio", "message_received", "--to", base, "-w", scaled_out).stdout
        assert hub("members", "-w", scaled_out)
        for process in (web, other, second):
            assert stopped(process)[0] == 0
    hub("worker", "--drain", "-w", scaled_out)
    assert {one["fact"] for one in ask("events", "-w", scaled_out)} == {"message_received"}
    assert hub("ledger", "verify", "-w", scaled_out)


def test_the_server_ends_when_the_process_that_supervises_it_was_killed(connected, port):
    """Whoever starts the hub again must not share its port with the old one."""
    with running("web", "--port", port, "-w", connected) as process:
        url = f"http://127.0.0.1:{port}/healthz"
        assert reached(url).status_code == 200
        process.kill()
        process.communicate(timeout=_STOP_SECONDS_MOST)  # until nobody holds its standard error any more
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this machine does not tell a process's children")
def test_a_server_that_was_killed_is_replaced(hub, ask, connected, port):
    """The worker goes on, another process takes the server's place at its port, and both end when they are told."""
    with running("run", "--port", port, "-w", connected) as process:
        base = f"http://127.0.0.1:{port}"
        assert reached(f"{base}/healthz").status_code == 200
        (first,) = children(process)
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + _STOP_SECONDS_MOST
        while first in children(process):
            assert time.monotonic() < until
        assert reached(f"{base}/readyz").json()["status"] == "ready"
        assert "Accepted" in hub("send", "twilio", "message_received", "--to", base, "-w", connected).stdout
        assert stopped(process)[0] == 0
    assert [one["fact"] for one in ask("events", "-w", connected)] == ["message_received"]


def children(process: subprocess.Popen) -> list[int]:
    """The processes that it has started, and that it has not seen end."""
    found: list[int] = []
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            found += map(int, task.joinpath("children").read_text("ascii").split())
    return found


def test_drain_works_what_is_there(hub, connected):
    """`hub worker --drain` ends by itself when nothing is left to do."""
    assert "There was nothing to do." in hub("worker", "--drain", "-w", connected).stdout


def test_run_says_why_it_cannot_begin(connected, port):
    """A recipe that is wrong: said as `hub check` says it, with exit code 1, and nothing is left running."""
    (connected / "recipes").mkdir(exist_ok=True)
    (connected / "recipes" / "wrong.yaml").write_text("recipe: wrong\nwhen: sail\ndo: []\n", "utf-8")
    with running("run", "--port", port, "-w", connected) as process:
        _, said = process.communicate(timeout=_STOP_SECONDS_MOST)
    assert process.returncode == 1
    assert "recipes/wrong.yaml:2:7" in said
    assert "Traceback" not in said
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_run_beside_a_worker_is_refused(connected, port):
    """One worker is at work already; the second says so and ends."""
    with running("worker", "-w", connected) as first:
        assert "working" in first.stderr.readline()
        with running("run", "--port", port, "-w", connected) as process:
            _, said = process.communicate(timeout=_STOP_SECONDS_MOST)
        assert process.returncode == 1
        assert "another" in said
