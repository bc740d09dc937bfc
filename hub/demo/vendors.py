"""Vendors: the part of Square's and Twilio's APIs that the demo plays, on the shop's own customers and orders."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from operator import itemgetter
from typing import Any

from hub.clock import Clock
from hub.demo import payloads
from hub.demo.payloads import Told
from hub.demo.shop import Purchase

_LOCATIONS = {"locations": [{"id": payloads.LOCATION, "name": "Workshop", "status": "ACTIVE"}]}
_NO_AUTH = {"category": "AUTHENTICATION_ERROR", "code": "UNAUTHORIZED", "detail": "This request could not be authorized."}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to a vendor. body: the JSON object or the form; authorization: the header's value."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    authorization: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's answer."""

    status: int
    body: Mapping[str, Any]


@dataclass
class SquareApi:
    """Square with the shop's orders, and all that it has learned of: payments, refunds and customers can be listed."""

    purchases: Iterable[Purchase]
    _orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    _known: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"customer": {}, "payment": {}, "refund": {}})

    def __post_init__(self) -> None:
        for one in self.purchases:
            self._orders[payloads.order_id(one.order)] = payloads.square_order(one.order, one.customer, one.quantity, one.cents)

    def learn(self, told: Told) -> None:
        """Know a thing as it is told by webhook, whether or not the webhook arrives."""
        for name, thing in told.values["data"]["object"].items():
            self._known[name][thing["id"]] = {key: value for key, value in thing.items() if value is not None}

    def answer(self, ask: Ask) -> Reply:
        """Answer one request."""
        if not ask.authorization.startswith("Bearer "):
            return Reply(401, {"errors": [_NO_AUTH]})
        return self._route(ask) or _refusal(404, "NOT_FOUND", f"{ask.method} {ask.path} is not played here.")

    def _route(self, ask: Ask) -> Reply | None:
        match (ask.method, *ask.path.strip("/").split("/")[1:]):
            case ("GET", "customers", customer):
                return self._found("customer", self._known["customer"].get(customer))
            case ("GET", "orders", order):
                return self._found("order", self._orders.get(order))
            case ("GET", "locations"):
                return Reply(200, _LOCATIONS)
            case ("GET", "payments" | "refunds" as things):
                return self._changed(things, ask.query["updated_at_begin_time"], ask.query)
            case ("POST", "customers", "search"):
                return self._changed("customers", ask.body["query"]["filter"]["updated_at"]["start_at"], ask.body)
        return None

    def _changed(self, things: str, since: str, asked: Mapping[str, Any]) -> Reply:
        """A page of what changed since then, the oldest change first."""
        moment, start, most = datetime.fromisoformat(since), int(asked.get("cursor", 0)), int(asked["limit"])
        known = self._known[things.removesuffix("s")].values()
        changed = [thing for thing in known if datetime.fromisoformat(thing["updated_at"]) >= moment]
        page = sorted(changed, key=itemgetter("updated_at"))[start : start + most]
        more = {"cursor": str(start + most)} if start + most < len(changed) else {}
        return Reply(200, {things: page, **more})

    def _found(self, name: str, thing: Mapping[str, Any] | None) -> Reply:
        if thing is None:
            return _refusal(404, "NOT_FOUND", f"There is no such {name}.")
        return Reply(200, {name: thing})


@dataclass
class TwilioApi:
    """Twilio with a queue that never sends anything."""

    clock: Clock
    _messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, ask: Ask) -> Reply:
        """Answer one request."""
        if not ask.authorization.startswith("Basic "):
            return Reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
        with self._lock:
            match (ask.method, *ask.path.strip("/").split("/")[3:]):
                case ("POST", "Messages.json"):
                    return self._send(ask.body)
                case ("GET", "Messages.json"):
                    found = [one for one in self._messages.values() if one["to"] == ask.query.get("To", one["to"])]
                    return Reply(200, {"messages": found, "next_page_uri": None})
                case ("GET", "Messages", name) if name.removesuffix(".json") in self._messages:
                    return Reply(200, self._messages[name.removesuffix(".json")])
        return Reply(404, {"code": 20404, "message": f"{ask.method} {ask.path} is not played here.", "status": 404})

    def _send(self, form: Mapping[str, Any]) -> Reply:
        to, body = form.get("To", ""), form.get("Body", "")
        if not to.startswith("+"):
            return Reply(400, {"code": 21211, "message": f"Invalid 'To' Phone Number: {to}", "status": 400})
        if not body:
            return Reply(400, {"code": 21602, "message": "Message body is required.", "status": 400})
        message = {
            "sid": f"SM{len(self._messages) + 1:032x}",
            "status": "accepted" if form.get("MessagingServiceSid") else "queued",
            "to": to,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": body,
            "direction": "outbound-api",
            "date_created": format_datetime(self.clock.now()),
            "num_segments": "1",
            "error_code": None,
        }
        self._messages[message["sid"]] = message
        return Reply(201, message)


def _refusal(status: int, code: str, detail: str) -> Reply:
    return Reply(status, {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": code, "detail": detail}]})
