"""Address: telling a platform our webhook URL, and taking it back, where its API allows that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub import log
from hub.errors import CallFailed
from hub.sdk.client import Client
from hub.sdk.connection import Connection
from hub.sdk.settings import Settings
from hub.sdk.trigger import STUMBLES, Task


def tell_address(connection: Connection, client: Client) -> Mapping[str, str]:
    """Tells the platform our webhook URL; gives the settings that it told in turn. CallFailed when it does not take it."""
    connector = connection.connector
    if connector.subscription is None:
        raise CallFailed(f"{connector.title} cannot be told by a program; its Setup says what to click.", "lasting")
    told: Mapping[str, str] = _asked(connector.subscription, connection, client) or {}
    if foreign := told.keys() - {setting.name for setting in connector.settings}:
        raise CallFailed(f"{connector.title} told `{min(foreign)}`, which is none of its settings.", "lasting")
    return told


def take_address_back(connection: Connection, client: Client) -> None:
    """Takes our webhook URL back from the platform. CallFailed when it does not let go of it."""
    connector = connection.connector
    if connector.unsubscription is None:
        raise CallFailed(f"{connector.title} cannot be told by a program; take the webhook away there by hand.", "lasting")
    _asked(connector.unsubscription, connection, client)


def _asked(task: Task, connection: Connection, client: Client) -> Any:
    try:
        return task.call({Client: client, Connection: connection, Settings: connection.settings})
    except STUMBLES as error:
        said = log.in_words(error)
        raise CallFailed(
            f"{connection.connector.name} stumbled over what the platform answered ({said}).", "lasting"
        ) from error
