"""Bring in: facts that nobody delivers. `hub import` reads files, `hub pull` asks a platform."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TextIO

import click

from hub import bootstrap
from hub.cli.doing import ask, opened
from hub.cli.output import json_option, print_json, progress, say, table
from hub.cli.workspace import the_user, workspace_option
from hub.engine.inbox import Delivery
from hub.engine.rows import CONNECTION, KINDS, Bad, Good, Reader, fields_of

_PORTION_ROWS = 500
_SHOWN_MOST = 20


@click.command("import")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="Which column fills a field; can be repeated.")
@workspace_option
@json_option
def import_file(*, kind: str, file: Path, pairs: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Import a CSV file of sales, members, reviews or opening balances.

    \b
    hub import sales FILE --map member=customer --map amount=amount \\
        --map occurred_at=date --map order_id=order_id

    Each row is a fact like any other. A row that was imported before changes nothing, so an import that was cut off is simply
    started again. Bad rows are told with their line and left out; then the exit code is 1.
    """
    mapping = dict(_pair(pair, kind) for pair in pairs)
    with opened(folder) as hub:
        with progress() as bar, file.open(encoding="utf-8-sig", newline="") as lines:
            task = bar.add_task("Reading", total=file.stat().st_size)
            kept, bad = _keep(hub, kind, file, mapping, _counted(lines, lambda done: bar.update(task, completed=done)))
        worked = hub.settle()
    if as_json:
        left_out = [{"line": one.line, "why": one.why} for one in bad]
        print_json({"file": str(file), "kept": kept, "left_out": left_out, "worked": worked})
    else:
        _tell(file, kept, bad, worked=worked)
    if bad:
        sys.exit(1)


def _pair(text: str, kind: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        known = ", ".join(fields_of(kind))
        raise click.BadParameter(f"{text!r} is not FIELD=COLUMN; the fields of {kind} are {known}.", param_hint="--map")
    return field, column


def _counted(lines: TextIO, tell: Callable[[int], object]) -> Iterator[str]:
    """The lines of a file; `tell` hears how many bytes, roughly, have been read."""
    done = 0
    for line in lines:
        done += len(line)
        yield line
        tell(done)


def _keep(hub: bootstrap.Hub, kind: str, file: Path, mapping: Mapping[str, str], lines: Iterator[str]) -> tuple[int, list[Bad]]:
    """Keep every good row in the inbox, many with one commit; gives how many, and the bad ones."""
    programme, now = hub.programme, hub.clock.now()
    reader = iter(Reader(kind, lines, mapping, currency=programme.currency, zone=programme.zone, now=now))
    kept, bad = 0, []
    while rows := list(islice(reader, _PORTION_ROWS)):
        bad += [row for row in rows if isinstance(row, Bad)]
        kept += len(hub.inbox.keep_many([_delivery(hub, kind, file.name, row) for row in rows if isinstance(row, Good)]))
    return kept, bad


def _delivery(hub: bootstrap.Hub, kind: str, name: str, row: Good) -> Delivery:
    data = row.fact.model_dump(mode="json", exclude_defaults=True)
    body = {"fact": row.fact.fact, "key": row.key, "data": data, "file": name, "line": row.line}
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Delivery("row", raw, hub.clock.now(), connection=CONNECTION, method="ROW", path=kind)


def _tell(file: Path, kept: int, bad: list[Bad], *, worked: bool) -> None:
    if bad:
        table(("line", "left out because"), ((one.line, one.why) for one in bad[:_SHOWN_MOST]), nothing="", numbers=("line",))
        if len(bad) > _SHOWN_MOST:
            say(f"… and {len(bad) - _SHOWN_MOST:,} more.")
    done = "They are worked." if worked else "The worker that runs is at them."
    say(f"{kept:,} rows of {file.name} kept, {len(bad):,} left out. {done}", "yellow" if bad else "green")


@click.command()
@click.argument("connection")
@click.option("--since", help="From this moment on, such as 2026-01-01T00:00:00Z; by default from where the last pull ended.")
@workspace_option
@json_option
def pull(*, connection: str, since: str | None, folder: Path, as_json: bool) -> None:
    """Ask a platform now for what happened: missed webhooks, or history. What is known already changes nothing."""
    told = ask(folder, "pull", {"connection": connection, "since": since, "by": the_user()})
    if as_json:
        print_json(told)
        return
    say(f"{len(told['calls'])} pulls are on their way; `hub events --connection {connection}` shows what they bring.")
