"""Cards: platforms that show members' points in fields of their own: one that is asked card by card, one that takes several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field

from hub.programme.actions import connector as built_in
from hub.sdk import CallFailed, Client, Connector, Customer, CustomerChanged, Mirrored, Payload, Shown
from hub.sdk.declare import body, envelope, secrets, signature
from tests.engine.platforms import KEY, Answered, Asked, Platform, letters, till
from tests.engine.world import World

FIELDS = "{balance: POINTS, tier: TIER, expires: ENDS, expiring: ENDING}"
MIRRORED = f"""\
public_url: https://points.example.com
connections:
  till: {{key: {KEY}}}
  letters: {{key: {KEY}}}
  cards: {{key: {KEY}, mirror: {FIELDS}}}
"""
SEVERAL = MIRRORED + f"  desk: {{key: {KEY}, mirror: {{balance: POINTS}}}}\n"
Contact = Annotated[str, "whose"]
Said = Annotated[dict[str, str], "what"]


def _made(name: str, **said: Any) -> Connector:
    return Connector(
        name,
        title=name.capitalize(),
        settings=secrets("key"),
        api=f"https://{name}.example.com",
        signature=signature.hmac("X-Signature", "key"),
        envelope=envelope(kind=body("type"), id=body("id"), data=body("data")),
        **said,
    )


cards = _made("cards")
desk = _made("desk")


class Card(Payload):
    id: str
    email: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)


class Told(Payload):
    version: str
    card: Card


class CardChanged(CustomerChanged):
    version: str


@cards.trigger("card", key="version")
def card_changed(told: Told) -> CardChanged:
    """A card is another one."""
    customer = Customer(id=told.card.id, email=told.card.email)
    return CardChanged(version=told.version, customer=customer, attributes=told.card.fields)


@cards.action(repeat="safe")
def update(client: Client, *, card: Contact, fields: Said) -> None:
    """Set fields of a card."""
    client.put("/cards/{id}", at={"id": card}, json={"fields": fields})


@cards.action(repeat="safe")
def make_card(client: Client, *, email: Contact) -> None:
    """Make a card."""
    client.post("/cards", json={"email": email})


@cards.mirror(update)
def as_card(one: Mirrored) -> Mapping[str, Any] | None:
    """A member's card."""
    return {"card": one.customer.id, "fields": one.texts} if one.customer.id else None


@cards.mirrored
def card_fields(client: Client, one: Mirrored) -> Shown | None:
    """What a card says."""
    found = client.find("/cards/{id}", at={"id": one.customer.id}) if one.customer.id else None
    if found is None and one.customer.email:
        found = next(iter(client.get("/cards", query={"email": one.customer.email})["cards"]), None)
    return Shown(found["fields"], found["id"]) if found else None


class Change(BaseModel):
    card: Contact
    fields: Said


@desk.action(repeat="safe", batch=3)
def update_many(client: Client, changes: list[Change]) -> list[CallFailed | None]:
    """Set fields of several cards."""
    told = client.post("/desk/write", json={"cards": [change.model_dump() for change in changes]})["answers"]
    return [None if said == "ok" else CallFailed(said, "lasting") for said in told]


@desk.mirror(update_many)
def as_change(one: Mirrored) -> Mapping[str, Any] | None:
    """A member's card."""
    return {"card": one.customer.id, "fields": one.texts} if one.customer.id else None


@desk.mirrored(batch=3)
def several_fields(client: Client, many: list[Mirrored]) -> list[Shown | CallFailed | None]:
    """What several cards say."""
    asked = [{"id": one.customer.id, "email": one.customer.email} for one in many]
    told = client.post("/desk/read", json={"cards": asked}, safe=True)["cards"]
    return [CallFailed(one, "lasting") if isinstance(one, str) else one and Shown(one["fields"], one["id"]) for one in told]


@dataclass
class CardPlatform(Platform):
    """Also keeps cards. there: by id. refused: cards that cannot be read or written, and why."""

    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Platform.__init__(self)

    def give(self, id_: str, **fields: str) -> None:
        """A card for a customer, whose address is made of its id."""
        self.there[id_] = {"id": id_, "email": f"{id_}@example.com", "fields": dict(fields)}

    def writes(self) -> list[tuple[str, dict[str, str]]]:
        """What was written to cards, in order."""
        alone = [(one.path.rpartition("/")[2], one.body["fields"]) for one in self.asked if one.method == "PUT"]
        many = [row for one in self.asked if one.path == "/desk/write" for row in one.body["cards"]]
        return alone + [(row["card"], row["fields"]) for row in many]

    def _usual(self, asked: Asked) -> Answered:
        url = urlsplit(asked.path)
        if url.path.startswith("/desk"):
            rows = asked.body["cards"]
            if url.path == "/desk/read":
                return Answered(body={"cards": [self.refused.get(row.get("id")) or self._find(**row) for row in rows]})
            return Answered(body={"answers": [self._write(row["card"], row["fields"]) for row in rows]})
        if url.path == "/cards":
            return self._all(asked, parse_qs(url.query))
        return self._one(asked, url.path.rpartition("/")[2]) if url.path.startswith("/cards/") else super()._usual(asked)

    def _all(self, asked: Asked, query: Mapping[str, list[str]]) -> Answered:
        if asked.method == "POST":
            self.give(asked.body["email"].partition("@")[0])
            return Answered(201, {})
        found = self._find(email=query["email"][0])
        return Answered(body={"cards": [found] if found else []})

    def _one(self, asked: Asked, name: str) -> Answered:
        if name in self.refused:
            return Answered(422, {"message": self.refused[name]})
        if name not in self.there:
            return Answered(404, {"message": "no such card"})
        if asked.method == "PUT":
            self._write(name, asked.body["fields"])
        return Answered(body=self.there[name])

    def _find(self, id: str | None = None, email: str | None = None) -> dict[str, Any] | None:  # noqa: A002
        if id in self.there:
            return self.there[id]
        return next((card for card in self.there.values() if card["email"] == email), None)

    def _write(self, name: str, fields: Mapping[str, str]) -> str:
        if name in self.refused:
            return self.refused[name]
        if name not in self.there:
            return "no such card"
        self.there[name]["fields"].update(fields)
        return "ok"


class MirrorWorld(World):
    """A world with platforms that mirror."""

    connectors = (built_in, till, letters, cards, desk)
    platform: CardPlatform

    def make_platform(self) -> Platform:
        return CardPlatform()

    def shop(self, id_: str, who: str, amount: object) -> None:
        """A purchase of somebody whose address is known."""
        self.pay(id_, amount, {"id": who, "email": f"{who}@example.com"})

    def image(self, who: str, connection: str = "cards") -> dict[str, Any]:
        sql = "SELECT * FROM mirror WHERE connection = :connection AND member_id = :member"
        return self.one(sql, connection=connection, member=self.member(f"id:till:{who}"))

    def comparisons(self, connection: str = "cards") -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM mirror_comparison WHERE connection = :connection ORDER BY id", connection=connection)

    def drift(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM mirror_drift ORDER BY comparison_id, member_id, field")
