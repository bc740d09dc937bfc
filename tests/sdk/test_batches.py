"""Batches: one thing that a platform refuses does not spoil the others of its call."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.errors import CallFailed
from hub.sdk import by_group, tell_apart


class Platform:
    """Takes any number of names at once, unless one of them is refused; `down`: it is in trouble."""

    def __init__(self, *refused: str, down: bool = False) -> None:
        self.refused, self.down = refused, down
        self.calls: list[list[str]] = []

    def __call__(self, wanted: Mapping[str, int]) -> Mapping[str, str | CallFailed]:
        self.calls.append(list(wanted))
        if self.down:
            raise CallFailed("It is down.", "passing")
        if wrong := [name for name in wanted if name in self.refused]:
            raise CallFailed(f"{wrong[0]} is wrong.", "lasting")
        return {name: name.upper() for name in wanted}


WANTED = {name: number for number, name in enumerate("abcdefgh")}


def test_what_is_taken_at_once_is_told_once() -> None:
    """No call more than is needed, and none at all for nothing."""
    platform = Platform()
    assert tell_apart(WANTED, platform) == {name: name.upper() for name in WANTED}
    assert platform.calls == [list(WANTED)]
    assert tell_apart({}, platform) == {} and len(platform.calls) == 1


def test_the_one_that_is_refused_fails_alone() -> None:
    """It is found by halves, and fails in the platform's words."""
    platform = Platform("c")
    outcomes = tell_apart(WANTED, platform)
    failure = outcomes.pop("c")
    assert isinstance(failure, CallFailed) and "c is wrong" in str(failure)
    assert outcomes == {name: name.upper() for name in WANTED if name != "c"}
    assert len(platform.calls) == 7


def test_a_platform_in_trouble_is_not_asked_again_in_parts() -> None:
    """Then all of it waits, as one call."""
    platform = Platform(down=True)
    with pytest.raises(CallFailed, match="down"):
        tell_apart(WANTED, platform)
    assert len(platform.calls) == 1


def test_records_go_out_table_by_table_and_each_has_its_result() -> None:
    """What is said of one record twice is laid together; a table that fails keeps no other from it."""
    asked: list[tuple[str, dict[str, dict[str, int]]]] = []

    def call(table: str, some: dict[str, dict[str, int]]) -> dict[str, str | CallFailed]:
        asked.append((table, some))
        if table == "broken":
            raise CallFailed("There is no such table.", "lasting")
        return {key: f"{table}/{key}" for key in some}

    wanted = [("t", "a", {"x": 1}), ("broken", "a", {"x": 1}), ("t", "b", {"x": 2}), ("t", "a", {"x": 3, "y": 4})]
    first, failed, second, again = by_group(wanted, call)
    assert (first, second, again) == ("t/a", "t/b", "t/a") and isinstance(failed, CallFailed)
    assert asked == [("t", {"a": {"x": 3, "y": 4}, "b": {"x": 2}}), ("broken", {"a": {"x": 1}})]
