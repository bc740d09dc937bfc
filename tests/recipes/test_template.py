"""Templates: text with expressions in it, each written by its type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.recipes import Names, compile_template

TEXTS = [
    ("Hello", "Hello"),
    ("Hi {{ member.first_name }}!", "Hi Ada!"),
    ("{{ member.first_name }}{{ member.first_name }}", "AdaAda"),
    ("+{{ earned.points }} points", "+7 points"),
    ("{{ event.amount }} and {{ event.amount / 7 }}", "120.00 and 17.14"),
    ("{{ 1.50 }} {{ 2.00 }} {{ 3 }}", "1.5 2 3"),
    ("{{ today }} {{ now }}", "2026-02-06 2026-02-06 22:00"),
    ("{{ 12 months }}", "12 months"),
    ("{{ true }} {{ event.tax }}|{{ none }}", "true |"),
    ("{{ event.lines.category }}", "oil, tea"),
    ("{{ 'a}}b' }}", "a}}b"),
    ("{{ 'a\\'}}' }}", "a'}}"),
    ("50% off }} {", "50% off }} {"),
    ("{name} {x.y}", "{name} {x.y}"),
    ("{{ default(member.phone, 'you') }}", "you"),
]


@pytest.mark.parametrize(("text", "written"), TEXTS)
def test_texts(text: str, written: str, names: Names, scope: dict[str, Any]) -> None:
    """Money has its currency's places, days are the programme's, what is absent is written as nothing."""
    found, faults = compile_template(text, names)
    assert not faults
    assert found is not None
    assert found.evaluate(scope) == written
    assert isinstance(found.evaluate({}), str)


def test_currencies_without_places(names: Names, scope: dict[str, Any]) -> None:
    """Yen are written without a point."""
    yen = Names(names.types, "JPY", names.zone)
    found, _ = compile_template("{{ event.amount }}", yen)
    assert found is not None
    assert found.evaluate(scope) == "120"


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("Hi {{ member.frist_name }}", 6, "`member.frist_name` is not a field of Member", "did you mean `member.first_name`?"),
        ("Hi {{ member.first_name", 3, "never closed", "}}"),
        ("{{ }}", 2, "empty", ""),
        ("{{ 'a }}", 0, "never closed", "}}"),
        ("{{ event.customer }}", 2, "cannot be written into a text", "name one of its fields"),
        ("{{ event.lines }}", 2, "cannot be written into a text", "name one of its fields"),
        ("{{ member.first_name | upper }}", 21, "no filters", "function"),
        ("{% if x %}a{% endif %}", 0, "no meaning here", "{{ }}"),
        ("${member.first_name}", 0, "no meaning here", "{{ }}"),
        ("Hi {member.first_name}!", 3, "as it is", "write {{ member.first_name }}"),
        ("a {{{ x }}}", 4, "braces", "without"),
    ],
)
def test_faults(text: str, offset: int, message: str, hint: str, names: Names) -> None:
    """A fault inside braces points at its place in the whole text."""
    found, faults = compile_template(text, names)
    assert found is None
    assert message in faults[0].message
    assert hint in faults[0].hint
    assert faults[0].offset == offset


def test_every_fault_of_a_text_is_found(names: Names) -> None:
    """Two wrong fields in one text are two faults."""
    _, faults = compile_template("{{ event.amout }} {{ member.teir }}", names)
    assert [fault.offset for fault in faults] == [3, 21]


def test_a_single_expression_may_keep_its_type(names: Names, scope: dict[str, Any]) -> None:
    """Where an input takes anything, `{{ x }}` alone is the value and not its text."""
    found, _ = compile_template("{{ earned.points }}", names, keep_type=True)
    assert found is not None
    assert found.evaluate(scope) == 7
    found, _ = compile_template("n: {{ earned.points }}", names, keep_type=True)
    assert found is not None
    assert found.evaluate(scope) == "n: 7"


def test_the_number_of_expressions_is_limited(names: Names) -> None:
    """A text is a message, not a program."""
    _, faults = compile_template("{{ 1 }}a" * 60, names)
    assert "more than 50" in faults[0].message


@settings(max_examples=150)
@given(st.lists(st.sampled_from(["{{", "}}", "{", "}", "'", '"', "\\", "event.amount", "1", " ", "a", "{%", "|"]), max_size=12))
def test_any_text_is_a_template_or_a_fault(names: Names, scope: dict[str, Any], pieces: list[str]) -> None:
    """Whatever braces and quotes stand together, there is a text or a fault."""
    found, faults = compile_template("".join(pieces), names)
    assert (found is None) == bool(faults)
    assert found is None or isinstance(found.evaluate(scope), str)
