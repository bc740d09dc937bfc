"""(7) Answered: how long after its 2xx a delivery has led to a call that the vendor has answered."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import load, workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale

_MEMBERS = 2_000
_VENDOR_MS = 50
_WAIT_SECONDS_MOST = 120


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """A steady rate of sales, each with points and one call to a vendor that takes its time."""
    number = int(scale.calls_rate * scale.calls_seconds)
    say(f"{scale.calls_rate:g}/s for {scale.calls_seconds:g} s")
    with tempfile.TemporaryDirectory() as folder:
        ports = workspace.free_port(), workspace.free_port()
        partner = f"http://127.0.0.1:{ports[0]}/"
        shop = workspace.make(Path(folder) / "hub", [workspace.POINTS_AND_CALL], partner=partner)
        with (
            workspace.process("-m", "benchmarks.vendor", ports[0], _VENDOR_MS) as vendor,
            workspace.hub("run", "--port", ports[1], folder=shop) as hub,
        ):
            workspace.await_answer(ports[1], hub)
            called: dict[str, float] = {}
            threading.Thread(target=_hear, args=(vendor, called), daemon=True).start()
            answers = load.steady(ports[1], workspace.sales(number, _MEMBERS), scale.calls_rate)
            until = time.monotonic() + _WAIT_SECONDS_MOST
            while len(called) < number and time.monotonic() < until:
                time.sleep(0.1)
    if len(called) < number:
        raise RuntimeError(f"{number - len(called)} of {number} calls were not made within {_WAIT_SECONDS_MOST} s")
    waits = load.Answers(waits=[called[f"ord_{place:08}"] - at for place, at in answers.at.items()])
    what = f"2xx to the answered call, {scale.calls_rate:g}/s, vendor takes {_VENDOR_MS} ms"
    return [
        Row(7, f"{what}, p50", waits.percentile(0.5), "s"),
        Row(7, f"{what}, p99", waits.percentile(0.99), "s", goal=Goal("figure", 3)),
    ]


def _hear(vendor: subprocess.Popen[str], called: dict[str, float]) -> None:
    assert vendor.stdout is not None
    for line in vendor.stdout:
        at, _, order = line.partition(" ")
        called.setdefault(order.strip(), float(at))
