"""docs/recipes.md: its recipes run, its expressions give what it says, its functions are all there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hub import document
from hub.bootstrap import discover
from hub.engine.catalogue import Catalogue
from hub.engine.examples import try_examples
from hub.errors import ConfigError
from hub.programme.members import MemberView
from hub.programme.settings import Programme
from hub.recipes import Names, compile_expression, load
from hub.recipes.check import KEYS, RESERVED_KEYS
from hub.recipes.expression.functions import FUNCTIONS
from hub.recipes.values import shown
from hub.sdk import Connection

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"```yaml\n(recipe: .*?)```", PAGE, re.DOTALL)
EXPRESSIONS = re.findall(
    r"^\| `(.+)` \| (.+) \|$", PAGE.partition("| expression | gives |")[2].partition("\n\n")[0], re.MULTILINE
)
FUNCTION_ROWS = re.findall(r"^\| `(.+)` \| (.+) \|$", PAGE.partition("| function |")[2].partition("\n\n")[0], re.MULTILINE)
PROGRAMME = (
    "name: Repairs\ntimezone: America/Chicago\ncurrency: USD\ntiers: [{name: Bronze, from: 0}, {name: Gold, from: 100}]\n"
)


@pytest.fixture(scope="module")
def programme() -> Programme:
    return Programme.from_node(document.load(PROGRAMME, "hub.yaml"))


@pytest.fixture(scope="module")
def catalogue(programme: Programme) -> Catalogue:
    connectors = discover()
    twilio = connectors["twilio"]
    settings = twilio.settings.read(twilio.settings.example())
    return Catalogue(connectors, {"twilio": Connection(name="twilio", connector=twilio, settings=settings)}, programme)


@pytest.mark.parametrize("source", RECIPES, ids=lambda source: source.split("\n")[0])
def test_recipes_run_as_they_say(source: str, catalogue: Catalogue, programme: Programme) -> None:
    """Each recipe of the page passes the check against the real catalogue, and its examples come out."""
    plan = load(source, "recipes/points-for-repairs.yaml", catalogue)
    tried = list(try_examples(plan, catalogue, programme))
    assert len(tried) == len(plan.recipe.examples) == 2
    assert [one.problems for one in tried if one.problems] == []


@pytest.mark.parametrize(("text", "gives"), EXPRESSIONS)
def test_expressions_give_what_it_says(text: str, gives: str, names: Names, scope: dict[str, Any]) -> None:
    """Each row of the table of expressions is true."""
    found, faults = compile_expression(text, names)
    assert not faults
    assert found is not None
    assert shown(found.evaluate(scope)) == gives


def test_there_are_expressions() -> None:
    """The table was found."""
    assert len(EXPRESSIONS) == 14


def test_every_function_is_listed() -> None:
    """Usage and sentence of each function stand on the page, and no other function does."""
    assert [(function.usage, function.doc) for function in FUNCTIONS.values()] == FUNCTION_ROWS


def test_every_action_of_the_hub_is_listed(catalogue: Catalogue) -> None:
    """The table names each once, and no other."""
    table = PAGE.partition("| action | what it does |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]
    assert sorted(named) == sorted(name for name in catalogue.action_names() if "." not in name)


def test_every_trigger_of_the_hub_is_listed(catalogue: Catalogue) -> None:
    """What comes by itself stands in the table of `when`."""
    table = PAGE.partition("## When")[2].partition("## Do")[0]
    own = [name for name in catalogue.when_names() if name.startswith("hub.") or catalogue.watch(name) or name == "manual"]
    assert [name for name in own if not re.search(rf"\b{re.escape(name)}\b", table)] == []


def test_every_field_of_a_member_is_listed() -> None:
    """The table names each once, and no other."""
    table = PAGE.partition("| `member.` |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]
    assert sorted(named) == sorted(MemberView.model_fields)


@pytest.mark.parametrize("key", [*KEYS, *RESERVED_KEYS])
def test_every_key_is_listed(key: str) -> None:
    """The page says what each key is."""
    assert f"`{key}`" in PAGE


def test_the_mistake_looks_as_shown(catalogue: Catalogue) -> None:
    """The message at the end of the page is the one that the checker gives."""
    source = RECIPES[0].replace("event.amount * (", "event.amout * (")
    with pytest.raises(ConfigError) as caught:
        load(source, "recipes/points-for-repairs.yaml", catalogue)
    assert str(caught.value) in PAGE
