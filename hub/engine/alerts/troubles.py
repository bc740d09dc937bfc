"""Troubles: what is the matter at this moment, read from the hub's own tables in a few small queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub import log
from hub.clock import from_text
from hub.engine.alerts.rows import queries
from hub.engine.events import queries as engine_queries
from hub.engine.gaps import missed_of_late
from hub.engine.spend.standing import differing_now
from hub.store import Query, Row, Session

Severity = Literal["warning", "problem"]
Key = tuple[str, str]

_NEWEST = 200
_NAMED = 3
_WHY_LONGEST = 90
_DRIFT_MOST = 10
"""So many members whom somebody else has changed at a platform are put right without a word."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of trouble. one, many: what it is called; over: what is said when it has ended. Both may name the {subject}.

    is_outbound: it keeps messages from going out through its own connection.
    """

    severity: Severity
    one: str
    over: str
    many: str = ""
    is_outbound: bool = False


KINDS: Mapping[str, Kind] = {
    "held_run": Kind("problem", "1 run is held", "no run is held any more", "{number} runs are held"),
    "held_call": Kind("problem", "1 call is held", "no call is held any more", "{number} calls are held"),
    "parked_lane": Kind("problem", "1 lane is parked", "no lane is parked any more", "{number} lanes are parked"),
    "unreadable": Kind(
        "warning",
        "1 delivery cannot be read",
        "no unreadable delivery is left",
        "{number} deliveries cannot be read",
    ),
    "timer": Kind("problem", "1 timer is set aside", "all timers work again", "{number} timers are set aside"),
    "incomplete": Kind("problem", "{subject} lacks settings", "{subject} has its settings", is_outbound=True),
    "out_of_use": Kind("problem", "{subject} cannot be used", "{subject} can be used again", is_outbound=True),
    "needs_reconnecting": Kind("problem", "{subject} needs reconnecting", "{subject} works again", is_outbound=True),
    "open": Kind("warning", "{subject} does not answer", "{subject} works again", is_outbound=True),
    "refused": Kind("problem", "{subject} did not take a message to you", "{subject} takes messages to you", is_outbound=True),
    "missed": Kind("warning", "{subject} did not tell everything", "{subject} tells everything again"),
    "drift": Kind(
        "warning",
        "{subject} showed 1 member a number that is not ours",
        "{subject} shows the right numbers again",
        "{subject} showed {number} members numbers that are not ours",
    ),
    "spend": Kind(
        "problem",
        "{subject} and the hub differ about 1 reward",
        "{subject} and the hub agree about rewards again",
        "{subject} and the hub differ about {number} rewards",
    ),
    "silent": Kind("warning", "{subject} is silent", "{subject} is heard again"),
}
"""What the owner is told of. The words of the kinds that belong to a connection begin with its name."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is the matter. subject: its connection, empty for what is counted over all. names: of the newest three."""

    kind: str
    subject: str = ""
    number: int = 1
    newest_at: datetime | None = None
    names: tuple[str, ...] = ()
    why: str = ""

    @property
    def key(self) -> Key:
        return self.kind, self.subject

    @property
    def text(self) -> str:
        """One line for people, without secrets."""
        kind = KINDS[self.kind]
        said = kind.many if self.number != 1 and kind.many else kind.one
        line = said.format(subject=self.subject, number=f"{self.number:,}")
        line += f" ({', '.join(self.names)})" if self.names else ""
        why = " ".join(log.redact(self.why).split())
        shown = why if len(why) <= _WHY_LONGEST else why[: _WHY_LONGEST - 1].rstrip() + "…"
        return f"{line}: {shown}" if shown else line


@dataclass(frozen=True, slots=True)
class Lookout:
    """What belongs to the workspace. stopped: by connection, the recipes that cannot run without it.

    incomplete: the connections that lack settings. out_of_use: those whose connector cannot be used, and why. mirroring: those
    whose fields show members' points.
    """

    connections: tuple[str, ...]
    incomplete: tuple[str, ...]
    stopped: Mapping[str, Sequence[str]]
    out_of_use: Mapping[str, str]
    mirroring: tuple[str, ...] = ()


_COUNTED: Mapping[str, tuple[Query, Query]] = {
    "held_run": (queries.count_runs_held, queries.runs_held),
    "held_call": (queries.count_calls_held, queries.calls_held),
    "parked_lane": (queries.count_lanes_parked, queries.lanes_parked),
    "unreadable": (queries.count_deliveries_unreadable, queries.deliveries_unreadable),
    "timer": (queries.count_timers_set_aside, queries.timers_set_aside),
}


def found(session: Session, lookout: Lookout) -> dict[Key, Trouble]:
    """All that is the matter now, but for silences, which time alone brings about."""
    several = (*_counted(session), *_of_connections(session, lookout), *_missed(session), *_spend(session))
    return {trouble.key: trouble for trouble in several}


def _counted(session: Session) -> Iterator[Trouble]:
    for kind, (count, newest) in _COUNTED.items():
        row = session.row(count)
        if row is not None and row["number"]:
            yield _counted_one(kind, int(row["number"]), session.rows(newest, most=_NEWEST))


def _counted_one(kind: str, number: int, newest: Sequence[Row]) -> Trouble:
    names = tuple(dict.fromkeys(row["name"] for row in newest))[:_NAMED]
    at = max((from_text(row["at"]) for row in newest), default=None)
    return Trouble(kind, number=number, newest_at=at, names=names, why=newest[0]["note"] if newest else "")


def _of_connections(session: Session, lookout: Lookout) -> Iterator[Trouble]:
    for name in lookout.incomplete:
        yield Trouble("incomplete", name, why=_stops(lookout, name))
    for name, why in lookout.out_of_use.items():
        yield Trouble("out_of_use", name, why=why)
    for row in session.rows(queries.messages_refused):
        yield Trouble("refused", row["connection"], newest_at=from_text(row["at"]), why=row["note"])
    if lookout.mirroring:
        for row in session.rows(queries.mirrors_drifted, connections=list(lookout.mirroring), most=_DRIFT_MOST):
            at, number = from_text(row["finished_at"]), int(row["differing"])
            yield Trouble("drift", row["connection"], number, at, why="they are put right; `hub mirror drift` lists them")
    for row in session.rows(engine_queries.health_of, connections=list(lookout.connections)):
        name, state, error = row["connection"], row["state"], row["last_error"]
        if state == "needs_reconnecting":
            yield Trouble(state, name, why="; ".join(filter(None, (_stops(lookout, name), error))))
        elif state == "open":
            yield Trouble(state, name, why=error)


def _missed(session: Session) -> Iterator[Trouble]:
    for name, missed in missed_of_late(session).items():
        facts = "1 fact" if missed.number == 1 else f"{missed.number:,} facts"
        why = f"{facts} of {', '.join(missed.kinds)} came by asking alone; look at its webhook there"
        yield Trouble("missed", name, newest_at=missed.found_at, why=why)


def _spend(session: Session) -> Iterator[Trouble]:
    for name, differing in differing_now(session).items():
        kept = f"{differing.points:,} points stay redeemed; " if differing.points else ""
        yield Trouble("spend", name, differing.number, differing.found_at, why=f"{kept}`hub spend` lists them")


def _stops(lookout: Lookout, connection: str) -> str:
    names = lookout.stopped.get(connection, ())
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"it stops {', '.join(names[:_NAMED])}{more}" if names else ""
