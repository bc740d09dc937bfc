"""Runs: a recipe on an event, step by step, with what happens when a step cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.platforms import Answered
from tests.engine.world import CONNECTIONS, POINTS, recipe

ANN = {"id": "ann", "phone": "+14155550101", "sms": True}
REFUSES = Answered(422, {"message": "no such thing"})


def _look(more: str = "") -> str:
    return '{what: "{{ event.order_id }}"}' + more


def test_the_steps_of_a_run_are_done_in_order_and_later_ones_read_what_earlier_ones_gave(make: Any) -> None:
    """Also across a call: what the platform answered is there under the name that `as` gave it."""
    world = make(
        recipe(
            "chain",
            "when: sale\ndo:\n"
            "  - award: {points: event.amount}\n    as: earned\n"
            f"  - letters.look: {_look()}\n    as: found\n"
            '  - set_attribute: {name: told, value: "{{ found.letter_id }} {{ earned.points }}"}\n',
        )
    )
    world.pay("p1", "10.00", order="o1")
    world.work()
    assert world.run("chain")["state"] == "done"
    assert [entry["action"] for entry in world.run("chain")["journal"]] == ["award", "letters.look", "set_attribute"]
    assert world.one("SELECT attributes FROM member")["attributes"] == '{"told": "o1 10"}'


def test_what_a_platform_gave_is_of_the_type_that_it_gave_it_in(make: Any) -> None:
    """Amounts can be reckoned with and days compared, also after the run has waited."""
    steps = (
        f"  - letters.quote: {_look()}\n    as: said\n"
        "  - wait: {time: 1 hour}\n"
        "  - award: {points: said.price * 2}\n    if: said.good_until > 2026-02-28\n"
        '  - set_attribute: {name: told, value: "{{ said.price }} until {{ said.good_until }}"}\n'
    )
    world = make(recipe("quoted", f"when: sale\ndo:\n{steps}"))
    world.pay("p1", "1.00", order="o1")
    world.later(hours=1)
    assert world.balance() == 25
    assert world.one("SELECT attributes FROM member")["attributes"] == '{"told": "12.50 until 2026-03-01"}'


def test_a_recipe_reads_nothing_that_another_one_named(make: Any) -> None:
    """Two recipes may use the same word in `as`; where the own step was not done, its readers are skipped."""
    world = make(
        recipe("first", "when: sale\ndo:\n  - award: {points: 5}\n    as: earned\n"),
        recipe(
            "second",
            "when: sale\ndo:\n"
            "  - award: {points: 7}\n    as: earned\n    if: event.amount > 100\n"
            '  - set_attribute: {name: told, value: "{{ earned.points }}"}\n',
        ),
    )
    world.pay("p1", "10.00", order="o1")
    world.work()
    assert [entry["outcome"] for entry in world.run("second")["journal"]] == ["skipped", "skipped"]
    assert world.one("SELECT attributes FROM member")["attributes"] == "{}"


def test_what_one_recipe_gave_the_next_one_sees(make: Any) -> None:
    """Recipes of one event are worked in the order of their names, each with the member as the one before left them."""
    world = make(
        recipe("a", "when: sale\ndo:\n  - award: {points: 5}\n"),
        recipe("b", "when: sale\nif: member.balance > 100\ndo:\n  - award: {points: 7}\n"),
        recipe("c", "when: sale\nif: member.balance == 5\ndo:\n  - award: {points: 11}\n"),
    )
    world.pay("p1", "10.00", order="o1")
    world.work()
    assert world.balance() == 16


def test_the_lane_goes_on_while_a_run_waits_for_a_platform(make: Any) -> None:
    """Points are never late because a vendor is."""
    world = make(POINTS, recipe("slow", f"when: sale\ndo:\n  - letters.look: {_look()}\n"))
    world.platform.script = lambda asked: Answered(503)
    world.pay("p1", "10.00", order="o1")
    world.pay("p2", "10.00", order="o2")
    world.work()
    assert world.balance() == 20
    assert [run["state"] for run in world.runs("slow")] == ["waiting", "waiting"]


def test_a_failed_step_holds_its_run_alone(make: Any) -> None:
    """The other recipes and events of the member go on; the note says which step, and what the platform said."""
    world = make(POINTS, recipe("shaky", f"when: sale\ndo:\n  - letters.look: {_look()}\n"))
    world.platform.script = lambda asked: REFUSES if asked.path == "/things/o1" else None
    world.pay("p1", "10.00", order="o1")
    world.pay("p2", "10.00", order="o2")
    world.work()
    assert [run["state"] for run in world.runs("shaky")] == ["held", "done"]
    assert "no such thing" in world.runs("shaky")[0]["note"]
    assert world.states() == ["done", "done"]
    assert world.balance() == 20


def test_a_replay_goes_on_from_the_failed_step_and_does_nothing_twice(make: Any) -> None:
    """Points were given before the step that failed, and a letter sent; both stay as they are."""
    world = make(
        recipe(
            "long",
            "when: sale\ndo:\n"
            "  - award: {points: event.amount}\n    as: earned\n"
            '  - letters.send_safe: {to: "{{ member.phone }}", text: first}\n'
            f"  - letters.look: {_look()}\n    as: found\n"
            '  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ found.letter_id }} {{ earned.points }}"}\n'
            "  - award: {points: 1}\n",
        )
    )
    world.platform.script = lambda asked: REFUSES if asked.path.startswith("/things") else None
    world.pay("p1", "10.00", ANN, order="o1")
    world.work()
    assert world.run("long")["state"] == "held"
    answer = world.do("replay", id=world.run("long")["id"])
    assert answer["from_step"] == 3
    world.work()
    assert world.run("long")["state"] == "held"
    world.platform.script = lambda asked: None
    world.do("replay", id=world.run("long")["id"])
    world.work()
    assert world.run("long")["state"] == "done"
    assert world.platform.sent == [("+14155550101", "first"), ("+14155550101", "o1 10")]
    assert world.balance() == 11
    assert world.postings("award") == 2


def test_a_held_call_can_be_replayed_by_its_own_id(make: Any) -> None:
    """Its run goes on with it."""
    world = make(recipe("shaky", f"when: sale\ndo:\n  - letters.look: {_look()}\n"))
    world.platform.script = lambda asked: REFUSES
    world.pay("p1", "10.00", order="o1")
    world.work()
    world.platform.script = lambda asked: None
    world.do("replay", id=world.calls("look")[0]["id"])
    world.work()
    assert world.run("shaky")["state"] == "done"
    assert [call["state"] for call in world.calls("look")] == ["done"]


def test_on_failure_continue_lets_the_run_go_on(make: Any) -> None:
    """What would read the failed step's result is passed over, with the reason."""
    world = make(
        recipe(
            "brave",
            "when: sale\ndo:\n"
            f"  - letters.look: {_look()}\n    as: found\n    on_failure: continue\n"
            '  - set_attribute: {name: told, value: "{{ found.letter_id }}"}\n'
            "  - award: {points: 3}\n",
        )
    )
    world.platform.script = lambda asked: REFUSES
    world.pay("p1", "10.00", order="o1")
    world.work()
    run = world.run("brave")
    assert run["state"] == "done"
    assert [entry["outcome"] for entry in run["journal"]] == ["failed", "skipped", "done"]
    assert "found" in run["journal"][1]["why"]
    assert world.balance() == 3


def test_a_step_whose_condition_does_not_hold_is_passed_over(make: Any) -> None:
    """The trace shows the part that failed, and who reads it is passed over too."""
    world = make(
        recipe(
            "choosy",
            "when: sale\ndo:\n"
            "  - award: {points: 50}\n    as: big\n    if: event.amount > 100\n"
            '  - set_attribute: {name: told, value: "{{ big.points }}"}\n',
        )
    )
    world.pay("p1", "10.00")
    world.work()
    journal = world.run("choosy")["journal"]
    assert [entry["outcome"] for entry in journal] == ["skipped", "skipped"]
    assert "event.amount > 100" in journal[0]["why"]


def test_why_an_event_earned_nothing_is_kept(make: Any) -> None:
    """One compact row an event: the recipe, and the part of the condition that failed."""
    condition = 'event.amount >= 20 and member.tier == "Gold"'
    world = make(recipe("choosy", f"when: sale\nif: {condition}\ndo:\n  - award: {{points: 1}}\n"))
    world.pay("p1", "10.00")
    world.pay("p2", "50.00")
    world.work()
    assert world.runs() == []
    first, second = world.traces()
    assert first[0] == second[0] == "choosy"
    assert "event.amount >= 20" in first[2]
    assert "member.tier" in second[2]


@pytest.mark.parametrize("call", ["", f"  - letters.look: {_look()}\n", "  - wait: {time: 1 day}\n"])
def test_a_step_that_cannot_be_done_holds_its_run_alone(make: Any, call: str) -> None:
    """At once, after a call and after a wait alike; the worker goes on."""
    world = make(POINTS, recipe("sum", f"when: sale\ndo:\n{call}  - award: {{points: event.tax * 1000000000000}}\n"))
    world.pay("p1", "10.00", order="o1", tax="5.00")
    world.pay("p2", "10.00", "bob", order="o2", tax="0.00")
    world.later(days=2)
    assert [run["state"] for run in world.runs("sum")] == ["held", "done"]
    assert "more than an account can hold" in world.runs("sum")[0]["note"]
    assert world.states() == ["done", "done"]
    assert (world.balance(), world.balance("id:till:bob")) == (10, 10)


def test_once_per_lets_a_recipe_run_once_for_its_key(make: Any) -> None:
    """In one batch and across restarts; the trace names the event that used it up. An empty key sets no limit."""
    world = make(recipe("once", "when: sale\nonce_per: event.order_id\ndo:\n  - award: {points: 5}\n"))
    world.pay("p1", "1.00", order="o1")
    world.pay("p2", "1.00", order="o1")
    world.work()
    world.restart()
    world.pay("p3", "1.00", order="o1")
    world.pay("p4", "1.00", order="o2")
    for number in (5, 6):
        world.pay(f"p{number}", "1.00")
    world.work()
    assert world.balance() == 20
    assert all(world.events()[0]["id"] in why for _, _, why in world.traces())
    assert len(world.traces()) == 2


def test_a_run_that_waits_keeps_the_version_in_which_it_began(make: Any) -> None:
    """An edit is for events that come later; what has begun goes on as it was."""
    old = "when: sale\ndo:\n  - wait: {time: 2 days}\n  - award: {points: 10}\n"
    world = make(recipe("patient", old))
    world.pay("p1", "1.00")
    world.later(days=1)
    world.restart(recipe("patient", old.replace("10", "99")))
    world.pay("p2", "1.00", "bob")
    world.later(days=4)
    assert (world.balance(), world.balance("id:till:bob")) == (10, 99)
    assert len({run["version"] for run in world.runs()}) == 2


def test_a_run_goes_on_though_its_recipe_was_taken_away(make: Any) -> None:
    """Its text is kept for it."""
    world = make(POINTS, recipe("patient", "when: sale\ndo:\n  - wait: {time: 2 days}\n  - award: {points: 10}\n"))
    world.pay("p1", "1.00")
    world.work()
    world.restart(POINTS)
    world.later(days=3)
    assert world.balance() == 11


@pytest.mark.parametrize("step", ["wait: {time: 2 days}", 'ask_staff: {question: "ok?", within: 2 days, otherwise: "no"}'])
def test_a_run_whose_recipe_can_no_longer_be_carried_out_is_held(make: Any, step: str) -> None:
    """The worker goes on, and once the connection is back the replay goes on after the wait."""
    patient = recipe(
        "patient", f'when: sale\ndo:\n  - {step}\n    as: waited\n  - letters.look: {{what: "{{{{ waited.outcome }}}}"}}\n'
    )
    world = make(POINTS, patient)
    world.pay("p1", "1.00")
    world.work()
    without = CONNECTIONS.partition("  letters:")[0]
    world.restart(POINTS, edit=lambda: world.configure(connections=without))
    world.later(days=3)
    run = world.run("patient")
    assert run["state"] == "held"
    assert "letters" in run["note"]
    world.restart(POINTS, edit=world.configure)
    world.do("replay", id=run["id"])
    world.work()
    assert world.run("patient")["state"] == "done"
    outcome = "done" if "wait:" in step else "timeout"
    assert [path for path in world.platform.paths() if path != "/payments"] == [f"/things/{outcome}"]


def test_a_run_waits_for_a_fact_of_the_same_member(make: Any) -> None:
    """Ann's next purchase wakes her run and nobody else's; Bob's comes to its end in time."""
    world = make(
        recipe(
            "again",
            "when: customer_changed\ndo:\n  - wait: {time: 10 days, fact: sale}\n    as: came\n"
            '  - award: {points: 7}\n    if: came.outcome == "fact"\n'
            '  - award: {points: 1}\n    if: came.outcome == "timeout"\n',
        )
    )
    world.customer("1", id="ann")
    world.customer("1", id="bob")
    world.later(days=2)
    world.pay("p1", "1.00", "ann")
    world.work()
    assert (world.balance(), world.balance("id:till:bob")) == (7, 0)
    world.later(days=7, hours=20)
    assert world.balance("id:till:bob") == 0
    world.later(hours=5)
    world.pay("p2", "1.00", "bob")
    world.work()
    assert (world.balance(), world.balance("id:till:bob")) == (7, 1)


def test_a_run_waits_for_a_fact_of_the_hub_that_no_recipe_hears(make: Any) -> None:
    """That a run waits for it is reason enough to tell it."""
    world = make(
        POINTS,
        recipe(
            "first",
            "when: customer_changed\ndo:\n  - wait: {time: 10 days, fact: hub.tier_changed}\n    as: rose\n"
            '  - tag: {name: risen}\n    if: rose.outcome == "fact"\n',
        ),
    )
    world.customer("1", id="ann")
    world.later(days=1)
    world.pay("p1", "150.00", "ann")
    world.work()
    assert world.run("first")["state"] == "done"
    assert world.one("SELECT tags FROM member")["tags"] == '["risen"]'


def test_staff_answers_and_the_run_reads_it(make: Any) -> None:
    """The answer must be one of the choices, comes once, and names who gave it."""
    world = make(
        recipe(
            "ask",
            "when: sale\ndo:\n"
            '  - ask_staff: {question: "Give {{ event.amount }}?", choices: [give, keep], within: 3 days, otherwise: keep}\n'
            "    as: said\n"
            '  - award: {points: 9, reason: "by {{ said.by }}"}\n    if: said.answer == "give"\n',
        )
    )
    world.pay("p1", "10.00")
    world.pay("p2", "10.00", "bob")
    world.work()
    first, second = world.rows("SELECT * FROM staff_task ORDER BY id")
    assert first["question"] == "Give 10.00?"
    with pytest.raises(Exception, match="give, keep"):
        world.do("answer", task=first["id"], choice="maybe")
    world.do("answer", task=first["id"], choice="give", by="Kim")
    with pytest.raises(Exception, match="answered before"):
        world.do("answer", task=first["id"], choice="keep")
    assert world.balance() == 9
    world.later(days=4)
    assert world.balance("id:till:bob") == 0
    assert [run["state"] for run in world.runs()] == ["done", "done"]
    assert world.one("SELECT answer FROM staff_task WHERE id = :id", id=second["id"])["answer"] == "keep"
    assert world.one("SELECT reason FROM txn WHERE kind = 'award'")["reason"] == "by Kim"


def test_stop_ends_a_run(make: Any) -> None:
    """What it did stays, what would follow is not done."""
    steps = "  - award: {points: 1}\n  - stop: {reason: enough}\n  - award: {points: 100}\n"
    world = make(recipe("halt", f"when: sale\ndo:\n{steps}"))
    world.pay("p1", "1.00")
    world.work()
    assert world.run("halt")["state"] == "stopped"
    assert world.balance() == 1


def test_two_recipes_that_feed_each_other_are_held(make: Any) -> None:
    """The chain of the hub's own facts has an end, a person sees where, and the worker goes on."""
    world = make(
        POINTS,
        recipe("ping", 'when: hub.tag_added\nif: event.tag == "a"\ndo:\n  - untag: {name: a}\n  - tag: {name: b}\n'),
        recipe("pong", 'when: hub.tag_added\nif: event.tag == "b"\ndo:\n  - untag: {name: b}\n  - tag: {name: a}\n'),
        recipe("serve", "when: sale\ndo:\n  - tag: {name: a}\n"),
    )
    world.pay("p1", "1.00")
    world.pay("p2", "1.00", "bob")
    world.work()
    held = [run for run in world.runs() if run["state"] == "held"]
    assert len(held) == 2
    assert "feed each other" in held[0]["note"]
    assert world.states("payment") == ["done", "done"]
    assert world.balance() == 1


def test_the_hubs_own_facts_are_told_where_somebody_listens(make: Any) -> None:
    """Tier changes and awards reach recipes right after what caused them, one deeper, in the same lane."""
    world = make(
        POINTS,
        recipe("up", 'when: hub.tier_changed\nif: event.tier == "Silver"\ndo:\n  - award: {points: 1000}\n'),
    )
    world.pay("p1", "120.00")
    world.work()
    assert world.balance() == 1120
    assert world.tier() == "Gold"
    risen = world.events("hub.tier_changed")
    assert [row["depth"] for row in risen] == [1, 2]
    assert {row["lane"] for row in risen} == {world.member()}
