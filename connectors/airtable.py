"""Airtable: hear of records that are created or changed, and keep balances, tiers and new records in a base.

Setup:
1. airtable.com/create/tokens > Create token, with the scopes data.records:read, data.records:write and webhook:manage (for
   comments also data.recordComments:write), and access to the base. Copy it to `access_token`. Or, in place of a token, an
   OAuth integration with the same scopes (airtable.com/create/oauth): `client_id` and `client_secret`, and `hub connections
   authorize airtable`.
2. Open the base: its address is airtable.com/app…/tbl…. Copy the app… to `base_id`, and write the tables of which recipes shall
   hear into `tables`, with the names that recipes use, and their ids: `{Members: tbl…, Referrals: tbl…}`. Ids stay when a table
   is renamed.
3. `hub connections subscribe airtable` makes the webhook and keeps its secret, which Airtable tells once (`webhook_secret`). It
   ends after seven days without a sign of life, so the hub renews it. A hub without a public address looks every ten minutes.
4. Who it was: `columns` says in which columns recipes find people (`{email: [Email], phone: [Phone], member: [Member]}`).
   `member` names links to the table of members, which is the one of `tables` that `members_table` names.
5. Points in the base: columns for them in the table of members, and `mirror: {balance: Points, tier: Tier}`. That keeps the
   records in step that there are, found by their address; `upsert_record` makes new ones. Columns that recipes write go into
   `own_columns`: what stands there is the hub's own word, and never news.
6. An automation may tell in the webhook's place, for instance when a record matches conditions: Run a script, with the input
   variables `id` (the record's Airtable record ID) and `token` (a long random text, which is also `script_token`), and this:

```js
const table = base.getTable("Referrals"), {id, token} = input.config();
const record = await table.selectRecordAsync(id);
const fields = Object.fromEntries(table.fields.map(field => [field.name, record.getCellValueAsString(field)]));
const answer = await fetch("{webhook_url}", {
  method: "POST",
  headers: {"Content-Type": "application/json", "X-Hub-Token": token},
  body: JSON.stringify({event: "record_updated", base_id: base.id, table: table.name, record_id: id,
    automation_run: new Date().toISOString(), fields}),
});
if (!answer.ok) throw new Error("The hub answered " + answer.status);
```

What is told: Airtable's ping says only that something changed. The hub asks which records it was, and reads them as they are
then: each state of a record is told once, however it was found out, so a recipe that pays says `once_per: event.row_id`. What
programs wrote, the hub among them, is left out by Airtable itself. Deleted records are not told. Of what is older than seven
days, or where there is no webhook, the records are told that were changed since; then `own_columns` alone tell the hub's
writing from news. A script is called once and never again; Airtable mails its failures to the automation's owner. Let webhook
or script tell of a table, not both.

What goes out: ten records at a time, in all columns but computed ones. Text becomes what the column is (`typecast`), and a
choice that is not there yet is added; an empty text clears a cell. Two rows with the same key are an error, for Airtable does
not choose.

Not confirmed: that LAST_MODIFIED_TIME() without a column counts all of them; the numbers of OAuth tokens' lives; how many
webhooks an integration may have (a base has ten).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    Failure,
    Item,
    Mirrored,
    Moment,
    Payload,
    Reply,
    RowChanged,
    Settings,
    Shown,
    digest,
    tell_apart,
    words,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

Names = Annotated[tuple[str, ...], BeforeValidator(lambda said: (said,) if isinstance(said, str) else said)]


class Columns(BaseModel):
    """In which columns stands who it was; the first that is filled in counts. member: a link to the table of members."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member: Names = ("Member",)
    email: Names = ("Email",)
    phone: Names = ("Phone",)
    first_name: Names = ("First name",)
    last_name: Names = ("Last name",)


def _failure(reply: Reply) -> Failure | None:
    """Airtable says the same of a table that is not there and of one that the token may not see."""
    told = reply.find("error.type") or reply.find("error")
    if reply.status == 403 and told == "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND":
        return Failure("lasting", todo="Check the name or id of the table, and that the token has access to the base.")
    if reply.status == 403:
        return Failure("reconnect")
    if reply.status == 422 and told == "LIST_RECORDS_ITERATOR_NOT_AVAILABLE":  # a page was asked for too late: begin again
        return Failure("passing")
    if reply.status == 429 and "retry-after" not in reply.headers:
        return Failure("passing", retry_after_seconds=30)
    return None


def _kind(told: Mapping[str, Any]) -> str:
    return "ping" if "webhook" in told else str(told["event"])


def _base(told: Mapping[str, Any]) -> str:
    return str(told["base"]["id"] if "webhook" in told else told["base_id"])


BASE_ID, TABLE_ID = r"^app[A-Za-z0-9]+$", r"^tbl[A-Za-z0-9]+$"
AUTHORITY = "https://airtable.com/oauth2/v1"

connector = Connector(
    "airtable",
    title="Airtable",
    settings=secret("access_token", "airtable.com/create/tokens: a personal access token (pat…)", required=False)
    + setting("client_id", "of an OAuth integration, in place of a token", default=None)
    + secret("client_secret", "of an OAuth integration, in place of a token", required=False)
    + setting("base_id", "the app… in the base's address", Annotated[str, Field(pattern=BASE_ID)], example="appBooks000000001")
    + setting(
        "tables",
        "the tables of which recipes hear: their ids (tbl…) by the names that recipes use",
        dict[str, Annotated[str, Field(pattern=TABLE_ID)]],
        default={},
        example={"Members": "tblMembers0000001", "Referrals": "tblReferrals00001"},
    )
    + setting("members_table", "the one of `tables` with a record for each member", default=None, example="Members")
    + setting("columns", "in which columns stands who it was", Columns, default=Columns(), example={"email": ["Email"]})
    + setting("own_columns", "columns that the hub writes", list[str], default=[], example=["Result"])
    + secret("webhook_secret", "the webhook's macSecretBase64, told when it is made", required=False)
    + secret("script_token", "a long random text, which scripts send in X-Hub-Token", required=False),
    api="https://api.airtable.com",
    auth=auth.bearer("access_token")
    | auth.oauth2(
        f"{AUTHORITY}/token",
        authorize=f"{AUTHORITY}/authorize",
        scopes="data.records:read data.records:write webhook:manage",
        client="basic",
        pkce=True,
    ),
    signature=signature.hmac("X-Airtable-Content-MAC", "webhook_secret", prefix="hmac-sha256=", key="base64")
    | signature.token("script_token", header="X-Hub-Token"),
    envelope=envelope(kind=_kind, account=_base, account_setting="base_id", at=body("timestamp")),
    failures=_failure,
    rate=rate("5 per second"),
)

RECORDS = "/v0/{base_id}/{table}"
WEBHOOKS = "/v0/bases/{base_id}/webhooks"
PAYLOADS_AT_ONCE, RECORDS_AT_ONCE = 50, 100
PAYLOADS_KEPT = timedelta(days=7)
# Everything but what programs write, the hub among them.
SOURCES = ["client", "formSubmission", "formPageSubmission", "automation", "system", "sync", "anonymousUser", "unknown"]


# What comes in --------------------------------------------------------------------------------------------------------


class Record(Payload):
    """A record as it was read, or as a script sends it."""

    table: str
    record_id: str
    fields: dict[str, Any]
    automation_run: str = ""
    created_at: Moment | None = None


class RecordChanged(RowChanged):
    """A record as it is now. version: of what is read of it. created_at: when it was made, where it was asked for."""

    version: Short
    created_at: Moment | None = None


def _text(cell: Any) -> str:
    """A cell as people read it: of choices, people and files the names, of links the ids."""
    if isinstance(cell, Mapping):
        return next((str(cell[name]) for name in ("name", "email", "filename", "text", "id") if cell.get(name)), words(cell))
    return ", ".join(map(_text, cell)) if isinstance(cell, list) else "" if cell is False else words(cell)


def _cells(record: Record, connection: Connection) -> dict[str, str]:
    """The filled cells that are not the hub's own word."""
    ours = {*connection.settings["own_columns"], *connection.mirror.values()}
    texts = {name: _text(cell)[:10_000] for name, cell in record.fields.items() if name not in ours}
    return {name: text for name, text in texts.items() if text}


def _person(record: Record, cells: Mapping[str, str], settings: Settings) -> Customer | None:
    known: dict[str, str | None] = {
        part: next((cells[name].strip()[:512] for name in columns if cells.get(name)), None)
        for part, columns in settings["columns"]
    }
    member = record.record_id if record.table == settings["members_table"] else known["member"]
    customer = Customer.model_validate({"id": member, **{part: known[part] for part in known if part != "member"}})
    return customer if customer.is_known() else None


@connector.trigger("record_created", "record_updated", key=("row_id", "version"))
def record_changed(record: Record, connection: Connection) -> RecordChanged:
    """A record was created or changed."""
    cells = _cells(record, connection)
    return RecordChanged(
        customer=_person(record, cells, connection.settings),
        table=record.table,
        row_id=record.record_id,
        fields=cells,
        version=record.automation_run or digest(cells),
        created_at=record.created_at,
    )


def _our_webhook(client: Client, connection: Connection) -> Mapping[str, Any] | None:
    rows = client.get(WEBHOOKS)["webhooks"]
    return next((row for row in rows if row.get("notificationUrl") == connection.webhook_url), None)


def _kept_alive(client: Client, hook: Mapping[str, Any]) -> None:
    """Seven more days; and pings again, where Airtable gave up because we could not be reached."""
    client.post(f"{WEBHOOKS}/{{id}}/refresh", at={"id": hook["id"]})
    if hook.get("areNotificationsEnabled") is False:
        client.post(f"{WEBHOOKS}/{{id}}/enableNotifications", at={"id": hook["id"]}, json={"enable": True})


def _touched(client: Client, hook: Mapping[str, Any], since: datetime) -> dict[str, dict[str, datetime]]:
    """Which records were created or changed since then, by table, and when last. From the newest payloads back to that time."""
    found: dict[str, dict[str, datetime]] = {}
    start = int(hook["cursorForNextPayload"])
    while start > 1:
        start = max(1, start - PAYLOADS_AT_ONCE)
        asked = {"cursor": start, "limit": PAYLOADS_AT_ONCE}
        told = client.get(f"{WEBHOOKS}/{{id}}/payloads", at={"id": hook["id"]}, query=asked)["payloads"]
        payloads = [payload for payload in told if "timestamp" in payload]  # one that tells of an error may have none
        times = [datetime.fromisoformat(payload["timestamp"]) for payload in payloads]
        for payload, at in zip(payloads, times, strict=True):
            for table, changes in (payload.get("changedTablesById") or {}).items() if at >= since else ():
                records = found.setdefault(table, {})
                for kind in ("createdRecordsById", "changedRecordsById"):
                    records.update({name: max(at, records.get(name, at)) for name in changes.get(kind) or {}})
        if not times or min(times) < since:
            break
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _either(formulas: Iterable[str]) -> str:
    return f"OR({', '.join(formulas)})"


def _listed(client: Client, table: str, formula: str) -> Iterator[Mapping[str, Any]]:
    asked = {"filterByFormula": formula, "pageSize": RECORDS_AT_ONCE}
    after = pages.cursor("offset", into="json")
    return client.pages(f"{RECORDS}/listRecords", items="records", next=after, method="POST", at={"table": table}, json=asked)


def _with_ids(client: Client, table: str, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(ids), RECORDS_AT_ONCE):
        some = ids[start : start + RECORDS_AT_ONCE]
        yield from _listed(client, table, _either(f"RECORD_ID()={_quoted(one)}" for one in some))


def _changed_since(since: datetime) -> str:
    time = f"DATETIME_PARSE({_quoted(since.isoformat(timespec='seconds'))})"
    return _either(f"IS_AFTER({when}, {time})" for when in ("CREATED_TIME()", "LAST_MODIFIED_TIME()"))


@connector.pull(record_changed)
def changed_records(client: Client, connection: Connection, since: datetime) -> Iterator[Item]:
    """Records of the `tables` that were created or changed since a moment."""
    tables = connection.settings["tables"]
    hook = _our_webhook(client, connection) if tables else None
    if hook is not None:
        _kept_alive(client, hook)
    told = hook is not None and hook.get("isHookEnabled") is not False and client.now() - since < PAYLOADS_KEPT
    touched = _touched(client, hook, since) if hook is not None and told else {}
    for name, table in tables.items():
        times = touched.get(table, {})
        rows = _with_ids(client, table, list(times)) if told else _listed(client, table, _changed_since(since))
        for row in rows:
            data = {"table": name, "record_id": row["id"], "fields": row["fields"], "created_at": row.get("createdTime")}
            yield Item("record_updated", data, at=times.get(row["id"]))


connector.poke("ping", pull=changed_records)


@connector.subscribe(renew="6 days")
def subscribe(client: Client, connection: Connection) -> dict[str, str]:
    """Makes the webhook, or renews the one whose secret we have."""
    hook = _our_webhook(client, connection)
    if hook is not None and connection.settings.secret("webhook_secret") is not None:
        _kept_alive(client, hook)
        return {}
    unsubscribe(client, connection)  # one whose secret nobody knows any more
    filters = {"dataTypes": ["tableData"], "changeTypes": ["add", "update"], "fromSources": SOURCES}
    wanted = {"notificationUrl": connection.webhook_url, "specification": {"options": {"filters": filters}}}
    return {"webhook_secret": client.post(WEBHOOKS, json=wanted, safe=False)["macSecretBase64"]}


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhook back."""
    if hook := _our_webhook(client, connection):
        client.delete(f"{WEBHOOKS}/{{id}}", at={"id": hook["id"]})


# What goes out --------------------------------------------------------------------------------------------------------

Table = Annotated[str, Field(description="the table: its name in `tables`, or its id", min_length=1)]
RecordId = Annotated[str, Field(description="the record's id, such as {{ event.row_id }}", pattern="^rec[A-Za-z0-9]+$")]
Fields = Annotated[
    dict[str, str], Field(description="cells by the names of their columns; an empty text clears one", min_length=1)
]


class Kept(BaseModel):
    """A record as Airtable keeps it. created: it was not there before."""

    record_id: str
    created: bool = False


class KeyedRecord(BaseModel):
    """A record that is found by the cells of some columns."""

    table: Table
    fields: Fields
    merge_on: Annotated[
        list[str], Field(description="the columns by which it is found, up to three; letters count", min_length=1, max_length=3)
    ]


@connector.action(repeat="safe", batch=10)
def upsert_record(client: Client, settings: Settings, records: list[KeyedRecord]) -> list[Kept | CallFailed]:
    """Set cells of the record with a key, such as a member's balance; makes the record where there is none."""
    outcomes: dict[Any, Kept | CallFailed] = {}
    wanted: dict[tuple[str, tuple[str, ...]], dict[Any, dict[str, str]]] = {}
    places = []
    for one in records:
        table, columns = _table(settings, one.table), tuple(one.merge_on)
        key = (table, columns, tuple(one.fields.get(name) for name in columns))
        places.append(key)
        if not all(key[2]):
            outcomes[key] = CallFailed(f"A record needs a value in {', '.join(columns)}, by which it is found.", "lasting")
        else:
            wanted.setdefault((table, columns), {}).setdefault(key, {}).update(one.fields)
    for (table, columns), rows in wanted.items():
        merge = {"performUpsert": {"fieldsToMergeOn": list(columns)}}
        outcomes |= _written(client, table, {key: {"fields": fields} for key, fields in rows.items()}, merge)
    return [outcomes[key] for key in places]


class KnownRecord(BaseModel):
    """A record that is there, as it should be."""

    table: Table
    record: RecordId
    fields: Fields


@connector.action(repeat="safe", batch=10)
def update_record(client: Client, settings: Settings, records: list[KnownRecord]) -> list[Kept | CallFailed]:
    """Set cells of a record."""
    wanted: dict[str, dict[str, dict[str, str]]] = {}
    for one in records:
        wanted.setdefault(_table(settings, one.table), {}).setdefault(one.record, {}).update(one.fields)
    outcomes: dict[Any, Kept | CallFailed] = {}
    for table, rows in wanted.items():
        outcomes |= _written(client, table, {record: {"id": record, "fields": fields} for record, fields in rows.items()}, {})
    return [outcomes[one.record] for one in records]


def _table(settings: Settings, name: str) -> str:
    return str(settings["tables"].get(name, name))


def _written(
    client: Client, table: str, wanted: Mapping[Any, Mapping[str, Any]], more: Mapping[str, Any]
) -> dict[Any, Kept | CallFailed]:
    """A result for each; Airtable refuses all for one that is wrong, or answers in their order. A table that fails is alone."""

    def call(some: Mapping[Any, Mapping[str, Any]]) -> dict[Any, Kept | CallFailed]:
        asked = {**more, "records": list(some.values()), "typecast": True}
        told = client.patch(RECORDS, at={"table": table}, json=asked)
        made = set(told.get("createdRecords") or ())
        rows = zip(some, told["records"], strict=True)
        return {key: Kept(record_id=row["id"], created=row["id"] in made) for key, row in rows}

    return tell_apart(wanted, call)


@connector.action(repeat="never")
def create_record(client: Client, settings: Settings, *, table: Table, fields: Fields) -> Kept:
    """Add a record. Where it has a key of its own, `upsert_record` is the better way."""
    asked = {"records": [{"fields": fields}], "typecast": True}
    made = client.post(RECORDS, at={"table": _table(settings, table)}, json=asked)["records"][0]
    return Kept(record_id=made["id"], created=True)


@connector.lookup(create_record)
def created_before(
    client: Client, settings: Settings, started: datetime, *, table: Table, fields: dict[str, str]
) -> Kept | None:
    """Airtable has no idempotency key; what tells a record is that it is new, and says what it was to say."""
    since = started - timedelta(minutes=1)
    formula = f"IS_AFTER(CREATED_TIME(), DATETIME_PARSE({_quoted(since.isoformat(timespec='seconds'))}))"
    for row in _listed(client, _table(settings, table), formula):
        if all(_says(row["fields"].get(name), text) for name, text in fields.items()):
            return Kept(record_id=row["id"], created=True)
    return None


def _says(cell: Any, text: str) -> bool:
    """Whether a cell says so, in whatever form the column has."""
    if cell is True:
        return text.strip().casefold() in {"true", "yes", "checked", "1"}
    shown = _text(cell)
    for read in (Decimal, datetime.fromisoformat):
        try:
            return bool(read(shown) == read(text))
        except (ValueError, TypeError, InvalidOperation):
            continue
    return shown == text.strip()


class Commented(Payload):
    """A comment on a record."""

    id: str


@connector.action(repeat="never")
def add_comment(
    client: Client,
    settings: Settings,
    *,
    table: Table,
    record: RecordId,
    text: Annotated[str, Field(description="what to write", min_length=1)],
) -> Commented:
    """Write a comment on a record, which its watchers are told of."""
    place = {"table": _table(settings, table), "record": record}
    done: Commented = client.post(f"{RECORDS}/{{record}}/comments", at=place, json={"text": text}, into=Commented)
    return done


def _members(settings: Settings) -> str:
    name = settings["members_table"]
    if name not in settings["tables"]:
        said = "To mirror points, `members_table` must name the one of `tables` that has a record for each member."
        raise CallFailed(said, "lasting")
    return str(name)


@connector.mirror(update_record)
def as_record(one: Mirrored, settings: Settings) -> dict[str, Any] | None:
    """The record that shows a member's points."""
    table = _members(settings)
    return {"table": table, "record": one.customer.id, "fields": one.texts} if one.customer.id else None


@connector.mirrored(batch=50)
def member_cells(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What members' records say; a record whose id is not known is found by the address."""
    column = "{" + settings["columns"].email[0].replace("}", "\\}") + "}"
    ids = {one.customer.id: f"RECORD_ID()={_quoted(one.customer.id)}" for one in many if one.customer.id}
    mails = {one.customer.email.casefold() for one in many if one.customer.email}
    formulas = [*ids.values(), *(f"LOWER({column})={_quoted(mail)}" for mail in sorted(mails))]
    rows = list(_listed(client, _table(settings, _members(settings)), _either(formulas))) if formulas else []
    known = {row["id"]: row for row in rows}
    at = {_text(row["fields"].get(settings["columns"].email[0])).casefold(): row for row in rows}
    found = (known.get(one.customer.id) or at.get((one.customer.email or "-").casefold()) for one in many)
    return [_shown(row, one) if row else None for one, row in zip(many, found, strict=True)]


def _shown(row: Mapping[str, Any], one: Mirrored) -> Shown:
    return Shown({name: _text(row["fields"].get(name)) for name in one.fields}, row["id"])


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

BASE, MEMBERS, REFERRALS = "appBooks000000001", "tblMembers0000001", "tblReferrals00001"
SCRIPT = {
    "event": "record_updated", "base_id": BASE, "table": "Referrals", "record_id": "recRef0000000001",
    "automation_run": "2026-02-06T21:27:34.000Z",
    "fields": {"Email": "ada@example.com", "Amount": 42.5, "Status": "Approved", "Result": "paid"},
}
APPROVED = {
    "id": "recRef0000000001", "createdTime": "2026-02-06T20:00:00.000Z",
    "fields": {"Email": "ada@example.com", "Member": ["recAda0000000001"], "Amount": 42.5, "Status": "Approved", "Paid": True},
}
ADA = {
    "id": "recAda0000000001", "createdTime": "2026-02-01T10:00:00.000Z",
    "fields": {"Email": "Ada@example.com", "First name": "Ada", "Points": 120, "Tier": "Gold"},
}
HOOK = {
    "id": "ach00000000000001", "notificationUrl": "https://hub.example.com/hooks/airtable", "cursorForNextPayload": 42,
    "areNotificationsEnabled": True, "isHookEnabled": True, "expirationTime": "2026-02-13T21:00:00.000Z",
}
CHANGE = {
    "timestamp": "2026-02-06T21:27:30.000Z", "baseTransactionNumber": 41, "payloadFormat": "v0",
    "actionMetadata": {"source": "client", "sourceMetadata": {"user": {"id": "usrBob", "email": "bob@example.com"}}},
    "changedTablesById": {
        REFERRALS: {"changedRecordsById": {"recRef0000000001": {"current": {"cellValuesByFieldId": {"fldStatus": "x"}}}}},
        "tblForeign000001": {"createdRecordsById": {"recFar0000000001": {"cellValuesByFieldId": {}}}},
    },
}
EARLIER = CHANGE | {"timestamp": "2026-02-06T19:00:00.000Z", "baseTransactionNumber": 40}
SINCE = "2026-02-06T21:00:00+00:00"
GET_HOOKS, HOOKS = f"GET /v0/bases/{BASE}/webhooks", {"webhooks": [HOOK]}
REFRESH, REFRESHED = f"POST /v0/bases/{BASE}/webhooks/{HOOK['id']}/refresh", {"expirationTime": "2026-02-13T21:30:00.000Z"}
GET_PAYLOADS = ask(f"GET /v0/bases/{BASE}/webhooks/{HOOK['id']}/payloads", query={"cursor": 1, "limit": 50})
PAYLOADS = {"payloads": [EARLIER, CHANGE], "cursor": 43, "mightHaveMore": False}
LIST_MEMBERS, LIST_REFERRALS = (f"POST /v0/{BASE}/{table}/listRecords" for table in (MEMBERS, REFERRALS))
NEW = 'DATETIME_PARSE("2026-02-06T21:00:00+00:00")'
CHANGED = f"OR(IS_AFTER(CREATED_TIME(), {NEW}), IS_AFTER(LAST_MODIFIED_TIME(), {NEW}))"
BALANCE = {"table": "Members", "merge_on": ["Email"], "fields": {"Email": "ada@example.com", "Points": "120", "Tier": "Gold"}}
WRITE = f"PATCH /v0/{BASE}/{MEMBERS}"
REWARD = {"table": "Referrals", "fields": {"Email": "ada@example.com", "Amount": "42.50", "Paid": "yes"}}
ADA_SHOWN = {"customer": {"id": "recAda0000000001"}, "fields": {"Points": 120}}
REFUSED = answers(422, {"error": {"type": "INVALID_VALUE_FOR_COLUMN", "message": "Field Points cannot accept the value"}})

connector.sample(
    record_changed, SCRIPT, headers={"X-Hub-Token": "example-script-token"},
    gives={"table": "Referrals", "row_id": "recRef0000000001", "version": "2026-02-06T21:27:34.000Z",
           "fields": {"Email": "ada@example.com", "Amount": "42.5", "Status": "Approved"},
           "customer": {"email": "ada@example.com"}},
    note="Result is the hub's own",
)
connector.sample(
    changed_records, SINCE,
    asks=[GET_HOOKS, REFRESH, GET_PAYLOADS,
          ask(LIST_REFERRALS, json={"filterByFormula": 'OR(RECORD_ID()="recRef0000000001")', "pageSize": 100})],
    reply=[HOOKS, REFRESHED, PAYLOADS, {"records": [APPROVED]}],
    gives={"table": "Referrals", "fields": {"Amount": "42.5", "Status": "Approved", "Paid": "yes"},
           "customer": {"id": "recAda0000000001", "email": "ada@example.com"}, "created_at": "2026-02-06T20:00:00Z"},
)
connector.sample(
    changed_records, SINCE,
    asks=[GET_HOOKS, ask(LIST_MEMBERS, json={"filterByFormula": CHANGED}),
          ask(LIST_REFERRALS, json={"filterByFormula": CHANGED}), ask(LIST_REFERRALS, json={"offset": "itr1/rec1"})],
    reply=[{"webhooks": []}, {"records": [ADA]}, {"records": [APPROVED], "offset": "itr1/rec1"}, {"records": []}],
    gives=[{"table": "Members", "customer": {"id": "recAda0000000001", "first_name": "Ada"}}, {"table": "Referrals"}],
    note="without a webhook",
)
connector.sample(
    upsert_record, BALANCE,
    asks=ask(WRITE, json={"performUpsert": {"fieldsToMergeOn": ["Email"]}, "records": [{"fields": BALANCE["fields"]}],
                          "typecast": True}),
    reply={"records": [ADA], "createdRecords": [], "updatedRecords": ["recAda0000000001"]},
    gives={"record_id": "recAda0000000001", "created": False},
)
connector.sample(upsert_record, BALANCE, asks=WRITE, reply=REFUSED, fails="lasting")
connector.sample(
    update_record, {"table": MEMBERS, "record": "recAda0000000001", "fields": {"Points": "120", "Tier": ""}},
    asks=ask(WRITE, json={"records": [{"id": "recAda0000000001", "fields": {"Points": "120", "Tier": ""}}], "typecast": True}),
    reply={"records": [ADA]}, gives={"record_id": "recAda0000000001"},
)
connector.sample(
    create_record, REWARD,
    asks=ask(f"POST /v0/{BASE}/{REFERRALS}", json={"records": [{"fields": REWARD["fields"]}], "typecast": True}),
    reply={"records": [APPROVED]}, gives={"record_id": "recRef0000000001", "created": True},
)
connector.sample(
    created_before, REWARD, asks=LIST_REFERRALS, reply={"records": [ADA, APPROVED]}, gives={"record_id": "recRef0000000001"}
)
connector.sample(created_before, REWARD, asks=LIST_REFERRALS, reply={"records": [ADA]}, gives=None)
connector.sample(
    add_comment, {"table": "Referrals", "record": "recRef0000000001", "text": "+50 points"},
    asks=ask(f"POST /v0/{BASE}/{REFERRALS}/recRef0000000001/comments", json={"text": "+50 points"}),
    reply={"id": "com00000000000001", "text": "+50 points"}, gives={"id": "com00000000000001"},
)
connector.sample(
    as_record, ADA_SHOWN, asks=ask(WRITE, json={"records": [{"id": "recAda0000000001", "fields": {"Points": "120"}}]}),
    reply={"records": [ADA]}, gives={"table": "Members", "record": "recAda0000000001", "fields": {"Points": "120"}},
)
connector.sample(as_record, {"customer": {"email": "ada@example.com"}, "fields": {"Points": 120}}, gives=None)
connector.sample(
    member_cells, ADA_SHOWN, asks=ask(LIST_MEMBERS, json={"filterByFormula": 'OR(RECORD_ID()="recAda0000000001")'}),
    reply={"records": [ADA]}, gives={"id": "recAda0000000001", "fields": {"Points": "120"}},
)
connector.sample(
    member_cells, {"customer": {"email": "ada@example.com"}, "fields": {"Until": "2026-12-24"}},
    asks=ask(LIST_MEMBERS, json={"filterByFormula": 'OR(LOWER({Email})="ada@example.com")'}), reply={"records": [ADA]},
    gives={"id": "recAda0000000001", "fields": {"Until": ""}}, note="whose record is not known yet, and whose cell is empty",
)
connector.sample(member_cells, ADA_SHOWN, asks=LIST_MEMBERS, reply={"records": []}, gives=None, note="nobody there")
