"""Rows: the lines of a CSV file as facts, checked before anything is kept.

Four kinds of file: `sales`, `members`, `reviews` and `balances` (points that customers bring along from an earlier
programme). A row becomes the same fact, with the same key, however often its file is read.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from hashlib import sha256
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from hub.errors import HubError
from hub.sdk.fact import Customer, Fact, Reference
from hub.sdk.facts import CustomerChanged, Review, Sale
from hub.sdk.values import POINTS_MOST, Moment, stars

CONNECTION = "csv"


class OpeningBalance(Fact):
    """Points that a member brings along from an earlier programme. expires_at: None, when they never expire."""

    points: Annotated[int, Field(gt=0, le=POINTS_MOST)]
    expires_at: Moment | None = None

    fact: ClassVar[str] = "opening_balance"
    sample: ClassVar[dict[str, Any]] = {
        "occurred_at": "2026-01-01T06:00:00Z",
        "customer": {"id": "cus_1", "email": "ada@example.com"},
        "points": 250,
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of file is made into. own: the fact's fields that a column may fill. key: the field that names the fact."""

    fact: type[Fact]
    own: tuple[str, ...]
    needs: tuple[str, ...]
    key: str | None = None


_PERSON = {
    "member": "id", "email": "email", "phone": "phone", "first_name": "first_name", "last_name": "last_name",
    "birthday": "birthday", "language": "language",
}  # fmt: skip
_REVIEW = ("review_id", "rating", "title", "text", "site", "verified")
_SALE = ("amount", "currency", "total", "tax", "tip", "shipping", "discount", "order_id", "location", "channel")
KINDS = {
    "sales": Kind(Sale, ("occurred_at", *_SALE), ("amount", "occurred_at"), "order_id"),
    "members": Kind(CustomerChanged, ("occurred_at", "tags"), ()),
    "reviews": Kind(Review, ("occurred_at", *_REVIEW), ("review_id",), "review_id"),
    "balances": Kind(OpeningBalance, ("occurred_at", "points", "expires_at"), ("points",)),
}


@dataclass(frozen=True, slots=True)
class Good:
    """A row that can be kept. line: of the file, from 1. key: the same whenever the file is read."""

    line: int
    key: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is left out, and why."""

    line: int
    why: str


def fields_of(kind: str) -> tuple[str, ...]:
    """The names that `--map` takes for this kind of file."""
    return (*_PERSON, *KINDS[kind].own)


class Reader:
    """Reads the rows of one file.

    mapping: field to column; fields that have the name of a column need not be mapped. currency, zone: the programme's, for
    rows that say none. now: when a row says no time. HubError when the columns do not fit.
    """

    def __init__(
        self, kind: str, lines: Iterable[str], mapping: Mapping[str, str], *, currency: str, zone: tzinfo, now: datetime
    ) -> None:
        self._kind = KINDS[kind]
        self._currency, self._zone, self._now = currency, zone, now
        self._rows = csv.DictReader(lines, strict=True)
        self._seen: Counter[str] = Counter()
        try:
            columns = [name for name in self._rows.fieldnames or [] if name]
        except (csv.Error, UnicodeDecodeError) as error:
            raise HubError(f"The file cannot be read as CSV: {error}. Save it as CSV with commas, in UTF-8.") from None
        self._columns = _columns(kind, columns, mapping)

    def __iter__(self) -> Iterator[Good | Bad]:
        while True:
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError) as error:
                yield Bad(self._rows.line_num, f"cannot be read as CSV: {error}; the rest of the file is left out")
                return
            yield self._read(self._rows.line_num, row)

    def _read(self, line: int, row: Mapping[str, Any]) -> Good | Bad:
        if None in row or None in row.values():
            return Bad(line, "has another number of columns than the first line")
        given = {name: row[column].strip() for name, column in self._columns.items() if row[column].strip()}
        lacking = [name for name in self._kind.needs if name not in given]
        if lacking:
            return Bad(line, f"has nothing in {', '.join(f'`{self._columns[name]}`' for name in lacking)}")
        try:
            fact = self._fact(given)
        except ValidationError as error:
            return Bad(line, "; ".join(self._said(one) for one in error.errors(include_url=False)))
        except ValueError as error:
            return Bad(line, str(error))
        return Good(line, self._key(given), fact)

    def _fact(self, given: Mapping[str, str]) -> Fact:
        data: dict[str, Any] = {name: given[name] for name in self._kind.own if name in given}
        for name in ("occurred_at", "expires_at"):
            if name in data:
                data[name] = _moment(name, data[name], self._zone)
        data.setdefault("occurred_at", self._now)
        if "tags" in data:
            data["tags"] = tuple(tag.strip() for tag in data["tags"].split(",") if tag.strip())
        if "rating" in data:
            data["rating"] = stars(data["rating"])
        if issubclass(self._kind.fact, Sale):
            data.setdefault("currency", self._currency)
            if "order_id" in data:
                data["references"] = (Reference(kind="order", id=data["order_id"]),)
        person = {field: given[name] for name, field in _PERSON.items() if name in given}
        if person:
            data["customer"] = Customer(**person)
        return self._kind.fact.model_validate(data)

    def _key(self, given: Mapping[str, str]) -> str:
        """The key that the file gives, or what the row says and which of such rows it is."""
        if self._kind.key and self._kind.key in given:
            return given[self._kind.key]
        said = sha256(json.dumps(sorted(given.items())).encode()).hexdigest()[:20]
        self._seen[said] += 1
        return f"{said}-{self._seen[said]}"

    def _said(self, error: Any) -> str:
        place = error["loc"]
        field = str(place[-1]) if place else ""
        name = next((name for name, own in _PERSON.items() if place[:1] == ("customer",) and own == field), field)
        return (
            f"`{self._columns.get(name, name)}` is {str(error['input'])[:80]!r}: {error['msg'].removeprefix('Value error, ')}"
        )


def _columns(kind: str, columns: list[str], mapping: Mapping[str, str]) -> dict[str, str]:
    known = fields_of(kind)
    chosen = {name: name for name in known if name in columns} | dict(mapping)
    there = f"the file has {', '.join(f'`{column}`' for column in columns) or 'no first line with names'}"
    for name, column in mapping.items():
        if name not in known:
            raise HubError(f"`{name}` is no field of {kind}; there are {', '.join(known)}.")
        if column not in columns:
            raise HubError(f"There is no column `{column}`; {there}.")
    for name in KINDS[kind].needs:
        if name not in chosen:
            raise HubError(f"Which column is `{name}`? Say --map {name}=COLUMN; {there}.")
    if not {"member", "email", "phone"} & chosen.keys():
        raise HubError(f"Which column says who it was? Say --map member=COLUMN (or email, or phone); {there}.")
    return chosen


def _moment(name: str, text: str, zone: tzinfo) -> datetime:
    """A day (its beginning) or a moment, in the programme's time zone where it says none."""
    try:
        if len(text) == len("2026-12-24"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{name}` is {text[:80]!r}; write it as 2026-12-24 or 2026-12-24T18:30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
