"""One page to hand over or to file: the receipt with the plot, as a tagged PDF (PDF/UA-1), set with typst.

The fonts are those inside typst. A character that they lack is looked for in this computer's fonts; one that no font
has is an error that names it, and never a blank.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from recorder.reading import Session
from recorder.report.figures import (
    UNKNOWN,
    Figure,
    above_ceiling,
    day_and_time,
    delivered_figures,
    in_two_units,
    minutes,
    prescribed_figures,
    remarks,
)
from recorder.report.plot import Plot, plot
from recorder.report.receipt import Receipt, started_utc

TEMPLATE: Final = Path(__file__).with_name("report.typ")
ALARMS_MAX: Final = 6  # more are counted: it is always one page
STANDARD: Final = "ua-1"
PIXELS_PER_INCH: Final = 150.0
_LACKING: Final = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class CannotReport(Exception):
    """The page cannot be made; the sentence says what to do."""


def report_pdf(session: Session, receipt: Receipt) -> bytes:
    """The page as a PDF; the same record gives the same bytes, except where another font had to be found.

    Raises CannotReport for a character that no font here can show.
    """
    return _compiled(_content(session, receipt), receipt, format="pdf", pdf_standards=STANDARD)


def report_png(session: Session, receipt: Receipt) -> bytes:
    """The same page as a picture."""
    return _compiled(_content(session, receipt), receipt, format="png", ppi=PIXELS_PER_INCH)


def _compiled(content: dict[str, Any], receipt: Receipt, **output: Any) -> bytes:
    import typst

    # What the PDF says of its own making is the session's start, so that nothing in it depends on when it was made.
    output |= {"sys_inputs": {"report": json.dumps(content)}, "timestamp": int(started_utc(receipt).timestamp())}
    try:
        try:
            page: bytes = typst.compile(TEMPLATE, ignore_system_fonts=True, **output)
        except typst.TypstError as error:
            if not _lacking(error):
                raise
            page = typst.compile(TEMPLATE, ignore_system_fonts=False, **output)
    except typst.TypstError as error:
        lacking = _lacking(error)
        if not lacking:
            raise
        raise CannotReport(
            f"No font on this computer has {', '.join(lacking)}. Install one that has (such as Noto), then try again."
        ) from error
    return page


def _lacking(error: Any) -> list[str]:
    """The characters that could not be shown, each with its number."""
    found = (_ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) for text in _LACKING.findall(error.diagnostic))
    return [f"{text} ({' '.join(f'U+{ord(one):04X}' for one in text)})" for text in dict.fromkeys(found)]


def _content(session: Session, receipt: Receipt) -> dict[str, Any]:
    drawn = None if receipt.hidden else plot(session)
    return {
        "title": f"Traction session {receipt.session_id}",
        "patient": receipt.prescribed.pseudonym or UNKNOWN,
        "day": day_and_time(receipt),
        "session": receipt.session_id,
        "table": receipt.table or UNKNOWN,
        "simulated": receipt.simulated,
        "remarks": remarks(receipt),
        "tiles": _tiles(receipt),
        "plot": None if drawn is None else drawn.as_json(),
        "plot_words": None if drawn is None else plot_words(receipt, drawn),
        "no_plot": "The plot is not shown: the session is blinded."
        if receipt.hidden
        else "There are no samples to plot.",
        "prescribed": _pairs(prescribed_figures(receipt)),
        "delivered": _pairs([one for one in delivered_figures(receipt) if one.name != "Alarms"]),
        "alarms": [_alarm_line(receipt, i) for i in range(min(len(receipt.alarms), ALARMS_MAX))],
        "more_alarms": max(0, len(receipt.alarms) - ALARMS_MAX),
        "footer": _footer(receipt),
    }


def _pairs(figures: list[Figure]) -> list[list[str]]:
    return [[one.name, one.value] for one in figures]


def _tiles(receipt: Receipt) -> list[dict[str, str]]:
    d, p = receipt.delivered, receipt.prescribed
    wanted = "" if p.time_at_force_s is None else f"of {minutes(p.time_at_force_s)} prescribed"
    above = "not known" if d.above_ceiling_samples is None else f"{d.above_ceiling_s or 0.0:.1f} s"
    tiles = [{"name": "Time at force", "value": minutes(d.time_at_force_s), "more": wanted}]
    if not receipt.hidden:
        mean, _, kgf = in_two_units(d.mean_n).partition(" (")
        share = "none" if d.within_share is None else f"{100 * d.within_share:.1f} %"
        tiles.insert(0, {"name": "Mean force", "value": mean, "more": kgf.rstrip(")")})
        tiles.append({"name": "Within 5 % of target", "value": share, "more": "of the time at force"})
    tiles.append({"name": "Above the ceiling", "value": above, "more": above_ceiling(d)})
    return tiles


def _alarm_line(receipt: Receipt, index: int) -> list[str]:
    alarm = receipt.alarms[index]
    times = f" ({alarm.count} times)" if alarm.count > 1 else ""
    return [alarm.id, alarm.priority, f"{alarm.shown}{times}"]


def _footer(receipt: Receipt) -> str:
    version = f"Tractable {receipt.version}. " if receipt.version else ""
    calibrated = f"Calibrated on {receipt.calibrated_on}. " if receipt.calibrated_on else ""
    return f"{version}{calibrated}Record {receipt.delivered.last_hash}."


def plot_words(receipt: Receipt, drawn: Plot) -> str:
    """What the plot shows, for who does not see it."""
    d = receipt.delivered
    held = "" if d.mean_n is None else f" Mean at force {in_two_units(d.mean_n)}, for {minutes(d.time_at_force_s)}."
    gaps = f" Left open, since no samples are there: {d.gaps}." if d.gaps else ""
    return f"Force and its target over {minutes(drawn.end_s)}.{held} Above the ceiling: {above_ceiling(d)}.{gaps}"
