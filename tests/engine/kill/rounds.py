"""Rounds: kill the hub's processes again and again under load, let it come to rest, and prove that nothing is amiss."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

from hub import bootstrap, config
from hub.engine.calls import UNCERTAIN
from hub.ledger import totals, verify
from hub.programme.actions import connector as built_in
from hub.store import Query
from tests.engine.kill import load as loads
from tests.engine.kill.doom import WEB_POINTS, WORKER_POINTS
from tests.engine.kill.load import BUYERS, Load
from tests.engine.kill.post import connector as post
from tests.engine.kill.post import install
from tests.engine.kill.processes import Nursery, Process, SharedClock
from tests.engine.kill.vendor import Vendor, vendor_server
from tests.engine.platforms import KEY, till
from tests.engine.world import PROGRAMME

LIVES = {"web": (0.05, 1.8), "worker": (0.05, 1.2)}
"""For how many seconds a process lives that dies at any moment; at the longest, when it does not come to its point."""
_POSTERS = 4
_PAUSE_SECONDS = 0.03
_HOPS = 40


@dataclass(frozen=True)
class Plan:
    """How the hub is killed. deployed: how many of the kills meet processes that were started as anybody starts them."""

    kills: int
    seed: int
    database: str = "sqlite:///data"
    workers: int = 1
    deployed: int = 0
    prove_every: int = 200


@dataclass
class Report:
    """What was done, and what came of it."""

    engine: str
    seed: int
    workers: int
    kills: int = 0
    by: Counter[str] = field(default_factory=Counter)
    at: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    told_again: int = 0
    not_acknowledged: int = 0
    commands: int = 0
    events: int = 0
    calls: int = 0
    keys_that_came_again: int = 0
    looked_up: int = 0
    pulled: int = 0
    answers_lost: int = 0
    held_as_may_have_been_sent: int = 0
    transactions: int = 0
    proofs: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        """All of it in a sentence."""
        return (
            f"{self.engine}: {self.kills} kills in {self.seconds:.0f} s (seed {self.seed}, workers {self.workers}): "
            f"{self.acknowledged} acknowledged, none lost, none doubled, {self.calls} calls, "
            f"{self.held_as_may_have_been_sent} held as may have been sent, books verified {self.proofs} times"
        )

    def json(self) -> str:
        return json.dumps(vars(self))


class Rounds:
    """One workspace that is killed. Use `open_rounds`."""

    def __init__(self, folder: Path, plan: Plan, vendor: Vendor, nursery: Nursery, port: int) -> None:
        self.plan = plan
        self.folder = folder
        self.vendor = vendor
        self.report = Report("postgresql" if plan.database.startswith("postgres") else "sqlite", plan.seed, plan.workers)
        self._nursery = nursery
        self._port = port
        self._clock_file = folder / "clock"
        self._clock = SharedClock(self._clock_file)
        self._lock = threading.Lock()
        self._fault: BaseException | None = None
        self._hub = bootstrap.open_hub(
            config.load(folder, {}),
            clock=self._clock,
            connectors={one.name: one for one in (built_in, till, post)},
        )
        self._load = Load(Random(f"{plan.seed}/load"), vendor, self._adjust)

    def run(self) -> Report:
        """Kill as planned; AssertionError when anything is amiss."""
        began = time.monotonic()
        self._load.greet()
        self._come_to_rest()
        for number in range(self.plan.deployed):
            self._under_load(lambda number=number: self._kill_deployed(Random(f"{self.plan.seed}/deployed/{number}")))
        if self.plan.deployed:
            self._come_to_rest()
        while self.report.kills < self.plan.kills:
            until = min(self.plan.kills, self.report.kills + self.plan.prove_every)
            self._under_load(lambda until=until: self._kill_until(until))
            self._come_to_rest()
            self._prove()
        if not self.report.proofs:
            self._prove()
        self.report.seconds = round(time.monotonic() - began, 1)
        return self.report

    def close(self) -> None:
        self._hub.close()

    # Killing ----------------------------------------------------------------------------------------------------------------

    def _under_load(self, kill: Any) -> None:
        stop = threading.Event()
        posters = [
            threading.Thread(target=self._guarded, args=(self._load.post, self._port, stop, _PAUSE_SECONDS))
            for _ in range(_POSTERS)
        ]
        for poster in posters:
            poster.start()
        try:
            kill()
        finally:
            stop.set()
            for poster in posters:
                poster.join()
        if self._fault is not None:
            raise self._fault

    def _kill_until(self, kills: int) -> None:
        places = [("web", 0), *(("worker", number) for number in range(self.plan.workers))]
        slots = [threading.Thread(target=self._guarded, args=(self._kill_in, *place, kills)) for place in places]
        for slot in slots:
            slot.start()
        for slot in slots:
            slot.join()

    def _kill_in(self, role: str, number: int, kills: int) -> None:
        """Start a process, see it die, start the next."""
        random = Random(f"{self.plan.seed}/{role}/{number}/{self.report.kills}")
        while self.report.kills < kills and self._fault is None:
            doom = None
            if random.random() < 0.6:
                doom = (random.choice(WEB_POINTS if role == "web" else WORKER_POINTS), 1 + int(random.expovariate(0.3)))
            process = self._fork(role, doom)
            seconds = random.uniform(*LIVES[role])
            if role == "web" and random.random() < 0.8:  # the others may die before they answer anybody
                self._wait_for_web(process)
            leader = role == "web" and random.random() < 0.3
            if not process.ended(seconds if doom is None else LIVES[role][1]):
                process.kill(leader=leader)
            said = process.end()
            assert "exit" not in said, f"the {role} was not killed, it ended by itself: {said}"
            self._count(role, said.removeprefix("struck ").strip() or "any moment")

    def _kill_deployed(self, random: Random) -> None:
        """Kill what `hub run` started, or on PostgreSQL `hub web` and `hub worker`, at a random moment after it answers."""
        listen = ["--host", "127.0.0.1", "--port", str(self._port)]
        commands = [["run", *listen]]
        if self.report.engine == "postgresql":
            commands = [["web", *listen], *([["worker"]] * self.plan.workers)]
        processes = [self._nursery.start([*words, "-w", str(self.folder)]) for words in commands]
        self._wait_for_web(processes[0])
        threading.Event().wait(random.uniform(0, 1.0))
        for process, words in zip(processes, commands, strict=True):
            assert not process.said
            process.kill(leader=random.random() < 0.5)
            self._count(f"hub {words[0]}", "any moment")
        for process in processes:
            process.end()

    def _count(self, role: str, point: str) -> None:
        with self._lock:
            self.report.kills += 1
            self.report.by[role] += 1
            self.report.at[point] += 1
        self._clock.move_on(15)

    def _fork(self, role: str, doom: tuple[str, int] | None = None) -> Process:
        listen = ["--host", "127.0.0.1", "--port", str(self._port)] if role == "web" else []
        return self._nursery.fork([role, *listen, "-w", str(self.folder)], clock=self._clock_file, doom=doom)

    def _wait_for_web(self, process: Process) -> None:
        """Until the web process answers, or has ended."""
        until = time.monotonic() + 60
        while not process.ended(0.02):
            line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            with suppress(OSError, http.client.HTTPException), closing(line):
                line.request("GET", "/healthz")
                if line.getresponse().status == HTTPStatus.OK:
                    return
            assert time.monotonic() < until, "the web process does not answer"

    def _guarded(self, work: Any, *given: Any) -> None:
        try:
            work(*given)
        except BaseException as fault:  # noqa: BLE001 - it is raised again where the threads were started
            self._fault = self._fault or fault

    # Coming to rest ---------------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """Tell what is owed, and let time pass until nothing is left to do."""
        web = self._fork("web")
        self._wait_for_web(web)
        self._load.settle(self._port)
        web.kill()
        assert not web.end()
        for hop in range(_HOPS):
            worker = self._nursery.fork(["worker", "--drain", "-w", str(self.folder)], clock=self._clock_file)
            said = worker.end()
            assert said in {"exit 0\n", "exit None\n"}, f"`hub worker --drain` said {said!r}"
            if not self._left():
                return
            self._clock.move_on(60 * min(2**hop, 480))
        raise AssertionError(f"this is never worked: {self._left()[:5]}")

    def _left(self) -> list[dict[str, Any]]:
        """What waits for a time, a call or a turn."""
        return (
            self._rows("SELECT id, state, note FROM call WHERE state IN (0, 1)")
            + self._rows("SELECT id, state, note FROM run WHERE state IN (0, 1)")
            + self._rows("SELECT id, state, note FROM event WHERE state = 0")
        )

    # Proving ----------------------------------------------------------------------------------------------------------------

    def _prove(self) -> None:
        self._prove_events()
        self._prove_runs()
        self._prove_letters()
        self._prove_points()
        self.report.proofs += 1
        self._tally()

    def _prove_events(self) -> None:
        told = self._load
        found = self._rows("SELECT kind, key, state, note FROM event WHERE kind IN ('payment', 'refund', 'visit') ORDER BY key")
        _same(
            "the events",
            Counter(row["key"] for row in found),
            Counter(key for key, one in told.acknowledged.items() if one.kind != "changed"),
        )
        _same("the events that are not done", [row for row in found if row["state"] != 1], [])
        assert not self._rows("SELECT delivery_id, note FROM receipt WHERE state = 'unreadable'")
        answers = {row["command_id"]: row for row in self._rows("SELECT command_id, ok, result FROM answer")}
        _same("the answers to commands", {*answers}, {*told.commands})
        _same("the commands that were refused", [answer for answer in answers.values() if not answer["ok"]], [])

    def _prove_runs(self) -> None:
        runs = Counter((row["recipe"], row["state"]) for row in self._rows("SELECT recipe, state FROM run"))
        expected = {"points": len(self._load.sales), "visits": len(self._load.visits)}
        names = {"keyed": loads.KEYED, "checked": loads.CHECKED, "once": loads.ONCE, "safe": loads.SAFE, "later": loads.LATER}
        expected |= {name: len(self._load.texts(dollars)) for name, dollars in names.items()}
        _same("the runs", runs, Counter({(name, 2): number for name, number in expected.items() if number}))

    def _prove_letters(self) -> None:
        sent, load = self.vendor.letters, self._load
        for dollars in (loads.KEYED, loads.CHECKED):
            texts = load.texts(dollars)
            _same("how often a letter was sent", {text: sent[text] for text in texts}, dict.fromkeys(texts, 1))
        _same("the marks that were set", {*self.vendor.marks}, {*load.texts(loads.SAFE)})
        held = self._rows("SELECT name, input, note FROM call WHERE state = 3")
        sure = [call for call in held if call["name"] != "send_once" or not call["note"].startswith(UNCERTAIN)]
        _same("the calls that are held though nothing is in doubt", sure, [])
        unsure = {json.loads(call["input"])["text"] for call in held}
        for text in load.texts(loads.ONCE):
            assert sent[text] == 1 or (text in unsure and sent[text] == 0), f"{text} was sent {sent[text]} times"
        self.report.held_as_may_have_been_sent = len(held)

    def _prove_points(self) -> None:
        expected = self._load.points()
        with self._hub.store.read() as session:
            found = verify(session)
            assert found.ok, found
            batch = self._hub.begin(session)
            balances = {buyer: batch.book.balance(self._member(buyer)).spendable for buyer in range(BUYERS)}
            assert totals(session).outstanding == expected.total()
        _same("the balances", balances, dict(expected))
        _same(
            "what cards show",
            self.vendor.cards,
            {loads.phone(one): {"points": str(points)} for one, points in balances.items()},
        )

    def _tally(self) -> None:
        told, vendor = self._load, self.vendor
        self.report.acknowledged = len(told.acknowledged) + len(told.commands)
        self.report.told_again, self.report.not_acknowledged = told.repeated, told.refused
        self.report.commands = len(told.commands)
        self.report.calls, self.report.answers_lost = vendor.calls, vendor.cut
        self.report.keys_that_came_again, self.report.looked_up = vendor.again, vendor.looks
        self.report.pulled = vendor.pulls
        [counted] = self._rows("SELECT (SELECT COUNT(*) FROM event) AS events, (SELECT COUNT(*) FROM txn) AS txns")
        self.report.events, self.report.transactions = counted["events"], counted["txns"]

    # What the load asks for -------------------------------------------------------------------------------------------------

    def _adjust(self, buyer: int) -> str:
        asked = {"member": self._member(buyer), "points": loads.ADJUSTED, "reason": "by hand"}
        return self._hub.inbox.command("adjust", asked)

    def _member(self, buyer: int) -> str:
        [row] = self._rows("SELECT member_id FROM identity WHERE identity = :identity", identity=f"id:till:c{buyer}")
        return str(row["member_id"])

    def _rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self._hub.store.read() as session:
            return [dict(row) for row in session.rows(Query("test", "", sql, tuple(values)), **values)]


def _same(what: str, found: Any, expected: Any) -> None:
    """AssertionError, with what is in one and not in the other, unless both are the same."""
    if found != expected:
        apart = [{*map(str, one)} if isinstance(one, list | set) else {*map(str, one.items())} for one in (found, expected)]
        more, less = (sorted(one - other)[:5] for one, other in (apart, apart[::-1]))
        raise AssertionError(f"{what}: found {more}, not {less}")


@contextmanager
def open_rounds(folder: Path, plan: Plan) -> Iterator[Rounds]:
    """A workspace in `folder`, the vendor and the process that forks the others."""
    vendor = Vendor(Random(f"{plan.seed}/vendor"))
    vendor.cards |= {loads.phone(buyer): {} for buyer in range(BUYERS)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with vendor_server(vendor):
        _write(folder, plan.database, vendor.url, loads.RECIPES)
        environment = {"PYTHONPATH": str(install(folder / "packages")), "DATABASE_URL": ""}
        nursery = Nursery(environment, folder / "log")
        try:
            rounds = Rounds(folder, plan, vendor, nursery, port)
            try:
                yield rounds
            finally:
                rounds.close()
        finally:
            nursery.close()


def _write(folder: Path, database: str, vendor: str, recipes: Sequence[str]) -> None:
    (folder / "recipes").mkdir(parents=True)
    played = f"key: {KEY}, base_url: '{vendor}', allow_private: true"
    connections = f"connections:\n  till: {{{played}}}\n  post: {{{played}, mirror: {{balance: points}}}}\n"
    address = "public_url: https://points.example.com\n"
    (folder / "hub.yaml").write_text(f"{PROGRAMME}{address}{connections}database: '{database}'\n", "utf-8")
    for text in recipes:
        name = text.partition("recipe: ")[2].partition("\n")[0]
        (folder / "recipes" / f"{name}.yaml").write_text(text, "utf-8")
