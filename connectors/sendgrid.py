"""SendGrid: send e-mail, alone or to a segment, hear what becomes of it, and keep contacts and suppressions.

Setup:
1. app.sendgrid.com > Settings > Sender Authentication: prove your domain, or one address. Set `sender` to the address that
   mail comes from, and `sender_name` to the name beside it.
2. Settings > API Keys > Create API Key, Restricted Access: Mail Send; Suppressions (all of it); Marketing; and Mail Settings >
   Event Notification, if the hub is to register its webhook itself. Copy it (`SG.…`) to `api_key`. For a subuser make the key
   as that subuser; if it is one of the EU, set `host` to api.eu.sendgrid.com.
3. Settings > Mail Settings > Event Webhooks > Create new webhook. Post URL: {webhook_url}. Choose Delivered, Opened, Clicked,
   Bounced, Dropped, Spam Reports, Unsubscribed, Group Unsubscribes and Group Resubscribes. Under Security features turn on
   Signature Verification, save, and copy the verification key to `webhook_public_key`. Opens, clicks and unsubscribes are told
   only if they are tracked (Settings > Tracking). A hub without a public address asks for unsubscribes and spam reports.
4. Suppressions > Unsubscribe Groups > Create: one for the programme's mail; put its id into `unsubscribe_group`. With it
   SendGrid writes a List-Unsubscribe header into every message. Without it people can leave by `unsubscribe_url` alone.
5. Points in contacts: Marketing > Custom Fields (for instance `points`, a number). Fields are found by their names; name them
   in `custom_fields` (points: e1_N), and they need not be looked up.

What is told: each message once as delivered, opened and failed, and each of its links once as clicked. An open that a mail
program made by itself (Apple's privacy) is left out; a click by a scanner of links cannot be told from a person's. A message
failed if it bounced (for good), was blocked (this time) or dropped (SendGrid did not even try). `processed` and `deferred` are
no last words and are left out, and so are notices about the account itself.
Leaving the programme's group, or all mail, or reporting spam is a no to e-mail; leaving another group is none. Without
`unsubscribe_group` leaving any group is a no, and coming back to one is no yes. Told by webhook and by polling it is one no, if
both name the same minute (that they do is not confirmed); polling also tells what the hub suppressed itself. Bounces are not
polled, for their list names no message, and what became of messages is not, for asking that is an extra of SendGrid's.

What goes out: a lost answer is never followed by a second message: SendGrid keeps no key and cannot be asked. Each message
carries the call's id (`hub_call`), which comes back with all that is told of it. One call is one message, so that one doubt is
about one message. A campaign goes to SendGrid's own lists and segments, past the hub's consent, limits and quiet hours: only
SendGrid's suppressions hold it back, so a recipe should `suppress` whoever opts out elsewhere. Contacts are written a while
after they were taken (`check_import` says whether they were).

Not confirmed: that a List-Unsubscribe header which SendGrid writes has its one-click companion (`unsubscribe_url` gives both);
that the list of all suppressions comes as one page. Mail that people write (Inbound Parse) is not read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    Exactly,
    Failure,
    Item,
    MessageDelivered,
    MessageFailed,
    MessageOpened,
    Moment,
    Payload,
    Reply,
    Settings,
    Subscribed,
    Unsubscribed,
    email,
    field_keys,
    tell_apart,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, secret, setting, signature
from hub.sdk.fact import Short, Value


def _failure(reply: Reply) -> Failure | None:
    if reply.ok:
        return None
    errors = reply.find("errors")
    rows = [row for row in errors if isinstance(row, Mapping)] if isinstance(errors, list) else []
    said = "; ".join(": ".join(str(row[name]) for name in ("field", "message") if row.get(name)) for row in rows)
    if reply.status == 401 and "credits" in said.lower():  # the plan's mails of this day or month are used up
        return Failure("passing", said)
    if reply.status == 403 and not any(row.get("field") == "from" for row in rows):  # the key lacks a scope
        return Failure("reconnect", said)
    return Failure("lasting", said) if reply.status in {400, 403} else None


connector = Connector(
    "sendgrid",
    title="SendGrid",
    settings=secret("api_key", "Settings > API Keys (SG.…)")
    + secret("webhook_public_key", "Event Webhooks > your webhook > Verification Key", required=False)
    + setting("sender", "the verified address that mail comes from", example="points@example.com")
    + setting("sender_name", "the name beside it", default=None, example="Example Points")
    + setting("sender_id", "for campaigns: the id of the sender (Marketing > Senders)", int | None, default=None, example=77)
    + setting("unsubscribe_group", "the id of the group by which people leave this mail", int | None, default=None, example=42)
    + setting("custom_fields", "ids of contacts' custom fields by name (points: e1_N)", dict[str, str], default={})
    + setting(
        "host",
        "api.eu.sendgrid.com for a subuser in the EU",
        Literal["api.sendgrid.com", "api.eu.sendgrid.com"],
        default="api.sendgrid.com",
    ),
    api="https://{host}",
    auth=auth.bearer("api_key"),
    # No tolerance: a delivery that failed comes again for a day, and perhaps with its first time.
    signature=signature.ecdsa(
        "X-Twilio-Email-Event-Webhook-Signature",
        "webhook_public_key",
        timestamp="X-Twilio-Email-Event-Webhook-Timestamp",
    ),
    envelope=envelope(kind=body("event"), id=body("sg_event_id"), at=body("timestamp"), each=body()),
    failures=_failure,
)


# What comes in --------------------------------------------------------------------------------------------------------


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Event(Payload):
    """One thing that happened to one message for one address; what was sent with it stands among the other fields."""

    kind: str = Field(alias="event")
    to: str = Field(alias="email", min_length=1)
    at: Moment = Field(alias="timestamp")
    event_id: str = Field(alias="sg_event_id", default="")
    sent_as: str = Field(alias="sg_message_id", default="")
    categories: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(alias="category", default=())
    campaign: str | None = Field(alias="singlesend_name", default=None)
    call: str | None = Field(alias="hub_call", default=None)
    group: int | None = Field(alias="asm_group_id", default=None)
    by_machine: bool = Field(alias="sg_machine_open", default=False)
    url: str = ""
    type: str | None = None
    status: str | None = None
    reason: str | None = None

    @property
    def address(self) -> str:
        """As addresses are compared; one that is none as it came."""
        return email(self.to) or self.to

    def message(self) -> dict[str, Any]:
        """What every fact about a message says."""
        # The send's own id may have dots in it; where it was sorted and received follows.
        sent_as = re.split(r"\.(?:filter|recvd)", self.sent_as)[0]
        return {
            "occurred_at": self.at,
            "customer": Customer(email=self.address),
            "channel": "email",
            "address": self.address,
            "message_id": sent_as or self.event_id or f"{self.kind}/{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "categories": self.categories,
            "campaign": self.campaign or "",
            "call": self.call or "",
        }

    def word(self) -> dict[str, Any]:
        """What a fact about somebody's yes or no says."""
        return {
            "occurred_at": self.at,
            "customer": Customer(email=self.address),
            "channel": "email",
            "address": self.address,
            "list_id": str(self.group) if self.group is not None else None,
            "change_id": f"{self.group if self.group is not None else 'all'}/{self.at:%Y-%m-%dT%H:%M}",
        }


class Mail(Value):
    """What is known of an e-mail. campaign: the Single Send it was part of; call: the hub's call that sent it."""

    categories: tuple[Short, ...] = ()
    campaign: Short = ""
    call: Short = ""


class MailDelivered(Mail, MessageDelivered):
    """An e-mail arrived."""


class MailOpened(Mail, MessageOpened):
    """An e-mail was opened."""


class MailClicked(Mail, MessageOpened):
    """A link in an e-mail was followed. link_key: short, and the same for the same link."""

    link_key: Short = ""


class MailFailed(Mail, MessageFailed):
    """An e-mail did not arrive. code: the mail server's (5.1.1), empty where SendGrid did not try."""

    kind: Literal["bounced", "blocked", "dropped"] = "bounced"
    code: Short = ""


class MailRefused(Unsubscribed):
    """Somebody wants no more e-mail. list_id: the unsubscribe group that they left, empty for all mail."""

    change_id: Short = ""


class MailWanted(Subscribed):
    """Somebody came back to the unsubscribe group of the programme's mail."""

    change_id: Short = ""


# Why SendGrid does not even try, where it never will.
LOST = ("bounced address", "invalid", "unsubscribed address", "spam reporting address")


@connector.trigger("delivered", key=("message_id", "address"))
def message_delivered(event: Event) -> MailDelivered:
    """An e-mail arrived."""
    return MailDelivered(**event.message())


@connector.trigger("open", key=("message_id", "address"))
def message_opened(event: Event) -> MailOpened | None:
    """An e-mail was opened, by a person as far as SendGrid can tell."""
    return None if event.by_machine else MailOpened(**event.message())


@connector.trigger("click", key=("message_id", "address", "link_key"))
def message_clicked(event: Event) -> MailClicked:
    """A link in an e-mail was followed."""
    return MailClicked(**event.message(), link=event.url, link_key=hashlib.sha256(event.url.encode()).hexdigest()[:16])


@connector.trigger("bounce", "dropped", key=("message_id", "address"))
def message_failed(event: Event) -> MailFailed:
    """An e-mail bounced, was blocked or was never tried."""
    reason = event.reason or ""
    if event.kind == "dropped":
        return MailFailed(**event.message(), kind="dropped", reason=reason, lasting=reason.lower().startswith(LOST))
    kind: Literal["bounced", "blocked"] = "blocked" if event.type == "blocked" else "bounced"
    return MailFailed(**event.message(), kind=kind, code=event.status or "", reason=reason, lasting=kind == "bounced")


@connector.trigger("unsubscribe", "group_unsubscribe", key=("address", "change_id"))
def unsubscribed(event: Event, settings: Settings) -> MailRefused | None:
    """Somebody left all mail, or the programme's."""
    if event.group is not None and settings["unsubscribe_group"] not in {None, event.group}:
        return None
    return MailRefused(**event.word())


@connector.trigger("spamreport", key=("address", "change_id"))
def spam_reported(event: Event) -> MailRefused:
    """Somebody reported an e-mail as spam."""
    return MailRefused(**{**event.word(), "list_id": None}, reason="spam report")


@connector.trigger("group_resubscribe", key=("address", "change_id"))
def resubscribed(event: Event, settings: Settings) -> MailWanted | None:
    """Somebody wants the programme's mail again."""
    is_ours = event.group is not None and event.group == settings["unsubscribe_group"]
    return MailWanted(**event.word()) if is_ours else None


def _suppressed(client: Client, which: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    query = {"start_time": int(since.timestamp()), "limit": 500}
    for row in client.pages(f"/v3/suppression/{which}", items="", next=pages.offset(size=500), query=query):
        yield {"email": row["email"], "timestamp": row["created"]}


@connector.pull(unsubscribed, every="1 hour")
def unsubscribes(client: Client, since: datetime) -> Iterator[Item]:
    """Addresses that left all mail, or a group, since a moment."""
    for row in _suppressed(client, "unsubscribes", since):
        yield Item("unsubscribe", {**row, "event": "unsubscribe"})
    for row in client.get("/v3/asm/suppressions"):
        if row["created_at"] >= int(since.timestamp()):
            told = {"email": row["email"], "timestamp": row["created_at"], "asm_group_id": row["group_id"]}
            yield Item("group_unsubscribe", {**told, "event": "group_unsubscribe"})


@connector.pull(spam_reported, every="1 hour")
def spam_reports(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Addresses that reported spam since a moment."""
    for row in _suppressed(client, "spam_reports", since):
        yield {**row, "event": "spamreport"}


WEBHOOKS = "/v3/user/webhooks/event/settings"
TOLD = (
    "delivered", "open", "click", "bounce", "dropped", "spam_report", "unsubscribe", "group_unsubscribe", "group_resubscribe",
)  # fmt: skip


def _webhook(client: Client, connection: Connection) -> str | None:
    known = client.get(f"{WEBHOOKS}/all")["webhooks"]
    return next((row["id"] for row in known if row["url"] == connection.webhook_url), None)


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Registers the webhook, signed; gives the key that verifies it."""
    wanted = {"url": connection.webhook_url, "enabled": True, "friendly_name": connection.name, **dict.fromkeys(TOLD, True)}
    number = _webhook(client, connection)
    if number is None:
        number = client.post(WEBHOOKS, json=wanted)["id"]
    else:
        client.patch(f"{WEBHOOKS}/{{id}}", at={"id": number}, json=wanted)
    signed = client.patch(f"{WEBHOOKS}/signed/{{id}}", at={"id": number}, json={"enabled": True})
    return {"webhook_public_key": signed["public_key"]}


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Switches the webhook off."""
    number = _webhook(client, connection)
    if number is not None:
        client.patch(f"{WEBHOOKS}/{{id}}", at={"id": number}, json={"url": connection.webhook_url, "enabled": False})


# What goes out --------------------------------------------------------------------------------------------------------

CAMPAIGNS = "/v3/marketing/singlesends"
CONTACTS = "/v3/marketing/contacts"
To = Annotated[str, "the e-mail address"]
ReplyTo = Annotated[str | None, "where answers go"]
Group = Annotated[int | None, "the id of another unsubscribe group than the connection's"]
Leave = Annotated[
    str | None, Field(description="where one click (a POST) takes them off this mail: https://…", pattern=r"^https://[^\s<>]+$")
]


class Sent(BaseModel):
    """A message that SendGrid took. message_id: what is told of it later names it too."""

    message_id: str


def _letter(
    settings: Settings, key: CallKey, to: str, *, reply_to: str | None, group: int | None, leave: str | None
) -> dict[str, Any]:
    """A message for one address, without what it says."""
    group = group or settings["unsubscribe_group"]
    one_click = {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return {
        "personalizations": [{"to": [{"email": to}], "custom_args": {"hub_call": str(key)}}],
        "from": {"email": settings["sender"], "name": settings["sender_name"]},
        "reply_to": {"email": reply_to} if reply_to else None,
        "headers": one_click if leave else None,
        "asm": {"group_id": group} if group else None,
    }


def _sent(client: Client, letter: Mapping[str, Any]) -> Sent:
    return Sent(message_id=client.call("POST", "/v3/mail/send", json=letter).headers.get("x-message-id", ""))


# It wants a subject and a text and no more, so that messages to the owner can go this way too.
@connector.action(repeat="never", channel="email")
def send_email(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    to: To,
    subject: Annotated[str, Field(description="the subject", min_length=1)],
    body: Annotated[str, Field(description="the text", min_length=1)],
    html: Annotated[str | None, "the same as HTML, for mail programs that show it"] = None,
    reply_to: ReplyTo = None,
    unsubscribe_group: Group = None,
    unsubscribe_url: Leave = None,
) -> Sent:
    """Send an e-mail with a subject and a text."""
    letter = _letter(settings, key, to, reply_to=reply_to, group=unsubscribe_group, leave=unsubscribe_url)
    content = [{"type": "text/plain", "value": body}, *([{"type": "text/html", "value": html}] if html else [])]
    return _sent(client, {**letter, "subject": subject, "content": content})


@connector.action(repeat="never", channel="email")
def send_template(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    to: To,
    template_id: Annotated[str, Field(description="the dynamic template's id (d-…)", pattern="^d-")],
    data: Annotated[dict[str, Any], "what the template puts in, by name; exact amounts go out as they are"],
    reply_to: ReplyTo = None,
    unsubscribe_group: Group = None,
    unsubscribe_url: Leave = None,
) -> Sent:
    """Send an e-mail made of a dynamic template."""
    letter = _letter(settings, key, to, reply_to=reply_to, group=unsubscribe_group, leave=unsubscribe_url)
    letter["personalizations"][0]["dynamic_template_data"] = data
    return _sent(client, {**letter, "template_id": template_id})


class Campaign(Payload):
    """A Single Send: a campaign to lists and segments."""

    id: str
    status: str


@connector.action(repeat="never")
def send_campaign(
    client: Client,
    settings: Settings,
    *,
    name: Annotated[str, Field(description="what SendGrid's pages call it", min_length=1, max_length=100)],
    segment_ids: Annotated[list[str], Field(description="segments of SendGrid's, by id", max_length=10)] = [],  # noqa: B006
    list_ids: Annotated[list[str], Field(description="lists of SendGrid's, by id", max_length=50)] = [],  # noqa: B006
    design_id: Annotated[str | None, "the id of a design made in SendGrid, which says the subject too"] = None,
    subject: Annotated[str | None, "the subject, where it is no design"] = None,
    html: Annotated[str | None, "the message, where it is no design"] = None,
    unsubscribe_group: Group = None,
    unsubscribe_url: Leave = None,
    send_at: Annotated[Moment | None, "when to send it; at once if nothing is said"] = None,
) -> Campaign:
    """Mail everybody in SendGrid's segments or lists; past the hub's own consent and limits."""
    group = unsubscribe_group or settings["unsubscribe_group"]
    if not segment_ids and not list_ids:
        raise CallFailed("A campaign needs `segment_ids` or `list_ids`; without them it would go to nobody.", "lasting")
    if bool(design_id) == bool(subject and html) or (design_id and (subject or html)):
        raise CallFailed("A campaign needs a `design_id` alone, or `subject` and `html`.", "lasting")
    if settings["sender_id"] is None or not (group or unsubscribe_url):
        message = "A campaign needs the connection's `sender_id`, and its `unsubscribe_group` or an `unsubscribe_url`."
        raise CallFailed(message, "lasting")
    config = {
        **({"editor": "design", "design_id": design_id} if design_id else {"subject": subject, "html_content": html}),
        "sender_id": settings["sender_id"],
        **({"custom_unsubscribe_url": unsubscribe_url} if unsubscribe_url else {"suppression_group_id": group}),
    }
    audience = {"segment_ids": segment_ids or None, "list_ids": list_ids or None}
    draft: Campaign = client.post(CAMPAIGNS, json={"name": name, "send_to": audience, "email_config": config}, into=Campaign)
    told = client.put(f"{CAMPAIGNS}/{{id}}/schedule", at={"id": draft.id}, json={"send_at": send_at or "now"})
    return Campaign(id=draft.id, status=told["status"])


# Ids of custom fields end in their type: a number, a text or a date.
FIELD_ID = re.compile(r"e[0-9]+_[NTD]")
Email = Annotated[str, Field(description="the e-mail address", pattern=r"^\S+@\S+$")]


class Contact(BaseModel):
    """A contact as it should be. SendGrid knows it by all of its identifiers: those that it has must be said too."""

    email: Email
    external_id: Annotated[str | None, Field(description="the contact's external id, if it has one")] = None
    phone_number_id: Annotated[str | None, Field(description="the contact's phone number id, if it has one")] = None
    first_name: Annotated[str | None, Field(description="the first name")] = None
    last_name: Annotated[str | None, Field(description="the last name")] = None
    fields: Annotated[
        dict[str, str], Field(description="custom fields by name or id, such as points and tier; an empty text clears one")
    ] = Field(default_factory=dict)


class Import(Payload):
    """Contacts that SendGrid took and will write in a while; `check_import` says whether it did."""

    job_id: str


@connector.action(repeat="safe", batch=100)
def upsert_contact(client: Client, settings: Settings, contacts: list[Contact]) -> list[Import | CallFailed]:
    """Set names and custom fields of the contact with an e-mail address; makes the contact where there is none."""
    ids = field_keys(
        {name for contact in contacts for name in contact.fields},
        settings["custom_fields"],
        key=FIELD_ID,
        listed=lambda: {row["name"]: row["id"] for row in client.get("/v3/marketing/field_definitions")["custom_fields"]},
    )
    rows = [_row(contact, ids) for contact in contacts]
    wanted: dict[str, dict[str, Any]] = {}
    for row in rows:
        if not isinstance(row, CallFailed):
            before = wanted.get(row["email"], {"custom_fields": {}})
            fields = Exactly({**before["custom_fields"], **row["custom_fields"]})
            wanted[row["email"]] = {**before, **row, "custom_fields": fields}
    outcomes = tell_apart(wanted, partial(_imported, client, None))
    return [row if isinstance(row, CallFailed) else outcomes[row["email"]] for row in rows]


def _row(contact: Contact, ids: Mapping[str, str]) -> dict[str, Any] | CallFailed:
    values: dict[str, Decimal | str | None] = {}
    for name, text in contact.fields.items():
        if name not in ids:
            message = f"SendGrid has no custom field `{name}`. Make it under Marketing > Custom Fields."
            return CallFailed(message, "lasting")
        try:
            values[ids[name]] = None if not text else Decimal(text) if ids[name].endswith("_N") else text
        except InvalidOperation:
            return CallFailed(f"The custom field `{name}` is a number, and {text!r} is none.", "lasting")
    named = contact.model_dump(exclude={"fields", "email"}, exclude_none=True)
    return {"email": contact.email.lower(), **named, "custom_fields": values}


def _imported(client: Client, list_id: str | None, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Import | CallFailed]:
    wanted = {"list_ids": [list_id] if list_id else None, "contacts": list(rows.values())}
    told: Import = client.put(CONTACTS, json=wanted, into=Import)
    return dict.fromkeys(rows, told)


class Imported(Payload):
    """What became of contacts that were taken. status: pending or completed."""

    status: str
    results: dict[str, Any] = Field(default_factory=dict)


@connector.action(repeat="safe")
def check_import(client: Client, *, job_id: Annotated[str, "what `upsert_contact` gave"]) -> Imported:
    """Ask whether contacts that SendGrid took are written yet; fails if one of them was not."""
    job: Imported = client.get(f"{CONTACTS}/imports/{{id}}", at={"id": job_id}, into=Imported)
    if job.status not in {"pending", "completed"} or job.results.get("errored_count"):
        where = job.results.get("errors_url") or "its pages"
        raise CallFailed(f"SendGrid did not write all contacts of {job_id} ({job.status}); see {where}.", "lasting")
    return job


class Place(BaseModel):
    """A contact and a list."""

    email: Email
    list_id: Annotated[str, Field(description="the list's id")]


@connector.action(repeat="safe", batch=100)
def add_to_list(client: Client, places: list[Place]) -> list[Import | CallFailed]:
    """Put the contact with an e-mail address on a list; makes the contact where there is none."""
    return _placed(places, lambda list_id, rows: tell_apart(rows, partial(_imported, client, list_id)))


@connector.action(repeat="safe", batch=100)
def remove_from_list(client: Client, places: list[Place]) -> list[Import | CallFailed]:
    """Take a contact off a list; the contact stays."""
    return _placed(places, partial(_removed, client))


Rows = Mapping[str, Mapping[str, Any]]


def _placed(places: list[Place], move: Callable[[str, Rows], Mapping[str, Import | CallFailed]]) -> list[Import | CallFailed]:
    outcomes: dict[tuple[str, str], Import | CallFailed] = {}
    for list_id in dict.fromkeys(place.list_id for place in places):
        mine = [place.email.lower() for place in places if place.list_id == list_id]
        rows = {address: {"email": address} for address in mine}
        outcomes |= {(list_id, address): outcome for address, outcome in move(list_id, rows).items()}
    return [outcomes[place.list_id, place.email.lower()] for place in places]


def _removed(client: Client, list_id: str, rows: Rows) -> dict[str, Import | CallFailed]:
    found = client.post(f"{CONTACTS}/search/emails", json={"emails": list(rows)}, safe=True)["result"]
    ids = {address: row["contact"]["id"] for address, row in found.items() if "contact" in row}
    outcomes: dict[str, Import | CallFailed] = {
        address: CallFailed(f"SendGrid has no contact {address}.", "lasting") for address in rows.keys() - ids.keys()
    }
    if ids:
        query = {"contact_ids": ",".join(ids.values())}
        told: Import = client.delete("/v3/marketing/lists/{id}/contacts", at={"id": list_id}, query=query, into=Import)
        outcomes |= dict.fromkeys(ids, told)
    return outcomes


class Suppression(BaseModel):
    """An address that gets no more mail."""

    email: Email
    group_id: Annotated[int | None, Field(description="of this unsubscribe group only; without it, no mail at all")] = None


class Suppressed(BaseModel):
    """An address that SendGrid sends no more mail to."""

    email: str


@connector.action(repeat="safe", batch=100)
def suppress(client: Client, suppressions: list[Suppression]) -> list[Suppressed | CallFailed]:
    """Let SendGrid send no more mail to somebody, whoever asks it to."""
    groups = dict.fromkeys(one.group_id for one in suppressions)
    known = {row["id"] for row in client.get("/v3/asm/groups")} if groups.keys() - {None} else set()
    outcomes: dict[tuple[int | None, str], Suppressed | CallFailed] = {}
    for group in groups:
        mine = {one.email: one.email for one in suppressions if one.group_id == group}
        if group is not None and group not in known:  # SendGrid would take all their mail for it
            gone = CallFailed(f"SendGrid has no unsubscribe group {group}.", "lasting")
            outcomes |= {(group, address): gone for address in mine}
            continue
        told = tell_apart(mine, partial(_stopped, client, group))
        outcomes |= {(group, address): outcome for address, outcome in told.items()}
    return [outcomes[one.group_id, one.email] for one in suppressions]


def _stopped(client: Client, group: int | None, wanted: Mapping[str, str]) -> dict[str, Suppressed | CallFailed]:
    path = "/v3/asm/suppressions/global" if group is None else f"/v3/asm/groups/{group}/suppressions"
    client.post(path, json={"recipient_emails": list(wanted)})
    return {address: Suppressed(email=address) for address in wanted}


@connector.action(repeat="safe")
def unsuppress(
    client: Client,
    *,
    email: Email,
    group_id: Annotated[int | None, "of this unsubscribe group; without it, of all mail"] = None,
) -> None:
    """Let SendGrid send mail to somebody again, who has asked for it."""
    path = "/v3/asm/suppressions/global/{email}" if group_id is None else f"/v3/asm/groups/{group_id}/suppressions/{{email}}"
    client.delete(path, at={"email": email})


# Recorded truth -------------------------------------------------------------------------------------------------------

DELIVERED = {
    "email": "Ana@example.com",
    "timestamp": 1770413254,
    "smtp-id": "<a1@ismtpd-1>",
    "event": "delivered",
    "category": ["loyalty"],
    "sg_event_id": "ZGVsaXZlcmVkLTAtMQ",
    "sg_message_id": "a1.filter01.1.0",
    "response": "250 OK",
    "hub_call": "call_1",
}
OPENED = DELIVERED | {"event": "open", "sg_event_id": "b3Blbi0wLTE", "category": "loyalty", "sg_machine_open": False}
CLICKED = OPENED | {
    "event": "click",
    "sg_event_id": "Y2xpY2stMC0x",
    "url": "https://shop.example/r",
    "url_offset": {"index": 0, "type": "html"},
}
BOUNCED = DELIVERED | {
    "event": "bounce",
    "sg_event_id": "Ym91bmNlLTEtMQ",
    "type": "bounce",
    "status": "5.1.1",
    "reason": "550 5.1.1 unknown user",
    "bounce_classification": "Invalid Address",
}
DROPPED = DELIVERED | {"event": "dropped", "sg_event_id": "ZHJvcC0x", "reason": "Bounced Address"}
LEFT = DELIVERED | {"event": "group_unsubscribe", "sg_event_id": "Z3JvdXBfdW5zdWItMQ", "asm_group_id": 42}
SEND = "POST /v3/mail/send"
THANKS = {"to": "ana@example.com", "subject": "Thanks!", "body": "+12 points."}
ACCEPTED = answers(202, None, x_message_id="a1")
POINTS = {"email": "Ana@example.com", "fields": {"points": "120", "tier": "Gold"}}
DEFINED = {
    "custom_fields": [
        {"id": "e1_N", "name": "points", "field_type": "Number"},
        {"id": "e2_T", "name": "tier", "field_type": "Text"},
    ],
    "reserved_fields": [{"name": "email", "field_type": "Text"}],
}
LIST = "1e3cf8b5-0ba7-4d5f-9e3a-7c1f4a1d2b11"
SEGMENT = "7b1f9d1e-3d5c-4f44-8f0e-2a9c1f5e6d22"
VIP = {"email": "ana@example.com", "list_id": LIST}
ANA = {
    "contact": {
        "id": "c-1",
        "email": "ana@example.com",
        "list_ids": [LIST],
        "segment_ids": [],
        "created_at": "2026-02-01T10:00:00Z",
        "updated_at": "2026-02-06T21:27:34Z",
    }
}
GROUPS = [{"id": 42, "name": "Points", "description": "What you earn", "is_default": False, "unsubscribes": 3}]
NEWS = {"name": "February", "segment_ids": [SEGMENT], "design_id": "d-1"}
WRITTEN = {"id": "j-1", "status": "completed", "results": {"requested_count": 1, "updated_count": 1, "errored_count": 0}}
DRAFT = {"id": "9c7d2e10-55aa-4a6b-8d0c-6f1e2d3c4b55", "name": "February", "status": "draft"}

connector.sample(
    message_delivered,
    [DELIVERED],
    gives={"message_id": "a1", "address": "ana@example.com", "channel": "email", "call": "call_1", "categories": ["loyalty"]},
)
connector.sample(message_opened, [OPENED], gives={"message_id": "a1", "customer": {"email": "ana@example.com"}})
connector.sample(message_opened, [OPENED | {"sg_machine_open": True}], gives=None, note="by the mail program itself")
connector.sample(message_clicked, [CLICKED], gives={"message_id": "a1", "link": "https://shop.example/r"})
connector.sample(message_failed, [BOUNCED], gives={"kind": "bounced", "lasting": True, "code": "5.1.1"})
connector.sample(message_failed, [DROPPED], gives={"kind": "dropped", "lasting": True, "reason": "Bounced Address"})
connector.sample(unsubscribed, [LEFT], gives={"channel": "email", "address": "ana@example.com", "list_id": "42"})
connector.sample(unsubscribed, [LEFT | {"asm_group_id": 7}], gives=None, note="another group than the programme's")
connector.sample(spam_reported, [DELIVERED | {"event": "spamreport"}], gives={"address": "ana@example.com", "list_id": None})
connector.sample(resubscribed, [LEFT | {"event": "group_resubscribe"}], gives={"address": "ana@example.com", "list_id": "42"})
connector.sample(
    unsubscribes,
    "2026-02-06T00:00:00+00:00",
    asks=[
        ask("GET /v3/suppression/unsubscribes", query={"start_time": 1770336000, "limit": 500}),
        "GET /v3/asm/suppressions",
    ],
    reply=[
        [{"created": 1770413254, "email": "ana@example.com"}],
        [
            {"email": "ben@example.com", "group_id": 42, "group_name": "Points", "created_at": 1770413255},
            {"email": "cy@example.com", "group_id": 42, "group_name": "Points", "created_at": 1770300000},
        ],
    ],
    gives=[{"address": "ana@example.com", "list_id": None}, {"address": "ben@example.com", "list_id": "42"}],
)
connector.sample(
    spam_reports,
    "2026-02-06T00:00:00+00:00",
    asks=ask("GET /v3/suppression/spam_reports", query={"start_time": 1770336000}),
    reply=answers(200, [{"created": 1770413254, "email": "ana@example.com", "ip": "203.0.113.7"}]),
    gives={"address": "ana@example.com", "reason": "spam report"},
)
connector.sample(
    send_email,
    THANKS | {"unsubscribe_url": "https://points.example.com/leave/a1"},
    asks=ask(
        SEND,
        json={
            "personalizations": [{"to": [{"email": "ana@example.com"}]}],
            "from": {"email": "points@example.com", "name": "Example Points"},
            "subject": "Thanks!",
            "content": [{"type": "text/plain", "value": "+12 points."}],
            "asm": {"group_id": 42},
            "headers": {
                "List-Unsubscribe": "<https://points.example.com/leave/a1>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        },
    ),
    reply=ACCEPTED,
    gives={"message_id": "a1"},
)
connector.sample(
    send_email,
    THANKS | {"html": "<p>+12 points.</p>"},
    asks=SEND,
    reply=answers(403, {"errors": [{"message": "It does not match a verified Sender Identity.", "field": "from"}]}),
    fails="lasting",
)
connector.sample(
    send_template,
    {"to": "ana@example.com", "template_id": "d-1", "data": {"points": 120}},
    asks=ask(
        SEND,
        json={
            "personalizations": [{"to": [{"email": "ana@example.com"}], "dynamic_template_data": {"points": 120}}],
            "template_id": "d-1",
        },
    ),
    reply=ACCEPTED,
    gives={"message_id": "a1"},
)
connector.sample(
    send_campaign,
    NEWS,
    asks=[
        ask(
            f"POST {CAMPAIGNS}",
            json={
                "name": "February",
                "send_to": {"segment_ids": [SEGMENT]},
                "email_config": {"design_id": "d-1", "sender_id": 77, "suppression_group_id": 42},
            },
        ),
        ask(f"PUT {CAMPAIGNS}/{DRAFT['id']}/schedule", json={"send_at": "now"}),
    ],
    reply=[answers(201, DRAFT), answers(201, {"status": "scheduled", "send_at": "2026-02-06T21:30:00Z"})],
    gives={"id": DRAFT["id"], "status": "scheduled"},
)
connector.sample(
    upsert_contact,
    POINTS,
    asks=[
        "GET /v3/marketing/field_definitions",
        ask(
            f"PUT {CONTACTS}",
            json={"contacts": [{"email": "ana@example.com", "custom_fields": {"e1_N": 120, "e2_T": "Gold"}}]},
        ),
    ],
    reply=[DEFINED, answers(202, {"job_id": "j-1"})],
    gives={"job_id": "j-1"},
)
connector.sample(
    check_import,
    {"job_id": "j-1"},
    asks=f"GET {CONTACTS}/imports/j-1",
    reply=WRITTEN,
    gives={"status": "completed"},
)
connector.sample(
    check_import,
    {"job_id": "j-1"},
    asks=f"GET {CONTACTS}/imports/j-1",
    reply=WRITTEN | {"status": "errored", "results": {"requested_count": 1, "errored_count": 1}},
    fails="lasting",
)
connector.sample(
    add_to_list,
    VIP,
    asks=ask(f"PUT {CONTACTS}", json={"list_ids": [LIST], "contacts": [{"email": "ana@example.com"}]}),
    reply=answers(202, {"job_id": "j-2"}),
    gives={"job_id": "j-2"},
)
connector.sample(
    remove_from_list,
    VIP,
    asks=[
        ask(f"POST {CONTACTS}/search/emails", json={"emails": ["ana@example.com"]}),
        ask(f"DELETE /v3/marketing/lists/{LIST}/contacts", query={"contact_ids": "c-1"}),
    ],
    reply=[{"result": {"ana@example.com": ANA}}, answers(202, {"job_id": "j-3"})],
    gives={"job_id": "j-3"},
)
connector.sample(
    suppress,
    {"email": "ana@example.com"},
    asks=ask("POST /v3/asm/suppressions/global", json={"recipient_emails": ["ana@example.com"]}),
    reply=answers(201, {"recipient_emails": ["ana@example.com"]}),
    gives={"email": "ana@example.com"},
)
connector.sample(
    suppress,
    {"email": "ana@example.com", "group_id": 42},
    asks=["GET /v3/asm/groups", ask("POST /v3/asm/groups/42/suppressions", json={"recipient_emails": ["ana@example.com"]})],
    reply=[answers(200, GROUPS), answers(201, {"recipient_emails": ["ana@example.com"]})],
    gives={"email": "ana@example.com"},
)
connector.sample(
    unsuppress, {"email": "ana@example.com"}, asks="DELETE /v3/asm/suppressions/global/ana@example.com", reply=answers(204)
)
