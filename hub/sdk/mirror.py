"""Mirrors: a platform's own fields that follow a member's points, so that every channel shows the same number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from types import GenericAlias
from typing import Any

from pydantic import BaseModel, ValidationError

from hub import log
from hub.errors import CallFailed, HubError
from hub.sdk.action import Action
from hub.sdk.fact import Customer
from hub.sdk.parameters import Contract, findings
from hub.sdk.trigger import STUMBLES

MIRRORED: Mapping[str, str] = {
    "balance": "the points that can be spent",
    "tier": "the name of the tier",
    "expires": "the day on which the next points expire",
    "expiring": "how many points expire then",
    "lifetime": "the points that were earned for good, by which tiers go",
    "joined": "the day of joining",
}
"""What a connection may mirror, `mirror: {balance: POINTS}`, and what it is."""

MirrorValue = int | str | date | None
_EPOCH_DIGITS = 13


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A member as the platform's fields should show them.

    customer: who it is there; the id is the platform's own, where it is known. fields: the platform's names, as hub.yaml says
    them, with a number, a text, a day or None (no tier, nothing that expires), which clears the field.
    """

    customer: Customer
    fields: Mapping[str, MirrorValue]

    @property
    def texts(self) -> dict[str, str]:
        """The fields as text: a day as 2026-12-24, None as an empty text."""
        return {name: "" if value is None else str(value) for name, value in self.fields.items()}

    @property
    def numbers(self) -> dict[str, int]:
        """The fields that have a number, for actions that take numbers apart from texts."""
        return {name: value for name, value in self.fields.items() if isinstance(value, int)}

    @property
    def others(self) -> dict[str, str]:
        """The fields that have none, as text."""
        return {name: text for name, text in self.texts.items() if name not in self.numbers}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the platform shows of a member now. fields: by the names that were asked for; what is missing shows nothing.

    id: the platform's own id of the member, by which they are found from now on.
    """

    fields: Mapping[str, Any]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """How a connector keeps fields: the action that writes them, and what its inputs are for a member.

    reading: how to see what stands there; None where the platform cannot tell. batch: how many are read as one.
    """

    name: str
    connector: str
    action: Action
    contract: Contract
    reading: Contract | None = None
    batch: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """What its function is called, and then, where there is one, that of its reading."""
        return (self.name,) if self.reading is None else (self.name, self.reading.name)

    def inputs(self, handed: Mapping[Any, Any], one: Mirrored) -> BaseModel | None:
        """What the action is given for a member; None where the platform cannot know them. CallFailed when it does not fit."""
        try:
            made = self.contract.call({**handed, Mirrored: one})
            return None if made is None else self.action.inputs.model_validate(made)
        except ValidationError as error:
            message = f"what {self.name} makes of a member does not fit {self.action.name}: {findings(error)}"
            raise CallFailed(message, "lasting") from None
        except STUMBLES as error:
            message = f"{self.connector}.{self.name} stumbled over a member ({log.in_words(error)})."
            raise CallFailed(message, "lasting") from error

    def look(self, handed: Mapping[Any, Any], many: Sequence[Mirrored]) -> list[Shown | CallFailed | None]:
        """What the platform shows of each, up to `batch` of them; None of one whom it does not know.

        Who is not there under the id that we knew may have another by now, and is looked for by address. CallFailed when it
        could not be seen of any.
        """
        seen = self._seen(handed, many)
        gone = [place for place, one in enumerate(many) if seen[place] is None and one.customer.id and _has_address(one)]
        if gone:
            without = [replace(many[place], customer=many[place].customer.model_copy(update={"id": None})) for place in gone]
            for place, found in zip(gone, self._seen(handed, without), strict=True):
                seen[place] = found
        return seen

    def _seen(self, handed: Mapping[Any, Any], many: Sequence[Mirrored]) -> list[Shown | CallFailed | None]:
        if self.reading is None:
            raise CallFailed(f"{self.connector} cannot tell what its fields say.", "lasting")
        if self.batch == 1:
            return [self._look_at_one(handed, one) for one in many]
        seen = self._guarded({**handed, GenericAlias(list, (Mirrored,)): list(many)})
        if not isinstance(seen, list) or len(seen) != len(many):
            raise CallFailed(
                f"{self.connector}.{self.reading.name} was given {len(many)} and did not answer for each.", "lasting"
            )
        return list(seen)

    def _look_at_one(self, handed: Mapping[Any, Any], one: Mirrored) -> Shown | CallFailed | None:
        try:
            shown: Shown | None = self._guarded({**handed, Mirrored: one})
        except CallFailed as failure:
            return failure
        except HubError as error:
            return CallFailed(str(error), "lasting")
        return shown

    def _guarded(self, handed: Mapping[Any, Any]) -> Any:
        assert self.reading is not None
        try:
            return self.reading.call(handed)
        except STUMBLES as error:
            message = f"{self.connector}.{self.reading.name} stumbled over what the platform answered ({log.in_words(error)})."
            raise CallFailed(message, "lasting") from error


def _has_address(one: Mirrored) -> bool:
    return bool(one.customer.email or one.customer.phone)


def declared(action: Action, contract: Contract) -> Mirror:
    """A mirror that writes through the action. TypeError when it cannot be one."""
    if Mirrored not in contract.handed.values():
        raise TypeError(f"{contract.name} takes no `Mirrored`; that is the member whom the fields are to show")
    if action.repeat != "safe" or action.channel is not None:
        raise TypeError(f"{action.name} cannot mirror: what is written again when in doubt must be `safe`, and no message")
    return Mirror(contract.name, action.connector, action, contract)


def read_by(mirror: Mirror | None, contract: Contract, batch: int) -> Mirror:
    """The mirror, with how to see what stands there. TypeError when it has no use for it."""
    if mirror is None:
        raise TypeError(f"{contract.name} sees what nothing writes: declare the mirror before it, @connector.mirror(…)")
    if (list[Mirrored] if batch > 1 else Mirrored) not in contract.handed.values():
        raise TypeError(f"{contract.name} takes {'no `list[Mirrored]`' if batch > 1 else 'no `Mirrored`'}")
    return replace(mirror, reading=contract, batch=batch)


def differing(wanted: Mapping[str, MirrorValue], shown: Shown) -> dict[str, Any]:
    """What the platform shows in each field that does not say what it should."""
    return {name: shown.fields.get(name) for name, value in wanted.items() if not _says(shown.fields.get(name), value)}


def _says(shown: Any, value: MirrorValue) -> bool:
    """Whether a field says so, in whatever form the platform keeps it: 120, "120" and "120.00" are one number."""
    text = "" if shown is None else str(shown).strip()
    if value is None or not text:
        return not text and value in (None, "")
    if isinstance(value, int):
        return _number(text) == value
    return _day(text) == value if isinstance(value, date) else text == value.strip()


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _day(text: str) -> date | None:
    """The day in `2026-12-24`, in a time of that day, or in milliseconds since 1970."""
    try:
        if len(text) == _EPOCH_DIGITS and text.isdecimal():
            return datetime.fromtimestamp(int(text) // 1000, UTC).date()
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
