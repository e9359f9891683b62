"""Writes docs/alarms.md from the alarm catalogue: `python -m docs.make_alarms`."""

from pathlib import Path
from typing import Final

from safety.alarms import ALARM_OF_TRIP_CAUSE, CATALOGUE, Alarm

FILE: Final = Path(__file__).with_name("alarms.md")
HEAD: Final = """\
# Alarms

Made by `python -m docs.make_alarms` from `safety/alarms.py`: change it there. A test holds this page equal to it.

The scheme of priority, colour and latching follows IEC 60601-1-8. A HIGH alarm is red, a MEDIUM one yellow, a LOW one
cyan. The first cause is shown first; what follows from it does not bury it. An alarm that latches stays until it was
acknowledged by name; one that tripped the table lets itself be acknowledged only after two seconds of slack with its
cause gone. A new session then begins with a zero check of its own.

"Table's cause" is the number that the table itself sends (see [the serial protocol](protocol.md)).

| id | priority | latches | table's cause | shown | what to do |
|---|---|---|---|---|---|
"""


def as_markdown() -> str:
    return HEAD + "".join(row(alarm) for alarm in CATALOGUE.values())


def row(alarm: Alarm) -> str:
    causes = ", ".join(str(number) for number, id_ in ALARM_OF_TRIP_CAUSE.items() if id_ is alarm.id)
    latches = "yes" if alarm.latches else ""
    cells = (alarm.id.value, alarm.priority.value, latches, causes, alarm.shown, alarm.what_to_do)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FILE.write_text(as_markdown(), encoding="utf-8")
