"""Members: who is in the programme. `hub members`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hub.cli import people
from hub.cli.look import limit_option, print_facts, when
from hub.cli.output import json_option, print_json, say, table
from hub.cli.workspace import queries, reading, workspace_option
from hub.clock import to_text
from hub.errors import HubError
from hub.programme.consent import CONSENTS
from hub.store import Row, Session

_CHANGES_MOST = 20
_PROFILE = (
    "id",
    "name",
    "email",
    "phone",
    "birthday",
    "language",
    "tier",
    "tags",
    "attributes",
    "joined_at",
    "last_activity_at",
)


@click.command()
@click.argument("who", required=False)
@limit_option
@workspace_option
@json_option
def members(*, who: str | None, limit: int, folder: Path, as_json: bool) -> None:
    """List the newest members, or those whom WHO can mean; a single one is shown whole.

    WHO is an id, e-mail address, phone number, `connection:id` or part of a name.
    """
    with reading(folder) as session:
        rows = people.called(session, who) if who else session.rows(queries.recent_members, most=limit)
        if who and not rows:
            raise HubError(f"Nobody is called {who!r}. `hub members` lists the newest members.")
        if who and len(rows) == 1:
            card = _card(session, rows[0])
            print_json(card) if as_json else _show(card)
            return
    listed = [_line(row) for row in rows]
    if as_json:
        print_json(listed)
        return
    columns = ("joined", "member", "name", "e-mail", "phone", "tier", "points", "lifetime")
    shown = (
        (
            when(one["joined_at"]),
            one["id"],
            one["name"],
            one["email"],
            one["phone"],
            one["tier"],
            one["points"],
            one["lifetime"],
        )
        for one in listed
    )
    table(columns, shown, nothing="No members yet.", numbers=("points", "lifetime"))


def _line(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": people.name_of(row),
        "email": row["email"],
        "phone": row["phone"],
        "tier": row["tier"],
        "points": row["available"] - row["debt"],
        "pending": row["pending"],
        "lifetime": row["lifetime_points"],
        "joined_at": row["joined_at"],
        "last_activity_at": row["last_activity_at"],
    }


def _card(session: Session, row: Row) -> dict[str, Any]:
    addresses = [address for address in (row["email"], row["phone"]) if address]
    return {
        **_line(row),
        "birthday": row["birthday"],
        "language": row["language"],
        "tags": json.loads(row["tags"]),
        "attributes": json.loads(row["attributes"]),
        "identities": [found["identity"] for found in session.rows(queries.identities_of, member_id=row["id"])],
        "consents": [
            {"channel": channel, "address": address, "status": said.status, "source": said.own_source, "at": to_text(said.at)}
            for (channel, address), said in CONSENTS.load(session, [("", address) for address in addresses]).items()
        ],
        "changes": [dict(found) for found in session.rows(queries.last_changes_of, member_id=row["id"], most=_CHANGES_MOST)],
    }


def _show(card: Mapping[str, Any]) -> None:
    print_facts({name: card[name] for name in _PROFILE})
    points = f"{card['points']:,}" + (f" (and {card['pending']:,} pending)" if card["pending"] else "")
    print_facts({"points": points, "lifetime": f"{card['lifetime']:,}", "found by": ", ".join(card["identities"])})
    for consent in card["consents"]:
        source = consent["source"] or "as a platform noted"
        say(f"{consent['channel']} to {consent['address']}: {consent['status']} ({source}, {when(consent['at'])})")
    say("\nLast changes", "bold")
    rows = ((when(one["at"]), one["field"], one["old_value"], one["new_value"], one["cause"]) for one in card["changes"])
    table(("when", "field", "before", "after", "because of"), rows, nothing="None.")
    say(f"`hub ledger statement {card['id']}` shows every point, `hub events --member {card['id']}` what happened.", "dim")
