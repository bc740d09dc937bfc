"""Spending: an action says what it buys, and for how much."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from hub.promises.case import cases
from hub.sdk import Client, Connector, Currency, Money, Payload, RewardOrder
from hub.sdk.declare import body, envelope, secrets, signature, spends


class Card(BaseModel):
    card_id: str
    worth: Money
    worth_in: Currency


def make() -> Connector:
    return Connector(
        "cards",
        title="Cards",
        settings=secrets("key"),
        api="https://cards.example",
        signature=signature.hmac("X-Sig", "key"),
        envelope=envelope(kind=body("type")),
        idempotency=body("key"),
    )


def send(
    client: Client, *, amount: Annotated[Money, "how much"], currency: Annotated[Currency, "of what"], to: str = ""
) -> Card:
    """Send a card."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("said", "given", "gave", "expected"),
    [
        (("amount", "currency"), {"amount": "20", "currency": "EUR"}, {"card_id": "c1"}, (Decimal(20), "EUR", "")),
        (
            ("worth", "worth_in"),
            {"amount": "1", "currency": "EUR"},
            {"worth": "9.50", "worth_in": "CAD"},
            (Decimal("9.50"), "CAD", ""),
        ),
        (("amount", "worth_in"), {"amount": "7", "currency": "EUR"}, {}, None),
    ],
)
def test_what_is_spent_stands_in_the_inputs_or_in_what_came_of_it(
    said: tuple[str, str], given: dict[str, Any], gave: dict[str, Any], expected: tuple[Decimal, str, str] | None
) -> None:
    """As long as it has not been said, nobody knows it; digits stay as they are."""
    connector = make()
    connector.action(repeat="keyed", spends=spends(*said))(send)
    action = connector.actions["send"]
    assert action.spends is not None
    assert action.spends.of(action.inputs.model_validate(given), gave) == expected


def test_the_platforms_own_id_of_the_order_is_in_what_it_gave() -> None:
    """Where the action says which field that is; before it is done there is none."""
    connector = make()
    connector.action(repeat="keyed", spends=spends("amount", "currency", order="card_id"))(send)
    action = connector.actions["send"]
    inputs = action.inputs.model_validate({"amount": "20", "currency": "EUR"})
    assert action.spends is not None
    assert [action.spends.of(inputs, gave) for gave in ({"card_id": "c1"}, {})] == [
        (Decimal(20), "EUR", "c1"),
        (Decimal(20), "EUR", ""),
    ]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (spends("price", "currency"), "spends `price`, which it neither takes nor gives"),
        (spends("amount", "money"), "spends `money`, which it neither takes nor gives"),
        (spends("to", "currency"), "spends `to`, which is no Money"),
        (spends("amount", "currency", order="amount"), "gives no `amount`"),
    ],
)
def test_a_wrong_name_is_an_error_when_it_is_declared(wrong: Any, why: str) -> None:
    """And says what is wrong with it."""
    with pytest.raises(TypeError, match=why):
        make().action(repeat="keyed", spends=wrong)(send)


class Told(Payload):
    key: str


@pytest.mark.parametrize(("key", "kept"), [("run_1/step_1", True), ("somebody else's", False)])
def test_a_connector_shows_that_it_knows_its_own_orders(key: str, kept: bool) -> None:
    """By a sample of an order under the key of the samples' calls; else it breaks a promise."""
    connector = make()
    connector.action(repeat="keyed", spends=spends("amount", "currency"))(send)

    def ordered(told: Told) -> RewardOrder:
        """Something was bought."""
        return RewardOrder(order_id="o1", call_key=told.key, state="sent")

    connector.trigger("order", key="order_id")(ordered)
    connector.sample(ordered, {"type": "order", "key": key}, gives={"call_key": key})
    [case] = [one for one in cases(connector) if one.promise.__name__ == "knows_its_own_orders"]
    assert case.outcome().kept is kept
