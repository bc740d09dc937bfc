"""Judging: what a look at a platform says of a member's image: right, out of date, changed by somebody, or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from hub.clock import to_text
from hub.engine.batch import Batch
from hub.engine.mirrors.rows import KNOWN, UNKNOWN, Comparison, Image, form_of, queries
from hub.sdk import Mirrored, Shown
from hub.sdk.mirror import differing


class Sent(NamedTuple):
    """What a call says of a member, or asks about; version: of the member, when it did so."""

    member_id: str
    version: int
    one: Mirrored


def judged(
    batch: Batch, image: Image, sent: Sent, shown: Shown | None, *, call_id: str, comparison: Comparison | None
) -> tuple[Image, Comparison | None]:
    """The image after a look, and the comparison with it.

    An image that changed meanwhile, or that another call is about, is left to that.
    """
    wanted, version = sent.one, sent.version
    is_ours = image.call_id == call_id
    if comparison is not None:
        unknown, compared = comparison.unknown + (shown is None), comparison.compared + (shown is not None)
        comparison = comparison._replace(unknown=unknown, compared=compared)
    if not is_ours and (image.busy or image.version != version):
        return image, comparison
    seen = (image.freed() if is_ours else image)._replace(seen_at=batch.now)
    settled = max(image.settled, version)
    if shown is None:
        gone = seen._replace(state=UNKNOWN, settled=settled, platform_id=None, written="", doubted=False, drifted="")
        return gone, comparison
    wrong = differing(wanted.fields, shown)
    seen = seen._replace(state=KNOWN, platform_id=shown.id or image.platform_id)
    if not wrong:
        return seen._replace(settled=settled, written=form_of(wanted), doubted=False, drifted=""), comparison
    if comparison is not None and (drift := _drift(image, wanted, wrong)):
        comparison = comparison._replace(differing=comparison.differing + 1)
        seen = seen._replace(drifted=comparison.id)
        _keep(batch, comparison, image.member_id, wanted, drift)
    return seen._replace(written="").due(), comparison


def _drift(image: Image, wanted: Mirrored, wrong: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is wrong though it was written: somebody else changed it. What is only not written yet is no drift."""
    if not image.is_settled or not image.written:
        return {}
    written = json.loads(image.written)
    return {name: theirs for name, theirs in wrong.items() if written.get(name) == wanted.texts[name]}


_KEPT_MOST = 1_000


def _keep(batch: Batch, comparison: Comparison, member_id: str, wanted: Mirrored, drift: Mapping[str, Any]) -> None:
    """What differed, of the first thousand members of a comparison."""
    if comparison.differing > _KEPT_MOST:
        return
    at = to_text(batch.now)
    for name, theirs in drift.items():
        said = "" if theirs is None else str(theirs)[:200]
        row = (comparison.id, comparison.connection, member_id, name, wanted.texts[name], said, at)
        batch.unit.append(queries.add_drift, row)
