"""Report: the rows that measurements give, and the table of them: on the terminal, in Markdown, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_COLUMNS = ("", "what", "figure", "beside it", "ratio", "to reach", "reached")


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: the figure, or its ratio to what stands beside it, is at least (or below) a bound."""

    of: Literal["figure", "ratio"]
    bound: float
    is_least: bool = False

    def __str__(self) -> str:
        return f"{'ratio ' if self.of == 'ratio' else ''}{'≥' if self.is_least else '<'} {_shown(self.bound)}"

    def is_reached(self, value: float) -> bool:
        """Whether this value is good enough."""
        return value >= self.bound if self.is_least else value < self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. number: of the measurement. beside: the floor or peer of the same run, by name, with its figure."""

    number: int
    what: str
    figure: float
    unit: str
    beside: str = ""
    beside_figure: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """The figure as a share of what stands beside it."""
        return self.figure / self.beside_figure if self.beside_figure else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None where there is none."""
        if self.goal is None:
            return None
        value = self.figure if self.goal.of == "figure" else self.ratio
        return value is not None and self.goal.is_reached(value)

    def cells(self) -> tuple[str, ...]:
        """The row as the table shows it."""
        beside = f"{self.beside}: {_shown(self.beside_figure)}" if self.beside_figure is not None else self.beside
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        reached = {None: "", True: "yes", False: "no"}[self.reached]
        return (
            f"({self.number})",
            self.what,
            f"{_shown(self.figure)} {self.unit}",
            beside,
            ratio,
            str(self.goal or ""),
            reached,
        )


def show(console: Console, rows: Sequence[Row], machine: Mapping[str, str]) -> None:
    """The table, for people."""
    table = Table(*_COLUMNS, title="How fast the hub is")
    for row in rows:
        table.add_row(*row.cells(), style="red" if row.reached is False else None)
    console.print(table)
    for name, value in machine.items():
        console.print(f"{name}: {value}", highlight=False, soft_wrap=True)


def as_json(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The table, for programs."""
    told: list[dict[str, Any]] = []
    for row in rows:
        said = asdict(row) | {"goal": None if row.goal is None else str(row.goal)}
        told.append({**said, "ratio": row.ratio, "reached": row.reached})
    return json.dumps({"machine": dict(machine), "rows": told}, indent=2, ensure_ascii=False)


def as_markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The table, for a page."""
    lines = [f"- {name}: {value}" for name, value in machine.items()]
    lines += ["", f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS)]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows]
    return "\n".join(lines)


def write(page: Path, text: str) -> None:
    """Put the text between the marks of a page. ValueError when the page has none."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no {BEGIN} … {END} to write between")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
