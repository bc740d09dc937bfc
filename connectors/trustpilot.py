"""Trustpilot: hear of reviews of the business and its products, answer them, and invite buyers to write one.

Setup:
1. Write a long random text into `webhook_token`. Trustpilot Business > Integrations > Developers > Webhook notifications: add
   {webhook_url}?key=… with that text at the end, once for each event: new, updated and deleted service reviews, and product
   reviews where you collect them. Press Test, and save. The page needs a plan that has this module.
2. Integrations > Developers > APIs > Create application: copy its key to `api_key` and its secret to `api_secret`, and the
   business unit's id to `business_unit_id`. Then what a webhook tells is looked up before it counts, the address of whoever was
   invited is known, and a hub without a public address asks for reviews every ten minutes. Without them webhooks are believed.
3. Answers are signed by a person: their id as `business_user_id`. Invitations have a template: its id as `template_id`.
4. Who wrote a review? Trustpilot tells the address only of whom it invited. Put the number of the order into each invitation
   (`reference` of send_invitation; the shop's own integration does so by itself), and say in `orders_of` which connection these
   orders come from (`orders_of: square`): then the review is the buyer's. A reference that is an e-mail address will do too.

What is told: `review` counts once for each review, whatever its stars: Trustpilot forbids rewards that depend on them. What its
writer changes later is shown, and not rewarded again. `review_deleted` takes no points back by itself. A review of somebody who
was not invited names nobody, and is nobody's. Deliveries bring several reviews at once; one that cannot be read keeps none of
the others waiting. Polling brings reviews of the business, not of products.

What goes out: answers are for all to read. Invitations are mails of Trustpilot's, and pass the hub's consent; it has no key
against doubles, so one that was lost on its way waits for a person. Product reviews cannot be answered here.

Not confirmed: that Trustpilot signs nothing, so that the text in the address is all that proves a webhook; the names and fields
of product reviews; how long tokens are good; limits (800 calls in five minutes are made); whether it sends again what was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BaseModel, Field

from hub.sdk import (
    CallFailed,
    Client,
    Connector,
    Customer,
    Fact,
    Failure,
    Moment,
    Payload,
    Reference,
    Reply,
    Review,
    Settings,
    email,
    names,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

API, INVITATIONS = "https://api.trustpilot.com", "https://invitations-api.trustpilot.com"
PAGE_SIZE = 100


def _failure(reply: Reply) -> Failure | None:
    """An application without the module, or another business unit's review."""
    return Failure("reconnect") if reply.status == 403 else None


connector = Connector(
    "trustpilot",
    title="Trustpilot",
    settings=secret("webhook_token", "a long random text, at the end of the webhook's address (?key=…)", required=False)
    + secret("api_key", "Integrations > Developers > APIs: the application's key", required=False)
    + secret("api_secret", "there too: its secret", required=False)
    + setting("business_unit_id", "the business unit's id", default=None, example="46d6a890000064000500e0c3")
    + setting("business_user_id", "of the person who signs answers", default=None, example="507f191e810c19729de860ea")
    + setting("template_id", "the template of invitations", default=None, example="529c0abfefb96008b894ad02")
    + setting("orders_of", "the connection whose orders the references are", default=None, example="square"),
    api=(API, INVITATIONS),
    auth=auth.oauth2(
        f"{API}/v1/oauth/oauth-business-users-for-applications/accesstoken",
        grant="client_credentials",
        client="basic",
        client_id="api_key",
        client_secret="api_secret",  # noqa: S106  # the name of a setting
    ),
    signature=signature.token("webhook_token", query="key"),
    # What was told stands in a place of its own: only we ourselves can say that something was looked up.
    envelope=envelope(each=body("events"), kind=body("eventName"), data=lambda event: {"told": event["eventData"]}),
    rate=rate("800 per 5 minutes"),
    failures=_failure,
)


# What comes in --------------------------------------------------------------------------------------------------------


class Consumer(Payload):
    """Who wrote it: a name of their own choice, and an address only where they were asked about a product."""

    id: str | None = None
    name: str | None = Field(None, validation_alias=AliasChoices("name", "displayName"))
    email: str | None = None


class Product(Payload):
    sku: str | None = None
    name: str | None = None


class Written(Payload):
    """A review as it is told, or looked up; reviews of products have `content` in place of title and text."""

    id: str
    stars: int | None = None
    title: str | None = None
    text: str | None = Field(None, validation_alias=AliasChoices("text", "content"))
    language: str | None = None
    created_at: Moment = Field(alias="createdAt")
    reference: str | None = Field(None, alias="referenceId")
    is_verified: bool | None = Field(None, alias="isVerified")
    invited: str | None = Field(None, alias="referralEmail")
    location_id: str | None = Field(None, alias="locationId")
    consumer: Consumer = Consumer()
    product: Product = Product()
    state: str | None = None


class Notice(Payload):
    """A review that was told, or that was listed: then nothing need be looked up."""

    told: Written | None = None
    listed: Written | None = None

    def review(self) -> Written:
        """What it is about. ValueError when it is about nothing."""
        written = self.listed or self.told
        if written is None:
            raise ValueError("there is no review in it")
        return written


class PublicReview(Review):
    """A review of the business, or of a product. reference_id: what was put into its invitation, for instance the order.

    writer: the name that they chose. location_id: of the shop that it is about.
    """

    reference_id: Short = ""
    writer: Short = ""
    language: Short = ""
    location_id: Short = ""
    product_sku: Short = ""
    product: Short = ""


class ReviewDeleted(Fact):
    """A review was taken away."""

    review_id: Short

    fact = "review_deleted"
    makes_member = False
    sample: ClassVar[dict[str, Any]] = {"review_id": "53bffd360000640002975387"}


def _customer(written: Written) -> Customer | None:
    """Who wrote it, where an address tells; the chosen name alone tells nobody from anybody."""
    address = written.invited or written.consumer.email or email(written.reference)
    return Customer(email=address, **names(written.consumer.name)) if address else None


def _about(written: Written, settings: Settings) -> Iterator[Reference]:
    yield Reference(kind="review", id=written.id)
    if written.reference and not email(written.reference):
        yield Reference(kind="order", id=written.reference, connection=settings["orders_of"] or "")


@connector.trigger(
    "service-review-created", "service-review-updated", "product-review-created", "product-review-updated",
    key="review_id", fetch_if="api_key",
)  # fmt: skip
def review(notice: Notice, settings: Settings, client: Client | None) -> PublicReview | None:
    """Somebody reviewed the business or a product."""
    written = notice.review()
    if client is not None and notice.listed is None and not written.product.name:
        found = client.find("/v1/private/reviews/{id}", at={"id": written.id}, headers=_key(settings))
        if found is None:  # it is gone, or never was
            return None
        written = Written.model_validate(found)
    if written.state not in {None, "published"}:
        return None
    return PublicReview(
        occurred_at=written.created_at,
        customer=_customer(written),
        references=tuple(_about(written, settings)),
        review_id=written.id,
        rating=written.stars if written.stars in range(1, 6) else None,
        title=(written.title or "")[:512],
        text=(written.text or "")[:10_000],
        site="trustpilot",
        verified=written.is_verified,
        reference_id=written.reference or "",
        writer=written.consumer.name or "",
        language=written.language or "",
        location_id=written.location_id or "",
        product_sku=written.product.sku or "",
        product=written.product.name or "",
    )


@connector.trigger("service-review-deleted", "product-review-deleted", key="review_id")
def review_deleted(notice: Notice) -> ReviewDeleted:
    """A review was taken away by whoever wrote it, or by Trustpilot."""
    written = notice.review()
    return ReviewDeleted(review_id=written.id, references=(Reference(kind="review", id=written.id),))


def _key(settings: Settings) -> dict[str, str]:
    """Besides the token, every call says whose it is."""
    return {"apikey": _needed(settings, "api_key").reveal()}


def _needed(settings: Settings, name: str) -> Any:
    if not settings[name]:
        raise CallFailed(f"This needs the connection's `{name}`; write it into hub.yaml.", "reconnect")
    return settings[name]


@connector.pull(review)
def reviews_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Reviews of the business that were written since a moment, where the connection can ask for them."""
    if not settings["api_key"] or not settings["business_unit_id"]:
        return
    query = {"perPage": PAGE_SIZE, "page": 1, "orderBy": "createdat.asc", "startDateTime": f"{since:%Y-%m-%dT%H:%M:%S}"}
    rows = client.pages(
        "/v1/private/business-units/{unit}/reviews",
        items="reviews",
        next=pages.page_number(size=PAGE_SIZE),
        at={"unit": settings["business_unit_id"]},
        query=query,
        headers=_key(settings),
    )
    yield from ({"listed": row} for row in rows)


# What goes out --------------------------------------------------------------------------------------------------------

ReviewId = Annotated[str, Field(description="the review's id, such as {{ event.review_id }}", pattern="^[0-9A-Za-z]+$")]
Text = Annotated[str, Field(description="what is said, for all to read", min_length=1)]


class Answered(BaseModel):
    """A review that was answered."""

    review_id: str


@connector.action(repeat="never")
def reply_review(client: Client, settings: Settings, *, review: ReviewId, text: Text) -> Answered:
    """Answer a review of the business, for all to read."""
    said = {"message": text, "authorBusinessUserId": settings["business_user_id"]}
    client.call("POST", "/v1/private/reviews/{id}/reply", at={"id": review}, json=said, headers=_key(settings))
    return Answered(review_id=review)


@connector.lookup(reply_review)
def replied_before(client: Client, settings: Settings, *, review: str, text: str) -> Answered | None:
    """A review shows the answer that it was given."""
    found = client.get("/v1/private/reviews/{id}", at={"id": review}, headers=_key(settings))
    return Answered(review_id=review) if (found.get("companyReply") or {}).get("text") == text else None


class Invited(BaseModel):
    """Somebody whom Trustpilot will ask for a review."""

    to: str


@connector.action(repeat="never", channel="email")
def send_invitation(
    client: Client,
    settings: Settings,
    *,
    to: Annotated[str, "the buyer's e-mail address"],
    name: Annotated[str, "the buyer's name"],
    reference: Annotated[str | None, "what the review will be known by, such as {{ event.order_id }}"] = None,
    template: Annotated[str | None, "the template's id, where it is not the connection's"] = None,
    send_at: Annotated[Moment | None, "when it is sent; as Trustpilot's settings say without one"] = None,
    locale: Annotated[str | None, "its language, such as en-US"] = None,
    redirect: Annotated[str | None, "the address to which the buyer is led afterwards"] = None,
) -> Invited:
    """Ask a buyer by mail for a review of the business."""
    invitation = {
        "templateId": template or settings["template_id"],
        "preferredSendTime": f"{send_at:%Y-%m-%dT%H:%M:%S}" if send_at else None,
        "redirectUri": redirect,
    }
    asked = {"consumerEmail": to, "consumerName": name, "referenceNumber": reference, "locale": locale}
    client.call(
        "POST",
        f"{INVITATIONS}/v1/private/business-units/{{unit}}/email-invitations",
        at={"unit": _needed(settings, "business_unit_id")},
        json={**asked, "serviceReviewInvitation": invitation},
        headers=_key(settings),
    )
    return Invited(to=to)


# Recorded truth -------------------------------------------------------------------------------------------------------

ID = "53bffd360000640002975387"
WRITTEN = {
    "id": ID, "language": "en", "title": "Great service", "text": "Fast.", "referenceId": "ORDER-1001", "stars": 5,
    "createdAt": "2026-02-06T21:27:34.000Z", "isVerified": True, "locationId": "43f51215-a1fc-4c60-b6dd-e4afb6d7b831",
    "link": f"https://api.trustpilot.com/v1/reviews/{ID}", "tags": [{"group": "Generic", "value": "vip"}],
    "consumer": {"id": "53bffc3900006400017e5db8", "name": "Ada Ng", "link": "https://api.trustpilot.com/v1/consumers/53bf"},
}  # fmt: skip
KEPT = WRITTEN | {"consumer": {"id": "53bffc3900006400017e5db8", "displayName": "Ada Ng"}, "referralEmail": "ada@example.com"}
RATED = {
    "id": "5e8b3d0000640002975399", "stars": 2, "content": "Wobbles.", "createdAt": "2026-02-06T21:27:34.000Z",
    "state": "published", "referenceId": "ORDER-1001", "product": {"sku": "B-7", "name": "Board", "mpn": "B7"},
    "consumer": {"id": "53bffc3900006400017e5db8", "name": "Ada Ng", "email": "ada@example.com"},
}  # fmt: skip


def _told(event: str, written: Mapping[str, Any] = WRITTEN) -> dict[str, Any]:
    return {"events": [{"eventName": event, "version": "1", "eventData": dict(written)}]}


UNIT, UNASKED = "/v1/private/business-units/46d6a890000064000500e0c3", {"api_key": None, "api_secret": None}
GET = ask(f"GET /v1/private/reviews/{ID}", headers={"apikey": "example-api-key"})
ORDER = {"kind": "order", "id": "ORDER-1001", "connection": "square"}

connector.sample(
    review, _told("service-review-created"), asks=GET, reply=KEPT,
    gives={"review_id": ID, "rating": 5, "title": "Great service", "text": "Fast.", "site": "trustpilot", "verified": True,
           "occurred_at": "2026-02-06T21:27:34Z", "reference_id": "ORDER-1001", "writer": "Ada Ng", "language": "en",
           "references": [{"kind": "review", "id": ID}, ORDER],
           "customer": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Ng"}},
)  # fmt: skip
connector.sample(
    review, _told("service-review-updated"), settings=UNASKED, gives={"review_id": ID, "customer": None}, note="as it was told"
)
connector.sample(review, _told("service-review-created"), asks=GET, reply=answers(404), gives=None, note="there is none")
connector.sample(
    review, _told("product-review-created", RATED),
    gives={"rating": 2, "text": "Wobbles.", "product": "Board", "product_sku": "B-7", "customer": {"email": "ada@example.com"}},
)  # fmt: skip
connector.sample(review_deleted, _told("service-review-deleted"), gives={"review_id": ID})
connector.sample(
    reviews_since, "2026-02-06T00:00:00+00:00",
    asks=ask(f"GET {UNIT}/reviews", query={"perPage": 100, "page": 1, "startDateTime": "2026-02-06T00:00:00"}),
    reply={"links": [], "reviews": [KEPT]}, gives={"review_id": ID, "customer": {"email": "ada@example.com"}},
)  # fmt: skip
THANKS = {"review": ID, "text": "Thank you!"}
connector.sample(
    reply_review, THANKS,
    asks=ask(f"POST /v1/private/reviews/{ID}/reply",
             json={"message": "Thank you!", "authorBusinessUserId": "507f191e810c19729de860ea"}),
    reply=answers(201), gives={"review_id": ID},
)  # fmt: skip
REPLIED = KEPT | {"companyReply": {"text": "Thank you!", "createdAt": "2026-02-06T21:29:00Z"}}
connector.sample(replied_before, THANKS, asks=GET, reply=REPLIED, gives={"review_id": ID})
connector.sample(replied_before, THANKS, asks=GET, reply=KEPT, gives=None)
connector.sample(
    send_invitation,
    {"to": "ada@example.com", "name": "Ada Ng", "reference": "ORDER-1001", "send_at": "2026-02-13T09:00:00Z"},
    asks=ask(f"POST {INVITATIONS}{UNIT}/email-invitations", json={
        "consumerEmail": "ada@example.com", "consumerName": "Ada Ng", "referenceNumber": "ORDER-1001",
        "serviceReviewInvitation": {"templateId": "529c0abfefb96008b894ad02", "preferredSendTime": "2026-02-13T09:00:00"}}),
    reply=answers(202), gives={"to": "ada@example.com"},
)  # fmt: skip
