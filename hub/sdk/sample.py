"""Samples: recorded truth beside the code; they are the connector's tests, its documentation and its dry run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from hub.errors import Verdict
from hub.sdk.request import Answer, Request

if TYPE_CHECKING:
    from hub.sdk.connection import Connection

SAMPLE_NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that we expect to make: method and path, and what must be in it; what is not named here is not looked at."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    json: Any = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None


def ask(line: str, **said: Any) -> Ask:
    """`ask("POST /v1/refunds", form={...})`; json, form, query and headers may be said."""
    method, _, path = line.partition(" ")
    return Ask(method, path, **said)


def answers(status: int, body: Any = None, **headers: str) -> Answer:
    """A platform's reply with another status than 200, or with headers (`retry_after="30"`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, raw, None if body is None else "application/json", named)


@dataclass(frozen=True, slots=True)
class Sample:
    """One recorded case of a trigger, an action or a pull.

    of: its name. given: the delivery's body (or the action's inputs, or the moment a pull starts from). gives: what must come
    of it, laid over the whole; None: of a delivery or a lookup, that nothing comes of it; else not looked at. asks, replies:
    the calls made and answered, one for one. fails: the verdict expected. settings: laid over the example settings.
    """

    of: str
    kind: str
    given: Any
    gives: Any = None
    asks: tuple[Ask, ...] = ()
    replies: tuple[Answer, ...] = ()
    fails: Verdict | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def request(self, connection: Connection, now: datetime, given: Any = None) -> Request:
        """The delivery as the platform sends it, not yet signed. given: another body in place of the sample's."""
        body = self.given if given is None else given
        if not isinstance(body, bytes):
            body = urlencode(body, doseq=True).encode() if self.form else json.dumps(body, ensure_ascii=False).encode()
        url = connection.webhook_url or f"https://hub.example.com/hooks/{connection.name}"
        query = urlencode(self.query)
        kind = "application/x-www-form-urlencoded" if self.form else "application/json"
        headers = {"content-type": kind, **{name.lower(): value for name, value in self.headers.items()}}
        return Request("POST", urlsplit(url).path, query, headers, body, now, f"{url}?{query}" if query else url)


def made(of: str, kind: str, given: Any, *, asks: Any, reply: Any, **said: Any) -> Sample:
    """A sample from what a connector wrote: one call or a list of them, and a reply for each."""
    asked = () if asks is None else tuple(asks) if isinstance(asks, list | tuple) else (asks,)
    several = isinstance(asks, list | tuple)
    replied = () if reply is None else tuple(reply) if several and isinstance(reply, list | tuple) else (reply,)
    return Sample(
        of,
        kind,
        given,
        asks=tuple(one if isinstance(one, Ask) else ask(one) for one in asked),
        replies=tuple(one if isinstance(one, Answer) else answers(200, one) for one in replied),
        **said,
    )


def lies_in(part: Any, whole: Any) -> bool:
    """True when `part` is found in `whole`: a mapping's named fields, a list item by item, anything else when equal."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(name in whole and lies_in(value, whole[name]) for name, value in part.items())
    if isinstance(part, list | tuple):
        return isinstance(whole, list | tuple) and len(part) == len(whole) and all(map(lies_in, part, whole))
    return bool(part == whole)


def moved(sample: Sample, change: Callable[[Any], Any]) -> Sample:
    """The sample with another body."""
    return replace(sample, given=change(sample.given))


def unused(samples: Sequence[Sample], names: Iterable[str]) -> list[str]:
    """The names that no sample speaks of."""
    spoken = {sample.of for sample in samples}
    return [name for name in names if name not in spoken]
