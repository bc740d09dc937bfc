"""Gorgias: hear of tickets, ratings and customers, and keep tickets, notes, customers' fields and data, and tags.

Setup:
1. Gorgias > Settings > REST API: copy the key to `api_key`, and the user's address to `email`; notes and answers are that
   user's. `account` is the account's name: acme of https://acme.gorgias.com. An app of your own may be used instead, by
   `client_id`, `client_secret` and `hub connections authorize`.
2. `hub connections subscribe NAME` makes two HTTP integrations, for tickets that are created and closed. By hand: write a
   long random text into `webhook_token`, and add them under Settings > App Store > HTTP integration: {webhook_url}, POST,
   JSON, header X-Webhook-Token with that text, one trigger each (ticket created; ticket status updated), and the body
     {"event": "ticket_solved", "ticket_id": "{{ticket.id}}"}
   with ticket_created or ticket_solved, for Gorgias does not say which trigger it was. More may stand in the body; texts that
   people write must not: a quotation mark in them breaks it. A hub without a public address needs neither: it asks.
3. Ratings are asked for every hour. To hear of them at once, add an integration without a trigger, with ticket_rated in its
   body, and a rule that calls it when a satisfaction survey is answered.
4. Points in customers: Settings > Customer fields: add fields (such as Points: number, Tier: text). They are found by their
   names; say their numbers in `custom_fields` (Points: 123), and they need not be looked up. `mirror: {balance: Points}` keeps
   the fields of customers that there are in step; it makes no customers.
5. To answer by e-mail, write the address of the shop's mailbox in Gorgias into `from_address`.

What is told: Gorgias signs nothing and numbers nothing; the token in the header is all that proves it. Every notice is looked
up, so all say the same, as it is by then: a ticket that is open again is not solved. Solved is what Gorgias calls closed. A
ticket is created, solved and rated once, however often it is reopened and however the customer changes their mind. Tickets
that the hub made (they are tagged loyalty-hub), tickets that agents began, spam and the bin are left out. Customers are asked
for: one counts as changed when what is read of them (name, addresses, external id) is new, so what the hub writes never comes
back as news.

What goes out: `add_note` is seen by agents alone; so is `create_ticket`, unless a rule of yours answers what comes in by API.
`reply_to_ticket` is sent to the customer, and so passes the consent gate. Gorgias has no key for what is done twice: tickets
and messages bear the hub's as their external id. Tags are added and taken, never set: that would wipe all others.

Not confirmed: that lists can be had by their last change; how a customer's fields and data look when they are read; how long a
survey can be answered (30 days are looked at); how calls that fail are repeated, and when an integration is switched off;
integrations that sign (`hmac_secret`); the scopes of an app.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasPath, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    Exactly,
    Failure,
    Item,
    Mirrored,
    Number,
    Payload,
    Points,
    Reference,
    Reply,
    Settings,
    Shown,
    TicketCreated,
    TicketRated,
    TicketSolved,
    UtcMoment,
    digest,
    field_keys,
    json_text,
    names,
    utc,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

OURS = "loyalty-hub"


def _failure(reply: Reply) -> Failure | None:
    if reply.status == 403:
        return Failure("reconnect")
    if reply.status == 409:
        return Failure("lasting", todo="Another customer has this address or id, perhaps in other capitals.")
    wrong = reply.find("error.data") if reply.status == 400 else None
    return Failure("lasting", f"{reply.find('error.msg')} {json_text(wrong)}") if wrong else None


connector = Connector(
    "gorgias",
    title="Gorgias",
    settings=setting("account", "the account's name: acme of https://acme.gorgias.com", example="acme")
    + setting("email", "the e-mail address of the user whose key it is", default=None, example="hub@example.com")
    + secret("api_key", "Settings > REST API: the key", required=False)
    + setting("client_id", "the id of an app of your own, in place of a key", default=None)
    + secret("client_secret", "the app's secret", required=False)
    + secret("webhook_token", "a long random text, which integrations send as X-Webhook-Token", required=False)
    + setting("custom_fields", "numbers of customer fields by name (Points: 123)", dict[str, str], default={})
    + setting("from_address", "the mailbox from which answers are sent", default=None, example="help@example.com"),
    api="https://{account}.gorgias.com",
    auth=auth.basic("email", "api_key")
    | auth.oauth2(
        "https://{account}.gorgias.com/oauth/token",
        authorize="https://{account}.gorgias.com/oauth/authorize",
        scopes="openid email profile offline write:all",
        client="basic",
        more={"nonce": OURS},
    ),
    signature=signature.token("webhook_token", header="X-Webhook-Token"),
    envelope=envelope(kind=body("event")),
    failures=_failure,
    rate=rate("40 per 20 seconds"),
)

TICKET = "/api/tickets/{id}"
CUSTOMER = "/api/customers/{id}"
NEXT = pages.cursor("cursor", "meta.next_cursor")
LATE = timedelta(minutes=5)
ANSWERED_WITHIN = timedelta(days=30)
FIELD_ID = re.compile("[0-9]+")


# What comes in --------------------------------------------------------------------------------------------------------


class Channel(Payload):
    """A way to reach a customer: an e-mail address, a phone number, an account of a network."""

    type: str
    address: str | None = None
    preferred: bool | None = None


class Person(Payload):
    """A customer."""

    id: str
    email: str | None = None
    name: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    language: str | None = None
    external_id: str | None = None
    channels: list[Channel] = Field(default_factory=list)
    updated_at: UtcMoment | None = Field(alias="updated_datetime", default=None)

    def customer(self) -> Customer:
        numbers = sorted(
            (one for one in self.channels if one.type == "phone" and one.address), key=lambda one: not one.preferred
        )
        apart = {"first_name": self.firstname or None, "last_name": self.lastname or None}
        return Customer(
            id=self.id,
            email=self.email or None,
            phone=numbers[0].address if numbers else None,
            language=self.language or None,
            **(apart if any(apart.values()) else names(self.name)),
        )


class Tag(Payload):
    name: str


class Found(Payload):
    """A ticket, as it is now. score: 1 to 5, of the survey that was answered."""

    id: str
    subject: str | None = None
    status: str
    channel: str | None = None
    priority: str | None = None
    tags: list[Tag] = Field(default_factory=list)
    customer_id: str | None = Field(validation_alias=AliasPath("customer", "id"), default=None)
    from_agent: bool | None = None
    spam: bool | None = None
    trashed_at: UtcMoment | None = Field(alias="trashed_datetime", default=None)
    score: int | None = Field(validation_alias=AliasPath("satisfaction_survey", "score"), default=None)
    comment: str | None = Field(validation_alias=AliasPath("satisfaction_survey", "body_text"), default=None)
    scored_at: UtcMoment | None = Field(validation_alias=AliasPath("satisfaction_survey", "scored_datetime"), default=None)
    created_at: UtcMoment | None = Field(alias="created_datetime", default=None)
    closed_at: UtcMoment | None = Field(alias="closed_datetime", default=None)
    updated_at: UtcMoment | None = Field(alias="updated_datetime", default=None)

    @property
    def is_ours(self) -> bool:
        """Whether the hub made it, or another agent."""
        return bool(self.from_agent) or any(tag.name == OURS for tag in self.tags)

    @property
    def is_good(self) -> bool | None:
        """None for a rating in the middle, and for none."""
        return None if self.score in {None, 3} else self.score > 3

    def known(self, requester: Person) -> dict[str, Any]:
        """What every fact about a ticket says."""
        return {
            "customer": requester.customer(),
            "references": (Reference(kind="ticket", id=self.id),),
            "ticket_id": self.id,
            "subject": (self.subject or "")[:512],
            "channel": self.channel or "",
            "priority": self.priority or "",
            "tags": tuple(tag.name for tag in self.tags),
        }


class TicketNotice(Payload):
    """A ticket of which something is new; Gorgias writes nothing where it knows nothing."""

    ticket_id: Annotated[str, Field(min_length=1)]


def _asked(client: Client, id: str) -> tuple[Found, Person] | None:  # noqa: A002
    """A ticket and who asked; None when there is no such ticket, or it is spam or in the bin."""
    told = client.find(TICKET, at={"id": id})
    ticket = Found.model_validate(told) if told else None
    if ticket is None or ticket.spam or ticket.trashed_at or not ticket.customer_id:
        return None
    row = client.find(CUSTOMER, at={"id": ticket.customer_id})
    return (ticket, Person.model_validate(row)) if row else None


@connector.trigger("ticket_created", "ticket-created", key="ticket_id")
def ticket_created(notice: TicketNotice, client: Client) -> TicketCreated | None:
    """A ticket came in."""
    asked = _asked(client, notice.ticket_id)
    if asked is None or asked[0].is_ours:
        return None
    ticket, requester = asked
    return TicketCreated(**ticket.known(requester), occurred_at=ticket.created_at)


@connector.trigger("ticket_solved", "ticket-status-updated", key="ticket_id")
def ticket_solved(notice: TicketNotice, client: Client) -> TicketSolved | None:
    """A ticket was closed."""
    asked = _asked(client, notice.ticket_id)
    if asked is None or asked[0].is_ours or asked[0].status != "closed":
        return None
    ticket, requester = asked
    closed_at = ticket.closed_at or ticket.updated_at
    return TicketSolved(**ticket.known(requester), occurred_at=closed_at, satisfied=ticket.is_good)


@connector.trigger("ticket_rated", key="ticket_id", polled=True)
def ticket_rated(notice: TicketNotice, client: Client) -> TicketRated | None:
    """A customer said how they were served."""
    asked = _asked(client, notice.ticket_id)
    if asked is None or asked[0].score is None:
        return None
    ticket, requester = asked
    said = {"rating": ticket.score, "satisfied": ticket.is_good, "comment": (ticket.comment or "")[:10_000]}
    return TicketRated(**ticket.known(requester), **said, occurred_at=ticket.scored_at)


class PersonChanged(CustomerChanged):
    """A customer is not as they were read before. version: of what is read."""

    version: Short


@connector.trigger("customer_changed", key=("customer.id", "version"), polled=True)
def customer_changed(person: Person) -> PersonChanged:
    """A customer is new, or their name or addresses have changed."""
    read = {
        "customer": person.customer(),
        "attributes": {"external_id": person.external_id} if person.external_id else {},
    }
    return PersonChanged(**read, occurred_at=person.updated_at, version=digest(read))


def _newest(client: Client, path: str, by: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    """The rows of a list since a moment, newest first: Gorgias lists them all, in this order."""
    for row in client.pages(path, items="data", next=NEXT, query={"order_by": f"{by}:desc", "limit": 100}):
        if utc(row[by]) < since - LATE:
            return
        yield row


@connector.pull(ticket_created)
def created_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Tickets that came in since a moment."""
    found = [row["id"] for row in _newest(client, "/api/tickets", "created_datetime", since)]
    yield from ({"ticket_id": number} for number in reversed(found))


@connector.pull(ticket_solved)
def solved_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Closed tickets that were changed since a moment."""
    found = [row["id"] for row in _newest(client, "/api/tickets", "updated_datetime", since) if row["status"] == "closed"]
    yield from ({"ticket_id": number} for number in reversed(found))


@connector.pull(ticket_rated, every="1 hour")
def rated_tickets(client: Client, since: datetime) -> Iterator[Item]:
    """Tickets that were rated since a moment, on surveys of the last weeks."""
    for row in _newest(client, "/api/satisfaction-surveys", "created_datetime", since - ANSWERED_WITHIN):
        if row["scored_datetime"] and utc(row["scored_datetime"]) >= since - LATE:
            yield Item("ticket_rated", {"ticket_id": row["ticket_id"]})


@connector.pull(customer_changed)
def changed_customers(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Customers that are new or were changed since a moment."""
    return _newest(client, "/api/customers", "updated_datetime", since)


INTEGRATIONS = {"ticket_created": "ticket-created", "ticket_solved": "ticket-status-updated"}


def _ours(client: Client, connection: Connection) -> list[Mapping[str, Any]]:
    rows = client.pages("/api/integrations", items="data", next=NEXT, query={"type": "http", "limit": 100})
    return [row for row in rows if (row.get("http") or {}).get("url") == connection.webhook_url]


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Make an HTTP integration for each trigger, for Gorgias does not say which it was; gives the token that they send."""
    known = connection.settings.secret("webhook_token")
    token = known.reveal() if known else secrets.token_urlsafe(32)
    there = {row["name"]: row["id"] for row in _ours(client, connection)}
    for event, trigger in INTEGRATIONS.items():
        name = f"Loyalty hub {connection.name}: {event}"
        http = {
            "url": connection.webhook_url,
            "method": "POST",
            "request_content_type": "application/json",
            "response_content_type": "application/json",
            "headers": {"X-Webhook-Token": token},
            "triggers": {trigger: True},
            "form": {"event": event, "ticket_id": "{{ticket.id}}"},
        }
        wanted = {"name": name, "type": "http", "http": http}
        if name in there:
            client.put("/api/integrations/{id}", at={"id": there[name]}, json=wanted)
        else:
            client.post("/api/integrations", json=wanted)
    return {} if known else {"webhook_token": token}


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Take our integrations away. One that a rule uses Gorgias keeps."""
    for row in _ours(client, connection):
        client.delete("/api/integrations/{id}", at={"id": row["id"]})


# What goes out --------------------------------------------------------------------------------------------------------

TicketId = Annotated[str, Field(description="the ticket's number, such as {{ event.ticket_id }}", pattern="^[0-9]+$")]
CustomerId = Annotated[str, Field(description="the customer's number, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
Email = Annotated[str, Field(description="the e-mail address by which the customer is found, or made", pattern=r"^\S+@\S+$")]
Name = Annotated[str | None, "the name; left out, a customer who is there keeps theirs"]
Words = Annotated[str, Field(description="what to write", min_length=1)]
Tags = Annotated[list[str], Field(description="tags, letter by letter; those that are missing are made", min_length=1)]
Fields = Annotated[dict[str, str], Field(description="texts by the names or numbers of customer fields; an empty one clears")]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the names or numbers of fields, such as {{ member.balance }}")
]
Priority = Annotated[Literal["critical", "high", "normal", "low"] | None, "how urgent it is"]


class Kept(Payload):
    """What Gorgias keeps: a customer, a ticket or a message, by its number."""

    id: str


def _field_ids(client: Client, settings: Settings, wanted: Iterable[str]) -> Mapping[str, str]:
    """The numbers of customer fields by name. CallFailed when there is no such field."""

    def listed() -> Mapping[str, str]:
        rows = client.pages("/api/custom-fields", items="data", next=NEXT, query={"object_type": "Customer", "limit": 100})
        return {row["label"].casefold(): str(row["id"]) for row in rows}

    own = {name: settings["custom_fields"].get(name, name).casefold() for name in wanted}
    ids = field_keys(own, own, key=FIELD_ID, listed=listed)
    if gone := [name for name in own if name not in ids]:
        raise CallFailed(f"Gorgias has no customer field `{gone[0]}`. Make it under Settings > Customer fields.", "lasting")
    return ids


def _values(
    client: Client, settings: Settings, fields: Mapping[str, str], numbers: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    said = {name: text or None for name, text in fields.items()} | dict(numbers)
    ids = _field_ids(client, settings, said)
    return [Exactly(id=int(ids[name]), value=value) for name, value in said.items()]


def _found(client: Client, **by: str | None) -> Mapping[str, Any] | None:
    """The first customer that has this address or id."""
    rows: list[Mapping[str, Any]] = client.get("/api/customers", query=by)["data"] if any(by.values()) else []
    return rows[0] if rows else None


def _at(client: Client, address: str | None) -> Mapping[str, Any] | None:
    """The customer with an address; capitals count at Gorgias."""
    lower = (address or "").lower()
    return _found(client, email=address) or (_found(client, email=lower) if lower != (address or "") else None)


@connector.action(repeat="safe")
def upsert_customer(
    client: Client,
    settings: Settings,
    *,
    email: Email,
    name: Name = None,
    external_id: Annotated[str | None, "an id of our own, by which the customer is found first"] = None,
    fields: Fields = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set the name and fields of the customer with an e-mail address; makes the customer where there is none."""
    values = _values(client, settings, fields, numbers)
    with client.alone("customers"):
        found = _found(client, external_id=external_id) or _at(client, email)
        if found is None:
            channel = {"type": "email", "address": email, "preferred": True}
            new = {
                "name": name,
                "email": email,
                "external_id": external_id,
                "channels": [channel],
                "custom_fields": values or None,
            }
            return Kept.model_validate(client.post("/api/customers", json=new, safe=False))
        if name or external_id:
            client.put(CUSTOMER, at={"id": found["id"]}, json={"name": name, "external_id": external_id})
        if values:
            client.put(f"{CUSTOMER}/custom-fields", at={"id": found["id"]}, json=values)
        return Kept.model_validate(found)


@connector.action(repeat="safe")
def update_customer(
    client: Client,
    settings: Settings,
    *,
    customer: CustomerId,
    fields: Fields = {},  # noqa: B006
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set fields of a customer, which agents see."""
    if values := _values(client, settings, fields, numbers):
        client.put(f"{CUSTOMER}/custom-fields", at={"id": customer}, json=values)
    return Kept(id=customer)


@connector.mirror(update_customer)
def as_customer(one: Mirrored) -> dict[str, Any] | None:
    """The customer who shows a member's points."""
    return {"customer": one.customer.id, "fields": one.others, "numbers": one.numbers} if one.customer.id else None


@connector.mirrored
def shown_fields(client: Client, settings: Settings, one: Mirrored) -> Shown | None:
    """What a customer's fields say; a customer whose number is not known, or gone, is found by their address."""
    number = one.customer.id
    told = client.find(f"{CUSTOMER}/custom-fields", at={"id": number}) if number else None
    if told is None:
        row = _at(client, one.customer.email)
        if row is None:
            return None
        number, told = str(row["id"]), client.get(f"{CUSTOMER}/custom-fields", at={"id": row["id"]})
    ids = _field_ids(client, settings, one.fields)
    said = {str((row.get("field") or row)["id"]): row.get("value") for row in told["data"]}
    return Shown({name: said.get(ids[name]) for name in one.fields}, number)


@connector.action(repeat="safe")
def set_customer_data(
    client: Client, now: datetime, *, customer: CustomerId, data: Annotated[dict[str, Any], "what widgets show, by names"]
) -> None:
    """Set data of a customer, which widgets show; what other programs put beside it stays."""
    with client.alone(f"data of customer {customer}"):
        there = client.get(CUSTOMER, at={"id": customer}).get("data")
        whole = {**(there if isinstance(there, Mapping) else {}), **data}
        # What is older than what stands there, Gorgias leaves out.
        client.put(f"{CUSTOMER}/data", at={"id": customer}, json={"data": whole, "version": f"{now:%Y-%m-%dT%H:%M:%S}"})


@connector.action(repeat="never")
def create_ticket(
    client: Client,
    key: CallKey,
    *,
    email: Email,
    subject: Annotated[str, Field(description="what it is about", min_length=1)],
    text: Words,
    name: Name = None,
    priority: Priority = None,
    tags: Annotated[list[str], "tags beside loyalty-hub"] = [],  # noqa: B006
) -> Kept:
    """Make a ticket about a customer, for agents."""
    message = {
        "channel": "api",
        "via": "api",
        "from_agent": False,
        "public": True,
        "sender": {"email": email},
        "body_text": text,
    }
    ticket = {
        "channel": "api",
        "via": "api",
        "subject": subject,
        "customer": {"email": email, "name": name},
        "messages": [message],
        "external_id": key,
        "priority": priority,
        "tags": [{"name": tag} for tag in (OURS, *tags)],
    }
    kept: Kept = client.post("/api/tickets", json=ticket, into=Kept)
    return kept


@connector.lookup(create_ticket)
def created_before(client: Client, key: CallKey) -> Kept | None:
    """The ticket bears our key."""
    rows = client.get("/api/tickets", query={"external_id": key})["data"]
    return next((Kept.model_validate(row) for row in rows if row.get("external_id") == key), None)


@connector.action(repeat="safe")
def update_ticket(
    client: Client,
    *,
    ticket: TicketId,
    status: Annotated[Literal["open", "closed"] | None, "its new status"] = None,
    priority: Priority = None,
) -> Kept:
    """Set the status or priority of a ticket. Tags have actions of their own: here they would replace all others."""
    kept: Kept = client.put(TICKET, at={"id": ticket}, json={"status": status, "priority": priority}, into=Kept)
    return kept


def _written(client: Client, settings: Settings, ticket: str, key: str, text: str, **said: Any) -> Kept:
    sender = {"email": settings["email"]} if settings["email"] else None
    message = {"via": "api", "from_agent": True, "sender": sender, "external_id": key, "body_text": text, **said}
    kept: Kept = client.post(f"{TICKET}/messages", at={"id": ticket}, json=message, into=Kept)
    return kept


@connector.action(repeat="never")
def add_note(client: Client, settings: Settings, key: CallKey, *, ticket: TicketId, text: Words) -> Kept:
    """Write a note on a ticket, which agents alone see."""
    return _written(client, settings, ticket, key, text, channel="internal-note", public=False)


@connector.action(repeat="never", channel="email")
def reply_to_ticket(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    to: Annotated[str, Field(description="the e-mail address to which it is sent", pattern=r"^\S+@\S+$")],
    ticket: TicketId,
    text: Words,
) -> Kept:
    """Answer a ticket by e-mail."""
    if not settings["from_address"]:
        raise CallFailed("Answers need the connection's `from_address`: the shop's mailbox in Gorgias.", "lasting")
    source = {"type": "email", "from": {"address": settings["from_address"]}, "to": [{"address": to}]}
    said = {"channel": "email", "public": True, "source": source, "receiver": {"email": to}}
    return _written(client, settings, ticket, key, text, **said)


@connector.lookup(add_note)
def noted_before(client: Client, key: CallKey, *, ticket: str) -> Kept | None:
    """The message bears our key."""
    return _written_before(client, key, ticket)


@connector.lookup(reply_to_ticket)
def replied_before(client: Client, key: CallKey, *, ticket: str) -> Kept | None:
    """As of a note."""
    return _written_before(client, key, ticket)


def _written_before(client: Client, key: str, ticket: str) -> Kept | None:
    rows = client.get(TICKET, at={"id": ticket}).get("messages") or ()
    return next((Kept.model_validate(row) for row in rows if row.get("external_id") == key), None)


@connector.action(repeat="safe")
def tag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> None:
    """Give a ticket tags more."""
    client.post(f"{TICKET}/tags", at={"id": ticket}, json={"names": tags})  # PUT replaces all


@connector.action(repeat="safe")
def untag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> None:
    """Take tags from a ticket."""
    client.delete(f"{TICKET}/tags", at={"id": ticket}, json={"names": tags})


# Recorded truth -------------------------------------------------------------------------------------------------------

SOLVED = {"event": "ticket_solved", "ticket_id": "90210"}
CREATED = {"event": "ticket_created", "ticket_id": "90210"}
RATED = {"event": "ticket_rated", "ticket_id": "90210"}
SURVEY = {"id": 1234, "ticket_id": 90210, "score": 5, "body_text": "Such speed!", "scored_datetime": "2026-02-06T21:28:00.5"}
FOUND = {
    "id": 90210,
    "subject": "Late parcel",
    "status": "closed",
    "channel": "email",
    "via": "email",
    "priority": "high",
    "from_agent": False,
    "spam": False,
    "tags": [{"id": 7, "name": "vip"}],
    "customer": {"id": 5501, "email": "ada@example.com", "name": "Ada Ng"},
    "satisfaction_survey": SURVEY,
    "external_id": None,
    "messages": [{"id": 1, "external_id": None}],
    "created_datetime": "2026-02-06T20:12:07.123456",
    "closed_datetime": "2026-02-06T21:27:34.123456",
    "updated_datetime": "2026-02-06T21:28:01.123456",
    "trashed_datetime": None,
}
ADA = {
    "id": 5501,
    "email": "ada@example.com",
    "name": "Ada Ng",
    "firstname": "Ada",
    "lastname": "Ng",
    "language": "en",
    "external_id": "loy-1001",
    "channels": [{"type": "email", "address": "ada@example.com"}, {"type": "phone", "address": "+14155550123"}],
    "data": {"orders": 3},
    "updated_datetime": "2026-02-06T21:27:34.123456",
}
WHO = {"id": "5501", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada", "last_name": "Ng"}
KNOWN = {"ticket_id": "90210", "subject": "Late parcel", "channel": "email", "tags": ["vip"], "customer": WHO}
PRAISE = {"ticket_id": "90210", "rating": 5, "satisfied": True, "comment": "Such speed!"}
SINCE = "2026-02-06T21:00:00+00:00"
OLD = "2026-02-06T20:00:00.123456"
END = {"next_cursor": None, "prev_cursor": None}
GET_TICKET, GET_ADA = "GET /api/tickets/90210", "GET /api/customers/5501"
FIND_ADA = ask("GET /api/customers", query={"email": "ada@example.com"})
DEFINITIONS = ask("GET /api/custom-fields", query={"object_type": "Customer"})
DEFINED = {"data": [{"id": 123, "label": "Points"}, {"id": 124, "label": "Tier"}], "meta": END}
FIELDS = {"fields": {"Tier": "gold"}, "numbers": {"points": 120}}
WRITTEN = [{"id": 124, "value": "gold"}, {"id": 123, "value": 120}]
PUT_FIELDS = "PUT /api/customers/5501/custom-fields"
GET_FIELDS = "GET /api/customers/5501/custom-fields"
SAID = {"data": [{"field": {"id": 123, "label": "Points"}, "value": 120}, {"id": 124, "value": None}]}
ADA_SHOWN: dict[str, Any] = {"customer": {"id": "5501"}, "fields": {"Points": 120, "Tier": None}}
MUG = {"email": "ada@example.com", "name": "Ada Ng", "subject": "Ship a mug", "text": "Her reward", "tags": ["mug"]}
MADE = FOUND | {"id": 90211, "external_id": "run_1/step_1", "tags": [{"name": OURS}, {"name": "mug"}]}
NOTE = {"ticket": "90210", "text": "Redeemed an oil change"}
MESSAGE = {"via": "api", "from_agent": True, "body_text": "Redeemed an oil change", "external_id": "run_1/step_1"}
POST_MESSAGE = "POST /api/tickets/90210/messages"
WROTE = FOUND | {"messages": [{"id": 1, "external_id": None}, {"id": 88, "external_id": "run_1/step_1"}]}
TAGS = {"ticket": "90210", "tags": ["gold"]}

connector.sample(ticket_created, CREATED, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives=KNOWN)
connector.sample(ticket_created, CREATED, asks=[GET_TICKET, GET_ADA], reply=[MADE, ADA], gives=None, note="the hub made it")
connector.sample(ticket_solved, SOLVED, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives={**KNOWN, "satisfied": True})
connector.sample(
    ticket_solved,
    SOLVED | {"event": "ticket-status-updated", "status": "closed"},
    asks=[GET_TICKET, GET_ADA],
    reply=[FOUND | {"status": "open"}, ADA],
    gives=None,
    note="open again by the time it is looked at",
)
connector.sample(ticket_rated, RATED, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives={**KNOWN, **PRAISE})
connector.sample(
    created_tickets,
    SINCE,
    asks=[ask("GET /api/tickets", query={"order_by": "created_datetime:desc"}), GET_TICKET, GET_ADA],
    reply=[{"data": [FOUND | {"created_datetime": SINCE}, FOUND | {"created_datetime": OLD}], "meta": END}, FOUND, ADA],
    gives={"ticket_id": "90210"},
)
connector.sample(
    solved_tickets,
    SINCE,
    asks=[
        ask("GET /api/tickets", query={"order_by": "updated_datetime:desc"}),
        ask("GET /api/tickets", query={"cursor": "c2"}),
        GET_TICKET,
        GET_ADA,
    ],
    reply=[
        {"data": [FOUND | {"id": 90212, "status": "open"}], "meta": {"next_cursor": "c2"}},
        {"data": [FOUND, FOUND | {"updated_datetime": OLD}], "meta": {"next_cursor": "c3"}},
        FOUND,
        ADA,
    ],
    gives={"ticket_id": "90210"},
)
connector.sample(
    rated_tickets,
    SINCE,
    asks=[ask("GET /api/satisfaction-surveys", query={"order_by": "created_datetime:desc"}), GET_TICKET, GET_ADA],
    reply=[
        {"data": [SURVEY | {"created_datetime": OLD}, {"created_datetime": OLD, "scored_datetime": None}], "meta": END},
        FOUND,
        ADA,
    ],
    gives=PRAISE,
)
connector.sample(
    changed_customers,
    SINCE,
    asks=ask("GET /api/customers", query={"order_by": "updated_datetime:desc"}),
    reply={"data": [ADA], "meta": END},
    gives={"customer": WHO, "attributes": {"external_id": "loy-1001"}},
)
connector.sample(
    upsert_customer,
    {"email": "ada@example.com", "name": "Ada Ng", **FIELDS},
    asks=[DEFINITIONS, FIND_ADA, ask("PUT /api/customers/5501", json={"name": "Ada Ng"}), ask(PUT_FIELDS, json=WRITTEN)],
    reply=[DEFINED, {"data": [ADA]}, answers(202, ADA), answers(202, {})],
    gives={"id": "5501"},
)
connector.sample(
    upsert_customer,
    {"email": "ada@example.com", "external_id": "loy-1001"},
    asks=[
        ask("GET /api/customers", query={"external_id": "loy-1001"}),
        FIND_ADA,
        ask("POST /api/customers", json={"email": "ada@example.com", "external_id": "loy-1001"}),
    ],
    reply=[{"data": []}, {"data": []}, answers(201, ADA)],
    gives={"id": "5501"},
)
connector.sample(
    update_customer,
    {"customer": "5501", **FIELDS},
    asks=[DEFINITIONS, ask(PUT_FIELDS, json=WRITTEN)],
    reply=[DEFINED, answers(202, {})],
    gives={"id": "5501"},
)
connector.sample(
    update_customer, {"customer": "5501", "numbers": {"pointz": 1}}, asks=DEFINITIONS, reply=DEFINED, fails="lasting"
)
connector.sample(
    as_customer,
    ADA_SHOWN,
    asks=[DEFINITIONS, ask(PUT_FIELDS, json=[{"id": 124, "value": None}, {"id": 123, "value": 120}])],
    reply=[DEFINED, answers(202, {})],
    gives={"customer": "5501", "numbers": {"Points": 120}, "fields": {"Tier": ""}},
)
connector.sample(as_customer, ADA_SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    shown_fields,
    ADA_SHOWN,
    asks=[GET_FIELDS, DEFINITIONS],
    reply=[SAID, DEFINED],
    gives={"id": "5501", "fields": {"Points": 120, "Tier": None}},
)
connector.sample(
    shown_fields,
    ADA_SHOWN | {"customer": {"email": "ada@example.com"}},
    asks=[FIND_ADA, GET_FIELDS, DEFINITIONS],
    reply=[{"data": [ADA]}, SAID, DEFINED],
    gives={"id": "5501", "fields": {"Points": 120}},
)
connector.sample(
    set_customer_data,
    {"customer": "5501", "data": {"loyalty": {"points": 120}}},
    asks=[
        GET_ADA,
        ask(
            "PUT /api/customers/5501/data",
            json={"data": {"orders": 3, "loyalty": {"points": 120}}, "version": "2026-02-06T21:30:00"},
        ),
    ],
    reply=[ADA, answers(202)],
)
connector.sample(
    create_ticket,
    MUG | {"priority": "high"},
    asks=ask(
        "POST /api/tickets",
        json={
            "channel": "api",
            "via": "api",
            "subject": "Ship a mug",
            "customer": {"email": "ada@example.com", "name": "Ada Ng"},
            "messages": [{"channel": "api", "via": "api", "from_agent": False, "body_text": "Her reward"}],
            "external_id": "run_1/step_1",
            "priority": "high",
            "tags": [{"name": "loyalty-hub"}, {"name": "mug"}],
        },
    ),
    reply=answers(201, MADE),
    gives={"id": "90211"},
)
connector.sample(
    created_before,
    MUG,
    asks=ask("GET /api/tickets", query={"external_id": "run_1/step_1"}),
    reply={"data": [FOUND, MADE], "meta": END},
    gives={"id": "90211"},
)
connector.sample(
    update_ticket,
    {"ticket": "90210", "status": "closed"},
    asks=ask("PUT /api/tickets/90210", json={"status": "closed"}),
    reply=answers(202, FOUND),
    gives={"id": "90210"},
)
connector.sample(
    add_note,
    NOTE,
    asks=ask(
        POST_MESSAGE, json=MESSAGE | {"channel": "internal-note", "public": False, "sender": {"email": "hub@example.com"}}
    ),
    reply=answers(201, {"id": 88}),
    gives={"id": "88"},
)
connector.sample(noted_before, NOTE, asks=GET_TICKET, reply=WROTE, gives={"id": "88"})
connector.sample(noted_before, NOTE, asks=GET_TICKET, reply=FOUND, gives=None)
connector.sample(
    reply_to_ticket,
    NOTE | {"to": "ada@example.com"},
    asks=ask(
        POST_MESSAGE,
        json=MESSAGE
        | {
            "channel": "email",
            "public": True,
            "receiver": {"email": "ada@example.com"},
            "source": {"type": "email", "from": {"address": "help@example.com"}, "to": [{"address": "ada@example.com"}]},
        },
    ),
    reply=answers(201, {"id": 89}),
    gives={"id": "89"},
)
connector.sample(replied_before, NOTE | {"to": "ada@example.com"}, asks=GET_TICKET, reply=WROTE, gives={"id": "88"})
connector.sample(tag_ticket, TAGS, asks=ask("POST /api/tickets/90210/tags", json={"names": ["gold"]}), reply=answers(201))
connector.sample(untag_ticket, TAGS, asks=ask("DELETE /api/tickets/90210/tags", json={"names": ["gold"]}), reply=answers(204))
