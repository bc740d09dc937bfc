"""The JSON Schema: accepts what the checker accepts, and refuses the gross mistakes while one types."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from hub.recipes import Vocabulary, json_schema

GOOD: dict[str, Any] = {
    "recipe": "points",
    "title": "Points",
    "when": "sale",
    "if": "event.amount > 1",
    "once_per": "event.order_id",
    "do": [
        {"award": {"points": "event.amount", "expires": "12 months", "rounding": "floor"}, "as": "earned"},
        {"tag": {"tags": ["a"], "notes": {"x": "y"}}, "if": "earned.points > 0", "on_failure": "continue"},
        {"post": None},
    ],
    "examples": [
        {"given": {"amount": 1}, "member": {"tier": "Gold"}, "expect": "nothing"},
        {"expect": {"award": {"points": 1}}},
    ],
}


@pytest.fixture
def schema(shop: Vocabulary) -> dict[str, Any]:
    made = json_schema(shop)
    jsonschema.Draft202012Validator.check_schema(made)
    return made


def test_it_is_plain_json(schema: dict[str, Any]) -> None:
    """The schema can be written to a file as it is."""
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"when": ["sale", {"lapsed": {"after": "60 days"}}]},
        {"when": {"lapsed": {"after": "60 days", "again": True}}},
        {"do": [{"award": {"points": 10, "rounding": "{{ member.tier }}"}}]},
    ],
)
def test_good_recipes_pass(change: dict[str, Any], schema: dict[str, Any]) -> None:
    """What the language allows, the editor does not underline."""
    jsonschema.validate({**GOOD, **change}, schema)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": "Has Spaces"},
        {"when": "sael"},
        {"when": "lapsed"},
        {"when": {"lapsed": {}}},
        {"limits": 3},
        {"do": []},
        {"do": [{"awrad": {"points": 1}}]},
        {"do": [{"award": {}}]},
        {"do": [{"award": {"points": 1, "wat": 2}}]},
        {"do": [{"award": {"points": 1, "rounding": "up"}}]},
        {"do": [{"award": {"points": 1}, "redeem": {"points": 1}}]},
        {"do": [{"award": {"points": 1}, "on_failure": "ignore"}]},
        {"examples": [{"given": {}}]},
    ],
    ids=str,
)
def test_mistakes_are_seen(change: dict[str, Any], schema: dict[str, Any]) -> None:
    """Wrong names, missing and unknown inputs are refused."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**GOOD, **change}, schema)
