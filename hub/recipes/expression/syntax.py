"""Expression syntax: from tokens to a small tree; Python's notation, and nothing of Python behind it.

The tree holds spans (start, end) into the text, so that every later complaint can point at its place. Dates (`2026-12-24`) and
lengths of time (`30 days`) are literals. Limits on size and depth hold here, before anything is worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.recipes.expression.tokens import Fault, Token, literal, tokens, unquoted

EXPRESSION_DEPTH = 16
EXPRESSION_HEIGHT = 40


@dataclass(slots=True)
class Tree:
    """A node of the parsed expression.

    kind: `literal` (value, what: its token's kind), `name` (value), `field` (parts: base; value: field name), `item` (parts:
    base; value: key or index), `call` (value: function; parts: arguments; keywords), `list`, `negate`, `not`, `and`, `or`,
    `if` (parts: test, then, else), `compare` (parts: operands; value: tuple of operators), `binary` (value: operator).
    """

    kind: str
    start: int
    end: int
    parts: tuple[Tree, ...] = ()
    value: Any = None
    what: str = ""
    keywords: Mapping[str, Tree] | None = None
    height: int = 1


_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "in"])
_WORDS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None, "null": None}
_OPERATORS = frozenset(["and", "or", "not", "in", "if", "else", "is"])
_PYTHON = frozenset(
    ["lambda", "for", "while", "import", "def", "class", "await", "async", "yield", "with", "from", "del", "return"]
)


def parse(text: str) -> Tree:
    """The tree of an expression. Fault when it is none."""
    return _Parser(text, tokens(text)).whole()


class _Parser:
    """Recursive descent, one method a level of precedence."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        """The tree of all tokens."""
        if self._tokens[0].kind == "end":
            raise Fault("the expression is empty", 0)
        tree = self._expression()
        if self._tokens[self._at].kind != "end":
            raise self._unexpected()
        return tree

    def _is(self, *texts: str) -> bool:
        token = self._tokens[self._at]
        return token.text in texts and token.kind in {"sign", "name"}

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _close(self, sign: str, opened: Token) -> Token:
        if not self._is(sign):
            if self._tokens[self._at].kind != "end":
                raise self._unexpected()
            raise Fault(f"`{opened.text}` is opened here and never closed", opened.start, 1, f"add `{sign}`")
        return self._next()

    def _unexpected(self) -> Fault:
        token = self._tokens[self._at]
        if token.kind == "end":
            return Fault("the expression ends too early", max(0, token.start - 1), 1, "something is missing at its end")
        before = self._tokens[self._at - 1] if self._at else None
        hint = ""
        if token.text == "." and self._tokens[self._at + 1].kind == "number":
            hint = "a number needs a digit before the point: 0.5"
        elif token.text == "=":
            hint = "to compare, write `==`"
        elif before and token.text == "*" == before.text:
            hint = "there are no powers (`**`)"
        elif token.text == "is":
            hint = "to compare, write `==` or `!=`"
        elif token.text in _PYTHON:
            return Fault(
                f"`{token.text}` is not part of this language", token.start, len(token.text), "see the list of functions"
            )
        elif before and token.kind == "name" and before.kind == "number" and token.text.isupper() and len(token.text) == 3:
            hint = "amounts are in the programme's currency: leave the currency out"
        elif before and token.kind in {"name", "text", "number"} and before.kind in {"name", "text", "number"}:
            hint = "an operator such as `and`, `==` or `+` is missing before it; text needs quotes"
        return Fault(f"`{token.text[:40]}` is not expected here", token.start, len(token.text), hint)

    def _make(self, kind: str, start: int, end: int, parts: tuple[Tree, ...] = (), **more: Any) -> Tree:
        height = 1 + max((part.height for part in parts), default=0)
        if height > EXPRESSION_HEIGHT:
            raise Fault(
                f"the expression has more than {EXPRESSION_HEIGHT} steps in a row", start, end - start, "make it simpler"
            )
        return Tree(kind, start, end, parts, height=height, **more)

    def _expression(self) -> Tree:
        self._depth += 1
        if self._depth > EXPRESSION_DEPTH:
            token = self._tokens[self._at]
            raise Fault(f"the expression is nested more than {EXPRESSION_DEPTH} levels deep", token.start, 1, "make it simpler")
        tree = self._logic("or")
        if self._is("if"):
            self._next()
            test = self._logic("or")
            if not self._is("else"):
                if self._tokens[self._at].kind == "end":
                    raise Fault("an `if` without `else`", tree.end, 1, "write `a if condition else b`")
                raise self._unexpected()
            self._next()
            other = self._expression()
            tree = self._make("if", tree.start, other.end, (test, tree, other))
        self._depth -= 1
        return tree

    def _logic(self, word: str) -> Tree:
        parts = [self._logic("and") if word == "or" else self._negation()]
        while self._is(word):
            self._next()
            parts.append(self._logic("and") if word == "or" else self._negation())
        return parts[0] if len(parts) == 1 else self._make(word, parts[0].start, parts[-1].end, tuple(parts))

    def _negation(self) -> Tree:
        nots = []
        while self._is("not"):
            nots.append(self._next())
        tree = self._comparison()
        for token in reversed(nots):
            tree = self._make("not", token.start, tree.end, (tree,))
        return tree

    def _comparison(self) -> Tree:
        operands, operators = [self._sum()], []
        while self._is(*_COMPARISONS, "not"):
            word = self._next().text
            if word == "not":
                if not self._is("in"):
                    raise self._unexpected()
                self._next()
                word = "not in"
            operators.append(word)
            operands.append(self._sum())
        if not operators:
            return operands[0]
        return self._make("compare", operands[0].start, operands[-1].end, tuple(operands), value=tuple(operators))

    def _sum(self) -> Tree:
        tree = self._product()
        while self._is("+", "-"):
            sign = self._next().text
            right = self._product()
            tree = self._make("binary", tree.start, right.end, (tree, right), value=sign)
        return tree

    def _product(self) -> Tree:
        tree = self._signed()
        while self._is("*", "/", "//", "%"):
            sign = self._next().text
            right = self._signed()
            tree = self._make("binary", tree.start, right.end, (tree, right), value=sign)
        return tree

    def _signed(self) -> Tree:
        signs = []
        while self._is("-"):
            signs.append(self._next())
        tree = self._path()
        for token in reversed(signs):
            tree = self._make("negate", token.start, tree.end, (tree,))
        return tree

    def _path(self) -> Tree:
        tree = self._atom()
        while self._is(".", "["):
            sign = self._next()
            tree = self._field(tree) if sign.text == "." else self._item(tree, sign)
        if self._is("("):
            raise self._no_call(tree)
        return tree

    def _field(self, base: Tree) -> Tree:
        name = self._next()
        if name.kind != "name":
            self._at -= 1
            raise self._unexpected()
        if name.text.startswith("_"):
            raise Fault(
                f"`{name.text[:40]}` is not the name of a field",
                name.start,
                len(name.text),
                "names of fields start with a letter",
            )
        return self._make("field", base.start, name.end, (base,), value=name.text)

    def _item(self, base: Tree, opened: Token) -> Tree:
        key = self._next()
        if key.kind == "text":
            value: Any = unquoted(key)
        elif key.kind == "number" and key.text.isdecimal() and len(key.text) < 6:
            value = int(key.text)
        else:
            raise Fault(
                "in `[ ]` stands a name in quotes or a whole number",
                key.start,
                len(key.text),
                'write event.answers["Name"] or event.lines[0]',
            )
        return self._make("item", base.start, self._close("]", opened).end, (base,), value=value)

    def _no_call(self, tree: Tree) -> Fault:
        if tree.kind == "field":
            base = self._text[tree.parts[0].start : tree.parts[0].end]
            hint = f"functions are called like `{tree.value}({base})`, if there is one of that name"
            return Fault(
                f"`{self._text[tree.start : tree.end][:60]}` cannot be called", tree.start, tree.end - tree.start, hint
            )
        return Fault("this cannot be called", tree.start, tree.end - tree.start, "only the listed functions can")

    def _atom(self) -> Tree:
        token = self._tokens[self._at]
        if token.kind in {"number", "text", "date", "moment", "duration"}:
            self._at += 1
            return Tree("literal", token.start, token.end, value=literal(token), what=token.kind)
        if token.kind == "name" and token.text not in _OPERATORS and token.text not in _PYTHON:
            return self._name(self._next())
        if token.text == "(":
            self._at += 1
            tree = self._expression()
            tree.start, tree.end = token.start, self._close(")", token).end
            return tree
        if token.text == "[":
            self._at += 1
            parts, _ = self._items("]", token, keywords=False)
            return self._make("list", token.start, self._tokens[self._at - 1].end, tuple(parts))
        raise self._unexpected()

    def _name(self, token: Token) -> Tree:
        if token.text.startswith("_"):
            raise Fault(f"`{token.text[:40]}` is not a name here", token.start, len(token.text), "names start with a letter")
        if self._is("("):
            opened = self._next()
            parts, keywords = self._items(")", opened, keywords=True)
            end = self._tokens[self._at - 1].end
            tree = self._make(
                "call", token.start, end, (*parts, *keywords.values()), value=token.text, what=str(len(token.text))
            )
            tree.parts, tree.keywords = tuple(parts), keywords
            return tree
        if token.text in _WORDS:
            what = "nothing" if _WORDS[token.text] is None else "boolean"
            return Tree("literal", token.start, token.end, value=_WORDS[token.text], what=what)
        return Tree("name", token.start, token.end, value=token.text)

    def _items(self, closing: str, opened: Token, *, keywords: bool) -> tuple[list[Tree], dict[str, Tree]]:
        parts: list[Tree] = []
        named: dict[str, Tree] = {}
        while not self._is(closing):
            token = self._tokens[self._at]
            if keywords and token.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._at += 2
                if token.text in named or token.text.startswith("_"):
                    raise Fault(f"`{token.text[:40]}` cannot be given here", token.start, len(token.text), "each name once")
                named[token.text] = self._expression()
            elif named:
                raise Fault("values without a name come before those with one", token.start, len(token.text))
            else:
                parts.append(self._expression())
            if not self._is(","):
                break
            self._next()
        self._close(closing, opened)
        return parts, named
