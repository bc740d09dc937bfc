"""Checking: a workspace looked at as a whole, without opening its database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub import bootstrap
from hub.config import Settings
from hub.engine.alerts.telling import Alerts
from hub.engine.catalogue import Catalogue
from hub.engine.connecting import open_connections
from hub.engine.retention import Limits
from hub.errors import ConfigError, Problem
from hub.plugins import Broken
from hub.programme.settings import Programme
from hub.recipes.model import Plan
from hub.sdk import Connection, Connector, Sale
from hub.vault import complete

AWARD = "award"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. plans: the recipes that are right. problems: everything that is wrong.

    settings: with what the database keeps of the connections. stopped: by connection, the recipes that cannot run because it
    lacks something. broken: installed connectors that cannot be used. out_of_use: why the connections of these names and the
    recipes in these files stop. told: where the owner is told of trouble, and through what.
    """

    settings: Settings
    connectors: Mapping[str, Connector]
    connections: Mapping[str, Connection]
    programme: Programme | None
    catalogue: Catalogue | None
    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    stopped: Mapping[str, tuple[str, ...]]
    broken: tuple[Broken, ...] = ()
    out_of_use: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()


def look_at(settings: Settings) -> Checked:
    """Everything that is wrong with a workspace, in all of its files."""
    problems: list[Problem] = []
    broken: list[Broken] = []
    try:
        connectors = bootstrap.discover(broken.append)
    except ConfigError as error:
        return Checked(settings, {}, {}, None, None, (), error.problems, {})
    settings = complete(settings, connectors)
    out_of_use = bootstrap.find_out_of_use(settings, connectors, broken)
    try:
        connections = open_connections(settings, connectors, out_of_use)
    except ConfigError as error:
        problems += error.problems
        connections = {}
    try:
        programme = Programme.from_node(settings.programme_node)
    except ConfigError as error:
        return Checked(settings, connectors, connections, None, None, (), (*error.problems, *problems), {})
    problems += _wrong_in(lambda: Limits.from_node(settings.retention_node))
    catalogue = Catalogue(connectors, connections, programme, out_of_use)
    files: dict[str, str] = {}
    plans: tuple[Plan, ...] = ()
    alerts: Alerts | None = None
    if not problems:  # recipes and the owner name connections: one that is wrong would be found again in each of them
        try:
            alerts = bootstrap.open_alerts(settings, catalogue, (), programme, out_of_use)
        except ConfigError as error:
            problems += error.problems
        try:
            plans = tuple(bootstrap.load_plans(settings, catalogue, files.__setitem__))
        except ConfigError as error:
            problems += error.problems
    stopped = {
        one.name: tuple(plan.recipe.name for plan in plans if one.name in catalogue.connections_of(plan))
        for one in settings.connections
        if one.missing
    }
    named = {one.name: out_of_use[one.name] for one in settings.connections if one.name in out_of_use}
    return Checked(
        settings,
        connectors,
        connections,
        programme,
        catalogue,
        plans,
        tuple(problems),
        stopped,
        broken=tuple(broken),
        out_of_use={**named, **files},
        told=alerts.reaches if alerts is not None else (),
    )


def twice_awarded(checked: Checked) -> list[str]:
    """Connections whose platform gives points for its sales by itself, with the recipes that would give more for the same."""
    found = []
    for name, connection in checked.connections.items():
        also = connection.connector.also_awards
        what = also(connection.settings) if also is not None else ""
        recipes = ", ".join(plan.recipe.name for plan in checked.plans if _awards_sales_of(plan, connection)) if what else ""
        if recipes:
            found.append(f"connection {name}: {what} gives points for its sales too; recipes that would give more: {recipes}")
    return found


def _awards_sales_of(plan: Plan, connection: Connection) -> bool:
    connector = connection.connector
    sales = [trigger.name for trigger in connector.triggers.values() if issubclass(trigger.gives, Sale)]
    topics = {Sale.fact, *(f"{owner}.{name}" for owner in (connection.name, connector.name) for name in sales)}
    heard = topics & {when.name for when in plan.whens}
    return bool(heard) and plan.recipe.enabled and any(step.action == AWARD for step in plan.steps)


def _wrong_in(read: Callable[[], object]) -> Sequence[Problem]:
    """What a section's owner finds wrong with it."""
    try:
        read()
    except ConfigError as error:
        return error.problems
    return ()
