"""A full disk under SQLite: nothing is lost, doubled or blamed on anybody, and all goes on when there is room again."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.engine import readings
from hub.errors import Unavailable
from hub.store import OutOfReach
from hub.store.sqlite import SqliteStore
from tests.engine.platforms import Answered, Asked
from tests.engine.world import POINTS, World, recipe

THANKS = recipe(
    "thanks", 'when: sale\ndo:\n  - letters.send_once: {to: "{{ member.phone }}", text: "t {{ event.payment_id }}"}\n'
)
ANN = {"id": "ann", "phone": "+14155550101", "sms": True}


@contextmanager
def room(world: World, pages: int) -> Iterator[None]:
    """The hub's file can grow by so many pages and no more."""
    store = world.hub.store
    assert isinstance(store, SqliteStore)
    [now] = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {now + pages}")
    try:
        yield
    finally:
        store._writer.execute(f"PRAGMA max_page_count = {2**31}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "w", POINTS, THANKS)
    yield world
    world.prove()
    world.close()


def test_work_stops_and_goes_on_by_itself_however_little_room_there_is(world: World) -> None:
    """No event is parked and no delivery called unreadable for it; each sale earns once when there is room again."""
    number = failures = 0
    for pages in range(0, 60, 4):
        for _ in range(12):
            number += 1
            world.pay(f"p{number}", "10.00", {**ANN, "note": "x" * 2_000})
        with room(world, pages):
            try:
                world.work()
            except OutOfReach as error:
                failures += 1
                assert "disk is full" in str(error)
        assert set(world.states("payment")) <= {"done"}
        assert world.rows("SELECT * FROM receipt") == world.rows("SELECT * FROM parked_lane") == []
        world.prove()
    assert failures > 3
    world.work()
    assert world.totals().issued == 10 * number
    assert sorted(text for _, text in world.platform.sent) == sorted(f"t p{n}" for n in range(1, number + 1))


def test_what_a_platform_answered_is_noted_when_there_is_room_again(world: World) -> None:
    """The call was made once and is not made again, though its answer could not be written down at first."""
    world.pay("p1", "10.00", ANN)
    store = world.hub.store
    assert isinstance(store, SqliteStore)

    def fill(asked: Asked) -> Answered | None:
        [now] = store._writer.execute("PRAGMA page_count").fetchone()
        store._writer.execute(f"PRAGMA max_page_count = {now}")
        return Answered(body={"id": "ltr_1", "more": "x" * 50_000}) if asked.path == "/letters" else None

    world.platform.script = fill
    world.worker._take_places()
    world.take_in()
    world.worker._calling.claim()
    world.worker._outbox._pool.shutdown(wait=True)
    held = [("x" * 3_000,)] * 40
    with pytest.raises(sqlite3.OperationalError, match="full"):  # use up what is left inside the file
        store._writer.executemany("INSERT INTO tally (subject, name, number) VALUES (hex(randomblob(9)), ?, 1)", held)
    store._writer.execute("PRAGMA max_page_count = 2147483646")
    world.worker._calling.record()
    assert [call["state"] for call in world.calls("send_once")] == ["done"]
    assert len([asked for asked in world.platform.asked if asked.path == "/letters"]) == 1


def test_sealing_and_tidying_on_a_full_disk_are_plain_errors(world: World) -> None:
    """They break nothing, and are done the next time."""
    world.pay("p1", "10.00", ANN)
    world.work()
    with room(world, 0):
        for _ in range(30):
            try:
                world.worker.seal()
            except OutOfReach:
                break
        world.hub.store.checkpoint()
    world.worker.seal()
    assert world.rows("SELECT * FROM block")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own, so small that it is soon full; skipped where this user may not mount one."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if mounted.returncode:
        pytest.skip(f"this user may not mount a disk: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full_loses_nothing(tmp_path: Path) -> None:
    """The door says 503 and keeps nothing half, the hub says why, and with room again every kept sale is worked once."""
    with small_disk(tmp_path / "w" / "data", 8):
        world = World(tmp_path / "v", POINTS)
        world.close()
        world.folder = tmp_path / "w"
        (world.folder / "recipes").mkdir()
        world.configure()
        world.write(POINTS)
        world.open()
        ballast = world.folder / "data" / "ballast"
        ballast.write_bytes(os.urandom(4_000_000))
        kept: list[str] = []
        with pytest.raises(Unavailable) as refused:
            for n in range(2_000):
                world.pay(f"p{n}", "10.00", note=os.urandom(4_000).hex())
                kept.append(f"p{n}")
        assert refused.value.retry_after_seconds > 0
        with pytest.raises((OutOfReach, sqlite3.OperationalError)):
            for _ in range(100):
                world.work()
                world.pay(f"p{len(kept)}", "10.00", note=os.urandom(4_000).hex())
                kept.append(f"p{len(kept)}")
        said = {check.name: check for check in readings.checks(world.hub.store, world.hub.inbox_store, world.clock)}
        assert not said["disk"].ok
        assert "MB" in said["disk"].detail
        assert not world.hub.inbox.check().ok
        ballast.unlink()
        world.work()
        assert sorted(row["key"] for row in world.events("payment")) == sorted(kept)
        assert world.totals().issued == 10 * len(kept)
        world.prove()
        world.close()
