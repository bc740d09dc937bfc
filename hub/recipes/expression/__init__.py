"""Expressions: small, typed, total, exact; read once, checked against what there is, and worked without `eval`."""

from hub.recipes.expression.compiled import Compiled, Names, compile_expression, finished, fixed

__all__ = ["Compiled", "Names", "compile_expression", "finished", "fixed"]
