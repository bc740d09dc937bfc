"""Unit of work: what a batch has read and will write, kept in memory and written once.

Two kinds of change. `append` adds a row that is never changed (an entry, a run). `put` gives a projection a new value
(a balance, a member); however often that happens in a batch, one row is written. All values are immutable, so that
`savepoint` can undo by putting the old ones back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hub.store.queries import Query
from hub.store.session import Session

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, eq=False)
class Space(Generic[K, V]):
    """A projection: values by key, how they are read in sets, and how they are written.

    load: (session, keys) -> the values that there are. row: (key, value) -> the parameters of `save`, in its order.
    missing: the value of a key that the database does not have, or None to let `get` answer None.
    lane: of a key, the lane that is held before its value is read, so that nobody else changes it until this unit is written.
    lane_of: the same where the value names it.
    adds: whether `save` adds to what the database has; then a value is forgotten when it is written, not to be added again.
    """

    name: str
    load: Callable[[Session, Collection[K]], Mapping[K, V]]
    save: Query | None = None
    row: Callable[[K, V], Sequence[Any]] | None = None
    missing: Callable[[K], V] | None = None
    adds: bool = False
    lane: Callable[[K], str] | None = None
    lane_of: Callable[[V], str] | None = None


class _Absent:
    """Stands in the undo log for a key that was not there."""


_ABSENT = _Absent()


class _Savepoint:
    """A class of its own, for every event and step goes through one."""

    __slots__ = ("_mark", "_unit")

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def __enter__(self) -> None:
        self._mark = len(self._unit._undo)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._unit._undo_to(self._mark)


class Unit:
    """The changes of one transaction. Not for several threads."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._values: defaultdict[Space[Any, Any], dict[Any, Any]] = defaultdict(dict)
        self._dirty: defaultdict[Space[Any, Any], dict[Any, None]] = defaultdict(dict)
        self._rows: defaultdict[Query, list[Sequence[Any]]] = defaultdict(list)
        self._undo: list[tuple[Any, ...]] = []

    def want(self, space: Space[K, Any], keys: Collection[K]) -> None:
        """Read these keys in one query, unless they are known."""
        known = self._values[space]
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        if unknown:
            self._read(space, known, unknown)

    def get(self, space: Space[K, V], key: K) -> V | None:
        """The value of the key as this unit sees it."""
        known = self._values[space]
        try:
            return known[key]  # type: ignore[no-any-return]
        except KeyError:
            self._read(space, known, [key])
            return known[key]  # type: ignore[no-any-return]

    def knows(self, space: Space[K, Any], key: K) -> bool:
        """Whether the key has been read, or given a value, in this unit."""
        return key in self._values[space]

    def put(self, space: Space[K, V], key: K, value: V) -> None:
        """Give the key a new value; it is written when the unit is."""
        known = self._values[space]
        dirty = self._dirty[space]
        self._undo.append((known, key, known.get(key, _ABSENT), dirty, key in dirty))
        known[key] = value
        dirty[key] = None

    def know(self, space: Space[K, V], key: K, value: V) -> None:
        """Take note of a value that the database has already, or that another row will bring."""
        known = self._values[space]
        self._undo.append((known, key, known.get(key, _ABSENT), None, False))
        known[key] = value

    def append(self, query: Query, row: Sequence[Any]) -> None:
        """Add a row; its values stand in the order of `query.parameters`."""
        rows = self._rows[query]
        rows.append(row)
        self._undo.append((rows,))

    def changed(self, space: Space[K, Any]) -> Collection[K]:
        """The keys that were given a new value here."""
        return self._dirty.get(space, {}).keys()

    def appended(self, query: Query) -> Sequence[Sequence[Any]]:
        """The rows that are added here by this query."""
        return self._rows.get(query, ())

    def savepoint(self) -> _Savepoint:
        """`with unit.savepoint():` undoes what the block changed in this unit when it raises; none of it is written by then."""
        return _Savepoint(self)

    def flush(self) -> None:
        """Write everything: the rows as they came, query by query, then the projections."""
        for query, rows in self._rows.items():
            if rows:
                self.session.run_many(query, rows)
        for space, keys in sorted(self._dirty.items(), key=_writes_shared_rows):
            if keys and space.save is not None and space.row is not None:
                known, row = self._values[space], space.row
                inorder = sorted(keys) if space.adds else keys
                self.session.run_many(space.save, [row(key, known[key]) for key in inorder])
                if space.adds:
                    known.clear()
        self._rows.clear()
        self._dirty.clear()
        self._undo.clear()

    def _read(self, space: Space[K, V], known: dict[K, Any], keys: list[K]) -> None:
        session = self.session
        if space.lane is not None:
            session.lock([space.lane(key) for key in keys])
        found = space.load(session, keys)
        if space.lane_of is not None and found and session.lock([space.lane_of(value) for value in found.values()]):
            found = space.load(session, keys)  # somebody may have changed them before the lanes were ours
        for key in keys:
            if key in found:
                known[key] = found[key]
            else:
                known[key] = space.missing(key) if space.missing else None

    def _undo_to(self, mark: int) -> None:
        while len(self._undo) > mark:
            step = self._undo.pop()
            if len(step) == 1:
                step[0].pop()
                continue
            known, key, before, dirty, was_dirty = step
            if before is _ABSENT:
                known.pop(key, None)
            else:
                known[key] = before
            if dirty is not None and not was_dirty:
                dirty.pop(key, None)


def _writes_shared_rows(dirty: tuple[Space[Any, Any], Any]) -> bool:
    """What every unit adds to comes last, and in one order: its rows are held for a moment, and nobody waits in a ring."""
    return dirty[0].adds
