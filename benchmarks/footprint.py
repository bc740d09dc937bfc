"""(6) Footprint: what `hub run` with every connector takes of memory, and how long it takes to its first answer."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import load, workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale

_MEMBERS = 2_000
_RATE = 500


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """Starts, then memory: idle, and after a load of some 10,000 sales."""
    starts = []
    with tempfile.TemporaryDirectory() as folder:
        shop = workspace.make(Path(folder) / "hub", [workspace.POINTS])
        for turn in range(scale.starts + 1):
            say(f"start {turn + 1} of {scale.starts + 1}")
            port = workspace.free_port()
            began = time.perf_counter()
            with workspace.hub("run", "--port", port, folder=shop) as hub:
                workspace.await_answer(port, hub)
                starts.append(time.perf_counter() - began)
                if turn < scale.starts:
                    continue
                time.sleep(scale.load_seconds / 2)
                idle = _megabytes(hub.pid)
                say("load")
                load.steady(port, workspace.sales(int(_RATE * scale.kept_seconds), _MEMBERS), _RATE)
                loaded = _megabytes(hub.pid)
    return [
        Row(6, "start to first answer", statistics.median(starts[1:]), "s", goal=Goal("figure", 1.5)),
        Row(6, "memory, web and worker, idle", idle, "MB"),
        Row(6, "memory, web and worker, loaded", loaded, "MB", goal=Goal("figure", 150)),
    ]


def _megabytes(pid: int) -> float:
    """The memory of a process and its children; what they share counts once (PSS)."""
    total = 0
    for one in _family(pid):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text("ascii"), re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 1024


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            yield from _family(int(child))
