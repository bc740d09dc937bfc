"""Plugins: connectors are found in a folder and in installed packages, and what is wrong with one is told."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub import plugins
from hub.errors import ConfigError
from hub.sdk import Connector

ROOT = Path(__file__).parents[1]
GOOD = 'from hub.sdk import Connector\n\nconnector = Connector("{name}", title="{name}")\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes an importable package of these modules; gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(**modules: str) -> str:
        (tmp_path / "shopfloor").mkdir()
        for name, source in {"__init__": "", **modules}.items():
            (tmp_path / "shopfloor" / f"{name}.py").write_text(source)
        return "shopfloor"

    yield make
    for name in set(sys.modules) - before:
        if name.startswith("shopfloor"):
            del sys.modules[name]


def test_every_module_of_the_folder_is_a_connector(folder):
    """One file a platform; nothing else has to be written anywhere."""
    package = folder(till=GOOD.format(name="till"), crm=GOOD.format(name="crm"), _shared="x = 1\n")
    assert list(plugins.discover(package)) == ["crm", "till"]


def test_ours_are_found():
    """The connectors that ship with the hub are there by their names."""
    found = plugins.discover()
    assert {"square", "twilio"} <= set(found)
    assert all(name == connector.name for name, connector in found.items())


def test_the_core_offers_its_own_by_the_same_hook(folder):
    """A connector handed in registers itself like any other."""
    own = Connector("hub", title="Hub")
    assert plugins.discover(folder(till=GOOD.format(name="till")), extra=[own])["hub"] is own


def test_all_problems_are_told_at_once(folder):
    """A module that cannot be imported, one without a connector, and two of one name: each is named."""
    package = folder(
        broken="import nothing_of_that_name\n", empty="", one=GOOD.format(name="twin"), two=GOOD.format(name="twin")
    )
    with pytest.raises(ConfigError) as caught:
        plugins.discover(package)
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "shopfloor.broken" in text
    assert "nothing_of_that_name" in text
    assert "shopfloor.empty" in text
    assert "two connectors are called `twin`" in text


def test_a_shelf_imports_what_is_asked_for(folder):
    """One connector alone, until somebody wants to see all; what is wrong with another does not matter until then."""
    shelf = plugins.Shelf(folder(till=GOOD.format(name="till"), crm=GOOD.format(name="crm"), broken="1 / 0\n"))
    assert shelf["till"].name == "till"
    assert "shopfloor.crm" not in sys.modules
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        list(shelf)
    assert "shopfloor.crm" in sys.modules


def test_a_shelf_finds_what_has_another_name_than_its_module(folder):
    """Then it has to look everywhere, and knows who is nowhere."""
    shelf = plugins.Shelf(folder(till=GOOD.format(name="cash_desk")))
    assert shelf.get("nobody") is None
    assert shelf["cash_desk"].name == "cash_desk"
    assert (list(shelf), len(shelf)) == (["cash_desk"], 1)


OPENS = """
import sys
from pathlib import Path
from hub import bootstrap, config

bootstrap.open_hub(config.load(Path(sys.argv[1]))).close()
print(*(name for name in sys.modules if name.startswith("connectors.") or name in {"stripe", "hubspot", "gspread"}))
"""
STRIPE = """
programme: {name: Garage, timezone: UTC, currency: USD}
connections: {stripe: {api_key: k, webhook_secret: whsec_aa}}
"""


def test_opening_a_workspace_imports_no_connector_that_it_does_not_use(tmp_path):
    """Nor a vendor's library: not before a connection calls."""
    (tmp_path / "hub.yaml").write_text(STRIPE, "utf-8")
    told = subprocess.run([sys.executable, "-c", OPENS, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.split() == ["connectors.stripe"]


def test_a_missing_folder_is_told():
    """Without the folder there is a sentence, not a traceback."""
    with pytest.raises(ConfigError, match="cannot be imported"):
        plugins.discover("no_such_package")


def test_installed_packages_offer_connectors_by_entry_point(folder, monkeypatch):
    """A stranger's connector is a package with an entry point in the group `hub`; one that is broken is told and left out."""
    package = folder(till=GOOD.format(name="till"), _guest=GOOD.format(name="guest"), _twin=GOOD.format(name="till"))
    entries = [
        EntryPoint("guest", "shopfloor._guest:connector", "hub"),
        EntryPoint("again", "shopfloor._guest:connector", "hub"),
        EntryPoint("gone", "no_such_package:connector", "hub"),
        EntryPoint("twin", "shopfloor._twin:connector", "hub"),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: entries if group == "hub" else [])
    broken = []
    assert list(plugins.discover(package, on_broken=broken.append)) == ["guest", "till"]
    assert [one.name for one in broken] == ["gone", "twin"]
    assert "No module named 'no_such_package' (no_such_package:connector)" in str(broken[0])
    assert "there is a connector `till` already, of the hub itself" in str(broken[1])
