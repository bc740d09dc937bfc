"""Own facts: what the engine itself tells: a button was pressed, a time of a schedule has come."""

from __future__ import annotations

from typing import Any, ClassVar

from hub.programme.facts import HubFact
from hub.sdk.fact import Short, Text


class ManualFact(HubFact):
    """A person pressed the button of a recipe (`when: manual`). by: who; input: what they added. member_id: empty for none."""

    recipe: Short
    by: Short = ""
    input: Text = ""

    fact = "manual"
    sample: ClassVar[dict[str, Any]] = {
        "occurred_at": "2026-02-06T21:27:34Z",
        "member_id": "mem_0190b2c4d5e67f8090a1b2c3d4e5f607",
        "key": "dlv_1",
        "recipe": "welcome",
        "by": "Kim",
    }


class Scheduled(HubFact):
    """A time of a recipe's schedule has come; it is about no member."""

    member_id: Short = ""

    fact = "schedule"
    sample: ClassVar[dict[str, Any]] = {
        "occurred_at": "2026-02-09T15:00:00Z",
        "key": "schedule:0 9 * * 1:2026-02-09T15:00:00.000000Z",
    }


class EachMember(HubFact):
    """A time that a recipe names has come for this member."""

    fact = "each_member"
    sample: ClassVar[dict[str, Any]] = {
        "occurred_at": "2026-02-01T15:00:00Z",
        "member_id": "mem_0190b2c4d5e67f8090a1b2c3d4e5f607",
        "key": "each_member:0 9 1 * *:2026-02-01T15:00:00.000000Z:mem_0190b2c4d5e67f8090a1b2c3d4e5f607",
    }


OWN_FACTS: tuple[type[HubFact], ...] = (ManualFact, Scheduled, EachMember)
