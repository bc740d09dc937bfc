"""REST: do what any JSON API can do, by endpoints that hub.yaml declares, and take facts from any program's own JSON.

Setup:
1. Which connector is it? A platform that has one of its own: that one. A program that can be taught the hub's own words:
   `webhook` (it posts `{"type": "sale", …}`, and is posted signed JSON). Reviews from anywhere: `reviews`. For everything else
   this one, with a name in hub.yaml: `garage: {connector: rest, …}`.
2. To do something: write the API's address into `url`, and how the hub shows who it is:
   - `token`, which goes out as `Authorization: Bearer …`, or elsewhere with `token_in`: `header X-Api-Key`, `header
     Authorization Token` (a word before it), `query key`, or `username` (of basic authentication, without a password);
   - or `username` and `password`; or `client_id`, `client_secret` and `token_url`, for OAuth 2 by client credentials.
3. Declare what recipes may do. Each becomes an action, `garage.add_note`, which `hub check` knows with its inputs:
     garage:
       connector: rest
       url: https://api.garage.example/v2
       token: "${GARAGE_TOKEN}"
       actions:
         add_note:
           does: POST /customers/{customer}/notes
           says: Writes a note on a customer's card.
           inputs:
             customer: text
             note: {type: text, about: what is written}
             worth: {type: money, optional: true}
           json: {text: "{note}", amount: {value: "{worth}", currency: EUR}}
           gives: {id: note.id, total: {path: note.total, type: money}}
   Types are text, number, integer, money, points, boolean, date, moment, texts (a list) and values (by name). `{note}` stands
   for an input: alone it keeps its type, within a text it is written out, and left out it is not sent. Without `json`, `form`
   and `query`, inputs go out under their own names: in the body, or with GET and DELETE in the query.
   - `repeat` says what may happen when an answer is lost: `safe`, as GET, PUT and DELETE are taken for; `never`, as POST and
     PATCH are, so that a person looks; `keyed` with `key: Idempotency-Key`, the header in which the API takes a key against
     doubles.
   - `channel: email` (or sms …) where it speaks to a member: it has an input `to`, and the hub's consent stands before it.
   - `ok_if: {status: done}` where the API answers 200 and means no.
4. To hear: tell the program {webhook_url} and a `webhook_secret`, `signing_key` or `webhook_token`, as it can sign (`reviews`
   says how), and say what its JSON means. Each becomes a trigger, `garage.job_done`:
       kind_at: event.type
       data_at: event.data
       hears:
         job_done: {kind: job.completed, means: job, id: id, email: customer.email, amount: total, currency: currency}
   `means` is sale, refund, invoice, job, deal, case, customer, activity or other. The other words say at which path, below
   `data_at`, stands what: customer (its id), email, phone, first_name, last_name, amount, currency, total, tax, points, number,
   title, at, due_on, of, references and attributes; `where` says what must be so. Of a delivery of many, `events_in` is the
   list.
5. A hub without a public address asks: `asks: GET /jobs`, `query: {updated_since: "{since}"}`, `items: data` for the path of
   the list, and if it has pages `page: {page: page, size: 100}`, `{cursor: after, at: meta.next}`, `{url: links.next}` or
   `{link: true}` (the header Link).

What is told: a record is known by its `id` (a person by what changed), so that webhooks and asking meet in one event. A kind
that nobody declared means nothing. What does not stand where it should is not guessed: a sale without an amount or a currency
cannot be read, and is shown.
What goes out: the API's words stand in errors, secrets never do. Other hosts are not called. An address inside the house needs
`allow_private: true`; `limit: 5 per second` keeps to what the API allows.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from hub.sdk import (
    CallFailed,
    CallKey,
    Client,
    Connector,
    Currency,
    Fact,
    Item,
    Moment,
    Money,
    Number,
    Points,
    Request,
    Settings,
    Unfit,
    Unreadable,
    json_text,
    words,
)
from hub.sdk.action import Channel
from hub.sdk.auth import Auth
from hub.sdk.declare import answers, ask, auth, pages, rate, secret, setting, signature
from hub.sdk.encode import plain
from hub.sdk.envelope import ITEMS_MOST, dig, found
from hub.sdk.parameters import Contract, Inputs, findings
from hub.sdk.reading import PRICED, Place, Reading, text_of
from hub.sdk.record_triggers import KINDS
from hub.sdk.records import Record

# What hub.yaml declares -----------------------------------------------------------------------------------------------

TYPES: Mapping[str, Any] = {
    "text": str, "number": Number, "integer": int, "money": Money, "points": Points, "boolean": bool, "date": date,
    "moment": Moment, "texts": list[str], "values": dict[str, Any],
}  # fmt: skip
Type = Literal["text", "number", "integer", "money", "points", "boolean", "date", "moment", "texts", "values"]
VERBS, REPEATED, IN_QUERY = {"GET", "POST", "PUT", "PATCH", "DELETE"}, {"GET", "PUT", "DELETE"}, {"GET", "DELETE"}
NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,63}", text) or text.startswith("model_"):
        raise ValueError("names are of small letters, numbers and `_`, such as `add_note`, and do not begin with `model_`")
    return text


Name = Annotated[str, AfterValidator(_name)]


class Declared(BaseModel):
    """A part of hub.yaml; names that there are not are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Input(Declared):
    """What a recipe fills in. about: a sentence on it. optional: left out, it is not sent; with a default, that is."""

    type: Type = "text"
    about: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None

    @field_validator("default")
    @classmethod
    def _is_one(cls, default: Any, told: ValidationInfo) -> Any:
        try:
            return None if default is None else TypeAdapter(_kind(**told.data)).validate_python(default)
        except ValidationError:
            raise ValueError(f"it is not as its type asks for it, {told.data.get('type')}") from None

    def field(self, name: str) -> Any:
        """As a field of a model."""
        about = self.about or f"{name.replace('_', ' ')}, as the API takes it"
        kind = _kind(self.type, self.choices)
        if self.default is None and not self.optional:
            return kind, Field(description=about)
        return kind | None, Field(self.default, description=about)


def _kind(type: Type = "text", choices: tuple[str, ...] = (), **_: Any) -> Any:  # noqa: A002  # the word of hub.yaml
    return Literal[choices] if choices else TYPES[type]


class Given(Declared):
    """What later steps of a recipe read of the answer: at which path, and of which type."""

    path: str
    type: Type = "text"


class Turning(Declared):
    """How a long list goes on: a number of the page, a cursor or the next page's address at a path, or the header Link."""

    page: str = ""
    size: Annotated[int, Field(ge=1)] = 100
    cursor: str = ""
    at: str = ""
    url: str = ""
    link: bool = False

    @model_validator(mode="after")
    def _is_one_way(self) -> Turning:
        ways = sum(map(bool, (self.page, self.cursor, self.url, self.link)))
        if self.model_fields_set and (ways != 1 or bool(self.cursor) != bool(self.at)):
            raise ValueError("say one of `page`, `cursor` with `at`, `url`, and `link: true`")
        return self

    def paging(self) -> Any:
        """As the client turns pages; where nothing is said of them, there is one."""
        if self.page:
            return pages.page_number(self.page, size=self.size)
        if self.cursor:
            return pages.cursor(self.cursor, self.at)
        if self.url:
            return pages.next_url(self.url)
        return pages.link_header() if self.link else lambda *_: None


def _short(key: str) -> BeforeValidator:
    """A text in place of a mapping is the one thing that matters in it."""
    return BeforeValidator(lambda said: {key: said} if isinstance(said, str) else said)


def _verb_and_path(text: str) -> str:
    verb, _, path = text.partition(" ")
    if verb not in VERBS or not re.fullmatch(r"(/[^\s/#?]*)+", path) or set("{}") & set(NAMED.sub("", path)):
        raise ValueError("write it as `POST /customers/{customer}/notes`; what belongs into the query has a place of its own")
    return text


class Endpoint(Declared):
    """Something that the API does. key: the header in which it takes a key against doubles."""

    says: str = ""
    inputs: dict[Name, Annotated[Input, _short("type")]] = Field(default_factory=dict)
    does: Annotated[str, AfterValidator(_verb_and_path)]
    sends: Any = Field(None, alias="json")
    form: dict[str, Any] | None = None
    query: dict[str, Any] | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    gives: dict[Name, Annotated[Given, _short("path")]] = Field(default_factory=dict)
    repeat: Literal["safe", "keyed", "never"] | None = None
    key: str = ""
    channel: Channel | None = None
    ok_if: dict[str, str | int | bool] = Field(default_factory=dict)

    @field_validator("does", "sends", "form", "query", "headers")
    @classmethod
    def _names_inputs(cls, template: Any, told: ValidationInfo) -> Any:
        if "inputs" not in told.data:  # they are wrong themselves
            return template
        inputs = told.data["inputs"]
        for name in _named(template):
            if name not in inputs:
                raise ValueError(f"`{{{name}}}` is none of its inputs; {', '.join(inputs) or 'there are none'}")
            if told.field_name == "does" and inputs[name].optional and inputs[name].default is None:
                raise ValueError(f"`{{{name}}}` is part of the address, so it cannot be optional")
        return template

    @model_validator(mode="after")
    def _goes_together(self) -> Endpoint:
        used = {name for part in (self.does, self.sends, self.form, self.query, self.headers) for name in _named(part)}
        unused = [name for name in self.inputs if name not in used and not (name == "to" and self.channel)]
        if unused and not self.is_plain:
            raise ValueError(f"its input `{unused[0]}` goes nowhere; put {{{unused[0]}}} where the API wants it")
        if self.sends is not None and self.form is not None:
            raise ValueError("it sends `json` or a `form`, not both")
        if self.repeats == "keyed" and not self.key:
            raise ValueError("it is keyed, so say in which header the API takes the key: `key: Idempotency-Key`")
        if self.channel and "to" not in self.inputs:
            raise ValueError(f"it speaks to members by {self.channel}, so it needs an input `to`, their address")
        return self

    @property
    def verb(self) -> str:
        return self.does.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.does.partition(" ")[2]

    @property
    def is_plain(self) -> bool:
        """Whether nothing is said of where inputs go: then they go under their own names."""
        return (self.sends, self.form, self.query) == (None, None, None)

    @property
    def repeats(self) -> Literal["safe", "keyed", "never"]:
        """What may happen when an answer is lost."""
        return self.repeat or ("keyed" if self.key else "safe" if self.verb in REPEATED else "never")


def _named(template: Any) -> Iterator[str]:
    """The inputs that stand in a template, however deep."""
    if isinstance(template, str):
        yield from NAMED.findall(template)
    children = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    for child in children:
        yield from _named(child)


def _asking(text: str) -> str:
    if not re.fullmatch(r"GET /[^\s{}#?]*", text):
        raise ValueError("write it as `GET /jobs`; what belongs into the query has a place of its own")
    return text


class Heard(Reading):
    """What a delivery of a kind means. id: of the record. asks: how its records are asked for, with {since} in the query."""

    kind: str = ""
    id: Place
    asks: Annotated[str, AfterValidator(_asking)] | None = None
    query: dict[str, Any] = Field(default_factory=dict)
    items: str = ""
    page: Turning = Turning()

    @model_validator(mode="after")
    def _is_whole(self) -> Heard:
        if self.means in PRICED and self.amount is None:
            raise ValueError(f"it means {self.means}, so say at which path its `amount` stands")
        if self.asks is None and self.model_fields_set & {"query", "items", "page"}:
            raise ValueError("`query`, `items` and `page` go with `asks`, which is missing")
        return self

    @field_validator("query")
    @classmethod
    def _since_alone(cls, query: dict[str, Any]) -> dict[str, Any]:
        if gone := sorted(set(_named(query)) - {"since"}):
            raise ValueError(f"`{{{gone[0]}}}` stands for nothing here; only {{since}} does")
        return query


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s{}\\#?]*)?", text):
        raise ValueError("write the whole address, such as https://api.example.com/v2")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


def _place_of_token(text: str) -> str:
    if not re.fullmatch(r"bearer|username|header [A-Za-z0-9-]+( [A-Za-z0-9-]+)?|query [A-Za-z0-9_.-]+", text):
        raise ValueError("write `bearer`, `header X-Api-Key`, `query api_key` or `username`")
    return text


TokenIn = Annotated[str, AfterValidator(_place_of_token)]
ACTIONS: Mapping[str, Any] = {
    "add_note": {
        "does": "POST /customers/{customer}/notes",
        "says": "Writes a note on a customer's card.",
        "inputs": {
            "customer": "text",
            "note": {"type": "text", "about": "what is written"},
            "worth": {"type": "money", "optional": True},
        },
        "json": {"text": "{note}", "tags": ["points", "for {note}"], "amount": {"value": "{worth}"}},
        "gives": {"id": "note.id", "total": {"path": "note.total", "type": "money"}},
        "key": "Idempotency-Key",
        "ok_if": {"status": "ok"},
    },
    "find_job": {
        "does": "GET /jobs",
        "inputs": {"number": "integer"},
        "gives": {"title": "jobs.0.title", "total": {"path": "jobs.0.total", "type": "money"}},
    },
    "close_job": {"does": "POST /jobs/{job}/close", "inputs": {"job": "text"}},
}
HEARS: Mapping[str, Any] = {
    "job_done": {
        "kind": "job.completed", "means": "job", "where": {"state": "done"}, "id": "id", "customer": "customer.id",
        "email": "customer.email", "phone": "customer.phone", "amount": "total", "currency": "currency", "title": "title",
        "at": "finished", "asks": "GET /jobs", "query": {"updated_since": "{since}", "state": "done"}, "items": "jobs",
    },
    "client_changed": {"means": "customer", "id": "id", "email": "email", "phone": "phone"},
}  # fmt: skip


def _items(request: Request, settings: Settings) -> Iterator[Item]:
    told = dig(request.content(), settings["events_in"])
    roots = told if settings["events_in"] or isinstance(told, list) else [told]
    if not isinstance(roots, list) or len(roots) > ITEMS_MOST:
        raise Unreadable(f"{_called(settings['events_in'])} should be a list of at most {ITEMS_MOST}, and is not.")
    for root in roots:
        kind, data = text_of(dig(root, settings["kind_at"])) if settings["kind_at"] else "", dig(root, settings["data_at"])
        if isinstance(data, Mapping):
            yield Item(kind, data)
        else:
            yield Item(kind, None, problem=f"{_called(settings['data_at'])} should have named fields, and has none.")


def _called(path: str) -> str:
    return f"`{path}`" if path else "The body"


def _rate(text: str) -> str:
    rate(text)
    return text


Limit = Annotated[str | None, AfterValidator(lambda text: text and _rate(text))]
SECRETS, PROOF = signature.any_source()

connector = Connector(
    "rest",
    title="REST",
    settings=setting("url", "the API's address", Address | None, default=None, example="https://api.garage.example/v2")
    + secret("token", "the key or token that the API knows the hub by", required=False)
    + setting("token_in", "where it goes: bearer, header NAME, query NAME or username", TokenIn, default="bearer")
    + setting("username", "for basic authentication", str | None, default=None)
    + secret("password", "for basic authentication", required=False)
    + setting("token_url", "where OAuth 2 tokens are asked for", Address | None, default=None)
    + setting("client_id", "for OAuth 2 by client credentials", str | None, default=None)
    + secret("client_secret", "for OAuth 2 by client credentials", required=False)
    + setting("scopes", "for OAuth 2, if the API wants any", str | None, default=None)
    + setting("headers", "sent with every call", dict[str, str], default={})
    + setting("limit", "how often it may be called, such as 5 per second", Limit, default=None)
    + setting("title", "what errors call the API", str | None, default=None)
    + setting("actions", "what recipes may do there, by name", dict[Name, Endpoint], default={}, example=ACTIONS)
    + SECRETS
    + setting("kind_at", "the path of the kind in a delivery", default="", example="event.type")
    + setting("data_at", "the path of what is told in a delivery", default="", example="event.data")
    + setting("events_in", "the path of the list in a delivery of many", default="", example="")
    + setting("currency", "of amounts that name none", Currency | None, default=None)
    + setting("hears", "what deliveries mean, by name", dict[Name, Heard], default={}, example=HEARS),
    signature=PROOF,
    envelope=_items,
)


@connector.fit
def fit(own: Connector, settings: Settings) -> None:
    """Makes of a connection what hub.yaml declares."""
    own.title = settings["title"] or "The API"
    own.api = (settings["url"],) if settings["url"] else ()
    own.auth, own.headers = _auth(settings), settings["headers"]
    own.rate = rate(settings["limit"]) if settings["limit"] else None
    asked = [("hears", name) for name, heard in settings["hears"].items() if heard.asks]
    for place, name in [*(("actions", name) for name in settings["actions"]), *asked]:
        if not settings["url"]:
            raise Unfit(place, f"`{name}` calls the API, and the connection has no `url`", "add the API's address", (name,))
    for name, endpoint in settings["actions"].items():
        _offer(own, name, endpoint)
    for name, heard in settings["hears"].items():
        _listen(own, name, heard, (heard.kind or name) if settings["kind_at"] else "")


def _auth(settings: Settings) -> Auth | None:
    ways = {"token_url": ("client_id", "client_secret"), "username": ("password",), "token": ()}
    said = [way for way in ways if settings[way]]
    for lacking in (name for way in said for name in ways[way] if not settings[name]):
        raise Unfit(said[0], f"`{said[0]}` goes with `{lacking}`, which is missing", f"add `{lacking}`")
    if len(said) > 1:
        raise Unfit(said[0], f"`{said[0]}` and `{said[1]}` are two ways to show who the hub is", "leave one of them away")
    if "token_url" in said:
        return auth.oauth2(settings["token_url"], grant="client_credentials", scopes=settings["scopes"] or "")
    if "username" in said:
        return auth.basic("username", "password")
    return _token(*settings["token_in"].split(" ")) if said else None


def _token(where: str, name: str = "", word: str = "") -> Auth:
    """How a token is shown, as `token_in` says."""
    if where == "query":
        return auth.query(name, "token")
    if where == "header":
        return auth.header(name, "token", prefix=f"{word} ".lstrip())
    return auth.basic("token") if where == "username" else auth.bearer("token")


# What comes in --------------------------------------------------------------------------------------------------------


def _listen(own: Connector, name: str, heard: Heard, kind: str) -> None:
    """Declares a trigger for what deliveries of a kind mean, and a pull where its records can be asked for."""
    means = KINDS[heard.means]

    def told(item: Item, settings: Settings) -> Fact | None:
        record = Record(name, text_of(dig(item.data, heard.id)), item.data, heard, told_at=item.at)
        if not record.holds():
            return None
        if not record.id:
            raise Unreadable(f"`{heard.id}` is empty, by which this {name} would be known.")
        return means.make(record if record.said(heard.currency) else replace(record, currency=settings["currency"]))

    def since(client: Client, since: datetime) -> Iterator[Mapping[str, Any]]:
        path, query = (heard.asks or "").partition(" ")[2], _filled(heard.query, {"since": since})
        yield from client.pages(path, items=heard.items, next=heard.page.paging(), query=query)

    told.__name__, told.__doc__ = name, means.told
    told.__annotations__["return"] = means.gives | None
    own.trigger(kind, key=means.key)(told)
    if heard.asks:
        since.__name__, since.__doc__ = f"{name}_since", means.asked
        own.pull(told)(since)


# What goes out --------------------------------------------------------------------------------------------------------


class Gave(BaseModel):
    """What an endpoint is declared to give."""

    model_config = ConfigDict(frozen=True)


def _model(name: str, base: type[BaseModel], fields: Mapping[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an API may call something `copy` or `json`
        return create_model("".join(map(str.capitalize, name.split("_"))), __base__=base, **fields)


def _offer(own: Connector, name: str, endpoint: Endpoint) -> None:
    """Declares an action that calls an endpoint."""
    inputs = _model(name, Inputs, {one: said.field(one) for one, said in endpoint.inputs.items()})
    fields = {one: (TYPES[said.type] | None, None) for one, said in endpoint.gives.items()}
    gives = _model(f"{name}_gave", Gave, fields) if fields else None

    def call(client: Client, key: CallKey, /, **said: Any) -> BaseModel | None:
        at = {one: _text(said[one]) for one in _named(endpoint.path)}
        headers = {name: _text(value) for name, value in _filled(endpoint.headers, said).items() if value is not None}
        headers |= {endpoint.key: key} if endpoint.key else {}
        reply = client.call(endpoint.verb, endpoint.path, at=at, headers=headers, **_sent(endpoint, said))
        for path, wanted in endpoint.ok_if.items():
            if (is_so := text_of(reply.find(path))) != text_of(wanted):
                no = f"`{path}` is {is_so or 'nothing'!r}, not {text_of(wanted)!r}"
                raise CallFailed(f"{own.title} answered {reply.status} to {endpoint.does}, and says that {no}.", "lasting")
        if gives is None:
            return None
        told = {one: _read(given, reply.find(given.path), client) for one, given in endpoint.gives.items()}
        try:
            gave: BaseModel = gives.model_validate(told)
        except ValidationError as error:
            problem = f"{own.title} did {endpoint.does}, but what it gave is not as declared: {findings(error)}"
            raise CallFailed(problem, "uncertain" if endpoint.repeats == "never" else "lasting") from None
        return gave

    sentence = (endpoint.says or f"Calls {endpoint.does}").rstrip(".") + "."
    handed = {"client": Client, "key": CallKey}
    contract = Contract(call, name, sentence, handed, inputs, () if gives is None else (gives,))
    own.offer(contract, repeat=endpoint.repeats, channel=endpoint.channel)


def _sent(endpoint: Endpoint, said: Mapping[str, Any]) -> dict[str, Any]:
    """What goes out, and where."""
    if not endpoint.is_plain:
        return {
            "json": _filled(endpoint.sends, said),
            "form": _filled(endpoint.form, said),
            "query": _filled(endpoint.query, said),
        }
    left = {name: value for name, value in said.items() if name not in set(_named(endpoint.path))}
    return {"query": left} if endpoint.verb in IN_QUERY else {"json": left} if left else {}


def _filled(template: Any, said: Mapping[str, Any]) -> Any:
    """A template with the inputs in it: alone in a text, one keeps its type."""
    if isinstance(template, Mapping):
        return {name: _filled(child, said) for name, child in template.items()}
    if isinstance(template, list):
        return [_filled(child, said) for child in template]
    if not isinstance(template, str):
        return template
    alone = NAMED.fullmatch(template)
    return said[alone[1]] if alone else NAMED.sub(lambda named: _text(said[named[1]]), template)


def _text(value: Any) -> str:
    return "" if value is None else json_text(value) if isinstance(value, list | Mapping) else plain(value)


def _read(given: Given, value: Any, client: Client) -> Any:
    """What stands in an answer, without our secrets: it is kept."""
    return client.struck(words(value)) if given.type == "text" and found(value) else value


# Recorded truth -------------------------------------------------------------------------------------------------------

POST_NOTE = "POST /v2/customers/c%207/notes"
NOTE = {"customer": "c 7", "note": "Came for oil", "worth": "12"}
DONE = {
    "id": 77, "total": "240.00", "currency": "USD", "state": "done", "title": "New clutch", "finished": "2026-02-06T21:27:34Z",
    "customer": {"id": "c7", "email": "ada@example.com", "phone": "+14155550123"},
}  # fmt: skip
JOB = {"job_id": "77", "amount": "240.00", "currency": "USD", "customer": {"id": "c7", "email": "ada@example.com"}}

connector.sample(
    "add_note", NOTE,
    asks=ask(POST_NOTE, json={"text": "Came for oil", "tags": ["points", "for Came for oil"], "amount": {"value": 12}},
             headers={"authorization": "Bearer example-token", "idempotency-key": "run_1/step_1"}),
    reply=answers(201, {"note": {"id": 5, "total": 12.5}, "status": "ok"}), gives={"id": "5", "total": "12.5"},
)  # fmt: skip
connector.sample(
    "add_note", {"customer": "c 7", "note": "Nothing"}, asks=ask(POST_NOTE, json={"text": "Nothing", "amount": {}}),
    reply={"status": "refused", "message": "no such customer"}, fails="lasting", note="200, and a refusal",
)  # fmt: skip
connector.sample("find_job", {"number": 77}, asks=ask("GET /v2/jobs", query={"number": "77"}), reply={"jobs": [DONE]},
                 gives={"title": "New clutch", "total": "240.00"})  # fmt: skip
connector.sample("close_job", {"job": "77"}, asks="POST /v2/jobs/77/close", reply=answers(204))
connector.sample("job_done", {"event": {"type": "job.completed", "data": DONE}}, gives=JOB | {"title": "New clutch"})
connector.sample("job_done", {"event": {"type": "job.completed", "data": DONE | {"state": "open"}}}, gives=None)
connector.sample("client_changed", {"event": {"type": "client_changed", "data": DONE["customer"]}},
                 gives={"customer": {"id": "c7", "email": "ada@example.com"}})  # fmt: skip
connector.sample(
    "job_done_since", "2026-02-06T00:00:00+00:00",
    asks=ask("GET /v2/jobs", query={"updated_since": "2026-02-06T00:00:00Z", "state": "done"}),
    reply={"jobs": [DONE]}, gives=JOB,
)  # fmt: skip
