"""Schema: the JSON Schema of recipe files, from the live vocabulary, so that editors complete and check while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.recipes.check import NAME_CHARACTERS, NAME_PATTERN, RESERVED_KEYS
from hub.recipes.check_examples import EXAMPLES_MOST
from hub.recipes.check_reviews import KEY as RATING_MAY_DECIDE
from hub.recipes.check_steps import STEPS_MOST
from hub.recipes.check_whens import WHENS_MOST
from hub.recipes.types import Type
from hub.recipes.vocabulary import ActionType, Input, Missing, Vocabulary, WhenType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOTES = {
    "number": "A number or an expression.",
    "integer": "A whole number or an expression.",
    "money": "An amount in the programme's currency, or an expression.",
    "points": "Points, or an expression.",
    "boolean": "true, false or an expression.",
    "date": "A date such as 2026-12-24, or an expression.",
    "moment": "A date with time such as 2026-12-24T18:00:00Z, or an expression.",
    "duration": "A length of time such as 12 months, or an expression.",
    "text": "Text; {{ expressions }} may stand in it.",
}
_NUMERIC = frozenset(["number", "integer", "money", "points"])


def json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of one recipe file."""
    expression = {"type": ["string", "boolean", "number"]}
    properties: dict[str, Any] = {
        "recipe": {
            "type": "string",
            "pattern": f"^{NAME_PATTERN}$",
            "maxLength": NAME_CHARACTERS,
            "description": "The name: small letters, digits and `-`.",
        },
        "title": {"type": "string", "description": "What people read."},
        "description": {"type": "string"},
        "owner": {"type": "string", "description": "Who looks after it."},
        RATING_MAY_DECIDE: {"type": "boolean", "default": False, "description": "The law here lets a rating decide on points."},
        "enabled": {"type": "boolean", "default": True},
        "when": _when(vocabulary),
        "if": {**expression, "description": "A condition: event.amount >= 20"},
        "once_per": {"type": "string", "description": "What it runs for only once: event.order_id"},
        "do": {"type": "array", "minItems": 1, "maxItems": STEPS_MOST, "items": {"$ref": "#/$defs/step"}},
        "examples": {"type": "array", "maxItems": EXAMPLES_MOST, "items": _example(vocabulary)},
    }
    return {
        "$schema": DIALECT,
        "title": "Recipe",
        "type": "object",
        "required": ["recipe", "when", "do"],
        "properties": properties,
        "additionalProperties": False,
        "$comment": f"Reserved for later versions: {', '.join(RESERVED_KEYS)}.",
        "$defs": {"step": _step(vocabulary)},
    }


def _known_whens(vocabulary: Vocabulary) -> list[WhenType]:
    found = [vocabulary.when(name) for name in vocabulary.when_names()]
    return [one for one in found if not isinstance(one, Missing)]


def _known_actions(vocabulary: Vocabulary) -> list[ActionType]:
    found = [vocabulary.action(name) for name in vocabulary.action_names()]
    return [one for one in found if not isinstance(one, Missing)]


def _when(vocabulary: Vocabulary) -> dict[str, Any]:
    known = _known_whens(vocabulary)
    names = {"enum": [one.name for one in known if not _required(one.settings)]}
    with_settings = {
        "type": "object",
        "minProperties": 1,
        "properties": {one.name: _inputs(one.settings, one.doc) for one in known},
        "additionalProperties": False,
    }
    several = {"type": "array", "minItems": 1, "maxItems": WHENS_MOST, "items": {"anyOf": [names, with_settings]}}
    return {"anyOf": [names, several, with_settings], "description": "What the recipe waits for."}


def _step(vocabulary: Vocabulary) -> dict[str, Any]:
    actions = _known_actions(vocabulary)
    properties: dict[str, Any] = {one.name: _inputs(one.inputs, one.doc) for one in actions}
    aside = {
        "as": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "What later steps call its result."},
        "if": {"type": ["string", "boolean"], "description": "A condition; when false, the step is left out."},
        "on_failure": {"enum": ["hold", "continue"], "default": "hold"},
    }
    return {
        "type": "object",
        "properties": {**properties, **aside},
        "additionalProperties": False,
        "oneOf": [{"required": [one.name]} for one in actions],
    }


def _example(vocabulary: Vocabulary) -> dict[str, Any]:
    names = [one.name for one in _known_actions(vocabulary)]
    values = {"type": ["object", "array", "null"]}
    return {
        "type": "object",
        "required": ["expect"],
        "properties": {
            "when": {"enum": [one.name for one in _known_whens(vocabulary)]},
            "given": {"type": ["object", "null"], "description": "Laid over the trigger's own sample."},
            "programme": {"type": ["object", "null"], "description": "Laid over the programme of hub.yaml."},
            "member": {"type": ["object", "null"], "properties": dict.fromkeys(vocabulary.member.fields or {}, True)},
            "now": {"type": "string"},
            "expect": {"anyOf": [{"const": "nothing"}, {"type": "object", "properties": dict.fromkeys(names, values)}]},
        },
        "additionalProperties": False,
    }


def _required(inputs: Mapping[str, Input]) -> list[str]:
    return [name for name, one in inputs.items() if one.required]


def _inputs(inputs: Mapping[str, Input], doc: str) -> dict[str, Any]:
    required = _required(inputs)
    schema: dict[str, Any] = {
        "type": "object" if required else ["object", "null"],
        "properties": {name: _described(one) for name, one in inputs.items()},
        "additionalProperties": False,
    }
    return {**schema, **({"required": required} if required else {}), **({"description": doc} if doc else {})}


def _described(one: Input) -> dict[str, Any]:
    schema = value_schema(one.type if one.required else one.type.or_none())
    said = " ".join(part for part in (one.doc, _NOTES.get(one.type.kind, "")) if part)
    return {**schema, "description": said} if said else schema


def value_schema(kind: Type) -> dict[str, Any]:
    """What may stand where a value of this type is asked for."""
    nothing = ["null"] if kind.optional else []
    if kind.choices:
        words = [*kind.choices, *([None] if kind.optional else [])]
        return {"anyOf": [{"enum": words}, {"type": "string", "pattern": r"\{\{"}]}
    if kind.kind in {"list", "map", "record"}:
        return _compound(kind, nothing)
    if kind.kind == "any":
        return {}
    plain = ["string"]
    if kind.kind in _NUMERIC or kind.kind == "text":
        plain.append("number")
    if kind.kind in {"boolean", "text"}:
        plain.append("boolean")
    return {"type": [*plain, *nothing]}


def _compound(kind: Type, nothing: list[str]) -> dict[str, Any]:
    held = value_schema(kind.of) if kind.of else {}
    if kind.kind == "list":
        return {"type": ["array", "string", *nothing], "items": held}
    if kind.kind == "map":
        return {"type": ["object", "string", *nothing], "additionalProperties": held}
    fields = {name: value_schema(field.type) for name, field in (kind.fields or {}).items()}
    return {"type": ["object", "string", *nothing], "properties": fields, "additionalProperties": False}
