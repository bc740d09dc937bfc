"""Output: tables for people, JSON for programs, complaints on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hub.log import redact

# A pipe has no width: tables must not be cut there.
_PIPE_COLUMNS = 240

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output, for programs.")


def screen(*, error: bool = False) -> Console:
    """Where people read. Made anew for each use: tests and pipes change the streams."""
    console = Console(stderr=error, highlight=False)
    return console if console.is_terminal else Console(stderr=error, highlight=False, width=_PIPE_COLUMNS)


def complain(message: str) -> None:
    """Tell the user what went wrong, and what to do about it."""
    says_so = ": error: " in message.partition("\n")[0]  # a finding in a file begins with its place
    text = Text() if says_so else Text("error: ", style="bold red")
    screen(error=True).print(text.append(redact(message)), soft_wrap=True)


def say(message: str, style: str = "") -> None:
    """A sentence to the user."""
    screen().print(Text(message, style=style), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, nothing: str, numbers: Sequence[str] = ()) -> None:
    """Print rows under their columns, or say `nothing` when there are none. numbers: the columns to align right."""
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    if made.row_count:
        screen().print(made)
    else:
        say(nothing)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """A JSON value, indented."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, default=str)


def print_json_lines(values: Iterable[Any]) -> None:
    """One JSON value a line on standard output."""
    for value in values:
        click.echo(json.dumps(plain(value), ensure_ascii=False, default=str))


def plain(value: Any) -> Any:
    """Rows and models as JSON knows them."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def progress() -> Progress:
    """A bar on standard error, so that standard output stays the result alone; silent where nobody watches."""
    console = screen(error=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _cell(value: Any) -> Text:
    if value is None or value == "":
        return Text("–", style="dim")
    if isinstance(value, bool):
        return Text("yes", style="green") if value else Text("no", style="dim")
    if isinstance(value, int):
        return Text(f"{value:,}")
    return value if isinstance(value, Text) else Text(str(value))
