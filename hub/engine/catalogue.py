"""Catalogue: everything that recipes can name, from the connectors that are there and the connections that are set up.

`sale` is that fact from anywhere, `square.payment_completed` that trigger of any connection of the connector,
`shop2.payment_completed` that of one connection. Built-in triggers and actions are bare: `birthday`, `award`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.document import did_you_mean
from hub.engine.events import FactTypes
from hub.engine.own_facts import OWN_FACTS, ManualFact
from hub.engine.rows import OpeningBalance
from hub.programme.facts import HUB_FACTS
from hub.programme.members import MemberView
from hub.programme.settings import Programme, ProgrammeView
from hub.recipes.model import Plan
from hub.recipes.types import Type, check_of, record_of, type_of
from hub.recipes.vocabulary import ActionType, Input, Missing, OutOfUse, WhenType
from hub.sdk import Connection, Connector
from hub.sdk.action import Action
from hub.sdk.fact import Fact
from hub.sdk.facts import FACTS, DealWon, InvoiceIssued, JobCompleted, Sale
from hub.sdk.trigger import Trigger
from hub.sdk.watch import Watch

BUILT_IN = "hub"
MONEY = (Sale, JobCompleted, InvoiceIssued, DealWon)
"""The facts that may all be told of one piece of business."""


@dataclass(frozen=True, slots=True)
class Doing:
    """An action as a recipe names it: whose, and where it goes (None: it is built in and acts at once)."""

    action: Action
    connection: Connection | None


class Catalogue:
    """The names that recipes may use; it meets `hub.recipes.vocabulary.Vocabulary`."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        connections: Mapping[str, Connection],
        programme: Programme,
        out_of_use: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """out_of_use: why the connectors and connections of these names, which there should be, cannot be used."""
        self.connectors = connectors
        self.connections = connections
        self.currency: str = programme.currency
        self.zone: tzinfo = programme.zone
        self.member: Type = _member_type(programme)
        self.programme: Type = record_of(ProgrammeView)
        built_in = connectors[BUILT_IN]
        watched = [watch.gives for watch in built_in.watches.values()]
        self.types = FactTypes((*FACTS, *HUB_FACTS, *watched, *OWN_FACTS, OpeningBalance))
        self.has_several_tellers = len([one for one in connections.values() if _tells_money(one)]) > 1
        """Whether more than one connection tells of money that was earned, so that one may tell what another told."""
        self._out_of_use = out_of_use
        self._whens = self._name_whens()
        self._doings = self._name_actions()
        self._when_types: dict[str, WhenType] = {}
        self._action_types: dict[str, ActionType] = {}

    def when(self, name: str) -> WhenType | Missing:
        """What `when: name` hears of, or why it cannot be used."""
        known = self._when_types.get(name)
        if known is not None:
            return known
        self._look_whether_in_use(name)
        found = self._heard(name)
        if found is None:
            return self._missing(name, "trigger or fact")
        self._when_types[name] = made = _when_type(name, found)
        return made

    def action(self, name: str) -> ActionType | Missing:
        """What a step called `name` does, or why it cannot be used."""
        known = self._action_types.get(name)
        if known is not None:
            return known
        self._look_whether_in_use(name)
        doing = self.doing(name)
        if isinstance(doing, Missing):
            return doing
        self._action_types[name] = made = _action_type(name, doing)
        return made

    def doing(self, name: str) -> Doing | Missing:
        """The action behind a step's name."""
        doing = self._doings.get(name)
        if doing is not None:
            return doing
        prefix, _, action = name.rpartition(".")
        connector = self.connectors.get(prefix)
        connections = [one for one in self.connections.values() if one.connector.name == prefix]
        mine = sorted(one.name for one in connections if action in one.connector.actions)
        if connector is None or not (mine or (action in connector.actions and not connections)):
            return self._missing(name, "action")
        if not mine:
            return Missing(f"`{name}` needs a connection to {connector.title}", "add one under `connections:` in hub.yaml")
        named = ", ".join(f"`{one}.{action}`" for one in mine)
        return Missing(f"`{name}` could go to several connections", f"name one of them: {named}")

    def as_given(self, action: str, kept: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an action gave, from the JSON in which it was kept: amounts, days and lengths of time are what they were."""
        doing = self._doings.get(action)
        if doing is None or doing.action.gives is None:
            return kept
        try:
            return doing.action.gives.model_validate(kept).model_dump()
        except ValidationError:  # the action gave something else when it was kept
            return kept

    def when_names(self) -> Iterable[str]:
        """Every name that `when:` can take."""
        there = (one for one in self.connectors.values() if one.name != BUILT_IN)
        return dict.fromkeys([*self._whens, *(f"{one.name}.{trigger}" for one in there for trigger in one.triggers)])

    def action_names(self) -> Iterable[str]:
        """Every name that a step can have."""
        return self._doings.keys()

    def connections_of(self, plan: Plan) -> set[str]:
        """The connections without which a recipe cannot run: those that it calls, and those that alone tell it something."""
        doings = [self._doings.get(step.action) for step in plan.steps]
        called = {one.connection.name for one in doings if one is not None and one.connection is not None}
        heard = {when.name.partition(".")[0] for when in plan.whens}
        return called | (heard & set(self.connections) if len(plan.whens) == 1 else set())

    def topics(self, connection: str, trigger: str, fact: Fact) -> tuple[str, ...]:
        """Every name under which recipes may listen to this event."""
        if connection == BUILT_IN:
            return (trigger,)
        owner = self.connections.get(connection)
        names = (fact.fact, f"{connection}.{trigger}")
        if owner is None or owner.connector.name == connection:
            return names
        return (*names, f"{owner.connector.name}.{trigger}")

    def fact_type(self, name: str) -> type[Fact]:
        """The class of the facts that `when: name` hears of. KeyError when there is no such name."""
        found = self._heard(name)
        if found is None:
            raise KeyError(name)
        return found if isinstance(found, type) else found.gives

    def watch(self, name: str) -> Watch | None:
        """The built-in timer of this name."""
        return self.connectors[BUILT_IN].watches.get(name)

    def _heard(self, name: str) -> type[Fact] | Trigger | Watch | None:
        """What `when: name` hears of: of the hub itself, of a connection, or of a connector, whether it is connected or not."""
        found = self._whens.get(name)
        if found is not None or "." not in name:
            return found
        prefix, _, trigger = name.rpartition(".")
        connector = self.connectors.get(prefix) if prefix != BUILT_IN else None
        return connector.triggers.get(trigger) if connector is not None else None

    def _name_whens(self) -> dict[str, type[Fact] | Trigger | Watch]:
        names: dict[str, type[Fact] | Trigger | Watch] = {one.fact: one for one in FACTS}
        names.update({one.fact: one for one in HUB_FACTS})
        built_in = self.connectors[BUILT_IN]
        names.update(built_in.watches)
        names[ManualFact.fact] = ManualFact
        for connection in self.connections.values():
            for trigger in connection.connector.triggers.values():
                names[f"{connection.name}.{trigger.name}"] = trigger
                self.types.learn(connection.name, trigger.name, trigger.gives)
        return names

    def _name_actions(self) -> dict[str, Doing]:
        built_in = self.connectors[BUILT_IN]
        names = {name: Doing(action, None) for name, action in built_in.actions.items()}
        owners: dict[str, list[Connection]] = {}
        for connection in self.connections.values():
            owners.setdefault(connection.connector.name, []).append(connection)
            for action in connection.connector.actions.values():
                names[f"{connection.name}.{action.name}"] = Doing(action, connection)
        for connector, connections in owners.items():
            if len(connections) == 1:
                for action in connections[0].connector.actions.values():
                    names[f"{connector}.{action.name}"] = Doing(action, connections[0])
        return names

    def _look_whether_in_use(self, name: str) -> None:
        why = self._out_of_use.get(name.partition(".")[0])
        if why is not None and "." in name:
            raise OutOfUse(f"`{name}` cannot be used now: {why}")

    def _missing(self, name: str, what: str) -> Missing:
        prefix = name.partition(".")[0]
        if "." in name and prefix not in self.connectors and prefix not in self.connections:
            hint = did_you_mean(prefix, {*self.connections, *self.connectors}) or "`hub connections` lists what there is"
            return Missing(f"there is no connector or connection `{prefix}`", hint)
        return Missing(f"`{name}` is not a known {what}", "")


def _tells_money(connection: Connection) -> bool:
    """Whether anything that it hears, or is asked for, may be money that was earned."""
    connector, settings = connection.connector, connection.settings
    asked = {pull.trigger for pull in connector.pulls.values()}
    told = [one for one in connector.triggers.values() if one.name in asked or connector.hears(one.name, settings)]
    return any(issubclass(one.gives, MONEY) for one in told)


def _member_type(programme: Programme) -> Type:
    """What recipes see as `member`, with the programme's own tiers as the only ones there are."""
    view = record_of(MemberView)
    fields = dict(view.fields or {})
    tier = fields["tier"]
    fields["tier"] = replace(tier, type=replace(tier.type, choices=tuple(one.name for one in programme.tiers)))
    return replace(view, fields=fields)


def inputs_of(model: type[BaseModel]) -> dict[str, Input]:
    """The fields of a model as what a recipe fills in."""
    return {
        name: Input(
            name=name,
            type=type_of(field.annotation, field.metadata),
            check=check_of(field.annotation, field.metadata),
            required=field.is_required(),
            default=None if field.is_required() else field.get_default(call_default_factory=True),
            doc=field.description or "",
        )
        for name, field in model.model_fields.items()
    }


def _when_type(name: str, found: type[Fact] | Trigger | Watch) -> WhenType:
    if isinstance(found, type):
        return WhenType(name=name, doc=_first_line(found.__doc__), record=record_of(found), settings={}, sample=found.sample)
    settings = inputs_of(found.settings) if isinstance(found, Watch) else {}
    return WhenType(
        name=name, doc=_first_line(found.doc), record=record_of(found.gives), settings=settings, sample=found.gives.sample
    )


def _action_type(name: str, doing: Doing) -> ActionType:
    action = doing.action
    return ActionType(
        name=name,
        doc=_first_line(action.doc),
        inputs=inputs_of(action.inputs),
        gives=record_of(action.gives) if action.gives is not None else None,
        channel=action.channel,
        builtin=doing.connection is None,
        sample=None,
    )


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
