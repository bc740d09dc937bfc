"""Promises of a connector as a whole: that it is complete, and says what people must know."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

from hub.promises.trial import KEY, Trial, expect
from hub.sdk.action import Action
from hub.sdk.connector import Connector
from hub.sdk.facts import RewardOrder
from hub.sdk.parameters import Contract
from hub.sdk.sample import unused
from hub.sdk.shown import Nothing
from hub.sdk.trigger import Pull, Trigger


def says_what_it_is(trial: Trial) -> None:
    """Its first line says what it is for, and a Setup part how to connect it."""
    first = trial.connector.doc.partition("\n")[0]
    expect(":" in first and first.endswith("."), f"the module's first line should be `Name: what it does.` and is {first!r}")
    expect(bool(trial.connector.setup_text), "the module's docstring has no part `Setup:` that says how to connect it")


def tells_the_webhook_url(trial: Trial) -> None:
    """Its Setup part says where {webhook_url} is to be pasted, if the platform calls us."""
    told = "{webhook_url}" in trial.connector.setup_text or trial.connector.subscription is not None
    expect(trial.connector.signature is None or told, "the Setup part does not say where to paste {webhook_url}")


def is_proven(trial: Trial) -> None:
    """What it hears is signed, or polled; if neither, it says why."""
    connector = trial.connector
    polled = {pull.trigger for pull in connector.pulls.values()}
    unproven = [name for name in connector.triggers if name not in polled] if connector.signature is None else []
    expect(not unproven, f"{unproven} are neither signed nor pulled; if the platform cannot sign, signature.none(because=…)")
    nothing = connector.signature if isinstance(connector.signature, Nothing) else None
    expect(nothing is None or bool(nothing and nothing.because.strip()), "signature.none gives no reason")


def takes_deliveries_apart(trial: Trial) -> None:
    """It has an envelope for what it hears."""
    expect(trial.connector.signature is None or trial.connector.envelope is not None, "it has a signature and no envelope")


def speaks_in_sentences(trial: Trial) -> None:
    """Each trigger, action, pull and mirror has a sentence."""
    mine = trial.connector
    known: list[Trigger | Action | Pull | Contract] = [
        *mine.triggers.values(),
        *mine.actions.values(),
        *mine.pulls.values(),
        *_mirror(mine),
    ]
    mute = [thing.name for thing in known if not thing.doc.partition("\n")[0].endswith(".")]
    expect(not mute, f"no sentence is said of {', '.join(mute)}")


def _mirror(connector: Connector) -> list[Contract]:
    mirror = connector.mirroring
    return [] if mirror is None else [mirror.contract, *([mirror.reading] if mirror.reading else [])]


def explains_its_inputs(trial: Trial) -> None:
    """Each input of an action has a sentence and a type without floats."""
    for action in trial.connector.actions.values():
        for name, field in action.inputs.model_fields.items():
            expect(bool(field.description), f'the input `{name}` of {action.name} is not explained: Annotated[…, "…"]')
            expect(not _holds_float(field.annotation), f"the input `{name}` of {action.name} is a float")


def _holds_float(annotation: object) -> bool:
    return annotation is float or any(_holds_float(part) for part in get_args(annotation))


def has_samples(trial: Trial) -> None:
    """Each trigger, action, pull and mirror has a sample."""
    connector = trial.connector
    told = [name for name, trigger in connector.triggers.items() if not trigger.polled]
    mirror = [one.name for one in _mirror(connector)]
    missing = unused(connector.samples, [*told, *connector.actions, *connector.pulls, *mirror])
    expect(not missing, f"there is no sample of {', '.join(missing)}")
    speaking = {sample.of for sample in connector.samples if sample.gives is not None}
    pulled = {pull.trigger for pull in connector.pulls.values() if pull.name in speaking}
    silent = [name for name, trigger in connector.triggers.items() if name not in (pulled if trigger.polled else speaking)]
    silent += [name for name in mirror if name not in speaking]
    expect(not silent, f"no sample shows what {', '.join(silent)} gives")


def knows_its_own_orders(trial: Trial) -> None:
    """An order that one of its actions made is told with the key of that call."""
    connector = trial.connector
    telling = {name for name, trigger in connector.triggers.items() if issubclass(trigger.gives, RewardOrder)}
    if not telling or not any(action.spends for action in connector.actions.values()):
        return
    of = telling | {pull.name for pull in connector.pulls.values() if pull.trigger in telling}
    told = [sample.gives for sample in connector.samples if sample.of in of and isinstance(sample.gives, Mapping)]
    known = any(gives.get("call_key") == KEY for gives in told)
    expect(
        known, f"no sample of {', '.join(sorted(telling))} gives an order whose `call_key` is {KEY}, that of the samples' calls"
    )


def works_with_its_example_settings(trial: Trial) -> None:
    """Its settings have examples of the right form, as people write them."""
    trial.connection()
    strange = [name for name, value in trial.values().items() if not _is_written(value)]
    expect(not strange, f"nobody can write the example of {', '.join(strange)} into hub.yaml")


def _is_written(value: object) -> bool:
    """True when YAML has a form for it, with everything that lies in it."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, str | int | Decimal | dict | list | None) and all(map(_is_written, children))


def names_a_missing_setting(trial: Trial) -> None:
    """A missing setting is named, and a misspelt one too."""
    for setting in trial.connector.settings:
        if setting.required:
            values = {name: value for name, value in trial.values().items() if name != setting.name}
            named = [problem.name for problem in trial.connector.settings.problems(values)]
            expect(named == [setting.name], f"without `{setting.name}` it complains of {named}")
    named = [problem.name for problem in trial.connector.settings.problems({**trial.values(), "misspelt": "x"})]
    expect(named == ["misspelt"], f"a misspelt setting is answered with {named}")


PROMISES = (
    says_what_it_is,
    tells_the_webhook_url,
    is_proven,
    takes_deliveries_apart,
    speaks_in_sentences,
    explains_its_inputs,
    has_samples,
    knows_its_own_orders,
    works_with_its_example_settings,
    names_a_missing_setting,
)
