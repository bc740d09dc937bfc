"""A small hub of its own for each test: one shop that tells facts by signed webhook, on a virtual clock."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from hub import bootstrap, config
from hub.clock import VirtualClock, to_text
from hub.engine.door import Knock
from hub.insight.lineage import find
from hub.insight.telling import sentences
from hub.sdk.play import Play
from hub.sdk.request import Answer, Request

ZONE = ZoneInfo("America/Chicago")
START = datetime(2026, 2, 6, 18, tzinfo=UTC)
ADA = {"id": "c_7", "email": "ada@example.com", "first_name": "Ada", "last_name": "Ng"}

HUB = """\
programme:
  name: Points
  timezone: America/Chicago
  currency: USD
  expiry: 30 days after earning
  cap_per_event: 500
  rewards: [{id: wash, title: Free wash, cost: 20}]
connections:
  shop:
    connector: webhook
    webhook_secret: whsec_c2hvcC1zZWNyZXQtb2YtdGVzdHM=
    url: https://shop.example.com/points
    signing_secret: whsec_c2hvcC1zZWNyZXQtb2YtdGVzdHM=
"""

PURCHASE = """\
recipe: purchase
when: sale
if: event.amount >= 10
once_per: event.order_id
do:
  - award:
      points: event.amount
      reason: "Order {{ event.order_id }}"
    as: earned
  - shop.send_webhook:
      type: points.earned
      data: {points: "{{ earned.points }}", order: "{{ event.order_id }}", amount: "{{ event.amount }}"}
    if: earned.points > 30
"""

REWARD = """\
recipe: reward
when: redemption_requested
do:
  - redeem:
      reward: "{{ event.reward }}"
      reason: "Reward {{ event.reward }}"
"""


class Shop:
    """A hub with its shop. replies: what the shop's own address answers, the last one again and again."""

    def __init__(self, folder, recipes):
        self.folder = folder
        self.replies = [Answer(204)]
        self.play = Play(lambda called, before: self.replies[min(before, len(self.replies) - 1)])
        self.clock = VirtualClock(START)
        (folder / "recipes").mkdir()
        (folder / "hub.yaml").write_text(HUB)
        for number, text in enumerate(recipes):
            (folder / "recipes" / f"r{number}.yaml").write_text(text)
        self.hub = bootstrap.open_hub(config.load(folder, {}), clock=self.clock, open_http=lambda _: self.play.session())

    def tell(self, kind, number, **data):
        """Post a fact, signed, and work it."""
        body = {"type": kind, "id": number, "timestamp": to_text(self.clock.now()), "data": data}
        self.post(json.dumps(body).encode())
        self.hub.settle()

    def post(self, body):
        """Post a signed body; nothing is worked yet."""
        connection = self.hub.connections["shop"]
        request = Request("POST", "/hooks/shop", "", {"content-type": "application/json"}, body, self.clock.now(), "")
        signed = connection.connector.sign(request, connection, self.clock.now())
        knock = Knock("POST", "shop", None, "", signed.headers, len(body), BytesIO(body).read)
        return self.hub.door.receive(knock)

    def sale(self, order, amount, customer=ADA, **more):
        """A sale of that order."""
        self.tell("sale", f"pay_{order}", amount=amount, currency="USD", order_id=order, customer=customer, **more)

    def later(self, **time):
        """Let time pass, and what falls due in it happen."""
        self.clock.move_to(self.clock.now() + timedelta(**time))
        self.hub.settle()

    def bodies(self, ids):
        """The bodies of deliveries, as the inbox keeps them."""
        return {delivery.id: delivery.body for delivery in self.hub.inbox.by_ids(list(ids))}

    def find(self, what):
        """The stories about it."""
        with self.hub.store.read() as session:
            return find(session, what, self.bodies)

    def why(self, what):
        """The first story about it, as one text."""
        return " ".join(sentences(self.find(what)[0], ZONE))


@pytest.fixture
def open_shop(tmp_path):
    """Opens a shop with these recipes; closed after the test."""
    opened = []

    def make(*recipes):
        folder = tmp_path / f"shop{len(opened)}"
        folder.mkdir()
        opened.append(Shop(folder, recipes))
        return opened[-1]

    yield make
    for one in opened:
        one.hub.close()


@pytest.fixture
def shop(open_shop):
    """A shop with a point for each dollar from 10 dollars on, and a reward for 20."""
    return open_shop(PURCHASE, REWARD)
