"""Template: text with `{{ expressions }}` in it, each written by its type."""

from __future__ import annotations

import re

from hub.recipes.expression import Compiled, Names, compile_expression, fixed
from hub.recipes.expression.tokens import Fault
from hub.recipes.types import TEXT, Type
from hub.recipes.values import Scope, writer

TEMPLATE_EXPRESSIONS = 50
_SINGLE_BRACES = re.compile(r"\{\s*(([a-z]\w*)\.[\w.]+)\s*\}", re.ASCII)
_FOREIGN = (("{%", "%}"), ("{#", "#}"), ("${", "}"))


def compile_template(text: str, names: Names, *, keep_type: bool = False) -> tuple[Compiled | None, list[Fault]]:
    """The text and what is wrong with it. keep_type: a text that is one single `{{ }}` gives that value as it is."""
    if "{{" not in text:
        fault = _foreign(text, names)
        return (None, [fault]) if fault else (fixed(text, TEXT, text), [])
    try:
        pieces = _split(text)
    except Fault as fault:
        return None, [fault]
    compiled: list[Compiled | str] = []
    faults: list[Fault] = []
    for start, piece in pieces:
        if start is None:
            compiled.append(piece)
            continue
        part, wrong = compile_expression(piece, names)
        if part is not None and not _is_writable(part.type) and not (keep_type and len(pieces) == 1):
            wrong = [Fault(f"{part.type} cannot be written into a text", 0, len(piece), "name one of its fields")]
        faults += [Fault(fault.message, start + fault.offset, fault.width, fault.hint) for fault in wrong]
        if part is not None:
            compiled.append(part)
    if faults:
        return None, faults
    if keep_type and len(compiled) == 1 and isinstance(compiled[0], Compiled):
        return compiled[0], []
    return _joined(text, compiled, names), []


def _joined(text: str, pieces: list[Compiled | str], names: Names) -> Compiled:
    """One closure that writes all pieces."""
    steps = [
        (piece, None) if isinstance(piece, str) else (piece.evaluate, writer(piece.type, names.currency, names.zone))
        for piece in pieces
    ]

    def run(scope: Scope) -> str:
        return "".join([step if write is None else write(step(scope)) for step, write in steps])  # type: ignore[operator,misc]

    reads = frozenset().union(*(piece.reads for piece in pieces if isinstance(piece, Compiled)))
    return Compiled(text, TEXT, reads, run)


def _is_writable(kind: Type) -> bool:
    if kind.kind == "list":
        return kind.of is None or (_is_writable(kind.of) and kind.of.kind != "list")
    return kind.kind not in {"record", "map"}


def _foreign(text: str, names: Names) -> Fault | None:
    for opening, closing in _FOREIGN:
        at = text.find(opening)
        if at >= 0 and closing in text[at:]:
            hint = "expressions stand in `{{ }}`; there is nothing else" if opening != "${" else "expressions stand in `{{ }}`"
            return Fault(f"`{opening} {closing}` has no meaning here", at, len(opening), hint)
    single = _SINGLE_BRACES.search(text)
    if single and single.group(2) in names.types:
        message = f"`{single.group()}` would stand in the text as it is"
        return Fault(message, single.start(), len(single.group()), f"write {{{{ {single.group(1)} }}}}")
    return None


def _split(text: str) -> list[tuple[int | None, str]]:
    """Literal pieces (None, text) and expressions (offset, text), in order. Fault where braces do not match."""
    found: list[tuple[int | None, str]] = []
    at = 0
    while (opening := text.find("{{", at)) >= 0:
        if opening > at:
            found.append((None, text[at:opening]))
        end = _closing(text, opening + 2)
        if end < 0:
            raise Fault("`{{` is opened here and never closed", opening, 2, "close it with `}}`")
        found.append((opening + 2, text[opening + 2 : end]))
        at = end + 2
    if at < len(text):
        found.append((None, text[at:]))
    if len(found) > 2 * TEMPLATE_EXPRESSIONS:
        raise Fault(f"the text holds more than {TEMPLATE_EXPRESSIONS} expressions", 0, 1, "make it shorter")
    return found


def _closing(text: str, at: int) -> int:
    """The index of the `}}` that is outside quotes; -1 when there is none."""
    quote = ""
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif text.startswith("}}", at):
            return at
        at += 1
    return -1
