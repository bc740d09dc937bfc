"""Policy: who may call a route. A route that says nothing is closed, and a test finds it before anybody else does."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from typing import Literal, TypeVar

from flask import Flask, request

from hub.sdk import Answer
from hub.web.problems import problem

Policy = Literal["public", "signed", "operator"]
"""public: everybody. signed: the door checks each request itself. operator: whoever runs the hub."""
View = TypeVar("View", bound=Callable[..., object])

_MARK = "hub_policy"
# Where one of these is there a proxy spoke to us, and "from this machine" says nothing about who spoke to the proxy.
_SAYS_PROXY = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


def policy(name: Policy) -> Callable[[View], View]:
    """State the policy of a view function."""

    def mark(view: View) -> View:
        setattr(view, _MARK, name)
        return view

    return mark


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """What the route of this endpoint says, None when it says nothing."""
    found: Policy | None = getattr(app.view_functions.get(endpoint), _MARK, None)
    return found


def refusal(stated: Policy | None, operator_token: str | None) -> Answer | None:
    """Why the current request may not go on, or None when it may.

    operator_token: with one, operators show it as `Authorization: Bearer …` from wherever they are; without one, operators are
    those who come straight from this machine.
    """
    if stated in {"public", "signed"}:
        return None
    if stated != "operator":
        return problem(403, "No one has said who may call this route, so nobody may.")
    if operator_token is not None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(shown.encode("utf-8", "replace"), operator_token.encode()):
            return None
        return problem(
            401,
            "This is for whoever runs the hub, and the token is missing or wrong.",
            "Send `Authorization: Bearer …` with the token that is in HUB_METRICS_TOKEN.",
            {"WWW-Authenticate": "Bearer"},
        )
    if _is_from_this_machine(request.remote_addr) and not any(name in request.headers for name in _SAYS_PROXY):
        return None
    return problem(
        403,
        "Without a token this answers only to calls that come straight from the machine that the hub runs on.",
        "Set HUB_METRICS_TOKEN for the hub, and send it as `Authorization: Bearer …`.",
    )


def _is_from_this_machine(address: str | None) -> bool:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
