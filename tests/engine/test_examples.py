"""Examples: what a recipe says of itself is tried with the very names by which it listens."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine.examples import try_examples
from hub.recipes.check import load

EXAMPLES = "examples:\n  - given: {amount: 4.00}\n    expect: {award: {points: 4}}\n"
SHOP2 = "public_url: https://points.example.com\nconnections:\n  shop2: {connector: till, key: k}\n"


@pytest.mark.parametrize("when", ["sale", "till.payment", "shop2.payment"])
def test_an_example_is_heard_by_whatever_name_the_recipe_listens_to(make: Any, when: str) -> None:
    """A fact from anywhere, a trigger of a connector, or that of one connection."""
    world = make(connections=SHOP2)
    text = f"recipe: points\nwhen: {when}\ndo:\n  - award: {{points: event.amount}}\n{EXAMPLES}"
    plan = load(text, "recipes/points.yaml", world.hub.catalogue)
    (tried,) = try_examples(plan, world.hub.catalogue, world.hub.programme)
    assert tried.problems == ()
