"""Expression tokens: the words and signs that an expression is made of, and what to say about all others."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from hub.sdk.values import Duration

EXPRESSION_CHARACTERS = 2_000
EXPRESSION_TOKENS = 500
NUMBER_DIGITS = 30


class Fault(Exception):
    """Something in an expression that is not right; offset and width say where in the text."""

    def __init__(self, message: str, offset: int, width: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.width = max(1, width)
        self.hint = hint


class Token(NamedTuple):
    """kind: `number`, `text`, `date`, `moment`, `duration`, `name`, `sign` or `end`."""

    kind: str
    text: str
    start: int
    end: int


_UNIT = r"\d{1,5}\s*(?:second|minute|hour|day|week|month|quarter|year)s?\b"
_TOKEN = re.compile(
    rf"""(?P<blank>\s+)
    |(?P<moment>\d{{4}}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)
    |(?P<date>\d{{4}}-\d\d-\d\d(?![\d-]))
    |(?P<duration>{_UNIT}(?:\s+{_UNIT})*)
    |(?P<number>\d+(?:\.\d+)?(?![\w.]))
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[A-Za-z_]\w*(?!["'\w]))
    |(?P<sign>==|!=|<=|>=|//(?!/)|[-+*/%<>()\[\],.=])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_NOT_HERE = (
    ("&&", "`&&` is not used here", "write `and`"),
    ("||", "`||` is not used here", "write `or`"),
    ("|", "there are no filters (`|`)", 'use a function: `default(member.first_name, "you")`'),
    ("!", "`!` is not used here", "write `not`"),
    ("?", "`?` is not used here", "write `a if condition else b`"),
    ("{", "braces have no place inside an expression", "write the expression without `{{ }}`"),
    ("}", "braces have no place inside an expression", "write the expression without `{{ }}`"),
    (":", "`:` is not used here", "put quotes around text"),
    ("$", "`$` is not used here", "an amount is a bare number in the programme's currency"),
    ('"', "a quote is opened here and never closed", "close it"),
    ("'", "a quote is opened here and never closed", "close it"),
)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}


def tokens(text: str) -> list[Token]:
    """All tokens, the last of kind `end`. Fault where something is none."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise Fault(f"the expression has {len(text):,} characters; at most {EXPRESSION_CHARACTERS:,} are read", 0)
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _no_token(text, at)
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup or "", match.group(), at, match.end()))
        at = match.end()
    if len(found) > EXPRESSION_TOKENS:
        raise Fault(
            f"the expression has more than {EXPRESSION_TOKENS} parts", found[EXPRESSION_TOKENS].start, 1, "make it simpler"
        )
    found.append(Token("end", "", len(text.rstrip()), len(text)))
    return found


def _no_token(text: str, at: int) -> Fault:
    if text[at].isdecimal():
        word = re.match(r"[\w.]+", text[at:])
        shown = word.group() if word else text[at]
        return Fault(f"`{shown[:40]}` is not a number", at, len(shown), "write digits, and a point where it needs one: 1000.50")
    if re.match(r"[A-Za-z_]\w*[\"']", text[at:]):
        return Fault("a word stands right before a quote", at, 1, 'text is simply "in quotes"')
    for sign, message, hint in _NOT_HERE:
        if text.startswith(sign, at):
            return Fault(message, at, len(sign), hint)
    return Fault(f"`{text[at]}` has no meaning in an expression", at, 1, "put quotes around text")


def unquoted(token: Token) -> str:
    """What a quoted text says. Fault for an escape that means nothing."""
    inner = token.text[1:-1]
    if "\\" not in inner:
        return inner
    wrong = re.search(r"\\([^\\\"'nt])", re.sub(r"\\\\", "  ", inner))
    if wrong:
        hint = r"known are \n, \t, \\ and quotes"
        raise Fault(f"`{wrong.group()}` means nothing in text", token.start + 1 + wrong.start(), 2, hint)
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match.group(1)], inner)


def literal(token: Token) -> Any:
    """The value of a number, text, date, moment or duration."""
    text = token.text
    try:
        if token.kind == "date":
            return date.fromisoformat(text)
        if token.kind == "moment":
            return datetime.fromisoformat(text)
        if token.kind == "duration":
            return Duration.parse(text)
    except ValueError:
        raise Fault(
            f"there is no such date as `{text}`", token.start, len(text), "write it as 2026-12-24 or 2026-12-24T18:00:00Z"
        ) from None
    if token.kind == "text":
        return unquoted(token)
    if len(text) > NUMBER_DIGITS:
        raise Fault(f"a number has at most {NUMBER_DIGITS} digits", token.start, len(text))
    if len(text) > 1 and text[0] == "0" and text[1] != ".":
        raise Fault(f"`{text}` starts with a 0", token.start, len(text), "leave the leading 0 out")
    return Decimal(text) if "." in text else int(text)
