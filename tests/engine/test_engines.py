"""The same on both engines: one script, told to a hub on each, leaves the same rows behind."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from hub.errors import HubError
from hub.store import Unit, migrations
from tests.databases import Server, ask
from tests.engine.world import POINTS, World, recipe

REDEEM = recipe(
    "sms-redeem", 'when: message_received\nif: event.command == "redeem"\ndo:\n  - redeem: {reward: "{{ event.argument }}"}\n'
)
THANKS = recipe(
    "thanks", 'when: sale\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ event.payment_id }}"}\n'
)
LATER = recipe(
    "later",
    "when: sale\nif: event.amount >= 50\ndo:\n"
    '  - wait: {time: 3 days}\n  - award: {points: 7, expires: 20 days, reason: "ünï ✓"}\n',
)
CAPPED = recipe(
    "capped",
    "when: sale\nonce_per: event.order_id\ndo:\n  - award: {points: event.amount * 2, cap: 150}\n",
)
PHONES = {"ann": "+14155550101", "bob": "+14155550102", "çağ": "+14155550103", "Zoë": "+14155550104"}
STEPS = 60


class Script:
    """Sixty things that happen, the same for the same seed, whatever the hub makes of them."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)
        self.heard: list[Any] = []

    def play(self) -> None:
        deeds = [self.pay, self.pay, self.pay, self.give_back, self.redeem, self.say, self.adjust, self.wait, self.again]
        for _ in range(STEPS):
            self.chance.choice(deeds)()
            if self.chance.random() < 0.5:
                self.world.work()
        self.world.later(days=200)

    def pay(self) -> None:
        number, who = self.chance.randrange(40), self.chance.choice(sorted(PHONES))
        at = self.world.clock.now() - timedelta(days=self.chance.randrange(30))
        buyer = {"id": who, "phone": PHONES[who], "email": f"{who}@example.com"} if self.chance.random() < 0.9 else None
        self.world.pay(
            f"p{number}", f"{self.chance.randrange(200)}.{self.chance.randrange(100):02}", buyer, at=at, order=f"o{number}"
        )

    def give_back(self) -> None:
        sale = f"p{self.chance.randrange(40)}"
        self.world.give_back(f"r{self.chance.randrange(99)}", self.chance.randrange(1, 100), payment=sale)

    def redeem(self) -> None:
        self.message(f"REDEEM {self.chance.choice(['wipers', 'oil-change', 'a truck'])}")

    def say(self) -> None:
        self.message(self.chance.choice(["STOP", "START", "hello"]))

    def message(self, text: str) -> None:
        self.world.write_sms(text, PHONES[self.chance.choice(sorted(PHONES))])

    def adjust(self) -> None:
        who, points = self.chance.choice(sorted(PHONES)), self.chance.randrange(-50, 50) or 1
        self.world.work()
        member = self.world.rows("SELECT member_id FROM identity WHERE identity = :identity", identity=f"id:till:{who}")
        try:
            told = self.world.do(
                "adjust", member=member[0]["member_id"] if member else "nobody", points=points, reason="by hand"
            )
            self.heard.append(sorted(told))
        except HubError as error:
            self.heard.append(str(error))

    def wait(self) -> None:
        self.world.later(hours=self.chance.randrange(1, 400))

    def again(self) -> None:
        self.world.restart()


def rows_of(world: World) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with world.hub.store.read() as session:
        found = {table: ask(session, f"SELECT * FROM {table}") for table in migrations.tables("hub")}
    return {table: sorted(str(row) for row in rows) for table, rows in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_the_same_script_leaves_the_same_rows(seed: int, tmp_path: Path, postgres_server: Server) -> None:
    """Ids, hashes and times too: nothing that is kept depends on the engine."""
    corner = postgres_server.take()
    worlds = [
        World(tmp_path / name, POINTS, REDEEM, THANKS, LATER, CAPPED, database=url)
        for name, url in (("sqlite", "sqlite:///data"), ("postgres", corner.url))
    ]
    scripts = [Script(world, seed) for world in worlds]
    for script in scripts:
        script.play()
    ours, theirs = (rows_of(world) for world in worlds)
    for table, rows in ours.items():
        assert theirs[table] == rows, table
    assert scripts[0].heard == scripts[1].heard
    assert len(ours["txn"]) > 20
    for world in worlds:
        world.prove()
        world.close()
    postgres_server.give_back(corner)


def test_the_server_may_cut_every_connection_between_two_steps(tmp_path: Path, postgres_server: Server) -> None:
    """As when it is started anew: what was acknowledged is worked, once, by the same worker."""
    corner = postgres_server.take()
    world = World(tmp_path / "w", POINTS, THANKS, database=corner.url)
    world.write_sms("START", PHONES["ann"])
    for number in range(6):
        world.pay(f"p{number}", "10.00", {"id": "ann", "phone": PHONES["ann"]})
        corner.cut()
        world.work()
        world.pay(f"p{number}", "10.00", {"id": "ann", "phone": PHONES["ann"]})
        corner.cut()
    world.work()
    assert world.balance() == 60
    assert len(world.platform.sent) == 6
    world.prove()
    world.close()
    postgres_server.give_back(corner)


def test_a_transaction_that_is_cut_off_in_the_middle_is_done_again(
    tmp_path: Path, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each kind of step in turn the server ends the connections of an open transaction; nothing is half done."""
    corner = postgres_server.take()
    world = World(tmp_path / "w", POINTS, REDEEM, LATER, database=corner.url)
    world.work()
    cuts = iter([0, 3, 1, 5, 2, 4])
    flush, left = Unit.flush, [next(cuts)]

    def cut_off(unit: Unit) -> None:
        left[0] -= 1
        if left[0] == 0:
            corner.cut()
        flush(unit)

    monkeypatch.setattr(Unit, "flush", cut_off)
    for number in range(10):
        world.pay(f"p{number}", "60.00", {"id": "ann", "phone": PHONES["ann"]})
        world.write_sms("REDEEM wipers", PHONES["ann"])
        if left[0] <= 0:
            left[0] = next(cuts, 0)
        for _ in range(3):
            with suppress(psycopg.Error):
                world.work()
    left[0] = 0
    world.later(days=4)
    assert world.postings("award") == 20
    assert world.postings("redeem") == 10
    world.prove()
    world.close()
    postgres_server.give_back(corner)
