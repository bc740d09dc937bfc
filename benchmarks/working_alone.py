"""Working alone: how fast the worker turns kept deliveries into committed points.

    python benchmarks/working_alone.py [DELIVERIES]

Sales lie in the inbox already; a recipe with a condition gives points for each: event, run, transaction with its entries, lot
and link of the chain, in batches. Prints one JSON object. Figures are of the machine that runs it, at `synchronous=FULL`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from hub import bootstrap, config
from hub.clock import VirtualClock
from hub.engine.inbox import Delivery
from hub.ledger import totals

WORKSPACE = """\
programme: {name: Bench, timezone: America/Chicago, currency: USD, expiry: 12 months}
public_url: https://points.example.com
connections:
  webhook: {}
"""
RECIPE = """\
recipe: points
when: sale
if: event.amount >= 5
do:
  - award: {points: event.amount, reason: "Order {{ event.order_id }}"}
"""
MEMBERS = 2_000
PORTION = 500


def deliveries(now: datetime, number: int) -> list[Delivery]:
    """So many sales, each its own, spread over the members."""
    headers = {"content-type": "application/json"}
    made = []
    for n in range(number):
        data = {
            "occurred_at": now.isoformat(),
            "customer": {"id": f"c{n % MEMBERS}"},
            "amount": "18.50",
            "currency": "USD",
            "order_id": f"o{n}",
        }
        body = json.dumps({"type": "sale", "id": f"p{n}", "data": data}).encode()
        made.append(Delivery("http", body, now, "webhook", "POST", "/hooks/webhook", headers=headers))
    return made


def main(number: int) -> None:
    """Fill the inbox, then time the worker."""
    clock = VirtualClock(datetime(2026, 2, 6, 22, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        (workspace / "recipes").mkdir()
        (workspace / "hub.yaml").write_text(WORKSPACE, "utf-8")
        (workspace / "recipes" / "points.yaml").write_text(RECIPE, "utf-8")
        hub = bootstrap.open_hub(config.load(workspace, {}), clock=clock)
        waiting = deliveries(clock.now(), number)
        for start in range(0, number, PORTION):
            hub.inbox.keep_many(waiting[start : start + PORTION])
        worker = hub.worker()
        began = time.perf_counter()
        worker.drain()
        seconds = time.perf_counter() - began
        with hub.store.read() as session:
            issued = totals(session).issued
        hub.close()
    assert issued == 18 * number, f"{issued} points were issued for {number} sales"
    print(json.dumps({"events": number, "seconds": round(seconds, 2), "events_per_second": round(number / seconds)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
