"""Freshdesk: hear of tickets, ratings and contacts, and keep tickets, notes, contacts' custom fields and tags.

Setup:
1. Make an agent for the hub, who may edit contacts and tickets. Their profile settings > API key: copy it to `api_key`.
   `domain` is the account's name: acme of https://acme.freshdesk.com (a portal of your own address does not serve the API).
2. Write a long random text into `webhook_token`. Admin > Workflows > Automations: make rules with the action "Trigger
   webhook": POST, {webhook_url}, custom headers {"X-Webhook-Token": "that text"}, JSON, Advanced, with this content:
     {"event": "ticket_solved", "ticket_id": "{{ticket.id}}"}
   - Ticket updates, "Status is changed" to Resolved or Closed: ticket_solved.
   - Ticket updates, "Customer feedback is received", any: ticket_rated.
   - Ticket creation: ticket_created.
   Let the rules leave out what the hub's agent does. More may stand in the content; texts that people write must not: a
   quotation mark in them breaks it. The content "Simple" will do too, with ?event=ticket_solved at the end of the address.
   A hub without a public address needs no rules: it asks.
3. Points in contacts: Admin > Support Operations > Customer Fields > Contact Fields: add fields (such as loyalty_points:
   number, loyalty_tier: text, loyalty_expires: date). `mirror: {balance: loyalty_points, tier: loyalty_tier}` keeps the fields
   of contacts that there are in step; it makes no contacts.

What is told: Freshdesk signs nothing and numbers nothing; the token in the header is all that proves it. Every notice is looked
up, so all say the same, as it is by then: statuses come in the helpdesk's own language, and a ticket that is open again is not
solved. A ticket is created, solved and rated once, however often it is reopened and however the customer changes their mind.
Tickets that the hub made (they are tagged loyalty-hub), spam and agents' own tickets are left out. Contacts are asked for: one
counts as changed when what is read of it (name, addresses, unique external id, `contact_fields`) is new, so the points that the
hub writes never come back as news.

What goes out: `add_note` is seen by agents alone; so is `create_ticket`, but Freshdesk may tell the requester that a ticket
came in: Admin > Email Notifications > New Ticket Created says whether. `reply_to_ticket` is sent to the requester, and so
passes the consent gate. Freshdesk has no key for what is done twice: a ticket bears the hub's in its text. An agent cannot be
a contact.

Not confirmed: the numbers of ratings (103 extremely happy to -103 extremely unhappy, 1 to 3 in old surveys; a neutral one is
neither), the list of all ratings, the filter by which changed contacts are asked for, how many calls a minute are allowed (80
are made; plans differ), whether a second call with an e-mail address that is taken is refused with 409 or 400.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
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
    Moment,
    Number,
    Payload,
    Points,
    Reference,
    Reply,
    Request,
    Settings,
    Shown,
    TicketCreated,
    TicketRated,
    TicketSolved,
    Unreadable,
    digest,
    names,
    words,
)
from hub.sdk.declare import answers, ask, auth, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

OURS = "loyalty-hub"


def _failure(reply: Reply) -> Failure | None:
    errors = reply.find("errors") if reply.status in {400, 409} else None
    said = [f"{row.get('field')}: {row.get('message')}" for row in errors or () if isinstance(row, Mapping)]
    if reply.status == 409:
        return Failure("lasting", "; ".join(said), "It is an agent's, or that of a contact that was deleted or merged.")
    if reply.status == 403:
        return Failure("reconnect")
    return Failure("lasting", "; ".join(said)) if said else None


def _items(request: Request) -> Iterator[Item]:
    """What the admin wrote as the rule's content, or what Freshdesk wraps when they only ticked fields."""
    content = request.content()
    told = content.get("freshdesk_webhook", content) if isinstance(content, Mapping) else None
    if not isinstance(told, Mapping):
        raise Unreadable(f"The body should be an object, and is {str(content)[:40]!r}.")
    changed = "ticket_solved" if "ticket_status" in str(told.get("triggered_event")) else None
    event = told.get("event") or request.asked("event") or changed
    if not isinstance(event, str):
        raise Unreadable('The body names no event; write "event": "ticket_solved" into it, or ?event=… after the address.')
    yield Item(event, told)


connector = Connector(
    "freshdesk",
    title="Freshdesk",
    settings=setting("domain", "the account's name: acme of https://acme.freshdesk.com", example="acme")
    + secret("api_key", "the profile settings of the hub's agent > API key")
    + secret("webhook_token", "a long random text, which rules send as X-Webhook-Token", required=False)
    + setting("solved_statuses", "the numbers of the statuses in which a ticket is solved", list[int], default=[4, 5])
    + setting(
        "contact_fields", "names of custom fields of contacts that recipes may read", list[str], default=[], example=["car"]
    ),
    api="https://{domain}.freshdesk.com",
    auth=auth.basic("api_key", fixed="X"),
    signature=signature.token("webhook_token", header="X-Webhook-Token"),
    envelope=_items,
    failures=_failure,
    rate=rate("80 per minute"),
)

TICKET = "/api/v2/tickets/{id}"
CONTACT = "/api/v2/contacts/{id}"
PAGE_SIZE, PAGES_MOST = 100, 300
NUMBERED = pages.page_number(size=PAGE_SIZE)
LATE = timedelta(minutes=5)
STATUSES = {"open": 2, "pending": 3, "resolved": 4, "closed": 5}
PRIORITIES = {"low": 1, "medium": 2, "high": 3, "urgent": 4}
SOURCES = {1: "email", 2: "portal", 3: "phone", 7: "chat", 9: "feedback widget", 10: "outbound email"}


# What comes in --------------------------------------------------------------------------------------------------------


class Person(Payload):
    """A contact."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    language: str | None = None
    external_id: str | None = Field(alias="unique_external_id", default=None)
    tags: list[str] = Field(default_factory=list)
    custom_fields: dict[str, Any] = Field(default_factory=dict)
    deleted: bool | None = None
    updated_at: Moment | None = None

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=self.email or None,
            phone=self.mobile or self.phone or None,
            language=self.language or None,
            **names(self.name),
        )


class Found(Payload):
    """A ticket, as it is now. status, priority and source: numbers."""

    id: str
    subject: str | None = None
    status: int
    priority: int | None = None
    source: int | None = None
    requester_id: str | None = None
    tags: list[str] = Field(default_factory=list)
    spam: bool | None = None
    deleted: bool | None = None
    resolved_at: Moment | None = Field(validation_alias=AliasPath("stats", "resolved_at"), default=None)
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the hub made it."""
        return OURS in self.tags

    def known(self, requester: Person) -> dict[str, Any]:
        """What every fact about a ticket says."""
        return {
            "customer": requester.customer(),
            "references": (Reference(kind="ticket", id=self.id),),
            "ticket_id": self.id,
            "subject": (self.subject or "")[:512],
            "channel": SOURCES.get(self.source, str(self.source)) if self.source else "",
            "priority": next((name for name, number in PRIORITIES.items() if number == self.priority), ""),
            "tags": self.tags,
        }


class TicketNotice(Payload):
    """A ticket of which something is new; a placeholder that is none leaves nothing in its place."""

    ticket_id: Annotated[str, Field(min_length=1)]


def _asked(client: Client, id: str) -> tuple[Found, Person] | None:  # noqa: A002
    """A ticket and who asked; None when there is no such ticket, it is spam, or an agent asked, who is no contact."""
    told = client.find(TICKET, at={"id": id}, query={"include": "stats"})
    ticket = Found.model_validate(told) if told else None
    if ticket is None or ticket.spam or ticket.deleted or not ticket.requester_id:
        return None
    row = client.find(CONTACT, at={"id": ticket.requester_id})
    return (ticket, Person.model_validate(row)) if row else None


@connector.trigger("ticket_created", key="ticket_id")
def ticket_created(notice: TicketNotice, client: Client) -> TicketCreated | None:
    """A ticket came in."""
    asked = _asked(client, notice.ticket_id)
    if asked is None or asked[0].is_ours:
        return None
    ticket, requester = asked
    return TicketCreated(**ticket.known(requester), occurred_at=ticket.created_at)


@connector.trigger("ticket_solved", key="ticket_id")
def ticket_solved(notice: TicketNotice, settings: Settings, client: Client) -> TicketSolved | None:
    """A ticket was solved."""
    asked = _asked(client, notice.ticket_id)
    if asked is None or asked[0].is_ours or asked[0].status not in settings["solved_statuses"]:
        return None
    ticket, requester = asked
    return TicketSolved(**ticket.known(requester), occurred_at=ticket.resolved_at or ticket.updated_at)


class Rating(Payload):
    """What a customer answered to the survey's first question."""

    score: int = Field(validation_alias=AliasPath("ratings", "default_question"))
    feedback: str | None = None
    created_at: Moment

    @property
    def is_good(self) -> bool | None:
        """None for a neutral one. Old surveys know 1 happy, 2 neutral and 3 unhappy."""
        if abs(self.score) < 100:
            return {1: True, 3: False}.get(self.score)
        return None if self.score == 100 else self.score > 100


class Rated(TicketRated):
    """A rating. score: the number that Freshdesk gives it."""

    score: int


@connector.trigger("ticket_rated", key="ticket_id")
def ticket_rated(notice: TicketNotice, client: Client) -> Rated | None:
    """A customer said how they were served."""
    asked = _asked(client, notice.ticket_id)
    rows = client.get(f"{TICKET}/satisfaction_ratings", at={"id": notice.ticket_id}) if asked else []
    if asked is None or not rows:
        return None
    ticket, requester = asked
    rating = max(map(Rating.model_validate, rows), key=lambda rating: rating.created_at)
    said = {"score": rating.score, "satisfied": rating.is_good, "comment": (rating.feedback or "")[:10_000]}
    return Rated(**ticket.known(requester), **said, occurred_at=rating.created_at)


class ContactChanged(CustomerChanged):
    """A contact is not as it was read before. version: of what is read."""

    version: Short


@connector.trigger("contact_changed", key=("customer.id", "version"), polled=True)
def contact_changed(person: Person, connection: Connection) -> ContactChanged | None:
    """A contact is new, or its name, addresses or another field that is read has changed."""
    if person.deleted:
        return None
    # What mirrors points is our own word, and no news.
    fields = sorted(set(connection.settings["contact_fields"]) - set(connection.mirror.values()))
    said = {"external_id": person.external_id or "", **{name: words(person.custom_fields.get(name)) for name in fields}}
    attributes = {name: text for name, text in said.items() if text}
    read = {"customer": person.customer(), "attributes": attributes}
    return ContactChanged(**read, tags=tuple(person.tags), occurred_at=person.updated_at, version=digest(read))


def _windows(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> tuple[str, Mapping[str, Any]] | None:
    """A list ends at 300 pages: from there it goes on with another, from the last change that it has seen."""
    query = said["query"]
    page = int(query.get("page", 1))
    if len(items) < PAGE_SIZE:
        return None
    if page < PAGES_MOST:
        return path, {"query": {**query, "page": page + 1}}
    return path, {"query": {**query, "page": 1, "updated_since": items[-1]["updated_at"]}}


def _from(since: datetime) -> datetime:
    """A little earlier, in whole seconds."""
    return (since - LATE).replace(microsecond=0)


def _changed(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    order = {"order_by": "updated_at", "order_type": "asc", "per_page": PAGE_SIZE}
    return client.pages("/api/v2/tickets", items="", next=_windows, query={"updated_since": _from(since), **order})


@connector.pull(ticket_created)
def created_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Tickets that came in since a moment."""
    for row in _changed(client, since):
        if datetime.fromisoformat(row["created_at"]) >= since - LATE:
            yield {"ticket_id": row["id"]}


@connector.pull(ticket_solved)
def solved_tickets(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Solved tickets that were changed since a moment."""
    for row in _changed(client, since):
        if row["status"] in settings["solved_statuses"]:
            yield {"ticket_id": row["id"]}


@connector.pull(ticket_rated)
def rated_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Tickets that were rated since a moment."""
    query = {"created_since": _from(since), "per_page": PAGE_SIZE}
    for row in client.pages("/api/v2/surveys/satisfaction_ratings", items="", next=NUMBERED, query=query):
        yield {"ticket_id": row["ticket_id"]}


@connector.pull(contact_changed)
def changed_contacts(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Contacts that are new or were changed since a moment."""
    query = {"_updated_since": _from(since), "per_page": PAGE_SIZE}
    return client.pages("/api/v2/contacts", items="", next=NUMBERED, query=query)


# What goes out --------------------------------------------------------------------------------------------------------

TicketId = Annotated[str, Field(description="the ticket's number, such as {{ event.ticket_id }}", pattern="^[0-9]+$")]
ContactId = Annotated[str, Field(description="the contact's number, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
Email = Annotated[str, Field(description="the e-mail address by which the contact is found, or made", pattern=r"^\S+@\S+$")]
Name = Annotated[str | None, "the name; left out, a contact who is there keeps theirs"]
Words = Annotated[str, Field(description="what to write", min_length=1)]
Tags = Annotated[list[str], Field(description="tags", min_length=1)]
Fields = Annotated[dict[str, str], Field(description="texts by the names of contacts' custom fields; an empty one clears")]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the names of custom fields, such as {{ member.balance }}")
]
Priority = Literal["low", "medium", "high", "urgent"]
TicketFields = Annotated[dict[str, str], Field(description="texts by the names of ticket fields, such as cf_order")]


class Kept(Payload):
    """What Freshdesk keeps: a contact, a ticket, a note or an answer, by its number."""

    id: str


def _fields(fields: Mapping[str, str], numbers: Mapping[str, Any]) -> dict[str, Any] | None:
    return Exactly({name: text or None for name, text in fields.items()} | dict(numbers)) or None


def _found(client: Client, **by: str | None) -> Mapping[str, Any] | None:
    """The first contact that has this address or id."""
    rows: list[Mapping[str, Any]] = client.get("/api/v2/contacts", query=by) if any(by.values()) else []
    return rows[0] if rows else None


@connector.action(repeat="safe")
def upsert_contact(
    client: Client,
    *,
    email: Email,
    name: Name = None,
    external_id: Annotated[str | None, "an id of our own, by which the contact is found first"] = None,
    fields: Fields = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set the name and custom fields of the contact with an e-mail address; makes the contact where there is none."""
    wanted = {"name": name, "unique_external_id": external_id, "custom_fields": _fields(fields, numbers)}
    with client.alone("contacts"):
        found = _found(client, unique_external_id=external_id) or _found(client, email=email)
        if found is None:
            new = {**wanted, "name": name or email.partition("@")[0], "email": email}
            return Kept.model_validate(client.post("/api/v2/contacts", json=new, safe=False))
        if any(wanted.values()):
            client.put(CONTACT, at={"id": found["id"]}, json=wanted)
        return Kept.model_validate(found)


@connector.action(repeat="safe")
def update_contact(
    client: Client,
    *,
    contact: ContactId,
    fields: Fields = {},  # noqa: B006
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set custom fields of a contact."""
    kept: Kept = client.put(CONTACT, at={"id": contact}, json={"custom_fields": _fields(fields, numbers)}, into=Kept)
    return kept


@connector.mirror(update_contact)
def as_contact(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    return {"contact": one.customer.id, "fields": one.others, "numbers": one.numbers} if one.customer.id else None


@connector.mirrored
def shown_fields(client: Client, one: Mirrored) -> Shown | None:
    """What a contact's custom fields say; a contact whose number is not known, or gone, is found by its address."""
    row = client.find(CONTACT, at={"id": one.customer.id}) if one.customer.id else None
    if row is None or row.get("deleted"):
        row = _found(client, email=one.customer.email)
    return Shown(row.get("custom_fields") or {}, str(row["id"])) if row else None


def _in_html(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")


@connector.action(repeat="never")
def create_ticket(
    client: Client,
    key: CallKey,
    *,
    email: Email,
    subject: Annotated[str, Field(description="what it is about", min_length=1)],
    text: Words,
    name: Name = None,
    priority: Annotated[Priority, "how urgent it is"] = "low",
    tags: Annotated[list[str], "tags beside loyalty-hub"] = [],  # noqa: B006
    fields: TicketFields = {},  # noqa: B006
) -> Kept:
    """Make a ticket about a customer, for agents."""
    ticket = {
        "subject": subject,
        "description": f"{_in_html(text)}<br><br>{_mark(key)}",
        "email": email,
        "name": name,
        "status": STATUSES["open"],
        "priority": PRIORITIES[priority],
        "tags": [OURS, *tags],
        "custom_fields": fields or None,
    }
    kept: Kept = client.post("/api/v2/tickets", json=ticket, into=Kept)
    return kept


def _mark(key: str) -> str:
    return f"({OURS} {key})"


@connector.lookup(create_ticket)
def created_before(client: Client, started: datetime, key: CallKey, *, email: str) -> Kept | None:
    """The ticket bears our key in its text, which a list does not show."""
    query = {"email": email, "updated_since": _from(started), "per_page": PAGE_SIZE}
    for row in client.get("/api/v2/tickets", query=query):
        if OURS in row["tags"] and _mark(key) in client.get(TICKET, at={"id": row["id"]})["description_text"]:
            return Kept.model_validate(row)
    return None


@connector.action(repeat="safe")
def update_ticket(
    client: Client,
    *,
    ticket: TicketId,
    status: Annotated[Literal["open", "pending", "resolved", "closed"] | None, "its new status"] = None,
    priority: Annotated[Priority | None, "how urgent it is"] = None,
    fields: TicketFields = {},  # noqa: B006
) -> Kept:
    """Set the status, priority or fields of a ticket. Tags have actions of their own: here they would replace all others."""
    numbers = {"status": STATUSES.get(status or ""), "priority": PRIORITIES.get(priority or "")}
    kept: Kept = client.put(TICKET, at={"id": ticket}, json={**numbers, "custom_fields": fields or None}, into=Kept)
    return kept


@connector.action(repeat="never")
def add_note(client: Client, *, ticket: TicketId, text: Words) -> Kept:
    """Write a note on a ticket, which agents alone see."""
    note = {"body": _in_html(text), "private": True}
    kept: Kept = client.post(f"{TICKET}/notes", at={"id": ticket}, json=note, into=Kept)
    return kept


@connector.action(repeat="never", channel="email")
def reply_to_ticket(
    client: Client,
    *,
    to: Annotated[str, Field(description="the e-mail address of who asked, to whom Freshdesk sends it", pattern=r"^\S+@\S+$")],
    ticket: TicketId,
    text: Words,
) -> Kept:
    """Answer a ticket; Freshdesk sends it to the one who asked."""
    asked = client.get(TICKET, at={"id": ticket}, query={"include": "requester"}).get("requester") or {}
    if (asked.get("email") or "").lower() != to.lower():
        raise CallFailed(f"Ticket {ticket} is not one of {to}'s: Freshdesk would send the answer to somebody else.", "lasting")
    kept: Kept = client.post(f"{TICKET}/reply", at={"id": ticket}, json={"body": _in_html(text)}, into=Kept)
    return kept


@connector.lookup(add_note)
def noted_before(client: Client, started: datetime, *, ticket: str, text: str) -> Kept | None:
    """Freshdesk keeps no key; what tells a note is its ticket, since when, and its text."""
    return _written_before(client, started, ticket, text, private=True)


@connector.lookup(reply_to_ticket)
def replied_before(client: Client, started: datetime, *, ticket: str, text: str) -> Kept | None:
    """As of a note."""
    return _written_before(client, started, ticket, text, private=False)


def _written_before(client: Client, started: datetime, ticket: str, text: str, *, private: bool) -> Kept | None:
    query = {"per_page": PAGE_SIZE}
    for row in client.pages(f"{TICKET}/conversations", items="", next=NUMBERED, at={"id": ticket}, query=query):
        since = datetime.fromisoformat(row["created_at"]) - started
        if since > -LATE and row["private"] is private and row["body_text"].split() == text.split():
            return Kept.model_validate(row)
    return None


class Tagged(Payload):
    """The tags that there are now."""

    tags: list[str]


def _tagged(client: Client, path: str, number: str, *, more: list[str], less: list[str]) -> Tagged:
    """Freshdesk replaces all tags: they are read, changed and written, by one at a time."""
    with client.alone(f"tags of {number}"):
        there = client.get(path, at={"id": number})["tags"]
        gone = {tag.casefold() for tag in (*more, *less)}
        tags = [tag for tag in there if tag.casefold() not in gone] + more
        if set(tags) != set(there):
            client.put(path, at={"id": number}, json={"tags": tags})
        return Tagged(tags=tags)


@connector.action(repeat="safe")
def tag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> Tagged:
    """Give a ticket tags more."""
    return _tagged(client, TICKET, ticket, more=tags, less=[])


@connector.action(repeat="safe")
def untag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> Tagged:
    """Take tags from a ticket."""
    return _tagged(client, TICKET, ticket, more=[], less=tags)


@connector.action(repeat="safe")
def tag_contact(client: Client, *, contact: ContactId, tags: Tags) -> Tagged:
    """Give a contact tags more."""
    return _tagged(client, CONTACT, contact, more=tags, less=[])


@connector.action(repeat="safe")
def untag_contact(client: Client, *, contact: ContactId, tags: Tags) -> Tagged:
    """Take tags from a contact."""
    return _tagged(client, CONTACT, contact, more=[], less=tags)


# Recorded truth -------------------------------------------------------------------------------------------------------

SOLVED = {"event": "ticket_solved", "ticket_id": "4711"}
CREATED = {"event": "ticket_created", "ticket_id": "4711"}
RATED = {"event": "ticket_rated", "ticket_id": "4711"}
SIMPLE = {
    "freshdesk_webhook": {
        "ticket_id": 4711,
        "ticket_status": "Gelöst",
        "ticket_subject": "Late parcel",
        "ticket_contact_email": "ada@example.com",
        "triggered_event": "{ticket_status:{from:Offen,to:Gelöst}}",
    }
}
FOUND = {
    "id": 4711,
    "subject": "Late parcel",
    "status": 4,
    "priority": 3,
    "source": 1,
    "requester_id": 42,
    "tags": ["vip"],
    "spam": False,
    "stats": {"resolved_at": "2026-02-06T21:27:34Z", "closed_at": None},
    "created_at": "2026-02-06T20:12:07Z",
    "updated_at": "2026-02-06T21:28:00Z",
}
ADA = {
    "id": 42,
    "name": "Ada Ng",
    "email": "ada@example.com",
    "phone": None,
    "mobile": "+14155550123",
    "language": "en",
    "unique_external_id": "loy-1001",
    "tags": ["fleet"],
    "custom_fields": {"car": "Diesel van", "loyalty_points": 120, "loyalty_tier": None},
    "deleted": False,
    "updated_at": "2026-02-06T21:27:34Z",
}
SAID = {
    "id": 62,
    "ticket_id": 4711,
    "feedback": "Great support!",
    "ratings": {"default_question": 103},
    "created_at": "2026-02-06T21:28:00Z",
}
WHO = {"id": "42", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada", "last_name": "Ng"}
KNOWN = {
    "ticket_id": "4711",
    "subject": "Late parcel",
    "channel": "email",
    "priority": "high",
    "tags": ["vip"],
    "customer": WHO,
}
PRAISE = {"ticket_id": "4711", "satisfied": True, "score": 103, "comment": "Great support!"}
GET_TICKET = ask("GET /api/v2/tickets/4711", query={"include": "stats"})
GET_ADA = ask("GET /api/v2/contacts/42")
GET_RATINGS = ask("GET /api/v2/tickets/4711/satisfaction_ratings")
SINCE = "2026-02-06T21:00:00+00:00"
CHANGED = ask("GET /api/v2/tickets", query={"updated_since": "2026-02-06T20:55:00Z", "order_by": "updated_at"})
FIND_ADA = ask("GET /api/v2/contacts", query={"email": "ada@example.com"})
PUT_ADA = "PUT /api/v2/contacts/42"
FIELDS = {"fields": {"loyalty_tier": "gold"}, "numbers": {"loyalty_points": 120}}
WRITTEN = {"custom_fields": {"loyalty_tier": "gold", "loyalty_points": 120}}
ADA_SHOWN: dict[str, Any] = {"customer": {"id": "42"}, "fields": {"loyalty_points": 120, "loyalty_tier": None}}
MUG = {"email": "ada@example.com", "name": "Ada Ng", "subject": "Ship a mug", "text": "Her <reward>", "tags": ["mug"]}
MADE = FOUND | {"id": 4712, "status": 2, "tags": [OURS, "mug"], "description_text": "Her <reward> (loyalty-hub run_1/step_1)"}
NOTE = {"ticket": "4711", "text": "Redeemed an <oil change>\nat the counter"}
NOTED = {
    "id": 88,
    "body_text": "Redeemed an <oil change> at the counter",
    "private": True,
    "created_at": "2026-02-06T21:27:00Z",
}
BODY = "Redeemed an &lt;oil change&gt;<br>at the counter"
WRITINGS = "GET /api/v2/tickets/4711/conversations"
TICKETS = ask("GET /api/v2/tickets", query={"email": "ada@example.com", "updated_since": "2026-02-06T21:20:00Z"})

connector.sample(ticket_created, CREATED, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives=KNOWN)
connector.sample(ticket_created, CREATED, asks=[GET_TICKET, GET_ADA], reply=[MADE, ADA], gives=None, note="the hub made it")
connector.sample(ticket_solved, SOLVED, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives=KNOWN)
connector.sample(
    ticket_solved,
    SOLVED,
    asks=[GET_TICKET, GET_ADA],
    reply=[FOUND | {"status": 2}, ADA],
    gives=None,
    note="open again by the time it is looked at",
)
connector.sample(ticket_solved, SIMPLE, asks=[GET_TICKET, GET_ADA], reply=[FOUND, ADA], gives=KNOWN)
connector.sample(
    ticket_rated, RATED, asks=[GET_TICKET, GET_ADA, GET_RATINGS], reply=[FOUND, ADA, [SAID]], gives={**KNOWN, **PRAISE}
)
connector.sample(
    created_tickets,
    SINCE,
    asks=[CHANGED, GET_TICKET, GET_ADA],
    reply=[[FOUND | {"id": 4710}, FOUND | {"created_at": SINCE}], FOUND, ADA],
    gives={"ticket_id": "4711"},
)
connector.sample(
    solved_tickets,
    SINCE,
    asks=[CHANGED, GET_TICKET, GET_ADA],
    reply=[[FOUND, FOUND | {"id": 4712, "status": 3}], FOUND, ADA],
    gives={"ticket_id": "4711"},
)
connector.sample(
    rated_tickets,
    SINCE,
    asks=[
        ask("GET /api/v2/surveys/satisfaction_ratings", query={"created_since": "2026-02-06T20:55:00Z"}),
        GET_TICKET,
        GET_ADA,
        GET_RATINGS,
    ],
    reply=[[SAID], FOUND, ADA, [SAID]],
    gives=PRAISE,
)
connector.sample(
    changed_contacts,
    SINCE,
    asks=ask("GET /api/v2/contacts", query={"_updated_since": "2026-02-06T20:55:00Z"}),
    reply=[ADA],
    gives={"customer": WHO, "tags": ["fleet"], "attributes": {"external_id": "loy-1001", "car": "Diesel van"}},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com", "name": "Ada Ng", **FIELDS},
    asks=[FIND_ADA, ask(PUT_ADA, json={"name": "Ada Ng", **WRITTEN})],
    reply=[[ADA], ADA],
    gives={"id": "42"},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com", "external_id": "loy-1001", **FIELDS},
    asks=[
        ask("GET /api/v2/contacts", query={"unique_external_id": "loy-1001"}),
        FIND_ADA,
        ask("POST /api/v2/contacts", json={"name": "ada", "email": "ada@example.com", **WRITTEN}),
    ],
    reply=[[], [], answers(201, ADA)],
    gives={"id": "42"},
)
connector.sample(update_contact, {"contact": "42", **FIELDS}, asks=ask(PUT_ADA, json=WRITTEN), reply=ADA, gives={"id": "42"})
connector.sample(
    as_contact,
    ADA_SHOWN,
    asks=ask(PUT_ADA, json={"custom_fields": {"loyalty_points": 120, "loyalty_tier": None}}),
    reply=ADA,
    gives={"contact": "42", "numbers": {"loyalty_points": 120}, "fields": {"loyalty_tier": ""}},
)
connector.sample(as_contact, ADA_SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    shown_fields,
    ADA_SHOWN,
    asks=GET_ADA,
    reply=ADA,
    gives={"id": "42", "fields": {"loyalty_points": 120, "loyalty_tier": None}},
)
connector.sample(
    shown_fields,
    ADA_SHOWN | {"customer": {"email": "ada@example.com"}},
    asks=[FIND_ADA],
    reply=[[ADA]],
    gives={"id": "42", "fields": {"loyalty_points": 120}},
)
connector.sample(
    create_ticket,
    MUG | {"priority": "high", "fields": {"cf_order": "1042"}},
    asks=ask(
        "POST /api/v2/tickets",
        json={
            "subject": "Ship a mug",
            "description": "Her &lt;reward&gt;<br><br>(loyalty-hub run_1/step_1)",
            "email": "ada@example.com",
            "name": "Ada Ng",
            "status": 2,
            "priority": 3,
            "tags": ["loyalty-hub", "mug"],
            "custom_fields": {"cf_order": "1042"},
        },
    ),
    reply=answers(201, MADE),
    gives={"id": "4712"},
)
connector.sample(
    created_before, MUG, asks=[TICKETS, "GET /api/v2/tickets/4712"], reply=[[FOUND, MADE], MADE], gives={"id": "4712"}
)
connector.sample(created_before, MUG, asks=[TICKETS], reply=[[FOUND]], gives=None)
connector.sample(
    update_ticket,
    {"ticket": "4711", "status": "resolved"},
    asks=ask("PUT /api/v2/tickets/4711", json={"status": 4}),
    reply=FOUND,
    gives={"id": "4711"},
)
connector.sample(
    add_note,
    NOTE,
    asks=ask("POST /api/v2/tickets/4711/notes", json={"body": BODY, "private": True}),
    reply=answers(201, NOTED),
    gives={"id": "88"},
)
connector.sample(noted_before, NOTE, asks=[WRITINGS], reply=[[NOTED | {"private": False}, NOTED]], gives={"id": "88"})
connector.sample(noted_before, NOTE, asks=[WRITINGS], reply=[[NOTED | {"private": False}]], gives=None)
connector.sample(
    reply_to_ticket,
    NOTE | {"to": "Ada@example.com"},
    asks=[
        ask("GET /api/v2/tickets/4711", query={"include": "requester"}),
        ask("POST /api/v2/tickets/4711/reply", json={"body": BODY}),
    ],
    reply=[FOUND | {"requester": ADA}, answers(201, {"id": 89})],
    gives={"id": "89"},
)
connector.sample(
    replied_before,
    NOTE | {"to": "ada@example.com"},
    asks=[WRITINGS],
    reply=[[NOTED | {"id": 89, "private": False}]],
    gives={"id": "89"},
)
for action, given, path, now in (
    (tag_ticket, {"ticket": "4711"}, "/api/v2/tickets/4711", ["vip", "gold"]),
    (untag_ticket, {"ticket": "4711"}, "/api/v2/tickets/4711", ["vip"]),
    (tag_contact, {"contact": "42"}, "/api/v2/contacts/42", ["vip", "gold"]),
    (untag_contact, {"contact": "42"}, "/api/v2/contacts/42", ["vip"]),
):
    before = {"id": 1, "tags": ["vip"] if "gold" in now else ["gold", "vip"]}
    connector.sample(
        action,
        {**given, "tags": ["gold"]},
        asks=[f"GET {path}", ask(f"PUT {path}", json={"tags": now})],
        reply=[before, {"id": 1, "tags": now}],
        gives={"tags": now},
    )
