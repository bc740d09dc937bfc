"""Salesforce: hear of won deals, paid invoices, finished jobs and loyalty journals, and keep points, records and tasks.

Setup:
1. Setup > External Client App Manager > New: enable OAuth with the scope api and the client credentials flow, "run as" a user
   of the hub's own (API Enabled, rights on what follows, for Loyalty its permission sets). Copy consumer key and secret to
   `client_id` and `client_secret`, Setup > My Domain to `domain` (acme.my.salesforce.com). A sandbox is another organisation.
2. Write a long random text into `webhook_token`, and the organisation's id (Setup > Company Information) into `account_id`.
3. A Flow tells the hub: make an External Credential with the custom header X-Hub-Token and that text, and a Named Credential
   for {webhook_url}. In a record-triggered Flow (after save, asynchronous path) add an HTTP Callout, POST, with this body:
     {"event_id": "0065g00000AbCdEAAV:2026-02-13T16:20:05Z", "org_id": "00D5g000008abcdEAA", "object": "Opportunity",
      "occurred_at": "2026-02-13T16:20:05Z", "record": {"Id": "0065g00000AbCdEAAV", "IsWon": true, "Amount": 1250.5}}
   `record` has fields by their API names. What is left out is asked for, so the Id alone will do.
4. Or an outbound message does, in every edition: Setup > Outbound Messages > New, endpoint URL {webhook_url}/ with the text of
   `webhook_token` at its end, without the session id, and any fields. Salesforce tries for a day.
5. Say under `records` what your objects mean, and which fields say what (`Contact__r.Email` is one of a related record):
     records:
       Opportunity: {means: deal}
       Repair_Invoice__c: {means: sale, where: {Status__c: Paid}, amount: Subtotal__c, total: Total__c, number: Name,
                           customer: Contact__c, email: Contact__r.Email, references: {job: Work_Order__c}}
       Credit_Note__c: {means: refund, amount: Amount__c, of: Repair_Invoice__c}
   They mean sale, refund, invoice (not paid yet), job, deal, case, customer, activity (points elsewhere) or other. Known are
   Opportunity, Order, Case, WorkOrder, ServiceAppointment, Contact, Lead, Account, LoyaltyProgramMember, TransactionJournal;
   what you say is laid over that (`Account: {means: customer, email: PersonEmail}`). Objects that are named here are asked for
   every ten minutes, too; others are only heard, unknown ones as `record_changed`.
6. `currency` is the organisation's; leave it out where there are several: then records name theirs.
7. Points in contacts: make the fields first (Loyalty_Points__c, a number); `member_object: Account` for person accounts.
8. Loyalty Management: name the program under `loyalty`, your processes of the templates Credit Points to Members and Debit
   Points from Members, and of several currencies the one that counts. A process and its rule must both be active.

What is told: each record once, when it is what `where` says; what becomes of it then changes nothing: a deal that is opened
again is taken back by hand. A contact counts as changed when what is read of it is new; fields of `mirror` are not read, and of
other records what `user_id` (the hub's user) changes is left out. A journal is told when it is Processed, for then its points
are known; `ours` are the hub's. Outbound messages come in any order. Nothing is signed: the token is the proof.

What goes out: journals carry the step's key, by which one whose answer was lost is found again; a process that says no with 200
has failed. Texts go into `fields`, numbers into `numbers`; an empty text clears. What duplicate and validation rules refuse is
not tried again. When the day's calls are used up the hub waits.

Not confirmed: whether a Flow's callout is retried; the sign of debits in the ledger (the entry's type is taken); the amounts of
work orders; what enrolment answers; Loyalty's own limits. Data 360 actions and the Pub/Sub API are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Exactly,
    Failure,
    Item,
    LoyaltyActivity,
    Mirrored,
    Moment,
    Money,
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
    read_xml,
    records,
)
from hub.sdk.declare import answers, ask, auth, pages, reply, secret, setting, signature
from hub.sdk.fact import Short
from hub.sdk.parameters import findings
from hub.sdk.reading import Place, Reading, Table, Wanted, reading_of, readings, text_of
from hub.sdk.record_triggers import hear_records
from hub.sdk.records import Record


class ObjectReading(Reading):
    """What the records of an object mean."""

    currency: Place | None = "CurrencyIsoCode"
    created: Place | None = "CreatedDate"
    changed: Place | None = "LastModifiedDate"


def _who(of: str, *customer: str) -> dict[str, Any]:
    """Where a record says whom it is about, and where a related contact (or the record itself) says who that is."""
    addresses = {"email": (f"{of}Email",), "phone": (f"{of}MobilePhone", f"{of}Phone")}
    return {"customer": customer, **addresses, "first_name": f"{of}FirstName", "last_name": f"{of}LastName"}


_WHO = _who("Contact.", "ContactId", "AccountId")
_JOB = {"means": "job", "where": {"Status": "Completed"}, **_WHO, "title": "Subject"}
STANDARD: dict[str, dict[str, Any]] = {
    "Opportunity": {"means": "deal", "where": {"IsWon": True}, **_WHO, "amount": "Amount", "title": "Name", "at": "CloseDate"},
    "Order": {
        "means": "sale",
        "where": {"StatusCode": "Activated", "IsReductionOrder": False},
        **_who("BillToContact.", "BillToContactId", "AccountId"),
        "amount": "TotalAmount",
        "number": "OrderNumber",
    },
    "Case": {
        "means": "case",
        "where": {"IsClosed": True},
        **_WHO,
        "email": ("ContactEmail", "SuppliedEmail"),
        "title": "Subject",
        "at": "ClosedDate",
    },
    "WorkOrder": {**_JOB, "amount": "TotalPrice"},
    "ServiceAppointment": {**_JOB, "at": "ActualEndTime"},
    "Contact": {"means": "customer", **_who("", "Id"), "no_email": ("HasOptedOutOfEmail",)},
    "Lead": {"means": "customer", **_who("", "ConvertedContactId", "Id"), "no_email": ("HasOptedOutOfEmail",)},
    "Account": {"means": "customer", "customer": ("Id",), "phone": ("Phone",), "attributes": {"name": "Name"}},
    "LoyaltyProgramMember": {"means": "customer", **_WHO, "attributes": {"membership": "MembershipNumber"}},
    "TransactionJournal": {
        "means": "activity",
        "where": {"Status": "Processed"},
        **_who("Member.Contact.", "Member.ContactId", "MemberId"),
        "number": "ExternalTransactionNumber",
        "title": "JournalType.Name",
        "at": "ActivityDate",
        "attributes": {"membership": "Member.MembershipNumber"},
    },
}


class Loyalty(BaseModel):
    """Names of the organisation's own in Loyalty Management. parameter: what a process calls the points."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str
    credit_process: str | None = None
    credit_parameter: str = "PointsToCredit"
    debit_process: str | None = None
    debit_parameter: str = "PointsToDebit"
    accrual: str = "Accrual"
    redemption: str = "Redemption"
    currency: str | None = None


def _long(id: str) -> str:  # noqa: A002
    """The form of an id with 18 letters, in which case does not matter; ids of 15 mind it."""
    if not re.fullmatch("[A-Za-z0-9]{15}", id):
        return id
    capitals = [sum(letter.isupper() << place for place, letter in enumerate(id[at : at + 5])) for at in (0, 5, 10)]
    return id + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[number] for number in capitals)


Id = Annotated[str, AfterValidator(_long)]


def _is_soap(request: Request) -> bool:
    return "xml" in (request.header("content-type") or "")


def _items(request: Request, settings: Settings) -> Iterator[Item]:
    """A Flow tells of one record (Apex of a list of them), an outbound message of up to a hundred."""
    if _is_soap(request):
        yield from (_item(told, settings) for told in _notified(request))
        return
    told = request.content()
    for one in told if isinstance(told, list) else [told]:
        yield _item(one, settings)


def _notified(request: Request) -> Iterator[dict[str, Any]]:
    """An outbound message in the form in which a Flow tells; empty fields are left out of it."""
    told = read_xml(request.body).first("Body/notifications")
    if told is None:
        raise Unreadable("The document is no outbound message: it has no `notifications`.")
    for one in told.each("Notification"):
        row = one.first("sObject")
        fields = {child.name: child.text for child in row.children if child.attributes.get("nil") != "true"} if row else {}
        kind = row.attributes.get("type", "") if row else ""
        beside = {"event_id": one.said("Id"), "org_id": told.said("OrganizationId")}
        yield {**beside, "object": kind.rpartition(":")[2], "record": fields}


def _item(told: Any, settings: Settings) -> Item:
    try:
        notice = Notice.model_validate(told)
    except ValidationError as error:
        return Item("", told, problem=f"This record cannot be read: {findings(error)}.")
    kind = _reading(notice, settings).means
    return Item(kind, told, id=notice.event_id, account=_long(notice.org_id) if notice.org_id else None, at=notice.occurred_at)


def _reading(notice: Notice, settings: Settings) -> ObjectReading:
    named: Mapping[str, ObjectReading] = settings["records"]
    return reading_of(notice.object, named, ObjectReading, STANDARD)


People = Literal["Contact", "Account"]
Grant = Literal["client_credentials", "authorization_code"]
RECORDS: dict[str, dict[str, Any]] = {
    "Repair_Invoice__c": {
        "means": "sale",
        "where": {"Status__c": "Paid"},
        "amount": "Subtotal__c",
        "number": "Name",
        "customer": "Contact__c",
        "email": "Contact__r.Email",
        "references": {"job": "Work_Order__c"},
    },
    "Credit_Note__c": {"means": "refund", "amount": "Amount__c", "of": "Repair_Invoice__c"},
    "Bill__c": {"means": "invoice", "amount": "Amount__c", "customer": "Contact__c", "due_on": "Due__c"},
    "Inspection__c": {"means": "other", "customer": "Contact__c", "attributes": {"result": "Result__c"}},
    **{
        name: {"means": STANDARD[name]["means"]}
        for name in ("WorkOrder", "Opportunity", "Case", "Contact", "TransactionJournal")
    },
}
PROGRAM = {"program": "Acme Rewards", "credit_process": "Credit Points", "debit_process": "Debit Points"}
OUR_USER = "0055g00000HubUsAAJ"
PASSING = {"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"}


def _failure(reply: Reply) -> Failure | None:
    code, said = reply.find("0.errorCode"), str(reply.find("0.message") or "")
    if reply.ok and reply.find("status") is False:
        said = str(reply.find("message") or "the process failed, and says no more")
        return Failure("passing" if any(word in said for word in PASSING) else "lasting", said)
    if code in PASSING:  # the day's calls are used up (a 403), or somebody else writes to the record (a 400)
        return Failure("passing")
    if code == "API_DISABLED_FOR_ORG":
        return Failure("reconnect")
    if reply.status == 300:
        return Failure("lasting", "several records have this key")
    if code == "INVALID_FIELD" and "CurrencyIsoCode" in said:
        return Failure("lasting", said, todo="Write the organisation's `currency` into the connection.")
    return None


connector = Connector(
    "salesforce",
    title="Salesforce",
    settings=setting("domain", "Setup > My Domain, without https://", example="acme.my.salesforce.com")
    + setting("grant", "how tokens are given: client_credentials, or authorization_code", Grant, default="client_credentials")
    + setting("client_id", "External Client App > OAuth settings: the consumer key", example="3MVG9example")
    + secret("client_secret", "External Client App > OAuth settings: the consumer secret")
    + secret("webhook_token", "a long random text: the header X-Hub-Token, or the end of the webhook's address", required=False)
    + setting(
        "account_id", "the organisation's id; records of others are left out", Id, default=None, example="00D5g000008abcdEAA"
    )
    + setting(
        "records",
        "what each object means, and which of its fields say what, by the object's API name",
        readings(ObjectReading, STANDARD),
        default={},
        example=RECORDS,
    )
    + setting("currency", "the organisation's currency; not where it has several", default=None, example="USD")
    + setting(
        "loyalty", "names in Loyalty Management: program, credit_process, debit_process", Loyalty, default=None, example=PROGRAM
    )
    + setting("user_id", "the hub's user, whose changes of other records are left out", Id, default=None, example=OUR_USER)
    + setting("member_object", "whose fields show points: Contact, or Account for person accounts", People, default="Contact")
    + setting("fetch_missing", "ask Salesforce for fields that a delivery leaves out", bool, default=True)
    + setting("api_version", "the version of Salesforce's API", default="v67.0", example="v67.0"),
    api="https://{domain}",
    auth=auth.oauth2(
        "https://{domain}/services/oauth2/token",
        authorize="https://{domain}/services/oauth2/authorize",
        more={"scope": "api refresh_token"},
        grant="{grant}",
        base="instance_url",
        pkce=True,
    ),
    # An outbound message sends no headers of ours.
    signature=signature.token("webhook_token", header="X-Hub-Token") | signature.token("webhook_token", path=True),
    envelope=_items,
    reply=lambda request: reply.xml(ACK) if _is_soap(request) else reply.json({"kept": True}),
    failures=_failure,
)

ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
API = "/services/data/{api_version}"
# Records that are written for long show late, with the moment at which that began.
OVERLAP = timedelta(minutes=5)
OURS = "hub-"
LEDGER = "SELECT Points, EventType FROM LoyaltyLedger WHERE TransactionJournalId"
# With what the ids of people begin, and where their address stands.
PEOPLE = {"Contact": ("003", "Email"), "Account": ("001", "PersonEmail")}


# What comes in --------------------------------------------------------------------------------------------------------


class Notice(Payload):
    """A record of an object, as a Flow tells it or a query gave it."""

    object: Table
    record: dict[str, Any]
    event_id: str | None = None
    org_id: str | None = None
    occurred_at: Moment | None = None


def _record(notice: Notice, connection: Connection, client: Client | None) -> Record | None:
    """The record of a notice, whole; None when it is not what its reading asks for (yet, or any more)."""
    settings, number = connection.settings, _long(str(notice.record.get("Id")))
    if not re.fullmatch("[A-Za-z0-9]{18}", number):
        raise Unreadable(f"`record.Id` is {number[:40]!r}, and no id of Salesforce's; send the field Id.")
    reading, ours = _reading(notice, settings), connection.mirror.values()
    record = Record(notice.object, number, notice.record, reading, notice.occurred_at, settings["currency"], _long, ours)
    if client is not None and record.lacks():
        asked = f"SELECT {_selected(reading, settings)} FROM {notice.object} WHERE Id = {_literal(number)}"  # noqa: S608
        record = replace(record, columns={**notice.record, **next(_query(client, asked), {})})
    is_echo = reading.means == "other" and _long(record.said("LastModifiedById")) == settings["user_id"]
    return record if record.holds() and not is_echo else None


def _selected(reading: ObjectReading, settings: Settings) -> str:
    always = ("Id", "CreatedDate", "LastModifiedDate", "LastModifiedById")
    return ", ".join(dict.fromkeys((*always, *reading.places(settings["currency"]))))


def _literal(value: Wanted) -> str:
    """A value as SOQL writes it."""
    if isinstance(value, bool | int):
        return text_of(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _query(client: Client, soql: str) -> Iterator[dict[str, Any]]:
    return client.pages(f"{API}/query", items="records", next=pages.next_url("nextRecordsUrl"), query={"q": soql})


class JournalCreated(LoyaltyActivity):
    """A transaction journal of Loyalty Management. membership: the member's number."""

    journal_type: Short = ""
    membership: Short = ""


@connector.trigger("activity", key="activity_id", fetch_if="fetch_missing")
def journal_created(notice: Notice, connection: Connection, client: Client | None) -> JournalCreated | None:
    """Loyalty Management wrote a journal: points were given or taken there."""
    record = _record(notice, connection, client)
    told = records.activity(record)
    if record is None or told is None:
        return None
    loyalty: Loyalty = connection.settings["loyalty"] or Loyalty(program="")
    named = record.said(record.reading.title)[:512]
    kinds: dict[str, Literal["earned", "redeemed"]] = {loyalty.accrual: "earned", loyalty.redemption: "redeemed"}
    journal: dict[str, Any] = {"ours": record.said(record.reading.number).startswith(OURS), "journal_type": named}
    if notice.object == "TransactionJournal":
        journal["kind"] = kinds.get(named) or ("adjusted" if "adjust" in named.casefold() else "other")
        journal["points"] = _points(client, record.id, loyalty) if client else 0
    return JournalCreated(**{**dict(told), **journal, "membership": record.attributes().get("membership", "")[:512]})


def _points(client: Client, journal: str, loyalty: Loyalty) -> int:
    """What a journal moved, with its sign; of several currencies only the program's named one."""
    asked = f"{LEDGER} = {_literal(journal)}"
    if loyalty.currency:
        asked += f" AND LoyaltyProgramCurrency.Name = {_literal(loyalty.currency)}"
    rows = _query(client, asked)
    return sum(int(abs(row["Points"] or 0)) * (-1 if row["EventType"] == "Debit" else 1) for row in rows)


def _since(client: Client, settings: Settings, since: datetime, means: str) -> Iterator[Mapping[str, Any]]:
    """The records of the objects that mean this, and are what they must be, changed since a moment; the oldest first."""
    for name, reading in settings["records"].items():
        if reading.means == means:
            chosen = [_condition(place, wanted) for place, wanted in reading.where.items()]
            where = " AND ".join([*chosen, f"SystemModstamp >= {_time(since - OVERLAP)}"])
            asked = f"SELECT {_selected(reading, settings)} FROM {name} WHERE {where} ORDER BY SystemModstamp, Id"  # noqa: S608
            yield from ({"object": name, "record": row} for row in _query(client, asked))


def _condition(place: str, wanted: Wanted | list[Wanted]) -> str:
    if isinstance(wanted, list):
        return f"{place} IN ({', '.join(map(_literal, wanted))})"
    return f"{place} = {_literal(wanted)}"


TOLD = hear_records(connector, Notice, _record, _since, fetch_if="fetch_missing", without=("activity",))


@connector.pull(journal_created)
def journals_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Journals, and records of other programmes' points, changed since a moment."""
    return _since(client, settings, since, "activity")


# What goes out --------------------------------------------------------------------------------------------------------

RecordId = Annotated[
    str, Field(description="the record's id, such as {{ event.customer.id }}", pattern="^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$")
]
ObjectName = Annotated[str, Field(description="the object's API name, such as Contact", pattern=r"^[A-Za-z]\w{0,79}$")]
Texts = Annotated[dict[str, str], Field(description="texts by the fields' API names; an empty one clears the field")]
Numbers = Annotated[
    dict[str, Points | Number], Field(description="numbers by the fields' API names, such as {{ member.balance }}")
]
Member = Annotated[str, Field(description="the membership number in Loyalty Management", min_length=1, max_length=255)]


def _values(fields: Mapping[str, str], numbers: Mapping[str, Any]) -> Exactly:
    return Exactly({**{name: text or None for name, text in fields.items()}, **numbers})


class Values(BaseModel):
    """What a record shall hold."""

    object: ObjectName = "Contact"
    fields: Texts = Field(default_factory=dict)
    numbers: Numbers = Field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        return _values(self.fields, self.numbers)


class Row(Values):
    """A record that an external id names."""

    key_field: Annotated[str, Field(description="the external id field, such as Loyalty_Id__c", pattern=r"^[A-Za-z]\w{0,79}$")]
    key: Annotated[str, Field(description="what stands in it, such as {{ member.id }}", min_length=1)]


class Change(Values):
    """A record that is there."""

    record: RecordId


class Kept(Payload):
    """A record as Salesforce keeps it. is_new: it was not there before."""

    id: str
    is_new: bool = Field(alias="created", default=False)


@connector.action(repeat="safe", batch=200)
def upsert_record(client: Client, rows: list[Row]) -> list[Kept | CallFailed]:
    """Set fields of the record that an external id names, of any object; makes the record where there is none."""
    wanted = [((row.object, row.key_field), row.key, row.values()) for row in rows]
    return by_group(wanted, lambda table, some: _kept(client, "/{object}/{field}", *table, some))


@connector.action(repeat="safe", batch=200)
def update_record(client: Client, changes: list[Change]) -> list[Kept | CallFailed]:
    """Set fields of a record by its id, such as points and tier of a contact."""
    wanted = [(change.object, _long(change.record), change.values()) for change in changes]
    return by_group(wanted, lambda name, some: _kept(client, "", name, "id", some))


def _kept(
    client: Client, path: str, name: str, field: str, some: Mapping[str, Mapping[str, Any]]
) -> dict[str, Kept | CallFailed]:
    rows = [Exactly({"attributes": {"type": name}, field: key, **values}) for key, values in some.items()]
    at = {"object": name, "field": field}
    told = client.patch(f"{API}/composite/sobjects{path}", at=at, json={"allOrNone": False, "records": rows})
    return {key: _outcome(key, result) for key, result in zip(some, told, strict=True)}


def _outcome(key: str, result: Mapping[str, Any]) -> Kept | CallFailed:
    if result["success"]:
        return Kept.model_validate(result)
    errors = result.get("errors") or []
    said = "; ".join(f"{error.get('message')} ({error.get('statusCode')})" for error in errors) or "it does not say why"
    passing = any(error.get("statusCode") in PASSING for error in errors)
    return CallFailed(f"Salesforce did not keep the record {key}: {said}.", "passing" if passing else "lasting")


@connector.mirror(update_record)
def as_record(settings: Settings, one: Mirrored) -> dict[str, Any] | None:
    """The contact (or person account) that shows a member's points."""
    place, number = _key(one, settings) or ("", "")
    if place != "Id":
        return None
    return {"object": settings["member_object"], "record": number, "fields": one.others, "numbers": one.numbers}


@connector.mirrored(batch=100)
def record_fields(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What contacts' fields say; a contact whose id is not known is found by its address, the oldest of several."""
    asked = list(dict.fromkeys(field for one in many for field in one.fields))
    if wrong := [field for field in asked if not re.fullmatch(r"[A-Za-z]\w*", field)]:
        raise CallFailed(f"`{wrong[0]}` is no field of Salesforce's; `mirror` should have API names.", "lasting")
    keys, known = [_key(one, settings) for one in many], dict[str, list[Wanted]]()
    for place, text in filter(None, keys):
        known.setdefault(place, []).append(text)
    if not known:
        return [None] * len(many)
    chosen = " OR ".join(_condition(place, texts) for place, texts in known.items())
    selected = ", ".join(dict.fromkeys(["Id", *known, *asked]))
    soql = f"SELECT {selected} FROM {settings['member_object']} WHERE {chosen} ORDER BY CreatedDate DESC"  # noqa: S608
    rows = {(place, text_of(row[place]).casefold()): row for row in _query(client, soql) for place in known}
    found = [rows.get((key[0], key[1].casefold())) if key else None for key in keys]
    return [Shown({field: text_of(row[field]) for field in asked}, row["Id"]) if row else None for row in found]


def _key(one: Mirrored, settings: Settings) -> tuple[str, str] | None:
    """By what a member's record is found: its id, if it is one of such an object, else the address."""
    prefix, place = PEOPLE[settings["member_object"]]
    number, address = _long(one.customer.id or ""), email(one.customer.email)
    if re.fullmatch(f"{prefix}[A-Za-z0-9]{{15}}", number):
        return "Id", number
    return (place, address) if address else None


class Made(Payload):
    """A record that was made."""

    id: str


@connector.action(repeat="never")
def create_task(
    client: Client,
    *,
    subject: Annotated[str, Field(description="what is to be done", min_length=1, max_length=255)],
    who: Annotated[RecordId | None, Field(description="the contact's or lead's id, such as {{ event.customer.id }}")] = None,
    about: Annotated[RecordId | None, Field(description="the id of the account, deal or case that it is about")] = None,
    text: Annotated[str | None, Field(description="the comments")] = None,
    status: Annotated[str, Field(description="Not Started for what is to be done, Completed for what was")] = "Not Started",
    due: Annotated[str | None, Field(description="the day, such as 2026-02-13", pattern=r"^\d{4}-\d\d-\d\d$")] = None,
) -> Made:
    """Make a task for the people who work in Salesforce."""
    task = {"Subject": subject, "WhoId": who, "WhatId": about, "Status": status, "ActivityDate": due, "Description": text}
    made: Made = client.post(f"{API}/sobjects/Task", json=task, into=Made)
    return made


@connector.lookup(create_task)
def task_made_before(
    client: Client, started: datetime, *, subject: str, who: str | None, about: str | None, text: str | None
) -> Made | None:
    """What tells a task is its subject, whose it is, since when, and its comments, which no query can choose by."""
    named = {"Subject": subject, "WhoId": who, "WhatId": about}
    chosen = " AND ".join(_condition(place, value) for place, value in named.items() if value)
    asked = f"SELECT Id, Description FROM Task WHERE {chosen} AND CreatedDate >= {_time(started)}"  # noqa: S608
    rows = [row for row in _query(client, asked) if text_of(row["Description"]).split() == (text or "").split()]
    return Made(id=rows[0]["Id"]) if rows else None


class Journalled(BaseModel):
    """A journal in Loyalty Management. number: its external transaction number, by which it is found again."""

    number: str


def _loyalty(settings: Settings) -> Loyalty:
    if settings["loyalty"] is None:
        raise CallFailed("This needs the connection's `loyalty`, with the program's name.", "lasting")
    loyalty: Loyalty = settings["loyalty"]
    return loyalty


def _journal(key: CallKey, now: datetime, member: str, amount: Decimal | None, **more: str | None) -> dict[str, Any]:
    about = {"ActivityDate": _time(now), "MembershipNumber": member, "ExternalTransactionNumber": OURS + key}
    return {**about, "TransactionAmount": None if amount is None else f"{amount:f}", **more}


def _run(client: Client, program: str, process: str | None, journal: Mapping[str, Any], **points: int) -> Journalled:
    if not process:
        raise CallFailed("This needs the connection's `loyalty`, with credit_process and debit_process.", "lasting")
    body = {"processParameters": [{"TransactionJournal": {**journal, "Status": "Processed"}, **points}]}
    path = f"{API}/connect/loyalty/programs/{{program}}/program-processes/{{process}}"
    client.post(path, at={"program": program, "process": process}, json=body)
    return Journalled(number=journal["ExternalTransactionNumber"])


Amount = Annotated[Money | None, Field(description="the money that was spent, where it was about any")]
Moved = Annotated[Points, Field(description="how many points", ge=1)]


@connector.action(repeat="never")
def credit_points(
    client: Client, settings: Settings, key: CallKey, now: datetime, *, member: Member, points: Moved, amount: Amount = None
) -> Journalled:
    """Give a member of Loyalty Management points: an accrual journal by the program's own process."""
    loyalty = _loyalty(settings)
    journal = _journal(key, now, member, amount, JournalTypeName=loyalty.accrual)
    return _run(client, loyalty.program, loyalty.credit_process, journal, **{loyalty.credit_parameter: points})


@connector.action(repeat="never")
def debit_points(
    client: Client, settings: Settings, key: CallKey, now: datetime, *, member: Member, points: Moved, amount: Amount = None
) -> Journalled:
    """Take points from a member of Loyalty Management: a redemption journal by the program's own process."""
    loyalty = _loyalty(settings)
    journal = _journal(key, now, member, amount, JournalTypeName=loyalty.redemption)
    return _run(client, loyalty.program, loyalty.debit_process, journal, **{loyalty.debit_parameter: points})


@connector.action(repeat="never")
def post_journal(
    client: Client,
    settings: Settings,
    key: CallKey,
    now: datetime,
    *,
    member: Member,
    amount: Amount = None,
    subtype: Annotated[str | None, Field(description="the journal's subtype, where the program has any")] = None,
    fields: Texts = {},  # noqa: B006
) -> Journalled:
    """Post an accrual to Loyalty Management, whose own rules say what it earns."""
    loyalty = _loyalty(settings)
    types = {"JournalTypeName": loyalty.accrual, "JournalSubTypeName": subtype, "LoyaltyProgramName": loyalty.program}
    journal = _journal(key, now, member, amount, **types, Status="Pending", **_values(fields, {}))
    path = f"{API}/connect/realtime/loyalty/programs/{{program}}"
    client.post(path, at={"program": loyalty.program}, json={"transactionJournals": [journal]})
    return Journalled(number=journal["ExternalTransactionNumber"])


@connector.lookup(credit_points)
@connector.lookup(debit_points)
@connector.lookup(post_journal)
def posted_before(client: Client, key: CallKey) -> Journalled | None:
    """A journal has our number."""
    asked = f"SELECT Id FROM TransactionJournal WHERE ExternalTransactionNumber = {_literal(OURS + key)}"  # noqa: S608
    return Journalled(number=OURS + key) if any(_query(client, asked)) else None


class Enrolled(Payload):
    """A member of Loyalty Management."""

    member_id: str = Field(alias="loyaltyProgramMemberId")
    membership: str = Field(alias="membershipNumber")


@connector.action(repeat="never")
def enrol_member(
    client: Client,
    settings: Settings,
    now: datetime,
    *,
    member: Member,
    last_name: Annotated[str, Field(description="the last name", min_length=1)],
    first_name: Annotated[str | None, Field(description="the first name")] = None,
    email: Annotated[str | None, Field(description="the e-mail address, by which a contact is found")] = None,
) -> Enrolled:
    """Enrol somebody in the program of Loyalty Management; makes the contact where there is none."""
    contact = {"firstName": first_name, "lastName": last_name, "email": email, "allowDuplicateRecords": False}
    body = {
        "enrollmentDate": _time(now),
        "membershipNumber": member,
        "associatedContactDetails": contact,
        "memberStatus": "Active",
        "createTransactionJournals": False,
        "canReceivePromotions": True,
    }
    path = f"{API}/loyalty-programs/{{program}}/individual-member-enrollments"
    enrolled: Enrolled = client.post(path, at={"program": _loyalty(settings).program}, json=body, into=Enrolled)
    return enrolled


@connector.lookup(enrol_member)
def enrolled_before(client: Client, settings: Settings, *, member: str) -> Enrolled | None:
    """A member of the program has the number."""
    program = _loyalty(settings).program
    chosen = f"MembershipNumber = {_literal(member)} AND Program.Name = {_literal(program)}"
    rows = list(_query(client, f"SELECT Id FROM LoyaltyProgramMember WHERE {chosen}"))  # noqa: S608
    return Enrolled(member_id=rows[0]["Id"], membership=member) if rows else None


# Recorded truth -------------------------------------------------------------------------------------------------------

AT = "2026-02-06T21:27:34.000+0000"
SINCE = "2026-02-06T00:00:00+00:00"
ORG, ADA, ACME, INVOICE = "00D5g000008abcdEAA", "0035g00000QwErTAAV", "0015g00000XyZABAA3", "a015g00000InVoAAAV"
JOB, DEAL, CASE, JOURNAL = "0WO5g000001JobAGAS", "0065g00000AbCdEAAV", "5005g00000CaSeAAAV", "0lV5g000001JrnAEAS"
WHO = {"Email": "ada@example.com", "MobilePhone": None, "Phone": "+14155550123", "FirstName": "Ada", "LastName": "Ng"}
LINKED = {"ContactId": ADA, "AccountId": ACME, "Contact": WHO}
WON = {
    "Id": DEAL,
    "IsWon": True,
    **LINKED,
    "Amount": 1250.5,
    "Name": "Renewal",
    "CloseDate": "2026-02-06",
    "LastModifiedDate": AT,
}
PAID = {"Id": INVOICE, "Status__c": "Paid", "Subtotal__c": "240.00", "Name": "RI-1042", "Contact__c": ADA, "Work_Order__c": JOB}
SEEN = {"Contact__r": {"Email": "ada@example.com"}, "LastModifiedDate": AT}
FINISHED = {"Id": JOB, "Status": "Completed", **LINKED, "Subject": "Brakes", "TotalPrice": 240}
CLOSED = {"Id": CASE, "IsClosed": True, **LINKED, "SuppliedEmail": None, "Subject": "Where is it?", "ClosedDate": AT}
CLOSED |= {"ContactEmail": "ada@example.com"}
BILL = {"Id": "a035g00000BiLLAAA3", "Amount__c": "75.00", "Contact__c": ADA, "Due__c": "2026-03-01"}
CREDIT = {"Id": "a045g00000CrEdAAAV", "Amount__c": "20.00", "Repair_Invoice__c": INVOICE}
ENTRY = {"Id": JOURNAL, "Status": "Processed", "MemberId": "0lM5g000001MbrAEAS", "JournalType": {"Name": "Accrual"}}
ENTRY |= {"ExternalTransactionNumber": "hub-call_1", "ActivityDate": AT}
ENTRY |= {"Member": {"ContactId": ADA, "MembershipNumber": "M-1001", "Contact": WHO}}
MOVES = [{"Points": 54.0, "EventType": "Credit"}, {"Points": 4, "EventType": "Debit"}]
SEEN_TO = {"Id": "a025g00000InSpAAAV", "Contact__c": ADA, "Result__c": "passed", "LastModifiedById": "0055g00000AdminAAB"}
V = "/services/data/v67.0"
QUERY = f"GET {V}/query"
FACTS: dict[str, dict[str, Any]] = {
    "Repair_Invoice__c": {"record_id": INVOICE, "amount": "240.00", "currency": "USD", "order_id": "RI-1042"},
    "Credit_Note__c": {"refund_id": CREDIT["Id"], "amount": "20.00"},
    "Bill__c": {"invoice_id": BILL["Id"], "amount": "75.00", "due_on": "2026-03-01"},
    "WorkOrder": {"job_id": JOB, "amount": "240", "title": "Brakes"},
    "Opportunity": {"deal_id": DEAL, "amount": "1250.5", "customer": {"id": ADA, "email": "ada@example.com"}},
    "Case": {"ticket_id": CASE, "subject": "Where is it?", "customer": {"email": "ada@example.com"}},
    "Contact": {"customer": {"id": ADA, "phone": "+14155550123", "last_name": "Ng", "consents": {"email": False}}},
    "TransactionJournal": {"activity_id": JOURNAL, "kind": "earned", "points": 50, "ours": True, "membership": "M-1001"},
    "Inspection__c": {"row_id": SEEN_TO["Id"], "fields": {"result": "passed"}},
}


def _told(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What the Flow of the setup sends."""
    return {
        "event_id": f"{row['Id']}:1",
        "org_id": ORG,
        "object": name,
        "occurred_at": "2026-02-06T21:27:34Z",
        "record": dict(row),
    }


def _soap(name: str, row: Mapping[str, str], org: str = ORG) -> bytes:
    """An outbound message."""
    fields = "".join(f"<sf:{field}>{text}</sf:{field}>" for field, text in row.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications'
        f' xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{org}</OrganizationId><SessionId xsi:nil="true"/>'
        f'<Notification><Id>04l5g00000XyZabAAF</Id><sObject xsi:type="sf:{name}"'
        f' xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{fields}</sObject></Notification></notifications></soapenv:Body>'
        "</soapenv:Envelope>"
    ).encode()


def _asked(name: str, where: str) -> Any:
    reading = ObjectReading.model_validate({**STANDARD.get(name, {}), **RECORDS[name]})
    selected = ", ".join(dict.fromkeys(("Id", "CreatedDate", "LastModifiedDate", "LastModifiedById", *reading.places("USD"))))
    return ask(QUERY, query={"q": f"SELECT {selected} FROM {name} WHERE {where}"})  # noqa: S608


def _rows(*rows: Mapping[str, Any]) -> dict[str, Any]:
    return {"totalSize": len(rows), "done": True, "records": list(rows)}


SOAP = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
POINTS = ask(QUERY, query={"q": f"{LEDGER} = {_literal(JOURNAL)}"})
for trigger, pulled, name, row, where in (
    (TOLD["sale_made"], TOLD["sales_since"], "Repair_Invoice__c", PAID | SEEN, "Status__c = 'Paid' AND "),
    (TOLD["refund_made"], TOLD["refunds_since"], "Credit_Note__c", CREDIT, ""),
    (TOLD["invoice_issued"], TOLD["invoices_since"], "Bill__c", BILL, ""),
    (TOLD["job_completed"], TOLD["jobs_since"], "WorkOrder", FINISHED, "Status = 'Completed' AND "),
    (TOLD["deal_won"], TOLD["deals_since"], "Opportunity", WON, "IsWon = true AND "),
    (TOLD["case_closed"], TOLD["cases_since"], "Case", CLOSED, "IsClosed = true AND "),
    (TOLD["contact_changed"], TOLD["contacts_since"], "Contact", {"Id": ADA, **WHO, "HasOptedOutOfEmail": True}, ""),
    (journal_created, journals_since, "TransactionJournal", ENTRY, "Status = 'Processed' AND "),
    (TOLD["record_changed"], TOLD["records_since"], "Inspection__c", SEEN_TO, ""),
):
    more = [POINTS] if trigger is journal_created else []
    moved = [_rows(*MOVES)] if more else []
    since = f"{where}SystemModstamp >= 2026-02-05T23:55:00Z ORDER BY SystemModstamp, Id"
    connector.sample(trigger, _told(name, row), asks=more, reply=moved, gives=FACTS[name])
    connector.sample(pulled, SINCE, asks=[_asked(name, since), *more], reply=[_rows(row), *moved], gives=FACTS[name])
connector.sample(
    TOLD["sale_made"],
    _soap("Repair_Invoice__c", PAID),
    headers=SOAP,
    asks=_asked("Repair_Invoice__c", f"Id = {_literal(INVOICE)}"),
    reply=_rows(SEEN),
    gives=FACTS["Repair_Invoice__c"] | {"customer": {"email": "ada@example.com"}},
)
connector.sample(
    TOLD["deal_won"],
    _soap("Opportunity", {"Id": DEAL[:15]}),
    headers=SOAP,
    asks=_asked("Opportunity", f"Id = '{DEAL}'"),
    reply=_rows(WON),
    gives=FACTS["Opportunity"],
)
connector.sample(TOLD["deal_won"], _told("Opportunity", WON | {"IsWon": False}), gives=None, note="not won, or not any more")
connector.sample(
    TOLD["record_changed"], _told("Inspection__c", SEEN_TO | {"LastModifiedById": OUR_USER}), gives=None, note="our own"
)

CARD = {"object": "Contact", "key_field": "Loyalty_Id__c", "key": "m-1", "numbers": {"Loyalty_Points__c": 120}}
UPSERT = f"PATCH {V}/composite/sobjects/Contact/Loyalty_Id__c"
SHOWN = {"Loyalty_Tier__c": "Gold", "Expires__c": None, "Loyalty_Points__c": 120}
CONTACT = {"attributes": {"type": "Contact"}, "id": ADA, **SHOWN}
UPDATE = ask(f"PATCH {V}/composite/sobjects", json={"allOrNone": False, "records": [CONTACT]})
REFUSED = {"success": False, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "LastName", "fields": []}]}
TEXTS = {"Loyalty_Tier__c": "Gold", "Expires__c": ""}
connector.sample(
    upsert_record,
    CARD,
    asks=ask(UPSERT, json={"records": [{"attributes": {"type": "Contact"}, "Loyalty_Id__c": "m-1", "Loyalty_Points__c": 120}]}),
    reply=[{"id": ADA, "success": True, "created": True, "errors": []}],
    gives={"id": ADA, "is_new": True},
)
connector.sample(upsert_record, CARD, asks=UPSERT, reply=[REFUSED], fails="lasting")
connector.sample(
    update_record,
    {"record": ADA, "fields": TEXTS, "numbers": {"Loyalty_Points__c": 120}},
    asks=UPDATE,
    reply=[{"id": ADA, "success": True, "errors": []}],
    gives={"id": ADA},
)
MEMBER = {"customer": {"id": ADA, "email": "ada@example.com"}, "fields": SHOWN}
NAMED = {"customer": {"email": "Ada@example.com"}, "fields": {"Loyalty_Points__c": 120}}
connector.sample(
    as_record,
    MEMBER,
    asks=UPDATE,
    reply=[{"id": ADA, "success": True, "errors": []}],
    gives={"object": "Contact", "record": ADA, "fields": TEXTS, "numbers": {"Loyalty_Points__c": 120}},
)
connector.sample(as_record, NAMED, gives=None, note="not known there yet")
connector.sample(
    record_fields,
    NAMED,
    asks=ask(
        QUERY,
        query={
            "q": "SELECT Id, Email, Loyalty_Points__c FROM Contact WHERE Email IN ('ada@example.com') ORDER BY CreatedDate DESC"
        },
    ),
    reply=_rows({"Id": ADA, "Email": "Ada@Example.com", "Loyalty_Points__c": 100.0}),
    gives={"id": ADA, "fields": {"Loyalty_Points__c": "100.0"}},
)
TASK = {"subject": "Redeemed: free oil change", "who": ADA, "text": "At the counter", "status": "Completed"}
MADE = {"id": "00T5g00000TaSkAAAA", "success": True, "errors": []}
FOUND = _rows({"Id": MADE["id"], "Description": "At the counter"})
connector.sample(
    create_task,
    TASK,
    asks=ask(f"POST {V}/sobjects/Task", json={"Subject": TASK["subject"], "WhoId": ADA, "Description": "At the counter"}),
    reply=MADE,
    gives={"id": MADE["id"]},
)
connector.sample(task_made_before, TASK, asks=QUERY, reply=FOUND, gives={"id": MADE["id"]})
connector.sample(task_made_before, TASK | {"text": "Another"}, asks=QUERY, reply=FOUND, gives=None)
NUMBER = {"number": "hub-run_1/step_1"}
WROTE = {"ActivityDate": "2026-02-06T21:30:00Z", "MembershipNumber": "M-1001", "ExternalTransactionNumber": NUMBER["number"]}
DONE = {"message": None, "status": True, "outputParameters": {"outputParameters": {"results": [{"PointsCredited": 54.0}]}}}
PROCESSES = f"POST {V}/connect/loyalty/programs/Acme Rewards/program-processes"
GIVEN = {"TransactionJournal": WROTE | {"JournalTypeName": "Accrual", "TransactionAmount": "54.20"}, "PointsToCredit": 54}
TAKEN = {"TransactionJournal": WROTE | {"JournalTypeName": "Redemption", "Status": "Processed"}, "PointsToDebit": 200}
EARN, SPEND = {"member": "M-1001", "points": 54, "amount": "54.20"}, {"member": "M-1001", "points": 200}
connector.sample(
    credit_points, EARN, asks=ask(f"{PROCESSES}/Credit Points", json={"processParameters": [GIVEN]}), reply=DONE, gives=NUMBER
)
connector.sample(
    debit_points, SPEND, asks=ask(f"{PROCESSES}/Debit Points", json={"processParameters": [TAKEN]}), reply=DONE, gives=NUMBER
)
NO = {"message": "The process is not active.", "status": False, "outputParameters": None}
connector.sample(credit_points, EARN, asks=f"{PROCESSES}/Credit Points", reply=NO, fails="lasting", note="a 200 that is none")
connector.sample(
    post_journal,
    {"member": "M-1001", "amount": "54.20", "fields": {"Channel": "Web"}},
    asks=ask(
        f"POST {V}/connect/realtime/loyalty/programs/Acme Rewards",
        json={"transactionJournals": [WROTE | {"JournalTypeName": "Accrual", "Status": "Pending", "Channel": "Web"}]},
    ),
    reply=answers(200),
    gives=NUMBER,
)
connector.sample(posted_before, EARN, asks=QUERY, reply=_rows({"Id": JOURNAL}), gives=NUMBER)
connector.sample(posted_before, EARN, asks=QUERY, reply=_rows(), gives=None)
JOINING = {"member": "M-1001", "last_name": "Ng", "email": "ada@example.com"}
JOINED = {"loyaltyProgramMemberId": "0lM5g000001MbrAEAS", "membershipNumber": "M-1001", "contactId": ADA}
connector.sample(
    enrol_member,
    JOINING,
    asks=ask(
        f"POST {V}/loyalty-programs/Acme Rewards/individual-member-enrollments",
        json={"membershipNumber": "M-1001", "associatedContactDetails": {"lastName": "Ng", "email": "ada@example.com"}},
    ),
    reply=JOINED,
    gives={"membership": "M-1001"},
)
connector.sample(enrolled_before, JOINING, asks=QUERY, reply=_rows({"Id": JOINED["contactId"]}), gives={"membership": "M-1001"})
