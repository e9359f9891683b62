"""How each trip cause is provoked on a simulated table, and what has to follow: rows, as data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from firmware import messages as m
from hw_sim.bare_host import LEASE_MS, BareHost

HELD_MN: Final = 300_000
PULL_UM_S: Final = 5_000
PULLED_BEFORE_MS: Final = 200
STEP_MS: Final = 10
FULL_SCALE_COUNTS: Final = 8_388_607
SESSION_S: Final = 14
TRAVEL_UM: Final = 25_000

Do = Callable[[BareHost], None]
IsTrue = Callable[[BareHost], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """What has to follow, counted from the onset. None: nothing is promised for it."""

    trip_ms: int | None = 400
    pulling_ms: int = 100
    slack_ms: int | None = 7_500
    slack_ms_at_80: int | None = None  # where the slower drive may take longer
    cut: bool = False
    let_go_by_device: bool = True  # otherwise force falls by what was provoked, and its rate says nothing
    bounded: bool = True  # otherwise the force comes from outside, and is not the device's overshoot


PROTECTIVE: Final = Asked()
EMERGENCY: Final = Asked(trip_ms=300, pulling_ms=50, slack_ms=4_000, slack_ms_at_80=6_000)
CUT: Final = Asked(slack_ms=10_000, cut=True)


@dataclass(frozen=True, slots=True)
class Provocation:
    """`prepare` loads the table, `provoke` puts the cause in, `meanwhile` is what the host then does every 10 ms.

    The onset is `provoke`, or where `begins` is first true.
    """

    cause: int
    how: str
    provoke: Do
    asked: Asked = PROTECTIVE
    prepare: Do = field(default=lambda host: pulled_to(host, HELD_MN))
    meanwhile: Do = field(default=lambda host: host.move(PULL_UM_S))
    begins: Callable[[BareHost], IsTrue] = field(default=lambda _host: lambda _: True)
    limits: dict[str, Any] = field(default_factory=dict)


def pulled_to(host: BareHost, force_mn: int) -> None:
    """At that force, and still winding in."""
    host.load(force_mn)
    for _ in range(PULLED_BEFORE_MS // STEP_MS):
        host.move(PULL_UM_S)
        host.run(STEP_MS)


def held_at(force_mn: int) -> Do:
    return lambda host: still(host.load(force_mn))


def still(host: BareHost) -> None:
    host.move(0)


def silent(_host: BareHost) -> None:
    """The host says nothing more."""


def channel(number: int, fault: Callable[[int], int | None]) -> Do:
    return lambda host: host.table.channel_faults.__setitem__(number, fault)


def both_channels_missing(host: BareHost) -> None:
    host.table.channel_faults[:] = [lambda _: None, lambda _: None]


def frozen_channel(host: BareHost) -> None:
    code = host.samples[-1][3]
    host.table.channel_faults[1] = lambda _: code


def drive(fault: Callable[[int], int]) -> Do:
    return lambda host: setattr(host.table, "drive_fault", fault)


def panel(name: str, value: bool = True) -> Do:
    return lambda host: setattr(host.table.panel, name, value)


def drive_that_will_not_pay_out(host: BareHost) -> None:
    host.table.drive_fault = lambda velocity_um_s: max(0, velocity_um_s)
    host.send(m.RELEASE, m.PROTECTIVE)


def drive_shut_down_hot(host: BareHost) -> None:
    host.table.drive_order_fault = lambda velocity_um_s, _enabled, brake_on: (velocity_um_s, False, brake_on)
    host.table.panel.drive_fault = True


def last_lease(host: BareHost) -> None:
    host.move(PULL_UM_S, LEASE_MS)


def failing_self_test(host: BareHost) -> None:
    host.table.panel.self_test_failed = True
    host.table.reset()


def somebody_hangs_on(host: BareHost) -> None:
    host.table.plant.lean(60.0, 15_000)
    host.send(m.RELEASE, m.PROTECTIVE)


def moved_away(rise_n: float, within_ms: int) -> Do:
    """The patient moves so far that force would rise by that much."""
    return lambda host: host.table.plant.shift(rise_n / host.table.rig.series_n_per_mm, within_ms)


def over(force_mn: int) -> Callable[[BareHost], IsTrue]:
    return lambda _host: lambda host: host.force_mn > force_mn


def risen_by(rise_mn: int) -> Callable[[BareHost], IsTrue]:
    def begins(host: BareHost) -> IsTrue:
        from_mn = host.force_mn
        return lambda host: host.force_mn - from_mn > rise_mn

    return begins


def beyond_travel(host: BareHost) -> IsTrue:
    from_um = host.table.truth.cable_um
    return lambda host: host.table.truth.cable_um - from_um > TRAVEL_UM


def just_loaded(host: BareHost) -> None:
    while host.force_mn < 15_000:
        host.move(PULL_UM_S)
        host.run(1)


def time_is_over(_host: BareHost) -> IsTrue:
    return lambda host: host.table.now_us >= SESSION_S * 1_000_000 + ARMED_AT_US


ARMED_AT_US: Final = 55_000  # the bare host greets and arms in that time

PROVOCATIONS: Final = (
    Provocation(
        m.ARMED_CEILING,
        "pulled past a ceiling of 330 N at 5 mm/s",
        silent,
        begins=over(330_000),
        limits={"ceiling_mn": 330_000},
    ),
    Provocation(
        m.FIRMWARE_CEILING,
        "the patient moves away at 560 N; ceiling 600 N",
        moved_away(100.0, 2_000),
        Asked(slack_ms=None, bounded=False),
        held_at(560_000),
        still,
        over(600_000),
        {"ceiling_mn": 600_000, "travel_um": 200_000},
    ),
    Provocation(
        m.LEASE_ENDED,
        f"one last MOVE of 5 mm/s with a lease of {LEASE_MS} ms",
        last_lease,
        Asked(pulling_ms=270),
        meanwhile=silent,
    ),
    Provocation(m.CHANNEL_RANGE, "channel A at full scale", channel(0, lambda _: FULL_SCALE_COUNTS)),
    Provocation(m.CHANNEL_RANGE, "channel B reversed", channel(1, lambda raw: -raw)),
    Provocation(
        m.CHANNEL_RANGE, "both converters give nothing", both_channels_missing, Asked(pulling_ms=100, slack_ms=10_000)
    ),
    Provocation(m.CHANNEL_STUCK, "channel B repeats its code", frozen_channel, Asked(trip_ms=800, pulling_ms=450)),
    Provocation(m.CHANNELS_DIFFER, "channel A reads 45 N too much", channel(0, lambda raw: raw + 45 * 8_000)),
    Provocation(
        m.CHANNELS_DIFFER,
        "channel A reads 30 N too little",
        channel(0, lambda raw: raw - 30 * 8_000),
        Asked(pulling_ms=400),
    ),
    Provocation(m.NOT_AS_COMMANDED, "runs away at the gear's limit", drive(lambda _: 1_000_000), CUT),
    Provocation(m.NOT_AS_COMMANDED, "turns the wrong way", drive(lambda v: -v), CUT),
    Provocation(
        m.NOT_AS_COMMANDED,
        "will not pay out when released",
        drive_that_will_not_pay_out,
        Asked(trip_ms=1_500, slack_ms=15_000, cut=True),
        meanwhile=silent,
    ),
    Provocation(m.TRAVEL, "the wound-in limit switch closes", panel("wound_in_limit")),
    Provocation(
        m.TRAVEL,
        "wound in by 25 mm beyond 15 N, as armed",
        silent,
        prepare=just_loaded,
        begins=beyond_travel,
        limits={"travel_um": TRAVEL_UM},
    ),
    Provocation(m.PATIENT_PRESSED, "pressed", panel("patient_switch_pressed"), EMERGENCY),
    Provocation(m.PATIENT_UNPLUGGED, "unplugged", panel("patient_switch_plugged", False), EMERGENCY),
    Provocation(m.EMERGENCY_STOPPED, "pressed", panel("emergency_stop"), EMERGENCY),
    Provocation(
        m.SESSION_TIME,
        f"armed for {SESSION_S} s",
        silent,
        Asked(trip_ms=2_000, pulling_ms=2_000),
        held_at(100_000),
        still,
        time_is_over,
        {"duration_s": SESSION_S},
    ),
    Provocation(
        m.FORCE_LOST,
        "the cable snaps",
        lambda host: host.table.plant.snap(),
        Asked(trip_ms=250, slack_ms=500, let_go_by_device=False),
    ),
    Provocation(m.DRIVE_FAILED, "too hot: it shuts down and reports it", drive_shut_down_hot, CUT),
    Provocation(m.SUPPLY, "mains lost", panel("mains_good", False), CUT),
    Provocation(m.RESET_UNDER_LOAD, "the watchdog resets", lambda host: host.table.reset(), CUT, meanwhile=silent),
    Provocation(
        m.RELEASE_INCOMPLETE,
        "somebody hangs on the cable with 60 N",
        somebody_hangs_on,
        Asked(trip_ms=None, slack_ms=None, cut=True, let_go_by_device=False, bounded=False),
        meanwhile=silent,
    ),
    Provocation(
        m.SELF_TEST,
        "the board finds itself broken at power-on",
        failing_self_test,
        Asked(slack_ms=0),
        silent,
        silent,
    ),
    Provocation(
        m.RISE_TOO_FAST,
        "the patient moves away, 120 N in 0.4 s",
        moved_away(120.0, 400),
        Asked(bounded=False),
        held_at(220_000),
        still,
        risen_by(75_000),
    ),
)
