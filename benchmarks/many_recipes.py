"""(5) Many recipes: how long it takes to load and check them."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import workspace
from benchmarks.report import Goal, Row
from benchmarks.scale import Scale
from hub import bootstrap, config
from hub.engine.catalogue import Catalogue
from hub.engine.connecting import open_connections
from hub.programme.settings import Programme

_WHENS = (
    "sale", "refund", "review", "referral", "booking", "job_completed", "deal_won", "form_submitted", "ticket_solved",
    "subscribed", "customer_changed", "birthday", "hub.tier_changed", "hubspot.deal_won", "hubspot.contact_changed",
    "square.payment_completed", "square.booking_changed", "stripe.payment_succeeded", "stripe.refund_completed",
    "twilio.message_received",
)  # fmt: skip
_RECIPE = """\
recipe: recipe-{n}
title: Recipe number {n}, for people who did something
when: {when}
if: member.balance >= {n} and "tag-{n}" in member.tags
do:
  - award:
      points: {points} + member.balance / 10
      expires: 12 months
      reason: "Number {n} of {{{{ member.first_name }}}}"
    as: earned
  - twilio.send_sms:
      to: "{{{{ member.phone }}}}"
      body: "Thanks {{{{ member.first_name }}}}! +{{{{ earned.points }}}} points, you now have {{{{ member.balance }}}}."
    if: earned.points > 0
    on_failure: continue
examples:
  - given: {{}}
    expect: nothing
"""


def recipes(number: int) -> list[str]:
    """So many recipes of the usual kind: a condition, an award, a message, an example; spread over what they wait for."""
    return [_RECIPE.format(n=n, when=_WHENS[n % len(_WHENS)], points=10 + n % 90) for n in range(number)]


def measure(scale: Scale, say: Callable[[str], None]) -> list[Row]:
    """Load and check in a process that has everything imported; and `hub check` as an admin sees it."""
    with tempfile.TemporaryDirectory() as made:
        folder = workspace.make(Path(made) / "hub", recipes(scale.recipes))
        loads, checks = [], []
        for turn in range(scale.rounds):
            say(f"turn {turn + 1} of {scale.rounds}")
            loads.append(_load(folder))
            began = time.perf_counter()
            with workspace.hub("check", folder=folder) as command:
                code = command.wait(120)
            if code != 0:
                raise RuntimeError(f"`hub check` ended with {code}")
            checks.append(time.perf_counter() - began)
    what = f"{scale.recipes:,} recipes"
    return [
        Row(5, f"{what}: load and check", statistics.median(loads), "s", goal=Goal("figure", 1.5)),
        Row(5, f"{what}: `hub check`, all in all", statistics.median(checks), "s"),
    ]


def _load(folder: Path) -> float:
    settings = config.load(folder)
    known = bootstrap.discover()
    connections = open_connections(settings, known)
    began = time.perf_counter()
    catalogue = Catalogue(known, connections, Programme.from_node(settings.programme_node))
    bootstrap.load_plans(settings, catalogue)
    return time.perf_counter() - began
