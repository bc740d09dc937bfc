"""Documents: YAML with places, exact numbers, and every trap refused with an explanation."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import document
from hub.document import Mapping, Scalar, Section, Sequence, reader
from hub.errors import ConfigError, Problem
from hub.sdk.values import Duration


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        document.load(text, "f.yaml")
    return caught.value.problems


def only(text: str) -> Problem:
    found = problems_of(text)
    assert len(found) == 1, found
    return found[0]


def scalar(text: str, *keys: str | int) -> Scalar:
    node = document.load(text, "f.yaml")
    for key in keys:
        node = node.values[key] if isinstance(node, Mapping) else node.items[key]  # type: ignore[attr-defined]
    assert isinstance(node, Scalar)
    return node


def test_nodes_know_their_places() -> None:
    """Lines and columns of keys and values count from 1."""
    root = document.load("a: 1\nb:\n  - x\n  - {c: y}\n", "f.yaml")
    assert isinstance(root, Mapping)
    items = root.get("b")
    assert isinstance(items, Sequence)
    inner = items.items[1]
    assert isinstance(inner, Mapping)
    assert (root.keys["b"].line, root.keys["b"].column) == (2, 1)
    assert (inner.keys["c"].line, inner.keys["c"].column) == (4, 6)
    assert (inner.values["c"].line, inner.values["c"].column) == (4, 9)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.10", Decimal("1.10")),
        ("-3", -3),
        ("0.5", Decimal("0.5")),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24T10:00:00Z", "2026-12-24T10:00:00Z"),
        ("+14155550123", "+14155550123"),
        ("12 months", "12 months"),
        ("y", "y"),
        ('"on"', "on"),
        ("'012'", "012"),
        ("1.2.3", "1.2.3"),
        ("12e4x", "12e4x"),
    ],
)
def test_scalars_are_read_exactly(written: str, value: object) -> None:
    """A number is an int or Decimal, never a float; dates, phone numbers and quoted values stay text."""
    node = scalar(f"a: {written}\n", "a")
    assert node.value == value
    assert type(node.value) is type(value)


def test_a_scalar_keeps_its_text() -> None:
    """1.10 stays "1.10", so that a version or an amount is shown as it was written."""
    assert scalar("a: 1.10", "a").text == "1.10"


@pytest.mark.parametrize(
    ("written", "part", "hint"),
    [
        ("on", "reads `on` as true", 'write true, or "on" if it is text'),
        ("NO", "reads `NO` as false", 'write false, or "NO" if it is text'),
        ("12:30", "base 60", 'write "12:30"'),
        ("1:02:03", "base 60", 'write "1:02:03"'),
        ("012", "octal", "drop the leading 0"),
        ("0x1F", "programmers' notation", "digits"),
        ("1_000", "without the `_`", "leave out the `_`"),
        ("1e3", "power of ten", "write it out"),
        ("1.5E+3", "power of ten", "write it out"),
        (".5", "not a whole decimal number", "both sides"),
        ("5.", "not a whole decimal number", "both sides"),
        (".inf", "not a number that can be used", "exact number"),
        ("-.INF", "not a number that can be used", "exact number"),
        (".NaN", "not a number that can be used", "exact number"),
        ("9" * 41, "more than 40 digits", "quotes"),
    ],
)
def test_yaml_traps_are_refused(written: str, part: str, hint: str) -> None:
    """What YAML 1.1 would silently read as something else is refused, at its place, with what to write."""
    found = only(f"a:\n  b: {written}\n")
    assert part in found.message
    assert hint in found.hint
    assert (found.line, found.column, found.width) == (2, 6, len(written))


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("on: sale\n", (1, 1), "reads the key `on` as true", "in quotes"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "the key `a` stands here a second time", "the first is on line 1"),
        ("a: {{ member.phone }}\n", (1, 4), "unquoted `{{`", "put quotes around it"),
        ("a: {{ x }} more\n", (1, 4), "unquoted `{{`", "put quotes around it"),
        ("- {{ x }}\n", (1, 3), "unquoted `{{`", "put quotes around it"),
        ("a: Hi: {{ x }}\n", (1, 6), "unquoted `{{`", "put quotes around it"),
        ("a: &x 1\n", (1, 4), "anchors and aliases", "write the value out"),
        ("a: *x\n", (1, 4), "anchors and aliases", "write the value out"),
        ("<<: {a: 1}\n", (1, 1), "merge keys", "write the keys out"),
        ("a: !!python/object:os.system x\n", (1, 4), "tags such as", "leave it out"),
        ("a: !x [1]\n", (1, 4), "tags such as `!x`", "leave it out"),
        ("a:\n\tb: 1\n", (2, 1), "a tab stands", "indent with spaces"),
        ("a: @x\n", (1, 4), "cannot start with `@`", "put quotes"),
        ('a: "x" == y\n', (1, 8), "goes on after the closing quote", "other kind of quotes"),
        ("a: b: c\n", (1, 5), "too many", "put quotes"),
        ("a: [1, 2\nb: 3\n", (1, 4), "`,` or `]` is missing", "close the list"),
        ("a: {b: 1\n", (1, 4), "`,` or `}` is missing", "close it"),
        ('a: "x\n', (1, 4), "never closed", "close it"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document", "one document"),
        ("a: \x07\n", (1, 4), "control character U+0007", "remove it"),
        ("? \n: b\n", (1, 2), "a key is missing", "key: value"),
        ("? [a]\n: b\n", (1, 3), "cannot be a key", "quotes"),
        ("a:\n- b\nc\n", (3, 1), "no `: ` after its key", "key: value"),
        ("a: \n  - b\n c: 1\n", (3, 2), "does not fit the lines above", "indentation"),
    ],
)
def test_broken_yaml_is_explained(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    """Each way of breaking a file gives one Problem in plain words, at its place, with what to do."""
    found = only(text)
    assert message in found.message
    assert hint in found.hint
    assert (found.line, found.column) == place


def test_several_problems_come_at_once() -> None:
    """A file with three traps is mended in one go, not in three."""
    assert [found.line for found in problems_of("a: on\nb: 012\nc: 1\nc: 2\n")] == [1, 2, 4]


def test_a_problem_shows_the_line_and_a_caret() -> None:
    """The form of the message is the one that the documentation shows."""
    assert str(only("a: 1\nbc: 012\n")) == (
        "f.yaml:2:5: error: YAML 1.1 reads `012`, which starts with 0, as an octal number\n"
        "    2 | bc: 012\n"
        "      |     ^^^ drop the leading 0, or put quotes around it if it is text"
    )


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 50_000 + "a", "a: " + "{b: " * 10_000, "&a [" * 1000])
def test_deep_nesting_is_refused_quickly(text: str) -> None:
    """No depth makes the reader fail otherwise than with a Problem."""
    start = time.process_time()
    assert problems_of(text)
    assert time.process_time() - start < 1


def test_size_is_limited() -> None:
    """Files that no person wrote are refused before they are read."""
    assert "at most" in only("a: " + "x" * 300_000).message
    assert "more than 40,000 values" in only("[" + "1," * 50_000 + "1]").message


def test_an_empty_file_is_refused() -> None:
    """Nothing is no document."""
    assert only("# only a comment\n").message == "the file is empty"


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("a: one two", 4, (1, 8)),
        ('a: "one two"', 4, (1, 9)),
        ("a: 'it''s two'", 5, (1, 11)),
        ('a: "x\\"y z"', 4, (1, 10)),
        ("a: |\n  one\n  two three\n", 8, (3, 7)),
        ("a: >\n  one\n  two three\n", 8, (3, 7)),
        ("a: one\n  two three", 8, (2, 7)),
        ("a: été two", 4, (1, 8)),
    ],
)
def test_an_offset_in_a_value_finds_its_place(text: str, offset: int, place: tuple[int, int]) -> None:
    """However a text is quoted or folded, a complaint about a part of it points at that part."""
    found = scalar(text, "a").problem_at(offset, 3, "here")
    assert (found.line, found.column) == place


def test_reading_a_file(tmp_path: Path) -> None:
    """A byte order mark is passed over; what is not UTF-8 or not there is a Problem, not an exception of Python."""
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert document.read(path, "f.yaml") == "a: 1"
    path.write_bytes(b"a: 1\nb: \xff")
    with pytest.raises(ConfigError, match=r"f\.yaml:2:1: error: byte 0xff is not UTF-8 text"):
        document.read(path, "f.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        document.read(tmp_path / "none.yaml")


def section(text: str, *keys: str) -> tuple[Section, list[Problem]]:
    found: list[Problem] = []
    return Section(document.load(text, "f.yaml"), "programme", keys, found), found


def test_a_section_gives_typed_values() -> None:
    """Each getter gives the value or its default."""
    text = "name: 1.10\ncount: 3\nrate: 0.5\nfair: true\nways: [a, b]\none: a\nlength: 30 days\nkind: x\n"
    read, found = section(text, "name", "count", "rate", "fair", "ways", "one", "length", "kind", "none")
    assert read.text("name") == "1.10"
    assert read.integer("count") == 3
    assert read.number("rate") == Decimal("0.5")
    assert read.boolean("fair") is True
    assert (read.texts("ways"), read.texts("one")) == (["a", "b"], ["a"])
    assert read.parsed("length", Duration.parse, Duration()) == Duration(days=30)
    assert read.choice("kind", ["x", "y"]) == "x"
    assert (read.text("none", "d"), read.integer("none", 7), read.section("none", None)) == ("d", 7, None)
    assert found == []


def test_a_section_collects_every_problem() -> None:
    """Unknown keys and wrong values are noted, not raised, and the defaults hold."""
    text = "nmae: x\ncount: many\nleast: 0\nhalf: 1.5\nfair: maybe\nkind: z\nlength: soon\nways: {a: 1}\n"
    read, found = section(text, "name", "count", "least", "half", "fair", "kind", "length", "ways")
    assert read.text("name", required=True) == ""
    assert read.integer("count", 5) == 5
    assert read.integer("least", 5, least=1) == 5
    assert read.integer("half", 5) == 5
    assert read.boolean("fair", default=True) is True
    assert read.choice("kind", ["x", "y"], "x") == "x"
    assert read.parsed("length", Duration.parse, Duration()) == Duration()
    assert read.texts("ways") == []
    assert [problem.line for problem in found] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert found[0].hint == "did you mean `name`?"


def test_a_section_of_sections() -> None:
    """Lists of mappings are read mapping by mapping, each with its own keys."""
    read, found = section("tiers:\n  - {name: Bronze}\n  - {nam: Silver}\n  - plain\n", "tiers")
    assert [one.text("name") for one in read.sections("tiers", ["name"])] == ["Bronze", "", ""]
    assert [(problem.line, problem.hint) for problem in found] == [
        (3, "did you mean `name`?"),
        (4, "write `key: value` lines below it"),
    ]


def test_it_reads_without_the_c_library_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's Python loader gives the same nodes and the same kind of complaints."""
    monkeypatch.setattr(reader, "_Loader", yaml.SafeLoader)
    assert document.load("a: [1.10, {b: x}]\n", "f.yaml").plain() == {"a": [Decimal("1.10"), {"b": "x"}]}
    assert "a tab stands" in only("a:\n\tb: 1\n").message
    assert "unquoted `{{`" in only("a: {{ x }}\n").message
    assert "too many" in only("a: b: c\n").message


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="ab:-[]{}\"'|>&*!#%@`?,\n\t 01.", max_size=60)))
def test_any_text_is_read_or_explained(text: str) -> None:
    """Whatever stands in a file, there is a node or there are Problems, never another exception."""
    read = document.parse(text, "f.yaml")
    assert all(str(problem) for problem in read.problems)
    if read.root is not None:
        read.root.plain()
