"""Actions: what a recipe asks of a platform (or of the hub), and what may happen when the answer is lost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import GenericAlias
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel

from hub import log
from hub.errors import CallFailed, HubError
from hub.sdk.parameters import Contract
from hub.sdk.spending import Spending
from hub.sdk.trigger import STUMBLES

Made = TypeVar("Made")

Repeat = Literal["safe", "keyed", "never"]
Channel = Literal["sms", "whatsapp", "email", "push", "chat"]
Speaks = Channel | Literal["email or sms"]


class CallKey(str):
    """The unique text of one step's effect; the same on every attempt. Handed to actions and lookups that ask for it."""

    __slots__ = ()

    def mark(self, length: int = 10) -> str:
        """A short name of it, of capital letters and digits: for a code, or a note, by which what was made is known again."""
        return base64.b32encode(hashlib.sha256(self.encode()).digest()).decode()[:length]


def made_once(make: Callable[[], Made], find: Callable[[], Made | None], *, refused: str) -> Made:
    """What is made now, or what an earlier attempt has made, whose answer was lost.

    refused: what the platform says of what is there already; then `find` looks for ours. CallFailed when it is somebody else's.
    """
    try:
        return make()
    except CallFailed as failure:
        found = find() if failure.verdict == "lasting" and refused in str(failure) else None
        if found is None:
            raise
        return found


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a connector can do.

    inputs: the model that a recipe fills in. gives: the model of its result, or None. repeat: `safe` (doing it twice is doing
    it once), `keyed` (the platform keeps the key and does it once), `never` (a lost answer is looked up, or held for a person).
    channel: on which channel it speaks to a member; then the messaging gate stands before it. Where that is `email or sms`, the
    address in `to` says which. batch: how many go out as one. spends: what it buys, where it spends money at the platform.
    """

    name: str
    connector: str
    contract: Contract
    inputs: type[BaseModel]
    gives: type[BaseModel] | None
    repeat: Repeat
    channel: Speaks | None
    batch: int
    lookup: Contract | None = None
    was: tuple[str, ...] = ()
    spends: Spending | None = None

    @property
    def doc(self) -> str:
        """The sentence that people see."""
        return self.contract.doc

    @property
    def takes(self) -> tuple[Any, ...]:
        """The types left of the star: what must be handed over."""
        return tuple(self.contract.handed.values())

    def channel_to(self, address: str) -> Channel | None:
        """On which channel it speaks to this address; None when it speaks to nobody."""
        if self.channel != "email or sms":
            return self.channel
        return "email" if "@" in address else "sms"

    def call(self, handed: Mapping[Any, Any], inputs: BaseModel) -> BaseModel | None:
        """Does it once. CallFailed when the platform does not."""
        if self.batch > 1:
            result = self.call_many(handed, [inputs])[0]
            if isinstance(result, Exception):
                raise result
            return result
        result_of_one: BaseModel | None = self._guarded(handed, inputs)
        return result_of_one

    def call_many(self, handed: Mapping[Any, Any], many: Sequence[BaseModel]) -> list[BaseModel | Exception | None]:
        """Does up to `batch` of them as one call; a result or an error for each, in order. CallFailed when all of it failed."""
        if self.batch == 1:
            return [self._one(handed, inputs) for inputs in many]
        results = self._guarded({**handed, GenericAlias(list, (self.inputs,)): list(many)}, None)
        if not isinstance(results, list) or len(results) != len(many):
            raise CallFailed(f"{self.connector}.{self.name} was given {len(many)} and did not answer for each.", "uncertain")
        return results

    def find_done(self, handed: Mapping[Any, Any], inputs: BaseModel, key: str) -> BaseModel | None:
        """What the platform says of a call whose answer was lost: its result if it was done, None if it was not, or is unknown.

        CallFailed(uncertain) when the action has no lookup, or when nothing could be found out; it must not be repeated then.
        """
        if self.lookup is None:
            raise CallFailed(f"{self.connector}.{self.name} cannot look up whether it was done.", "uncertain")
        asked = self.lookup.inputs.model_validate({name: getattr(inputs, name) for name in self.lookup.inputs.model_fields})
        try:
            done: BaseModel | None = self.lookup.call({**handed, CallKey: CallKey(key)}, asked)
        except (*STUMBLES, CallFailed) as error:
            message = f"{self.connector}.{self.name} could not be looked up, so it may have been done: {error}"
            wait = error.retry_after_seconds if isinstance(error, CallFailed) else None
            raise CallFailed(message, "uncertain", retry_after_seconds=wait) from error
        return done

    def with_lookup(self, lookup: Contract) -> Action:
        """The same action, which can look up whether it was done."""
        return replace(self, lookup=lookup)

    def _one(self, handed: Mapping[Any, Any], inputs: BaseModel) -> BaseModel | Exception | None:
        try:
            result: BaseModel | None = self._guarded(handed, inputs)
        except HubError as error:
            return error
        return result

    def _guarded(self, handed: Mapping[Any, Any], inputs: BaseModel | None) -> Any:
        try:
            return self.contract.call(handed, inputs)
        except STUMBLES as error:
            message = f"{self.connector}.{self.name} stumbled over what it got ({log.in_words(error)})."
            raise CallFailed(message, "lasting" if self.repeat != "never" else "uncertain") from error


def batched(contract: Contract) -> type[BaseModel]:
    """The model of one call of a batched action: the X of its `list[X]` left of the star. TypeError when there is none."""
    for kind in contract.handed.values():
        inside = get_args(kind)
        if get_origin(kind) is list and inside and isinstance(inside[0], type) and issubclass(inside[0], BaseModel):
            model: type[BaseModel] = inside[0]
            return model
    raise TypeError(f"{contract.name} has batch=…, so it takes a list of a model left of the star, such as `list[Consent]`")
