"""Trials: a connector (and one of its samples) with example settings, ready to be tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from hub.errors import CallFailed
from hub.sdk.action import CallKey, Repeat
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.connector import Connector
from hub.sdk.envelope import Item
from hub.sdk.fact import Customer, Fact
from hub.sdk.mirror import Mirrored, Shown
from hub.sdk.play import Called, Play, Respond, difference, one_by_one
from hub.sdk.request import Request
from hub.sdk.sample import SAMPLE_NOW, Sample
from hub.sdk.settings import Settings

KEY = "run_1/step_1"


class Broken(AssertionError):
    """A promise that is not kept: what was done, what came of it, and what should have."""


def expect(kept: bool, why: str) -> None:
    """Raises Broken unless it is so."""
    if not kept:
        raise Broken(why)


@dataclass(frozen=True)
class Trial:
    """A connector, and where the promise is about one, a sample of it."""

    connector: Connector
    sample: Sample | None = None

    @property
    def subject(self) -> str:
        """Of whom the promise speaks."""
        return self.connector.name if self.sample is None else f"{self.connector.name}.{self.sample.of}"

    @property
    def told(self) -> Sample:
        """The sample; for promises that are about one."""
        assert self.sample is not None
        return self.sample

    def values(self) -> dict[str, Any]:
        """Settings that work for the samples, as a person would write them."""
        proofs = self.connector.signature.examples() if self.connector.signature else {}
        special = self.sample.settings if self.sample else {}
        unsigned = {"accept_unsigned": True} if "accept_unsigned" in self.connector.settings else {}
        return {**self.connector.settings.example(), **proofs, **unsigned, **special}

    def connection(self, **laid_over: Any) -> Connection:
        """A connection with these settings, some of them changed."""
        return self._connected({**self.values(), **laid_over}) if laid_over else self._usual

    @cached_property
    def _usual(self) -> Connection:
        return self._connected(self.values())

    def _connected(self, values: Mapping[str, Any]) -> Connection:
        if self.connector.settings.problems(values):
            raise Broken(f"the example settings are not accepted: {self.connector.settings.problems(values)}")
        url, settings = f"https://hub.example.com/hooks/{self.connector.name}", self.connector.settings.read(values)
        return Connection(self.connector.name, self.connector.fitted(settings), settings, webhook_url=url)

    def signed(self, connection: Connection | None = None, *, now: datetime = SAMPLE_NOW, body: Any = None) -> Request:
        """The sample's delivery, signed as the platform does."""
        connection = connection or self.connection()
        return self.connector.sign(self.told.request(connection, now, body), connection, now)

    def facts(self, item: Item, *, play: Play | None = None) -> list[Fact]:
        """What the sample's trigger makes of an item; a thin one is played its replies."""
        trigger = self.connector.triggers[self.told.of]
        connection = self.connection()
        if not trigger.thin_for(connection):
            return trigger.read(item, connection)
        play = play or Play(one_by_one(self.told.replies))
        return trigger.fetch(item, connection, play.client(connection))

    def items(self, request: Request | None = None) -> list[Item]:
        """The items of the sample's delivery that its trigger reads."""
        connection = self.connection()
        items = self.connector.items(request or self.signed(), connection)
        return [item for item in items if any(t.name == self.told.of for t in self.connector.triggers_for(item))]

    @property
    def repeat(self) -> Repeat:
        """What may happen when the answer to the sample's call is lost."""
        action = self.connector.actions.get(self.told.of)
        return action.repeat if action is not None else "safe"

    def act(self, respond: Respond) -> tuple[BaseModel | Shown | CallFailed | None, Play]:
        """Runs the sample's action (its mirror, its reading) against a played platform: the result or failure, and what was
        played."""
        connection, play = self.connection(), Play(respond)
        handed = {
            Client: play.client(connection, call_key=KEY, repeat=self.repeat),
            Connection: connection,
            Settings: connection.settings,
            CallKey: CallKey(KEY),
            datetime: SAMPLE_NOW,
        }
        try:
            return self._acted(handed), play
        except CallFailed as failure:
            return failure, play

    def _acted(self, handed: Mapping[Any, Any]) -> BaseModel | Shown | CallFailed | None:
        mirror = self.connector.mirroring
        if self.told.kind == "action" or mirror is None:
            action = self.connector.actions[self.told.of]
            return action.call(handed, action.inputs.model_validate(self.told.given))
        if self.told.kind == "reading":
            return mirror.look(handed, [self.mirrored()])[0]
        inputs = self.mirror_inputs()
        return None if inputs is None else mirror.action.call(handed, inputs)

    def mirrored(self, *, cleared: bool = False) -> Mirrored:
        """The member of the sample of a mirror. cleared: with nothing to show."""
        fields = self.told.given["fields"]
        return Mirrored(
            Customer.model_validate(self.told.given["customer"]), dict.fromkeys(fields) if cleared else dict(fields)
        )

    def mirror_inputs(self, *, cleared: bool = False) -> BaseModel | None:
        """What the sample's mirror gives its action."""
        mirror, connection = self.connector.mirroring, self.connection()
        assert mirror is not None
        return mirror.inputs({Connection: connection, Settings: connection.settings}, self.mirrored(cleared=cleared))

    def look_up(self, respond: Respond) -> tuple[BaseModel | None, Play]:
        """Runs the sample's lookup against a played platform."""
        action = next(a for a in self.connector.actions.values() if a.lookup and a.lookup.name == self.told.of)
        connection, play = self.connection(), Play(respond)
        started = SAMPLE_NOW - timedelta(minutes=5)
        handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings, datetime: started}
        inputs = action.inputs.model_validate(self.told.given)
        return action.find_done(handed, inputs, KEY), play

    def pulled(self, respond: Respond) -> tuple[list[Item], Play]:
        """Runs the sample's pull against a played platform."""
        pull, connection, play = self.connector.pulls[self.told.of], self.connection(), Play(respond)
        since = datetime.fromisoformat(self.told.given)
        return list(pull.items(connection, play.client(connection), since)), play

    def expect_asked(self, calls: list[Called]) -> None:
        """Raises Broken unless the calls are those that the sample names."""
        asks = self.told.asks
        expect(len(calls) == len(asks), f"makes {[str(call) for call in calls]}; the sample says {len(asks)} calls")
        for asked, called in zip(asks, calls, strict=True):
            expect(not (said := difference(asked, called)), said)


def shown(value: object, connection: Connection) -> list[str]:
    """The secrets of a connection that show in something printed."""
    return [secret for secret in connection.settings.secrets() if secret in f"{value} {value!r}"]


def matches(model: BaseModel, part: Any) -> bool:
    """True when a model has the values of `part`, written as in YAML or JSON (`"12.50"`, `"2026-02-06T21:27:34Z"`)."""
    return type(model).model_validate(_laid_over(model.model_dump(), part)) == model


def _laid_over(whole: Any, part: Any) -> Any:
    if isinstance(whole, Mapping) and isinstance(part, Mapping):
        return {**whole, **{name: _laid_over(whole.get(name), value) for name, value in part.items()}}
    if isinstance(whole, list | tuple) and isinstance(part, list | tuple) and len(whole) == len(part):
        return [_laid_over(one, other) for one, other in zip(whole, part, strict=True)]
    return part
