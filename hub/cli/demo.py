"""Demo: `hub demo` lives through eighteen months of a repair shop, on real purchases."""

from __future__ import annotations

import logging
import sys
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path

import click

from hub import log
from hub.cli.output import json_option, print_json, screen
from hub.demo import shop, show
from hub.demo.play import stage


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop at the end instead of serving until Ctrl-C.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Leave the workspace behind in this new folder.",
)
@click.option("--database", metavar="URL", help="Live in this empty database (postgresql://…) instead of SQLite files.")
@json_option
def demo(leave: bool, keep: Path | None, database: str | None, as_json: bool) -> None:
    """Watch a whole programme at work: 6,919 real purchases, 18 months in under two minutes."""
    log.setup(sys.stderr, logging.WARNING)
    purchases = shop.read_purchases()
    place = nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="hub-demo-")
    with place as folder, stage(Path(folder), purchases, database=database) as playing:
        with show.progress_bar(screen(error=True)) as watch:
            played = playing.play(shop.script(purchases), watch)
        verification = playing.verify()
        console = screen(error=as_json)
        if as_json:
            print_json(played.figures.as_json(verified=verification.ok))
        else:
            show.summary(console, played, verification, playing)
            show.story(console, playing, playing.hub.programme.zone)
            show.what_next(console, keep)
        if not verification.ok:
            raise SystemExit(1)
        if not leave:
            show.where(console, playing)
            with suppress(KeyboardInterrupt):
                playing.serve()
