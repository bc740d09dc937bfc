"""Serve: the processes that do the work. `hub run`, `hub web`, `hub worker`.

What takes long to import is imported once, by a process that has nothing open yet; the one that serves is forked from it.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from hub import config, log
from hub.cli.output import say, screen
from hub.cli.workspace import workspace_option
from hub.config import Settings
from hub.errors import HubError
from hub.web.server import serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from a2wsgi.asgi_typing import ASGIApp

    from hub import bootstrap

_LOOK_FOR_LOCK_SECONDS = 2.0
_LOG = log.get(__name__)

host_option = click.option("--host", help="Listen on this address instead of the one in hub.yaml.")
port_option = click.option("--port", type=click.IntRange(0, 65_535), help="Listen on this port instead of the one in hub.yaml.")


@click.command()
@host_option
@port_option
@workspace_option
def run(*, host: str | None, port: int | None, folder: Path) -> None:
    """Run the hub: web, worker and schedule together, until Ctrl-C."""
    log.setup(sys.stderr)
    settings = config.load(folder)
    opening = Opening(settings)
    # The server ends with it, so that whoever runs the hub starts it again.
    labour = Labour(opening.work, on_fault=lambda: os.kill(os.getpid(), signal.SIGTERM))
    load = functools.partial(application, settings.folder, opening.opened)
    _greet(settings, host, port)
    _import_all(settings)
    try:
        serve(load, host or settings.host, settings.port if port is None else port, meanwhile=labour.start)
    finally:
        labour.stop.set()
        opening.wake()
        if labour.is_alive():
            labour.join()
    if opening.refusal is not None:
        raise opening.refusal
    if labour.fault is not None:
        sys.exit(1)


@click.command()
@host_option
@port_option
@workspace_option
def web(*, host: str | None, port: int | None, folder: Path) -> None:
    """Run the web process alone: it takes deliveries in and keeps them; `hub worker` works them."""
    log.setup(sys.stderr)
    settings = config.load(folder)
    _greet(settings, host, port)
    load = functools.partial(application, settings.folder)
    _import_all(settings)
    serve(load, host or settings.host, settings.port if port is None else port)


@click.command()
@click.option("--drain", is_flag=True, help="Work until nothing is left to do, then stop.")
@workspace_option
def worker(*, drain: bool, folder: Path) -> None:
    """Run a worker alone. On PostgreSQL any number share the work; in a folder a second one stands by and takes over."""
    from hub import bootstrap  # noqa: PLC0415

    log.setup(sys.stderr)
    hub = bootstrap.open_hub(config.load(folder))
    try:
        if drain:
            rounds = hub.worker().drain()
            say("Nothing is left to do." if rounds else "There was nothing to do.", "green")
            return
        labour = Labour(functools.partial(_work_or_stand_by, hub))
        _stop_when_told(labour, hub.waker.ring)
        labour.start()
        labour.join()
        if labour.fault is not None:
            sys.exit(1)
    finally:
        hub.close()


def application(folder: Path, opened: Connection | None = None) -> ASGIApp:
    """The web application of a workspace, made in the process that serves it.

    opened: where the worker's process says for good that it has opened the hub.
    """
    from hub import bootstrap  # noqa: PLC0415
    from hub.web.app import create_app, front_of  # noqa: PLC0415

    log.setup(sys.stderr)
    settings = config.load(folder)
    if opened is not None:
        opened.poll(None)
    hub = bootstrap.open_hub(settings)
    front = front_of(create_app(hub.door, hub.checks, hub.snapshot, operator_token=settings.metrics_token))
    gc.collect()
    gc.freeze()  # what is loaded by now stays: the collector need not go through it again and again
    return front


def _import_all(settings: Settings) -> None:
    """Import what web and worker need, before they part. The collector leaves it alone then, so that it stays shared."""
    gc.disable()
    from hub import bootstrap  # noqa: PLC0415
    from hub.web import app  # noqa: F401, PLC0415

    connectors = bootstrap.shelf()
    for one in settings.connections:
        connectors.get(one.connector)
    bootstrap.open_database(settings)  # opens nothing yet: it is for the libraries of its engine
    gc.freeze()
    gc.enable()


class Opening:
    """Opens the hub and works it, while the process that serves comes up.

    opened: can be read once the hub is open, and stays so. refusal: why it cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.opened, self._say = multiprocessing.Pipe(duplex=False)
        self.refusal: HubError | None = None
        self._settings = settings
        self._hub: bootstrap.Hub | None = None

    def work(self, stop: threading.Event) -> None:
        """Until it is stopped."""
        from hub import bootstrap  # noqa: PLC0415

        try:
            hub = bootstrap.open_hub(self._settings)
        except HubError as error:
            self._refuse(error)
            return
        try:
            worker = hub.worker()
        except HubError as error:
            hub.close()
            self._refuse(error)
            return
        self._hub = hub
        self._say.send_bytes(b"!")  # nobody takes it out: one who comes later finds it too
        try:
            worker.run(stop)
        finally:
            hub.close()

    def wake(self) -> None:
        """Let the worker look whether it is to stop."""
        if self._hub is not None:
            self._hub.waker.ring()

    def _refuse(self, error: HubError) -> None:
        self.refusal = error
        os.kill(os.getpid(), signal.SIGTERM)  # the server has nothing to serve


class Labour(threading.Thread):
    """Work in a thread of its own, until `stop` is set. fault: what ended it otherwise.

    The main thread only waits for it: a signal is handled there, and must find no lock taken that `stop` needs.
    """

    def __init__(self, work: Callable[[threading.Event], None], on_fault: Callable[[], None] = lambda: None) -> None:
        super().__init__(name="worker")
        self.stop = threading.Event()
        self.fault: Exception | None = None
        self._work, self._on_fault = work, on_fault

    def run(self) -> None:
        """Work until it is over; a fault is logged and kept."""
        try:
            self._work(self.stop)
        except Exception as error:  # noqa: BLE001  whatever it is, nobody else would notice
            _LOG.exception("the worker has stopped")
            self.fault = error
            self._on_fault()


def _work_or_stand_by(hub: bootstrap.Hub, stop: threading.Event) -> None:
    """Work as soon as one may: at once, where a database takes several workers."""
    while not hub.database.places.join():
        _LOG.info("another worker serves this database; standing by")
        if stop.wait(_LOOK_FOR_LOCK_SECONDS):
            return
    _LOG.info("working", workspace=str(hub.settings.folder))
    hub.worker().run(stop)


def _stop_when_told(labour: Labour, wake: Callable[[], None]) -> None:
    """On SIGTERM and Ctrl-C what has been begun is finished, and then the work ends."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        labour.stop.set()
        wake()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)


def _greet(settings: Settings, host: str | None, port: int | None) -> None:
    """Tell a person on a terminal where the hub listens; elsewhere the log does."""
    if not screen(error=True).is_terminal:
        return
    address = f"http://{host or settings.host}:{settings.port if port is None else port}"
    lines = [f"The hub of {settings.folder} listens on {address}. Ctrl-C stops it."]
    lines += [f"  {one.name}: {settings.public_url}/hooks/{one.name}" for one in settings.connections]
    if not settings.is_public:
        lines.append("hub.yaml names no public_url: platforms are asked by polling.")
    for line in lines:
        screen(error=True).print(line, soft_wrap=True)
