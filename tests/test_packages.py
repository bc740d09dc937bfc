"""A stranger's connector: built as a wheel, installed beside the hub, at work there; and broken ones, which stop nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from hub import promises

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "connectors.md").read_text("utf-8")
SECRET = "whsec-my-till"
HUB_YAML = f"""\
programme: {{name: Corner Garage, timezone: America/Chicago, currency: USD}}
public_url: https://points.example.com
connections:
  my_till: {{webhook_secret: {SECRET}, api_key: ak-my-till, base_url: "http://127.0.0.1:9"}}
  tumbler: {{webhook_secret: x}}
"""
RECIPES = {
    "forms": "recipe: forms\nwhen: my_till.form_submitted\ndo:\n  - award: {points: 5, reason: Thank you}\n",
    "tumbled": "recipe: tumbled\nwhen: tumbler.fell\ndo:\n  - award: {points: 1, reason: Oh}\n",
}
DELIVERY = """
import json, sys
from io import BytesIO
from pathlib import Path
from hub import bootstrap, config
from hub.clock import SystemClock
from hub.engine.door import Knock
from hub.sdk.request import Request

hub = bootstrap.open_hub(config.load(Path(sys.argv[1])))
there, now = hub.connections["my_till"], SystemClock().now()
told = {"id": "r1", "form": "f1", "email": "ada@example.com", "submitted_at": "2026-03-02T12:00:00Z"}
body = json.dumps({"type": "form.submitted", "id": "e1", "created_at": "2026-03-02T12:00:00Z", "data": told}).encode()
request = Request("POST", "/hooks/my_till", "", {"content-type": "application/json"}, body, now, there.webhook_url)
signed = there.connector.sign(request, there, now)
print(hub.door.receive(Knock("POST", "my_till", None, "", signed.headers, len(body), BytesIO(body).read)).outcome)
hub.settle()
hub.close()
"""
# What is wrong with each, as its name, version, what it needs, and its module.
BROKEN = {
    "tumbler": ("3.1", "", "raise RuntimeError('it fell over')"),
    "wrong_kind": ("0.2", "", "connector = 'a text'"),
    "square": ("9.0", "", "from hub.sdk import Connector\nconnector = Connector('square', title='Other Square')"),
    "from_tomorrow": ("1.0", "loyalty-hub>=99", "raise AssertionError('it must not be imported')"),
    "leaves": ("1.0", "", "import sys\nsys.exit(3)"),
}
Call = Callable[..., Any]


def _run(*words: object, **more: Any) -> str:
    """What it prints; its failure is the test's."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=120, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _install_broken(site: Path, name: str, version: str, needs: str, module: str) -> None:
    """As an installer leaves a package behind."""
    (site / f"hub_{name}.py").write_text(module, "utf-8")
    about = site / f"hub_{name}-{version}.dist-info"
    about.mkdir()
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hub-{name}\nVersion: {version}\n{requires}", "utf-8")
    (about / "entry_points.txt").write_text(f"[hub]\n{name} = hub_{name}:connector\n", "utf-8")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the hub, the stranger's package from its wheel, and the broken ones."""
    folder = tmp_path_factory.mktemp("stranger")
    source = folder / "hub-my-till"
    source.mkdir()
    [pyproject] = re.findall(r"```toml\n(.*?entry-points\.hub.*?)```", GUIDE, re.DOTALL)
    (source / "pyproject.toml").write_text(pyproject, "utf-8")
    (source / "hub_my_till.py").write_text(promises.scaffold("my_till"), "utf-8")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    offline = ("--no-index", "--no-deps", "-q")
    _run(*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, source)
    [wheel] = folder.glob("*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    made = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    [site] = (folder / "venv").rglob("site-packages")
    paths = [ROOT, sysconfig.get_path("purelib"), *(path for path in sys.path if path.endswith("site-packages"))]
    (site / "hub.pth").write_text("\n".join(dict.fromkeys(map(str, paths))), "utf-8")
    _run(*pip, "--python", made, "install", *offline, wheel)
    for name, said in BROKEN.items():
        _install_broken(site, name, *said)
    return made


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "hub.yaml").write_text(HUB_YAML, "utf-8")
    (folder / "recipes").mkdir()
    for name, text in RECIPES.items():
        (folder / "recipes" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def ask(python: Path, shop: Path) -> Call:
    """`hub … --json` in that environment."""

    def call(*words: str, at: Path | None = shop) -> Any:
        where = ("-w", at) if at else ()
        return json.loads(_run(python, "-m", "hub", *words, *where, "--json"))

    return call


def test_its_promises_are_tried_like_those_of_any_connector(ask: Call) -> None:
    """`hub connector test NAME` finds it."""
    told = ask("connector", "test", "my_till", at=None)
    assert (told["ok"], told["connectors"]) == (True, ["my_till"])
    assert told["tried"] > 20


def test_a_delivery_through_it_earns_points(ask: Call, python: Path, shop: Path) -> None:
    """It is let in at the door, read, and worked by a recipe."""
    assert _run(python, "-c", dedent(DELIVERY), shop).strip() == "kept"
    assert ask("members", "ada@example.com")["points"] == 5
    [told] = [one for one in ask("connections") if one["name"] == "my_till"]
    assert (told["connector"], told["events"]) == ("my_till", 1)


def test_broken_packages_are_named_with_their_versions_and_stop_nobody(ask: Call) -> None:
    """Each says what is the matter; the recipe of one stops, the others are right."""
    told = ask("check")
    assert (told["ok"], told["recipes"]) == (True, ["forms"])
    said = "\n".join(told["warnings"])
    for words in (
        "`tumbler` of hub-tumbler 3.1 cannot be used: RuntimeError: it fell over",
        "`wrong_kind` of hub-wrong_kind 0.2 cannot be used: TypeError: str is neither a Connector nor a plugin",
        "`square` of hub-square 9.0 cannot be used: there is a connector `square` already, of the hub itself",
        "`from_tomorrow` of hub-from_tomorrow 1.0 cannot be used: it needs loyalty-hub >=99, and this is loyalty-hub",
        "`leaves` of hub-leaves 1.0 cannot be used: SystemExit: 3",
        "recipes/tumbled.yaml stops: `tumbler.fell` cannot be used now",
        "tumbler stops: the connector `tumbler` of hub-tumbler 3.1",
    ):
        assert words in said
    [stopped] = [one for one in ask("connections") if one["name"] == "tumbler"]
    assert stopped["state"] == "out of use"
    assert "hub-tumbler 3.1" in stopped["last_error"]


def test_a_broken_package_that_is_asked_for_says_what_is_wrong(python: Path) -> None:
    """`hub connector test` does not say that there is no such connector."""
    words = [python, "-m", "hub", "connector", "test", "tumbler"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "hub-tumbler 3.1" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr
