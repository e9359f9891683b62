"""The receipt in words and units: the same lines on a terminal, on the page and on paper. Forces in N and kgf."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.quantities import NEWTONS_PER
from recorder.dose import Dose
from recorder.report.happenings import PAIN_MAX, PAIN_WHEN, PainScore
from recorder.report.receipt import Prescribed, Receipt

NEWTONS_PER_KGF: Final = float(NEWTONS_PER["kgf"])
NEWTONS_PER_LBF: Final = float(NEWTONS_PER["lbf"])
HIDDEN: Final = "not shown (blinded)"
UNKNOWN: Final = "not on record"
SHORTEST_MISSING_S: Final = 0.05
COURSE_MAX: Final = 6  # pulls and rests of a chain; more are counted, so that the page stays one
SIMULATED: Final = "SIMULATED TABLE: nobody was treated."


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what it is, and its value in words."""

    name: str
    value: str


def remarks(receipt: Receipt) -> list[str]:
    """What whoever reads the figures has to know first, a sentence each."""
    said = []
    if not receipt.ended:
        said.append(
            "The record was not ended: the session still runs or was interrupted. What follows covers what there is."
        )
    if receipt.part > 1:
        said.append(f"This is part {receipt.part} of the session's record; the other parts have receipts of their own.")
    if receipt.hidden:
        said.append("Blinded session: the arm, and every figure that could tell it, is not shown.")
    elif receipt.blinded:
        said.append("UNBLINDED: do not show this to whoever treats or assesses the patient.")
    return said


def prescribed_figures(receipt: Receipt) -> list[Figure]:
    """What was prescribed."""
    p, hidden = receipt.prescribed, receipt.hidden
    arm = [Figure("Arm", receipt.arm)] if receipt.arm is not None else []
    return [
        *arm,
        Figure("Mode", HIDDEN if hidden else p.mode or UNKNOWN),
        Figure("Force", HIDDEN if hidden else _force_prescribed(p)),
        Figure("Time at force", UNKNOWN if p.time_at_force_s is None else minutes(p.time_at_force_s)),
        Figure("Ramp", HIDDEN if hidden else UNKNOWN if p.ramp_n_s is None else f"{p.ramp_n_s:g} N/s"),
        *course_figures(p),
        Figure("Position", p.position),
        Figure("Body mass", UNKNOWN if p.body_mass_kg is None else f"{p.body_mass_kg:g} kg"),
        Figure("Prescribed by", p.by or UNKNOWN),
    ]


def course_figures(p: Prescribed) -> list[Figure]:
    """What force, time and ramp do not tell already; a static pull is told by them."""
    if p.mode == "static" or not p.course:
        return []
    more = len(p.course) - COURSE_MAX
    told = [*p.course[:COURSE_MAX], *([f"and {more} more"] if more > 0 else [])]
    return [Figure("Course", "; ".join(told))]


def _force_prescribed(p: Prescribed) -> str:
    if p.force_n is None:
        return UNKNOWN
    return f"{p.force_n:g} N ({p.force_n / NEWTONS_PER_KGF:.1f} kgf, {p.force_n / NEWTONS_PER_LBF:.1f} lbf)"


def delivered_figures(receipt: Receipt) -> list[Figure]:
    """What was delivered: the dose, and what the patient and the table did."""
    return [*dose_figures(receipt.delivered, hidden=receipt.hidden), *_happened(receipt)]


def dose_figures(dose: Dose, *, hidden: bool = False) -> list[Figure]:
    """The dose, a line each."""

    def shown(value: str) -> str:
        return HIDDEN if hidden else value

    band = "none" if dose.low_n is None or dose.high_n is None else f"{dose.low_n:.1f} to {dose.high_n:.1f} N"
    share = "none" if dose.within_share is None else f"{100 * dose.within_share:.1f} % of the time at force"
    return [
        Figure("Time at force", _time_at_force(dose)),
        Figure("Mean force", shown(in_two_units(dose.mean_n))),
        Figure("Standard deviation", shown(newtons(dose.sd_n))),
        Figure("5 to 95 % of readings", shown(band)),
        Figure("Within 5 % of target", shown(share)),
        Figure("Peak", shown(newtons(dose.peak_n))),
        Figure("Above the ceiling", above_ceiling(dose)),
        Figure("Impulse", shown("none" if dose.impulse_n_s is None else f"{dose.impulse_n_s:.0f} N s")),
        Figure("Gaps in the record", f"{dose.gaps} ({dose.missing_samples} samples)" if dose.gaps else "none"),
    ]


def _happened(receipt: Receipt) -> list[Figure]:
    return [
        Figure("Movements", movements_line(receipt)),
        Figure("Alarms", alarms_line(receipt)),
        *([Figure(f"Pain (0 to {PAIN_MAX})", pain_line(receipt.pain))] if receipt.pain else []),
        *([Figure("How it ended", receipt.ending.sentence)] if receipt.ending.sentence else []),
    ]


def above_ceiling(dose: Dose) -> str:
    """The time above the ceiling; a single sample counts."""
    if dose.above_ceiling_samples is None or dose.above_ceiling_s is None:
        return f"not known: no {'ceiling is on record' if dose.ceiling_n is None else 'force was read'}"
    of = "" if dose.ceiling_n is None else f" ({dose.ceiling_n:.0f} N)"
    if not dose.above_ceiling_samples:
        return f"never{of}"
    samples = "1 sample" if dose.above_ceiling_samples == 1 else f"{dose.above_ceiling_samples} samples"
    return f"{dose.above_ceiling_s:.3f} s, {samples}{of}"


def movements_line(receipt: Receipt) -> str:
    """Each kind with how often it was seen."""
    if not receipt.movements:
        return "none on record"
    return ", ".join(f"{seen.shown} {seen.count} x" for seen in receipt.movements)


def alarms_line(receipt: Receipt) -> str:
    """Each alarm by its id, with how often it came."""
    return ", ".join(f"{a.id} ({a.count} x)" if a.count > 1 else a.id for a in receipt.alarms) or "none"


def pain_line(scores: Sequence[PainScore]) -> str:
    """Scores in the order of before, during, after: "before 6, during 4, 3, after 2"."""
    told = []
    for when in PAIN_WHEN:
        given = [str(one.score) for one in scores if one.when == when]
        told += [f"{when} {', '.join(given)}"] if given else []
    return "; ".join(told)


def in_two_units(force_n: float | None) -> str:
    """ "300.1 N (30.6 kgf)"."""
    return "none" if force_n is None else f"{force_n:.1f} N ({force_n / NEWTONS_PER_KGF:.1f} kgf)"


def newtons(force_n: float | None) -> str:
    return "none" if force_n is None else f"{force_n:.1f} N"


def minutes(seconds: float) -> str:
    """ "20 min 00 s"."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s"


def _time_at_force(dose: Dose) -> str:
    missing = dose.missing_at_force_s
    more = f" ({missing:.1f} s more without a reading)" if missing >= SHORTEST_MISSING_S else ""
    return minutes(dose.time_at_force_s) + more


def day_and_time(receipt: Receipt) -> str:
    """ "2025-03-01 09:30 UTC+01:00": the day first, since everybody reads that alike."""
    offset = f"{receipt.started:%z}"
    zone = "UTC" if offset in ("", "+0000") else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{receipt.started:%Y-%m-%d %H:%M} {zone}"


def receipt_lines(receipt: Receipt) -> list[str]:
    """The receipt as a person reads it on a terminal."""
    first = f"Session {receipt.session_id}, {day_and_time(receipt)}"
    lines = [f"SIMULATED: nobody was treated. {first}" if receipt.simulated else first, *remarks(receipt)]
    lines += ["", "Prescribed", *_aligned([Figure("Patient", receipt.prescribed.pseudonym or UNKNOWN)])]
    lines += _aligned(prescribed_figures(receipt))
    lines += ["", "Delivered", *_aligned(delivered_figures(receipt))]
    lines += _aligned([Figure("Record", receipt.delivered.last_hash[:16])])
    lines += [f"    {a.id} {a.shown}" + (f" ({a.count} times)" if a.count > 1 else "") for a in receipt.alarms]
    return lines


def _aligned(figures: Sequence[Figure]) -> list[str]:
    return [f"  {figure.name:<24}{figure.value}" for figure in figures]
