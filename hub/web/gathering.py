"""Gathering: the deliveries of one event loop, kept together.

While a thread writes some, the next ones gather, and no request has a thread of its own that would have to be woken.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hub.engine.inbox import Delivery, Inbox, Ready

_WRITTEN_MOST = 500
"""Deliveries of one commit: a long one would hold up the next."""


@dataclass(slots=True)
class _Waiting:
    """A delivery, and who waits for it to be kept."""

    ready: Ready
    kept: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Gathering:
    """Keeps deliveries for the tasks of one event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._waiting: list[_Waiting] = []
        self._is_writing = False

    async def keep(self, delivery: Delivery) -> None:
        """Return once it is on the disk. Unavailable when that cannot be had now."""
        one = _Waiting(self._inbox.ready(delivery))
        self._waiting.append(one)
        if not self._is_writing:
            self._is_writing = True
            # Whoever is already there to be heard in this turn of the loop comes along.
            asyncio.get_running_loop().call_soon(self._write)
        await one.kept

    def _write(self) -> None:
        taken, self._waiting = self._waiting[:_WRITTEN_MOST], self._waiting[_WRITTEN_MOST:]
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._writer, self._inbox.keep_ready, [one.ready for one in taken])
        writing.add_done_callback(lambda done: self._settle(taken, done))

    def _settle(self, taken: list[_Waiting], done: asyncio.Future[None]) -> None:
        error = done.exception()
        for one in taken:
            if one.kept.done():  # whoever waited has gone
                continue
            if error is None:
                one.kept.set_result(None)
            else:
                one.kept.set_exception(error)
        self._is_writing = bool(self._waiting)
        if self._is_writing:
            self._write()
