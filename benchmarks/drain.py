"""Drain: one worker in a process of its own, for measurements that start several at the same moment.

    python -m benchmarks.drain FOLDER

says `ready`, waits for a line, works all that is there, and prints how long that took and how much of it was computing. Where
another worker is at it already and one is all that there can be, it does nothing.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from pathlib import Path

from hub import bootstrap, config
from hub.errors import HubError


def main(folder: Path) -> None:
    """Work the workspace's inbox, when told."""
    hub = bootstrap.open_hub(config.load(folder))
    worker = None
    with suppress(HubError):
        worker = hub.worker()
    print("ready", flush=True)
    sys.stdin.readline()
    began, computed = time.perf_counter(), time.process_time()
    if worker is not None:
        worker.drain()
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - computed}), flush=True)
    hub.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
