"""Klaviyo: hear who subscribed, left, opened and wrote, start its flows, and keep profiles, consent and lists.

Setup:
1. Klaviyo > Settings > API keys > Create private key, with full access to profiles, events, lists, subscriptions and (where
   you have them) webhooks. Copy it to `api_key`.
2. A flow can tell the hub: add the step Webhook to it, URL {webhook_url}, a header X-Hub-Token with a long random text, which
   you also write into `flow_token`, and this body (`event` is a name of your own, which recipes read as `event.flow`):
     {"event": "vip", "delivery": "{{ event.event_id }}", "profile_id": "{{ person.KlaviyoID }}",
      "email": "{{ person.email }}", "phone": "{{ person.phone_number }}", "properties": {"spent": "{{ event.value }}"}}
   Where no event starts the flow, `delivery` should tell one time from another, for instance by the date; left out, the same
   body counts once.
3. An account with the Advanced data platform (or a partner's app) can send everything by itself: register a webhook for
   {webhook_url} by the API, and write its secret (16 letters or more) into `webhook_secret`. Others need not: the hub asks
   every ten minutes for profiles that changed, and so hears who may be written to.
4. Points in a profile: nothing is to be made first, but a property keeps the type that it had first: write `points_balance`
   as one of `numbers`. Property names mind capitals.

What is told: `subscribed` and `unsubscribed` by channel (a spam report and a suppression by hand are a no, too; lifting one is
no yes, for the person said nothing), messages that arrived, failed or were opened, what people write by SMS, and reviews; each
once, by its event's id, however often and in whatever order the batches come. Left out are submitted_rating (its review is
told too), ready_to_review, updated_email_preferences, push, and metrics of your own: let a flow tell those. A profile counts as
changed when what is read of it (name, addresses, consent, `profile_properties`) is new, so that the hub's other writes do not
come back as news; what the person told the hub itself weighs more than the consent in a profile.

What is sent: Klaviyo has no call that sends one mail. `send_email` and `send_sms` track an event, on which a flow of yours
sends; the hub asks its own gate first. `track_event` is for flows that speak to nobody. Two events of one metric in one second
would be one to Klaviyo: each has a unique_id of its own, the same on every attempt. Money goes into `value`, which Klaviyo adds
up as revenue; points go into `numbers`. Profiles are written one by one: bulk jobs do not tell whose row failed. Consent is
taken as a job (202): a row that is refused at once is told, one that Klaviyo drops later is not.

Not confirmed: the tags of the body in step 2; which field of an event holds the address (several are tried, then the profile
is asked), the text of a message and the parts of a review; whether our own word comes back with its source; whether repeated
deliveries keep their time: so age is not asked for, and an old delivery does nothing twice. The header Klaviyo-Timestamp has
been seen five hours off; its text is only part of what is signed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AliasPath, BaseModel, Field, ValidationError

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Currency,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
    Item,
    MessageDelivered,
    MessageFailed,
    MessageOpened,
    MessageReceived,
    Mirrored,
    Moment,
    Money,
    Number,
    Payload,
    Points,
    Reply,
    Request,
    Review,
    Settings,
    Shown,
    Subscribed,
    Unreadable,
    Unsubscribed,
    digest,
    email,
    json_text,
    phone,
    tell_apart,
)
from hub.sdk.declare import answers, ask, auth, body, pages, rate, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.parameters import findings

SOURCE = "Loyalty Hub"
"""How consent that the hub reports is marked; what comes back with it is our own word."""


class Entry(Payload):
    """One thing of a batch."""

    topic: str
    external_id: str = ""
    payload: dict[str, Any]


def _items(request: Request) -> Iterator[Item]:
    """A webhook tells a batch of events; a flow's step sends one object of its own making."""
    told = request.content()
    if not isinstance(told, Mapping):
        raise Unreadable(f"The body should be an object, and is {str(told)[:40]!r}.")
    meta, many = told.get("meta"), told.get("data")
    if not isinstance(meta, Mapping) or not isinstance(many, list):
        yield Item("flow", told, id=str(told.get("delivery") or ""))
        return
    named, ours = request.header("Klaviyo-Webhook-Id"), meta.get("klaviyo_webhook_id")
    if named and ours and named != ours:
        raise Unreadable(f"The header says that this is of the webhook {named[:40]!r}, and the body says {str(ours)[:40]!r}.")
    for one in many:
        yield _item(one, meta.get("klaviyo_account_id"))


def _item(told: Any, account: Any) -> Item:
    try:
        entry = Entry.model_validate(told)
    except ValidationError as error:
        return Item("", told, problem=f"This event cannot be read: {findings(error)}.")
    ident = f"{entry.topic}/{entry.external_id}"
    return Item(entry.topic, entry.payload.get("data"), id=ident, account=str(account) if account else None)


def _failure(reply: Reply) -> Failure | None:
    if reply.status == 403:  # a key without the scope
        return Failure("reconnect")
    return Failure("lasting", "this version is retired; set `revision` to a newer one") if reply.status == 410 else None


connector = Connector(
    "klaviyo",
    title="Klaviyo",
    settings=secret("api_key", "Settings > API keys > Create private key (pk_…)")
    + secret("webhook_secret", "the secret of the webhook, 16 letters or more", required=False)
    + secret("flow_token", "what a flow's Webhook step sends in the header X-Hub-Token", required=False)
    + setting("account_id", "the account's public id; events of others are left out", default=None, example="AbC123")
    + setting("profile_properties", "properties of profiles that recipes may read", list[str], default=[])
    + setting("revision", "the version of Klaviyo's API; each lives two years", default="2026-07-15", example="2026-07-15"),
    api="https://a.klaviyo.com",
    auth=auth.header("Authorization", "api_key", prefix="Klaviyo-API-Key "),
    headers={
        "revision": "{revision}",
        "Accept": "application/vnd.api+json",
        "Content-Type": "application/vnd.api+json",
    },
    signature=signature.hmac(
        "Klaviyo-Signature",
        "webhook_secret",
        signed="{body}{timestamp}",
        timestamp="Klaviyo-Timestamp",
        unit="http",
        tolerance=None,
    )
    | signature.token("flow_token", header="X-Hub-Token"),
    envelope=_items,
    rate=rate("700 per minute"),
    idempotency=body("data.attributes.unique_id"),
    failures=_failure,
)


# What comes in --------------------------------------------------------------------------------------------------------


class Event(Payload):
    """An event of a profile. said: its properties, which have other names from event to event."""

    id: str
    at: Moment | None = Field(None, validation_alias=AliasPath("attributes", "datetime"))
    said: dict[str, Any] = Field(default_factory=dict, validation_alias=AliasPath("attributes", "event_properties"))
    profile: str | None = Field(None, validation_alias=AliasPath("relationships", "profile", "data", "id"))

    def first(self, *names: str) -> str:
        """The first of these properties that says something."""
        found = (self.said.get(name) for name in names)
        return next((str(value).strip() for value in found if isinstance(value, str | int | Decimal) and value != ""), "")

    @property
    def is_echo(self) -> bool:
        """Whether it is what the hub reported."""
        return SOURCE in self.said.values()

    def customer(self) -> Customer:
        email = self.first("email_address", "Recipient Email Address", "email")
        number = self.first("phone_number", "Recipient Phone Number", "phone")
        return Customer(id=self.profile, email=email or None, phone=number or None)

    def filled(self) -> dict[str, Any]:
        """What every fact has of it."""
        return {"occurred_at": self.at, "event_id": self.id}


class Consents(Payload):
    email: str | None = Field(None, validation_alias=AliasPath("email", "marketing", "consent"))
    sms: str | None = Field(None, validation_alias=AliasPath("sms", "marketing", "consent"))


class Attributes(Payload):
    email: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    updated: Moment | None = None
    properties: dict[str, Any] | None = None
    subscriptions: Consents | None = None


class Profile(Payload):
    """Somebody as Klaviyo knows them."""

    id: str
    attributes: Attributes

    def customer(self) -> Customer:
        known, stand = self.attributes, self.attributes.subscriptions or Consents()
        says = {"SUBSCRIBED": True, "UNSUBSCRIBED": False}
        consents = {"email": says.get(stand.email or ""), "sms": says.get(stand.sms or "")}
        return Customer(
            id=self.id,
            email=known.email or None,
            phone=known.phone_number or None,
            first_name=known.first_name or None,
            last_name=known.last_name or None,
            language=known.locale or None,
            consents={channel: says_so for channel, says_so in consents.items() if says_so is not None},
        )


class Asked(Payload):
    data: Profile


class Happened(Fact):
    """event_id: of the event at Klaviyo."""

    event_id: Short


class Consented(Subscribed, Happened):
    """Somebody agreed to e-mail or SMS."""


class Left(Unsubscribed, Happened):
    """Somebody no longer wants e-mail or SMS."""


class Arrived(MessageDelivered, Happened):
    """A message of Klaviyo's arrived."""


class Opened(MessageOpened, Happened):
    """A message of Klaviyo's was opened, or a link in it followed."""


class Lost(MessageFailed, Happened):
    """A message of Klaviyo's did not arrive."""


Medium = Literal["email", "sms"]


def _channel(item: Item) -> Medium:
    return "sms" if "_sms" in item.kind else "email"


def _address(customer: Customer, channel: Medium) -> str:
    return (customer.email if channel == "email" else customer.phone) or ""


def _who(event: Event, client: Client, channel: Medium) -> tuple[Customer, str]:
    """Whose event it is, and their address on the channel; the profile is asked where the event does not say."""
    customer = event.customer()
    if not _address(customer, channel) and event.profile:
        query = {"fields[profile]": "email,phone_number,first_name,last_name"}
        customer = client.get("/api/profiles/{id}", at={"id": event.profile}, query=query, into=Asked).data.customer()
    if not _address(customer, channel):
        raise Unreadable(f"Neither the event {event.id} nor its profile says an address for {channel}.")
    return customer, _address(customer, channel)


def _message(event: Event, item: Item) -> dict[str, Any]:
    """What every word about a message of Klaviyo's has."""
    customer, channel = event.customer(), _channel(item)
    number = event.first("$message", "Message ID", "message_id") or event.id
    address = _address(customer, channel)
    return {**event.filled(), "customer": customer, "message_id": number, "channel": channel, "address": address}


TOPIC = "event:klaviyo."


@connector.trigger(TOPIC + "subscribed_to_email_marketing", TOPIC + "subscribed_to_sms_marketing", key="event_id")
def subscribed(event: Event, item: Item, client: Client) -> Consented | None:
    """Somebody agreed to e-mail or SMS."""
    if event.is_echo:
        return None
    customer, address = _who(event, client, _channel(item))
    return Consented(
        **event.filled(), customer=customer, channel=_channel(item), address=address, list_id=event.first("List ID") or None
    )


NOES = {
    TOPIC + "unsubscribed_from_email_marketing": "",
    TOPIC + "unsubscribed_from_sms_marketing": "",
    TOPIC + "marked_email_as_spam": "spam report",
    TOPIC + "manually_suppressed_from_email_marketing": "suppressed by hand",
}


@connector.trigger(*NOES, key="event_id")
def unsubscribed(event: Event, item: Item, client: Client) -> Left:
    """Somebody no longer wants e-mail or SMS."""
    customer, address = _who(event, client, _channel(item))
    reason = NOES[item.kind] or event.first("method")
    return Left(**event.filled(), customer=customer, channel=_channel(item), address=address, reason=reason[:512])


@connector.trigger(TOPIC + "received_email", TOPIC + "received_sms", key="event_id")
def message_delivered(event: Event, item: Item) -> Arrived:
    """A message of Klaviyo's arrived."""
    return Arrived(**_message(event, item))


@connector.trigger(TOPIC + "opened_email", TOPIC + "clicked_email", TOPIC + "clicked_sms", key="event_id")
def message_opened(event: Event, item: Item) -> Opened:
    """A message of Klaviyo's was opened, or a link in it followed."""
    return Opened(**_message(event, item), link=event.first("URL", "url") if "clicked" in item.kind else "")


@connector.trigger(TOPIC + "bounced_email", TOPIC + "dropped_email", TOPIC + "failed_to_deliver_sms", key="event_id")
def message_failed(event: Event, item: Item) -> Lost:
    """A message of Klaviyo's did not arrive."""
    why = event.first("Bounce Reason", "Failure Reason", "reason") or item.kind.removeprefix(TOPIC).replace("_", " ")
    lasting = event.first("Bounce Type", "bounce_type").casefold() == "hard"
    return Lost(**_message(event, item), reason=why[:10_000], lasting=lasting)


@connector.trigger(TOPIC + "sent_sms", key="message_id")
def message_received(event: Event, client: Client) -> MessageReceived:
    """Somebody wrote an SMS to the business."""
    customer, address = _who(event, client, "sms")
    if not {"Message Body", "message_body"} & event.said.keys():
        raise Unreadable(f"The event {event.id} does not say what was written (`Message Body`).")
    text = event.first("Message Body", "message_body")
    return MessageReceived(occurred_at=event.at, customer=customer, message_id=event.id, address=address, text=text)


@connector.trigger(TOPIC + "submitted_review", key="review_id")
def review(event: Event) -> Review:
    """Somebody left a review with Klaviyo Reviews."""
    stars = event.first("rating", "review_rating", "Rating")
    return Review(
        occurred_at=event.at,
        customer=event.customer(),
        review_id=event.first("review_id", "Review ID") or event.id,
        rating=int(stars) if stars in {"1", "2", "3", "4", "5"} else None,
        title=event.first("title", "review_title")[:512],
        text=event.first("content", "review_content", "body")[:10_000],
        site="klaviyo",
    )


class Step(Payload):
    """What a flow's step sends: a name, what tells this time from another, who it is, and what its author wants told."""

    event: str
    delivery: str | None = None
    profile_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)


class FlowReached(CustomerChanged):
    """A profile came to a step of a flow. flow: the name that the step sends; delivery: of this time."""

    flow: Short
    delivery: Short


@connector.trigger("flow", key=("flow", "delivery"))
def flow_reached(step: Step) -> FlowReached:
    """A flow sent one of its profiles."""
    customer = Customer(
        id=step.profile_id or None,
        email=step.email or None,
        phone=step.phone or None,
        first_name=step.first_name or None,
        last_name=step.last_name or None,
    )
    delivery = step.delivery or digest(step)
    return FlowReached(customer=customer, attributes=_texts(step.properties), flow=step.event, delivery=delivery)


class ProfileChanged(CustomerChanged):
    """A profile is not as it was read before. version: of what is read."""

    version: Short


@connector.trigger("profile", key=("customer.id", "version"), polled=True)
def profile_changed(profile: Profile, connection: Connection) -> ProfileChanged:
    """A profile's name, addresses, consent or another property that is read has changed."""
    customer, known = profile.customer(), profile.attributes.properties or {}
    read = [name for name in connection.settings["profile_properties"] if name not in connection.mirror.values()]
    attributes = _texts({name: known.get(name) for name in read})
    version = digest({"customer": customer, "attributes": attributes})
    return ProfileChanged(occurred_at=profile.attributes.updated, customer=customer, attributes=attributes, version=version)


def _texts(properties: Mapping[str, Any]) -> dict[str, str]:
    plain = {name: value for name, value in properties.items() if isinstance(value, str | int | Decimal) and value != ""}
    return {name: value if isinstance(value, str) else json_text(value) for name, value in plain.items()}


@connector.pull(profile_changed)
def changed_profiles(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Profiles that are new or were changed since a moment."""
    query = {
        "filter": f"greater-than(updated,{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})",
        "additional-fields[profile]": "subscriptions",
        "page[size]": 100,
        "sort": "updated",
    }
    return client.pages("/api/profiles", items="data", next=pages.next_url("links.next"), query=query)


TOPICS = [kind for trigger in connector.triggers.values() for kind in trigger.kinds if kind.startswith(TOPIC)]


def _registered(client: Client, connection: Connection) -> list[str]:
    """The ids of the webhooks that call us."""
    told = client.pages("/api/webhooks", items="data", next=pages.next_url("links.next"))
    return [str(one["id"]) for one in told if one["attributes"].get("endpoint_url") == connection.webhook_url]


@connector.subscribe()
def subscribe(client: Client, connection: Connection, settings: Settings) -> None:
    """Register our address, or bring it up to date."""
    known = settings.secret("webhook_secret")
    if known is None or len(known.reveal()) < 16:
        said = "write a random text of 16 letters or more into it first"
        raise CallFailed(f"The `webhook_secret` of {connection.name} is missing or too short; {said}.", "reconnect")
    topics = {"webhook-topics": {"data": [{"type": "webhook-topic", "id": topic} for topic in TOPICS]}}
    wanted: dict[str, Any] = {"name": SOURCE, "endpoint_url": connection.webhook_url, "secret_key": known.reveal()}
    ours = _registered(client, connection)
    for number in ours:
        there = {"type": "webhook", "id": number, "attributes": {**wanted, "enabled": True}, "relationships": topics}
        client.patch("/api/webhooks/{id}", at={"id": number}, json={"data": there})
    if not ours:
        client.post("/api/webhooks", json={"data": {"type": "webhook", "attributes": wanted, "relationships": topics}})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Take our address back."""
    for number in _registered(client, connection):
        client.delete("/api/webhooks/{id}", at={"id": number})


# What goes out --------------------------------------------------------------------------------------------------------

Metric = Annotated[
    str, Field(description="the metric's name, on which a flow starts: Points earned", min_length=1, max_length=127)
]
Email = Annotated[str | None, "the e-mail address of the profile"]
PhoneNumber = Annotated[str | None, "the phone number of the profile; left out where it is none with its country"]
ProfileId = Annotated[str | None, "the profile's id in Klaviyo, such as {{ event.customer.id }}"]
Properties = Annotated[dict[str, str] | None, "texts by the properties' names"]
Numbers = Annotated[dict[str, Points | Number] | None, "numbers by the properties' names, such as {{ member.balance }}"]


def _profile(address: str | None, number: str | None, profile: str | None, **more: Any) -> dict[str, Any]:
    """A profile by what is known of it. A bad phone number would spoil the call, and is left out."""
    known = {"email": address or None, "phone_number": phone(number)}
    if not (profile or any(known.values())):
        raise CallFailed("Klaviyo finds a profile by `email`, `phone` or `profile`; none of them can be used.", "lasting")
    return {"type": "profile", "id": profile, "attributes": {**known, **more}}


def _named(properties: Mapping[str, str] | None, numbers: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**(properties or {}), **(numbers or {})}


def _track(client: Client, profile: Mapping[str, Any], metric: str, properties: Mapping[str, Any], **more: Any) -> None:
    named = {"data": {"type": "metric", "attributes": {"name": metric}}}
    attributes = {"metric": named, "profile": {"data": profile}, "properties": properties, **more}
    client.post("/api/events", json={"data": {"type": "event", "attributes": attributes}})


@connector.action(repeat="keyed")
def track_event(
    client: Client,
    *,
    metric: Metric,
    email: Email = None,
    phone: PhoneNumber = None,
    profile: ProfileId = None,
    properties: Properties = None,
    numbers: Numbers = None,
    value: Annotated[Money | None, "money that the event is worth; Klaviyo adds it up as revenue"] = None,
    currency: Annotated[Currency | None, "the currency of `value`"] = None,
    happened_at: Annotated[Moment | None, "when it happened, if not now"] = None,
) -> None:
    """Tell of something that happened, on which a flow may start that speaks to nobody."""
    more = {"value": value, "value_currency": currency, "time": happened_at}
    _track(client, _profile(email, phone, profile), metric, _named(properties, numbers), **more)


@connector.action(repeat="keyed", channel="email")
def send_email(
    client: Client,
    *,
    to: Annotated[str, "the e-mail address"],
    metric: Metric,
    properties: Properties = None,
    numbers: Numbers = None,
) -> None:
    """Have a flow send an e-mail, for instance how many points there are: tracks the event on which the flow starts."""
    _track(client, _profile(to, None, None), metric, _named(properties, numbers))


@connector.action(repeat="keyed", channel="sms")
def send_sms(
    client: Client,
    *,
    to: Annotated[str, "the phone number, with its country: +14155550123"],
    metric: Metric,
    properties: Properties = None,
    numbers: Numbers = None,
) -> None:
    """Have a flow send a text message: tracks the event on which the flow starts."""
    _track(client, _profile(None, to, None), metric, _named(properties, numbers))


class Kept(Payload):
    """A profile as Klaviyo keeps it."""

    id: str = Field(validation_alias=AliasPath("data", "id"))


def _import(client: Client, profile: Mapping[str, Any], **patch: Any) -> Kept:
    meta = {"patch_properties": patch} if patch else None
    kept: Kept = client.post("/api/profile-import", json={"data": {**profile, "meta": meta}}, into=Kept)
    return kept


@connector.action(repeat="safe")
def upsert_profile(
    client: Client,
    *,
    email: Email = None,
    phone: PhoneNumber = None,
    profile: ProfileId = None,
    external_id: Annotated[str | None, "your own id of the person; only one that never changes"] = None,
    first_name: Annotated[str | None, "the first name"] = None,
    last_name: Annotated[str | None, "the last name"] = None,
    properties: Properties = None,
    numbers: Numbers = None,
) -> Kept:
    """Set properties of a profile; makes it where there is none. What is not named stays as it is."""
    names = {"external_id": external_id, "first_name": first_name, "last_name": last_name}
    said = _named(properties, numbers) or None
    return _import(client, _profile(email, phone, profile, **names, properties=said))


@connector.mirror(upsert_profile)
def as_profile(one: Mirrored) -> dict[str, Any] | None:
    """The profile that shows a member's points."""
    return {"profile": one.customer.id, "properties": one.others, "numbers": one.numbers} if one.customer.id else None


@connector.mirrored(batch=100)
def profile_properties(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What profiles' properties say; a profile whose id is not known is found by its address."""
    ids = _shown(client, "id", {one.customer.id for one in many if one.customer.id})
    addresses = {email(one.customer.email) for one in many if not one.customer.id}
    known = ids | _shown(client, "email", addresses - {None, ""})
    return [known.get(one.customer.id or email(one.customer.email) or "") for one in many]


def _shown(client: Client, place: str, keys: Collection[str | None]) -> dict[str, Shown]:
    if not keys:
        return {}
    some = ",".join(json_text(key) for key in sorted(filter(None, keys)))
    query = {"filter": f"any({place},[{some}])", "fields[profile]": "email,properties", "page[size]": 100}
    rows = client.get("/api/profiles", query=query)["data"]
    seen = [Shown(row["attributes"].get("properties") or {}, row["id"]) for row in rows]
    named = [row["id"] if place == "id" else email(row["attributes"].get("email")) or "" for row in rows]
    return dict(zip(named, seen, strict=True))


Tag = Annotated[str, Field(description="the tag: a property that is true or not there", min_length=1)]


@connector.action(repeat="safe")
def add_tag(client: Client, *, tag: Tag, email: Email = None, phone: PhoneNumber = None, profile: ProfileId = None) -> Kept:
    """Tag a profile. Klaviyo has no tags: it is a property that is true."""
    return _import(client, _profile(email, phone, profile, properties={tag: True}))


@connector.action(repeat="safe")
def remove_tag(client: Client, *, tag: Tag, email: Email = None, phone: PhoneNumber = None, profile: ProfileId = None) -> Kept:
    """Take a tag off a profile."""
    return _import(client, _profile(email, phone, profile), unset=[tag])


class Consent(BaseModel):
    """What one person said about messages on one channel."""

    channel: Annotated[Medium, Field(description="email or sms")]
    address: Annotated[str, Field(description="the e-mail address, or the phone number with its country: +14155550123")]
    status: Annotated[Literal["opt-in", "opt-out"], Field(description="what they said")]
    list_id: Annotated[str | None, Field(description="the list that they joined; a no is one to all lists")] = None
    said_at: Annotated[
        Moment | None, Field(description="when they agreed; then nobody is asked to confirm it, and no welcome flow starts")
    ] = None

    @property
    def person(self) -> tuple[Medium, str]:
        """The channel and the address as they are compared; the address is empty when it is none."""
        return self.channel, (email(self.address) if self.channel == "email" else phone(self.address)) or ""

    @property
    def job(self) -> tuple[str, str | None, bool]:
        """Whether to make or delete, for which list, and whether it is told afterwards: what a job has one of."""
        return ("create", self.list_id, self.said_at is not None) if self.status == "opt-in" else ("delete", None, False)


class Recorded(BaseModel):
    """A consent that Klaviyo has taken."""

    address: str


@connector.action(repeat="safe", batch=100)
def record_consent(client: Client, consents: list[Consent]) -> list[Recorded | CallFailed]:
    """Tell Klaviyo that somebody agreed to e-mail or SMS, or wants no more. A yes lifts an earlier no: only a fresh one."""
    last = {one.person: one for one in consents}  # of two words of one person the later one stands
    outcomes: dict[tuple[Medium, str], Recorded | CallFailed] = {
        person: CallFailed(f"{one.address!r} is no address for {one.channel}.", "lasting")
        for person, one in last.items()
        if not person[1]
    }
    for job in dict.fromkeys(one.job for one in last.values()):
        mine = {person: one for person, one in last.items() if one.job == job and person[1]}
        outcomes |= tell_apart(mine, partial(_recorded, client, job))
    return [outcomes[one.person] for one in consents]


def _recorded(
    client: Client, job: tuple[str, str | None, bool], consents: Mapping[tuple[Medium, str], Consent]
) -> dict[tuple[Medium, str], Recorded | CallFailed]:
    what, list_id, told_later = job
    agreed = what == "create"
    profiles = [
        {
            "type": "profile",
            "attributes": {
                "email" if channel == "email" else "phone_number": address,
                "subscriptions": {
                    channel: {
                        "marketing": {
                            "consent": "SUBSCRIBED" if agreed else "UNSUBSCRIBED",
                            "consented_at": one.said_at if agreed else None,
                        }
                    }
                },
            },
        }
        for (channel, address), one in consents.items()
    ]
    attributes = {
        "custom_source": SOURCE if agreed else None,
        "historical_import": True if told_later else None,
        "profiles": {"data": profiles},
    }
    named = {"list": {"data": {"type": "list", "id": list_id}}} if list_id else None
    kind = f"profile-subscription-bulk-{what}-job"
    client.post(f"/api/{kind}s", json={"data": {"type": kind, "attributes": attributes, "relationships": named}})
    return {person: Recorded(address=person[1]) for person in consents}


class Place(BaseModel):
    """A profile and a list."""

    profile: Annotated[str, Field(description="the profile's id in Klaviyo, such as {{ event.customer.id }}", min_length=1)]
    list_id: Annotated[str, Field(description="the list's id; being on a list is no consent", min_length=1)]


class Listed(BaseModel):
    """A profile whose place in a list is as it should be."""

    profile: str


@connector.action(repeat="safe", batch=100)
def add_to_list(client: Client, places: list[Place]) -> list[Listed | CallFailed]:
    """Put a profile on a list."""
    return _moved(client, "POST", places)


@connector.action(repeat="safe", batch=100)
def remove_from_list(client: Client, places: list[Place]) -> list[Listed | CallFailed]:
    """Take a profile off a list."""
    return _moved(client, "DELETE", places)


def _moved(client: Client, method: str, places: list[Place]) -> list[Listed | CallFailed]:
    outcomes: dict[tuple[str, str], Listed | CallFailed] = {}

    def move(some: Mapping[tuple[str, str], Place]) -> dict[tuple[str, str], Listed | CallFailed]:
        (list_id,) = {place.list_id for place in some.values()}
        named = [{"type": "profile", "id": place.profile} for place in some.values()]
        client.call(method, "/api/lists/{id}/relationships/profiles", at={"id": list_id}, json={"data": named})
        return {key: Listed(profile=place.profile) for key, place in some.items()}

    for list_id in dict.fromkeys(place.list_id for place in places):
        outcomes |= tell_apart({(list_id, one.profile): one for one in places if one.list_id == list_id}, move)
    return [outcomes[place.list_id, place.profile] for place in places]


# Recorded truth -------------------------------------------------------------------------------------------------------

META = {
    "timestamp": "2026-02-06T21:27:40+00:00",
    "klaviyo_webhook_id": "01HXYZWEBHOOK",
    "klaviyo_account_id": "AbC123",
    "version": "2026-07-15",
}


def _told(*topics: str, **said: Any) -> dict[str, Any]:
    """A batch with an event of each topic."""
    links = {
        "profile": {"data": {"type": "profile", "id": "01HXYZPROFILE"}},
        "metric": {"data": {"type": "metric", "id": "UMTLbD"}},
    }
    attributes = {"timestamp": 1770413254, "datetime": "2026-02-06T21:27:34+00:00", "event_properties": said}
    events = [
        {"type": "event", "id": f"73WCCK{number}", "attributes": attributes, "relationships": links}
        for number, _ in enumerate(topics)
    ]
    many = zip(topics, events, strict=True)
    return {
        "data": [{"topic": TOPIC + topic, "external_id": event["id"], "payload": {"data": event}} for topic, event in many],
        "meta": META,
    }


ANA = {"email_address": "ana@example.com"}
PHONE = {"phone_number": "+14155550123"}
SUBSCRIBED = _told("subscribed_to_email_marketing", method="FORM", **ANA)
LEFT = _told("unsubscribed_from_email_marketing", method="PROFILE_PAGE", **ANA)
BOUNCED = _told("bounced_email", **{"Recipient Email Address": "ana@example.com", "Bounce Type": "Hard", "$message": "Msg1"})
REVIEWED = _told("submitted_review", rating=4, content="Quick and friendly.", review_id="rev_9", **ANA)
STEP = {
    "event": "vip",
    "delivery": "3kXyz",
    "profile_id": "01HXYZPROFILE",
    "email": "ana@example.com",
    "properties": {"spent": "120.50"},
}
SHOWN: dict[str, Any] = {"customer": {"id": "01HXYZPROFILE"}, "fields": {"points": 120, "tier": "Gold"}}
SELF = {"self": "https://a.klaviyo.com/api/profiles/01HXYZPROFILE"}
PROFILE = {
    "type": "profile",
    "id": "01HXYZPROFILE",
    "attributes": {
        "email": "ana@example.com",
        "phone_number": "+14155550123",
        "first_name": "Ana",
        "locale": "en-US",
        "updated": "2026-02-06T21:27:34+00:00",
        "properties": {"points_balance": 120},
    },
    "links": SELF,
}
CONFLICT = {"id": "e1", "code": "duplicate_profile", "title": "Conflict.", "detail": "Another profile has this external_id."}
NAMED = {"type": "profile", "attributes": {"email": "ana@example.com"}}
EARNED = {"metric": "Points earned", "email": "ana@example.com", "numbers": {"points": 18}}
TRACKED = {
    "metric": {"data": {"type": "metric", "attributes": {"name": "Points earned"}}},
    "profile": {"data": NAMED},
    "properties": {"points": 18},
}
CONSENT = {"channel": "sms", "address": "+1 415 555 0123", "status": "opt-in", "list_id": "Xy12Zw"}
VIP = {"profile": "01HXYZPROFILE", "list_id": "Xy12Zw"}
IN_LIST = "/api/lists/Xy12Zw/relationships/profiles"
IMPORT = "POST /api/profile-import"


def _says(what: str, person: Mapping[str, str], channel: str, consent: str, **more: Any) -> dict[str, Any]:
    """A job about the consent of one person."""
    row = {"type": "profile", "attributes": {**person, "subscriptions": {channel: {"marketing": {"consent": consent}}}}}
    kind = f"profile-subscription-bulk-{what}-job"
    return {"data": {"type": kind, "attributes": {"profiles": {"data": [row]}}, **more}}


def _sends(**attributes: Any) -> dict[str, Any]:
    return {"data": {"type": "event", "attributes": {**TRACKED, **attributes}}}


connector.sample(
    subscribed,
    SUBSCRIBED,
    gives={"event_id": "73WCCK0", "channel": "email", "address": "ana@example.com", "customer": {"id": "01HXYZPROFILE"}},
)
connector.sample(
    subscribed,
    _told("subscribed_to_sms_marketing", method_detail=SOURCE, **PHONE),
    gives=None,
    note="the hub's own word",
)
connector.sample(unsubscribed, LEFT, gives={"channel": "email", "address": "ana@example.com", "reason": "PROFILE_PAGE"})
connector.sample(
    unsubscribed,
    _told("unsubscribed_from_sms_marketing"),
    asks=ask("GET /api/profiles/01HXYZPROFILE"),
    reply={"data": PROFILE, "links": SELF},
    gives={"channel": "sms", "address": "+14155550123", "customer": {"email": "ana@example.com"}},
    note="the event does not say whose number it is",
)
connector.sample(
    message_delivered,
    _told("received_sms", **PHONE),
    gives={"channel": "sms", "address": "+14155550123", "message_id": "73WCCK0"},
)
connector.sample(
    message_opened,
    _told("clicked_email", URL="https://shop.example.com/", **ANA),
    gives={"channel": "email", "address": "ana@example.com", "link": "https://shop.example.com/"},
)
connector.sample(message_failed, BOUNCED, gives={"message_id": "Msg1", "lasting": True, "reason": "bounced email"})
connector.sample(
    message_received,
    _told("sent_sms", **PHONE, **{"Message Body": "BALANCE"}),
    gives={"message_id": "73WCCK0", "address": "+14155550123", "text": "BALANCE"},
)
connector.sample(review, REVIEWED, gives={"review_id": "rev_9", "rating": 4, "text": "Quick and friendly.", "site": "klaviyo"})
connector.sample(
    flow_reached,
    STEP,
    gives={"flow": "vip", "delivery": "3kXyz", "customer": {"id": "01HXYZPROFILE"}, "attributes": {"spent": "120.50"}},
)
connector.sample(
    changed_profiles,
    "2026-02-06T00:00:00+00:00",
    asks=[
        ask("GET /api/profiles", query={"filter": "greater-than(updated,2026-02-06T00:00:00Z)", "sort": "updated"}),
        ask("GET /api/profiles", query={"page[cursor]": "abc"}),
    ],
    reply=[
        {"data": [PROFILE], "links": {**SELF, "next": "https://a.klaviyo.com/api/profiles?page%5Bcursor%5D=abc"}},
        {"data": [], "links": SELF},
    ],
    gives=[{"customer": {"id": "01HXYZPROFILE", "first_name": "Ana"}, "attributes": {"points_balance": "120"}}],
    settings={"profile_properties": ["points_balance"]},
)
connector.sample(
    track_event,
    {**EARNED, "value": "18.50", "currency": "USD", "happened_at": "2026-02-06T21:27:34Z"},
    asks=ask(
        "POST /api/events",
        json=_sends(value=Decimal("18.50"), value_currency="USD", time="2026-02-06T21:27:34Z"),
        headers={"revision": "2026-07-15", "content-type": "application/vnd.api+json"},
    ),
    reply=answers(202),
)
connector.sample(
    send_email,
    {"to": "ana@example.com", "metric": "Points earned", "numbers": {"points": 18}},
    asks=ask("POST /api/events", json=_sends()),
    reply=answers(202),
)
connector.sample(
    send_sms,
    {"to": "+1 415 555 0123", "metric": "Points earned", "numbers": {"points": 18}},
    asks=ask("POST /api/events", json=_sends(profile={"data": {"type": "profile", "attributes": PHONE}})),
    reply=answers(202),
)
GOLD = {"email": "ana@example.com", "properties": {"tier": "Gold", "points_balance": 120}}
connector.sample(
    upsert_profile,
    {"email": "ana@example.com", "phone": "none", "properties": {"tier": "Gold"}, "numbers": {"points_balance": 120}},
    asks=ask(IMPORT, json={"data": {"type": "profile", "attributes": GOLD}}),
    reply={"data": PROFILE, "links": SELF},
    gives={"id": "01HXYZPROFILE"},
)
connector.sample(
    upsert_profile,
    {"email": "ana@example.com", "external_id": "c-1"},
    asks=IMPORT,
    reply=answers(409, {"errors": [CONFLICT]}),
    fails="lasting",
)
connector.sample(
    as_profile,
    SHOWN,
    asks=ask(
        "POST /api/profile-import",
        json={
            "data": {"type": "profile", "id": "01HXYZPROFILE", "attributes": {"properties": {"points": 120, "tier": "Gold"}}}
        },
    ),
    reply={"data": PROFILE, "links": SELF},
    gives={"profile": "01HXYZPROFILE", "properties": {"tier": "Gold"}, "numbers": {"points": 120}},
)
connector.sample(as_profile, SHOWN | {"customer": {"email": "ada@example.com"}}, gives=None)
connector.sample(
    profile_properties,
    SHOWN,
    asks=ask("GET /api/profiles", query={"filter": 'any(id,["01HXYZPROFILE"])', "fields[profile]": "email,properties"}),
    reply={"data": [PROFILE | {"attributes": {"properties": {"points": 119}}}], "links": SELF},
    gives={"id": "01HXYZPROFILE", "fields": {"points": 119}},
)
connector.sample(
    profile_properties,
    SHOWN | {"customer": {"email": "Ada@example.com"}},
    asks=ask("GET /api/profiles", query={"filter": 'any(email,["ada@example.com"])'}),
    reply={"data": [PROFILE | {"attributes": {"email": "ada@example.com", "properties": {}}}], "links": SELF},
    gives={"id": "01HXYZPROFILE", "fields": {}},
)
connector.sample(
    profile_properties, SHOWN, asks="GET /api/profiles", reply={"data": [], "links": SELF}, gives=None, note="no such profile"
)
connector.sample(
    add_tag,
    {"profile": "01HXYZPROFILE", "tag": "loyalty_gold"},
    asks=ask(IMPORT, json={"data": {"id": "01HXYZPROFILE", "attributes": {"properties": {"loyalty_gold": True}}}}),
    reply={"data": PROFILE, "links": SELF},
    gives={"id": "01HXYZPROFILE"},
)
connector.sample(
    remove_tag,
    {"email": "ana@example.com", "tag": "loyalty_gold"},
    asks=ask(IMPORT, json={"data": {**NAMED, "meta": {"patch_properties": {"unset": ["loyalty_gold"]}}}}),
    reply={"data": PROFILE, "links": SELF},
    gives={"id": "01HXYZPROFILE"},
)
connector.sample(
    record_consent,
    CONSENT,
    asks=ask(
        "POST /api/profile-subscription-bulk-create-jobs",
        json=_says("create", PHONE, "sms", "SUBSCRIBED", relationships={"list": {"data": {"type": "list", "id": "Xy12Zw"}}}),
    ),
    reply=answers(202),
    gives={"address": "+14155550123"},
)
connector.sample(
    record_consent,
    {"channel": "email", "address": "Ana@example.com", "status": "opt-out"},
    asks=ask(
        "POST /api/profile-subscription-bulk-delete-jobs",
        json=_says("delete", {"email": "ana@example.com"}, "email", "UNSUBSCRIBED"),
    ),
    reply=answers(202),
    gives={"address": "ana@example.com"},
)
connector.sample(
    add_to_list,
    VIP,
    asks=ask("POST " + IN_LIST, json={"data": [{"type": "profile", "id": "01HXYZPROFILE"}]}),
    reply=answers(204),
    gives={"profile": "01HXYZPROFILE"},
)
connector.sample(
    remove_from_list,
    VIP,
    asks=ask("DELETE " + IN_LIST, json={"data": [{"type": "profile", "id": "01HXYZPROFILE"}]}),
    reply=answers(204),
)
