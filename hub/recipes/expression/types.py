"""Expression types: walks the tree once, gives each piece a type and a closure, and notes every fault on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo

from hub.document import did_you_mean
from hub.recipes.expression import closures
from hub.recipes.expression.functions import FUNCTIONS, Call
from hub.recipes.expression.parts import Part
from hub.recipes.expression.rules import NUMERIC, TIMES, Unfit, arithmetic, compared, contained, united
from hub.recipes.expression.syntax import Tree
from hub.recipes.expression.tokens import Fault
from hub.recipes.types import ANY, BOOLEAN, DATE, DURATION, INTEGER, MOMENT, NOTHING, NUMBER, TEXT, Type, list_of

_LITERALS = {"text": TEXT, "date": DATE, "moment": MOMENT, "duration": DURATION, "boolean": BOOLEAN, "nothing": NOTHING}
_DATE_PARTS = frozenset(["year", "month", "day", "hour", "weekday", "date"])


class Typer:
    """The types and closures of one expression.

    reads: the names it uses, and their fields. faults: what is wrong, in the order found.
    """

    def __init__(
        self, text: str, types: Mapping[str, Type], currency: str, zone: tzinfo, absent: Mapping[str, str] | None = None
    ) -> None:
        self._text = text
        self._types = types
        self._absent = absent or {}
        self.currency = currency
        self.zone = zone
        self.reads: set[str] = set()
        self.faults: list[Fault] = []

    def part(self, tree: Tree) -> Part:
        """The compiled piece; one of type `any` where there is a fault, so that no second fault comes of it."""
        part: Part = getattr(self, f"_{tree.kind}")(tree)
        return part

    def _fault(self, tree: Tree, message: str, hint: str = "") -> Part:
        self.faults.append(Fault(message, tree.start, tree.end - tree.start, hint))
        return Part(tree.kind, ANY, closures.constant(None), tree.start, tree.end)

    def _said(self, tree: Tree) -> str:
        return self._text[tree.start : tree.end][:80]

    def _literal(self, tree: Tree) -> Part:
        value = tree.value
        kind = _LITERALS.get(tree.what) or (INTEGER if isinstance(value, int) else NUMBER)
        if tree.what == "moment":
            value = closures.aware(value, self.zone)
        return Part("literal", kind, closures.constant(value), tree.start, tree.end, constant=True, sure=tree.what == "boolean")

    def _name(self, tree: Tree) -> Part:
        name = tree.value
        kind = self._types.get(name)
        if kind is not None:
            self.reads.add(name)
            return Part("name", kind, closures.name(name), tree.start, tree.end)
        if name in self._absent:
            return self._fault(tree, f"`{name}` cannot be used here", self._absent[name])
        if name in FUNCTIONS:
            return self._fault(tree, f"`{name}` is a function", f"write `{FUNCTIONS[name].usage}`")
        hint = did_you_mean(name, self._types) or self._unknown(name)
        return self._fault(tree, f"`{name[:40]}` is not a name here", hint)

    def _unknown(self, name: str) -> str:
        """What to do about a word alone, which may be meant as text, and about one with fields, which cannot."""
        if re.search(rf"\b{re.escape(name)}\s*[.\[]", self._text):
            return f"there are {', '.join(f'`{known}`' for known in self._types)}"
        return f'if it is text, put quotes around it: "{name[:40]}"'

    def _field(self, tree: Tree) -> Part:
        base = self.part(tree.parts[0])
        if tree.parts[0].kind == "name":
            self.reads.add(f"{tree.parts[0].value}.{tree.value}")
        kind = base.type
        item = kind.of if kind.kind == "list" and kind.of is not None else kind
        if item.kind == "record":
            found = (item.fields or {}).get(tree.value)
            if found is None:
                return self._no_field(tree, item)
            result = found.type
        elif item.kind == "map":
            result = (item.of or ANY).or_none()
        elif kind.kind == "any":
            result = ANY
        else:
            hint = f"write {tree.value}({self._said(tree.parts[0])})" if tree.value in _DATE_PARTS | FUNCTIONS.keys() else ""
            return self._fault(tree, f"`{self._said(tree.parts[0])}` is {kind} and has no fields", hint)
        if kind.kind == "list":
            result = list_of(result)
        run = closures.field(base, tree.value)
        return Part("field", result.or_none() if kind.optional else result, run, tree.start, tree.end, (base,))

    def _no_field(self, tree: Tree, record: Type) -> Part:
        said = self._said(tree)
        stem = said[: len(said) - len(tree.value)] + "{}"
        fields = record.fields or {}
        hint = did_you_mean(tree.value, fields, stem.replace("{", "{{").replace("}", "}}").replace("{{}}", "{}"))
        if not hint and fields:
            some = ", ".join(f"`{name}`" for name in list(fields)[:12])
            hint = f"it has {some}{' and more' if len(fields) > 12 else ''}"
        return self._fault(tree, f"`{said}` is not a field of {record.name or 'this record'}", hint)

    def _item(self, tree: Tree) -> Part:
        base = self.part(tree.parts[0])
        kind, key = base.type, tree.value
        if (
            kind.kind == "any"
            or (kind.kind == "map" and isinstance(key, str))
            or (kind.kind == "list" and isinstance(key, int))
        ):
            result = (kind.of or ANY).or_none()
            return Part("item", result, closures.item(base, key), tree.start, tree.end, (base,))
        if kind.kind == "record" and isinstance(key, str):
            return self._fault(
                tree, f"`{self._said(tree)}` is not how a field is read", f"write {self._said(tree.parts[0])}.{key}"
            )
        wanted = "a whole number" if kind.kind == "list" else "a name in quotes"
        hint = f"write {wanted} in the brackets" if kind.kind in {"list", "map"} else ""
        return self._fault(tree, f"`{self._said(tree.parts[0])}` is {kind}: it has no item `{key}`", hint)

    def _list(self, tree: Tree) -> Part:
        parts = tuple(self.part(piece) for piece in tree.parts)
        kind = NOTHING
        for piece, part in zip(tree.parts, parts, strict=True):
            try:
                kind = united(kind, part.type)
            except Unfit as unfit:
                return self._fault(piece, unfit.message, "all items of a list are of one kind")
        held = kind if parts else ANY
        constant = all(part.constant for part in parts)
        return Part("list", list_of(held), closures.listed(parts), tree.start, tree.end, parts, constant=constant)

    def _negate(self, tree: Tree) -> Part:
        inner = self.part(tree.parts[0])
        if inner.type.kind not in NUMERIC | {"any"}:
            return self._fault(tree, f"`-` needs a number, and this is {inner.type}")
        return Part("negate", inner.type, closures.negated(inner), tree.start, tree.end, (inner,), constant=inner.constant)

    def _condition(self, tree: Tree) -> Part:
        part = self.part(tree)
        if part.type.kind not in {"boolean", "any", "nothing"}:
            hint = "compare it: `… > 0`" if part.type.kind in NUMERIC else "compare it: `… != none`"
            return self._fault(tree, f"`{self._said(tree)}` is {part.type}, not true or false", hint)
        return part

    def _not(self, tree: Tree) -> Part:
        inner = self._condition(tree.parts[0])
        return Part(
            "not", BOOLEAN, closures.inverted(inner), tree.start, tree.end, (inner,), constant=inner.constant, sure=True
        )

    def _and(self, tree: Tree) -> Part:
        parts = tuple(self._condition(piece) for piece in tree.parts)
        make = closures.all_of if tree.kind == "and" else closures.any_of
        constant = all(part.constant for part in parts)
        return Part(tree.kind, BOOLEAN, make(parts), tree.start, tree.end, parts, constant=constant, sure=True)

    _or = _and

    def _if(self, tree: Tree) -> Part:
        test = self._condition(tree.parts[0])
        then, other = self.part(tree.parts[1]), self.part(tree.parts[2])
        try:
            kind = united(then.type, other.type)
        except Unfit as unfit:
            return self._fault(tree, unfit.message, unfit.hint)
        parts = (test, then, other)
        constant = all(part.constant for part in parts)
        return Part(
            "if", kind, closures.chosen(*parts), tree.start, tree.end, parts, constant=constant, sure=then.sure and other.sure
        )

    def _binary(self, tree: Tree) -> Part:
        left, right = self.part(tree.parts[0]), self.part(tree.parts[1])
        try:
            kind = arithmetic(tree.value, left.type, right.type)
        except Unfit as unfit:
            return self._fault(tree, unfit.message, unfit.hint)
        run = closures.arithmetic(tree.value, kind, left, right, self.zone)
        return Part("binary", kind, run, tree.start, tree.end, (left, right), constant=left.constant and right.constant)

    def _compare(self, tree: Tree) -> Part:
        parts = tuple(self.part(piece) for piece in tree.parts)
        pairs = []
        for sign, left, right in zip(tree.value, parts, parts[1:], strict=False):
            try:
                self._check_pair(sign, left, right)
            except Unfit as unfit:
                self._fault(tree, unfit.message, unfit.hint)
                continue
            pairs.append(closures.comparison(sign, left, right, self._days(left, right)))
        run = pairs[0] if len(pairs) == 1 else closures.chained(pairs)
        constant = all(part.constant for part in parts)
        return Part("compare", BOOLEAN, run, tree.start, tree.end, parts, constant=constant, sure=True)

    def _days(self, left: Part, right: Part) -> tzinfo | None:
        """The zone in which both are compared as days, when one is a date and the other a moment."""
        return self.zone if {left.type.kind, right.type.kind} == TIMES else None

    def _check_pair(self, sign: str, left: Part, right: Part) -> None:
        if sign in {"in", "not in"}:
            contained(left.type, right.type)
            if right.kind == "list":
                for part in right.parts:
                    self._check_choice(left, part)
            else:
                self._check_choice(left, right)
            return
        compared(sign, left.type, right.type)
        self._check_choice(left, right)
        self._check_choice(right, left)

    def _check_choice(self, value: Part, literal: Part) -> None:
        """A text that the value can never be is a mistake."""
        choices = value.type.choices or (value.type.of.choices if value.type.of else ())
        if not choices or literal.kind != "literal" or literal.type.kind != "text":
            return
        said = literal.run({})
        if said not in choices:
            hint = did_you_mean(said, choices, '"{}"') or f"it is one of {', '.join(choices)}"
            self.faults.append(Fault(f'it is never "{said[:40]}"', literal.start, literal.end - literal.start, hint))

    def _call(self, tree: Tree) -> Part:
        function = FUNCTIONS.get(tree.value)
        if function is None:
            hint = did_you_mean(tree.value, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}"
            return self._fault(tree, f"there is no function `{tree.value[:40]}`", hint)
        parts = tuple(self.part(piece) for piece in tree.parts)
        named = {name: self.part(piece) for name, piece in (tree.keywords or {}).items()}
        if not function.least <= len(parts) <= function.most or (named and not function.keywords):
            return self._fault(tree, f"`{tree.value}` is not called with these values", f"write `{function.usage}`")
        call = Call(parts, named, self.currency, self.zone)
        try:
            kind = function.type(call)
        except Unfit as unfit:
            return self._fault(tree, unfit.message, unfit.hint or f"write `{function.usage}`")
        pieces = (*parts, *named.values())
        optional = any(part.type.optional for part in parts) and not function.sure
        constant = all(part.constant for part in pieces)
        return Part(
            "call", kind.or_none() if optional else kind, function.make(call), tree.start, tree.end, pieces, constant=constant
        )
