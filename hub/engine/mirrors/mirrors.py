"""Mirrors: all that keeps the platforms' fields in step, for the connections that say `mirror:`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub.engine.batch import Batch
from hub.engine.mirrors.commands import MirrorCommands
from hub.engine.mirrors.comparing import Comparing
from hub.engine.mirrors.marks import Marks
from hub.engine.mirrors.outgoing import Outgoing
from hub.engine.mirrors.raising import Raising
from hub.engine.timers import Timer
from hub.programme.settings import Programme
from hub.sdk import Connection


class Mirrors:
    """The mirrors of a workspace. note: adds a batch's marks before it is written; None where nothing is mirrored."""

    def __init__(self, connections: Mapping[str, Connection], programme: Programme) -> None:
        mirroring = {
            name: (one, one.connector.mirroring)
            for name, one in connections.items()
            if one.mirror and one.connector.mirroring is not None
        }
        comparing = {
            name: Comparing(connection, mirror, programme)
            for name, (connection, mirror) in mirroring.items()
            if mirror.reading is not None
        }
        self.note: Callable[[Batch], None] | None = Marks(mirroring).note if mirroring else None
        self.outgoing = Outgoing(mirroring, comparing)
        self.commands = MirrorCommands(comparing)
        raising = [Raising(connection, mirror).timer for connection, mirror in mirroring.values()]
        self.timers: Sequence[Timer] = [*raising, *(one.timer for one in comparing.values())]
