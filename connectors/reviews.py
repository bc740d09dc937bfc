"""Reviews: hear of reviews from any platform or tool that can post them as JSON or CSV, whatever it calls their parts.

Setup:
1. Each source is a connection of its own: `feedback: {connector: reviews, site: …}` in hub.yaml. Judge.me, Trustpilot and
   Typeform have connectors of their own; a program that can say it in the hub's own words (`{"type": "review", …}`) needs none
   of this: it posts to `webhook`. A file that a person has is brought by `hub import reviews FILE`.
2. Tell the source {webhook_url}, and how it proves itself, by one of these:
   - `webhook_secret` (whsec_…): it signs as Standard Webhooks says, as most programs with a library can;
   - `signing_key`: it sends the hex HMAC-SHA256 of the body in the header X-Hub-Signature-256 (`sha256=…`);
   - `webhook_token`: it cannot sign (Zapier, Make, a form), and sends this long random text in the header X-Webhook-Token, or
     at the end of the address (?key=…).
3. Say where it puts what, by the paths of its JSON or the columns of its CSV; what has the hub's own name need not be said:
     feedback:
       connector: reviews
       reviews_in: data.items
       out_of: 10
       fields: {id: reviewId, rating: score, text: comment, name: author.name, email: author.email, written_at: created}
   Fields are id, rating, title, text, verified, written_at, email, phone, name, language, customer_id, order_id and product.

What is told: each review once, by its `id`; where the source has none, by who wrote it, when and what. A delivery is one
review, a list of them, or has a list at `reviews_in`; a CSV (Content-Type: text/csv, in UTF-8) has names in its first line.
Ratings of `out_of` become stars of five; what is no number is no rating, and the review counts all the same, whatever its
stars. Times are written as 2026-02-06T21:27:34Z; else say how (`date_format: "%d.%m.%Y %H:%M"`): without a zone they are UTC,
and of a day it is noon. Who wrote it is told by e-mail address, phone or customer id; by a name alone nobody is known. Then an
`order_id` of the connection `orders_of` makes it the buyer's. A row that cannot be read keeps none of the others waiting.
Nothing goes out: to answer a review there, declare its endpoint in a connection of `rest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.sdk import (
    Connection,
    Connector,
    Customer,
    Item,
    Reference,
    Request,
    Review,
    Settings,
    Unreadable,
    digest,
    names,
    read_table,
    stars,
    words,
)
from hub.sdk.declare import setting, signature
from hub.sdk.envelope import ITEMS_MOST, dig, found
from hub.sdk.fact import Short


class Places(BaseModel):
    """Where the source puts what: a dotted path in its JSON, or a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = "id"
    rating: str = "rating"
    title: str = "title"
    text: str = "text"
    verified: str = "verified"
    written_at: str = "written_at"
    email: str = "email"
    phone: str = "phone"
    name: str = "name"
    language: str = "language"
    customer_id: str = "customer_id"
    order_id: str = "order_id"
    product: str = "product"


def _items(request: Request, settings: Settings) -> Iterator[Item]:
    if (request.header("content-type") or "").partition(";")[0].strip().lower() == "text/csv":
        for line, row in read_table(request.body):
            yield Item("review", row, problem="" if row else f"Line {line} has another number of cells than the first line.")
        return
    place = settings["reviews_in"]
    told = dig(request.content(), place)
    rows = told if isinstance(told, list) else [told]
    if not found(told) or len(rows) > ITEMS_MOST:
        where = f"`{place}`" if place else "The body"
        raise Unreadable(f"{where} should be a review or a list of at most {ITEMS_MOST}, and is not.")
    for row in rows:
        problem = "" if isinstance(row, Mapping) else f"A review should have named fields, and this is {str(row)[:40]!r}."
        yield Item("review", row, problem=problem)


SECRETS, PROOF = signature.any_source()

connector = Connector(
    "reviews",
    title="Reviews",
    settings=SECRETS
    + setting("fields", "where the source puts what (rating: score)", Places, default=Places(), example={})
    + setting("reviews_in", "the path of the list of reviews in a delivery", default="", example="")
    + setting("out_of", "the best rating that there is", Annotated[int, Field(ge=2, le=100)], default=5)
    + setting("site", "where the reviews stand, as recipes read it", default="", example="reviews")
    + setting("date_format", "how times are written, where it is not as in 2026-02-06T21:27:34Z", str | None, default=None)
    + setting("orders_of", "the connection whose orders the `order_id`s are", default=None, example="square"),
    signature=PROOF,
    envelope=_items,
)


# What comes in --------------------------------------------------------------------------------------------------------


class AnyReview(Review):
    """A review from somewhere. writer: the name that stands over it."""

    writer: Short = ""
    language: Short = ""
    product: Short = ""
    order_id: Short = ""

    sample: ClassVar[dict[str, Any]] = {**Review.sample, "order_id": "1042"}


YES, NO = {"yes", "true", "1", "y", "verified"}, {"no", "false", "0", "n", "unverified"}


class Row:
    """A review as the source has it, read by the hub's names."""

    def __init__(self, data: Mapping[str, Any], places: Places) -> None:
        self._data, self._places = data, places

    def said(self, field: str, most: int = 512) -> str:
        """What stands in a field, as text; a column may have dots in its name."""
        place = getattr(self._places, field)
        value = self._data[place] if place in self._data else dig(self._data, place)
        return words(value).strip()[:most] if found(value) else ""

    def written_at(self, form: str | None) -> datetime | None:
        """When it was written. Unreadable when that is no time, or written in another form."""
        text = self.said("written_at")
        if not text:
            return None
        try:
            moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007  # its zone is seen to
        except ValueError:
            how = f"it is not of the form {form!r}" if form else "say how it is written in `date_format`"
            raise Unreadable(f"`{self._places.written_at}` is {text[:60]!r}, which is no time: {how}.") from None
        if moment.time() == time() and ":" not in text:
            moment = moment.replace(hour=12)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def customer(self) -> Customer | None:
        """Who wrote it, where anything but a name tells."""
        person = Customer(
            id=self.said("customer_id") or None,
            email=self.said("email") or None,
            phone=self.said("phone") or None,
            language=self.said("language") or None,
            **names(self.said("name")),
        )
        return person if person.is_known() else None

    def number(self) -> str:
        """By what it is known: its id, or who wrote what and when. Unreadable when it says nothing at all."""
        said = [
            self.said(name, 10_000)
            for name in ("customer_id", "email", "phone", "name", "written_at", "title", "text", "rating")
        ]
        if not any(said):
            there = ", ".join(f"`{name}`" for name in list(self._data)[:10])
            raise Unreadable(f"Nothing of a review stands where `fields` says; there are {there or 'no fields at all'}.")
        return self.said("id") or digest(said)


@connector.trigger("review", key="review_id")
def review(item: Item, connection: Connection) -> AnyReview:
    """Somebody left a review."""
    settings = connection.settings
    row = Row(item.data, settings["fields"])
    number, order, verified = row.number(), row.said("order_id"), row.said("verified").casefold()
    orders = [Reference(kind="order", id=order, connection=settings["orders_of"] or "")] if order else []
    return AnyReview(
        occurred_at=row.written_at(settings["date_format"]),
        customer=row.customer(),
        references=(Reference(kind="review", id=number), *orders),
        review_id=number,
        rating=stars(row.said("rating"), settings["out_of"]),
        title=row.said("title"),
        text=row.said("text", 10_000),
        site=settings["site"] or connection.name,
        verified=True if verified in YES else False if verified in NO else None,
        writer=row.said("name"),
        language=row.said("language"),
        product=row.said("product"),
        order_id=order,
    )


# Recorded truth -------------------------------------------------------------------------------------------------------

PLAIN = {
    "id": "r-77", "rating": 4, "title": "Good", "text": "Quick and friendly.", "verified": True, "email": "ada@example.com",
    "name": "Ada Ng", "written_at": "2026-02-06T21:27:34Z", "order_id": "1042", "product": "Board",
}  # fmt: skip
OWN = {
    "reviews_in": "data.items", "out_of": 10, "site": "shopvoice", "date_format": "%d.%m.%Y",
    "fields": {"id": "reviewId", "rating": "score", "text": "comment", "name": "author.name", "email": "author.email",
               "written_at": "created"},
}  # fmt: skip
THEIRS = {
    "reviewId": 7,
    "score": 9,
    "comment": "Nice",
    "author": {"name": "Ada Ng", "email": "ada@example.com"},
    "created": "06.02.2026",
}
TABLE = (
    'id;rating;text;email;written_at\n7;3;So, so;ada@example.com;2026-02-06\n8;5;"Great; really";bob@example.com;2026-02-07\n'
)

connector.sample(
    review, PLAIN,
    gives={"review_id": "r-77", "rating": 4, "title": "Good", "text": "Quick and friendly.", "verified": True,
           "site": "reviews", "occurred_at": "2026-02-06T21:27:34Z", "writer": "Ada Ng", "product": "Board", "order_id": "1042",
           "references": [{"kind": "review", "id": "r-77"}, {"kind": "order", "id": "1042", "connection": "square"}],
           "customer": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Ng"}},
)  # fmt: skip
connector.sample(
    review, {"data": {"items": [THEIRS, THEIRS | {"reviewId": 8, "score": 1}]}}, settings=OWN,
    gives=[{"review_id": "7", "rating": 5, "text": "Nice", "site": "shopvoice", "occurred_at": "2026-02-06T12:00:00Z",
            "customer": {"email": "ada@example.com"}}, {"review_id": "8", "rating": 1}],
)  # fmt: skip
connector.sample(
    review, TABLE.encode(), headers={"Content-Type": "text/csv; charset=utf-8"},
    gives=[{"review_id": "7", "rating": 3, "text": "So, so"}, {"review_id": "8", "text": "Great; really"}],
)  # fmt: skip
