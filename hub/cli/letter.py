"""Letter: a delivery as a platform would send it, made of a connector's own sample, with new ids, of now, and signed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, get_origin

from hub import document
from hub.errors import HubError, Unreadable
from hub.sdk import Connection, Request
from hub.sdk.fact import Fact
from hub.sdk.facts import Sale
from hub.sdk.sample import SAMPLE_NOW, Sample
from hub.sdk.trigger import Trigger

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_KEPT_CHARACTERS = 2
_NEW_CHARACTERS = 12
_LISTED_MOST = 40

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed request, and the key of the first fact in it; empty when it has to be fetched."""

    request: Request
    key: str


def letter_of(connection: Connection, trigger: str, changes: Mapping[str, str], now: datetime, salt: str | None) -> Letter:
    """The delivery that makes this trigger tell its fact.

    changes: values by the path of a field in the platform's own body, or by the end of the path where that is clear. salt:
    what makes the ids new; None to send the sample's own ids and times. HubError when it cannot be made.
    """
    known = _trigger(connection, trigger)
    sample = _sample(connection, known)
    body = sample.given
    if isinstance(body, bytes):
        if changes:
            raise HubError(f"The sample of {trigger} is no JSON and no form; it can be sent only as it is.")
    else:
        body = _mapped(body, lambda leaf: leaf)
        if salt is not None:
            body = _renewed(body, _ids(sample, connection, known, now), salt)
            body = _mapped(body, lambda leaf: _moved(leaf, now - SAMPLE_NOW))
        for path, value in changes.items():
            _put(body, path, value)
    request = sample.request(connection, now, body)
    facts = _facts(request, connection, known)
    return Letter(connection.connector.sign(request, connection, now), known.key_of(facts[0]) if facts else "")


def _trigger(connection: Connection, name: str) -> Trigger:
    triggers = connection.connector.triggers
    if name not in triggers:
        hint = document.did_you_mean(name, triggers)
        raise HubError(f"{connection.connector.title} has no trigger {name!r}; it has {', '.join(triggers)}. {hint}".rstrip())
    return triggers[name]


def _sample(connection: Connection, trigger: Trigger) -> Sample:
    samples = [one for one in connection.connector.samples if one.kind == "trigger" and one.of == trigger.name]
    telling = [one for one in samples if one.gives is not None]
    if not telling:
        raise HubError(f"The connector {connection.connector.name} has no sample of {trigger.name} to send.")
    return telling[0]


def _facts(request: Request, connection: Connection, trigger: Trigger) -> list[Fact]:
    if trigger.thin_for(connection):
        return []
    try:
        items = [item for item in connection.connector.items(request, connection) if item.kind in trigger.kinds]
        return [fact for item in items for fact in trigger.read(item, connection)]
    except Unreadable:
        return []  # a change made it so: what the hub says of it is what shall be seen


def _ids(sample: Sample, connection: Connection, trigger: Trigger, now: datetime) -> set[str]:
    """What makes the fact in the sample this very fact; who it was about stays."""
    request = sample.request(connection, now)
    found = {item.id for item in connection.connector.items(request, connection) if item.id}
    for fact in _facts(request, connection, trigger):
        # A word of a fixed list (the status of a booking) is part of a key, and no id.
        names = [name for name in trigger.key if "." not in name and not _is_choice(type(fact), name)]
        names += ["order_id", "payment_id"] if isinstance(fact, Sale) else []
        found |= {value for name in names if isinstance(value := getattr(fact, name, None), str)}
        if isinstance(fact, Sale):
            found |= {reference.id for reference in fact.references}
    return found


def _is_choice(fact: type[Fact], name: str) -> bool:
    return get_origin(fact.model_fields[name].annotation) is Literal


def _renewed(body: Any, ids: set[str], salt: str) -> Any:
    new = {old: _new_id(old, salt) for old in ids if old}

    def renew(leaf: Any) -> Any:
        if isinstance(leaf, bool) or str(leaf) not in new:
            return leaf
        return int(new[str(leaf)]) if isinstance(leaf, int) else new[str(leaf)]

    return _mapped(body, renew)


def _new_id(old: str, salt: str) -> str:
    """Another id that looks like the old one: its beginning, its length, digits where it has only digits."""
    digest = sha256(f"{salt}:{old}".encode()).hexdigest()
    if old.isascii() and old.isdigit():
        return (old[0] if old[0] != "0" else "1") + str(int(digest, 16))[-max(9, len(old) - 1) :]
    kept = max(_KEPT_CHARACTERS, len(old) - _NEW_CHARACTERS)
    return old[:kept] + digest[: max(_NEW_CHARACTERS, len(old) - kept)]


def _moved(leaf: Any, by: timedelta) -> Any:
    """A moment of the sample, so much later, in the same form; anything else as it is."""
    found = _TIME.fullmatch(leaf) if isinstance(leaf, str) else None
    if found is None:
        return leaf
    moment = datetime.fromisoformat(found[1]) + by
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (found[2] or "") + "Z"


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy with every leaf changed."""
    if isinstance(value, Mapping):
        return {key: _mapped(child, change) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(child, change) for child in value]
    return change(value)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _leaves(child, (*path, index))
    else:
        yield path, value


def _put(body: Any, wanted: str, text: str) -> None:
    leaves = {".".join(map(str, path)): (path, leaf) for path, leaf in _leaves(body)}
    found = [name for name in leaves if name == wanted] or [name for name in leaves if name.endswith(f".{wanted}")]
    if len(found) != 1:
        listed = ", ".join(found or list(leaves)[:_LISTED_MOST])
        what = f"`{wanted}` can be {len(found)} fields" if found else f"there is no field `{wanted}` in the sample"
        raise HubError(f"{what[0].upper()}{what[1:]}. Name one of: {listed}.")
    path, old = leaves[found[0]]
    parent = body
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = _like(old, text, found[0])


def _like(old: Any, text: str, name: str) -> Any:
    """The text as a value of the old one's type."""
    if old is None or isinstance(old, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        raise HubError(f"`{name}` is {json.dumps(old)} in the sample; {text!r} is not of that kind.") from None
    return value
