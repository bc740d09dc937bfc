"""Encoding: what we send, exactly: a Decimal goes out digit by digit, never through a float."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel

from hub.sdk.settings import Secret


def json_text(value: Any) -> str:
    """Compact JSON. None stays null within lists; in mappings it is left out, unless the mapping is `Exactly`."""
    return _json(value)


class Exactly(dict[str, Any]):
    """A mapping whose None is sent as null, where a platform clears a field that way."""


def _json(value: Any) -> str:
    if isinstance(value, Mapping):
        kept = ((name, child) for name, child in value.items() if child is not None or isinstance(value, Exactly))
        return "{" + ",".join(f"{json.dumps(str(name))}:{_json(child)}" for name, child in kept) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value)
    if isinstance(value, BaseModel):
        return _json(value.model_dump())
    return json.dumps(plain(value))


def digest(value: Any) -> str:
    """A short text that is another one when the value is: the version of what was read."""
    return hashlib.sha256(json_text(value).encode()).hexdigest()[:32]


def words(value: Any) -> str:
    """A value as people read it: yes and no, numbers digit by digit, nothing for None, JSON for what has more within."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else value if isinstance(value, str) else json_text(value)


def plain(value: Any) -> str:
    """A value as text for forms, queries and JSON: times in UTC with Z, booleans as true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, str | int | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent; make it text, a whole number or a Decimal")


def pairs(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Names and values for a form or a query: None is left out, a list repeats its name."""
    given = fields.items() if isinstance(fields, Mapping) else fields
    found: list[tuple[str, str]] = []
    for name, value in given:
        many = value if isinstance(value, list | tuple) else [value]
        found += [(name, plain(one)) for one in many if one is not None]
    return found


def form_body(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> bytes:
    """A URL-encoded form."""
    return urlencode(pairs(fields)).encode()


def laid_in(value: Any, path: str, text: str) -> dict[str, Any]:
    """A copy of a JSON object with a text under a dotted path, where nothing stands there yet."""
    copy = dict(value or {})
    name, _, rest = path.partition(".")
    if rest:
        copy[name] = laid_in(copy.get(name), rest, text)
    else:
        copy.setdefault(name, text)
    return copy
