"""LoyaltyLion: hear of points, rewards, tiers, referrals and customers, and post activities, points and claims.

Setup:
1. LoyaltyLion > Settings > API keys: make a key with the scopes read_customers, write_customers, read_activities,
   write_activities, read_orders (for referrals) and read_unsubscribes. Copy it (`pat_…`) to `access_token`.
2. Settings > Site secret: copy it to `signing_secret`; with it LoyaltyLion signs what a key's webhooks tell (those of an OAuth
   app with the app's client secret). `hub connections subscribe loyaltylion` makes a webhook for each of the `topics`. A hub
   without a public address needs none: it asks for points, claims and customers every ten minutes.
3. A custom reward that the hub shall fulfil: Rewards > the reward > Fulfilment > Webhook: {webhook_url}. `rewards` says what it
   is called in the hub: `{77: free-coffee}`.
4. An activity of your own, such as a diesel service in the workshop: Rules > Custom rule. Its identifier is the `name` of
   `track_activity`; how many points it gives, and whether they have to be approved, the rule says and not the call.

Who keeps the books: one alone may give points for one thing. Where LoyaltyLion does, recipes post what happened elsewhere
(`track_activity`), hear `points_changed`, and adjust the hub's points by `event.points`; `event.balance` is what LoyaltyLion
says that there is now, to compare with. Where the hub does, no rule of LoyaltyLion's gives points, recipes leave
`points_changed` alone, and `mirror: {balance: points}` (or `set_points`) keeps the shop's number at the hub's: what LoyaltyLion
gave by itself it takes away again. Where both give some, recipes pass over what is `event.ours`: activities and points that the
hub sent, known by `our_name`, which is written into them and into the reasons that customers may read.

What is told: LoyaltyLion has no notice for each change of points. Of those that come (`customers/update`) each makes the hub
read the log of points, where every change has a number and is told once: points that were approved, claims, expiry,
adjustments; pending ones when they are approved. A fulfilment has no number at all, so a second claim looks like a notice that
is sent again: it makes the hub read the same log, and each claim there is one `reward_claimed`. A customer counts as changed
when a name, an address, the tier or the like is new, as they are when the hub looks; notices may come late. Guests have no
points, and are left out.

What goes out: an activity of a guest earns nothing, so members are posted as members (LoyaltyLion takes them for guests else).
Points and claims have no key at LoyaltyLion: where an answer was lost, the log is read before anything is done again.

Not confirmed: the names of the fields of adjustments in the log (the whole of one is searched for `our_name`); that the log is
there at once; that notices of a tier tell the customer as they are in it; that `points_approved` is without the points that are
spent; that the name of a rule that there is not is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasPath, BaseModel, Field

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connection,
    Connector,
    Customer,
    CustomerChanged,
    Fact,
    Failure,
    Item,
    LoyaltyActivity,
    Mirrored,
    Moment,
    Number,
    Payload,
    Points,
    RedemptionRequested,
    Reference,
    Referral,
    Request,
    Settings,
    Shown,
    Unreadable,
    Unsubscribed,
    digest,
    email,
    json_text,
    names,
)
from hub.sdk.declare import answers, ask, auth, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

EVENTS = "program_events/customer."
FULFILMENT = "rewards/store_fulfilment"  # made in the dashboard alone
TOPICS = [
    "customers/update",
    *(f"{EVENTS}{name}" for name in ("enrolled", "tier_upgraded", "tier_downgraded", "approaching_tier_upgrade")),
    *(f"{EVENTS}{name}" for name in ("points_earned", "claimed_reward", "referral_complete")),
    "loyalty_emails/unsubscribe",
]


def _items(request: Request) -> Iterator[Item]:
    """One thing a delivery; where its data stands depends on what it is."""
    told = request.content()
    if not isinstance(told, Mapping):
        raise Unreadable(f"The body should be an object, and is {str(told)[:40]!r}.")
    topic = str(told.get("topic") or request.header("x-loyaltylion-topic") or "")
    if not topic:
        raise Unreadable("The delivery does not say its topic.")
    payload = told.get("payload") or told
    data = payload.get("properties", payload)
    if told.get("test") is not True:  # what the dashboard sends when somebody tries the address
        yield Item(topic, data["transaction"] if topic == f"{EVENTS}points_earned" else data, told.get("id"), at=_at(told))


def _at(told: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(told["created_at"]) if "created_at" in told else None


connector = Connector(
    "loyaltylion",
    title="LoyaltyLion",
    settings=secret("access_token", "Settings > API keys: a key (pat_…)")
    + secret("signing_secret", "Settings: the site secret, with which webhooks are signed", required=False)
    + setting("topics", "of what the hub is told, when it makes the webhooks", list[str], default=TOPICS)
    + setting("rewards", "what LoyaltyLion's rewards are called in the hub, by their ids", dict[str, str], default={})
    + setting(
        "our_name",
        "what the hub writes into what it sends, to know it again",
        Annotated[str, Field(pattern="^[A-Za-z0-9]+$")],
        default="hub",
        example="hub",
    ),
    api="https://api.loyaltylion.com",
    auth=auth.bearer("access_token"),
    signature=signature.hmac("x-loyaltylion-hmac-sha256", "signing_secret", encoding="base64"),
    envelope=_items,
    failures=lambda reply: Failure("reconnect", todo="Give the key the scopes that it lacks.") if reply.status == 403 else None,
    rate=rate("20 per second"),
)

CUSTOMER = "/v2/customers/{customer}"
PAGE_SIZE = 500
# By how much LoyaltyLion's clock may differ from ours.
CLOCKS = timedelta(minutes=5)


# What comes in --------------------------------------------------------------------------------------------------------


def _in(first: str, *deeper: str | int) -> Any:
    """A field that stands deeper; None where it does not."""
    return Field(None, validation_alias=AliasPath(first, *deeper))


class Person(Payload):
    """A customer. merchant_id: the shop's id, which all calls want; points: what can be spent."""

    id: str
    merchant_id: str | None = None
    address: str | None = Field(alias="email", default=None)
    points: Points = Field(alias="points_approved", default=0)
    pending: Points = Field(alias="points_pending", default=0)
    birthday: date | None = None
    blocked: bool = False
    guest: bool = False
    enrolled: bool = True
    name: str | None = _in("properties", "name")
    first_name: str | None = _in("properties", "first_name")
    last_name: str | None = _in("properties", "last_name")
    tier: str | None = _in("loyalty_tier_membership", "loyalty_tier", "name")
    tier_since: Moment | None = _in("loyalty_tier_membership", "started_at")
    referral_url: str | None = None
    segment: str | None = Field(alias="insights_segment", default=None)
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def is_guest(self) -> bool:
        return self.guest and not self.enrolled

    def customer(self) -> Customer:
        told = {"first_name": self.first_name or None, "last_name": self.last_name or None}
        named = told if any(told.values()) else names(self.name)
        return Customer(id=self.merchant_id or None, email=self.address or None, birthday=self.birthday, **named)


class Activity(Payload):
    """What a rule gave points for. merchant_id: the id that whoever posted it gave it."""

    id: str
    merchant_id: str | None = None
    rule: str | None = _in("rule", "name")


class Claim(Payload):
    """A reward that was claimed."""

    id: str
    cost: Points = Field(alias="point_cost", default=0)
    state: str = ""
    reward_id: str | None = _in("reward", "id")
    title: str | None = _in("reward", "title")
    code: str | None = _in("redeemable", "code")


class Transaction(Payload):
    """One change of somebody's points, which stays as it is; what it is about is told as it is now."""

    id: str
    customer: Person
    points: Points = Field(alias="points_approved", default=0)
    resource: str = ""
    activity: Activity | None = None
    claim: Claim | None = Field(alias="claimed_reward", default=None)
    adjustment: dict[str, Any] | None = None
    created_at: Moment

    def kind(self) -> Literal["earned", "redeemed", "adjusted", "expired", "other"]:
        if self.resource == "activity":
            return "earned" if self.points > 0 else "adjusted"
        if self.resource == "claimed_reward":
            return "redeemed" if self.points < 0 else "adjusted"
        return {"adjustment": "adjusted", "expiry": "expired"}.get(self.resource, "other")  # type: ignore[return-value]

    def is_ours(self, settings: Settings) -> bool:
        """Whether the hub sent it."""
        posted = self.activity is not None and (self.activity.merchant_id or "").startswith(f"{settings['our_name']}-")
        return posted or f"({settings['our_name']} " in json_text(self.adjustment or {})


class PointsChanged(LoyaltyActivity):
    """Points that can be spent came or went. balance: what there is now. rule: of LoyaltyLion's, that gave them."""

    balance: Points = 0
    rule: Short = ""


@connector.trigger(f"{EVENTS}points_earned", "transaction", key="activity_id")
def points_changed(change: Transaction, settings: Settings) -> PointsChanged | None:
    """LoyaltyLion gave or took points."""
    if not change.points:
        return None
    activity, claim = change.activity, change.claim
    about = {"activity": activity.id if activity else None, "claim": claim.id if claim else None}
    return PointsChanged(
        occurred_at=change.created_at,
        customer=change.customer.customer(),
        references=tuple(Reference(kind=kind, id=name) for kind, name in about.items() if name),
        activity_id=change.id,
        kind=change.kind(),
        points=change.points,
        ours=change.is_ours(settings),
        balance=change.customer.points,
        rule=(activity.rule if activity else None) or "",
    )


class RewardClaimed(RedemptionRequested):
    """A reward was claimed at LoyaltyLion, and its points are spent there. points: what it cost; title: as the shop has it."""

    reward_id: Short = ""
    title: Short = ""
    points: Points = 0


@connector.trigger("claim", key="request_id", polled=True)
def reward_claimed(change: Transaction, settings: Settings) -> RewardClaimed | None:
    """A customer claimed a reward."""
    claim = change.claim
    if change.resource != "claimed_reward" or claim is None or change.points > 0:
        return None
    title, number = claim.title or "", claim.reward_id or ""
    return RewardClaimed(
        occurred_at=change.created_at,
        customer=change.customer.customer(),
        references=(Reference(kind="claim", id=claim.id),),
        request_id=claim.id,
        reward=settings["rewards"].get(number) or title or number,
        channel="loyaltylion",
        reward_id=number,
        title=title,
        points=claim.cost or -change.points,
    )


class CustomerVersion(CustomerChanged):
    """A customer as they are now. version: of what is read of them, their points left out."""

    loyaltylion_id: Short
    version: Short
    tier: Short = ""
    blocked: bool = False
    enrolled: bool = True


class Update(Payload):
    """A customer who changed. found: as they are now, for they were asked for."""

    customer: Person
    found: bool = False


def _now(client: Client, told: Person) -> Person:
    """The customer as they are now: notices come in any order, and a late one would tell what is over."""
    rows = client.get("/v2/customers", query={"since_id": int(told.id) - 1, "limit": 1})["customers"]
    return next((person for row in rows if (person := Person.model_validate(row)).id == told.id), told)


@connector.trigger("customers/update", key=("loyaltylion_id", "version"))
def customer_changed(update: Update, client: Client) -> CustomerVersion | None:
    """A customer's name, address, birthday, tier or standing has changed."""
    person = update.customer if update.found else _now(client, update.customer)
    if person.is_guest:
        return None
    said = {"tier": person.tier or "", "blocked": person.blocked, "enrolled": person.enrolled}
    known = {"referral_url": person.referral_url, "segment": person.segment}
    attributes, customer = {name: value for name, value in known.items() if value}, person.customer()
    return CustomerVersion(
        occurred_at=person.updated_at,
        customer=customer,
        created=person.created_at is not None and person.created_at == person.updated_at,
        attributes=attributes,
        loyaltylion_id=person.id,
        version=digest({"customer": customer, "attributes": attributes, **said}),
        **said,
    )


class Enrolled(CustomerChanged):
    """Somebody joined LoyaltyLion's programme."""

    loyaltylion_id: Short


@connector.trigger(f"{EVENTS}enrolled", key="loyaltylion_id")
def customer_enrolled(update: Update) -> Enrolled:
    """Somebody joined the shop's programme."""
    person = update.customer
    return Enrolled(customer=person.customer(), created=True, loyaltylion_id=person.id)


class TierChanged(Fact):
    """A customer's tier at LoyaltyLion is another. upgraded: a higher one."""

    loyaltylion_id: Short
    tier: Short
    upgraded: bool

    fact = "shop_tier_changed"
    sample: ClassVar[dict[str, Any]] = {"loyaltylion_id": "1001", "tier": "Silver", "upgraded": True}


@connector.trigger(f"{EVENTS}tier_upgraded", f"{EVENTS}tier_downgraded", key=("loyaltylion_id", "tier", "occurred_at"))
def tier_changed(update: Update, item: Item) -> TierChanged:
    """A customer moved into another tier."""
    person = update.customer
    return TierChanged(
        occurred_at=person.tier_since,
        customer=person.customer(),
        loyaltylion_id=person.id,
        tier=person.tier or "",
        upgraded=item.kind.endswith("upgraded"),
    )


class Near(Payload):
    """How far it is to the next tier."""

    customer: Person
    next_tier: str | None = _in("next_tier", "name")
    points: Points | None = Field(alias="points_required", default=None)
    spend: Number | None = Field(alias="spend_required", default=None)


class TierNear(Fact):
    """A customer is close to the next tier. points_required or spend_required: what is missing, as the tiers go by it."""

    notice_id: Short
    next_tier: Short = ""
    points_required: Points | None = None
    spend_required: Number | None = None

    fact = "shop_tier_near"
    sample: ClassVar[dict[str, Any]] = {"notice_id": "3c5d7b11", "next_tier": "Silver", "points_required": 400}


@connector.trigger(f"{EVENTS}approaching_tier_upgrade", key="notice_id")
def tier_near(near: Near, item: Item) -> TierNear:
    """A customer is close to the next tier; told once in seven days at the most."""
    return TierNear(
        customer=near.customer.customer(),
        notice_id=item.id or "",
        next_tier=near.next_tier or "",
        points_required=near.points,
        spend_required=near.spend,
    )


class Referred(Payload):
    """Who brought whom."""

    referrer: Person = Field(alias="referring_customer")
    friend: Person = Field(alias="referred_customer")
    activity: Activity


@connector.trigger(f"{EVENTS}referral_complete", key="referral_id")
def referral_completed(referred: Referred) -> Referral:
    """A friend whom a customer brought has bought something."""
    return Referral(
        customer=referred.friend.customer(), referral_id=referred.activity.id, referrer=referred.referrer.customer()
    )


class Left(Payload):
    """Who wants no more mail."""

    customer: Person


class Leaving(Payload):
    unsubscribe: Left


@connector.trigger("loyalty_emails/unsubscribe", key=("address", "occurred_at"))
def unsubscribed(leaving: Leaving) -> Unsubscribed | None:
    """Somebody wants no more mail from LoyaltyLion."""
    person = leaving.unsubscribe.customer
    if not person.address:
        return None
    return Unsubscribed(customer=person.customer(), channel="email", address=email(person.address) or person.address)


def _log(client: Client, since: datetime, path: str = "/v2/transactions", **at: str) -> Iterator[Mapping[str, Any]]:
    asked, after = {"created_at_min": since, "limit": PAGE_SIZE}, pages.cursor("cursor", "cursor.next")
    return client.pages(path, items="transactions", next=after, query=asked, at=at)


@connector.pull(points_changed)
def points_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every change of points since a moment."""
    for row in _log(client, since):
        yield Item("transaction", row)


@connector.pull(reward_claimed)
def claims_since(client: Client, since: datetime) -> Iterator[Item]:
    """Every reward that was claimed since a moment."""
    for row in _log(client, since):
        if row.get("resource") == "claimed_reward":
            yield Item("claim", row)


@connector.pull(customer_changed)
def customers_since(client: Client, since: datetime) -> Iterator[Item]:
    """Customers who are new or were changed since a moment."""
    asked = {"updated_at_min": since, "sort_field": "updated_at", "sort_direction": "asc", "limit": PAGE_SIZE}
    after = pages.cursor("cursor", "cursor.next")
    for row in client.pages("/v2/customers", items="customers", next=after, query=asked):
        yield Item("customers/update", {"customer": row, "found": True}, at=datetime.fromisoformat(row["updated_at"]))


connector.poke("customers/update", pull=points_since)
connector.poke(FULFILMENT, f"{EVENTS}claimed_reward", pull=claims_since)


def _our_webhooks(client: Client, connection: Connection) -> list[Mapping[str, Any]]:
    rows = client.get("/v2/webhooks")["webhooks"]
    return [row for row in rows if row["address"] == connection.webhook_url and row["topic"] != FULFILMENT]


@connector.subscribe()
def subscribe(client: Client, connection: Connection) -> None:
    """Makes a webhook for each topic that has none yet."""
    known = {row["topic"] for row in _our_webhooks(client, connection)}
    for topic in connection.settings["topics"]:
        if topic not in known:
            client.post("/v2/webhooks", json={"webhook": {"topic": topic, "address": connection.webhook_url}}, safe=False)


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back, but for those of custom rewards, which are the dashboard's."""
    for row in _our_webhooks(client, connection):
        client.delete("/v2/webhooks/{id}", at={"id": row["id"]})


# What goes out --------------------------------------------------------------------------------------------------------

CustomerId = Annotated[str, Field(description="the shop's id of the customer, such as {{ event.customer.id }}", min_length=1)]
Rule = Annotated[str, Field(description="the rule's identifier, or a built-in one such as $signup", min_length=1)]
Thing = Annotated[str, Field(description="the id of what it is about, unlike any other of this rule", min_length=1)]
Reason = Annotated[str, Field(description="why; the customer may read it", max_length=200)]


class Tracked(BaseModel):
    """An activity, as LoyaltyLion knows it."""

    activity: str


def _named(settings: Settings, thing: str) -> str:
    """The id that we give an activity: by it LoyaltyLion's log shows that the hub posted it."""
    return f"{settings['our_name']}-{thing}"


def _signed(settings: Settings, key: CallKey, reason: str) -> str:
    """A reason, with what tells the hub's own points from others, and from those of another call."""
    return f"{reason} ({settings['our_name']} {digest(key)[:8]})"


@connector.action(repeat="never")
def track_activity(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    customer: CustomerId,
    email: Annotated[str, Field(description="the customer's e-mail address", pattern=r"^\S+@\S+$")],
    name: Rule,
    thing: Annotated[str | None, "the id of what it is about, such as {{ event.job_id }}, to change its state later"] = None,
    date: Annotated[Moment | None, "when it was; now, when nothing is said"] = None,
    properties: Annotated[dict[str, str], Field(description="what the rule wants to know")] = {},  # noqa: B006  # never changed
) -> Tracked:
    """Tell LoyaltyLion what a customer did, and its rule gives points for it."""
    activity = _named(settings, thing or digest(key))
    said = {"name": name, "customer_id": customer, "customer_email": email, "merchant_id": activity, "date": date}
    # Guests earn nothing, and LoyaltyLion takes everybody for one who is not said to be none.
    client.post("/v2/activities", json={**said, "properties": properties or None, "guest": False})
    return Tracked(activity=activity)


@connector.lookup(track_activity)
def tracked_before(
    client: Client, settings: Settings, key: CallKey, started: datetime, *, name: str, thing: str | None
) -> Tracked | None:
    """LoyaltyLion has no idempotency key; what tells an activity is its rule and the id that we gave it."""
    wanted, asked = _named(settings, thing or digest(key)), {"created_at_min": started - CLOCKS, "limit": PAGE_SIZE}
    after = pages.cursor("cursor", "cursor.next")
    for row in client.pages("/v2/activities", items="activities", next=after, query=asked):
        activity = Activity.model_validate(row)
        if activity.merchant_id == wanted and activity.rule in {name, None}:
            return Tracked(activity=wanted)
    return None


@connector.action(repeat="safe")
def set_activity_state(
    client: Client,
    settings: Settings,
    *,
    name: Rule,
    thing: Thing,
    state: Annotated[Literal["approved", "declined", "void"], "void takes the points back"],
) -> Tracked:
    """Approve an activity, decline it, or take it back."""
    activity = _named(settings, thing)
    client.call("PUT", "/v2/activities/{name}/{activity}", at={"name": name, "activity": activity}, json={"state": state})
    return Tracked(activity=activity)


class Adjusted(BaseModel):
    """points: as they were added, with their sign. balance: what there is now, where it is known."""

    points: Points
    balance: Points | None = None


def _move(client: Client, customer: str, points: int, reason: str) -> None:
    what = "points" if points > 0 else "remove_points"
    client.call(
        "POST", f"{CUSTOMER}/{what}", at={"customer": customer}, json={"points": abs(points), "reason": reason}, safe=False
    )


@connector.action(repeat="never")
def adjust_points(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    customer: CustomerId,
    points: Annotated[Points, Field(description="how many to add, or, below zero, to take", ge=-1_000_000, le=1_000_000)],
    reason: Reason,
) -> Adjusted:
    """Add or take points at LoyaltyLion."""
    if points:
        _move(client, customer, points, _signed(settings, key, reason))
    return Adjusted(points=points)


@connector.lookup(adjust_points)
def adjusted_before(
    client: Client, settings: Settings, key: CallKey, started: datetime, *, customer: str, points: int, reason: str
) -> Adjusted | None:
    """LoyaltyLion has no idempotency key; its log has the reason, which has ours. CallFailed where it says only how many."""
    rows = _log(client, started - CLOCKS, f"{CUSTOMER}/transactions", customer=customer)
    moved = [one for one in map(Transaction.model_validate, rows) if one.resource == "adjustment" and one.points == points]
    for one in moved:
        if _signed(settings, key, reason) in (one.adjustment or {}).values():
            return Adjusted(points=points, balance=one.customer.points)
    if any(not one.adjustment or "reason" not in one.adjustment for one in moved):
        raise CallFailed(f"Somebody moved {points} points of customer {customer}, perhaps the hub.", "uncertain")
    return None


def _balance(client: Client, customer: str) -> int | None:
    """What a customer has now: it stands beside each of their transactions, and who has none has no points. None: nobody."""
    told = client.find(f"{CUSTOMER}/transactions", at={"customer": customer}, query={"limit": 1})
    if told is None:
        return None
    return Transaction.model_validate(told["transactions"][0]).customer.points if told["transactions"] else 0


@connector.action(repeat="safe")
def set_points(
    client: Client,
    settings: Settings,
    key: CallKey,
    *,
    customer: CustomerId,
    points: Annotated[Points, Field(description="how many there should be", ge=0, le=1_000_000)],
    reason: Reason = "Points brought up to date",
) -> Adjusted:
    """Bring a customer's points at LoyaltyLion to a number, by adding or taking what differs."""
    with client.alone(f"points of {customer}"):
        balance = _balance(client, customer)
        if balance is None:
            raise CallFailed(f"LoyaltyLion knows no customer {customer}.", "lasting")
        if points != balance:
            _move(client, customer, points - balance, _signed(settings, key, reason))
    return Adjusted(points=points - balance, balance=points)


@connector.mirror(set_points)
def as_points(one: Mirrored) -> dict[str, Any] | None:
    """The points of a customer whose id is known."""
    if set(one.fields) != {"points"}:
        raise CallFailed("LoyaltyLion can mirror the balance alone: `mirror: {balance: points}`.", "lasting")
    points = one.fields["points"]
    shown = max(0, points) if isinstance(points, int) else 0  # what a member owes the hub is nothing there
    return {"customer": one.customer.id, "points": shown} if one.customer.id else None


@connector.mirrored
def shown_points(client: Client, one: Mirrored) -> Shown | None:
    """What LoyaltyLion says that a customer has; one whose id is not known is found by the address."""
    if one.customer.id and (balance := _balance(client, one.customer.id)) is not None:
        return Shown({"points": balance}, one.customer.id)
    if not one.customer.email:
        return None
    # It finds all addresses that hold the text.
    rows = client.pages(
        "/v2/customers", items="customers", next=pages.cursor("cursor", "cursor.next"), query={"email": one.customer.email}
    )
    people = (Person.model_validate(row) for row in rows)
    found = next((person for person in people if email(person.address) == email(one.customer.email)), None)
    return Shown({"points": found.points}, found.merchant_id) if found and found.merchant_id and not found.is_guest else None


class Claimed(BaseModel):
    """A reward that was claimed. code: what the customer uses it with, where it is a voucher."""

    claim_id: str
    points: Points
    code: str = ""


def _claimed(claim: Claim) -> Claimed:
    return Claimed(claim_id=claim.id, points=claim.cost, code=claim.code or "")


RewardId = Annotated[str, Field(description="the reward's number at LoyaltyLion", pattern="^[0-9]+$")]


@connector.action(repeat="never")
def claim_reward(client: Client, *, customer: CustomerId, reward_id: RewardId) -> Claimed:
    """Claim a reward for a customer, for their points at LoyaltyLion."""
    told = client.post(f"{CUSTOMER}/claimed_rewards", at={"customer": customer}, json={"reward_id": int(reward_id)})
    return _claimed(Claim.model_validate(told["claimed_reward"]))


@connector.lookup(claim_reward)
def claimed_before(client: Client, started: datetime, *, customer: str, reward_id: str) -> Claimed | None:
    """The log says what was claimed since then; a claim of the same reward by the customer themselves looks alike."""
    claims = _claims(client, customer, started)
    return next((_claimed(claim) for claim in claims if claim.reward_id == reward_id and claim.state != "void"), None)


def _claims(client: Client, customer: str, since: datetime) -> Iterator[Claim]:
    rows = _log(client, since, f"{CUSTOMER}/transactions", customer=customer)
    return (change.claim for change in map(Transaction.model_validate, rows) if change.claim is not None)


class GivenBack(BaseModel):
    """Whether the points of a claim are back."""

    refunded: bool


@connector.action(repeat="never")
def refund_claim(
    client: Client,
    *,
    customer: CustomerId,
    claim_id: Annotated[str, Field(description="the claim's number, such as {{ event.request_id }}", pattern="^[0-9]+$")],
) -> GivenBack:
    """Take a claim back, and give the customer its points again."""
    path = f"{CUSTOMER}/claimed_rewards/{{claim}}/refund"
    client.call("POST", path, at={"customer": customer, "claim": claim_id})
    return GivenBack(refunded=True)


@connector.lookup(refund_claim)
def refunded_before(client: Client, started: datetime, *, customer: str, claim_id: str) -> GivenBack | None:
    """A claim that was taken back is void from then on."""
    claims = _claims(client, customer, started)
    return next((GivenBack(refunded=True) for claim in claims if claim.id == claim_id and claim.state == "void"), None)


@connector.action(repeat="safe")
def update_customer(
    client: Client,
    *,
    customer: CustomerId,
    birthday: Annotated[date | None, "the birthday"] = None,
    blocked: Annotated[bool | None, "whether they are kept out of the programme"] = None,
) -> None:
    """Set a customer's birthday, or keep them out of LoyaltyLion's programme."""
    client.patch(CUSTOMER, at={"customer": customer}, json={"customer": {"birthday": birthday, "blocked": blocked}})


# Recorded truth -------------------------------------------------------------------------------------------------------
# fmt: off

TIER = {"id": 100, "name": "Bronze", "number": 1, "position": 0, "default": True, "lower_bound": "0.00", "upper_bound": "50.00"}
ANA = {
    "id": 1001, "merchant_id": "5000001", "email": "ana@example.com", "points_approved": 500, "points_pending": 0,
    "points_spent": 100, "rewards_claimed": 1, "properties": {"name": "Ana Blue"}, "metadata": {}, "birthday": "1990-01-29",
    "blocked": False, "guest": False, "enrolled": True, "referral_url": "https://example.com/r/ana",
    "loyalty_tier_membership": {"started_at": "2024-12-17T02:03:15.378Z", "expires_at": None, "loyalty_tier": TIER},
    "insights_segment": "Loyal",
    "created_at": "2020-11-23T17:28:25.362Z", "updated_at": "2026-02-06T21:27:34.000Z",
}
BEN = ANA | {"id": 1002, "merchant_id": "5000002", "email": "ben@example.com", "properties": {"name": "Ben Ray"}}
GUEST = ANA | {"id": 1003, "merchant_id": None, "email": "guest@example.com", "guest": True, "enrolled": False}
BRIEF = {name: ANA[name] for name in ("id", "merchant_id", "email", "points_pending", "points_approved", "points_spent")}
EARNED = {
    "id": 9001, "customer": BRIEF, "points_approved": 120, "points_pending": 0, "created_at": "2026-02-06T21:27:34.000Z",
    "resource": "activity", "activity": {
        "id": 4001, "merchant_id": "order-1042", "value": 120, "state": "approved", "customer": BRIEF,
        "created_at": "2026-02-06T21:27:34.000Z", "rule": {"id": 7, "name": "$purchase", "title": "Buy something"}},
}
PENDING = EARNED | {"id": 9000, "points_approved": 0, "points_pending": 120}
CLAIM = {
    "id": 6001, "claimed_at": "2026-02-06T21:28:00.000Z", "point_cost": 100, "state": "approved",
    "redeemable": {"code": "LL-7Q2"}, "reward": {"id": 77, "title": "Free coffee"},
}
CLAIMED = {
    "id": 9002, "customer": BRIEF, "points_approved": -100, "points_pending": 0, "created_at": "2026-02-06T21:28:00.000Z",
    "resource": "claimed_reward", "claimed_reward": CLAIM,
}
REASON = f"Diesel service (hub {digest('run_1/step_1')[:8]})"
MOVED = {
    "id": 9003, "customer": BRIEF, "points_approved": 50, "points_pending": 0, "created_at": "2026-02-06T21:29:00.000Z",
    "resource": "adjustment", "adjustment": {"id": 3001, "reason": REASON},
}
SERVICE = {"customer": "5000001", "email": "ana@example.com", "name": "diesel_service", "thing": "job_7"}
POSTED = {"id": 4002, "merchant_id": "hub-job_7", "state": "approved", "rule": {"id": 8, "name": "diesel_service"}}
POINTS = {"customer": "5000001", "points": 50, "reason": "Diesel service"}
SINCE = "2026-02-06T00:00:00+00:00"
LOG, OWN_LOG = "GET /v2/transactions", "GET /v2/customers/5000001/transactions"
CLAIM_77 = {"customer": "5000001", "reward_id": "77"}
REFUND = {"customer": "5000001", "claim_id": "6001"}
END = {"prev": None, "next": None}


def _told(topic: str, **more: Any) -> dict[str, Any]:
    notice = "bff1bddb-6cd8-4c2c-9619-18744657053c"
    return {"id": notice, "topic": topic, "created_at": "2026-02-06T21:27:35.000Z", **more}


def _event(name: str, **properties: Any) -> dict[str, Any]:
    return _told(f"{EVENTS}{name}", payload={"properties": properties})


connector.sample(
    points_changed, _event("points_earned", customer=ANA, transaction=EARNED, available_rewards=[]),
    gives={"activity_id": "9001", "kind": "earned", "points": 120, "balance": 500, "rule": "$purchase", "ours": False,
           "customer": {"id": "5000001", "email": "ana@example.com"}, "references": [{"kind": "activity", "id": "4001"}]},
)
connector.sample(points_changed, _event("points_earned", transaction=PENDING), gives=None, note="not approved yet")
connector.sample(
    customer_changed, _told("customers/update", customer=ANA | {"updated_at": "2026-02-06T21:27:00.000Z", "birthday": None}),
    asks=ask("GET /v2/customers", query={"since_id": 1000, "limit": 1}), reply={"customers": [ANA], "cursor": END},
    gives={"customer": {"id": "5000001", "first_name": "Ana", "last_name": "Blue", "birthday": "1990-01-29"}, "tier": "Bronze",
           "attributes": {"segment": "Loyal"}, "loyaltylion_id": "1001"},
    note="as they are now, for the notice is late",
)
connector.sample(
    customer_changed, _told("customers/update", customer=GUEST), asks="GET /v2/customers", reply={"customers": [GUEST]},
    gives=None, note="a guest",
)
connector.sample(
    customer_enrolled, _event("enrolled", customer=ANA, enrollment={"date": SINCE, "trigger": "account_creation"}),
    gives={"created": True, "customer": {"email": "ana@example.com"}, "occurred_at": "2026-02-06T21:27:35Z"},
)
connector.sample(
    tier_changed, _event("tier_upgraded", customer=ANA),
    gives={"tier": "Bronze", "upgraded": True, "occurred_at": "2024-12-17T02:03:15.378Z"},
)
connector.sample(tier_changed, _event("tier_downgraded", customer=ANA), gives={"upgraded": False})
connector.sample(
    tier_near,
    _event("approaching_tier_upgrade", customer=BRIEF, current_tier=TIER, next_tier=TIER | {"name": "Silver"},
           points_required=400, spend_required=None),
    gives={"next_tier": "Silver", "points_required": 400, "notice_id": "bff1bddb-6cd8-4c2c-9619-18744657053c"},
)
connector.sample(
    referral_completed,
    _event("referral_complete", referring_customer=ANA, referred_customer=BEN, activity=EARNED["activity"], order={"id": 1}),
    gives={"referral_id": "4001", "customer": {"email": "ben@example.com"}, "referrer": {"email": "ana@example.com"}},
)
connector.sample(
    unsubscribed,
    _told("loyalty_emails/unsubscribe", payload={"unsubscribe": {"customer": {"id": 1001, "email": "Ana@example.com"}}}),
    gives={"channel": "email", "address": "ana@example.com"},
)
connector.sample(
    points_since, SINCE,
    asks=[ask(LOG, query={"created_at_min": "2026-02-06T00:00:00Z", "limit": 500}), ask(LOG, query={"cursor": "next"})],
    reply=[{"transactions": [PENDING, EARNED], "cursor": {"prev": None, "next": "next"}},
           {"transactions": [CLAIMED, MOVED], "cursor": END}],
    gives=[{"points": 120, "kind": "earned"}, {"points": -100, "kind": "redeemed"},
           {"points": 50, "kind": "adjusted", "ours": True}],
)
connector.sample(
    claims_since, SINCE, asks=LOG, reply={"transactions": [EARNED, CLAIMED, MOVED], "cursor": END},
    settings={"rewards": {"77": "free-coffee"}},
    gives={"request_id": "6001", "reward": "free-coffee", "title": "Free coffee", "points": 100, "customer": {"id": "5000001"}},
)
connector.sample(
    customers_since, SINCE,
    asks=ask("GET /v2/customers", query={"updated_at_min": "2026-02-06T00:00:00Z", "sort_field": "updated_at"}),
    reply={"customers": [ANA, GUEST], "cursor": END}, gives={"loyaltylion_id": "1001", "tier": "Bronze"},
)
connector.sample(
    track_activity, SERVICE | {"date": "2026-02-06T21:27:34Z"},
    asks=ask("POST /v2/activities", json={
        "name": "diesel_service", "customer_id": "5000001", "customer_email": "ana@example.com", "merchant_id": "hub-job_7",
        "guest": False, "date": "2026-02-06T21:27:34Z"}),
    reply=answers(201), gives={"activity": "hub-job_7"},
)
connector.sample(
    tracked_before, SERVICE, asks=ask("GET /v2/activities", query={"created_at_min": "2026-02-06T21:20:00Z"}),
    reply={"activities": [EARNED["activity"], POSTED], "cursor": END}, gives={"activity": "hub-job_7"},
)
connector.sample(
    tracked_before, SERVICE, asks="GET /v2/activities", reply={"activities": [EARNED["activity"]], "cursor": END}, gives=None
)
connector.sample(
    set_activity_state, {"name": "diesel_service", "thing": "job_7", "state": "void"},
    asks=ask("PUT /v2/activities/diesel_service/hub-job_7", json={"state": "void"}), reply=answers(200),
    gives={"activity": "hub-job_7"},
)
connector.sample(
    adjust_points, POINTS,
    asks=ask("POST /v2/customers/5000001/points", json={"points": 50, "reason": REASON}),
    reply=answers(201), gives={"points": 50},
)
connector.sample(
    adjust_points, POINTS | {"points": -50}, asks=ask("POST /v2/customers/5000001/remove_points", json={"points": 50}),
    reply=answers(204), gives={"points": -50},
)
connector.sample(
    adjusted_before, POINTS, asks=OWN_LOG, reply={"transactions": [EARNED, MOVED], "cursor": END},
    gives={"points": 50, "balance": 500},
)
connector.sample(adjusted_before, POINTS, asks=OWN_LOG, reply={"transactions": [EARNED], "cursor": END}, gives=None)
connector.sample(
    set_points, {"customer": "5000001", "points": 450},
    asks=[ask(OWN_LOG, query={"limit": 1}), ask("POST /v2/customers/5000001/remove_points", json={"points": 50})],
    reply=[{"transactions": [EARNED], "cursor": END}, answers(204)], gives={"points": -50, "balance": 450},
)
connector.sample(
    set_points, {"customer": "5000001", "points": 500}, asks=[OWN_LOG], reply=[{"transactions": [EARNED], "cursor": END}],
    gives={"points": 0, "balance": 500}, note="there are so many already",
)
connector.sample(
    as_points, {"customer": {"id": "5000001"}, "fields": {"points": 620}},
    asks=[OWN_LOG, ask("POST /v2/customers/5000001/points", json={"points": 120})],
    reply=[{"transactions": [EARNED], "cursor": END}, answers(201)], gives={"customer": "5000001", "points": 620},
)
connector.sample(as_points, {"customer": {"email": "ana@example.com"}, "fields": {"points": 620}}, gives=None)
connector.sample(
    shown_points, {"customer": {"id": "5000001"}, "fields": {"points": 620}}, asks=OWN_LOG,
    reply={"transactions": [EARNED], "cursor": END}, gives={"id": "5000001", "fields": {"points": 500}},
)
connector.sample(
    shown_points, {"customer": {"email": "Ana@example.com"}, "fields": {"points": 620}},
    asks=ask("GET /v2/customers", query={"email": "Ana@example.com"}),
    reply={"customers": [ANA | {"id": 7, "email": "joana@example.com"}, ANA], "cursor": END},
    gives={"id": "5000001", "fields": {"points": 500}}, note="whose id is not known yet",
)
connector.sample(
    shown_points, {"customer": {"email": "guest@example.com"}, "fields": {"points": 620}}, asks="GET /v2/customers",
    reply={"customers": [GUEST], "cursor": END}, gives=None, note="a guest",
)
connector.sample(
    claim_reward, CLAIM_77, asks=ask("POST /v2/customers/5000001/claimed_rewards", json={"reward_id": 77}),
    reply=answers(201, {"claimed_reward": CLAIM}), gives={"claim_id": "6001", "points": 100, "code": "LL-7Q2"},
)
connector.sample(
    claim_reward, CLAIM_77, asks="POST /v2/customers/5000001/claimed_rewards",
    reply=answers(422, {"error": {"message": "Customer has insufficient points"}}), fails="lasting",
)
connector.sample(
    claimed_before, CLAIM_77, asks=OWN_LOG, reply={"transactions": [EARNED, CLAIMED], "cursor": END}, gives={"claim_id": "6001"}
)
connector.sample(claimed_before, CLAIM_77, asks=OWN_LOG, reply={"transactions": [EARNED], "cursor": END}, gives=None)
connector.sample(
    refund_claim, REFUND, asks="POST /v2/customers/5000001/claimed_rewards/6001/refund",
    reply={"claimed_reward": CLAIM | {"state": "void"}, "remote_resource_deleted": True}, gives={"refunded": True},
)
connector.sample(
    refunded_before, REFUND, asks=OWN_LOG,
    reply={"transactions": [CLAIMED | {"points_approved": 100, "claimed_reward": CLAIM | {"state": "void"}}], "cursor": END},
    gives={"refunded": True},
)
connector.sample(refunded_before, REFUND, asks=OWN_LOG, reply={"transactions": [CLAIMED], "cursor": END}, gives=None)
connector.sample(
    update_customer, {"customer": "5000001", "birthday": "1990-01-29"},
    asks=ask("PATCH /v2/customers/5000001", json={"customer": {"birthday": "1990-01-29"}}), reply={"customer": ANA},
)
