"""Paths: JSON-like data walked, and copied with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

Path = tuple[str, ...]

GONE: Any = object()


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything that stands in the data, outermost first."""
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*path, str(name))
        yield from leaves(child, (*path, str(name)))


def changed(value: Any, path: Path, new: Any = GONE) -> Any:
    """A copy with something else under a path, or with nothing there."""
    name, rest = path[0], path[1:]
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    key: Any = name if isinstance(copy, dict) else int(name)
    if rest:
        copy[key] = changed(copy[key], rest, new)
    elif new is GONE:
        del copy[key]
    else:
        copy[key] = new
    return copy


def required(model: type[BaseModel], data: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of the model's required fields that stand in the data, by the platform's names."""
    if not isinstance(data, Mapping):
        return
    for name, field in model.model_fields.items():
        alias = field.validation_alias or name
        if not isinstance(alias, str) or alias not in data:
            continue
        if field.is_required():
            yield (*path, alias)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from required(kind, data[alias], (*path, alias))


def values(value: Any) -> Iterator[Any]:
    """The value and all that is in it."""
    yield value
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for child in children:
        yield from values(child)
