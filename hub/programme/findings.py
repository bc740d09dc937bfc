"""Findings: what a model has against a part of hub.yaml, each finding at its place in the file."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hub.document import Node, Scalar, did_you_mean, key_at, place_at
from hub.errors import Problem


def problems(error: ValidationError, node: Node, model: type[BaseModel]) -> list[Problem]:
    """One Problem for each finding of the model that was given `node.plain()`, in the order of the file."""
    found = [_problem(finding, node, model) for finding in error.errors(include_url=False)]
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def _problem(found: Any, node: Node, model: type[BaseModel]) -> Problem:
    path = [part for part in found["loc"] if part != "[key]"]
    place, parent = place_at(node, path)
    said, name = found["msg"].removeprefix("Value error, "), str(path[-1]) if path else ""
    if found["type"] == "missing":
        return parent.problem(f"`{name}` is missing", f"add `{name}:`")
    if found["type"] == "extra_forbidden":
        known = _keys(model, path[:-1])
        hint = did_you_mean(name, known) or f"known here: {', '.join(known)}"
        return key_at(parent, name).problem(f"`{name}` is not a setting of this section", hint)
    if found["loc"] and found["loc"][-1] == "[key]":
        return key_at(parent, name).problem(f"`{name}` cannot stand here: {_small(said)}")
    if found["type"] == "value_error":
        return place.problem(said)
    value = f"`{place.text}`" if isinstance(place, Scalar) else place.what
    return place.problem(f"`{name}` is {value}: {_small(said)}")


def _keys(model: type[BaseModel] | None, path: list[Any]) -> list[str]:
    """The keys that the model knows at a path."""
    for part in path:
        if model is None:
            return []
        if isinstance(part, str):
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            model = _model_in(fields[part].annotation) if part in fields else None
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
