"""Settings: what a connection must be told, and its secrets, which never show themselves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

_MISSING: Any = object()


@final
class Secret:
    """A secret with its current values: more than one while it is being rotated, the newest first. Prints as stars."""

    __slots__ = ("_values",)

    def __init__(self, *values: str) -> None:
        if not values or not all(values):
            raise ValueError("a secret needs a value")
        self._values = values

    def reveal(self) -> str:
        """The newest value."""
        return self._values[0]

    @property
    def values(self) -> tuple[str, ...]:
        """All current values, newest first."""
        return self._values

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True)
class Setting:
    """One thing that a connection must (or may) say.

    kind: its Python type. example: a value of the right form, for samples and pages. default: used where nothing is said.
    """

    name: str
    doc: str = ""
    kind: Any = str
    secret: bool = False
    default: Any = _MISSING
    example: Any = None

    @property
    def required(self) -> bool:
        """True when the connection does not work without it."""
        return self.default is _MISSING

    @cached_property
    def _reader(self) -> TypeAdapter[Any]:
        of_its_own = isinstance(self.kind, type) and issubclass(self.kind, BaseModel)  # a model says itself how it reads
        return TypeAdapter(self.kind, config=None if of_its_own else ConfigDict(coerce_numbers_to_str=True))

    def read(self, given: Any) -> Any:
        """The value from what a person wrote. ValueError when it is none."""
        return _secret(given) if self.secret else self._reader.validate_python(given)


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A finding about one setting: its name, what is wrong and what to do.

    inside: where in it, by names and numbers. is_name: it is about a name that stands there, not about what follows it.
    """

    name: str
    message: str
    hint: str = ""
    inside: tuple[str | int, ...] = ()
    is_name: bool = False


class Unfit(ValueError):
    """What a connection says does not go together, though each setting alone is right; `fit` functions raise it."""

    def __init__(self, name: str, message: str, hint: str = "", inside: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.problem = SettingProblem(name, message, hint, inside)


@final
class Settings(Mapping[str, Any]):
    """One connection's settings by name; secrets are `Secret`. Every declared name is there, None where nothing was said."""

    __slots__ = ("_secrets", "_values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self._secrets = tuple(text for value in values.values() if isinstance(value, Secret) for text in value.values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Settings({self._values!r})"

    def secret(self, name: str) -> Secret | None:
        """The secret of that name, or None when it is not set."""
        value = self._values.get(name)
        return value if isinstance(value, Secret) else None

    def secrets(self) -> tuple[str, ...]:
        """Every current secret text, for striking them out of logs."""
        return self._secrets


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """The settings that a connector asks for; forms add up with `+`."""

    settings: tuple[Setting, ...] = ()

    def __post_init__(self) -> None:
        names = [setting.name for setting in self.settings]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"settings declared twice: {', '.join(sorted(twice))}")

    def __add__(self, other: SettingsForm) -> SettingsForm:
        return SettingsForm(self.settings + other.settings)

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.settings)

    def __contains__(self, name: object) -> bool:
        return any(setting.name == name for setting in self.settings)

    def problems(self, values: Mapping[str, Any]) -> list[SettingProblem]:
        """What is wrong with the values that a person wrote; no secret is repeated in it."""
        return self._read(values)[1]

    def read(self, values: Mapping[str, Any]) -> Settings:
        """The settings from what a person wrote; a secret is a text, or a list of texts while it is rotated.

        ValueError when `problems` finds any.
        """
        settings, problems = self._read(values)
        if problems:
            raise ValueError("; ".join(problem.message for problem in problems))
        return settings

    def _read(self, values: Mapping[str, Any]) -> tuple[Settings, list[SettingProblem]]:
        known = [setting.name for setting in self.settings]
        problems = [_unknown(name, known) for name in values if name not in known]
        read: dict[str, Any] = {}
        for setting in self.settings:
            given = values.get(setting.name)
            if given is None or given == "":
                read[setting.name] = None if setting.required else setting.default
                if setting.required:
                    problems.append(SettingProblem(setting.name, f"`{setting.name}` is missing", setting.doc))
                continue
            try:
                read[setting.name] = setting.read(given)
            except ValidationError as error:
                problems += _found(setting, given, error)
            except ValueError as error:
                problems.append(SettingProblem(setting.name, f"`{setting.name}` {error}", setting.doc))
        return Settings(read), problems

    def example(self) -> dict[str, Any]:
        """Values of the right form for every setting, for samples; nobody's secrets."""
        return {setting.name: _example(setting) for setting in self.settings}


def _unknown(name: str, known: list[str]) -> SettingProblem:
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"it knows: {', '.join(known) or 'no settings at all'}"
    return SettingProblem(name, f"`{name}` is not a setting of this connector", hint, is_name=True)


def _secret(given: Any) -> Secret:
    if isinstance(given, Secret):
        return given
    values = given if isinstance(given, list | tuple) else [given]
    if not values or not all(isinstance(value, str) and value for value in values):
        raise ValueError("must be text, or a list of texts while it is rotated; put quotes around it")
    return Secret(*values)


def _found(setting: Setting, given: Any, error: ValidationError) -> Iterator[SettingProblem]:
    """What is wrong with a setting, each place once: of a value that could be one of several kinds, all are tried."""
    seen: set[tuple[str | int, ...]] = set()
    for found in error.errors(include_url=False, include_context=False):
        place = _inside(given, found["loc"])
        if place not in seen:
            seen.add(place)
            is_name = found["loc"][-1:] == ("[key]",) or found["type"] == "extra_forbidden"
            yield SettingProblem(setting.name, f"`{setting.name}` {_said(given, found)}", setting.doc, place, is_name)


def _inside(given: Any, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The part of a location that stands in what was given: models and kinds of theirs have names in it too."""
    place: list[str | int] = []
    for part in loc:
        stands = part in given if isinstance(given, Mapping) else isinstance(given, list) and isinstance(part, int)
        if stands:
            given = given[part]
            place.append(part)
    return tuple(place)


def _said(given: Any, found: Any) -> str:
    # A mapping may be long: what is wrong is one thing in it.
    inside = ".".join(str(part) for part in found["loc"] if part != "[key]")
    words = found["msg"].removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"lacks `{inside}`"
    if found["type"] == "value_error" and isinstance(found["input"], Mapping):  # it speaks of the mapping as a whole
        return f"has in `{inside}`: {words}" if inside else words
    return f"has in `{inside}` {found['input']!r}: {_small(words)}" if inside else f"is {given!r}: {_small(words)}"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _example(setting: Setting) -> Any:
    if setting.example is not None:
        return setting.example
    if setting.kind is str:
        return f"example-{setting.name.replace('_', '-')}"
    return None if setting.required else setting.default


def secrets(*names: str, **described: str) -> SettingsForm:
    """Secrets by name: `secrets("api_key")`, or with a sentence each: `secrets(api_key="Settings > API")`."""
    plain = [Setting(_named(name), secret=True) for name in names]
    return SettingsForm((*plain, *(Setting(_named(name), doc, secret=True) for name, doc in described.items())))


def secret(name: str, doc: str = "", *, required: bool = True, example: str | None = None) -> SettingsForm:
    """One secret; `required=False` when the connection works without it."""
    return SettingsForm((Setting(_named(name), doc, str, True, _MISSING if required else None, example),))


def setting(name: str, doc: str = "", kind: Any = str, *, default: Any = _MISSING, example: Any = None) -> SettingsForm:
    """One open setting. kind: its type, for instance `bool` or `dict[str, str]`. Without a default it is required."""
    return SettingsForm((Setting(_named(name), doc, kind, False, default, example),))


def _named(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} is not a name for a setting (lower case, digits, underscores)")
    return name
