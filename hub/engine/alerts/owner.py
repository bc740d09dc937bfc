"""Owner: the section `owner:` of hub.yaml: who is told when something is the matter, by which ways, and when."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hub.document import Mapping as NodeMapping
from hub.document import Node, did_you_mean
from hub.errors import ConfigError, Problem
from hub.programme.findings import problems
from hub.programme.identities import address_on
from hub.sdk import Connection
from hub.sdk.action import Action, Channel
from hub.sdk.values import Duration

_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)"
_QUIET = re.compile(rf"{_CLOCK}\s*(?:-|–|to)\s*{_CLOCK}")
_HEADINGS = ("subject", "title")
_PHONE_TEXT_MOST = 640
_TEXT_MOST = 4_000
_EVERY_LEAST = Duration(seconds=300)
_CHANNELS: Mapping[str, tuple[Channel, ...]] = {"phone": ("sms", "whatsapp"), "email": ("email",)}


class QuietHours(NamedTuple):
    """From one time of the day to another, which may be on the next day."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours:
        """Reads `22:00 to 07:00`. ValueError when it is none."""
        found = _QUIET.fullmatch(text.strip())
        begin, end = (time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))) if found else (time(), time())
        if begin == end:
            raise ValueError(f"`{text}` are no quiet hours such as `22:00 to 07:00`")
        return cls(begin, end)

    def over(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment itself, or the end of the quiet hours in which it lies."""
        local = moment.astimezone(zone)
        if self.begin < self.end:
            within, days = self.begin <= local.time() < self.end, 0
        else:
            within, days = not self.end <= local.time() < self.begin, int(local.time() >= self.begin)
        if not within:
            return moment
        return datetime.combine(local.date() + timedelta(days=days), self.end, zone).astimezone(UTC)


def _quiet(value: Any) -> Any:
    return QuietHours.parse(value) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _not_too_often(value: Any) -> Any:
    every = Duration.parse(value) if isinstance(value, str) else value
    if isinstance(every, Duration) and (every.months, every.days, every.seconds) < (0, 0, _EVERY_LEAST.seconds):
        raise ValueError(f"`{value}` is too often; at most one message in 5 minutes can be sent")
    return every


class Owner(BaseModel):
    """Who is told. through: connections, or their actions (`twilio.send_sms`), that may be used. every: one message at most."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    phone: str | None = None
    email: str | None = None
    through: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    every: Annotated[Duration, BeforeValidator(_not_too_often)] = Duration(seconds=3600)
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet)] = None
    tell: Literal["everything", "problems"] = "everything"

    @classmethod
    def from_node(cls, node: Node) -> Owner:
        """The owner that the section describes. ConfigError with every finding at its place."""
        try:
            return cls.model_validate(node.plain())
        except ValidationError as error:
            raise ConfigError(problems(error, node, cls)) from error


@dataclass(frozen=True, slots=True)
class Way:
    """How a message reaches the owner: an action of a connection, and which of its inputs takes what."""

    address: str
    connection: str
    action: str
    text: str
    heading: str | None
    longest: int

    @property
    def shown(self) -> str:
        """As people read it."""
        return f"{self.address} through {self.connection}.{self.action}"

    def input(self, heading: str, text: str) -> dict[str, Any]:
        """What the action is given."""
        told = {"to": self.address, self.text: text[: self.longest]}
        return told if self.heading is None else {**told, self.heading: heading}


def read(
    node: Node, connections: Mapping[str, Connection], region: str | None, out_of_use: Collection[str] = ()
) -> tuple[Owner, tuple[Way, ...]]:
    """The owner, and one way for each address, the phone first. ConfigError when a part of it is wrong, or has no way.

    out_of_use: connections whose connector is broken; a way through one of them may be missing.
    """
    owner = Owner.from_node(node)
    found: list[Way] = []
    wrong = list(_unknown(owner, node, connections, out_of_use))
    if owner.phone is None and owner.email is None:
        wrong.append(node.problem("`owner` says neither `phone` nor `email`", "add where messages to the owner go"))
    for name, channels in _CHANNELS.items():
        given = getattr(owner, name)
        if given is None or wrong:
            continue
        place = _place(node, name)
        address = address_on(channels[0], given, region)
        if address is None:
            wrong.append(place.problem(f"`{name}` is `{given}`, which is none", _HOW[name]))
            continue
        way = next(_ways(address, channels, owner.through, connections), None)
        if way is not None:
            found.append(way)
        elif not out_of_use:
            among = f"among {', '.join(owner.through)} " if owner.through else ""
            hint = f"add one that has an action for {' or '.join(channels)}, or take `{name}` away"
            wrong.append(place.problem(f"no connection {among}can send to a `{name}`", hint))
    if wrong:
        raise ConfigError(wrong)
    return owner, tuple(found)


_HOW = {"phone": "write it with its country: +14155550100", "email": "such as owner@example.com"}


def _ways(
    address: str, channels: tuple[Channel, ...], through: tuple[str, ...], connections: Mapping[str, Connection]
) -> Iterator[Way]:
    for channel in channels:
        for name, connection in connections.items():
            for action in connection.connector.actions.values():
                wanted = not through or name in through or f"{name}.{action.name}" in through
                if wanted and action.channel == channel and (fields := _fields(action)) is not None:
                    text, heading = fields
                    yield Way(address, name, action.name, text, heading, _longest(action, text))


def _fields(action: Action) -> tuple[str, str | None] | None:
    """Which inputs take the text and the heading; None where an action wants more than a message has."""
    fields = action.inputs.model_fields
    needed = [name for name, field in fields.items() if field.is_required() and name != "to"]
    heading = next((name for name in needed if name in _HEADINGS), None)
    texts = [name for name in needed if name != heading]
    if "to" not in fields or len(texts) != 1 or fields[texts[0]].annotation is not str or action.batch > 1:
        return None
    return texts[0], heading


def _longest(action: Action, text: str) -> int:
    usual = _TEXT_MOST if action.channel == "email" else _PHONE_TEXT_MOST
    said: list[int] = [most for one in action.inputs.model_fields[text].metadata if (most := getattr(one, "max_length", None))]
    return min([usual, *said])


def _unknown(owner: Owner, node: Node, connections: Mapping[str, Connection], out_of_use: Collection[str]) -> Iterator[Problem]:
    for said in owner.through:
        name, _, action = said.partition(".")
        if name in out_of_use:
            continue
        there = connections.get(name)
        place = _place(node, "through")
        if there is None:
            hint = did_you_mean(name, connections) or f"there are: {', '.join(connections) or 'none'}"
            yield place.problem(f"there is no connection `{name}`", hint)
        elif action and action not in there.connector.actions:
            known = there.connector.actions
            yield place.problem(f"`{name}` has no action `{action}`", did_you_mean(action, known))


def _place(node: Node, key: str) -> Node:
    return (node.get(key) if isinstance(node, NodeMapping) else None) or node
