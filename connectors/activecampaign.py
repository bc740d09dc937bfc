"""ActiveCampaign: hear of tags, won deals, opt-outs and opened mail, and keep contacts, tags, lists and automations.

Setup:
1. ActiveCampaign > Settings > Developer > API Access: copy the URL to `api_url` and the key to `api_token`. The key is that of
   one user, acts with their rights and dies with them: make a user for the hub.
2. Write a long random text into `webhook_token`. Settings > Developer > Webhooks > Add: paste {webhook_url}?token=… with that
   text at the end. Run on: contact tag added and removed, contact updated, subscribes, unsubscribes, opens, clicks, bounces,
   deal added, deal updated; initialised by: public, admin and system, not by the API. A hub without a public address needs no
   webhook: it asks for changed contacts and won deals.
3. Put the number of the programme's list (Lists > the number in its address) into `list_id`: who leaves it says no to e-mail.
4. Points in contacts: Contacts > Manage Fields > Add a field (for instance `POINTS`). Fields are found by their personalisation
   tag or title; say their numbers in `custom_fields` (points: 7), and they need not be looked up. `mirror: {balance: POINTS}`
   keeps the fields of contacts that there are in step; it makes no contacts.
5. Events that start automations: Settings > Tracking > Event Tracking: put the event key into `event_key` and the actid into
   `account_number`, and add the names of the events there.

What is told: ActiveCampaign signs nothing, so the token in the address is all that proves it, and sends once: what is lost is
found by asking (`changed_contacts`, `won_deals`); tags, opt-outs and opened mail that are lost stay lost, and imports are never
told. What programs change in contacts and tags by the API is left out, because the hub is one of them; an opt-out counts
whoever made it. A contact counts as changed when its name or addresses are new. A deal is looked up when it changed, and won
once; it is taken back by hand if it is opened again. Leaving `list_id` is a no to e-mail; without `list_id` leaving any list is
one, and joining one is no yes. `sent`, `forward`, `share`, `reply`, notes, tasks, accounts and SMS replies are left out.

What goes out: mail is ActiveCampaign's own: an automation sends it, started by a tag, a field, an event or `add_to_automation`,
past the hub's consent, limits and quiet hours, to people on its lists alone. Tags are made where they are missing.
Five calls a second are allowed, to all programs of the account together; `import_contacts` takes many at once, a while later.

Not confirmed: names of the fields of bounces and SMS opt-outs; that `value` of a deal counts hundredths in every currency; that
custom fields are named as their tag is; that 200 with `success: 0` is a failure of an event; the paths of deals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    DealWon,
    Failure,
    MessageFailed,
    MessageOpened,
    Mirrored,
    Moment,
    Payload,
    Reference,
    Reply,
    Settings,
    Shown,
    Subscribed,
    Unsubscribed,
    digest,
    email,
    field_keys,
    json_text,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short


def _failure(reply: Reply) -> Failure | None:
    said = str(reply.find("message") or "")
    if reply.status == 400 and "rate limit" in said.lower():
        return Failure("passing")
    if reply.status == 403:  # a key that is no longer one, or whose user may not do this
        return Failure("reconnect")
    refused = reply.ok and 0 in {reply.find("success"), reply.find("Success")}
    return Failure("lasting", said or "it says no more than that it failed") if refused else None


connector = Connector(
    "activecampaign",
    title="ActiveCampaign",
    settings=setting("api_url", "Settings > Developer > API Access: the URL", example="https://example.api-us1.com")
    + secret("api_token", "Settings > Developer > API Access: the key")
    + secret("webhook_token", "a long random text, at the end of the webhook's address (?token=…)", required=False)
    + setting("list_id", "the number of the programme's list", default=None, example="2")
    + setting("custom_fields", "numbers of contacts' custom fields by name (points: 7)", dict[str, str], default={})
    + secret("event_key", "Settings > Tracking > Event Tracking: the event key", required=False)
    + setting("account_number", "Settings > Tracking > Event Tracking: the actid", default=None, example="25512345"),
    api=("{api_url}", "https://trackcmp.net"),
    auth=auth.header("Api-Token", "api_token"),
    signature=signature.token("webhook_token", query="token"),
    envelope=envelope(kind=body("type"), at=body("date_time"), nested=True),
    failures=_failure,
    rate=rate("5 per second"),
)


# What comes in --------------------------------------------------------------------------------------------------------


class Person(Payload):
    """A contact, as a webhook tells it."""

    id: str
    address: str = Field(alias="email", default="")
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    tags: str = ""
    fields: dict[str, Any] | list[Any] = Field(default_factory=dict)

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=self.address or None,
            phone=self.phone or None,
            first_name=self.first_name or None,
            last_name=self.last_name or None,
        )

    def known(self) -> dict[str, Any]:
        """What every fact about a contact says."""
        fields = self.fields if isinstance(self.fields, dict) else {}
        attributes = {name: value for name, value in fields.items() if isinstance(value, str) and value}
        tags = tuple(filter(None, self.tags.split(", ")))
        return {"customer": self.customer(), "tags": tags, "attributes": attributes}


class Campaign(Payload):
    """A campaign, which is one message to many."""

    id: str = ""
    name: str = ""


class Link(Payload):
    """A link in a message."""

    url: str = ""


class Reason(Payload):
    """Why somebody left, or a message came back."""

    reason: str = ""
    type: str = ""


class Told(Payload):
    """One event. list_id: 0 where it is about none."""

    contact: Person
    at: Moment = Field(alias="date_time")
    source: str = Field(alias="initiated_from", default="")
    list_id: str = Field(alias="list", default="0")
    tag: str = ""
    campaign: Campaign = Campaign()
    link: Link = Link()
    unsubscribe: Reason = Reason()
    bounce: Reason = Reason()

    @property
    def is_echo(self) -> bool:
        """Whether a program did it, perhaps the hub."""
        return self.source == "api"

    def address(self) -> str:
        """As addresses are compared; one that is none as it came."""
        return email(self.contact.address) or self.contact.address

    def mail(self) -> dict[str, Any]:
        """What every fact about a message says."""
        who = {"customer": self.contact.customer(), "address": self.address(), "occurred_at": self.at}
        return {**who, "channel": "email", "message_id": self.campaign.id, "campaign": self.campaign.name}

    def word(self) -> dict[str, Any]:
        """What every fact about a yes or no to e-mail says."""
        who = {"customer": self.contact.customer(), "address": self.address(), "occurred_at": self.at}
        return {**who, "channel": "email", "list_id": self.list_id}


class ContactTagged(CustomerChanged):
    """A contact has a tag more, or less."""

    tag: Short


class ContactChanged(CustomerChanged):
    """A contact's name or addresses are not as they were read before. version: of what is read."""

    version: Short


class CampaignOpened(MessageOpened):
    """A campaign was opened, or a link in it followed. link_key: short, and the same for the same link."""

    campaign: Short = ""
    link_key: Short = ""


class CampaignFailed(MessageFailed):
    """A campaign did not reach somebody."""

    campaign: Short = ""


def _tagged(told: Told) -> ContactTagged | None:
    return None if told.is_echo else ContactTagged(**told.contact.known(), occurred_at=told.at, tag=told.tag)


@connector.trigger("contact_tag_added", key=("customer.id", "tag", "occurred_at"))
def tag_added(told: Told) -> ContactTagged | None:
    """A contact was given a tag."""
    return _tagged(told)


@connector.trigger("contact_tag_removed", key=("customer.id", "tag", "occurred_at"))
def tag_removed(told: Told) -> ContactTagged | None:
    """A tag was taken from a contact."""
    return _tagged(told)


@connector.trigger("update", key=("customer.id", "version"))
def contact_changed(told: Told) -> ContactChanged | None:
    """A contact's name or addresses have changed."""
    if told.is_echo:
        return None
    version = digest(told.contact.customer())
    return ContactChanged(**told.contact.known(), occurred_at=told.at, version=version)


@connector.trigger("subscribe", key=("address", "list_id", "occurred_at"))
def subscribed(told: Told, settings: Settings) -> Subscribed | None:
    """Somebody joined the programme's list."""
    return Subscribed(**told.word()) if told.list_id == settings["list_id"] and not told.is_echo else None


@connector.trigger("unsubscribe", key=("address", "list_id", "occurred_at"))
def unsubscribed(told: Told, settings: Settings) -> Unsubscribed | None:
    """Somebody left the programme's list, or all lists."""
    if settings["list_id"] not in {None, told.list_id} and told.list_id != "0":
        return None
    return Unsubscribed(**told.word(), reason=told.unsubscribe.reason[:512])


@connector.trigger("sms_unsub", key=("address", "occurred_at"))
def sms_unsubscribed(told: Told) -> Unsubscribed | None:
    """Somebody wants no more text messages."""
    number = told.contact.phone
    return (
        Unsubscribed(occurred_at=told.at, customer=told.contact.customer(), channel="sms", address=number) if number else None
    )


@connector.trigger("open", key=("message_id", "address"))
def message_opened(told: Told) -> CampaignOpened:
    """A campaign was opened."""
    return CampaignOpened(**told.mail())


@connector.trigger("click", key=("message_id", "address", "link_key"))
def message_clicked(told: Told) -> CampaignOpened:
    """A link in a campaign was followed."""
    key = hashlib.sha256(told.link.url.encode()).hexdigest()[:16]
    return CampaignOpened(**told.mail(), link=told.link.url, link_key=key)


@connector.trigger("bounce", key=("message_id", "address"))
def message_failed(told: Told) -> CampaignFailed:
    """A campaign came back."""
    return CampaignFailed(**told.mail(), reason=told.bounce.reason, lasting=told.bounce.type.lower() == "hard")


class Deal(Payload):
    """A deal. status: 0 open, 1 won, 2 lost; value: in hundredths; contact: whose it is."""

    id: str
    status: str
    title: str = ""
    value: int | None = None
    currency: str | None = None
    contact: str | None = None
    changed_at: Moment | None = Field(alias="mdate", default=None)


class DealId(Payload):
    """What is read of a deal in a webhook: the rest has other names there."""

    id: str


class DealNotice(Payload):
    """A deal that changed. found: the deal itself, where it was asked for."""

    deal: DealId
    found: Deal | None = None


@connector.trigger("deal_update", "deal_add", key="deal_id")
def deal_won(notice: DealNotice, client: Client) -> DealWon | None:
    """A deal was won."""
    deal = notice.found or Deal.model_validate(client.get("/api/3/deals/{id}", at={"id": notice.deal.id})["deal"])
    if deal.status != "1":
        return None
    buyer: Customer | None = None
    if deal.contact and deal.contact != "0":
        row = client.get("/api/3/contacts/{id}", at={"id": deal.contact})["contact"]
        buyer = Person.model_validate(_as_told(row)).customer()
    return DealWon(
        occurred_at=deal.changed_at,
        customer=buyer,
        references=(Reference(kind="deal", id=deal.id),),
        deal_id=deal.id,
        amount=Decimal(deal.value).scaleb(-2) if deal.value is not None else None,
        currency=deal.currency.upper() if deal.currency else None,
        title=deal.title[:512],
    )


def _as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact of the API by the names that webhooks use."""
    return {**row, "first_name": row.get("firstName") or "", "last_name": row.get("lastName") or ""}


def _day_before(since: datetime) -> date:
    """Days are asked for, as the account counts them: what comes too often is known again."""
    return (since - timedelta(days=1)).date()


@connector.pull(contact_changed)
def changed_contacts(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Contacts that are new or were changed since a moment."""
    query = {"filters[updated_after]": _day_before(since), "orders[id]": "asc"}
    for row in client.pages("/api/3/contacts", items="contacts", next=pages.last_id("id_greater", size=1), query=query):
        yield {"contact": _as_told(row), "date_time": row["udate"]}


@connector.pull(deal_won)
def won_deals(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Won deals that were changed since a moment."""
    query = {"filters[status]": 1, "filters[updated_after]": _day_before(since), "limit": 100}
    for row in client.pages("/api/3/deals", items="deals", next=pages.offset(size=100), query=query):
        yield {"deal": {"id": row["id"]}, "found": row}


EVENTS = [kind for trigger in connector.triggers.values() for kind in trigger.kinds]


def _hook(connection: Connection) -> str:
    token = connection.settings.secret("webhook_token")
    return f"{connection.webhook_url}?token={token.reveal()}" if token else connection.webhook_url


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> None:
    """Registers the webhook, token and all, for what people do."""
    unsubscribe(client, connection)  # one that was switched off stays so for ever
    wanted = {"name": f"Loyalty hub: {connection.name}", "url": _hook(connection), "events": EVENTS}
    client.post("/api/3/webhooks", json={"webhook": {**wanted, "sources": ["public", "admin", "system"]}})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back."""
    for row in client.pages("/api/3/webhooks", items="webhooks", next=pages.offset(size=20)):
        if row["url"].partition("?")[0] == connection.webhook_url:
            client.delete("/api/3/webhooks/{id}", at={"id": row["id"]})


# What goes out --------------------------------------------------------------------------------------------------------

ContactId = Annotated[str, Field(description="the contact's id, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
Email = Annotated[str, Field(description="the e-mail address by which the contact is found, or made", pattern=r"^\S+@\S+$")]
Fields = Annotated[
    dict[str, str], Field(description="custom fields by personalisation tag, title or number, such as POINTS; empty clears one")
]
Tag = Annotated[str, Field(description="the tag's name", min_length=1)]
ListId = Annotated[str, Field(description="the list's number", pattern="^[0-9]+$")]
FIELD_ID = re.compile("[0-9]+")


class Kept(Payload):
    """A contact as ActiveCampaign keeps it."""

    id: str


def _field_ids(client: Client, settings: Settings, names: set[str]) -> dict[str, str]:
    """The numbers of custom fields by name. CallFailed when there is no such field: ActiveCampaign would skip it."""

    def listed() -> Mapping[str, str]:
        rows = client.pages("/api/3/fields", items="fields", next=pages.offset(size=100), query={"limit": 100})
        return {name.upper(): row["id"] for row in rows for name in (row["title"], row["perstag"])}

    own = {name: settings["custom_fields"].get(name, name).upper() for name in names}
    return field_keys(names, own, key=FIELD_ID, listed=listed)


def _missing(name: str) -> CallFailed:
    return CallFailed(f"ActiveCampaign has no custom field `{name}`. Make it under Contacts > Manage Fields.", "lasting")


def _field_values(client: Client, settings: Settings, fields: Mapping[str, str]) -> list[dict[str, str]] | None:
    ids = _known_ids(client, settings, fields)
    return [{"field": ids[name], "value": value} for name, value in fields.items()] or None


def _known_ids(client: Client, settings: Settings, names: Iterable[str]) -> Mapping[str, str]:
    ids = _field_ids(client, settings, set(names))
    if gone := [name for name in names if name not in ids]:
        raise _missing(gone[0])
    return ids


@connector.action(repeat="safe")
def upsert_contact(
    client: Client,
    settings: Settings,
    *,
    email: Email,
    first_name: Annotated[str | None, "the first name"] = None,
    last_name: Annotated[str | None, "the last name"] = None,
    phone: Annotated[str | None, "the phone number, with its country"] = None,
    fields: Fields = {},  # noqa: B006  # never changed
) -> Kept:
    """Set names and custom fields of the contact with an e-mail address; makes the contact where there is none."""
    values = _field_values(client, settings, fields)
    contact = {"email": email, "firstName": first_name, "lastName": last_name, "phone": phone, "fieldValues": values}
    return Kept.model_validate(client.post("/api/3/contact/sync", json={"contact": contact})["contact"])


@connector.action(repeat="safe")
def update_contact(client: Client, settings: Settings, *, contact: ContactId, fields: Fields) -> Kept:
    """Set custom fields of a contact that is there."""
    values = _field_values(client, settings, fields)
    told = client.put("/api/3/contacts/{id}", at={"id": contact}, json={"contact": {"fieldValues": values}})
    return Kept.model_validate(told["contact"])


@connector.mirror(update_contact)
def as_contact(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    return {"contact": one.customer.id, "fields": one.texts} if one.customer.id else None


@connector.mirrored(batch=50)
def contact_fields(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What contacts' fields say; a contact whose number is not known is found by its address."""
    numbers = [("ids[]", one.customer.id) for one in many if one.customer.id]
    rows = _with_values(client, *numbers) if numbers else {}
    for address in {one.customer.email for one in many if one.customer.email and not one.customer.id}:
        for row in _with_values(client, ("email", address)).values():
            rows[address] = row
    ids = _known_ids(client, settings, list(dict.fromkeys(name for one in many for name in one.fields))) if rows else {}
    found = (rows.get(one.customer.id or one.customer.email or "") for one in many)
    return [_shown(row, one, ids) if row else None for row, one in zip(found, many, strict=True)]


def _with_values(client: Client, *chosen: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """Contacts by their numbers, each with the values of its custom fields."""
    told = client.get("/api/3/contacts", query=[*chosen, ("include", "fieldValues"), ("limit", 100)])
    rows = {row["id"]: {**row, "values": {}} for row in told["contacts"]}
    values = told.get("fieldValues")
    if values is None:  # it was not told to everybody who asked for it
        values = [one for number in rows for one in client.get("/api/3/contacts/{id}", at={"id": number})["fieldValues"]]
    for value in values:
        if (row := rows.get(str(value["contact"]))) is not None:
            row["values"][str(value["field"])] = value["value"]
    return rows


def _shown(row: Mapping[str, Any], one: Mirrored, ids: Mapping[str, str]) -> Shown:
    return Shown({name: row["values"].get(ids[name]) for name in one.fields}, row["id"])


class Row(BaseModel):
    """A contact as it should be."""

    email: Email
    first_name: Annotated[str | None, Field(description="the first name")] = None
    last_name: Annotated[str | None, Field(description="the last name")] = None
    phone: Annotated[str | None, Field(description="the phone number, with its country")] = None
    fields: Fields = Field(default_factory=dict)
    tags: Annotated[list[str], Field(description="tags to add, by name")] = Field(default_factory=list)


class Queued(Payload):
    """Contacts that ActiveCampaign took and will write in a while."""

    batch_id: str = Field(alias="batchId")


@connector.action(repeat="safe", batch=250)
def import_contacts(client: Client, settings: Settings, contacts: list[Row]) -> list[Queued | CallFailed]:
    """Set names, custom fields and tags of many contacts, a while later; makes those that are missing."""
    ids = _field_ids(client, settings, {name for one in contacts for name in one.fields})
    gone = {number: next((name for name in one.fields if name not in ids), None) for number, one in enumerate(contacts)}
    good = [one for number, one in enumerate(contacts) if gone[number] is None]
    told = client.post("/api/3/import/bulk_import", json={"contacts": [_row(one, ids) for one in good]}) if good else {}
    reasons = {str(row.get("contact")).lower(): row.get("failureReason") for row in told.get("failureReasons") or []}
    outcomes: list[Queued | CallFailed] = []
    for number, one in enumerate(contacts):
        if (name := gone[number]) is not None:
            outcomes.append(_missing(name))
        elif (address := one.email.lower()) in reasons:
            outcomes.append(CallFailed(f"ActiveCampaign did not take {address}: {reasons[address]}", "lasting"))
        else:
            outcomes.append(Queued.model_validate(told))
    return outcomes


def _row(one: Row, ids: Mapping[str, str]) -> dict[str, Any]:
    fields = [{"id": int(ids[name]), "value": value} for name, value in one.fields.items()]
    return {**one.model_dump(exclude={"fields", "tags"}), "fields": fields or None, "tags": one.tags or None}


def _tag_id(client: Client, tag: str) -> str | None:
    # It finds all names that hold the text, twenty at a time.
    found = client.pages("/api/3/tags", items="tags", next=pages.offset(size=20), query={"search": tag})
    return next((row["id"] for row in found if row["tag"].casefold() == tag.casefold()), None)


class Tagged(Payload):
    """Whether a contact has a tag now."""

    tagged: bool


@connector.action(repeat="safe")
def add_tag(client: Client, *, contact: ContactId, tag: Tag) -> Tagged:
    """Give a contact a tag; makes the tag where there is none."""
    with client.alone("tags"):
        number = _tag_id(client, tag)
        if number is None:
            made = {"tag": tag, "tagType": "contact", "description": "Made by the loyalty hub"}
            number = client.post("/api/3/tags", json={"tag": made}, safe=False)["tag"]["id"]
    client.post("/api/3/contactTags", json={"contactTag": {"contact": contact, "tag": number}})
    return Tagged(tagged=True)


@connector.action(repeat="safe")
def remove_tag(client: Client, *, contact: ContactId, tag: Tag) -> Tagged:
    """Take a tag from a contact."""
    number = _tag_id(client, tag)
    if number is not None:
        for row in client.get("/api/3/contacts/{id}/contactTags", at={"id": contact})["contactTags"]:
            if str(row["tag"]) == number:
                client.delete("/api/3/contactTags/{id}", at={"id": row["id"]})
    return Tagged(tagged=False)


class Membership(BaseModel):
    """Whether a contact is on a list now."""

    subscribed: bool


@connector.action(repeat="safe")
def add_to_list(
    client: Client,
    *,
    contact: ContactId,
    list_id: ListId,
    has_asked: Annotated[bool, "also if they had left it themselves, because they now asked to come back"] = False,
) -> Membership:
    """Put a contact on a list."""
    place = {"list": list_id, "contact": contact, "status": 1, "sourceid": 4 if has_asked else None}
    client.post("/api/3/contactLists", json={"contactList": place})
    return Membership(subscribed=True)


@connector.action(repeat="safe")
def remove_from_list(client: Client, *, contact: ContactId, list_id: ListId) -> Membership:
    """Take a contact off a list; it gets no mail from it any more."""
    client.post("/api/3/contactLists", json={"contactList": {"list": list_id, "contact": contact, "status": 2}})
    return Membership(subscribed=False)


class Started(Payload):
    """A contact in an automation."""

    id: str


@connector.action(repeat="never")
def add_to_automation(
    client: Client,
    *,
    contact: ContactId,
    automation: Annotated[str, Field(description="the automation's number", pattern="^[0-9]+$")],
) -> Started:
    """Let an automation begin for a contact, for instance one that sends a mail."""
    wanted = {"contact": contact, "automation": automation}
    return Started.model_validate(
        client.post("/api/3/contactAutomations", json={"contactAutomation": wanted})["contactAutomation"]
    )


@connector.action(repeat="never")
def track_event(
    client: Client,
    settings: Settings,
    *,
    email: Email,
    event: Annotated[str, Field(description="the event's name, as it is in ActiveCampaign", min_length=1, max_length=32)],
    data: Annotated[str | None, "what is said of it"] = None,
) -> None:
    """Tell of an event, which automations may wait for."""
    key, number = settings.secret("event_key"), settings["account_number"]
    if key is None or not number:
        raise CallFailed("Events need the connection's `event_key` and `account_number`.", "lasting")
    form = {"actid": number, "key": key, "event": event, "eventdata": data, "visit": json_text({"email": email})}
    client.post("https://trackcmp.net/event", form=form)


# Recorded truth -------------------------------------------------------------------------------------------------------

TAGGED = {
    "type": "contact_tag_added",
    "date_time": "2026-02-06T15:27:34-06:00",
    "initiated_from": "admin",
    "initiated_by": "admin",
    "list": "0",
    "contact[id]": "3",
    "contact[email]": "Ana@example.com",
    "contact[first_name]": "Ana",
    "contact[last_name]": "Blue",
    "contact[phone]": "+447700900123",
    "contact[tags]": "vip, gold",
    "contact[fields][POINTS]": "120",
    "tag": "gold",
}
LEFT = TAGGED | {"type": "unsubscribe", "initiated_from": "public", "list": "2", "unsubscribe[reason]": "too many", "tag": ""}
OPENED = TAGGED | {"type": "open", "campaign[id]": "12", "campaign[name]": "February"}
DEAL_TOLD = TAGGED | {"type": "deal_update", "deal[id]": "7", "deal[title]": "Fleet of six"}
DEAL = {
    "id": "7",
    "status": "1",
    "title": "Fleet of six",
    "value": "125050",
    "currency": "usd",
    "contact": "3",
    "mdate": "2026-02-06T15:27:34-06:00",
}
ANA = {
    "id": "3",
    "email": "ana@example.com",
    "phone": "+447700900123",
    "firstName": "Ana",
    "lastName": "Blue",
    "udate": "2026-02-06T15:27:34-06:00",
}
META = {"total": "1", "page_input": {"segmentid": None, "offset": 0}}
GET_ANA = "GET /api/3/contacts/3"
SYNC = "POST /api/3/contact/sync"
POINTS = {"email": "ana@example.com", "fields": {"points": "120"}}
FIELDS = {"fields": [{"id": "7", "title": "Points", "perstag": "POINTS"}, {"id": "8", "title": "Tier", "perstag": "TIER"}]}
SAYS_120 = {"field": "7", "value": "120"}
ANA_SHOWN = {"customer": {"id": "3"}, "fields": {"POINTS": 120}}
GOLD = {"id": "5", "tag": "gold", "tagType": "contact"}
TAG = {"contact": "3", "tag": "gold"}
FIND_GOLD = ask("GET /api/3/tags", query={"search": "gold"})
PLACE = {"contact": "3", "list_id": "2"}
QUEUED = {"Success": 1, "queued_contacts": 1, "batchId": "b-1", "message": "Contact import queued"}

connector.sample(
    tag_added,
    TAGGED,
    form=True,
    gives={
        "tag": "gold",
        "tags": ["vip", "gold"],
        "customer": {"id": "3", "first_name": "Ana"},
        "attributes": {"POINTS": "120"},
    },
)
connector.sample(tag_added, TAGGED | {"initiated_from": "api"}, form=True, gives=None, note="perhaps the hub's own writing")
connector.sample(tag_removed, TAGGED | {"type": "contact_tag_removed"}, form=True, gives={"tag": "gold"})
connector.sample(
    contact_changed, TAGGED | {"type": "update"}, form=True, gives={"customer": {"id": "3", "phone": "+447700900123"}}
)
connector.sample(
    subscribed,
    LEFT | {"type": "subscribe"},
    form=True,
    gives={"channel": "email", "address": "ana@example.com", "list_id": "2"},
)
connector.sample(unsubscribed, LEFT, form=True, gives={"address": "ana@example.com", "list_id": "2", "reason": "too many"})
connector.sample(unsubscribed, LEFT | {"list": "9"}, form=True, gives=None, note="another list than the programme's")
connector.sample(
    sms_unsubscribed, TAGGED | {"type": "sms_unsub"}, form=True, gives={"channel": "sms", "address": "+447700900123"}
)
connector.sample(message_opened, OPENED, form=True, gives={"message_id": "12", "campaign": "February"})
connector.sample(
    message_clicked,
    OPENED | {"type": "click", "link[url]": "https://shop.example/r"},
    form=True,
    gives={"message_id": "12", "link": "https://shop.example/r"},
)
connector.sample(
    message_failed, OPENED | {"type": "bounce", "bounce[type]": "hard"}, form=True, gives={"message_id": "12", "lasting": True}
)
connector.sample(
    deal_won,
    DEAL_TOLD,
    form=True,
    asks=["GET /api/3/deals/7", GET_ANA],
    reply=[{"deal": DEAL}, {"contact": ANA}],
    gives={"deal_id": "7", "amount": "1250.50", "currency": "USD", "customer": {"id": "3", "email": "ana@example.com"}},
)
connector.sample(
    deal_won,
    DEAL_TOLD,
    form=True,
    asks="GET /api/3/deals/7",
    reply={"deal": DEAL | {"status": "0"}},
    gives=None,
    note="still open",
)
connector.sample(
    changed_contacts,
    "2026-02-06T00:00:00+00:00",
    asks=[
        ask("GET /api/3/contacts", query={"filters[updated_after]": "2026-02-05"}),
        ask("GET /api/3/contacts", query={"id_greater": "3"}),
    ],
    reply=[{"contacts": [ANA], "meta": META}, {"contacts": [], "meta": META}],
    gives={"customer": {"id": "3", "last_name": "Blue"}},
)
connector.sample(
    won_deals,
    "2026-02-06T00:00:00+00:00",
    asks=[ask("GET /api/3/deals", query={"filters[status]": 1}), GET_ANA],
    reply=[{"deals": [DEAL]}, {"contact": ANA}],
    gives={"deal_id": "7", "amount": "1250.50"},
)
connector.sample(
    upsert_contact,
    POINTS | {"first_name": "Ana"},
    asks=[
        "GET /api/3/fields",
        ask(
            SYNC,
            json={"contact": {"email": "ana@example.com", "firstName": "Ana", "fieldValues": [{"field": "7", "value": "120"}]}},
        ),
    ],
    reply=[FIELDS, answers(201, {"contact": ANA})],
    gives={"id": "3"},
)
connector.sample(
    update_contact,
    {"contact": "3", "fields": {"POINTS": "120", "TIER": ""}},
    asks=[
        "GET /api/3/fields",
        ask("PUT /api/3/contacts/3", json={"contact": {"fieldValues": [SAYS_120, {"field": "8", "value": ""}]}}),
    ],
    reply=[FIELDS, {"contact": ANA}],
    gives={"id": "3"},
)
connector.sample(
    as_contact,
    ANA_SHOWN,
    asks=["GET /api/3/fields", ask("PUT /api/3/contacts/3", json={"contact": {"fieldValues": [SAYS_120]}})],
    reply=[FIELDS, {"contact": ANA}],
    gives={"contact": "3", "fields": {"POINTS": "120"}},
)
connector.sample(as_contact, {"customer": {"phone": "+447700900123"}, "fields": {"POINTS": 120}}, gives=None)
connector.sample(
    contact_fields,
    ANA_SHOWN,
    asks=[ask("GET /api/3/contacts", query={"ids[]": "3", "include": "fieldValues"}), "GET /api/3/fields"],
    reply=[{"contacts": [ANA], "fieldValues": [SAYS_120 | {"contact": "3"}], "meta": META}, FIELDS],
    gives={"id": "3", "fields": {"POINTS": "120"}},
)
connector.sample(
    contact_fields,
    {"customer": {"email": "ana@example.com"}, "fields": {"TIER": "Gold"}},
    asks=[ask("GET /api/3/contacts", query={"email": "ana@example.com"}), GET_ANA, "GET /api/3/fields"],
    reply=[{"contacts": [ANA], "meta": META}, {"contact": ANA, "fieldValues": [SAYS_120 | {"contact": "3"}]}, FIELDS],
    gives={"id": "3", "fields": {"TIER": None}},
    note="a contact whose number is not known yet, whose field is empty, and no values told with it",
)
connector.sample(
    contact_fields,
    ANA_SHOWN,
    asks="GET /api/3/contacts",
    reply={"contacts": [], "fieldValues": [], "meta": META},
    gives=None,
    note="a contact that is gone",
)
connector.sample(
    import_contacts,
    {"email": "ana@example.com", "fields": {"7": "120"}, "tags": ["gold"]},
    asks=ask(
        "POST /api/3/import/bulk_import",
        json={"contacts": [{"email": "ana@example.com", "fields": [{"id": 7, "value": "120"}], "tags": ["gold"]}]},
    ),
    reply=QUEUED,
    gives={"batch_id": "b-1"},
)
connector.sample(
    add_tag,
    TAG,
    asks=[FIND_GOLD, ask("POST /api/3/contactTags", json={"contactTag": {"contact": "3", "tag": "5"}})],
    reply=[{"tags": [GOLD | {"id": "4", "tag": "golden"}, GOLD]}, answers(201, {"contactTag": {"id": "88"}})],
    gives={"tagged": True},
)
connector.sample(
    add_tag,
    TAG,
    asks=[FIND_GOLD, ask("POST /api/3/tags", json={"tag": {"tag": "gold", "tagType": "contact"}}), "POST /api/3/contactTags"],
    reply=[{"tags": []}, answers(201, {"tag": GOLD}), answers(201, {"contactTag": {"id": "88"}})],
    gives={"tagged": True},
)
connector.sample(
    remove_tag,
    TAG,
    asks=[FIND_GOLD, "GET /api/3/contacts/3/contactTags", "DELETE /api/3/contactTags/88"],
    reply=[{"tags": [GOLD]}, {"contactTags": [{"id": "88", "tag": "5"}, {"id": "89", "tag": "4"}]}, {}],
    gives={"tagged": False},
)
connector.sample(
    add_to_list,
    PLACE,
    asks=ask("POST /api/3/contactLists", json={"contactList": {"list": "2", "contact": "3", "status": 1}}),
    reply={"contactList": {"id": "1"}},
    gives={"subscribed": True},
)
connector.sample(
    remove_from_list,
    PLACE,
    asks=ask("POST /api/3/contactLists", json={"contactList": {"list": "2", "contact": "3", "status": 2}}),
    reply={"contactList": {"id": "1"}},
    gives={"subscribed": False},
)
connector.sample(
    add_to_automation,
    {"contact": "3", "automation": "6"},
    asks=ask("POST /api/3/contactAutomations", json={"contactAutomation": {"contact": "3", "automation": "6"}}),
    reply=answers(201, {"contactAutomation": {"id": "11"}}),
    gives={"id": "11"},
)
connector.sample(
    track_event,
    {"email": "ana@example.com", "event": "points_earned", "data": "120"},
    asks=ask(
        "POST https://trackcmp.net/event",
        form={"actid": "25512345", "event": "points_earned", "eventdata": "120", "visit": '{"email":"ana@example.com"}'},
    ),
    reply={"success": 1, "message": "Event spawned"},
)
connector.sample(
    track_event,
    {"email": "ana@example.com", "event": "unheard_of"},
    asks="POST https://trackcmp.net/event",
    reply={"success": 0, "message": "Event is not whitelisted"},
    fails="lasting",
)
