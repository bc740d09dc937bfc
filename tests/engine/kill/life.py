"""Life: what becomes of a forked process: a command of the hub, on the shared clock, with its doom laid around it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import granian.wsgi  # noqa: F401 - imported here once, for all
from granian.server import mp  # noqa: F401

from hub import bootstrap
from hub.cli import app, serve  # noqa: F401
from hub.store import server  # noqa: F401
from tests.engine.kill.doom import Doom
from tests.engine.kill.processes import SharedClock

bootstrap.discover()
multiprocessing.allow_connection_pickling()


def live(order: Mapping[str, Any], pipe: int) -> NoReturn:
    """Become the command; tell the pipe how it ended, if it does."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A server is forked wherever the hub runs: one that is spawned would have its own clock and no doom.
    multiprocessing.set_start_method = lambda method, force=False: None  # type: ignore[assignment]
    clock = SharedClock(Path(order["clock"]))
    bootstrap.SystemClock = lambda offset: clock  # type: ignore[assignment,misc]
    if order["doom"]:
        point, number = order["doom"]
        Doom(point, number, lambda text: _tell(pipe, text)).lay()
    code: Any = 1
    try:
        app.main(order["words"])
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - it is the end of the process
        traceback.print_exc()
    finally:
        _tell(pipe, f"exit {code}\n")
        sys.stderr.flush()
        os._exit(1)


def _tell(pipe: int, text: str) -> None:
    os.write(pipe, text.encode())
