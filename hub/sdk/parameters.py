"""Parameters: a function's signature as its contract: left of `*` what the hub hands over, right of it what is filled in.

A decorated function stays a plain function; what is read here stands beside it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo


class Inputs(BaseModel):
    """What a recipe fills in for an action or a watch; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a function takes and gives.

    handed: types left of the star by parameter name, in order. inputs: the model of what stands right of it.
    gives: the types in its return annotation, without None and without the list around them.
    """

    function: Callable[..., Any]
    name: str
    doc: str
    handed: Mapping[str, Any]
    inputs: type[BaseModel]
    gives: tuple[Any, ...]

    def call(self, handed: Mapping[Any, Any], inputs: BaseModel | None = None) -> Any:
        """Calls the function with what it asks for. TypeError when it asks for something that is not at hand."""
        try:
            given = [handed[kind] for kind in self.handed.values()]
        except KeyError:
            missing = [kind for kind in self.handed.values() if kind not in handed]
            names = ", ".join(getattr(kind, "__name__", str(kind)) for kind in missing)
            raise TypeError(f"{self.name} asks for {names}, which is not handed over here") from None
        values = {} if inputs is None else {name: inputs.__dict__[name] for name in self.inputs.__pydantic_fields__}
        return self.function(*given, **values)


def read(function: Callable[..., Any]) -> Contract:
    """The contract of a function. TypeError when a parameter has no type."""
    name = function.__name__
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{name} speaks of `{error.name}`; import it for good, or define it at the top of the module") from None
    handed: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            raise TypeError(f"{name} takes *{parameter.name}; name every parameter, so that people can see it")
        if parameter.name not in hints:
            raise TypeError(f"{name} says no type for `{parameter.name}`")
        hint = hints[parameter.name]
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hint, _described(hint, default))
        else:
            handed[parameter.name] = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    inputs = create_model(_camel(name), __base__=Inputs, __doc__=function.__doc__, __module__=function.__module__, **fields)
    return Contract(function, name, inspect.cleandoc(function.__doc__ or ""), handed, inputs, _given(hints.get("return")))


def _described(hint: Any, default: Any) -> Any:
    """A text in `Annotated[str, "the sentence"]` is the field's help."""
    extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    if isinstance(default, FieldInfo):
        return default
    sentence = next((extra for extra in extras if isinstance(extra, str)), None)
    return default if sentence is None else Field(default, description=sentence)


def _given(hint: Any) -> tuple[Any, ...]:
    if hint is None or hint is types.NoneType:
        return ()
    origin = get_origin(hint)
    if origin is Annotated:
        return _given(get_args(hint)[0])
    if origin in {Union, types.UnionType}:
        return tuple(kind for part in get_args(hint) for kind in _given(part))
    if origin in {list, tuple, Iterable, Iterator, Sequence}:
        return tuple(kind for part in get_args(hint) if part is not ... for kind in _given(part))
    return (hint,)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def findings(error: ValidationError, root: str = "") -> str:
    """What a model did not like, each with the path of its field; a value is shown short, and never a float's repr twice."""
    said = []
    for found in error.errors(include_url=False, include_context=False)[:8]:
        path = ".".join(str(part) for part in (*([root] if root else []), *found["loc"])) or "the value"
        if found["type"] == "missing":
            said.append(f"`{path}` is missing")
        else:
            message = found["msg"].removeprefix("Value error, ")
            said.append(f"`{path}` is {_short(found['input'])}: {message[:1].lower()}{message[1:]}")
    return "; ".join(said)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
