"""Play: runs the shop's eighteen months through a hub, on a virtual clock, in this process.

Nothing inside the hub is faked: webhooks come over HTTP, signed; the worker is the one that `hub run` starts. Only time is
virtual: it stands still while a day's webhooks are worked, and moves from one due moment to the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from zoneinfo import ZoneInfo

from hub import bootstrap, config
from hub.clock import Monotonic, SystemClock, VirtualClock, monotonic
from hub.demo import figures, payloads, shop, workspace
from hub.demo.figures import Figures
from hub.demo.poster import Poster
from hub.demo.stand_in import StandIn
from hub.demo.vendors import SquareApi, TwilioApi
from hub.engine.worker import Worker
from hub.errors import HubError
from hub.ledger import Verification, verify
from hub.store import Session
from hub.web.app import create_app
from hub.web.server import threaded_server

_ZONE = ZoneInfo(shop.ZONE)
_EVENING = time_of_day(18)
_LOOK_EVERY_SECONDS = 3.0
_TICK_SECONDS = 0.5

Watch = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the play is. figures: not older than a few seconds."""

    day: date
    days_done: int
    days: int
    posted: int
    seconds: float
    events_per_second: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Stage:
    """A hub with everything around it: stand-in, web server, worker, poster; `play` lets time pass. url: of the web server."""

    hub: bootstrap.Hub
    worker: Worker
    clock: VirtualClock
    poster: Poster
    stand_in: StandIn
    square: SquareApi
    url: str
    steady: Monotonic

    def play(self, script: Iterable[tuple[date, list[shop.Happening]]], watch: Watch) -> Progress:
        """Live through every day of the script; gives the last state. watch: told of every day."""
        days = list(script)
        began = looked = self.steady()
        posted, pace, seen = 0, 0, self.figures()
        self.worker.drain()
        for number, (day, happenings) in enumerate(days, start=1):
            self._pass_until(datetime.combine(day, _EVENING, _ZONE))
            posted += self._tell(happenings)
            self.worker.drain()
            if number == len(days):
                self._pass_until(datetime.combine(day + timedelta(days=1), time_of_day(), _ZONE))
            now = self.steady()
            if now - looked >= _LOOK_EVERY_SECONDS or number == len(days):
                looked, seen = now, self.figures()
                pace = round(seen.events / max(now - began, 0.001))
            progress = Progress(day, number, len(days), posted, now - began, pace, seen)
            watch(progress)
        return progress

    def figures(self) -> Figures:
        """What has been worked so far."""
        with self.hub.store.read() as session:
            return figures.read(session, [tier.name for tier in self.hub.programme.tiers])

    def verify(self) -> Verification:
        """Prove the ledger."""
        with self.hub.store.read() as session:
            return verify(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view of the hub's database."""
        with self.hub.store.read() as session:
            yield session

    def serve(self) -> None:
        """Go on with time at its usual pace, until KeyboardInterrupt."""
        began, start = self.steady(), self.clock.now()
        while True:
            self.clock.move_to(start + timedelta(seconds=self.steady() - began))
            self.worker.drain()
            time.sleep(_TICK_SECONDS)

    def _tell(self, happenings: Iterable[shop.Happening]) -> int:
        """Let the platforms know of what happened, and the hub by their webhooks, but for those that are lost."""
        posts = []
        for happening in happenings:
            told = payloads.tell(happening)
            if told.connection == "square":
                self.square.learn(told)
            if not happening.lost:
                posts.append((happening.customer, told))
        return self.poster.post(posts)

    def _pass_until(self, moment: datetime) -> None:
        """Let time pass: everything that falls due until then is worked at its own moment, one after another."""
        while (due := self.worker.next_due()) is not None and due <= moment:
            self.clock.move_to(due)
            self.worker.drain()
        self.clock.move_to(moment)


@contextmanager
def stage(
    folder: Path, purchases: Iterable[shop.Purchase], *, database: str | None = None, steady: Monotonic = monotonic
) -> Iterator[Stage]:
    """A hub on a new workspace in `folder`, as the first day begins, with its vendors and doors.

    database: its address; a folder of the workspace when None. HubError when something is in it already.
    """
    clock = VirtualClock(datetime.combine(shop.FIRST_DAY, time_of_day(), _ZONE))
    square = SquareApi(purchases)
    with StandIn(square, TwilioApi(clock)) as stand_in:
        workspace.make(folder, stand_in.url, database)
        settings = config.load(folder, {})
        _must_be_empty(settings)
        hub = bootstrap.open_hub(settings, clock=clock)
        try:
            app = create_app(hub.door, hub.checks, hub.snapshot)
            with threaded_server(app) as served, Poster(served.url, hub.connections, clock) as poster:
                yield Stage(hub, hub.worker(), clock, poster, stand_in, square, served.url, steady)
        finally:
            hub.close()
            settings.data_folder.mkdir(exist_ok=True)
            _keep_offset(settings.data_folder, clock)


def _must_be_empty(settings: config.Settings) -> None:
    """The demo lives in a time of its own: it must not be let loose on a database that somebody uses."""
    place = bootstrap.open_database(settings)
    store = place.find("hub")
    if store is not None:
        store.close()
        raise HubError(
            f"The demo needs an empty database, and there is a hub in {place.shown} already. `CREATE DATABASE` another."
        )


def _keep_offset(data_folder: Path, clock: VirtualClock) -> None:
    """Leave the workspace in its own time: by how many seconds its clock differs from the machine's."""
    behind = clock.now() - SystemClock().now()
    (data_folder / config.CLOCK_OFFSET_FILE).write_text(f"{round(behind.total_seconds())}\n", "ascii")
