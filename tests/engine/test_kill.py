"""Kill: whatever is cut off at whatever moment, what was acknowledged is worked, exactly once, and the books hold.

HUB_KILLS sets how often the hub is killed (6 by default).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import requests

import hub
from tests.engine.platforms import KEY
from tests.engine.world import POINTS, World, recipe

KILLS = int(os.environ.get("HUB_KILLS", "6"))
POSTERS = 4
BUYERS = 7
KEYED = recipe(
    "keyed", 'when: sale\ndo:\n  - letters.send_keyed: {to: "{{ member.phone }}", text: "k {{ event.payment_id }}"}\n'
)
ONCE = recipe(
    "once",
    "when: sale\ndo:\n"
    '  - letters.send_once: {to: "{{ member.phone }}", text: "o {{ event.payment_id }}"}\n    on_failure: continue\n'
    "  - award: {points: 1}\n",
)


class Load:
    """Payments for the hub, each posted until it is acknowledged. stop_after: so many acknowledgements from now on."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.again: list[str] = []
        self._made = 0
        self._at = datetime.now(UTC).isoformat()
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            if self.again:
                return self.again.pop()
            self._made += 1
            return f"p{self._made}"

    def body(self, name: str) -> bytes:
        buyer = int(name[1:]) % BUYERS
        told = {"id": name, "amount": "10.00", "at": self._at}
        told["buyer"] = {"id": f"c{buyer}", "phone": f"+1415555010{buyer}", "sms": True}
        return json.dumps({"type": "payment", "data": told}).encode()

    def press(self, url: str, process: subprocess.Popen[str], kill_after: int) -> None:
        """Post from several threads until `kill_after` were acknowledged; then the hub is killed amid the others."""
        left = threading.Semaphore(kill_after)

        def post() -> None:
            with requests.Session() as session:
                while True:
                    name = self.next()
                    try:
                        accepted = session.post(f"{url}/hooks/till", self.body(name), headers=self._signed(name), timeout=20)
                    except requests.RequestException:
                        with self._lock:
                            self.again.append(name)
                        return
                    assert accepted.status_code == 200, accepted.text
                    with self._lock:
                        self.acknowledged.add(name)
                    if not left.acquire(blocking=False):
                        process.kill()

        posters = [threading.Thread(target=post) for _ in range(POSTERS)]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join(60)
            assert not poster.is_alive()

    def _signed(self, name: str) -> dict[str, str]:
        signature = hmac.digest(KEY.encode(), self.body(name), hashlib.sha256).hex()
        return {"X-Till-Signature": signature, "Content-Type": "application/json"}


@contextmanager
def _running(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    root = Path(hub.__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engine.killed", str(folder)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, "the hub did not start"
            yield url, process
        finally:
            process.kill()


def test_what_was_acknowledged_is_worked_exactly_once_however_often_the_hub_is_killed(tmp_path: Path) -> None:
    """Every payment earns once, every letter goes out under one key, and nothing is sent twice where nobody could look."""
    world = World(tmp_path / "w", POINTS, KEYED, ONCE)
    world.close()
    load, random = Load(), Random(KILLS)
    for _ in range(KILLS):
        with _running(world.folder) as (url, process):
            load.press(url, process, kill_after=random.randrange(1, 80))
    world.clock.move_to(datetime.now(UTC) + timedelta(hours=1))
    world.open()
    try:
        _prove(world, load)
    finally:
        world.close()


def _prove(world: World, load: Load) -> None:
    for name in load.again:
        world.post("till", load.body(name))
    world.later(hours=2)
    names = sorted(load.acknowledged | set(load.again))
    assert len(names) >= KILLS
    assert sorted(row["key"] for row in world.events("payment")) == names
    assert set(world.states()) == {"done"}
    assert Counter(run["state"] for run in world.runs()) == {"done": 3 * len(names)}
    assert world.one("SELECT value FROM cursor WHERE name = 'inbox'")["value"] == str(world.hub.inbox.last_seq())
    assert world.totals().issued == world.totals().outstanding == 11 * len(names)
    assert world.postings("award") == 2 * len(names)
    world.prove()
    lines = (world.folder / "letters.jsonl").read_text().splitlines()
    sent = [json.loads(line) for line in lines]
    keys = {(one["text"], one["key"]) for one in sent if one["text"].startswith("k ")}
    keys |= {(asked.body["text"], asked.key) for asked in world.platform.asked if asked.key}
    assert sorted(text for text, _ in keys) == sorted(f"k {name}" for name in names)
    once = Counter(one["text"] for one in sent if one["text"].startswith("o "))
    once.update(text for _, text in world.platform.sent if text.startswith("o "))
    assert set(once.values()) == {1}
    unsure = [json.loads(call["input"])["text"] for call in world.calls("send_once") if call["state"] == "held"]
    assert sorted({*once, *unsure}) == sorted(f"o {name}" for name in names)
