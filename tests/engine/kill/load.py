"""Load: what customers do while the hub is killed, told until it is acknowledged, and what it must come to, plainly counted."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from urllib.parse import urlsplit

from hub.errors import HubError
from tests.engine.kill.vendor import Vendor
from tests.engine.platforms import KEY
from tests.engine.world import recipe

BUYERS = 7
ADJUSTED = 7
VISIT_POINTS = 2
KEYED, CHECKED, ONCE, SAFE, LATER = range(10, 15)
"""What a sale sets off goes by its amount in dollars."""
POINTS = recipe("points", "when: sale\ndo:\n  - award: {points: event.amount}\n")


def _sends(name: str, dollars: int, step: str, then: str = "") -> str:
    said = '{to: "{{ member.phone }}", text: "{{ event.payment_id }}"}'
    return recipe(name, f"when: sale\nif: event.amount == {dollars}\ndo:\n  - post.{step}: {said}\n{then}")


RECIPES = (
    POINTS,
    _sends("keyed", KEYED, "send_keyed", "  - award: {points: 1}\n"),
    _sends("checked", CHECKED, "send_checked", "  - award: {points: 1}\n"),
    _sends("once", ONCE, "send_once", "    on_failure: continue\n  - award: {points: 1}\n"),
    recipe("safe", f'when: sale\nif: event.amount == {SAFE}\ndo:\n  - post.set_mark: {{name: "{{{{ event.payment_id }}}}"}}\n'),
    recipe("later", f"when: sale\nif: event.amount == {LATER}\ndo:\n  - wait: {{time: 2 minutes}}\n  - award: {{points: 3}}\n"),
    recipe("visits", f"when: till.visit\ndo:\n  - award: {{points: {VISIT_POINTS}}}\n"),
)
EXTRA = {KEYED: 1, CHECKED: 1, ONCE: 1, SAFE: 0, LATER: 3}
_MIX = ("sale",) * 10 + ("refund",) * 3 + ("early",) * 2 + ("visit",) * 2 + ("again",) * 2 + ("adjust", "changed")


def phone(buyer: int) -> str:
    return f"+1415555010{buyer}"


@dataclass(frozen=True)
class Told:
    """One delivery. key: by which its event is known."""

    kind: str
    key: str
    body: bytes


class Load:
    """Tells sales, refunds (some before their sale), visits, that something has changed, and commands; each until it is
    acknowledged, some once more.

    vendor: is asked about visits and payments. adjust: asks the hub to give a buyer `ADJUSTED` points; gives the id of the
    command.
    """

    def __init__(self, random: Random, vendor: Vendor, adjust: Callable[[int], str]) -> None:
        self.acknowledged: dict[str, Told] = {}
        self.repeated = self.refused = 0
        self.commands: dict[str, int] = {}
        self.sales: dict[str, tuple[int, int]] = {}
        self.refunds: dict[str, list[int]] = {}
        self.visits: dict[str, int] = {}
        self._random = random
        self._vendor, self._adjust = vendor, adjust
        self._owed: list[Told] = []
        self._lock = threading.Lock()
        self._made = 0
        self._at = datetime.now(UTC).isoformat()

    def greet(self) -> None:
        """A first sale of each buyer, so that all are known."""
        with self._lock:
            self._owed += [self._sale(SAFE, buyer) for buyer in range(BUYERS)]

    def post(self, port: int, stop: threading.Event, seconds_between: float) -> None:
        """Tell one thing after the other until `stop`."""
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while not stop.is_set():
            self._one(line, self._next())
            stop.wait(seconds_between)
        line.close()

    def settle(self, port: int) -> None:
        """Tell what is still owed."""
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while self._owed:
            self._one(line, self._owed.pop())
        line.close()

    def points(self) -> Counter[int]:
        """What each buyer must have."""
        found: Counter[int] = Counter()
        for name, (dollars, buyer) in self.sales.items():
            returned = sum(self.refunds.get(name, []))
            for award in filter(None, (dollars, EXTRA[dollars])):
                found[buyer] += award - (award if returned >= dollars else award * returned // dollars)
        for buyer in self.visits.values():
            found[buyer] += VISIT_POINTS
        for buyer in self.commands.values():
            found[buyer] += ADJUSTED
        return found

    def texts(self, dollars: int) -> list[str]:
        """The sales of this amount."""
        return sorted(name for name, (amount, _) in self.sales.items() if amount == dollars)

    def _next(self) -> Told:
        with self._lock:
            if self._owed:
                return self._owed.pop()
            what, buyer = self._random.choice(_MIX), self._random.randrange(BUYERS)
            if what == "again" and self.acknowledged:
                return self.acknowledged[self._random.choice(list(self.acknowledged))]
            return self._new(what, buyer)

    def _new(self, what: str, buyer: int) -> Told:
        if what == "adjust":
            return Told("command", str(buyer), b"")
        if what == "changed":
            return self._told("changed", self._name("k"), {})
        if what == "visit":
            return self._visited(buyer)
        if what == "refund":
            return self._refund(self._random.choice(list(self.sales)))
        sale = self._sale(self._random.randrange(KEYED, LATER + 1), buyer)
        if what != "early":
            return sale
        self._owed.append(sale)
        return self._refund(sale.key)

    def _one(self, line: http.client.HTTPConnection, told: Told) -> None:
        try:
            if told.kind == "command":
                self._command(int(told.key))
                return
            line.request("POST", "/hooks/till", told.body, _signed(told.body))
            answer = line.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            line.close()
            status = 0
        except HubError:
            status = 503
        with self._lock:
            if status == 200:
                self.repeated += told.key in self.acknowledged
                self.acknowledged[told.key] = told
                return
            assert status in {0, 503}, status
            self.refused += 1
            self._owed.append(told)

    def _command(self, buyer: int) -> None:
        name = self._adjust(buyer)
        with self._lock:
            self.commands[name] = buyer

    def _sale(self, dollars: int, buyer: int) -> Told:
        name = self._name("p")
        self.sales[name] = (dollars, buyer)
        who = {"id": f"c{buyer}", "phone": phone(buyer), "sms": True}
        sale = {"amount": f"{dollars}.00", "at": self._at, "buyer": who}
        self._vendor.payments.append({"id": name, **sale})
        return self._told("payment", name, sale)

    def _refund(self, sale: str) -> Told:
        dollars = self._random.randrange(1, 16)
        self.refunds.setdefault(sale, []).append(dollars)
        return self._told("refund", self._name("r"), {"amount": f"{dollars}.00", "at": self._at, "payment": sale})

    def _visited(self, buyer: int) -> Told:
        name = self._name("v")
        self.visits[name] = buyer
        self._vendor.visits[name] = {"id": name, "at": self._at, "buyer": {"id": f"c{buyer}"}}
        return self._told("visit", name, {})

    def _told(self, kind: str, name: str, data: dict[str, object]) -> Told:
        return Told(kind, name, json.dumps({"type": kind, "data": {"id": name, **data}}).encode())

    def _name(self, letter: str) -> str:
        self._made += 1
        return f"{letter}{self._made}"


def _signed(body: bytes) -> dict[str, str]:
    signature = hmac.digest(KEY.encode(), body, hashlib.sha256).hex()
    return {"X-Till-Signature": signature, "Content-Type": "application/json"}


def port_of(url: str) -> int:
    """The port of an address."""
    return urlsplit(url).port or 80
