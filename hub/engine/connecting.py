"""Connecting: the connections of hub.yaml, each with its connector's settings read and everything wrong with it told."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from hub import log
from hub.config import ConnectionConfig, Settings, Values
from hub.document import key_at, place_at
from hub.engine.catalogue import BUILT_IN
from hub.engine.mirrors.terms import read as read_mirror
from hub.engine.spend.orders import pull_of as orders_pull
from hub.errors import ConfigError, Problem
from hub.sdk import Connection, Connector
from hub.sdk import Settings as ConnectionSettings
from hub.sdk.settings import SettingProblem, Unfit


def open_connections(
    settings: Settings, connectors: Mapping[str, Connector], out_of_use: Container[str] = ()
) -> dict[str, Connection]:
    """Every connection of the workspace; one that lacks variables of the environment has examples in their places.

    Those out of use are left out. ConfigError for an unknown connector, or settings that it does not take.
    """
    problems: list[Problem] = []
    found: dict[str, Connection] = {}
    for config in settings.connections:
        if config.name in out_of_use:
            continue
        connector = connectors.get(config.connector)
        if connector is None or config.connector == BUILT_IN:
            known = ", ".join(sorted(name for name in connectors if name != BUILT_IN))
            problems.append(config.node.problem(f"there is no connector `{config.connector}`", f"known: {known}"))
            continue
        complete = _completed(config, connector)
        wrong = connector.settings.problems(complete.values)
        problems += [_told(one, config, connector) for one in wrong]
        try:
            mirror = read_mirror(config.mirror, connector)
        except ConfigError as error:
            problems += error.problems
            continue
        if config.shared and orders_pull(connector) is None:
            message = f"`shared` says that others buy there too, and {connector.title} tells of no orders"
            problems.append(config.node.problem(message, "take `shared` away"))
            continue
        if wrong:
            continue
        try:
            found[config.name] = _connection(settings, complete, connector, mirror)
        except Unfit as error:
            problems.append(_told(error.problem, config, connector))
    if problems:
        raise ConfigError(problems)
    return found


def _told(found: SettingProblem, config: ConnectionConfig, connector: Connector) -> Problem:
    """A finding at its place in hub.yaml, as far as what is meant stands there; a line with a secret is not shown."""
    path = (found.name, *found.inside)
    place, parent = place_at(config.node, path)
    problem = (key_at(parent, str(path[-1])) if found.is_name else place).problem(found.message, found.hint)
    said_openly = {setting.name for setting in connector.settings if not setting.secret}
    hidden = [text for name, value in config.values.items() if name not in said_openly for text in _texts(value)]
    return replace(problem, excerpt="") if any(text in problem.excerpt for text in hidden) else problem


def _texts(value: object) -> list[str]:
    many = value if isinstance(value, list | tuple) else [value]
    return [str(one) for one in many if one not in (None, "")]


def _completed(config: ConnectionConfig, connector: Connector) -> ConnectionConfig:
    """With examples in the places of variables that are not set, so that recipes can be checked against the connection."""
    if not config.missing:
        return config
    examples = connector.settings.example()
    lacking = {one.name: examples[one.name] for one in connector.settings if one.required and one.name not in config.values}
    return replace(config, values=Values({**lacking, **config.values}))


def _connection(settings: Settings, config: ConnectionConfig, connector: Connector, mirror: Mapping[str, str]) -> Connection:
    values: ConnectionSettings = connector.settings.read(config.values)
    for secret in values.secrets():
        log.redact.add(secret)
    return Connection(
        name=config.name,
        connector=connector.fitted(values),
        settings=values,
        base_url=config.base_url,
        allow_private=config.allow_private,
        webhook_url=f"{settings.public_url}/hooks/{config.name}",
        mirror=mirror,
        shared=config.shared,
    )
