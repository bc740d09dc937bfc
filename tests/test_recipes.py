"""The recipe library: every programme and recipe that ships with the hub is checked, and its examples come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from hub import bootstrap, document, library
from hub.engine.catalogue import BUILT_IN, Catalogue
from hub.engine.examples import try_examples
from hub.programme.settings import Programme
from hub.recipes import load
from hub.recipes.model import Plan
from hub.sdk import Connection, Connector

SINGLES = library.singles()
OWN = [recipe for programme in library.PROGRAMMES for recipe in library.recipes_of(programme) if recipe.folder == programme]
CONDITIONS = (
    "sale", "booking", "job_completed", "deal_won", "review", "hub.friend_bought", "manual", "message_received", "birthday",
    "anniversary", "lapsed", "points_expiring", "ticket_created", "each_member", "schedule", "hub.tier_changed",
    "hub.member_joined", "hub.reward_redeemed", "hub.points_awarded", "ticket_rated",
)  # fmt: skip
"""What the mission's programmes are set off by: there is a ready recipe for each."""


class Shelf:
    """A part of the library as a workspace: a programme, connected with all these as their own examples set them."""

    def __init__(self, programme: Programme, connectors: Mapping[str, Connector]) -> None:
        self.programme = programme
        connections = {name: _connected(connector) for name, connector in connectors.items() if name != BUILT_IN}
        self.catalogue = Catalogue(connectors, connections, self.programme)

    def plan(self, recipe: library.Recipe) -> Plan:
        """The recipe, checked."""
        return load(recipe.text, recipe.path.name, self.catalogue)

    def wrong_in(self, plan: Plan) -> list[str]:
        """What does not come out as its examples say."""
        tried = try_examples(plan, self.catalogue, self.programme)
        return [f"line {one.line}: {problem}" for one in tried for problem in one.problems]


def _programme(name: str) -> Programme:
    return Programme.from_node(document.load(library.settings_of(name), "hub.yaml").get("programme"))


def _connected(connector: Connector) -> Connection:
    settings = connector.settings.read(connector.settings.example())
    return Connection(name=connector.name, connector=connector.fitted(settings), settings=settings)


@pytest.fixture(scope="module")
def connectors() -> dict[str, Connector]:
    return dict(bootstrap.discover())


@pytest.fixture(scope="module")
def whole(connectors: dict[str, Connector]) -> Shelf:
    """A workspace that is connected with everything."""
    return Shelf(_programme("repair"), connectors)


@pytest.fixture(scope="module")
def elsewhere(connectors: dict[str, Connector]) -> Shelf:
    """The same with a programme that is as different as can be: no tiers, rewards or worth, another zone, currency and word."""
    said = {"name": "Heft", "timezone": "Asia/Tokyo", "currency": "EUR", "points": {"name": "Punkte"}}
    return Shelf(Programme.model_validate(said), connectors)


@pytest.mark.parametrize("recipe", SINGLES, ids=lambda recipe: recipe.name)
def test_a_recipe_does_what_its_examples_say(whole: Shelf, elsewhere: Shelf, recipe: library.Recipe) -> None:
    """The checker finds nothing, and every example gives what it promises, whatever the programme is called and has."""
    assert whole.wrong_in(whole.plan(recipe)) == []
    assert elsewhere.wrong_in(elsewhere.plan(recipe)) == []


@pytest.mark.parametrize("programme", library.PROGRAMMES)
def test_a_programme_does_what_its_examples_say(connectors: dict[str, Connector], programme: str) -> None:
    """With the connections that its hub.yaml names, nothing of it is left out."""
    usual = document.load(library.settings_of(programme), "hub.yaml").plain()["connections"]
    kept, left_out = library.fitting(programme, usual)
    assert left_out == []
    shelf = Shelf(_programme(programme), {name: connectors[name] for name in (BUILT_IN, *usual)})
    assert {recipe.name: wrong for recipe in kept if (wrong := shelf.wrong_in(shelf.plan(recipe)))} == {}


@pytest.mark.parametrize("recipe", [*SINGLES, *OWN], ids=lambda recipe: f"{recipe.folder}/{recipe.name}")
def test_a_recipe_explains_itself(recipe: library.Recipe) -> None:
    """It has its file's name, a title, a sentence, and examples of the case and of what does nothing or something else."""
    plain = document.load(recipe.text, recipe.path.name).plain()
    assert recipe.text.startswith(f"recipe: {recipe.name}\ntitle: ")
    assert recipe.description.endswith((".", "!")), recipe.description
    assert len(plain["examples"]) >= (2 if "if" in plain else 1)


@pytest.mark.parametrize("recipe", SINGLES, ids=lambda recipe: recipe.name)
def test_what_fails_to_reach_a_member_stops_nothing(whole: Shelf, recipe: library.Recipe) -> None:
    """A message that cannot be sent is no reason to hold the run."""
    steps = whole.plan(recipe).steps
    assert [step.action for step in steps if step.type.channel and step.on_failure != "continue"] == []


def test_every_name_is_there_once() -> None:
    """`hub recipes add` finds one; a programme's own have no name that it would take from the library."""
    assert [name for name, count in Counter(recipe.name for recipe in SINGLES).items() if count > 1] == []
    for programme in library.PROGRAMMES:
        names = Counter(recipe.name for recipe in library.recipes_of(programme))
        assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("condition", CONDITIONS)
def test_there_is_a_recipe_for_every_condition(whole: Shelf, condition: str) -> None:
    """By its bare name, or told by a platform."""
    heard = {whole.catalogue.fact_type(when).fact for recipe in SINGLES for when in recipe.whens}
    assert condition in heard


def test_there_is_a_recipe_for_every_platform(connectors: dict[str, Connector]) -> None:
    """In its natural role."""
    assert set(connectors) - {BUILT_IN} - {name for recipe in SINGLES for name in recipe.needs} == set()


def test_points_do_not_hang_on_the_connection_that_messages() -> None:
    """In every programme, awards stand in recipes that message nobody, so `hub init` without Twilio loses no points."""
    for recipe in OWN:
        assert not ("award" in recipe.actions and recipe.needs), recipe.name


def test_the_page_of_the_library_is_up_to_date(connectors: dict[str, Connector]) -> None:
    """`hub recipes --markdown > recipes/README.md` makes it anew."""
    titles = {name: one.title for name, one in connectors.items()}
    assert (library.ROOT / "README.md").read_text("utf-8") == library.page(titles)
    assert list(library.FOLDERS) == list(dict.fromkeys(library.FOLDERS) | dict.fromkeys(recipe.folder for recipe in SINGLES))
