"""Mailchimp: hear who subscribes, leaves and changes, keep points in the audience, and mail statements of them.

Setup:
1. Mailchimp > your profile > Account & billing > Extras > API keys > Create a key. Copy it to `api_key`, and what stands behind
   its dash (us21) to `server`. Audience > Settings > Audience name and defaults: copy the Audience ID to `list_id`. Or in place
   of the key: Extras > Registered apps, `client_id` and `client_secret`, and `hub connections authorize NAME`.
2. `hub connections subscribe NAME` makes the webhook and keeps its token and its signing secret, which Mailchimp tells once. By
   hand: write a long random text into `webhook_token`; Audience > Settings > Webhooks > Create new webhook, paste
   {webhook_url}?token=… with that text at the end; send when: all that is there; changed by: a subscriber, an admin, not via
   the API. Webhooks that are older than signing are never signed: leave `signing_secret` out. A hub without a public address
   asks, for all but bounces.
3. Points in the audience: Audience > Settings > Audience fields and *|MERGE|* tags: add POINTS (a number), TIER (text) and what
   else you want to keep. A mail then says *|POINTS|*, and each reads their own. `mirror: {balance: POINTS, tier: TIER}` keeps
   them in step in the contacts that there are; it makes none.
4. Statements: set `from_name` and `reply_to`, an address of a domain that you have verified there.
5. A journey: begin it with the starting point "Customer Journeys API"; the address that it shows has both numbers.

What is told: `subscribed` once an address stands as subscribed (who left again before is left out), `unsubscribed` whatever
caused it: leaving, a spam report, a contact that was deleted. A profile counts as changed when what is read of it (name,
addresses, status, `profile_fields`) is new, so that the hub's own writing is no news. Tags, opens and clicks are told by no
webhook. A lost `unsubscribed` is found by asking; it is told a second time where the two name different seconds, for a no is
never one too many. Webhooks of other audiences of the account are left out.

What goes out: nobody is subscribed by writing points to them. Who is new becomes a contact that gets no campaigns, unless the
recipe says that they agreed (`if_new`); who left stays so, and is asked by Mailchimp itself to confirm a new yes. A field that
the audience lacks is an error, for Mailchimp drops it in silence. A campaign goes to those who are subscribed, past the hub's
own limits and quiet hours: report each no that Mailchimp did not hear (`record_consent`). The same title within 90 days is the
same campaign, which is made and sent once. A static segment is a tag: a recipe fills it with the members that it picks.

Left out: mail to one person alone, for that is Mailchimp Transactional, another product; `/batches`, which are done minutes
later and tell it in an archive on another host: `import_members` and segments take 500 at once and tell at once which failed.

Not confirmed: that `fired_at` is UTC; that an import without a status leaves that of contacts as it is; the words with which it
says that somebody is in a segment already ("already" counts as done); that sending twice is refused; how a journey is started.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from hub.sdk import (
    Answer,
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
    Item,
    MessageFailed,
    Mirrored,
    Moment,
    Payload,
    Reply,
    Request,
    Settings,
    Shown,
    Subscribed,
    Unsubscribed,
    digest,
    email,
    json_text,
    tell_apart,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short


def _failure(reply: Reply) -> Failure | None:
    if reply.status == 403:  # without a word of JSON it comes from the edge, which throttles that way
        return Failure("passing" if reply.find("title") is None else "reconnect")
    errors = reply.find("errors")
    if reply.ok or not isinstance(errors, list):
        return None
    rows = [row for row in errors if isinstance(row, Mapping)]
    said = "; ".join(": ".join(str(row[name]) for name in ("field", "message") if row.get(name)) for row in rows)
    return Failure("lasting", said) if reply.status == 400 and said else None


def _fired_at(told: Mapping[str, Any]) -> str:
    """`2026-05-01 10:00:00`, which says no zone."""
    return f"{told['fired_at']}Z"


LOGIN = "https://login.mailchimp.com/oauth2"

connector = Connector(
    "mailchimp",
    title="Mailchimp",
    settings=secret("api_key", "your profile > Account & billing > Extras > API keys", required=False)
    + setting("client_id", "of a registered app, in place of a key", default=None)
    + secret("client_secret", "of a registered app, in place of a key", required=False)
    + setting("server", "where the account is: what stands behind the dash of the key", example="us21")
    + setting("list_id", "the Audience ID: Audience > Settings > Audience name and defaults", example="a6b5da1054")
    + secret("webhook_token", "a long random text, at the end of the webhook's address (?token=…)", required=False)
    + secret("signing_secret", "the webhook's signing secret, told when it is made", required=False)
    + setting(
        "profile_fields", "more merge fields that recipes may read, by their tags", list[str], default=[], example=["SHOP"]
    )
    + setting("from_name", "from whom statements come", default=None, example="Example Points")
    + setting("reply_to", "the address that statements come from", default=None, example="points@example.com"),
    api="https://{server}.api.mailchimp.com/3.0",
    auth=auth.bearer("api_key") | auth.oauth2(f"{LOGIN}/token", authorize=f"{LOGIN}/authorize"),
    signature=signature.token("webhook_token", query="token")
    & signature.if_set(signature.timestamped("X-Mailchimp-Signature", "signing_secret")),
    envelope=envelope(
        kind=body("type"), account=body("data.list_id"), account_setting="list_id", data=body("data"), at=_fired_at, nested=True
    ),
    failures=_failure,
    rate=rate("10 per second"),  # ten at the same moment are allowed
)

LIST = "/lists/{list_id}"
MEMBERS = "/lists/{list_id}/members"
MEMBER = "/lists/{list_id}/members/{hash}"
PAGE_SIZE = 500


# What comes in --------------------------------------------------------------------------------------------------------


@connector.handshake
def checked(request: Request) -> Answer | None:
    """Mailchimp looks with a GET whether the address answers, before it keeps it."""
    return Answer() if request.method in {"GET", "HEAD"} else None


def _maybe(value: Any) -> Any:
    return None if value == "" else value


Maybe = Annotated[Moment | None, BeforeValidator(_maybe)]
STANDS = {"subscribed": True, "unsubscribed": False}


class Member(Payload):
    """Somebody in the audience. Times that were never are empty."""

    id: str = Field(alias="contact_id")
    address: str = Field(alias="email_address")
    status: str
    fields: dict[str, Any] = Field(alias="merge_fields", default_factory=dict)
    language: str = ""
    tags: list[dict[str, Any]] = Field(default_factory=list)
    changed_at: Maybe = Field(alias="last_changed", default=None)
    opted_in_at: Maybe = Field(alias="timestamp_opt", default=None)
    signed_up_at: Maybe = Field(alias="timestamp_signup", default=None)

    def said(self, tag: str) -> str | None:
        """What a merge field says, in words."""
        value = self.fields.get(tag)
        return (json_text(value) if isinstance(value, int | Decimal) else str(value).strip()) if value else None

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=self.address or None,
            phone=self.said("PHONE"),
            first_name=self.said("FNAME"),
            last_name=self.said("LNAME"),
            language=self.language or None,
            consents={"email": STANDS[self.status]} if self.status in STANDS else {},
        )


class Told(Payload):
    """What a webhook tells of somebody: who it is. found: how they are, where they were asked for."""

    address: str = Field(validation_alias=AliasChoices("email", "new_email"))
    list_id: str
    action: str = ""
    reason: str = ""
    campaign_id: str = ""
    found: Member | None = None


class Mailing(Payload):
    """A campaign that was sent, or was not."""

    id: str
    list_id: str
    status: str
    subject: str = ""


class Left(Unsubscribed):
    """Somebody wants no more e-mail. campaign_id: which drove them away."""

    campaign_id: Short = ""


class ProfileChanged(CustomerChanged):
    """Somebody in the audience is not as they were read before. version: of what is read."""

    status: Short
    version: Short


class CampaignSent(Fact):
    """A campaign went out."""

    campaign_id: Short
    subject: Short = ""


ASKED = (
    "contact_id", "email_address", "status", "merge_fields", "language", "tags", "last_changed", "timestamp_opt",
    "timestamp_signup",
)  # fmt: skip


def _hash(address: str) -> str:
    """By what Mailchimp knows somebody in an audience."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


def _member(client: Client, who: str) -> Member | None:
    """Somebody as they are now, by hash or id; None when they are not in the audience (any more)."""
    member: Member | None = client.find(MEMBER, at={"hash": who}, query={"fields": ",".join(ASKED)}, into=Member)
    return member


def _normal(address: str) -> str:
    """As addresses are compared; one that is none as it came."""
    return email(address) or address


@connector.trigger("subscribe", key=("customer.id", "occurred_at"))
def subscribed(told: Told, client: Client) -> Subscribed | None:
    """Somebody subscribed to the audience."""
    member = told.found or _member(client, _hash(told.address))
    if member is None or member.status != "subscribed":
        return None
    return Subscribed(
        occurred_at=member.opted_in_at or member.signed_up_at,
        customer=member.customer(),
        channel="email",
        address=_normal(member.address),
        list_id=told.list_id,
    )


@connector.trigger("unsubscribe", "cleaned", key=("address", "occurred_at"))
def unsubscribed(told: Told, item: Item) -> Left | None:
    """Somebody left, reported a mail as spam, or was deleted."""
    is_spam = told.reason == "abuse"
    if item.kind == "cleaned" and not is_spam:
        return None
    return Left(
        customer=Customer(email=told.address),
        channel="email",
        address=_normal(told.address),
        list_id=told.list_id,
        reason="spam report" if is_spam else "deleted" if told.action == "delete" else told.reason[:512],
        campaign_id=told.campaign_id,
    )


@connector.trigger("cleaned", key=("message_id", "address"))
def address_failed(told: Told) -> MessageFailed | None:
    """Mail to an address came back for good, and Mailchimp sends it no more."""
    if told.reason == "abuse":
        return None
    return MessageFailed(
        customer=Customer(email=told.address),
        message_id=told.campaign_id or "cleaned",
        channel="email",
        address=_normal(told.address),
        reason=told.reason,
        lasting=True,
    )


@connector.trigger("profile", "upemail", key=("customer.id", "version"))
def profile_changed(told: Told, connection: Connection, client: Client) -> ProfileChanged | None:
    """Somebody's name, addresses, status or another field that is read has changed."""
    member = told.found or _member(client, _hash(told.address))
    if member is None:
        return None
    # What mirrors a member's points is the hub's own word.
    read = [tag for tag in connection.settings["profile_fields"] if tag not in connection.mirror.values()]
    attributes = {tag: text for tag in read if (text := member.said(tag))}
    known = {"customer": member.customer(), "attributes": attributes, "status": member.status}
    version = digest(known)
    tags = tuple(str(tag["name"]) for tag in member.tags)
    return ProfileChanged(**known, occurred_at=member.changed_at, tags=tags, version=version)


@connector.trigger("campaign", key="campaign_id")
def campaign_sent(mailing: Mailing) -> CampaignSent | None:
    """A campaign was sent to the audience."""
    return CampaignSent(campaign_id=mailing.id, subject=mailing.subject[:512]) if mailing.status == "sent" else None


def _rows(client: Client, path: str, items: str, sort: str, asked: tuple[str, ...], **filters: Any) -> list[Mapping[str, Any]]:
    """The rows, oldest first; asked for newest first, so that what changes meanwhile moves nothing out of sight."""
    fields = ",".join([*(f"{items}.{name}" for name in asked), "total_items"])
    whole = {name: value.replace(microsecond=0) if isinstance(value, datetime) else value for name, value in filters.items()}
    query = {"count": PAGE_SIZE, "sort_field": sort, "sort_dir": "DESC", "fields": fields, **whole}
    return list(client.pages(path, items=items, next=pages.offset(size=PAGE_SIZE), query=query))[::-1]


@connector.pull(subscribed)
def new_subscribers(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Who subscribed since a moment."""
    filters = {"status": "subscribed", "since_timestamp_opt": since}
    for row in _rows(client, MEMBERS, "members", "timestamp_opt", ASKED, **filters):
        yield {"email": row["email_address"], "list_id": settings["list_id"], "found": row}


@connector.pull(unsubscribed)
def unsubscribes(client: Client, settings: Settings, since: datetime) -> Iterator[Item]:
    """Who left since a moment."""
    asked = ("email_address", "unsubscribe_reason", "last_changed")
    filters = {"status": "unsubscribed", "unsubscribed_since": since}
    for row in _rows(client, MEMBERS, "members", "last_changed", asked, **filters):
        told = {"email": row["email_address"], "list_id": settings["list_id"], "reason": row.get("unsubscribe_reason") or ""}
        yield Item("unsubscribe", told, at=datetime.fromisoformat(row["last_changed"]))


@connector.pull(profile_changed)
def changed_profiles(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Who is new in the audience or was changed since a moment."""
    for row in _rows(client, MEMBERS, "members", "last_changed", ASKED, since_last_changed=since):
        yield {"email": row["email_address"], "list_id": settings["list_id"], "found": row}


@connector.pull(campaign_sent)
def sent_campaigns(client: Client, settings: Settings, since: datetime) -> Iterator[Item]:
    """Campaigns that were sent to the audience since a moment."""
    asked, list_id = ("id", "status", "send_time", "settings.subject_line"), settings["list_id"]
    filters = {"list_id": list_id, "status": "sent", "since_send_time": since}
    for row in _rows(client, "/campaigns", "campaigns", "send_time", asked, **filters):
        told = {
            "id": row["id"],
            "list_id": list_id,
            "status": row["status"],
            "subject": row["settings"].get("subject_line") or "",
        }
        yield Item("campaign", told, at=datetime.fromisoformat(row["send_time"]))


WEBHOOKS = "/lists/{list_id}/webhooks"
EVENTS = {kind: True for trigger in connector.triggers.values() for kind in trigger.kinds}
SOURCES = {"user": True, "admin": True, "api": False}  # what programs do, the hub does


def _registered(client: Client, connection: Connection) -> list[str]:
    known = client.get(WEBHOOKS)["webhooks"]
    return [str(row["id"]) for row in known if row["url"].partition("?")[0] == connection.webhook_url]


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Registers the webhook; gives the token in its address and the signing secret, where they are new."""
    token = connection.settings.secret("webhook_token")
    told = {} if token else {"webhook_token": secrets.token_urlsafe(32)}
    url = f"{connection.webhook_url}?token={token.reveal() if token else told['webhook_token']}"
    wanted = {"url": url, "events": EVENTS, "sources": SOURCES}
    known = _registered(client, connection)
    if known and connection.settings.secret("signing_secret"):
        client.patch(f"{WEBHOOKS}/{{id}}", at={"id": known[0]}, json=wanted)
        return told
    unsubscribe(client, connection)  # its secret was told when it was made, and is never told again
    signing = client.post(WEBHOOKS, json=wanted).get("signing_secret")
    return told | {"signing_secret": signing} if signing else told


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back."""
    for number in _registered(client, connection):
        client.delete(f"{WEBHOOKS}/{{id}}", at={"id": number})


# What goes out --------------------------------------------------------------------------------------------------------

Email = Annotated[str, Field(description="the e-mail address", pattern=r"^\S+@\S+$")]
Fields = Annotated[
    dict[str, Any],
    Field(description="merge fields by their tags, such as POINTS; numbers go out as numbers, an empty text clears a field"),
]
IfNew = Annotated[
    Literal["transactional", "pending", "subscribed", "unsubscribed"],
    Field(description="what who is new gets: no campaigns (transactional), a question (pending), campaigns (they agreed)"),
]


class Kept(Payload):
    """Somebody as the audience keeps them."""

    email: str = Field(alias="email_address")
    status: str


def _merge_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    return {tag.upper(): value for tag, value in fields.items()} or None


def _lacking(fields: Iterable[str], there: Mapping[str, Any]) -> CallFailed | None:
    """A failure where the audience lacks one of the fields; those that it has all its members have."""
    lacking = next((tag for tag in fields if tag.upper() not in there), None)
    where = "Audience > Settings > Audience fields"
    return CallFailed(f"The audience has no field `{lacking}`. Make it under {where}.", "lasting") if lacking else None


def _kept(told: Mapping[str, Any], fields: Iterable[str]) -> Kept | CallFailed:
    """What was kept. Mailchimp drops a field that the audience lacks without a word."""
    return _lacking(fields, told.get("merge_fields") or {}) or Kept.model_validate(told)


def _written(write: Callable[..., Any], who: str, wanted: Mapping[str, Any], fields: Mapping[str, Any]) -> Kept:
    sent = {**wanted, "merge_fields": _merge_fields(fields)}
    # A field that the audience requires and the hub does not know is no reason to keep no points.
    kept = _kept(write(MEMBER, at={"hash": who}, query={"skip_merge_validation": True}, json=sent), fields)
    if isinstance(kept, CallFailed):
        raise kept
    return kept


@connector.action(repeat="safe")
def upsert_member(client: Client, *, email: Email, fields: Fields = {}, if_new: IfNew = "transactional") -> Kept:  # noqa: B006
    """Set merge fields, such as points and tier, of a contact; makes the contact where there is none."""
    return _written(client.put, _hash(email), {"email_address": email, "status_if_new": if_new}, fields)


@connector.action(repeat="safe")
def update_member(
    client: Client,
    *,
    member: Annotated[str, Field(description="the contact's id, {{ event.customer.id }}, or their address", min_length=1)],
    fields: Fields,
) -> Kept:
    """Set merge fields of a contact that is there."""
    return _written(client.patch, _hash(member) if "@" in member else member, {}, fields)


@connector.mirror(update_member)
def as_member(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    shown = {tag: "" if value is None else value for tag, value in one.fields.items()}
    return {"member": one.customer.id, "fields": shown} if one.customer.id else None


@connector.mirrored
def member_fields(client: Client, one: Mirrored) -> Shown | None:
    """What a contact's merge fields say; a contact whose id is not known is found by their address."""
    known, address = one.customer.id, one.customer.email
    member = _member(client, known) if known else _member(client, _hash(address)) if address else None
    if member is None or member.status == "archived":
        return None
    if failure := _lacking(one.fields, member.fields):
        raise failure
    return Shown({tag: member.fields[tag.upper()] for tag in one.fields}, member.id)


class Row(BaseModel):
    """A contact as it should be."""

    email: Email
    fields: Fields = Field(default_factory=dict)
    if_new: IfNew = "transactional"


@connector.action(repeat="safe", batch=500)
def import_members(client: Client, members: list[Row]) -> list[Kept | CallFailed]:
    """As `upsert_member`, for many at once, each with its own success or failure."""
    rows: dict[str, Row] = {}
    for one in members:  # an address that comes twice would be refused
        before = rows.get(one.email.lower())
        rows[one.email.lower()] = one.model_copy(update={"fields": before.fields | one.fields}) if before else one
    made = tell_apart(rows, partial(_imported, client, True))
    there = {address: rows[address] for address, outcome in made.items() if outcome is THERE}
    outcomes = made | tell_apart(there, partial(_imported, client, False))
    return [outcomes[one.email.lower()] for one in members]


THERE = CallFailed("Mailchimp says only that the contact is there.", "lasting")


def _imported(client: Client, new: bool, rows: Mapping[str, Row]) -> dict[str, Kept | CallFailed]:
    """What became of each, whom Mailchimp answers 200 for in any case; new: THERE is whose status is not for us to say."""
    wanted = [
        {"email_address": row.email, "status": row.if_new if new else None, "merge_fields": _merge_fields(row.fields)}
        for row in rows.values()
    ]
    sent = {"members": wanted, "update_existing": not new}
    told = client.post(LIST, query={"skip_merge_validation": True}, json=sent)
    written = {row["email_address"].lower(): row for row in [*told["new_members"], *told["updated_members"]]}
    kept = {address: _kept(row, rows[address].fields) for address, row in written.items() if address in rows}
    errors = {str(row.get("email_address")).lower(): row for row in told["errors"]}
    return {address: kept.get(address) or _refusal(row.email, errors.get(address) or {}) for address, row in rows.items()}


def _refusal(address: str, error: Mapping[str, Any]) -> CallFailed:
    if error.get("error_code") == "ERROR_CONTACT_EXISTS":
        return THERE
    named = ": ".join(str(error[name]) for name in ("field", "field_message") if error.get(name))
    said = named or error.get("error") or "it does not say why"
    return CallFailed(f"Mailchimp did not keep {address}: {said}.", "lasting")


@connector.action(repeat="safe")
def record_consent(
    client: Client,
    *,
    email: Email,
    status: Annotated[Literal["opt-in", "opt-out"], "what they said about e-mail"],
    said_at: Annotated[Moment | None, "when they agreed"] = None,
) -> Kept:
    """Tell Mailchimp that somebody agreed to e-mail, or wants no more. Who had left is asked by Mailchimp to confirm a yes."""
    if status == "opt-out":
        return _stands(client, email, "unsubscribed")
    try:
        return _stands(client, email, "subscribed", timestamp_opt=said_at)
    except CallFailed as failure:
        if failure.status != 400 or "compliance state" not in str(failure).lower():
            raise
        return _stands(client, email, "pending")


def _stands(client: Client, address: str, status: str, **said: Any) -> Kept:
    wanted = {"email_address": address, "status_if_new": status, "status": status, **said}
    return _written(client.put, _hash(address), wanted, {})


TagName = Annotated[str, Field(description="the tag's name", min_length=1)]
Quietly = Annotated[bool, "whether journeys that wait for the tag stay where they are"]


class Tagged(BaseModel):
    """Whether somebody has a tag now."""

    tagged: bool


@connector.action(repeat="safe")
def add_tag(client: Client, *, email: Email, tag: TagName, quietly: Quietly = False) -> Tagged:
    """Give somebody in the audience a tag; makes the tag where there is none."""
    return _tag(client, email, tag, True, quietly)


@connector.action(repeat="safe")
def remove_tag(client: Client, *, email: Email, tag: TagName, quietly: Quietly = False) -> Tagged:
    """Take a tag from somebody in the audience."""
    return _tag(client, email, tag, False, quietly)


def _tag(client: Client, address: str, tag: str, on: bool, quietly: bool) -> Tagged:
    wanted = {"tags": [{"name": tag, "status": "active" if on else "inactive"}], "is_syncing": quietly}
    client.post(f"{MEMBER}/tags", at={"hash": _hash(address)}, json=wanted)
    return Tagged(tagged=on)


class Place(BaseModel):
    """Somebody and a segment."""

    email: Email
    segment: Annotated[str, Field(description="the name of a static segment, which is a tag", min_length=1)]


class Placed(BaseModel):
    """Whether somebody is in a segment now."""

    in_segment: bool


@connector.action(repeat="safe", batch=500)
def add_to_segment(client: Client, places: list[Place]) -> list[Placed | CallFailed]:
    """Put somebody in the audience into a static segment; makes the segment where there is none."""
    return _placed(client, places, True)


@connector.action(repeat="safe", batch=500)
def remove_from_segment(client: Client, places: list[Place]) -> list[Placed | CallFailed]:
    """Take somebody out of a static segment."""
    return _placed(client, places, False)


def _placed(client: Client, places: list[Place], into: bool) -> list[Placed | CallFailed]:
    outcomes: dict[tuple[str, str], Placed | CallFailed] = {}
    for segment in dict.fromkeys(place.segment for place in places):
        mine = {address: address for place in places if place.segment == segment and (address := place.email.lower())}
        number = _static_segment(client, segment, make=into)
        done: dict[str, Placed | CallFailed] = dict.fromkeys(mine, Placed(in_segment=into))
        if isinstance(number, CallFailed):
            done = dict.fromkeys(mine, number)
        elif number:
            done = tell_apart(mine, partial(_moved, client, number, into))
        outcomes |= {(segment, address): outcome for address, outcome in done.items()}
    return [outcomes[place.segment, place.email.lower()] for place in places]


def _moved(client: Client, number: int, into: bool, addresses: Mapping[str, str]) -> dict[str, Placed | CallFailed]:
    what = "members_to_add" if into else "members_to_remove"
    told = client.post(f"{LIST}/segments/{{id}}", at={"id": number}, json={what: list(addresses)})
    refused = {address.lower(): row.get("error") for row in told.get("errors") or [] for address in row["email_addresses"]}
    # Who cannot be taken out is not in it.
    bad = {address: said for address, said in refused.items() if into and "already" not in str(said).lower()}
    return {
        address: CallFailed(f"Mailchimp did not put {address} into the segment: {bad[address]}", "lasting")
        if address in bad
        else Placed(in_segment=into)
        for address in addresses
    }


class Segment(Payload):
    """A segment: static (a list of people, which is a tag), or saved with conditions."""

    id: int
    name: str = ""
    type: str = ""


def _segment(client: Client, name: str) -> Segment | None:
    query = {"count": PAGE_SIZE, "fields": "segments.id,segments.name,segments.type,total_items"}
    rows = client.pages(f"{LIST}/segments", items="segments", next=pages.offset(size=PAGE_SIZE), query=query)
    return next((Segment.model_validate(row) for row in rows if row["name"].casefold() == name.casefold()), None)


def _static_segment(client: Client, name: str, *, make: bool) -> int | CallFailed | None:
    """Its number, None where there is none, or why it is not for us to fill."""
    with client.alone("segments"):
        known = _segment(client, name)
        if known is None and make:
            wanted: dict[str, Any] = {"name": name, "static_segment": []}
            known = Segment.model_validate(client.post(f"{LIST}/segments", json=wanted, safe=False))
    if known is not None and known.type == "saved":
        return CallFailed(f"The segment `{name}` has conditions, by which Mailchimp fills it. Name a static one.", "lasting")
    return known.id if known else None


class Campaign(Payload):
    """A campaign. status: save (a draft), schedule, sending, sent, paused, canceled."""

    id: str
    status: str


CAMPAIGN = "/campaigns/{id}"
SAME_TITLE = timedelta(days=90)
CampaignId = Annotated[str, "the campaign's id, which `create_campaign` gives"]


def _known_campaign(client: Client, settings: Settings, title: str, since: datetime) -> Campaign | None:
    filters = {"list_id": settings["list_id"], "since_create_time": since}
    rows = _rows(client, "/campaigns", "campaigns", "create_time", ("id", "status", "settings.title"), **filters)
    return next((Campaign.model_validate(row) for row in rows if row["settings"].get("title") == title), None)


@connector.action(repeat="safe")
def create_campaign(
    client: Client,
    settings: Settings,
    now: datetime,
    *,
    title: Annotated[
        str, Field(description="what Mailchimp's pages call it; the same title is the same campaign", min_length=1)
    ],
    subject: Annotated[str, Field(description="the subject", min_length=1, max_length=150)],
    segment: Annotated[str | None, "the name of the segment or tag that gets it; without it all who are subscribed"] = None,
    html: Annotated[str | None, "the message, which may say *|POINTS|* and the like"] = None,
    template: Annotated[int | None, "or the number of a template made in Mailchimp"] = None,
    sections: Annotated[dict[str, str], "what its editable sections say, by their names"] = {},  # noqa: B006
    preview: Annotated[str | None, "what mail programs show beside the subject"] = None,
) -> Campaign:
    """Make an e-mail to a segment, for instance a statement of points, ready to be sent or scheduled."""
    if bool(html) == bool(template):
        raise CallFailed("A campaign says either `html` or `template`.", "lasting")
    if not (settings["from_name"] and settings["reply_to"]):
        raise CallFailed("A campaign needs the connection's `from_name` and `reply_to`.", "lasting")
    with client.alone("campaigns"):
        campaign = _known_campaign(client, settings, title, now - SAME_TITLE)
        if campaign is None:
            said = {"title": title, "subject_line": subject, "preview_text": preview}
            sender = {"from_name": settings["from_name"], "reply_to": settings["reply_to"]}
            wanted = {"type": "regular", "recipients": _recipients(client, settings, segment), "settings": said | sender}
            campaign = Campaign.model_validate(client.post("/campaigns", json=wanted, safe=False))
    if campaign.status == "save":
        content = {"html": html} if html else {"template": {"id": template, "sections": sections or None}}
        client.put(f"{CAMPAIGN}/content", at={"id": campaign.id}, json=content)
    return campaign


def _recipients(client: Client, settings: Settings, name: str | None) -> dict[str, Any]:
    segment = _segment(client, name) if name else None
    if name and segment is None:
        raise CallFailed(f"The audience has no segment or tag `{name}`, so a campaign to it would go to everybody.", "lasting")
    return {"list_id": settings["list_id"], "segment_opts": {"saved_segment_id": segment.id} if segment else None}


@connector.action(repeat="safe")
def send_campaign(client: Client, *, campaign: CampaignId) -> Campaign:
    """Send a campaign now; one that was sent or scheduled before stays as it is."""
    return _released(client, campaign, "send", "sending")


@connector.action(repeat="safe")
def schedule_campaign(
    client: Client, *, campaign: CampaignId, at: Annotated[Moment, "when to send it; the next full quarter of an hour counts"]
) -> Campaign:
    """Send a campaign later; one that was sent or scheduled before stays as it is."""
    return _released(client, campaign, "schedule", "schedule", schedule_time=_quarter(at))


def _released(client: Client, campaign: str, what: str, then: str, **said: Any) -> Campaign:
    found: Campaign = client.get(CAMPAIGN, at={"id": campaign}, query={"fields": "id,status"}, into=Campaign)
    if found.status != "save":
        return found
    client.post(f"{CAMPAIGN}/actions/{what}", at={"id": campaign}, json=said or None, safe=False)
    return Campaign(id=campaign, status=then)


def _quarter(at: datetime) -> datetime:
    minute = at.replace(second=0, microsecond=0)
    minute += timedelta(minutes=1) if minute < at else timedelta()
    return minute + timedelta(minutes=-minute.minute % 15)


@connector.action(repeat="never", channel="email")
def start_journey(
    client: Client,
    *,
    to: Annotated[str, "the e-mail address of a subscriber"],
    journey: Annotated[str, Field(description="the journey's number", pattern="^[0-9]+$")],
    step: Annotated[str, Field(description="the number of its step that the API starts", pattern="^[0-9]+$")],
) -> None:
    """Let a customer journey begin for somebody, for instance one that sends a mail."""
    path = "/customer-journeys/journeys/{journey}/steps/{step}/actions/trigger"
    client.post(path, at={"journey": journey, "step": step}, json={"email_address": to})


# Recorded truth -------------------------------------------------------------------------------------------------------

ANA_AT = "/3.0/lists/a6b5da1054/members/cdb9d6a1dddc375a09cc83e3001598dc"
TOLD = {"fired_at": "2026-02-06 21:27:34", "data[list_id]": "a6b5da1054"}
SUBSCRIBED = TOLD | {
    "type": "subscribe",
    "data[id]": "8a25ff1d98",
    "data[email]": "Ana@example.com",
    "data[email_type]": "html",
    "data[web_id]": "283742",
    "data[merges][FNAME]": "Ana",
    "data[merges][POINTS]": "120",
}
LEFT = SUBSCRIBED | {
    "type": "unsubscribe",
    "data[action]": "unsub",
    "data[reason]": "manual",
    "data[campaign_id]": "cb398d21d2",
}
CLEANED = LEFT | {"type": "cleaned", "data[reason]": "hard"}
MOVED = TOLD | {"type": "upemail", "data[new_email]": "ana@example.com", "data[old_email]": "ana.old@example.com"}
SENT = TOLD | {"type": "campaign", "data[id]": "5aa2102003", "data[subject]": "Your points", "data[status]": "sent"}
ANA = {
    "id": "cdb9d6a1dddc375a09cc83e3001598dc",
    "contact_id": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "email_address": "ana@example.com",
    "status": "subscribed",
    "merge_fields": {"FNAME": "Ana", "LNAME": "Blue", "PHONE": "+447700900123", "SHOP": "Leeds", "POINTS": 120, "TIER": ""},
    "language": "en",
    "tags": [{"id": 91, "name": "vip"}],
    "last_changed": "2026-02-06T21:27:34+00:00",
    "timestamp_opt": "2026-02-06T21:27:30+00:00",
    "timestamp_signup": "",
}
READ_ANA = f"GET {ANA_AT}"
MEMBERS_AT = "/3.0/lists/a6b5da1054/members"
FIELDS = {"POINTS": 120, "TIER": "gold"}
POINTS = {"email": "ana@example.com", "fields": FIELDS}
COMPLIANCE = {
    "title": "Member In Compliance State",
    "status": 400,
    "detail": "ana@example.com is already a list member in compliance state due to unsubscribe, bounce, or compliance review.",
}
NAMED = {"email_address": "ana@example.com", "merge_fields": FIELDS}
EXISTS = {"email_address": "ana@example.com", "error": "is a list member", "error_code": "ERROR_CONTACT_EXISTS"}
IMPORTED = {"new_members": [], "updated_members": [], "errors": [], "total_created": 0, "total_updated": 0, "error_count": 0}
IMPORT = "POST /3.0/lists/a6b5da1054"
SEGMENTS = "/3.0/lists/a6b5da1054/segments"
GOLD = {"id": 91, "name": "Gold", "type": "static"}
PLACE = {"email": "ana@example.com", "segment": "Gold"}
CAMPAIGNS = "/3.0/campaigns"
DRAFT = {"id": "5aa2102003", "status": "save", "settings": {"title": "Statement 2026-02"}}
SENT_CAMPAIGN = DRAFT | {"status": "sent", "send_time": "2026-02-06T21:27:34+00:00", "settings": {"subject_line": "Points"}}
HTML = {"html": "<p>You have *|POINTS|* points.</p>"}
STATEMENT = HTML | {"title": "Statement 2026-02", "subject": "Your points", "segment": "Gold"}
WRITTEN = ask(f"PUT {CAMPAIGNS}/5aa2102003/content", json=HTML)

connector.sample(
    subscribed,
    SUBSCRIBED,
    form=True,
    asks=READ_ANA,
    reply=ANA,
    gives={"occurred_at": "2026-02-06T21:27:30Z", "address": "ana@example.com", "customer": {"first_name": "Ana"}},
)
connector.sample(subscribed, SUBSCRIBED, form=True, asks=READ_ANA, reply=ANA | {"status": "unsubscribed"}, gives=None)
connector.sample(
    unsubscribed,
    LEFT,
    form=True,
    gives={"occurred_at": "2026-02-06T21:27:34Z", "address": "ana@example.com", "reason": "manual"},
)
connector.sample(
    unsubscribed, CLEANED | {"data[reason]": "abuse"}, form=True, gives={"address": "ana@example.com", "reason": "spam report"}
)
connector.sample(
    address_failed, CLEANED, form=True, gives={"message_id": "cb398d21d2", "address": "ana@example.com", "lasting": True}
)
connector.sample(
    profile_changed,
    SUBSCRIBED | {"type": "profile"},
    form=True,
    asks=READ_ANA,
    reply=ANA,
    gives={"customer": {"phone": "+447700900123", "consents": {"email": True}}, "attributes": {"SHOP": "Leeds"}},
)
connector.sample(profile_changed, MOVED, form=True, asks=READ_ANA, reply=ANA, gives={"customer": {"email": "ana@example.com"}})
connector.sample(campaign_sent, SENT, form=True, gives={"campaign_id": "5aa2102003", "subject": "Your points"})
connector.sample(
    new_subscribers,
    "2026-02-06T00:00:00+00:00",
    asks=ask(f"GET {MEMBERS_AT}", query={"status": "subscribed", "since_timestamp_opt": "2026-02-06T00:00:00Z"}),
    reply={"members": [ANA], "total_items": 1},
    gives={"occurred_at": "2026-02-06T21:27:30Z", "address": "ana@example.com"},
)
connector.sample(
    unsubscribes,
    "2026-02-06T00:00:00+00:00",
    asks=ask(f"GET {MEMBERS_AT}", query={"status": "unsubscribed", "unsubscribed_since": "2026-02-06T00:00:00Z"}),
    reply={"members": [ANA | {"status": "unsubscribed", "unsubscribe_reason": "too many"}], "total_items": 1},
    gives={"occurred_at": "2026-02-06T21:27:34Z", "address": "ana@example.com", "reason": "too many"},
)
connector.sample(
    changed_profiles,
    "2026-02-06T00:00:00+00:00",
    asks=ask(f"GET {MEMBERS_AT}", query={"since_last_changed": "2026-02-06T00:00:00Z", "sort_dir": "DESC"}),
    reply={"members": [ANA], "total_items": 1},
    gives={"customer": {"last_name": "Blue"}, "status": "subscribed"},
)
connector.sample(
    sent_campaigns,
    "2026-02-06T00:00:00+00:00",
    asks=ask(f"GET {CAMPAIGNS}", query={"list_id": "a6b5da1054", "status": "sent", "since_send_time": "2026-02-06T00:00:00Z"}),
    reply={"campaigns": [SENT_CAMPAIGN]},
    gives={"occurred_at": "2026-02-06T21:27:34Z", "campaign_id": "5aa2102003", "subject": "Points"},
)
connector.sample(
    upsert_member,
    POINTS,
    asks=ask(f"PUT {ANA_AT}", json=NAMED | {"status_if_new": "transactional"}),
    reply=ANA,
    gives={"email": "ana@example.com", "status": "subscribed"},
)
connector.sample(
    upsert_member, {"email": "ana@example.com", "fields": {"POINTZ": 1}}, asks=f"PUT {ANA_AT}", reply=ANA, fails="lasting"
)
connector.sample(
    update_member,
    {"member": "a1b2", "fields": {"points": 120}},
    asks=ask(f"PATCH {MEMBERS_AT}/a1b2", json={"merge_fields": {"POINTS": 120}}),
    reply=ANA,
    gives={"status": "subscribed"},
)
connector.sample(
    as_member,
    {"customer": {"id": "a1b2"}, "fields": {"POINTS": 120, "TIER": None}},
    asks=ask(f"PATCH {MEMBERS_AT}/a1b2", json={"merge_fields": {"POINTS": 120, "TIER": ""}}),
    reply=ANA,
    gives={"member": "a1b2", "fields": {"POINTS": 120, "TIER": ""}},
)
connector.sample(
    member_fields,
    {"customer": {"id": "gone", "email": "ana@example.com"}, "fields": {"POINTS": 7, "TIER": None}},
    asks=[f"GET {MEMBERS_AT}/gone", READ_ANA],
    reply=[answers(404, {"title": "Resource Not Found", "status": 404}), ANA],
    gives={"id": ANA["contact_id"], "fields": {"POINTS": 120, "TIER": ""}},
)
connector.sample(
    import_members,
    POINTS,
    asks=[
        ask(IMPORT, json={"members": [NAMED | {"status": "transactional"}], "update_existing": False}),
        ask(IMPORT, json={"members": [NAMED], "update_existing": True}),
    ],
    reply=[IMPORTED | {"errors": [EXISTS], "error_count": 1}, IMPORTED | {"updated_members": [ANA], "total_updated": 1}],
    gives={"status": "subscribed"},
)
connector.sample(
    record_consent,
    {"email": "ana@example.com", "status": "opt-out"},
    asks=ask(f"PUT {ANA_AT}", json={"status": "unsubscribed", "status_if_new": "unsubscribed"}),
    reply=ANA | {"status": "unsubscribed"},
    gives={"status": "unsubscribed"},
)
connector.sample(
    record_consent,
    {"email": "ana@example.com", "status": "opt-in", "said_at": "2026-02-06T21:27:34Z"},
    asks=[
        ask(f"PUT {ANA_AT}", json={"status": "subscribed", "timestamp_opt": "2026-02-06T21:27:34Z"}),
        ask(f"PUT {ANA_AT}", json={"status": "pending", "status_if_new": "pending"}),
    ],
    reply=[answers(400, COMPLIANCE), ANA | {"status": "pending"}],
    gives={"status": "pending"},
    note="had left before",
)
connector.sample(
    add_tag,
    {"email": "ana@example.com", "tag": "gold"},
    asks=ask(f"POST {ANA_AT}/tags", json={"tags": [{"name": "gold", "status": "active"}], "is_syncing": False}),
    reply=answers(204),
    gives={"tagged": True},
)
connector.sample(
    remove_tag,
    {"email": "ana@example.com", "tag": "gold", "quietly": True},
    asks=ask(f"POST {ANA_AT}/tags", json={"tags": [{"name": "gold", "status": "inactive"}], "is_syncing": True}),
    reply=answers(204),
    gives={"tagged": False},
)
connector.sample(
    add_to_segment,
    PLACE,
    asks=[
        f"GET {SEGMENTS}",
        ask(f"POST {SEGMENTS}", json={"name": "Gold", "static_segment": []}),
        ask(f"POST {SEGMENTS}/91", json={"members_to_add": ["ana@example.com"]}),
    ],
    reply=[{"segments": [], "total_items": 0}, GOLD, {"members_added": [], "errors": [], "total_added": 1, "error_count": 0}],
    gives={"in_segment": True},
)
connector.sample(
    remove_from_segment,
    PLACE,
    asks=[f"GET {SEGMENTS}", ask(f"POST {SEGMENTS}/91", json={"members_to_remove": ["ana@example.com"]})],
    reply=[{"segments": [GOLD]}, {"members_removed": [], "errors": [], "total_removed": 1}],
    gives={"in_segment": False},
)
connector.sample(
    create_campaign,
    STATEMENT,
    asks=[
        ask(f"GET {CAMPAIGNS}", query={"list_id": "a6b5da1054"}),
        f"GET {SEGMENTS}",
        ask(
            f"POST {CAMPAIGNS}",
            json={
                "type": "regular",
                "recipients": {"list_id": "a6b5da1054", "segment_opts": {"saved_segment_id": 91}},
                "settings": {
                    "title": "Statement 2026-02",
                    "subject_line": "Your points",
                    "from_name": "Example Points",
                    "reply_to": "points@example.com",
                },
            },
        ),
        WRITTEN,
    ],
    reply=[{"campaigns": []}, {"segments": [GOLD]}, DRAFT, {}],
    gives={"id": "5aa2102003", "status": "save"},
)
connector.sample(
    send_campaign,
    {"campaign": "5aa2102003"},
    asks=[f"GET {CAMPAIGNS}/5aa2102003", f"POST {CAMPAIGNS}/5aa2102003/actions/send"],
    reply=[DRAFT, answers(204)],
    gives={"status": "sending"},
)
connector.sample(
    schedule_campaign,
    {"campaign": "5aa2102003", "at": "2026-03-01T08:01:00Z"},
    asks=[
        f"GET {CAMPAIGNS}/5aa2102003",
        ask(f"POST {CAMPAIGNS}/5aa2102003/actions/schedule", json={"schedule_time": "2026-03-01T08:15:00Z"}),
    ],
    reply=[DRAFT, answers(204)],
    gives={"status": "schedule"},
)
connector.sample(
    start_journey,
    {"to": "ana@example.com", "journey": "394", "step": "1273"},
    asks=ask("POST /3.0/customer-journeys/journeys/394/steps/1273/actions/trigger", json={"email_address": "ana@example.com"}),
    reply=answers(204),
)
