"""Logs: people and machines can read them, and no secret shows."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator

import pytest

from hub import log


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("hub", "connectors")]
    before = (list(root.handlers), root.level, [one.level for one in ours])
    monkeypatch.setattr(log, "redact", log.Redaction())
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for one, level in zip(ours, before[2], strict=True):
        one.setLevel(level)


def test_a_line_for_people_has_level_place_message_and_fields() -> None:
    """On a terminal a line reads as a sentence with its fields as key=value."""
    stream = Terminal()
    log.setup(stream)
    log.get("hub.engine.door").warning("delivery refused", connection="square", reason="no signature came")
    line = stream.getvalue()
    assert 'warning  hub.engine.door  delivery refused  connection=square reason="no signature came"\n' in line


def test_a_line_for_machines_is_one_json_object() -> None:
    """Elsewhere each line is one JSON object with the fields as its own."""
    stream = io.StringIO()
    log.setup(stream)
    log.get("hub.web").info("kept %s", "dlv_1", connection="square", count=3, nothing=None)
    said = json.loads(stream.getvalue())
    assert said["message"] == "kept dlv_1"
    assert (said["connection"], said["count"], said["nothing"], said["level"]) == ("square", 3, None, "info")
    assert said["at"].endswith("Z")


def test_a_field_cannot_take_the_place_of_the_message() -> None:
    """A field named like one of ours does not hide what was said."""
    stream = io.StringIO()
    log.setup(stream)
    log.get("hub").info("this happened", message="forged", level="debug")
    said = json.loads(stream.getvalue())
    assert (said["message"], said["level"]) == ("this happened", "info")


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["people", "machines"])
def test_known_secrets_never_show(stream: io.StringIO) -> None:
    """A known secret is struck out of messages, fields and tracebacks, also as it stands in a URL or within quotes."""
    secret = 'pa"ss/wörd &1'
    log.redact.add(secret)
    log.setup(stream)
    logger = log.get("hub.test")
    try:
        raise ValueError(f"bad key {secret}")
    except ValueError:
        logger.exception("call with %s failed", secret, url="https://x/?k=pa%22ss%2Fw%C3%B6rd%20%261", detail={"k": secret})
    text = stream.getvalue()
    assert "ss/w" not in text
    assert "ss%2Fw" not in text
    assert log.STRUCK in text
    assert "ValueError" in text


def test_a_secret_of_many_lines_is_struck_out_line_by_line() -> None:
    """Of a private key no line shows."""
    log.redact.add("-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----\n")
    assert log.redact("key: abcdefgh.") == "key: ***."


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_secret_is_known_in_hex_and_wherever_it_stands_in_base64(before: str) -> None:
    """As in a Basic header, whose user name decides how the letters fall."""
    secret = "pa55-wörd?>~"
    log.redact.add(secret)
    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(f"{before}:{secret}:more".encode()).decode()
        assert len(log.redact(f"Basic {encoded}")) < len(encoded)
        assert encoded[8:16] not in log.redact(encoded)
    assert log.redact(f"<{secret.encode().hex()}>") == "<***>"


def test_a_secret_that_was_copied_out_of_an_address_is_known_without_its_escapes() -> None:
    """So it stands in what a platform says of it."""
    log.redact.add("s1g%2Bnature%3D")
    assert log.redact("?sig=s1g%2Bnature%3D is no `s1g+nature=`") == "?sig=*** is no `***`"


def test_a_token_is_forgotten_when_others_have_taken_its_place() -> None:
    """There is no end of them; the last ones of a connection are known, and those of others."""
    log.redact.add_passing("square", "square-token")
    for number in range(6):
        log.redact.add_passing("sheets", f"sheets-token-{number}")
    assert log.redact("square-token sheets-token-5 sheets-token-0") == "*** *** sheets-token-0"


def test_an_unforeseen_error_is_told_without_secrets() -> None:
    """Its kind and what it says."""
    log.redact.add("hunter2-hunter2")
    assert log.in_words(ValueError("no hunter2-hunter2 here")) == "ValueError: no *** here"


def test_a_very_short_text_is_no_secret() -> None:
    """An empty or very short setting does not strike out every line."""
    log.redact.add("")
    log.redact.add("ab")
    assert log.redact("about") == "about"


def test_the_longer_of_two_secrets_is_struck_out_whole() -> None:
    """A secret that begins with another leaves no tail behind."""
    log.redact.add("abcd")
    log.redact.add("abcdefgh")
    assert log.redact("abcdefgh") == "***"


def test_fields_with_names_of_secrets_are_hidden_unseen() -> None:
    """A field that is called a token is not shown, known or not."""
    stream = io.StringIO()
    log.setup(stream)
    log.get("hub").info("connected", access_token="abc", Authorization="Basic x")
    said = json.loads(stream.getvalue())
    assert (said["access_token"], said["Authorization"]) == ("***", "***")


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["people", "machines"])
def test_nobody_writes_a_second_line_from_outside(stream: io.StringIO) -> None:
    """Line breaks and control characters in values from outside stay within their line."""
    log.setup(stream)
    log.get("hub").warning("no connection %s", "x\n12:00:00 info all is well\x1b[2K", name="y\r\nz")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_setup_again_replaces_what_it_set_up() -> None:
    """A second setup takes the place of the first: no line comes twice."""
    first, second = io.StringIO(), io.StringIO()
    log.setup(first)
    log.setup(second)
    log.get("hub").info("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_other_libraries_speak_from_warning_on() -> None:
    """The level is that of the hub; what other libraries say in detail (URLs, headers) stays out."""
    stream = io.StringIO()
    log.setup(stream, logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug("GET /?token=1")
    log.get("hub.sdk").debug("ours")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["ours"]


def test_a_very_long_value_is_cut() -> None:
    """A value cannot fill the log."""
    stream = io.StringIO()
    log.setup(stream)
    log.get("hub").info("x", reason="a" * 100_000)
    assert len(stream.getvalue()) < 3_000
