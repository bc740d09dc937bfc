"""Performer: makes one call to a platform and tells what came of it. It runs in the pool and never touches the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from pydantic import BaseModel, ValidationError

from hub.clock import Clock, Monotonic
from hub.engine.calls import UNCERTAIN, Call
from hub.engine.inbox import Delivery
from hub.engine.pulled import kept
from hub.engine.subscriptions import Keep, subscribe
from hub.engine.told import Told
from hub.errors import CallFailed, HubError, Unreadable
from hub.sdk import CallKey, Client, Connection, Item, Mirrored, Settings, Shown
from hub.sdk.action import Action
from hub.sdk.fact import Fact
from hub.sdk.rate import Rate
from hub.sdk.tokens import HeldTokens, TokenStore
from hub.sdk.trigger import Pull, Trigger

_PULLED_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an error, or a result, or what the platform told of facts; unread: records that could not be
    read, to be kept; shown: what it shows of the members whom a look is about."""

    call: Call
    result: Mapping[str, Any] | None = None
    told: tuple[Told, ...] = ()
    error: CallFailed | None = None
    unread: tuple[Delivery, ...] = ()
    shown: tuple[Shown | CallFailed | None, ...] = ()


class Performer:
    """Knows what each call means to its connector. open_session: gives the HTTP session of a connection.

    keep: keeps settings that a platform tells when it is told our address. mirrored: the members whom a look is about.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        open_session: Callable[[Connection], requests.Session],
        monotonic: Monotonic,
        clock: Clock,
        *,
        tokens: TokenStore | None = None,
        keep: Keep = lambda connection, told: None,
        sleep: Callable[[float], None] = time.sleep,
        mirrored: Callable[[Call], Sequence[Mirrored]] = lambda call: (),
    ) -> None:
        self._mirrored = mirrored
        self._connections = connections
        self._open_session = open_session
        self._sessions: dict[str, requests.Session] = {}
        self._monotonic = monotonic
        self._clock = clock
        self._keep = keep
        self._tokens = tokens or HeldTokens(clock.now)
        self._sleep = sleep

    def perform(self, group: Sequence[Call]) -> list[Outcome]:
        """Make the calls of a group (more than one only where the action takes batches); an outcome for each."""
        first = group[0]
        connection = self._connections.get(first.connection)
        if connection is None:
            error = CallFailed(f"there is no connection `{first.connection}`; add it to hub.yaml and replay", "lasting")
            return [Outcome(call, error=error) for call in group]
        try:
            return self._act(connection, group) if first.is_action else [self._ask(connection, first)]
        except CallFailed as error:
            return [Outcome(call, error=error) for call in group]
        except HubError as error:
            return [Outcome(call, error=CallFailed(str(error), "lasting")) for call in group]

    def action_of(self, call: Call) -> Action | None:
        """The action that a call asks for; None for fetches and pulls, and when it is no longer there."""
        connection = self._connections.get(call.connection)
        return connection.connector.actions.get(call.name) if connection is not None and call.is_action else None

    def batch_of(self, call: Call) -> int:
        """How many of these calls go out as one."""
        action = self.action_of(call)
        return action.batch if action is not None else 1

    def rate_of(self, connection: str) -> Rate | None:
        """How often the platform may be called; None when it does not say."""
        known = self._connections.get(connection)
        return known.connector.rate if known is not None else None

    def may_repeat(self, call: Call) -> bool:
        """Whether a call whose answer was lost may be made again, or can be looked up first."""
        action = self.action_of(call)
        return action is None or action.repeat != "never" or action.lookup is not None

    def address_of(self, call: Call) -> tuple[str | None, str | None]:
        """(channel, address) of a call that speaks to a member; (None, None) for all others."""
        action = self.action_of(call)
        if action is None or action.channel is None:
            return None, None
        address = str(call.input.get("to") or "")
        return action.channel_to(address), address or None

    def _client(self, connection: Connection, call: Call, repeat: str) -> Client:
        session = self._sessions.get(connection.name)
        if session is None:
            session = self._sessions.setdefault(connection.name, self._open_session(connection))
        return Client(
            connection,
            session=session,
            monotonic=self._monotonic,
            sleep=self._sleep,
            call_key=call.id,
            tokens=self._tokens,
            repeat=repeat,
        )

    def _act(self, connection: Connection, group: Sequence[Call]) -> list[Outcome]:
        action = connection.connector.actions.get(group[0].name)
        if action is None:
            raise CallFailed(f"{connection.connector.title} no longer has an action `{group[0].name}`", "lasting")
        try:
            inputs = [action.inputs.model_validate(call.input) for call in group]
        except ValidationError as error:
            raise CallFailed(f"what the step gave does not fit `{action.name}`: {error}", "lasting") from None
        client = self._client(connection, group[0], action.repeat)
        handed = {
            Client: client,
            Connection: connection,
            Settings: connection.settings,
            CallKey: CallKey(group[0].id),
            datetime: self._clock.now(),
        }
        if len(group) == 1 and action.lookup is not None and group[0].note.startswith(UNCERTAIN):
            done = action.find_done({**handed, datetime: group[0].created_at}, inputs[0], group[0].id)
            if done is not None:
                return [Outcome(group[0], result=_dumped(done))]
        results = action.call_many(handed, inputs)
        return [_outcome(call, result) for call, result in zip(group, results, strict=True)]

    def _ask(self, connection: Connection, call: Call) -> Outcome:
        if call.kind == "subscribe":
            subscribe(connection, self._client(connection, call, "safe"), self._keep)
            return Outcome(call)
        made = {"fetch": self._fetch, "pull": self._pull, "look": self._look}[call.kind]
        return made(connection, call)

    def _fetch(self, connection: Connection, call: Call) -> Outcome:
        trigger = connection.connector.triggers[call.name]
        at = call.input.get("at")
        item = Item(
            kind=str(call.input.get("kind")),
            data=call.input.get("data"),
            id=call.input.get("id"),
            account=call.input.get("account"),
            at=datetime.fromisoformat(str(at)) if at else None,
        )
        try:
            facts = _with_key(trigger, trigger.fetch(item, connection, self._client(connection, call, "safe")))
        except Unreadable as error:
            raise CallFailed(str(error), "lasting") from error
        return Outcome(call, told=tuple(Told(trigger, fact, item.at) for fact in facts))

    def _pull(self, connection: Connection, call: Call) -> Outcome:
        pull = connection.connector.pulls[call.name]
        since = datetime.fromisoformat(str(call.input["since"]))
        client = self._client(connection, call, "safe")
        told: list[Told] = []
        unread: list[Delivery] = []
        for number, item in enumerate(pull.items(connection, client, since)):
            if number >= _PULLED_MOST:
                raise CallFailed(
                    f"{pull.name} brought more than {_PULLED_MOST} records since {since}; pull a shorter time", "lasting"
                )
            try:
                told += self._read(connection, pull, item, client)
            except Unreadable:
                unread.append(kept(connection.name, pull.name, item, self._clock.now()))
        return Outcome(call, told=tuple(told), unread=tuple(unread))

    def _look(self, connection: Connection, call: Call) -> Outcome:
        mirror = connection.connector.mirroring
        if mirror is None:
            raise CallFailed(f"{connection.connector.title} no longer has fields that mirror points", "lasting")
        many = self._mirrored(call)
        client = self._client(connection, call, "safe")
        handed = {Client: client, Connection: connection, Settings: connection.settings, datetime: self._clock.now()}
        shown = mirror.look(handed, many)
        failed = [one for one in shown if isinstance(one, CallFailed)]
        if failed and len(failed) == len(shown):
            raise failed[0]
        return Outcome(call, shown=tuple(shown))

    def _read(self, connection: Connection, pull: Pull, item: Item, client: Client) -> list[Told]:
        trigger = connection.connector.triggers[pull.trigger]
        thin = trigger.thin_for(connection)
        try:
            facts = trigger.fetch(item, connection, client) if thin else trigger.read(item, connection)
        except CallFailed as error:
            if error.verdict != "lasting":
                raise
            raise Unreadable(str(error)) from error  # one object that is not given must not hold up all others
        return [Told(trigger, fact, item.at) for fact in _with_key(trigger, facts)]


def _with_key(trigger: Trigger, facts: Sequence[Fact]) -> Sequence[Fact]:
    """The facts, each of which can be told from others. Unreadable when one cannot."""
    for fact in facts:
        trigger.key_of(fact)
    return facts


def _outcome(call: Call, result: BaseModel | Exception | None) -> Outcome:
    if isinstance(result, CallFailed):
        return Outcome(call, error=result)
    if isinstance(result, Exception):
        return Outcome(call, error=CallFailed(str(result), "lasting"))
    return Outcome(call, result=_dumped(result))


def _dumped(result: BaseModel | None) -> Mapping[str, Any]:
    return result.model_dump(mode="json") if result is not None else {}
