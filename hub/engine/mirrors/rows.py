"""Rows: what is known of each platform's image of each member, and of the comparisons."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hub.clock import from_text, to_text
from hub.engine.calls import lane_of
from hub.sdk import Mirrored
from hub.store import Row, Session, Space, Unit, load

queries = load("hub.engine.mirrors")

NEW, KNOWN, UNKNOWN = range(3)
Key = tuple[str, str]
"""A connection and a member."""


class Image(NamedTuple):
    """What a platform shows of a member, as far as we know.

    version: grows with each change of the member; settled: the version that is shown, or as good as it can be. written: what
    the fields say, empty when that is not known. busy: the call `call_id` is open; else it is one that is held, or none.
    doubted: a write was refused, so the platform is asked again whether it knows the member. drifted: the comparison that
    found it changed, until that is repaired.
    """

    connection: str
    member_id: str
    state: int = NEW
    version: int = 0
    settled: int = 0
    busy: bool = False
    call_id: str = ""
    platform_id: str | None = None
    written: str = ""
    doubted: bool = False
    drifted: str = ""
    seen_at: datetime | None = None
    written_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def key(self) -> Key:
        return self.connection, self.member_id

    @property
    def is_settled(self) -> bool:
        """Whether the platform shows what it should, as far as we know."""
        return self.settled >= self.version and not self.busy

    def due(self) -> Image:
        """Out of date: what is to be written, or looked at, is decided when it is its turn."""
        return self._replace(settled=min(self.settled, self.version - 1))

    def freed(self) -> Image:
        """No call is about it any more."""
        return self._replace(busy=False, call_id="")


class Comparison(NamedTuple):
    """What one comparison of a platform with the ledger has found so far. after: the last member that it came to."""

    id: str
    connection: str
    terms: str
    started_at: datetime
    finished_at: datetime | None = None
    after: str = ""
    compared: int = 0
    differing: int = 0
    repaired: int = 0
    unknown: int = 0
    failing: int = 0
    note: str = ""


def form_of(one: Mirrored) -> str:
    """What the fields of a member say, as it is kept."""
    return json.dumps(one.texts, ensure_ascii=False, sort_keys=True)


def newest_comparison(session: Session, connection: str) -> Comparison | None:
    """The last comparison of a connection, whether or not it has ended."""
    row = session.row(queries.newest_comparison, connection=connection)
    return comparison_from(row) if row is not None else None


def drop_call(unit: Unit, call_id: str) -> None:
    """What the call was for is done, or another does it; nothing of it is kept."""
    unit.append(queries.drop_call, (call_id,))


def comparison_from(row: Row) -> Comparison:
    """A comparison from its row."""
    values = {name: row[name] for name in Comparison._fields}
    return Comparison(**{**values, "started_at": from_text(row["started_at"]), "finished_at": _moment(row["finished_at"])})


def image_from(row: Row) -> Image:
    """An image from its row."""
    values = {name: row[name] for name in Image._fields}
    moments = {name: _moment(row[name]) for name in ("seen_at", "written_at", "changed_at")}
    return Image(**{**values, **moments, "busy": bool(row["busy"]), "doubted": bool(row["doubted"])})


def _moment(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return to_text(moment) if moment is not None else None


def _images(session: Session, keys: Collection[Key]) -> Mapping[Key, Image]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for connection, member_id in keys:
        members[connection].append(member_id)
    found = (session.rows(queries.images_of, connection=name, member_ids=ids) for name, ids in members.items())
    return {image.key: image for rows in found for image in map(image_from, rows)}


def _image_row(_: Key, image: Image) -> tuple[Any, ...]:
    return (
        image.connection, image.member_id, image.state, image.version, image.settled, int(image.busy), image.call_id,
        image.platform_id, image.written, int(image.doubted), image.drifted, _text(image.seen_at), _text(image.written_at),
        _text(image.changed_at) or "",
    )  # fmt: skip


def _comparisons(session: Session, ids: Collection[str]) -> Mapping[str, Comparison]:
    return {row["id"]: comparison_from(row) for row in session.rows(queries.comparisons_by_id, ids=list(ids))}


def _comparison_row(_: str, one: Comparison) -> tuple[Any, ...]:
    times = to_text(one.started_at), _text(one.finished_at)
    counts = one.compared, one.differing, one.repaired, one.unknown, one.failing
    return (one.id, one.connection, one.terms, *times, one.after, *counts, one.note)


IMAGES: Space[Key, Image] = Space(
    "mirror",
    _images,
    save=queries.save_image,
    row=_image_row,
    missing=lambda key: Image(*key),
    lane=lambda key: lane_of(key[0]),
)
COMPARISONS: Space[str, Comparison] = Space(
    "mirror_comparison",
    _comparisons,
    save=queries.save_comparison,
    row=_comparison_row,
    lane_of=lambda one: lane_of(one.connection),
)
