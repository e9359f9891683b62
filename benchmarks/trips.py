"""Every trip cause, provoked on the simulated table: what the device alone does, and what is asked of it.

Force is the plant's own; times count from the onset. Soft and stiff are the extreme patients of the presets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Figure
from benchmarks.provocations import PROVOCATIONS, Asked, Provocation
from firmware import messages as m
from hw_sim.bare_host import BareHost
from hw_sim.rigs import Rig, load_rig

RIGS: Final = ("nominal", "soft", "stiff", "modest+middling", "modest+soft", "modest+stiff")
SLOW_HZ: Final = 80

PULLING_UM_S: Final = 500  # below, what is left of the motor's lag winds in 5 um: 0.1 N on the stiffest
SLACK_MN: Final = 15_000
ONSET_MS_MAX: Final = 20_000
AFTER_MS_MAX: Final = 30_000

# What SAFETY.md promises of every trip, and docs/protocol.md of the device.
OVER_CEILING_MN_MAX: Final = 20_000
OVER_CEILING_MN_MAX_STIFF: Final = 35_000
RELEASE_MN_S_MAX: Final = 100_000  # over half a second
CUT_MN_S_MAX: Final = 150_000
ABRUPT_MN: Final = 15_000  # within 100 ms


@dataclass(frozen=True, slots=True)
class Row:
    """One cause on one rig. None: it did not happen. `fall_*`: the largest loss of force over that many ms."""

    cause: int
    how: str
    rig: str
    rate_hz: int
    sent: int | None
    trip_ms: int | None
    pulling_ms: int  # the last time that the drum wound in; 0 where it did not after the onset
    over_mn: int  # true force over the armed ceiling, below zero where it stayed under
    slack_ms: int | None
    fall_500_mn: int
    fall_200_mn: int
    fall_100_mn: int
    cut: bool  # the drive lost its power while force was on
    at_rest: bool  # drive off and brake on in the end
    latched: bool
    missed: tuple[str, ...]  # what was asked and did not come


@dataclass(frozen=True, slots=True)
class _Course:
    """What was seen in each ms from the onset on."""

    forces_mn: list[int]
    velocities_um_s: list[int]
    trip_ms: int | None
    cut: bool


def rows(seed: int, rigs: tuple[str, ...] = RIGS) -> Iterator[Row]:
    """The whole table, each row as it is measured."""
    for provocation in PROVOCATIONS:
        for name in rigs:
            yield row(provocation, load_rig(name), seed)


def row(provocation: Provocation, rig: Rig, seed: int) -> Row:
    """That cause on that rig. Raises hw_sim.bare_host.NotReached where the table could not be brought that far."""
    host = BareHost(rig, seed)
    ceiling_mn = _prepared(host, provocation)
    provocation.provoke(host)
    _wait_for_onset(host, provocation)
    course = _followed(host, provocation)
    return _judged(provocation, host, ceiling_mn, course)


def figures(seed: int) -> Iterator[Figure]:
    """The worst of each rig over all causes."""
    for name in RIGS:
        rig = load_rig(name)
        of_rig = [row(provocation, rig, seed) for provocation in PROVOCATIONS]
        released = [one for one in of_rig if _lets_go(one) and not one.cut]
        cut = [one for one in of_rig if _lets_go(one) and one.cut]
        missed = float(sum(bool(one.missed) for one in of_rig))
        yield Figure(f"{name}: causes that miss what is asked", missed, 0.0, None, "", seed)
        yield _worst(f"{name}: release, largest fall in 0.5 s", released, 500, RELEASE_MN_S_MAX, seed)
        yield _worst(f"{name}: release, largest fall in 0.2 s", released, 200, RELEASE_MN_S_MAX, seed)
        yield _worst(f"{name}: power cut, largest fall in 0.5 s", cut, 500, CUT_MN_S_MAX, seed)


def _worst(name: str, measured: list[Row], over_ms: int, goal_mn_s: int, seed: int) -> Figure:
    fall_mn = max(one.fall_500_mn if over_ms == 500 else one.fall_200_mn for one in measured)
    return Figure(name, fall_mn / over_ms, goal_mn_s / 1000, None, "N/s", seed)


def _lets_go(measured: Row) -> bool:
    return any(one.how == measured.how and one.asked.let_go_by_device for one in PROVOCATIONS)


def _prepared(host: BareHost, provocation: Provocation) -> int:
    """The ceiling that the table is armed with. A broken board is only greeted."""
    limits = {"ceiling_mn": 420_000} | provocation.limits
    if provocation.cause == m.SELF_TEST:
        host.greet()
    else:
        host.arm(**limits)
    provocation.prepare(host)
    return int(limits["ceiling_mn"])


def _wait_for_onset(host: BareHost, provocation: Provocation) -> None:
    begins = provocation.begins(host)
    for ms in range(ONSET_MS_MAX):
        if begins(host) or host.trips:
            return
        if ms % 10 == 0:
            provocation.meanwhile(host)
        host.run(1)


def _followed(host: BareHost, provocation: Provocation) -> _Course:
    """Until the drive is off and the brake on, after a trip; the host goes on until then."""
    forces_mn, velocities_um_s = [host.force_mn], [host.table.truth.velocity_um_s]
    trip_ms, cut = None, False
    for ms in range(1, AFTER_MS_MAX):
        if trip_ms is None and ms % 10 == 1:
            provocation.meanwhile(host)
        host.run(1)
        truth = host.table.truth
        forces_mn.append(truth.force_mn)
        velocities_um_s.append(truth.velocity_um_s)
        if trip_ms is None and host.trips:
            trip_ms = ms
        cut = cut or (trip_ms is not None and not truth.drive_enabled and truth.force_mn > SLACK_MN)
        if trip_ms is not None and truth.brake_on and not truth.drive_enabled and ms > trip_ms + 100:
            break
    return _Course(forces_mn, velocities_um_s, trip_ms, cut)


def _judged(provocation: Provocation, host: BareHost, ceiling_mn: int, course: _Course) -> Row:
    forces = course.forces_mn
    truth = host.table.truth
    measured = Row(
        cause=provocation.cause,
        how=provocation.how,
        rig=host.table.rig.name,
        rate_hz=host.table.rig.rate_hz,
        sent=host.trips[0] if host.trips else None,
        trip_ms=course.trip_ms,
        pulling_ms=max((ms for ms, v in enumerate(course.velocities_um_s) if v > PULLING_UM_S), default=0),
        over_mn=max(forces) - ceiling_mn,
        slack_ms=_slack_ms(forces),
        fall_500_mn=_largest_fall(forces, 500),
        fall_200_mn=_largest_fall(forces, 200),
        fall_100_mn=_largest_fall(forces, 100),
        cut=course.cut,
        at_rest=truth.brake_on and not truth.drive_enabled,
        latched=bool(host.status & m.TRIPPED),
        missed=(),
    )
    stiff = "stiff" in measured.rig
    missed = tuple(what for what, met in _demands(measured, provocation.asked, stiff) if not met)
    return Row(**{name: getattr(measured, name) for name in Row.__slots__} | {"missed": missed})


def _demands(seen: Row, asked: Asked, stiff: bool) -> Iterator[tuple[str, bool]]:
    yield "the cause", seen.sent == seen.cause
    yield "tripped in time", seen.trip_ms is not None and (asked.trip_ms is None or seen.trip_ms <= asked.trip_ms)
    yield "pulling ended in time", seen.pulling_ms <= asked.pulling_ms
    slack_ms = asked.slack_ms_at_80 if asked.slack_ms_at_80 and seen.rate_hz == SLOW_HZ else asked.slack_ms
    yield "slack in time", slack_ms is None or (seen.slack_ms is not None and seen.slack_ms <= slack_ms)
    over_mn_max = OVER_CEILING_MN_MAX_STIFF if stiff else OVER_CEILING_MN_MAX
    yield "force over the ceiling", not asked.bounded or seen.over_mn <= over_mn_max
    yield "cut, or not cut", seen.cut == asked.cut
    if asked.let_go_by_device:
        rate_mn_s = CUT_MN_S_MAX if asked.cut else RELEASE_MN_S_MAX
        yield "rate of letting go", seen.fall_500_mn <= rate_mn_s // 2
        yield "no abrupt fall", seen.fall_100_mn <= ABRUPT_MN
    yield "at rest in the end", seen.at_rest
    yield "latched", seen.latched


def _slack_ms(forces_mn: list[int]) -> int | None:
    return next((ms for ms, force_mn in enumerate(forces_mn) if force_mn <= SLACK_MN), None)


def _largest_fall(forces_mn: list[int], over_ms: int) -> int:
    """The whole fall, where there is less to look at."""
    if len(forces_mn) <= over_ms:
        return max(forces_mn) - min(forces_mn)
    return max(before - after for before, after in zip(forces_mn, forces_mn[over_ms:], strict=False))
