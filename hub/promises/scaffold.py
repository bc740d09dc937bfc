"""Scaffold: the source of a new connector; it keeps every promise as it stands, so that each change shows what it breaks."""

from __future__ import annotations

import re
from keyword import iskeyword

_SOURCE = '''"""NAME_TITLE: say here in one line what it hears and does.

Setup: say here where in NAME_TITLE to paste {webhook_url}, and where to find the secret for `webhook_secret` and the key for
`api_key`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from hub.sdk import Client, Connector, Customer, FormSubmitted, Moment, Payload
from hub.sdk.declare import answers, ask, auth, body, envelope, header, secrets, signature

connector = Connector(
    "NAME",
    title="NAME_TITLE",
    settings=secrets("webhook_secret", "api_key"),
    api="https://api.example.com",
    auth=auth.bearer("api_key"),
    # How the platform proves itself: hmac, timestamped, standard_webhooks, ecdsa, basic, token, or none(because="...").
    signature=signature.hmac("X-Signature", "webhook_secret", digest="sha256", encoding="hex"),
    # Where it keeps the kind of what it tells, and the data of it.
    envelope=envelope(kind=body("type"), id=body("id"), data=body("data"), at=body("created_at")),
    # Where it takes an idempotency key; leave it out if it knows none.
    idempotency=header("Idempotency-Key"),
)


class Response(Payload):
    """The platform's fields that we read; others are ignored."""

    id: str
    form: str
    email: str | None = None
    submitted_at: Moment


# Choose the fact that fits in hub/sdk/facts.py: Sale, Refund, Booking, Review, MessageReceived ...
@connector.trigger("form.submitted", key="response_id")
def form_submitted(response: Response) -> FormSubmitted:
    """Somebody sent in a form."""
    return FormSubmitted(
        occurred_at=response.submitted_at,
        customer=Customer(email=response.email),
        form_id=response.form,
        response_id=response.id,
    )


@connector.pull(form_submitted)
def responses_since(client: Client, since: datetime) -> Iterator[Any]:
    """Every response since then: this one function polls, fills gaps and reads the past."""
    yield from client.get("/responses", query={"since": since})["data"]


class Note(Payload):
    """What the platform answers when a note is kept."""

    id: str


# repeat: `safe` (twice is once), `keyed` (the platform keeps the key), `never` (then add a @connector.lookup).
@connector.action(repeat="keyed")
def add_note(
    client: Client,
    *,
    person: Annotated[str, "the person's id at NAME_TITLE"],
    text: Annotated[str, "what to write down"],
) -> Note:
    """Write a note on a person."""
    note: Note = client.post("/people/{person}/notes", at={"person": person}, json={"text": text}, into=Note)
    return note


# Samples are the connector's tests: take real ones, with made-up people in them. Run `hub connector test NAME`.
RESPONSE = {"id": "rsp_1", "form": "frm_1", "email": "ada@example.com", "submitted_at": "2026-02-06T21:27:34Z"}

connector.sample(
    form_submitted,
    {"type": "form.submitted", "id": "evt_1", "created_at": "2026-02-06T21:27:35Z", "data": RESPONSE},
    gives={"response_id": "rsp_1", "customer": {"email": "ada@example.com"}},
)
connector.sample(
    responses_since,
    "2026-02-06T00:00:00Z",
    asks=ask("GET /responses", query={"since": "2026-02-06T00:00:00Z"}),
    reply={"data": [RESPONSE]},
    gives=[{"response_id": "rsp_1"}],
)
connector.sample(
    add_note,
    {"person": "per_1", "text": "Asked for a receipt"},
    asks=ask("POST /people/per_1/notes", json={"text": "Asked for a receipt"}),
    reply=answers(201, {"id": "not_1"}),
    gives={"id": "not_1"},
)
'''


def scaffold(name: str) -> str:
    """The source of a connector of that name, for `connectors/<name>.py`. ValueError when it is no name for one."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name) or iskeyword(name):
        raise ValueError(f"{name!r} is not a name for a connector: lower-case letters, digits, underscores, such as `my_till`")
    title = " ".join(word.capitalize() for word in name.split("_"))
    return _SOURCE.replace("NAME_TITLE", title).replace("NAME", name)
