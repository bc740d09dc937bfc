"""Judge.me: hear of product and shop reviews, with the reviewer's address, answer them, and ask for them.

Setup:
1. Judge.me > Settings > Integrations > View API tokens: copy the private token to `api_token` and the shop domain
   (example.myshopify.com) to `shop_domain`. The public token can do nothing of this.
2. `hub connections subscribe` registers {webhook_url} for reviews that are created, updated, published and unpublished; there
   is no page for it at Judge.me. It signs what it sends with the private token. Did an OAuth app of your own register the
   webhooks? Then it signs with the app's secret: write that into `app_secret`, and the shop's access token into `api_token`.
   A hub without a public address needs no webhooks: it asks for reviews every ten minutes.
3. Do you publish every review that is no spam? Leave `published_only` as it is: a review counts once it is published. Do you
   publish by stars, or answer the bad ones instead? Then set `published_only: false`: a review counts when it is written, else
   only praise would be rewarded.

What is told: `review` counts once for each review, whatever its rating; what is changed later is shown and not rewarded again.
`pictures_added` tells once of each review that pictures or videos of it are shown, for those who reward them. Spam and hidden
reviews are no facts. A review that is taken off the shop's pages is told (`review_unpublished`), and takes no points back by
itself. `verified` is true for buyers that Judge.me knows as such, false for others. Polling reads the list until a hundred
reviews in a row have not changed for a month. Nothing is told of questions, shop settings and widgets.

What goes out: an answer for all to read goes out without a mail. A private answer and a request for a review are mails that
Judge.me sends: they pass the hub's consent. Judge.me has no keys against doubles, so what was lost on its way waits for a
person. Reviews are not imported: they could not be marked as verified, nor taken back.

Not confirmed: the words of `verified` besides buyer and verified-purchase; that reviews are listed newest first; what a list of
webhooks looks like; whether `unsubscribed_at` is a no to all mail of the shop (it is taken for one); limits of calls (two in a
second are made); the newer address of the API (`host: api.judge.me`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, TypeAdapter

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
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
    names,
)
from hub.sdk.declare import answers, ask, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

HEADER = "JUDGEME-HMAC-SHA256"
RENAMED = ("X-Judgeme-Hmac-Sha256", "HTTP-X-Judgeme-Hmac-Sha256")
PAGE_SIZE = 100
LOOKED_BACK = timedelta(days=30)


def _failure(reply: Reply) -> Failure | None:
    """A token that may not do this."""
    return Failure("reconnect") if reply.status == 403 else None


connector = Connector(
    "judgeme",
    title="Judge.me",
    settings=secret("api_token", "Settings > Integrations > View API tokens: the private token")
    + setting("shop_domain", "there too: the shop domain", example="example.myshopify.com")
    + secret("app_secret", "of the OAuth app that registered the webhooks, if one did", required=False)
    + setting("published_only", "whether a review counts only once it is published", bool, default=True)
    + setting("host", "api.judge.me for the newer address of the API", default="judge.me"),
    api=("https://{host}", "https://judge.me"),
    signature=signature.hmac(HEADER, "api_token", others=RENAMED) | signature.hmac(HEADER, "app_secret", others=RENAMED),
    envelope=envelope(
        kind=body("event"),
        account=body("shop_domain"),
        account_setting="shop_domain",
        data=body("review"),
        at=body("review.updated_at"),
    ),
    rate=rate("2 per second"),
    failures=_failure,
)


# What comes in --------------------------------------------------------------------------------------------------------


class Reviewer(Payload):
    """Who wrote it. external_id: of the customer at the shop."""

    id: str | None = None
    external_id: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    accepts_marketing: bool | None = None
    unsubscribed_at: str | None = None

    def customer(self) -> Customer:
        consents = {"email": False} if self.unsubscribed_at else {"email": True} if self.accepts_marketing else {}
        return Customer(id=self.id, email=self.email, phone=self.phone, **names(self.name), consents=consents)


class Written(Payload):
    """A review as Judge.me keeps it. curated: ok, spam or not-yet. verified: buyer, verified-purchase, not-yet, nothing …"""

    id: str
    created_at: Moment
    updated_at: Moment | None = None
    title: str | None = None
    body: str | None = None
    rating: int | None = None
    reviewer: Reviewer = Reviewer()
    product_external_id: str | None = None
    product_title: str | None = None
    product_handle: str | None = None
    source: str | None = None
    curated: str | None = None
    published: bool = False
    hidden: bool = False
    verified: str | None = None
    has_published_pictures: bool | None = None
    has_published_videos: bool | None = None

    @property
    def is_shown(self) -> bool:
        """Whether visitors of the shop see it."""
        return self.published and not self.hidden and self.curated in {"ok", None}

    def counts(self, settings: Settings) -> bool:
        """Whether it is one that the programme hears of."""
        return self.is_shown if settings["published_only"] else self.curated != "spam"

    def filled(self) -> dict[str, Any]:
        """What every fact about it says."""
        product = [Reference(kind="product", id=self.product_external_id)] if self.product_external_id else []
        return {
            "customer": self.reviewer.customer(),
            "references": (Reference(kind="review", id=self.id), *product),
            "review_id": self.id,
            "product_id": self.product_external_id,
            "product": (self.product_title or "")[:512],
        }


class ShopReview(Review):
    """A review of a product, or of the shop. is_published: whether visitors see it. source: where it was written.

    shop_customer_id: of the reviewer at the shop.
    """

    product_id: Short | None = None
    product: Short = ""
    product_handle: Short = ""
    shop_customer_id: Short | None = None
    is_published: bool = False
    has_pictures: bool = False
    has_videos: bool = False
    source: Short = ""

    sample: ClassVar[dict[str, Any]] = Review.sample | {"review_id": "465077653", "product_id": "8302173290794"}


class ReviewAbout(Fact):
    """A review to which something happened. product_id: empty where it is one of the shop."""

    review_id: Short
    product_id: Short | None = None
    product: Short = ""

    sample: ClassVar[dict[str, Any]] = {
        "customer": {"email": "ada@example.com"}, "review_id": "465077653", "product_id": "8302173290794", "product": "Board",
    }  # fmt: skip


class PicturesAdded(ReviewAbout):
    """Pictures or videos of a review are shown."""

    has_pictures: bool = False
    has_videos: bool = False

    fact = "pictures_added"


class ReviewUnpublished(ReviewAbout):
    """A review was taken off the shop's pages."""

    fact = "review_unpublished"
    makes_member = False


BUYERS = {"buyer", "verified-buyer", "verified-purchase"}
ANY_WORD = ("review/created", "review/updated", "review/published")


@connector.trigger(*ANY_WORD, key="review_id")
def review(written: Written, settings: Settings) -> ShopReview | None:
    """Somebody reviewed a product or the shop."""
    if not written.counts(settings):
        return None
    return ShopReview(
        **written.filled(),
        occurred_at=written.created_at,
        rating=written.rating if written.rating in range(1, 6) else None,
        title=(written.title or "")[:512],
        text=(written.body or "")[:10_000],
        site="judgeme",
        verified=written.verified in BUYERS if written.verified else None,
        product_handle=written.product_handle or "",
        shop_customer_id=written.reviewer.external_id,
        is_published=written.is_shown,
        has_pictures=bool(written.has_published_pictures),
        has_videos=bool(written.has_published_videos),
        source=written.source or "",
    )


@connector.trigger(*ANY_WORD, key="review_id")
def pictures_added(written: Written, settings: Settings) -> PicturesAdded | None:
    """Pictures or videos of a review are shown, with the review or later."""
    pictures, videos = bool(written.has_published_pictures), bool(written.has_published_videos)
    if not written.counts(settings) or not (pictures or videos):
        return None
    return PicturesAdded(**written.filled(), occurred_at=written.created_at, has_pictures=pictures, has_videos=videos)


@connector.trigger("review/unpublished", key=("review_id", "occurred_at"))
def review_unpublished(written: Written) -> ReviewUnpublished:
    """A review was taken off the shop's pages."""
    return ReviewUnpublished(**written.filled(), occurred_at=written.updated_at or written.created_at)


MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def _changed_at(row: Mapping[str, Any]) -> datetime:
    return max(MOMENT.validate_python(row[name]) for name in ("created_at", "updated_at") if row.get(name))


def _shop(settings: Settings) -> dict[str, Any]:
    """Who we are: it stands beside what is asked, or in it."""
    return {"api_token": settings["api_token"], "shop_domain": settings["shop_domain"]}


def _since(client: Client, settings: Settings, since: datetime) -> list[Mapping[str, Any]]:
    """The reviews that changed lately, oldest first: the list cannot be asked for them, and has the newest first."""
    found: list[Mapping[str, Any]] = []
    old_in_a_row = 0
    query = {**_shop(settings), "per_page": PAGE_SIZE, "page": 1}
    for row in client.pages("/api/v1/reviews", items="reviews", next=pages.page_number(size=PAGE_SIZE), query=query):
        if _changed_at(row) >= since - LOOKED_BACK:
            found.append(row)
            old_in_a_row = 0
        elif (old_in_a_row := old_in_a_row + 1) == PAGE_SIZE:
            break
    return found[::-1]


@connector.pull(review)
def reviews_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Reviews that were written, or changed, of late."""
    yield from _since(client, settings, since)


@connector.pull(pictures_added, every="1 hour")
def pictures_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Reviews of late that show pictures or videos."""
    yield from (
        row for row in _since(client, settings, since) if row.get("has_published_pictures") or row.get("has_published_videos")
    )


HEARD = (*ANY_WORD, "review/unpublished")


def _registered(client: Client, connection: Connection) -> list[str]:
    """The events of which Judge.me tells our address."""
    there = client.get("/api/v1/webhooks", query=_shop(connection.settings))
    rows = there.get("webhooks") or []
    return [row["key"] for row in rows if row.get("url") == connection.webhook_url and row.get("key")]


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> None:
    """Register our address for each event for which it is not registered yet."""
    there = _registered(client, connection)
    for key in (one for one in HEARD if one not in there):
        wanted = {**_shop(connection.settings), "webhook": {"key": key, "url": connection.webhook_url}}
        client.call("POST", "/api/v1/webhooks", json=wanted)


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Take our address back, event by event."""
    for key in _registered(client, connection):
        gone = {**_shop(connection.settings), "key": key, "url": connection.webhook_url}
        client.call("DELETE", "/api/v1/webhooks", json=gone)


# What goes out --------------------------------------------------------------------------------------------------------

ReviewId = Annotated[str, Field(description="the review's id, such as {{ event.review_id }}", pattern="^[0-9]+$")]
To = Annotated[
    str, "the reviewer's e-mail address, such as {{ event.customer.email }}; Judge.me mails it to that of the review"
]


class Answered(BaseModel):
    """A review that was answered."""

    review_id: str


@connector.action(repeat="never")
def reply_review(
    client: Client,
    settings: Settings,
    *,
    review: ReviewId,
    text: Annotated[str, Field(description="what is said, for all to read", min_length=1)],
) -> Answered:
    """Answer a review on the shop's pages, without a mail."""
    said = {"review_id": int(review), "reply": {"content": text}, "send_reply_email": False}
    client.call("POST", "/api/v1/replies", json={**_shop(settings), **said})
    return Answered(review_id=review)


@connector.action(repeat="never", channel="email")
def reply_privately(
    client: Client,
    settings: Settings,
    *,
    to: To,
    review: ReviewId,
    subject: Annotated[str, Field(description="the subject of the mail", min_length=1)],
    text: Annotated[str, Field(description="what the mail says", min_length=1)],
) -> Answered:
    """Answer a review by a mail that only the reviewer reads."""
    mail = {"email_subject": subject, "email_body": text}
    said = {"review_id": int(review), "private_reply": mail}
    client.call("POST", "/api/v1/private_replies", json={**_shop(settings), **said})
    return Answered(review_id=review)


class Requested(BaseModel):
    """A request for a review that Judge.me will send."""

    to: str


@connector.action(repeat="never", channel="email")
def request_review(
    client: Client,
    settings: Settings,
    *,
    to: Annotated[str, "the buyer's e-mail address"],
    name: Annotated[str, "the buyer's name"],
    fulfilled_on: Annotated[date, "the day on which they got what they bought"],
    product: Annotated[str | None, "the product's id at the shop"] = None,
    product_handle: Annotated[str | None, "or its handle, as its address has it"] = None,
    quantity: Annotated[int, Field(description="how many they bought", ge=1)] = 1,
    send_on: Annotated[date | None, "the day on which it is sent; without one as Judge.me's settings say"] = None,
) -> Requested:
    """Ask a buyer by mail for a review of a product."""
    if not product and not product_handle:
        raise CallFailed("A request for a review needs `product` or `product_handle`.", "lasting")
    asked = {
        **_shop(settings),
        "reviewer_name": name,
        "reviewer_email": to,
        "shopify_product_id": product,
        "product_handle": product_handle,
        "fulfilled_at": f"{fulfilled_on:%d/%m/%Y}",
        "quantity": quantity,
        "processed_at": f"{send_on:%d/%m/%Y}" if send_on else None,
    }
    client.call("POST", "https://judge.me/api/orders/send_manual_review_request", json=asked)
    return Requested(to=to)


# Recorded truth -------------------------------------------------------------------------------------------------------

WRITTEN = {
    "id": 465077653, "title": "Nice", "body": "Very good product!", "rating": 5, "product_external_id": 8302173290794,
    "reviewer": {
        "id": 2136342, "external_id": 5083214609, "email": "ada@example.com", "name": "Ada Ng", "phone": "+33600000000",
        "accepts_marketing": True, "unsubscribed_at": None, "tags": None,
    },
    "source": "web", "curated": "ok", "published": True, "hidden": False, "verified": "buyer", "featured": False,
    "created_at": "2026-02-05T13:35:01+00:00", "updated_at": "2026-02-06T21:27:34+00:00", "has_published_pictures": False,
    "has_published_videos": False, "pictures": [], "ip_address": None, "product_title": "Board", "product_handle": "board",
}  # fmt: skip
PICTURED = WRITTEN | {"has_published_pictures": True}


def _told(event: str, **review: Any) -> dict[str, Any]:
    """As a webhook tells it."""
    return {"review": WRITTEN | review, "event": event, "shop_domain": "example.myshopify.com", "platform": "shopify"}


SINCE, SHOP = "2026-02-06T00:00:00+00:00", {"shop_domain": "example.myshopify.com"}
LIST = ask("GET /api/v1/reviews", query={**SHOP, "api_token": "example-api-token-7Qd2", "per_page": 100, "page": 1})
ID = {"review_id": "465077653"}

connector.sample(
    review, _told("review/created"),
    gives={**ID, "rating": 5, "title": "Nice", "text": "Very good product!", "site": "judgeme", "verified": True,
           "occurred_at": "2026-02-05T13:35:01Z", "product_id": "8302173290794", "product": "Board", "is_published": True,
           "shop_customer_id": "5083214609",
           "customer": {"id": "2136342", "email": "ada@example.com", "phone": "+33600000000", "first_name": "Ada",
                        "consents": {"email": True}}},
)  # fmt: skip
connector.sample(review, _told("review/created", published=False, curated="not-yet"), gives=None, note="not published yet")
connector.sample(
    review, _told("review/created", published=False, curated="not-yet", rating=1), settings={"published_only": False},
    gives={"rating": 1, "is_published": False},
)  # fmt: skip
connector.sample(pictures_added, _told("review/updated", has_published_pictures=True), gives={**ID, "has_pictures": True})
connector.sample(pictures_added, _told("review/updated"), gives=None)
connector.sample(
    review_unpublished, _told("review/unpublished", published=False), gives={**ID, "occurred_at": "2026-02-06T21:27:34Z"}
)
connector.sample(reviews_since, SINCE, asks=LIST, reply={"current_page": 1, "per_page": 100, "reviews": [WRITTEN]}, gives=ID)
connector.sample(pictures_since, SINCE, asks=LIST, reply={"reviews": [WRITTEN, PICTURED]}, gives=ID | {"has_pictures": True})
connector.sample(
    reply_review, {"review": "465077653", "text": "Thank you!"},
    asks=ask("POST /api/v1/replies", json=SHOP | {"review_id": 465077653, "reply": {"content": "Thank you!"},
                                                  "send_reply_email": False}),
    reply=answers(201, {"reply": {"id": 7}}), gives=ID,
)  # fmt: skip
connector.sample(
    reply_privately, {"to": "ada@example.com", "review": "465077653", "subject": "Your board", "text": "Thank you!"},
    asks=ask("POST /api/v1/private_replies", json=SHOP | {
        "review_id": 465077653, "private_reply": {"email_subject": "Your board", "email_body": "Thank you!"}}),
    reply=answers(201, {}), gives=ID,
)  # fmt: skip
connector.sample(
    request_review, {"to": "ada@example.com", "name": "Ada Ng", "fulfilled_on": "2026-02-06", "product": "8302173290794"},
    asks=ask("POST https://judge.me/api/orders/send_manual_review_request", json=SHOP | {
        "reviewer_name": "Ada Ng", "reviewer_email": "ada@example.com", "shopify_product_id": "8302173290794",
        "fulfilled_at": "06/02/2026", "quantity": 1}),
    reply={"message": "success"}, gives={"to": "ada@example.com"},
)  # fmt: skip
