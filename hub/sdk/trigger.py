"""Triggers: what makes a fact of an item; and pulls, which bring the same items without being told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from hub import log
from hub.errors import CallFailed, Unreadable
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.envelope import Item
from hub.sdk.fact import Fact
from hub.sdk.parameters import Contract, findings
from hub.sdk.settings import Settings
from hub.sdk.values import Duration

# What a normaliser may stumble over when genuine data is not as its platform describes it.
STUMBLES = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)

_MAYBE_CLIENT = Client | None


class Payload(BaseModel):
    """What we read of a platform's data: fields that we do not name are ignored, so that new ones change nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Trigger:
    """One kind of fact that a platform tells.

    kinds: the platform's words for it. gives: the fact's class. key: the fields that make it the same fact. thin: it fetches
    the rest with a Client, in the worker; fetch_if names the setting without which it makes do with what was told. poke: it
    tells only that something changed; then `pull` is run from its cursor. polled: no delivery tells it, a pull alone does.
    """

    name: str
    connector: str
    kinds: tuple[str, ...]
    gives: type[Fact]
    key: tuple[str, ...]
    contract: Contract
    was: tuple[str, ...] = ()
    fetch_if: str = ""
    poke: bool = False
    pull: Pull | None = None
    polled: bool = False

    @property
    def doc(self) -> str:
        """The sentence that people see."""
        return self.contract.doc

    @property
    def thin(self) -> bool:
        """True when it can fetch the rest with a Client."""
        kinds = self.contract.handed.values()
        return Client in kinds or any(kind == _MAYBE_CLIENT for kind in kinds if not isinstance(kind, type))

    def thin_for(self, connection: Connection) -> bool:
        """True when it does so for this connection: then it is read by `fetch`, in the worker."""
        return not self.poke and self.thin and (not self.fetch_if or bool(connection.settings.get(self.fetch_if)))

    def key_of(self, fact: Fact) -> str:
        """The identity of a fact under this trigger. Unreadable when a key field is empty."""
        return "/".join(quote(_key_part(self.name, fact, path), safe="") for path in self.key)

    def read(self, item: Item, connection: Connection) -> list[Fact]:
        """The facts in an item; none when it is of no interest. Unreadable, with the field's path, when it cannot be read."""
        return self._facts(item, connection, {_MAYBE_CLIENT: None})

    def fetch(self, item: Item, connection: Connection, client: Client) -> list[Fact]:
        """As `read`, for a thin notice: the rest is fetched. CallFailed when the platform does not give it."""
        return self._facts(item, connection, {Client: client, _MAYBE_CLIENT: client})

    def _facts(self, item: Item, connection: Connection, more: Mapping[Any, Any]) -> list[Fact]:
        if item.problem:
            raise Unreadable(item.problem)
        handed = {Connection: connection, Settings: connection.settings, Item: item, **more}
        try:
            for kind in self.contract.handed.values():
                if isinstance(kind, type) and issubclass(kind, Payload):
                    handed[kind] = kind.model_validate(item.data)
            facts = [fact for fact in _many(self.contract.call(handed)) if fact is not None]
        except ValidationError as error:
            raise Unreadable(f"{self.connector}.{self.name}: {findings(error)}.") from None
        except STUMBLES as error:
            said = log.in_words(error)
            raise Unreadable(f"{self.connector}.{self.name} cannot read this `{item.kind}` ({said}).") from error
        return [fact if fact.occurred_at or not item.at else fact.model_copy(update={"occurred_at": item.at}) for fact in facts]


def _key_part(name: str, fact: Fact, path: str) -> str:
    value: Any = fact
    for part in path.split("."):
        value = getattr(value, part, None)
    if value is None or value in ("", ()):
        raise Unreadable(f"{name}: `{path}` is empty, and without it the fact cannot be told from another.")
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _many(given: Any) -> Iterable[Any]:
    if given is None:
        return ()
    return (given,) if isinstance(given, BaseModel) else given


@dataclass(frozen=True, slots=True)
class Pull:
    """How to ask a platform for what a trigger would have told: polling, reconciliation and backfill in one.

    trigger: the name of the trigger that reads its records. every: how often, unless the connection says otherwise. always:
    also where deliveries tell the same, because the platform loses some.
    """

    name: str
    trigger: str
    kind: str
    every: Duration
    contract: Contract
    always: bool = False

    @property
    def doc(self) -> str:
        """The sentence that people see."""
        return self.contract.doc

    def items(self, connection: Connection, client: Client, since: datetime) -> Iterator[Item]:
        """What happened since then, oldest first where the platform allows it. CallFailed when it is not given."""
        handed = {Connection: connection, Settings: connection.settings, Client: client, datetime: since}
        try:
            for record in self.contract.call(handed):
                yield record if isinstance(record, Item) else Item(self.kind, record)
        except STUMBLES as error:
            message = f"{self.name} stumbled over what the platform answered ({log.in_words(error)})."
            raise CallFailed(message, "lasting") from error


@dataclass(frozen=True, slots=True)
class Task:
    """A function of a connector that is not about one fact: a handshake, a subscription."""

    contract: Contract
    every: Duration | None = None

    def call(self, handed: Mapping[Any, Any]) -> Any:
        """Calls it with what it asks for, by type."""
        return self.contract.call(handed)


def fact_of(contract: Contract) -> type[Fact]:
    """The class of the facts that a function gives. TypeError when it does not say one."""
    facts = [kind for kind in contract.gives if isinstance(kind, type) and issubclass(kind, Fact)]
    if len(facts) != 1:
        said = "no fact" if not facts else "several facts; make a trigger of each"
        raise TypeError(f"{contract.name} gives {said}: its return type must be one Fact (or a list of it, or None beside it)")
    return facts[0]
