"""Envelopes: where a platform keeps the kind, the id, the account and the data of what it tells us."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from hub.errors import Unreadable
from hub.sdk.request import Request
from hub.sdk.values import Moment

# Mail services tell of thousands of messages in one delivery, as many as go into some 800 kB.
ITEMS_MOST = 5_000

_ABSENT: Any = object()
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a delivery (or a pull) tells: its kind in the platform's words and its data, JSON-like, without floats.

    id: the platform's id of the telling, for tracing; identity is the fact's key. account: whose it is. at: when, if it says
    so. problem: why this one of a batch cannot be taken apart; the others are not kept waiting by it.
    """

    kind: str
    data: Any
    id: str | None = None
    account: str | None = None
    at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a request (or, for idempotency keys, in a call): a dotted path of the body, a header, or a query parameter.

    others: more names of the header; the first that is there counts.
    """

    place: Literal["body", "header", "query"]
    path: str = ""
    others: tuple[str, ...] = ()

    def find(self, request: Request, root: Any) -> Any:
        """What stands there; the absent mark when there is nothing."""
        if self.place == "body":
            return dig(root, self.path)
        if self.place == "query":
            value = request.asked(self.path)
        else:
            value = next(filter(None, map(request.header, (self.path, *self.others))), None)
        return _ABSENT if value is None else value


Where = Source | Callable[[Any], Any]
"""A place, or a function of the item's raw data."""


def dig(root: Any, path: str) -> Any:
    """The value under a dotted path (`data.object`, `items.0.id`), or the absent mark."""
    value = root
    for part in path.split(".") if path else ():
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _ABSENT
    return value


def found(value: Any) -> bool:
    """True when `dig` or `find` found something other than null."""
    return value is not _ABSENT and value is not None


@dataclass(frozen=True, slots=True)
class Envelope:
    """How to take a delivery apart.

    kind: which trigger it is for; a plain text when all are of one kind. data: what the trigger reads (the whole body where
    nothing is said). each: the list in it when one delivery tells many things; the other places are then read in each of them.
    account_setting: the setting that says which account is ours. nested: forms name their fields as PHP does (`contact[id]`).
    Instead of an Envelope a connector may give a function (Request) -> items.
    """

    kind: Where | str
    id: Where | None = None
    account: Where | None = None
    data: Where | None = None
    at: Where | None = None
    each: Source | None = None
    account_setting: str = "account_id"
    nested: bool = False

    def items(self, request: Request) -> Iterator[Item]:
        """The items of a request. Unreadable when it does not have this form."""
        content = request.content(nested=self.nested)
        if self.each is None:
            yield self._item(request, content)
            return
        roots = self.each.find(request, content)
        if not isinstance(roots, list):
            raise Unreadable(f"{_place(self.each)} should be a list and is {_kind_of(roots)}.")
        if len(roots) > ITEMS_MOST:
            raise Unreadable(f"The delivery tells {len(roots)} things at once; {ITEMS_MOST} is the most.")
        for root in roots:
            try:
                yield self._item(request, root)
            except Unreadable as error:
                yield Item("", root, problem=str(error))

    def _item(self, request: Request, root: Any) -> Item:
        kind = self.kind if isinstance(self.kind, str) else _text(self.kind, request, root)
        if not kind:
            raise Unreadable(f"What kind of thing this is should stand in {_place(self.kind)}, and does not.")
        data = root if self.data is None else _value(self.data, request, root)
        if not found(data):
            raise Unreadable(f"The data of `{kind}` should stand in {_place(self.data)}, and does not.")
        ident = _text(self.id, request, root)
        return Item(kind, data, ident, _text(self.account, request, root), _moment(self.at, request, root))


def _value(where: Where | None, request: Request, root: Any) -> Any:
    if where is None:
        return _ABSENT
    if isinstance(where, Source):
        return where.find(request, root)
    try:
        return where(root)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return _ABSENT


def _text(where: Where | None, request: Request, root: Any) -> str | None:
    value = _value(where, request, root)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _moment(where: Where | None, request: Request, root: Any) -> datetime | None:
    value = _value(where, request, root)
    if not found(value):
        return None
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        return None


def _place(where: Where | str | None) -> str:
    if isinstance(where, Source):
        path = f"`{where.path}`" if where.path else "itself"
        return f"the {where.place} {path}"
    return "the body"


def _kind_of(value: Any) -> str:
    return "absent" if value is _ABSENT else type(value).__name__
