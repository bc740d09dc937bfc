"""Zoho CRM: hear of won deals, finished jobs, appointments, invoices and contacts, and keep contacts, notes and tags.

Setup:
1. api-console.zoho.com (of your data centre) > Add client > Server-based application, with the redirect URI that
   `hub connections authorize` shows, and Multi-DC on: copy the id to `client_id`, the secret to `client_secret`. Write the
   server at which you sign in to Zoho into `accounts_server` (https://accounts.zoho.eu in Europe), and run that command.
2. Write a long random text of letters and digits into `webhook_token`, and run `hub connections subscribe NAME`: it opens a
   channel to {webhook_url}/the-token, which the hub renews every day, for Zoho ends each after a week. A hub without a public
   address needs none: it asks for what was changed.
3. Say under `records` what your modules mean, and which fields say what, by API names (Setup > Developer Hub > APIs and SDKs >
   API names). Modules that are named are heard and asked for; unless you say otherwise, Contacts and Deals:
     records:
       Contacts: {means: customer, attributes: {fleet: Fleet_Size}}
       Deals: {means: deal, where: {Stage: [Closed Won, Signed]}}
       Invoices: {means: sale}
       Jobs: {means: job, where: {Status: Completed}, amount: Price, title: Name}
       Credit_Memos: {means: refund, amount: Amount, of: Invoice.id}
   They mean customer, deal, job, sale, refund, case or other. Known are Contacts, Leads, Accounts, Deals (Closed Won), Invoices
   (Paid) and Cases (Closed); what you say is laid over that. `Contact_Name.Email` is a field of the record that a field points
   to; who it was is read from Contact_Name, unless you say otherwise.
4. `currency` is the organisation's; leave it out where it uses several: then records name theirs. Set `appointments: false` if
   your edition has no appointments.
5. Points in a contact: add fields first (Setup > Modules and Fields > Contacts, for instance Loyalty_Points, a number).
6. A workflow rule that tells more: Setup > Automation > Actions > Webhooks: POST to {webhook_url}/the-token, body raw, JSON.
   Choose the merge fields with `#`; take ids and times alone, for a name with a quote in it would break the text:
     {"workflow": "vip", "module": "Contacts", "ids": ["${Contacts.Contact Id}"], "version": "${Contacts.Modified Time}"}
7. The same from a function (Setup > Developer Hub > Functions, with an argument `record_id` of type int), for buttons:

```deluge
told = Map();
told.put("workflow", "vip");
told.put("module", "Contacts");
told.put("ids", {record_id.toString()});
told.put("version", zoho.currenttime.toString("yyyy-MM-dd'T'HH:mm:ss"));
answer = invokeurl
[
    url :"{webhook_url}/the-token"
    type :POST
    parameters :told.toString()
    headers :{"Content-Type":"application/json"}
];
info answer;
```

   Without `workflow`, both say only that a record was changed, as the channel does.

What is told: nothing is signed, so the token in the address is all that proves it, and ids are all that is taken from what is
told: the record itself is fetched, unless it changed in fields alone that nobody reads. Each counts once, when it is what
`where` says, also one that has long been so and is changed again; a deal that is opened again is taken back by hand. A contact
counts as changed when what is read of it is new; fields of `mirror` are not read, and what the user `user_id` (one of the hub's
own) makes is no news. Mobile comes before Phone, which is often the switchboard of a company.

What goes out: values are written, never added up. Workflow rules do not run for them, unless `run_workflows` is set. A contact
is found by e-mail; where addresses are not unique in Zoho, the first that has it is taken. Zoho refuses single records with a
200: each has a result of its own here. A function may do what the hub does not see, such as send mail past consent.

Not confirmed: how often a channel calls again; that lists pass over fields that a module does not have; that notes of a record,
taking tags away and functions have the version of all else; that `Sub_Total` holds no tax; what a function that fails answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from hub.sdk import (
    Booking,
    CallFailed,
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
    Reply,
    Request,
    Settings,
    Shown,
    Unreadable,
    by_group,
    email,
    json_text,
)
from hub.sdk.declare import ask, auth, pages, rate, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.parameters import findings
from hub.sdk.reading import Place, Places, Reading, Table, reading_of, readings, text_of
from hub.sdk.record_triggers import hear_records
from hub.sdk.records import Record

Means = Literal["customer", "deal", "job", "sale", "refund", "case", "other"]


class ModuleReading(Reading):
    """What the records of a module mean."""

    means: Means
    customer: Places = ("Contact_Name.id",)
    email: Places = ("Contact_Name.Email", "Contact_Name.Secondary_Email")
    phone: Places = ("Contact_Name.Mobile", "Contact_Name.Phone")
    first_name: Place | None = "Contact_Name.First_Name"
    last_name: Place | None = "Contact_Name.Last_Name"
    currency: Place | None = "Currency"
    created: Place | None = "Created_Time"
    changed: Place | None = "Modified_Time"


def _who(of: str) -> dict[str, Any]:
    """Where a record says whom it is about: itself, or another to which it points."""
    addresses = {"email": (f"{of}Email", f"{of}Secondary_Email"), "phone": (f"{of}Mobile", f"{of}Phone")}
    return {"customer": (f"{of}id",), **addresses, "first_name": f"{of}First_Name", "last_name": f"{of}Last_Name"}


BOOKED_WITH = ("Appointment_Start_Time", "Service_Name.name", "Location", "Cancellation_Reason")
_PERSON = {"means": "customer", **_who(""), "no_email": ("Email_Opt_Out",)}
STANDARD: dict[str, dict[str, Any]] = {
    "Contacts": _PERSON,
    "Leads": _PERSON,
    "Accounts": {"means": "customer", "customer": ("id",), "phone": ("Phone",), "attributes": {"name": "Account_Name"}},
    "Deals": {
        "means": "deal",
        "where": {"Stage": "Closed Won"},
        "amount": "Amount",
        "title": "Deal_Name",
        "at": "Closing_Date",
    },
    "Invoices": {
        "means": "sale",
        "where": {"Status": "Paid"},
        "amount": "Sub_Total",
        "discount": "Discount",
        "total": "Grand_Total",
        "tax": "Tax",
        "number": "Invoice_Number",
        "references": {"order": "Sales_Order.id", "deal": "Deal_Name.id"},
    },
    "Cases": {
        "means": "case",
        "where": {"Status": "Closed"},
        "email": ("Contact_Name.Email", "Email"),
        "phone": ("Contact_Name.Mobile", "Phone"),
        "title": "Subject",
    },
    "Appointments__s": {
        "means": "other",
        "where": {"Status": ["Scheduled", "Completed", "Cancelled"]},
        **_who("Appointment_For."),
        "attributes": {name: name for name in BOOKED_WITH},
    },
}
# To what fields point that do not say so themselves; all others are taken to point to contacts.
POINTS_TO = {"Account_Name": "Accounts", "Deal_Name": "Deals", "Sales_Order": "Sales_Orders", "Invoice": "Invoices"}

Server = Literal[
    "https://accounts.zoho.com", "https://accounts.zoho.eu", "https://accounts.zoho.in", "https://accounts.zoho.com.au",
    "https://accounts.zoho.jp", "https://accounts.zoho.sa", "https://accounts.zoho.com.cn", "https://accounts.zohocloud.ca",
]  # fmt: skip
SCOPES = "ZohoCRM.modules.ALL,ZohoCRM.notifications.ALL,ZohoCRM.coql.READ,ZohoCRM.functions.execute.CREATE"
VERDICTS: dict[Any, Literal["reconnect", "passing", "uncertain"]] = {
    "OAUTH_SCOPE_MISMATCH": "reconnect",
    "RECORD_LOCKED": "passing",
    "INTERNAL_ERROR": "uncertain",
}


def _words(error: Mapping[str, Any]) -> str:
    """What Zoho says of a refusal, with the field that it is about."""
    details = error.get("details")
    about = details.get("api_name") if isinstance(details, Mapping) else None
    return f"{error.get('message') or 'it does not say why'} ({', '.join(filter(None, [error.get('code'), about]))})"


def _failure(reply: Reply) -> Failure | None:
    """What a record, or the call as a whole, came to stands in its `status`; of several records each has its own."""
    told = reply.find("")
    listed = next((told[name] for name in ("data", "watch") if told.get(name)), [told]) if isinstance(told, Mapping) else []
    error = listed[0] if isinstance(listed, list) and len(listed) == 1 else None
    if reply.status >= 500 or not isinstance(error, Mapping) or not _is_refusal(error):
        return None
    verdict = VERDICTS.get(error.get("code"))
    return Failure(verdict or "lasting", _words(error)) if verdict or reply.status not in {401, 429} else None


def _is_refusal(told: Mapping[str, Any]) -> bool:
    # A function that failed has a code, and no status.
    failed = told.keys() <= {"code", "message", "details"} and told.get("code", "success") != "success"
    return told.get("status") == "error" or failed


class Told(Payload):
    """A notice: which records of a module it is about. affected: the fields that changed, by the record."""

    module: Table
    ids: Annotated[list[str], BeforeValidator(lambda told: told if isinstance(told, list) else str(told).split(","))]
    operation: str = "update"
    workflow: str = ""
    version: str = ""
    channel: str = Field(alias="channel_id", default="")
    at: Moment | None = Field(alias="server_time", default=None)
    affected: list[dict[str, list[str]]] = Field(alias="affected_fields", default_factory=list)


def _items(request: Request, settings: Settings) -> Iterator[Item]:
    """One for each record; a channel, a workflow rule and a function tell alike."""
    try:
        told = Told.model_validate(request.content())
    except ValidationError as error:
        raise Unreadable(f"This notice cannot be read: {findings(error)}.") from None
    means = "booking" if told.module == "Appointments__s" else _reading(told.module, settings).means
    kind = "workflow" if told.workflow else f"{means} deleted" if told.operation == "delete" else means
    for number in map(str.strip, told.ids):
        changed = [name for one in told.affected for name in one.get(number, ())]
        data = {"module": told.module, "id": number, "changed": changed, "workflow": told.workflow, "version": told.version}
        problem = "" if number.isdecimal() else f"A record is named by its number, and this notice names {number[:40]!r}."
        yield Item(kind, data, id=f"{told.channel}/{number}", at=told.at, problem=problem)


def _reading(module: str, settings: Settings) -> ModuleReading:
    named: Mapping[str, ModuleReading] = settings["records"]
    return reading_of(module, named, ModuleReading, STANDARD)


RECORDS: dict[str, dict[str, Any]] = {
    **{name: {"means": STANDARD[name]["means"]} for name in ("Contacts", "Deals", "Invoices", "Cases")},
    "Repairs": {"means": "job", "where": {"Status": "Completed"}, "amount": "Price", "title": "Name"},
    "Credit_Memos": {"means": "refund", "amount": "Amount", "of": "Invoice.id"},
    "Visits": {"means": "other", "attributes": {"mood": "Mood"}},
}

connector = Connector(
    "zoho_crm",
    title="Zoho CRM",
    settings=setting("client_id", "API console > your client > Client Secret: the client id", example="1000.EXAMPLE")
    + secret("client_secret", "API console > your client > Client Secret: the client secret")
    + setting("accounts_server", "where you sign in to Zoho", Server, default="https://accounts.zoho.com")
    + secret("webhook_token", "a long random text of letters and digits, at the end of the webhook's address", required=False)
    + setting(
        "records",
        "what each module means, and which of its fields say what, by the module's API name",
        readings(ModuleReading, STANDARD),
        default={name: reading_of(name, {}, ModuleReading, STANDARD) for name in ("Contacts", "Deals")},
        example=RECORDS,
    )
    + setting("appointments", "hear of appointments (the module Appointments__s)", bool, default=True)
    + setting("currency", "the organisation's currency; not where it uses several", default=None, example="USD")
    + setting("user_id", "the id of the hub's own user; what it makes is no news", default=None, example="100009")
    + setting("run_workflows", "let workflow rules run for what the hub writes", bool, default=False)
    + secret("function_key", "the zapikey in the REST API address of your functions; else OAuth is used", required=False)
    + setting("api_version", "the version of Zoho's API", default="v8", example="v8"),
    api="https://www.zohoapis.com",
    auth=auth.oauth2(
        "{accounts_server}/oauth/v2/token",
        authorize="{accounts_server}/oauth/v2/auth",
        scopes=SCOPES,
        base="api_domain",
        prefix="Zoho-oauthtoken ",
        more={"access_type": "offline", "prompt": "consent"},
    ),
    signature=signature.token("webhook_token", path=True),
    envelope=_items,
    failures=_failure,
    rate=rate("5 per second"),
)

API = "/crm/{api_version}"
ONE = "/crm/{api_version}/{module}/{id}"


# What comes in --------------------------------------------------------------------------------------------------------


class Notice(Payload):
    """A record that changed. changed: in which fields, where that is told. found: how it is now, where a list brought it.

    workflow: the rule or function that sent it; version: when the record was changed then, or the function was run.
    """

    module: Table
    id: str
    changed: list[str] = Field(default_factory=list)
    found: dict[str, Any] | None = None
    workflow: str = ""
    version: str = ""


def _fetched(client: Client, module: str, id: str) -> dict[str, Any] | None:  # noqa: A002
    """The record as it is now; None when it is there no longer, which is answered by nothing at all."""
    rows = (client.find(ONE, at={"module": module, "id": id}) or {}).get("data")
    return dict(rows[0]) if rows else None


def _joined(client: Client, row: Mapping[str, Any], places: Iterable[str]) -> dict[str, Any]:
    """The record, with those to which it points, as far as more is read of them than who they are."""
    whole = dict(row)
    for name, _, inner in (place.partition(".") for place in places):
        link = whole.get(name)
        if inner and isinstance(link, Mapping) and link.get("id") and "joined" not in link and inner not in link:
            told = link.get("module")
            module = (told.get("api_name") if isinstance(told, Mapping) else told) or POINTS_TO.get(name, "Contacts")
            whole[name] = {**link, **(_fetched(client, module, str(link["id"])) or {}), "joined": True}
    return whole


def _read(reading: ModuleReading, connection: Connection) -> list[str]:
    """The places of a module that are read; what the hub itself writes is none."""
    ours = set(connection.mirror.values())
    return [place for place in reading.places(connection.settings["currency"]) if place not in ours]


def _record(notice: Notice, connection: Connection, client: Client | None) -> Record | None:
    """The record, whole; None when it is not what its reading asks for, or is no news: changed where nobody reads, or ours."""
    settings, reading = connection.settings, _reading(notice.module, connection.settings)
    places = _read(reading, connection)
    if notice.changed and not {place.partition(".")[0] for place in places} & set(notice.changed):
        return None
    row = notice.found or (_fetched(client, notice.module, notice.id) if client else None)
    if row is None or client is None:
        return None
    ours, whole = connection.mirror.values(), _joined(client, row, reading.where)
    record = Record(notice.module, notice.id, whole, reading, currency=settings["currency"], ours=ours)
    # Who changed it last says little: somebody else's change may stand behind that one. What was only made is ours.
    is_untouched = record.said("Created_Time") == record.said("Modified_Time")
    is_ours = is_untouched and record.said("Created_By.id") == (settings["user_id"] or "nobody")
    return replace(record, columns=_joined(client, whole, places)) if record.holds() and not is_ours else None


@connector.trigger("customer deleted", key="customer.id")
def contact_deleted(notice: Notice) -> CustomerChanged:
    """A contact was deleted."""
    return CustomerChanged(customer=Customer(id=notice.id), deleted=True)


STATUSES: dict[str, Literal["booked", "completed", "cancelled"]] = {
    "Scheduled": "booked",
    "Completed": "completed",
    "Cancelled": "cancelled",
}
CANCELLED_BY: dict[str, Literal["customer", "business"]] = {"By Customer": "customer", "By Team": "business"}


@connector.trigger("booking", key=("booking_id", "status"))
def booking_changed(notice: Notice, connection: Connection, client: Client) -> Booking | None:
    """An appointment was booked, kept or cancelled; at a new time it is the same booking."""
    record = _record(notice, connection, client)
    status = STATUSES.get(record.said("Status")) if record else None
    if record is None or status is None:
        return None
    return Booking(
        **record.known("booking"),
        booking_id=record.id,
        status=status,
        cancelled_by=CANCELLED_BY.get(record.said("Cancellation_Reason"), "") if status == "cancelled" else "",
        starts_at=record.said("Appointment_Start_Time") or None,
        service=record.said("Service_Name.name")[:512] or None,
        location=record.said("Location")[:512] or None,
    )


class WorkflowReached(CustomerChanged):
    """A record came to a step of a workflow. workflow: as it calls itself; object_id: of the record."""

    workflow: Short
    module: Short
    object_id: Short
    version: Short


@connector.trigger("workflow", key=("workflow", "module", "object_id", "version"))
def workflow_reached(notice: Notice, connection: Connection, client: Client) -> WorkflowReached | None:
    """A workflow rule or a function sent one of its records."""
    reading = _reading(notice.module, connection.settings)
    row = _fetched(client, notice.module, notice.id)
    if row is None:
        return None
    record = Record(notice.module, notice.id, _joined(client, row, _read(reading, connection)), reading)
    texts = {name: record.said(name, f"{name}.name") for name in row if not name.startswith("$")}
    return WorkflowReached(
        occurred_at=record.when(),
        customer=record.customer(),
        attributes={name: text[:10_000] for name, text in texts.items() if text},
        workflow=notice.workflow,
        module=notice.module,
        object_id=notice.id,
        version=notice.version or record.said("Modified_Time"),
    )


def _if_modified(since: datetime) -> dict[str, str]:
    return {"If-Modified-Since": since.astimezone(UTC).isoformat(timespec="seconds")}


def _listed(client: Client, settings: Settings, module: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    """The records of a module that were changed since a moment, the oldest change first."""
    places = _reading(module, settings).places(settings["currency"])
    names = dict.fromkeys(place.partition(".")[0] for place in (*places, "Created_Time", "Modified_Time", "Created_By"))
    query = {"fields": ",".join(names), "sort_by": "Modified_Time", "sort_order": "asc", "per_page": 200}
    turned = pages.cursor("page_token", "info.next_page_token", more="info.more_records")
    path, headers = f"{API}/{module}", _if_modified(since)
    for row in client.pages(path, items="data", next=turned, query=query, headers=headers):
        yield {"module": module, "id": row["id"], "found": row}


def _since(client: Client, settings: Settings, since: datetime, means: str) -> Iterator[Mapping[str, Any]]:
    for module, reading in settings["records"].items():
        if reading.means == means and module != "Appointments__s":
            yield from _listed(client, settings, module, since)


TOLD = hear_records(connector, Notice, _record, _since, fetch_if="", without=("invoice", "activity"))


@connector.pull(booking_changed)
def appointments_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Appointments that were made or changed since a moment."""
    return _listed(client, settings, "Appointments__s", since) if settings["appointments"] else iter(())


@connector.pull(contact_deleted)
def deletions_since(client: Client, settings: Settings, since: datetime) -> Iterator[Item]:
    """Contacts that were deleted since a moment."""
    query, headers, turned = {"type": "all", "per_page": 200}, _if_modified(since), pages.page_number(size=200)
    for module in (name for name, reading in settings["records"].items() if reading.means == "customer"):
        path = f"{API}/{module}/deleted"
        for row in client.pages(path, items="data", next=turned, query=query, headers=headers):
            at = datetime.fromisoformat(row["deleted_time"])
            yield Item("customer deleted", {"module": module, "id": row["id"]}, at=at)


def _channel(connection: Connection) -> int:
    """The channel's number, which is ours to choose: the same for the same address, and no other hub's."""
    return int.from_bytes(hashlib.sha256(connection.webhook_url.encode()).digest()[:6], "big")


@connector.subscribe(renew="1 day")
def subscribe(client: Client, connection: Connection) -> None:
    """Opens the channel, or keeps it open for most of another week."""
    kept = connection.settings.secret("webhook_token")
    token = kept.reveal() if kept else ""
    if not re.fullmatch(r"[\w-]{16,}", token, re.ASCII):
        raise CallFailed(
            "Write 16 random letters and digits or more into `webhook_token`: nothing else proves a notice.", "lasting"
        )
    modules = [*connection.settings["records"], *(["Appointments__s"] if connection.settings["appointments"] else [])]
    channel = {
        "channel_id": _channel(connection),
        "events": [f"{module}.all" for module in dict.fromkeys(modules)],
        "channel_expiry": (client.now() + timedelta(days=6)).isoformat(timespec="seconds"),
        "notify_url": f"{connection.webhook_url}/{token}",
        "notify_on_related_action": False,
    }
    client.post(f"{API}/actions/watch", json={"watch": [channel]})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Closes the channel."""
    client.delete(f"{API}/actions/watch", query={"channel_ids": _channel(connection)})


# What goes out --------------------------------------------------------------------------------------------------------

RecordId = Annotated[str, Field(description="the record's id, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
Module = Annotated[str, Field(description="the record's module, by its API name", pattern=r"^[A-Za-z]\w{0,99}$")]
Texts = Annotated[dict[str, str], Field(description="texts by the fields' API names; an empty one clears the field")]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the fields' API names, such as {{ member.balance }}")
]
Tag = Annotated[str, Field(description="the tag's name", min_length=1, max_length=25)]


class Values(BaseModel):
    """What a record shall hold."""

    fields: Texts = Field(default_factory=dict)
    numbers: Numbers = Field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """As Zoho takes it: it wants numbers as numbers, and null for a field that is cleared."""
        return {**{name: text or None for name, text in self.fields.items()}, **self.numbers}


class Change(Values):
    """A record that is there."""

    record: RecordId
    module: Module = "Contacts"


class Contact(Values):
    """A contact that is there, or shall be."""

    email: Annotated[str, Field(description="the e-mail address by which the contact is found, or made", pattern=r"^\S+@\S+$")]
    last_name: Annotated[str, Field(description="the last name, without which Zoho makes no new contact")] = ""
    first_name: Annotated[str, Field(description="the first name")] = ""
    phone: Annotated[str, Field(description="the mobile number")] = ""


class Kept(BaseModel):
    """A record as Zoho keeps it. is_new: it was not there before."""

    id: str
    is_new: bool = False


def _kept(
    client: Client, settings: Settings, call: str, rows: Mapping[str, Mapping[str, Any]], **more: Any
) -> dict[str, Kept | CallFailed]:
    """What came of each row; whatever the status of the whole, each has one of its own."""
    method, _, path = call.partition(" ")
    body = {"data": [Exactly(row) for row in rows.values()], **({} if settings["run_workflows"] else {"trigger": []}), **more}
    told = client.call(method, API + path, json=body).find("data") or []
    if len(told) != len(rows):
        raise CallFailed(f"Zoho CRM was given {len(rows)} records and answered for {len(told)}.", "uncertain")
    return {key: _outcome(row) for key, row in zip(rows, told, strict=True)}


def _outcome(row: Mapping[str, Any]) -> Kept | CallFailed:
    if row.get("status") == "error":
        return CallFailed(f"Zoho CRM did not keep it: {_words(row)}.", VERDICTS.get(row.get("code"), "lasting"))
    return Kept(id=str(row["details"]["id"]), is_new=row.get("action") == "insert")


@connector.action(repeat="safe", batch=100)
def update_record(client: Client, settings: Settings, changes: list[Change]) -> list[Kept | CallFailed]:
    """Set fields of a contact, such as its points and tier, or of a record of another module."""
    wanted = [(one.module, one.record, {"id": one.record, **one.values()}) for one in changes]
    return by_group(wanted, lambda module, rows: _kept(client, settings, f"PUT /{module}", rows))


@connector.action(repeat="safe", batch=100)
def upsert_contact(client: Client, settings: Settings, contacts: list[Contact]) -> list[Kept | CallFailed]:
    """Set names and fields of the contact with an e-mail address; makes the contact where there is none."""
    wanted = []
    for one in contacts:
        named = {"Email": one.email, "Last_Name": one.last_name, "First_Name": one.first_name, "Mobile": one.phone}
        row = {**{name: text for name, text in named.items() if text}, **one.values()}
        wanted.append(("POST /Contacts/upsert", one.email.casefold(), row))
    return by_group(wanted, lambda call, rows: _kept(client, settings, call, rows, duplicate_check_fields=["Email"]))


@connector.mirror(update_record)
def as_contact(one: Mirrored) -> dict[str, Any] | None:
    """The contact that shows a member's points."""
    known = (one.customer.id or "").isdecimal()
    return {"record": one.customer.id, "fields": one.others, "numbers": one.numbers} if known else None


@connector.mirrored(batch=50)
def contact_fields(client: Client, many: list[Mirrored]) -> list[Shown | None]:
    """What contacts' fields say; a contact whose id is not known is found by its address, the oldest of several."""
    asked = list(dict.fromkeys(field for one in many for field in one.fields))
    if wrong := [field for field in asked if not re.fullmatch(r"[A-Za-z]\w*", field)]:
        raise CallFailed(f"`{wrong[0]}` is no field of Zoho's; `mirror` should have API names.", "lasting")
    numbers = [one.customer.id for one in many if (one.customer.id or "").isdecimal()]
    addresses = [email(one.customer.email) for one in many if not (one.customer.id or "").isdecimal()]
    known = {"id": list(filter(None, numbers)), "Email": list(filter(None, addresses))}
    chosen = [f"{place} in ({', '.join(map(_quoted, texts))})" for place, texts in known.items() if texts]
    if not chosen:
        return [None] * len(many)
    where = f"({chosen[0]}) or ({chosen[1]})" if len(chosen) > 1 else chosen[0]
    selected = ", ".join(dict.fromkeys(["id", "Email", *asked]))
    query = f"select {selected} from Contacts where {where} order by id desc limit 0, 200"  # noqa: S608
    rows = (client.post(f"{API}/coql", json={"select_query": query}, safe=True) or {}).get("data") or []
    by = {name: row for row in rows for name in (row["id"], email(row.get("Email"))) if name}
    found = [by.get(one.customer.id or "") or by.get(email(one.customer.email) or "") for one in many]
    return [Shown({field: row.get(field) for field in asked}, row["id"]) if row else None for row in found]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Noted(Payload):
    """A note in Zoho CRM."""

    id: str


@connector.action(repeat="never")
def add_note(
    client: Client,
    *,
    record: RecordId,
    text: Annotated[str, Field(description="what to write", min_length=1, max_length=30_000)],
    title: Annotated[str, Field(description="the note's title", max_length=120)] = "Loyalty",
    module: Module = "Contacts",
) -> Noted:
    """Write a note on a contact, or on a record of another module."""
    note = {"Parent_Id": {"module": {"api_name": module}, "id": record}, "Note_Title": title, "Note_Content": text}
    told = client.post(f"{API}/Notes", json={"data": [note]})
    return Noted.model_validate(told["data"][0]["details"])


@connector.lookup(add_note)
def noted_before(client: Client, started: datetime, *, record: str, text: str, module: str) -> Noted | None:
    """Zoho has no idempotency key; what tells a note is whose it is, since when, and its text."""
    asked = {"fields": "Note_Content,Created_Time", "per_page": 200}
    told = client.get(f"{ONE}/Notes", at={"module": module, "id": record}, query=asked) or {}
    for row in told.get("data") or ():
        is_later = datetime.fromisoformat(row["Created_Time"]) >= started - timedelta(minutes=1)
        if is_later and str(row.get("Note_Content")).split() == text.split():
            return Noted.model_validate(row)
    return None


class Tagged(BaseModel):
    """Whether a record has a tag now."""

    tagged: bool


@connector.action(repeat="safe")
def add_tag(client: Client, *, record: RecordId, tag: Tag, module: Module = "Contacts") -> Tagged:
    """Give a contact, or a record of another module, a tag."""
    client.post(f"{ONE}/actions/add_tags", at={"module": module, "id": record}, json={"tags": [{"name": tag}]})
    return Tagged(tagged=True)


@connector.action(repeat="safe")
def remove_tag(client: Client, *, record: RecordId, tag: Tag, module: Module = "Contacts") -> Tagged:
    """Take a tag from a contact, or from a record of another module."""
    client.post(f"{ONE}/actions/remove_tags", at={"module": module, "id": record}, json={"tags": [{"name": tag}]})
    return Tagged(tagged=False)


class Returned(BaseModel):
    """What a function gave back."""

    output: str


@connector.action(repeat="never")
def call_function(
    client: Client,
    settings: Settings,
    *,
    function: Annotated[str, Field(description="the function's API name", pattern=r"^[A-Za-z]\w*$")],
    arguments: Annotated[dict[str, str], Field(description="its arguments by name")] = {},  # noqa: B006  # never changed
) -> Returned:
    """Run a function of yours (Setup > Developer Hub > Functions, with its REST API switched on)."""
    key = settings.secret("function_key")
    query = {"auth_type": "apikey" if key else "oauth", "zapikey": key}
    path = f"{API}/functions/{function}/actions/execute"
    reply = client.call("POST", path, query=query, form={"arguments": json_text(arguments)})
    output = text_of(reply.find("details.output"))
    # It may write an answer of its own.
    said = output if reply.find("code") == "success" else reply.body.decode("utf-8", "replace")
    return Returned(output=client.struck(said)[:10_000])


# Recorded truth -------------------------------------------------------------------------------------------------------

SINCE = "2026-02-06T00:00:00+00:00"
NOTIFIED = {
    "server_time": 1770413254123,
    "query_params": {},
    "module": "Contacts",
    "resource_uri": "https://www.zohoapis.com/crm/v8/Contacts",
    "ids": ["501"],
    "affected_fields": [{"501": ["Email"]}],
    "operation": "update",
    "channel_id": "1000000068001",
}
REACHED = {"workflow": "vip", "module": "Contacts", "ids": ["501"], "version": "2026-02-06T21:27:34+00:00"}
SAM = {"id": "100001", "name": "Sam", "email": "sam@example.com"}
TIMES = {"Created_Time": "2026-02-06T21:20:00+00:00", "Modified_Time": "2026-02-06T21:27:34+00:00", "Modified_By": SAM}
BY_ADA: dict[str, Any] = {**TIMES, "Contact_Name": {"id": "501", "name": "Ada Ng"}}
ADA = {
    **TIMES,
    "id": "501",
    "Email": "ada@example.com",
    "Mobile": "+14155550123",
    "Phone": "+14155550100",
    "First_Name": "Ada",
    "Last_Name": "Ng",
    "Email_Opt_Out": False,
}
DEAL = BY_ADA | {"id": "9001", "Deal_Name": "Fleet of six", "Stage": "Closed Won", "Amount": 1250.5}
JOB = BY_ADA | {"id": "601", "Name": "Brakes", "Status": "Completed", "Price": 240}
COSTS = {"Sub_Total": 110, "Discount": 10, "Tax": 9.5, "Grand_Total": 109.5, "Sales_Order": {"id": "810", "name": "SO-7"}}
INVOICE = BY_ADA | COSTS | {"id": "801", "Status": "Paid", "Invoice_Number": "INV-7"}
MEMO = BY_ADA | {"id": "851", "Amount": 20.5, "Invoice": {"id": "801", "name": "INV-7"}}
CASE = BY_ADA | {"id": "901", "Status": "Closed", "Subject": "Where is my reward?"}
VISIT = BY_ADA | {"id": "951", "Mood": "Fine"}
BOOKED = {
    **TIMES,
    "id": "701",
    "Status": "Scheduled",
    "Appointment_For": {"id": "501", "name": "Ada Ng", "module": "Contacts"},
    "Appointment_Start_Time": "2026-02-10T10:00:00+01:00",
    "Service_Name": {"id": "709", "name": "Oil change"},
}
LAST = {"more_records": False, "page": 1, "per_page": 200, "count": 1}
V = "/crm/v8"
GET_ADA = f"GET {V}/Contacts/501"
HER = {"id": "501", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada"}
DONE = {"code": "SUCCESS", "status": "success", "message": "record updated", "details": {"id": "501"}}
MISSING = {"code": "MANDATORY_NOT_FOUND", "status": "error", "message": "required field not found"}
NO_NAME = {**MISSING, "details": {"api_name": "Last_Name"}}
POINTS = {"record": "501", "numbers": {"Loyalty_Points": 120}, "fields": {"Loyalty_Tier": "Gold"}}
SHOWN = {"fields": {"Loyalty_Points": 120, "Loyalty_Tier": None}}
NOTE = {"record": "501", "text": "Redeemed: oil change"}
NOTED = {**DONE, "details": {**TIMES, "id": "990", "Created_By": SAM}}
NOTES = [
    {"id": str(number), "Note_Content": text, "Created_Time": f"2026-0{month}-06T21:28:00+00:00"}
    for number, text, month in ((1, "Another", 2), (2, NOTE["text"], 1), (3, NOTE["text"], 2))
]
TAG = {"record": "501", "tag": "gold"}
TAGGED = {"data": [DONE | {"details": {"id": "501", "tags": []}}]}
RUN = {"function": "give_voucher", "arguments": {"email": "ada@example.com"}}
EXECUTE = ask(
    f"POST {V}/functions/give_voucher/actions/execute",
    query={"auth_type": "apikey"},
    form={"arguments": '{"email":"ada@example.com"}'},
)


def _told(module: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return NOTIFIED | {"module": module, "ids": [record["id"]], "affected_fields": []}


def _about(module: str, record: Mapping[str, Any], trigger: str, pull: str, **gives: Any) -> None:
    """A record as it is told and fetched, and as it is found in a list; both times its contact is looked up."""
    at, ada = f"GET {V}/{module}/{record['id']}", {"data": [ADA]}
    heard = TOLD | {"booking_changed": booking_changed, "appointments_since": appointments_since}
    connector.sample(heard[trigger], _told(module, record), asks=[at, GET_ADA], reply=[{"data": [record]}, ada], gives=gives)
    found = ask(f"GET {V}/{module}", query={"sort_by": "Modified_Time"}, headers={"If-Modified-Since": SINCE})
    connector.sample(heard[pull], SINCE, asks=[found, GET_ADA], reply=[{"data": [record], "info": LAST}, ada], gives=gives)


_about("Deals", DEAL, "deal_won", "deals_since", deal_id="9001", amount="1250.5", currency="USD", customer=HER)
_about("Repairs", JOB, "job_completed", "jobs_since", job_id="601", amount="240", currency="USD", title="Brakes", customer=HER)
_about("Invoices", INVOICE, "sale_made", "sales_since", amount="100", total="109.5", tax="9.5", order_id="INV-7", customer=HER)
_about("Credit_Memos", MEMO, "refund_made", "refunds_since", refund_id="851", amount="20.5", currency="USD", customer=HER)
_about("Cases", CASE, "case_closed", "cases_since", ticket_id="901", subject="Where is my reward?", customer=HER)
_about("Visits", VISIT, "record_changed", "records_since", table="Visits", row_id="951", fields={"mood": "Fine"}, customer=HER)
_about(
    "Appointments__s",
    BOOKED,
    "booking_changed",
    "appointments_since",
    booking_id="701",
    status="booked",
    starts_at="2026-02-10T09:00:00Z",
    service="Oil change",
    customer=HER,
)
connector.sample(
    TOLD["deal_won"],
    _told("Deals", DEAL),
    asks=f"GET {V}/Deals/9001",
    reply={"data": [DEAL | {"Stage": "Negotiation"}]},
    gives=None,
    note="not won yet",
)
connector.sample(
    TOLD["contact_changed"], NOTIFIED, asks=GET_ADA, reply={"data": [ADA]}, gives={"customer": HER | {"last_name": "Ng"}}
)
connector.sample(
    TOLD["contacts_since"],
    SINCE,
    asks=[
        ask(f"GET {V}/Contacts", headers={"If-Modified-Since": SINCE}),
        ask(f"GET {V}/Contacts", query={"page_token": "next-1"}),
    ],
    reply=[
        {"data": [ADA], "info": LAST | {"more_records": True, "next_page_token": "next-1"}},
        {"data": [ADA | {"id": "502"}], "info": LAST},
    ],
    gives=[{"customer": {"id": "501"}}, {"customer": {"id": "502"}}],
)
connector.sample(
    contact_deleted,
    NOTIFIED | {"operation": "delete", "affected_fields": []},
    gives={"deleted": True, "customer": {"id": "501"}},
)
connector.sample(
    deletions_since,
    SINCE,
    asks=ask(f"GET {V}/Contacts/deleted", query={"type": "all"}, headers={"If-Modified-Since": SINCE}),
    reply={"data": [{"id": "503", "type": "recycle", "deleted_time": "2026-02-06T21:27:34+00:00"}], "info": LAST},
    gives={"deleted": True, "customer": {"id": "503"}},
)
connector.sample(
    workflow_reached,
    REACHED,
    asks=GET_ADA,
    reply={"data": [ADA]},
    gives={"workflow": "vip", "object_id": "501", "version": "2026-02-06T21:27:34+00:00", "customer": HER},
)
connector.sample(
    update_record,
    POINTS,
    asks=ask(f"PUT {V}/Contacts", json={"data": [{"id": "501", "Loyalty_Points": 120, "Loyalty_Tier": "Gold"}], "trigger": []}),
    reply={"data": [DONE]},
    gives={"id": "501", "is_new": False},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com", "last_name": "Ng", "numbers": {"Loyalty_Points": 120}},
    asks=ask(
        f"POST {V}/Contacts/upsert",
        json={
            "data": [{"Email": "ada@example.com", "Last_Name": "Ng", "Loyalty_Points": 120}],
            "duplicate_check_fields": ["Email"],
        },
    ),
    reply={"data": [DONE | {"action": "insert"}]},
    gives={"id": "501", "is_new": True},
)
connector.sample(
    upsert_contact,
    {"email": "ada@example.com"},
    asks=f"POST {V}/Contacts/upsert",
    reply={"data": [NO_NAME]},
    fails="lasting",
    note="a 200 that is none",
)
connector.sample(
    as_contact,
    {"customer": {"id": "501"}, **SHOWN},
    asks=ask(f"PUT {V}/Contacts", json={"data": [{"id": "501", "Loyalty_Points": 120}]}),
    reply={"data": [DONE]},
    gives={"record": "501", "numbers": {"Loyalty_Points": 120}, "fields": {"Loyalty_Tier": ""}},
)
connector.sample(
    contact_fields,
    {"customer": {"email": "ada@example.com"}, **SHOWN},
    asks=ask(
        f"POST {V}/coql",
        json={
            "select_query": "select id, Email, Loyalty_Points, Loyalty_Tier from Contacts "
            "where Email in ('ada@example.com') order by id desc limit 0, 200"
        },
    ),
    reply={"data": [{"id": "501", "Email": "Ada@example.com", "Loyalty_Points": 120, "Loyalty_Tier": None}], "info": LAST},
    gives={"id": "501", **SHOWN},
)
connector.sample(
    add_note,
    NOTE,
    asks=ask(
        f"POST {V}/Notes",
        json={
            "data": [{"Parent_Id": {"module": {"api_name": "Contacts"}, "id": "501"}, "Note_Content": "Redeemed: oil change"}]
        },
    ),
    reply={"data": [NOTED]},
    gives={"id": "990"},
)
connector.sample(
    noted_before,
    NOTE,
    asks=f"{GET_ADA}/Notes",
    reply={"data": NOTES},
    gives={"id": "3"},
)
connector.sample(
    add_tag,
    TAG,
    asks=ask(f"POST {V}/Contacts/501/actions/add_tags", json={"tags": [{"name": "gold"}]}),
    reply=TAGGED,
    gives={"tagged": True},
)
connector.sample(
    remove_tag,
    TAG,
    asks=ask(f"POST {V}/Contacts/501/actions/remove_tags", json={"tags": [{"name": "gold"}]}),
    reply=TAGGED,
    gives={"tagged": False},
)
connector.sample(
    call_function,
    RUN,
    asks=EXECUTE,
    reply={"code": "success", "details": {"output": "V-7", "output_type": "string"}, "message": "function executed"},
    gives={"output": "V-7"},
)
