"""Traces: why recipes did nothing about an event, kept so compactly that it costs next to nothing.

A reason is the same for all events but for the values that it tells: `member.balance >= 100 (was …)`. It is kept once for a
version of a recipe; a trace keeps the ids of its reasons, and each value once, however many recipes looked at it:

    [[{"member.balance": "18", "member.tags": "[]"}, "ju9mYd_8Wy2GM0tkzhPw…"], ["once-a-year", "1f3a", "a reason in full"]]

Traces that were kept before are lists of reasons in full.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from hub.engine.events import queries
from hub.recipes.expression.parts import Because, filled
from hub.recipes.model import Plan
from hub.recipes.values import Scope, shown
from hub.store import Row, Session, Space, Unit, as_json

_HASH_BYTES = 9
_ID_CHARACTERS = 12


class Reason(NamedTuple):
    """Why a version of a recipe did nothing, but for the values. around: text and the name of a value, by turns."""

    recipe: str
    version: str
    around: str

    @property
    def id(self) -> str:
        """The same for the same reason, in every process: nobody has to ask for a number."""
        return urlsafe_b64encode(blake2b(as_json(self).encode(), digest_size=_HASH_BYTES).digest()).decode()


class Reasons:
    """The reasons of one process: their ids, and which of them the database is known to have."""

    def __init__(self) -> None:
        self._ids: dict[Because, str] = {}
        """By the reason itself, which is one version's of one recipe: each has compiled its condition for itself."""
        self._kept: set[str] = set()

    def id_of(self, unit: Unit, plan: Plan, because: Because) -> str:
        """The id of a reason, which is kept with this unit if it was not before."""
        id_ = self._ids.get(because)
        if id_ is None:
            id_ = self._ids[because] = _reason(plan, because).id
        if id_ not in self._kept:
            self._bring(unit, id_, plan, because)
        return id_

    def _bring(self, unit: Unit, id_: str, plan: Plan, because: Because) -> None:
        is_new_here = not unit.knows(REASONS, id_)
        if unit.get(REASONS, id_) is None:
            unit.put(REASONS, id_, _reason(plan, because))
        elif is_new_here:
            self._kept.add(id_)  # an earlier transaction has brought it to the database


class Trace:
    """Why recipes did nothing about one event, as it comes together."""

    def __init__(self, unit: Unit, reasons: Reasons) -> None:
        self._unit = unit
        self._reasons = reasons
        self._told: list[tuple[dict[str, str], list[str]] | tuple[str, str, str]] = []
        self._values: dict[str, str] = {}
        self._seen: set[str] = set()
        self._scope: Scope | None = None
        self._ids: list[str] | None = None

    def add(self, plan: Plan, because: Because, scope: Scope) -> None:
        """The recipe does nothing, because of this."""
        if self._ids is None or not self._sees(because, scope):
            self._values, self._seen, self._ids = {}, set(), []
            self._told.append((self._values, self._ids))
            self._sees(because, scope)
        self._ids.append(self._reasons.id_of(self._unit, plan, because))

    def add_in_full(self, plan: Plan, why: str) -> None:
        """The recipe does nothing, for a reason that no other event will have."""
        self._told.append((plan.recipe.name, plan.recipe.version, why))
        self._ids = None

    def keep(self, event_id: str) -> None:
        """Write it with the unit, if there is anything to tell."""
        if self._told:
            told = [one if len(one) == 3 else (one[0], "".join(one[1])) for one in self._told]
            self._unit.append(queries.add_trace, (event_id, as_json(told)))

    def _sees(self, because: Because, scope: Scope) -> bool:
        """Note the values; False when one is not what it was, since a recipe that acted in between changed it.

        Whoever acts leaves another scope behind; in one and the same, nothing is looked at twice.
        """
        if scope is not self._scope:
            self._scope, self._seen = scope, set()
        for name, run in because.values:
            if name not in self._seen:
                text = shown(run(scope))
                if self._values.setdefault(name, text) != text:
                    return False
                self._seen.add(name)
        return True


def of(session: Session, event_id: str) -> list[tuple[str, str, str]]:
    """The recipes that did nothing about an event, in their order: (recipe, version, why)."""
    row = session.row(queries.trace, event_id=event_id)
    groups = json.loads(row["why"]) if row is not None else []
    compact = [group for group in groups if isinstance(group[0], dict)]
    known = _load(session, {id_ for _, ids in compact for id_ in _parted(ids)}) if compact else {}
    told: list[tuple[str, str, str]] = []
    for group in groups:
        if isinstance(group[0], dict):
            told += [_told(known[id_], group[0]) for id_ in _parted(group[1])]
        else:
            told.append((group[0], group[1], group[2]))
    return told


def _parted(ids: str) -> list[str]:
    return [ids[start : start + _ID_CHARACTERS] for start in range(0, len(ids), _ID_CHARACTERS)]


def _told(reason: Reason, values: Mapping[str, str]) -> tuple[str, str, str]:
    parts = json.loads(reason.around)
    return reason.recipe, reason.version, filled(parts[::2], [values[name] for name in parts[1::2]])


def _reason(plan: Plan, because: Because) -> Reason:
    parts = [because.around[0]]
    for (name, _), text in zip(because.values, because.around[1:], strict=True):
        parts += [name, text]
    return Reason(plan.recipe.name, plan.recipe.version, as_json(parts))


def _load(session: Session, ids: Collection[str]) -> dict[str, Reason]:
    return {row["id"]: _from_row(row) for row in session.rows(queries.reasons, ids=list(ids))}


def _from_row(row: Row) -> Reason:
    return Reason(row["recipe"], row["version"], row["around"])


def _row(id_: str, reason: Reason) -> tuple[Any, ...]:
    return (id_, *reason)


REASONS: Space[str, Reason] = Space("reason", _load, save=queries.add_reason, row=_row)
