"""Plans: the checked recipes by what they listen to, and old versions for the runs that are bound to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel

from hub.clock import to_text
from hub.engine.catalogue import Catalogue
from hub.engine.events import queries
from hub.engine.traces import Reasons
from hub.recipes.check import load as load_plan
from hub.recipes.model import Plan, PlannedStep, PlannedWhen
from hub.sdk.watch import Watch
from hub.store import Session, Unit

MANUAL = "manual"


def topic_of(plan: Plan, when: PlannedWhen) -> str:
    """The name under which the events reach this plan; a manual trigger is the recipe's own."""
    return manual_topic(plan.recipe.name) if when.name == MANUAL else when.text


def manual_topic(recipe: str) -> str:
    """The topic of the button of a recipe."""
    return f"{MANUAL}:{recipe}"


def _awaits(step: PlannedStep) -> bool:
    return step.action == "wait" and "fact" in step.inputs and step.inputs["fact"].constant


class Plans:
    """The recipes of a workspace, ready to run."""

    def __init__(self, plans: Sequence[Plan], catalogue: Catalogue) -> None:
        self.current = {plan.recipe.name: plan for plan in plans}
        self._catalogue = catalogue
        self._by_topic: dict[str, list[Plan]] = {}
        self._pinned = {(plan.recipe.name, plan.recipe.version): plan for plan in plans}
        self.reasons = Reasons()
        self._heard: dict[tuple[str, ...], list[Plan]] = {}
        self._awaited = {step.inputs["fact"].evaluate({}) for plan in plans for step in plan.steps if _awaits(step)}
        for plan in plans:
            if plan.recipe.enabled:
                for when in plan.whens:
                    self._by_topic.setdefault(topic_of(plan, when), []).append(plan)

    def listening(self, topics: tuple[str, ...]) -> list[Plan]:
        """The enabled recipes that hear of one of these topics, each once, in the order of their names."""
        heard = self._heard.get(topics)
        if heard is None:
            found = {plan.recipe.name: plan for topic in topics for plan in self._by_topic.get(topic, ())}
            heard = self._heard[topics] = [found[name] for name in sorted(found)]
        return heard

    def listens(self, topic: str) -> bool:
        """Whether any enabled recipe hears of the topic, or a run may wait for it."""
        return topic in self._by_topic or topic in self._awaited

    def watched(self) -> Iterable[PlannedWhen]:
        """The built-in timers that enabled recipes listen to, each once."""
        found: dict[str, PlannedWhen] = {}
        for plan in self.current.values():
            if plan.recipe.enabled:
                found.update({when.text: when for when in plan.whens if self._catalogue.watch(when.name) is not None})
        return found.values()

    def keep_versions(self, unit: Unit, now: datetime) -> None:
        """Keep the text of every recipe, so that its runs can go on after it is edited."""
        for plan in self.current.values():
            recipe = plan.recipe
            row = (recipe.name, recipe.version, recipe.source, recipe.path, to_text(now))
            unit.append(queries.add_recipe_version, row)

    def pinned(self, session: Session, recipe: str, version: str) -> Plan:
        """The recipe as it was when the run began. ConfigError when its text no longer fits the catalogue."""
        plan = self._pinned.get((recipe, version))
        if plan is None:
            row = session.row(queries.recipe_sources, recipe=recipe, version=version)
            if row is None:
                raise LookupError(f"recipe {recipe} {version} was never kept")
            plan = self._pinned[recipe, version] = load_plan(row["source"], row["path"], self._catalogue)
        return plan


def watch_settings(watch: Watch, when: PlannedWhen) -> BaseModel:
    """The settings of a timer as a recipe gives them. ValidationError when it does not take them."""
    return watch.settings.model_validate({name: value for name, value in when.settings.items() if value is not None})
