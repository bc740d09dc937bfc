"""Backup and restore: a copy of one moment while the hub works, put back on either engine."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hub as package
from hub.cli.app import main
from hub.errors import HubError
from hub.store import Query, migrations, sqlite_copy
from hub.store.archive import Archive
from tests.databases import ENGINES, Server
from tests.engine.world import POINTS, World, recipe

THANKS = recipe(
    "thanks", 'when: sale\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "t {{ event.payment_id }}"}\n'
)
ANN = {"id": "ann", "phone": "+14155550101", "sms": True}
ROOT = Path(package.__file__).parent.parent
Make = Callable[..., World]


def _query(sql: str) -> Query:
    return Query("test", "", sql, ())


def hub(*words: object, code: int = 0, answer: str = "") -> str:
    """`hub …`: what it said on both streams."""
    result = CliRunner().invoke(main, [str(word) for word in words], input=answer)
    assert result.exit_code == code, f"hub {words} ended with {result.exit_code}:\n{result.output}\n{result.exception!r}"
    return result.output


def told(*words: object, code: int = 0) -> Any:
    """`hub … --json`: what it printed."""
    result = CliRunner().invoke(main, [str(word) for word in (*words, "--json")])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture(params=ENGINES)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Another workspace, on each engine in turn, in which nothing has happened; it is stopped."""
    if request.param == "sqlite":
        world = World(tmp_path / "other", POINTS, THANKS)
        world.close()
        yield world
        world.close()
        return
    server: Server = request.getfixturevalue("postgres_server")
    corner = server.take()
    world = World(tmp_path / "other", POINTS, THANKS, database=corner.url)
    world.close()
    yield world
    world.close()
    server.give_back(corner)


def facts_of(world: World) -> tuple[Any, ...]:
    """What two hubs that heard the same agree on."""
    sold = sorted((row["key"], row["state"]) for row in world.events("payment"))
    return world.totals(), sold, [world.balance(f"id:till:c{n}") for n in range(7)]


def rewritten(path: Path, edit: Callable[[str, bytes], bytes]) -> Path:
    """A copy of the file, each part as `edit` makes it."""
    changed = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, edit(name, old.read(name)))
    return changed


def test_a_copy_taken_under_load_holds_one_moment_and_the_rest_can_be_sent_again(
    make: Make, other: World, tmp_path: Path
) -> None:
    """Deliveries come in and are worked meanwhile; the books hold, and the platform's repeats lead to the same totals."""
    world = make(POINTS)
    stop, number = threading.Event(), 0

    def load() -> None:
        nonlocal number
        while not stop.is_set():
            for _ in range(20):
                number += 1
                world.pay(f"p{number}", "12.50", {"id": f"c{number % 7}"})
            world.work()

    for n in range(7):
        world.pay(f"first{n}", "5.00", {"id": f"c{n}"})
    world.work()
    loader = threading.Thread(target=load)
    loader.start()
    made = [told("db", "backup", tmp_path / f"b{n}.zip", "-w", world.folder) for n in range(3)]
    stop.set()
    loader.join(60)
    world.work()
    assert made[0]["rows"]["delivery"] < made[2]["rows"]["delivery"] < number + 7
    restored = told("db", "restore", tmp_path / "b2.zip", "-w", other.folder)
    assert restored["books"]["verified"]
    assert restored["books"]["txns"] == made[2]["rows"]["txn"]
    assert restored["to_work"] == made[2]["deliveries_to_work"]
    other.open()
    there = {row["id"] for row in other.rows("SELECT id FROM event")}
    assert len(there) == made[2]["rows"]["event"]
    deliveries = other.hub.inbox.after(0, 1_000_000)
    assert {row["delivery_id"] for row in other.rows("SELECT delivery_id FROM event")} <= {one.id for one in deliveries}
    other.work()
    for n in range(7):
        other.pay(f"first{n}", "5.00", {"id": f"c{n}"})
    for n in range(1, number + 1):
        other.pay(f"p{n}", "12.50", {"id": f"c{n % 7}"})
    other.work()
    assert facts_of(other) == facts_of(world)
    other.prove()


def test_the_hub_is_copied_before_its_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens between the two copies is in the inbox and not yet in the hub, and is simply worked after the restore."""
    world, later = World(tmp_path / "w", POINTS), World(tmp_path / "n", POINTS)
    later.close()
    taken = sqlite_copy.moment

    def slow(path: Path, schema: str) -> Any:
        found = taken(path, schema)
        if schema == "hub":
            world.pay("between", "9.00")
            world.work()
        return found

    monkeypatch.setattr(sqlite_copy, "moment", slow)
    made = told("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    assert (made["rows"]["event"], made["rows"]["delivery"], made["deliveries_to_work"]) == (0, 1, 1)
    told("db", "restore", tmp_path / "b.zip", "-w", later.folder)
    later.open()
    later.work()
    assert [row["key"] for row in later.events("payment")] == ["between"]
    later.close()
    world.close()


def test_both_engines_write_the_same_file(make: Make, other: World, tmp_path: Path) -> None:
    """Moved to another engine and copied again, every table has the same checksum."""
    world = make(POINTS)
    world.pay("p1", "20.00", {**ANN, "email": "änn@example.com"})
    world.work()
    world.worker.seal()
    hub("db", "backup", tmp_path / "a.zip", "-w", world.folder)
    told("db", "restore", tmp_path / "a.zip", "--resume-calls", "-w", other.folder)
    hub("db", "backup", tmp_path / "b.zip", "-w", other.folder)
    a, b = Archive(tmp_path / "a.zip"), Archive(tmp_path / "b.zip")
    sums = [{part.table.name: part.sha256 for one in made.manifest.schemas.values() for part in one.parts} for made in (a, b)]
    assert {name for name in sums[0] if sums[0][name] != sums[1][name]} <= {"worker"}  # the heartbeat is not kept
    assert a.manifest.facts == b.manifest.facts
    assert a.manifest.facts["newest_block"]["seq"] == 1
    a.close()
    b.close()


def test_calls_that_waited_are_held_since_they_may_have_been_made(make: Make, other: World, tmp_path: Path) -> None:
    """Nothing goes out by itself after a restore; a person replays what was not sent."""
    world = make(POINTS, THANKS)
    world.pay("p1", "20.00", ANN)
    world.take_in()
    assert [call["state"] for call in world.calls("send_safe")] == ["due"]
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    said = hub("db", "restore", tmp_path / "b.zip", "-w", other.folder)
    assert "1 calls to platforms waited" in said
    assert "may reach members a second time" in said
    other.open()
    other.work()
    [call] = other.calls("send_safe")
    assert call["state"] == "held"
    assert "may have been done: the hub was restored from the backup of 20" in call["note"]
    assert other.run("thanks")["state"] == "held"
    assert not other.platform.sent
    other.do("replay", id=other.run("thanks")["id"])
    other.work()
    assert [text for _, text in other.platform.sent] == ["t p1"]
    assert other.run("thanks")["state"] == "done"


def test_a_move_makes_the_calls_that_waited(make: Make, other: World, tmp_path: Path) -> None:
    """Where nothing was worked after the backup, nothing needs a person."""
    world = make(POINTS, THANKS)
    world.pay("p1", "20.00", ANN)
    world.take_in()
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    assert told("db", "restore", tmp_path / "b.zip", "--resume-calls", "-w", other.folder)["held"] == 0
    other.open()
    other.work()
    assert [text for _, text in other.platform.sent] == ["t p1"]


def test_numbers_go_on_where_they_were(make: Make, other: World, tmp_path: Path) -> None:
    """A delivery after the restore comes after all that was worked, also when the newest are not in the inbox any more."""
    world = make(POINTS)
    for n in range(5):
        world.pay(f"p{n}", "1.00")
    world.work()
    with world.hub.inbox_store.write() as session:
        session.run(_query("DELETE FROM delivery"))
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    told("db", "restore", tmp_path / "b.zip", "-w", other.folder)
    other.open()
    other.pay("new", "1.00")
    other.work()
    assert other.hub.inbox.last_seq() == 6
    assert len(other.events("payment")) == 6


def test_what_is_recorded_is_replaced_only_when_asked_and_kept_aside(make: Make, tmp_path: Path) -> None:
    """Without --replace nothing is touched; with it, a question comes first."""
    world = make(POINTS)
    world.pay("old", "1.00")
    world.work()
    file = tmp_path / "b.zip"
    hub("db", "backup", file, "-w", world.folder)
    world.pay("newer", "1.00")
    world.work()
    world.close()
    assert "--replace" in hub("db", "restore", file, "-w", world.folder, code=1)
    hub("db", "restore", file, "--replace", "-w", world.folder, code=1, answer="n\n")
    world.open()
    assert len(world.events("payment")) == 2
    world.close()
    assert "kept aside" in hub("db", "restore", file, "--replace", "-w", world.folder, answer="y\n")
    world.open()
    assert [row["key"] for row in world.events("payment")] == ["old"]
    if world.database.startswith("sqlite"):
        [aside] = (world.folder / "data").glob("replaced_*")
        assert {path.name for path in aside.iterdir()} == {"hub.db", "inbox.db"}
    else:
        [aside] = world.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'txn' AND schemaname LIKE 'replaced_%'")
        assert world.one(f"SELECT COUNT(*) AS number FROM {aside['schemaname']}.event")["number"] == 2
        assert world.rows(f"SELECT 1 AS there FROM {aside['schemaname']}.migration")
        with pytest.raises(Exception, match="append only"), world.hub.store.write() as session:
            session.run(_query(f"DELETE FROM {aside['schemaname']}.txn"))
        with world.hub.store.write() as session:
            session.run(_query(f"DROP SCHEMA {aside['schemaname']} CASCADE"))


def test_nothing_is_restored_under_a_worker(make: Make, tmp_path: Path) -> None:
    """It is told what to stop."""
    world = make(POINTS)
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    assert "stop `hub run` and `hub worker`" in hub("db", "restore", tmp_path / "b.zip", "-w", world.folder, code=1)


def test_nothing_is_restored_under_a_process_that_takes_deliveries_in(tmp_path: Path) -> None:
    """On SQLite every process that has a file open has to end; then nothing that it acknowledges is lost."""
    world = World(tmp_path / "w")
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    world.hub.database.places.leave()
    said = hub("db", "restore", tmp_path / "b.zip", "-w", world.folder, code=1)
    assert "is in use" in said
    assert "hub web" in said
    world.pay("p1", "1.00")
    world.close()


def test_on_postgresql_those_who_take_deliveries_in_go_on_with_the_new_tables(make: Make, tmp_path: Path) -> None:
    """What they keep afterwards is worked by the restored hub."""
    world = make(POINTS)
    if world.database.startswith("sqlite"):
        return
    for n in range(8):  # so that the statement is prepared
        world.pay(f"p{n}", "1.00")
    world.work()
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    world.hub.database.places.leave()
    hub("db", "restore", tmp_path / "b.zip", "--replace", "--yes", "-w", world.folder)
    world.hub.database.places.join()
    world.pay("p8", "1.00")
    world.work()
    assert sorted(row["key"] for row in world.events("payment")) == [f"p{n}" for n in range(9)]
    with world.hub.store.write() as session:
        [aside] = world.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'txn' AND schemaname LIKE 'replaced_%'")
        session.run(_query(f"DROP SCHEMA {aside['schemaname']} CASCADE"))


def test_a_restore_that_was_cut_off_lets_nobody_in(tmp_path: Path) -> None:
    """A hub must not make empty files in the place of those that are still to come."""
    world = World(tmp_path / "w")
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    world.close()
    (world.folder / "data" / "restoring").mkdir()
    with pytest.raises(HubError, match="run `hub db restore` again"):
        world.open()
    hub("db", "restore", tmp_path / "b.zip", "-w", world.folder)
    world.open()
    world.close()


def test_a_file_is_for_its_owner_alone_and_overwrites_nothing(make: Make, tmp_path: Path) -> None:
    """It has its name only when it is whole."""
    world = make(POINTS)
    file = tmp_path / "b.zip"
    before = set(tmp_path.iterdir())
    hub("db", "backup", file, "-w", world.folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert "overwrites nothing" in hub("db", "backup", file, "-w", world.folder, code=1)
    assert file.read_bytes() == content
    assert set(tmp_path.iterdir()) - before == {file}


def test_the_key_is_in_the_file_only_when_asked_for(make: Make, other: World, tmp_path: Path) -> None:
    """It is put beside the database with which it belongs, and never over another key."""
    world = make(POINTS)
    key = world.folder / "data" / "secret.key"
    assert "no key file" in hub("db", "backup", tmp_path / "a.zip", "--with-key", "-w", world.folder, code=1)
    key.parent.mkdir(exist_ok=True)
    key.write_bytes(b"k1")
    assert "is not in it" in hub("db", "backup", tmp_path / "a.zip", "-w", world.folder)
    assert told("db", "backup", tmp_path / "b.zip", "--with-key", "-w", world.folder)["files"] == ["secret.key"]
    there = other.folder / "data" / "secret.key"
    there.parent.mkdir(exist_ok=True)
    there.write_bytes(b"k2")
    assert "another key" in hub("db", "restore", tmp_path / "b.zip", "-w", other.folder, code=1)
    there.unlink()
    hub("db", "restore", tmp_path / "b.zip", "-w", other.folder)
    assert there.read_bytes() == b"k1"
    assert stat.S_IMODE(there.stat().st_mode) == 0o600


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a hub in which something happened."""
    world = World(tmp_path / "source", POINTS)
    world.pay("p1", "20.00", ANN)
    world.work()
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    world.close()
    return tmp_path / "b.zip"


def _changed_row(name: str, content: bytes) -> bytes:
    return content.replace(b"+14155550101", b"+14155550102") if name == "hub/member.jsonl" else content


def _lost_row(name: str, content: bytes) -> bytes:
    return b"" if name == "inbox/delivery.jsonl" else content


def _garbage(name: str, content: bytes) -> bytes:
    return b"\xff{" if name == "hub/event.jsonl" else content


@pytest.mark.parametrize("edit", [_changed_row, _lost_row, _garbage])
def test_a_damaged_file_is_told_and_changes_nothing(backup: Path, other: World, edit: Any) -> None:
    """Whatever was altered, the part is named, and the workspace stays empty and usable."""
    said = hub("db", "restore", rewritten(backup, edit), "-w", other.folder, code=1)
    assert "is damaged in" in said
    assert ".jsonl" in said
    other.open()
    assert not other.events()
    other.pay("p2", "1.00")
    other.work()


def test_a_file_that_was_cut_off_or_is_no_backup_is_told(backup: Path, other: World, tmp_path: Path) -> None:
    """In words that say which file, and what is the matter with it."""
    cut = tmp_path / "cut.zip"
    cut.write_bytes(backup.read_bytes()[:-100])
    assert "was cut off" in hub("db", "restore", cut, "-w", other.folder, code=1)
    bitten = bytearray(backup.read_bytes())
    bitten[200:1200] = bytes(1000)
    cut.write_bytes(bitten)
    assert "is damaged in" in hub("db", "restore", cut, "-w", other.folder, code=1)
    text = tmp_path / "notes.txt"
    text.write_text("nothing", "utf-8")
    assert "is no backup" in hub("db", "restore", text, "-w", other.folder, code=1)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as photos:
        photos.writestr("a.jpg", b"")
    assert "no backup of the hub" in hub("db", "restore", tmp_path / "photos.zip", "-w", other.folder, code=1)
    assert "there is no file" in hub("db", "restore", tmp_path / "nowhere.zip", "-w", other.folder, code=1)

    def newer(name: str, content: bytes) -> bytes:
        return content.replace(b'"version": 1', b'"version": 9') if name == "manifest.json" else content

    assert "version 9 of the format" in hub("db", "restore", rewritten(backup, newer), "-w", other.folder, code=1)

    def strange(name: str, content: bytes) -> bytes:
        return content.replace(b'"txn": {', b'"txn (id) SELECT 1; --": {') if name == "manifest.json" else content

    assert "no hub has" in hub("db", "restore", rewritten(backup, strange), "-w", other.folder, code=1)


def test_an_older_backup_is_brought_up_to_date_and_a_newer_one_refused(
    backup: Path, other: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that the backup has not seen is taken; one that this hub does not know is named."""
    steps = migrations.steps

    def more(schema: str) -> list[tuple[str, str]]:
        extra = ("9999_extra.sql", "CREATE TABLE extra (id TEXT PRIMARY KEY);\nINSERT INTO extra SELECT id FROM txn;")
        return [*steps(schema), *([extra] if schema == "hub" else [])]

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "steps", more)
        restored = told("db", "restore", backup, "-w", other.folder)
        assert restored["taken"] == {"hub": ["9999_extra.sql"], "inbox": []}
        other.open()
        assert other.one("SELECT COUNT(*) AS number FROM extra")["number"] == restored["books"]["txns"] == 1
        other.close()
        hub("db", "backup", tmp_path / "newer.zip", "-w", other.folder)
        if not other.database.startswith("sqlite"):
            other.open()
            with other.hub.store.write() as session:
                session.run(_query("DROP TABLE extra"))
                session.run(_query("DELETE FROM migration WHERE name = '9999_extra.sql'"))
            other.close()
    said = hub("db", "restore", tmp_path / "newer.zip", "--replace", "--yes", "-w", other.folder, code=1)
    assert "newer than this one" in said
    assert "9999_extra.sql" in said


def test_books_that_were_wrong_are_restored_and_told(tmp_path: Path) -> None:
    """A copy is faithful, also of what somebody has changed; the exit code says so."""
    world, later = World(tmp_path / "w", POINTS), World(tmp_path / "n", POINTS)
    later.close()
    world.pay("p1", "20.00")
    world.work()
    with world.hub.store.write() as session:
        session.run(_query("UPDATE balance SET available = available + 1"))
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    world.close()
    assert "The books are wrong" in hub("db", "restore", tmp_path / "b.zip", "-w", later.folder, code=1)
    assert told("db", "restore", tmp_path / "b.zip", "--replace", "--yes", "-w", later.folder, code=1)["books"]["findings"]


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from hub.cli.app import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("words", [("backup", "c.zip"), ("restore", "b.zip")])
def test_a_disk_without_room_is_told_and_nothing_is_left_behind(tmp_path: Path, words: tuple[str, str]) -> None:
    """Neither a part of a file nor a part of a database."""
    world, later = World(tmp_path / "w", POINTS), World(tmp_path / "n", POINTS)
    later.close()
    for _ in range(60):
        world.deliver("till", "payment", os.urandom(6_000))
    world.work()
    hub("db", "backup", tmp_path / "b.zip", "-w", world.folder)
    folder = world.folder if words[0] == "backup" else later.folder
    before = {path.name for path in (*tmp_path.iterdir(), *(later.folder / "data").iterdir())}
    command = [sys.executable, "-c", _LIMITED, "200000", "db", words[0], str(tmp_path / words[1]), "-w", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "could not be written" in ended.stderr
    assert {path.name for path in (*tmp_path.iterdir(), *(later.folder / "data").iterdir())} == before
    world.close()
    later.open()
    later.close()
