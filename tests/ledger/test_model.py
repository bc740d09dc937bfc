"""The ledger beside a plain model of the rules: dicts and lists, no SQL, no code of the hub's ledger."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hub.clock import VirtualClock
from hub.errors import Closed, Conflict, LedgerError, Short
from hub.ids import Ids
from hub.ledger import Book, Source, lots_due, seal, totals, verify
from hub.store import Store, Unit
from tests.databases import Folder, Server

MEMBERS = ("mem_a", "mem_b")
SOURCE = Source(event_id="evt_1", recipe="test")


class Refusal(Exception):
    """What the model says no with."""


class Plain:
    """The rules once more, as simply as they can be said."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.lots: list[dict[str, Any]] = []
        self.debt = dict.fromkeys(MEMBERS, 0)
        self.held = dict.fromkeys(MEMBERS, 0)
        self.done: list[dict[str, Any]] = []
        self.sums = dict.fromkeys(("issued", "redeemed", "expired", "clawed_back", "adjusted", "written_off"), 0)

    def dead(self, lot: dict[str, Any]) -> bool:
        return lot["expires"] is not None and lot["expires"] <= self.now

    def live(self, member: str) -> list[dict[str, Any]]:
        mine = [lot for lot in self.lots if lot["member"] == member and lot["left"] and not self.dead(lot)]
        return sorted(mine, key=lambda lot: (lot["expires"] is None, lot["expires"] or 0, lot["effective"], lot["n"]))

    def available(self, member: str) -> int:
        return sum(lot["left"] for lot in self.live(member))

    def pending(self, member: str) -> int:
        return sum(fact["pending"] for fact in self.done if fact["what"] == "award" and fact["member"] == member)

    def take(self, member: str, points: int, first: Any = None) -> tuple[list[Any], int]:
        pieces = []
        for lot in sorted(self.live(member), key=lambda lot: lot is not first):
            part = min(lot["left"], points)
            if part:
                lot["left"] -= part
                points -= part
                pieces.append((lot, part))
        return pieces, points

    def credit(self, member: str, points: int, expires: Any, effective: datetime) -> Any:
        repaid = min(points, self.debt[member])
        self.debt[member] -= repaid
        if points == repaid:
            return None
        lot = {"member": member, "left": points - repaid, "opened": points - repaid}
        lot |= {"expires": expires, "effective": effective, "n": len(self.lots)}
        self.lots.append(lot)
        return lot

    def give_back(self, member: str, pieces: list[Any]) -> None:
        for lot, part in pieces:
            if self.dead(lot):
                self.sums["expired"] += part
            else:
                lot["left"] += part
        _, self.debt[member] = self.take(member, self.debt[member])

    def need(self, member: str, points: int) -> None:
        if self.available(member) < points:
            raise Refusal("short")

    def award(self, member: str, points: int, expires: Any, effective: datetime, pending: bool) -> dict[str, Any]:
        fact = {"what": "award", "member": member, "points": points, "clawed": 0, "backs": 0, "gone": False, "released": False}
        before = self.debt[member]
        if pending:
            self.debt[member] -= min(points, before)
            fact |= {"lot": None, "pending": points - min(points, before), "waits": points > before}
        else:
            fact |= {"lot": self.credit(member, points, expires, effective), "pending": 0, "waits": False}
        fact |= {"repaid": min(points, before), "effective": effective}
        self.sums["issued"] += points
        return fact

    def release(self, award: dict[str, Any], expires: Any) -> dict[str, Any]:
        if award["gone"]:
            raise Refusal("closed")
        if not award["waits"]:
            raise Refusal("other")
        if award["released"]:
            raise Refusal("closed")
        points, award["pending"], award["released"] = award["pending"], 0, True
        if points:
            award["lot"] = self.credit(award["member"], points, expires, award["effective"])
        return {"what": "release", "points": points, "member": award["member"]}

    def redeem(self, member: str, points: int) -> dict[str, Any]:
        self.need(member, points)
        pieces, _ = self.take(member, points)
        self.sums["redeemed"] += points
        return {"what": "spend", "member": member, "points": points, "pieces": pieces, "back": 0, "gone": False}

    def restore(self, spend: dict[str, Any], points: int) -> dict[str, Any]:
        if points > spend["points"] - spend["back"]:
            raise Refusal("closed")
        single = [lot for lot, part in spend["pieces"] for _ in range(part)]
        single = single[: len(single) - spend["back"]]
        returning = list(reversed(single))[:points]
        spend["back"] += points
        self.sums["redeemed"] -= points
        self.give_back(spend["member"], [(lot, 1) for lot in returning])
        return {"what": "restore", "points": points, "member": spend["member"]}

    def hold(self, member: str, points: int) -> dict[str, Any]:
        self.need(member, points)
        pieces, _ = self.take(member, points)
        self.held[member] += points
        return {"what": "hold", "member": member, "points": points, "pieces": pieces, "open": True}

    def resolve(self, hold: dict[str, Any], points: int) -> dict[str, Any]:
        if not hold["open"]:
            raise Refusal("closed")
        if points > hold["points"]:
            raise Refusal("short")
        hold["open"] = False
        self.held[hold["member"]] -= hold["points"]
        self.sums["redeemed"] += points
        single = [lot for lot, part in hold["pieces"] for _ in range(part)]
        kept, returning = single[:points], single[points:]
        self.give_back(hold["member"], [(lot, 1) for lot in returning])
        what = "spend" if points else "cancel"
        pieces = [(lot, 1) for lot in kept]
        return {"what": what, "member": hold["member"], "points": points, "pieces": pieces, "back": 0, "gone": False}

    def adjust(self, member: str, points: int, expires: Any) -> dict[str, Any]:
        fact: dict[str, Any] = {"what": "adjust", "member": member, "points": points, "gone": False, "pieces": [], "lot": None}
        if points < 0:
            self.need(member, -points)
            fact["pieces"], _ = self.take(member, -points)
        else:
            fact["repaid"] = min(points, self.debt[member])
            fact["lot"] = self.credit(member, points, expires, self.now)
        self.sums["adjusted"] += points
        return fact

    def claw_back(self, award: dict[str, Any], points: int, on_short: str) -> dict[str, Any]:
        if award["gone"]:
            raise Refusal("closed")
        taking = min(points, award["points"] - award["clawed"])
        pending = min(taking, award["pending"])
        award["pending"] -= pending
        pieces, short = self.take(award["member"], taking - pending, first=award["lot"] or ())
        award["clawed"] += taking
        award["backs"] += 1
        self.sums["clawed_back"] += taking
        owed = short if on_short == "debt" else 0
        self.sums["written_off"] += short - owed
        self.debt[award["member"]] += owed
        return {
            "what": "clawback", "member": award["member"], "points": taking, "award": award, "pending": pending,
            "pieces": pieces, "owed": owed, "off": short - owed, "gone": False,
        }  # fmt: skip

    def expire(self) -> None:
        for lot in self.lots:
            if self.dead(lot):
                self.sums["expired"] += lot["left"]
                lot["left"] = 0

    def reverse(self, fact: dict[str, Any]) -> dict[str, Any]:
        if fact["gone"]:
            raise Refusal("closed")
        member = fact["member"]
        if fact["what"] == "spend":
            left = fact["points"] - fact["back"]
            if not left:
                raise Refusal("closed")
            self.restore(fact, left)
        elif fact["what"] == "clawback":
            self.undo_claw_back(fact)
        elif fact["what"] == "adjust" and fact["points"] < 0:
            self.sums["adjusted"] -= fact["points"]
            self.give_back(member, [(lot, part) for lot, part in reversed(fact["pieces"])])
        else:
            self.undo_credit(fact)
        fact["gone"] = True
        return {"what": "reversal", "points": 0, "member": member}

    def undo_credit(self, fact: dict[str, Any]) -> None:
        if fact["what"] == "award" and (fact["released"] or fact["backs"]):
            raise Refusal("closed")
        if fact["lot"] and fact["lot"]["left"] < fact["lot"]["opened"]:
            raise Refusal("short")
        if fact["lot"]:
            fact["lot"]["left"] = 0
        fact["pending"] = 0
        self.sums["issued" if fact["what"] == "award" else "adjusted"] -= fact["points"]
        _, short = self.take(fact["member"], fact["repaid"])
        self.debt[fact["member"]] += short

    def undo_claw_back(self, fact: dict[str, Any]) -> None:
        award, member, loose = fact["award"], fact["member"], fact["owed"]
        award["clawed"] -= fact["points"]
        self.sums["clawed_back"] -= fact["points"]
        self.sums["written_off"] -= fact["off"]
        if award["released"]:
            loose += fact["pending"]
        else:
            award["pending"] += fact["pending"]
        repaid = min(loose, self.debt[member])
        self.debt[member] -= repaid
        self.give_back(member, list(reversed(fact["pieces"])))
        if loose == repaid:
            return
        if award["lot"] and self.dead(award["lot"]):
            self.sums["expired"] += loose - repaid
        else:
            self.credit(member, loose - repaid, award["lot"]["expires"] if award["lot"] else None, award["effective"])


points_ = st.integers(1, 60)
members_ = st.sampled_from(MEMBERS)
which_ = st.integers(0, 10_000)
lives_ = st.sampled_from([None, 2, 3, 10, 30])
REFUSALS = {"short": Short, "closed": Closed, "other": LedgerError}


class Beside(RuleBasedStateMachine):
    """Every step is done by both, and both must stand alike."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.store = self.make_store()
        self.ids = Ids(self.clock, random.Random(1))
        self.plain = Plain(self.clock.now())
        self.said: list[tuple[Callable[[Book, str], Any], str]] = []
        self.real: dict[int, Any] = {}
        self.open()

    def make_store(self) -> Store:
        """An empty one."""
        self.folder = tempfile.TemporaryDirectory()
        return Folder(Path(self.folder.name)).open("hub")

    def drop_store(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def open(self) -> None:
        self.writing = self.store.write()
        self.unit = Unit(self.writing.__enter__())

    def book(self) -> Book:
        return Book(self.unit, self.ids, self.clock.now())

    def both(self, real: Callable[[Book, str], Any], plain: Callable[[], dict[str, Any]]) -> None:
        """Both do it, or both refuse in the same way; a refusal leaves the unit as it was."""
        key = f"key-{len(self.said)}"
        try:
            fact = plain()
        except Refusal as refusal:
            before = (dict(self.unit._dirty), {query: len(rows) for query, rows in self.unit._rows.items() if rows})
            with pytest.raises(REFUSALS[str(refusal)]):
                real(self.book(), key)
            assert before == (dict(self.unit._dirty), {query: len(rows) for query, rows in self.unit._rows.items() if rows})
            return
        answer = real(self.book(), key)
        assert not answer.repeated
        self.said.append((real, key))
        self.real[id(fact)] = answer
        self.plain.done.append(fact)

    def pick(self, what: str, which: int) -> tuple[dict[str, Any], Any] | None:
        known = [fact for fact in self.plain.done if fact["what"] == what]
        if not known:
            return None
        fact = known[which % len(known)]
        return fact, self.real[id(fact)]

    @rule(member=members_, points=points_, life=lives_, age=st.sampled_from([0, 1, 5]), pending=st.booleans())
    def award(self, member: str, points: int, life: int | None, age: int, pending: bool) -> None:
        effective = self.clock.now() - timedelta(days=age)
        expires = None if life is None else effective + timedelta(days=life)
        self.both(
            lambda book, key: book.award(
                member, points, key=key, source=SOURCE, expires_at=expires, effective_at=effective, pending=pending
            ),
            lambda: self.plain.award(member, points, expires, effective, pending),
        )

    @rule(which=which_, life=lives_)
    def release(self, which: int, life: int | None) -> None:
        if found := self.pick("award", which):
            fact, posting = found
            expires = None if life is None else self.clock.now() + timedelta(days=life)
            self.both(
                lambda book, key: book.release(posting.txn_id, key=key, source=SOURCE, expires_at=expires),
                lambda: self.plain.release(fact, expires),
            )

    @rule(member=members_, points=points_)
    def redeem(self, member: str, points: int) -> None:
        self.both(
            lambda book, key: book.redeem(member, points, key=key, source=SOURCE), lambda: self.plain.redeem(member, points)
        )

    @rule(which=which_, points=points_)
    def restore(self, which: int, points: int) -> None:
        if found := self.pick("spend", which):
            fact, posting = found
            self.both(
                lambda book, key: book.restore(posting.txn_id, points, key=key, source=SOURCE),
                lambda: self.plain.restore(fact, points),
            )

    @rule(member=members_, points=points_)
    def hold(self, member: str, points: int) -> None:
        self.both(lambda book, key: book.hold(member, points, key=key, source=SOURCE), lambda: self.plain.hold(member, points))

    @rule(which=which_, points=st.none() | points_)
    def capture(self, which: int, points: int | None) -> None:
        if found := self.pick("hold", which):
            fact, hold = found
            self.both(
                lambda book, key: book.capture(hold.id, points=points, key=key, source=SOURCE),
                lambda: self.plain.resolve(fact, fact["points"] if points is None else points),
            )

    @rule(which=which_)
    def cancel(self, which: int) -> None:
        if found := self.pick("hold", which):
            fact, hold = found
            self.both(lambda book, key: book.cancel(hold.id, key=key, source=SOURCE), lambda: self.plain.resolve(fact, 0))

    @rule(member=members_, points=points_, sign=st.sampled_from([1, -1]), life=lives_)
    def adjust(self, member: str, points: int, sign: int, life: int | None) -> None:
        expires = None if life is None else self.clock.now() + timedelta(days=life)
        self.both(
            lambda book, key: book.adjust(member, sign * points, key=key, source=SOURCE, expires_at=expires),
            lambda: self.plain.adjust(member, sign * points, expires),
        )

    @rule(which=which_, points=points_, on_short=st.sampled_from(["debt", "write_off"]))
    def claw_back(self, which: int, points: int, on_short: Any) -> None:
        if found := self.pick("award", which):
            fact, posting = found
            self.both(
                lambda book, key: book.claw_back(posting.txn_id, points, key=key, source=SOURCE, on_short=on_short),
                lambda: self.plain.claw_back(fact, points, on_short),
            )
            assert self.book().clawed_back_of(posting.txn_id) == fact["clawed"]

    @rule(which=which_, what=st.sampled_from(["award", "spend", "adjust", "clawback"]))
    def reverse(self, which: int, what: str) -> None:
        if found := self.pick(what, which):
            fact, posting = found
            self.both(lambda book, key: book.reverse(posting.txn_id, key=key, source=SOURCE), lambda: self.plain.reverse(fact))

    @precondition(lambda self: self.said)
    @rule(which=which_)
    def say_it_again(self, which: int) -> None:
        """A request that comes again changes nothing and gets the first answer."""
        real, key = self.said[which % len(self.said)]
        rows = {query: len(rows) for query, rows in self.unit._rows.items()}
        try:
            assert real(self.book(), key).repeated
        except Conflict:
            pytest.fail("the same request was taken for another")
        assert rows == {query: len(rows) for query, rows in self.unit._rows.items()}

    @precondition(lambda self: self.said)
    @rule(which=which_)
    def use_a_key_twice(self, which: int) -> None:
        """The key of something else is refused."""
        with pytest.raises(Conflict):
            self.book().adjust("mem_other", 1, key=self.said[which % len(self.said)][1], source=SOURCE)

    @rule(days=st.sampled_from([1, 2, 7]))
    def wait(self, days: int) -> None:
        self.clock.move_to(self.clock.now() + timedelta(days=days))
        self.plain.now = self.clock.now()

    @rule()
    def sweep(self) -> None:
        self.commit()
        self.book().expire(lots_due(self.unit.session, self.clock.now(), 1000))
        self.plain.expire()

    @rule()
    def commit(self) -> None:
        """A new unit, which knows only what the database knows; the books are proved."""
        self.unit.flush()
        seal(self.unit, self.clock.now())
        self.unit.flush()
        self.writing.__exit__(None, None, None)
        with self.store.read() as session:
            assert verify(session).findings == ()
            found = totals(session)
        assert {name: getattr(found, name) for name in self.plain.sums} == self.plain.sums
        assert found.issued + found.adjusted + found.written_off == (
            found.redeemed + found.expired + found.clawed_back + found.outstanding
        )
        self.open()

    @invariant()
    def both_stand_alike(self) -> None:
        for member in MEMBERS:
            balance = self.book().balance(member)
            plain = self.plain
            assert (balance.available, balance.pending, balance.held, balance.debt) == (
                plain.available(member), plain.pending(member), plain.held[member], plain.debt[member],
            )  # fmt: skip
            assert not (balance.available and balance.debt)
            now = self.clock.now()
            lots = [lot for lot in self.book()._journal.open_lots(member) if not lot.expires_at or _at(lot.expires_at) > now]
            assert [(lot.points, lot.expires_at and _at(lot.expires_at), _at(lot.effective_at)) for lot in lots] == [
                (lot["left"], lot["expires"], lot["effective"]) for lot in plain.live(member)
            ]

    def teardown(self) -> None:
        self.commit()
        self.writing.__exit__(None, None, None)
        self.drop_store()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


Beside.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, suppress_health_check=list(HealthCheck), derandomize=True
)
TestBesideAPlainModel = Beside.TestCase


def test_beside_a_plain_model_on_postgres(postgres_server: Server) -> None:
    """The same steps, fewer of them: every one is several ways to the server."""

    class OnPostgres(Beside):
        def make_store(self) -> Store:
            self.corner = postgres_server.take()
            return self.corner.open("hub")

        def drop_store(self) -> None:
            self.store.close()
            postgres_server.give_back(self.corner)

    fewer = settings(max_examples=8, stateful_step_count=40, suppress_health_check=list(HealthCheck), derandomize=True)
    run_state_machine_as_test(OnPostgres, settings=fewer)
