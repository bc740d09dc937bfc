"""Model: what a programme must come to, said plainly: no tables, no batches, none of the hub's code.

Everything is done at once, in the order in which it is told. Points are first-expiring first; a refund takes its share of the
award, rounded down over all refunds of the sale; what is spent already becomes debt, which later points repay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Chicago")
MONTHS = 6
TIERS = ((300, "Gold"), (100, "Silver"), (0, "Bronze"))
RANK = {"Bronze": 0, "Silver": 1, "Gold": 2}
COSTS = {"oil-change": 120, "wipers": 60}


@dataclass
class Lot:
    expires: datetime
    earned: datetime
    number: int
    left: int


@dataclass
class Member:
    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    lifetime: int = 0
    tier: str = "Bronze"

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots) - self.debt


@dataclass
class Sale:
    who: str
    cents: int
    award: int
    lot: Lot | None
    returned: int = 0
    clawed: int = 0


def last_moment(earned: datetime) -> datetime:
    """The end of the last good day: six months on, the month's last day where it has no such day."""
    day = earned.astimezone(ZONE).date()
    year, month0 = divmod(day.year * 12 + day.month - 1 + MONTHS, 12)
    for last in (day.day, 30, 29, 28):
        try:
            end = day.replace(year=year, month=month0 + 1, day=last)
            break
        except ValueError:
            continue
    return datetime.combine(end + timedelta(days=1), time(), ZONE)


class Model:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.members: dict[str, Member] = {}
        self.sales: dict[str, Sale] = {}
        self.refunds: set[str] = set()
        self.early: dict[str, list[int]] = {}
        self.words: dict[str, tuple[str, datetime]] = {}
        self.queued: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str]] = []
        self.issued = self.redeemed = self.expired = self.clawed_back = self.adjusted = 0
        self._lots = 0

    def sale(self, name: str, who: str, cents: int, at: datetime) -> None:
        if name in self.sales:
            return
        member = self.members.setdefault(who, Member())
        points = cents // 100
        lot = self._credit(member, points, at) if points else None
        self.issued += points
        member.lifetime += points
        if points:
            reached = next(tier for least, tier in TIERS if member.lifetime >= least)
            member.tier = max(member.tier, reached, key=RANK.__getitem__)
        self.sales[name] = Sale(who, cents, points, lot)
        self.queued.append((who, name))
        for back in self.early.pop(name, []):
            self._take_back(name, back)

    def refund(self, name: str, sale: str, cents: int) -> None:
        if name in self.refunds:
            return
        self.refunds.add(name)
        if sale in self.sales:
            self._take_back(sale, cents)
        else:
            self.early.setdefault(sale, []).append(cents)

    def redeem(self, who: str, reward: str) -> None:
        member = self.members.get(who)
        cost = COSTS.get(reward)
        if member is None or cost is None or member.balance < cost:
            return
        self._spend(member, cost)
        self.redeemed += cost

    def adjust(self, who: str, points: int) -> bool:
        """False when it is refused."""
        member = self.members[who]
        if points > 0:
            self._credit(member, points, self.now)
        elif member.balance < -points:
            return False
        else:
            self._spend(member, -points)
        self.adjusted += points
        return True

    def say(self, who: str, word: str) -> None:
        """STOP or START; of two from the same moment the STOP holds."""
        before, at = self.words.get(who, ("", None))
        if word == "START" and before == "STOP" and at == self.now:
            return
        self.words[who] = (word, self.now)

    def send(self) -> None:
        """What is queued goes out, to those who have agreed by now."""
        self.sent += [(who, text) for who, text in self.queued if self.words.get(who, ("", None))[0] == "START"]
        self.queued.clear()

    def until(self, moment: datetime) -> None:
        self.now = moment
        for member in self.members.values():
            self.expired += sum(lot.left for lot in member.lots if lot.expires <= moment)
            member.lots = [lot for lot in member.lots if lot.expires > moment]

    def _credit(self, member: Member, points: int, earned: datetime) -> Lot | None:
        repaid = min(points, member.debt)
        member.debt -= repaid
        if points == repaid:
            return None
        self._lots += 1
        lot = Lot(last_moment(earned), earned, self._lots, points - repaid)
        member.lots.append(lot)
        return lot

    def _spend(self, member: Member, points: int, first: Lot | None = None) -> int:
        """Take points from the lots, the given one before all others; gives how many they lacked."""
        for lot in sorted(member.lots, key=lambda lot: (lot is not first, lot.expires, lot.earned, lot.number)):
            part = min(points, lot.left)
            lot.left -= part
            points -= part
        return points

    def _take_back(self, name: str, cents: int) -> None:
        sale = self.sales[name]
        member = self.members[sale.who]
        sale.returned += cents
        target = sale.award if sale.returned >= sale.cents else sale.award * sale.returned // sale.cents
        points = target - sale.clawed
        if points <= 0:
            return
        sale.clawed += points
        self.clawed_back += points
        member.debt += self._spend(member, points, sale.lot)
        member.lifetime = max(0, member.lifetime - points)
