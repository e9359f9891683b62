"""The finite alphabet of inputs: from whatever state, what could come next, each with a name and the time it takes.

Samples are the whole product of how old they are, what force they show, what the table is doing and what hands do at
the switches; beside them stand what a table, a line, a shell and people can say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Final

from controller import alarm_board, prescription
from controller.inputs import (
    AcknowledgeAsked,
    CameTooLate,
    ConditionChanged,
    EndAcknowledged,
    GateBroken,
    GoOnAsked,
    Input,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    StopAsked,
    TableLost,
    TableSaid,
    TakeOverAsked,
    Tick,
    ZeroAsked,
)
from controller.state import State
from firmware_bridge.messages import Ack, MessageType, Nak, NakReason, Status, Trip, TripCause
from proof.bench import document
from proof.exploring import world
from proof.exploring.world import AGREED_MN, FOUND, SAMPLE_US, START, Device, Force, Hands, Seen

S: Final = 1_000_000
AGES_US: Final = {"fresh": 5_000, "late": 100_000, "lost": 300_000}
FRESH_US: Final = AGES_US["fresh"]


@dataclass(frozen=True, slots=True)
class Letter:
    """`after_us`: how long after the step before it comes. `of`: the input, as it would be in that state."""

    name: str
    of: Callable[[State], Input]
    after_us: int = SAMPLE_US


def letters(*, one_thing_wrong: bool = False) -> tuple[Letter, ...]:
    """All of them; or without the samples in which more than one thing is wrong."""
    return (*_samples(one_thing_wrong), *_odd_samples(), *_times(), *_table(), *_people(), *_beside())


def _samples(one_thing_wrong: bool) -> Iterator[Letter]:
    for (age, age_us), force, device, hands in product(AGES_US.items(), Force, Device, Hands):
        wrong = (age_us != FRESH_US, force not in (Force.SLACK, Force.LOADED), hands is not Hands.FREE)
        if one_thing_wrong and sum(wrong) > 1:
            continue
        named = f"sample: {age}, {force.value}, {device.name.lower()}, {hands.name.lower()}"
        yield Letter(named, partial(_sample, age_us, force, device, hands))


def _sample(age_us: int, force: Force, device: Device, hands: Hands, state: State) -> Input:
    a_mn, b_mn = world.shown_force(state, force)
    seen = Seen(a_mn, b_mn, device.value | hands.value, world.cable_um(state))
    return world.sample(state, seen, age_us)


def seen_again(state: State) -> Seen:
    """What the last sample showed; a resting table, when there was none."""
    last = state.reading
    if last is None:
        return Seen(300, 200, Hands.FREE.value, 0)
    flags = (
        (Status.ARMED, last.armed),
        (Status.DRIVE_ENABLED, last.drive_enabled),
        (Status.RELEASING, last.releasing),
        (Status.TRIPPED, last.tripped),
        (Status.PATIENT_SWITCH_CONNECTED, last.switch_connected),
        (Status.PATIENT_SWITCH_PRESSED, last.switch_pressed),
        (Status.EMERGENCY_STOP, last.emergency_stop),
    )
    status = Status(sum(bit for bit, is_on in flags if is_on))
    return Seen(last.force_a_mn, last.force_b_mn, status, last.cable_um, last.velocity_um_s)


def _odd(passed_us: int, age_us: int, changed: Callable[[Seen], Seen], state: State) -> Input:
    return world.sample(state, changed(seen_again(state)), age_us, passed_us)


def _odd_samples() -> Iterator[Letter]:
    """Like the last one, but for one thing that no table in order would send."""

    def odd(
        name: str,
        changed: Callable[[Seen], Seen] = lambda seen: seen,
        passed_us: int = SAMPLE_US,
        age_us: int = FRESH_US,
        after_us: int = SAMPLE_US,
    ) -> Letter:
        return Letter(f"sample: {name}", partial(_odd, passed_us, age_us, changed), after_us)

    yield odd("from the future", age_us=-1)
    yield odd("of an earlier clock", passed_us=-S)
    yield odd("given twice", passed_us=0)
    for leap_s in (2, 61, 3_601):
        yield odd(f"the table's clock leaps by {leap_s} s", passed_us=leap_s * S)
    yield odd("wound in by 160 mm", lambda seen: replace(seen, cable_um=seen.cable_um + 160_000))
    yield odd("wound in by 210 mm", lambda seen: replace(seen, cable_um=seen.cable_um + 210_000))
    yield odd("paid out by 50 mm", lambda seen: replace(seen, cable_um=seen.cable_um - 50_000))
    yield odd("50 N apart", lambda seen: replace(seen, b_mn=(seen.a_mn or 0) + 50_000))
    yield odd("20 N apart", lambda seen: replace(seen, b_mn=(seen.a_mn or 0) + 20_000))
    yield odd("pushing by 40 N", lambda seen: replace(seen, a_mn=-40_000))
    yield odd("without any channel", lambda seen: replace(seen, a_mn=None, b_mn=None))
    yield odd("risen by 12 N", lambda seen: replace(seen, a_mn=(seen.a_mn or 0) + 12_000, b_mn=seen.b_mn or 0 + 12_000))
    yield odd("after 100 ms", passed_us=100_000, after_us=100_000)
    yield odd("after 199 ms", passed_us=199_000, after_us=199_000)
    for still_s in (1, 3, 61, 121):
        yield odd(f"after {still_s} s", passed_us=still_s * S, after_us=still_s * S)


def _times() -> Iterator[Letter]:
    for name, age_us in {"none": None, **AGES_US, "future": -1}.items():
        yield Letter(f"tick: {name}", partial(_tick, age_us))
    for after_us in (70_000, 199_999, 200_000, 3 * S):
        yield Letter(f"tick: after {after_us / 1000:g} ms", partial(_tick, FRESH_US), after_us)


def _tick(age_us: int | None, _state: State) -> Input:
    return Tick(age_us)


def _table() -> Iterator[Letter]:
    other = replace(FOUND.calibration_a, id=FOUND.calibration_a.id + 1)
    found: dict[str, Input] = {
        "found": FOUND,
        "found, reset": replace(FOUND, restarted=True),
        "found, of another calibration": replace(FOUND, calibration_a=other),
        "found, without a record": replace(FOUND, record=None),
        "lost": TableLost("The cable was pulled."),
    }
    for name, given in found.items():
        yield Letter(f"table {name}", partial(_same, given))
    for cause in TripCause:
        yield Letter(f"table trips: {cause.spelled}", partial(_same, TableSaid(Trip(cause, 0, 0, 0, 0))))
    for kind in (MessageType.ARM, MessageType.RELEASE, MessageType.CLEAR):
        yield Letter(f"table takes {kind.name}", partial(_same, TableSaid(Ack(1, kind))))
    for kind, reason in product((MessageType.ARM, MessageType.MOVE, MessageType.CLEAR), NakReason):
        yield Letter(f"table refuses {kind.name}: {reason.spelled}", partial(_same, TableSaid(Nak(1, kind, reason))))


def _same(given: Input, _state: State) -> Input:
    return given


def _people() -> Iterator[Letter]:
    heavy = prescription.parse(document("250 N", "60 s", "20 N/s"))
    starts = {
        "complete": START,
        "not ticked": replace(START, ticks=()),
        "not confirmed": replace(START, prescription=heavy),
        "confirmed as another force": replace(START, confirmed_mn=90_000),
        "for another patient": replace(START, patient="K7-0000"),
        "too much force": replace(START, prescription=prescription.parse(document("500 N", "60 s", "20 N/s"))),
        "calibration too old": replace(START, calibration_age_days=366),
        "calibration of unknown age": replace(START, calibration_age_days=None),
        "no space": replace(START, blocked=(("A36", "No space."),)),
    }
    for name, asked in starts.items():
        yield Letter(f"start: {name}", partial(_same, asked))
    yield from (Letter(name, partial(_same, asked)) for name, asked in _steered())
    yield Letter("look at the zero", partial(_same, ZeroAsked("clinician", "zero-00001")))
    yield Letter("stop", partial(_same, StopAsked("clinician", "stop-00001")))
    for name, alarm in {"the root": _root, "another": _another, "one that is not": lambda _state: "A99"}.items():
        yield Letter(f"acknowledge: {name}", partial(_acknowledge, alarm))


def _steered() -> Iterator[tuple[str, Input]]:
    who, other = "clinician", "doctor"
    yield "pause", PauseAsked(who, "pause-0001")
    yield "pause by another", PauseAsked(other, "pause-0002")
    yield "go on", GoOnAsked(who, "go-on-0001")
    yield "go on by another", GoOnAsked(other, "go-on-0002")
    yield "lower", LowerAsked(who, "lower-0001", 40_000)
    yield "lower too far", LowerAsked(who, "lower-0002", 19_999)
    yield "raise", RaiseAsked(who, "raise-0001", AGREED_MN, AGREED_MN)
    yield "raise beyond what was agreed", RaiseAsked(who, "raise-0002", AGREED_MN + 1, AGREED_MN + 1)
    yield "raise, confirmed as another force", RaiseAsked(who, "raise-0003", AGREED_MN, AGREED_MN - 1)
    yield "take over", TakeOverAsked(other, "take-over-1")
    yield "take back", TakeOverAsked(who, "take-over-2")
    yield "pain in a leg", PainTold(other, "pain-00001", 7, "during", leg_symptoms=True)
    yield "the end is acknowledged", EndAcknowledged(other, "heard-0001")
    yield "too late", CameTooLate(who, "late-00001", "raise")


def _acknowledge(alarm: Callable[[State], str], state: State) -> Input:
    return AcknowledgeAsked("clinician", "ack-000001", alarm(state))


def _root(state: State) -> str:
    return next((entry.id.value for entry in state.board if entry.root), "A10")


def _another(state: State) -> str:
    """The first on the board that did not trip; else one that is not on it."""
    others = [entry.id.value for entry in alarm_board.in_order(state.board) if not entry.root]
    return others[0] if others else ("A10" if _root(state) != "A10" else "A12")


def _beside() -> Iterator[Letter]:
    """What the shell finds beside the pull."""
    for alarm in ("A15", "A34", "A37", "A42"):
        yield Letter(f"{alarm} on", partial(_same, ConditionChanged(alarm, "It is so.")))
        yield Letter(f"{alarm} over", partial(_same, ConditionChanged(alarm, None)))
    yield Letter("gate broken", partial(_same, GateBroken("A motion without a permit.")))
