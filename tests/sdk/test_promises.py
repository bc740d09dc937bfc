"""Promises: a connector that breaks one is found out, by the promise that it breaks."""

from __future__ import annotations

import importlib
import sys

import pytest

from connectors.twilio import connector as twilio
from hub import promises

GOOD = promises.scaffold("my_till")


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """The sentences of the promises that a changed scaffold breaks, with the reasons."""
    monkeypatch.syspath_prepend(tmp_path)

    def check(*changes: tuple[str, str]) -> dict[str, str]:
        source = GOOD
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        (tmp_path / "my_till.py").write_text(source)
        importlib.invalidate_caches()
        sys.modules.pop("my_till", None)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        outcomes = promises.check(importlib.import_module("my_till").connector)
        sys.modules.pop("my_till", None)
        return {outcome.promise: outcome.why for outcome in outcomes if not outcome.kept}

    return check


def test_the_scaffold_keeps_every_promise(broken):
    """A new connector begins whole, so that each change shows what it breaks."""
    assert broken() == {}


@pytest.mark.parametrize("name", ["My-Till", "class", "", "1st", "../x"])
def test_a_scaffold_wants_a_name(name):
    """A name that could not be a module is refused."""
    with pytest.raises(ValueError, match="not a name"):
        promises.scaffold(name)


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ("Setup: say", "Then say", "Setup part how to connect"),
        ("{webhook_url}", "the address", "where {webhook_url} is to be pasted"),
        ('"""Write a note on a person."""', '"""write"""', "has a sentence"),
        ('Annotated[str, "what to write down"]', "str", "input of an action has a sentence"),
        ('Annotated[str, "what to write down"]', 'Annotated[float | str, "what"]', "without floats"),
        ("connector.sample(\n    add_note,", "(lambda *said, **more: None)(\n    add_note,", "has a sample"),
        ('gives={"response_id": "rsp_1", "customer"', 'gives={"response_id": "rsp_2", "customer"', "gives what it says"),
        ('"type": "form.submitted", "id"', '"type": "form.sent", "id"', "gives what it says"),
        ("email: str | None = None", 'email: str | None = None\n    model_config = {"extra": "forbid"}', "Unknown fields"),
        ("response_id=response.id,", "response_id=response.id + str(id(object()))[:0] + _next(),", "Told twice"),
        ('"/people/{person}/notes"', '"/person/{person}/notes"', "sends what its sample says"),
        ('json={"text": text}, into', 'json={"txt": text}, into', "sends what its sample says"),
        ('repeat="keyed"', 'repeat="never"', "keeps every promise"),
        ('query={"since": since})["data"]', 'query={"from": since})["data"]', "The pull asks what its sample says"),
    ],
)
def test_each_promise_finds_its_offender(old, new, promise, broken, capsys):
    """One change, and the promise that it breaks says so; a careful change breaks none."""
    more = [
        ("class Response", "_COUNT = iter(range(10**6))\n\n\ndef _next():\n    return str(next(_COUNT))\n\n\nclass Response")
    ]
    found = broken(*more, (old, new))
    if promise == "keeps every promise":
        assert found == {}
    else:
        assert any(promise in sentence for sentence in found), found


def test_a_connector_that_swallows_failures_is_found_out(broken):
    """Who hides a 401, waits for nothing or tries a lasting thing again breaks the promises of calls."""
    found = broken(
        (
            "into=Note)\n    return note",
            'into=Note)\n    return note\n\n\ndef _hide(reply):\n    return None if reply.ok else Failure("passing")\n',
        ),
        ("from hub.sdk import Client", "from hub.sdk import Failure, Client"),
        ('title="My Till",', 'title="My Till",\n    failures=lambda reply: _hide(reply),'),
    )
    assert any("401 ends in `reconnect`" in sentence for sentence in found)
    assert any("422 is lasting" in sentence for sentence in found)


def test_a_normaliser_that_crashes_is_found_out(broken):
    """An exception that is not understood is told as such."""
    found = broken(
        (
            "    return FormSubmitted(",
            '    if response.email == "":\n        raise RuntimeError("boom")\n    return FormSubmitted(',
        )
    )
    assert "boom" in found["A value of another type, negative, huge or not a number is unreadable or harmless, never a crash"]


def test_an_unproven_connector_is_found_out(broken):
    """Neither signed nor pulled: somebody must say why."""
    found = broken(
        ('signature=signature.hmac("X-Signature", "webhook_secret", digest="sha256", encoding="hex"),', ""),
        ("@connector.pull(form_submitted)", ""),
        ("connector.sample(\n    responses_since,", "(lambda *said, **more: None)(\n    responses_since,"),
    )
    assert any("signed, or polled" in sentence for sentence in found)


def test_what_a_pull_alone_brings_is_shown_by_the_pulls_sample(broken):
    """It has no delivery to give a sample of; without the pull's own it is found out, as every other is."""
    told = ("connector.sample(\n    form_submitted,", "(lambda *said, **more: None)(\n    form_submitted,")
    pulled = ("connector.sample(\n    responses_since,", "(lambda *said, **more: None)(\n    responses_since,")
    polled = ('key="response_id")', 'key="response_id", polled=True)')
    assert broken(told, polled) == {}
    assert set(broken(told)) == set(broken(told, polled, pulled)) == {"Each trigger, action, pull and mirror has a sample"}


def test_outcomes_make_a_table():
    """Each has the promise's sentence, of whom it speaks, whether it is kept, and why not."""
    seen: list[promises.Outcome] = []
    outcomes = promises.check(twilio, progress=seen.append)
    assert seen == outcomes
    assert {outcome.subject for outcome in outcomes} >= {"twilio", "twilio.send_sms", "twilio.message_received"}
    assert all(outcome.kept and not outcome.why and outcome.promise[0].isupper() for outcome in outcomes)
