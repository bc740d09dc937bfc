"""What can be posted, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest

from hub.errors import Closed, Conflict, LedgerError, Short
from hub.ledger import Balance, Book, Entry, Source, lots_due
from hub.sdk.values import POINTS_MOST
from hub.store import Session, Unit


def test_an_award_moves_points_from_issuance_to_the_member_and_opens_a_lot(desk: Any) -> None:
    """An award has two entries that sum to zero, and a lot with its own expiry."""
    posting = desk.award(37)
    assert posting.entries == (Entry(None, "issuance", -37, None), Entry("mem_1", "available", 37, 37))
    assert desk.balance() == Balance(available=37)
    assert posting.lot_id == "lot_" + posting.txn_id[4:]
    assert desk.left() == [37]


def test_a_key_that_comes_again_with_the_same_request_gets_the_first_posting(desk: Any) -> None:
    """Retries in the same unit, in a later one, and after years change nothing."""
    now = desk.clock.now()
    asked = {"key": "k", "source": Source(recipe="r"), "effective_at": now, "expires_at": now + timedelta(days=3)}
    with desk.book() as book:
        first = book.award("mem_1", 5, **asked)
        again = book.award("mem_1", 5, **asked)
        assert (again.repeated, again.txn_id) == (True, first.txn_id)
    desk.wait(days=3000)
    with desk.book() as book:
        later = book.award("mem_1", 5, **asked | {"source": Source(recipe="other")})
    assert later.repeated
    assert (later.entries, later.lot_id, later.effective_at) == (first.entries, first.lot_id, first.effective_at)
    assert desk.sql("SELECT COUNT(*) FROM txn") == [(1,)]


@pytest.mark.parametrize("other", [{"points": 6}, {"member": "mem_2"}, {"days": 4}, {"pending": True}, {"kind": "bonus"}])
def test_a_key_with_another_request_is_a_conflict(desk: Any, other: dict[str, Any]) -> None:
    """A key stands for one request; what differs is refused, and the message names what was posted."""
    desk.award(points=5, days=3, key="k")
    before = desk.dump()
    with pytest.raises(Conflict, match="award of 5 points"):
        desk.award(**{"points": 5, "days": 3, "key": "k"} | other)
    assert desk.dump() == before


@pytest.mark.parametrize("points", [0, -1, POINTS_MOST + 1, 1.0, "5", True, None])
def test_points_that_are_no_positive_whole_number_are_refused(desk: Any, points: Any) -> None:
    """No operation takes zero, negative, fractional or monstrous points."""
    before = desk.dump()
    for operation in ("redeem", "hold"):
        with pytest.raises(LedgerError):
            desk.do(operation, "mem_1", points)
    with pytest.raises(LedgerError):
        desk.award(points)
    assert desk.dump() == before


def test_points_are_spent_first_expiring_first(desk: Any) -> None:
    """Spend order: expiry, those without last; then when it was earned; then the id."""
    end = desk.clock.now() + timedelta(days=20)
    never = desk.award(10, days=None)
    late = desk.award(20, days=20)
    soon = desk.award(30, days=10)
    desk.wait(days=1)
    newer = desk.award(1, expires_at=end)
    older = desk.award(40, expires_at=end, effective_at=late.effective_at - timedelta(days=9))
    spent = desk.do("redeem", "mem_1", 95)
    assert [(allocation.lot_id, allocation.points) for allocation in spent.allocations] == [
        (soon.lot_id, -30),
        (older.lot_id, -40),
        (late.lot_id, -20),
        (newer.lot_id, -1),
        (never.lot_id, -4),
    ]


def test_points_whose_time_is_over_are_not_spent_before_the_sweep_either(desk: Any) -> None:
    """At expires_at itself the points are gone."""
    desk.award(50, days=10)
    desk.award(5, days=20)
    desk.wait(days=10)
    assert desk.balance() == Balance(available=5)
    with pytest.raises(Short, match="5 points available, 6 were asked for"):
        desk.do("redeem", "mem_1", 6)
    desk.do("redeem", "mem_1", 5)
    assert desk.verify().ok


def test_more_than_the_member_has_is_short_and_writes_nothing(desk: Any) -> None:
    """A refused spend leaves every row as it was."""
    desk.award(10)
    before = desk.dump()
    for operation in ("redeem", "hold"):
        with pytest.raises(Short):
            desk.do(operation, "mem_1", 11)
    with pytest.raises(Short):
        desk.do("adjust", "mem_1", -11)
    assert desk.dump() == before


def test_a_refused_operation_leaves_the_unit_unchanged(desk: Any) -> None:
    """What was posted before it in the same unit stays; nothing of the refused one is written."""
    with desk.book() as book:
        asked = {"source": Source(), "expires_at": None, "effective_at": desk.clock.now()}
        award = book.award("mem_1", 10, key="a", **asked)
        for refused in (
            lambda: book.redeem("mem_1", 11, key="b", source=Source()),
            lambda: book.release(award.txn_id, key="c", source=Source(), expires_at=None),
            lambda: book.restore(award.txn_id, 1, key="d", source=Source()),
            lambda: book.capture("hold_x", key="e", source=Source()),
            lambda: book.award("mem_1", 1, key="f", kind="redeem", **asked),
            lambda: book.award("mem_1", 1, key="g", campaign="spring", **asked),
        ):
            with pytest.raises(LedgerError):
                refused()
    assert desk.sql("SELECT key FROM txn") == [("a",)]
    assert desk.verify().ok


def test_a_savepoint_undoes_a_posting_that_the_rest_of_its_step_fails_after(desk: Any) -> None:
    """Undone postings leave no trace: the key is free, the balance, the lots and the chain are as before."""
    with desk.store.write() as session:
        unit = Unit(session)
        book = Book(unit, desk.ids, desk.clock.now())
        asked = {"source": Source(), "expires_at": None, "effective_at": desk.clock.now()}
        book.award("mem_1", 10, key="a", **asked)
        with pytest.raises(ZeroDivisionError), unit.savepoint():
            book.redeem("mem_1", 4, key="b", source=Source())
            hold = book.hold("mem_1", 4, key="c", source=Source())
            book.capture(hold.id, key="d", source=Source())
            raise ZeroDivisionError
        assert book.balance("mem_1") == Balance(available=10)
        assert not book.redeem("mem_1", 1, key="b", source=Source()).repeated
        unit.flush()
    assert desk.verify().ok
    assert desk.left() == [9]


def test_a_restore_gives_back_in_reverse_order(desk: Any) -> None:
    """Lots B 50, A 100, C 30: spend 120 and restore 60 leaves A 90 and B 0, just as a spend of 60."""
    desk.award(100, days=20)
    desk.award(50, days=10)
    desk.award(30, days=30)
    spend = desk.do("redeem", "mem_1", 120)
    assert desk.left() == [30, 30]
    desk.do("restore", spend.txn_id, 60)
    assert desk.left() == [90, 30]
    desk.do("restore", spend.txn_id, 60)
    assert desk.left() == [50, 100, 30]
    with pytest.raises(Closed, match="0 are still to give back"):
        desk.do("restore", spend.txn_id, 1)


def test_restored_points_of_a_dead_lot_are_forfeited(desk: Any) -> None:
    """A cancelled spend never lengthens the life of points."""
    desk.award(10, days=10)
    desk.award(10, days=30)
    spend = desk.do("redeem", "mem_1", 15)
    desk.wait(days=10)
    back = desk.do("restore", spend.txn_id, 15)
    assert (back.on("available"), back.on("expired"), back.on("redeemed")) == (5, 10, -15)
    assert desk.balance() == Balance(available=10)
    assert desk.sweep() == []
    assert desk.verify().ok


def test_a_hold_resolves_once(desk: Any) -> None:
    """The first to resolve a hold wins; the same request gets the same answer, another is Closed."""
    desk.award(10)
    hold = desk.do("hold", "mem_1", 8, key="h", until=desk.clock.now() + timedelta(hours=1))
    assert desk.balance() == Balance(available=2, held=8)
    assert desk.do("hold", "mem_1", 8, key="h", until=hold.until).repeated
    with pytest.raises(Short):
        desk.do("capture", hold.id, points=9)
    captured = desk.do("capture", hold.id, points=5, key="c")
    assert captured.points == 5
    assert desk.balance() == Balance(available=5)
    assert desk.do("capture", hold.id, points=5, key="c").repeated
    for operation in ("cancel", "capture"):
        with pytest.raises(Closed, match="resolved before, by capture"):
            desk.do(operation, hold.id)
    with pytest.raises(LedgerError, match="no hold"):
        desk.do("cancel", "hold_unknown")
    assert desk.verify().ok


def test_what_a_partial_capture_spent_is_restored_to_its_own_lots(desk: Any) -> None:
    """The lots of the captured part are the first of the hold's, and come back in reverse."""
    desk.award(10, days=10)
    desk.award(10, days=20)
    desk.award(10, days=30)
    hold = desk.do("hold", "mem_1", 28)
    captured = desk.do("capture", hold.id, points=14)
    assert desk.left() == [6, 10]
    desk.do("restore", captured.txn_id, 5)
    assert desk.left() == [1, 10, 10]
    desk.do("restore", captured.txn_id, 9)
    assert desk.left() == [10, 10, 10]


def test_held_points_do_not_expire_but_are_forfeited_when_let_go_too_late(desk: Any) -> None:
    """A hold protects from the sweep; a lot that died meanwhile takes nothing back."""
    desk.award(10, days=10)
    hold = desk.do("hold", "mem_1", 8)
    desk.wait(days=10)
    assert [posting.points for posting in desk.sweep()] == [2]
    assert desk.balance() == Balance(held=8)
    assert desk.do("cancel", hold.id).on("expired") == 8
    assert desk.balance() == Balance()
    assert desk.verify().ok


def test_pending_points_open_their_lot_when_released(desk: Any) -> None:
    """Pending points cannot be spent; released once, they keep the moment at which they were earned."""
    award = desk.award(10, pending=True)
    assert desk.balance() == Balance(pending=10)
    desk.wait(days=14)
    expires_at = desk.clock.now() + timedelta(days=1)
    release = desk.do("release", award.txn_id, expires_at=expires_at, key="r")
    assert desk.do("release", award.txn_id, expires_at=expires_at, key="r").repeated
    assert desk.balance() == Balance(available=10)
    assert desk.sql("SELECT id, effective_at FROM lot") == [(release.lot_id, "2026-01-01T12:00:00.000000Z")]
    with pytest.raises(Closed):
        desk.do("release", award.txn_id, expires_at=None)
    with pytest.raises(LedgerError, match="no pending points"):
        desk.do("release", desk.award(1).txn_id, expires_at=None)


def test_a_release_after_a_full_clawback_moves_nothing(desk: Any) -> None:
    """The timer that releases an award may come late; that is no error."""
    award = desk.award(10, pending=True)
    desk.do("claw_back", award.txn_id, 10)
    assert desk.do("release", award.txn_id, expires_at=None).points == 0
    assert desk.balance() == Balance()
    assert desk.verify().ok


def test_a_clawback_takes_pending_then_its_own_lot_then_others_then_debt(desk: Any) -> None:
    """The order in which a return is paid."""
    other = desk.award(10, days=1)
    award = desk.award(30, days=30)
    desk.do("redeem", "mem_1", 15)
    assert desk.left() == [25]
    newer = desk.award(7, days=2)
    clawback = desk.do("claw_back", award.txn_id, 30)
    assert [(allocation.lot_id, allocation.points) for allocation in clawback.allocations] == [
        (award.lot_id, -25),
        (newer.lot_id, -5),
    ]
    assert desk.balance() == Balance(available=2)
    rest = desk.do("claw_back", other.txn_id, 10)
    assert (rest.on("available"), rest.on("debt"), rest.on("clawed_back")) == (-2, -8, 10)
    assert desk.balance() == Balance(debt=8)
    assert desk.balance().spendable == -8


def test_a_clawback_never_takes_more_than_the_award_gave(desk: Any) -> None:
    """What was taken is said; nothing left to take is a posting of nothing."""
    award = desk.award(10)
    taken = [desk.do("claw_back", award.txn_id, points).points for points in (4, 5, 6, 7)]
    assert taken == [4, 5, 1, 0]
    with desk.book() as book:
        assert book.clawed_back_of(award.txn_id) == 10
    assert desk.verify().ok


@pytest.mark.parametrize("batches", [[100], [33, 33, 34], [34, 66], [1] * 100])
def test_a_clawback_does_not_depend_on_batching(desk: Any, batches: list[int]) -> None:
    """However a full return is cut up, the books end alike."""
    desk.award(20, days=5)
    award = desk.award(100, days=9)
    desk.do("redeem", "mem_1", 60)
    with desk.book() as book:
        for n, points in enumerate(batches):
            book.claw_back(award.txn_id, points, key=f"c{n}", source=Source())
    assert desk.balance() == Balance(debt=40)


def test_a_shortfall_can_be_written_off_instead(desk: Any) -> None:
    """Then the member owes nothing, and the programme bears it."""
    award = desk.award(10)
    desk.do("redeem", "mem_1", 10)
    clawback = desk.do("claw_back", award.txn_id, 10, on_short="write_off")
    assert (clawback.on("clawed_back"), clawback.on("written_off")) == (10, -10)
    assert desk.balance() == Balance()


@pytest.mark.parametrize("pending", [False, True])
def test_new_credits_repay_debt_first(desk: Any, pending: bool) -> None:
    """The rest opens a lot, or waits; an award that is all repayment opens none."""
    award = desk.award(10)
    desk.do("redeem", "mem_1", 10)
    desk.do("claw_back", award.txn_id, 10)
    small = desk.award(4, pending=pending)
    assert (small.lot_id, desk.balance()) == (None, Balance(debt=6))
    desk.award(10, pending=pending)
    assert desk.balance() == (Balance(pending=4) if pending else Balance(available=4))
    assert desk.verify().ok


def test_points_that_come_back_repay_debt_first(desk: Any) -> None:
    """A refund and a cancelled spend end alike in either order."""
    award = desk.award(10)
    spend = desk.do("redeem", "mem_1", 10)
    desk.do("claw_back", award.txn_id, 6)
    desk.do("restore", spend.txn_id, 10)
    assert desk.balance() == Balance(available=4)
    assert desk.left() == [4]


def test_an_adjustment_credits_and_takes(desk: Any) -> None:
    """Up opens a lot, down takes from lots."""
    desk.do("adjust", "mem_1", 10, expires_at=desk.clock.now() + timedelta(days=1))
    assert desk.do("adjust", "mem_1", -4).points == 4
    assert desk.left() == [6]
    with pytest.raises(LedgerError):
        desk.do("adjust", "mem_1", 0)


def test_expiry_is_posted_once_a_lot_at_the_moment_when_it_was_due(desk: Any) -> None:
    """A late sweep changes no date, a second one nothing."""
    lot = desk.award(10, days=10)
    desk.award(5, days=30)
    desk.wait(days=25)
    [posting] = desk.sweep()
    assert (posting.key, posting.points, posting.effective_at) == (
        f"expire:{lot.lot_id}", 10, lot.effective_at + timedelta(days=10),
    )  # fmt: skip
    assert desk.sweep() == []
    assert desk.balance() == Balance(available=5)


def test_a_lot_that_was_swept_meanwhile_is_passed_over(desk: Any) -> None:
    """A list of due lots may be old, or name a lot twice."""
    desk.award(10, days=1)
    desk.wait(days=1)
    with desk.read() as session:
        [lot] = lots_due(session, desk.clock.now(), 5)
    with desk.book() as book:
        assert [posting.points for posting in book.expire([lot, lot])] == [10]
    with desk.book() as book:
        assert book.expire([lot]) == []
    assert desk.verify().ok


def test_a_clock_that_was_set_back_stops_no_sweep(desk: Any) -> None:
    """A lot that was swept, then lived again and took points back, is swept again under a key of its own."""
    award = desk.award(10, days=10)
    spend = desk.do("redeem", "mem_1", 4)
    early = desk.clock.now()
    desk.wait(days=10)
    [first] = desk.sweep()
    with desk.store.write() as session:
        unit = Unit(session)
        Book(unit, desk.ids, early).restore(spend.txn_id, 4, key="late", source=Source())
        unit.flush()
    [second] = desk.sweep()
    assert (first.points, second.points) == (6, 4)
    assert first.key == f"expire:{award.lot_id}" != second.key
    assert desk.verify().ok


def test_a_lot_that_is_not_due_is_not_expired(desk: Any) -> None:
    """A sweep with a clock that runs ahead is refused."""
    desk.award(10, days=10)
    with desk.read() as session:
        due = lots_due(session, desk.clock.now() + timedelta(days=11), 5)
    before = desk.dump()
    with desk.book() as book, pytest.raises(Closed, match="has not expired"):
        book.expire(due)
    assert desk.dump() == before


def test_a_campaign_pays_until_its_budget_is_used_up(desk: Any) -> None:
    """No award goes over the budget; what is reversed is there again."""
    desk.do("fund", "spring", 15)
    first = desk.award(10, campaign="spring")
    assert first.on("campaign:spring") == -10
    with pytest.raises(Short, match="has 5 points left"):
        desk.award(6, campaign="spring")
    desk.do("reverse", first.txn_id)
    desk.award(15, campaign="spring")
    assert desk.sql("SELECT points FROM budget") == [(0,)]
    assert desk.verify().ok


def test_an_unspent_award_can_be_reversed_once(desk: Any) -> None:
    """A reversal is the opposite; a second one, and one of it, are refused."""
    award = desk.award(10)
    reversal = desk.do("reverse", award.txn_id, key="r")
    assert [entry.amount for entry in reversal.entries] == [10, -10]
    assert desk.do("reverse", award.txn_id, key="r").repeated
    for refused in (award.txn_id, reversal.txn_id):
        with pytest.raises(Closed):
            desk.do("reverse", refused)
    with pytest.raises(Closed):
        desk.do("claw_back", award.txn_id, 1)
    assert desk.balance() == Balance()
    assert desk.verify().ok


def test_an_award_that_is_spent_in_part_cannot_be_reversed(desk: Any) -> None:
    """The message says what to do instead."""
    award = desk.award(10)
    desk.do("redeem", "mem_1", 3)
    with pytest.raises(Short, match="Claw the award back instead"):
        desk.do("reverse", award.txn_id)


def test_reversing_a_redemption_gives_back_what_is_still_spent(desk: Any) -> None:
    """Restores before it count."""
    desk.award(10)
    spend = desk.do("redeem", "mem_1", 10)
    desk.do("restore", spend.txn_id, 4)
    assert desk.do("reverse", spend.txn_id).points == 6
    assert desk.balance() == Balance(available=10)
    with pytest.raises(Closed):
        desk.do("restore", spend.txn_id, 1)


def test_reversing_a_clawback_takes_the_debt_back(desk: Any) -> None:
    """What was repaid in the meantime comes back as points with the award's own expiry."""
    award = desk.award(10, days=10)
    desk.do("redeem", "mem_1", 10)
    clawback = desk.do("claw_back", award.txn_id, 10)
    desk.award(4, days=300)
    assert desk.balance() == Balance(debt=6)
    desk.do("reverse", clawback.txn_id)
    assert desk.balance() == Balance(available=4)
    desk.wait(days=10)
    assert desk.balance() == Balance()
    with desk.book() as book:
        assert book.clawed_back_of(award.txn_id) == 0


def test_reversing_a_clawback_of_points_whose_time_is_over_forfeits_them(desk: Any) -> None:
    """A mistake that is corrected late does not make old points young."""
    award = desk.award(10, days=10)
    desk.do("redeem", "mem_1", 10)
    clawback = desk.do("claw_back", award.txn_id, 10)
    desk.award(10, days=300)
    desk.wait(days=10)
    assert desk.do("reverse", clawback.txn_id).on("expired") == 10
    assert desk.balance() == Balance()
    assert desk.verify().ok


@pytest.mark.parametrize("debt", [0, 3, 5])
def test_reversing_a_clawback_of_points_that_were_released_since(desk: Any, debt: int) -> None:
    """They are no longer pending: they repay debt, and the rest opens a lot that ends with the award's own."""
    award = desk.award(10, pending=True)
    clawback = desk.do("claw_back", award.txn_id, 4)
    expires_at = desk.clock.now() + timedelta(days=30)
    desk.do("release", award.txn_id, expires_at=expires_at)
    desk.do("redeem", "mem_1", 6)
    if debt:
        other = desk.award(debt)
        desk.do("redeem", "mem_1", debt)
        desk.do("claw_back", other.txn_id, debt)
    desk.do("reverse", clawback.txn_id)
    assert desk.balance() == Balance(available=max(0, 4 - debt), debt=max(0, debt - 4))
    desk.wait(days=30)
    assert desk.balance().available == 0
    assert desk.verify().ok


def test_a_clawback_of_pending_points_that_is_reversed_leaves_them_to_be_released(desk: Any) -> None:
    """Release moves what is pending by then."""
    award = desk.award(10, pending=True)
    clawback = desk.do("claw_back", award.txn_id, 4)
    desk.do("reverse", clawback.txn_id)
    assert desk.balance() == Balance(pending=10)
    assert desk.do("release", award.txn_id, expires_at=None).points == 10
    assert desk.balance() == Balance(available=10)


def test_reversing_an_award_that_repaid_debt_takes_other_points_before_owing(desk: Any) -> None:
    """As if the award had never been: available points and debt do not stand together."""
    first = desk.award(10)
    desk.do("redeem", "mem_1", 10)
    desk.do("claw_back", first.txn_id, 10)
    repaying = desk.award(10)
    desk.award(7)
    desk.do("reverse", repaying.txn_id)
    assert desk.balance() == Balance(debt=3)
    assert desk.verify().ok


@pytest.mark.parametrize(
    ("kind", "advice"), [("hold", "cancel the hold"), ("restore", "redeem the points again"), ("expire", "adjust the balance")]
)
def test_what_has_another_way_back_is_not_reversed(desk: Any, kind: str, advice: str) -> None:
    """The refusal names the way."""
    desk.award(10, days=1)
    desk.do("hold", "mem_1", 1)
    spend = desk.do("redeem", "mem_1", 1)
    desk.do("restore", spend.txn_id, 1)
    desk.wait(days=1)
    desk.sweep()
    [(txn_id,)] = desk.sql("SELECT id FROM txn WHERE kind = ?", kind)
    with pytest.raises(Closed, match=advice):
        desk.do("reverse", txn_id)


def test_unknown_ids_are_said_clearly(desk: Any) -> None:
    """Not a traceback: which id, and where to find the right one."""
    for operation, given in (("claw_back", ("txn_x", 1)), ("reverse", ("txn_x",)), ("restore", ("txn_x", 1))):
        with pytest.raises(LedgerError, match="'txn_x'"):
            desk.do(operation, *given)
    spend = desk.award(3), desk.do("redeem", "mem_1", 3)
    with pytest.raises(LedgerError, match="not an award"):
        desk.do("claw_back", spend[1].txn_id, 1)
    with pytest.raises(LedgerError, match="only spent points"):
        desk.do("restore", spend[0].txn_id, 1)


class Watched:
    """A session that notes what is asked through it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._session, name)


def test_a_preloaded_batch_reads_nothing_more(desk: Any) -> None:
    """After want and want_keys, awards and spends make no query until the flush."""
    desk.award(10)
    with desk.store.write() as session:
        watched = Watched(session)
        unit = Unit(cast(Session, watched))
        book = Book(unit, desk.ids, desk.clock.now())
        members = ["mem_1", "mem_new"]
        book.want(members)
        book.want_keys(["a", "b", "c"])
        watched.asked.clear()
        for key, member in zip("ab", members, strict=True):
            book.award(member, 5, key=key, source=Source(), expires_at=None, effective_at=desk.clock.now())
        book.redeem("mem_1", 12, key="c", source=Source())
        assert watched.asked == []
        unit.flush()
    assert desk.verify().ok


def test_an_award_costs_the_same_however_many_lots_a_member_has(desk: Any) -> None:
    """Lots are read when points are spent: what was opened before in the same unit is among them, and what is dead is not."""
    now = desk.clock.now()
    desk.award(10, expires_at=now + timedelta(days=1))
    desk.award(20)
    desk.wait(days=2)
    with desk.store.write() as session:
        watched = Watched(session)
        unit = Unit(cast(Session, watched))
        book = Book(unit, desk.ids, desk.clock.now())
        book.want_balances(["mem_1"])
        book.want_keys(["a", "b"])
        watched.asked.clear()
        book.award("mem_1", 5, key="a", source=Source(), expires_at=None, effective_at=desk.clock.now())
        book.award("mem_1", 7, key="b", source=Source(), expires_at=now, effective_at=now)  # over before it was told
        assert book.balance("mem_1").available == 25
        assert watched.asked == []
        with pytest.raises(Short):
            book.redeem("mem_1", 26, key="c", source=Source())
        book.redeem("mem_1", 25, key="d", source=Source())
        assert book.balance("mem_1").available == 0
        unit.flush()
    assert desk.verify().ok


def test_an_award_writes_one_row_of_each_kind(desk: Any) -> None:
    """One transaction, two entries, a lot with its remainder, a balance, a link; nothing else."""
    desk.award(10)
    tables = ("txn", "entry", "lot", "lot_left", "balance", "link", "allocation", "hold", "budget", "block")
    counts = {table: desk.sql(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables}
    assert {table: count for table, count in counts.items() if count} == {
        "txn": 1, "entry": 2, "lot": 1, "lot_left": 1, "balance": 1, "link": 1,
    }  # fmt: skip
