"""Subscriptions: where the hub itself told a platform its webhook address, and when that has to be said again.

A person begins it (`hub connections subscribe`), for it changes something at the platform. From then on the worker renews what
ends by itself, as a call like any other: with retries, and held for a person when the platform refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from functools import partial

from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.commands import Command, Done, Payload
from hub.engine.cursors import CURSORS, move_time, time_of
from hub.engine.inbox import Delivery
from hub.engine.timers import Timer
from hub.errors import HubError
from hub.sdk import Client, Connection
from hub.sdk.address import tell_address
from hub.sdk.connector import Connector
from hub.sdk.values import Duration
from hub.store import Unit

Keep = Callable[[str, Mapping[str, str]], None]
"""Keeps settings of a connection, encrypted; for any thread."""


class Subscriptions:
    """The subscriptions of a workspace's connections. zone: by which days are counted."""

    def __init__(self, connections: Mapping[str, Connection], zone: tzinfo) -> None:
        self._connections = connections
        self._zone = zone

    @property
    def timers(self) -> list[Timer]:
        """One for each connection whose subscription ends by itself."""
        ending = {
            name: every for name, one in self._connections.items() if (every := _renewed_every(one.connector)) is not None
        }
        return [Timer(_place(name), partial(self._due, name, every), partial(self._renew, name, every))
                for name, every in ending.items()]  # fmt: skip

    @property
    def by_name(self) -> Mapping[str, Command]:
        """The commands that note what a person did at a platform."""
        return {"subscribed": self._subscribed, "unsubscribed": self._unsubscribed}

    def _subscribed(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name = self._known(payload)
        move_time(batch.unit, _place(name), batch.now)
        return {"connection": name, "subscribed_at": batch.now.isoformat()}, []

    def _unsubscribed(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name = self._known(payload)
        batch.unit.put(CURSORS, _place(name), "")
        return {"connection": name, "subscribed_at": None}, []

    def _known(self, payload: Payload) -> str:
        name = str(payload.get("connection", ""))
        if name not in self._connections:
            raise HubError(f"there is no connection `{name}`; known: {', '.join(sorted(self._connections))}")
        return name

    def _due(self, name: str, every: Duration, unit: Unit) -> datetime | None:
        last = subscribed_at(unit, name)
        return every.after(last, self._zone) if last is not None else None

    def _renew(self, name: str, every: Duration, batch: Batch, most: int) -> bool:
        due = self._due(name, every, batch.unit)
        if due is None or due > batch.now:
            return False
        move_time(batch.unit, _place(name), batch.now)
        now, lane = batch.now, self._connections[name].name
        call = Call(batch.ids.new("call"), "subscribe", name, "subscribe", lane, {}, now, now, now)
        batch.unit.put(CALLS, call.id, call)
        return True


def subscribed_at(unit: Unit, connection: str) -> datetime | None:
    """When the hub last told the platform its address; None where it did not, or took it back."""
    return time_of(unit, _place(connection))


def subscribe(connection: Connection, client: Client, keep: Keep) -> Mapping[str, str]:
    """Tell the platform our address, and keep what it told in turn; gives that. CallFailed when it does not take it."""
    told = tell_address(connection, client)
    if told:
        keep(connection.name, told)
    return told


def _renewed_every(connector: Connector) -> Duration | None:
    return connector.subscription.every if connector.subscription is not None else None


def _place(connection: str) -> str:
    return f"subscribed:{connection}"
