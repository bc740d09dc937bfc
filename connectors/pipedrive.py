"""Pipedrive: hear of won deals, finished activities and persons, and keep loyalty fields, notes and activities.

Setup:
1. Personal preferences > API: copy the token to `api_token`; it is that of one user, acts with their rights and dies with them:
   make a user for the hub, an admin. Write the company's name in the address (acme of https://acme.pipedrive.com) into
   `company`. Or in place of the token: Developer Hub > Create an app, with the scopes deals, contacts and activities (full),
   search and admin; `client_id` and `client_secret`, and `hub connections authorize NAME`.
2. Write a long random text into `webhook_password`, and run `hub connections subscribe NAME`: it makes three webhooks and looks
   every day whether they are there, for Pipedrive takes away those that fail. By hand: Tools and apps > Webhooks > Create new
   webhook, version 2.0, for deals, activities and persons, all actions: {webhook_url}, HTTP Auth username hub, and that text as
   the password. A hub without a public address needs none: it asks.
3. Points in persons and deals: Company settings > Data fields > Person > Custom field (a number; a text or a single option for
   the tier). Fields are found by their names. Such a look costs as much as two writes: say the keys under `custom_fields`
   (⋯ > Copy API key; `custom_fields: {points: 9dc8…}`), and there is none; recipes read these of a person, too. Of a field with
   options then the option's number is written, and in any case told.
4. Which activities are jobs? Name their types in `job_types` (Company settings > Activities; the key, such as repair).

What is told: nothing is signed; user and password prove it. A deal is won once, when its status becomes won; what is changed in
a won deal later is no news. One that is opened again, lost or deleted is told as `deal_taken_back`: take back what it earned,
or let a person look, for won again it is the same deal and earns nothing more. An activity counts when it is done, for the
person who takes part, or whose deal it is. A person counts as changed when what is read (name, addresses, `custom_fields`
without those of `mirror`) is new; what `user_id` (the hub's user) does by the API is no news. Asking looks for deals that were
won, and activities that were done, since a moment; archived deals are not listed, and what was deleted, merged or taken back is
told by webhook alone.

What goes out: values are written, never added up. There is no upsert: persons are looked for by e-mail, one call at a time, and
a search may miss a person who was made seconds ago. A look costs four times what a write does, out of what the company may
spend in a day; so a mirror finds persons by number, and by address only with `find_by_address`.

Not confirmed: when a failing webhook is called again or taken away; in what form webhooks have values of custom fields with
options; whether a field of text takes a number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hub.sdk import (
    CallFailed,
    Client,
    Connection,
    Connector,
    Currency,
    Customer,
    CustomerChanged,
    CustomersMerged,
    DealWon,
    Exactly,
    Fact,
    Failure,
    Item,
    JobCompleted,
    Mirrored,
    Moment,
    Money,
    Number,
    Payload,
    Points,
    Reference,
    Reply,
    Request,
    Settings,
    Shown,
    Unreadable,
    UtcMoment,
    digest,
    email,
    field_keys,
    utc,
    words,
)
from hub.sdk.declare import ask, auth, pages, rate, secret, setting, signature
from hub.sdk.fact import Short

USER = "hub"


def _failure(reply: Reply) -> Failure | None:
    said = str(reply.find("error") or reply.find("error_info") or "it says no more than that it failed")
    if reply.ok:
        return Failure("lasting", said) if reply.find("success") is False else None
    # Who goes on asking after a 429 is met by a page of the network in front of Pipedrive.
    return Failure("passing") if reply.status == 403 and reply.find("") is None else None


class Meta(Payload):
    """What a webhook says of what it tells."""

    version: str = "2.0"
    id: str | None = None
    entity: str = ""
    entity_id: str = ""
    action: str = ""
    company_id: str | None = None
    user_id: str = ""
    change_source: str = ""
    timestamp: Moment | None = None
    merged_to_id: str | None = None

    def is_echo(self, settings: Settings) -> bool:
        """Whether the hub's own user did it, by the API."""
        return self.change_source == "api" and bool(self.user_id) and self.user_id == settings["user_id"]


def _items(request: Request) -> Iterator[Item]:
    """Webhooks of version 1 tell the same in another form."""
    told = request.content()
    meta = Meta.model_validate(told["meta"])
    if meta.version != "2.0" or not meta.entity:
        raise Unreadable("This is no webhook of version 2.0; make the webhook again, with that version.")
    yield Item(f"{meta.entity}.{meta.action}", told, id=meta.id, account=meta.company_id, at=meta.timestamp)


connector = Connector(
    "pipedrive",
    title="Pipedrive",
    settings=secret("api_token", "Personal preferences > API", required=False)
    + setting("company", "the company's name in the address: acme of https://acme.pipedrive.com", example="acme")
    + setting("client_id", "of an app, in place of a token", default=None)
    + secret("client_secret", "of an app, in place of a token", required=False)
    + secret("webhook_password", "a long random text: the webhooks' HTTP Auth password", required=False)
    + setting("account_id", "the company's id; what others tell is left out", default=None, example="6083095")
    + setting("user_id", "the id of the hub's user; what it does by the API is no news", default=None, example="12941358")
    + setting(
        "custom_fields",
        "keys of custom fields by names of your own (points: 40 letters and digits)",
        dict[str, Annotated[str, Field(pattern="^[0-9a-f]{40}$")]],
        default={},
        example={"fleet": "b917cef9b5c2f52230a0fe1f0d29284909b76d15"},
    )
    + setting("job_types", "the types of activities that are jobs", list[str], default=[], example=["repair"])
    + setting("find_by_address", "let the mirror look for persons by e-mail address; each look is dear", bool, default=False),
    api="https://{company}.pipedrive.com",
    auth=auth.header("x-api-token", "api_token")
    | auth.oauth2(
        "https://oauth.pipedrive.com/oauth/token",
        authorize="https://oauth.pipedrive.com/oauth/authorize",
        scopes="base deals:full contacts:full activities:full search:read admin",
        client="basic",
        base="api_domain",
    ),
    signature=signature.basic(USER, "webhook_password", is_fixed=True),
    envelope=_items,
    failures=_failure,
    rate=rate("5 per second"),
)

PERSONS, PERSON = "/api/v2/persons", "/api/v2/persons/{id}"
DEALS, DEAL = "/api/v2/deals", "/api/v2/deals/{id}"
ACTIVITIES, ACTIVITY = "/api/v2/activities", "/api/v2/activities/{id}"
NOTES, WEBHOOKS = "/api/v1/notes", "/api/v1/webhooks"
TURNED = pages.cursor("cursor", "additional_data.next_cursor")
KEY = re.compile("[0-9a-f]{40}")
# What was done may be written down late, and clocks differ.
LATE = timedelta(days=1)


# What comes in --------------------------------------------------------------------------------------------------------


class Way(Payload):
    """An e-mail address or a phone number."""

    value: str = ""
    primary: bool = False


def _first(addresses: list[Way]) -> str | None:
    ordered = sorted(addresses, key=lambda one: not one.primary)
    return next((one.value for one in ordered if one.value), None)


class Person(Payload):
    """A person. custom_fields: by their keys."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    emails: list[Way] = Field(default_factory=list)
    phones: list[Way] = Field(default_factory=list)
    marketing: str | None = Field(alias="marketing_status", default=None)
    custom_fields: dict[str, Any] | None = None
    add_time: UtcMoment | None = None
    update_time: UtcMoment | None = None

    def customer(self) -> Customer:
        return Customer(
            id=self.id,
            email=_first(self.emails),
            phone=_first(self.phones),
            first_name=self.first_name or None,
            last_name=self.last_name or None,
            consents={"email": False} if self.marketing == "unsubscribed" else {},
        )

    def known(self, connection: Connection) -> dict[str, Any]:
        """What every fact about a person says; fields that mirror points are our own word."""
        ours = {name.casefold() for name in connection.mirror.values()}
        named = connection.settings["custom_fields"].items()
        said = {name: _said((self.custom_fields or {}).get(key)) for name, key in named if not {name.casefold(), key} & ours}
        return {"customer": self.customer(), "attributes": {name: text for name, text in said.items() if text}}


def _said(value: Any) -> str:
    """A custom field's value as text: webhooks have it as an object with its type, the API as it is."""
    if isinstance(value, Mapping):
        value = next((value[part] for part in ("value", "id", "values") if value.get(part) is not None), None)
    if isinstance(value, list):
        return ", ".join(filter(None, map(_said, value)))
    return words(value)


def _person(client: Client, id: str | None) -> Customer | None:  # noqa: A002
    """A person by number, with the addresses by which other platforms know them; by number alone where they are gone."""
    if id is None:
        return None
    told = client.find(PERSON, at={"id": id}, query={"include_fields": "marketing_status"})
    return Person.model_validate(told["data"]).customer() if told else Customer(id=id)


class Deal(Payload):
    """A deal. status: open, won, lost or deleted."""

    id: str
    title: str | None = None
    value: Number | None = None
    currency: str | None = None
    status: str
    person: str | None = Field(alias="person_id", default=None)
    won_time: UtcMoment | None = None
    update_time: UtcMoment | None = None

    def known(self, client: Client) -> dict[str, Any]:
        """What every fact about a deal says."""
        return {
            "customer": _person(client, self.person),
            "references": (Reference(kind="deal", id=self.id),),
            "deal_id": self.id,
            "title": (self.title or "")[:512],
            "amount": self.value if self.currency else None,
            "currency": self.currency or None,
        }


class DealNotice(Payload):
    """A deal as it is now (none when it was deleted), and what it was before, as far as that was another."""

    meta: Meta = Meta()
    data: Deal | None = None
    previous: dict[str, Any] | None = None


@connector.trigger("deal.change", "deal.create", key="deal_id")
def deal_won(notice: DealNotice, client: Client) -> DealWon | None:
    """A deal was won."""
    deal, before = notice.data, {"status": ""} if notice.previous is None else notice.previous
    if deal is None or deal.status != "won" or before.get("status", "won") == "won":
        return None
    return DealWon(occurred_at=deal.won_time or deal.update_time, **deal.known(client))


class DealTakenBack(Fact):
    """A deal that was won is open again, lost or deleted."""

    deal_id: Short
    status: Short
    amount: Money | None = None
    currency: Currency | None = None
    title: Short = ""

    fact = "deal_taken_back"
    makes_member = False
    sample: ClassVar[dict[str, Any]] = DealWon.sample | {"status": "open"}


@connector.trigger("deal.change", "deal.delete", key=("deal_id", "occurred_at"))
def deal_taken_back(notice: DealNotice, item: Item, client: Client) -> DealTakenBack | None:
    """A deal that was won is open again, lost or deleted."""
    before = notice.previous or {}
    if before.get("status") != "won" or (notice.data and notice.data.status == "won") or notice.meta.merged_to_id:
        return None
    deal = notice.data or Deal.model_validate(before)
    status = notice.data.status if notice.data else "deleted"
    return DealTakenBack(occurred_at=item.at or deal.update_time, status=status, **deal.known(client))


class Participant(Payload):
    person: str | None = Field(alias="person_id", default=None)
    primary: bool = False


class Activity(Payload):
    """An activity. type: its key, such as call."""

    id: str
    subject: str | None = None
    type: str = ""
    done: bool
    person: str | None = Field(alias="person_id", default=None)
    deal: str | None = Field(alias="deal_id", default=None)
    participants: list[Participant] = Field(default_factory=list)
    done_time: UtcMoment | None = Field(alias="marked_as_done_time", default=None)
    update_time: UtcMoment | None = None

    def known(self, client: Client) -> dict[str, Any]:
        """What every fact about an activity says; who takes part, else whose deal it is."""
        taking_part = sorted(self.participants, key=lambda one: not one.primary)
        person = self.person or next((one.person for one in taking_part if one.person), None)
        if person is None and self.deal:
            told = client.find(DEAL, at={"id": self.deal})
            person = Deal.model_validate(told["data"]).person if told else None
        about = (Reference(kind="activity", id=self.id), *([Reference(kind="deal", id=self.deal)] if self.deal else []))
        return {"occurred_at": self.done_time or self.update_time, "customer": _person(client, person), "references": about}


class ActivityNotice(Payload):
    """An activity as it is now, and what it was before, as far as that was another."""

    data: Activity
    previous: dict[str, Any] | None = None

    @property
    def is_new(self) -> bool:
        """Whether it was done just now."""
        return self.data.done and (self.previous is None or not self.previous.get("done", True))


class ActivityDone(Fact):
    """An activity, such as a call or a visit, was done. type: its key."""

    activity_id: Short
    type: Short = ""
    subject: Short = ""
    deal_id: Short | None = None

    fact = "activity_done"
    sample: ClassVar[dict[str, Any]] = {
        "occurred_at": "2026-02-06T21:27:34Z",
        "customer": JobCompleted.sample["customer"],
        "activity_id": "8",
        "type": "call",
        "subject": "How was it?",
    }


@connector.trigger("activity.change", "activity.create", key="activity_id")
def activity_done(notice: ActivityNotice, settings: Settings, client: Client) -> ActivityDone | None:
    """An activity was done that is no job."""
    done = notice.data
    if not notice.is_new or done.type in settings["job_types"]:
        return None
    subject = (done.subject or "")[:512]
    return ActivityDone(**done.known(client), activity_id=done.id, type=done.type, subject=subject, deal_id=done.deal)


@connector.trigger("activity.change", "activity.create", key="job_id")
def job_completed(notice: ActivityNotice, settings: Settings, client: Client) -> JobCompleted | None:
    """A job was finished: an activity of one of the connection's `job_types` was done."""
    done = notice.data
    if not notice.is_new or done.type not in settings["job_types"]:
        return None
    return JobCompleted(**done.known(client), job_id=done.id, title=(done.subject or "")[:512])


class PersonNotice(Payload):
    """A person as they are now (none who was deleted), and what was another before."""

    meta: Meta = Meta()
    data: Person | None = None
    previous: dict[str, Any] | None = None


class PersonChanged(CustomerChanged):
    """A person is new, or not as they were read before. version: of what is read."""

    version: Short


READ = {"first_name", "last_name", "emails", "phones", "marketing_status", "custom_fields"}


@connector.trigger("person.create", "person.change", key=("customer.id", "version"))
def person_changed(notice: PersonNotice, connection: Connection) -> PersonChanged | None:
    """A person is new, or their name, addresses or another field that is read has changed."""
    person = notice.data
    is_elsewhere = notice.previous and not READ & notice.previous.keys()
    if person is None or is_elsewhere or notice.meta.is_echo(connection.settings):
        return None
    known, is_new = person.known(connection), person.add_time is not None and person.add_time == person.update_time
    return PersonChanged(occurred_at=person.update_time, created=is_new, version=digest(known), **known)


@connector.trigger("person.delete", key=("customer.id", "merged_ids"))
def persons_merged(notice: PersonNotice) -> CustomersMerged | None:
    """Two persons became one."""
    stays = notice.meta.merged_to_id
    return CustomersMerged(customer=Customer(id=stays), merged_ids=(notice.meta.entity_id,)) if stays else None


@connector.trigger("person.delete", key="customer.id")
def person_deleted(notice: PersonNotice) -> CustomerChanged | None:
    """A person was deleted."""
    gone = Customer(id=notice.meta.entity_id)
    return None if notice.meta.merged_to_id else CustomerChanged(customer=gone, deleted=True)


def _listed(client: Client, path: str, since: datetime, **more: Any) -> Iterator[Mapping[str, Any]]:
    """What was changed since a moment, the oldest change first."""
    query = {"updated_since": since.replace(microsecond=0), "sort_by": "update_time", "limit": 500, **more}
    return client.pages(path, items="data", next=TURNED, query=query)


@connector.pull(deal_won)
def won_deals(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Deals that were won since a moment; of those that were won before, later changes are no news."""
    for row in _listed(client, DEALS, since, status="won"):
        deal = Deal.model_validate(row)
        if deal.won_time is None or deal.won_time >= since - LATE:
            yield {"data": row, "previous": {"status": "open"}}


def _done(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    for row in _listed(client, ACTIVITIES, since, done=True):
        done = Activity.model_validate(row).done_time
        if done is None or done >= since - LATE:
            yield {"data": row, "previous": {"done": False}}


@connector.pull(activity_done)
def done_activities(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Activities that were done since a moment."""
    return _done(client, since)


@connector.pull(job_completed)
def completed_jobs(client: Client, settings: Settings, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Jobs that were finished since a moment."""
    return _done(client, since) if settings["job_types"] else iter(())


@connector.pull(person_changed)
def changed_persons(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Persons who are new or were changed since a moment."""
    for row in _listed(client, PERSONS, since, include_fields="marketing_status"):
        yield {"data": row}


@connector.subscribe(renew="1 day")
def subscribe(client: Client, connection: Connection) -> None:
    """Registers a webhook for deals, activities and persons each; those that are there and well are left as they are."""
    password = connection.settings.secret("webhook_password")
    if password is None:
        raise CallFailed("Write a long random text into `webhook_password` first: it proves what Pipedrive tells.", "lasting")
    access = {"http_auth_user": USER, "http_auth_password": password.reveal()}
    # Named after what it was made with, for Pipedrive changes no webhook.
    name = f"Loyalty hub {digest([connection.webhook_url, access])[:8]}"
    there = _ours(client, connection)
    well = {row["event_object"]: row for row in there if row.get("name") == name and row.get("is_active") == 1}
    for row in there:
        if row not in well.values():
            client.delete(f"{WEBHOOKS}/{{id}}", at={"id": row["id"]})
    told = {"subscription_url": connection.webhook_url, "event_action": "*", "name": name, "version": "2.0", **access}
    for entity in ("deal", "activity", "person"):
        if entity not in well:
            client.post(WEBHOOKS, json={**told, "event_object": entity})


@connector.unsubscribe
def unsubscribe(client: Client, connection: Connection) -> None:
    """Takes our webhooks back."""
    for row in _ours(client, connection):
        client.delete(f"{WEBHOOKS}/{{id}}", at={"id": row["id"]})


def _ours(client: Client, connection: Connection) -> list[dict[str, Any]]:
    return [row for row in client.get(WEBHOOKS)["data"] or [] if row.get("subscription_url") == connection.webhook_url]


# What goes out --------------------------------------------------------------------------------------------------------

Kind = Literal["person", "deal"]
PersonId = Annotated[str, Field(description="the person's id, such as {{ event.customer.id }}", pattern="^[0-9]+$")]
DealId = Annotated[str, Field(description="the deal's id, such as {{ event.deal_id }}", pattern="^[0-9]+$")]
Address = Annotated[str, Field(description="the e-mail address by which the person is found, or made", pattern=r"^\S+@\S+$")]
Texts = Annotated[
    dict[str, str], Field(description="custom fields by name or key; of a field with options the option; empty clears one")
]
Numbers = Annotated[dict[str, Points | Number], Field(description="number fields by name or key, such as {{ member.balance }}")]


class Option(Payload):
    id: int | str
    label: str = ""


class CustomField(Payload):
    """A custom field, as Pipedrive lists it. options: of what can be chosen."""

    name: str = Field(alias="field_name")
    code: str = Field(alias="field_code")
    type: str = Field(alias="field_type")
    options: list[Option] | None = None

    def value(self, text: str) -> Any:
        """What is written for a text: of a field with options their numbers. CallFailed when there is no such option."""
        if self.type not in {"enum", "set"} or not text:
            return text or None
        wanted = [text] if self.type == "enum" else [part.strip() for part in text.split(",")]
        known = {option.label.casefold(): option.id for option in self.options or ()}
        if unknown := [label for label in wanted if label.casefold() not in known]:
            has = ", ".join(option.label for option in self.options or ())
            raise CallFailed(f"The field `{self.name}` has no option `{unknown[0]}`; it has {has}.", "lasting")
        chosen = [known[label.casefold()] for label in wanted]
        return chosen[0] if self.type == "enum" else chosen

    def shown(self, value: Any) -> str:
        """What people see for a value."""
        labels = {str(option.id): option.label for option in self.options or ()}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(one), _said(one)) for one in chosen)


def _fields(client: Client, kind: Kind) -> dict[str, CustomField]:
    """The custom fields that there are, by their names."""
    rows = client.pages(f"/api/v2/{kind}Fields", items="data", next=TURNED, query={"limit": 500})
    found = [CustomField.model_validate(row) for row in rows if row.get("is_custom_field")]
    return {field.name.casefold(): field for field in found}


def _keyed(
    names: Iterable[str], settings: Settings, kind: Kind, listed: Callable[[], Mapping[str, CustomField]]
) -> dict[str, str]:
    """The keys of custom fields by the names in use. CallFailed when there is no such field."""
    own = {name: settings["custom_fields"].get(name, name.casefold()) for name in names}
    keys = field_keys(own, own, key=KEY, listed=lambda: {name: field.code for name, field in listed().items()})
    if gone := [name for name in own if name not in keys]:
        raise CallFailed(f"Pipedrive has no {kind} field `{gone[0]}`. Make it under Company settings > Data fields.", "lasting")
    return keys


def _values(
    client: Client, settings: Settings, kind: Kind, fields: Mapping[str, str], numbers: Mapping[str, Any]
) -> Exactly | None:
    """Custom fields as they are written; what fields there are is asked for where a key is not known."""
    there: dict[str, CustomField] = {}

    def listed() -> Mapping[str, CustomField]:
        there.update(_fields(client, kind))
        return there

    keys = _keyed([*fields, *numbers], settings, kind, listed)
    by_key = {field.code: field for field in there.values()}
    values: dict[str, Any] = {keys[name]: number for name, number in numbers.items()}
    for name, text in fields.items():
        field = by_key.get(keys[name])
        values[keys[name]] = field.value(text) if field else text or None
    return Exactly(values) or None


class Kept(Payload):
    """A person or deal as Pipedrive keeps it. is_new: it was not there before."""

    id: str
    is_new: bool = False


@connector.action(repeat="safe")
def update_person(
    client: Client,
    settings: Settings,
    *,
    person: PersonId,
    fields: Texts = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006  # never changed
) -> Kept:
    """Set custom fields of a person, such as their points and tier."""
    values = _values(client, settings, "person", fields, numbers)
    return Kept.model_validate(client.patch(PERSON, at={"id": person}, json={"custom_fields": values})["data"])


@connector.action(repeat="safe")
def update_deal(
    client: Client,
    settings: Settings,
    *,
    deal: DealId,
    fields: Texts = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006  # never changed
) -> Kept:
    """Set custom fields of a deal, such as the points that it earned."""
    values = _values(client, settings, "deal", fields, numbers)
    return Kept.model_validate(client.patch(DEAL, at={"id": deal}, json={"custom_fields": values})["data"])


def _found(client: Client, address: str) -> str | None:
    """The number of the oldest person with an e-mail address."""
    query = {"term": address, "fields": "email", "exact_match": True, "limit": 100}
    items = [row["item"] for row in client.get(f"{PERSONS}/search", query=query)["data"]["items"]]
    same = [int(item["id"]) for item in items if email(address) in map(email, item.get("emails") or ())]
    return str(min(same)) if same else None


@connector.action(repeat="safe")
def upsert_person(
    client: Client,
    settings: Settings,
    *,
    address: Address,
    name: Annotated[str, "the whole name"] = "",
    phone: Annotated[str, "the phone number of a new person; those of a person who is there are left as they are"] = "",
    fields: Texts = {},  # noqa: B006  # never changed
    numbers: Numbers = {},  # noqa: B006  # never changed
) -> Kept:
    """Set the name and custom fields of the person with an e-mail address; makes the person where there is none."""
    values = _values(client, settings, "person", fields, numbers)
    with client.alone("persons"):
        known = _found(client, address)
        if known is not None:
            changed = {"name": name or None, "custom_fields": values}
            return Kept.model_validate(client.patch(PERSON, at={"id": known}, json=changed)["data"])
        emails, phones = ([{"value": text, "primary": True}] if text else None for text in (address, phone))
        made = {"name": name or address, "emails": emails, "phones": phones, "custom_fields": values}
        return Kept(id=str(client.post(PERSONS, json=made, safe=False)["data"]["id"]), is_new=True)


@connector.mirror(update_person)
def as_person(one: Mirrored) -> dict[str, Any] | None:
    """The person that shows a member's points."""
    known = (one.customer.id or "").isdecimal()
    return {"person": one.customer.id, "fields": one.others, "numbers": one.numbers} if known else None


@connector.mirrored(batch=100)
def person_fields(client: Client, settings: Settings, many: list[Mirrored]) -> list[Shown | None]:
    """What persons' fields say; a person whose number is not known is looked for where the connection says so."""
    numbers = [_number(client, settings, one) for one in many]
    known = ",".join(dict.fromkeys(filter(None, numbers)))
    if not known:
        return [None] * len(many)
    there = _fields(client, "person")
    by_key = {field.code: field for field in there.values()}
    keys = _keyed({name for one in many for name in one.fields}, settings, "person", lambda: there)
    query = {"ids": known, "custom_fields": ",".join(sorted(set(keys.values()))), "limit": 100}
    rows = {str(row["id"]): row.get("custom_fields") or {} for row in client.get(PERSONS, query=query)["data"] or ()}

    def shown(name: str, row: Mapping[str, Any]) -> Any:
        key = keys[name]
        return by_key[key].shown(row.get(key)) if key in by_key else row.get(key)

    return [
        Shown({name: shown(name, rows[number]) for name in one.fields}, number) if number in rows else None
        for one, number in zip(many, numbers, strict=True)
    ]


def _number(client: Client, settings: Settings, one: Mirrored) -> str | None:
    if (one.customer.id or "").isdecimal():
        return one.customer.id
    address = email(one.customer.email)
    return _found(client, address) if address and settings["find_by_address"] else None


class Made(Payload):
    """A note or activity."""

    id: str


def _about(person: str | None, deal: str | None) -> dict[str, int]:
    """Whom or what it is about. CallFailed when neither is said."""
    about = {"person_id": int(person) if person else None, "deal_id": int(deal) if deal else None}
    told = {name: number for name, number in about.items() if number is not None}
    if not told:
        raise CallFailed("The step says neither `person` nor `deal`, so it is not known whom it is about.", "lasting")
    return told


@connector.action(repeat="never")
def add_note(
    client: Client,
    *,
    text: Annotated[str, Field(description="what to write", min_length=1, max_length=60_000)],
    person: Annotated[PersonId | None, Field(description="the person's id, such as {{ event.customer.id }}")] = None,
    deal: Annotated[DealId | None, Field(description="the deal's id, such as {{ event.deal_id }}")] = None,
) -> Made:
    """Write a note on a person or a deal."""
    note = {"content": html.escape(text, quote=False).replace("\n", "<br>"), **_about(person, deal)}
    return Made.model_validate(client.post(NOTES, json=note)["data"])


@connector.lookup(add_note)
def noted_before(client: Client, started: datetime, *, text: str, person: str | None, deal: str | None) -> Made | None:
    """Pipedrive has no idempotency key; what tells a note is whose it is, since when, and its text."""
    query = {**_about(person, deal), "sort": "add_time DESC", "limit": 100}
    for row in client.get(NOTES, query=query)["data"] or ():
        said = html.unescape(re.sub("<[^>]*>", " ", row.get("content") or ""))
        if utc(row["add_time"]) >= started - timedelta(minutes=1) and said.split() == text.split():
            return Made.model_validate(row)
    return None


@connector.action(repeat="never")
def create_activity(
    client: Client,
    *,
    subject: Annotated[str, Field(description="what is to be done", min_length=1, max_length=255)],
    type: Annotated[str, "the type's key, such as task or call"] = "task",  # noqa: A002
    person: Annotated[PersonId | None, Field(description="the person's id, such as {{ event.customer.id }}")] = None,
    deal: Annotated[DealId | None, Field(description="the deal's id, such as {{ event.deal_id }}")] = None,
    due: Annotated[date | None, "the day on which it is to be done"] = None,
    note: Annotated[str, "more about it"] = "",
) -> Made:
    """Give the staff something to do about a person or a deal, such as a call."""
    about = _about(person, deal)
    taking_part = [{"person_id": about["person_id"], "primary": True}] if "person_id" in about else None
    wanted = {"subject": subject, "type": type, "due_date": due, "deal_id": about.get("deal_id"), "participants": taking_part}
    escaped = html.escape(note, quote=False).replace("\n", "<br>") or None
    return Made.model_validate(client.post(ACTIVITIES, json={**wanted, "note": escaped})["data"])


@connector.lookup(create_activity)
def created_before(
    client: Client,
    started: datetime,
    *,
    subject: str,
    type: str,  # noqa: A002
    person: str | None,
    deal: str | None,
) -> Made | None:
    """What tells an activity is whose it is, since when, its type and its subject."""
    began = started.replace(microsecond=0) - timedelta(minutes=1)
    for row in client.get(ACTIVITIES, query={**_about(person, deal), "updated_since": began, "limit": 500})["data"] or ():
        if utc(row["add_time"]) >= began and (row["subject"], row["type"]) == (subject, type):
            return Made.model_validate(row)
    return None


# Recorded truth -------------------------------------------------------------------------------------------------------

FLEET = "b917cef9b5c2f52230a0fe1f0d29284909b76d15"
POINTS, TIER = "9dc80c50d78a15643bfc4ca79d76156a73a1ca0e", "0de1f0d29284909b76d15b917cef9b5c2f52230a"
SINCE = "2026-02-06T00:00:00+00:00"


def _told(entity: str, action: str, data: Any, previous: Any, **meta: Any) -> dict[str, Any]:
    """A webhook of version 2."""
    about = {
        "id": "6ba407fc-006d-4556-9804-8298e584a288",
        "entity": entity,
        "action": action,
        "entity_id": str((data or previous)["id"]),
        "timestamp": "2026-02-06T21:27:35.057Z",
        "version": "2.0",
        "attempt": 1,
        "company_id": "6083095",
        "user_id": "7",
        "change_source": "app",
    }
    return {"meta": about | meta, "data": data, "previous": previous}


DEAL_ROW = {
    "id": 9001,
    "title": "Fleet of six",
    "value": 1250.5,
    "currency": "EUR",
    "status": "won",
    "person_id": 501,
    "won_time": "2026-02-06T21:27:34Z",
    "update_time": "2026-02-06T21:27:34Z",
}
ADA = {
    "id": 501,
    "name": "Ada Ng",
    "first_name": "Ada",
    "last_name": "Ng",
    "emails": [{"value": "ada@home.example", "primary": False}, {"value": "ada@example.com", "primary": True, "label": "work"}],
    "phones": [{"value": "+14155550123", "primary": True, "label": "mobile"}],
    "add_time": "2026-02-06T21:20:00Z",
    "update_time": "2026-02-06T21:27:34Z",
    "custom_fields": {FLEET: 6},
}
CALL = {
    "id": 8,
    "subject": "How was it?",
    "type": "call",
    "done": True,
    "deal_id": 9001,
    "participants": [{"person_id": 501, "primary": True}],
    "marked_as_done_time": "2026-02-06 21:27:34",
    "update_time": "2026-02-06T21:27:34Z",
}
WON = _told("deal", "change", DEAL_ROW, {"status": "open", "won_time": None})
REOPENED = _told("deal", "change", DEAL_ROW | {"status": "open"}, {"status": "won"})
CALLED = _told("activity", "change", CALL, {"done": False})
REPAIRED = _told("activity", "change", CALL | {"type": "repair", "subject": "Brakes"}, {"done": False})
RENAMED = _told("person", "change", ADA, {"last_name": "Lee"})
DELETED = _told("person", "delete", None, ADA)
GET_ADA, GET_DEAL = ask("GET /api/v2/persons/501"), ask("GET /api/v2/deals/9001")
HER = {"id": "501", "email": "ada@example.com", "phone": "+14155550123", "first_name": "Ada"}
KNOWN = {"is_custom_field": True, "is_optional_response_field": False}
OPTIONS = {"field_type": "enum", "options": [{"id": 27, "label": "Gold"}, {"id": 28, "label": "Silver"}]}
LISTED = {
    "success": True,
    "data": [
        KNOWN | {"field_name": "Loyalty points", "field_code": POINTS, "field_type": "double"},
        KNOWN | {"field_name": "Tier", "field_code": TIER, **OPTIONS},
        KNOWN | {"field_name": "Name", "field_code": "name", "field_type": "varchar", "is_custom_field": False},
    ],
    "additional_data": {"next_cursor": None},
}
VALUES = {"fields": {"Tier": "Gold"}, "numbers": {"Loyalty points": 120}}
KEYED = {"custom_fields": {TIER: 27, POINTS: 120}}
SHOWN = {"fields": {"Loyalty points": 120, "Tier": "Gold"}}
NOTE = {"person": "501", "text": "Redeemed <Oil change>\nat the counter"}
THANK = {"person": "501", "subject": "Thank Ada", "due": "2026-02-10"}


def _ok(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data}


def _page(*rows: Any) -> dict[str, Any]:
    return {"success": True, "data": list(rows), "additional_data": {}}


def _asked(path: str, **query: Any) -> Any:
    return ask(f"GET {path}", query={"updated_since": "2026-02-06T00:00:00Z", "sort_by": "update_time", **query})


WORTH = {"deal_id": "9001", "amount": "1250.5", "currency": "EUR", "customer": HER}
connector.sample(deal_won, WON, asks=GET_ADA, reply=_ok(ADA), gives=WORTH)
connector.sample(deal_won, _told("deal", "change", DEAL_ROW, {"value": 900}), gives=None, note="won before, and changed since")
connector.sample(deal_taken_back, REOPENED, asks=GET_ADA, reply=_ok(ADA), gives=WORTH | {"status": "open"})
connector.sample(
    activity_done,
    CALLED,
    asks=GET_ADA,
    reply=_ok(ADA),
    gives={"activity_id": "8", "type": "call", "deal_id": "9001", "customer": HER},
)
connector.sample(
    job_completed, REPAIRED, asks=GET_ADA, reply=_ok(ADA), gives={"job_id": "8", "title": "Brakes", "customer": HER}
)
connector.sample(person_changed, RENAMED, gives={"customer": HER, "attributes": {"fleet": "6"}})
connector.sample(person_deleted, DELETED, gives={"customer": {"id": "501"}, "deleted": True})
connector.sample(
    persons_merged,
    DELETED | {"meta": DELETED["meta"] | {"merged_to_id": "499"}},
    gives={"customer": {"id": "499"}, "merged_ids": ["501"]},
)
connector.sample(
    won_deals,
    SINCE,
    asks=[_asked(DEALS, status="won"), GET_ADA],
    reply=[_page(DEAL_ROW | {"id": 7, "won_time": "2025-02-06T21:27:34Z"}, DEAL_ROW), _ok(ADA)],
    gives=WORTH,
)
connector.sample(
    done_activities,
    SINCE,
    asks=[_asked(ACTIVITIES, done=True), GET_ADA],
    reply=[_page(CALL, CALL | {"id": 9, "type": "repair"}), _ok(ADA)],
    gives={"activity_id": "8", "customer": HER},
)
connector.sample(
    completed_jobs,
    SINCE,
    asks=[_asked(ACTIVITIES, done=True), GET_ADA],
    reply=[_page(CALL, CALL | {"id": 9, "type": "repair"}), _ok(ADA)],
    gives={"job_id": "9", "customer": HER},
)
connector.sample(
    changed_persons,
    SINCE,
    asks=[_asked(PERSONS), _asked(PERSONS, cursor="c-2")],
    reply=[_page(ADA) | {"additional_data": {"next_cursor": "c-2"}}, _page(ADA | {"id": 502})],
    gives=[{"customer": {"id": "501"}}, {"customer": {"id": "502"}}],
)
connector.sample(
    update_person,
    {"person": "501", **VALUES},
    asks=["GET /api/v2/personFields", ask("PATCH /api/v2/persons/501", json=KEYED)],
    reply=[LISTED, _ok(ADA)],
    gives={"id": "501"},
)
connector.sample(
    update_deal,
    {"deal": "9001", **VALUES},
    asks=["GET /api/v2/dealFields", ask("PATCH /api/v2/deals/9001", json=KEYED)],
    reply=[LISTED, _ok(DEAL_ROW)],
    gives={"id": "9001"},
)
SEARCH = ask("GET /api/v2/persons/search", query={"term": "ada@example.com", "fields": "email", "exact_match": True})
UPSERT = {"address": "ada@example.com", "name": "Ada Ng", "phone": "+14155550123", "numbers": {"fleet": 7}}
connector.sample(
    upsert_person,
    UPSERT,
    asks=[SEARCH, ask("PATCH /api/v2/persons/501", json={"name": "Ada Ng", "custom_fields": {FLEET: 7}})],
    reply=[_ok({"items": [{"item": {"id": 501, "emails": ["Ada@example.com"]}}]}), _ok(ADA)],
    gives={"id": "501", "is_new": False},
)
connector.sample(
    upsert_person,
    UPSERT,
    asks=[
        SEARCH,
        ask("POST /api/v2/persons", json={"name": "Ada Ng", "emails": [{"value": "ada@example.com", "primary": True}]}),
    ],
    reply=[_ok({"items": []}), _ok(ADA)],
    gives={"id": "501", "is_new": True},
)
connector.sample(
    as_person,
    {"customer": {"id": "501"}, **SHOWN},
    asks=["GET /api/v2/personFields", ask("PATCH /api/v2/persons/501", json=KEYED)],
    reply=[LISTED, _ok(ADA)],
    gives={"person": "501", "fields": {"Tier": "Gold"}, "numbers": {"Loyalty points": 120}},
)
connector.sample(
    person_fields,
    {"customer": {"id": "501"}, **SHOWN},
    asks=["GET /api/v2/personFields", ask("GET /api/v2/persons", query={"ids": "501"})],
    reply=[LISTED, _page(ADA | {"custom_fields": {POINTS: 120, TIER: 27}})],
    gives={"id": "501", "fields": {"Loyalty points": "120", "Tier": "Gold"}},
)
connector.sample(
    add_note,
    NOTE,
    asks=ask(f"POST {NOTES}", json={"content": "Redeemed &lt;Oil change&gt;<br>at the counter", "person_id": 501}),
    reply=_ok({"id": 88}),
    gives={"id": "88"},
)
connector.sample(
    noted_before,
    NOTE,
    asks=ask(f"GET {NOTES}", query={"person_id": 501}),
    reply=_ok(
        [
            {"id": 89, "content": "Another", "add_time": "2026-02-06 21:29:00"},
            {"id": 88, "content": "<p>Redeemed &lt;Oil change&gt;<br>at the counter</p>", "add_time": "2026-02-06 21:28:00"},
        ]
    ),
    gives={"id": "88"},
)
connector.sample(
    create_activity,
    THANK,
    asks=ask(
        f"POST {ACTIVITIES}",
        json={
            "subject": "Thank Ada",
            "type": "task",
            "due_date": "2026-02-10",
            "participants": [{"person_id": 501, "primary": True}],
        },
    ),
    reply=_ok(CALL),
    gives={"id": "8"},
)
connector.sample(
    created_before,
    THANK,
    asks=ask(f"GET {ACTIVITIES}", query={"person_id": 501}),
    reply=_page(
        CALL | {"id": 9, "add_time": "2026-02-06T21:28:00Z"},
        CALL | {"subject": "Thank Ada", "type": "task", "add_time": "2026-02-06T21:28:00Z"},
    ),
    gives={"id": "8"},
)
