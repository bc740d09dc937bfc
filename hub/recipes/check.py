"""Check: reads recipe files and checks them against what there is; every problem of a file at once.

plan = load(path.read_text(), "recipes/points.yaml", vocabulary)     # ConfigError with all Problems
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hub import document
from hub.document import Mapping, Node, Scalar, Section
from hub.errors import ConfigError, Problem
from hub.recipes.check_examples import read_examples
from hub.recipes.check_reviews import KEY as RATING_MAY_DECIDE
from hub.recipes.check_reviews import check_reviews
from hub.recipes.check_steps import read_steps
from hub.recipes.check_whens import read_whens
from hub.recipes.expression import Compiled, Names, compile_expression
from hub.recipes.inputs import as_problems
from hub.recipes.model import Plan, Recipe
from hub.recipes.types import ANY, BOOLEAN, DATE, MOMENT, Type, shared
from hub.recipes.vocabulary import OutOfUse, Vocabulary

RESERVED_KEYS = ("limits", "stacking", "experiment", "rollout", "mode")
KEYS = ("recipe", "title", "when", "if", "once_per", "do", "examples", "enabled", "description", "owner", RATING_MAY_DECIDE)
NAME_CHARACTERS = 64
NAME_PATTERN = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_NAME = re.compile(NAME_PATTERN)
_NOTES = {
    **dict.fromkeys(["trigger", "triggers", "on", "event", "events"], "write `when`"),
    **dict.fromkeys(["condition", "conditions", "filter", "where"], "write `if`"),
    **dict.fromkeys(["actions", "action", "steps", "then"], "write `do`"),
    **dict.fromkeys(["name", "id"], "write `recipe` for the name, `title` for people"),
}
_ONCE = frozenset(["text", "integer", "points", "number", "date", "moment", "any"])

Progress = Callable[[int, int], None]
Stopped = Callable[[str, str], None]


def load(text: str, path: str, vocabulary: Vocabulary) -> Plan:
    """The plan of one recipe file. path: as shown in problems. ConfigError with every problem found, in order of lines."""
    read = document.parse(text, path)
    problems = list(read.problems)
    plan = None
    if isinstance(read.root, Mapping) and read.complete:
        plan = _Checker(read.root, text, path, vocabulary, problems).plan()
    elif not problems:
        hint = "start with `recipe: its-name`"
        problems.append(
            read.root.problem("a recipe is a mapping of keys", hint)
            if read.root
            else Problem(path, 0, 0, "the file is empty", hint)
        )
    if problems or plan is None:
        raise ConfigError(in_order(problems))
    return plan


def load_folder(
    folder: Path, vocabulary: Vocabulary, progress: Progress | None = None, on_stopped: Stopped | None = None
) -> list[Plan]:
    """The plans of all `*.yaml` files of a folder, by file name. progress(done, all). ConfigError with the problems of all.

    on_stopped: told of each file that needs a connector which is out of use, and why; then that file is left out.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"}) if folder.is_dir() else []
    plans: dict[str, Plan] = {}
    problems: list[Problem] = []
    for done, path in enumerate(paths, start=1):
        shown = f"{folder.name}/{path.name}"
        try:
            plan = load(document.read(path, shown), shown, vocabulary)
        except ConfigError as error:
            problems += error.problems
        except OutOfUse as error:
            if on_stopped is None:
                raise
            on_stopped(shown, str(error))
        else:
            first = plans.setdefault(plan.recipe.name, plan)
            if first is not plan:
                message = f"the name `{plan.recipe.name}` is taken by {first.recipe.path}"
                problems.append(Problem(shown, 0, 0, message, "give this recipe another name"))
        if progress is not None:
            progress(done, len(paths))
    if problems:
        raise ConfigError(problems)
    return list(plans.values())


def in_order(problems: list[Problem]) -> list[Problem]:
    """By place, each once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))


class _Checker:
    """Reads one file from top to bottom."""

    def __init__(self, root: Mapping, text: str, path: str, vocabulary: Vocabulary, problems: list[Problem]) -> None:
        self._root = root
        self._text = text
        self._path = path
        self._vocabulary = vocabulary
        self._problems = problems
        self._section = Section(root, "recipe", (*KEYS, *RESERVED_KEYS), problems, _NOTES)
        problems += [
            root.keys[key].problem(f"`{key}` is reserved for a later version", "leave it out")
            for key in RESERVED_KEYS
            if key in root
        ]

    def plan(self) -> Plan:
        """The plan; worth nothing when there are problems."""
        section, problems = self._section, self._problems
        name = self._name()
        whens, planned, kinds = read_whens(self._required("when"), self._vocabulary, self._names({}), problems)
        names = self._names({"event": shared(kind.record for kind in kinds) if kinds else ANY})
        condition = self._condition(names)
        once_per = self._once_per(names)
        steps, planned_steps = read_steps(self._required("do"), self._vocabulary, names, problems)
        if not section.boolean(RATING_MAY_DECIDE, default=False):
            problems += check_reviews(kinds, condition, planned_steps, (section.get("if"), section.get("do")))
        examples = read_examples(section.get("examples"), kinds, (steps, planned_steps), self._vocabulary, problems)
        recipe = Recipe(
            name=name,
            title=section.text("title") or name,
            whens=whens,
            condition=condition.text if condition else None,
            once_per=once_per.text if once_per else None,
            steps=steps,
            examples=examples,
            enabled=section.boolean("enabled", default=True),
            description=section.text("description"),
            owner=section.text("owner"),
            path=self._path,
            source=self._text,
            version=version_of(self._text),
        )
        return Plan(recipe, planned, condition, once_per, planned_steps)

    def _names(self, more: dict[str, Type]) -> Names:
        vocabulary = self._vocabulary
        types = {**more, "member": vocabulary.member, "programme": vocabulary.programme, "now": MOMENT, "today": DATE}
        return Names(types, vocabulary.currency, vocabulary.zone)

    def _required(self, key: str) -> Node | None:
        if key not in self._section:
            what = {"when": "what it waits for", "do": "its steps"}[key]
            self._problems.append(self._root.problem(f"the recipe has no `{key}`", f"add `{key}: …` ({what})"))
        return self._section.get(key)

    def _name(self) -> str:
        name = self._section.text("recipe", required=True)
        if name and (not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS):
            hint = f"small letters, digits and `-`, at most {NAME_CHARACTERS}: `points-for-repairs`"
            self._section.say("recipe", f"`{name[:80]}` cannot be the name of a recipe", hint)
        return name

    def _expression(self, key: str, names: Names, wanted: Type | None) -> tuple[Scalar | None, Compiled | None]:
        node = self._section.get(key)
        if node is None:
            return None, None
        if not isinstance(node, Scalar):
            self._problems.append(node.problem(f"`{key}` is one expression, not {node.what}", "join conditions with `and`"))
            return None, None
        compiled, faults = compile_expression(node.text, names, wanted)
        self._problems.extend(as_problems(node, faults))
        return node, compiled

    def _condition(self, names: Names) -> Compiled | None:
        return self._expression("if", names, BOOLEAN)[1]

    def _once_per(self, names: Names) -> Compiled | None:
        node, compiled = self._expression("once_per", names, None)
        if node is not None and compiled is not None and compiled.type.kind not in _ONCE:
            hint = "name an id such as `event.order_id`, or join several with text(…) and +"
            self._problems.append(node.problem(f"`once_per` is {compiled.type}, which cannot name one thing", hint))
        return compiled


def version_of(source: str) -> str:
    """The version that a recipe's source is."""
    return sha256(source.encode()).hexdigest()[:12]
