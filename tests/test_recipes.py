"""The recipe library: every programme and recipe that ships with the hub is checked, and its examples come out."""

import shutil
from pathlib import Path

import pytest

from hub import bootstrap, config
from hub.demo.workspace import LIBRARY
from hub.engine.catalogue import Catalogue
from hub.engine.connecting import open_connections
from hub.engine.examples import try_examples
from hub.programme.settings import Programme

PROGRAMMES = ("repair", "cafe", "web-store")
ENVIRONMENT = {
    "SQUARE_ACCESS_TOKEN": "token",
    "SQUARE_WEBHOOK_SIGNATURE_KEY": "key",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_SENDER": "+15005550006",
}


def _copied(folder: Path, programme: str, recipes: list[Path]) -> config.Settings:
    (folder / "recipes").mkdir()
    shutil.copy(LIBRARY / programme / "hub.yaml", folder)
    for path in recipes:
        shutil.copy(path, folder / "recipes")
    return config.load(folder, ENVIRONMENT)


def _recipes(name: str) -> list[Path]:
    return [path for path in sorted((LIBRARY / name).glob("*.yaml")) if path.name != "hub.yaml"]


@pytest.fixture(params=[*PROGRAMMES, "single"])
def shelf(request, tmp_path):
    """A part of the library as a workspace: its settings, catalogue and checked recipes."""
    programme = "repair" if request.param == "single" else request.param
    settings = _copied(tmp_path, programme, _recipes(request.param))
    known = bootstrap.discover()
    terms = Programme.from_node(settings.programme_node)
    catalogue = Catalogue(known, open_connections(settings, known), terms)
    return catalogue, terms, bootstrap.load_plans(settings, catalogue)


def test_every_recipe_that_ships_is_right_and_its_examples_come_out(shelf):
    """The checker finds nothing, and every example gives what it promises."""
    catalogue, programme, plans = shelf
    assert plans
    wrong = [
        f"{tried.recipe}:{tried.line}: {problem}"
        for plan in plans
        for tried in try_examples(plan, catalogue, programme)
        for problem in tried.problems
    ]
    assert not wrong, "\n".join(wrong)


def test_every_recipe_that_ships_has_an_example_and_a_file_of_its_name():
    """A recipe shows what it does, and is found where its name says."""
    for name in (*PROGRAMMES, "single"):
        for path in _recipes(name):
            text = path.read_text("utf-8")
            assert text.startswith(f"recipe: {path.stem}\n"), path
            assert "\nexamples:\n" in text, path


def test_points_do_not_hang_on_the_connection_that_messages():
    """In every programme, awards stand in recipes that name no platform, so `hub init` without Twilio loses no points."""
    for name in PROGRAMMES:
        for path in _recipes(name):
            text = path.read_text("utf-8")
            assert not ("award:" in text and "twilio." in text), path
