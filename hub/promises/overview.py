"""Overview: what every connector hears and does, how it shows who it is and how it is believed, in a row each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.sdk import Connector, RewardOrder

COLUMNS = (
    "connector",
    "triggers",
    "actions",
    "how we show who we are",
    "how it proves itself",
    "what can be asked for",
    "besides",
)


@dataclass(frozen=True, slots=True)
class Overview:
    """One connector. besides: what it can do beyond triggers and actions."""

    name: str
    title: str
    triggers: tuple[str, ...]
    actions: tuple[str, ...]
    auth: str
    proof: str
    pulls: tuple[str, ...]
    besides: tuple[str, ...]

    @classmethod
    def of(cls, connector: Connector) -> Overview:
        """Read from what the connector declares."""
        besides = {
            "triggers and actions as hub.yaml declares them": connector.is_fitted,
            "registers its webhook": connector.subscription is not None,
            "renews it": connector.subscription is not None and connector.subscription.every is not None,
            "mirror": connector.mirroring is not None,
            "orders": any(issubclass(trigger.gives, RewardOrder) for trigger in connector.triggers.values()),
        }
        return cls(
            name=connector.name,
            title=connector.title,
            triggers=tuple(connector.triggers),
            actions=tuple(connector.actions),
            auth=connector.auth.shown if connector.auth is not None else "",
            proof=connector.signature.shown if connector.signature is not None else "",
            pulls=tuple(pull.trigger for pull in connector.pulls.values()),
            besides=tuple(word for word, has in besides.items() if has),
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """The row, in the order of COLUMNS."""
        lists = (self.triggers, self.actions)
        return (self.title, *map(", ".join, lists), self.auth, self.proof, ", ".join(self.pulls), ", ".join(self.besides))


def markdown(connectors: Iterable[Connector]) -> str:
    """The table for docs/connectors.md."""
    rows = [Overview.of(one) for one in sorted(connectors, key=lambda one: one.title.casefold())]
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join((f'**{one.title}** `{one.name}`', *one.cells[1:]))} |" for one in rows]
    return "\n".join(lines) + "\n"
