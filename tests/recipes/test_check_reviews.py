"""Reviews: a recipe that pays by the rating is refused, at its place and with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import ConfigError
from hub.recipes import load

HEAD = "recipe: reviews\ntitle: Reviews\n"


def _problems(text: str, shop: Any) -> list[tuple[int, int]]:
    try:
        load(HEAD + text, "recipes/reviews.yaml", shop)
    except ConfigError as error:
        assert all("event.rating" in one.message and "rating_may_decide" in one.hint for one in error.problems), error
        return [(one.line, one.column) for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("when: review\nif: event.rating >= 4\ndo:\n  - award: {points: 50}\n", [(4, 5)]),
        ("when: review\ndo:\n  - award: {points: 50}\n    if: event.rating > 3\n", [(6, 9)]),
        ("when: review\ndo:\n  - award: {points: event.rating * 10}\n", [(5, 12)]),
        ("when: review\ndo:\n  - award: {points: 50 if event.rating == 5 else 10}\n", [(5, 12)]),
        ("when: review\nif: default(event.rating, 0) >= 4\ndo:\n  - award: {points: 50}\n", [(4, 5)]),
    ],
    ids=["the recipe", "the step", "the sum", "one of two sums", "inside a function"],
)
def test_points_by_rating_are_refused(shop: Any, text: str, places: list[tuple[int, int]]) -> None:
    """Wherever the rating decides."""
    assert _problems(text, shop) == places


@pytest.mark.parametrize(
    "text",
    [
        "when: review\ndo:\n  - award: {points: 50}\n  - tag: {tags: [unhappy]}\n    if: event.rating <= 2\n",
        "when: review\nif: event.rating <= 2\ndo:\n  - tag: {tags: [unhappy]}\n",
        'when: review\nif: event.text != ""\ndo:\n  - award: {points: 50}\n',
        "when: review\nrating_may_decide: true\nif: event.rating >= 4\ndo:\n  - award: {points: 50}\n",
    ],
    ids=["another step", "no award", "by its words", "allowed"],
)
def test_what_does_not_pay_by_rating_is_let_alone(shop: Any, text: str) -> None:
    """Looking after unhappy people is what ratings are for; and a recipe may say that the law allows more."""
    assert _problems(text, shop) == []
