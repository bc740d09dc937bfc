"""Checking: a workspace looked at as a whole, without opening its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub import bootstrap
from hub.config import ConnectionConfig, Settings, Values
from hub.engine.catalogue import Catalogue
from hub.errors import ConfigError, Problem
from hub.programme.settings import Programme
from hub.recipes.model import Plan
from hub.sdk import Connection, Connector


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. plans: the recipes that are right. problems: everything that is wrong.

    stopped: by connection, the recipes that cannot run because a variable of the environment is not set.
    """

    connectors: Mapping[str, Connector]
    connections: Mapping[str, Connection]
    programme: Programme | None
    catalogue: Catalogue | None
    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]
    stopped: Mapping[str, tuple[str, ...]]


def look_at(settings: Settings) -> Checked:
    """Everything that is wrong with a workspace, in all of its files."""
    problems: list[Problem] = []
    try:
        connectors = bootstrap.discover()
    except ConfigError as error:
        return Checked({}, {}, None, None, (), error.problems, {})
    complete = replace(settings, connections=tuple(_completed(one, connectors) for one in settings.connections))
    try:
        connections = bootstrap.open_connections(complete, connectors)
    except ConfigError as error:
        problems += error.problems
        connections = {}
    try:
        programme = Programme.from_node(settings.programme_node)
    except ConfigError as error:
        return Checked(connectors, connections, None, None, (), (*error.problems, *problems), {})
    catalogue = Catalogue(connectors, connections, programme)
    plans: tuple[Plan, ...] = ()
    if not problems:  # recipes name connections: one that is wrong would be found again in each of them
        try:
            plans = tuple(bootstrap.load_plans(settings, catalogue))
        except ConfigError as error:
            problems += error.problems
    stopped = {
        one.name: tuple(plan.recipe.name for plan in plans if one.name in _connections_of(plan, catalogue))
        for one in settings.connections
        if one.missing
    }
    return Checked(connectors, connections, programme, catalogue, plans, tuple(problems), stopped)


def _completed(config: ConnectionConfig, connectors: Mapping[str, Connector]) -> ConnectionConfig:
    """The connection with examples in the places of variables that are not set, so that recipes can be checked against it."""
    connector = connectors.get(config.connector)
    if not config.missing or connector is None:
        return config
    examples = connector.settings.example()
    lacking = {one.name: examples[one.name] for one in connector.settings if one.required and one.name not in config.values}
    return replace(config, values=Values({**lacking, **config.values}), missing=())


def _connections_of(plan: Plan, catalogue: Catalogue) -> set[str]:
    """The connections that a recipe calls, and the connectors and connections that it hears of by name."""
    doings = [catalogue.doing(step.action) for step in plan.steps]
    called = {doing.connection.name for doing in doings if hasattr(doing, "connection") and doing.connection is not None}
    heard = {when.name.partition(".")[0] for when in plan.whens if "." in when.name}
    owners = {connection.name for connection in catalogue.connections.values() if connection.connector.name in heard}
    return called | (heard & set(catalogue.connections)) | owners
