"""Main: `python -m tests.engine.kill --kills 1000`: the long form of test_kill.py, with its figures as a line and as JSON."""

from __future__ import annotations

import argparse
import secrets
import tempfile
from pathlib import Path

from tests.databases import ENGINES, server
from tests.engine.kill.rounds import Plan, Report, open_rounds


def run(engine: str, kills: int, seed: int, workers: int, deployed: int) -> Report:
    """So many kills on an engine."""
    with tempfile.TemporaryDirectory(prefix="hub-kill-", ignore_cleanup_errors=True) as folder:
        if engine == "sqlite":
            with open_rounds(Path(folder) / "w", Plan(kills, seed, deployed=deployed)) as rounds:
                return rounds.run()
        with server() as databases:
            plan = Plan(kills, seed, databases.bare().url, workers, deployed)
            with open_rounds(Path(folder) / "w", plan) as rounds:
                return rounds.run()


def main() -> None:
    """Kill, prove, tell."""
    asked = argparse.ArgumentParser(prog="python -m tests.engine.kill", description="Kill the hub's processes under load.")
    asked.add_argument("--kills", type=int, default=1000, help="how often, on each engine")
    asked.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    asked.add_argument("--workers", type=int, default=1, help="how many workers on PostgreSQL")
    asked.add_argument("--deployed", type=int, default=20, help="how many rounds with commands that are started, not forked")
    asked.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked.add_argument("--json", type=Path, help="where to write the figures")
    said = asked.parse_args()
    found = []
    for engine in ENGINES if said.engine == "both" else [said.engine]:
        print(f"{engine}: seed {said.seed}", flush=True)  # noqa: T201
        report = run(engine, said.kills, said.seed, said.workers, said.deployed)
        print(report.line(), flush=True)  # noqa: T201
        found.append(report.json())
    if said.json:
        said.json.write_text(f"[{', '.join(found)}]\n", "utf-8")


if __name__ == "__main__":
    main()
