"""One line in the terminal that shows a running session: force against target, phase, time left, alarms."""

import sys
import time

from rich.console import Console

from controller.messages import PhaseName, State

PLAIN_LINE_EVERY_S = 5.0

PHASE_TEXTS = {
    "idle": "idle",
    "checking_zero": "checking zero",
    "awaiting_switch_test": "waiting for the patient's switch",
    "taking_up_slack": "taking up slack",
    "ramping": "ramping",
    "holding": "holding",
    "resting": "resting",
    "paused": "paused",
    "releasing": "letting go",
    "ended": "ended",
    "tripped": "stopped by safety",
}


def live_line(state: State, force_mn: int | None) -> str:
    """Plain text, one line; a force that is not known is shown as --."""
    unit = "%" if state.blinded else "N"  # in a blinded session forces come as shares of the prescribed peak
    force = "--" if force_mn is None else f"{force_mn / 1000:z6.1f} {unit}"
    target = "" if state.target_mn is None else f" of {state.target_mn / 1000:.0f} {unit}"
    at_force = "" if state.at_force_s is None else f"  at force {_clock(state.at_force_s)}"
    left = "" if state.remaining_s is None or not state.at_force_s else f"  left {_clock(state.remaining_s)}"
    alarms = "".join(f"  [{alarm.id} {alarm.shown}]" for alarm in state.alarms)
    return f"{force}{target}  {PHASE_TEXTS[state.phase]}{at_force}{left}{alarms}"


def _clock(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


class LinePrinter:
    """A line that is written over in a terminal; where there is none, a line every 5 s and at each new phase."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed_at = 0.0
        self._phase: PhaseName | None = None

    def show(self, state: State, force_mn: int | None) -> None:
        line = live_line(state, force_mn) + (f"  {state.instruction}" if state.instruction else "")
        if self._console.is_terminal:
            width = self._console.width - 1
            sys.stdout.write("\r" + line[:width].ljust(width))
            sys.stdout.flush()
        elif state.phase is not self._phase or time.monotonic() - self._printed_at >= PLAIN_LINE_EVERY_S:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
            self._printed_at = time.monotonic()
        self._phase = state.phase

    def finish(self) -> None:
        if self._console.is_terminal:
            self._console.print()
