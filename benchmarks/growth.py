"""(4) Growth: what an event costs when the tables have become large and the recipes many.

The tables are filled with the hub's own rows: some sales are worked as always, and then their rows are copied by set-oriented
SQL, each copy with other ids: members, sales, awards, lots of its own. Only the hashes of the chains are those of the first
copy, so that `hub ledger verify` would find fault with the rest. What was filled is kept for the next time.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random

from benchmarks import many_recipes, workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale
from hub import bootstrap, config
from hub.clock import VirtualClock
from hub.engine.inbox import Delivery

BEGAN = datetime(2026, 2, 6, 22, tzinfo=UTC)
_ENTRIES_OF_A_SALE = 2
_SALES_MOST = 5_000
_SALES_OF_A_MEMBER = 5
_PORTION = 500
_COPIES_BETWEEN_WORDS = 50
_COPIED = (
    "member", "identity", "identity_conflict", "member_change", "consent", "consent_change", "event", "event_reference", "run",
    "trace", "txn", "entry", "lot", "link", "balance", "lot_left",
)  # fmt: skip
"""What a sale leaves behind. Everything else is about the hub itself: places, recipes, what it heard and when."""


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """Few and many entries, one and many recipes, by turns."""
    kept = {entries: filled(scale.folder, entries, say) for entries in scale.entries}
    cases = list(product(scale.entries, (1, scale.recipes)))
    found: dict[tuple[int, int], list[float]] = {case: [] for case in cases}
    for turn in range(scale.rounds):
        for entries, recipes in cases:
            say(f"turn {turn + 1} of {scale.rounds}: {entries:,} entries, {recipes:,} recipes")
            found[entries, recipes].append(_rate(kept[entries], entries, recipes, scale.events))
    least = statistics.median(found[cases[0]])
    goal = Goal("ratio", 0.6, is_least=True)
    return [
        Row(
            4,
            f"working, {_counted(entries, 'entry', 'entries')}, {_counted(recipes, 'recipe', 'recipes')}",
            statistics.median(found[entries, recipes]),
            "events/s",
            "" if (entries, recipes) == cases[0] else "fewest of both",
            None if (entries, recipes) == cases[0] else least,
            goal if (entries, recipes) == cases[-1] else None,
        )
        for entries, recipes in cases
    ]


def _counted(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def filled(kept: Path, entries: int, say: Callable[[str], None]) -> Path:
    """The folder of a database with so many entries; made when it is not there."""
    folder = kept / f"{entries}-entries"
    if folder.exists():
        return folder
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as made:
        shop = workspace.make(Path(made) / "hub", [workspace.POINTS])
        sales = min(_SALES_MOST, entries // _ENTRIES_OF_A_SALE)
        copies = entries // _ENTRIES_OF_A_SALE // sales
        _work_first(shop, sales)
        _copy(shop / "data" / "hub.db", copies, lambda done: say(f"{entries:,} entries: copy {done} of {copies}"))
        shop.rename(folder)
    return folder


def stamp(copy: int) -> str:
    """What the ids of a copy begin with: of the first one the time at which it was worked, of the others the next moments."""
    return f"{int(BEGAN.timestamp() * 1000) + copy:012x}"


def _work_first(folder: Path, sales: int) -> None:
    hub = bootstrap.open_hub(config.load(folder), clock=VirtualClock(BEGAN), random=Random(1))
    _keep(hub, (workspace.sale(n, sales // _SALES_OF_A_MEMBER, stamp(0)) for n in range(sales)))
    hub.worker().drain()
    hub.close()


def _keep(hub: bootstrap.Hub, bodies: Iterator[bytes]) -> None:
    now, headers = hub.clock.now(), {"content-type": "application/json"}
    kept = [Delivery("http", body, now, "webhook", "POST", "/hooks/webhook", headers=headers) for body in bodies]
    for first in range(0, len(kept), _PORTION):
        hub.inbox.keep_many(kept[first : first + _PORTION])


def _copy(path: Path, copies: int, say: Callable[[int], None]) -> None:
    """Add copies of all rows, each with the ids of a later moment."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # a broken one is thrown away
        connection.execute("PRAGMA cache_size = -1000000")
        inserts = [_insert(connection, name) for name in _COPIED]
        for copy in range(1, copies):
            connection.execute("BEGIN")
            for insert in inserts:
                connection.execute(insert, {"first": stamp(0), "other": stamp(copy)})
            connection.execute("COMMIT")
            if (copy + 1) % _COPIES_BETWEEN_WORDS == 0:
                say(copy + 1)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(connection: sqlite3.Connection, table: str) -> str:
    """Puts the rows that are there now aside, and gives what copies them; numbers that the database gives out are new."""
    wanted, given = [], []
    for _, name, kind, _, _, place in connection.execute(f"PRAGMA table_info({table})"):
        if kind == "INTEGER" and place == 1:
            continue
        wanted.append(name)
        given.append(f"replace({name}, :first, :other)" if kind == "TEXT" else name)
    connection.execute(f"CREATE TEMP TABLE first_{table} AS SELECT * FROM {table}")
    return f"INSERT INTO main.{table} ({', '.join(wanted)}) SELECT {', '.join(given)} FROM first_{table}"


def _rate(kept: Path, entries: int, recipes: int, events: int) -> float:
    """Events a second on a filled database, each of a member picked at random from all that there are."""
    sales = min(_SALES_MOST, entries // _ENTRIES_OF_A_SALE)
    copies = entries // _ENTRIES_OF_A_SALE // sales
    _write_recipes(kept, recipes)
    mark = f"{time.time_ns():x}"
    dice = Random(mark)
    hub = bootstrap.open_hub(config.load(kept), clock=VirtualClock(BEGAN + timedelta(days=1)))
    try:
        picked = [(n, dice.randrange(copies), dice.randrange(sales // _SALES_OF_A_MEMBER)) for n in range(events)]
        _keep(hub, (_sale(mark, n, copy, member) for n, copy, member in picked))
        worker = hub.worker()
        began = time.perf_counter()
        worker.drain()
        return events / (time.perf_counter() - began)
    finally:
        hub.close()


def _sale(mark: str, number: int, copy: int, member: int) -> bytes:
    """A new sale of a member who is there already."""
    plain = workspace.sale(number, 1, mark)
    return plain.replace(f'"cus_{mark}{0:08}"'.encode(), f'"cus_{stamp(copy)}{member:08}"'.encode())


def _write_recipes(folder: Path, number: int) -> None:
    shutil.rmtree(folder / "recipes")
    (folder / "recipes").mkdir()
    for n, recipe in enumerate([workspace.POINTS, *many_recipes.recipes(number - 1)]):
        (folder / "recipes" / f"{n:04}.yaml").write_text(recipe, "utf-8")
