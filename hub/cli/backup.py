"""Backup: the whole workspace's data in one file, while the hub runs, and back. `hub db backup`, `hub db restore`."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub import __version__, bootstrap, config
from hub.cli.ledger import tell_verification
from hub.cli.output import json_option, print_json, progress, say
from hub.cli.workspace import found, workspace_option
from hub.clock import SystemClock, to_text
from hub.config import Settings
from hub.engine import backup as engine
from hub.errors import HubError
from hub.ledger import Verification, verify
from hub.store import archive
from hub.store import restore as filling
from hub.store.archive import Archive
from hub.store.database import Database
from hub.store.moment import Refill
from hub.vault.filling import KEY_FILE


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-key", is_flag=True, help="Put data/secret.key in too: whoever has the file can then read the secrets.")
@workspace_option
@json_option
def backup(*, file: Path, with_key: bool, folder: Path, as_json: bool) -> None:
    """Write everything that the hub has recorded into FILE, while it goes on.

    The same file restores on SQLite and on PostgreSQL. Secrets in it are encrypted as they are in the database.
    """
    settings = config.load(folder)
    key = settings.data_folder / KEY_FILE
    files = {KEY_FILE: key.read_bytes()} if with_key and key.exists() else {}
    if with_key and not files:
        raise HubError(f"there is no key file {key} to put in (HUB_SECRET_KEY is kept by you alone)")
    taken_at = to_text(SystemClock(settings.clock_offset).now())
    with bootstrap.open_database(settings).snapshot() as moments, _bar("Tables") as told:
        facts = engine.facts(moments["hub"].session, moments["inbox"].session)
        made = archive.write(file, moments, taken_at=taken_at, made_by=__version__, facts=facts, files=files, told=told)
    if as_json:
        size = file.stat().st_size
        print_json({"file": str(file), "bytes": size, "taken_at": taken_at, "rows": made.rows, "files": list(files), **facts})
        return
    say(f"{sum(made.rows.values()):,} rows are in {file} ({file.stat().st_size / 1_000_000:,.1f} MB).", "green")
    if block := facts["newest_block"]:
        say(f"The ledger's newest block is {block['seq']}, with the hash {block['hash']}.")
    if not files:
        say("The key for the secrets is not in it: keep data/secret.key, or HUB_SECRET_KEY, somewhere else.", "dim")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Also when something is recorded here already; it is kept aside.")
@click.option("--yes", is_flag=True, help="Do not ask before something is replaced.")
@click.option(
    "--hold-calls/--resume-calls",
    default=True,
    help="What becomes of calls to platforms that waited when the backup was taken: a person looks at each, since it may have "
    "been made afterwards; or they are made, since nothing was worked afterwards (a move to another database).",
)
@workspace_option
@json_option
def restore(*, file: Path, replace: bool, yes: bool, hold_calls: bool, folder: Path, as_json: bool) -> None:
    """Put what is in FILE into the workspace's database, and prove the books. Exit code 1 when they are wrong.

    The hub must not run meanwhile.
    """
    settings = config.load(folder)
    kept = Archive(file)
    try:
        filling.fits(kept)
        is_used = _is_used(settings)
        if is_used and not replace:
            raise HubError("something is recorded in this workspace already; --replace puts it aside and restores")
        if is_used and not yes:
            shown = bootstrap.open_database(settings).shown
            click.confirm(f"Replace what is in {shown}? It is kept aside", abort=True, err=True)
        aside = f"replaced_{to_text(SystemClock().now())[:19].translate(_PLAIN)}" if is_used else None
        told = _restore(settings, kept, aside, hold_calls=hold_calls)
    finally:
        kept.close()
    _tell(told, as_json=as_json)
    if not told.books.ok:
        sys.exit(1)


_PLAIN = str.maketrans("", "", "-:T")


@dataclasses.dataclass(frozen=True, slots=True)
class _Restored:
    """What came of it. taken: the migrations that brought it up to date. held: calls that a person has to look at."""

    taken_at: str
    rows: int
    where: str
    aside: str | None
    taken: dict[str, list[str]]
    books: Verification
    to_work: int
    held: int
    key: str


def _restore(settings: Settings, kept: Archive, aside: str | None, *, hold_calls: bool) -> _Restored:
    database = bootstrap.open_database(settings)
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    write_key, key = _key(settings, kept)
    manifest = kept.manifest
    with _worker_kept_away(database), database.refill(aside) as refill:
        with _bar("Tables") as told:
            taken = filling.fill(kept, refill, told)
        with refill.write("hub") as session:
            held = engine.forget_the_past(session, manifest.taken_at, hold_calls=hold_calls)
        books = _prove(refill)
        with refill.read("hub") as hub, refill.read("inbox") as inbox:
            to_work = engine.waiting(hub, inbox)
        write_key()
    return _Restored(manifest.taken_at, sum(manifest.rows.values()), database.shown, aside, taken, books, to_work, held, key)


def _prove(refill: Refill) -> Verification:
    with refill.read("hub") as session, progress() as bar:
        task = bar.add_task("Transactions", total=None)
        return verify(session, lambda done, total: bar.update(task, completed=done, total=total))


def _tell(told: _Restored, *, as_json: bool) -> None:
    if as_json:
        shown = {field.name: getattr(told, field.name) for field in dataclasses.fields(told)}
        print_json({**shown, "books": {"verified": told.books.ok, **dataclasses.asdict(told.books)}})
        return
    say(f"{told.rows:,} rows of the backup of {told.taken_at} are in {told.where}.", "green")
    if told.aside is not None:
        say(f"What was there before is kept in {told.aside}.")
    tell_verification(told.books)
    if told.to_work:
        say(f"{told.to_work:,} deliveries had come and were not worked; `hub run` works them.")
    if told.held:
        say(
            f"{told.held:,} calls to platforms waited, or were being made, when the backup was taken. They may have been made "
            "since, so the worker holds each for a person: `hub held`, then `hub replay` or `hub held drop`.",
            "yellow",
        )
    say(
        "What came after the backup is not in it. The hub asks platforms for it where they can be asked (`hub pull`); others "
        "can send it again. What it earned is earned anew, but messages about it may reach members a second time."
    )
    say(told.key, "dim")


def _is_used(settings: Settings) -> bool:
    with found(settings, "hub") as hub, found(settings, "inbox") as inbox:
        if hub is None or inbox is None:
            return hub is not None or inbox is not None
        with hub.read() as recorded, inbox.read() as reached:
            return engine.is_used(recorded, reached)


def _key(settings: Settings, kept: Archive) -> tuple[Callable[[], None], str]:
    """How to write the key of the backup, and what to say of it. HubError when another key is there."""
    path = settings.data_folder / KEY_FILE
    if KEY_FILE not in kept.manifest.files:
        return (lambda: None), f"The backup holds no key for the secrets; {path} or HUB_SECRET_KEY must be the one of then."
    content = kept.file(KEY_FILE)
    there = path.read_bytes() if path.exists() else b""
    if there and not set(content.splitlines()) <= set(there.splitlines()):
        raise HubError(f"{path} is another key than the one in {kept.path}; move it away if it is not needed any more")

    def write() -> None:
        if there:
            return
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)

    return write, f"The key for the secrets came with it, into {path}."


@contextmanager
def _worker_kept_away(database: Database) -> Iterator[None]:
    if not database.places.join_if_idle():
        raise HubError(f"a worker serves {database.shown}; stop `hub run` and `hub worker`, then restore")
    try:
        yield
    finally:
        database.places.leave()


@contextmanager
def _bar(what: str) -> Iterator[Callable[[str], None]]:
    with progress() as bar:
        task = bar.add_task(what, total=None)

        def told(name: str) -> None:
            bar.update(task, description=name, advance=1)

        yield told
