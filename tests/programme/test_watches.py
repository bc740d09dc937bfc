"""Birthdays, anniversaries, silences and points about to expire: told once each, on the right local day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from hub.clock import to_text
from hub.programme import Programme
from hub.programme.actions import connector, redeem
from hub.programme.awarding import award
from hub.programme.watches import anniversary, birthday, lapsed, next_look, points_expiring
from hub.sdk.facts import Sale
from hub.sdk.values import Duration, add_months
from hub.sdk.watch import Window
from hub.store import Session

CHICAGO = ZoneInfo("America/Chicago")


def at(text: str) -> datetime:
    """A local moment in Chicago."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)


def swept(shop: Any, watch: Any, start: str, end: str, **settings: Any) -> list[Any]:
    with shop.store.read() as session:
        return list(watch(session, shop.programme, Window(at(start), at(end)), **settings))


def by_days(shop: Any, watch: Any, first: str, days: int, **settings: Any) -> list[Any]:
    """Swept once a day, as a hub that is never down does."""
    told, day = [], datetime.fromisoformat(first)
    for n in range(days):
        start, end = day + timedelta(days=n), day + timedelta(days=n + 1)
        told += swept(shop, watch, start.isoformat(), end.isoformat(), **settings)
    return told


def test_a_birthday_is_told_on_the_day_at_nine_in_the_programmes_zone(shop: Any) -> None:
    """Not the evening before, not in UTC; the key names the member and the year."""
    ada = shop.join(birthday=date(1990, 6, 15))
    assert swept(shop, birthday, "2026-06-14T09:00", "2026-06-15T08:59") == []
    (told,) = swept(shop, birthday, "2026-06-15T08:59", "2026-06-15T09:00")
    assert (told.member_id, told.on, told.key) == (ada.id, date(2026, 6, 15), f"bday:{ada.id}:2026")
    assert told.occurred_at == at("2026-06-15T09:00")
    assert swept(shop, birthday, "2026-06-15T09:00", "2026-06-16T09:00") == []


def test_february_29_is_kept_on_the_28th_in_common_years(shop: Any) -> None:
    """Every year once, for members born on either day."""
    leap = shop.join(birthday=date(1988, 2, 29))
    plain = shop.join("bob@example.com", birthday=date(1990, 2, 28))
    for year, days in ((2026, {leap.id: 28, plain.id: 28}), (2028, {leap.id: 29, plain.id: 28})):
        told = by_days(shop, birthday, f"{year}-02-25", 8)
        assert {fact.member_id: fact.on.day for fact in told} == days
        assert len(told) == 2


def test_a_birthday_is_caught_up_for_a_week_and_no_longer(shop: Any) -> None:
    """After downtime nobody is wished well a month late."""
    shop.join(birthday=date(1990, 6, 15))
    assert len(swept(shop, birthday, "2026-06-01T09:00", "2026-06-22T08:00")) == 1
    assert swept(shop, birthday, "2026-06-01T09:00", "2026-06-22T09:30") == []


def test_an_anniversary_comes_each_year_after_joining(shop: Any) -> None:
    """Not on the day of joining itself; it counts the years."""
    ada = shop.join()
    assert by_days(shop, anniversary, "2026-03-09", 4) == []
    (told,) = swept(shop, anniversary, "2028-03-10T00:00", "2028-03-10T12:00")
    assert (told.years, told.key) == (2, f"anniversary:{ada.id}:2")


def active(shop: Any, member_id: str, moment: datetime) -> None:
    with shop.unit() as unit:
        shop.roll(unit).touch(member_id, moment)


def test_a_silence_is_told_once(shop: Any) -> None:
    """After 90 local days, at nine; a new silence after new activity is told again."""
    ada = shop.join()
    active(shop, ada.id, at("2026-03-10T23:30"))
    told = by_days(shop, lapsed, "2026-03-11", 120, after=Duration(days=90))
    assert [(fact.member_id, fact.occurred_at, fact.last_activity_on) for fact in told] == [
        (ada.id, at("2026-06-08T09:00"), date(2026, 3, 10))
    ]
    active(shop, ada.id, at("2026-07-01T10:00"))
    again = by_days(shop, lapsed, "2026-07-02", 120, after=Duration(days=90))
    assert len(again) == 1
    assert again[0].key != told[0].key


def test_who_comes_back_in_time_has_not_lapsed(shop: Any) -> None:
    """Only the last activity counts."""
    ada = shop.join()
    active(shop, ada.id, at("2026-03-10T10:00"))
    active(shop, ada.id, at("2026-06-01T10:00"))
    assert swept(shop, lapsed, "2026-05-20T00:00", "2026-06-20T00:00", after=Duration(days=90)) == []


@pytest.mark.parametrize("after", [Duration(months=1), Duration(days=30), Duration(months=1, days=3)])
def test_every_silence_is_told_once_however_time_is_cut(shop: Any, after: Duration) -> None:
    """Members of every day of four months: one sweep, or one a day, tells each exactly once, with the same key."""
    first = date(2026, 1, 1)
    for n in range(120):
        member = shop.join(f"m{n}@example.com")
        active(shop, member.id, at(f"{first + n * timedelta(days=1)}T22:15"))
    whole = swept(shop, lapsed, "2026-01-01T00:00", "2026-06-20T00:00", after=after)
    daily = by_days(shop, lapsed, "2026-01-01", 170, after=after)
    assert sorted(fact.key for fact in whole) == sorted(fact.key for fact in daily)
    assert len({fact.member_id for fact in daily}) == len(daily) == 120
    for fact in daily:
        due = add_months(fact.last_activity_on, after.months) + timedelta(days=after.days)
        assert fact.occurred_at == at(f"{due}T09:00")


def test_points_are_announced_before_their_last_good_day(shop: Any) -> None:
    """Fourteen days ahead, with what is left of them, all lots of one moment together."""
    ada = shop.join()
    sold = Sale(amount=Decimal(1), currency="USD", occurred_at=at("2026-03-10T10:00"))
    for points in (300, 400):
        with shop.step(ada.id, sold) as work:
            award(work, points=Decimal(points))
    with shop.step(ada.id) as work:
        redeem(work, reward="oil-change")
    told = by_days(shop, points_expiring, "2027-02-01", 60, before=Duration(days=14))
    assert [(fact.points, fact.last_good_day, fact.occurred_at) for fact in told] == [
        (200, date(2027, 3, 10), at("2027-02-24T09:00"))
    ]
    assert told[0].expires_at == at("2027-03-11T00:00")
    assert told[0].key == f"expiring:{ada.id}:{to_text(at('2027-03-11T00:00'))}:14 days"


def test_every_moment_of_expiry_is_announced_once_however_time_is_cut(shop: Any) -> None:
    """A month ahead: lots that end on any of 70 days are told exactly once each."""
    ada = shop.join()
    for n in range(70):
        sold = Sale(amount=Decimal(1), currency="USD", occurred_at=at("2026-01-10T10:00") + timedelta(days=n))
        with shop.step(ada.id, sold) as work:
            award(work, points=Decimal(1), expires=Duration(months=12))
    whole = swept(shop, points_expiring, "2026-11-01T00:00", "2027-06-01T00:00", before=Duration(months=1))
    daily = by_days(shop, points_expiring, "2026-11-01", 200, before=Duration(months=1))
    assert sorted(fact.key for fact in whole) == sorted(fact.key for fact in daily)
    assert sum(fact.points for fact in daily) == len(daily) == 70


def test_the_next_look_is_the_next_nine_oclock(shop: Any) -> None:
    """Also over the change to summer time, when a day has 23 hours."""
    assert next_look(shop.programme, at("2026-03-08T08:59")) == at("2026-03-08T09:00")
    assert next_look(shop.programme, at("2026-03-08T09:00")) == at("2026-03-09T09:00")
    assert next_look(shop.programme, at("2026-03-07T10:00")) - at("2026-03-07T10:00") == timedelta(hours=22)


def test_an_hour_that_summer_time_skips_comes_an_hour_later(shop: Any) -> None:
    """March 8, 2026 has no 2:00 in Chicago; November 1 has 1:00 twice, of which the first counts."""
    ada = shop.join(birthday=date(1990, 3, 8))
    (told,) = swept(shop, birthday, "2026-03-08T00:00", "2026-03-09T00:00", hour=2)
    assert told.occurred_at == datetime(2026, 3, 8, 8, tzinfo=UTC)
    assert told.member_id == ada.id
    shop.join("bob@example.com", birthday=date(1990, 11, 1))
    assert len(by_days(shop, birthday, "2026-10-31", 3, hour=1)) == 1


def test_recipes_reach_the_watches_with_their_settings(shop: Any) -> None:
    """Settings come as text; hours are no length of a silence."""
    watch = connector.watches["lapsed"]
    settings = watch.settings.model_validate({"after": "90 days"})
    with shop.store.read() as session:
        handed = {Session: session, Programme: shop.programme}
        assert list(watch.sweep(handed, Window(at("2026-03-10T00:00"), at("2026-03-11T00:00")), settings)) == []
        assert watch.next_due(handed, at("2026-03-10T10:00"), settings) == at("2026-03-11T09:00")
    with pytest.raises(ValidationError, match="whole number of days"):
        watch.settings.model_validate({"after": "5 hours"})


class Born:
    """One member, born on a day, as the table gives them."""

    def __init__(self, born: date) -> None:
        self._born = born

    def rows(self, _: Any, days: list[str]) -> list[dict[str, str]]:
        return [{"id": "mem_1", "birthday": self._born.isoformat()}] if f"{self._born:%m-%d}" in days else []


@given(
    born=some.dates(date(1930, 1, 1), date(2015, 12, 31)),
    year=some.integers(2024, 2060),
    zone=some.sampled_from(["America/Chicago", "Pacific/Kiritimati", "Pacific/Honolulu", "Europe/Berlin", "Asia/Kathmandu"]),
    cuts=some.lists(some.integers(0, 365 * 24), max_size=5),
)
def test_everybody_has_one_birthday_a_year(born: date, year: int, zone: str, cuts: list[int]) -> None:
    """In any zone, for any date of birth, with the year swept day by day and cut where you like."""
    programme = Programme.model_validate({"name": "P", "timezone": zone, "currency": "USD"})
    start = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = datetime(year + 1, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    moments = {start, end, *(start + timedelta(hours=cut) for cut in cuts)}
    moments |= {start + timedelta(days=5 * n) for n in range(73)}
    edges = sorted(moment for moment in moments if moment <= end)
    session: Any = Born(born)
    told = [fact for a, b in pairwise(edges) for fact in birthday(session, programme, Window(a, b))]
    assert len(told) == 1
    leap = year % 4 == 0
    kept = born.replace(year=year, day=28) if (born.month, born.day) == (2, 29) and not leap else born.replace(year=year)
    assert told[0].on == kept
    assert told[0].occurred_at.astimezone(ZoneInfo(zone)).date() == kept
