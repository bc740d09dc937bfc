"""Hearing: what a connector does about deliveries: whether they are genuine, what is answered, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from hub import log
from hub.errors import Refused, Unreadable
from hub.sdk import parameters
from hub.sdk.connection import Connection
from hub.sdk.envelope import Envelope, Item
from hub.sdk.proof import Proof
from hub.sdk.request import Answer, Request
from hub.sdk.settings import Settings
from hub.sdk.trigger import Task, Trigger

Take = Envelope | Callable[..., Iterable[Item]]


class Hearing:
    """One platform's deliveries. triggers: what reads them, by name."""

    def __init__(
        self,
        title: str,
        signature: Proof | None,
        envelope: Take | None,
        reply: Answer | Callable[[Request], Answer] | None,
    ) -> None:
        self.title, self.signature, self.envelope = title, signature, envelope
        self.triggers: dict[str, Trigger] = {}
        self._apart = Task(parameters.read(envelope)) if callable(envelope) else envelope
        self._reply = reply or Answer()
        self._handshakes: list[Task] = []
        self._listeners: dict[str, list[Trigger]] = {}

    def verify(self, request: Request, connection: Connection, now: datetime) -> None:
        """Returns when the request is genuine. Refused when it is not, or when this connector takes no webhooks."""
        if self.signature is None:
            raise Refused(f"{self.title} sends no webhooks to this hub; it is asked by polling.")
        self.signature.verify(request, connection.settings, now)

    def sign(self, request: Request, connection: Connection, now: datetime) -> Request:
        """The request as the platform would send it."""
        return request if self.signature is None else self.signature.sign(request, connection.settings, now)

    def strip(self, request: Request) -> Request:
        """The request as it may be kept: secrets that stood in it as they are (tokens, passwords) are taken out."""
        return request if self.signature is None else self.signature.strip(request)

    def shake(self, request: Request, connection: Connection) -> Answer | None:
        """The answer to a handshake, None when it is none. To be asked before `verify`; nothing of it is kept."""
        handed = {Request: request, Connection: connection, Settings: connection.settings}
        for handshake in self._handshakes:
            try:
                answer: Answer | None = handshake.call(handed)
            except (Unreadable, ValueError, TypeError, LookupError, AttributeError):
                continue
            if answer is not None:
                return answer
        return None

    def answer(self, request: Request, connection: Connection) -> Answer:
        """What the platform wants to hear when its delivery is kept."""
        return self._reply if isinstance(self._reply, Answer) else self._reply(request)

    def items(self, request: Request, connection: Connection) -> list[Item]:
        """What a delivery tells. Unreadable when it does not have the form that the envelope describes."""
        apart = self._apart
        if apart is None:
            raise Unreadable(f"{self.title} sends no webhooks to this hub; it is asked by polling.")
        handed = {Request: request, Connection: connection, Settings: connection.settings}
        try:
            return list(apart.call(handed) if isinstance(apart, Task) else apart.items(request))
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise Unreadable(f"The delivery is not as {self.title} describes it ({log.in_words(error)}).") from error

    def is_ours(self, item: Item, connection: Connection) -> bool:
        """False when the item names another account than the connection's, in a webhook that several share."""
        name = self.envelope.account_setting if isinstance(self.envelope, Envelope) else "account_id"
        ours = connection.settings.get(name)
        return item.account is None or not ours or item.account == str(ours)

    def hears(self, trigger: str, settings: Settings) -> bool:
        """True when deliveries, with these settings, tell what the trigger reads; else it is asked for alone."""
        return self.signature is not None and self.signature.can_hold(settings) and not self.triggers[trigger].polled

    def triggers_for(self, item: Item) -> Sequence[Trigger]:
        """The triggers that read items of this kind; none when it is of no interest."""
        return self._listeners.get(item.kind, ())

    def _listen(self, trigger: Trigger) -> None:
        if not trigger.poke:
            self.triggers[trigger.name] = trigger
        for kind in trigger.kinds:
            self._listeners.setdefault(kind, []).append(trigger)
