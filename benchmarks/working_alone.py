"""Working alone: how fast one worker on SQLite turns kept deliveries into committed points; measurement (3) without its floor.

    python benchmarks/working_alone.py [DELIVERIES]

Prints one JSON object. Figures are of the machine that runs it, at `synchronous=FULL`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import alone, workspace  # noqa: E402


def main(number: int) -> None:
    """Fill an inbox, then time the worker."""
    with tempfile.TemporaryDirectory() as made:
        folder = workspace.make(Path(made) / "hub", [workspace.POINTS])
        seconds = alone.worked(folder, number, workers=1)
    print(json.dumps({"events": number, "seconds": round(seconds, 2), "events_per_second": round(number / seconds)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
