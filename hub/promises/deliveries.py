"""Promises about deliveries: the genuine is accepted and read, the forged refused, the unreadable explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.errors import CallFailed, Refused, Unreadable
from hub.promises.paths import changed, leaves, required, values
from hub.promises.trial import Trial, expect, matches, shown
from hub.sdk.connection import Connection
from hub.sdk.fact import Fact
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Request
from hub.sdk.sample import SAMPLE_NOW
from hub.sdk.trigger import Payload

DEEP = (b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500)
JUNK = (b"", b" ", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe\x00", b"a=%ff", *DEEP)
TORN = (
    "",
    " ",
    "x",
    "=",
    ",",
    "v1",
    "t=,v1=",
    "t=1,v1=zz",
    "Basic",
    "Basic !!!",
    "Basic eA==",
    "0",
    "-1",
    "9" * 40,
    "a" * 9000,
)
NOT_ASCII = ("é", "☃", "sha256=é", "t=1,v1=ü", "\udc80", "v1,ß")
ODD_VALUES: tuple[Any, ...] = (None, [], {}, "", "NaN", "-1", -1, 10**30, True, "x" * 20_000)
LEAVES_MOST = 40


def accepts_the_genuine(trial: Trial) -> None:
    """A genuine delivery is accepted, signed with any of its current secrets."""
    proof = trial.connector.signature
    if proof is None:
        return
    old, other = proof.examples(), proof.examples("2")
    secret = {setting.name for setting in trial.connector.settings if setting.secret}
    rotated = trial.connection(**{name: [other[name], old[name]] for name in old if name in secret})
    for current in (old, other):
        trial.connector.verify(trial.signed(trial.connection(**current)), rotated, SAMPLE_NOW)


def gives_what_it_says(trial: Trial) -> None:
    """The sample is read as its own kind and gives what it says."""
    items = trial.items()
    expect(bool(items), "no item of the delivery is of this trigger's kind")
    expected = trial.told.gives
    many = [] if expected is None else list(expected) if isinstance(expected, list | tuple) else [expected]
    facts = _facts(trial)
    expect(len(facts) == len(many), f"it gives {len(facts)} facts and should give {len(many)}: {facts}")
    for fact, part in zip(facts, many, strict=True):
        expect(matches(fact, part), f"it gives {fact!r}, and should give {part!r}")


def asks_what_it_says(trial: Trial) -> None:
    """What it fetches besides is what the sample says."""
    play = Play(one_by_one(trial.told.replies))
    for item in trial.items():
        trial.facts(item, play=play)
    trial.expect_asked(play.calls)


def refuses_without_proof(trial: Trial) -> None:
    """A delivery with a part of its proof missing is refused."""
    for request in _unproven(trial):
        _expect_refused(trial, request, "a delivery without its whole proof")


def refuses_malformed_proof(trial: Trial) -> None:
    """A malformed or non-ASCII proof is refused, and nothing else happens."""
    signed = trial.signed()
    for name in _proof_headers(trial, signed):
        for value in (*TORN, *NOT_ASCII):
            _expect_refused(trial, signed.with_headers({name: value}), f"{name}: {value[:40]!r}")


def refuses_an_altered_body(trial: Trial) -> None:
    """A delivery that was altered on its way is refused."""
    proof, signed = trial.connector.signature, trial.signed()
    if proof is None or not proof.covers_body:
        return
    middle = len(signed.body) // 2
    flipped = signed.body[:middle] + bytes([signed.body[middle] ^ 1]) + signed.body[middle + 1 :]
    for body in (signed.body + b"x", flipped):
        _expect_refused(trial, replace(signed, body=body), "a body that was altered")


def refuses_another_secret(trial: Trial) -> None:
    """A delivery signed with another secret is refused."""
    proof = trial.connector.signature
    if proof is None or not proof.examples():
        return
    signed = trial.signed(trial.connection(**proof.examples("stranger")))
    _expect_refused(trial, signed, "a delivery that was signed with another secret")


def refuses_the_stale(trial: Trial) -> None:
    """A recorded delivery is refused after a while, and one from the future too."""
    tolerance = trial.connector.signature.tolerance if trial.connector.signature else None
    if tolerance is None:
        return
    for seconds in (tolerance + 60, -tolerance - 60):
        signed = trial.signed(now=SAMPLE_NOW + timedelta(seconds=seconds))
        _expect_refused(trial, signed, f"a delivery that is {abs(seconds)} seconds away")


def explains_junk(trial: Trial) -> None:
    """A body that is empty, torn, too deep or of another kind is unreadable, never a crash."""
    connection = trial.connection()
    for body in JUNK:
        for form in (True, False):
            junk = replace(trial.told, form=form).request(connection, SAMPLE_NOW, body)
            _read_quietly(trial, junk, connection)


def survives_odd_values(trial: Trial) -> None:
    """A value of another type, negative, huge or not a number is unreadable or harmless, never a crash."""
    for item in trial.items():
        for path in list(leaves(item.data))[:LEAVES_MOST]:
            for odd in ODD_VALUES:
                odder = replace(item, data=changed(item.data, path, odd))
                with suppress(Unreadable, CallFailed):
                    for fact in trial.facts(odder):
                        trial.connector.triggers[trial.told.of].key_of(fact)


def ignores_unknown_fields(trial: Trial) -> None:
    """Unknown fields change nothing."""
    expected = _facts(trial)
    body = trial.told.given
    added = {**body, "ZzUnknown": "1"} if isinstance(body, Mapping) else body
    expect(_facts(trial, trial.signed(body=added)) == expected, "an unknown field beside the others changes what it gives")
    for item, facts in zip(trial.items(), [trial.facts(item) for item in trial.items()], strict=True):
        if isinstance(item.data, dict):
            more = replace(item, data={**item.data, "ZzUnknown": {"a": [1]}})
            expect(trial.facts(more) == facts, "an unknown field in the data changes what it gives")


def names_a_missing_field(trial: Trial) -> None:
    """A missing field is named with its path."""
    kinds = trial.connector.triggers[trial.told.of].contract.handed.values()
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Payload)]
    for item in trial.items():
        for path in (path for model in models for path in required(model, item.data)):
            name = ".".join(path)
            try:
                trial.facts(replace(item, data=changed(item.data, path)))
            except Unreadable as error:
                expect(name in str(error), f"without `{name}` it says only: {error}")
            else:
                expect(False, f"without `{name}`, which the model requires, it is read all the same")


def keeps_facts_whole(trial: Trial) -> None:
    """A fact survives JSON unchanged, holds no float, and all its times have a zone."""
    for fact in _facts(trial):
        again = type(fact).model_validate_json(fact.model_dump_json())
        expect(again == fact, f"{fact!r} comes back as {again!r}")
        for value in values(fact.model_dump()):
            expect(not isinstance(value, float), f"{value!r} is a float")
            expect(not isinstance(value, datetime) or value.tzinfo is not None, f"{value!r} has no time zone")


def knows_it_again(trial: Trial) -> None:
    """Told twice, it is the same fact under the same key."""
    trigger = trial.connector.triggers[trial.told.of]
    first, second = [[trigger.key_of(fact) for fact in _facts(trial)] for _ in range(2)]
    expect(first == second, f"its key is {first} at first and {second} then")
    expect(all(first), "its key is empty")


def keeps_no_secret(trial: Trial) -> None:
    """What is kept of a delivery, and what is said of a forged one, shows no secret."""
    connection, signed = trial.connection(), trial.signed()
    kept = trial.connector.strip(signed)
    expect(not shown(kept, connection), "the delivery as it is kept shows a secret")
    try:
        trial.connector.verify(replace(signed, body=signed.body + b"x", headers={}), connection, SAMPLE_NOW)
    except Refused as error:
        expect(not shown(error, connection), "the refusal shows a secret")


def answers_the_platform(trial: Trial) -> None:
    """A delivery that is kept is answered with 2xx."""
    answer = trial.connector.answer(trial.signed(), trial.connection())
    expect(200 <= answer.status < 300, f"it is answered with {answer.status}")


PROMISES = (
    accepts_the_genuine,
    gives_what_it_says,
    asks_what_it_says,
    refuses_without_proof,
    refuses_malformed_proof,
    refuses_an_altered_body,
    refuses_another_secret,
    refuses_the_stale,
    explains_junk,
    survives_odd_values,
    ignores_unknown_fields,
    names_a_missing_field,
    keeps_facts_whole,
    knows_it_again,
    keeps_no_secret,
    answers_the_platform,
)


def _facts(trial: Trial, request: Request | None = None) -> list[Fact]:
    play = Play(one_by_one(trial.told.replies))
    return [fact for item in trial.items(request) for fact in trial.facts(item, play=play)]


def _expect_refused(trial: Trial, request: Request, what: str) -> None:
    try:
        trial.connector.verify(request, trial.connection(), SAMPLE_NOW)
    except Refused:
        return
    expect(False, f"{what} is accepted")


def _proof_headers(trial: Trial, signed: Request) -> list[str]:
    plain = trial.told.request(trial.connection(), SAMPLE_NOW)
    return [name for name, value in signed.headers.items() if plain.headers.get(name) != value]


def _unproven(trial: Trial) -> Iterator[Request]:
    plain, signed = trial.told.request(trial.connection(), SAMPLE_NOW), trial.signed()
    for name in _proof_headers(trial, signed):
        yield replace(signed, headers={known: value for known, value in signed.headers.items() if known != name})
    if (signed.path, signed.query) != (plain.path, plain.query):
        yield replace(signed, path=plain.path, query=plain.query, url=plain.url)


def _read_quietly(trial: Trial, request: Request, connection: Connection) -> None:
    trial.connector.shake(request, connection)
    try:
        items = trial.connector.items(request, connection)
    except Unreadable:
        return
    for item in items:
        for trigger in trial.connector.triggers_for(item):
            if not trigger.poke and not trigger.thin_for(connection):
                with suppress(Unreadable):
                    trigger.read(item, connection)
