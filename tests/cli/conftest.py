"""Fixtures: the command line in this process, and workspaces to use it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.app import main

PROGRAMME = "programme: {name: Corner Garage, timezone: America/Chicago, currency: USD, expiry: 100 years after earning}\n"
POINTS = """recipe: points
title: One point per dollar
when: sale
do:
  - award: {points: event.amount, reason: "Order {{ event.order_id }}"}
examples:
  - given: {amount: 29.33}
    expect: {award: {points: 29}}
"""


@pytest.fixture
def hub() -> Callable[..., Result]:
    """Calls `hub` with words, expects an exit code, gives what came of it."""

    def call(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, f"hub {words} ended with {result.exit_code}:\n{result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    return call


@pytest.fixture
def ask(hub: Callable[..., Result]) -> Callable[..., Any]:
    """Calls `hub … --json`, gives what it printed."""

    def call(*words: object, code: int = 0) -> Any:
        return json.loads(hub(*words, "--json", code=code).stdout)

    return call


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace without connections, with one recipe."""
    folder = tmp_path / "shop"
    (folder / "recipes").mkdir(parents=True)
    (folder / "hub.yaml").write_text(PROGRAMME, "utf-8")
    (folder / "recipes" / "points.yaml").write_text(POINTS, "utf-8")
    return folder


@pytest.fixture
def recipe(shop: Path) -> Callable[[str], None]:
    """Adds a recipe to the workspace."""

    def add(text: str) -> None:
        name = text.partition("\n")[0].removeprefix("recipe: ")
        (shop / "recipes" / f"{name}.yaml").write_text(text, "utf-8")

    return add


@pytest.fixture
def sales(tmp_path: Path) -> Callable[..., Path]:
    """Writes a CSV file of sales."""

    def write(*lines: str, columns: str = "order_id,member,occurred_at,amount") -> Path:
        path = tmp_path / "sales.csv"
        path.write_text("\n".join([columns, *lines]) + "\n", "utf-8")
        return path

    return write
