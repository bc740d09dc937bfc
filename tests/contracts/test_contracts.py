"""Contracts: what connectors send, and what their samples say is answered and told, by the platforms' own descriptions.

The descriptions are no part of this repository: HUB_CONTRACTS names their folder, or it lies beside the repository. Without it
these tests skip; where HUB_CI is 1 they fail instead.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub import plugins
from hub.promises.trial import Trial
from hub.sdk import Connector
from hub.sdk.envelope import dig, found
from hub.sdk.graphql import root_of
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.request import Answer
from hub.sdk.sample import Sample
from tests.contracts.openapi import Contract

FOLDER = Path(os.environ.get("HUB_CONTRACTS") or Path(__file__).parents[3] / "shared" / "vendors" / "contracts")

# Where the delivery of a trigger's sample holds an object of the platform, and what the contract calls that.
OBJECTS = {
    "square": {
        "data.object.payment": "Payment",
        "data.object.refund": "PaymentRefund",
        "data.object.booking": "Booking",
        "data.object.customer": "Customer",
        "data.object.loyalty_event": "LoyaltyEvent",
    },
}

# Connectors whose contract has another name, for it tells of several platforms.
FILES = {"tremendous": "rewards", "judgeme": "reviews", "trustpilot": "reviews"}

# Calls that a contract has left out, though the platform's own pages describe them: the form of their paths, or of method and
# path (and query) where the contract has others there; of GraphQL what is asked for (`#refund`).
BEYOND = {
    "activecampaign": "/api/3/(deals(/.*)?|contacts/[0-9]+/contactTags)|GET /api/3/contacts[?].*include=.*",
    "dynamics365": "/api/data/v9.2/(?!contacts).*|/workflows/.*",
    "freshdesk": "/api/v2/(surveys/.*|tickets/[0-9]+/conversations)|GET /api/v2/contacts[?]_updated_since=.*",
    "gorgias": "/api/satisfaction-surveys",
    "hubspot": "/crm/(lists/.*|objects/[^/]+/contacts/batch/update)",
    "intercom": "/conversations/.*",
    "judgeme": "/api/orders/send_manual_review_request",
    "mailchimp": "(GET /3.0/campaigns|POST /3.0/customer-journeys/.*)",
    "salesforce": "/services/data/[^/]+/composite/sobjects(/.*)?",
    "sendgrid": "/v3/(suppression/(unsubscribes|spam_reports)|asm/suppressions)",
    "square": "(GET /v2/customers/custom-attribute-definitions|DELETE /v2/customers/[^/]+/custom-attributes/.*)",
    "shopify": "#(refund|codeDiscountNodeByCode|metafieldsDelete)",
    "tremendous": "/api/v2/fields",
    "woocommerce": "/wp-json/wc/v3/customers/batch|GET /wp-json/wc/v3/customers[?]include=.*",
    "zendesk": "/api/v2/(incremental/.*|satisfaction_ratings|users/[0-9]+/tags)",
    "zoho_crm": "/crm/v8/([A-Za-z_]+/[0-9]+/(Notes|actions/remove_tags)|functions/[a-z_]+/actions/execute)",
}

# Contracts that have left out the bodies of most answers.
TERSE = {"loyaltylion", "mailchimp", "quickbooks", "woocommerce"}

# Fields that a contract leaves open, though the platform's own pages name them, by its schema.
OPEN = {
    "dynamics365": {"Contact": ("new_points", "new_tier")},
    "zendesk": {"UserMergePropertiesInput": ("user_fields", "skip_verify_email")},
    "zoho_crm": {"record.Record": ("Email", "First_Name", "Last_Name", "Mobile", "Loyalty_Points", "Loyalty_Tier")},
}

CONNECTORS = plugins.discover()
KINDS = ("trigger", "action", "lookup", "pull", "mirror", "reading")


def _file(name: str) -> Path:
    return FOLDER / f"{FILES.get(name, name)}.json"


def _samples(*kinds: str) -> list[Any]:
    """The samples of these kinds of every connector that has a contract; of all, when there are no contracts to look at."""
    return [
        pytest.param(connector, sample, id=f"{connector.name}.{sample.of}.{number}")
        for connector in CONNECTORS.values()
        if not FOLDER.is_dir() or _file(connector.name).is_file()
        for number, sample in enumerate(connector.samples, 1)
        if sample.kind in kinds
    ]


@cache
def _contract(name: str) -> Contract:
    document = json.loads(_file(name).read_text(encoding="utf-8"))
    for schema, fields in OPEN.get(name, {}).items():
        document["components"]["schemas"][schema]["properties"] |= {field: {} for field in fields}
    return Contract(document)


@pytest.fixture(autouse=True)
def _contracts_at_hand() -> None:
    if not FOLDER.is_dir():
        refuse = pytest.fail if os.environ.get("HUB_CI") == "1" else pytest.skip
        refuse("the platforms' contracts are not at hand; HUB_CONTRACTS names their folder")


def _calls(connector: Connector, sample: Sample) -> list[tuple[Called, Answer]]:
    """The calls that a sample makes, as they go out, and what it says is answered; without those beyond the contract."""
    beyond = BEYOND.get(connector.name)
    pairs = zip(_made(connector, sample), sample.replies, strict=False)
    return [pair for pair in pairs if beyond is None or not _matches(beyond, pair[0])]


def _matches(form: str, called: Called) -> bool:
    url = urlsplit(called.url)
    line = f"{called.method} {url.path}"
    sent = _body(called).get("body")
    document = sent.get("query") if isinstance(sent, dict) else None
    asked = [f"#{root_of(document)}"] if isinstance(document, str) and "{" in document else []
    return any(re.fullmatch(form, text) for text in (url.path, line, f"{line}?{url.query}", *asked))


def _made(connector: Connector, sample: Sample) -> list[Called]:
    trial, replies = Trial(connector, sample), one_by_one(sample.replies)
    if sample.kind == "trigger":
        play = Play(replies)
        for item in trial.items():
            trial.facts(item, play=play)
        return play.calls
    run: dict[str, Any] = {"lookup": trial.look_up, "pull": trial.pulled}
    calls: list[Called] = run.get(sample.kind, trial.act)(replies)[1].calls
    return calls


def _body(called: Called) -> dict[str, Any]:
    if not called.body:
        return {}
    if "form" in called.headers.get("content-type", ""):
        return {"form": called.body.decode()}
    return {"body": json.loads(called.body)}


@pytest.mark.parametrize(("connector", "sample"), _samples(*KINDS))
def test_every_request_is_one_that_the_platform_takes(connector: Connector, sample: Sample) -> None:
    """Path, method, parameters and body: all are known to the contract, of the right type, and nothing required is missing."""
    contract = _contract(connector.name)
    for called, _ in _calls(connector, sample):
        assert contract.request_problems(called.method, called.url, **_body(called)) == []


@pytest.mark.parametrize(("connector", "sample"), _samples(*KINDS))
def test_every_sample_reply_is_one_that_the_platform_gives(connector: Connector, sample: Sample) -> None:
    """What a sample says is answered fits the contract; of failures only where the contract describes them."""
    contract = _contract(connector.name)
    for called, reply in _calls(connector, sample):
        described = contract.knows_body(called.method, called.url, reply.status)
        if described or (reply.status < 400 and connector.name not in TERSE):
            body = json.loads(reply.body) if reply.body else None
            assert contract.reply_problems(called.method, called.url, reply.status, body) == []


@pytest.mark.parametrize(("connector", "sample"), _samples("trigger"))
def test_every_object_that_a_trigger_reads_is_one_that_the_platform_tells(connector: Connector, sample: Sample) -> None:
    """The object in a trigger's sample has the fields and types of the contract, where the contract has a name for it."""
    contract = _contract(connector.name)
    for path, schema in OBJECTS.get(connector.name, {}).items():
        thing = dig(sample.given, path)
        if found(thing):
            assert contract.object_problems(schema, thing) == []


def test_the_shipped_connectors_are_looked_at() -> None:
    """Square and Twilio have contracts and samples of every kind."""
    assert {param.values[0].name for param in _samples("action")} >= {"square", "twilio"}
    assert {param.values[1].kind for param in _samples(*KINDS)} == set(KINDS)
