"""Spending: all that matches what was bought with what was sold, for the connections that tell of their orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.engine.spend.checking import Checking
from hub.engine.spend.commands import SpendCommands
from hub.engine.spend.orders import pull_of
from hub.engine.timers import Timer
from hub.programme.settings import Programme
from hub.sdk import Connection


class Spending:
    """The matching of a workspace."""

    def __init__(self, connections: Mapping[str, Connection], programme: Programme) -> None:
        pulls = {name: pull_of(one.connector) for name, one in connections.items()}
        checking = {name: Checking(connections[name], pull, programme) for name, pull in pulls.items() if pull is not None}
        self.commands = SpendCommands(connections, checking)
        self.timers: Sequence[Timer] = [one.timer for one in checking.values()]
