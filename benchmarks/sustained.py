"""(2) Accepted and worked: the rate that the whole hub keeps up with, from the webhook to the committed award.

A recipe with a condition gives points (transaction, entries, lot, link of the chain, trace) and asks for a call to a partner
that does not answer: its breaker is open, so that the calls stay in the outbox. A rate is kept when every delivery is answered
with 2xx, the p99 of the answers and the age of the oldest delivery that waits for the worker stay within the goal, and when
afterwards every sale has its points.
"""

from __future__ import annotations

import functools
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale
from hub import bootstrap, config
from hub.ledger import totals

_MEMBERS = 20_000
_POINTS = 18
_ANSWER_MS_MOST = 40
_BACKLOG_SECONDS_MOST = 1.0
_LOOK_SECONDS = 0.5
_WARM_UP = (100, 50)
_DRAIN_SECONDS_MOST = 120
_STEP_BACK = 0.9
_STEPS_BACK_MOST = 4
_PER_SECOND = 2_500


@dataclass(frozen=True, slots=True)
class Kept:
    """One rate, and how it went. answer_ms: p99. backlog_seconds: the longest that a delivery waited to be worked."""

    rate: float
    answer_ms: float
    backlog_seconds: float

    @property
    def holds(self) -> bool:
        """Whether the hub kept up."""
        return self.answer_ms < _ANSWER_MS_MOST and self.backlog_seconds < _BACKLOG_SECONDS_MOST


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """SQLite with its one worker, PostgreSQL with one and with two."""
    rows = []
    for name, engine, workers in workspace.setups(say):
        best = highest(functools.partial(tried, engine, workers), scale, lambda said, name=name: say(f"{name}: {said}"))
        rows += _rows(f"accepted and worked, {name}", best, scale, is_embedded=engine == "sqlite")
    return rows


def _rows(what: str, best: Kept | None, scale: Scale, *, is_embedded: bool) -> list[Row]:
    goal = Goal("figure", _PER_SECOND, is_least=True) if is_embedded else None
    rows = [Row(2, f"{what}, for {scale.kept_seconds:g} s", best.rate if best else 0, "/s", goal=goal)]
    if best is not None:
        rows += [
            Row(2, f"{what}, p99 of the answer", best.answer_ms, "ms", goal=Goal("figure", _ANSWER_MS_MOST)),
            Row(2, f"{what}, longest backlog", best.backlog_seconds, "s", goal=Goal("figure", _BACKLOG_SECONDS_MOST)),
        ]
    return rows


def highest(attempt: Callable[[float, float], Kept], scale: Scale, say: Callable[[str], None]) -> Kept | None:
    """The highest rate that is kept for long: searched in short trials, upwards or else downwards, then proven."""
    rate, has_risen = scale.first_rate, False
    for _ in range(scale.rates_most):
        short = attempt(rate, scale.tried_seconds)
        say(f"{rate:,.0f}/s: p99 {short.answer_ms:.0f} ms, waits {short.backlog_seconds:.1f} s")
        if not short.holds:
            rate /= scale.rate_factor
            if has_risen:
                break
        elif rate < scale.first_rate:
            break
        else:
            rate, has_risen = rate * scale.rate_factor, True
    for _ in range(_STEPS_BACK_MOST):
        proven = attempt(rate, scale.kept_seconds)
        say(f"{rate:,.0f}/s for {scale.kept_seconds:g} s: p99 {proven.answer_ms:.0f} ms, waits {proven.backlog_seconds:.1f} s")
        if proven.holds:
            return proven
        rate *= _STEP_BACK
    return None


def tried(engine: str, workers: int, rate: float, seconds: float) -> Kept:
    """A fresh hub under this rate."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "hub"
        database = stack.enter_context(workspace.postgres()) if engine == "postgresql" else "sqlite:///data"
        workspace.make(folder, [workspace.POINTS_AND_CALL], database=database)
        with _running(folder, workers if engine == "postgresql" else 0) as port:
            first = workspace.sales(_WARM_UP[0], _MEMBERS, stamp="warm-")
            load.steady(port, first, _WARM_UP[1])
            requests = workspace.sales(int(rate * seconds), _MEMBERS)
            with _watched(port) as longest:
                answers = load.steady(port, requests, rate)
            _await_worked(port)
        _prove(folder, len(first) + len(requests))
    if answers.refused:
        raise RuntimeError(f"{answers.refused} genuine deliveries were refused")
    return Kept(rate, answers.percentile(0.99) * 1000, max(longest))


@contextmanager
def _running(folder: Path, workers: int) -> Iterator[int]:
    """The hub at work; its port. workers: so many processes beside one for the web, or 0 for `hub run`."""
    port = workspace.free_port()
    with ExitStack() as stack:
        words = ["web"] if workers else ["run"]
        if workers:
            bootstrap.open_hub(config.load(folder)).close()  # the tables are there before several want to make them
        server = stack.enter_context(workspace.hub(*words, "--port", port, folder=folder))
        for _ in range(workers):
            stack.enter_context(workspace.hub("worker", folder=folder))
        workspace.await_answer(port, server)
        yield port


@contextmanager
def _watched(port: int) -> Iterator[list[float]]:
    """How long deliveries wait for the worker, as the hub says itself, while the block lasts."""
    found, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_SECONDS):
            found.append(_lag(port))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield found
    finally:
        stop.set()
        looking.join()


def _lag(port: int) -> float:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as asked:
        asked.sendall(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: asked.recv(65_536), b""))
    found = re.search(rb"^hub_lag_seconds ([0-9.e+-]+)$", answer, re.MULTILINE)
    if found is None:
        raise RuntimeError("the hub's metrics do not say how far the worker is behind")
    return float(found[1])


def _await_worked(port: int) -> None:
    until = time.monotonic() + _DRAIN_SECONDS_MOST
    while _lag(port) > 0:
        if time.monotonic() > until:
            raise TimeoutError("the worker does not come to an end")
        time.sleep(0.1)


def _prove(folder: Path, sales: int) -> None:
    """Every sale has its points, and every call waits."""
    hub = bootstrap.open_hub(config.load(folder))
    try:
        with hub.store.read() as session:
            issued = totals(session).issued
        calls = sum(number for (to, _), number in hub.snapshot().outbox.items() if to == "partner")
    finally:
        hub.close()
    if issued != _POINTS * sales or calls != sales:
        raise RuntimeError(f"{sales} sales have {issued} points instead of {_POINTS * sales}, and {calls} calls")
