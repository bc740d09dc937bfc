"""Owner: the times of the section `owner:`, and the rule of silence by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field

from hub import bootstrap, document
from hub.engine.alerts.letter import letter
from hub.engine.alerts.owner import Owner, QuietHours, read
from hub.engine.alerts.rows import Alert
from hub.engine.alerts.silence import silence_after
from hub.errors import ConfigError
from hub.sdk import Client, Connection, Connector
from tests.engine.world import NOON

CHICAGO = ZoneInfo("America/Chicago")
PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("quiet", "moment", "over"),
    [
        ("22:00 to 07:00", "2026-03-02 23:00", "2026-03-03 07:00"),
        ("22:00-07:00", "2026-03-03 06:59", "2026-03-03 07:00"),
        ("22:00 to 07:00", "2026-03-02 07:00", "2026-03-02 07:00"),
        ("22:00 to 07:00", "2026-03-02 21:59", "2026-03-02 21:59"),
        ("12:00 to 13:30", "2026-03-02 12:00", "2026-03-02 13:30"),
        ("12:00 to 13:30", "2026-03-02 13:30", "2026-03-02 13:30"),
        ("22:00 to 07:00", "2026-03-07 23:00", "2026-03-08 07:00"),  # an hour is missing in this night
        ("22:00 to 07:00", "2026-10-31 23:00", "2026-11-01 07:00"),  # and one is twice in this
    ],
)
def test_quiet_hours_end_at_their_time_of_the_day(quiet: str, moment: str, over: str) -> None:
    """On the local clock, whatever it does at night."""
    assert QuietHours.parse(quiet).over(at(moment).astimezone(UTC), CHICAGO) == at(over)


def hours(*numbers: int) -> list[datetime]:
    return [NOON + timedelta(hours=number) for number in numbers]


@pytest.mark.parametrize(
    ("heard", "silent_after"),
    [
        ([0, 10, 30, 60, 80], 90),  # three times 30 hours
        ([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77], 24),  # never less than a day
        ([0, 10, 30, 60], None),  # too few
        ([0, 10, 20, 30, 71], None),  # not yet three days
        ([0, 200, 201, 220, 240, 260, 300], 600),
        ([-400, 0, 10, 30, 60, 80], 90),  # what is two weeks old does not count
    ],
)
def test_a_connection_is_silent_after_three_times_its_longest_pause(heard: list[int], silent_after: int | None) -> None:
    """Counted from the end of the hour in which it was last heard."""
    found = silence_after("till", hours(*heard))
    expected = None if silent_after is None else NOON + timedelta(hours=heard[-1] + 1 + silent_after)
    assert (found.due if found is not None else None) == expected


@pytest.mark.parametrize("longest", [80, 160, 640])
def test_a_letter_keeps_to_its_length_and_counts_what_has_no_room(longest: int) -> None:
    """The first lines are whole."""
    new = [Alert(f"a{number}", "open", f"till{number}", NOON, 1, None, f"till{number} does not answer") for number in range(30)]
    text = letter("Diesel Rewards", new, [], longest)
    assert len(text) <= longest
    shown = text.count("does not answer")
    assert f"- and {30 - shown} more" in text
    assert text.endswith("More: hub alerts")


def test_the_section_in_the_docs_is_right() -> None:
    """As it stands there, with the messenger that ships with the hub."""
    text = PAGE.partition("### Who is told")[2].partition("```yaml\n")[2].partition("```")[0]
    node = document.load(text, "docs/operations.md").get("owner")  # type: ignore[attr-defined]
    twilio = bootstrap.discover()["twilio"]
    settings = twilio.settings.read(twilio.settings.example())
    owner, ways = read(node, {"twilio": Connection("twilio", twilio, settings)}, "US")
    assert [way.shown for way in ways] == ["+14155550100 through twilio.send_sms"]
    assert owner == Owner(phone="+14155550100", through=("twilio",), quiet_hours=QuietHours.parse("22:00 to 07:00"))


def test_a_broken_connector_that_was_to_tell_the_owner_stops_nothing() -> None:
    """The hub works, and has no way to them until it is mended."""
    node = document.load("owner: {email: ada@example.com, through: mail}\n", "hub.yaml").get("owner")  # type: ignore[attr-defined]
    assert read(node, {}, "US", {"mail": "it cannot be imported"})[1] == ()
    with pytest.raises(ConfigError, match="no connection `mail`"):
        read(node, {}, "US")


def test_the_first_way_that_can_be_used_is_taken() -> None:
    """An action that wants more than an address and a text is passed over; a heading is given where one is wanted."""

    def post(client: Client, *, to: str, subject: str, html: Annotated[str, Field(max_length=50)]) -> None:
        """Send."""

    def post_template(client: Client, *, to: str, template: str, text: str) -> None:
        """Send what was prepared."""

    mailer = Connector("mailer", title="Mailer")
    mailer.action(channel="email")(post_template)
    mailer.action(channel="email")(post)
    connection = Connection("mail", mailer, mailer.settings.read({}))
    node = document.load("owner: {email: Ada@Example.com}\n", "hub.yaml").get("owner")  # type: ignore[attr-defined]
    [way] = read(node, {"mail": connection}, "US")[1]
    assert way.shown == "ada@example.com through mail.post"
    assert way.input("news", "x" * 100) == {"to": "ada@example.com", "subject": "news", "html": "x" * 50}
