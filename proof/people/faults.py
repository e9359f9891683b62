"""What people get wrong at the controls: each mistake goes through the real control socket and must come to nothing.

A refusal proves little by itself: wherever a mistake is refused, the same command without it is taken right afterwards.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from controller.phases import Ramping
from firmware_bridge.messages import Clear, TripCause
from hw_sim.faults import Injector
from proof.bench import Bench, document
from proof.catalogue import Fault
from proof.judging import judge
from proof.people import flipped, wrong_table
from proof.people.desk import Command, Desk, bench_in, command, start
from proof.people.refused import nothing_could_move, refusals_of, refused
from proof.prover import Prover
from proof.record import record_verdicts
from proof.verdict import Verdict, equal, holds

DOUBLE_CLICK_S: Final = 0.050
STILL_S: Final = 0.6  # what the zero is judged by goes back half a second
Mistaken = tuple[Command, tuple[str, ...], Command]  # the mistake, what its refusal must say, and what was meant


# What is entered wrongly before a start

EIGHTY_KG: Final = {"mass": "80 kg", "ramp": "5 N/s"}


def _prescribed(force: str, time_at_force: str = "10 min", **start_changes: Any) -> Command:
    return start(document(force, time_at_force, **EIGHTY_KG), **start_changes)


def _entered_wrongly() -> Mapping[str, Mistaken]:
    return {
        "HU01": (
            _prescribed("250 lbf", confirmed_mn=1_112_055),
            ("1112.055 N", "250.0 lbf", "more than this site allows"),
            _prescribed("250 N", confirmed_mn=250_000),
        ),
        "HU02": (
            _prescribed("25 N", confirmed_mn=245_166),
            ("25 N (2.5 kgf, 5.6 lbf)", "245.166 N (25.0 kgf, 55.1 lbf)"),
            _prescribed("25 kgf", confirmed_mn=245_166),
        ),
        "HU03": (
            _prescribed("2500 N", confirmed_mn=2_500_000),
            ("2500 N", "more than this site allows"),
            _prescribed("250.0 N", confirmed_mn=250_000),
        ),
        "HU05": (
            _prescribed("100 N", patient="K7-2F42"),
            ("for another patient",),
            _prescribed("100 N", patient="K7-2F41"),
        ),
        "HU20": (_prescribed("100 N", "120 min"), ("120 min", "1 to 30 min"), _prescribed("100 N", "12 min")),
    }


def prove_entered_wrongly(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """It is refused with its alarm and its numbers; what was meant is then taken."""
    mistake, said, meant = _entered_wrongly()[fault.id]
    with Desk(bench_in(phase, patient, seed)) as desk:
        desk.bench.fault_now()
        yield from refused(desk.bench, desk.ask(mistake), *said)
        desk.bench.run_for(1)
        yield from judge(fault, desk.bench)
        yield from nothing_could_move(desk.bench)
        yield equal("what was meant is taken", desk.ask(meant)["outcome"], "done")


# Two commands


def prove_double_click(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """The same press twice, at once and after 50 ms, is one session; a press under another id is refused."""
    pressed = _prescribed("100 N")
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench = desk.bench
        bench.fault_now()
        replies = desk.ask_together(pressed, pressed)
        bench.run_for(DOUBLE_CLICK_S)
        replies.append(desk.ask(pressed))
        yield equal("every press is answered alike", len({str(reply) for reply in replies}), 1)
        yield equal("it is done", replies[0]["outcome"], "done")
        yield from refused(bench, desk.ask(pressed | {"id": "another-press"}), "A session is running")
        bench.run_to(Ramping)
        yield equal("sessions", len(bench.memory.headers), 1)
        yield from judge(fault, bench)


def prove_two_operators(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """Who comes second is told who holds the session, whose pull goes on."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench = desk.bench
        bench.fault_now()
        if bench.state.course is None:
            replies = desk.ask_together(_prescribed("100 N", actor="Anna"), _prescribed("90 N", actor="Ben"))
            won = [reply for reply in replies if reply["outcome"] == "done"]
            yield equal("starts that are done", len(won), 1)
            lost = replies[1 - replies.index(won[0])]
        else:
            lost = desk.ask(_prescribed("100 N", actor="Ben"))
        course, before = bench.state.course, type(bench.state.phase)
        assert course is not None
        yield from refused(bench, lost, f"held by {course.actor}")
        bench.run_for(0.5)
        yield equal("sessions", len(bench.memory.headers), 1)
        yield equal("the session of the first goes on", type(bench.state.phase).__name__, before.__name__)
        yield from judge(fault, bench)


# An alarm is reset while the patient hangs on the cable


def prove_reset_while_loaded(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench, reset = desk.bench, functools.partial(command, "acknowledge", alarm="A10")
        bench.fault_now()
        bench.table.press_patient_switch(100_000)
        bench.run_for(0.4)
        yield holds("the cable is loaded as it is asked", bench.force_n > 15, f"{bench.force_n:.0f} N")
        yield from refused(bench, desk.ask(reset()), "Refused while the cable is loaded")
        yield from _cleared_by_nobody(bench)
        bench.run_to_slack()
        bench.run_for(0.5)
        yield from refused(bench, desk.ask(reset()), "until it has been slack for 2 s")
        bench.run_for(4)
        yield from judge(fault, bench)
        yield from _whole_record(bench)
        yield equal("after 2 s of slack it is taken", desk.ask(reset())["outcome"], "done")


def _cleared_by_nobody(bench: Bench) -> Iterator[Verdict]:
    asked = [message for _at_us, message in bench.written.heard if isinstance(message, Clear)]
    yield holds("the table was not asked to clear its trip", not asked)
    reasons = refusals_of(bench, Clear(TripCause.PATIENT_SWITCH_PRESSED))
    yield holds("the table itself refuses to clear it", bool(reasons), ", ".join(reasons) or "cleared")


def _whole_record(bench: Bench) -> Iterator[Verdict]:
    yield from record_verdicts(bench, line_is_whole=True)


# A look at the zero when there is none


def prove_zero_while_loaded(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """With 40 N on the cable; in a session, with the session's own force."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench = desk.bench
        before, judged_by, in_session = type(bench.state.phase), _reference(bench), bench.state.course is not None
        # The simulated patient tries the switch now and then; pressed under load, it lets go: that is another story.
        assert bench.run_until(lambda _: bench.state.reading is not None and not bench.state.reading.switch_pressed, 5)
        bench.fault_now()
        if not in_session:
            Injector(bench.table, bench.line).inject(fault.id)
            bench.run_for(0.2)
        reply = desk.ask(command("zero"))
        yield from refused(bench, reply, "held by clinician" if in_session else "the cable is loaded")
        measured_n = reply["data"]["zero_a_mn"] / 1000
        yield holds(
            "what was measured is told", abs(measured_n - bench.force_n) < 5, f"{measured_n} of {bench.force_n:.1f} N"
        )
        bench.run_for(1)
        yield from judge(fault, bench)
        yield equal("what force is judged by", _reference(bench), judged_by)
        yield equal("the session goes on as it was", type(bench.state.phase).__name__, before.__name__)
        if in_session:
            yield from _whole_record(bench)
        else:
            yield from nothing_could_move(bench)


def prove_zero_creeps(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """Twenty times 2 N more, looked at each time: good at 2 and 4 N, refused from 6 N on, and the start with it."""
    with Desk(bench_in(phase, patient, seed)) as desk:
        bench = desk.bench
        injector, judged_by, replies = Injector(bench.table, bench.line), _reference(bench), []
        for step in range(1, 21):
            injector.inject(fault.id, n=2.0 * step)
            bench.run_for(STILL_S)
            if step == 3:
                bench.fault_now()
            replies.append(desk.ask(command("zero")))
            if step == 3:
                yield from refused(bench, replies[-1], "zero is off by more than 5 N")
                yield from judge(fault, bench)
        yield equal("looked at and good", [reply["outcome"] for reply in replies].count("done"), 2)
        apart_n = max(abs(reply["data"]["zero_a_mn"] / 1000 - 2 * n) for n, reply in enumerate(replies, start=1))
        yield holds("each is told with the whole of its creep", apart_n < 1, f"to {apart_n:.2f} N")
        yield equal("what force is judged by", _reference(bench), judged_by)
        yield equal("a start is refused", desk.ask(_prescribed("100 N"))["outcome"], "refused")
        yield from nothing_could_move(bench)
        injector.withdraw(fault.id)
        bench.run_for(STILL_S)
        yield equal("without the creep zero is good", desk.ask(command("zero"))["outcome"], "done")


def _reference(bench: Bench) -> str:
    """By which counts are forces, here and in the table; and what is subtracted for control."""
    course = bench.state.course
    tare_mn = None if course is None else course.tare_mn
    return f"{bench.state.calibration} {bench.table.memory.calibrations} {tare_mn}"


PROVERS: Final[Mapping[str, Prover]] = {
    **dict.fromkeys(("HU01", "HU02", "HU03", "HU05", "HU20"), Prover(prove_entered_wrongly)),
    "HU06": Prover(prove_double_click),
    "HU07": Prover(prove_two_operators),
    "HU11": Prover(prove_reset_while_loaded),
    "SE14": Prover(prove_zero_while_loaded),
    "SE15": Prover(prove_zero_creeps),
    "LK17": Prover(flipped.prove),
    **wrong_table.PROVERS,
}
