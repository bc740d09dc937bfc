"""Values: small sums about money, and names."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from hub.sdk import UtcMoment, names, share, stars, utc


@pytest.mark.parametrize(
    ("goods", "paid", "whole", "currency", "part"),
    [
        ("8.00", "10.00", "20.00", "USD", "4.00"),
        ("8.00", "6.17", "18.50", "USD", "2.67"),
        ("100", "1", "3", "JPY", "33"),
        ("1.000", "1", "3", "KWD", "0.333"),
        ("8.00", "20.00", "20.00", "USD", "8.00"),
        ("8.00", "25.00", "20.00", "USD", "8.00"),
        ("0", "0", "0", "USD", "0"),
    ],
)
def test_a_share_is_in_proportion_to_the_smallest_coin(goods: str, paid: str, whole: str, currency: str, part: str) -> None:
    """Who pays all (or more) has all of it; nothing is divided by nothing."""
    assert share(Decimal(goods), Decimal(paid), Decimal(whole), currency) == Decimal(part)


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Ada Ng", "Ada", "Ng"),
        (" Ada  King of Lovelace ", "Ada", "King of Lovelace"),
        ("Ada", "Ada", None),
        ("", None, None),
        (None, None, None),
        ("ada@example.com", None, None),
    ],
)
def test_a_name_that_is_kept_as_one_is_two(full: str | None, first: str | None, last: str | None) -> None:
    """The first word, and the rest; whoever knows no name puts the address in its place."""
    found = names(full)
    assert (found.get("first_name"), found.get("last_name")) == (first, last)


@pytest.mark.parametrize(
    ("given", "out_of", "rating"),
    [(5, 5, 5), ("4.5", 5, 5), ("4,4", 5, 4), (" 9 ", 10, 5), (87, 100, 4), (Decimal(0), 5, 0), (6, 5, None), (-1, 5, None)],
)
def test_a_rating_is_of_five(given: object, out_of: int, rating: int | None) -> None:
    """Whatever the scale, and however a number is written; what lies beyond the scale is none."""
    assert stars(given, out_of) == rating


@pytest.mark.parametrize("given", [None, "", "five", "NaN", "Infinity", True, [], "1" * 9000])
def test_what_is_no_rating_is_none(given: object) -> None:
    """It is not guessed."""
    assert stars(given) is None


@pytest.mark.parametrize(
    "text", ["2026-02-06T21:27:34.5", "2026-02-06T21:27:34.500000Z", "2026-02-06T22:27:34.5+01:00", "2026-02-06 21:27:34.5"]
)
def test_a_time_without_a_zone_is_utc_where_the_platform_means_that(text: str) -> None:
    """One that says its zone is taken at its word."""
    moment = datetime(2026, 2, 6, 21, 27, 34, 500_000, tzinfo=UTC)
    assert utc(text) == TypeAdapter(UtcMoment).validate_python(text) == moment
