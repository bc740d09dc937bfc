"""Spend: what was bought is held against what the providers say they sold, and every difference is found, kept and settled."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from hub import bootstrap
from hub.cli import spend as cli
from hub.engine.backup import forget_the_past
from hub.errors import HubError
from tests.engine.gifts import BONUS, CARDS, GIVING, SHARED, WORTH, GiftWorld
from tests.engine.platforms import Answered
from tests.engine.world import JOINED, POINTS, recipe

Giving = Callable[..., GiftWorld]
DOWN = Answered(503, {"message": "out of order"})


@pytest.fixture
def giving(make: Any) -> Giving:
    def one(*recipes: str, connections: str = GIVING, **more: Any) -> GiftWorld:
        world: GiftWorld = make(*(recipes or (POINTS, CARDS, BONUS)), kind=GiftWorld, connections=connections, **more)
        world.join()
        return world

    return one


Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What `hub spend` prints about a world."""

    def one(world: GiftWorld, *words: str) -> str:
        monkeypatch.setattr(bootstrap, "discover", lambda on_broken: {one.name: one for one in world.connectors})
        monkeypatch.setattr(cli, "SystemClock", lambda offset: world.clock)
        done = CliRunner().invoke(cli.spend, [*words, "-w", str(world.folder)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return one


# What is found --------------------------------------------------------------------------------------------------------


def test_what_was_bought_and_sold_alike_is_no_difference(giving: Giving) -> None:
    """Neither where the order has the call's key, nor where only its own id is known."""
    world = giving()
    world.redeem()
    world.pay("bonus", "7.00")
    world.work()
    world.check()
    assert world.kinds() == []
    assert [(call["state"], call["name"]) for call in world.calls() if call["kind"] == "action"] == [
        ("done", "send_card"),
        ("done", "send_voucher"),
    ]


def test_what_somebody_else_bought_is_told(giving: Giving) -> None:
    """At either provider; with the amount; and no longer when it came to nothing."""
    world = giving()
    world.platform.add("x1", "15.00", "EUR", key="payroll-7")
    world.platform.add("x2", "9.99", "USD", place="vouchers")
    world.check()
    [first, second] = world.differences()
    assert (first["connection"], first["kind"], first["order_id"], first["theirs"], first["theirs_in"]) == (
        "gifts", "not_ours", "x1", 1500, "EUR",
    )  # fmt: skip
    assert (second["connection"], second["theirs"], second["call_id"]) == ("vouchers", 999, "")
    world.platform.there["orders"]["x1"]["state"] = "cancelled"
    world.check()
    assert [row["order_id"] for row in world.differences()] == ["x2"]
    [gone] = world.differences(settled=True)
    assert (gone["order_id"], gone["settled_by"]) == ("x1", "")


def test_what_others_bought_before_the_hub_looked_is_not_its_business(giving: Giving) -> None:
    """Nor what they buy at any time where the connection says that it is shared."""
    world = giving()
    world.platform.add("x1", "15.00", "EUR")["at"] = (world.clock.now() - timedelta(days=3)).isoformat()
    world.check()
    assert world.kinds() == []
    world.platform.add("x2", "15.00", "EUR")
    world.check()
    assert world.kinds() == ["not_ours"]
    world.restart(edit=lambda: world.configure(connections=SHARED))
    world.check()
    assert world.kinds() == []


def test_an_order_under_a_key_of_the_hubs_that_it_does_not_know_is_told(giving: Giving) -> None:
    """As after a restored backup; also where the account is shared, and however long the hub has looked."""
    world = giving(connections=SHARED)
    world.platform.add("x1", "20.00", "EUR", key="call_lost")
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["call_id"], row["order_id"]) == ("unknown_call", "call_lost", "x1")


def test_a_call_that_is_done_and_of_which_the_provider_knows_nothing_is_told(giving: Giving) -> None:
    """Until the provider tells of it after all."""
    world = giving()
    world.redeem()
    kept = world.platform.there["orders"].pop("o1")
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["order_id"], row["ours"], row["ours_in"]) == ("unknown_order", "", 2000, "EUR")
    world.later(days=60)
    assert world.kinds() == ["unknown_order"]
    world.platform.there["orders"]["o1"] = kept
    world.check(since=kept["at"])
    assert world.kinds() == []


def test_what_was_bought_just_now_may_not_be_listed_yet(giving: Giving) -> None:
    """A provider is given ten minutes."""
    world = giving()
    world.later(days=1)
    world.redeem()
    world.platform.there["orders"].clear()
    world.do("check_spend")
    world.work()
    assert world.kinds() == []
    world.check()
    assert world.kinds() == ["unknown_order"]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ({"amount": "20.01"}, ["amount"]),
        ({"amount": "20"}, []),
        ({"amount": "20.00", "currency": "USD"}, ["amount"]),
        ({"amount": "20.000", "currency": None}, []),
        ({"amount": "2000", "currency": "JPY"}, ["amount"]),
        ({"amount": None}, []),
    ],
)
def test_amounts_and_currencies_that_differ_are_told(giving: Giving, said: dict[str, Any], kinds: list[str]) -> None:
    """To the smallest coin; 2000 yen are not 20.00 euros, though both are 2000 of the smallest coin."""
    world = giving()
    world.redeem()
    world.order().update(said)
    world.check()
    assert world.kinds() == kinds
    world.order().update(amount="20.00", currency="EUR")
    world.check()
    assert world.kinds() == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_points_that_stay_redeemed_for_nothing_are_a_persons_to_give_back(giving: Giving, state: str) -> None:
    """With a command, to the lots they came from; then it is settled, and stays so."""
    world = giving()
    world.redeem("oil-change")
    world.order()["state"] = state
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["points"], row["order_id"]) == ("failed", 120, "o1")
    assert world.balance(f"id:till:{JOINED}") == 880
    assert world.do("give_back", id=row["id"], by="Kim")["points"] == 120
    assert world.balance(f"id:till:{JOINED}") == 1000 and world.postings("restore") == 1
    world.check()
    assert world.kinds() == []
    [row] = world.differences(settled=True)
    assert (row["settled_by"], row["note"]) == ("Kim", "The reward was not sent")
    with pytest.raises(HubError, match="was settled"):
        world.do("give_back", id=row["id"])


def test_points_that_a_recipe_has_given_back_are_not_given_back_again(giving: Giving) -> None:
    """What its run adjusts after the call counts."""
    careful = CARDS + "  - wait: {time: 1 hour}\n  - adjust: {points: got.points - 10, reason: Sorry}\n"
    world = giving(POINTS, careful)
    world.redeem("oil-change")
    world.order()["state"] = "failed"
    world.check()
    assert [row["points"] for row in world.differences()] == [120]
    world.later(hours=2)
    world.check()
    assert [row["points"] for row in world.differences()] == [10]
    [row] = world.differences()
    assert world.do("give_back", id=row["id"])["points"] == 10


def test_an_order_that_failed_without_points_is_told_until_a_person_settles_it(giving: Giving) -> None:
    """A present was promised; there are no points to give back."""
    world = giving()
    world.pay("bonus", "7.00")
    world.work()
    world.order("vouchers")["state"] = "failed"
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["points"]) == ("failed", 0)
    with pytest.raises(HubError, match="no points stay redeemed"):
        world.do("give_back", id=row["id"])
    with pytest.raises(HubError, match="with a reason"):
        world.do("settle_spend", id=row["id"])
    world.do("settle_spend", id=row["id"], reason="sent by hand", by="Kim")
    for _ in range(2):
        world.check()
    assert world.kinds() == []


def test_what_was_never_sent_keeps_no_points(giving: Giving) -> None:
    """The member has opted out, or a person has given the call up."""
    sale = recipe(
        "present",
        "when: sale\nif: event.amount == 3\ndo:\n  - redeem: {points: 50}\n"
        '  - gifts.send_card: {to: "{{ member.phone }}", amount: 5, currency: EUR}\n    on_failure: continue\n',
    )
    world = giving(POINTS, sale)
    world.write_sms("STOP")
    world.pay("p1", "3.00", JOINED)
    world.work()
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["points"], row["ours"], row["order_id"]) == ("not_sent", 50, 500, "")
    world.do("give_back", id=row["id"])
    world.check()
    assert world.kinds() == []


def test_a_call_that_is_held_is_in_other_hands_until_it_is_given_up(giving: Giving) -> None:
    """Its points are then told of, unless it was done after all."""
    world = giving()
    world.platform.script = lambda asked: Answered(422, {"message": "no such card"}) if asked.method == "POST" else None
    world.redeem()
    [call] = world.calls("send_card")
    world.check()
    assert call["state"] == "held" and world.kinds() == []
    world.do("drop", id=call["id"], reason="no such card")
    world.check()
    assert [(row["kind"], row["points"]) for row in world.differences()] == [("not_sent", 60)]


def test_an_order_that_was_made_while_its_call_is_held_is_told(giving: Giving) -> None:
    """Somebody wrote down the answer that the hub never saw; replayed, the call is done and all is well."""
    world = giving()
    world.platform.script = lambda asked: Answered(422, {"message": "strange"}) if asked.method == "POST" else None
    world.redeem()
    [call] = world.calls("send_card")
    world.platform.add("o1", "20.00", "EUR", key=call["id"])
    world.check()
    assert [(row["kind"], row["call_id"]) for row in world.differences()] == [("unnoticed", call["id"])]
    world.platform.script = lambda asked: None
    world.do("replay", id=call["id"])
    world.check()
    assert world.kinds() == [] and len(world.platform.there["orders"]) == 1


def test_a_second_order_for_one_call_is_told(giving: Giving) -> None:
    """Also when the first came to nothing; a second that came to nothing is none."""
    world = giving()
    world.redeem()
    world.platform.add("o9", "20.00", "EUR", key=world.order()["key"])
    world.check()
    assert [(row["kind"], row["order_id"]) for row in world.differences()] == [("twice", "o9")]
    world.platform.there["orders"]["o1"]["state"] = "failed"
    world.check()
    assert world.kinds() == []


def test_an_order_that_waits_is_asked_about_until_it_is_known_what_comes_of_it(giving: Giving) -> None:
    """However long that takes."""
    world = giving()
    world.platform.comes_to = "waiting"
    world.redeem()
    world.later(days=100)
    assert world.kinds() == []
    world.order()["state"] = "failed"
    world.later(days=1)
    assert [(row["kind"], row["points"]) for row in world.differences()] == [("failed", 60)]


def test_points_of_a_redemption_that_another_recipe_heard_of_are_found(giving: Giving) -> None:
    """The recipe that redeems and the one that buys are two."""
    redeem = recipe("redeem", 'when: message_received\nif: event.command == "redeem"\ndo:\n  - redeem: {reward: wipers}\n')
    send = recipe(
        "send",
        'when: hub.reward_redeemed\ndo:\n  - gifts.send_card: {to: "{{ member.phone }}", amount: 20, currency: EUR}\n',
    )
    world = giving(POINTS, redeem, send)
    world.redeem()
    world.order()["state"] = "failed"
    world.check()
    [row] = world.differences()
    assert (row["kind"], row["points"]) == ("failed", 60)
    world.do("give_back", id=row["id"])
    assert world.balance(f"id:till:{JOINED}") == 1000


def test_points_that_paid_for_two_cards_are_counted_once(giving: Giving) -> None:
    """With the first; the second has none to give back."""
    two = CARDS + '  - gifts.send_card: {to: "{{ event.address }}", amount: 3, currency: EUR}\n'
    world = giving(POINTS, two)
    world.redeem()
    for row in world.platform.there["orders"].values():
        row["state"] = "failed"
    world.check()
    assert sorted(row["points"] for row in world.differences()) == [0, 60]


def test_an_order_is_kept_as_it_was_told_last(giving: Giving) -> None:
    """By webhook and by asking; what was asked before a webhook came changes nothing after it."""
    world = giving()
    world.redeem()
    row = world.order()
    world.deliver("gifts", "order", {**row, "state": "cancelled"})
    world.work()
    sql = "SELECT state, amount, currency, total, fees, paid_in FROM reward_order"
    assert world.one(sql) == {
        "state": "cancelled", "amount": 2000, "currency": "EUR", "total": 2250, "fees": 50, "paid_in": "USD",
    }  # fmt: skip
    world.deliver("gifts", "order", {**row, "state": "sent"})
    world.work()
    assert world.one(sql)["state"] == "sent"


# When it is looked ----------------------------------------------------------------------------------------------------


def test_it_is_matched_each_night_and_at_once_after_a_restore(giving: Giving) -> None:
    """At four in the programme's time zone; a listing that fails is asked for again the next night."""
    world = giving()
    asked = lambda: len([one for one in world.platform.asked if one.path.startswith("/orders?")])  # noqa: E731
    world.work()
    before = asked()
    world.later(days=3)
    assert asked() == before + 3
    world.platform.add("x1", "1.00", "EUR", key="call_lost")
    with world.hub.store.write() as session:
        forget_the_past(session, "2026-03-01T00:00:00.000000Z", hold_calls=True)
    world.restart()
    world.sleep(minutes=11)
    world.work()
    assert world.kinds() == ["unknown_call"]


def test_recipes_hear_nothing_of_what_is_only_matched(giving: Giving) -> None:
    """A month of orders that others made is no news; what the usual asking or a webhook brings is, in its own currencies."""
    hear = recipe(
        "hear",
        "when: reward_order\nif: event.amount == 20 and event.total == 22.5\ndo:\n  - letters.look: {what: x}\n",
    )
    world = giving(POINTS, CARDS, hear)
    world.redeem()
    world.check()
    assert world.runs("hear") == [] and world.kinds() == []
    world.deliver("gifts", "order", world.order())
    world.work()
    assert len(world.runs("hear")) == 1


def test_nothing_is_matched_before_all_is_listed(giving: Giving) -> None:
    """A provider that is away is no reason to miss anything; when it is back, the listing goes on."""
    world = giving()
    world.redeem()
    world.platform.there["orders"].clear()
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/orders") else None
    world.check()
    assert world.kinds() == []
    world.platform.script = lambda asked: None
    world.later(days=2)
    assert world.kinds() == ["unknown_order"]


def test_an_unknown_connection_or_difference_is_named(giving: Giving) -> None:
    """With what there is."""
    world = giving()
    with pytest.raises(HubError, match="`letters` is no connection that tells what it sold; there are: `gifts`, `vouchers`"):
        world.do("check_spend", connection="letters")
    with pytest.raises(HubError, match="there is no difference `dif_1`"):
        world.do("settle_spend", id="dif_1", reason="x")


def test_a_connection_that_tells_of_no_orders_is_not_shared(giving: Giving, make: Any) -> None:
    """hub.yaml is wrong then."""
    with pytest.raises(HubError, match="Letters tells of no orders"):
        make(POINTS, connections=GIVING.replace("letters: {", "letters: {shared: true, "), kind=GiftWorld)


# What is told ---------------------------------------------------------------------------------------------------------

OWNER = 'owner: {phone: "+14155550199", through: letters.send_safe}\n'


def test_the_owner_is_told_and_the_metrics_count(giving: Giving) -> None:
    """How many, how many points stay redeemed; and when it is over."""
    world = giving(programme=OWNER)
    world.redeem()
    world.order()["state"] = "failed"
    world.platform.add("x1", "1.00", "EUR")
    world.check()
    world.later(minutes=5)
    said = " ".join(text for to, text in world.platform.sent if to == "+14155550199")
    assert "gifts and the hub differ about 2 rewards: 60 points stay redeemed; `hub spend` lists them" in said
    assert world.hub.snapshot().spend == {("gifts", "failed"): 1, ("gifts", "not_ours"): 1}
    for row in world.differences():
        world.do("settle_spend", id=row["id"], reason="seen")
    world.later(hours=3)
    assert "gifts and the hub agree about rewards again" in " ".join(text for _, text in world.platform.sent)
    assert world.hub.snapshot().spend == {}


def test_the_month_is_told_by_provider_currency_recipe_and_reward(giving: Giving, shown: Shown) -> None:
    """With points and what they are worth, costs and fees; a failed order is in no sum but its own."""
    world = giving()
    for reward in ("wipers", "wipers", "oil-change", "wipers"):
        world.redeem(reward)
    world.order()["state"] = "failed"
    world.pay("bonus", "7.00")
    world.work()
    world.platform.add("x1", "3.00", "EUR", total="3.30", fees="0")
    world.check()
    found = json.loads(shown(world, "--json"))
    assert (found["from"], found["to"]) == ("2026-03-01", "2026-03-31")
    lines = [(one["connection"], one["recipe"], one["reward"], one["number"], one["came_to_nothing"], one["amount"],
              one["currency"], one["points"], one["worth"]) for one in found["spent"]]  # fmt: skip
    assert lines == [
        ("gifts", "cards", "oil-change", 1, 0, "40.00", "EUR", 120, "6.00"),
        ("gifts", "cards", "wipers", 2, 1, "40.00", "EUR", 120, "6.00"),
        ("vouchers", "bonus", "", 1, 0, "7.00", "USD", 0, "0.00"),
    ]
    assert found["points"] == {"redeemed": 240, "worth": "12.00", "currency": "USD"}
    assert [(one["connection"], one["ours"], one["number"], one["total"], one["fees"]) for one in found["costs"]] == [
        ("gifts", True, 4, "112.00", "2.00"),
        ("gifts", False, 1, "3.30", "0.00"),
        ("vouchers", True, 1, "8.20", "0.50"),
    ]
    assert [one["kind"] for one in found["differences"]] == ["failed", "not_ours"]
    assert all(found["matched_until"].values())
    world.later(days=40)
    for words, expected in (
        ([], []),
        (["--month", "2026-03"], found["spent"]),
        (["--from", "2026-03-02", "--to", "2026-03-02"], found["spent"]),
        (["--from", "2026-03-03"], []),
        (["--to", "2026-03-01"], []),
    ):
        assert json.loads(shown(world, "--json", *words))["spent"] == expected


def test_people_see_what_programs_see(giving: Giving, shown: Shown) -> None:
    """The tables have the sums, and each difference the command that settles it."""
    world = giving()
    world.redeem()
    world.order()["state"] = "failed"
    world.check()
    [row] = world.differences()
    seen = shown(world)
    for word in (
        "gifts",
        "cards",
        "wipers",
        "order o1 over 20.00 EUR failed or was cancelled",
        f"hub spend give-back {row['id']}",
    ):
        assert word in seen, seen


# A plain count --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_every_mishap_is_found_and_nothing_else(giving: Giving, shown: Shown, seed: int) -> None:
    """Days of purchases and mishaps, counted beside in plain sums; at the end all is settled."""
    world, chance = giving(), Random(seed)
    people = [f"+1415555{number:04}" for number in range(200, 206)]
    for phone in people:
        world.join(5000, phone)
    expected: Counter[str] = Counter()
    kept = 0
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for number in range(60):
        reward, phone = chance.choice(sorted(WORTH)), chance.choice(people)
        mishap = chance.choice([None, None, "failed", "amount", "lost", "foreign", "unknown"])
        cost = {"wipers": 60, "oil-change": 120}[reward]
        world.redeem(reward, phone)
        line = sums[reward]
        line[0] += mishap != "failed"
        line[1] += mishap == "failed"
        line[2] += 0 if mishap == "failed" else WORTH[reward] * 100
        line[3] += 0 if mishap == "failed" else cost
        if mishap == "failed":
            world.order()["state"] = chance.choice(["failed", "cancelled"])
            expected["failed"] += 1
            kept += cost
        elif mishap == "amount":
            world.order()["amount"] = f"{WORTH[reward] + 1}.00"
            expected["amount"] += 1
        elif mishap == "lost":
            world.order()["key"] = f"call_{number}"
            expected["unknown_call"] += 1
            expected["unknown_order"] += 1
        elif mishap == "foreign":
            world.platform.add(f"x{number}", "1.00", "EUR", key="payroll")
            expected["not_ours"] += 1
        elif mishap == "unknown":
            name = world.order()["id"]
            world.platform.there["orders"][f"gone-{name}"] = {
                **world.platform.there["orders"].pop(name),
                "key": "",
                "at": "2020-01-01T00:00:00+00:00",
            }
            expected["unknown_order"] += 1
        if chance.random() < 0.2:
            world.later(hours=chance.randrange(1, 20))
            world.restart() if chance.random() < 0.3 else None
    world.check()
    assert Counter(world.kinds()) == expected
    assert sum(row["points"] for row in world.differences()) == kept
    found = json.loads(shown(world, "--json", "--to", f"{world.clock.now():%Y-%m-%d}", "--from", "2026-03-01"))["spent"]
    assert {
        one["reward"]: [one["number"], one["came_to_nothing"], int(Decimal(one["amount"]) * 100), one["points"]]
        for one in found
    } == dict(sums)
    redeemed = world.totals().redeemed
    for row in world.differences():
        world.do("give_back" if row["points"] else "settle_spend", id=row["id"], reason="seen")
    world.check()
    assert world.kinds() == [] and world.totals().redeemed == redeemed - kept
