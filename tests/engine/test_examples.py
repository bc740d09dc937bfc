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


def tried(world: Any, text: str) -> list[str]:
    plan = load(f"recipe: one\n{text}", "recipes/one.yaml", world.hub.catalogue)
    return [problem for one in try_examples(plan, world.hub.catalogue, world.hub.programme) for problem in one.problems]


def test_an_example_may_say_what_it_takes_for_granted_of_the_programme(make: Any) -> None:
    """Its rewards, its name and the like: it comes out in any workspace; what is no programme is told."""
    world = make()
    text = (
        'when: sale\ndo:\n  - redeem: {reward: tea}\n  - set_attribute: {name: at, value: "{{ programme.name }}"}\n'
        "examples:\n  - member: {balance: 9}\n    programme: {name: Bean Card, rewards: [{id: tea, title: A tea, cost: 4}]}\n"
        "    expect: {redeem: {outcome: done, balance: 5}, set_attribute: {value: Bean Card}}\n"
    )
    assert tried(world, text) == []
    assert "rewords" in tried(world, text.replace("name: Bean Card,", "rewords: [],"))[0]


def test_a_step_that_failed_says_why(make: Any) -> None:
    """Else nobody sees why an example did not do what it promises."""
    world = make()
    text = (
        "when: sale\ndo:\n  - wait: {until: event.occurred_at + 9000 days}\n    on_failure: continue\n"
        "examples:\n  - expect: {wait: {}}\n"
    )
    assert "wait failed: " in tried(world, text)[0] and "more than ten years away" in tried(world, text)[0]


def test_what_is_both_asked_and_given_may_be_either(make: Any) -> None:
    """An input and a result of one name: what a platform's own sample answers is nobody's expectation."""
    world = make()
    text = (
        "when: sale\ndo:\n  - letters.mark: {member: ann, mark: vip}\n"
        "examples:\n  - expect: {letters.mark: {member: ann, mark: vip}}\n"
    )
    assert tried(world, text) == []
