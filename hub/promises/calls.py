"""Promises about calls: an action sends what it says, and each kind of failure ends as it should."""

from __future__ import annotations

from dataclasses import asdict

import requests
from pydantic import BaseModel

from hub.errors import CallFailed
from hub.promises.trial import Trial, expect, matches, shown
from hub.sdk.mirror import Shown
from hub.sdk.play import Called, Play, Respond, one_by_one
from hub.sdk.request import Answer
from hub.sdk.sample import answers, lies_in

ROUNDS_MOST = 2_100


def sends_what_it_says(trial: Trial) -> None:
    """The action sends what its sample says and gives what the sample says."""
    result, play = trial.act(one_by_one(trial.told.replies))
    trial.expect_asked(play.calls)
    if trial.told.fails:
        said = result.verdict if isinstance(result, CallFailed) else "success"
        expect(said == trial.told.fails, f"it ends in {said}, and should in {trial.told.fails}")
        return
    expect(not isinstance(result, CallFailed), f"it fails: {result}")
    if trial.told.gives is not None:
        expect(isinstance(result, BaseModel) and matches(result, trial.told.gives), f"it gives {result!r}")


def asks_to_be_connected_again(trial: Trial) -> None:
    """A 401 ends in `reconnect`, after one call."""
    result, play = _first(trial, answers(401, {"message": "no"}), every=True)
    if result is None:
        return
    said = result.verdict if isinstance(result, CallFailed) else "success"
    tried = len([call for call in play.calls if call.url == play.calls[0].url])
    expect(said == "reconnect" and tried <= 2, f"it ends in {said} after {tried} calls")


def waits_as_told(trial: Trial) -> None:
    """A 429 is asked again after the time that Retry-After names."""
    result, play = _first(trial, answers(429, {"message": "slow down"}, retry_after="7"))
    if result is None:
        return
    expect(not isinstance(result, CallFailed), f"it fails: {result}")
    expect(7.0 in play.slept, f"it waits {play.slept}, and should wait 7 seconds")
    _expect_same_call(play)


def tries_again_with_the_same_key(trial: Trial) -> None:
    """A 5xx is asked again, with the same key, where that does no harm; else it is uncertain after one call."""
    result, play = _first(trial, answers(503, {"message": "down"}))
    _expect_careful(trial, result, play)


def is_careful_when_the_answer_is_lost(trial: Trial) -> None:
    """A call whose answer was lost is asked again where that does no harm; else it is uncertain."""
    result, play = _first(trial, requests.ReadTimeout("lost"))
    _expect_careful(trial, result, play)


def gives_up_what_cannot_be(trial: Trial) -> None:
    """A 422 is lasting, after one call."""
    result, play = _first(trial, answers(422, {"message": "no such thing"}))
    if result is None:
        return
    said = result.verdict if isinstance(result, CallFailed) else "success"
    expect(said == "lasting" and len(play.calls) == 1, f"it ends in {said} after {len(play.calls)} calls")


def says_no_secret(trial: Trial) -> None:
    """No failure shows a secret, even if the platform repeats it to us."""
    secrets = " ".join(trial.connection().settings.secrets())
    for status in (400, 401, 403, 404, 422, 429, 500):
        result, _ = _first(trial, answers(status, {"message": f"bad {secrets}"}), every=True)
        expect(not shown(result, trial.connection()), f"the failure after {status} shows a secret: {result}")


def finds_what_was_done(trial: Trial) -> None:
    """The lookup asks what its sample says and finds what the sample says."""
    result, play = trial.look_up(one_by_one(trial.told.replies))
    trial.expect_asked(play.calls)
    if trial.told.gives is None:
        expect(result is None, f"it finds {result!r}, and should find nothing")
    else:
        expect(result is not None and matches(result, trial.told.gives), f"it finds {result!r}")


def shows_what_it_says(trial: Trial) -> None:
    """The mirror gives its action what its sample says, and the action sends it."""
    inputs = trial.mirror_inputs()
    if trial.told.gives is None:
        expect(inputs is None, f"it gives {inputs!r}, and should leave this member out")
        return
    expect(inputs is not None and matches(inputs, trial.told.gives), f"it gives {inputs!r}")
    result, play = trial.act(one_by_one(trial.told.replies))
    expect(not isinstance(result, CallFailed), f"the action fails: {result}")
    trial.expect_asked(play.calls)


def clears_what_is_no_more(trial: Trial) -> None:
    """A member without a tier, and whose points do not expire, is shown so too."""
    if trial.told.gives is not None:
        expect(trial.mirror_inputs(cleared=True) is not None, "it leaves a member out because there is nothing to show")


def sees_what_it_says(trial: Trial) -> None:
    """Reading asks what its sample says and sees what the sample says."""
    shown, play = trial.act(one_by_one(trial.told.replies))
    trial.expect_asked(play.calls)
    if trial.told.fails or isinstance(shown, CallFailed):
        said = shown.verdict if isinstance(shown, CallFailed) else "success"
        expect(said == trial.told.fails, f"it ends in {said}: {shown}")
    elif trial.told.gives is None:
        expect(shown is None, f"it sees {shown!r}, and the platform does not know this member")
    else:
        expect(isinstance(shown, Shown) and lies_in(trial.told.gives, asdict(shown)), f"it sees {shown!r}")


def pulls_what_it_says(trial: Trial) -> None:
    """The pull asks what its sample says, and its trigger makes of the records what the sample says."""
    items, play = trial.pulled(one_by_one(trial.told.replies))
    expected = trial.told.gives
    if expected is None:
        trial.expect_asked(play.calls)
        return
    pull = trial.connector.pulls[trial.told.of]
    trigger, connection = trial.connector.triggers[pull.trigger], trial.connection()
    client, thin = play.client(connection), trigger.thin_for(connection)
    read = [trigger.fetch(item, connection, client) if thin else trigger.read(item, connection) for item in items]
    facts = [fact for found in read for fact in found]
    trial.expect_asked(play.calls)
    many = list(expected) if isinstance(expected, list | tuple) else [expected]
    expect(len(facts) == len(many), f"it gives {len(facts)} facts and should give {len(many)}: {facts}")
    for fact, part in zip(facts, many, strict=True):
        expect(matches(fact, part), f"it gives {fact!r}, and should give {part!r}")


def ends_though_pages_repeat(trial: Trial) -> None:
    """The pull ends, even if the platform gives the same page for ever."""
    if not trial.told.replies:
        return
    replies = trial.told.replies

    def again(called: Called, before: int) -> Answer:
        expect(before < ROUNDS_MOST, f"it is still asking after {before} calls")
        return replies[before] if before < len(replies) - 1 else replies[0] if len(replies) > 1 else replies[-1]

    try:
        trial.pulled(again)
    except CallFailed as failure:
        expect(failure.verdict == "lasting", f"it ends in {failure.verdict}")


ACTION_PROMISES = (
    sends_what_it_says,
    asks_to_be_connected_again,
    waits_as_told,
    tries_again_with_the_same_key,
    is_careful_when_the_answer_is_lost,
    gives_up_what_cannot_be,
    says_no_secret,
)
LOOKUP_PROMISES = (finds_what_was_done,)
MIRROR_PROMISES = (shows_what_it_says, clears_what_is_no_more)
READING_PROMISES = (sees_what_it_says, asks_to_be_connected_again, waits_as_told, tries_again_with_the_same_key, says_no_secret)
PULL_PROMISES = (pulls_what_it_says, ends_though_pages_repeat)


def _first(
    trial: Trial, reply: Answer | Exception, *, every: bool = False
) -> tuple[BaseModel | Shown | CallFailed | str | None, Play]:
    """Runs the action with another first reply (or always that). None when the sample is of a failure, or makes no call."""
    if trial.told.fails or not trial.told.replies:
        return None, Play(one_by_one(()))
    respond: Respond = (lambda called, before: reply) if every else one_by_one((reply, *trial.told.replies))
    result, play = trial.act(respond)
    return ("nothing" if result is None else result), play


def _expect_careful(trial: Trial, result: BaseModel | Shown | CallFailed | str | None, play: Play) -> None:
    if result is None:
        return
    harmless = trial.repeat != "never" or play.calls[0].method == "GET"
    if isinstance(result, CallFailed) and not harmless:
        expect(result.verdict == "uncertain", f"it ends in {result.verdict}, though nobody knows whether it was done")
        expect(len(play.calls) == 1, f"it was called {len(play.calls)} times, though it must not be repeated")
        return
    expect(not isinstance(result, CallFailed), f"it fails: {result}")
    _expect_same_call(play)


def _expect_same_call(play: Play) -> None:
    first, second = play.calls[:2]
    same = (first.url, first.body, first.headers) == (second.url, second.body, second.headers)
    expect(same, f"the second call ({second}) is not the same as the first ({first}), or has another key")
