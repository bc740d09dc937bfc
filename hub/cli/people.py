"""People: finds the members whom a word on the command line means."""

from __future__ import annotations

from hub.cli.workspace import queries
from hub.errors import HubError
from hub.sdk.values import email, phone
from hub.store import Row, Session

_LISTED_MOST = 50
_PHONE_DIGITS_LEAST = 7


def called(session: Session, who: str) -> list[Row]:
    """The members whom `who` can mean: an id, e-mail address, phone number, `connection:id`, or part of a name."""
    identities = [f"id:{who}"]
    if address := email(who):
        identities.append(f"email:{address}")
    if number := phone(who):
        identities.append(f"phone:{number}")
    digits = "".join(character for character in who if character in "0123456789")
    return session.rows(
        queries.members_called,
        who=who,
        identities=identities,
        phone=f"%{digits}" if len(digits) >= _PHONE_DIGITS_LEAST else "",
        name=f"%{who.strip().lower().replace('%', '').replace('_', ' ')}%",
        most=_LISTED_MOST,
    )


def one(session: Session, who: str) -> Row:
    """The one member whom `who` means; HubError when it is nobody or several."""
    found = called(session, who)
    if not found:
        raise HubError(f"Nobody is called {who!r}. Give an id, e-mail address, phone number, connection:id or a name.")
    if len(found) > 1:
        named = ", ".join(f"{name_of(row)} ({row['id']})" for row in found[:5])
        raise HubError(f"{who!r} can mean {len(found)} members, such as {named}. Give the id.")
    return found[0]


def name_of(row: Row) -> str:
    """How the member is called on a screen."""
    return " ".join(part for part in (row["first_name"], row["last_name"]) if part) or row["email"] or row["phone"] or row["id"]
