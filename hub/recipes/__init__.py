"""Recipes: YAML read with positions, checked against what there is, and compiled into plans."""

from hub.recipes.check import load, load_folder, version_of
from hub.recipes.expression import Compiled, Names, compile_expression
from hub.recipes.model import Example, Expected, Plan, PlannedStep, PlannedWhen, Recipe, Step, When
from hub.recipes.schema import json_schema
from hub.recipes.template import compile_template
from hub.recipes.types import Field, Type, record_of, shared, type_of
from hub.recipes.vocabulary import ActionType, Input, Missing, OutOfUse, Vocabulary, WhenType

__all__ = [
    "ActionType",
    "Compiled",
    "Example",
    "Expected",
    "Field",
    "Input",
    "Missing",
    "Names",
    "OutOfUse",
    "Plan",
    "PlannedStep",
    "PlannedWhen",
    "Recipe",
    "Step",
    "Type",
    "Vocabulary",
    "When",
    "WhenType",
    "compile_expression",
    "compile_template",
    "json_schema",
    "load",
    "load_folder",
    "record_of",
    "shared",
    "type_of",
    "version_of",
]
