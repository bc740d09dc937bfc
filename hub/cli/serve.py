"""Serve: the processes that do the work. `hub run`, `hub web`, `hub worker`."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from hub import bootstrap, config, log
from hub.cli.output import say, screen
from hub.cli.workspace import workspace_option
from hub.config import Settings
from hub.web.app import create_app, front_of
from hub.web.server import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

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
    hub = bootstrap.open_hub(config.load(folder))
    try:
        worker = hub.worker()
        stop = threading.Event()
        broken: list[Exception] = []

        def work() -> None:
            try:
                worker.run(stop)
            except Exception as error:  # noqa: BLE001  whatever it is, nobody else would notice
                _LOG.exception("the worker has stopped; the hub ends, so that whoever runs it starts it again")
                broken.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

        working = threading.Thread(target=work, name="worker")
        working.start()
        try:
            _greet(hub.settings, host, port)
            _serve(hub.settings, host, port)
        finally:
            stop.set()
            hub.waker.ring()
            working.join()
    finally:
        hub.close()
    if broken:
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
    _serve(settings, host, port)


@click.command()
@click.option("--drain", is_flag=True, help="Work until nothing is left to do, then stop.")
@workspace_option
def worker(*, drain: bool, folder: Path) -> None:
    """Run the worker alone. A second one stands by and takes over when the first one ends."""
    log.setup(sys.stderr)
    hub = bootstrap.open_hub(config.load(folder))
    try:
        if drain:
            rounds = hub.worker().drain()
            say("Nothing is left to do." if rounds else "There was nothing to do.", "green")
            return
        stop = _until_told(hub.waker.ring)
        while not hub.database.lock.try_acquire():
            _LOG.info("another worker serves this database; standing by")
            if stop.wait(_LOOK_FOR_LOCK_SECONDS):
                return
        _LOG.info("working", workspace=str(hub.settings.folder))
        hub.worker().run(stop)
    finally:
        hub.close()


def application(folder: Path) -> WSGIApplication:
    """The web application of a workspace, made in the process that serves it."""
    log.setup(sys.stderr)
    settings = config.load(folder)
    hub = bootstrap.open_hub(settings)
    return front_of(create_app(hub.door, hub.checks, hub.snapshot, operator_token=settings.metrics_token))


def _serve(settings: Settings, host: str | None, port: int | None) -> None:
    load = functools.partial(application, settings.folder)
    serve(load, host or settings.host, settings.port if port is None else port)


def _until_told(wake: Callable[[], None]) -> threading.Event:
    """An event that SIGTERM and Ctrl-C set; what has been begun is finished then."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        wake()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


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
