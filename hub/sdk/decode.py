"""Decoding: bytes from outside into JSON-like data, with limits; no float ever comes out of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal, DecimalException
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, unquote

from hub.errors import Unreadable

DEPTH_MOST = 64
FIELDS_MOST = 2_000
ROWS_MOST = 5_000
EXPONENT_MOST = 40
DIGITS_MOST = 60

# `contact[fields][POINTS]`, as PHP names what lies within something else.
_BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")

# Neither database keeps NUL in text on both engines, and a lone surrogate cannot be written as UTF-8 at all.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except DecimalException:
        raise ValueError(f"the number {text[:40]} cannot be read") from None
    # 1e999999999 is seven letters to write and a gigabyte as an integer.
    if len(text) > DIGITS_MOST or abs(number.adjusted()) > EXPONENT_MOST:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > DIGITS_MOST:
        raise ValueError(f"the number {text[:40]}… is out of range")
    return int(text)


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_constant)


def json_value(body: bytes) -> Any:
    """The JSON value of a body. Unreadable when it is empty, not UTF-8, not JSON, too deep, or holds impossible numbers."""
    if not body.strip():
        raise Unreadable("The body is empty; JSON was expected.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}.") from None
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise Unreadable(f"The body is nested deeper than {DEPTH_MOST} levels.") from None
    except ValueError as error:
        raise Unreadable(f"The body is not JSON that can be read: {error}.") from None
    if text.count("[") + text.count("{") > DEPTH_MOST:
        _check_depth(value)
    return _keepable(value) if "\\u" in text or "\x00" in text else value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MOST):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return
    raise Unreadable(f"The body is nested deeper than {DEPTH_MOST} levels.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _keepable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_UNKEEPABLE.sub("\ufffd", key): _keepable(child) for key, child in value.items()}
    return [_keepable(child) for child in value] if isinstance(value, list) else value


def read_table(body: bytes) -> Iterator[tuple[int, dict[str, str] | None]]:
    """The rows of a CSV with their lines, by the names in its first line; None for one with another number of cells.

    What separates them is what does so in the first line: a comma, a semicolon or a tab. Unreadable when it is no such table.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The table is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}.") from None
    first = text.partition("\n")[0]
    rows = csv.reader(
        StringIO(_UNKEEPABLE.sub("\ufffd", text), newline=""), delimiter=max(",;\t", key=first.count), strict=True
    )
    try:
        names = [name.strip() for name in next(rows, [])]
        if not all(names) or len(set(names)) < len(names):
            raise Unreadable("The first line of the table should have a name for each column, each another.")
        for number, row in enumerate(filter(None, rows), 1):
            if number > ROWS_MOST:
                raise Unreadable(f"The table has more than {ROWS_MOST} rows.")
            yield rows.line_num, dict(zip(names, row, strict=True)) if len(row) == len(names) else None
    except csv.Error as error:
        raise Unreadable(f"The table cannot be read in line {rows.line_num}: {error}.") from None


def unescaped(text: str) -> str:
    """What was copied out of an address, without its escapes (`a%2Bb` is `a+b`)."""
    return unquote(text)


def pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of a URL-encoded form: in order, blanks kept, nothing trimmed."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("The form is not UTF-8.") from None
    except ValueError:
        raise Unreadable(f"The form has more than {FIELDS_MOST} fields.") from None


def form(body: bytes) -> dict[str, Any]:
    """The fields of a form by name; a repeated field is a list."""
    fields: dict[str, Any] = {}
    for name, value in pairs(body):
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    found: dict[str, Any] = _keepable(fields)
    return found


def nested_form(body: bytes) -> dict[str, Any]:
    """The fields of a form that PHP names: `contact[id]` lies in `contact`, `tags[]` or `tags[0]` in a list.

    A name that comes again is replaced, as PHP does. Unreadable when the form is broken or nested too deep.
    """
    root: dict[str, Any] = {}
    for name, value in pairs(body):
        match = _BRACKETED.fullmatch(name)
        path = [match[1], *match[2][1:-1].split("][")] if match else [name]
        if len(path) > DEPTH_MOST:
            raise Unreadable(f"The form is nested deeper than {DEPTH_MOST} levels.")
        place = root
        for part, after in zip(path, [*path[1:], None], strict=True):
            key = part or str(len(place))
            if after is None:
                place[key] = value
            else:
                inside = place.get(key)
                place[key] = place = inside if isinstance(inside, dict) else {}
    found: dict[str, Any] = _keepable({name: _with_lists(value) for name, value in root.items()})
    return found


def _with_lists(value: Any) -> Any:
    """Fields that are numbered from 0 on are a list, as in PHP's own JSON."""
    if not isinstance(value, dict):
        return value
    inside = {name: _with_lists(child) for name, child in value.items()}
    return list(inside.values()) if list(inside) == [str(number) for number in range(len(inside))] else inside
