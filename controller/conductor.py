"""Joins the line, the pure step and the record: bytes in, bytes out. No sockets, no timers, no clock of its own.

The asyncio shell conducts a real table with it, a simulation conducts a simulated one faster than real time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from controller import blinding, messages, session
from controller.calibration import Calibration
from controller.inputs import (
    Answer,
    Began,
    ClearTrip,
    ConditionChanged,
    Execute,
    GateBroken,
    Input,
    Output,
    Over,
    Record,
    RecordSample,
    SampleArrived,
    TableFound,
    TableLost,
    TableSaid,
    Tick,
)
from controller.journal import EventRow, Journal, SessionHeader
from controller.readings import mean_force_mn
from controller.state import State
from controller.step_record import with_step
from controller.wall_clock import WallClock, looked_at
from firmware_bridge.device_clock import DeviceClock
from firmware_bridge.execute import NotPermitted, execute
from firmware_bridge.link import DeviceRestarted, Link, LinkEvent, ProtocolMismatch, ReceivedSample
from firmware_bridge.messages import Ack, Clear, IdentityFlag, Nak, Trip
from safety.limiter import Permit

# Without a sample for so long, the table is asked again who it is: it may have been reset, or swapped.
ASK_AGAIN_US = 500_000
# Samples that come, but do not follow on the last one, are those of a table that was reset: it is asked much sooner,
# so that the reset is named before the samples count as lost.
ASK_AGAIN_UNFOLLOWED_US = 60_000
# Noise is over once no frame was damaged or doubled for so long.
QUIET_LINE_US = 5_000_000


class Audience(Protocol):
    """Who is told what happens; nothing here may block or raise."""

    def sample(self, arrived: SampleArrived, state: State, /) -> None: ...

    def event(self, event: messages.Event) -> None: ...

    def answer(self, answer: Answer) -> None: ...


class Conductor:
    """One life of a controller at one table. Every method returns the bytes to write to the line, in order."""

    def __init__(
        self,
        state: State,
        *,
        run: str,
        versions: dict[str, object],
        journal: Journal,
        audience: Audience,
        nonce: Callable[[], int],
        record_of: Callable[[int], Calibration | None],
        utc_now: Callable[[], datetime] = messages.utc_now,
    ) -> None:
        self.state = state
        self.link = Link()
        self.mismatch: ProtocolMismatch | None = None
        self._run = run
        self._versions = versions
        self._journal = journal
        self._audience = audience
        self._nonce = nonce
        self._record_of = record_of
        self._utc_now = utc_now
        self._clock = DeviceClock()
        self._newest: ReceivedSample | None = None
        self._greeted_at_us: int | None = None
        self._heard_at_us: int | None = None
        self._found = False
        self._restarted = False
        self._damage = 0
        self._damaged_at_us: int | None = None
        self._unfollowed = 0
        self._event_number = 0
        self._session_id: str | None = None
        self._wall_clock = WallClock()

    def connected(self, now_us: int) -> bytes:
        """The line is open: asks the table who it is."""
        self._clock = DeviceClock()
        self._newest = None
        return self._greet(now_us)

    def disconnected(self, sentence: str, now_us: int) -> bytes:
        self._found = False
        self._greeted_at_us = None
        return self.take(TableLost(sentence), now_us)

    def received(self, data: bytes, now_us: int) -> bytes:
        """Bytes from the line, arriving now."""
        out = b"".join(self._on_link_event(event, now_us) for event in self.link.receive(data))
        if self.link.ready and not self._found:
            out += self._introduce(now_us)
        return out

    def tick(self, now_us: int) -> bytes:
        """Time passed, whether or not a sample came; every 20 ms or so."""
        out = self._note_damage(now_us) + self._note_clock(now_us) + self.take(Tick(self._age_us(now_us)), now_us)
        return out + self._greet(now_us) if self._is_time_to_ask(now_us) else out

    def take(self, given: Input, now_us: int) -> bytes:
        """Steps the session with that input."""
        before = self.state
        self.state, outputs = session.step(before, given, now_us)
        outputs = with_step(outputs, before, given, now_us)
        return b"".join(self._carry_out(output, now_us) for output in outputs)

    def _greet(self, now_us: int) -> bytes:
        self._greeted_at_us = now_us
        self._found = False
        return self.link.open(self._nonce())

    def _is_time_to_ask(self, now_us: int) -> bool:
        if self._greeted_at_us is None:
            return False
        unfollowed, self._unfollowed = self.link.statistics.late - self._unfollowed, self.link.statistics.late
        silent_us = now_us - max(self._heard_at_us or 0, self._greeted_at_us)
        return silent_us > (ASK_AGAIN_UNFOLLOWED_US if unfollowed else ASK_AGAIN_US)

    def _on_link_event(self, event: LinkEvent, now_us: int) -> bytes:
        match event:
            case ReceivedSample():
                self._clock.observe(event.t_us, now_us)
                self._newest, self._heard_at_us = event, now_us
                arrived = SampleArrived(event, self._clock.age_us(event.t_us, now_us))
                out = self.take(arrived, now_us)
                self._audience.sample(arrived, self.state)
                return out
            case DeviceRestarted():
                self._clock = DeviceClock()
                self._restarted = True
            case ProtocolMismatch():
                self.mismatch = event
                return self.take(ConditionChanged("A42", event.sentence), now_us)
            case Ack() | Nak() | Trip():
                return self.take(TableSaid(event), now_us)
            case _:
                pass
        return b""

    def _introduce(self, now_us: int) -> bytes:
        identity = self.link.identity
        assert identity is not None  # the link is ready
        restarted, self._restarted, self._found = self._restarted, False, True
        self._damage = self._damaged_frames()  # a port is opened in the middle of a frame: that is no noise
        agreed = b"" if self.mismatch is None else self.take(ConditionChanged("A42", None), now_us)
        self.mismatch = None
        calibrations = self.link.calibrations
        record = self._record_of(identity.serial)
        return agreed + self.take(TableFound(identity, calibrations[0], calibrations[1], restarted, record), now_us)

    def _age_us(self, now_us: int) -> int | None:
        return None if self._newest is None else self._clock.age_us(self._newest.t_us, now_us)

    def _note_damage(self, now_us: int) -> bytes:
        """Damaged, doubled and foreign frames raise A15 once, until the line has been quiet for a while."""
        damage = self._damaged_frames()
        if damage > self._damage:
            self._damage, self._damaged_at_us = damage, now_us
            return self.take(ConditionChanged("A15", f"{damage} frames were damaged or doubled so far"), now_us)
        if self._damaged_at_us is not None and now_us - self._damaged_at_us >= QUIET_LINE_US:
            self._damaged_at_us = None
            return self.take(ConditionChanged("A15", None), now_us)
        return b""

    def _note_clock(self, now_us: int) -> bytes:
        self._wall_clock, wrong = looked_at(self._wall_clock, self._utc_now(), now_us)
        if wrong is None:
            return b""
        return self.take(ConditionChanged("A40", wrong), now_us) + self.take(ConditionChanged("A40", None), now_us)

    def _damaged_frames(self) -> int:
        counts = self.link.statistics
        return counts.damaged + counts.unknown + counts.oversize + counts.duplicated

    def _carry_out(self, output: Output, now_us: int) -> bytes:
        match output:
            case Execute(permit=permit):
                return self._execute(permit, now_us)
            case ClearTrip(cause=cause):
                return self.link.send(Clear(cause))
            case Began():
                self._begin(output)
            case Record():
                self._record(output)
            case RecordSample(row=row):
                self._journal.sample(row)
            case Answer():
                self._audience.answer(output)
            case Over():
                self._journal.end()
                self._session_id = None
        return b""

    def _execute(self, permit: Permit, now_us: int) -> bytes:
        """What the gate's last check finds is a fault of this program: nothing is written, and the pull ends."""
        try:
            return execute(permit, self.link)
        except NotPermitted as caught:
            return self.take(GateBroken(str(caught)), now_us)

    def _begin(self, began: Began) -> None:
        self._session_id, self._event_number = began.session_id, 0
        table, calibration = self.state.table, self.state.calibration
        assert table is not None  # nothing begins without a table
        assert calibration is not None
        identity = table.identity
        self._journal.begin(
            SessionHeader(
                session_id=began.session_id,
                started_utc=_stamp(self._utc_now()),
                prescription=began.prescription.model_dump(mode="json"),
                calibration={
                    "channel_a": _columns(calibration.channel_a),
                    "channel_b": _columns(calibration.channel_b),
                    "calibrated_on": calibration.calibrated_on.isoformat(),
                },
                table=_columns(identity) | {"flags": int(identity.flags)},
                limits=began.limits,
                versions=self._versions | {"run": self._run},
                simulated=IdentityFlag.SIMULATED in identity.flags,
            )
        )

    def _record(self, record: Record) -> None:
        self._event_number += 1
        now = self._utc_now()
        t_us = None if self._newest is None else self._newest.t_us
        if self._session_id is not None:
            self._journal.event(
                EventRow(self._event_number, t_us, _stamp(now), record.kind, record.actor, record.text, record.data)
            )
        self._audience.event(
            messages.Event(
                run=self._run,
                session_id=self._session_id,
                number=self._event_number,
                time=now,
                t_us=t_us,
                kind=record.kind,
                actor=record.actor,
                text=self._text_for_screens(record),
            )
        )

    def _text_for_screens(self, record: Record) -> str:
        """Alarms are never blinded."""
        course = self.state.course
        hides = course is not None and course.prescription.is_blinded and record.kind != "alarm"
        return blinding.without_newtons(record.text) if hides else record.text


def force_of(state: State) -> int | None:
    """The force to show now, in mN, after the session's tare; None when there is no reading."""
    mean_mn = None if state.reading is None else mean_force_mn(state.reading)
    if mean_mn is None:
        return None
    return mean_mn - (0 if state.course is None else state.course.tare_mn)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _columns(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}  # type: ignore[attr-defined]
