"""What hub.yaml may say about the programme, and what is said to those who say it wrongly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub import document
from hub.errors import ConfigError, Parked
from hub.programme import Programme
from hub.sdk.values import Duration

GOOD = """\
name: Diesel Rewards
timezone: America/Chicago
currency: USD
region: US
points: {name: points, value: 0.01, rounding: floor}
expiry: 12 months after earning
tiers: [{name: Bronze, from: 0}, {name: Silver, from: 500}, {name: Gold, from: 2000, window: lifetime}]
rewards: [{id: oil-change, title: Free oil change, cost: 500}]
commands: {redeem: [REDEEM, GIFT], stop: ENOUGH}
messages: {email: opt_in}
exchange_rates: {EUR: 1.10}
cap_per_event: 5000
"""


def programme(text: str = GOOD) -> Programme:
    return Programme.from_node(document.load(text, "hub.yaml"))


def test_a_full_section_is_read() -> None:
    """Every setting of the page ends where it belongs."""
    read = programme()
    assert (read.zone.key, read.currency, read.region) == ("America/Chicago", "USD", "US")
    assert read.expiry == Duration(months=12)
    assert [(tier.name, tier.from_points) for tier in read.tiers] == [("Bronze", 0), ("Silver", 500), ("Gold", 2000)]
    assert read.points.value == Decimal("0.01")
    assert (read.policy("sms"), read.policy("email"), read.policy("fax")) == ("opt_in", "opt_in", "opt_in")
    assert read.cap_per_event == 5000


def test_little_is_enough() -> None:
    """A name, a zone and a currency make a programme; e-mail needs no yes, SMS does, points never end."""
    read = programme("{name: A, timezone: UTC, currency: EUR, expiry: 12 months}")
    assert (read.policy("sms"), read.policy("email"), read.policy("chat")) == ("opt_in", "opt_out", "opt_out")
    assert read.expiry == Duration(months=12)
    assert read.tier_for(10**6) is None


def test_own_words_replace_the_usual_ones_but_never_those_of_the_carriers() -> None:
    """REDEEM may be called otherwise; STOP always stops."""
    words = programme().words()
    assert words["redeem"] == ("redeem", "gift")
    assert {"stop", "unsubscribe", "quit", "enough"} <= set(words["stop"])


@pytest.mark.parametrize(
    ("line", "instead", "at", "said"),
    [
        ("timezone: America/Chicago", "timezone: America/Chicgo", "America/Chicgo", "did you mean `America/Chicago`"),
        ("currency: USD", "currency: dollars", "dollars", "three capital letters"),
        ("currency: USD", "currancy: USD", "currancy", "did you mean `currency`"),
        ("currency: USD\n", "", "name: Diesel", "`currency` is missing"),
        ("region: US", "region: USA", "USA", "two letters"),
        ("rounding: floor", "rounding: up", "up}", "`rounding` is `up`"),
        ("rounding: floor", "roundin: floor", "roundin", "did you mean `rounding`"),
        ("12 months after earning", "a year", "a year", "not a length of time"),
        ("12 months after earning", "6 months after last visit", "6 months", "after earning"),
        ("from: 500", "from: 2000", "[{name: Bronze", "rising order"),
        ("from: 500", "from: -5", "-5", "`from` is `-5`"),
        ("name: Silver", "name: Bronze", "[{name: Bronze", "`Bronze` is there twice"),
        ("window: lifetime", "window: rolling 12 months", "rolling", "comes later"),
        ("cost: 500", "cost: 0", "0}]", "`cost` is `0`"),
        ("id: oil-change", "id: oil change", "oil change,", "not a reward's id"),
        ("redeem: [REDEEM, GIFT]", "redeem: [STOP]", "{redeem", "`stop` is there twice"),
        ("commands: {redeem", "commands: {redem", "redem:", "`redem` cannot stand here"),
        ("email: opt_in", "email: maybe", "maybe", "`email` is `maybe`"),
        ("EUR: 1.10", "USD: 1.10", "{USD", "own currency"),
        ("EUR: 1.10", "EUR: 0", "0}\ncap", "`EUR` is `0`"),
        ("cap_per_event: 5000", "cap_per_event: 1.5", "1.5", "`cap_per_event` is `1.5`"),
    ],
)
def test_a_mistake_is_told_at_its_place(line: str, instead: str, at: str, said: str) -> None:
    """Line, column, the value and what to do."""
    text = GOOD.replace(line, instead)
    before = text[: text.index(at)].split("\n")
    with pytest.raises(ConfigError) as error:
        programme(text)
    found = [problem for problem in error.value.problems if said in f"{problem.message} {problem.hint}"]
    assert found, str(error.value)
    assert (found[0].line, found[0].column) == (len(before), len(before[-1]) + 1)


def test_several_mistakes_are_told_at_once() -> None:
    """Nobody wants to mend one line at a time."""
    with pytest.raises(ConfigError) as error:
        programme(GOOD.replace("currency: USD", "currency: usd").replace("rounding: floor", "rounding: up"))
    assert len(error.value.problems) == 2


def test_rewards_are_known_by_id_and_title_however_they_are_typed() -> None:
    """People write `Oil change`, not `oil-change`."""
    read = programme()
    for said in ("oil-change", "OIL CHANGE", "free oil change", " oilchange "):
        assert read.reward_for(said) is read.rewards[0]
    assert read.reward_for("tyres") is None


@pytest.mark.parametrize(
    ("rounding", "whole"), [("floor", [2, 2, 3, -3]), ("half_even", [2, 2, 4, -2]), ("ceil", [3, 3, 4, -2])]
)
def test_rounding_is_exact(rounding: str, whole: list[int]) -> None:
    """2.5, 2.0000000001, 3.5 and -2.5 by each way of rounding (a tie goes to the even number)."""
    read = programme(GOOD.replace("floor", rounding))
    assert [read.round(Decimal(value)) for value in ("2.5", "2.0000000001", "3.5", "-2.5")] == whole


def test_foreign_money_is_converted_to_the_smallest_coin() -> None:
    """19.99 EUR at 1.10 is 21.989, which is 21.99; half a coin goes to the even one."""
    read = programme()
    assert read.in_own_currency(Decimal("19.99"), "EUR") == Decimal("21.99")
    assert read.in_own_currency(Decimal("0.05"), "EUR") == Decimal("0.06")
    assert read.in_own_currency(Decimal(7), "USD") == Decimal(7)
    with pytest.raises(Parked, match="GBP"):
        read.in_own_currency(Decimal(1), "GBP")


def test_expiry_is_the_end_of_the_last_good_day() -> None:
    """January 31 and one month is February 28, whole, in the programme's zone."""
    earned = datetime(2026, 2, 1, 3, tzinfo=UTC)  # the evening of January 31 in Chicago
    assert programme().expires_at(earned, Duration(months=1)) == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert programme().expires_at(earned, None) is None


@pytest.mark.parametrize("text", ["[]", "just text", "", "12"])
def test_a_section_that_is_no_mapping_is_told(text: Any) -> None:
    """Not even a wrong shape is an exception of Python's."""
    with pytest.raises(ConfigError):
        programme(text)
