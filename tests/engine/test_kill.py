"""Kill: whatever is cut off at whatever moment, what was acknowledged is worked, exactly once, and the books hold.

HUB_KILLS sets how often the hub is killed on each engine (6 by default); `python -m tests.engine.kill` is the long form.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.databases import ENGINES, Server
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
