"""Connector: a plugin for one platform; what it hears and what it does.

A Connector is its own plugin: registering the object is all that a folder scan or an entry point has to do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Mapping
from copy import copy
from typing import Any, TypeVar, overload

import pluggy
from pydantic import BaseModel

from hub.sdk import mirror as mirrors
from hub.sdk import parameters, spending
from hub.sdk import sample as samples
from hub.sdk.action import Action, Repeat, Speaks, batched
from hub.sdk.auth import Auth
from hub.sdk.envelope import Source
from hub.sdk.failures import Failure, Reply
from hub.sdk.hearing import Hearing, Take
from hub.sdk.mirror import Mirror
from hub.sdk.parameters import Contract
from hub.sdk.proof import Proof
from hub.sdk.rate import Rate
from hub.sdk.request import Answer, Request
from hub.sdk.sample import Sample
from hub.sdk.settings import Settings, SettingsForm
from hub.sdk.spending import Spending
from hub.sdk.trigger import Pull, Task, Trigger, fact_of
from hub.sdk.values import Duration
from hub.sdk.watch import Watch

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Fit = Callable[["Connector", Settings], None]

_hookimpl = pluggy.HookimplMarker("hub")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Connector(Hearing):
    """A platform: how it proves itself, how its deliveries are taken apart, its triggers, pulls, actions and samples.

    api: its base address, or several when it has more hosts; `{setting}` stands for a setting. headers: of every call; a
    Content-Type is that of its JSON. reply: what it wants to hear when a delivery is kept. failures: reads in an answer what
    its status does not say. idempotency: where a keyed call carries its key. also_awards: what gives points for sales there by
    itself, as the settings say; empty when nothing does.
    """

    def __init__(
        self,
        name: str,
        *,
        title: str,
        settings: SettingsForm | None = None,
        api: str | tuple[str, ...] = (),
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        signature: Proof | None = None,
        envelope: Take | None = None,
        reply: Answer | Callable[[Request], Answer] | None = None,
        rate: Rate | None = None,
        idempotency: Source | None = None,
        failures: Callable[[Reply], Failure | None] | None = None,
        also_awards: Callable[[Settings], str] | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for a connector (lower case, digits, underscores)")
        super().__init__(title, signature, envelope, reply)
        self.name = name
        self.settings = (settings or SettingsForm()) + (signature.settings() if signature else SettingsForm())
        self.api = (api,) if isinstance(api, str) else api
        self.auth, self.headers = auth, headers or {}
        self.rate, self.idempotency, self.failures, self.also_awards = rate, idempotency, failures, also_awards
        self.actions: dict[str, Action] = {}
        self.pulls: dict[str, Pull] = {}
        self.watches: dict[str, Watch] = {}
        self.mirroring: Mirror | None = None
        self.samples: list[Sample] = []
        self.subscription: Task | None = None
        self.unsubscription: Task | None = None
        self._fit: Fit | None = None
        self._unfitted: Connector | None = None
        self._module = sys._getframe(1).f_globals.get("__name__", "")

    def __repr__(self) -> str:
        return f"Connector({self.name!r})"

    @_hookimpl
    def hub_connectors(self, register: Callable[[Connector], None]) -> None:
        """Offers itself."""
        register(self)

    @property
    def doc(self) -> str:
        """The docstring of the module that it stands in."""
        return (getattr(sys.modules.get(self._module), "__doc__", None) or "").strip()

    @property
    def setup_text(self) -> str:
        """The part of the docstring that says how to set it up; `{webhook_url}` stands for the address to paste."""
        return self.doc.partition("Setup:")[2].strip()

    # Declarations -----------------------------------------------------------------------------------------------------------

    def trigger(
        self, *kinds: str, key: str | tuple[str, ...], fetch_if: str = "", polled: bool = False, was: str | tuple[str, ...] = ()
    ) -> Callable[[Decorated], Decorated]:
        """Declares what makes a fact of an item of these kinds.

        key: fields of the fact that make it the same fact. fetch_if: the setting that asks for the rest to be fetched; then the
        function takes a `Client | None`. polled: no delivery tells it, a pull alone; then the pull's sample shows it.
        """

        def declare(function: Decorated) -> Decorated:
            contract = parameters.read(function)
            if not kinds:
                raise TypeError(f'{contract.name}: say the platform\'s word for it: @connector.trigger("…", key=…)')
            fields = (key,) if isinstance(key, str) else key
            gives = fact_of(contract)
            if unknown := [name for name in fields if name.partition(".")[0] not in gives.model_fields]:
                raise TypeError(f"{contract.name}: the key `{unknown[0]}` is not a field of {gives.__name__}")
            if fetch_if and fetch_if not in self.settings:
                raise TypeError(f"{contract.name}: `{fetch_if}` is not a setting of {self.name}")
            self._listen(
                Trigger(contract.name, self.name, kinds, gives, fields, contract, _names(was), fetch_if, polled=polled)
            )
            return function

        return declare

    def poke(self, *kinds: str, pull: Callable[..., Any]) -> None:
        """Declares that items of these kinds say only that something changed: the pull is run then, from its cursor."""
        target = self.pulls[pull.__name__]
        reader = self.triggers[target.trigger]
        self._listen(
            Trigger(f"{target.name}_poke", self.name, kinds, reader.gives, reader.key, target.contract, poke=True, pull=target)
        )

    def pull(
        self, trigger: Callable[..., Any], every: str = "10 minutes", *, always: bool = False
    ) -> Callable[[Decorated], Decorated]:
        """Declares how to ask for what the trigger would have told; the function yields the data (or whole Items).

        always: so often also where deliveries tell the same, because the platform loses some and does not send again.
        """

        def declare(function: Decorated) -> Decorated:
            contract = parameters.read(function)
            reader = self.triggers[trigger.__name__]
            kind, often = reader.kinds[0], Duration.parse(every)
            self.pulls[contract.name] = Pull(contract.name, reader.name, kind, often, contract, always)
            return function

        return declare

    @overload
    def action(self, function: Decorated, /) -> Decorated: ...
    @overload
    def action(
        self,
        /,
        *,
        repeat: Repeat = "never",
        channel: Speaks | None = None,
        batch: int = 1,
        was: str | tuple[str, ...] = (),
        spends: Spending | None = None,
    ) -> Callable[[Decorated], Decorated]: ...
    def action(
        self,
        function: Decorated | None = None,
        /,
        *,
        repeat: Repeat = "never",
        channel: Speaks | None = None,
        batch: int = 1,
        was: str | tuple[str, ...] = (),
        spends: Spending | None = None,
    ) -> Decorated | Callable[[Decorated], Decorated]:
        """Declares what a recipe may ask for; see `Action` for what may be said."""

        def declare(declared: Decorated) -> Decorated:
            contract = parameters.read(declared)
            if repeat == "keyed" and batch > 1:
                raise TypeError(f"{contract.name} cannot be keyed and batched: a second attempt may find another batch")
            if repeat == "keyed" and self.idempotency is None:
                raise TypeError(
                    f"{contract.name} is keyed: say where {self.name} takes the key, idempotency=header(…), body(…) or query(…)"
                )
            self.offer(contract, repeat=repeat, channel=channel, batch=batch, was=_names(was), spends=spends)
            return declared

        return declare if function is None else declare(function)

    def offer(
        self,
        contract: Contract,
        *,
        repeat: Repeat = "never",
        channel: Speaks | None = None,
        batch: int = 1,
        was: tuple[str, ...] = (),
        spends: Spending | None = None,
    ) -> None:
        """Adds an action that no function's signature describes, because a connection's settings do; see `fit`."""
        inputs = contract.inputs if batch == 1 else batched(contract)
        gives = next((kind for kind in contract.gives if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if spends is not None:
            spending.check(spends, contract.name, inputs, gives)
        self.actions[contract.name] = Action(
            contract.name, self.name, contract, inputs, gives, repeat, channel, batch, was=was, spends=spends
        )

    def lookup(self, action: Callable[..., Any]) -> Callable[[Decorated], Decorated]:
        """Declares how to find out whether an action, whose answer was lost, was done."""

        def declare(function: Decorated) -> Decorated:
            known = self.actions[action.__name__]
            contract = parameters.read(function)
            if foreign := set(contract.inputs.model_fields) - set(known.inputs.model_fields):
                raise TypeError(f"{contract.name} asks for `{foreign.pop()}`, which {known.name} does not take")
            self.actions[known.name] = known.with_lookup(contract)
            return function

        return declare

    def mirror(self, action: Callable[..., Any]) -> Callable[[Decorated], Decorated]:
        """Declares what an action is given so that the platform's fields show a member's points; see `Mirror`."""

        def declare(function: Decorated) -> Decorated:
            self.mirroring = mirrors.declared(self.actions[action.__name__], parameters.read(function))
            return function

        return declare

    @overload
    def mirrored(self, function: Decorated, /) -> Decorated: ...
    @overload
    def mirrored(self, /, *, batch: int) -> Callable[[Decorated], Decorated]: ...
    def mirrored(self, function: Decorated | None = None, /, *, batch: int = 1) -> Decorated | Callable[[Decorated], Decorated]:
        """Declares how to see what the fields say now: a `Shown`, or None of a member whom the platform does not know.

        batch: how many go as one; then the function takes a `list[Mirrored]` and wants an answer for each.
        """

        def declare(declared: Decorated) -> Decorated:
            self.mirroring = mirrors.read_by(self.mirroring, parameters.read(declared), batch)
            return declared

        return declare if function is None else declare(function)

    def fit(self, function: Fit) -> Fit:
        """Declares what a connection's settings make of the connector: actions and triggers of its own, another address.

        The function changes the Connector that it is given, which is that connection's alone.
        """
        self._fit = function
        return function

    @property
    def is_fitted(self) -> bool:
        """Whether connections make triggers and actions of their own of it."""
        return self._fit is not None

    def fitted(self, settings: Settings) -> Connector:
        """The connector as a connection with these settings has it."""
        if self._fit is None:
            return self
        whole = self._unfitted or self
        own = copy(whole)
        own._unfitted, own.actions = whole, dict(whole.actions)
        own.triggers, own.pulls = dict(whole.triggers), dict(whole.pulls)
        own._listeners = {kind: list(triggers) for kind, triggers in whole._listeners.items()}
        self._fit(own, settings)
        return own

    def handshake(self, function: Decorated) -> Decorated:
        """Declares how to answer a request that is no delivery: a challenge, a check by GET or HEAD, an unsigned ping."""
        self._handshakes.append(Task(parameters.read(function)))
        return function

    def subscribe(self, *, renew: str | None = None) -> Callable[[Decorated], Decorated]:
        """Declares how to tell the platform our webhook URL; told again, it changes what there is and adds nothing.

        The function may give settings that the platform tells only now, by name (`{"webhook_secret": …}`): they are kept,
        encrypted. renew: after how long it must be told again.
        """

        def declare(function: Decorated) -> Decorated:
            self.subscription = Task(parameters.read(function), Duration.parse(renew) if renew else None)
            return function

        return declare

    def unsubscribe(self, function: Decorated) -> Decorated:
        """Declares how to take our webhook URL back."""
        self.unsubscription = Task(parameters.read(function))
        return function

    def watch(self, function: Decorated) -> Decorated:
        """Declares a trigger that time sets off; it takes a Window and gives the facts that fell due in it."""
        contract = parameters.read(function)
        self.watches[contract.name] = Watch(contract.name, contract, fact_of(contract))
        return function

    def next_due(self, watch: Callable[..., Any]) -> Callable[[Decorated], Decorated]:
        """Declares when a watch has something to do next, so that nobody looks in vain."""

        def declare(function: Decorated) -> Decorated:
            known = self.watches[watch.__name__]
            self.watches[known.name] = Watch(known.name, known.contract, known.gives, parameters.read(function))
            return function

        return declare

    def sample(self, of: Callable[..., Any] | str, given: Any, *, asks: Any = None, reply: Any = None, **said: Any) -> None:
        """Records a case of a trigger, an action, a pull, a mirror …; see `Sample` for what may be said.

        of: the function, or the name of what `fit` makes of the example settings.
        """
        name = of if isinstance(of, str) else of.__name__
        mine = self.fitted(self.settings.read(self.settings.example())) if isinstance(of, str) else self
        lookups = {action.lookup.name: action for action in mine.actions.values() if action.lookup}
        kinds: dict[str, Container[str]] = {
            "trigger": mine.triggers,
            "action": mine.actions,
            "pull": mine.pulls,
            "lookup": lookups,
            "mirror": self.mirroring.names[:1] if self.mirroring else (),
            "reading": self.mirroring.names[1:] if self.mirroring else (),
        }
        kind = next((kind for kind, known in kinds.items() if name in known), None)
        if kind is None:
            raise TypeError(f"{self.name} has no trigger, action, lookup, pull or mirror `{name}` to give a sample of")
        self.samples.append(samples.made(name, kind, given, asks=asks, reply=reply, **said))


def _names(was: str | tuple[str, ...]) -> tuple[str, ...]:
    return (was,) if isinstance(was, str) else was
