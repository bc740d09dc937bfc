"""Google Sheets: every transaction becomes a row, and rows that staff fill in become points.

Setup:
1. console.cloud.google.com > your project > APIs & Services: enable the Google Sheets API. IAM > Service accounts: make
   one, then Keys > Add key > JSON. Copy the whole file's text to `service_account`.
2. In the sheet: Share, with the e-mail address of the service account, as editor. Copy the id between /d/ and /edit of the
   sheet's address to `spreadsheet_id`.
3. Each tab that the hub works with has names in row 1, the first cell too, and a column `id` (or as `id_column` says; hide
   it if you like). Its cells are the rows' keys: rows may be sorted and moved, but a key is never copied to another row. No
   merged cells.
4. The tab `Adjustments` (or as `sheet` says) is for staff: id, email, points, reason, Result. A row is told once, when all
   of `required_columns` are filled in and its Result is empty; a recipe adjusts the points and writes the result beside it
   (`write_result`). A row that is not right is told too, once, with `event.valid` false and `event.problem`; when it is
   mended, and its Result emptied, it is told as a good one. What was told once as good is never told again.
5. The tab `Members` (or as `members_sheet` says) is for `mirror:`, `{balance: points, tier: tier}`: id, and a column for each
   of these names. Every member has a row there, whose id is the e-mail address (or phone number); staff may hide or sort it.
6. Without the script below the hub looks every five minutes, and gives each row its id itself. With it rows come at once:
   choose Extensions > Apps Script, paste it, choose a long random secret for SECRET and for `webhook_secret`, and run
   `install` once. The triggers run as the person who installed them; when that account goes, install again.

```js
const HUB = "{webhook_url}", SECRET = "the webhook_secret", TAB = "Adjustments", ID = "id";

function install() {                     // run once; a second time replaces the triggers
  ScriptApp.getProjectTriggers().forEach(t => ScriptApp.deleteTrigger(t));
  ScriptApp.newTrigger("edited").forSpreadsheet(SpreadsheetApp.getActive()).onEdit().create();
  ScriptApp.newTrigger("flush").timeBased().everyMinutes(5).create();
}

function edited(e) {                     // a paste has many rows and no value: read the range
  const sheet = e.range.getSheet();
  if (sheet.getName() !== TAB) return;
  locked(() => { for (let n = 0; n < e.range.getNumRows(); n++) keep(sheet, e.range.getRow() + n, true); send(); });
}

function flush() {                       // what could not be sent, and rows that other tools wrote: they fire no trigger
  const sheet = SpreadsheetApp.getActive().getSheetByName(TAB);
  locked(() => { for (let row = 2; row <= sheet.getLastRow(); row++) keep(sheet, row, false); send(); });
}

function locked(work) {
  const lock = LockService.getDocumentLock();
  lock.waitLock(30000);
  try { work(); } finally { lock.releaseLock(); }
}

function keep(sheet, row, isEdited) {    // give the row an id of its own, and put it into the outbox
  if (row < 2 || !sheet.getRange(row, 1, 1, sheet.getLastColumn()).getValues()[0].some(v => v !== "")) return;
  const headers = sheet.getRange(1, 1, 1, sheet.getLastColumn()).getValues()[0], column = headers.indexOf(ID) + 1;
  const ids = sheet.getRange(1, column, sheet.getLastRow()).getValues().map(r => r[0]), id = ids[row - 1];
  const isNew = !id || (isEdited && ids.indexOf(id) !== ids.lastIndexOf(id));
  if (!isNew && !isEdited) return;
  if (isNew) sheet.getRange(row, column).setValue(Utilities.getUuid());
  const zone = SpreadsheetApp.getActive().getSpreadsheetTimeZone();
  const values = sheet.getRange(row, 1, 1, headers.length).getValues()[0]
    .map(v => v instanceof Date ? Utilities.formatDate(v, zone, "yyyy-MM-dd'T'HH:mm:ss") : v);
  const body = {v: 1, delivery_id: Utilities.getUuid(), event: isNew ? "row_added" : "row_edited",
    spreadsheet_id: SpreadsheetApp.getActive().getId(), sheet: TAB, sheet_id: sheet.getSheetId(), row: row, headers: headers,
    row_values: values, user: Session.getActiveUser().getEmail(), changed_at: new Date().toISOString()};
  PropertiesService.getDocumentProperties().setProperty("out:" + body.delivery_id, JSON.stringify(body));
}

function send() {                        // signed anew each time; the delivery_id stays
  const outbox = PropertiesService.getDocumentProperties(), all = outbox.getProperties();
  Object.keys(all).filter(name => name.startsWith("out:")).forEach(name => {
    const time = String(Math.floor(Date.now() / 1000));
    const hash = Utilities.computeHmacSha256Signature(time + "." + all[name], SECRET, Utilities.Charset.UTF_8);
    const hex = hash.map(b => ("0" + ((b + 256) % 256).toString(16)).slice(-2)).join("");
    const answer = UrlFetchApp.fetch(HUB, {method: "post", contentType: "application/json", payload: all[name],
      headers: {"X-Sheets-Timestamp": time, "X-Sheets-Signature": "sha256=" + hex}, muteHttpExceptions: true});
    if (answer.getResponseCode() < 300) outbox.deleteProperty(name);
  });
}
```

How it is written: gspread speaks to Google, through the hub's own client (address guard, retries, errors, one token an hour).
Text goes in raw, so that `+44…`, `007` and `=…` stay text, and `numbers` as numbers. Google keeps no keys: rows are found by
their id right before writing, one writer a tab, and a write whose answer was lost is never repeated without looking again. Not
confirmed: quotas of Apps Script, and the most that Google takes at once (100 rows are sent).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field

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
    Number,
    Payload,
    Points,
    Reply,
    RowChanged,
    Settings,
    Shown,
    Unreadable,
)
from hub.sdk.declare import ask, auth, body, envelope, rate, secret, setting, signature
from hub.sdk.fact import Short, Text
from hub.sdk.keys import example_rsa

TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
SCOPE = "https://www.googleapis.com/auth/spreadsheets"


def _assertion(connection: Connection, now: datetime) -> str:
    """Who we are, signed with the service account's key (RFC 7523). CallFailed(reconnect) when the key is none."""
    from google.auth import crypt, jwt  # noqa: PLC0415  # loaded when a connection is used

    key = connection.settings.secret("service_account")
    try:
        account = json.loads(key.reveal() if key else "")
        signer = crypt.RSASigner.from_service_account_info(account)  # type: ignore[no-untyped-call]
        issuer = account["client_email"]
    except (ValueError, LookupError, TypeError):
        said = f"`service_account` of {connection.name} is not the JSON key of a service account. Copy the whole file again."
        raise CallFailed(said, "reconnect") from None
    began = int(now.timestamp())
    claims = {"iss": issuer, "scope": SCOPE, "aud": TOKEN, "iat": began, "exp": began + 3600}
    return str(jwt.encode(signer, claims).decode())  # type: ignore[no-untyped-call]


EXAMPLE = json.dumps({"type": "service_account", "client_email": "hub@example.iam", "private_key": example_rsa()})

connector = Connector(
    "google_sheets",
    title="Google Sheets",
    settings=secret("service_account", "the JSON key of a service account, the whole file's text", example=EXAMPLE)
    + setting(
        "spreadsheet_id", "the id in the sheet's address", Annotated[str, Field(pattern=r"^[\w-]+$")], example="1AbCdEfGh"
    )
    + secret("webhook_secret", "SECRET of the script; without it the hub looks by itself", required=False)
    + setting("sheet", "the tab in which staff write", default="Adjustments", example="Adjustments")
    + setting("members_sheet", "the tab in which `mirror` shows each member's points", default="Members", example="Members")
    + setting("required_columns", "what must be filled in before a row counts", list[str], default=["email", "points"])
    + setting("id_column", "the column with the rows' keys", default="id", example="id")
    + setting("result_column", "the column for what came of a row", default="Result", example="Result"),
    api="https://sheets.googleapis.com",
    auth=auth.oauth2(TOKEN, assertion=_assertion),
    signature=signature.hmac(
        "X-Sheets-Signature", "webhook_secret", prefix="sha256=", signed="{timestamp}.{body}", timestamp="X-Sheets-Timestamp"
    ),
    # Not shared with the service account (any more), or the API is switched off.
    failures=lambda reply: Failure("reconnect") if reply.status == 403 else None,
    envelope=envelope(
        kind=body("event"),
        id=body("delivery_id"),
        account=body("spreadsheet_id"),
        account_setting="spreadsheet_id",
        at=body("changed_at"),
    ),
    # One service account is one user to Google, however many sheets share it.
    rate=rate("30 per minute"),
)


# What comes in --------------------------------------------------------------------------------------------------------


class Row(Payload):
    """A row as the script sends it, or as it was read. row: its place at that moment, for messages alone."""

    sheet: str
    row: int
    headers: list[Any]
    values: list[Any] = Field(alias="row_values")
    changed_at: Moment | None = None


class Adjustment(RowChanged):
    """A row that staff filled in. valid: whether it can be worked; problem: why not. points: whole, with their sign."""

    valid: bool = True
    problem: Short = ""
    points: Points | None = None
    reason: Text = ""


def _text(value: Any) -> str:
    """A cell as text: numbers without what the sheet's locale makes of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(int(value)) if value == value.to_integral_value() else format(value, "f")
    return "" if value is None else str(value).strip()


def _plain(name: str) -> str:
    return re.sub(r"\s+", "_", name.strip()).casefold()


def _cells(row: Row) -> dict[str, str]:
    """The filled cells by the names in row 1; what has no name, or a name for the second time, is nobody's."""
    cells: dict[str, str] = {}
    for name, value in zip(map(_text, row.headers), map(_text, row.values), strict=False):
        if name and value:
            cells.setdefault(name, value[:10_000])
    return cells


def _is_due(cells: Mapping[str, str], settings: Settings) -> bool:
    """Whether what must be filled in is, and nothing has come of it yet."""
    known = set(map(_plain, cells))
    return settings["result_column"] not in cells and all(_plain(name) in known for name in settings["required_columns"])


@connector.trigger("row_added", "row_edited", key=("table", "row_id", "valid"))
def row_filled(row: Row, settings: Settings) -> Adjustment | None:
    """Somebody filled in a row of the staff's tab."""
    cells = _cells(row)
    known = {_plain(name): value for name, value in cells.items()}
    if row.sheet != settings["sheet"] or not _is_due(cells, settings):
        return None
    if settings["id_column"] not in cells:
        raise Unreadable(f"Row {row.row} of {row.sheet} has no `{settings['id_column']}`, so it cannot be told from another.")
    points, problem = _points(known.get("points"))
    own = {settings["id_column"], settings["result_column"]}
    return Adjustment(
        occurred_at=row.changed_at,
        customer=_person(known),
        table=row.sheet,
        row_id=cells[settings["id_column"]][:512],
        fields={name: value for name, value in cells.items() if name not in own},
        valid=not problem,
        problem=problem,
        points=points,
        reason=known.get("reason", ""),
    )


def _points(text: str | None) -> tuple[int | None, str]:
    if text is None:
        return None, ""
    if not re.fullmatch(r"[+-]?\d{1,12}", text, re.ASCII):
        return None, f"points must be a whole number and is {text[:60]!r}"
    return int(text), ""


def _person(known: Mapping[str, str]) -> Customer | None:
    found = {
        field: known[name][:512]
        for field, name in (("id", "member_id"), ("email", "email"), ("phone", "phone"))
        if name in known
    }
    return Customer.model_validate(found) if found else None


# What gspread asks goes through our client ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Session:
    """What gspread takes for a session of requests. A write is never repeated as it is: rows may have moved by then."""

    client: Client

    def request(self, method: str, url: str, params: Any = None, json: Any = None, **_: Any) -> Reply:
        """One call; see gspread's HTTPClient."""
        return self.client.call(method.upper(), url, query=params, json=json, safe=method == "get")


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """The one spreadsheet of a connection."""

    http: Any
    id: str

    def read(self, *ranges: str) -> list[list[list[Any]]]:
        """The cells of each range; rows end at their last filled cell."""
        asked = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "FORMATTED_STRING"}
        told = self.http.values_batch_get(self.id, list(ranges), asked)
        return [one.get("values") or [] for one in told["valueRanges"]]

    def write(self, cells: Mapping[str, list[list[Any]]]) -> None:
        """Sets ranges in one go; None leaves a cell as it is."""
        data = [{"range": place, "values": values} for place, values in cells.items()]
        self.http.values_batch_update(self.id, {"valueInputOption": "RAW", "data": data})

    def append(self, table: str, rows: list[list[Any]]) -> None:
        """Adds rows below a table, given by its row of names: else Google guesses where the table is."""
        asked = {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"}
        self.http.values_append(self.id, table, asked, {"majorDimension": "ROWS", "values": rows})


def _spreadsheet(client: Client, settings: Settings) -> Spreadsheet:
    from gspread.http_client import HTTPClient  # noqa: PLC0415  # loaded when a connection is used

    return Spreadsheet(HTTPClient(cast(Any, None), cast(Any, _Session(client))), settings["spreadsheet_id"])


def _place(tab: str, cells: str = "") -> str:
    """`'Tab'!A2:C2`; the whole tab where no cells are said. Google refuses a range that ends beyond the tab's last cell."""
    from gspread.utils import absolute_range_name  # noqa: PLC0415

    return str(absolute_range_name(tab, cells or None))


def _letters(column: int) -> str:
    from gspread.utils import rowcol_to_a1  # noqa: PLC0415

    return str(rowcol_to_a1(1, column)).rstrip("1")


@connector.pull(row_filled, every="5 minutes")
def filled_rows(client: Client, settings: Settings, since: datetime) -> Iterator[Item]:
    """The rows of the staff's tab that have no result yet; those without an id are given one first."""
    sheet, tab = _spreadsheet(client, settings), settings["sheet"]
    rows = _rows(sheet, tab)
    # Where the script is at work it gives the ids; two givers would make two rows of one.
    if settings["webhook_secret"] is None and (nameless := [row for row in rows if _waits_for_id(row, settings)]):
        column = _letters([_text(name) for name in nameless[0].headers].index(settings["id_column"]) + 1)
        sheet.write({_place(tab, f"{column}{row.row}"): [[_fresh_id(row, settings, since)]] for row in nameless})
        rows = _rows(sheet, tab)  # they may have moved meanwhile: only what stands there now counts
    first: dict[str, int] = {}
    for row in rows:
        cells = _cells(row)
        if settings["id_column"] not in cells or not _is_due(cells, settings):
            continue
        place, problem = first.setdefault(cells[settings["id_column"]], row.row), ""
        if place != row.row:
            problem = f"Rows {place} and {row.row} of {tab} have the same id. Empty that cell in the newer one."
        yield Item("row_added", row.model_dump(by_alias=True), problem=problem)


def _rows(sheet: Spreadsheet, tab: str) -> list[Row]:
    headers, *rows = sheet.read(_place(tab))[0] or [[]]
    return [Row(sheet=tab, row=number, headers=headers, values=values) for number, values in enumerate(rows, 2)]


def _waits_for_id(row: Row, settings: Settings) -> bool:
    cells, has_column = _cells(row), settings["id_column"] in map(_text, row.headers)
    return has_column and settings["id_column"] not in cells and _is_due(cells, settings)


def _fresh_id(row: Row, settings: Settings, since: datetime) -> str:
    """Unlike any other: of the sheet, the place, the content and the time."""
    said = json.dumps([settings["spreadsheet_id"], row.sheet, row.row, since.isoformat(), *_cells(row).items()])
    return str(uuid.uuid5(uuid.NAMESPACE_URL, said))


# What goes out --------------------------------------------------------------------------------------------------------

Tab = Annotated[str, Field(description="the tab's name", min_length=1)]
Key = Annotated[str, Field(description="what makes the row the only one of its kind; it stands in the id column", min_length=1)]
Mode = Literal["add", "set", "fill"]


class Line(BaseModel):
    """What a row shall hold."""

    sheet: Tab
    key: Key
    values: Annotated[dict[str, str], Field(description="texts by the names in row 1")] = Field(default_factory=dict)
    numbers: Annotated[
        dict[str, Points | Number], Field(description="numbers by the names in row 1, such as {{ earned.points }}")
    ] = Field(default_factory=dict)

    def cells(self) -> dict[str, Any]:
        return {**self.values, **self.numbers}


class Result(BaseModel):
    """What came of a row that staff filled in."""

    key: Annotated[str, Field(description="the row's id: {{ event.row_id }}", min_length=1)]
    text: Annotated[str, Field(description="what to write beside it", min_length=1)]
    sheet: Annotated[str | None, Field(description="another tab than the staff's")] = None


class Written(BaseModel):
    """A row as it was left. is_new: it was not there before."""

    key: str
    is_new: bool


@connector.action(repeat="safe", batch=100)
def append_row(client: Client, settings: Settings, lines: list[Line]) -> list[Written | CallFailed]:
    """Add a row, unless there is one with its key already."""
    return _written(client, settings, "add", [(line.sheet, line.key, line.cells()) for line in lines])


@connector.action(repeat="safe", batch=100)
def set_row(client: Client, settings: Settings, lines: list[Line]) -> list[Written | CallFailed]:
    """Write into the row with a key; adds it where there is none. Columns that are not named stay as they are."""
    return _written(client, settings, "set", [(line.sheet, line.key, line.cells()) for line in lines])


@connector.action(repeat="safe", batch=100)
def write_result(client: Client, settings: Settings, results: list[Result]) -> list[Written | CallFailed]:
    """Write beside a row what came of it."""
    told = settings["result_column"]
    return _written(client, settings, "fill", [(one.sheet or settings["sheet"], one.key, {told: one.text}) for one in results])


@connector.mirror(set_row)
def as_row(one: Mirrored, settings: Settings) -> dict[str, Any] | None:
    """The row that shows a member's points; a member who has none is given one."""
    key = _key_of(one)
    told = {"sheet": settings["members_sheet"], "key": key, "values": one.others, "numbers": one.numbers}
    return told if key else None


@connector.mirrored(batch=500)
def member_rows(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What the members' rows say; all of them are read at once."""
    tab, column = settings["members_sheet"], settings["id_column"]
    rows = _spreadsheet(client, settings).read(_place(tab))[0]
    heads = [_text(name) for name in rows[0]] if rows else []
    if gone := [name for name in dict.fromkeys([column, *(name for one in many for name in one.fields)]) if name not in heads]:
        raise CallFailed(f"{tab} has no column {gone[0]!r}; it has {', '.join(filter(None, heads))}.", "lasting")
    known = {cells.get(column): cells for row in rows[1:] for cells in [dict(zip(heads, map(_text, row), strict=False))]}
    return [Shown(known.get(key, {}), key) if (key := _key_of(one)) else None for one in many]


def _key_of(one: Mirrored) -> str | None:
    return one.customer.id or one.customer.email or one.customer.phone


Wish = tuple[str, str, Mapping[str, Any]]


def _written(client: Client, settings: Settings, mode: Mode, wishes: Sequence[Wish]) -> list[Written | CallFailed]:
    """A result for each wish; a tab that cannot be written to does not keep the others from it."""
    sheet, outcomes = _spreadsheet(client, settings), dict[int, Written | CallFailed]()
    for tab in dict.fromkeys(tab for tab, _, _ in wishes):
        mine = {number: wish for number, wish in enumerate(wishes) if wish[0] == tab}
        try:
            with client.alone(f"{settings['spreadsheet_id']}/{tab}"):
                outcomes |= _Work(sheet, tab, settings["id_column"], mode).do(mine)
        except CallFailed as failure:
            outcomes |= dict.fromkeys(mine, failure)
    return [outcomes[number] for number in range(len(wishes))]


class _Work:
    """One short job on one tab: find the rows by their keys, write, forget where they were."""

    def __init__(self, sheet: Spreadsheet, tab: str, id_column: str, mode: Mode) -> None:
        self._sheet, self._tab, self._mode = sheet, tab, mode
        self._heads = [_text(name) for name in (sheet.read(_place(tab, "1:1"))[0] or [[]])[0]]
        if not self._heads or not self._heads[0]:
            raise CallFailed(f"Row 1 of {tab} must name its columns, the first one too.", "lasting")
        self._id = self._column(id_column)
        mails = [place for place, name in enumerate(self._heads, 1) if _plain(name) == "email"][:1]
        letters = map(_letters, [self._id, *mails])
        self._keys, *others = [
            [_text(row[0]) if row else "" for row in column]
            for column in sheet.read(*(_place(tab, f"{letter}:{letter}") for letter in letters))
        ]
        self._keyed = {row for row, known in enumerate(self._keys, 1) if known}
        self._mails = [mail.casefold() for column in others for mail in column]

    def do(self, wishes: Mapping[int, Wish]) -> dict[int, Written | CallFailed]:
        """Works the wishes, by number; wishes for one key are one row, the later ones on top."""
        outcomes: dict[int, Written | CallFailed] = {}
        there: dict[int, dict[int, Any]] = {}
        new: dict[str, dict[int, Any]] = {}
        for number, (_, key, cells) in wishes.items():
            try:
                row = self._row(key, cells)
                line = {self._column(name): value for name, value in cells.items()} | {self._id: key}
                if row in self._keyed:
                    del line[self._id]
                if row is None and self._mode == "fill":
                    raise CallFailed(f"{self._tab} has no row with the id {key!r} (any more).", "lasting")
            except CallFailed as failure:
                outcomes[number] = failure
                continue
            if row is None and (self._mode == "set" or key not in new):
                new[key] = new.get(key, {}) | line
            elif row is not None and self._mode != "add" and line:
                there[row] = there.get(row, {}) | line
            outcomes[number] = Written(key=key, is_new=row is None)
        width = _letters(len(self._heads))
        if there:
            self._sheet.write(
                {
                    _place(self._tab, f"A{row}:{_letters(max(line))}{row}"): [_spread(line, max(line))]
                    for row, line in there.items()
                }
            )
        if new:
            table = _place(self._tab, f"A1:{width}1")
            self._sheet.append(table, [_spread(line, len(self._heads)) for line in new.values()])
        return outcomes

    def _row(self, key: str, cells: Mapping[str, Any]) -> int | None:
        rows = [row for row, known in enumerate(self._keys, 1) if known == key and row > 1]
        if len(rows) > 1:
            raise CallFailed(f"Rows {rows[0]} and {rows[1]} of {self._tab} have the same id {key!r}.", "lasting")
        if not rows and self._mode == "set":  # somebody may have emptied the key
            mail = next((_text(value).casefold() for name, value in cells.items() if _plain(name) == "email"), "")
            rows = [row for row, known in enumerate(self._mails, 1) if mail and known == mail and row not in self._keyed]
        return rows[0] if rows else None

    def _column(self, name: str) -> int:
        places = [place for place, head in enumerate(self._heads, 1) if head == name]
        if len(places) != 1:
            said = "no column" if not places else "more than one column"
            raise CallFailed(f"{self._tab} has {said} {name!r}; it has {', '.join(filter(None, self._heads))}.", "lasting")
        return places[0]


def _spread(line: Mapping[int, Any], width: int) -> list[Any]:
    return [line.get(column) for column in range(1, width + 1)]


# Recorded truth -------------------------------------------------------------------------------------------------------

HEADERS = ["id", "email", "points", "reason", "Result"]
BIRTHDAY = ["9e107d9d-372b-4c6e-8f1a-2b3c4d5e6f70", "ada@example.com", 50, "Birthday"]
ADDED = {
    "v": 1,
    "delivery_id": "0b9f6d1c-8a11-4f0e-9d3f-5a6b7c8d9e0f",
    "event": "row_added",
    "spreadsheet_id": "1AbCdEfGh",
    "sheet": "Adjustments",
    "sheet_id": 0,
    "row": 7,
    "headers": HEADERS,
    "row_values": [*BIRTHDAY, ""],
    "user": "",
    "changed_at": "2026-02-06T21:27:34.000Z",
}
READ = "GET /v4/spreadsheets/1AbCdEfGh/values:batchGet"
WRITE = "POST /v4/spreadsheets/1AbCdEfGh/values:batchUpdate"
HEADS = ["id", "email", "points", "amount"]
POSTED = {
    "sheet": "Transactions",
    "key": "txn_2",
    "values": {"email": "ada@example.com"},
    "numbers": {"points": 120, "amount": "12.50"},
}


def _read(*columns: list[list[Any]]) -> dict[str, Any]:
    return {"spreadsheetId": "1AbCdEfGh", "valueRanges": [{"majorDimension": "ROWS", "values": column} for column in columns]}


ADA_SHOWN: dict[str, Any] = {"customer": {"email": "ada@example.com"}, "fields": {"points": 120, "tier": None}}
MEMBERS: list[list[Any]] = [["id", "points", "tier"], ["ada@example.com", 119]]
GET_HEADS = ask(READ, query={"ranges": "'Transactions'!1:1", "valueRenderOption": "UNFORMATTED_VALUE"})
GET_KEYS = ask(READ, query={"ranges": ["'Transactions'!A:A", "'Transactions'!B:B"]})
KEYS = _read([["id"], ["txn_1"]], [["email"], ["bob@example.com"]])
APPEND = ask(
    "POST /v4/spreadsheets/1AbCdEfGh/values/'Transactions'!A1:D1:append",
    query={"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"},
    json={"values": [["txn_2", "ada@example.com", 120, Decimal("12.50")]]},
)
APPENDED = {"spreadsheetId": "1AbCdEfGh", "tableRange": "Transactions!A1:D2", "updates": {"updatedRows": 1}}
WROTE = {"spreadsheetId": "1AbCdEfGh", "totalUpdatedRows": 1}

connector.sample(
    row_filled,
    ADDED,
    gives={"row_id": BIRTHDAY[0], "points": 50, "reason": "Birthday", "valid": True, "customer": {"email": "ada@example.com"}},
)
connector.sample(
    row_filled,
    ADDED | {"row_values": [*BIRTHDAY[:2], "fifty", "", ""]},
    gives={"valid": False, "points": None, "problem": "points must be a whole number and is 'fifty'"},
)
connector.sample(row_filled, ADDED | {"row_values": [*BIRTHDAY, "done"]}, gives=None, note="it has its result")
connector.sample(
    filled_rows,
    "2026-02-06T00:00:00+00:00",
    asks=ask(READ, query={"ranges": "'Adjustments'", "dateTimeRenderOption": "FORMATTED_STRING"}),
    reply=_read([HEADERS, BIRTHDAY, ["r2", "bob@example.com", 20, "", "done"], ["r3", "eve@example.com"]]),
    settings={"webhook_secret": "s3cret-7Qd2"},
    gives={"row_id": BIRTHDAY[0], "points": 50},
)
connector.sample(
    append_row,
    POSTED,
    asks=[GET_HEADS, GET_KEYS, APPEND],
    reply=[_read([HEADS]), KEYS, APPENDED],
    gives={"key": "txn_2", "is_new": True},
)
connector.sample(
    append_row,
    POSTED | {"key": "txn_1"},
    asks=[GET_HEADS, GET_KEYS],
    reply=[_read([HEADS]), KEYS],
    gives={"is_new": False},
    note="it stands there already",
)
connector.sample(
    set_row,
    {"sheet": "Transactions", "key": "txn_1", "numbers": {"points": 7}},
    asks=[
        GET_HEADS,
        GET_KEYS,
        ask(
            WRITE,
            json={
                "valueInputOption": "RAW",
                "data": [{"range": "'Transactions'!A2:C2", "values": [[None, None, 7]]}],
            },
        ),
    ],
    reply=[_read([HEADS]), KEYS, WROTE],
    gives={"key": "txn_1", "is_new": False},
)
connector.sample(
    as_row,
    ADA_SHOWN,
    asks=[
        ask(READ, query={"ranges": "'Members'!1:1"}),
        ask(READ, query={"ranges": "'Members'!A:A"}),
        ask(WRITE, json={"data": [{"range": "'Members'!A2:C2", "values": [[None, 120, ""]]}]}),
    ],
    reply=[_read([MEMBERS[0]]), _read([["id"], ["ada@example.com"]]), WROTE],
    gives={"sheet": "Members", "key": "ada@example.com", "values": {"tier": ""}, "numbers": {"points": 120}},
)
connector.sample(as_row, ADA_SHOWN | {"customer": {}}, gives=None, note="nobody could tell whose row it is")
connector.sample(
    member_rows,
    ADA_SHOWN,
    asks=ask(READ, query={"ranges": "'Members'"}),
    reply=_read(MEMBERS),
    gives={"id": "ada@example.com", "fields": {"points": "119"}},
)
connector.sample(
    member_rows, ADA_SHOWN | {"customer": {}}, asks=READ, reply=_read(MEMBERS), gives=None, note="a member without an address"
)
connector.sample(
    write_result,
    {"key": BIRTHDAY[0], "text": "+50 points"},
    asks=[
        ask(READ, query={"ranges": "'Adjustments'!1:1"}),
        ask(READ, query={"ranges": ["'Adjustments'!A:A", "'Adjustments'!B:B"]}),
        ask(WRITE, json={"data": [{"range": "'Adjustments'!A2:E2", "values": [[None, None, None, None, "+50 points"]]}]}),
    ],
    reply=[_read([HEADERS]), _read([["id"], [BIRTHDAY[0]]], [["email"], ["ada@example.com"]]), WROTE],
    gives={"key": BIRTHDAY[0]},
)
