"""Traps: what YAML would read otherwise than a person means it, and YAML's own complaints in plain words."""

from __future__ import annotations

import re
from decimal import Decimal

import yaml

from hub.document.nodes import Plain, Source
from hub.errors import Problem

NUMBER_DIGITS = 40
QUOTES = "put quotes around it if it is text"
QUOTE_BRACES = "YAML reads an unquoted `{{` as a mapping"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_SWITCHES = {"on": "true", "yes": "true", "off": "false", "no": "false"}
_SUSPECT = frozenset("-+.0123456789~nNtTfFoOyY<=")
_TRAPS = (
    (
        re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"),
        "YAML 1.1 reads `{}` as a number to the base 60",
        'write "{}"',
    ),
    (
        re.compile(r"-?0[0-9_]+(?:\.[0-9_]*)?"),
        "YAML 1.1 reads `{}`, which starts with 0, as an octal number",
        f"drop the leading 0, or {QUOTES}",
    ),
    (
        re.compile(r"[-+]?0[xXbBoO][0-9a-fA-F_]+"),
        "`{}` is a number in programmers' notation",
        f"write it out in digits, or {QUOTES}",
    ),
    (
        re.compile(r"[-+]?(?=[0-9._]*_)[0-9][0-9_]*(?:\.[0-9_]*)?"),
        "YAML 1.1 reads `{}` as a number, without the `_`",
        f"leave out the `_`, or {QUOTES}",
    ),
    (
        re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+"),
        "`{}` is a number with a power of ten",
        f"write it out in digits, or {QUOTES}",
    ),
    (
        re.compile(r"[-+]?\.[0-9][0-9_]*|[-+]?[0-9]+\."),
        "`{}` is not a whole decimal number",
        f"write digits on both sides of the point, or {QUOTES}",
    ),
    (
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        "`{}` is not a number that can be used",
        f"write an exact number, or {QUOTES}",
    ),
    (re.compile(r"<<|="), "`{}` has a meaning of its own in YAML 1.1", QUOTES),
)


class Trap(ValueError):
    """A plain value that YAML 1.1 reads otherwise than it looks."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar: number, true/false, nothing or text. Trap when it is treacherous."""
    if text and text[0] not in _SUSPECT:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        if len(text) > NUMBER_DIGITS:
            raise Trap(f"`{text[:12]}…` is a number of more than {NUMBER_DIGITS} digits", QUOTES)
        return Decimal(text) if "." in text else int(text)
    if text.lower() in _SWITCHES:
        raise Trap(
            f"YAML 1.1 reads `{text}` as {_SWITCHES[text.lower()]}",
            f'write {_SWITCHES[text.lower()]}, or "{text}" if it is text',
        )
    if len(text) > NUMBER_DIGITS:
        return text
    for pattern, message, hint in _TRAPS:
        if pattern.fullmatch(text):
            raise Trap(message.format(text), hint.format(text))
    return text


def resolve_key(text: str) -> str:
    """A key is its text. Trap when YAML 1.1 would read it as something else."""
    if text.lower() in _SWITCHES:
        raise Trap(
            f"YAML 1.1 reads the key `{text}` as {_SWITCHES[text.lower()]}", f'write "{text}" in quotes, or another word'
        )
    if text == "<<":
        raise Trap("merge keys (`<<`) are not used here", "write the keys out")
    if not text:
        raise Trap("a key is missing before the `:`", "write `key: value`")
    return text


_TAB = ("a tab stands where only spaces may stand", "indent with spaces")
_PLAIN_WORDS = (
    ("tab character", *_TAB),
    (
        "mapping values are not allowed",
        "this line has a `: ` too many",
        "put quotes around the text that holds it, or check the indentation",
    ),
    ("could not find expected ':'", "this line has no `: ` after its key", "write `key: value`, and check the indentation"),
    ("block sequence entries are not allowed", "a list item (`- `) cannot stand here", "start the list on a line of its own"),
    (
        "did not find expected '-' indicator",
        "this line belongs neither to the list above nor to the key before it",
        "check the indentation",
    ),
    (
        "unknown escape character",
        'a `\\` in "double quotes" is followed by a letter that means nothing',
        "write `\\\\`, or use 'single quotes'",
    ),
    ("end of stream", "a quote or bracket is opened here and never closed", "close it"),
    ("document start", "a second document (`---`) starts here", "one file holds one document"),
    (
        "expected ',' or ']'",
        "a `[` is opened here, and a `,` or `]` is missing after it",
        "close the list, or put quotes around the text",
    ),
    (
        "expected ',' or '}'",
        "a `{` is opened here, and a `,` or `}` is missing after it",
        "close it, or put quotes around the text",
    ),
    ("alphabetic or numeric character", "a value cannot start with `*` or `&`", "put quotes around it"),
    ("tag", "a value cannot start with `!`", "put quotes around it"),
)
_AT_OPENING = ("end of stream", "could not find expected ':'", "expected ',' or ']'", "expected ',' or '}'")
_QUOTED_START = re.compile(r"""^\s*(?:- +)*(?:[\w.-]+:\s+)?(?:"[^"]*"|'[^']*')\s+\S""")
_BRACES_START = re.compile(r"""^[^"'#]*?(?::|-|\[|,)\s+\{\{""")


def in_plain_words(error: yaml.YAMLError, source: Source) -> Problem:
    """What YAML complains about, said so that an admin can mend it."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return source.problem(1, 1, f"YAML cannot read this file: {error}", "save it as UTF-8 text")
    mark, said = error.problem_mark, error.problem or ""
    if error.context_mark is not None and any(part in said for part in _AT_OPENING):
        mark = error.context_mark
    line, column = mark.line + 1, mark.column + 1
    message, hint = _explain(said, source, line, mark.index)
    return source.problem(line, column, message, hint)


def _explain(said: str, source: Source, line: int, index: int) -> tuple[str, str]:
    excerpt = source.excerpt(line, 1)
    if _BRACES_START.search(excerpt):
        return QUOTE_BRACES, "put quotes around it"
    if _QUOTED_START.search(excerpt) and "expected" in said:
        return (
            "a value that starts with a quote goes on after the closing quote",
            "put the other kind of quotes around the whole value",
        )
    character = source.text[index : index + 1]
    if "cannot start any token" in said:
        return _TAB if character == "\t" else (f"a value cannot start with `{character}`", "put quotes around it")
    for part, message, hint in _PLAIN_WORDS:
        if part in said:
            return message, hint
    if "expected key" in said or "expected <block end>" in said:
        return "this line does not fit the lines above it", "check the indentation: keys of one mapping start in one column"
    return f"YAML cannot read this: {said}", "check quotes, brackets and indentation"
