"""Kill: whatever is cut off at whatever moment, what was acknowledged is worked, exactly once, and the books hold.

HUB_KILLS sets how often the hub is killed on each engine (6 by default); `python -m tests.engine.kill` is the long form.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ENGINES, Server
from tests.engine.kill.processes import ROOT
from tests.engine.kill.rounds import Plan, open_rounds

KILLS = int(os.environ.get("HUB_KILLS", "6"))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_acknowledged_is_worked_exactly_once_however_often_the_hub_is_killed(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Nothing is lost, earned twice or left undone; no message goes out twice where one can know; the books are verified."""
    server: Server | None = request.getfixturevalue("postgres_server") if engine == "postgresql" else None
    database = server.bare().url if server is not None else "sqlite:///data"
    with open_rounds(tmp_path / "w", Plan(KILLS, KILLS, database, deployed=1)) as rounds:
        report = rounds.run()
    assert report.kills >= KILLS
    assert report.proofs


def test_the_long_form_tells_its_figures_as_a_line_and_as_json(tmp_path: Path) -> None:
    """So that whoever kills the hub a thousand times can write down what came of it, and do the same again."""
    figures = tmp_path / "figures.json"
    words = ["--kills", "2", "--engine", "sqlite", "--deployed", "0", "--seed", "7", "--json", str(figures)]
    told = subprocess.run(
        [sys.executable, "-m", "tests.engine.kill", *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert told.stdout.startswith("sqlite: seed 7\nsqlite: ")
    assert "none lost, none doubled" in told.stdout
    [report] = json.loads(figures.read_text("utf-8"))
    assert (report["engine"], report["seed"], report["proofs"]) == ("sqlite", 7, 1)
    assert sum(report["by"].values()) == sum(report["at"].values()) == report["kills"] >= 2
