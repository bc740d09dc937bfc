"""Library: the recipes and programmes that ship with the hub: which there are, and what each needs.

A programme is a folder of `recipes/` with a hub.yaml, recipes of its own, and `made-of.yaml`, which names what it takes from
`recipes/single/`. There each folder says what sets a recipe off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import hub
from hub import document

ROOT = Path(hub.__file__).parent.parent / "recipes"
PROGRAMMES = ("repair", "cafe", "web-store")
SETTINGS = "hub.yaml"
_MADE_OF = "made-of.yaml"
_SINGLE = "single"
_OWN = "hub"
FOLDERS = {
    "purchase": "Purchases and payments",
    "work": "Jobs and deals",
    "booking": "Bookings",
    "review": "Reviews and surveys",
    "referral": "Referrals",
    "joining": "Joining",
    "date": "Birthdays, anniversaries, silence, expiry, statements",
    "points": "What follows from points and tiers",
    "redemption": "Rewards",
    "message": "Messages and consent",
    "ticket": "Support",
    "campaign": "Campaigns",
    "staff": "Staff",
}
"""What sets the recipes of a folder off."""
_HEAD = """\
# The library

Recipes that are ready to be taken. Each is one file, with what it does in a sentence and examples that `hub test` runs; change
what you like in your copy. `hub init` begins a workspace with one of the programmes, `hub recipes` finds single ones
(`--platform square`, `--trigger review`), and `hub recipes add NAME` copies one into the workspace's `recipes/`.

Fields of points, tier and expiry at platforms are no work for recipes: a connection's `mirror` keeps them right
([docs/connectors.md](../docs/connectors.md)).

| programme | what it is |
|---|---|
{programmes}

Each is made of recipes of its own and of those below that its `made-of.yaml` names."""


@dataclass(frozen=True)
class Recipe:
    """A recipe that ships. folder: what sets it off, or the programme whose own it is."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def folder(self) -> str:
        return self.path.parent.name

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def _said(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = document.load(self.text, self.path.name).plain()
        return said

    @property
    def title(self) -> str:
        return str(self._said.get("title") or "")

    @property
    def description(self) -> str:
        return str(self._said.get("description") or "")

    @property
    def whens(self) -> tuple[str, ...]:
        """What it waits for, without settings."""
        said = self._said.get("when")
        whens = said if isinstance(said, list) else [said]
        return tuple(one if isinstance(one, str) else next(iter(one or ("",))) for one in whens)

    @property
    def actions(self) -> tuple[str, ...]:
        """What it does, each once, in order."""
        steps = self._said.get("do") or ()
        known = ("as", "if", "on_failure")
        return tuple(dict.fromkeys(name for step in steps for name in step if name not in known))

    @property
    def needs(self) -> tuple[str, ...]:
        """The connectors that its names begin with: `twilio` of `twilio.send_sms`."""
        named = (name.partition(".")[0] for name in (*self.whens, *self.actions) if "." in name)
        return tuple(dict.fromkeys(one for one in named if one != _OWN))


def singles() -> list[Recipe]:
    """Every recipe that stands for itself, by what sets it off and its name."""
    return [Recipe(path) for path in sorted((ROOT / _SINGLE).glob("*/*.yaml"))]


def find(name: str) -> Recipe | None:
    """The recipe of that name that stands for itself."""
    return next((one for one in singles() if one.name == name), None)


def settings_of(programme: str) -> str:
    """The hub.yaml of a programme."""
    return (ROOT / programme / SETTINGS).read_text("utf-8")


def recipes_of(programme: str) -> list[Recipe]:
    """All that a programme is made of, by name: its own recipes and those that it takes from the single ones."""
    own = [path for path in (ROOT / programme).glob("*.yaml") if path.name not in (SETTINGS, _MADE_OF)]
    return sorted(map(Recipe, (*own, *_taken(programme))), key=lambda recipe: recipe.name)


def fitting(programme: str, connectors: Collection[str]) -> tuple[list[Recipe], list[tuple[Recipe, tuple[str, ...]]]]:
    """What a programme is made of with these connectors, and what has to be left out, each with those that it lacks."""
    kept, left_out = [], []
    for recipe in recipes_of(programme):
        lacking = tuple(one for one in recipe.needs if one not in connectors)
        if lacking:
            left_out.append((recipe, lacking))
        else:
            kept.append(recipe)
    return kept, left_out


def _taken(programme: str) -> Iterator[Path]:
    path = ROOT / programme / _MADE_OF
    taken = document.load(path.read_text("utf-8"), path.name).plain() if path.exists() else {}
    for folder, names in taken.items():
        yield from (ROOT / _SINGLE / folder / f"{name}.yaml" for name in names)


def page(titles: Mapping[str, str]) -> str:
    """recipes/README.md: all that ships, in tables. titles: of connectors, by their names."""
    programmes = [f"| [{name}]({name}) | {_first_line(name)} |" for name in PROGRAMMES]
    parts = [_HEAD.format(programmes="\n".join(programmes))]
    for folder, title in FOLDERS.items():
        parts.append(f"## {title}\n\n| recipe | waits for | what it does | needs |\n|---|---|---|---|")
        parts[-1] += "".join("\n" + _row(recipe, titles) for recipe in singles() if recipe.folder == folder)
    return "\n\n".join(parts) + "\n"


def _row(recipe: Recipe, titles: Mapping[str, str]) -> str:
    place = f"{_SINGLE}/{recipe.folder}/{recipe.path.name}"
    whens = ", ".join(f"`{when}`" for when in recipe.whens)
    needs = ", ".join(titles.get(one, one) for one in recipe.needs) or "–"
    return f"| [{recipe.name}]({place}) | {whens} | {recipe.title} | {needs} |"


def _first_line(programme: str) -> str:
    return settings_of(programme).partition("\n")[0].removeprefix("# ")
