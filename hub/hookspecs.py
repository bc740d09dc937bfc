"""Hooks: what a plugin may offer to the hub, one sentence each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from hub.sdk.connector import Connector

hookspec = pluggy.HookspecMarker("hub")


@hookspec
def hub_connectors(register: Callable[[Connector], None]) -> None:
    """Offer connectors by calling register(connector)."""
