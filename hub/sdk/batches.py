"""Batches: many things told to a platform in one call, where one that it refuses must not spoil the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from hub.errors import CallFailed

Group = TypeVar("Group", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)
Wanted = TypeVar("Wanted")
Result = TypeVar("Result")


def tell_apart(
    wanted: Mapping[Key, Wanted], call: Callable[[Mapping[Key, Wanted]], Mapping[Key, Result | CallFailed]]
) -> dict[Key, Result | CallFailed]:
    """What `call` makes of them all, by key. What is refused for good is tried in halves, down to the one that is wrong.

    Only for calls that do nothing when they refuse. CallFailed when the platform is in trouble.
    """
    if not wanted:
        return {}
    try:
        return dict(call(wanted))
    except CallFailed as failure:
        if failure.verdict != "lasting":
            raise
        if len(wanted) == 1:
            return dict.fromkeys(wanted, failure)
    half = len(wanted) // 2
    first = dict(islice(wanted.items(), half))
    rest = dict(islice(wanted.items(), half, None))
    return tell_apart(first, call) | tell_apart(rest, call)


def by_group(
    wanted: Sequence[tuple[Group, Key, Mapping[str, Any]]],
    call: Callable[[Group, dict[Key, dict[str, Any]]], Mapping[Key, Result | CallFailed]],
) -> list[Result | CallFailed]:
    """A result for each of these records, one call a group (a table, a list). What is said of a record twice is laid together.

    A group that fails does not keep the others from it.
    """
    groups: dict[Group, dict[Key, dict[str, Any]]] = {}
    for group, key, values in wanted:
        groups.setdefault(group, {}).setdefault(key, {}).update(values)
    outcomes: dict[tuple[Group, Key], Result | CallFailed] = {}
    for group, some in groups.items():
        try:
            outcomes |= {(group, key): result for key, result in call(group, some).items()}
        except CallFailed as failure:
            outcomes |= {(group, key): failure for key in some}
    return [outcomes[group, key] for group, key, _ in wanted]
