"""Cases: a promise put to one sample (or to the connector as a whole), and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hub.errors import HubError
from hub.promises import calls, deliveries, whole
from hub.promises.bench import OpenBench, bench_promises
from hub.promises.trial import Broken, Trial
from hub.sdk.connector import Connector

Promise = Callable[[Trial], None]

_PROMISES: dict[str, tuple[Promise, ...]] = {
    "connector": whole.PROMISES,
    "trigger": deliveries.PROMISES,
    "action": calls.ACTION_PROMISES,
    "lookup": calls.LOOKUP_PROMISES,
    "pull": calls.PULL_PROMISES,
    "mirror": calls.MIRROR_PROMISES,
    "reading": calls.READING_PROMISES,
}

__all__ = ["Broken", "Case", "Outcome", "cases", "check"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case. promise: the sentence. subject: of whom it speaks (`twilio.send_sms`). why: empty when kept."""

    promise: str
    subject: str
    kept: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One promise to be tried on one subject; `name` tells it from all others of the connector."""

    promise: Promise
    trial: Trial
    number: int

    @property
    def name(self) -> str:
        """For instance `twilio.send_sms.1-waits_as_told`."""
        return f"{self.trial.subject}.{self.number}-{getattr(self.promise, '__name__', 'promise')}"

    @property
    def sentence(self) -> str:
        """The promise in words."""
        return " ".join((self.promise.__doc__ or "").split()).rstrip(".")

    def try_it(self) -> None:
        """Raises Broken when the promise is not kept."""
        try:
            self.promise(self.trial)
        except Broken:
            raise
        except HubError as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    def outcome(self) -> Outcome:
        """What came of it; whatever goes wrong is a broken promise, told in a sentence."""
        try:
            self.try_it()
        except Exception as error:  # noqa: BLE001  # a table of promises shows every connector, however ill it is
            why = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            return Outcome(self.sentence, self.trial.subject, False, why)
        return Outcome(self.sentence, self.trial.subject, True)


def cases(connector: Connector, open_bench: OpenBench | None = None) -> Iterator[Case]:
    """Every promise with every sample of the connector. open_bench: a hub of one's own, for what only a whole hub can keep."""
    trial = Trial(_with_examples(connector))
    for promise in _PROMISES["connector"]:
        yield Case(promise, trial, 0)
    for number, sample in enumerate(connector.samples, 1):
        of_sample = replace(trial, sample=sample)
        for promise in _PROMISES[sample.kind]:
            yield Case(promise, of_sample, number)
        if sample.kind == "trigger" and open_bench is not None:
            for promise in bench_promises(open_bench):
                yield Case(promise, of_sample, number)


def _with_examples(connector: Connector) -> Connector:
    """The connector as a connection with its example settings has it; as it is where they do not do: that is a case too."""
    try:
        return Trial(connector).connection().connector
    except Broken:
        return connector


def check(
    connector: Connector, open_bench: OpenBench | None = None, progress: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """What came of every case, in order; `progress` is told of each."""
    outcomes = []
    for case in cases(connector, open_bench):
        outcome = case.outcome()
        outcomes.append(outcome)
        if progress is not None:
            progress(outcome)
    return outcomes
