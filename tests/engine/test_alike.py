"""One piece of business at several platforms earns once: by what refers to what, and by a person where it only looks alike."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine.catalogue import MONEY
from hub.engine.events import Events
from hub.sdk.facts import FACTS
from tests.engine.platforms import KEY
from tests.engine.world import World, recipe

TWO_TILLS = f"""\
public_url: https://points.example.com
connections:
  till: {{key: {KEY}}}
  books: {{connector: till, key: {KEY}}}
  letters: {{key: {KEY}}}
"""
ANN = {"id": "ann", "email": "ann@example.com"}
ANN_THERE = {"id": "c-7", "email": "ann@example.com"}


@pytest.fixture
def shop(make: Any) -> World:
    """A shop with a till and with books that tell of payments, too."""
    world: World = make(connections=TWO_TILLS)
    return world


def _told(world: World, connection: str, id_: str, amount: str, buyer: dict[str, str], **more: Any) -> None:
    at = more.pop("at", world.clock.now())
    world.deliver(connection, "payment", {"id": id_, "amount": amount, "at": at, "buyer": buyer, **more})


@pytest.mark.parametrize("together", [True, False])
def test_the_second_of_two_that_look_alike_waits_for_a_person(shop: World, *, together: bool) -> None:
    """Same member, amount and time, from another platform: it is held with the reason, and nobody else is held up."""
    _told(shop, "till", "p1", "80.00", ANN)
    if not together:
        shop.work()
    _told(shop, "books", "i9", "80.00", ANN_THERE)
    _told(shop, "till", "p2", "5.00", ANN)
    shop.work()
    assert shop.balance() == 85
    [held] = [run for run in shop.runs() if run["state"] == "held"]
    assert "it looks like till.payment of 2026-03-02 12:00" in held["note"] and "nothing pairs the two" in held["note"]


def test_a_person_decides(shop: World) -> None:
    """Replayed it earns, dropped it does not; both stay decided."""
    _told(shop, "till", "p1", "80.00", ANN)
    _told(shop, "books", "i9", "80.00", ANN_THERE)
    _told(shop, "till", "p2", "30.00", ANN)
    _told(shop, "books", "i10", "30.00", ANN_THERE)
    shop.work()
    first, second = [run for run in shop.runs() if run["state"] == "held"]
    shop.do("replay", id=first["id"])
    shop.do("drop", id=second["id"], reason="one repair")
    shop.work()
    assert shop.balance() == 80 + 80 + 30
    assert [run["state"] for run in shop.runs() if run["id"] in (first["id"], second["id"])] == ["done", "stopped"]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "80.01"},
        {"buyer": {"id": "c-8", "email": "bob@example.com"}},
        {"days": 4},
        {"connection": "till"},
    ],
    ids=["another amount", "another member", "another day", "the same platform"],
)
def test_what_does_not_look_alike_earns(shop: World, other: dict[str, Any]) -> None:
    """A coincidence must be worth a person's time."""
    _told(shop, "till", "p1", "80.00", ANN)
    shop.work()
    shop.sleep(days=other.get("days", 0))
    _told(shop, other.get("connection", "books"), "x1", other.get("amount", "80.00"), other.get("buyer", ANN_THERE))
    shop.work()
    assert not [run for run in shop.runs() if run["state"] == "held"]


def test_amounts_with_and_without_tax_are_alike(shop: World) -> None:
    """Some platforms tell what was paid, others what earns."""
    _told(shop, "till", "p1", "80.00", ANN)
    _told(shop, "books", "i9", "80", ANN_THERE, tax="6.40")
    shop.work()
    assert [run["state"] for run in shop.runs()] == ["done", "held"]


def test_a_shop_may_say_that_nothing_looks_alike(make: Any) -> None:
    """`look_alikes: never`, or another length of time."""
    for said, states in (("never", ["done", "done"]), ("10 days", ["done", "held"])):
        world = make(connections=TWO_TILLS, programme=f"  look_alikes: {said}\n")
        _told(world, "till", "p1", "80.00", ANN)
        world.work()
        world.sleep(days=9)
        _told(world, "books", "i9", "80.00", ANN_THERE)
        world.work()
        assert [run["state"] for run in world.runs()] == states, said


def test_what_the_same_till_told_before_is_not_read_again(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member may have thousands of sales in a week at the till: of all these only other platforms' word is fetched."""
    for number in range(20):
        _told(shop, "till", f"p{number}", f"{number + 1}.00", ANN)
    _told(shop, "books", "i1", "500.00", ANN_THERE)
    shop.work()
    read: list[str] = []
    from_row = Events.from_row
    monkeypatch.setattr(Events, "from_row", lambda events, row: read.append(row["key"]) or from_row(events, row))
    _told(shop, "till", "p99", "80.00", ANN)
    shop.work()
    assert set(read) - {"p99"} == {"i1"}


def test_one_connection_that_tells_of_money_is_asked_nothing(make: Any) -> None:
    """With a single till no query is spent on it."""
    world = make()
    assert not world.hub.catalogue.has_several_tellers
    assert make(connections=TWO_TILLS).hub.catalogue.has_several_tellers
    assert set(MONEY) <= set(FACTS)


REPAIRS = recipe(
    "repairs",
    'when: [till.job_done, till.invoiced, till.payment]\ndo:\n  - award: {points: event.amount, reason: "Repair"}\n',
)
THANKS = recipe("thanks", "when: till.job_done\ndo:\n  - award: {points: 10, reason: Thanks}\n")
REPAIR = [
    ("job", {"id": "j1", "amount": "240.00"}),
    ("invoice", {"id": "i1", "amount": "240.00", "job": "j1"}),
    ("payment", {"id": "p1", "amount": "200.00", "invoice": "i1"}),
]


def _tell(world: World, told: list[tuple[str, dict[str, Any]]], *, together: bool) -> None:
    for kind, data in told:
        world.deliver("till", kind, {**data, "at": world.clock.now(), "buyer": ANN})
        if not together:
            world.work()
    world.work()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("order", "points"), [((0, 1, 2), 240), ((2, 1, 0), 200), ((1, 0, 2), 240), ((0, 2, 1), 440)])
def test_a_job_its_invoice_and_its_payment_earn_once(make: Any, order: tuple[int, ...], points: int, *, together: bool) -> None:
    """Whichever is worked first; a payment whose invoice has not come yet cannot be known to be of that job."""
    world = make(REPAIRS)
    _tell(world, [REPAIR[place] for place in order], together=together)
    assert world.balance() == (points if not together or order != (0, 2, 1) else 240)


def test_another_recipe_rewards_the_same_job(make: Any) -> None:
    """Points for the work and thanks for coming are two things; each recipe pays a piece of business once."""
    world = make(REPAIRS, THANKS)
    _tell(world, REPAIR, together=False)
    assert world.balance() == 250
    [first, *later] = world.runs("repairs")
    assert [run["journal"][0]["outcome"] for run in (first, *later)] == ["done", "skipped", "skipped"]
    assert "what it is about has earned points already, by till.job_done" in later[1]["journal"][0]["why"]


def test_what_is_paired_does_not_look_alike(make: Any) -> None:
    """Two payments of one invoice, of the same amount, earn both."""
    world = make(REPAIRS)
    _tell(world, [("payment", {"id": p, "amount": "50.00", "invoice": "i1"}) for p in ("p1", "p2")], together=True)
    assert world.balance() == 100


def test_two_platforms_that_name_one_order_earn_once(make: Any) -> None:
    """Where the one says the order of the other, nobody has to be asked."""
    world = make(connections=TWO_TILLS)
    _told(world, "till", "p1", "80.00", ANN, order="o1")
    body = {"id": "i9", "amount": "80.00", "at": world.clock.now(), "buyer": ANN_THERE, "order": "o1", "order_of": "till"}
    world.deliver("books", "payment", body)
    world.work()
    assert world.balance() == 80
    assert [run["state"] for run in world.runs()] == ["done", "done"]
