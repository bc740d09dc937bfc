"""Filling: what hub.yaml leaves open in its connections is filled in from what the database keeps.

What hub.yaml or the environment says wins. A required secret that nobody says leaves its connection waiting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub import log
from hub.config import ConnectionConfig, Settings, Values
from hub.sdk import Connector
from hub.store import database
from hub.vault.key_file import KeyFile
from hub.vault.secrets import KeptValue, kept_secrets, opened
from hub.vault.vault import Vault

CONNECTOR = "connector"
"""The name under which the connector of a connection is kept that hub.yaml does not name."""
KEY_FILE = "secret.key"
_STEP = "_vault.sql"
_LOG = log.get(__name__)


def open_vault(settings: Settings) -> Vault:
    """The keys of a workspace and what they open."""
    return Vault(settings.secret_key, KeyFile(settings.data_folder / KEY_FILE))


def complete(settings: Settings, connectors: Mapping[str, Connector]) -> Settings:
    """The settings with what the database keeps of its connections; nothing is made or changed."""
    store = database.at(settings.database, settings.data_folder).find("hub")
    if store is None:
        return filled(settings, connectors, [])
    try:
        if any(step.endswith(_STEP) for step in store.missing_steps()):
            return filled(settings, connectors, [])
        with store.read() as session:
            secrets = kept_secrets(session)
    finally:
        store.close()
    return filled(settings, connectors, opened(open_vault(settings), secrets))


def filled(settings: Settings, connectors: Mapping[str, Connector], kept: Iterable[KeptValue]) -> Settings:
    """The settings with every connection as it is, those that only the database has behind those of hub.yaml."""
    by_connection: dict[str, dict[str, KeptValue]] = defaultdict(dict)
    for one in kept:
        by_connection[one.connection][one.name] = one
    named = {one.name for one in settings.connections}
    more = []
    for name, values in by_connection.items():
        connector = values[CONNECTOR].value if CONNECTOR in values else None
        if name not in named and connector is not None and connector in connectors:
            more.append(_from_database(settings, name, connector))
        elif name not in named:
            _LOG.warning("the database keeps secrets of a connection that there is not", connection=name)
    connections = (_filled(one, connectors, by_connection.get(one.name, {})) for one in (*settings.connections, *more))
    return replace(settings, connections=tuple(connections))


def _filled(config: ConnectionConfig, connectors: Mapping[str, Connector], kept: Mapping[str, KeptValue]) -> ConnectionConfig:
    connector = connectors.get(config.connector)
    if connector is None:
        return config
    values, lacking = dict(config.values), dict(config.lacking)
    for setting in connector.settings:
        found = kept.get(setting.name)
        if setting.secret and found is not None and found.value is not None:
            log.redact.add(found.value)  # also where hub.yaml says another
        if setting.name in values:
            continue
        if found is not None and found.value is not None:
            values[setting.name] = found.value
            lacking.pop(setting.name, None)
        elif found is not None:
            lacking[setting.name] = (found.trouble,)
        elif setting.secret and setting.required:
            lacking.setdefault(setting.name, (setting.name,))
    return replace(config, values=Values(values), lacking=lacking)


def _from_database(settings: Settings, name: str, connector: str) -> ConnectionConfig:
    return ConnectionConfig(
        name=name,
        connector=connector,
        values=Values({}),
        base_url=None,
        allow_private=False,
        lacking={},
        node=settings.programme_node,
    )
