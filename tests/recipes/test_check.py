"""The checker: a recipe becomes a plan, or every problem of its file is shown at its place."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import ConfigError, Problem
from hub.recipes import Plan, Vocabulary, load, load_folder
from hub.sdk.values import Duration

REPAIRS = """\
# recipes/points-for-repairs.yaml
recipe: points-for-repairs
title: One point per dollar on every paid repair, double for Gold
when: sale                                   # or square.payment_completed, or a list
if: event.amount >= 20 and "fleet" not in member.tags
once_per: event.order_id
do:
  - award:
      points: event.amount * (2 if member.tier == "Gold" else 1)
      expires: 12 months
      reason: "Repair {{ event.order_id }}"
    as: earned
  - twilio.send_sms:
      to: "{{ member.phone }}"
      body: "Thanks {{ member.first_name }}! +{{ earned.points }} points, you now have {{ member.balance }}."
    if: earned.points > 0
    on_failure: continue
examples:
  - given: {amount: 120.00}                  # laid over the trigger's own sample
    member: {tier: Gold}
    expect: {award: {points: 240}, twilio.send_sms: {}}
  - given: {amount: 5.00}
    expect: nothing
"""
SALE = "recipe: r\nwhen: sale\n"


def problems_of(text: str, vocabulary: Vocabulary) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(text, "recipes/r.yaml", vocabulary)
    return caught.value.problems


def only(text: str, vocabulary: Vocabulary) -> Problem:
    found = problems_of(text, vocabulary)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def step(inputs: str, vocabulary: Vocabulary) -> Plan:
    return load(f"{SALE}do:\n  - {inputs}\n", "r.yaml", vocabulary)


def value(inputs: str, name: str, vocabulary: Vocabulary, scope: dict[str, Any]) -> Any:
    return step(inputs, vocabulary).steps[0].inputs[name].evaluate(scope)


def test_the_recipe_of_the_documentation(shop: Vocabulary, scope: dict[str, Any]) -> None:
    """The whole example becomes a plan with typed, workable parts."""
    plan = load(REPAIRS, "recipes/points-for-repairs.yaml", shop)
    recipe = plan.recipe
    assert (recipe.name, recipe.enabled, recipe.once_per) == ("points-for-repairs", True, "event.order_id")
    assert recipe.version == sha256(REPAIRS.encode()).hexdigest()[:12]
    assert recipe.source == REPAIRS
    assert [(when.name, when.settings, when.text) for when in plan.whens] == [("sale", {}, "sale")]
    assert plan.condition is not None
    assert plan.condition.evaluate(scope) is True
    assert plan.once_per is not None
    assert plan.once_per.evaluate(scope) == "1042"
    award, send = plan.steps
    assert (award.index, award.action, award.name, award.on_failure, award.line) == (0, "award", "earned", "hold", 8)
    assert award.inputs["points"].evaluate(scope) == Decimal("240.00")
    assert award.inputs["expires"].evaluate(scope) == Duration(months=12)
    assert award.inputs["reason"].evaluate(scope) == "Repair 1042"
    assert (send.reads, send.on_failure, send.type.channel) == ({"earned"}, "continue", "sms")
    assert send.condition is not None
    assert send.condition.evaluate(scope) is True
    assert send.inputs["body"].evaluate(scope) == "Thanks Ada! +7 points, you now have 42."
    assert recipe.steps[0].inputs["expires"] == "12 months"


def test_the_message_of_the_documentation(shop: Vocabulary) -> None:
    """A wrong field is shown exactly as the documentation shows it."""
    text = f"# 1\n# 2\n# 3\n# 4\n{SALE}do:\n  - award: {{points: event.amout * 2}}\n"
    assert str(only(text, shop)) == (
        "recipes/r.yaml:8:21: error: `event.amout` is not a field of Sale\n"
        "    8 |   - award: {points: event.amout * 2}\n"
        "      |                     ^^^^^^^^^^^ did you mean `event.amount`?"
    )


def test_all_problems_come_at_once_in_order(shop: Vocabulary) -> None:
    """An admin mends a file in one go; each line says what to write."""
    text = (
        REPAIRS.replace("title:", "titel:")
        .replace("when: sale ", "when: sael ")
        .replace("12 months", "12 mons")
        .replace("    as: earned", "    as: event")
        .replace("twilio.send_sms:\n", "twilo.send_sms:\n")
        .replace("on_failure: continue", "on_failure: ignore")
        .replace("expect: nothing", "expect: 012")
    )
    found = [(problem.line, problem.hint) for problem in problems_of(text, shop)]
    assert found == [
        (3, "did you mean `title`?"),
        (4, "did you mean `sale`?"),
        (10, "write for instance `12 months` or `30 days`"),
        (12, "choose another name"),
        (13, "did you mean `twilio.send_sms`?"),
        (16, "there are `event`, `member`, `programme`, `now`, `today`"),
        (17, "write `hold` (wait for a person, as without it) or `continue`"),
        (21, "did you mean `twilo.send_sms`?"),
        (23, "drop the leading 0, or put quotes around it if it is text"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("[a]\n", (1, 1), "a recipe is a mapping", "recipe: its-name"),
        ("", (0, 0), "the file is empty", "recipe: its-name"),
        ("when: sale\ndo: [post: ]\n", (1, 1), "`recipe` has no `recipe`", "add `recipe: …`"),
        ("recipe: r\ndo: [post: ]\n", (1, 1), "the recipe has no `when`", "what it waits for"),
        ("recipe: r\nwhen: sale\n", (1, 1), "the recipe has no `do`", "its steps"),
        ("recipe: Two Words\nwhen: sale\ndo: [post: ]\n", (1, 9), "cannot be the name", "small letters"),
        (f"{SALE}limits: {{a: 1}}\ndo: [post: ]\n", (3, 1), "`limits` is reserved for a later version", "leave it out"),
        (f"{SALE}mode: shadow\ndo: [post: ]\n", (3, 1), "`mode` is reserved for a later version", "leave it out"),
        (f"{SALE}actions: []\ndo: [post: ]\n", (3, 1), "`actions` is not a key", "write `do`"),
        ("recipe: r\nwhen: sale\non: sale\ndo: [post: ]\n", (3, 1), "reads the key `on` as true", "quotes"),
        ("recipe: r\nwhen: []\ndo: [post: ]\n", (2, 7), "empty list", "waits for"),
        ("recipe: r\nwhen: {}\ndo: [post: ]\n", (2, 7), "empty", "waits for"),
        ("recipe: r\nwhen:\ndo: [post: ]\n", (2, 1), "empty", "waits for"),
        ("recipe: r\nwhen: [sale, sale]\ndo: [post: ]\n", (2, 14), "a second time", "remove one"),
        ("recipe: r\nwhen: lapsed\ndo: [post: ]\n", (2, 7), "`lapsed` needs `after`", "How long without a visit."),
        ("recipe: r\nwhen: {lapsed: {after: soon}}\ndo: [post: ]\n", (2, 24), "not a length of time", "12 months"),
        ("recipe: r\nwhen: {lapsed: {aftr: 1 day}}\ndo: [post: ]\n", (2, 8), "needs `after`", ""),
        (
            "recipe: r\nwhen: {lapsed: {after: 1 day, again: member.id != none}}\ndo: [post: ]\n",
            (2, 38),
            "fixed value",
            "before",
        ),
        ("recipe: r\nwhen: {lapsed: {after: 1 day, hour: 99}}\ndo: [post: ]\n", (2, 37), "less than or equal to 23", ""),
        (f"{SALE}if: event.amount\ndo: [post: ]\n", (3, 5), "true or false is needed", "> 0"),
        (f"{SALE}if: [a]\ndo: [post: ]\n", (3, 5), "`if` is one expression", "and"),
        (f"{SALE}if:\ndo: [post: ]\n", (3, 1), "the expression is empty", ""),
        (f"{SALE}once_per: event.customer\ndo: [post: ]\n", (3, 11), "cannot name one thing", "event.order_id"),
        (f"{SALE}enabled: maybe\ndo: [post: ]\n", (3, 10), "must be true or false", ""),
        (f"{SALE}do: award\n", (3, 5), "`do` is a list", "- "),
        (f"{SALE}do: []\n", (3, 5), "no steps", "add one"),
        (f"{SALE}do: [award]\n", (3, 6), "a step is an action", "`- award:`"),
        (f"{SALE}do: [if: true]\n", (3, 6), "names no action", "award"),
        (f"{SALE}do: [award: 5]\n", (3, 13), "takes named inputs", "`award: {points: …}`"),
        (f"{SALE}do: [award: ]\n", (3, 6), "`award` needs `points`", "The points."),
        (f"{SALE}do: [award: {{points: }}]\n", (3, 14), "nothing stands here", ""),
        (f"{SALE}do: [award: {{points: 1, wat: 1}}]\n", (3, 25), "not an input of `award`", "it takes"),
        (f"{SALE}do: [award: {{points: true}}]\n", (3, 22), "points is needed here, not true", ""),
        (f"{SALE}do: [award: {{points: [1]}}]\n", (3, 22), "points is needed here, not a list", ""),
        (f"{SALE}do: [award: {{points: 1, rounding: flor}}]\n", (3, 35), "cannot stand here", "`floor`"),
        (f"{SALE}do: [redeem: {{points: 1.5}}]\n", (3, 23), "points is needed", "floor"),
        (f"{SALE}do: [redeem: {{points: event.amount}}]\n", (3, 23), "points is needed", "floor"),
        (f"{SALE}do: [award: {{points: '{{{{ event.amount }}}}'}}]\n", (3, 23), "braces", "without"),
        (f"{SALE}do: [award: {{points: 1, reason: event.order_id}}]\n", (3, 33), "this is the text", '"{{ event.order_id }}"'),
        (f"{SALE}do: [tag: {{tags: vip}}]\n", (3, 18), "a list of texts is needed", "write `[vip]`"),
        (f"{SALE}do: [tag: {{tags: [a, {{b: c}}]}}]\n", (3, 22), "text is needed here, not a mapping", ""),
        (f"{SALE}do: [tag: {{tags: [a], notes: x}}]\n", (3, 30), "named values is needed", "key: value"),
        (f"{SALE}do: [{{award: {{points: 1}}, tag: {{tags: [a]}}}}]\n", (3, 27), "a second key", "new step"),
        (f"{SALE}do: [{{award: {{points: 1}}, when: true}}]\n", (3, 27), "a second key", "did you mean `if`?"),
        (f"{SALE}do: [{{award: {{points: 1}}, as: today}}]\n", (3, 31), "has a meaning already", "another name"),
        (f"{SALE}do: [{{award: {{points: 1}}, as: round}}]\n", (3, 31), "has a meaning already", "another name"),
        (f"{SALE}do: [{{award: {{points: 1}}, as: Big}}]\n", (3, 31), "small letters", "earned"),
        (f"{SALE}do: [{{tag: {{tags: [a]}}, as: x}}]\n", (3, 29), "gives nothing", "leave `as` out"),
        (
            f"{SALE}do: [{{post: , if: x.y > 1}}, {{award: {{points: 1}}, as: x}}]\n",
            (3, 19),
            "`x` cannot be used here",
            "a later step",
        ),
        (f"{SALE}do: [hubspot.update_contact: ]\n", (3, 6), "no connection to hubspot", "`connections:`"),
        (f"{SALE}do: [post: ]\nexamples: {{a: 1}}\n", (4, 11), "`examples` is a list", ""),
        (f"{SALE}do: [post: ]\nexamples: [{{given: {{}}}}]\n", (4, 12), "nothing of what to expect", "expect: nothing"),
        (
            f"{SALE}do: [post: ]\nexamples: [{{given: {{amont: 1}}, expect: nothing}}]\n",
            (4, 21),
            "not a field of Sale",
            "`amount`",
        ),
        (
            f"{SALE}do: [post: ]\nexamples: [{{given: {{amount: x}}, expect: nothing}}]\n",
            (4, 29),
            "amount of money is needed",
            "",
        ),
        (f"{SALE}do: [post: ]\nexamples: [{{given: {{customer: 5}}, expect: nothing}}]\n", (4, 31), "a Customer is needed", ""),
        (
            f"{SALE}do: [post: ]\nexamples: [{{member: {{teir: x}}, expect: nothing}}]\n",
            (4, 22),
            "not a field of Member",
            "`tier`",
        ),
        (f"{SALE}do: [post: ]\nexamples: [{{now: soon, expect: nothing}}]\n", (4, 18), "`now` is a date with time", "2026-"),
        (f"{SALE}do: [post: ]\nexamples: [{{expect: 5}}]\n", (4, 21), "`expect` is `nothing`", "award"),
        (f"{SALE}do: [post: ]\nexamples: [{{when: review, expect: nothing}}]\n", (4, 19), "cannot be `review`", "`sale`"),
    ],
    ids=lambda case: str(case)[:50].replace("\n", " "),
)
def test_problems(text: str, place: tuple[int, int], message: str, hint: str, shop: Vocabulary) -> None:
    """Each mistake gives a Problem at its place, in plain words, with what to write."""
    found = problems_of(text, shop)
    assert message in found[0].message
    assert hint in found[0].hint
    assert (found[0].line, found[0].column) == place


def test_an_unquoted_template_says_put_quotes_around_it(shop: Vocabulary) -> None:
    """The commonest mistake of all gets its own sentence, and no second one."""
    found = only(f"{SALE}do:\n  - twilio.send_sms:\n      to: {{{{ member.phone }}}}\n      body: Hi\n", shop)
    assert (found.line, found.column, found.hint) == (5, 11, "put quotes around it")


def test_broken_yaml_and_wrong_names_come_together(shop: Vocabulary) -> None:
    """Traps of YAML do not hide the mistakes in the rest of the file."""
    found = problems_of(f"{SALE}enabled: yes\nif: event.amout > 1\ndo: [post: ]\n", shop)
    assert [problem.line for problem in found] == [3, 4]


def test_a_file_that_breaks_off_is_not_judged_further(shop: Vocabulary) -> None:
    """Where YAML itself cannot go on, only that is told, not what the unread rest would lack."""
    assert "too many" in only("recipe: r\nwhen: sale\nif: a: b\ndo: [post: ]\n", shop).message


def test_an_expression_where_text_stands(shop: Vocabulary) -> None:
    """A text that is an expression is not meant as these very letters."""
    found = only(f"{SALE}do: [award: {{points: 1, reason: event.amount * 2}}]\n", shop)
    assert found.hint == 'write "{{ event.amount * 2 }}"'
    step("award: {points: 1, reason: 'see example.com, or event.x'}", shop)


def test_a_place_inside_folded_text(shop: Vocabulary) -> None:
    """A fault in the third line of a message points there."""
    text = (
        f"{SALE}do:\n  - twilio.send_sms:\n      to: x\n      body: |\n        Hi,\n        you {{{{ member.frist_name }}}}\n"
    )
    found = only(text, shop)
    assert (found.line, found.column, found.width) == (8, 16, len("member.frist_name"))


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("sale", ["sale"]),
        ("[sale, review]", ["sale", "review"]),
        ("{lapsed: {after: 60 days}}", ['lapsed {"after": "60 days"}']),
        ("[sale, lapsed: {again: true, after: 60 days}]", ["sale", 'lapsed {"after": "60 days", "again": true}']),
    ],
)
def test_the_forms_of_when(written: str, texts: list[str], shop: Vocabulary) -> None:
    """A name, a list, names with settings; the canonical text does not depend on the order of settings."""
    assert [when.text for when in load(f"recipe: r\nwhen: {written}\ndo: [post: ]\n", "r.yaml", shop).whens] == texts


def test_settings_are_values_with_defaults(shop: Vocabulary) -> None:
    """A timer gets what is written as values, and the defaults of the rest."""
    plan = load("recipe: r\nwhen: {lapsed: {after: 60 days}}\ndo: [post: ]\n", "r.yaml", shop)
    assert plan.whens[0].settings == {"after": Duration(days=60), "again": False, "hour": 9}


def test_with_several_facts_event_has_what_they_share(shop: Vocabulary) -> None:
    """A field of only one of the facts cannot be read."""
    text = "recipe: r\nwhen: [sale, review]\nif: event.customer.email != none and event.amount > 1\ndo: [post: ]\n"
    assert only(text, shop).message == "`event.amount` is not a field of Sale and Review"


@pytest.mark.parametrize(
    ("inputs", "name", "expected"),
    [
        ("award: {points: 10}", "points", 10),
        ("award: {points: 1.5}", "points", Decimal("1.5")),
        ("award: {points: '10'}", "points", 10),
        ("award: {points: event.amount}", "points", Decimal("120.00")),
        ("award: {points: 1, expires: 1 week and 2 days}", "expires", Duration(days=9)),
        ("award: {points: 1, expires: }", "expires", None),
        ("award: {points: 1, reason: 1.10}", "reason", "1.10"),
        ("award: {points: 1, reason: true}", "reason", "true"),
        ("award: {points: 1, rounding: ceil}", "rounding", "ceil"),
        ("redeem: {points: floor(event.amount)}", "points", 120),
        ("tag: {tags: [a, '{{ member.tier }}']}", "tags", ["a", "Gold"]),
        ("tag: {tags: member.tags}", "tags", frozenset(["vip"])),
        ("tag: {tags: ['a'], notes: {x: '{{ event.order_id }}', y: 2}}", "notes", {"x": "1042", "y": "2"}),
        ("tag: {tags: [], when: 2026-12-24}", "when", date(2026, 12, 24)),
        ("tag: {tags: [], when: 2026-12-24T18:00:00Z}", "when", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("tag: {tags: [], when: now}", "when", datetime(2026, 2, 7, 4, tzinfo=UTC)),
        ("post: {urgent: true}", "urgent", True),
        ("post: {urgent: event.amount > 500}", "urgent", False),
        ("post: {data: {n: 1, t: 'x {{ member.tier }}', v: '{{ event.amount }}', l: [1.5, null]}}", "data",
         {"n": 1, "t": "x Gold", "v": Decimal("120.00"), "l": [Decimal("1.5"), None]}),
    ],
)  # fmt: skip
def test_inputs_by_type(inputs: str, name: str, expected: Any, shop: Vocabulary, scope: dict[str, Any]) -> None:
    """The type of an input decides how it is read, item by item in lists and maps."""
    assert value(inputs, name, shop, scope) == expected


def test_absent_results_are_none(shop: Vocabulary) -> None:
    """A step that reads what never ran is named by `reads`, and its values are none."""
    plan = step("award: {points: 1}\n    as: one\n  - award: {points: one.points * 2}\n    if: one.points > 0", shop)
    second = plan.steps[1]
    assert second.reads == {"one"}
    assert second.inputs["points"].evaluate({}) is None
    assert second.condition is not None
    assert second.condition.evaluate({}) is False


def test_examples_are_typed(shop: Vocabulary) -> None:
    """Given and expected values have the types of the fields that they stand for; places are kept for the engine."""
    text = (
        "recipe: r\nwhen: [sale, review]\ndo:\n  - award: {points: 1}\n  - award: {points: 2}\nexamples:\n"
        "  - when: sale\n    given: {order_id: 7, amount: 1.50, occurred_at: 2026-02-06, lines: [{net: 3, sku: 012a}]}\n"
        "    member: {tags: [vip], last_activity_at: 2026-01-01T10:00:00Z, attributes: {size: 9}}\n"
        "    now: 2026-02-06T10:00:00\n    expect: {award: [{points: 1}, {outcome: done}]}\n"
        "  - expect: nothing\n"
    )
    first, second = load(text, "r.yaml", shop).recipe.examples
    assert first.given["order_id"] == "7"
    assert first.given["lines"] == [{"net": 3, "sku": "012a"}]
    assert first.given["occurred_at"] == datetime(2026, 2, 6, 6, tzinfo=UTC)
    assert first.member["attributes"] == {"size": "9"}
    assert first.now == datetime(2026, 2, 6, 16, tzinfo=UTC)
    assert [(one.action, one.values) for one in first.expect] == [("award", {"points": 1}), ("award", {"outcome": "done"})]
    assert (second.when, second.expect) == ("sale", ())
    assert str(second.problem("the recipe awarded 3 points")).startswith("r.yaml:12:5: error: the recipe awarded 3 points")


def test_a_folder_is_read_whole(tmp_path: Path, shop: Vocabulary) -> None:
    """All files are read, in order of their names, with progress; other files are left alone."""
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(REPAIRS.replace("points-for-repairs\n", f"{name}\n"))
    (tmp_path / "notes.txt").write_text("not a recipe")
    told: list[tuple[int, int]] = []
    plans = load_folder(tmp_path, shop, lambda done, of: told.append((done, of)))
    assert [plan.recipe.name for plan in plans] == ["a", "b"]
    assert told == [(1, 2), (2, 2)]
    assert load_folder(tmp_path / "none", shop) == []


def test_problems_of_a_folder_come_together(tmp_path: Path, shop: Vocabulary) -> None:
    """Each broken file is reported, and a name that two files share."""
    (tmp_path / "a.yaml").write_text(REPAIRS)
    (tmp_path / "b.yaml").write_text(REPAIRS)
    (tmp_path / "c.yaml").write_text("recipe: c\n")
    (tmp_path / "d.yaml").write_bytes(b"\xff")
    with pytest.raises(ConfigError) as caught:
        load_folder(tmp_path, shop)
    said = [problem.message for problem in caught.value.problems]
    assert said[0] == f"the name `points-for-repairs` is taken by {tmp_path.name}/a.yaml"
    assert said[1:] == ["the recipe has no `when`", "the recipe has no `do`", "byte 0xff is not UTF-8 text"]


def test_a_thousand_recipes_are_checked_in_seconds(shop: Vocabulary) -> None:
    """300 recipes take far less than the second and a half that a thousand may."""
    start = time.process_time()
    for _ in range(300):
        load(REPAIRS, "r.yaml", shop)
    assert time.process_time() - start < 1.5


_LINES = [line for line in REPAIRS.splitlines() if line]
_PIECES = [
    "{{",
    "}}",
    ":",
    "- ",
    "[",
    "]",
    "'",
    '"',
    "event.",
    "member",
    "1",
    "on",
    "&a",
    "*a",
    "|",
    "  ",
    "\t",
    "\n",
    "#",
    "lambda",
]


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_recipe_gives_a_plan_or_problems(shop: Vocabulary, data: st.DataObject) -> None:
    """However a recipe is damaged, the outcome is a plan or Problems with excerpts, never another exception."""
    lines = list(_LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        kept = data.draw(st.sampled_from([line[cut:], "", line[cut + 1 :]]))
        lines[at] = line[:cut] + data.draw(st.sampled_from(_PIECES)) + kept
    try:
        load("\n".join(lines), "r.yaml", shop)
    except ConfigError as error:
        assert error.problems
        assert str(error)
