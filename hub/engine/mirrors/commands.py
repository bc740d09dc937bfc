"""Commands: what a person asks of mirrors."""

from __future__ import annotations

from collections.abc import Mapping

from hub.engine.batch import Batch
from hub.engine.commands import Command, Done, Payload
from hub.engine.inbox import Delivery
from hub.engine.mirrors.comparing import Comparing
from hub.errors import HubError


class MirrorCommands:
    """The command that compares a platform now. comparing: the connections that can be compared."""

    def __init__(self, comparing: Mapping[str, Comparing]) -> None:
        self._comparing = comparing

    @property
    def by_name(self) -> Mapping[str, Command]:
        """Each by the name under which it is asked for."""
        return {"compare_mirror": self._compare}

    def _compare(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        name = str(payload.get("connection") or "")
        comparing = self._comparing.get(name)
        if comparing is None:
            known = ", ".join(f"`{one}`" for one in self._comparing) or "none"
            raise HubError(f"`{name}` is no connection whose mirror can be compared; there are: {known}")
        if (running := comparing.under_way(batch)) is not None and running.terms == comparing.terms:
            raise HubError(
                f"{name} is being compared since {running.started_at:%Y-%m-%d %H:%M} UTC; `hub mirror` shows how far"
            )
        return {"connection": name, "comparison": comparing.begin(batch).id}, []
