"""Bootstrap: one Hub, wired in one place: settings -> connections, programme, catalogue, recipes, stores, worker, door."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Any

import requests

from hub import log, plugins
from hub.clock import Clock, SystemClock, monotonic
from hub.config import Settings
from hub.engine import controls, cron, last_delivery  # noqa: F401 - they add their actions to the built-in connector
from hub.engine.alerts.commands import AlertCommands
from hub.engine.alerts.owner import read as read_owner
from hub.engine.alerts.telling import Alerts
from hub.engine.alerts.troubles import Lookout
from hub.engine.batch import Batch
from hub.engine.catalogue import Catalogue
from hub.engine.commands import Commands
from hub.engine.connecting import open_connections
from hub.engine.door import Door
from hub.engine.events import queries
from hub.engine.health import Pace
from hub.engine.inbox import Inbox
from hub.engine.mirrors.mirrors import Mirrors
from hub.engine.outbox import Outbox
from hub.engine.performer import Performer
from hub.engine.plans import Plans
from hub.engine.readings import checks, snapshot
from hub.engine.retention import Limits, Retention
from hub.engine.schedule import Schedule
from hub.engine.secret_commands import SecretCommands
from hub.engine.spend.spending import Spending
from hub.engine.subscriptions import Subscriptions
from hub.engine.transactions import Transactions
from hub.engine.vitals import Check, Snapshot
from hub.engine.worker import Worker
from hub.errors import HubError
from hub.ids import Ids
from hub.plugins import Broken
from hub.programme.actions import connector
from hub.programme.settings import Programme
from hub.recipes.check import Stopped, load_folder
from hub.recipes.model import Plan
from hub.sdk import Connection, Connector
from hub.sdk.network import open_session
from hub.store import Session, Store
from hub.store import database as databases
from hub.store.database import Database
from hub.store.leases import Leases
from hub.store.wake import Bell, ThreadBell, Waker
from hub.vault import KeptTokens, Vault, complete, open_vault, place_of

_LOG = log.get(__name__)
# A batch makes many values and hardly a cycle: looking through them after every 700 was a tenth of the worker's time.
_VALUES_BETWEEN_COLLECTIONS = 50_000
OpenSession = Callable[[Connection], requests.Session]


@dataclass(slots=True)
class Hub:
    """A workspace at work. Everything that has to be closed is closed by `close`."""

    settings: Settings
    clock: Clock
    ids: Ids
    random: Random
    programme: Programme
    connectors: Mapping[str, Connector]
    connections: Mapping[str, Connection]
    unusable: frozenset[str]
    catalogue: Catalogue
    plans: Plans
    store: Store
    inbox: Inbox
    inbox_store: Store
    database: Database
    waker: Waker
    vault: Vault
    leases: Leases
    open_session: OpenSession
    limits: Limits
    alerts: Alerts | None = None
    _worker: Worker | None = None
    _bell: Bell | None = None

    @property
    def door(self) -> Door:
        """Where platforms deliver."""
        return Door(self.inbox, self.connections, self.clock, self.settings.public_url, unusable=self.unusable)

    def worker(self, bell: Bell | None = None) -> Worker:
        """The one worker of this process. HubError when another process works this database, and only one may."""
        if self._worker is None:
            if not self.database.places.join():
                raise HubError(f"another worker serves {self.database.shown}; one is enough, and only one may write to it")
            self._bell = bell or self.database.bell()
            self._worker = self._make_worker(self._bell)
            gc.set_threshold(_VALUES_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
        return self._worker

    def do(self, kind: str, payload: Mapping[str, Any], *, wait_seconds: float = 10.0) -> dict[str, Any]:
        """Ask the worker for something and wait for its answer; when nobody works this database, do it here.

        HubError when the answer is no, or does not come in time.
        """
        command = self.inbox.command(kind, payload)
        until = monotonic() + wait_seconds
        pause = threading.Event()
        while (answer := self._answer(command)) is None:
            self.settle()
            if monotonic() > until:
                raise HubError(f"the worker has not answered within {wait_seconds:g} seconds; `{command}` stays in the inbox")
            pause.wait(0.02)
        result: dict[str, Any] = json.loads(answer["result"])
        if not answer["ok"]:
            raise HubError(str(result.get("error")))
        return result

    def ask_to_keep(self, connection: str, told: Mapping[str, str]) -> None:
        """Have settings of a connection kept, encrypted. For any thread; who runs takes them up when it is started again."""
        for name, value in told.items():
            log.redact.add(value)
            with self.store.read() as session:
                sealed = self.vault.seal(session, place_of(connection, name), value)
            command = {"connection": connection, "name": name, "key_id": sealed.key_id, "sealed": sealed.text}
            self.inbox.command("keep_secret", {**command, "by": "the platform"})
        _LOG.warning("a platform told settings; start the hub again to use them", connection=connection, names=", ".join(told))

    def settle(self) -> bool:
        """Work what waits, here, unless another process does; True when it was done here."""
        if self._worker is None and not self.database.places.join_if_idle():
            return False
        self.worker(ThreadBell() if self._worker is None else None).drain()
        return True

    def checks(self) -> list[Check]:
        """What was found of the store, the worker and the inbox."""
        return [*checks(self.store, self.inbox_store, self.clock), self.inbox.check()]

    def snapshot(self) -> Snapshot:
        """The numbers of the databases."""
        return snapshot(self.store, self.inbox, (self.store, self.inbox_store), self.clock)

    def begin(self, session: Session) -> Batch:
        """A batch at the clock's time."""
        return Batch.begin(
            session,
            now=self.clock.now(),
            ids=self.ids,
            random=self.random,
            programme=self.programme,
            catalogue=self.catalogue,
            plans=self.plans,
        )

    def close(self) -> None:
        """Finish what was begun and give everything back."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        if self._bell is not None:
            self._bell.close()
        self.leases.close()
        self.inbox.close()
        self.waker.close()
        self.inbox_store.close()
        self.store.close()
        self.database.places.leave()

    def _answer(self, command: str) -> Mapping[str, Any] | None:
        with self.store.read() as session:
            return session.row(queries.answer, command_id=command)

    def _make_worker(self, bell: Bell) -> Worker:
        tokens = KeptTokens(self.store, self.vault, self.leases, self.clock)
        mirrors, subscriptions = Mirrors(self.connections, self.programme), Subscriptions(self.connections, self.programme.zone)
        performer = Performer(
            self.connections,
            self.open_session,
            monotonic,
            self.clock,
            tokens=tokens,
            keep=self.ask_to_keep,
            mirrored=mirrors.outgoing.mirrored,
        )
        retention = Retention(self.limits, self.inbox, self.programme.zone)
        pace, keep, ring = Pace(monotonic), self.inbox.keep_many, self.waker.ring
        outbox = Outbox(self.connections, performer, pace, ring, keep=keep, mirrors=mirrors.outgoing)
        spending = Spending(self.connections, self.programme)
        others = (SecretCommands(self.vault), AlertCommands(self.alerts), subscriptions, mirrors.commands, spending.commands)
        by_name = {name: command for one in others for name, command in one.by_name.items()}
        alerts = [self.alerts.timer] if self.alerts is not None else []
        more = [*subscriptions.timers, retention.timer, *mirrors.timers, *spending.timers, *alerts]
        hears = self.settings.is_public
        schedule = Schedule(self.plans, self.catalogue, self.programme, self.connections, hears_webhooks=hears, more=more)
        return Worker(
            name=self.ids.new("wrk"),
            store=self.store,
            clock=self.clock,
            transactions=Transactions(self.store, self.begin, self.random, mirrors.note),
            places=self.database.places,
            plans=self.plans,
            inbox=self.inbox,
            commands=Commands(self.inbox, self.connections, by_name),
            connections=self.connections,
            outbox=outbox,
            schedule=schedule,
            bell=bell,
            ring=self.waker.ring,
        )


def _say_stopped(path: str, why: str) -> None:
    _LOG.warning("a recipe stops for want of a connector", recipe=path, reason=why)


def open_hub(
    settings: Settings,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    open_http: OpenSession | None = None,
    connectors: Mapping[str, Connector] | None = None,
) -> Hub:
    """Open the workspace. ConfigError when its files cannot be used; nothing has been changed then."""
    clock = clock or SystemClock(settings.clock_offset)
    broken: list[Broken] = []
    known = connectors or shelf(broken.append)
    for one in broken:
        plugins.say_broken(one)
    programme = Programme.from_node(settings.programme_node)
    limits = Limits.from_node(settings.retention_node)
    settings = complete(settings, known)
    out_of_use = find_out_of_use(settings, known, broken)
    declared = open_connections(settings, known, out_of_use)
    unusable = frozenset(one.name for one in settings.connections if one.missing or one.name in out_of_use)
    catalogue = Catalogue(known, declared, programme, out_of_use)
    loaded = load_plans(settings, catalogue)
    alerts = open_alerts(settings, catalogue, loaded, programme, out_of_use)
    plans = Plans(_able(loaded, catalogue, unusable), catalogue)
    database = open_database(settings)
    store, inbox_store = database.open("hub"), database.open("inbox")
    ids = Ids(clock, random)
    waker = database.waker()
    return Hub(
        settings=settings,
        clock=clock,
        ids=ids,
        random=random or SystemRandom(),
        programme=programme,
        connectors=known,
        connections={name: one for name, one in declared.items() if name not in unusable},
        unusable=unusable,
        catalogue=catalogue,
        plans=plans,
        store=store,
        inbox=Inbox(inbox_store, clock, ids, waker.ring),
        inbox_store=inbox_store,
        database=database,
        waker=waker,
        vault=open_vault(settings),
        leases=database.leases(),
        alerts=alerts,
        open_session=open_http or (lambda connection: open_session(allow_private=connection.allow_private)),
        limits=limits,
    )


def discover(on_broken: Callable[[Broken], None] = plugins.say_broken) -> dict[str, Connector]:
    """Every connector that is installed, and the built-in one. on_broken: told of packages that cannot be used."""
    return plugins.discover(extra=[connector], on_broken=on_broken)


def shelf(on_broken: Callable[[Broken], None] = plugins.say_broken) -> Mapping[str, Connector]:
    """The same, each imported when its name is asked for."""
    return plugins.Shelf(extra=[connector], on_broken=on_broken)


def find_out_of_use(settings: Settings, connectors: Mapping[str, Connector], broken: Iterable[Broken]) -> dict[str, str]:
    """By name, the connectors and connections that cannot be used because their package cannot, and why."""
    found = {one.name: str(one) for one in broken if one.name not in connectors}
    return {**found, **{one.name: found[one.connector] for one in settings.connections if one.connector in found}}


def open_database(settings: Settings) -> Database:
    """Where the workspace keeps everything; nothing is opened or made yet."""
    return databases.at(settings.database, settings.data_folder)


def load_plans(settings: Settings, catalogue: Catalogue, on_stopped: Stopped = _say_stopped) -> list[Plan]:
    """The checked recipes of a workspace. ConfigError with all that was found.

    on_stopped: told of each recipe that needs a connector which is out of use, and why.
    """
    return load_folder(settings.recipes_folder, catalogue, on_stopped=on_stopped) if settings.recipes_folder.is_dir() else []


def open_alerts(
    settings: Settings, catalogue: Catalogue, plans: Sequence[Plan], programme: Programme, out_of_use: Mapping[str, str]
) -> Alerts | None:
    """What tells the owner; None when hub.yaml names none. ConfigError when they cannot be reached."""
    if settings.owner_node is None:
        return None
    connections = catalogue.connections
    broken = {one.name: out_of_use[one.name] for one in settings.connections if one.name in out_of_use}
    owner, ways = read_owner(settings.owner_node, connections, programme.region, broken)
    stopped = {name: [plan.recipe.name for plan in plans if name in catalogue.connections_of(plan)] for name in connections}
    incomplete = tuple(one.name for one in settings.connections if one.missing)
    working = tuple(name for name in connections if name not in incomplete)
    mirroring = tuple(name for name, one in connections.items() if one.mirror)
    return Alerts(owner, ways, Lookout(working, incomplete, stopped, broken, mirroring), programme)


def _able(plans: Sequence[Plan], catalogue: Catalogue, unusable: Collection[str]) -> list[Plan]:
    """The recipes that can run; one that needs a connection which lacks something stops, and the log says so."""
    able = []
    for plan in plans:
        lacking = sorted(catalogue.connections_of(plan) & set(unusable))
        if lacking:
            _LOG.warning("a recipe stops for want of a connection", recipe=plan.recipe.name, connection=", ".join(lacking))
        else:
            able.append(plan)
    return able
