"""The plain model: what the demo must come to, from the file and docs/demo.md alone, without any of the hub's code.

Every customer is lived through day by day with dicts, integers and dates: at midnight points expire, in the morning birthdays
and lapses give theirs, in the evening the day's webhooks are worked in their order. Duplicates are not here at all, because
they must change nothing.

    hub demo --exit --json | python tests/demo/plain_model.py

says whether a whole run came to the same, and exits with 1 if it did not.
"""

import csv
import gzip
import io
import json
import sys
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

START, END = date(1997, 1, 1), date(1998, 6, 30)
COSTS = {"wiper-blades": 60, "oil-change": 120, "brake-check": 200}
TIERS = [("Gold", 300), ("Silver", 100), ("Bronze", 0)]


def orders_by_customer(path: Path) -> dict[int, list[dict]]:
    """c -> its purchases: {n, day, amount} in the order of the file."""
    found: dict[int, list[dict]] = {}
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        for row in csv.DictReader(io.StringIO(lines.read())):
            c, n = int(row["customer"].lstrip("c")), int(row["order_id"].lstrip("o"))
            day = date(*map(int, row["date"].split("-")))
            found.setdefault(c, []).append({"n": n, "day": day, "amount": Decimal(row["amount"])})
    return found


def months_later(day: date, months: int) -> date:
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month0 + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError(day)


def agenda(c: int, orders: list[dict]) -> dict[date, list[tuple]]:
    """day -> what the hub is told about c that evening, in order: (place, what, details)."""
    told = [*person(c, orders[0]["day"])]
    for k, order in enumerate(orders, 1):
        told += [*payment(c, k, order), *refunds(order), *requests(c, k, order)]
    days: dict[date, list[tuple]] = {}
    for day, place, what, details in told:
        if day <= END:
            days.setdefault(day, []).append((place, what, details))
    for items in days.values():
        items.sort(key=lambda item: item[0])
    return days


def in_days(day: date, days: int) -> date:
    return day + timedelta(days)


def texts_us(c: int) -> bool:
    return c % 10 != 0 and c % 2 == 0


def person(c: int, first: date) -> list[tuple]:
    found = [(first, (0,), "record", {})] if c % 10 != 0 else []
    if texts_us(c):
        found.append((in_days(first, 1), (3, 0), "text", {"words": "JOIN"}))
        if c % 30 == 4:
            found.append((in_days(first, 2), (3, 1), "text", {"words": "HELP"}))
        if c % 26 == 6:
            found.append((in_days(first, 30), (3, 2), "text", {"words": "STOP"}))
        if c % 52 == 6:
            found.append((in_days(first, 90), (3, 3), "text", {"words": "START"}))
    return found


def payment(c: int, k: int, order: dict) -> list[tuple]:
    n, day = order["n"], order["day"]
    if n % 120 == 71 and texts_us(c) and k > 1 and day < END:
        return [(in_days(day, 1), (3, 6, n), "sale", {"order": order, "claimed": True})]
    if n % 100 == 83 and day < END:
        return [(day, (1, n), "lost", {"order": order})]
    late = 1 if n % 60 == 11 else 2 if n % 100 == 37 else 0
    return [(min(in_days(day, late), END), (1, n), "sale", {"order": order})]


def refunds(order: dict) -> list[tuple]:
    n, day, cents = order["n"], order["day"], int(order["amount"] * 100)
    later = in_days(day, 5 + n % 9)
    found = []
    if n % 40 == 9:
        found.append((later, cents))
    if n % 40 == 29:
        found.append((later, cents * 2 // 5))
    if n % 80 == 29:
        found.append((in_days(later, 3), cents // 4))
    if n % 300 == 37:
        found.append((in_days(day, 1), cents))
    return [(when, (2, n), "refund", {"order": order, "cents": back}) for when, back in found if cents]


def requests(c: int, k: int, order: dict) -> list[tuple]:
    n, tomorrow = order["n"], in_days(order["day"], 1)
    if not texts_us(c):
        return []
    found = [(tomorrow, (3, 4, n), "text", {"words": "BALANCE"})] if k % 3 == 0 else []
    if k % 2 == 0:
        wish = "free-truck" if n % 70 == 6 else ("wiper-blades", "oil-change", "brake-check")[n % 3]
        found.append((tomorrow, (3, 5, n), "redeem", {"wish": wish}))
    return found


def birthday_of(c: int) -> tuple[int, int] | None:
    if c % 10 == 0 or c % 3 != 0:
        return None
    return (2, 29) if c % 111 == 0 else (1 + c // 3 % 12, 1 + c // 3 % 28)


def is_birthday(day: date, born: tuple[int, int]) -> bool:
    leap = day.year % 4 == 0
    if born == (2, 29) and not leap:
        born = (2, 28)
    return (day.month, day.day) == born


class Account:
    """One member: lots in lists, totals in ints."""

    def __init__(self, has_phone: bool) -> None:
        self.has_phone = has_phone
        self.agreed = False
        self.to_say: list[str] = []  # the recipes that want to send a text now
        self.sent: Counter[str] = Counter()
        self.member = False
        self.joined: date | None = None
        self.bought: date | None = None
        self.lots: list[dict] = []
        self.debt = 0
        self.lifetime = 0
        self.tier = 2  # its place in TIERS
        self.early: dict[int, list[int]] = {}  # refunds that wait for their sale: n -> cents
        self.sales: dict[int, dict] = {}
        self.issued: dict[str, int] = {}
        self.redeemed = self.expired = self.clawed_back = self.refunds = self.purchases = 0
        self.rewards: list[str] = []
        self.lost: list[dict] = []  # sales of today that no webhook tells
        self.ever_owed = False

    def award(self, recipe: str, points: int, earned: date, good: date, stamp: tuple) -> dict | None:
        if points == 0:
            return None
        self.issued[recipe] = self.issued.get(recipe, 0) + points
        repaid = min(self.debt, points)
        self.debt -= repaid
        lot = {"left": points - repaid, "good": good, "earned": earned, "stamp": stamp}
        self.lots.append(lot)
        self.lifetime += points
        if recipe != "welcome":
            self.to_say.append({"purchase-points": "purchase-message"}.get(recipe, f"{recipe}-message"))
        self.climb()
        return lot

    def climb(self) -> None:
        place = next(place for place, (_, threshold) in enumerate(TIERS) if self.lifetime >= threshold)
        if place < self.tier:
            self.tier = place
            self.to_say.append("tier-message")

    def night(self) -> None:
        """The hub finds in Square's list what no webhook told."""
        for order in self.lost:
            self.sale(order)
        self.lost = []
        self.send()

    def send(self) -> None:
        """Everything that is to be said now goes out, if the member has a phone and has agreed."""
        if self.has_phone and self.agreed:
            self.sent.update(self.to_say)
        self.to_say = []

    def in_order(self) -> list[dict]:
        return sorted((lot for lot in self.lots if lot["left"]), key=lambda lot: (lot["good"], lot["stamp"]))

    def take(self, points: int, lots: list[dict]) -> int:
        taken = 0
        for lot in lots:
            part = min(lot["left"], points - taken)
            lot["left"] -= part
            taken += part
        return taken

    @property
    def balance(self) -> int:
        return sum(lot["left"] for lot in self.lots) - self.debt

    def midnight(self, today: date) -> None:
        for lot in self.lots:
            if lot["good"] < today and lot["left"]:
                self.expired += lot["left"]
                lot["left"] = 0

    def morning(self, today: date, born: tuple[int, int] | None) -> None:
        if not self.member:
            return
        if born and is_birthday(today, born) and (today - self.joined).days >= BIRTHDAY_ON_FILE:
            self.award("birthday", 30, today, today + timedelta(60), (today, 1, 0, 0))
        if self.bought and today == self.bought + timedelta(120):
            self.award("win-back", 20, today, today + timedelta(30), (today, 1, 0, 1))
        if sum(lot["left"] for lot in self.lots if lot["good"] == today + timedelta(14)) >= 50:
            self.to_say.append("expiry-notice")
        self.send()

    def join(self, when: date, stamp: tuple) -> None:
        """when: the day on which it happened, which for a late payment is before the day on which it arrives."""
        if not self.member:
            self.member, self.joined = True, when
            self.award("welcome", 25, when, months_later(when, 6), stamp)

    def sale(self, order: dict) -> None:
        self.join(order["day"], (order["day"], 2, order["n"], 1))
        n, day, amount = order["n"], order["day"], order["amount"]
        points = int(amount)
        self.purchases += 1
        self.bought = max(self.bought or day, day)
        lot = self.award("purchase-points", points, day, months_later(day, 6), (day, 2, n, 0))
        self.sales[n] = {"lot": lot, "points": points, "base": int(amount * 100), "returned": 0, "taken": 0}
        for cents in self.early.pop(n, []):
            self.refund(n, cents)

    def refund(self, n: int, cents: int) -> None:
        if n not in self.sales:
            self.early.setdefault(n, []).append(cents)
            return
        self.refunds += 1
        sale = self.sales[n]
        sale["returned"] += cents
        target = sale["points"] if sale["returned"] >= sale["base"] else sale["points"] * sale["returned"] // sale["base"]
        points = target - sale["taken"]
        sale["taken"] = target
        if not points:
            return
        own = [sale["lot"]]
        got = self.take(points, own)
        got += self.take(points - got, [lot for lot in self.in_order() if lot is not sale["lot"]])
        self.debt += points - got
        self.ever_owed |= got < points
        self.clawed_back += points
        self.to_say.append("refund-notice")
        self.lifetime -= points

    def hear(self, words: str) -> None:
        if words in ("JOIN", "START"):
            self.agreed = True
        if words == "STOP":
            self.agreed = False
        if words in ("JOIN", "BALANCE", "HELP"):
            self.to_say.append(f"sms-{words.lower()}")

    def redeem(self, wish: str) -> None:
        self.to_say.append("sms-redeem")
        cost = COSTS.get(wish)
        if cost is not None and self.balance >= cost:
            assert self.take(cost, self.in_order()) == cost
            self.redeemed += cost
            self.rewards.append(wish)


BIRTHDAY_ON_FILE = 0
"""For how many days a birthday must have been on file before it gives anything."""


def live(c: int, orders: list[dict]) -> Account:
    account, days, born = Account(c % 10 != 0 and (c % 2 == 0 or c % 8 == 1)), agenda(c, orders), birthday_of(c)
    today = START
    while today <= END:
        account.midnight(today)
        account.night()
        account.morning(today, born)
        for _, what, details in days.get(today, ()):
            if what == "record":
                account.join(today, (today, 1, 0, 0))
            elif what == "lost":
                account.lost.append(details["order"])
            elif what == "text":
                account.hear(details["words"])
            elif what == "sale":
                account.sale(details["order"])
                if details.get("claimed"):
                    account.to_say.append("sms-claim")
            elif what == "refund":
                account.refund(details["order"]["n"], details["cents"])
            elif what == "redeem":
                account.redeem(details["wish"])
        account.send()
        today += timedelta(1)
    account.midnight(END + timedelta(1))
    return account


def texts_sent(path: Path) -> dict[str, int]:
    """How many texts each recipe gets through to members: with a phone, and with consent when it goes out."""
    sent: Counter[str] = Counter()
    for c, orders in orders_by_customer(path).items():
        sent.update(live(c, orders).sent)
    return dict(sent)


def totals(path: Path) -> dict:
    """What `hub demo --json` must print, but for `verified`."""
    accounts = [live(c, orders) for c, orders in orders_by_customer(path).items()]
    recipes = ("purchase-points", "welcome", "birthday", "win-back")
    by_recipe = {recipe: sum(account.issued.get(recipe, 0) for account in accounts) for recipe in recipes}
    return {
        "purchases": sum(account.purchases for account in accounts),
        "refunds": sum(account.refunds for account in accounts),
        "members": sum(account.member for account in accounts),
        "points": {
            "issued": sum(by_recipe.values()),
            "redeemed": sum(account.redeemed for account in accounts),
            "expired": sum(account.expired for account in accounts),
            "clawed_back": sum(account.clawed_back for account in accounts),
            "outstanding": sum(account.balance for account in accounts),
            "by_recipe": by_recipe,
        },
        "tiers": {name: sum(TIERS[account.tier][0] == name for account in accounts) for name, _ in reversed(TIERS)},
    }


def differences(shown: object, computed: object, at: str = "") -> list[str]:
    """Where two results differ, a line each."""
    if isinstance(shown, dict) and isinstance(computed, dict):
        keys = [*computed, *(key for key in shown if key not in computed)]
        return [line for key in keys for line in differences(shown.get(key), computed.get(key), f"{at}.{key}".lstrip("."))]
    return [] if shown == computed else [f"{at}: the demo says {shown}, the plain model {computed}"]


if __name__ == "__main__":
    data = Path(__file__).parents[2] / "hub" / "demo" / "cdnow_sample.csv.gz"
    found = differences(json.load(sys.stdin), {**totals(data), "verified": True})
    print("\n".join(found) or "The demo and the plain model agree.")  # noqa: T201
    sys.exit(bool(found))
