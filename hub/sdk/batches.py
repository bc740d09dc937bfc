"""Batches: many things told to a platform in one call, where one that it refuses must not spoil the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import TypeVar

from hub.errors import CallFailed

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
