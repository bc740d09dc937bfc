"""The hub beside a plain model: whatever is told, in whatever order and however often, both come to the same."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.errors import HubError
from hub.store import OutOfReach
from tests.engine.model import Model
from tests.engine.test_full_disk import room
from tests.engine.world import POINTS, World, recipe

REDEEM = recipe(
    "sms-redeem", 'when: message_received\nif: event.command == "redeem"\ndo:\n  - redeem: {reward: "{{ event.argument }}"}\n'
)
THANKS = recipe(
    "thanks", 'when: sale\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ event.payment_id }}"}\n'
)
PHONES = {"ann": "+14155550101", "bob": "+14155550102", "cat": "+14155550103"}
NAMES = {phone: name for name, phone in PHONES.items()}

who_ = st.sampled_from(sorted(PHONES))
sale_ = st.integers(1, 8).map("p{}".format)
cents_ = st.sampled_from([60_00, 99_99, 120_00, 250_00]) | st.integers(0, 400_00)
now_ = st.booleans()


class Programme(RuleBasedStateMachine):
    """Sales, refunds, redemptions, adjustments, opt-outs and time, in a real hub and in the model."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hub-stateful-")
        self.world = World(Path(self.folder.name) / "w", POINTS, REDEEM, THANKS)
        self.model = Model(self.world.clock.now())
        self.told: dict[tuple[str, str], bytes] = {}
        for number, who in enumerate(sorted(PHONES), start=1):
            self.pay(f"p{number}", who, 150_00, 0, now=False)
        self.work()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.work()
            self.agree()
            self.world.close()
            self.folder.cleanup()

    def tell(self, connection: str, kind: str, data: dict[str, Any], now: bool) -> None:
        """Post it; when the same was told before, exactly that again."""
        body = json.dumps({"type": kind, "data": data}, default=str).encode()
        first = self.told.setdefault((kind, str(data["id"])), body)
        self.world.post(connection, first)
        self.worked = False
        if now:
            self.work()

    def work(self) -> None:
        self.world.work()
        self.model.send()
        self.worked = True

    @rule(sale=sale_, who=who_, cents=cents_, late=st.integers(0, 60), now=now_)
    def pay(self, sale: str, who: str, cents: int, late: int, now: bool) -> None:
        at = self.model.now - timedelta(days=late)
        buyer = {"id": who, "phone": PHONES[who]}
        amount = f"{cents // 100}.{cents % 100:02}"
        self.model.sale(sale, who, cents, at)
        self.tell("till", "payment", {"id": sale, "amount": amount, "at": at.isoformat(), "buyer": buyer}, now)

    @rule(sale=sale_, number=st.integers(1, 3), cents=st.integers(1, 400_00), whole=st.booleans(), now=now_)
    def give_back(self, sale: str, number: int, cents: int, whole: bool, now: bool) -> None:
        name = f"{sale}-r{number}"
        if name in self.model.refunds:
            cents = json.loads(self.told["refund", name])["data"]["cents"]
        elif whole and sale in self.model.sales:
            cents = max(1, self.model.sales[sale].cents)
        amount = f"{cents // 100}.{cents % 100:02}"
        told = {"id": name, "amount": amount, "at": self.model.now.isoformat(), "payment": sale, "cents": cents}
        self.model.refund(name, sale, cents)
        self.tell("till", "refund", told, now)

    @rule(who=who_, reward=st.sampled_from(["wipers", "oil-change", "a truck"]), now=now_)
    def redeem(self, who: str, reward: str, now: bool) -> None:
        self.model.redeem(who, reward)
        self.message(who, f"REDEEM {reward}", now)

    @rule(who=who_, word=st.sampled_from(["STOP", "START"]), now=now_)
    def say(self, who: str, word: str, now: bool) -> None:
        self.model.say(who, word)
        self.message(who, word, now)

    def message(self, who: str, text: str, now: bool) -> None:
        at = self.model.now.isoformat()
        self.tell("letters", "message", {"id": f"m{self.world.number()}", "sender": PHONES[who], "text": text, "at": at}, now)

    @rule(who=who_, points=st.sampled_from([-150, -100, 50]) | st.integers(-200, 200).filter(bool))
    def adjust(self, who: str, points: int) -> None:
        self.work()
        if who not in self.model.members:
            return
        member = self.world.member(f"id:till:{who}")
        try:
            self.world.do("adjust", member=member, points=points, reason="by hand")
            done = True
        except HubError:
            done = False
        assert done == self.model.adjust(who, points)

    @rule(days=st.integers(1, 120))
    def wait(self, days: int) -> None:
        self.work()
        self.world.sleep(days=days)
        self.model.until(self.world.clock.now())
        self.work()

    @rule()
    def restart(self) -> None:
        self.work()
        self.world.restart()
        self.model.until(self.world.clock.now())

    @invariant()
    def agree(self) -> None:
        if not self.worked:
            return
        world, model = self.world, self.model
        for who, member in model.members.items():
            buyer = f"id:till:{who}"
            found = world.balance(buyer), world.lifetime(buyer), world.tier(buyer)
            assert found == (member.balance, member.lifetime, member.tier), who
        assert sorted((NAMES[to], text) for to, text in world.platform.sent) == sorted(model.sent)
        totals = world.totals()
        assert (totals.issued, totals.redeemed, totals.expired, totals.clawed_back, totals.adjusted) == (
            model.issued, model.redeemed, model.expired, model.clawed_back, model.adjusted,
        )  # fmt: skip
        assert totals.outstanding == sum(member.balance for member in model.members.values())
        states = world.states()
        assert states.count("waiting") == sum(map(len, model.early.values()))
        assert set(states) <= {"done", "waiting"}
        world.prove()


class EmbeddedProgramme(Programme):
    """In a folder, whose disk is full now and then."""

    @rule(sale=sale_, who=who_, cents=cents_, pages=st.integers(0, 40))
    def pay_while_the_disk_is_full(self, sale: str, who: str, cents: int, pages: int) -> None:
        self.work()
        self.pay(sale, who, cents, 0, now=False)
        with room(self.world, pages), suppress(OutOfReach):
            self.world.work()
        self.work()


EmbeddedProgramme.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestProgramme = EmbeddedProgramme.TestCase
