"""Settings: the `programme:` section of hub.yaml, checked, with the small sums that depend on nothing else.

A Programme is immutable. Its fields are those of the file; `zone` stands there as `timezone`, `from_points` as `from`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from hub.document import Node
from hub.errors import ConfigError, Parked
from hub.programme.findings import problems
from hub.sdk.values import POINTS_MOST, Currency, Duration, Money, Number, Points, exponent

Rounding = Literal["floor", "half_even", "ceil"]
Policy = Literal["opt_in", "opt_out"]
Command = Literal["join", "balance", "redeem", "claim", "stop", "start", "help"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

_ROUND: Mapping[str, Callable[[Decimal | Fraction], int]] = {"floor": math.floor, "half_even": round, "ceil": math.ceil}
_AFTER_EARNING = re.compile(r"\s+after\s+earning\s*$", re.IGNORECASE)
# Chat is seen only by who comes by; the rest comes to people.
_POLICIES: Mapping[str, Policy] = {
    "sms": "opt_in", "whatsapp": "opt_in", "push": "opt_in", "email": "opt_out", "chat": "opt_out",
}  # fmt: skip
WORDS: Mapping[Command, tuple[str, ...]] = {
    "join": ("JOIN",),
    "balance": ("BALANCE", "POINTS"),
    "redeem": ("REDEEM",),
    "claim": ("CLAIM",),
    "stop": ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
    "start": ("START", "YES", "UNSTOP"),
    "help": ("HELP", "INFO"),
}
"""The words of each SMS command where hub.yaml names none; those of STOP, START and HELP are the carriers' and always hold."""
_ALWAYS = frozenset({"stop", "start", "help"})


def _zone(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    zones = _zones()
    if value in zones:
        return ZoneInfo(value)
    near = get_close_matches(value, zones, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else ", such as `America/Chicago`"
    raise ValueError(f"`{value}` is not the name of a time zone{hint}")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _region(value: str) -> str:
    if value not in SUPPORTED_REGIONS:
        raise ValueError(f"`{value}` is not a country's two letters, such as `US`")
    return value


def _code(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"`{value}` is not a currency's three capital letters, such as `USD`")
    return value


def _reward_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        raise ValueError(f"`{value}` is not a reward's id: letters, digits, `-` and `_`, such as `oil-change`")
    return value


def _expiry(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    length = _AFTER_EARNING.sub("", value)
    if re.search(r"\bafter\b", length, re.IGNORECASE):
        raise ValueError(f"`{value}` is not known yet; say how long after earning, such as `12 months after earning`")
    return Duration.parse(length)


def _look_alikes(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().casefold() == "never" else value


def _window(value: str) -> str:
    if value != "lifetime":
        raise ValueError(f"the window `{value}` comes later; tiers go by lifetime points now, so leave `window` out")
    return value


def _words(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _word(value: str) -> str:
    word = " ".join(value.split()).casefold()
    if not word:
        raise ValueError("a command needs a word, such as `JOIN`")
    return word


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


class PointsSettings(_Section):
    """What a point is. value: what one is worth in the programme's currency. rounding: how a fraction becomes whole points."""

    name: Name = "points"
    value: Money | None = None
    rounding: Rounding = "floor"


class Tier(_Section):
    """A level of membership. from_points: the points earned for good (lifetime) from which a member is in it."""

    name: Name
    from_points: Points = Field(alias="from", ge=0)
    window: Annotated[str, AfterValidator(_window)] = "lifetime"


class Reward(_Section):
    """What members can spend points on. id: what they write to get it (`REDEEM oil-change`)."""

    id: Annotated[str, AfterValidator(_reward_id)]
    title: Name
    cost: Points = Field(ge=1)


Code = Annotated[str, AfterValidator(_code)]
Words = Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], BeforeValidator(_words)]


class Programme(_Section):
    """The programme of one business, as its hub.yaml says."""

    name: Name
    zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(alias="timezone")
    currency: Code
    region: Annotated[str, AfterValidator(_region)] | None = None
    points: PointsSettings = PointsSettings()
    expiry: Annotated[Duration | None, BeforeValidator(_expiry)] = None
    tiers: tuple[Tier, ...] = ()
    rewards: tuple[Reward, ...] = ()
    commands: dict[Command, Words] = Field(default_factory=dict)
    messages: dict[Literal["sms", "whatsapp", "email", "push", "chat"], Policy] = Field(default_factory=dict)
    exchange_rates: dict[Code, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    look_alikes: Annotated[Duration | None, BeforeValidator(_look_alikes)] = Duration(days=3)
    cap_per_event: Points | None = Field(default=None, ge=1)

    @classmethod
    def from_node(cls, node: Node) -> Programme:
        """The programme that a section of hub.yaml describes. ConfigError with every finding at its place."""
        try:
            return cls.model_validate(node.plain())
        except ValidationError as error:
            raise ConfigError(problems(error, node, cls)) from error

    @field_validator("tiers")
    @classmethod
    def _rising(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        _refuse_twice("tier", [tier.name for tier in tiers])
        thresholds = [tier.from_points for tier in tiers]
        if thresholds != sorted(set(thresholds)):
            raise ValueError(f"tiers start at {', '.join(map(str, thresholds))} points; put them in rising order, each its own")
        return tiers

    @field_validator("rewards")
    @classmethod
    def _told_apart(cls, rewards: tuple[Reward, ...]) -> tuple[Reward, ...]:
        _refuse_twice("reward", [reward.id.casefold() for reward in rewards])
        return rewards

    @field_validator("commands")
    @classmethod
    def _unmistakable(cls, commands: dict[Command, tuple[str, ...]]) -> dict[Command, tuple[str, ...]]:
        _refuse_twice("command word", [word for words in _all_words(commands).values() for word in words])
        return commands

    @field_validator("exchange_rates")
    @classmethod
    def _foreign(cls, rates: dict[str, Decimal], others: ValidationInfo) -> dict[str, Decimal]:
        if others.data.get("currency") in rates:
            raise ValueError(f"{others.data['currency']} is the programme's own currency; leave it out")
        return rates

    def words(self) -> dict[Command, tuple[str, ...]]:
        """The words of each SMS command, in lower case."""
        return _all_words(self.commands)

    def policy(self, channel: str) -> Policy:
        """Whether messages on a channel need a yes first (`opt_in`) or only heed a no (`opt_out`)."""
        own: Mapping[str, Policy] = self.messages  # type: ignore[assignment]
        return own.get(channel) or _POLICIES.get(channel, "opt_in")

    def tier_for(self, lifetime_points: int) -> str | None:
        """The highest tier that so many points reach; None below the lowest."""
        reached = None
        for tier in self.tiers:
            if tier.from_points > lifetime_points:
                break
            reached = tier.name
        return reached

    def tier_rank(self, name: str | None) -> int:
        """The place of a tier from the lowest, counted from 0; -1 for none and for one that there is no longer."""
        return next((rank for rank, tier in enumerate(self.tiers) if tier.name == name), -1)

    def reward_for(self, said: str) -> Reward | None:
        """The reward that somebody names by its id or title; case, spaces and hyphens do not matter."""
        wanted = _plain(said)
        return next((reward for reward in self.rewards if wanted in (_plain(reward.id), _plain(reward.title))), None)

    def round(self, exact: Decimal | Fraction) -> int:
        """Whole points of an exact number, by the programme's rounding. ValueError beyond what an account can hold."""
        whole = _ROUND[self.points.rounding](exact)
        if abs(whole) > POINTS_MOST:
            raise ValueError(f"{whole} points are more than an account can hold ({POINTS_MOST})")
        return whole

    def in_own_currency(self, amount: Decimal, currency: str) -> Decimal:
        """An amount in the programme's currency, to its smallest coin (half to even). Parked when there is no rate."""
        if currency == self.currency:
            return amount
        rate = self.exchange_rates.get(currency)
        if rate is None:
            raise Parked(
                f"The amount is in {currency}, the programme counts in {self.currency}, and hub.yaml has no exchange rate. "
                f"Say what 1 {currency} is in {self.currency} under `programme: exchange_rates:`, then replay."
            )
        exact = Fraction(amount) * Fraction(rate) * 10 ** exponent(self.currency)
        return Decimal(round(exact)).scaleb(-exponent(self.currency))

    def expires_at(self, earned_at: datetime, length: Duration | None) -> datetime | None:
        """When points earned at a moment end: the end of their last good day in the programme's zone; None for never."""
        return None if length is None else length.end_of_day_after(earned_at, self.zone)

    def view(self) -> dict[str, Any]:
        """What recipes see as `programme`; the fields of ProgrammeView."""
        return {
            "name": self.name,
            "currency": self.currency,
            "timezone": self.zone.key,
            "points_name": self.points.name,
            "point_value": self.points.value,
        }


class ProgrammeView(BaseModel):
    """`programme` in recipes: the types for the checker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    currency: Currency
    timezone: str
    points_name: str
    point_value: Money | None = None


def _all_words(commands: Mapping[Command, tuple[str, ...]]) -> dict[Command, tuple[str, ...]]:
    said: dict[Command, tuple[str, ...]] = {}
    for command, usual in WORDS.items():
        own = commands.get(command)
        kept = tuple(word.casefold() for word in usual) if own is None or command in _ALWAYS else ()
        said[command] = tuple(dict.fromkeys(kept + (own or ())))
    return said


def _refuse_twice(what: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the {what} `{twice}` is there twice; give each its own")


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).casefold()
