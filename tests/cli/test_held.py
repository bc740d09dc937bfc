"""Held, replay, trigger: what waits for a person is shown, and goes on when they say so."""

from __future__ import annotations

import pytest

MANUAL = """recipe: thanks
when: manual
do:
  - award: {points: 7, reason: "{{ event.input }}"}
"""
QUESTION = """recipe: question
when: manual
do:
  - ask_staff: {question: "Was it our fault?", choices: ["yes", "no"]}
    as: said
  - award: {points: 100, reason: "We are sorry"}
    if: said.answer == "yes"
"""


@pytest.fixture
def ada(ask, shop, sales):
    """A workspace in which Ada has bought something for 5.00."""
    ask("import", "sales", sales("o1,ada,2026-01-01,5"), "-w", shop)
    return shop


def test_nothing_is_held_at_first(hub, ada):
    """Where all is well, it says so."""
    assert "Nothing waits" in hub("held", "-w", ada).stdout
    assert "Nothing was the matter" in hub("alerts", "-w", ada).stdout
    assert "no section `owner`" in hub("alerts", "test", "-w", ada, code=1).stderr


def test_a_parked_event_goes_on_when_its_cause_is_mended(hub, ask, shop, sales):
    """A sale in a foreign currency is parked with the reason; with an exchange rate in hub.yaml it is replayed, once."""
    path = sales("o1,ada,2026-01-01,10,EUR", columns="order_id,member,occurred_at,amount,currency")
    ask("import", "sales", path, "-w", shop)
    (waiting,) = ask("held", "-w", shop)
    assert waiting["what"] == "event"
    assert "EUR" in waiting["why"]
    assert waiting["next"] == f"hub replay {waiting['id']}"
    text = (shop / "hub.yaml").read_text("utf-8")
    (shop / "hub.yaml").write_text(text.replace("currency: USD", "currency: USD, exchange_rates: {EUR: 1.5}"), "utf-8")
    assert waiting["id"] in hub("replay", waiting["id"], "-w", shop).stdout
    assert ask("held", "-w", shop) == []
    assert ask("members", "csv:ada", "-w", shop)["points"] == 15
    assert "not parked" in hub("replay", waiting["id"], "-w", shop, code=1).stderr


def test_a_recipe_is_set_off_by_hand(hub, ask, ada, recipe):
    """A manual recipe runs for the member who is named, with the words that are given."""
    recipe(MANUAL)
    told = ask("trigger", "thanks", "--member", "csv:ada", "--input", "For the cake", "-w", ada)
    assert ask("events", told["event"], "-w", ada)["postings"][0]["reason"] == "For the cake"
    assert ask("members", "csv:ada", "-w", ada)["points"] == 12
    assert "no enabled recipe" in hub("trigger", "nothing", "-w", ada, code=1).stderr


def test_a_question_waits_for_its_answer(hub, ask, ada, recipe):
    """A question of a recipe is listed with its choices; the answer lets the run go on, and is asked for once."""
    recipe(QUESTION)
    ask("trigger", "question", "--member", "csv:ada", "-w", ada)
    (waiting,) = ask("held", "-w", ada)
    assert (waiting["what"], waiting["why"]) == ("question", "Was it our fault?")
    assert waiting["next"].endswith("yes|no")
    assert "not one of the answers" in hub("held", "answer", waiting["id"], "perhaps", "-w", ada, code=1).stderr
    hub("held", "answer", waiting["id"], "yes", "-w", ada)
    assert ask("members", "csv:ada", "-w", ada)["points"] == 105
    assert ask("held", "-w", ada) == []


def test_what_cannot_be_replayed_is_said(hub, ada):
    """An id that is none is answered with a sentence, and changes nothing."""
    assert "hub held" in hub("replay", "nonsense", "-w", ada, code=1).stderr
    assert "not a held run" in hub("held", "drop", "run_1", "--reason", "gone", "-w", ada, code=1).stderr
