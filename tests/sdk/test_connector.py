"""Connectors: what may be declared, and what the hub asks of it at run time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from connectors.twilio import connector as twilio
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import (
    Answer,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    CustomersMerged,
    Item,
    MessageReceived,
    Money,
    Payload,
    Request,
    Sale,
    Settings,
    Window,
    made_once,
)
from hub.sdk.declare import body, envelope, header, query, rate, reply, secret, secrets, setting, signature
from hub.sdk.parameters import Contract, Inputs
from hub.sdk.play import Play, one_by_one
from hub.sdk.sample import answers

FORM = secrets("key") + setting("account_id", default=None) + setting("lines", kind=bool, default=False)


def make(**said: Any) -> Connector:
    said = {"settings": FORM, "signature": signature.hmac("X-Sig", "key"), **said}
    return Connector("till", title="Till", api="https://till.example", **said)


def connect(connector: Connector, **values: Any) -> Connection:
    return Connection(
        "till", connector, connector.settings.read({"key": "k", **values}), webhook_url="https://h.example/hooks/till"
    )


class Paid(Payload):
    id: str
    cents: int
    currency: str = "USD"


def paid(payment: Paid) -> Sale | None:
    """Somebody paid."""
    if payment.cents == 0:
        return None
    return Sale(amount=Decimal(payment.cents) / 100, currency=payment.currency, payment_id=payment.id)


def test_a_decorated_function_stays_a_plain_function():
    """A trigger, an action or a pull can be called by anybody, as if nothing had happened."""
    connector = make()
    assert connector.trigger("paid", key="payment_id")(paid) is paid
    assert paid(Paid(id="p", cents=1250)).amount == Decimal("12.5")


def test_a_trigger_reads_an_item():
    """Unknown fields are ignored, the item's time fills in, and what is of no interest gives nothing."""
    connector = make()
    connector.trigger("paid", "paid_again", key="payment_id")(paid)
    trigger, connection = connector.triggers["paid"], connect(connector)
    at = datetime.fromisoformat("2026-02-06T21:27:34+00:00")
    [fact] = trigger.read(Item("paid", {"id": 7, "cents": 1250, "new": {}}, at=at), connection)
    assert (fact.payment_id, fact.occurred_at, trigger.gives, trigger.doc) == ("7", at, Sale, "Somebody paid.")
    assert trigger.key_of(fact) == "7"
    assert trigger.read(Item("paid", {"id": "p", "cents": 0}), connection) == []
    assert [found.name for found in connector.triggers_for(Item("paid_again", {}))] == ["paid"]
    assert connector.triggers_for(Item("other", {})) == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"id": "p"}, "`cents` is missing"),
        ({"id": "p", "cents": "many"}, "`cents` is 'many'"),
        ({"id": "p", "cents": -5}, "`amount` is .*below zero"),
        ({"id": "p", "cents": 10**30}, "`amount`"),
        ({"id": "p", "cents": 5, "currency": "dollars"}, "`currency` is 'dollars'"),
        ("text", "the value"),
        (None, "the value"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_path(data, why):
    """The error says which field, and what stood there."""
    connector = make()
    connector.trigger("paid", key="payment_id")(paid)
    with pytest.raises(Unreadable, match=why):
        connector.triggers["paid"].read(Item("paid", data), connect(connector))


def test_a_stumbling_normaliser_is_unreadable_not_a_crash():
    """A mistake of the connector keeps the delivery for a replay."""
    connector = make()

    @connector.trigger("paid", key="payment_id")
    def stumbling(payment: Paid) -> Sale:
        """Somebody paid."""
        return {}[payment.id]

    with pytest.raises(Unreadable, match=r"till\.stumbling cannot read this `paid` \(KeyError"):
        connector.triggers["stumbling"].read(Item("paid", {"id": "p", "cents": 1}), connect(connector))


def test_a_key_of_several_fields_cannot_be_mistaken():
    """Parts with slashes do not run into one another; an empty part is refused."""
    connector = make()
    connector.trigger("paid", key=("payment_id", "order_id"))(paid)
    key_of = connector.triggers["paid"].key_of
    sale = Sale(amount="1", currency="USD", payment_id="a/b", order_id="c")
    other = Sale(amount="1", currency="USD", payment_id="a", order_id="b/c")
    assert key_of(sale) != key_of(other)
    with pytest.raises(Unreadable, match="`order_id` is empty"):
        key_of(Sale(amount="1", currency="USD", payment_id="a"))


def test_a_key_may_lie_deeper_and_hold_several_ids():
    """A dotted path leads into the fact, a list of ids is joined; where the way ends, the fact has no key."""
    connector = make()
    connector.trigger("merged", key=("customer.id", "merged_ids"))(merged)
    key_of = connector.triggers["merged"].key_of
    assert key_of(CustomersMerged(customer=Customer(id="a"), merged_ids=("b", "c"))) == "a/b%2Cc"
    with pytest.raises(Unreadable, match=r"`customer\.id` is empty"):
        key_of(CustomersMerged(merged_ids=("b",)))


def merged(item: Item) -> CustomersMerged:
    """Two became one."""
    return CustomersMerged(merged_ids=item.data)


def test_a_thin_trigger_fetches_the_rest():
    """A trigger that takes a Client is thin; read without one it says what it lacks."""
    connector = make()

    class Order(Payload):
        cents: int

    @connector.trigger("order", key="order_id")
    def ordered(item: Item, client: Client) -> Sale:
        """Somebody ordered."""
        order = client.get("/orders/{id}", at={"id": item.data["id"]}, into=Order)
        return Sale(amount=order.cents, currency="USD", order_id=item.data["id"])

    trigger, connection = connector.triggers["ordered"], connect(connector)
    assert trigger.thin_for(connection)
    play = Play(one_by_one([answers(200, {"cents": 5})]))
    [fact] = trigger.fetch(Item("order", {"id": "o1"}), connection, play.client(connection))
    assert (fact.order_id, fact.amount) == ("o1", 5)


def test_a_trigger_may_be_thin_by_choice():
    """With fetch_if a setting decides; without it the function makes do with None."""
    connector = make()

    @connector.trigger("paid", key="payment_id", fetch_if="lines")
    def maybe(payment: Paid, client: Client | None) -> Sale:
        """Somebody paid."""
        return Sale(amount=0 if client is None else client.get("/x")["n"], currency="USD", payment_id=payment.id)

    trigger, item = connector.triggers["maybe"], Item("paid", {"id": "p", "cents": 1})
    plain, rich = connect(connector), connect(connector, lines=True)
    assert (trigger.thin_for(plain), trigger.thin_for(rich)) == (False, True)
    assert trigger.read(item, plain)[0].amount == 0
    play = Play(one_by_one([answers(200, {"n": 3})]))
    assert trigger.fetch(item, rich, play.client(rich))[0].amount == 3


def test_a_pull_yields_items_for_its_trigger_and_a_poke_runs_it():
    """Records become items of the trigger's kind; a poke is read by nobody, it names the pull."""
    connector = make()
    connector.trigger("paid", key="payment_id")(paid)

    @connector.pull(paid, every="5 minutes")
    def payments(client: Client, since: datetime) -> Iterator[Any]:
        """Every payment since then."""
        yield from client.get("/payments", query={"since": since})["rows"]
        yield Item("paid", {"id": "own"}, id="x")

    connector.poke("something_changed", pull=payments)
    pull, connection = connector.pulls["payments"], connect(connector)
    play = Play(one_by_one([answers(200, {"rows": [{"id": "p"}]})]))
    since = datetime.fromisoformat("2026-02-06T00:00:00+00:00")
    assert list(pull.items(connection, play.client(connection), since)) == [
        Item("paid", {"id": "p"}),
        Item("paid", {"id": "own"}, id="x"),
    ]
    assert (pull.trigger, str(pull.every)) == ("paid", "300 seconds")
    [poke] = connector.triggers_for(Item("something_changed", {}))
    assert (poke.poke, poke.pull, poke.thin_for(connection)) == (True, pull, False)
    assert list(connector.triggers) == ["paid"]


class Kept(BaseModel):
    """What was given."""

    key: str
    amount: Decimal


def test_an_action_takes_its_inputs_from_the_right_of_the_star():
    """The signature is the schema: types, defaults, sentences; what stands left is handed over by type."""
    connector = make()

    @connector.action(repeat="safe", channel="sms")
    def give(settings: Settings, key: CallKey, *, amount: Annotated[Money, "how much"], note: str = "-") -> Kept | None:
        """Give something."""
        return Kept(key=f"{key}{note}{settings['lines']}", amount=amount)

    action = connector.actions["give"]
    assert (action.repeat, action.channel, action.batch, action.gives, action.doc) == (
        "safe",
        "sms",
        1,
        Kept,
        "Give something.",
    )
    assert action.takes == (Settings, CallKey)
    schema = action.inputs.model_json_schema()
    assert (schema["required"], schema["properties"]["amount"]["description"]) == (["amount"], "how much")
    handed = {Settings: connect(connector).settings, CallKey: CallKey("k")}
    assert action.call(handed, action.inputs(amount="1.10")) == Kept(key="k-False", amount=Decimal("1.10"))
    for wrong in ({"amount": 1.5}, {"amount": 1, "unknown": 2}, {}):
        with pytest.raises(ValueError, match=r"amount|unknown"):
            action.inputs.model_validate(wrong)
    with pytest.raises(TypeError, match="asks for CallKey"):
        action.contract.call({Settings: handed[Settings]}, action.inputs(amount=1))


def test_an_action_repeats_never_unless_it_says_so():
    """Who forgets to say it cannot do anything twice; a stumble afterwards is uncertain."""
    connector = make()

    @connector.action
    def give(*, amount: Money) -> None:
        """Give something."""
        raise KeyError("x")

    assert connector.actions["give"].repeat == "never"
    with pytest.raises(CallFailed) as caught:
        connector.actions["give"].call({}, connector.actions["give"].inputs(amount=1))
    assert caught.value.verdict == "uncertain"


class Tag(BaseModel):
    name: Annotated[str, Field(description="the tag")]


def test_many_calls_may_go_out_as_one():
    """A batched action gets the inputs as a list and answers for each; one bad one does not fail the others."""
    connector = make()

    @connector.action(repeat="safe", batch=3)
    def tag(tags: list[Tag]) -> list[Tag | CallFailed]:
        """Tag somebody."""
        return [CallFailed("no", "lasting") if one.name == "bad" else one for one in tags]

    action = connector.actions["tag"]
    assert (action.inputs, action.gives, action.batch) == (Tag, Tag, 3)
    good, bad = action.call_many({}, [Tag(name="good"), Tag(name="bad")])
    assert good == Tag(name="good")
    assert isinstance(bad, CallFailed)
    with pytest.raises(CallFailed, match="no"):
        action.call({}, Tag(name="bad"))


def test_a_batch_that_does_not_answer_for_each_is_uncertain():
    """Nobody knows which of them were done."""
    connector = make()

    @connector.action(repeat="safe", batch=3)
    def tag(tags: list[Tag]) -> list[Tag]:
        """Tag somebody."""
        return tags[1:]

    with pytest.raises(CallFailed) as caught:
        connector.actions["tag"].call_many({}, [Tag(name="a"), Tag(name="b")])
    assert caught.value.verdict == "uncertain"


def test_a_lookup_finds_out_whether_it_was_done():
    """It gets the inputs that it names, the key and the time of the first attempt."""
    connector = make()

    @connector.action(repeat="never")
    def give(*, amount: Money, note: str) -> Tag:
        """Give something."""
        raise NotImplementedError

    @connector.lookup(give)
    def given(key: CallKey, started: datetime, *, note: str) -> Tag | None:
        """Whether it was given."""
        return Tag(name=f"{key} {note} {started.year}") if note else None

    action = connector.actions["give"]
    handed = {datetime: datetime.fromisoformat("2026-02-06T00:00:00+00:00")}
    assert action.find_done(handed, action.inputs(amount=1, note="n"), "k") == Tag(name="k n 2026")
    assert action.find_done(handed, action.inputs(amount=1, note=""), "k") is None


@pytest.mark.parametrize("trouble", [KeyError("rows"), CallFailed("down", "passing", retry_after_seconds=9)])
def test_a_lookup_that_finds_nothing_out_leaves_it_uncertain(trouble):
    """A lookup that fails is no permission to do it again."""
    connector = make()

    @connector.action
    def give(*, amount: Money) -> None:
        """Give something."""

    @connector.lookup(give)
    def given(*, amount: Money) -> None:
        """Whether it was given."""
        raise trouble

    with pytest.raises(CallFailed, match="may have been done") as caught:
        connector.actions["give"].find_done({}, connector.actions["give"].inputs(amount=1), "k")
    assert caught.value.verdict == "uncertain"


def test_without_a_lookup_it_stays_uncertain():
    """An action that cannot be looked up says so."""
    connector = make()

    @connector.action
    def give(*, amount: Money) -> None:
        """Give something."""

    with pytest.raises(CallFailed, match="cannot look up") as caught:
        connector.actions["give"].find_done({}, connector.actions["give"].inputs(amount=1), "k")
    assert caught.value.verdict == "uncertain"


def test_a_step_has_a_name_for_what_it_makes():
    """The same on every attempt, another for another step, and fit for a code."""
    assert CallKey("run_1/0").mark() == CallKey("run_1/0").mark() != CallKey("run_1/1").mark()
    assert re.fullmatch("[A-Z2-7]{16}", CallKey("run_1/0").mark(16))


def test_what_an_earlier_attempt_made_is_not_made_again():
    """It is there already, and ours: what somebody else made is none, nor is another refusal a reason to look."""

    def refuse(said, verdict="lasting"):
        def make():
            raise CallFailed(said, verdict)

        return make

    assert made_once(lambda: "new", lambda: "old", refused="taken") == "new"
    assert made_once(refuse("the code is taken"), lambda: "old", refused="taken") == "old"
    for make, found in ((refuse("taken"), None), (refuse("too long"), "old"), (refuse("taken", "uncertain"), "old")):
        with pytest.raises(CallFailed):
            made_once(make, lambda found=found: found, refused="taken")


def test_a_watch_sweeps_its_window():
    """Settings right of the star, the window by type; half-open, so that windows end to end meet each moment once."""
    connector = Connector("hub", title="Hub")

    @connector.watch
    def due(window: Window, moments: list, *, only: str = "") -> list[MessageReceived]:
        """Something fell due."""
        return [MessageReceived(message_id=str(m), address="x", text=only, occurred_at=m) for m in moments if m in window]

    @connector.next_due(due)
    def next_moment(since: datetime, moments: list, *, only: str = "") -> datetime | None:
        """The next of them."""
        return min((m for m in moments if m > since), default=None)

    day = [datetime.fromisoformat(f"2026-02-0{n}T00:00:00+00:00") for n in range(1, 5)]
    watch, handed = connector.watches["due"], {list: day}
    assert watch.takes == (list,)
    settings = watch.settings(only="t")
    assert [fact.occurred_at for fact in watch.sweep(handed, Window(day[0], day[2]), settings)] == day[1:3]
    assert watch.next_due(handed, day[2], settings) == day[3]
    assert watch.next_due(handed, day[3], settings) is None


def test_a_handshake_is_answered_before_anything_is_verified(request_of):
    """A challenge is echoed; another request, and one at which it stumbles, is none."""
    connector = make()

    @connector.handshake
    def challenge(request: Request, connection: Connection) -> Answer | None:
        """The challenge of the setup page."""
        if request.method == "HEAD":
            return reply.empty()
        return reply.text(request.content()["challenge"])

    connection = connect(connector)
    assert connector.shake(request_of(b'{"challenge": "abc"}'), connection).body == b"abc"
    assert connector.shake(request_of(b"", method="HEAD"), connection).status == 200
    assert connector.shake(request_of(b"{}"), connection) is None
    assert connector.shake(request_of(b"junk"), connection) is None


def test_items_of_other_accounts_are_told_apart(request_of):
    """One webhook may serve several accounts; without account_id everything is ours."""
    connector = make(envelope=envelope(kind="paid", account=body("merchant")))
    [item] = connector.items(request_of(b'{"merchant": "M1"}'), connect(connector))
    assert connector.is_ours(item, connect(connector))
    assert connector.is_ours(item, connect(connector, account_id="M1"))
    assert not connector.is_ours(item, connect(connector, account_id="M2"))


def test_a_function_may_take_a_delivery_apart(request_of):
    """Where an envelope cannot say it, a function does; if it stumbles, the delivery is unreadable."""

    def rows(request: Request) -> list[Item]:
        return [Item("k", row) for row in request.content()["outer"]["rows"]]

    connector = make(envelope=rows)
    assert [item.data for item in connector.items(request_of(b'{"outer": {"rows": [1, 2]}}'), connect(connector))] == [1, 2]
    with pytest.raises(Unreadable, match="KeyError"):
        connector.items(request_of(b"{}"), connect(connector))


def test_what_a_delivery_tells_may_depend_on_the_settings(request_of):
    """A function that takes deliveries apart is handed what it asks for: the kind may be the connection's own affair."""

    def rows(request: Request, settings: Settings) -> list[Item]:
        return [Item(settings["account_id"], request.content())]

    connector = make(envelope=rows)
    assert connector.items(request_of(b"{}"), connect(connector, account_id="M1")) == [Item("M1", {})]


def test_a_connector_without_proof_takes_no_webhooks(request_of, now):
    """A connector that only polls refuses every delivery."""
    connector = make(signature=None)
    with pytest.raises(Refused, match="polling"):
        connector.verify(request_of(), connect(connector), now)
    with pytest.raises(Unreadable, match="polling"):
        connector.items(request_of(), connect(connector))


ONE, OTHER, SAID = signature.hmac("X-Sig", "key"), signature.token("token", header="X-Token"), signature.none(because="…")


@pytest.mark.parametrize(
    ("proof", "values", "hears"),
    [
        (ONE, {"key": "k"}, True),
        (ONE, {"key": None}, False),
        (ONE | OTHER, {"key": None, "token": "t"}, True),
        (ONE | OTHER, {"key": None}, False),
        (ONE & OTHER, {"key": "k"}, False),
        (OTHER & signature.if_set(ONE), {"key": None, "token": "t"}, True),
        (SAID, {}, False),
        (SAID, {"accept_unsigned": True}, True),
        (None, {"key": "k"}, False),
    ],
)
def test_a_connection_hears_what_it_can_check(proof, values, hears):
    """Without what a proof needs every delivery is refused, so nothing is heard; nor where a pull alone brings it."""
    keys = secret("key", required=False) + secret("token", required=False)
    connector = make(signature=proof, settings=keys)
    connector.trigger("paid", key="payment_id")(paid)
    connector.trigger("paid", key="payment_id", polled=True)(listed)
    settings = connector.settings.read(values)
    assert connector.hears("paid", settings) is hears
    assert connector.hears("listed", settings) is False


def listed(payment: Paid) -> Sale | None:
    """A payment that is listed and not told."""
    return paid(payment)


def test_the_reply_may_depend_on_the_request(request_of):
    """Most platforms want one answer; some want theirs back."""
    connector = make(reply=lambda request: reply.json({"echo": request.method}))
    assert connector.answer(request_of(), connect(connector)).body == b'{"echo": "POST"}'
    assert make().answer(request_of(), connect(connector)) == Answer()


def test_a_connections_settings_may_make_the_connector_its_own():
    """Actions, triggers and an address that nobody else's connection has; fitted again, it begins from the whole."""
    connector = make(settings=FORM + setting("verbs", kind=list[str], default=[]))
    connector.trigger("paid", key="payment_id")(paid)

    @connector.fit
    def fit(own: Connector, settings: Settings) -> None:
        own.api = ("https://own.example",)
        for verb in settings["verbs"]:
            model = create_model(verb, __base__=Inputs, what=(str, Field(description="what")))
            say = lambda client, what, verb=verb: client.post(f"/{verb}", json={"what": what})  # noqa: E731
            own.offer(Contract(say, verb, f"Do {verb}.", {"client": Client}, model, ()), repeat="safe")
        if settings["verbs"]:
            own.trigger("listed", key="payment_id")(listed)

    read = connector.settings.read
    one, other = (connector.fitted(read({"key": "k", "verbs": verbs})) for verbs in (["wash", "dry"], ["fold"]))
    assert (set(one.actions), set(other.actions), set(connector.actions)) == ({"wash", "dry"}, {"fold"}, set())
    assert set(one.triggers) == {"paid", "listed"} and set(connector.triggers) == {"paid"}
    assert set(one.fitted(read({"key": "k"})).actions) == set() and one.name == connector.name
    connection = Connection("laundry", one, read({"key": "k"}))
    play = Play(one_by_one([answers(200, {})]))
    one.actions["wash"].call({Client: play.client(connection, repeat="safe")}, one.actions["wash"].inputs(what="shirts"))
    assert (play.calls[0].url, play.calls[0].body) == ("https://own.example/wash", b'{"what":"shirts"}')


def test_a_connector_that_is_not_fitted_is_everybodys():
    """There is nothing to copy."""
    connector = make()
    assert connector.fitted(connector.settings.read({"key": "k"})) is connector


def test_subscriptions_are_tasks():
    """How to tell the platform our address, and after how long again."""
    connector = make()

    @connector.subscribe(renew="6 days")
    def subscribe(client: Client, connection: Connection) -> str:
        """Registers the webhook."""
        return connection.webhook_url

    @connector.unsubscribe
    def unsubscribe(connection: Connection) -> None:
        """Takes it back."""

    connection = connect(connector)
    handed = {Client: Play(one_by_one([])).client(connection), Connection: connection}
    assert connector.subscription.call(handed) == "https://h.example/hooks/till"
    assert str(connector.subscription.every) == "6 days"
    assert connector.unsubscription.call(handed) is None


def test_rates_are_said_in_words():
    """`100 per 10 seconds`; nonsense is an error when it is declared."""
    assert (rate("100 per 10 seconds").seconds, rate("5 per second").calls) == (10, 5)
    for nonsense in ("fast", "0 per second", "5 per fortnight"):
        with pytest.raises(ValueError, match="not a rate"):
            rate(nonsense)


def no_type(payment) -> Sale: ...


def several(payment: Paid) -> Sale | MessageReceived: ...


def from_nowhere(payment: Nowhere) -> Sale: ...  # noqa: F821


def nothing(payment: Paid) -> None: ...


def starred(*payments: Paid) -> Sale: ...


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda c: c.trigger("k", key="payment_id")(no_type), "no type for `payment`"),
        (lambda c: c.trigger("k", key="payment_id")(several), "several facts"),
        (lambda c: c.trigger("k", key="payment_id")(from_nowhere), "speaks of `Nowhere`"),
        (lambda c: c.trigger("k", key="payment_id")(nothing), "no fact"),
        (lambda c: c.trigger("k", key="payment_id")(starred), "name every parameter"),
        (lambda c: c.trigger("k", key="nonsense")(paid), "`nonsense` is not a field of Sale"),
        (lambda c: c.trigger(key="payment_id")(paid), "the platform's word"),
        (lambda c: c.trigger("k", key="payment_id", fetch_if="nope")(paid), "not a setting"),
        (lambda c: c.action(repeat="keyed")(paid), "takes the key"),
        (lambda c: c.action(batch=5)(paid), "takes a list of a model"),
        (lambda c: c.sample(paid, {}), "has no trigger, action"),
    ],
)
def test_a_mistake_in_a_declaration_is_found_at_once(declare, why):
    """Who writes a connector is told when it is imported, not when it fails."""
    with pytest.raises(TypeError, match=why):
        declare(make())


def test_names_are_checked():
    """A connector's name is a word in recipes and URLs."""
    with pytest.raises(ValueError, match="not a name"):
        Connector("My Till", title="x")


def test_the_docstring_of_its_module_is_its_documentation():
    """Setup instructions stand in the module, and are found there."""
    assert twilio.doc.startswith("Twilio: ")
    assert "{webhook_url}" in twilio.setup_text


def test_a_keyed_action_may_say_where_its_key_goes():
    """The place of the key is declared with the words of the envelope."""
    connector = make(idempotency=header("Idempotency-Key"))
    connector.action(repeat="keyed")(give_keyed)
    assert connector.actions["give_keyed"].repeat == "keyed"
    assert query("x").place == "query"


def give_keyed(*, amount: Money) -> None:
    """Give something."""
