"""A hub in a process of its own, for whoever wants to kill it: web and worker on a workspace, its address on standard output.

The platform's side is played here; what reaches it is written down before it is answered, as a platform would know it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import requests

from hub import bootstrap, config
from hub.programme.actions import connector as built_in
from hub.web.app import create_app, front_of
from hub.web.server import threaded_server
from tests.engine.platforms import Platform, letters, till


class Recorder(Platform):
    """Writes down each letter with its key, one line each, at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def send(self, request: requests.PreparedRequest, **said: Any) -> requests.Response:  # type: ignore[override]
        if request.method == "POST":
            line = {"key": request.headers.get("Idempotency-Key"), **json.loads(request.body or "{}")}
            os.write(self._file, json.dumps(line).encode() + b"\n")
        return super().send(request, **said)


def main(folder: Path) -> None:
    """Serve and work until killed."""
    hub = bootstrap.open_hub(
        config.load(folder, {}),
        open_http=Recorder(folder / "letters.jsonl").open,
        connectors={one.name: one for one in (built_in, till, letters)},
    )
    working = threading.Thread(target=hub.worker().run, args=(threading.Event(),), daemon=True)
    working.start()
    with threaded_server(front_of(create_app(hub.door, hub.checks, hub.snapshot))) as served:
        print(served.url, flush=True)  # noqa: T201
        working.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
