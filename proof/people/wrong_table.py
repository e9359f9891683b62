"""A table, or a calibration, that is not the one that this computer knows: no session begins with it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from controller.calibration import Calibration
from controller.phases import Ended, Holding, Tripped
from firmware_bridge.messages import Arm, Move, WriteCalibration
from hw_sim.faults import Injector
from proof.bench import Bench, document
from proof.catalogue import Fault
from proof.judging import PEAK_N, SLACK_N, judge
from proof.people.desk import CALIBRATED_DAYS_AGO, INTRODUCED_S, Desk, bench_in, calibrated_on, command, start
from proof.people.refused import nothing_could_move, refusals_of, refused
from proof.prover import Prover
from proof.verdict import Verdict, at_most, equal, holds
from tractable.virtual_stack import calibration_of

EXPIRED_DAYS: Final = 366
SAID_OF_TABLE: Final = {
    "SE11": "The table holds another calibration",
    "SE13": "The table holds another calibration",
    "SX13": "There is no calibration record",
}
HALVED: Final = "SE11"


def prove_wrong_table(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """The table comes back from a power-on as another one; as itself, it is taken."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench, injector = desk.bench, Injector(desk.bench.table, desk.bench.line)
        bench.fault_now()
        injector.inject(fault.id)
        bench.run_for(1)
        yield from refused(bench, desk.ask(_gentle()), SAID_OF_TABLE[fault.id])
        yield from judge(fault, bench)
        yield from nothing_could_move(bench)
        yield holds("who answered is on record", any(_who(bench) in event.text for event in bench.heard.events))
        injector.withdraw(fault.id)
        bench.run_for(INTRODUCED_S)
        yield equal("the table as it was is taken", desk.ask(_gentle())["outcome"], "done")
    if fault.id == HALVED:
        yield from _armed_all_the_same(patient, seed)


def _gentle() -> dict[str, object]:
    return start(document("100 N", ramp="5 N/s"))


def _who(bench: Bench) -> str:
    return f" {bench.table.serial} found"


def _armed_all_the_same(patient: str, seed: int) -> Iterator[Verdict]:
    """Table and computer agree on a scale that is wrong by half in one channel: the other one contradicts it."""
    bench = Bench(patient, seed=seed)
    right, memory = calibration_of(bench.rig), bench.table.memory
    half = right.channel_a.span_q20 // 2
    memory.calibrations[0] = replace(memory.calibrations[0], span_q20=half)
    bench.table.reset()
    wrong = replace(right, channel_a=replace(right.channel_a, span_q20=half))
    bench.conductor._record_of = lambda _serial: wrong
    bench.run_for(1)
    yield holds("with both records halved alike it is armed", bench.start().done)
    bench.run_to(Tripped, Ended, Holding)
    bench.run_to_slack()
    yield equal("armed all the same: what trips", bench.root, "A07")
    yield at_most(
        "armed all the same: true force over the ceiling", max(bench.forces_mn) / 1000 - bench.ceiling_n, PEAK_N, "N"
    )
    yield at_most("armed all the same: force at the end", bench.force_n, SLACK_N, "N")


def prove_wrong_record(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """The computer's record: with a tenth of the spans, or a year and a day old."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench, right = desk.bench, calibration_of(desk.bench.rig)
        bench.table.panel.service_jumper = phase == "SERVICE"
        held = bench.table.memory.calibrations[:]
        bench.fault_now()
        if fault.id == "HU19":
            desk.record(calibrated_on(right, EXPIRED_DAYS))
            said = "366 days old"
        else:
            desk.record(calibrated_on(_a_tenth(right), 0))
            said = "The table holds another calibration"
        yield from refused(bench, desk.ask(_gentle()), said)
        yield from judge(fault, bench)
        yield from nothing_could_move(bench)
        yield equal("what the table holds", bench.table.memory.calibrations, held)
        desk.record(calibrated_on(right, CALIBRATED_DAYS_AGO))
        yield equal("with the right record it is taken", desk.ask(_gentle())["outcome"], "done")


def _a_tenth(right: Calibration) -> Calibration:
    """10 N entered for the 100 N that hung on the cable make every force a tenth of what it is."""
    a, b = right.channel_a, right.channel_b
    return replace(
        right, channel_a=replace(a, span_q20=a.span_q20 // 10), channel_b=replace(b, span_q20=b.span_q20 // 10)
    )


def prove_service_with_patient(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """The service jumper is closed and somebody hangs on the cable: nothing can be moved, and nothing written."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench = desk.bench
        bench.fault_now()
        bench.table.panel.service_jumper = True
        bench.table.plant.lean(40.0, 60_000)
        bench.run_for(0.2)
        yield equal("a jog", desk.ask(command("jog", velocity_um_s=1_000))["outcome"], "refused")
        yield from refused(bench, desk.ask(_gentle()), "The cable is loaded")
        bench.run_for(1)
        yield from judge(fault, bench)
        yield from nothing_could_move(bench)
        yield equal(
            "the table to ARM and MOVE",
            refusals_of(bench, _arm(bench), Move(0, 1_000, 200)),
            ["not slack", "not armed"],
        )
        bench.table.panel.service_jumper = False
        yield equal("to a calibration with the jumper open", refusals_of(bench, WRONG), ["service jumper open"])
        yield holds("nothing was wound in by any of it", bench.pulled_at_us == 0)
    yield from _written_while_armed(patient, seed)


def _written_while_armed(patient: str, seed: int) -> Iterator[Verdict]:
    bench = bench_in("HOLD", patient, seed)
    held = bench.table.memory.calibrations[:]
    bench.fault_now()
    bench.table.panel.service_jumper = True
    yield equal("to a calibration while it holds a patient", refusals_of(bench, WRONG), ["not slack"])
    bench.run_for(1)
    yield equal("what the table holds", bench.table.memory.calibrations, held)
    yield equal("the pull goes on", type(bench.state.phase).__name__, "Holding")


WRONG: Final = WriteCalibration(channel=0, zero_counts=0, span_q20=1, id=1)


def _arm(bench: Bench) -> Arm:
    a, b = bench.table.memory.calibrations
    return Arm(200_000, 150_000, 5_000, 600, a.id, b.id)


PROVERS: Final[Mapping[str, Prover]] = {
    **dict.fromkeys(SAID_OF_TABLE, Prover(prove_wrong_table)),
    **dict.fromkeys(("HU18", "HU19"), Prover(prove_wrong_record)),
    "HU17": Prover(prove_service_with_patient),
}
