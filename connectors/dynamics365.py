"""Dynamics 365: hear of won deals, paid invoices, jobs, people and flows, and keep points, rows, notes and activities.

Setup:
1. entra.microsoft.com > App registrations > New: copy the application id to `client_id`, the directory id to `tenant_id`, and
   under Certificates & secrets a secret to `client_secret` (it ends after two years at most). admin.powerplatform.com > your
   environment > Settings > Application users > New: that app, with a security role. Write the environment's host into `host`
   (acme.crm4.dynamics.com), and the id of the application user into `user_id`.
2. Say under `records` what your tables mean, and which columns say what, by their logical names (`_x_value` is a lookup's id,
   `parentcontactid.emailaddress1` a column of the row that a lookup leads to):
     records:
       opportunity: {means: deal}
       new_repairinvoice: {means: sale, where: {new_status: 100000002}, amount: new_net, number: new_name,
                           customer: _new_contact_value, email: new_Contact.emailaddress1, references: {job: _new_job_value}}
       new_creditnote: {means: refund, amount: new_amount, of: _new_invoice_value}
   They mean sale, refund, invoice (not paid yet), job, deal, case, customer, activity (points elsewhere) or other. Known are
   opportunity, invoice, incident, msdyn_workorder, contact, account, lead; what you say is laid over that. `rows` names the
   table's entity set where it is no usual plural, `key` its id column. Tables that are named here are asked for every ten
   minutes, too; others are only heard, unknown ones as `record_changed`.
3. Webhooks: write a long random text into `webhook_key`, and the organisation's id into `account_id`. The hub registers
   {webhook_url} for the tables of step 2 by itself, if the role allows it. By hand: Plug-in Registration Tool > Register New
   Web Hook, authentication WebhookKey with that text; a step each for Create, Update and Delete, PostOperation, asynchronous.
4. Power Automate instead: "When a row is added, modified or deleted", then HTTP (premium), POST to {webhook_url}, the header
   X-Webhook-Key with that text, and this body, with the whole row:
     {"run_id": "@{workflow()['run']['name']}", "table": "opportunity", "occurred_at": "@{utcNow()}",
      "record": @{triggerOutputs()?['body']}}
   A flow may tell anything else, too: {"run_id": …, "event": "vip", "email": …, "contact_id": …, "fields": {"amount": …}}.
5. Points in contacts: add the columns first; tiers that are choices need `choices: {new_tier: {Gold: 100000001}}`. To find
   people by a key of your own, define it in Dataverse (Keys), and wait until it is active.
6. Tables of a loyalty add-on, under names of your own for recipes; `key` is the column of an alternate key, for the step's:
     tables:
       entry: {rows: new_pointsentries, key: new_hubkey, columns: {points: new_points, reason: new_reason},
               links: {contact: {by: new_Contact, rows: contacts}}}
   `activity: {rows: new_loyaltyactivities, table: new_loyaltyactivity, points: new_points}` names an activity of your own.
7. A flow of yours that the hub starts, "When an HTTP request is received", for anyone: of its URL `flow_url` is all before
   &sig=, `flow_signature` what stands after it.

What is told: each record once, when it is what `where` says; what becomes of it then changes nothing. Updates bring changed
columns only, and large ones none: what is missing is fetched. A contact counts as changed when what is read of it is new;
columns of `mirror` are not read, and of other rows what `user_id` changes is left out. Dataverse tries again once at most: what
is lost is found by asking. Nothing is signed: the key is the proof.

What goes out: rows are written by ids that the step gives, so that twice is once. Many rows of a table go out as one; of those
that Dataverse refuses together the wrong one is found. Texts go into `fields`, numbers into `numbers`; an empty text clears. A
flow may do what the hub does not see, such as write to people past consent and quiet hours.

Not confirmed: states and amounts of work orders; how steps are registered by the API; how choices and money are told by
webhooks; how a flow's HTTP step repeats. Flows for users of the tenant alone cannot be started.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

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
    Reply,
    Request,
    RowChanged,
    Settings,
    Shown,
    Unreadable,
    by_group,
    email,
    names,
    tell_apart,
)
from hub.sdk.declare import answers, ask, auth, rate, reply, secret, setting, signature
from hub.sdk.decode import unescaped
from hub.sdk.parameters import findings
from hub.sdk.reading import Place, Reading, Table, Wanted, reading_of, readings, text_of
from hub.sdk.record_triggers import hear_records
from hub.sdk.records import Record


class TableReading(Reading):
    """What the rows of a table mean. rows: its entity set; key: the column of its ids."""

    currency: Place | None = "transactioncurrencyid.isocurrencycode"
    created: Place | None = "createdon"
    changed: Place | None = "modifiedon"
    rows: Table | None = None
    key: Table | None = None

    @model_validator(mode="after")
    def _is_near(self) -> TableReading:
        if far := [place for place in self.places(None) if place.count(".") > 1]:
            raise ValueError(f"{far[0]} leads over two lookups, and one is the most")
        return self


def _who(by: str, *customer: str) -> dict[str, Any]:
    """Where a row says whom it is about, and where the contact (or the row itself) says who that is."""
    addresses = {"email": (f"{by}emailaddress1",), "phone": (f"{by}mobilephone", f"{by}telephone1")}
    return {"customer": customer, **addresses, "first_name": f"{by}firstname", "last_name": f"{by}lastname"}


_REFUSED = {"no_email": ("donotemail", "donotbulkemail")}
STANDARD: dict[str, dict[str, Any]] = {
    "opportunity": {
        "means": "deal",
        "where": {"statecode": 1},
        **_who("parentcontactid.", "_parentcontactid_value", "_parentaccountid_value"),
        "amount": "actualvalue",
        "title": "name",
        "at": "actualclosedate",
    },
    "invoice": {
        "means": "sale",
        "where": {"statecode": 2},
        **_who("customerid_contact.", "_customerid_value"),
        "amount": "totalamountlessfreight",
        "total": "totalamount",
        "tax": "totaltax",
        "number": "invoicenumber",
    },
    "incident": {
        "means": "case",
        "where": {"statecode": 1},
        **_who("customerid_contact.", "_customerid_value"),
        "title": "title",
    },
    "msdyn_workorder": {
        "means": "job",
        "where": {"msdyn_systemstatus": [690970003, 690970004]},
        "customer": ("_msdyn_reportedbycontact_value", "_msdyn_serviceaccount_value"),
        "amount": "msdyn_subtotalamount",
        "title": "msdyn_name",
    },
    "contact": {"means": "customer", **_who(""), **_REFUSED},
    "account": {"means": "customer", "email": "emailaddress1", "phone": "telephone1", "attributes": {"name": "name"}},
    "lead": {"means": "customer", **_who("", "_parentcontactid_value", "leadid"), **_REFUSED},
}


class Link(BaseModel):
    """A lookup. by: its navigation property, which minds capitals; rows: the entity set to which it leads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Table
    rows: Table


class OwnTable(BaseModel):
    """A table of a loyalty add-on. key: the column of an alternate key; columns, links: by the names that recipes use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Table
    key: Table
    columns: dict[str, Table] = Field(default_factory=dict)
    links: dict[str, Link] = Field(default_factory=dict)


class Activity(BaseModel):
    """The kind of activity that tells of points. points: its column for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: Table = "tasks"
    table: Table = "task"
    points: Table | None = None


def _guid(text: str) -> str:
    """The form in which ids are compared."""
    return text.strip("{} ").lower()


Guid = Annotated[str, AfterValidator(_guid)]
GUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = re.compile(r"/Date\((-?\d{1,14})([+-]\d{4})?\)/")


def _plain(value: Any) -> Any:
    """A value as the Web API has it: of a date the moment, of money and choices what is in them."""
    if isinstance(value, Mapping):
        return value.get("Value")
    match = _DATE.fullmatch(value) if isinstance(value, str) else None  # the offset is for display only
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))).isoformat() if match else value


def _columns(of: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row as webhooks write them, by the names of the Web API."""
    columns = {}
    for pair in of.get("Attributes") or ():
        name, value = pair["key"], pair["value"]
        is_lookup = isinstance(value, Mapping) and "LogicalName" in value
        columns[f"_{name}_value" if is_lookup else name] = value["Id"] if is_lookup else _plain(value)
    return columns


def _told(context: Mapping[str, Any]) -> dict[str, Any]:
    """A webhook's context in the form in which a flow tells. Only what was changed is in it, and of large rows nothing."""
    images = [image["value"] for image in context.get("PostEntityImages") or ()]
    target = [pair["value"] for pair in context.get("InputParameters") or () if pair["key"] == "Target"]
    columns: dict[str, Any] = {}
    for part in (*images, *target):
        columns |= _columns(part)
    run = text_of(context.get("OperationId"))
    return {
        "table": context["PrimaryEntityName"],
        "row_id": context.get("PrimaryEntityId"),
        "message": context.get("MessageName"),
        "run_id": run if run.strip("0-") else f"{context.get('CorrelationId')}/{context.get('PrimaryEntityId')}",
        "org_id": context.get("OrganizationId"),
        "user_id": context.get("InitiatingUserId"),
        "occurred_at": _plain(context.get("OperationCreatedOn")),
        "record": columns,
    }


def _items(request: Request, settings: Settings) -> Iterator[Item]:
    """A webhook tells of one row, and so does a flow, or of something of its own."""
    told = request.content()
    for one in told if isinstance(told, list) else [told]:
        yield _item(_told(one) if isinstance(one, Mapping) and "PrimaryEntityName" in one else one, settings)


def _item(told: Any, settings: Settings) -> Item:
    is_event = isinstance(told, Mapping) and "event" in told and "table" not in told
    try:
        notice = (FlowEvent if is_event else Notice).model_validate(told)
    except ValidationError as error:
        return Item("", told, problem=f"This row cannot be read: {findings(error)}.")
    if isinstance(notice, FlowEvent):
        return Item("flow", told, id=notice.run_id, at=notice.occurred_at)
    means = _reading(notice.table, settings).means
    kind = f"{means} deleted" if notice.message == "Delete" else means
    return Item(kind, told, id=notice.run_id, account=_guid(notice.org_id) if notice.org_id else None, at=notice.occurred_at)


def _reading(table: str, settings: Settings) -> TableReading:
    named: Mapping[str, TableReading] = settings["records"]
    return reading_of(table, named, TableReading, STANDARD)


def _failure(reply: Reply) -> Failure | None:
    if reply.status != 403:
        return None
    if reply.find("error.code") == "0x80072560":
        return Failure("reconnect", todo="Add the app as an application user of the environment.")
    return Failure("lasting", todo="Give the application user a security role that may do this.")


RECORDS: dict[str, dict[str, Any]] = {
    "new_repairinvoice": {
        "means": "sale",
        "where": {"new_status": 100000002},
        "amount": "new_net",
        "number": "new_name",
        "customer": "_new_contact_value",
        "email": "new_Contact.emailaddress1",
        "references": {"job": "_new_job_value"},
    },
    "new_creditnote": {"means": "refund", "amount": "new_amount", "of": "_new_invoice_value"},
    "new_bill": {"means": "invoice", "amount": "new_amount", "customer": "_new_contact_value", "due_on": "new_due"},
    "new_points": {"means": "activity", "points": "new_points", "customer": "_new_contact_value", "rows": "new_pointses"},
    "new_inspection": {"means": "other", "customer": "_new_contact_value", "attributes": {"result": "new_result"}},
    **{name: {"means": STANDARD[name]["means"]} for name in ("opportunity", "incident", "msdyn_workorder", "contact")},
}
TABLES: dict[str, dict[str, Any]] = {
    "entry": {
        "rows": "new_pointsentries",
        "key": "new_hubkey",
        "columns": {"points": "new_points", "reason": "new_reason"},
        "links": {"contact": {"by": "new_Contact", "rows": "contacts"}},
    }
}
HUB = "5c1d2e3f-0000-4000-8000-0000000000bb"
FLOW = "https://prod-12.westeurope.logic.azure.com/workflows/0f/triggers/manual/paths/invoke?api-version=2016-06-01&sv=1.0"

connector = Connector(
    "dynamics365",
    title="Dynamics 365",
    settings=setting("host", "the environment's address, without https://", example="acme.crm4.dynamics.com")
    + setting("tenant_id", "App registrations > your app: the directory id", example="6f1c0a2e-0000-4000-8000-000000000001")
    + setting("client_id", "App registrations > your app: the application id", example="6f1c0a2e-0000-4000-8000-000000000002")
    + secret("client_secret", "App registrations > your app > Certificates & secrets")
    + secret("webhook_key", "a long random text: the WebhookKey, or the header X-Webhook-Key of a flow", required=False)
    + setting("account_id", "the organisation's id; rows of others are left out", Guid, default=None, example=None)
    + setting(
        "records",
        "what each table means, and which of its columns say what, by the table's logical name",
        readings(TableReading, STANDARD),
        default={},
        example=RECORDS,
    )
    + setting("currency", "the organisation's currency, where it has one alone", default=None, example="USD")
    + setting("user_id", "the application user, whose changes of other rows are left out", Guid, default=None, example=HUB)
    + setting("choices", "numbers of choices by their labels, by column", dict[str, dict[str, int]], default={})
    + setting("tables", "tables of a loyalty add-on, by names for recipes", dict[str, OwnTable], default={}, example=TABLES)
    + setting(
        "activity", "the kind of activity that tells of points: rows, table, points", Activity, default=Activity(), example={}
    )
    + setting("member_table", "whose columns show points: contact or account", Literal["contact", "account"], default="contact")
    + setting("flow_url", "of the flow's URL all before &sig=", default=None, example=FLOW)
    + secret("flow_signature", "of the flow's URL what stands after &sig=", required=False)
    + setting("fetch_missing", "ask Dataverse for columns that a delivery leaves out", bool, default=True)
    + setting("login", "where tokens are given; other clouds have another host", default="login.microsoftonline.com")
    + setting("api_version", "the version of the Web API", default="v9.2", example="v9.2"),
    api=("https://{host}", "{flow_url}"),
    auth=auth.oauth2(
        "https://{login}/{tenant_id}/oauth2/v2.0/token", scopes="https://{host}/.default", grant="client_credentials"
    ),
    headers={"OData-Version": "4.0", "OData-MaxVersion": "4.0"},
    signature=signature.token("webhook_key", query="code") | signature.token("webhook_key", header="X-Webhook-Key"),
    envelope=_items,
    reply=reply.json({"kept": True}),
    failures=_failure,
    rate=rate("1000 per minute"),
)

API = "/api/data/{api_version}"
# Rows that are written for long show late, with the moment at which that began.
OVERLAP = timedelta(minutes=5)


# What comes in --------------------------------------------------------------------------------------------------------


class Notice(Payload):
    """A row of a table, as a webhook or a flow told it, or a query gave it."""

    table: Table
    record: dict[str, Any]
    row_id: str | None = None
    message: str | None = None
    run_id: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    occurred_at: Moment | None = None


class FlowEvent(Payload):
    """Something that a flow tells of its own accord."""

    event: Annotated[str, Field(min_length=1, max_length=512)]
    run_id: str
    occurred_at: Moment | None = None
    contact_id: str | None = None
    address: str | None = Field(alias="email", default=None)
    phone: str | None = None
    name: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)


def _record(notice: Notice, connection: Connection, client: Client | None) -> Record | None:
    """The record of a notice, whole; None when it is not what its reading asks for (yet, or any more)."""
    settings, reading = connection.settings, _reading(notice.table, connection.settings)
    number = _guid(notice.row_id or text_of(notice.record.get(_key(notice.table, reading))))
    if not GUID.fullmatch(number):
        raise Unreadable(f"The id of the {notice.table} is {number[:40]!r}, and no id of Dataverse's.")
    ours = connection.mirror.values()
    record = Record(notice.table, number, notice.record, reading, notice.occurred_at, settings["currency"], _guid, ours)
    if client is not None and record.lacks():
        path = f"{API}/{_rows(notice.table, reading)}({number})"
        row = client.find(path, query=_selected(reading, settings)) or {}
        record = replace(record, columns={**notice.record, **row})
    by = _guid(notice.user_id or record.said("_modifiedby_value"))
    is_echo = reading.means == "other" and by == settings["user_id"]
    return record if record.holds() and not is_echo else None


def _key(table: str, reading: TableReading) -> str:
    return reading.key or f"{table}id"


def _rows(table: str, reading: TableReading) -> str:
    """The entity set of a table, as Dataverse names it unless somebody wants it otherwise."""
    if reading.rows:
        return reading.rows
    if re.search("[^aeiou]y$", table):
        return f"{table[:-1]}ies"
    return f"{table}es" if re.search("(s|x|z|ch|sh)$", table) else f"{table}s"


def _selected(reading: TableReading, settings: Settings) -> dict[str, str]:
    """The columns to ask for, those of related rows by their lookups."""
    related: dict[str, list[str]] = {}
    own = ["createdon", "modifiedon", "_modifiedby_value"]
    for place in reading.places(settings["currency"]):
        link, dot, column = place.partition(".")
        related.setdefault(link, []).append(column) if dot else own.append(link)
    selected = {"$select": ",".join(dict.fromkeys(own))}
    expanded = ",".join(f"{link}($select={','.join(columns)})" for link, columns in related.items())
    return {**selected, "$expand": expanded} if expanded else selected


def _since(client: Client, settings: Settings, since: datetime, means: str) -> Iterator[Mapping[str, Any]]:
    """The rows of the tables that mean this, and are what they must be, changed since a moment; the oldest first."""
    for table, reading in settings["records"].items():
        if reading.means == means:
            chosen = [_condition(place, wanted) for place, wanted in reading.where.items()]
            where = " and ".join([*chosen, f"modifiedon ge {since.astimezone(UTC) - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"])
            query = {**_selected(reading, settings), "$filter": where, "$orderby": "modifiedon"}
            path, paged = f"{API}/{_rows(table, reading)}", {"Prefer": "odata.maxpagesize=500"}
            for row in client.pages(path, items="value", next=_next_link, query=query, headers=paged):
                yield {"table": table, "record": row}


def _next_link(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The next page's whole address, to be followed as it is."""
    link = (reply.json() or {}).get("@odata.nextLink")
    return (link, {"headers": said["headers"]}) if link else None


def _condition(place: str, wanted: Wanted | list[Wanted]) -> str:
    several = wanted if isinstance(wanted, list) else [wanted]
    chosen = " or ".join(f"{place.replace('.', '/')} eq {_literal(value)}" for value in several)
    return f"({chosen})" if len(several) > 1 else chosen


def _literal(value: Wanted) -> str:
    """A value as OData writes it: ids bare, other texts in quotes."""
    if not isinstance(value, str):
        return text_of(value)
    return _guid(value) if GUID.fullmatch(_guid(value)) else "'" + value.replace("'", "''") + "'"


TOLD = hear_records(connector, Notice, _record, _since, fetch_if="fetch_missing")


@connector.trigger("customer deleted", key="customer.id")
def contact_deleted(notice: Notice) -> CustomerChanged:
    """A person's row was deleted."""
    return CustomerChanged(customer=Customer(id=_guid(notice.row_id or "") or None), deleted=True)


class FlowTold(RowChanged):
    """What a flow told. table: the event's name; row_id: of the flow's run."""


@connector.trigger("flow", key=("table", "row_id"))
def flow_told(told: FlowEvent) -> FlowTold:
    """A Power Automate flow told of something of its own."""
    person = {"id": _guid(told.contact_id or "") or None, "email": told.address, "phone": told.phone, **names(told.name)}
    return FlowTold(
        customer=Customer.model_validate(person) if any(person.values()) else None,
        table=told.event,
        row_id=told.run_id,
        fields={name: text[:10_000] for name, value in told.fields.items() if (text := text_of(value))},
    )


RETURNED = {"Prefer": "return=representation"}
MESSAGES = {"Create", "Update", "Delete"}


@connector.subscribe()
def subscribe(client: Client, connection: Connection, settings: Settings) -> None:
    """Registers the webhook, and a step for each change of the tables that `records` names."""
    key = settings.secret("webhook_key")
    if key is None:
        raise CallFailed(
            f"The connection {connection.name} has no `webhook_key`; write a long random text into it.", "reconnect"
        )
    unsubscribe(client, connection)
    hook = {"name": f"Loyalty hub: {connection.name}", "url": connection.webhook_url, "contract": 8, "authtype": 4}
    made = client.post(f"{API}/serviceendpoints", json={**hook, "authvalue": key.reveal()}, headers=RETURNED)
    for table in settings["records"]:
        query = {"$filter": f"primaryobjecttypecode eq '{table}'", "$expand": "sdkmessageid($select=name)"}
        for one in client.get(f"{API}/sdkmessagefilters", query={"$select": "sdkmessagefilterid", **query})["value"]:
            message = one["sdkmessageid"]
            if message["name"] in MESSAGES:
                step = {
                    "name": f"{hook['name']}: {message['name']} of {table}",
                    "stage": 40,  # after the operation, and
                    "mode": 1,  # asynchronously, so that nobody waits for the hub
                    "rank": 1,
                    "supporteddeployment": 0,
                    "asyncautodelete": True,
                    "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({made['serviceendpointid']})",
                    "sdkmessageid@odata.bind": f"/sdkmessages({message['sdkmessageid']})",
                    "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({one['sdkmessagefilterid']})",
                }
                client.post(f"{API}/sdkmessageprocessingsteps", json=step)


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhook back, and its steps first."""
    ours = {"$filter": f"url eq {_literal(connection.webhook_url)}", "$select": "serviceendpointid"}
    for hook in client.get(f"{API}/serviceendpoints", query=ours)["value"]:
        number = hook["serviceendpointid"]
        steps = {"$filter": f"_eventhandler_value eq {number}", "$select": "sdkmessageprocessingstepid"}
        for step in client.get(f"{API}/sdkmessageprocessingsteps", query=steps)["value"]:
            client.delete(f"{API}/sdkmessageprocessingsteps({step['sdkmessageprocessingstepid']})")
        client.delete(f"{API}/serviceendpoints({number})")


# What goes out --------------------------------------------------------------------------------------------------------

RowId = Annotated[
    str,
    AfterValidator(_guid),
    Field(
        description="the row's id, such as {{ event.customer.id }}",
        pattern=r"^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$",
    ),
]
TableName = Annotated[str, Field(description="the table's logical name, such as contact", pattern=r"^[a-z]\w{0,99}$")]
Texts = Annotated[dict[str, str], Field(description="texts by the columns' logical names; an empty one clears the column")]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the columns' logical names, such as {{ member.balance }}")
]
Person = Annotated[Literal["contact", "account"], Field(description="whether that is a contact or an account")]
# What no address of a row may have in the value of its key, by Dataverse's own word.
_UNADDRESSED = re.compile(r"[/<>*%&:\\?+#]")
# One id for each thing that a step makes, so that it is made once.
_STEPS = uuid.UUID("0b5fd0ab-6f9e-5a7c-9d5e-3c1f3a1f7c11")


class Values(BaseModel):
    """What a row shall hold."""

    table: TableName = "contact"
    fields: Texts = Field(default_factory=dict)
    numbers: Numbers = Field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        return {**self.fields, **self.numbers}


class Row(Values):
    """A row that an alternate key names."""

    key_column: Annotated[
        str, Field(description="the column of an alternate key, such as new_memberid", pattern=r"^[a-z]\w{0,99}$")
    ]
    key: Annotated[str, Field(description="what stands in it, such as {{ member.id }}", min_length=1)]


class Change(Values):
    """A row that is there."""

    row: RowId


class Kept(BaseModel):
    """A row as Dataverse keeps it. id: where it was told, which it is of a single one."""

    id: str | None = None


@connector.action(repeat="safe", batch=100)
def upsert_row(client: Client, settings: Settings, rows: list[Row]) -> list[Kept | CallFailed]:
    """Set columns of the row that an alternate key names, such as a contact's points; makes the row where there is none."""
    wanted = [((row.table, row.key_column), row.key, row.values()) for row in rows]
    return by_group(wanted, lambda where, some: _written(client, settings, *where, some))


@connector.action(repeat="safe", batch=100)
def update_row(client: Client, settings: Settings, changes: list[Change]) -> list[Kept | CallFailed]:
    """Set columns of a row by its id, such as points and tier of a contact."""
    wanted = [(change.table, change.row, change.values()) for change in changes]
    return by_group(wanted, lambda table, some: _written(client, settings, table, None, some))


Rows = Mapping[str, Mapping[str, Any]]
Outcomes = dict[str, Kept | CallFailed]


def _written(client: Client, settings: Settings, table: str, column: str | None, some: Rows) -> Outcomes:
    """A result for each row; Dataverse takes all of a call or none. column: of the alternate key, None where ids are keys."""
    good: dict[str, Exactly] = {}
    refused: Outcomes = {}
    for key, values in some.items():
        try:
            good[key] = _encoded(settings, values, key if column else "")
        except CallFailed as failure:
            refused[key] = failure
    return refused | tell_apart(good, lambda part: _put(client, settings, table, column, part))


def _encoded(settings: Settings, values: Mapping[str, Any], key: str) -> Exactly:
    """Values as Dataverse takes them: nothing for an empty text, numbers for choices. CallFailed when one is none."""
    if found := _UNADDRESSED.search(key):
        raise CallFailed(f"The key {key} has a {found[0]!r}, by which Dataverse finds no row. Use another key.", "lasting")
    encoded = Exactly()
    for name, value in values.items():
        labels = settings["choices"].get(name, {})
        if labels and isinstance(value, str) and value and value not in labels:
            raise CallFailed(f"`choices` has no {value!r} for `{name}`; it has {', '.join(labels)}.", "lasting")
        encoded[name] = labels.get(value, value) if value != "" else None
    return encoded


def _put(client: Client, settings: Settings, table: str, column: str | None, part: Mapping[str, Exactly]) -> Outcomes:
    reading = _reading(table, settings)
    rows, primary = _rows(table, reading), _key(table, reading)
    if len(part) == 1:
        ((key, values),) = part.items()
        path = f"{API}/{rows}({column}='{{key}}')" if column else f"{API}/{rows}({{key}})"
        # Without it a row that is not there would be made.
        headers = None if column else {"If-Match": "*"}
        told = client.call("PATCH", path, at={"key": key.replace("'", "''")}, json=values, headers=headers)
        return {key: Kept(id=_made(told) or (None if column else key))}
    targets = []
    for key, values in part.items():
        named = {primary: key} if column is None else {"@odata.id": f"{rows}({column}={_quoted(key)})"}
        targets.append(Exactly({"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **named, **values}))
    action = "UpdateMultiple" if column is None else "UpsertMultiple"
    client.post(f"{API}/{rows}/Microsoft.Dynamics.CRM.{action}", json={"Targets": targets})
    return {key: Kept(id=None if column else key) for key in part}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _made(told: Reply) -> str | None:
    """The id in the address of the row that was written."""
    found = re.search(rf"\(({GUID.pattern})\)$", told.headers.get("odata-entityid", "").lower())
    return found[1] if found else None


@connector.mirror(update_row)
def as_row(settings: Settings, one: Mirrored) -> dict[str, Any] | None:
    """The contact (or account) that shows a member's points."""
    number = _guid(one.customer.id or "")
    if not GUID.fullmatch(number):
        return None
    numbers = {name: value for name, value in one.fields.items() if isinstance(value, int)}
    fields = {name: text for name, text in one.texts.items() if name not in numbers}
    return {"table": settings["member_table"], "row": number, "fields": fields, "numbers": numbers}


@connector.mirrored(batch=20)
def row_columns(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What contacts' columns say; a contact whose id is not known is found by its address, the oldest of several."""
    table = settings["member_table"]
    asked = list(dict.fromkeys(column for one in many for column in one.fields))
    if wrong := [column for column in asked if not re.fullmatch(r"[a-z]\w*", column)]:
        raise CallFailed(f"`{wrong[0]}` is no column of Dataverse's; `mirror` should have logical names.", "lasting")
    ids = [_guid(one.customer.id or "") for one in many]
    keys = [number if GUID.fullmatch(number) else email(one.customer.email) for number, one in zip(ids, many, strict=True)]
    places = {True: f"{table}id", False: "emailaddress1"}
    chosen = [f"{places[bool(GUID.fullmatch(key))]} eq {_literal(key)}" for key in dict.fromkeys(filter(None, keys))]
    if not chosen:
        return [None] * len(many)
    selected = {"$select": ",".join(dict.fromkeys([f"{table}id", "emailaddress1", *asked]))}
    query = {**selected, "$filter": " or ".join(chosen), "$orderby": "createdon desc"}
    told = client.get(f"{API}/{_rows(table, _reading(table, settings))}", query=query)["value"]
    rows = {text_of(row.get(place)).casefold(): row for row in told for place in places.values()}
    labels = {column: {text_of(number): label for label, number in of.items()} for column, of in settings["choices"].items()}

    def shown(row: Mapping[str, Any]) -> Shown:
        texts = {column: text_of(row.get(column)) for column in asked}
        return Shown({column: labels.get(column, {}).get(text, text) for column, text in texts.items()}, row[f"{table}id"])

    return [shown(rows[key]) if key in rows else None for key in keys]


@connector.action(repeat="safe")
def write_table_row(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    table: Annotated[str, Field(description="one of the connection's `tables`", min_length=1)],
    row: Annotated[str | None, Field(description="the row's key; the step's own where nothing is said")] = None,
    values: Annotated[dict[str, str], Field(description="texts by the names in `tables`; an empty one clears the column")] = {},  # noqa: B006
    numbers: Annotated[dict[str, Points | Number], Field(description="numbers by the names in `tables`")] = {},  # noqa: B006
    links: Annotated[dict[str, RowId], Field(description="ids of other rows by the names in `tables`")] = {},  # noqa: B006
) -> Kept:
    """Write a row of the loyalty add-on, as the connection's `tables` says; one for each step, or the row that has a key."""
    own: OwnTable | None = settings["tables"].get(table)
    if own is None:
        raise CallFailed(
            f"`tables` of the connection has no {table!r}; it has {', '.join(settings['tables']) or 'none'}.", "lasting"
        )
    if unknown := [name for name in (*values, *numbers) if name not in own.columns] + [
        name for name in links if name not in own.links
    ]:
        raise CallFailed(f"`tables` says no column of {table} for {unknown[0]!r}.", "lasting")
    number = row or str(uuid.uuid5(_STEPS, key))
    body = _encoded(settings, {own.columns[name]: value for name, value in {**values, **numbers}.items()}, number)
    body |= {f"{own.links[name].by}@odata.bind": f"/{own.links[name].rows}({number})" for name, number in links.items()}
    path = f"{API}/{own.rows}({own.key}='{{key}}')"
    told = client.call("PATCH", path, at={"key": number.replace("'", "''")}, json=body)
    return Kept(id=_made(told))


def _new(client: Client, key: CallKey, rows: str, body: Mapping[str, Any]) -> Kept:
    """Makes a row with an id of the step's, so that doing it twice is doing it once."""
    number = str(uuid.uuid5(_STEPS, f"{key}:{rows}"))
    client.call("PATCH", f"{API}/{rows}({number})", json=body)
    return Kept(id=number)


@connector.action(repeat="safe")
def add_activity(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    person: RowId,
    subject: Annotated[str, Field(description="what happened, or is to be done", min_length=1, max_length=200)],
    text: Annotated[str | None, Field(description="what is to be said of it")] = None,
    points: Annotated[Points | None, Field(description="how many points, where the activity has a column for them")] = None,
    due: Annotated[str | None, Field(description="the day, such as 2026-02-13", pattern=r"^\d{4}-\d\d-\d\d$")] = None,
    of: Person = "contact",
) -> Kept:
    """Put an activity on a person's timeline: a task, or the kind of activity that the connection names."""
    activity: Activity = settings["activity"]
    about = {f"regardingobjectid_{of}_{activity.table}@odata.bind": f"/{of}s({person})"}
    moved = {activity.points: points} if activity.points else {}
    body = {"subject": subject, "description": text, "scheduledend": due and f"{due}T12:00:00Z", **about, **moved}
    return _new(client, key, activity.rows, body)


@connector.action(repeat="safe")
def add_note(
    client: Client,
    key: CallKey,
    *,
    person: RowId,
    text: Annotated[str, Field(description="what to write", min_length=1)],
    subject: Annotated[str, Field(description="the note's title")] = "Loyalty",
    of: Person = "contact",
) -> Kept:
    """Write a note on a person's timeline."""
    return _new(
        client, key, "annotations", {"subject": subject, "notetext": text, f"objectid_{of}@odata.bind": f"/{of}s({person})"}
    )


class Started(BaseModel):
    """A run of a flow. run_id: where the flow says it."""

    run_id: str | None = None


@connector.action(repeat="never")
def start_flow(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    event: Annotated[str, Field(description="what the flow may choose by, such as points_earned", min_length=1)],
    fields: Annotated[dict[str, str], Field(description="texts for the flow, by names of your own")] = {},  # noqa: B006
    numbers: Annotated[dict[str, Points | Number], Field(description="numbers for the flow, by names of your own")] = {},  # noqa: B006
) -> Started:
    """Start the Power Automate flow of the connection."""
    sig = settings.secret("flow_signature")
    if sig is None or not settings["flow_url"]:
        raise CallFailed("This needs the connection's `flow_url` and `flow_signature`.", "lasting")
    body = {**fields, **numbers, "event": event, "call_id": key}
    told = client.call("POST", "{flow_url}", query={"sig": unescaped(sig.reveal())}, json=body, bare=True)
    return Started(run_id=told.headers.get("x-ms-workflow-run-id"))


# Recorded truth -------------------------------------------------------------------------------------------------------

ORG = "883278f5-07af-45eb-a0bc-3fea67caa544"
ADA, DEAL, INVOICE = (
    "6d81597f-0f9f-e711-8122-000d3aa2331c",
    "7e1c2b7a-1111-ef11-9f89-000d3a123456",
    "0a5f1c00-0000-4000-8000-00000000000a",
)
AT, SINCE = "2026-02-06T21:27:34Z", "2026-02-06T00:00:00+00:00"
WHO = {
    "emailaddress1": "ada@example.com",
    "mobilephone": None,
    "telephone1": "+14155550123",
    "firstname": "Ada",
    "lastname": "Ng",
}
WON = {"opportunityid": DEAL, "statecode": 1, "_parentcontactid_value": ADA, "_parentaccountid_value": None}
WON |= {"parentcontactid": WHO, "actualvalue": 1250.5, "name": "Renewal", "actualclosedate": "2026-02-06", "modifiedon": AT}
PAID = {
    "new_repairinvoiceid": INVOICE,
    "new_status": 100000002,
    "new_net": 240,
    "new_name": "RI-1042",
    "_new_contact_value": ADA,
}
PAID |= {"_new_job_value": None, "new_Contact": {"emailaddress1": "ada@example.com"}, "modifiedon": AT}
CREDIT = {"new_creditnoteid": "0a5f1c00-0000-4000-8000-00000000000b", "new_amount": 20, "_new_invoice_value": INVOICE.upper()}
BILL = {
    "new_billid": "0a5f1c00-0000-4000-8000-00000000000c",
    "new_amount": 75,
    "_new_contact_value": ADA,
    "new_due": "2026-03-01",
}
MOVED = {"new_pointsid": "0a5f1c00-0000-4000-8000-00000000000d", "new_points": -20, "_new_contact_value": ADA}
SEEN_TO = {"new_inspectionid": "0a5f1c00-0000-4000-8000-00000000000e", "_new_contact_value": ADA, "new_result": "passed"}
JOB = {"msdyn_workorderid": "0a5f1c00-0000-4000-8000-00000000000f", "msdyn_systemstatus": 690970003, "msdyn_name": "Brakes"}
JOB |= {"_msdyn_reportedbycontact_value": ADA, "_msdyn_serviceaccount_value": None, "msdyn_subtotalamount": 240}
CASE = {"incidentid": "0a5f1c00-0000-4000-8000-000000000010", "statecode": 1, "_customerid_value": ADA, "title": "Where is it?"}
CASE |= {"customerid_contact": WHO}
CONTACT = {"contactid": ADA, **WHO, "donotemail": False, "donotbulkemail": True}


def _flow(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the flow of the setup sends."""
    return {"run_id": "08584912345678901234567890123CU01", "table": table, "occurred_at": AT, "record": dict(row)}


def _context(table: str, number: str, *, message: str = "Update", **columns: Any) -> dict[str, Any]:
    """What a webhook sends."""
    kind = "http://schemas.microsoft.com/xrm/2011/Contracts"
    attributes = [{"key": name, "value": value} for name, value in columns.items()]
    target = {"__type": f"Entity:{kind}", "Id": number, "LogicalName": table, "Attributes": attributes}
    return {
        "MessageName": message,
        "PrimaryEntityName": table,
        "PrimaryEntityId": number,
        "Depth": 1,
        "OperationId": "4af10637-4ea2-e711-8122-000d3aa2331c",
        "CorrelationId": "b374239d-4233-41a9-8b17-a86cb4f737b5",
        "OperationCreatedOn": "/Date(1770413254000-0700)/",
        "InitiatingUserId": "5c1d2e3f-0000-4000-8000-0000000000aa",
        "OrganizationId": ORG,
        "InputParameters": [{"key": "Target", "value": target}],
        "PostEntityImages": [],
        "Stage": 40,
        "Mode": 1,
    }


def _read(table: str) -> dict[str, str]:
    """The columns that are asked for."""
    return _selected(TableReading.model_validate({**STANDARD.get(table, {}), **RECORDS[table]}), Settings({"currency": "USD"}))


for name, table, row, fact, where in (
    (
        "sale_made",
        "new_repairinvoice",
        PAID,
        {"record_id": INVOICE, "amount": "240", "order_id": "RI-1042"},
        "new_status eq 100000002 and ",
    ),
    ("refund_made", "new_creditnote", CREDIT, {"refund_id": CREDIT["new_creditnoteid"], "amount": "20"}, ""),
    ("invoice_issued", "new_bill", BILL, {"invoice_id": BILL["new_billid"], "due_on": "2026-03-01", "currency": "USD"}, ""),
    ("job_completed", "msdyn_workorder", JOB, {"job_id": JOB["msdyn_workorderid"], "title": "Brakes"}, None),
    ("deal_won", "opportunity", WON, {"deal_id": DEAL, "amount": "1250.5", "customer": {"id": ADA}}, "statecode eq 1 and "),
    (
        "case_closed",
        "incident",
        CASE,
        {"subject": "Where is it?", "customer": {"email": "ada@example.com"}},
        "statecode eq 1 and ",
    ),
    ("contact_changed", "contact", CONTACT, {"customer": {"id": ADA, "consents": {"email": False}}}, ""),
    ("activity_recorded", "new_points", MOVED, {"kind": "redeemed", "points": -20, "customer": {"id": ADA}}, ""),
    ("record_changed", "new_inspection", SEEN_TO, {"table": "new_inspection", "fields": {"result": "passed"}}, ""),
):
    pulled = next(pull.name for pull in connector.pulls.values() if pull.trigger == name)
    chosen = "(msdyn_systemstatus eq 690970003 or msdyn_systemstatus eq 690970004) and " if where is None else where
    listed = ask(
        f"GET /api/data/v9.2/{_rows(table, TableReading.model_validate(RECORDS[table]))}",
        query={**_read(table), "$filter": f"{chosen}modifiedon ge 2026-02-05T23:55:00Z"},
        headers={"Prefer": "odata.maxpagesize=500", "OData-Version": "4.0"},
    )
    connector.sample(TOLD[name], _flow(table, row), gives=fact)
    connector.sample(TOLD[pulled], SINCE, asks=listed, reply={"value": [row]}, gives=fact)
connector.sample(
    TOLD["deal_won"],
    _context("opportunity", DEAL, statecode={"__type": "OptionSetValue:x", "Value": 1}, modifiedon="/Date(1770413254000)/"),
    asks=ask(f"GET /api/data/v9.2/opportunities({DEAL})", query=_read("opportunity")),
    reply=WON,
    gives={"deal_id": DEAL, "amount": "1250.5", "customer": {"email": "ada@example.com"}},
)
connector.sample(TOLD["deal_won"], _flow("opportunity", WON | {"statecode": 2}), gives=None, note="lost")
connector.sample(
    TOLD["record_changed"], _context("new_visit", ADA, new_minutes=15) | {"InitiatingUserId": HUB}, gives=None, note="our own"
)
connector.sample(
    contact_deleted, _context("contact", ADA.upper(), message="Delete"), gives={"customer": {"id": ADA}, "deleted": True}
)
connector.sample(
    flow_told,
    {"run_id": "08584CU01", "event": "vip", "email": "ada@example.com", "name": "Ada Ng", "fields": {"amount": 250.5}},
    gives={"table": "vip", "fields": {"amount": "250.5"}, "customer": {"email": "ada@example.com", "last_name": "Ng"}},
)

CARD = {"table": "contact", "key_column": "new_memberid", "key": "m-1", "numbers": {"new_points": 120}}
BY_KEY = "PATCH /api/data/v9.2/contacts(new_memberid='m-1')"
BY_ID = ask(f"PATCH /api/data/v9.2/contacts({ADA})", json={"new_points": 120, "new_tier": None}, headers={"If-Match": "*"})
WRITTEN = answers(204, odata_entityid=f"https://acme.crm4.dynamics.com/api/data/v9.2/contacts({ADA})")
REFUSED = answers(400, {"error": {"code": "0x80048d19", "message": "Invalid property 'new_points' was found"}})
connector.sample(upsert_row, CARD, asks=ask(BY_KEY, json={"new_points": 120}), reply=WRITTEN, gives={"id": ADA})
connector.sample(upsert_row, CARD, asks=BY_KEY, reply=REFUSED, fails="lasting")
connector.sample(
    update_row,
    {"row": ADA, "fields": {"new_tier": ""}, "numbers": {"new_points": 120}},
    asks=BY_ID,
    reply=WRITTEN,
    gives={"id": ADA},
)
connector.sample(
    as_row,
    {"customer": {"id": ADA.upper()}, "fields": {"new_points": 120, "new_tier": None}},
    asks=BY_ID,
    reply=WRITTEN,
    gives={"table": "contact", "row": ADA, "fields": {"new_tier": ""}, "numbers": {"new_points": 120}},
)
NAMED = {"customer": {"email": "Ada@example.com"}, "fields": {"new_points": 120}}
connector.sample(as_row, NAMED, gives=None, note="not known there yet")
connector.sample(
    row_columns,
    NAMED,
    asks=ask(
        "GET /api/data/v9.2/contacts",
        query={"$select": "contactid,emailaddress1,new_points", "$filter": "emailaddress1 eq 'ada@example.com'"},
    ),
    reply={"value": [{"contactid": ADA, "emailaddress1": "Ada@Example.com", "new_points": 100}]},
    gives={"id": ADA, "fields": {"new_points": "100"}},
)
connector.sample(
    write_table_row,
    {"table": "entry", "values": {"reason": "Repair"}, "numbers": {"points": 54}, "links": {"contact": ADA}},
    asks=ask(
        f"PATCH /api/data/v9.2/new_pointsentries(new_hubkey='{uuid.uuid5(_STEPS, 'run_1/step_1')}')",
        json={"new_points": 54, "new_reason": "Repair", "new_Contact@odata.bind": f"/contacts({ADA})"},
    ),
    reply=WRITTEN,
    gives={"id": ADA},
)
STEP = uuid.uuid5(_STEPS, "run_1/step_1:tasks")
connector.sample(
    add_activity,
    {"person": ADA, "subject": "+54 points", "text": "Repair RI-1042", "due": "2026-02-13"},
    asks=ask(
        f"PATCH /api/data/v9.2/tasks({STEP})",
        json={
            "subject": "+54 points",
            "description": "Repair RI-1042",
            "scheduledend": "2026-02-13T12:00:00Z",
            "regardingobjectid_contact_task@odata.bind": f"/contacts({ADA})",
        },
    ),
    reply=answers(204),
    gives={"id": str(STEP)},
)
connector.sample(
    add_note,
    {"person": ADA, "text": "Redeemed: free oil change"},
    asks=ask(
        f"PATCH /api/data/v9.2/annotations({uuid.uuid5(_STEPS, 'run_1/step_1:annotations')})",
        json={"notetext": "Redeemed: free oil change", "objectid_contact@odata.bind": f"/contacts({ADA})"},
    ),
    reply=answers(204),
)
connector.sample(
    start_flow,
    {"event": "points_earned", "fields": {"email": "ada@example.com"}, "numbers": {"points": 54}},
    asks=ask(
        f"POST {FLOW.partition('?')[0]}",
        query={"api-version": "2016-06-01", "sig": "example-flow-signature"},
        json={"event": "points_earned", "email": "ada@example.com", "points": 54, "call_id": "run_1/step_1"},
    ),
    reply=answers(202, x_ms_workflow_run_id="08584CU01"),
    gives={"run_id": "08584CU01"},
)
