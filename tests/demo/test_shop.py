"""The demo's shop and the plain model: the file is what it says, and both read the rules of docs/demo.md alike."""

from collections import Counter
from datetime import timedelta

import pytest

from hub.demo import shop


@pytest.fixture(scope="module")
def script():
    return list(shop.script(shop.read_purchases()))


def test_the_file_holds_the_purchases_that_it_is_said_to_hold():
    """6,919 purchases of 2,357 customers, 244,091.94 in all, eight of them of nothing."""
    purchases = shop.read_purchases()
    assert len(purchases) == 6919
    assert len({purchase.customer for purchase in purchases}) == 2357
    assert sum(purchase.cents for purchase in purchases) == 24_409_194
    assert sum(purchase.cents == 0 for purchase in purchases) == 8
    assert min(p.day for p in purchases) == shop.FIRST_DAY and max(p.day for p in purchases) == shop.LAST_DAY


def test_one_point_per_whole_dollar_of_each_purchase_is_239444(totals):
    """The plain model issues exactly the known number of points for the purchases."""
    assert totals["points"]["by_recipe"]["purchase-points"] == 239_444
    assert (totals["purchases"], totals["members"]) == (6919, 2357)


def test_every_point_issued_is_somewhere(totals):
    """Issued = redeemed + expired + clawed back + outstanding, and each of them happens."""
    points = totals["points"]
    assert points["issued"] == points["redeemed"] + points["expired"] + points["clawed_back"] + points["outstanding"]
    assert points["issued"] == sum(points["by_recipe"].values())
    assert all(points[key] > 0 for key in ("redeemed", "expired", "clawed_back", "outstanding"))
    assert all(members > 0 for members in totals["tiers"].values())


def test_the_script_and_the_plain_model_agree_on_every_day_of_every_customer(script, model, data):
    """Shop and model, written apart, tell the same things about each customer in the same order."""
    told: dict[int, list[tuple]] = {}
    for day, happenings in script:
        attached = [h for h in dict.fromkeys(happenings) if h.kind not in ("approved", "refund_pending")]
        for h in attached:
            told.setdefault(h.customer, []).append((day, *_said(h)))
    for c, orders in model.orders_by_customer(data).items():
        expected = [
            (day, what, *_meant(what, details))
            for day, items in sorted(model.agenda(c, orders).items())
            for _, what, details in items
        ]
        seen, kept = set(), []
        for item in (item for item in told[c] if item[1]):
            if item[1] != "sale" or item not in seen:
                kept.append(item)
            seen.add(item)
        assert kept == expected, c


def _said(h):
    if h.kind == "customer":
        return ("record",)
    if h.kind == "payment":
        return ("lost" if h.lost else "sale", h.order) if h.named else ("",)
    if h.kind == "refund":
        return ("refund", h.order, h.cents)
    if h.words.startswith("CLAIM"):
        return ("sale", int(h.words[-6:]))
    if h.words.startswith("REDEEM"):
        return ("redeem", h.words.split()[1])
    return ("text", h.words)


def _meant(what, details):
    if what in ("sale", "lost"):
        return (details["order"]["n"],)
    if what == "refund":
        return (details["order"]["n"], details["cents"])
    return tuple(details.values())


def test_every_fiftieth_webhook_comes_twice(script):
    """A copy follows the fiftieth, the hundredth and so on, at once and unchanged."""
    flat = [happening for _, happenings in script for happening in happenings if not happening.lost]
    fresh = [happening for place, happening in enumerate(flat) if place == 0 or happening != flat[place - 1]]
    assert len(flat) - len(fresh) == len(fresh) // shop.TWICE_EVERY
    assert all(count == 2 for count in Counter(flat).values() if count > 1)


def test_a_late_payment_comes_after_its_own_refund(script):
    """Orders with n mod 300 = 37 are refunded before the hub has heard of them."""
    days = {}
    for day, happenings in script:
        for h in happenings:
            days.setdefault((h.kind, h.order), day)
    early = [order for kind, order in days if kind == "refund" and order % 300 == 37]
    assert early
    assert all(days["payment", order] - days["refund", order] == timedelta(1) for order in early)
