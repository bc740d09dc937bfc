"""World: a hub on a folder of its own and a clock that stands still, with both platforms played, and words to speak to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from hub import bootstrap, config
from hub.clock import VirtualClock
from hub.engine import traces
from hub.engine.door import Knock, Received
from hub.engine.events import queries
from hub.engine.worker import Worker
from hub.ledger import Totals, totals, verify
from hub.programme.actions import connector as built_in
from hub.sdk.request import Request
from hub.store import Query
from hub.store.blank import lay_files
from hub.store.wake import ThreadBell
from tests.engine.platforms import KEY, Platform, letters, till

NOON = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
PROGRAMME = """\
programme:
  name: Diesel Rewards
  timezone: America/Chicago
  currency: USD
  region: US
  points: {name: points, value: 0.05, rounding: floor}
  expiry: 6 months after earning
  tiers:
    - {name: Bronze, from: 0}
    - {name: Silver, from: 100}
    - {name: Gold, from: 300}
  rewards:
    - {id: oil-change, title: Free oil change, cost: 120}
    - {id: wipers, title: Wipers, cost: 60}
"""
CONNECTIONS = f"""\
public_url: https://points.example.com
connections:
  till: {{key: {KEY}}}
  letters: {{key: {KEY}}}
"""
POINTS = """\
recipe: purchase-points
title: A point a dollar
when: sale
do:
  - award: {points: event.amount, reason: "Order {{ event.order_id }}"}
"""
JOINED = "+14155550101"


def recipe(name: str, text: str) -> str:
    """A recipe file from its lines after the name."""
    return f"recipe: {name}\ntitle: {name}\n{text}"


class World:
    """One workspace and what happens to it. recipes: texts; each names itself. database: its address."""

    connectors = (built_in, till, letters)

    def __init__(
        self, folder: Path, *recipes: str, programme: str = "", connections: str = CONNECTIONS, database: str = "sqlite:///data"
    ) -> None:
        self.folder = folder
        self.database = database
        self.clock = VirtualClock(NOON)
        self.platform = self.make_platform()
        self._numbers = self._openings = 0
        (folder / "recipes").mkdir(parents=True)
        if database == "sqlite:///data":
            lay_files(folder / "data")
        self.configure(programme=programme, connections=connections)
        self.write(*recipes)
        self.open()

    def make_platform(self) -> Platform:
        return Platform()

    def configure(self, *, programme: str = "", connections: str = CONNECTIONS) -> None:
        text = PROGRAMME + programme + connections + f"database: {self.database}\n"
        (self.folder / "hub.yaml").write_text(text, "utf-8")

    def write(self, *recipes: str) -> None:
        """These recipes and no others."""
        for path in (self.folder / "recipes").glob("*.yaml"):
            path.unlink()
        for text in recipes:
            name = text.partition("recipe: ")[2].partition("\n")[0]
            (self.folder / "recipes" / f"{name}.yaml").write_text(text, "utf-8")

    def open(self) -> None:
        connectors = {one.name: one for one in self.connectors}
        self._openings += 1
        self.sleep(seconds=1)
        self.hub = bootstrap.open_hub(
            config.load(self.folder, {}),
            clock=self.clock,
            random=Random(self._openings),
            open_http=self.platform.open,
            connectors=connectors,
        )
        self.worker: Worker = self.hub.worker(ThreadBell())

    def close(self) -> None:
        self.hub.close()

    def restart(self, *recipes: str, edit: Callable[[], None] | None = None) -> None:
        """Stop as one should, and start again, with other recipes where some are given."""
        self.close()
        if recipes:
            self.write(*recipes)
        if edit is not None:
            edit()
        self.open()

    # What reaches the hub ---------------------------------------------------------------------------------------------------

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def deliver(self, connection: str, kind: str, data: Mapping[str, Any] | bytes, **more: Any) -> Received:
        """Post a signed delivery at the door."""
        whole = {"type": kind, "id": f"n{self.number()}", "data": data, **more}
        return self.post(connection, data if isinstance(data, bytes) else json.dumps(whole, default=str).encode())

    def post(self, connection: str, body: bytes, *, signature: str | None = None) -> Received:
        """Post a body with its genuine signature, or with another."""
        there = self.hub.connections[connection]
        path = f"/hooks/{connection}"
        headers = {"content-type": "application/json"}
        request = Request("POST", path, "", headers, body, self.clock.now(), self.hub.settings.public_url + path)
        signed = there.connector.sign(request, there, self.clock.now())
        if signature is not None:
            signed = signed.with_headers({there.connector.signature.header: signature})
        knock = Knock("POST", connection, None, "", signed.headers, len(body), BytesIO(body).read)
        return self.hub.door.receive(knock)

    def pay(self, id_: str, amount: object, buyer: str | Mapping[str, Any] | None = "ann", **more: Any) -> None:
        """A payment. buyer: the till's id of the customer, a whole record, or nobody."""
        who = {"id": buyer} if isinstance(buyer, str) else buyer
        told = {"id": id_, "amount": str(amount), "at": self.clock.now(), "buyer": who, **more}
        self.deliver("till", "payment", told)

    def give_back(self, id_: str, amount: object, **more: Any) -> None:
        """A refund; payment= or order= says of what."""
        self.deliver("till", "refund", {"id": id_, "amount": str(amount), "at": self.clock.now(), **more})

    def customer(self, version: str, **buyer: Any) -> None:
        self.deliver("till", "customer", {"version": version, "at": self.clock.now(), "buyer": buyer})

    def write_sms(self, text: str, sender: str = JOINED) -> None:
        told = {"id": f"m{self.number()}", "sender": sender, "text": text, "at": self.clock.now()}
        self.deliver("letters", "message", told)

    # Time and work ----------------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Work all that is due now."""
        self.worker.drain()

    def take_in(self) -> None:
        """Work what waits in the inbox, and make no call."""
        busy = True
        while busy:
            with self.hub.store.read() as session:
                row = session.row(queries.state_of_work)
            busy = self.worker._admit(int(row["place"] or 0) if row else 0) or self.worker._lanes.work()

    def later(self, **by: float) -> None:
        """Let time pass, each due moment by itself, and work what falls due."""
        until = self.clock.now() + timedelta(**by)
        self.work()
        while (due := self.worker.next_due()) is not None and due <= until:
            self.clock.move_to(due)
            self.work()
        self.clock.move_to(until)
        self.work()

    def sleep(self, **by: float) -> None:
        """Let time pass while nothing works."""
        self.clock.move_to(self.clock.now() + timedelta(**by))

    def do(self, command: str, **payload: Any) -> dict[str, Any]:
        return self.hub.do(command, payload)

    # What came of it --------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.hub.store.read() as session:
            return [dict(row) for row in session.rows(Query("test", "", sql, tuple(values)), **values)]

    def one(self, sql: str, **values: Any) -> dict[str, Any]:
        [row] = self.rows(sql, **values)
        return row

    def member(self, buyer: str = "id:till:ann") -> str:
        return str(self.one("SELECT member_id FROM identity WHERE identity = :identity", identity=buyer)["member_id"])

    def balance(self, buyer: str = "id:till:ann") -> int:
        member = self.member(buyer)
        with self.hub.store.read() as session:
            batch = self.hub.begin(session)
            return batch.book.balance(member).spendable

    def lifetime(self, buyer: str = "id:till:ann") -> int:
        return int(self.one("SELECT lifetime_points FROM member WHERE id = :id", id=self.member(buyer))["lifetime_points"])

    def tier(self, buyer: str = "id:till:ann") -> str:
        return str(self.one("SELECT tier FROM member WHERE id = :id", id=self.member(buyer))["tier"])

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these triggers (or all), oldest first."""
        found = self.rows("SELECT * FROM event ORDER BY id")
        return [row for row in found if not kinds or row["kind"] in kinds]

    def states(self, *kinds: str) -> list[str]:
        names = ("ready", "done", "parked", "waiting", "unclaimed")
        return [names[row["state"]] for row in self.events(*kinds)]

    def runs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The runs of a recipe, oldest first, with their state as a word and their journal read."""
        names = ("ready", "waiting", "done", "held", "stopped")
        found = self.rows("SELECT * FROM run ORDER BY id")
        return [
            {**row, "state": names[row["state"]], "journal": json.loads(row["journal"])}
            for row in found
            if name is None or row["recipe"] == name
        ]

    def run(self, name: str) -> dict[str, Any]:
        [found] = self.runs(name)
        return found

    def calls(self, name: str | None = None) -> list[dict[str, Any]]:
        names = ("due", "begun", "done", "held", "refused")
        found = self.rows("SELECT * FROM call ORDER BY id")
        return [{**row, "state": names[row["state"]]} for row in found if name is None or row["name"] == name]

    def traces(self) -> list[Sequence[str]]:
        with self.hub.store.read() as session:
            kept = self.rows("SELECT event_id FROM trace ORDER BY event_id")
            return [line for row in kept for line in traces.of(session, row["event_id"])]

    def health(self, connection: str = "letters") -> dict[str, Any]:
        return self.one("SELECT * FROM connection_health WHERE connection = :connection", connection=connection)

    def postings(self, kind: str) -> int:
        return len(self.rows("SELECT id FROM txn WHERE kind = :kind", kind=kind))

    def totals(self) -> Totals:
        with self.hub.store.read() as session:
            return totals(session)

    def prove(self) -> None:
        """The books balance and the chain holds."""
        with self.hub.store.read() as session:
            found = verify(session)
        assert found.ok, found
