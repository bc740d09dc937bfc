"""Decoding: what outsiders send becomes exact data, or an explanation."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Unreadable
from hub.sdk import decode


def test_numbers_stay_exact():
    """A decimal is a Decimal, a whole number an int; neither goes through a float."""
    assert decode.json_value(b'{"a": 0.1, "b": 12, "c": 1e2}') == {"a": Decimal("0.1"), "b": 12, "c": Decimal("1e2")}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff{}", "not UTF-8"),
        (b"{", "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"[-Infinity]", "not JSON"),
        (b"[1e999999999]", "out of range"),
        (b"[" + b"9" * 61 + b"]", "out of range"),
        (b"[0." + b"1" * 70 + b"]", "out of range"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 100_000, "deeper than 64"),
    ],
)
def test_what_cannot_be_read_is_explained(body, why):
    """Each kind of broken body has its own sentence."""
    with pytest.raises(Unreadable, match=why):
        decode.json_value(body)


def test_sixty_four_levels_are_read():
    """The limit of depth lies where it says."""
    assert decode.json_value(b"[" * 64 + b"]" * 64)


def test_what_no_database_keeps_is_replaced():
    """NUL and lone surrogates become the replacement character, in names and values; pairs stay."""
    assert decode.json_value(rb'{"a\u0000": "\ud800x", "b": ["\ud83d\ude00"]}') == {"a\ufffd": "\ufffdx", "b": ["\U0001f600"]}
    assert decode.form(b"a=%00") == {"a": "\ufffd"}


def test_a_form_keeps_blanks_order_and_repetition():
    """Blank fields count, nothing is trimmed, a repeated field is a list."""
    assert decode.pairs(b"b=+x+&a=&b=2") == [("b", " x "), ("a", ""), ("b", "2")]
    assert decode.form(b"b=1&a=&b=2&b=3") == {"b": ["1", "2", "3"], "a": ""}


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff=1", b"&".join([b"a=1"] * 2_001)])
def test_a_broken_form_is_explained(body):
    """A form that is not UTF-8, or has too many fields, is unreadable."""
    with pytest.raises(Unreadable):
        decode.form(body)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_unreadable(body):
    """Whatever comes, it is read or Unreadable."""
    for read in (decode.json_value, decode.form):
        try:
            read(body)
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            b"type=update&contact[id]=3&contact[fields][POINTS]=120",
            {"type": "update", "contact": {"id": "3", "fields": {"POINTS": "120"}}},
        ),
        (b"contact%5Bid%5D=3&contact%5Btags%5D=vip%2C+gold", {"contact": {"id": "3", "tags": "vip, gold"}}),
        (b"tags[]=a&tags[]=b", {"tags": ["a", "b"]}),
        (b"groups[0][id]=7&groups[1][id]=8", {"groups": [{"id": "7"}, {"id": "8"}]}),
        (b"fields[1]=a&fields[2]=b", {"fields": {"1": "a", "2": "b"}}),
        (b"fields[1]=a&fields[0]=b", {"fields": {"1": "a", "0": "b"}}),
        (b"a=1&a[b]=2", {"a": {"b": "2"}}),
        (b"a[b]=2&a=1", {"a": "1"}),
        (b"tag=1&tag=2", {"tag": "2"}),
        (b"a[b=1&a]=2&[c]=3&a[b]c=4", {"a[b": "1", "a]": "2", "[c]": "3", "a[b]c": "4"}),
        (b"a[]=", {"a": [""]}),
        (b"0=a", {"0": "a"}),
        (b"a[b]=%00", {"a": {"b": "\ufffd"}}),
    ],
)
def test_a_form_with_brackets_is_nested_as_php_nests_it(body, found):
    """Objects and lists; what is no name of PHP's stays as it is."""
    assert decode.nested_form(body) == found


def test_a_form_is_not_nested_without_end():
    """As deep as JSON may be, and no deeper."""
    assert decode.nested_form(b"a" + b"[b]" * 63 + b"=1")
    for deep in (b"a" + b"[b]" * 64 + b"=1", b"a" + b"[b]" * 100_000 + b"=1"):
        with pytest.raises(Unreadable, match="deeper than 64"):
            decode.nested_form(deep)


@given(st.binary(max_size=200))
def test_no_form_breaks_the_nesting(body):
    """It is read, or it is explained."""
    try:
        assert isinstance(decode.nested_form(body), dict)
    except Unreadable as error:
        assert str(error)


@pytest.mark.parametrize(
    "body",
    [
        b'id,text\n1,Nice\n\n2,"So, so"\n',
        b"\xef\xbb\xbfid;text\r\n1;Nice\r\n2;So, so\r\n",
        b"id\ttext\n1\tNice\n2\tSo, so",
    ],
)
def test_a_table_is_read_by_the_names_in_its_first_line(body):
    """Whatever separates the cells, with or without a byte order mark; empty lines are none."""
    rows = [row for _, row in decode.read_table(body)]
    assert rows == [{"id": "1", "text": "Nice"}, {"id": "2", "text": "So, so"}]


def test_a_row_of_another_length_is_told_by_its_line():
    """The others are read all the same; a cell may have several lines, and what no database keeps is replaced."""
    rows = list(decode.read_table(b'id,text\n1\n2,"a\nb"\n3,c,d\n4,x\x00'))
    assert rows == [(2, None), (4, {"id": "2", "text": "a\nb"}), (5, None), (6, {"id": "4", "text": "x\ufffd"})]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe", "not UTF-8: byte 0"),
        (b"id,\n1,2", "a name for each column"),
        (b"id,id\n1,2", "each another"),
        (b'id,text\n1,"torn', "line 2"),
        (b"id\n" + b"1\n" * 5_001, "more than 5000 rows"),
    ],
)
def test_what_is_no_table_is_explained(body, why):
    """With the line, where there is one."""
    with pytest.raises(Unreadable, match=why):
        list(decode.read_table(body))


def test_an_empty_table_has_no_rows():
    """Nor one of nothing but names."""
    assert list(decode.read_table(b"id,text\n")) == list(decode.read_table(b"")) == []


def test_what_was_copied_out_of_an_address_is_taken_without_its_escapes():
    """What is no escape stays as it is: of an address, not of a form."""
    assert decode.unescaped("a%2Bb+c&d%") == "a+b+c&d%"
