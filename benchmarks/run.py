"""Run: takes all measurements in one go, and writes the table of what came out.

python benchmarks/run.py [--only N]... [--quick] [--json] [--write] [--folder FOLDER]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # so that the hub that is measured is the one beside this file

from benchmarks import acknowledged, alone, answered, footprint, growth, machine, many_recipes, report, sustained  # noqa: E402
from benchmarks.report import Row  # noqa: E402
from benchmarks.scale import Scale, full, quick  # noqa: E402

Measure = Callable[[Scale, Callable[[str], None]], list[Row]]
MEASUREMENTS: dict[int, Measure] = {
    1: acknowledged.measure,
    2: sustained.measure,
    3: alone.measure,
    4: growth.measure,
    5: many_recipes.measure,
    6: footprint.measure,
    7: answered.measure,
}
_HERE = Path(__file__).resolve().parent
_PAGE, _FIGURES = _HERE / "README.md", _HERE / "results.json"


@click.command()
@click.option("--only", "numbers", type=click.IntRange(1, 7), multiple=True, help="Take this one alone; may be repeated.")
@click.option("--quick", "is_quick", is_flag=True, help="Smaller and shorter: a first impression.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON instead of the table.")
@click.option("--write", "is_written", is_flag=True, help="Write the table into benchmarks/README.md and results.json.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path.home() / ".cache" / "loyalty-hub-benchmarks",
    help="Where databases with millions of entries are kept for the next time.",
)
def main(*, numbers: tuple[int, ...], is_quick: bool, is_json: bool, is_written: bool, folder: Path) -> None:
    """Measure how fast the hub is on this machine, beside what the machine allows."""
    scale = (quick if is_quick else full)(folder)
    progress = Console(stderr=True)
    facts = machine.facts() | {"Scale": "quick" if is_quick else "full"}
    rows: list[Row] = []
    for number in numbers or MEASUREMENTS:
        with progress.status(f"({number})") as status:

            def say(what: str, number: int = number) -> None:
                status.update(f"({number}) {what}")
                progress.log(f"({number}) {what}")

            rows += MEASUREMENTS[number](scale, say)
    if is_json:
        print(report.as_json(rows, facts))
    else:
        report.show(Console(), rows, facts)
    if is_written:
        report.write(_PAGE, report.as_markdown(rows, facts))
        _FIGURES.write_text(report.as_json(rows, facts) + "\n", "utf-8")


if __name__ == "__main__":
    main()
