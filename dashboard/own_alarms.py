"""The alarms that only a viewer can raise, because they say that nothing is heard any more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controller.messages import STATE_VALID_S, ActiveAlarm, PhaseName
from safety.alarms import CATALOGUE, AlarmId

# No honest batch is this late (one comes every 100 ms), and the table itself lets go after 250 ms.
CONTROLLER_SILENT_S: Final = 0.4
BATCH_LATE_S: Final = 0.15
UNDER_LOAD: Final = frozenset(
    {
        PhaseName.TAKING_UP_SLACK,
        PhaseName.RAMPING,
        PhaseName.HOLDING,
        PhaseName.RESTING,
        PhaseName.PAUSED,
        PhaseName.RELEASING,
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the dashboard last heard of the controller. Times in local monotonic seconds; None for never."""

    broker_connected: bool
    phase: PhaseName | None
    table_connected: bool
    state_s: float | None
    sample_s: float | None
    broker_answered_s: float | None


def alarms_of(heard: Heard, now_s: float) -> frozenset[AlarmId]:
    """A34 without a broker; A16 when samples stop under load, though the broker lives and would have passed them on."""
    if not heard.broker_connected:
        return frozenset({AlarmId.A34})
    if heard.phase in UNDER_LOAD and heard.table_connected and _controller_is_silent(heard, now_s):
        return frozenset({AlarmId.A16})
    return frozenset()


def _controller_is_silent(heard: Heard, now_s: float) -> bool:
    if heard.sample_s is None or heard.state_s is None:
        return False
    # A state sent after the samples stopped shows a controller that runs, with an alarm of its own for that.
    if heard.state_s > heard.sample_s + CONTROLLER_SILENT_S:
        return now_s - heard.state_s > STATE_VALID_S
    # Not a frozen broker, of which the controller knows nothing: it was asked since, and it answered.
    broker_lives = heard.broker_answered_s is not None and heard.broker_answered_s > heard.sample_s + BATCH_LATE_S
    return broker_lives and now_s - heard.sample_s > CONTROLLER_SILENT_S


def active_alarm(alarm_id: AlarmId, since: datetime) -> ActiveAlarm:
    alarm = CATALOGUE[alarm_id]
    return ActiveAlarm(
        id=alarm_id.value,
        priority=alarm.priority.value,
        shown=alarm.shown,
        what_to_do=alarm.what_to_do,
        detail="Raised by this dashboard.",
        since=since,
        latched=False,
        acknowledged=False,
        root=False,
    )
