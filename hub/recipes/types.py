"""Types: what kinds of value recipes know, read from pydantic models and annotations.

A Type describes facts, members, inputs and results to the checker. `optional` says that the value may be absent; absent values
are None and every expression takes them, so it never makes a recipe wrong.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, TypeAdapter, ValidationError

from hub.sdk.values import Duration, MoneyMark, PointsMark

Kind = Literal[
    "number",
    "integer",
    "money",
    "points",
    "text",
    "boolean",
    "date",
    "moment",
    "duration",
    "list",
    "map",
    "record",
    "nothing",
    "any",
]
_WORDS: dict[str, str] = {
    "number": "a number",
    "integer": "a whole number",
    "money": "an amount of money",
    "points": "points",
    "text": "text",
    "boolean": "true or false",
    "date": "a date",
    "moment": "a date with time",
    "duration": "a length of time",
    "map": "named values",
    "nothing": "nothing",
    "any": "anything",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    type: Type
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    """A kind of value.

    of: what a list or map holds. fields: of a record. name: of a record, for messages (`Sale`). choices: the only texts there
    are. unrounded: points that may carry a fraction, which whoever takes them rounds.
    """

    kind: Kind
    of: Type | None = None
    fields: Mapping[str, Field] | None = None
    optional: bool = False
    name: str = ""
    choices: tuple[str, ...] = ()
    unrounded: bool = False

    def __str__(self) -> str:
        if self.kind == "list":
            return f"a list of {self.of.plural}" if self.of else "a list"
        if self.kind == "record":
            return f"a {self.name}" if self.name else "a record"
        return _WORDS[self.kind]

    @property
    def plural(self) -> str:
        """The type as the items of a list are called: `texts`, `Lines`."""
        if self.kind == "record" and self.name:
            return f"{self.name}s"
        return {"text": "texts", "number": "numbers", "any": "anything", "date": "dates"}.get(
            self.kind, f"items that are {self}"
        )

    def or_none(self) -> Type:
        """This type, where the value may be absent."""
        return self if self.optional else replace(self, optional=True)


NUMBER = Type("number")
INTEGER = Type("integer")
MONEY = Type("money")
POINTS = Type("points")
TEXT = Type("text")
BOOLEAN = Type("boolean")
DATE = Type("date")
MOMENT = Type("moment")
DURATION = Type("duration")
NOTHING = Type("nothing", optional=True)
ANY = Type("any", optional=True)

_SIMPLE: dict[Any, Type] = {
    Decimal: NUMBER,
    int: INTEGER,
    str: TEXT,
    bool: BOOLEAN,
    date: DATE,
    datetime: MOMENT,
    Duration: DURATION,
    None: NOTHING,
    type(None): NOTHING,
    Any: ANY,
    object: ANY,
}
_LISTS = (list, tuple, set, frozenset)


def list_of(item: Type) -> Type:
    """A list of such items."""
    return Type("list", of=item)


def type_of(annotation: Any, marks: Iterable[Any] = ()) -> Type:
    """The Type of a Python annotation. marks: what stood beside it in Annotated. TypeError for a float."""
    return _type_of(annotation, tuple(marks), ())


@functools.cache
def record_of(model: type[BaseModel]) -> Type:
    """The Type of a pydantic model; a model inside itself is `anything`."""
    return _record(model, ())


def check_of(annotation: Any, marks: Iterable[Any] = ()) -> Callable[[Any], str | None]:
    """What says why a value does not pass the validators of an annotation (bounds, patterns), None when it passes."""
    whole = functools.reduce(lambda inner, mark: Annotated[inner, mark], marks, annotation)
    adapter = functools.cache(lambda: TypeAdapter[Any](whole))  # built when first needed: most inputs never are

    def check(value: Any) -> str | None:
        try:
            adapter().validate_python(value)
        except ValidationError as error:
            return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        return None

    return check


def shared(records: Iterable[Type]) -> Type:
    """The record that has only the fields which all of these share with one kind, for a recipe with several facts."""
    several = list(records)
    if len(several) == 1:
        return several[0]
    fields = dict(several[0].fields or {})
    for record in several[1:]:
        others = record.fields or {}
        fields = {
            name: field if not others[name].type.optional else replace(field, type=field.type.or_none())
            for name, field in fields.items()
            if name in others and _same(field.type, others[name].type)
        }
    return Type("record", fields=fields, name=" and ".join(record.name for record in several))


def _same(one: Type, other: Type) -> bool:
    if one.kind != other.kind:
        return False
    if one.kind == "record":
        return one.name == other.name
    return one.of is None or other.of is None or _same(one.of, other.of)


def _record(model: type[BaseModel], above: tuple[type[BaseModel], ...]) -> Type:
    fields = {
        name: Field(_type_of(field.annotation, tuple(field.metadata), (*above, model)), field.description or "")
        for name, field in model.model_fields.items()
    }
    return Type("record", fields=fields, name=model.__name__)


def _type_of(annotation: Any, marks: tuple[Any, ...], above: tuple[type[BaseModel], ...]) -> Type:
    if annotation is float:
        raise TypeError("a float has no place in facts and inputs; use Decimal")
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _type_of(arguments[0], (*marks, *arguments[1:]), above)
    if origin in {Union, types.UnionType}:
        some = [part for part in arguments if part is not type(None)]
        inner = _type_of(some[0], marks, above) if len(some) == 1 else ANY
        return inner.or_none() if len(some) < len(arguments) else inner
    marked = _marked(annotation, marks)
    if marked is not None or annotation in _SIMPLE:
        return marked or _SIMPLE[annotation]
    return _compound(origin or annotation, arguments, above)


def _marked(annotation: Any, marks: tuple[Any, ...]) -> Type | None:
    if any(isinstance(mark, MoneyMark) for mark in marks):
        return MONEY
    if any(isinstance(mark, PointsMark) for mark in marks):
        return POINTS if annotation is int else Type("points", unrounded=True)
    return None


def _compound(origin: Any, arguments: tuple[Any, ...], above: tuple[type[BaseModel], ...]) -> Type:
    if origin is Literal:
        return Type("text", choices=tuple(str(word) for word in arguments))
    if not isinstance(origin, type) or origin in above:
        return ANY
    if issubclass(origin, BaseModel):
        return _record(origin, above)
    if issubclass(origin, Mapping):
        return Type("map", of=_type_of(arguments[1], (), above) if len(arguments) > 1 else ANY)
    if origin in _LISTS or (issubclass(origin, Iterable) and not issubclass(origin, str | bytes)):
        return list_of(_type_of(arguments[0], (), above) if arguments else ANY)
    return ANY
