"""Messages: the words that members write to the programme, and what the hub itself does about them.

JOIN, BALANCE, REDEEM and CLAIM count as a whole message or as its first word (`REDEEM oil-change`). STOP, START and HELP count
as a whole message, so that "Cancel my booking" opts nobody out and "Yes, ten is fine" opts nobody in; "Stop texting me" and
"Unsubscribe please" do opt out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hub.programme.facts import ClaimAnswered
from hub.programme.settings import Command, Programme
from hub.programme.work import Work
from hub.sdk.facts import MessageReceived, RedemptionRequested

_WHOLE = frozenset({"stop", "start", "help"})
_STOPS_ANYWAY = frozenset({"stop", "stopall", "unsubscribe"})
_EDGES = ".,;:!?\"'“”‘’()[] "
_ARGUMENT_MOST = 512

Claim = Callable[[str, str], Literal["attached", "unknown", "taken"]]
"""Attaches an unclaimed sale: (code, member id) -> what came of it. The engine knows the sales, so it hands this in."""


def recognise(message: MessageReceived, programme: Programme) -> MessageReceived:
    """The message with its command and argument filled in, where it has one."""
    words = " ".join(message.text.split())
    first, _, rest = words.partition(" ")
    whole, start = words.strip(_EDGES).casefold(), first.strip(_EDGES).casefold()
    command = _command(programme, whole, start)
    if command is None:
        return message
    argument = "" if command in _WHOLE else rest.strip(_EDGES)[:_ARGUMENT_MOST]
    return message.model_copy(update={"command": command, "argument": argument})


def _command(programme: Programme, whole: str, start: str) -> Command | None:
    if not whole:
        return None
    for command, words in programme.words().items():
        if whole in words or (start in words and command not in _WHOLE):
            return command
    return "stop" if start in _STOPS_ANYWAY else None


def answer(work: Work, claim: Claim) -> None:
    """What the hub does about a command besides consent and joining: REDEEM asks for a reward, CLAIM attaches a sale.

    Everything else, and every answer, is for recipes.
    """
    message = work.event.fact
    if not isinstance(message, MessageReceived):
        return
    if message.command == "redeem":
        work.emit(
            RedemptionRequested(
                request_id=f"{work.event.connection}:{message.message_id}",
                occurred_at=work.event.occurred_at,
                customer=message.customer,
                reward=message.argument,
                channel=message.channel,
            )
        )
    elif message.command == "claim" and work.member_id is not None:
        code = message.argument
        work.emit(
            ClaimAnswered(
                member_id=work.member_id,
                key=f"claim:{work.event.id}",
                occurred_at=work.now,
                code=code,
                outcome=claim(code, work.member_id) if code else "unknown",
            )
        )
