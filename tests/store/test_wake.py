"""Wake-up: a ring reaches the worker at once, and ringing never fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import wake
from hub.store.wake import SocketBell, SocketWaker, ThreadBell


@pytest.fixture
def waker(tmp_path: Path) -> Iterator[SocketWaker]:
    made = SocketWaker(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[SocketBell]:
    made = SocketBell(tmp_path)
    yield made
    made.close()


def test_a_ring_before_the_wait_is_not_lost(waker: SocketWaker, bell: SocketBell) -> None:
    """Work that was announced while the worker was busy is heard at the next wait, once for any number of rings."""
    for _ in range(3):
        waker.ring()
    assert bell.wait(5)
    assert not bell.wait(0)


def test_a_ring_ends_a_wait(waker: SocketWaker, bell: SocketBell) -> None:
    """The worker wakes long before its timer."""
    heard: list[bool] = []
    worker = threading.Thread(target=lambda: heard.append(bell.wait(30)))
    worker.start()
    waker.ring()
    worker.join(10)
    assert heard == [True]


def test_ringing_without_a_worker_does_nothing(tmp_path: Path, waker: SocketWaker) -> None:
    """No worker, a folder that is gone, a closed waker: ring returns all the same."""
    waker.ring()
    gone = SocketWaker(tmp_path / "gone")
    gone.ring()
    gone.close()
    gone.ring()


def test_ringing_a_worker_that_does_not_listen_never_blocks(waker: SocketWaker, bell: SocketBell) -> None:
    """A full buffer is no reason to wait: one ring in it is enough."""
    for _ in range(5_000):
        waker.ring()
    assert bell.wait(0)


def test_a_socket_left_by_a_killed_worker_is_replaced(tmp_path: Path, waker: SocketWaker) -> None:
    """The next worker in the folder listens again."""
    killed = SocketBell(tmp_path)
    fresh = SocketBell(tmp_path)
    waker.ring()
    assert fresh.wait(5)
    fresh.close()
    killed.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("trouble", ["long path", "no sockets"])
def test_without_a_socket_the_bell_only_sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """Where no socket can be had the worker is left with its timer."""
    folder = tmp_path / ("x" * 120)
    if trouble == "no sockets":
        monkeypatch.setattr(wake, "_CAN_USE_SOCKETS", False)
        folder = tmp_path
    folder.mkdir(exist_ok=True)
    bell, waker = SocketBell(folder), SocketWaker(folder)
    waker.ring()
    assert not bell.wait(0)
    bell.close()
    waker.close()


def test_a_bell_within_one_process_rings() -> None:
    """Threads of one process need no socket."""
    bell = ThreadBell()
    assert not bell.wait(0)
    bell.ring()
    assert bell.wait(5)
    assert not bell.wait(0)
