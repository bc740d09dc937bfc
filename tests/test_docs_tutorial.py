"""docs/tutorial.md: whoever types what it shows has a connector that works."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub import bootstrap, config, promises
from hub.programme.actions import connector as built_in
from hub.sdk import Connector

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    [block] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


@pytest.fixture
def corner_till(monkeypatch: pytest.MonkeyPatch) -> Connector:
    """The connector as the page shows it."""
    module = ModuleType("corner_till")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(_block("python"), "docs/tutorial.md", "exec"), module.__dict__)
    connector: Connector = module.connector
    return connector


def test_the_connector_keeps_every_promise(corner_till: Connector) -> None:
    """All of it is shown, so all of it can be tried."""
    assert [outcome for outcome in promises.check(corner_till) if not outcome.kept] == []
    assert [trigger.gives.fact for trigger in corner_till.triggers.values()] == ["sale", "refund"]


def test_the_recipe_fits_the_connector(corner_till: Connector, tmp_path: Path) -> None:
    """It is checked like any recipe of a workspace that has the connection."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "hub.yaml").write_text(
        "programme: {name: Corner, timezone: America/Chicago, currency: USD}\n"
        "connections: {corner_till: {webhook_secret: s, api_key: k}}\n"
    )
    (tmp_path / "recipes" / "points-on-the-receipt.yaml").write_text(_block("yaml"))
    known: dict[str, Any] = {built_in.name: built_in, corner_till.name: corner_till}
    hub = bootstrap.open_hub(config.load(tmp_path, {}), connectors=known)
    try:
        [plan] = bootstrap.load_plans(hub.settings, hub.catalogue)
    finally:
        hub.close()
    assert [step.action for step in plan.steps] == ["award", "corner_till.print_line"]


def test_the_package_offers_the_connector() -> None:
    """Its entry point names what the module has."""
    shown = tomllib.loads(_block("toml"))
    assert shown["project"]["entry-points"]["hub"] == {"corner_till": "corner_till:connector"}
    assert shown["tool"]["hatch"]["build"]["targets"]["wheel"]["include"] == ["corner_till.py"]
