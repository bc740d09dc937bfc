"""Benches: the promises that only a whole hub can keep, put to whatever hub is handed in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from hub.errors import Unreadable
from hub.promises.trial import Trial, expect
from hub.sdk.connection import Connection
from hub.sdk.play import Called, Play, Respond, difference, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import SAMPLE_NOW


class Bench(Protocol):
    """A hub of one's own with one connection, whose platform is played. Its clock stands at `SAMPLE_NOW`."""

    def receive(self, request: Request) -> int:
        """Takes a request in at the door; gives the HTTP status of the answer."""
        ...

    def work(self) -> None:
        """Works until nothing is left to do."""
        ...

    def events(self) -> int:
        """How many events were recorded."""
        ...

    def deliveries(self) -> int:
        """How many deliveries were kept."""
        ...


OpenBench = Callable[[Connection, Play], AbstractContextManager[Bench]]


def bench_promises(open_bench: OpenBench) -> tuple[Callable[[Trial], None], ...]:
    """The promises, on benches of that make."""

    def is_recorded_once(trial: Trial) -> None:
        """Delivered twice, it is one event."""
        connection = trial.connection()
        with open_bench(connection, Play(_as_asked(trial))) as bench:
            statuses = [bench.receive(trial.signed(connection)) for _ in range(2)]
            bench.work()
            expect(all(200 <= status < 300 for status in statuses), f"genuine deliveries are answered with {statuses}")
            expected = len(_facts(trial, connection))
            expect(bench.events() == expected, f"two deliveries of {expected} facts are {bench.events()} events")

    def leaves_no_row_when_forged(trial: Trial) -> None:
        """Forged, it is answered with 401 and leaves no row."""
        connection = trial.connection()
        forged = trial.told.request(connection, SAMPLE_NOW)
        if not trial.connector.signature or forged == trial.signed(connection):
            return
        with open_bench(connection, Play(one_by_one(()))) as bench:
            status = bench.receive(forged)
            expect(status == 401, f"without its proof it is answered with {status}")
            expect(bench.deliveries() == 0, "a refused delivery was kept")

    def is_kept_when_unreadable(trial: Trial) -> None:
        """Genuine but unreadable, it is acknowledged and kept."""
        connection = trial.connection()
        broken = replace(trial.told, form=False).request(connection, SAMPLE_NOW, b'{"torn":')
        request = trial.connector.sign(broken, connection, SAMPLE_NOW)
        with open_bench(connection, Play(one_by_one(()))) as bench:
            status = bench.receive(request)
            bench.work()
            expect(200 <= status < 300, f"a genuine delivery that cannot be read is answered with {status}")
            expect((bench.deliveries(), bench.events()) == (1, 0), "it is not kept, or an event was made of it")

    return (is_recorded_once, leaves_no_row_when_forged, is_kept_when_unreadable)


def _as_asked(trial: Trial) -> Respond:
    """The sample's replies, each to the call that it belongs to: a whole hub fetches and pulls when it likes."""
    pairs = list(zip(trial.told.asks, trial.told.replies, strict=True))

    def respond(called: Called, before: int) -> Answer:
        return next((reply for asked, reply in pairs if not difference(asked, called)), Answer(404))

    return respond


def _facts(trial: Trial, connection: Connection) -> set[tuple[str, str]]:
    """What all triggers make of the sample: (trigger, key)."""
    found: set[tuple[str, str]] = set()
    for item in trial.connector.items(trial.signed(connection), connection):
        for trigger in trial.connector.triggers_for(item):
            if trigger.poke or not trial.connector.is_ours(item, connection):
                continue
            play = Play(one_by_one(trial.told.replies))
            try:
                thin = trigger.thin_for(connection)
                facts = trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
            except Unreadable:
                continue
            found |= {(trigger.name, trigger.key_of(fact)) for fact in facts}
    return found
