"""Told: a fact that a platform told, with the trigger that read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.sdk.fact import Fact
from hub.sdk.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Told:
    """at: the platform's own time of this state, where it says one."""

    trigger: Trigger
    fact: Fact
    at: datetime | None = None
