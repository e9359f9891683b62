"""Steps a recorded session again, through the same pure function, and holds each verdict against the record's.

The samples come from their rows and every other input from the events that it led to. Only ticks that found nothing
are not on record: where no step is for longer than a tick, ticks are put between, as the shell makes them, and one
that would say something is left out, since the true ones said nothing. What can differ by that is only when a release
was repeated, which is on no record either.

With other limits of the site the recorded readings stay as they were: up to the first verdict that differs it is what
would have happened; behind it the table would have moved otherwise, and the answer is a hint.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from controller import session
from controller.inputs import Answer, Began, Input, Output, Over, Record, RecordSample, SampleArrived, Tick
from controller.journal import EventRow, SampleRow, SessionHeader
from controller.phases import Tripped
from controller.state import State
from controller.step_record import STEP, input_of, state_before
from firmware_bridge.link import SEQ_WRAP, T_US_WRAP, ReceivedSample
from firmware_bridge.messages import RAW_MISSING, Sample, Status
from recorder.session_file import json_text
from safety.limits import SiteLimits

TICK_US: Final = 20_000
US_PER_S: Final = 1_000_000
DIFFERENCES_MAX: Final = 1000  # of a session that differs from the start, the first ones say all


class CannotReplay(Exception):
    """The record does not hold what it takes; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded session: the header, the samples in order, the events in order."""

    header: SessionHeader
    samples: Iterable[SampleRow]
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the replay does not give what is on record. `at_s` is from the start."""

    at_s: float | None
    what: str
    recorded: object
    replayed: object


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session went: "ended", "refused", "tripped", or "open" where the record stops before; why, and when."""

    went: str
    why: str
    at_s: float | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """`inputs` counts what came beside the samples, `moves` the permitted speeds and `events` what was compared.

    `ticks` were put in between.
    """

    session_id: str
    samples: int
    inputs: int
    ticks: int
    moves: int
    events: int
    differences: tuple[Difference, ...]
    recorded: Outcome
    replayed: Outcome

    @property
    def same(self) -> bool:
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**asdict(self), "same": self.same}


@dataclass(frozen=True, slots=True)
class _Moment:
    """One step as it is on record: its input, the sample's row where it has one, and the events that it led to.

    `still_until_us`: when the step before it was taken, where that is on record.
    """

    host_us: int
    still_until_us: int | None
    given: Input
    row: SampleRow | None
    events: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """The events of one step; the first carries it."""

    step: Mapping[str, Any]
    events: tuple[EventRow, ...]

    @property
    def seq(self) -> int | None:
        """The number of the sample that this step was taken on; None for any other input."""
        return self.step["given"]["received"]["seq"] if self.step["input"] == "SampleArrived" else None

    def is_before(self, row: SampleRow) -> bool:
        """Samples that came in one read were judged at one moment; then the device's clock tells the order."""
        at = (self.step["host_us"], self.events[0].t_us or 0)
        return at < (row.host_us or 0, row.t_us)


def replay(recording: Recording, site: SiteLimits | None = None) -> Replayed:
    """Steps the session again, with its own limits of the site or with others. Raises CannotReplay."""
    groups = _groups(recording)
    try:
        state = state_before(groups[0].step, site)
        stepped = _Replay(state, recording, stops_when_over=site is not None)
        for moment in _moments(recording, groups):
            if not stepped.take(moment):
                break
    except (KeyError, TypeError, ValueError) as error:
        raise CannotReplay(f"The record was written in a way that this version cannot step again: {error}.") from error
    return stepped.result()


def recorded_site(recording: Recording) -> SiteLimits:
    """The limits of the site under which it was recorded. Raises CannotReplay."""
    return state_before(_groups(recording)[0].step).site


def _groups(recording: Recording) -> list[_Group]:
    """The events by step."""
    starts = [index for index, event in enumerate(recording.events) if STEP in event.data]
    if not starts or starts[0] != 0 or recording.events[0].data[STEP].get("before") is None:  # type: ignore[attr-defined]
        raise CannotReplay(
            "The record does not begin with a start that can be stepped again: it was made by an older version, "
            "it is a later part of a session, or its beginning is lost."
        )
    ends = [*starts[1:], len(recording.events)]
    return [
        _Group(recording.events[start].data[STEP], tuple(recording.events[start:end]))  # type: ignore[arg-type]
        for start, end in zip(starts, ends, strict=True)
    ]


def _moments(recording: Recording, groups: list[_Group]) -> Iterator[_Moment]:
    """Every step on record, in the order in which they were taken."""
    waiting = deque(groups)
    before: SampleRow | None = None
    for row in recording.samples:
        if row.host_us is None or row.age_us is None:
            raise CannotReplay("The record is of format 1: it does not say when its samples were judged.")
        while waiting and waiting[0].seq != row.seq and waiting[0].is_before(row):
            yield _moment(waiting.popleft(), recording.header)
        events: tuple[EventRow, ...] = ()
        still_until_us = None
        if waiting and waiting[0].seq == row.seq:
            group = waiting.popleft()
            events, still_until_us = group.events, _still_until_us(group.step)
        yield _Moment(row.host_us, still_until_us, _arrived(row, before), row, events)
        before = row
    for group in waiting:
        yield _moment(group, recording.header)


def _moment(group: _Group, header: SessionHeader) -> _Moment:
    given = input_of(group.step, header.prescription, header.session_id)
    return _Moment(group.step["host_us"], _still_until_us(group.step), given, None, group.events)


def _still_until_us(step: Mapping[str, Any]) -> int | None:
    since_us = step.get("since_us")
    return None if since_us is None else step["host_us"] - since_us


def _arrived(row: SampleRow, before: SampleRow | None) -> SampleArrived:
    assert row.age_us is not None  # refused before
    sample = Sample(
        seq=row.seq % SEQ_WRAP,
        t_us=row.t_us % T_US_WRAP,
        raw_a=RAW_MISSING if row.raw_a is None else row.raw_a,
        raw_b=RAW_MISSING if row.raw_b is None else row.raw_b,
        cable_um=row.cable_um,
        velocity_um_s=row.velocity_um_s,
        current_ma=row.current_ma,
        status=Status(row.status),
    )
    lost_before = 0 if before is None else max(0, row.seq - before.seq - 1)
    return SampleArrived(ReceivedSample(sample, row.seq, row.t_us, lost_before), row.age_us)


class _Replay:
    """A replay under way."""

    def __init__(self, state: State, recording: Recording, *, stops_when_over: bool) -> None:
        self._state = state
        self._recording = recording
        self._stops_when_over = stops_when_over
        self._host_us = state.stepped_at_us or 0
        self._sampled_us: int | None = None
        self._age_us = state.age_us
        self._start_t_us = recording.events[0].t_us
        self._t_us = self._start_t_us
        self._said: list[EventRow] = []
        self._refused: str | None = None
        self._counts = dict.fromkeys(("samples", "inputs", "ticks", "moves", "events"), 0)
        self._differences: list[Difference] = []

    def take(self, moment: _Moment) -> bool:
        """Steps it and compares; False once a replay with other limits is over."""
        self._pass_time(moment)
        self._state, outputs = session.step(self._state, moment.given, moment.host_us)
        self._host_us = moment.host_us
        if isinstance(moment.given, SampleArrived):
            self._note_sample(moment.given, moment.host_us)
        else:
            self._counts["inputs"] += 1
        if moment.events:
            self._t_us = moment.events[0].t_us
        self._compare_events(moment, outputs)
        self._compare_sample(moment, outputs)
        return not (self._stops_when_over and self._is_over(outputs))

    def _is_over(self, outputs: Sequence[Output]) -> bool:
        """A start may close the record of the session before; then this one has only begun."""
        is_closed = self._state.course is None and any(isinstance(output, Over) for output in outputs)
        return self._refused is not None or isinstance(self._state.phase, Tripped) or is_closed

    def _note_sample(self, arrived: SampleArrived, host_us: int) -> None:
        self._counts["samples"] += 1
        self._sampled_us, self._age_us, self._t_us = host_us, arrived.age_us, arrived.received.t_us

    def _pass_time(self, moment: _Moment) -> None:
        """Ticks that are not on record, up to the last step before this one."""
        known = moment.still_until_us
        until_us = moment.host_us if known is None else known + 1
        for tick_us in range(self._host_us + TICK_US, until_us, TICK_US):
            self._tick(tick_us)
        if known is not None and known > self._host_us:
            self._tick(known)

    def _tick(self, now_us: int) -> None:
        state = self._state
        since_us = None if self._sampled_us is None else now_us - self._sampled_us
        age_us = None if since_us is None else self._age_us + since_us
        after, outputs = session.step(state, Tick(age_us), now_us)
        if not any(isinstance(output, Record) for output in outputs):
            self._state, self._host_us = after, now_us
            self._counts["ticks"] += 1

    def _compare_events(self, moment: _Moment, outputs: Sequence[Output]) -> None:
        replayed = [_shown(output.kind, output.actor, output.text, output.data) for output in _records(outputs)]
        recorded = [_shown(event.kind, event.actor, event.text, event.data) for event in moment.events]
        self._said += [EventRow(0, self._t_us, "", r.kind, r.actor, r.text, r.data) for r in _records(outputs)]
        self._counts["events"] += len(recorded)
        for output in outputs:
            match output:
                case Answer(done=False, reason=reason) if not self._counts["samples"]:
                    self._refused = reason
                case Began(limits=limits) if _plain(limits) != self._recording.header.limits:
                    self._differ("limits", self._recording.header.limits, _plain(limits))
                case _:
                    pass
        if replayed != recorded:
            self._differ("events", recorded, replayed)

    def _compare_sample(self, moment: _Moment, outputs: Sequence[Output]) -> None:
        row = next((output.row for output in outputs if isinstance(output, RecordSample)), None)
        if moment.row is not None and moment.row.asked_um_s is not None:
            self._counts["moves"] += 1
        if row == moment.row:
            return
        if row is None or moment.row is None:
            self._differ("sample", None if moment.row is None else moment.row.seq, None if row is None else row.seq)
            return
        for field in fields(SampleRow):
            recorded, replayed = getattr(moment.row, field.name), getattr(row, field.name)
            if recorded != replayed:
                self._differ(field.name, recorded, replayed)

    def _differ(self, what: str, recorded: object, replayed: object) -> None:
        if len(self._differences) < DIFFERENCES_MAX:
            self._differences.append(Difference(self._seconds(self._t_us), what, recorded, replayed))

    def _seconds(self, t_us: int | None) -> float | None:
        start = self._start_t_us
        return None if t_us is None or start is None else (t_us - start) / US_PER_S

    def result(self) -> Replayed:
        recorded = self._outcome(self._recording.events)
        replayed = self._outcome(self._said) if self._refused is None else Outcome("refused", self._refused, at_s=None)
        return Replayed(
            session_id=self._recording.header.session_id,
            differences=tuple(self._differences),
            recorded=recorded,
            replayed=replayed,
            **self._counts,
        )

    def _outcome(self, events: Iterable[EventRow]) -> Outcome:
        """The first trip is how it went, whatever came after it."""
        ended: EventRow | None = None
        for event in events:
            if event.data.get("phase") == "tripped":
                return Outcome("tripped", f"{event.data['alarm']} {event.text}", self._seconds(event.t_us))
            ended = event if event.data.get("phase") == "ended" else ended
        if ended is None:
            return Outcome("open", "the record stops before the session's end", None)
        went = "refused" if ended.data.get("refused") else "ended"
        return Outcome(went, str(ended.data.get("because", "")), self._seconds(ended.t_us))


def _records(outputs: Iterable[Output]) -> list[Record]:
    return [output for output in outputs if isinstance(output, Record)]


def _shown(kind: str, actor: str, text: str, data: Mapping[str, object]) -> dict[str, Any]:
    return {"kind": kind, "actor": actor, "text": text, "data": _plain({k: data[k] for k in data if k != STEP})}


def _plain(value: object) -> Any:
    """As it is read back from a file."""
    return json.loads(json_text(value))
