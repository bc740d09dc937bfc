"""Google Sheets: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors import google_sheets as sheets
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Item, Mirrored, Settings
from hub.sdk.network import open_session
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers
from hub.sdk.tokens import HeldTokens

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/google_sheets"
SECRET = "s3cret-of-the-script"
HEADS = ["id", "email", "points", "note"]


def _connection(**settings: Any) -> Connection:
    values = sheets.connector.settings.example() | {"webhook_secret": None} | settings
    return Connection("google_sheets", sheets.connector, sheets.connector.settings.read(values), webhook_url=URL)


@dataclass
class Google:
    """A spreadsheet that is played: tabs of rows. trouble: what is answered to the n-th write in its stead."""

    tabs: dict[str, list[list[Any]]]
    trouble: dict[int, Any] = field(default_factory=dict)
    late: bool = False
    writes: list[Any] = field(default_factory=list)
    reads: int = 0

    def respond(self, called: Called, before: int) -> Answer | Exception:
        path = unquote(urlsplit(called.url).path)
        if called.method == "GET":
            self.reads += 1
            ranges = [value for name, value in parse_qsl(urlsplit(called.url).query) if name == "ranges"]
            return answers(200, {"valueRanges": [{"values": self._range(place)} for place in ranges]})
        number, body = len(self.writes), json.loads(called.body)
        self.writes.append((path, dict(parse_qsl(urlsplit(called.url).query)), body))
        trouble = self.trouble.get(number)
        if trouble is None or self.late:
            self._write(path, body)
        return trouble or answers(200, {})

    def _range(self, place: str) -> list[list[Any]]:
        tab, _, cells = place.partition("!")
        rows = self.tabs[tab.strip("'")]
        if not cells:
            return rows
        if cells == "1:1":
            return rows[:1]
        column = ord(cells[0]) - ord("A")
        return [row[column : column + 1] for row in rows]

    def _write(self, path: str, body: Any) -> None:
        if path.endswith(":append"):
            tab = path.rpartition("/")[2].partition("!")[0].strip("'")
            self.tabs[tab] += body["values"]
            return
        for one in body["data"]:
            tab, _, cells = one["range"].partition("!")
            row, first = int("".join(filter(str.isdigit, cells.partition(":")[0]))), ord(cells[0]) - ord("A")
            line = self.tabs[tab.strip("'")][row - 1]
            line += [""] * (first + len(one["values"][0]) - len(line))
            for column, value in enumerate(one["values"][0], first):
                line[column] = line[column] if value is None else value


def _act(google: Google, name: str, *many: Mapping[str, Any], **settings: Any) -> list[Any]:
    action, connection, play = sheets.connector.actions[name], _connection(**settings), Play(google.respond)
    handed = {Client: play.client(connection, repeat=action.repeat), Settings: connection.settings}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many])
    except CallFailed as failure:
        return [failure]


def _look(google: Google, *many: Mirrored) -> list[Any]:
    connection, mirror = _connection(), sheets.connector.mirroring
    assert mirror is not None
    client = Play(google.respond).client(connection, repeat="safe")
    return mirror.look({Client: client, Connection: connection, Settings: connection.settings}, many)


def _pull(google: Google, since: datetime = NOW, **settings: Any) -> list[Item]:
    connection, play = _connection(**settings), Play(google.respond)
    return list(sheets.connector.pulls["filled_rows"].items(connection, play.client(connection), since))


def _read(item: Item, **settings: Any) -> list[Any]:
    return sheets.connector.triggers["row_filled"].read(item, _connection(**settings))


def _told(**changed: Any) -> list[Any]:
    return _read(Item("row_edited", sheets.ADDED | changed))


def _line(key: str, **cells: Any) -> dict[str, Any]:
    texts = {name: value for name, value in cells.items() if isinstance(value, str)}
    return {"sheet": "Log", "key": key, "values": texts, "numbers": {name: cells[name] for name in cells.keys() - texts.keys()}}


# Proof


def _signed(body: bytes, at: datetime = NOW) -> Request:
    """As the script signs: time, a dot, and the very bytes that are sent."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-sheets-timestamp": stamp, "x-sheets-signature": f"sha256={digest}"}
    return Request("POST", "/hooks/google_sheets", "", headers, body, NOW, URL)


def test_the_script_signs_time_and_body() -> None:
    """Signed anew on each attempt, it is good for five minutes either way."""
    body = json.dumps(sheets.ADDED | {"user": "zoë@example.com"}, ensure_ascii=False).encode()
    connection = _connection(webhook_secret=SECRET)
    sheets.connector.verify(_signed(body), connection, NOW)
    for forged in (
        replace(_signed(body), body=body + b" "),
        _signed(body, NOW - timedelta(minutes=6)),
        _signed(body, NOW + timedelta(minutes=6)),
    ):
        with pytest.raises(Refused):
            sheets.connector.verify(forged, connection, NOW)


def test_another_spreadsheet_is_not_ours() -> None:
    """The same script may be in several."""
    request = _signed(json.dumps(sheets.ADDED).encode())
    (item,) = sheets.connector.items(request, _connection())
    assert (item.kind, item.id) == ("row_added", sheets.ADDED["delivery_id"])
    assert sheets.connector.is_ours(item, _connection())
    assert not sheets.connector.is_ours(item, _connection(spreadsheet_id="1Other"))


# What comes in


def test_columns_go_by_their_names_wherever_they_stand() -> None:
    """Never by number; case and blanks do not matter where the hub knows the word."""
    headers = ["Reason", "", "Points", "E-mail", "EMAIL", "Member ID", "id", "Points"]
    values = ["Sorry", "x", "-20", "?", "ben@example.com", 1001, "r9", "99"]
    (row,) = _told(headers=headers, row_values=values)
    assert (row.row_id, row.points, row.reason, row.valid) == ("r9", -20, "Sorry", True)
    assert (row.customer.id, row.customer.email) == ("1001", "ben@example.com")
    assert row.fields == {"Reason": "Sorry", "Points": "-20", "E-mail": "?", "EMAIL": "ben@example.com", "Member ID": "1001"}


@pytest.mark.parametrize(
    "values", [["r1", "ada@example.com"], ["r1", "", 50], ["r1", "ada@example.com", 50, "", "done"], [], ["", "", "", "", ""]]
)
def test_a_row_counts_when_it_is_whole_and_has_no_result(values: list[Any]) -> None:
    """Staff write cell by cell; trailing empty cells are left out of what is read."""
    assert _told(row_values=values) == []


def test_rows_of_other_tabs_and_deleted_ones_are_nothing() -> None:
    """The connection names the tab in which staff write."""
    assert _told(sheet="Members") == []
    assert not sheets.connector.triggers_for(Item("row_deleted", {}))


def test_a_whole_row_without_an_id_is_shown_as_unreadable() -> None:
    """It cannot be told from another one; what to look for is said."""
    with pytest.raises(Unreadable, match="Row 7 of Adjustments has no `id`"):
        _told(row_values=["", "ada@example.com", 50])


@pytest.mark.parametrize("points", ["fifty", "12.5", 12.5, "1e3", "1.000", True, "9" * 20])
def test_points_that_are_not_whole_are_told_as_wrong(points: Any) -> None:
    """So that a recipe can write so beside the row; no locale is guessed."""
    (row,) = _told(row_values=["r1", "ada@example.com", points])
    assert (row.valid, row.points) == (False, None) and "whole number" in row.problem


def test_a_row_is_told_once_and_once_more_when_it_is_mended() -> None:
    """Editing a good row changes nothing; a wrong one may become good, once."""
    key_of = sheets.connector.triggers["row_filled"].key_of
    wrong, good, edited = (_told(row_values=["r1", "ada@example.com", points])[0] for points in ("fifty", 50, 5000))
    assert key_of(wrong) != key_of(good) == key_of(edited)


def test_a_webhook_and_a_look_tell_the_same_row() -> None:
    """Numbers as numbers, not as the sheet's locale shows them; only the time is the script's alone."""
    google = Google({"Adjustments": [sheets.HEADERS, [], sheets.BIRTHDAY]})
    (item,) = _pull(google, webhook_secret=SECRET)
    (pulled,), (told,) = _read(item), _told()
    assert pulled == told.model_copy(update={"occurred_at": None})
    assert item.data["row"] == 3


# Looking


def test_rows_without_an_id_are_given_one_and_read_again() -> None:
    """Only where no script does it; what is not whole, or has its result, is left alone."""
    rows = [
        sheets.HEADERS,
        ["", "ada@example.com", 50],
        ["", "bob@example.com"],
        ["", "eve@example.com", 5, "", "done"],
        ["r4", "d@example.com", 1],
    ]
    google = Google({"Adjustments": [list(row) for row in rows]})
    first, second = _pull(google)
    assert [bool(row[0]) for row in google.tabs["Adjustments"]] == [True, True, False, False, True]
    assert first.data["row_values"][0] == google.tabs["Adjustments"][1][0]
    assert (second.data["row_values"][0], google.reads, len(google.writes)) == ("r4", 2, 1)
    assert [one["range"] for one in google.writes[0][2]["data"]] == ["'Adjustments'!A2"]
    assert [item.data["row_values"][0] for item in _pull(google)] == [first.data["row_values"][0], "r4"]
    assert len(google.writes) == 1


def test_where_the_script_gives_the_ids_a_look_gives_none() -> None:
    """Two givers would make two rows of one."""
    google = Google({"Adjustments": [sheets.HEADERS, ["", "ada@example.com", 50]]})
    assert _pull(google, webhook_secret=SECRET) == []
    assert google.writes == []


def test_the_same_row_after_the_tab_was_cleared_is_another_row() -> None:
    """Ids that the hub gives are of their time, too."""
    given = []
    for since in (NOW, NOW + timedelta(days=1)):
        google = Google({"Adjustments": [sheets.HEADERS, ["", "ada@example.com", 50]]})
        given += [item.data["row_values"][0] for item in _pull(google, since)]
    assert len(set(given)) == 2


def test_a_copied_id_is_shown_and_not_passed_over() -> None:
    """The copy would silently be no fact at all."""
    google = Google({"Adjustments": [sheets.HEADERS, sheets.BIRTHDAY, [*sheets.BIRTHDAY[:1], "bob@example.com", 20]]})
    good, copy = _pull(google)
    assert good.problem == "" and "Rows 2 and 3 of Adjustments have the same id" in copy.problem


def test_an_empty_tab_has_no_rows() -> None:
    """Not even names; values are left out altogether then."""
    assert _pull(Google({"Adjustments": []})) == []


# What goes out


def test_every_member_has_a_row_that_is_read_with_all_others() -> None:
    """Whoever has none yet is written as one who shows nothing; numbers are numbers, and other columns are staff's."""
    google = Google({"Members": [["id", "note", "points", "tier"], ["ada@example.com", "vip", 7, "Gold"]]})
    many = [Mirrored(Customer(email=f"{name}@example.com"), {"points": 9, "tier": None}) for name in ("ada", "bob")]
    ada, bob = _look(google, *many)
    assert (ada.id, ada.fields["points"], google.reads) == ("ada@example.com", "7", 1)
    assert (bob.id, dict(bob.fields)) == ("bob@example.com", {})
    for one in many:
        inputs = sheets.as_row(one, _connection().settings)
        assert inputs is not None
        _act(google, "set_row", inputs)
    assert google.tabs["Members"][1:] == [["ada@example.com", "vip", 9, ""], ["bob@example.com", None, 9, ""]]
    with pytest.raises(CallFailed, match="no column 'ends'"):
        _look(google, Mirrored(Customer(email="ada@example.com"), {"ends": None}))


def test_many_rows_go_out_as_one_call_and_none_twice() -> None:
    """Rows that stand there already are left alone; of one key in a batch there is one row."""
    google = Google({"Log": [HEADS, ["a", "x@example.com", 1]]})
    results = _act(
        google, "append_row", _line("a", points=9), _line("b", points=2), _line("c", note="=cmd|x"), _line("b", points=3)
    )
    assert [(one.key, one.is_new) for one in results] == [("a", False), ("b", True), ("c", True), ("b", True)]
    path, query, body = google.writes[0]
    assert path.endswith("/values/'Log'!A1:D1:append") and len(google.writes) == 1 and google.reads == 2
    # Raw: a formula in a member's name stays text; a table that is named: Google would guess.
    assert query == {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"}
    assert body["values"] == [["b", None, 2, None], ["c", None, None, "=cmd|x"]]


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("lost", [answers(503), requests.ReadTimeout("lost")])
def test_an_append_whose_answer_was_lost_looks_before_it_is_made_again(lost: Any, late: bool) -> None:
    """Within a call it is never repeated; the next attempt reads the keys: whether it was done or not, there is one row."""
    google = Google({"Log": [HEADS]}, trouble={0: lost}, late=late)
    (failure,) = _act(google, "append_row", _line("a", points=2))
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(google.writes) == 1
    (result,) = _act(google, "append_row", _line("a", points=2))
    assert result.is_new is not late
    assert [row[0] for row in google.tabs["Log"]] == ["id", "a"]


def test_a_write_is_not_repeated_as_it_is_for_rows_may_have_moved() -> None:
    """Between two attempts somebody sorts the sheet: the place is looked up anew."""
    google = Google({"Log": [HEADS, ["a", "", 1], ["b", "", 2]]}, trouble={0: answers(500)})
    (failure,) = _act(google, "set_row", _line("a", points=7))
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain"
    google.tabs["Log"][1:] = google.tabs["Log"][:0:-1]
    (result,) = _act(google, "set_row", _line("a", points=7))
    assert not result.is_new
    assert google.tabs["Log"][1:] == [["b", "", 2], ["a", "", 7]]


def test_a_throttled_write_was_not_done_and_is_made_again() -> None:
    """429 RESOURCE_EXHAUSTED names no time; the pauses grow, and end."""
    google = Google({"Log": [HEADS]}, trouble={0: answers(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})})
    (result,) = _act(google, "append_row", _line("a"))
    assert result.is_new and len(google.writes) == 2
    for_ever = Google({"Log": [HEADS]}, trouble=dict.fromkeys(range(9), answers(429)))
    (failure,) = _act(for_ever, "append_row", _line("a"))
    assert isinstance(failure, CallFailed) and failure.verdict == "passing" and len(for_ever.writes) == 3


def test_columns_that_are_not_named_stay_as_they_are() -> None:
    """Only the named ones are written, all rows in one call; a row that is not there is added."""
    google = Google({"Log": [HEADS, ["a", "x@example.com", 1, "old"], ["b"]]})
    results = _act(
        google, "set_row", _line("b", note="new"), _line("a", points=5), _line("c", points=3), _line("a", note="later")
    )
    assert [one.is_new for one in results] == [False, False, True, False]
    assert google.tabs["Log"][1:] == [["a", "x@example.com", 5, "later"], ["b", "", "", "new"], ["c", None, 3, None]]
    assert len(google.writes) == 2


def test_a_row_whose_key_was_emptied_is_found_by_its_mail() -> None:
    """And gets its key back; a row with another key is another one's."""
    google = Google({"Log": [HEADS, ["z", "ada@example.com", 1], ["", "Ada@Example.com", 2]]})
    (result,) = _act(google, "set_row", _line("a", email="ada@example.com", points=7))
    assert not result.is_new
    assert google.tabs["Log"][1:] == [["z", "ada@example.com", 1], ["a", "ada@example.com", 7]]


def test_a_result_is_written_only_beside_a_row_that_is_there() -> None:
    """One that was deleted is said, and keeps no other from its result."""
    google = Google({"Adjustments": [sheets.HEADERS, list(sheets.BIRTHDAY)]})
    gone, done = _act(google, "write_result", {"key": "gone", "text": "x"}, {"key": sheets.BIRTHDAY[0], "text": "+50 points"})
    assert isinstance(gone, CallFailed) and gone.verdict == "lasting" and "'gone'" in str(gone)
    assert done.key == sheets.BIRTHDAY[0]
    assert google.tabs["Adjustments"][1] == [*sheets.BIRTHDAY, "+50 points"]


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ([HEADS], _line("a", nick="x"), "no column 'nick'; it has id, email, points, note"),
        ([["email"]], _line("a"), "no column 'id'"),
        ([["id", "points", "points"]], _line("a", points=1), "more than one column 'points'"),
        ([["", "id"]], _line("a"), "the first one too"),
        ([], _line("a"), "must name its columns"),
        ([HEADS, ["a"], ["a"]], _line("a", points=1), "Rows 2 and 3 of Log have the same id"),
    ],
)
def test_a_tab_that_does_not_fit_is_said(rows: list[list[Any]], line: Mapping[str, Any], said: str) -> None:
    """With what stands there, and nothing is written."""
    google = Google({"Log": rows})
    (failure,) = _act(google, "append_row", line)
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and said in str(failure)
    assert google.writes == []


def test_one_row_or_tab_that_fails_does_not_fail_the_others() -> None:
    """Each has its own result."""
    google = Google({"Log": [HEADS], "Bare": [[]]})
    good, bad, bare = _act(google, "append_row", _line("a"), _line("b", nick="x"), _line("c") | {"sheet": "Bare"})
    assert good.is_new and isinstance(bad, CallFailed) and isinstance(bare, CallFailed)
    assert [row[0] for row in google.tabs["Log"]] == ["id", "a"]


def test_keys_are_compared_as_text_and_texts_are_kept() -> None:
    """A key that the sheet took for a number is found; zeros and a plus sign stay."""
    google = Google({"Log": [HEADS, [1001, "", 1]]})
    known, new = _act(google, "append_row", _line("1001"), _line("007", note="+447700900123"))
    assert (known.is_new, new.is_new) == (False, True)
    assert google.tabs["Log"][2] == ["007", None, None, "+447700900123"]


def test_a_sheet_that_is_not_shared_asks_for_a_person() -> None:
    """403: share it, or switch the API on; a tab that is not there is nobody's to wait for."""
    for status, verdict in ((403, "reconnect"), (400, "lasting"), (404, "lasting")):
        reply = answers(status, {"error": {"code": status, "message": "The caller has no permission"}})
        play, connection = Play(one_by_one([reply])), _connection()
        handed = {Client: play.client(connection), Settings: connection.settings}
        action = sheets.connector.actions["append_row"]
        with pytest.raises(CallFailed, match="no permission") as failed:
            action.call(handed, action.inputs.model_validate(_line("a")))
        assert failed.value.verdict == verdict


@pytest.mark.parametrize("number", ["nan", "Infinity", True, 1.5])
def test_numbers_are_exact(number: Any) -> None:
    """Neither floats nor what is none."""
    with pytest.raises(ValueError, match="numbers"):
        sheets.connector.actions["append_row"].inputs.model_validate(_line("a") | {"numbers": {"points": number}})


def test_a_tab_may_have_any_name() -> None:
    """Quotes, braces and blanks are part of it, in the range and in the address."""
    tab = "Ada's {1} / tab"
    reply = answers(200, {"valueRanges": [{"values": [["id"]]}]})
    play, connection = Play(one_by_one([reply, reply, answers(200, {})])), _connection()
    action = sheets.connector.actions["append_row"]
    handed = {Client: play.client(connection, repeat="safe"), Settings: connection.settings}
    action.call(handed, action.inputs.model_validate({"sheet": tab, "key": "a"}))
    assert parse_qs(urlsplit(play.calls[0].url).query)["ranges"] == ["'Ada''s {1} / tab'!1:1"]
    assert unquote(urlsplit(play.calls[2].url).path).endswith("/values/'Ada''s {1} / tab'!A1:A1:append")


# Who we are


def test_the_service_account_signs_for_a_token() -> None:
    """RS256 over who, what for, to whom and for how long; the token's address is Google's, whatever the key file says."""
    token = answers(200, {"access_token": "ya29.t0ken", "expires_in": 3599, "token_type": "Bearer"})
    google = Google({"Log": [HEADS]})
    play = Play(lambda called, before: token if before == 0 else google.respond(called, before))
    connection = _connection()
    client = Client(
        connection,
        session=play.session(),
        monotonic=lambda: 0,
        sleep=play.slept.append,
        tokens=HeldTokens(lambda: NOW),
        repeat="safe",
    )
    action = sheets.connector.actions["append_row"]
    action.call({Client: client, Settings: connection.settings}, action.inputs.model_validate(_line("a")))
    first, second = play.calls[:2]
    assert first.url == "https://oauth2.googleapis.com/token"
    assert second.headers["authorization"] == "Bearer ya29.t0ken"
    assertion = parse_qs(first.body.decode())["assertion"][0]
    signed, _, signature = assertion.rpartition(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    account = json.loads(connection.settings["service_account"].reveal())
    assert header["alg"] == "RS256"
    assert claims == {
        "iss": account["client_email"],
        "scope": "https://www.googleapis.com/auth/spreadsheets",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
    }
    key = load_pem_private_key(account["private_key"].encode(), None)
    key.public_key().verify(base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr, call-arg]


@pytest.mark.parametrize("text", ["not json", "{}", '{"client_email": "x", "private_key": "torn"}', "[]"])
def test_a_torn_key_asks_for_a_person_and_shows_nothing(text: str) -> None:
    """Copy the whole file again."""
    connection, play = _connection(service_account=text), Play(one_by_one([]))
    client = Client(
        connection, session=play.session(), monotonic=lambda: 0, sleep=play.slept.append, tokens=HeldTokens(lambda: NOW)
    )
    with pytest.raises(CallFailed, match="service_account") as failed:
        client.get("/v4/spreadsheets/x")
    assert failed.value.verdict == "reconnect" and text not in str(failed.value).replace("service_account", "")
    assert play.calls == []


def test_gspread_goes_through_the_guard() -> None:
    """A base address inside the house is refused, whoever asks; a stand-in is called in Google's place."""
    connection = replace(_connection(), base_url="http://127.0.0.1:1")
    client = Client(connection, session=open_session(), monotonic=lambda: 0, sleep=lambda _: None)
    book = sheets._spreadsheet(client, connection.settings)
    with pytest.raises(CallFailed):
        book.read("'Log'")
    play = Play(one_by_one([answers(200, {"valueRanges": [{}]})]))
    assert sheets._spreadsheet(play.client(connection), connection.settings).read("'Log'") == [[]]
    assert play.calls[0].url.startswith("http://127.0.0.1:1/v4/spreadsheets/")


def test_the_vendors_library_is_loaded_only_when_it_is_used() -> None:
    """A hub without a Google Sheet does not wait for it."""
    said = (
        "import sys, connectors.google_sheets, connectors.hubspot; "
        "print({'gspread', 'google.auth', 'hubspot'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"
