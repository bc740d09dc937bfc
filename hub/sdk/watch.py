"""Watches: triggers of the hub's own that time sets off (a birthday, a lapse), swept window by window, each moment once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from hub.sdk.fact import Fact
from hub.sdk.parameters import Contract


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, open at its start and closed at its end, so that windows end to end meet every moment once."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start < moment <= self.end


@dataclass(frozen=True, slots=True)
class Watch:
    """A trigger that looks for what fell due in a window. settings: what a recipe may say under `when:`.

    One that has more to tell than is good at once gives None last, and is asked again.
    """

    name: str
    contract: Contract
    gives: type[Fact]
    upcoming: Contract | None = None

    @property
    def doc(self) -> str:
        """The sentence that people see."""
        return self.contract.doc

    @property
    def settings(self) -> type[BaseModel]:
        """The model of its settings."""
        return self.contract.inputs

    @property
    def takes(self) -> tuple[Any, ...]:
        """The types left of the star, besides the Window."""
        return tuple(kind for kind in self.contract.handed.values() if kind is not Window)

    def sweep(self, handed: Mapping[Any, Any], window: Window, settings: BaseModel) -> Iterable[Fact | None]:
        """The facts that fell due in the window; None where there is more."""
        facts: Iterable[Fact | None] = self.contract.call({**handed, Window: window}, settings)
        return facts

    def next_due(self, handed: Mapping[Any, Any], since: datetime, settings: BaseModel) -> datetime | None:
        """The next moment after `since` at which something falls due; None when none is in sight or the watch cannot tell."""
        if self.upcoming is None:
            return None
        moment: datetime | None = self.upcoming.call({**handed, datetime: since}, settings)
        return moment
