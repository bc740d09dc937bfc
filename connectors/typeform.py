"""Typeform: hear of forms that are sent in as reviews, referrals, sign-ups, redemptions or plain answers.

Setup:
1. Typeform > your profile > Account > Personal tokens: make a token with the scopes forms:read, responses:read,
   responses:write, webhooks:read and webhooks:write. Copy it to `access_token`.
2. Write a long random text into `webhook_secret` (two of them in a list while it is being changed): Typeform signs with it.
3. For each form, Connect > Webhooks > Add a webhook: paste {webhook_url}, switch it on, then Edit > Secret: the same text, with
   "SSL verification" on. A hub without a public address needs neither webhook nor secret: it asks for the responses to the
   `forms` of step 4 every ten minutes.
4. Say under `forms` what each form means. The id stands in the form's address (…typeform.com/to/lT4Z3j); each answer is named
   by the question's reference (open the question > ⋮ > Edit block reference), for titles are edited and references stay:
     forms:
       lT4Z3j: {means: review, rating: stars, text: review_text, email: email}
       Qx81mn: {means: referral, email: friend_email, referrer_email: your_email}
       hP2c9s: {means: sign_up, first_name: first_name, email_consent: news}
       kW7r0d: {means: redemption, reward: which_reward, email: hidden.email}
   `hidden.NAME` is a hidden field, `variables.NAME` a variable, `score` the form's score.

What is told: one response is one fact, `review`, `referral`, `signed_up`, `redemption_requested`, or `form_submitted` for a
form that means something else (`means: other`); each has all `answers` by their references, and `hidden`, `variables` and
`score`. A rating on another scale than five says so (`out_of: 10`). Unfinished forms (form_response_partial) are left out:
nobody has sent them in. Forms that are not named under `forms` are heard by webhook as `form_submitted`, and not asked for.

Who it was: `id`, `email` and `phone` of a form name the answers. Where they do not, the only e-mail address that was given is
taken (or the hidden field `email`), and the only phone number where there is no address, on a sign-up beside it. Of several
none is guessed, and of a referral nothing: the friend is not the one who brought them. A form proves nobody: whoever knows an
address can write it down. Let a person look before a redemption asked for by form costs points, or send what comes of it to
the member's own address alone.

Not confirmed: the address of accounts in the European Union (`host: api.eu.typeform.com`), how late the newest responses are
listed (half an hour is said; each look reaches an hour further back), whether "Send test request" can be told from a response:
it counts as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
    FormSubmitted,
    Moment,
    Number,
    Payload,
    RedemptionRequested,
    Referral,
    Reply,
    Review,
    Settings,
    json_text,
    stars,
    words,
)
from hub.sdk.declare import answers, ask, auth, body, envelope, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

Source = str
"""Where a form says something: a question's reference, `hidden.NAME`, `variables.NAME` or `score`."""


class Form(BaseModel):
    """Where a form says who filled it in. consent: an answer yes or no to messages on that channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Source | None = None
    email: Source | None = None
    phone: Source | None = None
    first_name: Source | None = None
    last_name: Source | None = None
    birthday: Source | None = None
    language: Source | None = None
    email_consent: Source | None = None
    sms_consent: Source | None = None


class ReviewForm(Form):
    """out_of: the best rating that the form can give."""

    means: Literal["review"]
    rating: Source | None = None
    out_of: Annotated[int, Field(ge=2, le=10)] = 5
    title: Source | None = None
    text: Source | None = None


class ReferralForm(Form):
    """The person is the one who was brought; the referrer, or their code, is who brought them."""

    means: Literal["referral"]
    code: Source | None = None
    referrer_id: Source | None = None
    referrer_email: Source | None = None
    referrer_phone: Source | None = None


class SignUpForm(Form):
    """attributes: what is kept of the member, by the attribute's name."""

    means: Literal["sign_up"]
    attributes: dict[str, Source] = Field(default_factory=dict)


class RedemptionForm(Form):
    means: Literal["redemption"]
    reward: Source


class OtherForm(Form):
    means: Literal["other"]


AnyForm = Annotated[ReviewForm | ReferralForm | SignUpForm | RedemptionForm | OtherForm, Field(discriminator="means")]


def _failure(reply: Reply) -> Failure | None:
    """A token without the scope, or another account's form."""
    return Failure("reconnect") if reply.status == 403 else None


connector = Connector(
    "typeform",
    title="Typeform",
    settings=secret("access_token", "your profile > Account > Personal tokens")
    + secret("webhook_secret", "the text with which Typeform signs its webhooks", required=False)
    + setting(
        "forms",
        "what each form means, and where it says what, by the form's id",
        dict[str, AnyForm],
        default={},
        example={
            "lT4Z3j": {"means": "review", "rating": "stars", "title": "title", "text": "review_text"},
            "Qx81mn": {"means": "referral", "email": "friend_email", "referrer_email": "your_email", "code": "hidden.code"},
            "hP2c9s": {"means": "sign_up", "first_name": "first_name", "birthday": "birthday", "email_consent": "news"},
            "kW7r0d": {"means": "redemption", "reward": "which_reward"},
            "nB5t2v": {"means": "other"},
        },
    )
    + setting("host", "api.eu.typeform.com for an account in the European Union", default="api.typeform.com"),
    api="https://{host}",
    auth=auth.bearer("access_token"),
    signature=signature.hmac("Typeform-Signature", "webhook_secret", encoding="base64", prefix="sha256="),
    envelope=envelope(kind=body("event_type"), id=body("event_id"), data=body("form_response")),
    rate=rate("2 per second"),
    failures=_failure,
)

RESPONSES = "/forms/{form_id}/responses"
WEBHOOKS = "/forms/{form_id}/webhooks"
PAGE_SIZE = 500
LATE = timedelta(hours=1)


# What comes in --------------------------------------------------------------------------------------------------------


class Question(Payload):
    id: str = ""
    ref: str = ""


class Given(Payload):
    """An answer; what was said stands under the name of its type. A type that is new is read as text."""

    model_config = ConfigDict(extra="allow")

    type: str
    field: Question = Question()

    def text(self) -> str:
        """What was said, in words."""
        value = (self.model_extra or {}).get(self.type)
        if not isinstance(value, Mapping):
            return words(value)
        if "amount" in value:
            return words(value["amount"])
        chosen = [*(value.get("labels") or ()), value.get("label"), value.get("other")]
        return ", ".join(filter(None, map(words, chosen))) or json_text(value)


class Calculated(Payload):
    score: Number | None = None


class Variable(Payload):
    model_config = ConfigDict(extra="allow")

    key: str
    type: str = ""

    def text(self) -> str:
        return words((self.model_extra or {}).get(self.type))


class Response(Payload):
    """A form that was sent in, as a webhook tells it or a list has it. Questions that were skipped are not there."""

    form_id: str
    token: str
    submitted_at: Moment
    answers: list[Given] | None = None
    hidden: dict[str, Any] | None = None
    variables: list[Variable] | None = None
    calculated: Calculated | None = None

    @cached_property
    def filled(self) -> dict[str, Any]:
        """What every fact has of it."""
        calculated = self.calculated or Calculated()
        return {
            "occurred_at": self.submitted_at,
            "form_id": self.form_id,
            "answers": {given.field.ref or given.field.id: given.text() for given in self.answers or ()},
            "hidden": {name: words(value) for name, value in (self.hidden or {}).items()},
            "variables": {variable.key: variable.text() for variable in self.variables or ()},
            "score": calculated.score,
        }

    def said(self, source: Source | None, most: int = 512) -> str | None:
        """What stands in a place that the connection names, None where nothing does."""
        place, dot, name = (source or "").partition(".")
        if dot and place in {"hidden", "variables"}:
            text = self.filled[place].get(name, "")
        else:
            text = words(self.filled["score"]) if source == "score" else self.filled["answers"].get(source, "")
        return text.strip()[:most] or None

    def only(self, kind: str) -> str | None:
        """The answer of this type, where all that were given are the same."""
        texts = {text.casefold(): text for given in self.answers or () if given.type == kind and (text := given.text().strip())}
        return next(iter(texts.values())) if len(texts) == 1 else None


class Filled(Fact):
    """What a form brings besides. answers: by the questions' references."""

    form_id: Short
    answers: dict[str, str] = Field(default_factory=dict)
    hidden: dict[str, str] = Field(default_factory=dict)
    variables: dict[str, str] = Field(default_factory=dict)
    score: Number | None = None


class FormReview(Review, Filled):
    """A review that was given in a form."""


class FormReferral(Referral, Filled):
    """A friend who was named in a form, or who named the one that brought them."""


class SignedUp(CustomerChanged, Filled):
    """Somebody signed up in a form."""

    response_id: Short


class FormRedemption(RedemptionRequested, Filled):
    """A reward that was asked for in a form."""


class Submission(FormSubmitted, Filled):
    """A form that means nothing else."""


def _form(response: Response, settings: Settings) -> Form:
    form: Form = settings["forms"].get(response.form_id) or OtherForm(means="other")
    return form


def _customer(response: Response, form: Form) -> Customer:
    email, phone = response.said(form.email), response.said(form.phone)
    if not isinstance(form, ReferralForm):
        email = email if form.email else response.only("email") or response.said("hidden.email")
        # Two addresses are taken for one person's only where people speak of themselves.
        if not form.phone and (not email or isinstance(form, SignUpForm)):
            phone = response.only("phone_number") or response.said("hidden.phone")
    answered = {"email": response.said(form.email_consent), "sms": response.said(form.sms_consent)}
    consents = {channel: (text or "").casefold() for channel, text in answered.items()}
    return Customer(
        id=response.said(form.id),
        email=email,
        phone=phone,
        first_name=response.said(form.first_name),
        last_name=response.said(form.last_name),
        birthday=_day(response.said(form.birthday)),
        language=response.said(form.language),
        consents={channel: text == "yes" for channel, text in consents.items() if text in {"yes", "no"}},
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


@connector.trigger("form_response", key="review_id")
def review(response: Response, settings: Settings) -> FormReview | None:
    """Somebody left a review in a form."""
    form = _form(response, settings)
    if not isinstance(form, ReviewForm):
        return None
    return FormReview(
        **response.filled,
        customer=_customer(response, form),
        review_id=response.token,
        rating=stars(response.said(form.rating), form.out_of),
        title=response.said(form.title) or "",
        text=response.said(form.text, 10_000) or "",
        site="typeform",
    )


@connector.trigger("form_response", key="referral_id")
def referral(response: Response, settings: Settings) -> FormReferral | None:
    """Somebody named a friend in a form, or the one who brought them."""
    form = _form(response, settings)
    if not isinstance(form, ReferralForm):
        return None
    referrer = Customer(
        id=response.said(form.referrer_id), email=response.said(form.referrer_email), phone=response.said(form.referrer_phone)
    )
    return FormReferral(
        **response.filled,
        customer=_customer(response, form),
        referral_id=response.token,
        code=response.said(form.code),
        referrer=referrer if referrer.is_known() else None,
    )


@connector.trigger("form_response", key="response_id")
def signed_up(response: Response, settings: Settings) -> SignedUp | None:
    """Somebody signed up in a form."""
    form = _form(response, settings)
    if not isinstance(form, SignUpForm):
        return None
    attributes = {name: text for name, source in form.attributes.items() if (text := response.said(source, 10_000))}
    return SignedUp(
        **response.filled,
        customer=_customer(response, form),
        response_id=response.token,
        created=True,
        attributes=attributes,
    )


@connector.trigger("form_response", key="request_id")
def redemption_requested(response: Response, settings: Settings) -> FormRedemption | None:
    """Somebody asked for a reward in a form."""
    form = _form(response, settings)
    if not isinstance(form, RedemptionForm):
        return None
    return FormRedemption(
        **response.filled,
        customer=_customer(response, form),
        request_id=response.token,
        reward=response.said(form.reward) or "",
        channel="form",
    )


@connector.trigger("form_response", key="response_id")
def form_submitted(response: Response, settings: Settings) -> Submission | None:
    """Somebody sent in a form that is no review, referral, sign-up or redemption."""
    form = _form(response, settings)
    if not isinstance(form, OtherForm):
        return None
    return Submission(**response.filled, customer=_customer(response, form), response_id=response.token)


def _since(client: Client, settings: Settings, since: datetime, kind: type[Form]) -> Iterator[Mapping[str, Any]]:
    """The responses to the forms of this kind, oldest first; Typeform lists the newest first, and is late with them."""
    asked = {"page_size": PAGE_SIZE, "since": since - LATE, "completed": True}
    older = pages.last_id("before", last="token", size=PAGE_SIZE)
    for form_id in [form_id for form_id, form in settings["forms"].items() if isinstance(form, kind)]:
        rows = list(client.pages(RESPONSES, items="items", next=older, at={"form_id": form_id}, query=asked))
        yield from ({**row, "form_id": form_id} for row in reversed(rows))


@connector.pull(review)
def reviews_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Reviews that were sent in since a moment."""
    return _since(client, settings, since, ReviewForm)


@connector.pull(referral)
def referrals_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Referrals that were sent in since a moment."""
    return _since(client, settings, since, ReferralForm)


@connector.pull(signed_up)
def sign_ups_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Sign-ups that were sent in since a moment."""
    return _since(client, settings, since, SignUpForm)


@connector.pull(redemption_requested)
def redemptions_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Redemptions that were asked for since a moment."""
    return _since(client, settings, since, RedemptionForm)


@connector.pull(form_submitted)
def forms_since(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Other forms that were sent in since a moment."""
    return _since(client, settings, since, OtherForm)


def _tag(connection: Connection) -> str:
    """Our webhook's name at each form: telling it again changes it, and adds none."""
    return f"loyalty-hub-{connection.name}"


@connector.subscribe()
def subscribe(client: Client, connection: Connection, settings: Settings) -> None:
    """Register our address at each of the `forms`, or change it there."""
    known = settings.secret("webhook_secret")
    if known is None:
        said = "write a long random text into it first, so that Typeform signs what it sends"
        raise CallFailed(f"The connection {connection.name} has no `webhook_secret`; {said}.", "reconnect")
    wanted = {
        "url": connection.webhook_url,
        "enabled": True,  # left out, it may be read as no
        "secret": known.reveal(),
        "verify_ssl": True,
        "event_types": {"form_response": True, "form_response_partial": False},
    }
    for form_id in settings["forms"]:
        client.put(f"{WEBHOOKS}/{{tag}}", at={"form_id": form_id, "tag": _tag(connection)}, json=wanted)


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection, settings: Settings) -> None:
    """Take our address away from each of the `forms`."""
    for form_id in settings["forms"]:
        there = client.get(WEBHOOKS, at={"form_id": form_id})["items"]
        if any(webhook.get("tag") == _tag(connection) for webhook in there):
            client.delete(f"{WEBHOOKS}/{{tag}}", at={"form_id": form_id, "tag": _tag(connection)})


# What goes out --------------------------------------------------------------------------------------------------------


class Deleted(BaseModel):
    """A response that Typeform was told to delete."""

    response: str


@connector.action(repeat="safe")
def delete_response(
    client: Client,
    *,
    form: Annotated[Short, Field(description="the form's id, such as {{ event.form_id }}", min_length=1)],
    response: Annotated[str, Field(description="the response's id, such as {{ event.response_id }}", pattern=r"^[\w-]+$")],
) -> Deleted:
    """Erase what a person wrote into a form; Typeform does it within minutes."""
    client.delete(RESPONSES, at={"form_id": form}, query={"included_response_ids": response})
    return Deleted(response=response)


# Recorded truth -------------------------------------------------------------------------------------------------------

AT = "2026-02-06T21:27:34Z"


def _answer(ref: str, kind: str, value: Any, question: str = "") -> dict[str, Any]:
    return {"type": kind, kind: value, "field": {"id": f"Q_{ref}", "ref": ref, "type": question or kind}}


MAIL = _answer("email", "email", "ada@example.com")
STARS = _answer("stars", "number", 5, "rating")
WORDS = _answer("review_text", "text", "Great beans", "long_text")


def _listed(*answers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A response as the list has it."""
    told = {"token": "a3a12ec67a1365927098a606107fac15", "landed_at": "2026-02-06T21:25:02Z", "submitted_at": AT}
    return {**told, "response_id": told["token"], "hidden": {"member_id": "c-1001"}, "answers": list(answers), **more}


def _told(form_id: str, *answers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The same as a webhook tells it."""
    response = {**_listed(*answers, **more), "form_id": form_id, "definition": {"id": form_id, "title": "Rate your order"}}
    return {"event_id": "01JQ8ZK0R5", "event_type": "form_response", "form_response": response}


REVIEW = _told(
    "lT4Z3j", STARS, WORDS, MAIL, calculated={"score": 9}, variables=[{"key": "shop", "type": "text", "text": "Kiel"}]
)
REFERRAL = _told(
    "Qx81mn", _answer("friend_email", "email", "bob@example.com"), _answer("your_email", "email", "ada@example.com")
)
SIGN_UP = _told(
    "hP2c9s",
    MAIL,
    _answer("phone", "phone_number", "+14155550123"),
    _answer("first_name", "text", "Ada", "short_text"),
    _answer("birthday", "date", "1990-05-17"),
    _answer("news", "boolean", True, "yes_no"),
)
REDEMPTION = _told(
    "kW7r0d", MAIL, _answer("which_reward", "choice", {"label": "Free oil change", "ref": "oil"}, "multiple_choice")
)
OTHER = _told("nB5t2v", MAIL, _answer("likes", "choices", {"labels": ["Beans"], "other": "Tea"}, "multiple_choice"))
RESPONSE_ID = "a3a12ec67a1365927098a606107fac15"

connector.sample(
    review,
    REVIEW,
    gives={
        "review_id": RESPONSE_ID,
        "occurred_at": AT,
        "rating": 5,
        "text": "Great beans",
        "customer": {"email": "ada@example.com"},
        "score": "9",
        "hidden": {"member_id": "c-1001"},
        "variables": {"shop": "Kiel"},
    },
)
connector.sample(
    referral,
    REFERRAL,
    gives={"referral_id": RESPONSE_ID, "customer": {"email": "bob@example.com"}, "referrer": {"email": "ada@example.com"}},
)
connector.sample(
    signed_up,
    SIGN_UP,
    gives={
        "response_id": RESPONSE_ID,
        "created": True,
        "customer": {
            "email": "ada@example.com",
            "phone": "+14155550123",
            "first_name": "Ada",
            "birthday": "1990-05-17",
            "consents": {"email": True},
        },
    },
)
connector.sample(
    redemption_requested,
    REDEMPTION,
    gives={"request_id": RESPONSE_ID, "reward": "Free oil change", "channel": "form", "customer": {"email": "ada@example.com"}},
)
connector.sample(
    form_submitted, OTHER, gives={"form_id": "nB5t2v", "response_id": RESPONSE_ID, "answers": {"likes": "Beans, Tea"}}
)
connector.sample(form_submitted, REVIEW, gives=None, note="it is a review")

for pulled, form, key in (
    (reviews_since, REVIEW, "review_id"),
    (referrals_since, REFERRAL, "referral_id"),
    (sign_ups_since, SIGN_UP, "response_id"),
    (redemptions_since, REDEMPTION, "request_id"),
    (forms_since, OTHER, "response_id"),
):
    connector.sample(
        pulled,
        "2026-02-06T21:20:00+00:00",
        asks=ask(
            f"GET /forms/{form['form_response']['form_id']}/responses",
            query={"page_size": 500, "since": "2026-02-06T20:20:00Z", "completed": "true"},
        ),
        reply={"total_items": 1, "page_count": 1, "items": [_listed(*form["form_response"]["answers"])]},
        gives=[{key: RESPONSE_ID, "form_id": form["form_response"]["form_id"]}],
    )
connector.sample(
    delete_response,
    {"form": "lT4Z3j", "response": RESPONSE_ID},
    asks=ask("DELETE /forms/lT4Z3j/responses", query={"included_response_ids": RESPONSE_ID}),
    reply=answers(200),
    gives={"response": RESPONSE_ID},
)
