"""Crew: several workers on one PostgreSQL database, in threads, each a hub with stores and connections of its own."""

from __future__ import annotations

import threading
from random import Random

from hub import bootstrap, config
from hub.clock import Clock
from hub.store.wake import ThreadBell
from tests.engine.world import World


class Crew:
    """The worker of a world, and others beside it."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.hubs = [self.open(n) for n in range(number - 1)]
        self.workers = [world.worker, *(hub.worker(ThreadBell()) for hub in self.hubs)]

    def open(self, number: int, clock: Clock | None = None) -> bootstrap.Hub:
        """One more hub on the same workspace."""
        return bootstrap.open_hub(
            config.load(self.world.folder, {}),
            clock=clock or self.world.clock,
            random=Random(100 + number),
            open_http=self.world.platform.open,
            connectors={one.name: one for one in self.world.connectors},
        )

    def work(self) -> None:
        """All of them work, at once, until none finds anything."""
        meeting = threading.Barrier(len(self.workers))
        did = [True] * len(self.workers)
        errors: list[BaseException] = []

        def drain(number: int) -> None:
            try:
                while True:
                    did[number] = self.workers[number].drain() > 0
                    meeting.wait(60)
                    if not any(did):
                        return
                    meeting.wait(60)
            except BaseException as error:  # noqa: BLE001 - told by the test's own thread
                errors.append(error)
                meeting.abort()

        threads = [threading.Thread(target=drain, args=(n,)) for n in range(len(self.workers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()
        if errors:
            raise errors[0]

    def close(self) -> None:
        """The others end; the world's own worker is the world's."""
        for hub in self.hubs:
            hub.close()
