"""(3) Working alone: how many kept deliveries a second become committed points, beside the database with no hub around it."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale
from hub import bootstrap, config
from hub.engine.inbox import Delivery
from hub.ledger import totals

_MEMBERS = 2_000
_PORTION = 500
_POINTS = 18
_GOAL = Goal("ratio", 0.2, is_least=True)


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """SQLite with its one worker; PostgreSQL with one and with two workers beside one and two processes."""
    rows = []
    for name, engine, workers in workspace.setups(say):
        say(name)
        goal = _GOAL if engine == "sqlite" or workers > 1 else None
        rows.append(_row(name, _by_turns(scale, workers, engine), goal))
    return rows


def worked(folder: Path, events: int, workers: int) -> float:
    """Seconds in which so many workers turn so many sales, kept before, into points. RuntimeError when any has none."""
    _fill(folder, events, _MEMBERS)
    told = together([("-m", "benchmarks.drain", folder)] * workers)
    if (points := _issued(folder)) != _POINTS * events:
        raise RuntimeError(f"{events} sales have {points} points instead of {_POINTS * events}")
    return max(one["seconds"] for one in told)


def _fill(folder: Path, number: int, members: int) -> None:
    """Keep so many sales in the inbox of a workspace."""
    hub = bootstrap.open_hub(config.load(folder))
    headers = {"content-type": "application/json"}
    try:
        for first in range(0, number, _PORTION):
            now = datetime.now(UTC)
            bodies = [workspace.sale(n, members) for n in range(first, min(number, first + _PORTION))]
            hub.inbox.keep_many(
                [Delivery("http", body, now, "webhook", "POST", "/hooks/webhook", headers=headers) for body in bodies]
            )
    finally:
        hub.close()


def _issued(folder: Path) -> int:
    """The points that a workspace has given."""
    hub = bootstrap.open_hub(config.load(folder))
    try:
        with hub.store.read() as session:
            return totals(session).issued
    finally:
        hub.close()


def together(commands: Sequence[Sequence[object]]) -> list[dict[str, float]]:
    """Start these processes, let all of them begin at once when all are ready; what each says at its end."""
    with ExitStack() as stack:
        processes = [stack.enter_context(workspace.process(*command)) for command in commands]
        for one in processes:
            _hear(one, "ready")
        for one in processes:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [json.loads(_hear(one, "{")) for one in processes]


def _hear(process: subprocess.Popen[str], begins: str) -> str:
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said.startswith(begins):
        raise RuntimeError(f"{process.args} said {said!r}")
    return said


def _by_turns(scale: Scale, workers: int, engine: str) -> list[tuple[float, float]]:
    """Events a second of the hub and of its floor, turn by turn."""
    found = []
    for _ in range(scale.rounds):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(workspace.postgres()) if engine == "postgresql" else f"sqlite:///{folder}/bare.db"
            share = scale.events // workers
            bare = together([("-m", "benchmarks.bare", url, share, n) for n in range(workers)])
            floor = share * workers / max(one["seconds"] for one in bare)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "hub"
            database = stack.enter_context(workspace.postgres()) if engine == "postgresql" else "sqlite:///data"
            workspace.make(folder, [workspace.POINTS], database=database)
            found.append((scale.events / worked(folder, scale.events, workers), floor))
    return found


def _row(name: str, found: Sequence[tuple[float, float]], goal: Goal | None) -> Row:
    hub, floor = (statistics.median(pair[place] for pair in found) for place in (0, 1))
    return Row(3, f"working alone, {name}", hub, "events/s", "bare database", floor, goal)
