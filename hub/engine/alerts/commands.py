"""Alert commands: what a person asks of the alerts."""

from __future__ import annotations

from collections.abc import Mapping

from hub.engine.alerts.telling import Alerts
from hub.engine.batch import Batch
from hub.engine.commands import Command, Done, Payload
from hub.engine.inbox import Delivery
from hub.errors import HubError


class AlertCommands:
    """The command that sends the owner a message. alerts: None where hub.yaml names no owner."""

    def __init__(self, alerts: Alerts | None) -> None:
        self._alerts = alerts

    @property
    def by_name(self) -> Mapping[str, Command]:
        """Each by the name under which it is asked for."""
        return {"test_alerts": self._test}

    def _test(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        if self._alerts is None:
            raise HubError("hub.yaml has no section `owner`, so nobody is told; add `owner: {phone: …}` or `owner: {email: …}`")
        return {"sent": self._alerts.test(batch)}, []
