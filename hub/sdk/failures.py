"""Failures: what a platform's answer means: whether asking again can help, when, and in whose words it said no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from hub.errors import CallFailed, Unreadable, Verdict
from hub.sdk import decode
from hub.sdk.envelope import dig, found

WORDS_MOST = 300
_READ_MOST = 10_000
Strike = Callable[[str], str]
WAIT_SECONDS_MOST = 24 * 3600

# Where platforms put the sentence for people, in the order in which it is looked for.
_WORDS = (
    "errors.0.detail", "errors.0.message", "errors.message", "error.message", "error.msg", "error_description", "detail",
    "message", "errors.0.title", "0.message", "Fault.Error.0.Detail", "Fault.Error.0.Message", "error", "title", "description",
)  # fmt: skip
_CODES = ("code", "errors.0.code", "error.code")
_RESETS = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")


@dataclass(frozen=True, slots=True)
class Reply:
    """A platform's answer, read in full. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """True for 2xx, and for 304: what was asked for if it is new is not."""
        return 200 <= self.status < 300 or self.status == 304

    def json(self) -> Any:
        """The body as JSON-like data, numbers exact; None when it is empty. Unreadable when it is not JSON."""
        return decode.json_value(self.body) if self.body.strip() else None

    def find(self, path: str) -> Any:
        """The value under a dotted path of the body, None when it is not there or the body is not JSON."""
        try:
            value = dig(self.json(), path)
        except Unreadable:
            return None
        return value if found(value) else None


@dataclass(frozen=True, slots=True)
class Failure:
    """What a connector knows of an answer that its status does not say; words: in the platform's own.

    todo: what a person should do about it, where that is not to connect again. retry_after_seconds: after how long it wants
    to be asked again, where its headers do not say.
    """

    verdict: Verdict
    words: str = ""
    todo: str = ""
    retry_after_seconds: float | None = None


def judge(reply: Reply, *, again: bool) -> Verdict:
    """The verdict by status alone. again: whether doing it a second time is doing it once."""
    if reply.status == 401:
        return "reconnect"
    if reply.status in {408, 425, 429}:
        return "passing" if again or reply.status != 408 else "uncertain"
    if reply.status >= 500:
        return "passing" if again else "uncertain"
    return "lasting"


def words(reply: Reply, strike: Strike) -> str:
    """What the platform says went wrong, short; empty when it says nothing that people can read.

    Secrets are taken out before it is cut: what is left of one would not be known again.
    """
    said = (" ".join(value.split()) for path in _WORDS if isinstance(value := reply.find(path), str))
    sentence = strike(next((text for text in said if text), "")[:_READ_MOST])[:WORDS_MOST]
    code = next((value for path in _CODES if isinstance(value := reply.find(path), str | int)), "")
    return f"{sentence} ({code})" if sentence and code else sentence


def wait_told(reply: Reply) -> float | None:
    """The seconds after which the platform wants to be asked again, None when it does not say."""
    told = reply.headers.get("retry-after", "").strip()
    if told.replace(".", "", 1).isdecimal():
        return min(float(told), WAIT_SECONDS_MOST)
    then, sent = _moment(told), _moment(reply.headers.get("date", ""))
    if then is not None and sent is not None:
        return min(max(0.0, then - sent), WAIT_SECONDS_MOST)
    if reply.status != 429:
        return None
    for name in _RESETS:
        reset = reply.headers.get(name, "").strip()
        if reset.isdecimal() and len(reset) <= 10:
            # Either seconds to go, or a moment in Unix time, to be compared with the platform's own clock.
            seconds = float(reset) if int(reset) < 10**8 else float(reset) - (sent or float(reset))
            return min(max(0.0, seconds), WAIT_SECONDS_MOST)
    return None


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def failed(title: str, asked: str, reply: Reply, failure: Failure, strike: Strike) -> CallFailed:
    """The error for an answer; `asked` is the method and the path, without a query. strike: takes secrets out of a text."""
    said = failure.words or words(reply, strike)
    message = f"{title} answered {reply.status} to {asked}" + (f": {said}" if said else ".")
    if failure.todo or failure.verdict == "reconnect":
        message = f"{message.rstrip('.')}. {failure.todo or 'Check or renew the access of this connection.'}"
    told = wait_told(reply) if failure.retry_after_seconds is None else failure.retry_after_seconds
    return CallFailed(message, failure.verdict, retry_after_seconds=told, status=reply.status)
