"""Intercom: hear of contacts, tags, opt-outs, chats and what comes of them, keep attributes, and write to members.

Setup:
1. app.intercom.com > Settings > Integrations > Developer Hub > New app, for your own workspace. Authentication: copy the access
   token to `access_token`, with the rights to read and write contacts, conversations, tags and events. Basic information: copy
   the client secret to `client_secret`; it signs the webhooks. An app that is installed by OAuth takes `client_id` in place of
   the token, and `hub connections authorize NAME`.
2. `host` is the workspace's region; `account_id` its id, which stands behind /apps/ in its addresses: one address hears of all
   workspaces that installed the app, and others are left out.
3. Configure > Webhooks: paste {webhook_url}, and choose the topics contact.user.created, .updated, .tag.created, .tag.deleted,
   contact.lead.signed_up, contact.email.updated, contact.merged, contact.deleted, contact.subscribed, contact.unsubscribed,
   granular.subscribe, granular.unsubscribe, conversation.user.created, conversation.user.replied, conversation.admin.closed,
   conversation.rating.added and event.created. Without a public address the hub asks for contacts and conversations; tags,
   events, what is written and a no to one kind of message are then not told.
4. Points in contacts: Settings > Data > People > Create attribute (points: number, tier: text). Intercom takes none that are
   not there. `mirror: {balance: points, tier: tier}` keeps them in step in the contacts that there are; it makes none. A day
   goes into an attribute whose name ends in `_at` as a time, into others as text.
5. Messages: `admin_id` is the number of the teammate from whom they come (in the address of their page). `subscription_type` is
   the id of the kind of message that the programme sends (Settings > Channels > Subscription types), if it has one.

What is told: a user (a lead once it signs up) is created once, and changed when what is read of them (name, addresses,
opt-outs, `contact_attributes`) is new, so that the hub's own writing is no news. Leads are left out; in a conversation one is
somebody once it has an address. Events make nobody a member. Leaving all mail is a no to e-mail, leaving `subscription_type`
one to its channel; without `subscription_type` leaving any kind is a no, and joining one is no yes. A lost no is found by
asking for contacts. A conversation is opened, closed and rated once, however often it is opened again; a lost rating is told
with the closing. What people write in it is heard as a chat, commands such as BALANCE too. Events that the hub tracked are left
out; a tag that it gave comes back like any other, for Intercom does not say who gave it.

What is sent: `send_email` and `send_chat` write to one person, `reply` answers in a conversation; Intercom keeps no key and
cannot be asked, so a lost answer waits for a person. Campaigns are Intercom's own: let a Series or Workflow start on an event,
a tag or an attribute that the hub writes. Events of one name, contact and second are one to Intercom, so `happened_at` is asked
for, and a repeated call is no second event. A contact is looked for before it is made; a new one is found a while later only.

Not confirmed: what older versions of an app's webhooks tell (both known forms are read); the topics, search and replies of
conversations; that null clears an attribute; that OAuth names its token `access_token`. A phone number that is none
with its country is left out.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, AliasPath, BaseModel, Field, model_validator

from hub.sdk import (
    Answer,
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    CustomersMerged,
    Exactly,
    Fact,
    Failure,
    Item,
    MessageReceived,
    Mirrored,
    Moment,
    Payload,
    Reply,
    Request,
    Settings,
    Shown,
    Subscribed,
    TicketCreated,
    TicketRated,
    TicketSolved,
    Unsubscribed,
    email,
    json_text,
    names,
    phone,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

Host = Literal["api.intercom.io", "api.eu.intercom.io", "api.au.intercom.io"]


def _failure(reply: Reply) -> Failure | None:
    code = reply.find("errors.0.code")
    if code == "intercom_version_invalid":
        return Failure("lasting", todo="Set `version` to one that Intercom knows.")
    if code == "api_plan_restricted":
        return Failure("lasting", todo="The workspace's plan does not have it.")
    return Failure("reconnect") if reply.status == 403 else None


connector = Connector(
    "intercom",
    title="Intercom",
    settings=secret("access_token", "Developer Hub > your app > Authentication", required=False)
    + secret("client_secret", "Developer Hub > your app > Basic information; signs its webhooks", required=False)
    + setting("client_id", "of the app, where it is authorised in place of a token", default=None)
    + setting("account_id", "the workspace's id; what others tell is left out", default=None, example="abc123")
    + setting("host", "api.eu.intercom.io or api.au.intercom.io, by the workspace's region", Host, default="api.intercom.io")
    + setting("admin_id", "the number of the teammate from whom messages come", int | None, default=None, example=814860)
    + setting("subscription_type", "the id of the kind of message that the programme sends", default=None, example="37846")
    + setting("contact_attributes", "attributes of contacts that recipes may read", list[str], default=[], example=["shop"])
    + setting("version", "the version of Intercom's API", default="2.16", example="2.16"),
    api="https://{host}",
    auth=auth.bearer("access_token")
    | auth.oauth2("https://api.intercom.io/auth/eagle/token", authorize="https://app.intercom.com/oauth"),
    headers={"Intercom-Version": "{version}"},
    signature=signature.hmac("X-Hub-Signature", "client_secret", digest="sha1", prefix="sha1="),
    envelope=envelope(kind=body("topic"), id=body("id"), account=body("app_id"), data=body("data.item"), at=body("created_at")),
    rate=rate("1500 per 10 seconds"),
    failures=_failure,
)

CONTACT = "/contacts/{id}"
SOURCE = "Loyalty Hub"
"""How events of the hub's are marked; what comes back with it is our own word."""


# What comes in --------------------------------------------------------------------------------------------------------


@connector.handshake
def checked(request: Request) -> Answer | None:
    """Intercom looks with a HEAD whether the address answers, before it keeps it."""
    return Answer() if request.method in {"GET", "HEAD"} else None


class Named(Payload):
    """Something that has an id: a tag, a person, a kind of message."""

    id: str | None = None
    type: str = ""
    name: str | None = None
    email: str | None = None
    content_types: list[str] = Field(default_factory=list)


class Contact(Payload):
    """A person: a user, or a lead that has not signed up."""

    id: str
    role: str = "user"
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    language: str | None = Field(alias="language_override", default=None)
    no_email: bool | None = Field(alias="unsubscribed_from_emails", default=None)
    no_sms: bool | None = Field(alias="unsubscribed_from_sms", default=None)
    attributes: dict[str, Any] | None = Field(alias="custom_attributes", default=None)
    created_at: Moment | None = None
    updated_at: Moment | None = None
    merged_from: Named | None = None

    def customer(self) -> Customer:
        noes = {"email": self.no_email, "sms": self.no_sms}
        return Customer(
            id=self.id,
            email=self.email or None,
            phone=self.phone or None,
            **names(self.name),
            language=self.language or None,
            consents={channel: False for channel, said in noes.items() if said},
        )

    def known(self, connection: Connection) -> dict[str, Any]:
        """What facts about a contact say. What mirrors a member's points is the hub's own word, and left out."""
        read = [name for name in connection.settings["contact_attributes"] if name not in connection.mirror.values()]
        found = {name: (self.attributes or {}).get(name) for name in read}
        attributes = {name: _words(value) for name, value in found.items() if isinstance(value, str | int | Decimal)}
        return {"customer": self.customer(), "attributes": {name: text for name, text in attributes.items() if text}}


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


class ContactChanged(CustomerChanged):
    """A user is not as they were read before. version: of what is read."""

    version: Short


class ContactTagged(CustomerChanged):
    """A user has a tag more, or less."""

    tag: Short


@connector.trigger("contact.user.created", "contact.lead.signed_up", key="customer.id")
def contact_created(contact: Contact, connection: Connection) -> CustomerChanged:
    """A user is new, or a lead has signed up."""
    return CustomerChanged(**contact.known(connection), created=True)


@connector.trigger("contact.user.updated", "contact.email.updated", key=("customer.id", "version"))
def contact_changed(contact: Contact, connection: Connection) -> ContactChanged | None:
    """A user's name, addresses, opt-outs or another attribute that is read has changed."""
    if contact.role == "lead":
        return None
    known = contact.known(connection)
    version = hashlib.sha256(json_text(known).encode()).hexdigest()[:32]
    return ContactChanged(**known, occurred_at=contact.updated_at, version=version)


@connector.trigger("contact.merged", key=("customer.id", "merged_ids"))
def contacts_merged(contact: Contact) -> CustomersMerged | None:
    """Two contacts became one."""
    gone = contact.merged_from.id if contact.merged_from else None
    return CustomersMerged(customer=contact.customer(), merged_ids=(gone,)) if gone else None


@connector.trigger("contact.deleted", key="customer.id")
def contact_deleted(contact: Contact) -> CustomerChanged:
    """A contact was deleted."""
    return CustomerChanged(customer=Customer(id=contact.id), deleted=True)


class Tagging(Payload):
    """A tag that was given or taken; older apps call the contact a user."""

    tag: Named
    contact: Contact = Field(validation_alias=AliasChoices("contact", "user"))


@connector.trigger("contact.user.tag.created", key=("customer.id", "tag", "occurred_at"))
def tag_added(tagging: Tagging, connection: Connection) -> ContactTagged:
    """A user was given a tag."""
    return ContactTagged(**tagging.contact.known(connection), tag=tagging.tag.name or "")


@connector.trigger("contact.user.tag.deleted", key=("customer.id", "tag", "occurred_at"))
def tag_removed(tagging: Tagging, connection: Connection) -> ContactTagged:
    """A tag was taken from a user."""
    return ContactTagged(**tagging.contact.known(connection), tag=tagging.tag.name or "")


class Word(Payload):
    """A yes or no to messages: to all mail, or to some kinds of them. Older apps tell the contact alone."""

    contact: Contact
    kinds: list[Named] = Field(validation_alias=AliasPath("subscription_types", "data"), default_factory=list)
    at: Moment | None = Field(alias="created_at", default=None)

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, told: Any) -> Any:
        return {"contact": told} if isinstance(told, Mapping) and "contact" not in told and "id" in told else told

    def words(self, topic: str, ours: str | None, *, in_doubt: bool) -> list[dict[str, Any]]:
        """What a fact says of each channel that it is about. in_doubt: whether a kind counts where none is known as ours."""
        said: dict[str, str | None] = {"sms" if topic.endswith("_sms") else "email": None}
        if topic.startswith("granular."):
            about = [kind for kind in self.kinds if kind.id == ours or (in_doubt and ours is None)]
            said = {_channel(content): kind.id for kind in about for content in kind.content_types or ["email"]}
        addresses = {"email": email(self.contact.email) or self.contact.email, "sms": self.contact.phone}
        base = {"occurred_at": self.at, "customer": self.contact.customer()}
        return [
            {**base, "channel": channel, "address": addresses[channel], "list_id": kind}
            for channel, kind in said.items()
            if addresses[channel]
        ]


def _channel(content: str) -> Literal["email", "sms"]:
    return "sms" if content.startswith("sms") else "email"


NOES = ("contact.unsubscribed", "contact.unsubscribed_from_sms", "granular.unsubscribe")


@connector.trigger(*NOES, key=("address", "channel", "occurred_at"))
def unsubscribed(word: Word, item: Item, settings: Settings) -> list[Unsubscribed]:
    """Somebody wants no more mail, or no more of the programme's messages."""
    return [Unsubscribed(**said) for said in word.words(item.kind, settings["subscription_type"], in_doubt=True)]


@connector.trigger("contact.subscribed", "granular.subscribe", key=("address", "channel", "occurred_at"))
def subscribed(word: Word, item: Item, settings: Settings) -> list[Subscribed]:
    """Somebody wants mail again, or the programme's messages."""
    return [Subscribed(**said) for said in word.words(item.kind, settings["subscription_type"], in_doubt=False)]


class Part(Payload):
    """What somebody said or did in a conversation, or with which it began."""

    id: str | None = None
    type: str = ""
    part_type: str = ""
    subject: str | None = None
    body: str | None = None
    author: Named = Named()
    created_at: Moment | None = None


class Rating(Payload):
    """How a conversation was rated, from 1 to 5."""

    rating: int | None = None
    remark: str | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def satisfied(self) -> bool | None:
        """None for the one in the middle."""
        return None if self.rating in {None, 3} else (self.rating or 0) > 3


class Conversation(Payload):
    """A conversation, in the two forms in which apps are told of it."""

    id: str
    title: str | None = None
    state: str = "closed"
    source: Part = Field(validation_alias=AliasChoices("source", "conversation_message"), default=Part())
    contacts: list[Named] = Field(validation_alias=AliasPath("contacts", "contacts"), default_factory=list)
    user: Named | None = None
    parts: list[Part] = Field(validation_alias=AliasPath("conversation_parts", "conversation_parts"), default_factory=list)
    tags: list[Named] = Field(validation_alias=AliasPath("tags", "tags"), default_factory=list)
    priority: str | None = None
    rating: Rating | None = Field(alias="conversation_rating", default=None)
    created_at: Moment | None = None
    updated_at: Moment | None = None
    closed_at: Moment | None = Field(validation_alias=AliasPath("statistics", "last_close_at"), default=None)

    def person(self) -> Named | None:
        """With whom it is."""
        people = [*self.contacts, *([self.user] if self.user else []), self.source.author]
        return next((one for one in people if one.id and one.type not in {"admin", "bot", "team"}), None)

    def known(self, client: Client) -> dict[str, Any]:
        """What facts about it say; the contact is asked for, with the addresses by which other platforms know them."""
        person = self.person()
        contact: Contact | None = client.find(CONTACT, at={"id": person.id}, into=Contact) if person else None
        who = contact.customer() if contact else Customer(email=person.email or None) if person else Customer()
        is_somebody = who.email or who.phone or (contact and contact.role != "lead")  # and not just a visitor
        return {
            "ticket_id": self.id,
            "subject": _plain(self.title or self.source.subject)[:512],
            "channel": self.source.type,
            "priority": "" if self.priority in {None, "not_priority", "none"} else self.priority,
            "tags": tuple(tag.name for tag in self.tags if tag.name),
            "customer": who if is_somebody else None,
        }


def _plain(text: str | None) -> str:
    """The words in HTML."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", text or "")).split())


class ChatReceived(MessageReceived):
    """Somebody wrote in a conversation."""

    conversation_id: Short


@connector.trigger("conversation.user.created", key="ticket_id")
def conversation_opened(conversation: Conversation, client: Client) -> TicketCreated:
    """Somebody began a conversation."""
    return TicketCreated(**conversation.known(client), occurred_at=conversation.created_at)


@connector.trigger("conversation.admin.closed", key="ticket_id")
def conversation_closed(conversation: Conversation, client: Client) -> TicketSolved | None:
    """A conversation was closed."""
    if conversation.state != "closed":
        return None
    closes = [part.created_at for part in conversation.parts if part.part_type == "close"]
    at = closes[-1] if closes else conversation.closed_at or conversation.updated_at
    satisfied = conversation.rating.satisfied if conversation.rating else None
    return TicketSolved(**conversation.known(client), occurred_at=at, satisfied=satisfied)


@connector.trigger("conversation.rating.added", key="ticket_id")
def conversation_rated(conversation: Conversation, client: Client) -> TicketRated | None:
    """Somebody rated a conversation."""
    given = conversation.rating
    if given is None or given.rating is None:
        return None
    return TicketRated(
        **conversation.known(client),
        occurred_at=given.updated_at or conversation.updated_at,
        rating=given.rating,
        satisfied=given.satisfied,
        comment=(given.remark or "")[:10_000],
    )


@connector.trigger("conversation.user.created", "conversation.user.replied", key="message_id")
def message_received(conversation: Conversation) -> ChatReceived | None:
    """Somebody wrote in a conversation."""
    part, person = (conversation.parts or [conversation.source])[-1], conversation.person()
    if person is None or not person.id:
        return None
    return ChatReceived(
        occurred_at=part.created_at or conversation.updated_at,
        customer=Customer(id=person.id, email=part.author.email or person.email or None),
        message_id=f"{conversation.id}/{part.id or 'first'}",
        channel="chat",
        address=person.id,
        text=_plain(part.body)[:10_000],
        conversation_id=conversation.id,
    )


class Event(Payload):
    """Something that was tracked of somebody."""

    name: str = Field(alias="event_name")
    at: Moment = Field(alias="created_at")
    person: str | None = Field(alias="intercom_user_id", default=None)
    email: str | None = None
    metadata: dict[str, Any] | None = None


class EventTracked(Fact):
    """Something was tracked of somebody. person: their id, or address; said: what the event says, in words."""

    person: Short
    event: Short
    said: dict[str, str] = Field(default_factory=dict)

    makes_member = False


@connector.trigger("event.created", key=("person", "event", "occurred_at"))
def event_tracked(event: Event) -> EventTracked | None:
    """Something was tracked of somebody."""
    said = event.metadata or {}
    if said.get("source") == SOURCE:
        return None
    words = {name: _words(value) for name, value in said.items() if isinstance(value, str | int | Decimal)}
    who = Customer(id=event.person or None, email=event.email or None)
    return EventTracked(occurred_at=event.at, customer=who, person=who.id or who.email or "", event=event.name, said=words)


def _searched(
    client: Client, what: str, field: str, since: datetime, *filters: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """Contacts are searched by whole days, and found a while after they were made; what comes too often is known again."""
    back = timedelta(days=2) if what == "contacts" else timedelta(hours=1)
    start = {"field": field, "operator": ">", "value": int((since - back).timestamp())}
    query = {"query": {"operator": "AND", "value": [start, *filters]}, "pagination": {"per_page": 150}}
    items = "data" if what == "contacts" else what
    after = pages.cursor("pagination.starting_after", "pages.next.starting_after", into="json")
    return client.pages(f"/{what}/search", items=items, next=after, method="POST", json=query)


USERS = {"field": "role", "operator": "=", "value": "user"}
CLOSED = {"field": "state", "operator": "=", "value": "closed"}


@connector.pull(contact_created)
def new_contacts(client: Client, since: datetime) -> Iterator[Item]:
    """Users that are new since a moment."""
    for row in _searched(client, "contacts", "created_at", since, USERS):
        yield Item("contact.user.created", row, at=datetime.fromtimestamp(row["created_at"], UTC))


@connector.pull(contact_changed)
def changed_contacts(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Users that are new or were changed since a moment."""
    return _searched(client, "contacts", "updated_at", since, USERS)


@connector.pull(conversation_opened)
def new_conversations(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Conversations that customers began since a moment."""
    for row in _searched(client, "conversations", "created_at", since):
        if ((row.get("source") or {}).get("author") or {}).get("type") not in {"admin", "bot", "team"}:
            yield row


@connector.pull(conversation_closed)
def closed_conversations(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Closed conversations that were changed since a moment."""
    return _searched(client, "conversations", "updated_at", since, CLOSED)


# What goes out --------------------------------------------------------------------------------------------------------

ContactId = Annotated[str, Field(description="the contact's id, such as {{ event.customer.id }}", min_length=1)]
Email = Annotated[str, Field(description="the e-mail address", pattern=r"^\S+@\S+$")]
Attributes = Annotated[
    dict[str, Any], Field(description="attributes by name, which must be there; numbers stay numbers, an empty text clears one")
]
Text = Annotated[str, Field(description="the text, which may be HTML", min_length=1)]


class Kept(Payload):
    """A contact as Intercom keeps it."""

    id: str


def _attributes(values: Mapping[str, Any]) -> Exactly | None:
    return Exactly({name: _attribute(name, value) for name, value in values.items()}) if values else None


def _attribute(name: str, value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        if not name.endswith("_at"):
            return value.isoformat()
        value = datetime.combine(value, time(), UTC)
    return int(value.timestamp()) if isinstance(value, datetime) else None if value == "" else value


def _contact(client: Client, number: str) -> Contact | None:
    contact: Contact | None = client.find(CONTACT, at={"id": number}, into=Contact)
    return contact


def _contact_at(client: Client, address: str) -> Contact | None:
    """A user and leads may share an address."""
    wanted = {"query": {"field": "email", "operator": "=", "value": address.lower()}}
    rows = [Contact.model_validate(row) for row in client.post("/contacts/search", json=wanted, safe=True)["data"]]
    return min(rows, key=lambda contact: contact.role != "user", default=None)


@connector.action(repeat="safe")
def upsert_contact(
    client: Client,
    *,
    email: Annotated[str | None, "the e-mail address"] = None,
    external_id: Annotated[str | None, "your own id of the person, which comes first"] = None,
    name: Annotated[str | None, "the whole name"] = None,
    phone: Annotated[str | None, "the phone number, with its country"] = None,
    attributes: Attributes = {},  # noqa: B006  # never changed
) -> Kept:
    """Set name, addresses and attributes of a contact; makes the contact where there is none."""
    if not (email or external_id):
        raise CallFailed("Intercom finds a contact by `email` or `external_id`; neither is there.", "lasting")
    wanted = {**_named(email, external_id, name, phone), "custom_attributes": _attributes(attributes)}
    with client.alone("contacts"):
        known = client.find("/contacts/find_by_external_id/{id}", at={"id": external_id}, into=Kept) if external_id else None
        known = known or (_contact_at(client, email) if email else None)
        number = known.id if known else None
        if number is None:
            try:
                return Kept.model_validate(client.post("/contacts", json={"role": "user", **wanted}, safe=False))
            except CallFailed as failure:
                number = _taken(failure)
    kept: Kept = client.put(CONTACT, at={"id": number}, json=wanted, into=Kept)
    return kept


def _named(address: str | None, external_id: str | None, name: str | None, number: str | None) -> dict[str, Any]:
    # A bad phone number would spoil the call, and is left out.
    return {"email": address, "external_id": external_id, "name": name, "phone": phone(number)}


def _taken(failure: CallFailed) -> str:
    """The id of the contact that is there already; one that is new is not found by a search yet."""
    match = re.search(r"\bid=([0-9a-f]+)", str(failure)) if failure.status == 409 else None
    if match is None:
        raise failure
    return match[1]


@connector.action(repeat="safe")
def update_contact(client: Client, *, contact: ContactId, attributes: Attributes) -> Kept:
    """Set attributes of a contact that is there."""
    kept: Kept = client.put(CONTACT, at={"id": contact}, json={"custom_attributes": _attributes(attributes)}, into=Kept)
    return kept


@connector.mirror(update_contact)
def as_contact(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    shown = {name: "" if value is None else value for name, value in one.fields.items()}
    return {"contact": one.customer.id, "attributes": shown} if one.customer.id else None


@connector.mirrored
def contact_attributes(client: Client, one: Mirrored) -> Shown | None:
    """What a contact's attributes say; a contact whose id is not known is found by their address."""
    known, address = one.customer.id, one.customer.email
    contact = _contact(client, known) if known else _contact_at(client, address) if address else None
    if contact is None:
        return None
    said = contact.attributes or {}
    return Shown({name: _shown(name, said.get(name)) for name in one.fields}, contact.id)


def _shown(name: str, value: Any) -> Any:
    is_time = name.endswith("_at") and isinstance(value, int)
    return datetime.fromtimestamp(value, UTC).date().isoformat() if is_time else value


TagName = Annotated[str, Field(description="the tag's name", min_length=1)]


class Tagged(BaseModel):
    """Whether a contact has a tag now."""

    tagged: bool


@connector.action(repeat="safe")
def add_tag(client: Client, *, contact: ContactId, tag: TagName) -> Tagged:
    """Give a contact a tag; makes the tag where there is none."""
    number = client.post("/tags", json={"name": tag})["id"]
    client.post("/contacts/{id}/tags", at={"id": contact}, json={"id": str(number)})
    return Tagged(tagged=True)


@connector.action(repeat="safe")
def remove_tag(client: Client, *, contact: ContactId, tag: TagName) -> Tagged:
    """Take a tag from a contact."""
    known = client.get("/contacts/{id}/tags", at={"id": contact})["data"]
    for number in [row["id"] for row in known if row["name"].casefold() == tag.casefold()]:
        client.delete("/contacts/{id}/tags/{tag}", at={"id": contact, "tag": number})
    return Tagged(tagged=False)


@connector.action(repeat="safe")
def track_event(
    client: Client,
    *,
    event: Annotated[str, Field(description="the event's name, such as earned-points", min_length=1, max_length=120)],
    happened_at: Annotated[Moment, "when it happened: event.occurred_at; one event of a name and a contact counts a second"],
    contact: Annotated[str | None, "the contact's id in Intercom"] = None,
    external_id: Annotated[str | None, "or your own id of the person"] = None,
    email: Annotated[str | None, "or the e-mail address"] = None,
    metadata: Annotated[dict[str, Any], Field(description="what is said of it, by name", max_length=9)] = {},  # noqa: B006
) -> None:
    """Tell of something that happened to a contact, on which a Series or Workflow may start."""
    who = {"id": contact} if contact else {"user_id": external_id} if external_id else {"email": email} if email else None
    if who is None:
        raise CallFailed("Intercom finds a contact by `contact`, `external_id` or `email`; none of them is there.", "lasting")
    said = {**metadata, "source": SOURCE}
    client.post("/events", json={"event_name": event, "created_at": int(happened_at.timestamp()), **who, "metadata": said})


class Sent(Payload):
    """A message as Intercom keeps it."""

    id: str
    conversation_id: str | None = None


def _admin(settings: Settings) -> int:
    number: int | None = settings["admin_id"]
    if number is None:
        raise CallFailed("A message needs the connection's `admin_id`: from whom it comes.", "lasting")
    return number


def _sent(client: Client, settings: Settings, contact: Contact | None, **said: Any) -> Sent:
    if contact is None:
        raise CallFailed("Intercom has no such contact (yet); `upsert_contact` makes one.", "lasting")
    to = {"type": "lead" if contact.role == "lead" else "user", "id": contact.id}
    try:
        wanted = {**said, "from": {"type": "admin", "id": _admin(settings)}, "to": to}
        return Sent.model_validate(client.post("/messages", json=wanted))
    except CallFailed as failure:
        if failure.status != 404:
            raise
        # It was seen a moment ago: one that is new cannot be written to yet.
        raise CallFailed(str(failure), "passing", status=404) from None


@connector.action(repeat="never", channel="email")
def send_email(
    client: Client,
    settings: Settings,
    *,
    to: Email,
    subject: Annotated[str, Field(description="the subject", min_length=1)],
    body: Text,
    template: Annotated[Literal["plain", "personal"], "how it looks"] = "plain",
) -> Sent:
    """Send an e-mail to a contact, for instance a welcome, or how many points there are."""
    contact = _contact_at(client, to)
    return _sent(client, settings, contact, message_type="email", subject=subject, body=body, template=template)


@connector.action(repeat="never", channel="chat")
def send_chat(
    client: Client, settings: Settings, *, to: Annotated[str, "the contact's id, such as {{ event.customer.id }}"], body: Text
) -> Sent:
    """Send a message that a contact sees in the Messenger when they come by."""
    return _sent(client, settings, _contact(client, to), message_type="in_app", body=body)


@connector.action(repeat="never", channel="chat")
def reply(
    client: Client,
    settings: Settings,
    *,
    to: Annotated[str, "the id of the contact who wrote: {{ event.address }}"],
    conversation: Annotated[str, Field(description="the conversation: {{ event.conversation_id }}", min_length=1)],
    body: Text,
) -> None:
    """Answer in a conversation, for instance how many points somebody has who asked for it."""
    wanted = {"message_type": "comment", "type": "admin", "admin_id": str(_admin(settings)), "body": body}
    client.post("/conversations/{id}/reply", at={"id": conversation}, json=wanted)


class Recorded(BaseModel):
    """A consent that Intercom has taken."""

    status: str


@connector.action(repeat="safe")
def record_consent(
    client: Client, settings: Settings, *, contact: ContactId, status: Annotated[Literal["opt-in", "opt-out"], "what they said"]
) -> Recorded:
    """Tell Intercom that somebody agreed to the programme's messages, or wants no more: of `subscription_type`, or all mail."""
    ours = settings["subscription_type"]
    if ours is None:
        client.put(CONTACT, at={"id": contact}, json={"unsubscribed_from_emails": status == "opt-out"})
        return Recorded(status=status)
    kinds = {str(row["id"]): row["consent_type"] for row in client.get("/subscription_types")["data"]}
    if ours not in kinds:
        raise CallFailed(f"Intercom has no subscription type {ours}; it has {', '.join(sorted(kinds)) or 'none'}.", "lasting")
    # To be on the list of an opt-out type is to be out of it.
    if (kinds[ours] == "opt_in") == (status == "opt-in"):
        client.post("/contacts/{id}/subscriptions", at={"id": contact}, json={"id": ours, "consent_type": kinds[ours]})
    else:
        _taken_off(client, contact, ours)
    return Recorded(status=status)


def _taken_off(client: Client, contact: str, kind: str) -> None:
    try:
        client.delete("/contacts/{id}/subscriptions/{kind}", at={"id": contact, "kind": kind})
    except CallFailed as failure:
        if failure.status != 404:  # they were not on it
            raise


# Recorded truth -------------------------------------------------------------------------------------------------------

ADA = {
    "type": "contact",
    "id": "6762f0dd1bb69f9f2193bb83",
    "external_id": "c-1001",
    "role": "user",
    "email": "ada@example.com",
    "phone": "+447700900123",
    "name": "Ada Ng",
    "unsubscribed_from_emails": False,
    "created_at": 1770413254,
    "updated_at": 1770413254,
    "custom_attributes": {"shop": "Leeds", "points": 120, "tier": "gold"},
}
ADA_AT = f"/contacts/{ADA['id']}"
WHO = {"id": ADA["id"], "email": "ada@example.com", "first_name": "Ada"}
AT = "2026-02-06T21:27:34Z"


def _told(topic: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """A notice, as Intercom sends it."""
    notice = {"type": "notification_event", "app_id": "abc123", "id": "notif_9f0a-1", "topic": topic, "created_at": 1770413254}
    return {**notice, "delivery_attempts": 1, "data": {"type": "notification_event_data", "item": item}}


KIND = {"type": "subscription", "id": "37846", "consent_type": "opt_in", "content_types": ["email"]}
LEFT = {"type": "granular_unsubscribe", "contact": ADA, "subscription_types": {"data": [KIND]}, "created_at": 1770413254}
TAGGED = {"type": "contact_tag", "tag": {"type": "tag", "id": "17513", "name": "vip"}, "contact": ADA}
CHAT = {
    "type": "conversation",
    "id": "471",
    "created_at": 1770413254,
    "updated_at": 1770413254,
    "state": "open",
    "source": {
        "type": "conversation",
        "id": "403",
        "body": "<p>How many points?</p>",
        "author": {"type": "user", "id": ADA["id"]},
    },
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": ADA["id"]}]},
    "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "9", "name": "loyalty"}]},
}
CLOSE = {"type": "conversation_part", "id": "5", "part_type": "close", "author": {"type": "admin", "id": "8"}}
CLOSED_CHAT = CHAT | {
    "state": "closed",
    "conversation_parts": {"conversation_parts": [CLOSE | {"created_at": 1770413254}]},
    "conversation_rating": {"rating": 5, "remark": "Quick!", "updated_at": 1770413254},
}
TRACKED = {"type": "event", "event_name": "took-the-tour", "created_at": 1770413254, "intercom_user_id": ADA["id"]}
SINCE = "2026-02-06T21:00:00+00:00"
READ_ADA = f"GET {ADA_AT}"
FIND_ADA = ask("POST /contacts/search", json={"query": {"field": "email", "operator": "=", "value": "ada@example.com"}})
FOUND_ADA = {"type": "list", "data": [ADA]}
POINTS = {"points": 180, "tier": "gold"}
MADE = {"type": "user_message", "id": "2001", "created_at": 1770413254, "body": "Hi", "message_type": "email"}
WELCOME = {"subject": "Welcome", "body": "You have 120 points."}
TO_ADA, FROM = {"type": "user", "id": ADA["id"]}, {"type": "admin", "id": 814860}
TYPES = {"type": "list", "data": [KIND]}

connector.sample(
    contact_created,
    _told("contact.user.created", ADA),
    gives={"occurred_at": AT, "customer": WHO, "created": True, "attributes": {"shop": "Leeds"}},
)
connector.sample(contact_changed, _told("contact.user.updated", ADA), gives={"customer": WHO, "attributes": {"shop": "Leeds"}})
connector.sample(contact_changed, _told("contact.email.updated", ADA | {"role": "lead"}), gives=None, note="a lead")
connector.sample(
    contacts_merged,
    _told("contact.merged", ADA | {"merged_from": {"type": "contact", "id": "6a3b2c4d"}}),
    gives={"customer": {"id": ADA["id"]}, "merged_ids": ["6a3b2c4d"]},
)
connector.sample(
    contact_deleted,
    _told("contact.deleted", {"type": "contact", "id": ADA["id"], "deleted": True}),
    gives={"customer": {"id": ADA["id"]}, "deleted": True},
)
connector.sample(tag_added, _told("contact.user.tag.created", TAGGED), gives={"tag": "vip", "customer": WHO})
connector.sample(tag_removed, _told("contact.user.tag.deleted", TAGGED), gives={"tag": "vip", "customer": WHO})
connector.sample(
    unsubscribed,
    _told("contact.unsubscribed", LEFT | {"subscription_types": {"data": []}}),
    gives={"channel": "email", "address": "ada@example.com", "list_id": None},
)
connector.sample(unsubscribed, _told("granular.unsubscribe", LEFT), gives={"address": "ada@example.com", "list_id": "37846"})
connector.sample(subscribed, _told("granular.subscribe", LEFT), gives={"address": "ada@example.com", "list_id": "37846"})
connector.sample(
    conversation_opened,
    _told("conversation.user.created", CHAT),
    asks=READ_ADA,
    reply=ADA,
    gives={"ticket_id": "471", "channel": "conversation", "tags": ["loyalty"], "customer": WHO},
)
connector.sample(
    conversation_closed,
    _told("conversation.admin.closed", CLOSED_CHAT),
    asks=READ_ADA,
    reply=ADA,
    gives={"occurred_at": AT, "ticket_id": "471", "satisfied": True, "customer": WHO},
)
connector.sample(
    conversation_rated,
    _told("conversation.rating.added", CLOSED_CHAT),
    asks=READ_ADA,
    reply=ADA,
    gives={"ticket_id": "471", "rating": 5, "satisfied": True, "comment": "Quick!"},
)
connector.sample(
    message_received,
    _told("conversation.user.replied", CHAT),
    gives={"channel": "chat", "address": ADA["id"], "text": "How many points?", "conversation_id": "471"},
)
connector.sample(
    event_tracked,
    _told("event.created", TRACKED | {"metadata": {"step": 3}}),
    gives={"occurred_at": AT, "event": "took-the-tour", "said": {"step": "3"}},
)
connector.sample(
    new_contacts,
    SINCE,
    asks=ask("POST /contacts/search", json={"query": {"operator": "AND"}, "pagination": {"per_page": 150}}),
    reply=FOUND_ADA,
    gives={"occurred_at": AT, "customer": WHO, "created": True},
)
connector.sample(
    changed_contacts,
    SINCE,
    asks=ask(
        "POST /contacts/search",
        json={"query": {"value": [{"field": "updated_at", "operator": ">", "value": 1770238800}, USERS]}},
    ),
    reply=FOUND_ADA,
    gives={"customer": WHO, "attributes": {"shop": "Leeds"}},
)
connector.sample(
    new_conversations,
    SINCE,
    asks=["POST /conversations/search", READ_ADA],
    reply=[{"conversations": [CHAT]}, ADA],
    gives={"ticket_id": "471"},
)
connector.sample(
    closed_conversations,
    SINCE,
    asks=[
        ask(
            "POST /conversations/search",
            json={"query": {"value": [{"field": "updated_at", "operator": ">", "value": 1770408000}, CLOSED]}},
        ),
        READ_ADA,
    ],
    reply=[{"conversations": [CLOSED_CHAT]}, ADA],
    gives={"ticket_id": "471", "satisfied": True},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com", "external_id": "c-1001", "name": "Ada Ng", "attributes": POINTS},
    asks=[
        "GET /contacts/find_by_external_id/c-1001",
        FIND_ADA,
        ask("POST /contacts", json={"role": "user", "external_id": "c-1001", "custom_attributes": POINTS}),
    ],
    reply=[answers(404), {"type": "list", "data": []}, ADA],
    gives={"id": ADA["id"]},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com", "attributes": POINTS},
    asks=[FIND_ADA, ask(f"PUT {ADA_AT}", json={"email": "ada@example.com", "custom_attributes": POINTS})],
    reply=[FOUND_ADA, ADA],
    gives={"id": ADA["id"]},
)
connector.sample(
    update_contact,
    {"contact": ADA["id"], "attributes": {"points": 180, "tier": ""}},
    asks=ask(f"PUT {ADA_AT}", json={"custom_attributes": Exactly(points=180, tier=None)}),
    reply=ADA,
    gives={"id": ADA["id"]},
)
connector.sample(
    as_contact,
    {"customer": {"id": ADA["id"]}, "fields": {"points": 180, "tier": None}},
    asks=ask(f"PUT {ADA_AT}", json={"custom_attributes": Exactly(points=180, tier=None)}),
    reply=ADA,
    gives={"contact": ADA["id"], "attributes": {"points": 180, "tier": ""}},
)
connector.sample(
    contact_attributes,
    {"customer": {"id": "gone", "email": "ada@example.com"}, "fields": {"points": 180, "level": "x"}},
    asks=["GET /contacts/gone", FIND_ADA],
    reply=[answers(404), FOUND_ADA],
    gives={"id": ADA["id"], "fields": {"points": 120, "level": None}},
)
connector.sample(
    add_tag,
    {"contact": ADA["id"], "tag": "gold"},
    asks=[ask("POST /tags", json={"name": "gold"}), ask(f"POST {ADA_AT}/tags", json={"id": "7"})],
    reply=[{"type": "tag", "id": "7", "name": "gold"}, {"type": "tag", "id": "7", "name": "gold"}],
    gives={"tagged": True},
)
connector.sample(
    remove_tag,
    {"contact": ADA["id"], "tag": "gold"},
    asks=[f"GET {ADA_AT}/tags", f"DELETE {ADA_AT}/tags/7"],
    reply=[{"type": "list", "data": [{"type": "tag", "id": "7", "name": "Gold"}]}, {"type": "tag", "id": "7", "name": "Gold"}],
    gives={"tagged": False},
)
connector.sample(
    track_event,
    {"contact": ADA["id"], "event": "earned-points", "happened_at": AT, "metadata": {"points": 18}},
    asks=ask("POST /events", json={"event_name": "earned-points", "created_at": 1770413254, "id": ADA["id"]}),
    reply=answers(202),
)
connector.sample(
    send_email,
    WELCOME | {"to": "ada@example.com"},
    asks=[FIND_ADA, ask("POST /messages", json=WELCOME | {"message_type": "email", "to": TO_ADA, "from": FROM})],
    reply=[FOUND_ADA, MADE],
    gives={"id": "2001"},
)
connector.sample(
    send_chat,
    {"to": ADA["id"], "body": "You are Gold now."},
    asks=[READ_ADA, ask("POST /messages", json={"message_type": "in_app", "to": TO_ADA, "from": FROM})],
    reply=[ADA, MADE | {"message_type": "inapp", "conversation_id": "471"}],
    gives={"conversation_id": "471"},
)
connector.sample(
    reply,
    {"to": ADA["id"], "conversation": "471", "body": "You have 120 points."},
    asks=ask("POST /conversations/471/reply", json={"message_type": "comment", "type": "admin", "admin_id": "814860"}),
    reply={"type": "conversation", "id": "471"},
)
connector.sample(
    record_consent,
    {"contact": ADA["id"], "status": "opt-in"},
    asks=["GET /subscription_types", ask(f"POST {ADA_AT}/subscriptions", json={"id": "37846", "consent_type": "opt_in"})],
    reply=[TYPES, KIND],
    gives={"status": "opt-in"},
)
