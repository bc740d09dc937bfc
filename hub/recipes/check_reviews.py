"""Check reviews: a review is rewarded whatever its rating.

Points for good reviews alone buy praise: consumer law forbids that in many countries (in the United States 16 CFR 465.4), and
so do review sites. So an award that looks at `event.rating` is a mistake, unless the recipe says that the law where it is used
allows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.document import Mapping, Node, Sequence
from hub.errors import Problem
from hub.recipes.expression import Compiled
from hub.recipes.model import PlannedStep
from hub.recipes.vocabulary import WhenType

KEY = "rating_may_decide"
_RATING = "event.rating"
_OF_A_REVIEW = {"review_id", "rating"}
_GIVE = frozenset(["award", "adjust"])
_ENDS = "stop"


def check_reviews(
    kinds: Iterable[WhenType], condition: Compiled | None, steps: Iterable[PlannedStep], nodes: tuple[Node | None, Node | None]
) -> list[Problem]:
    """What makes an award depend on the rating of a review, at its place. nodes: of `if` and of `do`."""
    if not any((kind.record.fields or {}).keys() >= _OF_A_REVIEW for kind in kinds):
        return []
    planned, (at_if, do) = list(steps), nodes
    last = max((step.index for step in planned if step.action in _GIVE), default=-1)
    if last < 0:
        return []
    problems = [_problem(at_if)] if condition is not None and at_if is not None and _RATING in condition.reads else []
    items = do.items if isinstance(do, Sequence) else ()
    decide = [step for step in planned if step.index <= last and step.action in {*_GIVE, _ENDS} and _reads_rating(step)]
    return problems + [_problem(_place(step, items[step.index])) for step in decide]


def _reads_rating(step: PlannedStep) -> bool:
    looks = [step.condition] if step.condition is not None else []
    return any(_RATING in one.reads for one in (*looks, *step.inputs.values()))


def _place(step: PlannedStep, item: Node) -> Node:
    """Where in the step the rating is looked at: its condition, or else its action."""
    if not isinstance(item, Mapping):
        return item
    if step.condition is not None and _RATING in step.condition.reads:
        return item.get("if") or item
    return item.values.get(step.action) or item


def _problem(node: Node) -> Problem:
    return node.problem(
        "the award depends on `event.rating`, and a review may not be paid by how good it is",
        f"reward every review alike; where the law allows it, say `{KEY}: true`",
    )
