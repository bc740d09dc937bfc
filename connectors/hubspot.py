"""HubSpot: hear of won deals, solved tickets, contacts and workflows, and keep contacts, notes and lists.

Setup:
1. HubSpot > Settings > Integrations > Service keys (or a private app): make a key with the scopes crm.objects.contacts.read
   and .write, crm.objects.deals.read, tickets, and for lists crm.lists.write. Copy it to `access_token`.
2. Webhooks belong to an app: in the app's project make `webhooks/…-hsmeta.json` with the target URL {webhook_url} (no query),
   and subscribe to contact.creation, contact.propertyChange (email, phone, firstname, lastname), contact.merge,
   contact.deletion, contact.privacyDeletion, deal.propertyChange (dealstage, amount) and ticket.propertyChange
   (hs_pipeline_stage); the same as object.creation and object.propertyChange will do. Copy the app's client secret to
   `client_secret`: it signs that very URL. A hub without a public address needs no app: it searches for changes by itself
   (merges and deletions are told by webhook alone).
3. One app tells of all the portals that installed it: write yours (Settings > Account, the Hub ID) into `account_id`.
4. A workflow: add the step "Send a webhook", POST, {webhook_url}?workflow=vip, "Include request signature in header" with the
   app's id, and send the object's properties, Last modified date among them: it tells one enrolment from another.
5. Points in a contact: make a number property first (Settings > Properties, for instance `loyalty_points`; for a day a date
   property). `mirror: {balance: loyalty_points}` keeps it in step in the contacts that there are; it makes none.

What is told: a deal is won once, whatever its pipeline calls the stage; a later change of its amount is shown beside the
event and earns nothing by itself, and HubSpot has no notice for a deal that is opened again: adjust by hand. A contact counts
as changed when what is read of it (name, addresses, `contact_properties`) is new, so that the hub's own writes never come
back as news. Points are written as a value (`upsert_contact`, `update_contact`), never added up in HubSpot:
`increment_property` reads and then writes, for counters that HubSpot keeps. The hub does so one by one; a person who writes
in between is overwritten.

Why the vendor's library makes no calls: hubspot-api-client 12 has a connection pool of its own, which takes no session and so
would go round the guard against inner addresses, and no time-outs; it calls only paths that end in September 2027 (the dated
ones are here, with `api_version`). It gives the numbers of links, and the tests a second opinion on signatures.
Not confirmed: the signature of workflow steps (v2 is taken), the forms of their bodies, the stage `4` of closed tickets.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    CustomersMerged,
    DealWon,
    Failure,
    Item,
    Mirrored,
    Moment,
    Number,
    Payload,
    Reference,
    Reply,
    Request,
    Settings,
    Shown,
    TicketSolved,
    Unreadable,
    digest,
    tell_apart,
)
from hub.sdk.declare import answers, ask, auth, rate, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.parameters import findings

OBJECTS = {"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket"}


class Found(Payload):
    """An object of HubSpot's; its properties are text, and those that are missing null."""

    id: str
    properties: dict[str, str | None]
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    associations: dict[str, Any] = Field(default_factory=dict)

    def said(self, name: str) -> str:
        """The property's text, empty when there is none."""
        return self.properties.get(name) or ""

    def contact_id(self) -> str | None:
        """The first contact that it belongs to."""
        linked = (self.associations.get("contacts") or {}).get("results") or []
        return str(linked[0]["id"]) if linked else None


class Notice(Payload):
    """A thin notice: what changed, not how it is now. found: the object itself, where a search brought it."""

    kind: str = Field(alias="subscriptionType", default="")
    object_id: str = Field(alias="objectId")
    object_type: str = Field(alias="objectTypeId", default="")
    portal: str | None = Field(alias="portalId", default=None)
    app: str = Field(alias="appId", default="")
    at: Moment | None = Field(alias="occurredAt", default=None)
    changed: str = Field(alias="propertyName", default="")
    source: str = Field(alias="changeSource", default="")
    source_id: str = Field(alias="sourceId", default="")
    found: Found | None = None

    @property
    def is_echo(self) -> bool:
        """Whether our own app did it."""
        return self.source in {"INTEGRATION", "API"} and bool(self.app) and self.source_id.rpartition(":")[2] == self.app


class Merge(Payload):
    """Contacts that became one; the one that stays may be a new one altogether."""

    stays: str = Field(alias="newObjectId")
    primary: str = Field(alias="primaryObjectId")
    merged: list[str] = Field(alias="mergedObjectIds")


def _items(request: Request) -> Iterator[Item]:
    """An app's events come as a list, in any order, of several portals at once; a workflow's step sends one object."""
    told = request.content()
    if isinstance(told, Mapping):
        yield Item("workflow", {"workflow": request.asked("workflow") or "", "body": told})
    elif isinstance(told, list):
        yield from sorted(map(_item, told), key=lambda item: item.at.timestamp() if item.at else 0)
    else:
        raise Unreadable(f"The body should be a list of events or an object, and is {str(told)[:40]!r}.")


def _item(event: Any) -> Item:
    try:
        notice = Notice.model_validate(event)
    except ValidationError as error:
        return Item("", event, problem=f"This event cannot be read: {findings(error)}.")
    kind = re.sub("^object(?=[.])", OBJECTS.get(notice.object_type, "object"), notice.kind)
    # No event id is promised to be the only one of its kind; all four together are.
    ids = "/".join(str(event.get(name, "")) for name in ("portalId", "subscriptionId", "eventId", "occurredAt"))
    return Item(kind, event, id=ids, account=notice.portal, at=notice.at)


def _failure(reply: Reply) -> Failure | None:
    if reply.status in {423, 477}:  # locked for a moment; moving to another data centre
        return Failure("passing")
    return Failure("reconnect") if reply.status == 403 and reply.find("category") == "MISSING_SCOPES" else None


connector = Connector(
    "hubspot",
    title="HubSpot",
    settings=secret("access_token", "Settings > Integrations > Service keys (or the token of a private app)")
    + secret("client_secret", "the app's client secret, with which HubSpot signs its webhooks", required=False)
    + setting("account_id", "the Hub ID of your portal; events of others are left out", default=None, example="33001")
    + setting("currency", "the portal's currency, for deals that name none", default=None, example="USD")
    + setting("contact_properties", "more properties of contacts that recipes may read", list[str], default=[])
    + setting("closed_ticket_stages", "the ids of the stages in which a ticket is solved", list[str], default=["4"])
    + setting("api_version", "the version of HubSpot's API", default="2026-09", example="2026-09"),
    api="https://api.hubapi.com",
    auth=auth.bearer("access_token"),
    signature=signature.hmac(
        "X-HubSpot-Signature-v3",
        "client_secret",
        encoding="base64",
        signed="{method}{url:plain}{body}{timestamp}",
        timestamp="X-HubSpot-Request-Timestamp",
        unit="milliseconds",
    )
    | signature.hashed("X-HubSpot-Signature", "client_secret", signed="{method}{url}{body}"),
    envelope=_items,
    rate=rate("100 per 10 seconds"),
    failures=_failure,
)

ONE = "/crm/objects/{api_version}/{kind}/{id}"
SEARCH = "/crm/objects/{api_version}/{kind}/search"
BATCH = "/crm/objects/{api_version}/{kind}/batch/{what}"
CONTACT = ("email", "phone", "mobilephone", "firstname", "lastname", "lifecyclestage", "createdate", "lastmodifieddate")
SEARCHED_MOST = 10_000


# What comes in --------------------------------------------------------------------------------------------------------


def _fetched(client: Client, kind: str, id: str, properties: tuple[str, ...], linked: str | None = None) -> Found:  # noqa: A002
    query = {"properties": ",".join(properties), "associations": linked}
    found: Found = client.get(ONE, at={"kind": kind, "id": id}, query=query, into=Found)
    return found


def _customer(contact: Found) -> Customer:
    return Customer(
        id=contact.id,
        email=contact.said("email") or None,
        phone=contact.said("phone") or contact.said("mobilephone") or None,
        first_name=contact.said("firstname") or None,
        last_name=contact.said("lastname") or None,
    )


def _buyer(client: Client, about: Found) -> Customer | None:
    """The contact behind a deal or ticket, with the addresses by which other platforms know them."""
    contact = about.contact_id()
    return _customer(_fetched(client, "contacts", contact, CONTACT)) if contact else None


@connector.trigger("deal.propertyChange", key="deal_id")
def deal_won(notice: Notice, settings: Settings, client: Client) -> DealWon | None:
    """A deal was closed as won."""
    if notice.changed not in {"dealstage", "hs_is_closed_won", "amount"}:
        return None
    asked = ("amount", "deal_currency_code", "closedate", "dealname", "hs_is_closed_won")
    deal = _fetched(client, "deals", notice.object_id, asked, "contacts")
    if deal.said("hs_is_closed_won") != "true":
        return None
    return DealWon(
        occurred_at=deal.said("closedate") or deal.updated_at,
        customer=_buyer(client, deal),
        references=(Reference(kind="deal", id=deal.id),),
        deal_id=deal.id,
        amount=Decimal(deal.said("amount")) if deal.said("amount") else None,
        currency=deal.said("deal_currency_code") or settings["currency"],
        title=deal.said("dealname")[:512],
    )


@connector.trigger("ticket.propertyChange", key="ticket_id")
def ticket_solved(notice: Notice, settings: Settings, client: Client) -> TicketSolved | None:
    """A ticket was closed."""
    if notice.changed != "hs_pipeline_stage":
        return None
    ticket = _fetched(client, "tickets", notice.object_id, ("subject", "hs_pipeline_stage"), "contacts")
    if ticket.said("hs_pipeline_stage") not in settings["closed_ticket_stages"]:
        return None
    customer = _buyer(client, ticket)
    return TicketSolved(
        occurred_at=ticket.updated_at, customer=customer, ticket_id=ticket.id, subject=ticket.said("subject")[:512]
    )


class ContactChanged(CustomerChanged):
    """A contact is not as it was read before. version: of what is read."""

    version: Short


def _contact(notice: Notice, connection: Connection, client: Client) -> Found:
    return notice.found or _fetched(client, "contacts", notice.object_id, (*CONTACT, *_more(connection)))


def _more(connection: Connection) -> list[str]:
    """The properties that recipes may read besides; what mirrors a member's points is the hub's own word."""
    return [name for name in connection.settings["contact_properties"] if name not in connection.mirror.values()]


def _attributes(contact: Found, connection: Connection) -> dict[str, str]:
    return {name: contact.said(name) for name in ("lifecyclestage", *_more(connection)) if contact.said(name)}


@connector.trigger("contact.creation", key="customer.id")
def contact_created(notice: Notice, connection: Connection, client: Client) -> CustomerChanged | None:
    """A contact is new."""
    if notice.is_echo:
        return None
    contact = _contact(notice, connection, client)
    return CustomerChanged(
        occurred_at=contact.created_at,
        customer=_customer(contact),
        created=True,
        attributes=_attributes(contact, connection),
    )


@connector.trigger("contact.propertyChange", key=("customer.id", "version"))
def contact_changed(notice: Notice, connection: Connection, client: Client) -> ContactChanged | None:
    """A contact's name, addresses or another property that is read has changed."""
    if notice.is_echo:
        return None
    contact = _contact(notice, connection, client)
    customer, attributes = _customer(contact), _attributes(contact, connection)
    version = digest({"customer": customer, "attributes": attributes})
    return ContactChanged(occurred_at=contact.updated_at, customer=customer, attributes=attributes, version=version)


@connector.trigger("contact.merge", key=("customer.id", "merged_ids"))
def contacts_merged(merge: Merge) -> CustomersMerged:
    """Contacts became one."""
    gone = {*merge.merged, merge.primary} - {merge.stays}
    return CustomersMerged(customer=Customer(id=merge.stays), merged_ids=tuple(sorted(gone)))


class ContactDeleted(CustomerChanged):
    """A contact is gone. privacy: because the person asked for it."""

    privacy: bool


@connector.trigger("contact.deletion", "contact.privacyDeletion", key=("customer.id", "privacy"))
def contact_deleted(notice: Notice, item: Item) -> ContactDeleted:
    """A contact was deleted."""
    privacy = item.kind == "contact.privacyDeletion"
    return ContactDeleted(customer=Customer(id=notice.object_id), deleted=True, privacy=privacy)


class Step(Payload):
    """What a workflow's step sends: properties, flat or each with its value, and the object's id somewhere among them."""

    workflow: str
    body: dict[str, Any]


class WorkflowReached(CustomerChanged):
    """An object came to a step of a workflow. workflow: as the address says; object_id: of the contact, deal or ticket."""

    workflow: Short
    object_id: Short
    version: Short


@connector.trigger("workflow", key=("workflow", "object_id", "version"))
def workflow_reached(step: Step) -> WorkflowReached:
    """A workflow sent one of its objects."""
    given = step.body.get("properties")
    values = given if isinstance(given, Mapping) else step.body
    flat = {name: value.get("value") if isinstance(value, Mapping) else value for name, value in values.items()}
    known = {name: str(value) for name, value in flat.items() if isinstance(value, str | int | Decimal) and value != ""}
    number = next((step.body[name] for name in ("objectId", "vid") if name in step.body), known.get("hs_object_id"))
    if number in (None, ""):
        raise Unreadable("The step does not say whose properties it sends; add Record ID (hs_object_id) to them.")
    is_contact = "vid" in step.body or "email" in known
    person = {"email": known.get("email"), "phone": known.get("phone") or known.get("mobilephone")}
    names = {"first_name": known.get("firstname"), "last_name": known.get("lastname")}
    return WorkflowReached(
        customer=Customer.model_validate({"id": str(number), **person, **names}) if is_contact else None,
        attributes=known,
        workflow=step.workflow or "workflow",
        object_id=str(number),
        version=known.get("hs_lastmodifieddate") or known.get("lastmodifieddate") or digest(known),
    )


def _windows(name: str) -> Callable[..., tuple[str, Mapping[str, Any]] | None]:
    """A search ends at 10,000 results: from there it goes on with another, from the last moment that it has seen."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, rows: list[Any]) -> tuple[str, Mapping[str, Any]] | None:
        cursor, asked = reply.find("paging.next.after"), said["json"]
        if cursor is None or not rows:
            return None
        if int(cursor) < SEARCHED_MOST:
            return path, {"json": {**asked, "after": str(cursor)}}
        last = datetime.fromisoformat(rows[-1]["properties"][name])
        return path, {
            "json": {**_since(name, last, *asked["filterGroups"][0]["filters"][1:]), "properties": asked["properties"]}
        }

    return after


def _since(name: str, since: datetime, *filters: Mapping[str, str]) -> dict[str, Any]:
    start = {"propertyName": name, "operator": "GTE", "value": str(int(since.timestamp() * 1000))}
    return {"filterGroups": [{"filters": [start, *filters]}], "sorts": [name], "limit": 200}


@connector.pull(deal_won)
def won_deals(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Won deals that were changed since a moment."""
    won = {"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"}
    asked = {**_since("hs_lastmodifieddate", since, won), "properties": ["hs_lastmodifieddate"]}
    path = SEARCH.replace("{kind}", "deals")
    for row in client.pages(path, items="results", next=_windows("hs_lastmodifieddate"), method="POST", json=asked):
        yield {"objectId": row["id"], "propertyName": "hs_is_closed_won"}


@connector.pull(contact_changed)
def changed_contacts(client: Client, connection: Connection, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Contacts that are new or were changed since a moment."""
    asked = {**_since("lastmodifieddate", since), "properties": [*CONTACT, *_more(connection)]}
    path = SEARCH.replace("{kind}", "contacts")
    for row in client.pages(path, items="results", next=_windows("lastmodifieddate"), method="POST", json=asked):
        yield {"objectId": row["id"], "found": row}


# What goes out --------------------------------------------------------------------------------------------------------

ContactId = Annotated[str, Field(description="the contact's id in HubSpot, such as {{ event.customer.id }}")]
Properties = Annotated[
    dict[str, str],
    Field(description="properties by their internal names; an empty text clears one, it is no zero", min_length=1),
]


class Contact(BaseModel):
    """A contact as it should be."""

    email: Annotated[str, Field(description="the e-mail address by which the contact is found, or made", pattern=r"^\S+@\S+$")]
    properties: Properties


class Kept(Payload):
    """A contact as HubSpot keeps it. is_new: it was not there before."""

    id: str
    is_new: bool = Field(alias="new", default=False)


@connector.action(repeat="safe", batch=100)
def upsert_contact(client: Client, contacts: list[Contact]) -> list[Kept | CallFailed]:
    """Set properties of the contact with an e-mail address; makes the contact where there is none."""
    wanted: dict[str, dict[str, str]] = {}
    for one in contacts:  # HubSpot refuses a batch that names a contact twice
        wanted.setdefault(one.email.lower(), {"email": one.email.lower()}).update(one.properties)
    outcomes = tell_apart(wanted, lambda some: _upserted(client, some))
    return [outcomes[one.email.lower()] for one in contacts]


def _upserted(client: Client, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Kept | CallFailed]:
    inputs = [{"id": email, "idProperty": "email", "properties": properties} for email, properties in wanted.items()]
    told = client.post(BATCH, at={"kind": "contacts", "what": "upsert"}, json={"inputs": inputs})
    kept = {(row["properties"].get("email") or "").lower(): Kept.model_validate(row) for row in told["results"]}
    return {email: kept.get(email) or CallFailed(_refusal(told, email), "lasting") for email in wanted}


def _refusal(told: Mapping[str, Any], email: str) -> str:
    errors = told.get("errors") or []
    mine = [error for error in errors if email in str(error.get("context", "")).lower() or email in str(error).lower()]
    said = "; ".join(str(error.get("message")) for error in mine or errors)
    return f"HubSpot did not keep {email}: {said or 'it does not say why'}."


class KnownContact(BaseModel):
    """A contact that is there, as it should be."""

    contact: ContactId
    properties: Properties


@connector.action(repeat="safe", batch=100)
def update_contact(client: Client, contacts: list[KnownContact]) -> list[Kept | CallFailed]:
    """Set properties of a contact."""
    wanted: dict[str, dict[str, str]] = {}
    for one in contacts:
        wanted.setdefault(one.contact, {}).update(one.properties)
    outcomes = tell_apart(wanted, lambda some: _updated(client, some))
    return [outcomes[one.contact] for one in contacts]


def _updated(client: Client, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Kept | CallFailed]:
    inputs = [{"id": contact, "properties": properties} for contact, properties in wanted.items()]
    told = client.post(BATCH, at={"kind": "contacts", "what": "update"}, json={"inputs": inputs})
    kept = {str(row["id"]): Kept.model_validate(row) for row in told["results"]}
    return {contact: kept.get(contact) or CallFailed(_refusal(told, contact), "lasting") for contact in wanted}


@connector.mirror(update_contact)
def as_contact(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    return {"contact": one.customer.id, "properties": one.texts} if one.customer.id else None


@connector.mirrored(batch=100)
def contact_properties(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What contacts' properties say; a contact whose id is not known is found by its address."""
    names = list(dict.fromkeys(name for one in many for name in one.fields))
    known = _read(client, [one.customer.id for one in many if one.customer.id], names)
    known |= _read(client, [one.customer.email for one in many if one.customer.email and not one.customer.id], names, "email")
    found = (known.get((one.customer.id or one.customer.email or "").lower()) for one in many)
    return [Shown(contact.properties, contact.id) if contact is not None else None for contact in found]


def _read(client: Client, keys: list[str], names: list[str], by: str | None = None) -> dict[str, Found]:
    """Contacts by their keys; those that HubSpot does not know are left out."""
    if not keys:
        return {}
    inputs = [{"id": key} for key in dict.fromkeys(key.lower() for key in keys)]
    asked = {"inputs": inputs, "properties": [*names, "email"], "propertiesWithHistory": [], "idProperty": by}
    told = client.post(BATCH, at={"kind": "contacts", "what": "read"}, json=asked, safe=True)
    found = map(Found.model_validate, told["results"])
    return {contact.said("email").lower() if by else contact.id: contact for contact in found}


class Counted(BaseModel):
    """A number in a contact, as it is now."""

    value: Number


@connector.action(repeat="never")
def increment_property(
    client: Client,
    *,
    contact: ContactId,
    name: Annotated[str, Field(description="the internal name of a number property", pattern=r"^[a-z][a-z0-9_]*$")],
    by: Annotated[Number, "how much to add; below zero to take away"] = Decimal(1),
) -> Counted:
    """Add to a number that HubSpot keeps, such as a count of visits. Points are better set as a value."""
    with client.alone(f"contact {contact}"):
        before = _fetched(client, "contacts", contact, (name,)).said(name) or "0"
        try:
            value = Decimal(before) + by
        except InvalidOperation:
            raise CallFailed(f"`{name}` of contact {contact} is {before!r}, which is no number to add to.", "lasting") from None
        changed = {"properties": {name: f"{value:f}"}}
        client.patch(ONE, at={"kind": "contacts", "id": contact}, json=changed)
        return Counted(value=value)


class Noted(Payload):
    """A note in HubSpot."""

    id: str


@connector.action(repeat="never")
def add_note(
    client: Client, now: datetime, *, contact: ContactId, text: Annotated[str, Field(description="what to write", min_length=1)]
) -> Noted:
    """Write a note on a contact."""
    from hubspot.crm import AssociationType  # noqa: PLC0415  # the numbers of links; loaded when a note is written

    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": AssociationType.NOTE_TO_CONTACT}
    body = {
        "properties": {"hs_timestamp": now, "hs_note_body": html.escape(text, quote=False).replace("\n", "<br>")},
        "associations": [{"to": {"id": contact}, "types": [link]}],
    }
    note: Noted = client.post("/crm/objects/{api_version}/notes", json=body, into=Noted)
    return note


@connector.lookup(add_note)
def noted_before(client: Client, started: datetime, *, contact: str, text: str) -> Noted | None:
    """HubSpot has no idempotency key; what tells a note is whose it is, since when, and its text."""
    mine = {"propertyName": "associations.contact", "operator": "EQ", "value": contact}
    asked = {**_since("hs_timestamp", started, mine), "properties": ["hs_note_body"]}
    for row in client.post(SEARCH, at={"kind": "notes"}, json=asked, safe=True)["results"]:
        if _words(row["properties"].get("hs_note_body") or "") == text.split():
            return Noted.model_validate(row)
    return None


def _words(body: str) -> list[str]:
    return html.unescape(re.sub("<[^>]*>", " ", body)).split()


class Place(BaseModel):
    """A contact and a list."""

    contact: ContactId
    list_id: Annotated[str, Field(description="the list's id (ILS list ID); the list must be a static one", pattern="^[0-9]+$")]


class Membership(BaseModel):
    """Whether a contact's place in a list is another now."""

    changed: bool


@connector.action(repeat="safe", batch=100)
def add_to_list(client: Client, places: list[Place]) -> list[Membership | CallFailed]:
    """Put a contact on a static list."""
    return _moved(client, "add", places)


@connector.action(repeat="safe", batch=100)
def remove_from_list(client: Client, places: list[Place]) -> list[Membership | CallFailed]:
    """Take a contact off a static list."""
    return _moved(client, "remove", places)


def _moved(client: Client, what: Literal["add", "remove"], places: list[Place]) -> list[Membership | CallFailed]:
    outcomes: dict[tuple[str, str], Membership | CallFailed] = {}
    for list_id in dict.fromkeys(place.list_id for place in places):
        contacts = list(dict.fromkeys(place.contact for place in places if place.list_id == list_id))
        try:
            told = client.put(f"/crm/lists/{{api_version}}/{{list}}/memberships/{what}", at={"list": list_id}, json=contacts)
        except CallFailed as failure:
            outcomes |= {(list_id, contact): failure for contact in contacts}
            continue
        missing = told.get("recordIdsMissing") or []
        moved = [name for key in ("recordsIdsAdded", "recordIdsAdded", "recordIdsRemoved") for name in told.get(key) or []]
        for contact in contacts:
            gone = CallFailed(f"HubSpot knows no contact {contact}.", "lasting")
            outcomes[list_id, contact] = (
                gone if contact in map(str, missing) else Membership(changed=contact in map(str, moved))
            )
    return [outcomes[place.list_id, place.contact] for place in places]


# Recorded truth -------------------------------------------------------------------------------------------------------

STAGE = {
    "eventId": 3816279340,
    "subscriptionId": 25001,
    "portalId": 33001,
    "appId": 1160452,
    "occurredAt": 1770413254123,
    "subscriptionType": "deal.propertyChange",
    "attemptNumber": 0,
    "objectId": 9001,
    "propertyName": "dealstage",
    "propertyValue": "closedwon",
    "changeSource": "CRM_UI",
    "sourceId": "userId:45678",
}
CREATED = STAGE | {"subscriptionType": "contact.creation", "objectId": 501, "changeFlag": "CREATED"}
RENAMED = STAGE | {"subscriptionType": "contact.propertyChange", "objectId": 501, "propertyName": "email"}
MERGED = STAGE | {
    "subscriptionType": "contact.merge",
    "objectId": 501,
    "primaryObjectId": 501,
    "mergedObjectIds": [499],
    "newObjectId": 777,
    "changeFlag": "MERGED",
}
SOLVED = STAGE | {"subscriptionType": "object.propertyChange", "objectTypeId": "0-5", "objectId": 31, "propertyValue": "4"}
SOLVED |= {"propertyName": "hs_pipeline_stage"}
TIMES = {"createdAt": "2026-02-01T10:00:00Z", "updatedAt": "2026-02-06T21:27:34Z", "archived": False}
DEAL = TIMES | {
    "id": "9001",
    "properties": {
        "amount": "1250.50",
        "deal_currency_code": "USD",
        "dealname": "Fleet of six",
        "closedate": "2026-02-06T21:27:34Z",
        "hs_is_closed_won": "true",
        "hs_lastmodifieddate": "2026-02-06T21:27:34.123Z",
    },
    "associations": {"contacts": {"results": [{"id": "501", "type": "deal_to_contact"}]}},
}
ADA = TIMES | {
    "id": "501",
    "properties": {
        "email": "ada@example.com",
        "phone": "+14155550123",
        "firstname": "Ada",
        "lastname": "Ng",
        "lifecyclestage": "customer",
        "lastmodifieddate": "2026-02-06T21:27:34.123Z",
    },
}
TICKET = DEAL | {"id": "31", "properties": {"subject": "Where is my reward?", "hs_pipeline_stage": "4"}}
ENROLLED = {
    "vid": 501,
    "portal-id": 33001,
    "properties": {"email": {"value": "ada@example.com"}, "lastmodifieddate": {"value": "1770413254123"}},
}
V = "/crm/objects/2026-09"
GET_DEAL = ask(f"GET {V}/deals/9001", query={"associations": "contacts"})
GET_ADA = ask(f"GET {V}/contacts/501")
UPSERT = f"POST {V}/contacts/batch/upsert"
UPDATE, READ = f"POST {V}/contacts/batch/update", f"POST {V}/contacts/batch/read"
COMPLETE = {"status": "COMPLETE", "startedAt": "2026-02-06T21:30:00Z", "completedAt": "2026-02-06T21:30:00Z"}
POINTS = {"email": "Ada@example.com", "properties": {"loyalty_points": "120"}}
ADA_SHOWN: dict[str, Any] = {"customer": {"id": "501"}, "fields": {"loyalty_points": 120, "loyalty_tier": None}}
NOTE = {"contact": "501", "text": "Redeemed <Oil change>\nat the counter"}
NOTED = TIMES | {"id": "88", "properties": {"hs_note_body": "<p>Redeemed &lt;Oil change&gt;<br>at the counter</p>"}}
VIP = {"contact": "501", "list_id": "12"}
PUT_VIP = ask("PUT /crm/lists/2026-09/12/memberships/add")

connector.sample(
    deal_won,
    [STAGE],
    asks=[GET_DEAL, GET_ADA],
    reply=[DEAL, ADA],
    gives={"deal_id": "9001", "amount": "1250.50", "currency": "USD", "customer": {"id": "501", "email": "ada@example.com"}},
)
connector.sample(
    deal_won,
    [STAGE],
    asks=[GET_DEAL],
    reply=[DEAL | {"properties": {"hs_is_closed_won": "false"}}],
    gives=None,
    note="open again by the time it is looked at",
)
connector.sample(
    ticket_solved,
    [SOLVED],
    asks=[ask(f"GET {V}/tickets/31"), GET_ADA],
    reply=[TICKET, ADA],
    gives={"ticket_id": "31", "customer": {"phone": "+14155550123"}},
)
connector.sample(
    contact_created, [CREATED], asks=GET_ADA, reply=ADA, gives={"customer": {"id": "501", "first_name": "Ada"}, "created": True}
)
connector.sample(
    contact_changed,
    [RENAMED],
    asks=GET_ADA,
    reply=ADA,
    gives={"customer": {"id": "501"}, "attributes": {"lifecyclestage": "customer"}},
)
connector.sample(
    contact_changed,
    [RENAMED | {"changeSource": "INTEGRATION", "sourceId": "1160452"}],
    gives=None,
    note="the hub's own writing",
)
connector.sample(contacts_merged, [MERGED], gives={"customer": {"id": "777"}, "merged_ids": ["499", "501"]})
connector.sample(
    contact_deleted,
    [CREATED | {"subscriptionType": "contact.privacyDeletion"}],
    gives={"customer": {"id": "501"}, "deleted": True, "privacy": True},
)
connector.sample(
    workflow_reached,
    ENROLLED,
    query={"workflow": "vip"},
    gives={"workflow": "vip", "object_id": "501", "customer": {"email": "ada@example.com"}, "version": "1770413254123"},
)
connector.sample(
    won_deals,
    "2026-02-06T00:00:00+00:00",
    asks=[ask(f"POST {V}/deals/search", json={"sorts": ["hs_lastmodifieddate"], "limit": 200}), GET_DEAL, GET_ADA],
    reply=[{"total": 1, "results": [DEAL]}, DEAL, ADA],
    gives={"deal_id": "9001", "amount": "1250.50"},
)
connector.sample(
    changed_contacts,
    "2026-02-06T00:00:00+00:00",
    asks=[
        ask(
            f"POST {V}/contacts/search",
            json={
                "filterGroups": [
                    {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1770336000000"}]}
                ]
            },
        ),
        ask(f"POST {V}/contacts/search", json={"after": "1"}),
    ],
    reply=[
        {"total": 2, "results": [ADA], "paging": {"next": {"after": "1"}}},
        {"total": 2, "results": [ADA | {"id": "502"}]},
    ],
    gives=[{"customer": {"id": "501"}}, {"customer": {"id": "502"}}],
)
connector.sample(
    upsert_contact,
    POINTS,
    asks=ask(
        UPSERT,
        json={
            "inputs": [
                {
                    "id": "ada@example.com",
                    "idProperty": "email",
                    "properties": {"email": "ada@example.com", "loyalty_points": "120"},
                }
            ]
        },
    ),
    reply=COMPLETE | {"results": [ADA | {"new": True}]},
    gives={"id": "501", "is_new": True},
)
connector.sample(
    upsert_contact,
    POINTS,
    asks=UPSERT,
    reply=answers(
        207, COMPLETE | {"results": [], "errors": [{"status": "error", "message": "Property loyalty_points does not exist"}]}
    ),
    fails="lasting",
)
connector.sample(
    update_contact,
    {"contact": "501", "properties": {"loyalty_points": "120"}},
    asks=ask(UPDATE, json={"inputs": [{"id": "501", "properties": {"loyalty_points": "120"}}]}),
    reply=COMPLETE | {"results": [ADA]},
    gives={"id": "501"},
)
connector.sample(
    as_contact,
    ADA_SHOWN,
    asks=ask(UPDATE, json={"inputs": [{"id": "501", "properties": {"loyalty_points": "120", "loyalty_tier": ""}}]}),
    reply=COMPLETE | {"results": [ADA]},
    gives={"contact": "501", "properties": {"loyalty_points": "120", "loyalty_tier": ""}},
)
connector.sample(as_contact, ADA_SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    contact_properties,
    ADA_SHOWN,
    asks=ask(READ, json={"inputs": [{"id": "501"}], "properties": ["loyalty_points", "loyalty_tier", "email"]}),
    reply=COMPLETE | {"results": [ADA | {"properties": {"loyalty_points": "119", "loyalty_tier": None}}]},
    gives={"id": "501", "fields": {"loyalty_points": "119", "loyalty_tier": None}},
)
connector.sample(
    contact_properties,
    ADA_SHOWN | {"customer": {"email": "Ada@example.com"}},
    asks=ask(READ, json={"inputs": [{"id": "ada@example.com"}], "idProperty": "email"}),
    reply=COMPLETE | {"results": [ADA | {"properties": {"email": "ada@example.com", "loyalty_points": "120"}}]},
    gives={"id": "501", "fields": {"loyalty_points": "120"}},
)
connector.sample(
    contact_properties,
    ADA_SHOWN,
    asks=READ,
    reply=answers(207, COMPLETE | {"results": [], "errors": [{"status": "error", "message": "Could not get some objects"}]}),
    gives=None,
    note="HubSpot knows no such contact",
)
connector.sample(
    increment_property,
    {"contact": "501", "name": "visits", "by": 2},
    asks=[
        ask(f"GET {V}/contacts/501", query={"properties": "visits"}),
        ask(f"PATCH {V}/contacts/501", json={"properties": {"visits": "9"}}),
    ],
    reply=[TIMES | {"id": "501", "properties": {"visits": "7"}}, ADA],
    gives={"value": "9"},
)
connector.sample(
    add_note,
    NOTE,
    asks=ask(
        f"POST {V}/notes",
        json={
            "properties": {
                "hs_timestamp": "2026-02-06T21:30:00Z",
                "hs_note_body": "Redeemed &lt;Oil change&gt;<br>at the counter",
            },
            "associations": [
                {"to": {"id": "501"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}
            ],
        },
    ),
    reply=answers(201, NOTED),
    gives={"id": "88"},
)
connector.sample(noted_before, NOTE, asks=f"POST {V}/notes/search", reply={"total": 1, "results": [NOTED]}, gives={"id": "88"})
connector.sample(
    noted_before, NOTE | {"text": "Another"}, asks=f"POST {V}/notes/search", reply={"total": 1, "results": [NOTED]}, gives=None
)
connector.sample(
    add_to_list, VIP, asks=PUT_VIP, reply={"recordsIdsAdded": ["501"], "recordIdsMissing": []}, gives={"changed": True}
)
connector.sample(add_to_list, VIP, asks=PUT_VIP, reply={"recordsIdsAdded": [], "recordIdsMissing": ["501"]}, fails="lasting")
connector.sample(
    remove_from_list,
    VIP,
    asks=ask("PUT /crm/lists/2026-09/12/memberships/remove"),
    reply={"recordIdsRemoved": ["501"], "recordIdsMissing": []},
    gives={"changed": True},
)
