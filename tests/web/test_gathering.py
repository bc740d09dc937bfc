"""Gathering: what comes to one event loop at once is one commit, and each sender hears of its own delivery."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from hub.engine.inbox import Delivery, Ready
from hub.errors import Unavailable
from hub.web.gathering import Gathering
from tests.web.conftest import NOW, World


def _delivery(number: int) -> Delivery:
    return Delivery("http", b"%d" % number, NOW, "shop")


def test_what_comes_at_once_is_one_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries of one turn of the loop are written together, and all are kept when their senders hear of it."""
    commits: list[int] = []
    keep = world.inbox.keep_ready

    def counted(many: Sequence[Ready]) -> None:
        commits.append(len(many))
        keep(many)

    monkeypatch.setattr(world.inbox, "keep_ready", counted)

    async def deliver() -> None:
        gathering = Gathering(world.inbox)
        await asyncio.gather(*(gathering.keep(_delivery(number)) for number in range(40)))

    asyncio.run(deliver())
    assert [one.body for one in world.kept()] == [b"%d" % number for number in range(40)]
    assert commits == [40]


def test_what_comes_during_a_commit_waits_for_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a thread writes the first delivery, the loop goes on and gathers the others."""
    commits: list[int] = []
    keep, others_are_there = world.inbox.keep_ready, threading.Event()

    def slow(many: Sequence[Ready]) -> None:
        assert others_are_there.wait(10)
        commits.append(len(many))
        keep(many)

    monkeypatch.setattr(world.inbox, "keep_ready", slow)

    async def deliver() -> None:
        gathering = Gathering(world.inbox)
        tasks = [asyncio.create_task(gathering.keep(_delivery(0)))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(gathering.keep(_delivery(number))) for number in range(1, 6)]
        await asyncio.sleep(0)
        others_are_there.set()
        await asyncio.gather(*tasks)

    asyncio.run(deliver())
    assert commits == [1, 5]
    assert len(world.kept()) == 6


def test_a_commit_that_fails_is_told_to_all_in_it_and_to_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears a yes for what is not kept, and the next delivery is tried again."""
    keep, tries = world.inbox.keep_ready, []

    def fail_first(many: Sequence[Ready]) -> None:
        tries.append(len(many))
        if len(tries) == 1:
            raise Unavailable("the disk is full")
        keep(many)

    monkeypatch.setattr(world.inbox, "keep_ready", fail_first)

    async def deliver() -> list[BaseException | None]:
        gathering = Gathering(world.inbox)
        first = await asyncio.gather(*(gathering.keep(_delivery(number)) for number in range(3)), return_exceptions=True)
        return [*first, await gathering.keep(_delivery(3))]

    told = asyncio.run(deliver())
    assert [type(one) for one in told] == [Unavailable] * 3 + [type(None)]
    assert [one.body for one in world.kept()] == [b"3"]


def test_who_has_gone_holds_up_nobody(world: World) -> None:
    """A sender that hangs up while its delivery is written changes nothing for the others; what was handed over is kept."""

    async def deliver() -> None:
        gathering = Gathering(world.inbox)
        tasks = [asyncio.create_task(gathering.keep(_delivery(number))) for number in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gathering.keep(_delivery(3))

    asyncio.run(deliver())
    assert [one.body for one in world.kept()] == [b"0", b"1", b"2", b"3"]


def test_a_value_that_cannot_be_kept_is_the_error_of_its_sender_alone(world: World) -> None:
    """The others of the same turn are kept."""

    async def deliver() -> list[BaseException | None]:
        gathering = Gathering(world.inbox)
        strange = Delivery("http", b"x", NOW, "shop", path="/hooks/\ud800")
        return await asyncio.gather(
            gathering.keep(_delivery(0)), gathering.keep(strange), gathering.keep(_delivery(1)), return_exceptions=True
        )

    told = asyncio.run(deliver())
    assert [type(one) for one in told] == [type(None), UnicodeEncodeError, type(None)]
    assert [one.body for one in world.kept()] == [b"0", b"1"]
