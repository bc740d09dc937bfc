"""Outgoing: what the outbox asks about a mirror's calls: what they say when they are made, and what came of them.

A `mirror` call writes what a member has at that moment, a `look` sees what stands there. When they are done, nothing is kept
of them but the image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hub.clock import to_text
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.mirrors.comparing import Comparing
from hub.engine.mirrors.judging import Sent, judged
from hub.engine.mirrors.marks import Marks
from hub.engine.mirrors.raising import ask_look
from hub.engine.mirrors.rows import COMPARISONS, IMAGES, KNOWN, NEW, UNKNOWN, Comparison, Image, drop_call, form_of, queries
from hub.engine.mirrors.showing import shown_at
from hub.errors import CallFailed
from hub.sdk import Connection, Mirrored, Settings, Shown
from hub.sdk.mirror import Mirror

KINDS = frozenset({"mirror", "look"})


class Outgoing:
    """The calls of all mirrors of one worker. mirroring: the connections that mirror, and how."""

    def __init__(self, mirroring: Mapping[str, tuple[Connection, Mirror]], comparing: Mapping[str, Comparing]) -> None:
        self._mirroring = mirroring
        self._comparing = comparing
        self._sent: dict[str, Sequence[Sent]] = {}

    def mirrored(self, call: Call) -> Sequence[Mirrored]:
        """The members whom a look is about."""
        return [sent.one for sent in self._sent.get(call.id, ())]

    # Before it goes out -----------------------------------------------------------------------------------------------------

    def ready(self, batch: Batch, due: Sequence[Call]) -> list[Call]:
        """The calls that are to be made, those of mirrors with what they say now; what is needless by now is dropped."""
        if not any(call.kind in KINDS for call in due):
            return list(due)
        about = {call.id: self._members(batch, call) for call in due if call.kind in KINDS}
        shown = self._shown(batch, [(call.connection, one) for call in due for one in about.get(call.id, ())])
        found = (call if call.kind not in KINDS else self._filled(batch, call, about[call.id], shown) for call in due)
        return [call for call in found if call is not None]

    def _members(self, batch: Batch, call: Call) -> Sequence[str]:
        if call.kind == "mirror":
            return [call.member_id] if call.member_id else []
        if "comparison" in call.input and call.connection in self._comparing:
            return self._comparing[call.connection].portion(batch, call)
        return list(call.input.get("members", ()))

    def _shown(self, batch: Batch, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mirrored]:
        batch.unit.want(IMAGES, wanted)
        images: defaultdict[str, dict[str, Image]] = defaultdict(dict)
        for connection, member_id in wanted:
            images[connection][member_id] = _image(batch, connection, member_id)
        return {
            (name, member_id): one
            for name, of in images.items()
            if name in self._mirroring
            for member_id, one in shown_at(batch, self._mirroring[name][0], of).items()
        }

    def _filled(
        self, batch: Batch, call: Call, members: Sequence[str], shown: Mapping[tuple[str, str], Mirrored]
    ) -> Call | None:
        sent = [
            Sent(one, _image(batch, call.connection, one).version, shown[call.connection, one])
            for one in members
            if (call.connection, one) in shown
        ]
        if not sent:  # the connection mirrors no more, or there is nobody left to compare
            self._forget(batch, call, members)
            return None
        self._sent[call.id] = sent
        return call if call.kind == "look" else self._written(batch, call, sent[0])

    def _written(self, batch: Batch, call: Call, sent: Sent) -> Call | None:
        """The call with what it writes; None when that stands there already, or when the platform cannot know the member."""
        connection, mirror = self._mirroring[call.connection]
        image = _image(batch, call.connection, sent.member_id)
        if image.written == form_of(sent.one):
            self._settle(batch, call, image, sent)
            return None
        try:
            inputs = mirror.inputs({Connection: connection, Settings: connection.settings}, sent.one)
        except CallFailed as failure:
            batch.unit.put(CALLS, call.id, call.held(batch.now, str(failure)))
            self.held(batch, call, str(failure))
            return None
        if inputs is None:
            self._settle(batch, call, image._replace(state=UNKNOWN, written=""), sent)
            return None
        batch.unit.put(IMAGES, image.key, image._replace(busy=True, call_id=call.id))  # a person may have set it going
        return call._replace(input=inputs.model_dump(mode="json"))

    # When it came back ------------------------------------------------------------------------------------------------------

    def done(self, batch: Batch, call: Call, shown: Sequence[Shown | CallFailed | None]) -> None:
        """A call was made. shown: what was seen, where it looked."""
        sent = self._sent.pop(call.id, ())
        if call.kind == "mirror":
            for one in sent:
                image = _image(batch, call.connection, one.member_id)
                written = image._replace(state=KNOWN, written=form_of(one.one), written_at=batch.now)
                self._settle(batch, call, written, one)
            return
        batch.unit.want(IMAGES, [(call.connection, one.member_id) for one in sent])
        comparison = _comparison(batch, call)
        for one, seen in zip(sent, shown, strict=False):
            image = _image(batch, call.connection, one.member_id)
            if isinstance(seen, CallFailed):
                self._look_alone(batch, call, image)
                comparison = comparison and comparison._replace(failing=comparison.failing + 1)
            else:
                found, comparison = judged(batch, image, one, seen, call_id=call.id, comparison=comparison)
                if found._replace(seen_at=image.seen_at) != image:  # a night at which all is right writes nothing
                    batch.unit.put(IMAGES, found.key, found)
        drop_call(batch.unit, call.id)
        if comparison is not None:
            self._comparing[call.connection].go_on(batch, comparison, [one.member_id for one in sent])

    def acted(self, batch: Batch, call: Call) -> None:
        """A recipe has had something done about a member: a platform may know them from now on."""
        if call.member_id and call.connection in self._mirroring:
            Marks.put(batch, call.connection, [call.member_id])

    def failed(self, batch: Batch, call: Call, error: CallFailed) -> bool:
        """True when a call that was refused need not be held for a person."""
        if error.verdict != "lasting" or call.connection not in self._mirroring:
            return False
        sent = self._sent.get(call.id, ())
        if "comparison" in call.input and len(sent) == 1:  # one that cannot be seen must not hold up the others
            self.done(batch, call, [error])
            return True
        image = _image(batch, call.connection, call.member_id or "")
        if call.kind != "mirror" or image.doubted or self._mirroring[call.connection][1].reading is None:
            return False
        # Perhaps the platform knows the member no more: it is asked before a person is.
        doubted = image.freed()._replace(state=NEW, written="", doubted=True)
        batch.unit.put(IMAGES, image.key, doubted.due())
        self._sent.pop(call.id, None)
        drop_call(batch.unit, call.id)
        return True

    def held(self, batch: Batch, call: Call, why: str) -> None:
        """A call waits for a person; the next change of its member, or the next comparison, tries it again."""
        self._end_comparison(batch, call, why)
        versions = {one.member_id: one.version for one in self._sent.pop(call.id, ())}
        for member_id in versions or [*filter(None, [call.member_id]), *call.input.get("members", ())]:
            image = _image(batch, call.connection, member_id)
            if call.id == image.call_id or (call.kind == "mirror" and not image.call_id):
                settled = max(image.settled, versions.get(member_id, image.version))
                batch.unit.put(IMAGES, image.key, image._replace(busy=False, call_id=call.id, settled=settled))

    def _settle(self, batch: Batch, call: Call, image: Image, sent: Sent) -> None:
        """What this version of the member has to show is shown."""
        if image.drifted and image.written:
            self._repaired(batch, image)
        settled = image.freed()._replace(settled=max(image.settled, sent.version), doubted=False, drifted="")
        batch.unit.put(IMAGES, image.key, settled)
        self._sent.pop(call.id, None)
        drop_call(batch.unit, call.id)

    def _repaired(self, batch: Batch, image: Image) -> None:
        comparison = batch.unit.get(COMPARISONS, image.drifted)
        if comparison is not None:
            batch.unit.put(COMPARISONS, comparison.id, comparison._replace(repaired=comparison.repaired + 1))
        batch.unit.append(queries.repair_drift, (to_text(batch.now), image.drifted, image.member_id))

    def _look_alone(self, batch: Batch, call: Call, image: Image) -> None:
        """One that could not be seen with the others is looked at by itself, until a person is asked."""
        if image.busy and image.call_id != call.id:
            return
        mirror = self._mirroring[call.connection][1]
        alone = ask_look(batch, call.connection, mirror, members=[image.member_id])
        batch.unit.put(IMAGES, image.key, image._replace(busy=True, call_id=alone.id))

    def _forget(self, batch: Batch, call: Call, members: Sequence[str]) -> None:
        for member_id in members:
            image = _image(batch, call.connection, member_id)
            batch.unit.put(IMAGES, image.key, image.freed()._replace(settled=image.version))
        self._end_comparison(batch, call)
        drop_call(batch.unit, call.id)

    def _end_comparison(self, batch: Batch, call: Call, why: str = "") -> None:
        comparison = _comparison(batch, call)
        if comparison is not None and comparison.finished_at is None:
            batch.unit.put(COMPARISONS, comparison.id, comparison._replace(finished_at=batch.now, note=why))


def _comparison(batch: Batch, call: Call) -> Comparison | None:
    return batch.unit.get(COMPARISONS, str(call.input["comparison"])) if "comparison" in call.input else None


def _image(batch: Batch, connection: str, member_id: str) -> Image:
    return batch.unit.get(IMAGES, (connection, member_id)) or Image(connection, member_id)
