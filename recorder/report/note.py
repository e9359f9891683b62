"""The note to paste into a patient's file: plain text, in a clinician's words, made from the receipt alone."""

from recorder.report.figures import (
    NEWTONS_PER_KGF,
    SIMULATED,
    above_ceiling,
    course_figures,
    day_and_time,
    in_two_units,
    minutes,
    movements_line,
    newtons,
    pain_line,
    remarks,
)
from recorder.report.happenings import PAIN_MAX
from recorder.report.receipt import Receipt


def note(receipt: Receipt) -> str:
    """Short lines, each about one thing; it ends with a line break."""
    p = receipt.prescribed
    lines = [
        *([SIMULATED] if receipt.simulated else []),
        f"Lumbar traction, {day_and_time(receipt)}. Patient {p.pseudonym or 'not on record'}, {p.position}.",
        *remarks(receipt),
        _prescribed(receipt),
        *_delivered(receipt),
        *([f"Pain (0 to {PAIN_MAX}): {pain_line(receipt.pain)}."] if receipt.pain else []),
        f"Movements: {movements_line(receipt)}.",
        _alarms(receipt),
        *([f"End: {receipt.ending.sentence.rstrip('.')}."] if receipt.ending.sentence else []),
        _who(receipt),
        f"Session {receipt.session_id}, record {receipt.delivered.last_hash[:16]}.",
    ]
    return "\n".join(lines) + "\n"


def _prescribed(receipt: Receipt) -> str:
    p = receipt.prescribed
    time = "time not on record" if p.time_at_force_s is None else f"{minutes(p.time_at_force_s)} at force"
    if receipt.hidden:
        return f"Prescribed: blinded arm, {time}."
    force = "force not on record" if p.force_n is None else f"{p.force_n:g} N ({p.force_n / NEWTONS_PER_KGF:.1f} kgf)"
    course = "".join(f" {one.name}: {one.value}." for one in course_figures(p))
    return f"Prescribed: {p.mode or 'mode not on record'}, {force}, {time}.{course}"


def _delivered(receipt: Receipt) -> list[str]:
    d = receipt.delivered
    above = f"Above the ceiling: {above_ceiling(d)}."
    if receipt.hidden:
        return [f"Delivered: {minutes(d.time_at_force_s)} at force. {above}"]
    if d.mean_n is None or d.low_n is None or d.high_n is None:
        return [f"Delivered: no time at force. Peak {newtons(d.peak_n)}. {above}"]
    share = "" if d.within_share is None else f"; within 5 % of the target {100 * d.within_share:.1f} % of the time"
    return [
        f"Delivered: mean {in_two_units(d.mean_n)}, SD {newtons(d.sd_n)}, {minutes(d.time_at_force_s)} at force.",
        f"5 to 95 % of readings {d.low_n:.1f} to {d.high_n:.1f} N{share}. Impulse {d.impulse_n_s or 0.0:.0f} N s.",
        f"{above} All of it is cable force.",
    ]


def _alarms(receipt: Receipt) -> str:
    if not receipt.alarms:
        return "Alarms: none."
    told = (f"{a.id} {a.shown}" + (f" ({a.count} times)" if a.count > 1 else "") for a in receipt.alarms)
    return f"Alarms: {'; '.join(told)}."


def _who(receipt: Receipt) -> str:
    by = f"Prescribed by {receipt.prescribed.by or 'not on record'}"
    return f"{by}, started by {receipt.started_by}." if receipt.started_by else f"{by}."
