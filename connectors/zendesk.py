"""Zendesk: hear of tickets, ratings and users, and keep tickets, notes, side conversations, user fields and tags.

Setup:
1. Admin Center > Apps and integrations > Zendesk API > Settings: allow token access, add a token, and copy it to `api_token`,
   with the e-mail address of its agent in `email`. Better an agent of the hub's own, who may edit users and tickets.
   `subdomain` is the account's name: acme of https://acme.zendesk.com. Or make an OAuth client there, with the redirect address
   that `hub connections authorize` shows, and write `client_id` and `client_secret` in their place.
2. Users: Apps and integrations > Webhooks > Create, "Zendesk events": user created, name changed, identity created, changed and
   deleted, external ID changed, custom field changed, deleted, and of tickets "CSAT survey response received".
   Endpoint {webhook_url}, POST, JSON. Show its signing secret, and copy it to `webhook_secret`.
3. Tickets: make a second webhook of the kind "Trigger or automation", with the same endpoint, and copy its signing secret to
   `triggers_secret`. Then, Objects and rules > Triggers, three of them, each with the condition that the tags contain none of
   loyalty-hub, and the action "Notify active webhook" with this body:
     {"event": "ticket_solved", "ticket_id": "{{ticket.id}}", "updated_at": "{{ticket.updated_at_with_timestamp}}"}
   ticket_solved: status changed, and status is Solved. ticket_created: ticket is created. ticket_rated: satisfaction changed,
   and is good or bad, with a comment or without. More may stand in the body; texts that people write (subject, comment) must
   not: a quotation mark in them breaks it.
4. Instead of 2 and 3, `hub connections subscribe NAME` makes both webhooks and the triggers, and keeps the secrets. Without
   a public address nothing of it is needed: the hub asks.
5. Points in users: Admin Center > People > Configuration > User fields: add fields (keys such as loyalty_points: number,
   loyalty_tier: text, loyalty_expires: date). Zendesk drops what it has no field for without a word; the hub says so.
   `mirror: {balance: loyalty_points, tier: loyalty_tier}` keeps the fields of users that there are in step; it makes no users.

What is told: every notice is looked up, so all say the same, as it is by then: a ticket that is open again is not solved. A
ticket is created, solved and rated once, however often it is reopened and however the customer changes their mind. Tickets that
the hub made (they are tagged loyalty-hub), agents' own tickets and agents themselves are left out. A user counts as changed
when what is read of them (name, addresses, `external_id`, `user_fields`) is new, so the points that the hub writes never come
back as news. The phone number is left out where users share it. Merged users are not told: the one that stays has the addresses
of both.

What goes out: `create_ticket` and `add_note` are seen by agents alone; a side conversation is for colleagues and suppliers, and
needs the Collaboration add-on. `reply_to_ticket` is sent to the requester by Zendesk (by the trigger "Notify requester"), and
so passes the consent gate. A closed ticket takes nothing any more. Users are written one by one: many at once are a job of
Zendesk's, and whom it did not take it tells later, to whoever asks again.

Not confirmed: where the score of a new survey (CSAT) stands (the ticket's own rating is read: good or bad); the times of a
ticket's steps beside it (else the last change counts); the conditions of triggers about satisfaction; whether a repeated
invocation has a new time (a quarter of an hour is allowed); how long OAuth tokens last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, AliasPath, Field

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
    Shown,
    TicketCreated,
    TicketRated,
    TicketSolved,
    digest,
    json_text,
    names,
    words,
)
from hub.sdk.declare import answers, ask, auth, envelope, header, pages, rate, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.proof import Proof

OURS = "loyalty-hub"
SIGNATURE = "X-Zendesk-Webhook-Signature"


def _failure(reply: Reply) -> Failure | None:
    if reply.status == 409:  # two changes at once
        return Failure("passing")
    if reply.status == 403:
        return Failure("reconnect")
    details = reply.find("details") if reply.status in {400, 422} else None
    if not isinstance(details, Mapping):
        return None
    said = [row.get("description") for rows in details.values() if isinstance(rows, list) for row in rows]
    return Failure("lasting", "; ".join(filter(None, said)))


def _kind(told: Mapping[str, Any]) -> str:
    """Zendesk's own events name their type, the bodies of triggers (which the admin writes) our event."""
    return str(told.get("type") or told["event"])


def _data(told: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = told.get("detail")
    return {**detail, "change": told.get("event")} if isinstance(detail, Mapping) else told


def _signed(secret: str) -> Proof:
    """Each webhook has a secret of its own, which looks like base64 and is text."""
    return signature.hmac(
        SIGNATURE,
        secret,
        encoding="base64",
        signed="{timestamp}{body}",
        timestamp=f"{SIGNATURE}-Timestamp",
        unit="iso",
        tolerance=900,
    )


connector = Connector(
    "zendesk",
    title="Zendesk",
    settings=setting("subdomain", "the account's name: acme of https://acme.zendesk.com", example="acme")
    + setting("email", "the e-mail address of the agent whose token it is", default=None, example="hub@example.com")
    + secret("api_token", "Admin Center > Apps and integrations > Zendesk API > Settings", required=False)
    + setting("client_id", "an OAuth client's identifier, in place of a token", default=None)
    + secret("client_secret", "the OAuth client's secret", required=False)
    + secret("webhook_secret", "the signing secret of the webhook for Zendesk's own events", required=False)
    + secret("triggers_secret", "the signing secret of the webhook for triggers", required=False)
    + setting("account_id", "the account's number; events of others are left out", default=None, example="22129848")
    + setting("user_fields", "keys of user fields that recipes may read", list[str], default=[], example=["car"]),
    api="https://{subdomain}.zendesk.com",
    auth=auth.basic("email", "api_token", suffix="/token")
    | auth.oauth2(
        "https://{subdomain}.zendesk.com/oauth/tokens",
        authorize="https://{subdomain}.zendesk.com/oauth/authorizations/new",
        scopes="read write",
    ),
    signature=_signed("webhook_secret") | _signed("triggers_secret"),
    envelope=envelope(
        kind=_kind,
        id=header("X-Zendesk-Webhook-Invocation-Id"),
        account=header("X-Zendesk-Account-Id"),
        data=_data,
        at=lambda told: told.get("time") or told.get("updated_at"),
    ),
    failures=_failure,
    rate=rate("200 per minute"),
)

EVENT = "zen:event-type:"
STAFF = {"agent", "admin"}
SOLVED = {"solved", "closed"}
TICKET = "/api/v2/tickets/{id}"
USER = "/api/v2/users/{id}"
WEBHOOK = "/api/v2/webhooks/{id}"
NEXT = pages.cursor("page[after]", "meta.after_cursor", more="meta.has_more")
PAGE = {"page[size]": 100}
LATE = timedelta(minutes=5)


# What comes in --------------------------------------------------------------------------------------------------------


class Person(Payload):
    """A user. role: end-user, agent or admin."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    shared_phone_number: bool | None = None
    role: str | None = None
    locale: str | None = None
    external_id: str | None = None
    tags: list[str] = Field(default_factory=list)
    user_fields: dict[str, Any] = Field(default_factory=dict)
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=self.email or None,
            phone=None if self.shared_phone_number else self.phone or None,
            language=self.locale or None,
            **names(self.name),
        )


class Found(Payload):
    """A ticket, as it is now. score: offered, good or bad, perhaps _with_comment."""

    id: str
    subject: str | None = None
    status: str
    priority: str | None = None
    requester_id: str | None = None
    tags: list[str] = Field(default_factory=list)
    channel: str | None = Field(validation_alias=AliasPath("via", "channel"), default=None)
    score: str | None = Field(validation_alias=AliasPath("satisfaction_rating", "score"), default=None)
    comment: str | None = Field(validation_alias=AliasPath("satisfaction_rating", "comment"), default=None)
    solved_at: Moment | None = Field(validation_alias=AliasPath("dates", "solved_at"), default=None)
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the hub made it."""
        return OURS in self.tags

    @property
    def is_good(self) -> bool | None:
        """What the customer said, where they did."""
        return {"good": True, "bad": False}.get((self.score or "").partition("_")[0])

    def known(self, requester: Person) -> dict[str, Any]:
        """What every fact about a ticket says."""
        return {
            "customer": requester.customer(),
            "references": (Reference(kind="ticket", id=self.id),),
            "ticket_id": self.id,
            "subject": (self.subject or "")[:512],
            "channel": self.channel or "",
            "priority": self.priority or "",
            "tags": self.tags,
        }


class TicketNotice(Payload):
    """A ticket of which something is new. change: of its status, in capitals, where Zendesk itself tells it."""

    id: str = Field(validation_alias=AliasChoices("ticket_id", "id"))
    change: dict[str, Any] | None = None

    @property
    def is_another_change(self) -> bool:
        """Whether it was not solved just now; False where that is not told."""
        before, now = [str((self.change or {}).get(name, "")).lower() for name in ("previous", "current")]
        return bool(now) and (now not in SOLVED or before in SOLVED)


def _asked(client: Client, id: str) -> tuple[Found, Person] | None:  # noqa: A002
    """A ticket and who asked; None when there is no such ticket, or staff asked."""
    told = client.find(TICKET, at={"id": id}, query={"include": "users,dates"})
    if told is None:
        return None
    ticket = Found.model_validate(told["ticket"])
    beside = next((row for row in told.get("users") or () if str(row.get("id")) == ticket.requester_id), None)
    if beside is None and ticket.requester_id:
        beside = (client.find(USER, at={"id": ticket.requester_id}) or {}).get("user")
    requester = Person.model_validate(beside) if beside else None
    return (ticket, requester) if requester and not requester.is_staff else None


@connector.trigger(EVENT + "ticket.created", "ticket_created", key="ticket_id")
def ticket_created(notice: TicketNotice, client: Client) -> TicketCreated | None:
    """A ticket came in."""
    asked = _asked(client, notice.id)
    if asked is None or asked[0].is_ours:
        return None
    ticket, requester = asked
    return TicketCreated(**ticket.known(requester), occurred_at=ticket.created_at)


@connector.trigger(EVENT + "ticket.status_changed", "ticket_solved", key="ticket_id")
def ticket_solved(notice: TicketNotice, client: Client) -> TicketSolved | None:
    """A ticket was solved."""
    asked = None if notice.is_another_change else _asked(client, notice.id)
    if asked is None or asked[0].is_ours or asked[0].status not in SOLVED:
        return None
    ticket, requester = asked
    solved_at = ticket.solved_at or ticket.updated_at
    return TicketSolved(**ticket.known(requester), occurred_at=solved_at, satisfied=ticket.is_good)


@connector.trigger(EVENT + "ticket.csat_received", "ticket_rated", key="ticket_id")
def ticket_rated(notice: TicketNotice, client: Client) -> TicketRated | None:
    """A customer said how they were served."""
    asked = _asked(client, notice.id)
    if asked is None or (asked[0].is_good is None and notice.change is None):  # offered, or taken back
        return None
    ticket, requester = asked
    return TicketRated(**ticket.known(requester), satisfied=ticket.is_good, comment=(ticket.comment or "")[:10_000])


class UserNotice(Payload):
    """A user of whom something is new. found: the user, where they were asked for."""

    id: str
    role: str | None = None
    found: Person | None = None

    def looked_up(self, client: Client) -> Person | None:
        """The user as they are now; None for staff, and for one who is gone."""
        if self.role in STAFF:
            return None
        told = None if self.found else client.find(USER, at={"id": self.id})
        person = self.found or (Person.model_validate(told["user"]) if told else None)
        return person if person and not person.is_staff else None


class UserChanged(CustomerChanged):
    """A user is not as they were read before. version: of what is read."""

    version: Short


def _known(person: Person, connection: Connection) -> dict[str, Any]:
    """What every fact about a user says; what mirrors points is our own word, and no news."""
    read = set(connection.settings["user_fields"]) - set(connection.mirror.values())
    fields = {name: words(person.user_fields.get(name)) for name in sorted(read)}
    attributes = {"external_id": person.external_id or "", **fields}
    return {
        "customer": person.customer(),
        "tags": tuple(person.tags),
        "attributes": {name: text for name, text in attributes.items() if text},
    }


@connector.trigger(EVENT + "user.created", key="customer.id")
def user_created(notice: UserNotice, connection: Connection, client: Client) -> CustomerChanged | None:
    """A user is new."""
    person = notice.looked_up(client)
    if person is None:
        return None
    return CustomerChanged(**_known(person, connection), occurred_at=person.created_at, created=True)


@connector.trigger(
    EVENT + "user.name_changed",
    EVENT + "user.identity_created",
    EVENT + "user.identity_changed",
    EVENT + "user.identity_deleted",
    EVENT + "user.external_id_changed",
    EVENT + "user.custom_field_changed",
    key=("customer.id", "version"),
)
def user_changed(notice: UserNotice, connection: Connection, client: Client) -> UserChanged | None:
    """A user's name, addresses or another field that is read has changed."""
    person = notice.looked_up(client)
    if person is None:
        return None
    known = _known(person, connection)
    read = {"customer": known["customer"], "attributes": known["attributes"]}
    version = digest(read)
    return UserChanged(**known, occurred_at=person.updated_at, version=version)


@connector.trigger(EVENT + "user.deleted", key="customer.id")
def user_deleted(notice: UserNotice) -> CustomerChanged | None:
    """A user was deleted."""
    return None if notice.role in STAFF else CustomerChanged(customer=Customer(id=notice.id), deleted=True)


def _exported(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> tuple[str, Mapping[str, Any]] | None:
    """An export has a cursor on its last page too, and the time is said but once."""
    cursor = reply.find("after_cursor")
    return (path, {"query": {"cursor": cursor}}) if cursor and reply.find("end_of_stream") is False else None


def _changed(client: Client, what: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Tickets or users that have changed; the last minute cannot be asked for."""
    query = {"start_time": int((since - LATE).timestamp())}
    return client.pages(f"/api/v2/incremental/{what}/cursor", items=what, next=_exported, query=query)


@connector.pull(ticket_created)
def created_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Tickets that came in since a moment."""
    for row in _changed(client, "tickets", since):
        if datetime.fromisoformat(row["created_at"]) >= since - LATE:
            yield {"id": row["id"]}


@connector.pull(ticket_solved)
def solved_tickets(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Solved tickets that were changed since a moment."""
    for row in _changed(client, "tickets", since):
        if row["status"] in SOLVED:
            yield {"id": row["id"]}


@connector.pull(ticket_rated)
def rated_tickets(client: Client, since: datetime) -> Iterator[Item]:
    """Tickets that were rated since a moment, where the account has the ratings good and bad."""
    query = {"score": "received", "start_time": int((since - LATE).timestamp()), **PAGE}
    for row in client.pages("/api/v2/satisfaction_ratings", items="satisfaction_ratings", next=NEXT, query=query):
        yield Item("ticket_rated", {"id": row["ticket_id"]}, at=datetime.fromisoformat(row["updated_at"]))


@connector.pull(user_changed)
def changed_users(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Users that are new or were changed since a moment."""
    for row in _changed(client, "users", since):
        yield {"id": row["id"], "found": row}


def _condition(field: str, operator: str, value: str | None = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


SCORES = ("good", "good_with_comment", "bad", "bad_with_comment")
NOT_OURS = _condition("current_tags", "not_includes", OURS)
RULES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "ticket_created": {"all": [_condition("update_type", "is", "Create"), NOT_OURS]},
    "ticket_solved": {"all": [_condition("status", "changed"), _condition("status", "is", "solved"), NOT_OURS]},
    "ticket_rated": {
        "all": [_condition("satisfaction_score", "changed")],
        "any": [_condition("satisfaction_score", "is", score) for score in SCORES],
    },
}
BY_TRIGGERS = ["conditional_ticket_events"]
TOLD = {"ticket_id": "{{ticket.id}}", "updated_at": "{{ticket.updated_at_with_timestamp}}"}
EVENTS = [kind for name in ("user_created", "user_changed", "user_deleted") for kind in connector.triggers[name].kinds]


def _ours(client: Client, connection: Connection) -> dict[str, str]:
    """The numbers of our webhooks: the one for events, and the one for triggers."""
    rows = client.pages("/api/v2/webhooks", items="webhooks", next=NEXT, query=PAGE)
    ours = [row for row in rows if row["endpoint"] == connection.webhook_url]
    return {"triggers" if row["subscriptions"] == BY_TRIGGERS else "events": row["id"] for row in ours}


def _told(client: Client, connection: Connection, number: str | None, what: str, subscriptions: list[str]) -> str:
    """Makes a webhook, or brings ours up to date; gives its number."""
    wanted = {
        "name": f"Loyalty hub {connection.name}: {what}",
        "endpoint": connection.webhook_url,
        "http_method": "POST",
        "request_format": "json",
        "status": "active",
        "subscriptions": subscriptions,
    }
    if number is None:
        return str(client.post("/api/v2/webhooks", json={"webhook": wanted})["webhook"]["id"])
    client.patch(WEBHOOK, at={"id": number}, json={"webhook": wanted})
    return number


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Make a webhook for Zendesk's own events, another for triggers, and the triggers; gives what both sign with."""
    ours = _ours(client, connection)
    events = _told(client, connection, ours.get("events"), "events", [*EVENTS, EVENT + "ticket.csat_received"])
    triggers = _told(client, connection, ours.get("triggers"), "triggers", BY_TRIGGERS)
    _without_triggers(client, triggers)
    for event, conditions in RULES.items():
        action = {"field": "notification_webhook", "value": [triggers, json_text({"event": event, **TOLD})]}
        rule = {"title": f"Loyalty hub {connection.name}: {event}", "conditions": conditions, "actions": [action]}
        client.post("/api/v2/triggers", json={"trigger": rule})
    return {"webhook_secret": _secret(client, events), "triggers_secret": _secret(client, triggers)}


def _secret(client: Client, webhook: str) -> str:
    return str(client.get(f"{WEBHOOK}/signing_secret", at={"id": webhook})["signing_secret"]["secret"])


def _without_triggers(client: Client, webhook: str) -> None:
    for row in list(client.pages("/api/v2/triggers", items="triggers", next=NEXT, query=PAGE)):
        if any(action["field"] == "notification_webhook" and action["value"][0] == webhook for action in row["actions"]):
            client.delete("/api/v2/triggers/{id}", at={"id": row["id"]})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Take our triggers and webhooks away."""
    for webhook in _ours(client, connection).values():
        _without_triggers(client, webhook)  # a webhook that a trigger uses cannot be taken away
        client.delete(WEBHOOK, at={"id": webhook})


# What goes out --------------------------------------------------------------------------------------------------------

TicketId = Annotated[str, Field(description="the ticket's number, such as {{ event.ticket_id }}", pattern="^[0-9]+$")]
UserId = Annotated[str, Field(description="the user's number, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
Email = Annotated[str, Field(description="the e-mail address by which the user is found, or made", pattern=r"^\S+@\S+$")]
Name = Annotated[str | None, "the name; left out, a user who is there keeps theirs"]
Words = Annotated[str, Field(description="what to write", min_length=1)]
Tags = Annotated[
    list[Annotated[str, Field(pattern=r"^\S+$")]], Field(description="tags, which have no spaces at Zendesk", min_length=1)
]
Fields = Annotated[
    dict[str, str], Field(description="texts by the keys of user fields; of a drop-down its tag; an empty one clears")
]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the keys of user fields, such as {{ member.balance }}")
]
Priority = Annotated[Literal["urgent", "high", "normal", "low"] | None, "how urgent it is"]
TicketFields = Annotated[dict[str, str], Field(description="texts by the numbers of ticket fields")]


class Kept(Payload):
    """What Zendesk keeps: a user, a ticket or a side conversation, by its number."""

    id: str


def _fields(fields: Mapping[str, str], numbers: Mapping[str, Any]) -> dict[str, Any] | None:
    return Exactly({name: text or None for name, text in fields.items()} | dict(numbers)) or None


def _kept(told: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> Kept:
    """The user, if they have all the fields that were written: Zendesk drops others without a word."""
    there = told["user"].get("user_fields") or {}
    if gone := [name for name in wanted or () if name not in there]:
        made = "Make it under Admin Center > People > Configuration > User fields"
        raise CallFailed(f"Zendesk has no user field `{gone[0]}`, so it was not written. {made}.", "lasting")
    return Kept.model_validate(told["user"])


@connector.action(repeat="safe")
def upsert_user(
    client: Client,
    *,
    email: Email,
    name: Name = None,
    external_id: Annotated[str | None, "an id of our own, by which the user is found first"] = None,
    fields: Fields = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set the name and fields of the user with an e-mail address; makes the user where there is none."""
    written = _fields(fields, numbers)
    return _kept(_upserted(client, email, name, external_id=external_id, user_fields=written), written)


def _upserted(client: Client, email: str, name: str | None, **more: Any) -> Any:
    def write(name: str | None) -> Any:
        user = {"email": email, "name": name, "skip_verify_email": True, **more}
        return client.post("/api/v2/users/create_or_update", json={"user": user}, safe=True)

    try:
        return write(name)
    except CallFailed as failure:
        if name or failure.status != 422:
            raise
        # A new user needs a name, which is not to replace that of one who is there.
        return write(email.partition("@")[0])


@connector.action(repeat="safe")
def update_user(
    client: Client,
    *,
    user: UserId,
    fields: Fields = {},  # noqa: B006
    numbers: Numbers = {},  # noqa: B006
) -> Kept:
    """Set fields of a user."""
    written = _fields(fields, numbers)
    return _kept(client.put(USER, at={"id": user}, json={"user": {"user_fields": written}}), written)


@connector.mirror(update_user)
def as_user(one: Mirrored) -> dict[str, Any] | None:
    """The user who shows a member's points."""
    return {"user": one.customer.id, "fields": one.others, "numbers": one.numbers} if one.customer.id else None


@connector.mirrored(batch=100)
def shown_fields(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What users' fields say; a user whose number is not known, or gone, is found by their address."""
    ids = ",".join(one.customer.id for one in many if one.customer.id)
    rows = client.get("/api/v2/users/show_many", query={"ids": ids})["users"] if ids else []
    known = {str(row["id"]): row for row in rows if row.get("active") is not False}
    found = [known.get(one.customer.id or "") or _user_at(client, one.customer.email) for one in many]
    return [Shown(row.get("user_fields") or {}, str(row["id"])) if row else None for row in found]


def _user_at(client: Client, address: str | None) -> Mapping[str, Any] | None:
    rows = client.get("/api/v2/users/search", query={"query": f'email:"{address}"'})["users"] if address else []
    return next((row for row in rows if (row.get("email") or "").lower() == (address or "").lower()), None)


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
    fields: TicketFields = {},  # noqa: B006
) -> Kept:
    """Make a ticket about a customer, for agents; the customer is not written to."""
    requester = _upserted(client, email, name)["user"]["id"]
    ticket = {
        "subject": subject,
        "comment": {"body": text, "public": False},
        "requester_id": requester,
        "external_id": key,
        "priority": priority,
        "tags": [OURS, *tags],
        "custom_fields": _ticket_fields(fields),
    }
    # Zendesk knows the key for two hours; after that, the ticket is found by it.
    told = client.post("/api/v2/tickets", json={"ticket": ticket}, headers={"Idempotency-Key": key})
    return Kept.model_validate(told["ticket"])


def _ticket_fields(fields: Mapping[str, str]) -> list[dict[str, Any]] | None:
    return [{"id": int(number), "value": value} for number, value in fields.items()] or None


@connector.lookup(create_ticket)
def created_before(client: Client, key: CallKey) -> Kept | None:
    """The ticket bears our key."""
    query = {"query": f'type:ticket external_id:"{key}"'}
    rows = client.get("/api/v2/search", query=query)["results"]
    return next((Kept.model_validate(row) for row in rows if row.get("external_id") == key), None)


@connector.action(repeat="safe")
def update_ticket(
    client: Client,
    *,
    ticket: TicketId,
    status: Annotated[Literal["open", "pending", "hold", "solved"] | None, "its new status"] = None,
    priority: Priority = None,
    fields: TicketFields = {},  # noqa: B006
) -> Kept:
    """Set the status, priority or fields of a ticket. Tags have actions of their own: here they would replace all others."""
    change = {"status": status, "priority": priority, "custom_fields": _ticket_fields(fields)}
    return Kept.model_validate(client.put(TICKET, at={"id": ticket}, json={"ticket": change})["ticket"])


@connector.action(repeat="never")
def add_note(client: Client, *, ticket: TicketId, text: Words) -> Kept:
    """Write a note on a ticket, which agents alone see."""
    return _commented(client, ticket, text, public=False)


def _commented(client: Client, ticket: str, text: str, *, public: bool) -> Kept:
    comment = {"ticket": {"comment": {"body": text, "public": public}}}
    return Kept.model_validate(client.put(TICKET, at={"id": ticket}, json=comment)["ticket"])


@connector.action(repeat="never", channel="email")
def reply_to_ticket(
    client: Client,
    *,
    to: Annotated[str, Field(description="the e-mail address of who asked, to whom Zendesk sends it", pattern=r"^\S+@\S+$")],
    ticket: TicketId,
    text: Words,
) -> Kept:
    """Answer a ticket; Zendesk sends it to the one who asked."""
    told = client.get(TICKET, at={"id": ticket}, query={"include": "users"})
    asked = [row for row in told.get("users") or () if row["id"] == told["ticket"]["requester_id"]]
    if to.lower() not in [(row.get("email") or "").lower() for row in asked]:
        raise CallFailed(f"Ticket {ticket} is not one of {to}'s: Zendesk would send the answer to somebody else.", "lasting")
    return _commented(client, ticket, text, public=True)


@connector.lookup(add_note)
def noted_before(client: Client, started: datetime, *, ticket: str, text: str) -> Kept | None:
    """Zendesk keeps a key of new tickets alone; what tells a note is its ticket, since when, and its text."""
    return _commented_before(client, started, ticket, text, public=False)


@connector.lookup(reply_to_ticket)
def replied_before(client: Client, started: datetime, *, ticket: str, text: str) -> Kept | None:
    """As of a note."""
    return _commented_before(client, started, ticket, text, public=True)


def _commented_before(client: Client, started: datetime, ticket: str, text: str, *, public: bool) -> Kept | None:
    comments = client.pages(f"{TICKET}/comments", items="comments", next=NEXT, at={"id": ticket}, query=PAGE)
    for row in comments:
        since = datetime.fromisoformat(row["created_at"]) - started
        if since > -LATE and row["public"] is public and row["body"].split() == text.split():
            return Kept(id=ticket)
    return None


class Tagged(Payload):
    """The tags that there are now."""

    tags: list[str]


def _tagged(client: Client, method: Literal["PUT", "DELETE"], path: str, number: str, tags: list[str]) -> Tagged:
    # PUT adds, DELETE removes; POST would replace all that there are.
    return Tagged.model_validate(client.call(method, f"{path}/tags", at={"id": number}, json={"tags": tags}).json())


@connector.action(repeat="safe")
def tag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> Tagged:
    """Give a ticket tags more."""
    return _tagged(client, "PUT", TICKET, ticket, tags)


@connector.action(repeat="safe")
def untag_ticket(client: Client, *, ticket: TicketId, tags: Tags) -> Tagged:
    """Take tags from a ticket."""
    return _tagged(client, "DELETE", TICKET, ticket, tags)


@connector.action(repeat="safe")
def tag_user(client: Client, *, user: UserId, tags: Tags) -> Tagged:
    """Give a user tags more; their new tickets have them too."""
    return _tagged(client, "PUT", USER, user, tags)


@connector.action(repeat="safe")
def untag_user(client: Client, *, user: UserId, tags: Tags) -> Tagged:
    """Take tags from a user."""
    return _tagged(client, "DELETE", USER, user, tags)


@connector.action(repeat="never")
def start_side_conversation(
    client: Client,
    key: CallKey,
    *,
    ticket: TicketId,
    addresses: Annotated[
        list[str], Field(description="e-mail addresses of colleagues or suppliers, never the customer's", min_length=1)
    ],
    subject: Annotated[str, Field(description="what it is about", min_length=1)],
    text: Words,
) -> Kept:
    """Write to colleagues or suppliers about a ticket, beside it."""
    message = {"subject": subject, "body": text, "to": [{"email": address} for address in addresses]}
    wanted = {"message": message, "external_ids": {OURS: key}}
    told = client.post(f"{TICKET}/side_conversations", at={"id": ticket}, json=wanted)
    return Kept.model_validate(told["side_conversation"])


@connector.lookup(start_side_conversation)
def started_before(client: Client, key: CallKey, *, ticket: str) -> Kept | None:
    """The side conversation bears our key."""
    rows = client.get(f"{TICKET}/side_conversations", at={"id": ticket})["side_conversations"]
    ours = (row for row in rows if (row.get("external_ids") or {}).get(OURS) == key)
    return next(map(Kept.model_validate, ours), None)


# Recorded truth -------------------------------------------------------------------------------------------------------

STATUS = {
    "type": "zen:event-type:ticket.status_changed",
    "account_id": 22129848,
    "id": "a8b9c1d2-3e4f-5a6b-7c8d-9e0f1a2b3c4d",
    "time": "2026-02-06T21:27:34.987654321Z",
    "zendesk_event_version": "2022-11-06",
    "subject": "zen:ticket:5158",
    "detail": {"id": "5158", "subject": "Late parcel", "status": "SOLVED", "requester_id": "360001", "tags": ["vip"]},
    "event": {"current": "SOLVED", "previous": "OPEN"},
}
CREATED = STATUS | {"type": "zen:event-type:ticket.created", "event": {"meta": {"sequence": {"id": "01H"}}}}
RATED = {"event": "ticket_rated", "ticket_id": "5158", "updated_at": "2026-02-06T21:28:00Z"}
RENAMED = STATUS | {
    "type": "zen:event-type:user.name_changed",
    "subject": "zen:user:360001",
    "detail": {"id": "360001", "email": "ada@example.com", "role": "end-user", "external_id": "loy-1001"},
    "event": {"current": "Ada Ng", "previous": "Ada"},
}
NEW = RENAMED | {"type": "zen:event-type:user.created"}
GONE = RENAMED | {"type": "zen:event-type:user.deleted"}
HEADERS = {"X-Zendesk-Account-Id": "22129848", "X-Zendesk-Webhook-Invocation-Id": "01HINVOKED"}
FOUND = {
    "id": 5158,
    "subject": "Late parcel",
    "status": "solved",
    "priority": None,
    "requester_id": 360001,
    "tags": ["vip"],
    "via": {"channel": "email"},
    "satisfaction_rating": {"score": "good", "comment": "Great support!"},
    "dates": {"solved_at": "2026-02-06T21:27:34Z"},
    "created_at": "2026-02-06T20:12:07Z",
    "updated_at": "2026-02-06T21:28:00Z",
}
ADA = {
    "id": 360001,
    "name": "Ada Ng",
    "email": "ada@example.com",
    "phone": "+14155550123",
    "shared_phone_number": False,
    "active": True,
    "role": "end-user",
    "locale": "en-US",
    "external_id": "loy-1001",
    "tags": ["fleet"],
    "user_fields": {"car": "Diesel van", "loyalty_points": 120, "loyalty_tier": None},
    "created_at": "2026-02-01T10:00:00Z",
    "updated_at": "2026-02-06T21:27:34Z",
}
WHO = {"id": "360001", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada", "last_name": "Ng"}
READ = {"customer": WHO, "attributes": {"external_id": "loy-1001", "car": "Diesel van"}}
KNOWN = {"ticket_id": "5158", "subject": "Late parcel", "channel": "email", "tags": ["vip"], "customer": WHO}
SAID = {"ticket_id": "5158", "satisfied": True, "comment": "Great support!"}
GET_TICKET = ask("GET /api/v2/tickets/5158", query={"include": "users,dates"})
GET_ADA = ask("GET /api/v2/users/360001")
ASKED = {"ticket": FOUND, "users": [ADA]}
SINCE = "2026-02-06T21:00:00+00:00"
EXPORT = ask("GET /api/v2/incremental/tickets/cursor", query={"start_time": 1770411300})
RATING = {"id": 62, "ticket_id": 5158, "score": "good", "updated_at": "2026-02-06T21:28:00Z"}
UPSERT = "POST /api/v2/users/create_or_update"
PUT_ADA = "PUT /api/v2/users/360001"
FIELDS = {"fields": {"loyalty_tier": "gold"}, "numbers": {"loyalty_points": 120}}
WRITTEN = {"user_fields": {"loyalty_tier": "gold", "loyalty_points": 120}}
ADA_SHOWN: dict[str, Any] = {"customer": {"id": "360001"}, "fields": {"loyalty_points": 120, "loyalty_tier": None}}
MUG = {"email": "ada@example.com", "name": "Ada Ng", "subject": "Ship a mug", "text": "Her reward", "tags": ["mug"]}
MADE = FOUND | {"id": 5160, "external_id": "run_1/step_1", "tags": [OURS, "mug"]}
SEARCH = ask("GET /api/v2/search", query={"query": 'type:ticket external_id:"run_1/step_1"'})
PUT_TICKET = "PUT /api/v2/tickets/5158"
NOTE = {"ticket": "5158", "text": "Redeemed an oil change"}
INSIDE = {"body": "Redeemed an oil change", "public": False}
OUTSIDE = INSIDE | {"public": True}
WHEN = {"id": 9, "created_at": "2026-02-06T21:27:00Z"}
GET_COMMENTS = "GET /api/v2/tickets/5158/comments"
SIDE = {"ticket": "5158", "addresses": ["parts@supplier.example"], "subject": "Mug", "text": "Please send one."}
SIDES = "/api/v2/tickets/5158/side_conversations"
SIDE_ID = "8566255a-ece5-11e8-857d-493066fa7b17"

connector.sample(ticket_created, CREATED, asks=GET_TICKET, reply=ASKED, gives=KNOWN)
connector.sample(ticket_solved, STATUS, asks=GET_TICKET, reply=ASKED, gives={**KNOWN, "satisfied": True})
connector.sample(
    ticket_solved,
    RATED | {"event": "ticket_solved"},
    headers=HEADERS,
    asks=GET_TICKET,
    reply=ASKED | {"ticket": FOUND | {"status": "open"}},
    gives=None,
    note="open again by the time it is looked at",
)
connector.sample(ticket_rated, RATED, headers=HEADERS, asks=GET_TICKET, reply=ASKED, gives=SAID)
connector.sample(user_created, NEW, asks=GET_ADA, reply={"user": ADA}, gives={**READ, "created": True, "tags": ["fleet"]})
connector.sample(user_changed, RENAMED, asks=GET_ADA, reply={"user": ADA}, gives=READ)
connector.sample(user_deleted, GONE, gives={"customer": {"id": "360001"}, "deleted": True})
connector.sample(
    created_tickets,
    SINCE,
    asks=[EXPORT, GET_TICKET],
    reply=[{"tickets": [FOUND, FOUND | {"created_at": SINCE}], "after_cursor": "MTU3", "end_of_stream": True}, ASKED],
    gives={"ticket_id": "5158"},
)
connector.sample(
    solved_tickets,
    SINCE,
    asks=[EXPORT, ask("GET /api/v2/incremental/tickets/cursor", query={"cursor": "MTU3"}), GET_TICKET],
    reply=[
        {"tickets": [FOUND], "after_cursor": "MTU3", "end_of_stream": False},
        {"tickets": [FOUND | {"id": 5159, "status": "open"}], "after_cursor": "MTU4", "end_of_stream": True},
        ASKED,
    ],
    gives={"ticket_id": "5158"},
)
connector.sample(
    rated_tickets,
    SINCE,
    asks=[ask("GET /api/v2/satisfaction_ratings", query={"score": "received", "start_time": 1770411300}), GET_TICKET],
    reply=[{"satisfaction_ratings": [RATING], "meta": {"has_more": False, "after_cursor": "xxx"}}, ASKED],
    gives=SAID,
)
connector.sample(
    changed_users,
    SINCE,
    asks=ask("GET /api/v2/incremental/users/cursor", query={"start_time": 1770411300}),
    reply={"users": [ADA], "after_cursor": "MTU3", "end_of_stream": True},
    gives=READ,
)
connector.sample(
    upsert_user,
    {"email": "ada@example.com", "name": "Ada Ng", **FIELDS},
    asks=ask(UPSERT, json={"user": {"email": "ada@example.com", "name": "Ada Ng", "skip_verify_email": True, **WRITTEN}}),
    reply=answers(201, {"user": ADA}),
    gives={"id": "360001"},
)
connector.sample(
    update_user,
    {"user": "360001", **FIELDS},
    asks=ask(PUT_ADA, json={"user": WRITTEN}),
    reply={"user": ADA},
    gives={"id": "360001"},
)
connector.sample(
    update_user, {"user": "360001", "numbers": {"loyalty_pointz": 1}}, asks=PUT_ADA, reply={"user": ADA}, fails="lasting"
)
connector.sample(
    as_user,
    ADA_SHOWN,
    asks=ask(PUT_ADA, json={"user": {"user_fields": {"loyalty_points": 120, "loyalty_tier": None}}}),
    reply={"user": ADA},
    gives={"user": "360001", "numbers": {"loyalty_points": 120}, "fields": {"loyalty_tier": ""}},
)
connector.sample(as_user, ADA_SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    shown_fields,
    ADA_SHOWN,
    asks=ask("GET /api/v2/users/show_many", query={"ids": "360001"}),
    reply={"users": [ADA]},
    gives={"id": "360001", "fields": {"loyalty_points": 120, "loyalty_tier": None}},
)
connector.sample(
    create_ticket,
    MUG | {"priority": "normal", "fields": {"360100": "mug"}},
    asks=[
        ask(UPSERT, json={"user": {"email": "ada@example.com"}}),
        ask(
            "POST /api/v2/tickets",
            json={
                "ticket": {
                    "subject": "Ship a mug",
                    "comment": {"body": "Her reward", "public": False},
                    "requester_id": 360001,
                    "external_id": "run_1/step_1",
                    "priority": "normal",
                    "tags": ["loyalty-hub", "mug"],
                    "custom_fields": [{"id": 360100, "value": "mug"}],
                }
            },
            headers={"Idempotency-Key": "run_1/step_1"},
        ),
    ],
    reply=[{"user": ADA}, answers(201, {"ticket": MADE})],
    gives={"id": "5160"},
)
connector.sample(created_before, MUG, asks=SEARCH, reply={"results": [FOUND, MADE], "count": 2}, gives={"id": "5160"})
connector.sample(created_before, MUG, asks=SEARCH, reply={"results": [FOUND], "count": 1}, gives=None)
connector.sample(
    update_ticket,
    {"ticket": "5158", "status": "solved"},
    asks=ask(PUT_TICKET, json={"ticket": {"status": "solved"}}),
    reply={"ticket": FOUND},
    gives={"id": "5158"},
)
connector.sample(
    add_note, NOTE, asks=ask(PUT_TICKET, json={"ticket": {"comment": INSIDE}}), reply={"ticket": FOUND}, gives={"id": "5158"}
)
connector.sample(
    noted_before, NOTE, asks=GET_COMMENTS, reply={"comments": [OUTSIDE | WHEN, INSIDE | WHEN]}, gives={"id": "5158"}
)
connector.sample(noted_before, NOTE, asks=GET_COMMENTS, reply={"comments": [OUTSIDE | WHEN]}, gives=None)
connector.sample(
    reply_to_ticket,
    NOTE | {"to": "Ada@example.com"},
    asks=[ask("GET /api/v2/tickets/5158", query={"include": "users"}), ask(PUT_TICKET, json={"ticket": {"comment": OUTSIDE}})],
    reply=[ASKED, {"ticket": FOUND}],
    gives={"id": "5158"},
)
for action, given, asked in (
    (tag_ticket, {"ticket": "5158"}, "PUT /api/v2/tickets/5158/tags"),
    (untag_ticket, {"ticket": "5158"}, "DELETE /api/v2/tickets/5158/tags"),
    (tag_user, {"user": "360001"}, "PUT /api/v2/users/360001/tags"),
    (untag_user, {"user": "360001"}, "DELETE /api/v2/users/360001/tags"),
):
    connector.sample(
        action,
        {**given, "tags": ["gold"]},
        asks=ask(asked, json={"tags": ["gold"]}),
        reply={"tags": ["vip"]},
        gives={"tags": ["vip"]},
    )
connector.sample(
    start_side_conversation,
    SIDE,
    asks=ask(
        f"POST {SIDES}",
        json={
            "message": {"subject": "Mug", "body": "Please send one.", "to": [{"email": "parts@supplier.example"}]},
            "external_ids": {"loyalty-hub": "run_1/step_1"},
        },
    ),
    reply=answers(201, {"side_conversation": {"id": SIDE_ID, "state": "open"}}),
    gives={"id": SIDE_ID},
)
connector.sample(
    started_before,
    SIDE,
    asks=f"GET {SIDES}",
    reply={"side_conversations": [{"id": SIDE_ID, "external_ids": {"loyalty-hub": "run_1/step_1"}}]},
    gives={"id": SIDE_ID},
)
