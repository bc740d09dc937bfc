"""Expressions: small, typed, exact, total, and nothing of Python within reach."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.recipes import Compiled, Names, Type, compile_expression
from hub.recipes.expression.functions import FUNCTIONS
from hub.recipes.types import BOOLEAN, DATE, INTEGER, MOMENT, MONEY, NUMBER, TEXT
from hub.sdk.values import Duration


def compiled(text: str, names: Names, wanted: Type | None = None) -> Compiled:
    found, faults = compile_expression(text, names, wanted)
    assert not faults, [(fault.message, fault.hint) for fault in faults]
    assert found is not None
    return found


VALUES: list[tuple[str, str, Any]] = [
    # arithmetic: exact, integers stay integers, money by money is a ratio
    ("1 + 2 * 3", "integer", 7),
    ("(1 + 2) * 3", "integer", 9),
    ("0.1 + 0.2", "number", Decimal("0.3")),
    ("7 // 2", "integer", 3),
    ("-7 // 2", "integer", -4),
    ("-7 % 3", "integer", 2),
    ("1 / 3 * 3 > 0.99999999999999999999", "boolean", True),
    ("- - 2", "integer", 2),
    ("event.amount * 2", "money", Decimal("240.00")),
    ("event.amount * 1.15", "money", Decimal("138.0000")),
    ("event.amount / 8", "money", Decimal("15.00")),
    ("event.amount / event.amount", "number", Decimal(1)),
    ("event.amount // 50", "integer", 2),
    ("event.amount % 50", "money", Decimal("20.00")),
    ("event.amount + 5", "money", Decimal("125.00")),
    ("earned.points * 2", "points", 14),
    ("earned.points + 1.5", "number", Decimal("8.5")),
    ("1 / 0", "number", None),
    ("1 // 0", "integer", None),
    ("1 % 0", "integer", None),
    ("999999999999999999999999999999 * 999999999999999999999999999999", "integer", None),
    # conditions
    ("event.amount >= 20 and 'fleet' not in member.tags", "boolean", True),
    ("100 < event.amount <= 120", "boolean", True),
    ("event.amount == 120", "boolean", True),
    ("not member.tier == 'Gold'", "boolean", False),
    ("event.amount > 500 or member.tier == 'Gold'", "boolean", True),
    ("true and not false", "boolean", True),
    ("member.tier in ['Gold', 'Silver']", "boolean", True),
    ("'da' in member.first_name", "boolean", True),
    ("'Points' in row.fields", "boolean", True),
    # absence: arithmetic passes it on, an order with it is false, equality takes it as a value
    ("event.tax", "money", None),
    ("event.tax + 1", "money", None),
    ("event.tax > 1", "boolean", False),
    ("event.tax <= 1", "boolean", False),
    ("event.tax == none", "boolean", True),
    ("event.tax != 1", "boolean", True),
    ("'x' in event.location", "boolean", False),
    ("'x' not in event.location", "boolean", True),
    ("default(event.tax, 3)", "money", 3),
    ("event.referrer if false else none", None, None),
    # choice, text, items, projections
    ("2 if member.tier == 'Gold' else 1", "integer", 2),
    ("1 if member.tier == 'Bronze' else 2 if member.tier == 'Gold' else 3", "integer", 2),
    ("'a' + \"b\\n\"", "text", "ab\n"),
    ("event.order_id + '-' + event.channel", "text", "1042-pos"),
    ("event.lines[1].sku", "text", "T1"),
    ("event.lines[9].sku", "text", None),
    ("event.lines.category", "list", ["oil", "tea"]),
    ("'tea' in event.lines.category", "boolean", True),
    ("sum(event.lines.net)", "money", Decimal("120.00")),
    ("sum(where(event.lines, category='oil').net)", "money", Decimal("100.50")),
    ("len(where(event.lines, category=['oil', 'tea'], quantity=1))", "integer", 1),
    ("event.customer.first_name", "text", "Ada"),
    ("row.fields.Points", "text", "50"),
    ("row.fields['Points']", "text", "50"),
    ("row.fields.Nothing", "text", None),
    ("number(row.fields.Points) * 2", "number", Decimal(100)),
    ("number('12x')", "number", None),
    ("loose.deep[1].x", "any", "y"),
    ("loose.deep + 1", "any", None),
    ("loose < 3", "boolean", False),
    # dates: days are the programme's, also where a moment is compared with a day
    ("2026-12-24", "date", date(2026, 12, 24)),
    ("today + 30 days", "date", date(2026, 3, 8)),
    ("today - 1 month", "date", date(2026, 1, 6)),
    ("30 days + today", "date", date(2026, 3, 8)),
    ("now + 1 week 2 days", "moment", datetime(2026, 2, 16, 4, tzinfo=UTC)),
    ("event.occurred_at < now - 30 minutes", "boolean", True),
    ("event.occurred_at == 2026-02-06", "boolean", True),
    ("event.occurred_at <= 2026-02-06", "boolean", True),
    ("event.occurred_at >= 2026-02-07", "boolean", False),
    ("now == 2026-02-06T22:00:00", "boolean", True),
    ("now == 2026-02-07T04:00:00Z", "boolean", True),
    ("date(now)", "date", date(2026, 2, 6)),
    ("date(row.fields.Day)", "date", date(2026, 1, 31)),
    ("date('soon')", "date", None),
    ("weekday(now)", "text", "Friday"),
    ("hour(now)", "integer", 22),
    ("year(today) * 100 + month(today)", "integer", 202602),
    ("day(now)", "integer", 6),
    ("days_between(2026-01-31, now)", "integer", 6),
    ("today + 99999 years", "date", None),
    ("member.last_activity_at + 30 days", "moment", None),
    ("12 months", "duration", Duration(months=12)),
    # functions
    ("round(2.5)", "integer", 2),
    ("round(event.amount / 7, 2)", "money", Decimal("17.14")),
    ("floor(-2.5)", "integer", -3),
    ("ceil(2.1)", "integer", 3),
    ("abs(-2.5)", "number", Decimal("2.5")),
    ("min(event.amount, 50)", "money", 50),
    ("max(1, 2.5, 2)", "number", Decimal("2.5")),
    ("max(event.lines.net)", "money", Decimal("100.50")),
    ("min(today, 2026-01-01)", "date", date(2026, 1, 1)),
    ("upper('ab') + lower('AB')", "text", "ABab"),
    ("contains('Oil change', 'oil')", "boolean", True),
    ("starts_with('oil', 'o') and ends_with('oil', 'l')", "boolean", True),
    ("text(event.amount) + text(today)", "text", "120.002026-02-06"),
]


@pytest.mark.parametrize(("text", "kind", "value"), [case for case in VALUES if case[1]], ids=lambda case: str(case)[:60])
def test_values(text: str, kind: str, value: Any, names: Names, scope: dict[str, Any]) -> None:
    """Each expression has the type that the checker says, and the exact value."""
    found = compiled(text, names)
    assert found.type.kind == kind
    assert found.evaluate(scope) == value
    assert not isinstance(found.evaluate(scope), float)


@pytest.mark.parametrize(("text", "kind", "value"), [case for case in VALUES if case[1]], ids=lambda case: str(case)[:60])
def test_absent_everything(text: str, kind: str, value: Any, names: Names) -> None:
    """With nothing in the scope there is still a value or none, and a condition is true or false."""
    for scope in ({}, dict.fromkeys(names.types), dict.fromkeys(names.types, 0), dict.fromkeys(names.types, "x")):
        given = compiled(text, names).evaluate(scope)
        assert kind != "boolean" or isinstance(given, bool)


FAULTS: list[tuple[str, int, int, str, str]] = [
    ("event.amout * 2", 0, 11, "`event.amout` is not a field of Sale", "did you mean `event.amount`?"),
    ("1 + event.xyz", 4, 9, "`event.xyz` is not a field of Sale", "it has `occurred_at`"),
    ("evnt.amount", 0, 4, "`evnt` is not a name here", "did you mean `event`?"),
    ("member.tier == Gold", 15, 4, "`Gold` is not a name here", 'put quotes around it: "Gold"'),
    ("coupon.code", 0, 6, "`coupon` cannot be used here", "a later step gives that name"),
    ("member.tier == 'Golt'", 15, 6, 'it is never "Golt"', "did you mean"),
    ("'Plat' in ['a'] or member.tier in ['Gold', 'Bronse']", 43, 8, "never", '"Bronze"'),
    ("weekday(now) == 'Tusday'", 16, 8, "never", '"Tuesday"'),
    ("event.amount * event.amount", 0, 27, "cannot be multiplied", "plain number"),
    ("event.amount + earned.points", 0, 28, "cannot be added", "rate"),
    ("event.amount > earned.points", 0, 28, "cannot be compared", "rate"),
    ("10 / event.amount", 0, 17, "cannot be divided", ""),
    ("today - 2026-01-01", 0, 18, "cannot be subtracted", "days_between"),
    ("event.amount == '20'", 0, 20, "cannot be compared with text", "number("),
    ("event.occurred_at > '2026-01-01'", 0, 32, "cannot be compared", "without quotes"),
    ("'a' < 'b'", 0, 9, "texts have no order", "number("),
    ("1 month > 30 days", 0, 17, "lengths of time have no order", "moments"),
    ("'a' + 1", 0, 7, "cannot be added", "text("),
    ("'a' * 1000000", 0, 13, "cannot be multiplied", ""),
    ("event.amount and true", 0, 12, "not true or false", "> 0"),
    ("not event.order_id", 4, 14, "not true or false", "!= none"),
    ("1 if event.order_id else 2", 5, 14, "not true or false", "!= none"),
    ("1 if true else 'a'", 0, 18, "one kind", ""),
    ("[1, 'a']", 4, 3, "one kind", "one kind"),
    ("event.amount in 5", 0, 17, "`in` looks in a list", "=="),
    ("5 in member.tags", 0, 16, "cannot be compared", ""),
    ("event.amount.currency", 0, 21, "has no fields", ""),
    ("event.occurred_at.year", 0, 22, "has no fields", "year(event.occurred_at)"),
    ("event['amount']", 0, 15, "not how a field is read", "event.amount"),
    ("event.lines['a']", 0, 16, "has no item", "whole number"),
    ("event.first_name.lower()", 0, 22, "cannot be called", "lower(event.first_name)"),
    ("floor", 0, 5, "is a function", "floor(x)"),
    ("flor(1)", 0, 7, "no function `flor`", "`floor`"),
    ("floor()", 0, 7, "not called with", "floor(x)"),
    ("floor('a')", 0, 10, "takes a number", "floor(x)"),
    ("floor(x=1)", 0, 10, "not called with", "floor(x)"),
    ("round(1, 99)", 0, 12, "places", "round"),
    ("where(event.lines, catgory='a')", 0, 31, "not a field of Line", "category"),
    ("sum(member.tags)", 0, 16, "list of numbers", "sum"),
    ("text(event)", 0, 11, "cannot be written", "text"),
    # syntax
    ("", 0, 1, "empty", ""),
    ("  ", 0, 1, "empty", ""),
    ("1 +", 2, 1, "ends too early", ""),
    ("(1", 0, 1, "never closed", "`)`"),
    ("1)", 1, 1, "not expected", ""),
    ("a = 1", 2, 1, "not expected", "=="),
    ("1 == 1 if true", 6, 1, "without `else`", "else"),
    ("event.amount >= 20 && true", 19, 2, "`&&` is not used", "and"),
    ("true || false", 5, 2, "`||` is not used", "or"),
    ("!true", 0, 1, "`!` is not used", "not"),
    ("2 ** 3", 3, 1, "not expected", "powers"),
    ("member.first_name | upper", 18, 1, "no filters", "function"),
    ("{{ event.amount }}", 0, 1, "braces", "without"),
    ("$5", 0, 1, "`$`", "bare number"),
    ("20 USD", 3, 3, "not expected", "currency"),
    ("'abc", 0, 1, "never closed", "close"),
    (".5", 0, 1, "not expected", "0.5"),
    ("1_000", 0, 5, "not a number", "digits"),
    ("0x10", 0, 4, "not a number", "digits"),
    ("1e400", 0, 5, "not a number", "digits"),
    ("012", 0, 3, "starts with a 0", "leading 0"),
    ("9" * 31, 0, 31, "at most 30 digits", ""),
    ("2026-02-30", 0, 10, "no such date", ""),
    ("event.amount is none", 13, 2, "not expected", "=="),
    ("'\\x41'", 1, 2, "means nothing", "\\n"),
    ("é", 0, 1, "no meaning", "quotes"),
    ("event..amount", 6, 1, "not expected", ""),
    ("event.lines[event.amount]", 12, 5, "in `[ ]`", "lines[0]"),
    ("event.lines[-1]", 12, 1, "in `[ ]`", "lines[0]"),
    # Python
    ("event.__class__", 6, 9, "not the name of a field", ""),
    ("__import__('os')", 0, 10, "not a name", ""),
    ("().__class__", 1, 1, "not expected", ""),
    ("lambda: 1", 6, 1, "not used", ""),
    ("[x for x in event.lines]", 3, 3, "not part of this language", ""),
    ("(y := 5)", 3, 1, "not used", ""),
    ("f'{event}'", 0, 1, "before a quote", "in quotes"),
    ("exec('1')", 0, 9, "no function", ""),
    ("event.amount.as_tuple()", 0, 21, "cannot be called", ""),
    ("{'a': 1}", 0, 1, "braces", ""),
    ("*event", 0, 1, "not expected", ""),
    ("1; 2", 1, 1, "no meaning", ""),
    ("await event", 0, 5, "not part of this language", ""),
    ("event.model_fields", 0, 18, "not a field of Sale", ""),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: str(case[0])[:40])
def test_faults(case: tuple[str, int, int, str, str], names: Names) -> None:
    """Each mistake is named at its place, in words of the admin's world, with what to write instead."""
    text, offset, width, message, hint = case
    found, faults = compile_expression(text, names)
    assert found is None
    first = faults[0]
    assert message in first.message, faults[0].message
    assert hint in first.hint, faults[0].hint
    assert (first.offset, first.width) == (offset, width)


def test_several_faults_at_once(names: Names) -> None:
    """A line with three mistakes shows three."""
    _, faults = compile_expression("event.amout > 1 and member.teir == 'Gold' and flor(1) > 0", names)
    assert [fault.hint for fault in faults] == [
        "did you mean `event.amount`?",
        "did you mean `member.tier`?",
        "did you mean `floor`?",
    ]


@pytest.mark.parametrize(
    ("text", "wanted", "hint"),
    [
        ("event.amount", BOOLEAN, "> 0"),
        ("event.order_id", BOOLEAN, "=="),
        ("event.customer", BOOLEAN, "!= none"),
        ("event.amount / 2", INTEGER, "floor"),
        ("1.5", INTEGER, "floor"),
        ("event.order_id", NUMBER, "number("),
        ("event.amount", NUMBER, "floor"),
        ("earned.points", MONEY, "worth"),
        ("now", DATE, "date("),
        ("1", TEXT, ""),
    ],
)
def test_the_wanted_type_is_checked(text: str, wanted: Type, hint: str, names: Names) -> None:
    """A condition must be true or false, whole numbers whole; the hint says how to make it so."""
    found, faults = compile_expression(text, names, wanted)
    assert found is None
    assert "is needed" in faults[0].message
    assert hint in faults[0].hint


def test_a_whole_input_is_an_int(names: Names, scope: dict[str, Any]) -> None:
    """What is asked for as a whole number arrives as an int, even from Decimals; a day may stand for a moment."""
    assert type(compiled("floor(event.amount / 7) + 1", names, INTEGER).evaluate(scope)) is int
    assert compiled("today", names, MOMENT).type.kind == "date"


def test_points_that_are_rounded_later_take_money(names: Names, scope: dict[str, Any]) -> None:
    """Money becomes points only by the award's rounding: the exact value arrives."""
    wanted = Type("points", unrounded=True)
    assert compiled("event.amount * 1.157", names, wanted).evaluate(scope) == Decimal("138.84000")
    assert compile_expression("event.amount", names, Type("points"))[1]


def test_reads_and_constants(names: Names) -> None:
    """The names that an expression uses are known, and their fields; one without any is constant."""
    assert compiled("event.amount > 1 and member.tier == 'Gold'", names).reads == {
        "event", "event.amount", "member", "member.tier",
    }  # fmt: skip
    assert compiled("1 + 2", names).constant
    assert not compiled("now + 2 days", names).constant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event.amount >= 200", "event.amount >= 200 (was 120.00)"),
        ("event.amount >= 20 and member.tier == 'Silver' and false", "member.tier == 'Silver' (was \"Gold\")"),
        ("event.amount >= 200 or event.tax > 1", "neither event.amount >= 200 (was 120.00) nor event.tax > 1 (was none)"),
        ("not 'vip' in member.tags", "not 'vip' in member.tags (member.tags was [\"vip\"])"),
        ("event.amount * 2 > 500", "event.amount * 2 > 500 (event.amount was 120.00)"),
        ("event.amount   >   event.total", "event.amount > event.total (event.amount was 120.00, event.total was 129.90)"),
        ("(event.tax > 1 or event.tip > 1) and true", "neither event.tax > 1 (was none) nor event.tip > 1 (was none)"),
        ("false", "false"),
    ],
)
def test_explanations(text: str, said: str, names: Names, scope: dict[str, Any]) -> None:
    """A negative trace names the part that was false, with the values that made it so."""
    found = compiled(text, names, BOOLEAN)
    assert found.evaluate(scope) is False
    assert found.explain(scope) == said


def test_a_long_value_is_cut_in_explanations(names: Names, scope: dict[str, Any]) -> None:
    """A trace stays one line, whatever a platform sent."""
    found = compiled("event.order_id == 'x'", names)
    assert len(found.explain({**scope, "event": {"order_id": "y" * 9_000}})) < 150


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "1" + ")" * 5_000,
        "(" * 900 + "1" + ")" * 900,
        "-" * 1_900 + "1",
        "not " * 400 + "true",
        "1" + "+1" * 900,
        "1" + " if true else 1" * 130,
        "event" + ".customer" * 200,
        "[" * 300 + "]" * 300,
        "abs(" * 400,
        "true and " * 200 + "true",
        "x" * 100_000,
    ],
    ids=lambda text: text[:8],
)
def test_size_and_depth_have_limits(text: str, names: Names) -> None:
    """However long or deep, the answer is a fault and comes quickly."""
    start = time.process_time()
    _, faults = compile_expression(text, names)
    assert faults or len(text) < 2_000
    assert time.process_time() - start < 0.5


def test_text_stays_bounded(names: Names) -> None:
    """Joining texts again and again ends in none, not in memory."""
    found = compiled("loose + loose + loose", names)
    assert found.evaluate({"loose": "x" * 3_000}) == "x" * 9_000
    assert found.evaluate({"loose": "x" * 4_000}) is None


def test_nothing_of_python_is_read(names: Names) -> None:
    """Fields are keys: methods, properties and private names of an object are absent."""

    class Evil:
        __slots__ = ()

        @property
        def amount(self) -> int:
            raise AssertionError

    assert compiled("event.amount", names).evaluate({"event": Evil()}) is None
    assert compiled("loose.mro", names).evaluate({"loose": Evil}) is None
    assert compiled("loose.keys", names).evaluate({"loose": {}}) is None


def test_every_function_has_its_documentation() -> None:
    """Usage and a sentence, for the page of functions."""
    for name, function in FUNCTIONS.items():
        assert function.usage.startswith(f"{name}(")
        assert function.doc.endswith((".", ")."))


_WORDS = [
    *[
        "event",
        "member",
        "amount",
        "tags",
        "lines",
        "net",
        "now",
        "today",
        "loose",
        "earned",
        "points",
        "row",
        "fields",
        ".",
        "(",
        ")",
        "[",
        "]",
        ",",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "in",
    ],
    *[
        "not",
        "and",
        "or",
        "if",
        "else",
        "1",
        "0",
        "2.5",
        "'a'",
        '"Gold"',
        "true",
        "none",
        "2026-12-24",
        "=",
        "__class__",
        "lambda",
        ":=",
        "for",
        "{",
        "}",
        "\\",
    ],
    *[f"{name}(" for name in FUNCTIONS],
    *["30 days", "where(event.lines, category=", "\n", "9999999999999999999999999999"],
]
_ANYTHING = st.recursive(
    st.one_of(
        *[st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=5), st.floats()],
        *[st.datetimes(), st.dates(), st.binary(), st.just(Duration(1, 2, 3))],
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_WORDS), max_size=14), st.sampled_from(["", " "]), _ANYTHING)
def test_any_words_are_a_value_or_a_fault(names: Names, scope: dict[str, Any], words: list[str], glue: str, value: Any) -> None:
    """Whatever words stand together: faults, or something that can be worked on any data without an exception."""
    found, faults = compile_expression(glue.join(words), names)
    assert (found is None) == bool(faults)
    if found is not None:
        for held in (
            scope,
            {},
            dict.fromkeys(names.types, value),
            {"event": {"amount": value, "lines": [value, {"net": value}]}},
        ):
            given_value = found.evaluate(held)
            assert found.type.kind != "boolean" or isinstance(given_value, bool)
            assert isinstance(found.explain(held), str)


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_any_text_is_a_value_or_a_fault(names: Names, text: str) -> None:
    """Arbitrary text never makes the reader of expressions fail."""
    found, faults = compile_expression(text, names)
    assert (found is None) == bool(faults)


@settings(max_examples=200)
@given(st.sampled_from([case[0] for case in VALUES if case[1]]), _ANYTHING, _ANYTHING)
def test_real_expressions_take_any_data(names: Names, text: str, one: Any, other: Any) -> None:
    """Expressions as recipes have them work on whatever a platform may have sent, without an exception."""
    found = compiled(text, names)
    fields = {"amount": one, "tax": other, "lines": [{"net": one, "category": other}], "occurred_at": other, "order_id": one}
    held = {**dict.fromkeys(names.types, fields), "now": one, "today": other, "loose": other}
    given_value = found.evaluate(held)
    assert found.type.kind != "boolean" or isinstance(given_value, bool)
    if found.type.kind in {"integer", "points"} and given_value is not None:
        assert isinstance(given_value, int)


@pytest.mark.parametrize("text", [case[0] for case in VALUES if case[1]])
def test_hostile_data_is_worked_quickly(text: str, names: Names) -> None:
    """Numbers with a million digits, endless nesting and the ends of the calendar cost nothing and break nothing."""
    nested: list[Any] = []
    for _ in range(5_000):
        nested = [nested]
    found = compiled(text, names)
    for value in (
        Decimal("1E+999999"),
        Decimal("sNaN"),
        10**4_000,
        nested,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=UTC),
        date.max,
    ):
        fields = {
            "amount": value,
            "tax": value,
            "lines": [{"net": value, "category": value}],
            "occurred_at": value,
            "tier": value,
        }
        start = time.process_time()
        scope = {**dict.fromkeys(names.types, fields), "now": value, "today": value, "loose": value}
        assert found.type.kind != "boolean" or isinstance(found.evaluate(scope), bool)
        assert len(found.explain(scope)) < 1_000
        assert time.process_time() - start < 0.2
