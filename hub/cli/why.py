"""Why: where points come from and what became of them; why something earned nothing. `hub why`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hub import config
from hub.cli import people
from hub.cli.ledger import line_of
from hub.cli.output import json_option, print_json, say
from hub.cli.workspace import found, reading, workspace_option
from hub.clock import to_text
from hub.config import Settings
from hub.engine import retention
from hub.engine.inbox import queries as inbox_queries
from hub.engine.inbox import removals
from hub.errors import HubError
from hub.insight.lineage import Bodies, find
from hub.insight.stories import EventStory, Moved, Story
from hub.insight.telling import sentences
from hub.ledger import StatementLine
from hub.programme.settings import Programme
from hub.store import Session


@click.command()
@click.argument("what", metavar="ID")
@workspace_option
@json_option
def why(*, what: str, folder: Path, as_json: bool) -> None:
    """Say why: "why 37?", "why did order 1042 earn nothing?".

    ID is an order, payment or other number, or the id of a transaction, event, run, delivery or member; a member's e-mail
    address, phone number or name will do too.
    """
    settings = config.load(folder)
    zone = Programme.from_node(settings.programme_node).zone
    with reading(folder) as session, _inbox(settings) as bodies:
        stories = find(session, what, bodies)
        removed = _removed(settings, [what, *_deliveries(stories)])
        if not stories and what in removed:
            raise HubError(f"{retention.told(what, removed[what])} No event came of it.")
        stories = stories or _of_member(session, what)
    told = [(*sentences(story, zone), *_gone(story, removed)) for story in stories]
    if as_json:
        print_json([{"told": said, **_plain(story)} for said, story in zip(told, stories, strict=True)])
        return
    for number, said in enumerate(told):
        if number:
            say("")
        for place, sentence in enumerate(said):
            say(sentence, "bold" if place == 0 else "")


def _of_member(session: Session, who: str) -> tuple[Story, ...]:
    if not people.called(session, who):
        raise HubError(
            f"Nothing is known of {who!r}: no transaction, event, order, delivery or member. "
            "`hub events` lists the newest events; what is still in the inbox is worked by `hub run`."
        )
    return find(session, people.one(session, who)["id"])


@contextmanager
def _inbox(settings: Settings) -> Iterator[Bodies]:
    """What the inbox still has of deliveries."""
    with found(settings, "inbox") as store:
        if store is None:
            yield lambda _: {}
            return
        with store.read() as session:
            yield lambda ids: _bodies(session, ids)


def _removed(settings: Settings, ids: Sequence[str]) -> dict[str, datetime]:
    with found(settings, "inbox") as store:
        return removals(store, ids) if store is not None and not store.missing_steps() else {}


def _deliveries(stories: Sequence[Story]) -> list[str]:
    """The deliveries that the stories are about."""
    found: list[str] = []
    for story in stories:
        heard = story.heard if isinstance(story, EventStory | Moved) else None
        while heard is not None:
            found += [heard.delivery_id] if heard.delivery_id else []
            heard = heard.cause
    return found


def _gone(story: Story, removed: Mapping[str, datetime]) -> list[str]:
    return [retention.told(id_, removed[id_]) for id_ in _deliveries([story]) if id_ in removed]


def _bodies(session: Session, ids: Sequence[str]) -> dict[str, bytes]:
    return {row["id"]: bytes(row["body"]) for row in session.rows(inbox_queries.deliveries_by_id, ids=list(ids))}


def _plain(value: Any) -> Any:
    """A story as JSON knows it: times as the hub writes them, lines as `hub ledger statement` has them."""
    if isinstance(value, StatementLine):
        return line_of(value)
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
