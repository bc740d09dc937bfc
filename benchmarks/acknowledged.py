"""(1) Acknowledged: how many webhooks a second are on the disk and answered, beside the least that this takes."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import load, workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale

_MEMBERS = 2_000
_PER_SECOND_MOST = 15_000
_GOAL_CONNECTIONS = 64


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """Floor and hub by turns, for each number of connections."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        shop = workspace.make(Path(folder) / "hub", [workspace.POINTS])
        ports = workspace.free_port(), workspace.free_port()
        with (
            workspace.process("-m", "benchmarks.floor", folder, ports[0]) as floor,
            workspace.hub("web", "--port", ports[1], folder=shop) as hub,
        ):
            workspace.await_answer(ports[0], floor)
            workspace.await_answer(ports[1], hub)
            for connections in scale.connections:
                say(f"{connections} connections")
                rows += _rows(connections, *_by_turns(scale, ports, connections))
    return rows


def _by_turns(scale: Scale, ports: Sequence[int], connections: int) -> tuple[list[load.Answers], list[load.Answers]]:
    found: tuple[list[load.Answers], list[load.Answers]] = [], []
    number = int(scale.load_seconds * _PER_SECOND_MOST)
    for turn in range(scale.rounds):
        requests = workspace.sales(number, _MEMBERS, stamp=f"{connections}-{turn}-")
        for port, answers in zip(ports, found, strict=True):
            answers.append(load.closed(port, requests, connections, scale.load_seconds))
            if answers[-1].refused:
                raise RuntimeError(f"{answers[-1].refused} genuine deliveries were refused")
    return found


def _rows(connections: int, floor: Sequence[load.Answers], hub: Sequence[load.Answers]) -> list[Row]:
    what = f"acknowledged, {connections} connections"
    rates = [statistics.median(one.per_second for one in answers) for answers in (hub, floor)]
    goal = Goal("ratio", 0.6, is_least=True) if connections == _GOAL_CONNECTIONS else None
    rows = [Row(1, what, rates[0], "/s", "plain WSGI", rates[1], goal)]
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        waits = [statistics.median(one.percentile(share) * 1000 for one in answers) for answers in (hub, floor)]
        rows.append(Row(1, f"{what}, {name}", waits[0], "ms", "plain WSGI", waits[1]))
    return rows
