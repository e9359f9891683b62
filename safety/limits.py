"""The numbers that nothing may exceed, each with its reason, and how a session's own limits follow from them.

Values marked * are engineering judgement, to be confirmed by a clinician before anyone is treated.
"""

from dataclasses import dataclass
from typing import Final

from safety.units import (
    Micrometres,
    MicrometresPerSecond,
    Microseconds,
    Millinewtons,
    Milliseconds,
    larger,
    percent_of,
    smaller,
    whole_within,
)

# The device's own ceiling; the host's limits always lie under it.
SITE_CEILING_MAX_MN: Final = Millinewtons(600_000)
SITE_CEILING_SHIPPED_MN: Final = Millinewtons(350_000)
# "Mild" traction as shipped; at most 500 N anywhere, and always 50 N under the site's ceiling.
SETPOINT_CAP_MAX_MN: Final = Millinewtons(500_000)
SETPOINT_CAP_SHIPPED_MN: Final = Millinewtons(300_000)
SETPOINT_UNDER_CEILING_MN: Final = Millinewtons(50_000)
SETPOINT_MIN_MN: Final = Millinewtons(20_000)  # below it, friction in the harness hides the pull
# A session's ceiling over the highest force agreed at its start.
CEILING_MARGIN_MN: Final = Millinewtons(40_000)
CEILING_MARGIN_PERCENT: Final = 25
# What the host alone allows over the target of the moment for 2 s (a shift rides through, a runaway does not).
TARGET_MARGIN_MN: Final = Millinewtons(15_000)
TARGET_MARGIN_PERCENT: Final = 10
TARGET_MARGIN_US: Final = Microseconds(2_000_000)
# Faster than a person reacts to is not mild*.
RAMP_MAX_MN_S: Final = 20_000
RAMP_SHIPPED_MN_S: Final = 5_000
# What is raised while pulling is felt before it is raised again.
RAISE_STEP_MAX_MN: Final = Millinewtons(20_000)
# Slack: both channels within this of zero. It is also the floor that keeps the cable on the drum.
SLACK_MN: Final = Millinewtons(15_000)
TAKE_UP_TRAVEL_MAX_UM: Final = Micrometres(200_000)
TRAVEL_MAX_UM: Final = Micrometres(150_000)
PULL_MAX_UM_S: Final = MicrometresPerSecond(5_000)
TAKE_UP_MAX_UM_S: Final = MicrometresPerSecond(20_000)
# The fastest that any drive of this protocol pays out.
PAYOUT_MAX_UM_S: Final = MicrometresPerSecond(40_000)
# At 5 mm/s and 20 N/mm, 60 ms is 6 N.
SAMPLE_AGE_MAX_US: Final = Microseconds(60_000)
SAMPLE_LOST_US: Final = Microseconds(250_000)
# A link that flaps must not hold for ever: this much late time in any window of 5 s releases.
LATE_IN_WINDOW_MAX_US: Final = Microseconds(500_000)
LATE_WINDOW_US: Final = Microseconds(5_000_000)
LEASE_MS_MAX: Final = Milliseconds(250)
LEASE_MS_ASKED: Final = Milliseconds(200)
# Two channels may differ by max(15 N, 8 %) for 200 ms, or by 40 N for two samples.
CHANNELS_DIFFER_MN: Final = Millinewtons(15_000)
CHANNELS_DIFFER_PERCENT: Final = 8
CHANNELS_DIFFER_US: Final = Microseconds(200_000)
CHANNELS_FAR_APART_MN: Final = Millinewtons(40_000)
CHANNEL_NEGATIVE_MN: Final = Millinewtons(-30_000)  # a cable cannot push: this is a sign or a zero gone wrong
CHANNEL_STUCK_SAMPLES: Final = 25
CHANNEL_FULL_SCALE_COUNTS: Final = 8_388_608
CHANNEL_SATURATED_PERCENT: Final = 95
# Measured rise over 200 ms that freezes the pull.
RISE_FREEZE_MN_S: Final = 60_000
RISE_WINDOW_US: Final = Microseconds(200_000)
# No cough rises so far within 500 ms, on two samples: let go.
RISE_RELEASE_MN: Final = Millinewtons(75_000)
RISE_RELEASE_WINDOW_US: Final = Microseconds(500_000)
# Over each second: a signal noisier than this is told of.
NOISE_SIGMA_MAX_MN: Final = Millinewtons(5_000)
NOISE_WINDOW_US: Final = Microseconds(1_000_000)
# While a force is held: winding in that should have been felt as so much force, and was not, while the drive works
# harder by at least half of that. Creep and breathing stay under half of it.
SLOPE_UNFELT_MN: Final = Millinewtons(25_000)
# The same since it was learned in the ramp, for what is lost slowly or on the way up: well under the margin of a
# ceiling over its force.
SLOPE_DRIFTED_MN: Final = Millinewtons(50_000)
SLOPE_WINDOW_US: Final = Microseconds(6_000_000)
# Slack for so long while a force is asked for: nobody is in the harness. A patient who moves is caught up with sooner.
SLACK_UNDER_TARGET_US: Final = Microseconds(3_000_000)
# A force that is off its target by more is a movement worth telling of: a cough, a turn.
MOVED_MN: Final = Millinewtons(10_000)
ZERO_WITHIN_MN: Final = Millinewtons(5_000)
CALIBRATION_DAYS_MAX: Final = 365
# The patient's switch: pressed and seen so shortly before the pull.
SWITCH_SEEN_MAX_US: Final = Microseconds(120_000_000)
SESSION_S_MAX: Final = 45 * 60
DEVICE_SESSION_S_MAX: Final = 60 * 60
ARM_EXTRA_S: Final = 15 * 60  # how much longer than the profile the device is armed for
US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """What a site allows. `site_limit_errors` holds it to the absolute limits above."""

    ceiling_mn: Millinewtons
    setpoint_cap_mn: Millinewtons
    ramp_max_mn_s: int
    session_s_max: int


SHIPPED: Final = SiteLimits(
    ceiling_mn=SITE_CEILING_SHIPPED_MN,
    setpoint_cap_mn=SETPOINT_CAP_SHIPPED_MN,
    ramp_max_mn_s=RAMP_MAX_MN_S,
    session_s_max=SESSION_S_MAX,
)


def site_limit_errors(site: SiteLimits) -> tuple[str, ...]:
    """Every reason why these are not limits; none when they are."""
    return tuple(text for broken, text in _site_rules(site) if broken)


def _site_rules(site: SiteLimits) -> tuple[tuple[bool, str], ...]:
    return (
        (
            not SETPOINT_MIN_MN + SETPOINT_UNDER_CEILING_MN <= site.ceiling_mn <= SITE_CEILING_MAX_MN,
            "The site ceiling must lie between 70 N and 600 N.",
        ),
        (
            not SETPOINT_MIN_MN <= site.setpoint_cap_mn <= SETPOINT_CAP_MAX_MN,
            "The setpoint cap must lie between 20 N and 500 N.",
        ),
        (
            site.setpoint_cap_mn > site.ceiling_mn - SETPOINT_UNDER_CEILING_MN,
            "The setpoint cap must lie at least 50 N under the site ceiling.",
        ),
        (not 1 <= site.ramp_max_mn_s <= RAMP_MAX_MN_S, "The fastest ramp must lie above 0 and at most at 20 N/s."),
        (not 60 <= site.session_s_max <= SESSION_S_MAX, "The longest session must lie between 1 and 45 minutes."),
    )


def over_target_margin(target_mn: Millinewtons) -> Millinewtons:
    """How far above the target of the moment force may stay for 2 s."""
    return larger(TARGET_MARGIN_MN, percent_of(target_mn, TARGET_MARGIN_PERCENT))


def over_ceiling_margin(force_mn: Millinewtons) -> Millinewtons:
    """How far above an agreed force its ceiling lies."""
    return larger(CEILING_MARGIN_MN, percent_of(force_mn, CEILING_MARGIN_PERCENT))


def session_ceiling(agreed_mn: Millinewtons, site: SiteLimits) -> Millinewtons:
    """The session's ceiling: the highest force agreed at its start and its margin, at most the site's."""
    return smaller(Millinewtons(agreed_mn + over_ceiling_margin(agreed_mn)), site.ceiling_mn)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one session may not exceed: armed in the device, and asked in every `review()`."""

    ceiling_mn: Millinewtons
    pull_um_s: MicrometresPerSecond
    take_up_um_s: MicrometresPerSecond
    payout_um_s: MicrometresPerSecond
    travel_um: Micrometres
    take_up_travel_um: Micrometres
    duration_us: Microseconds


def session_limits(
    agreed_mn: Millinewtons, duration_s: int, payout_um_s: MicrometresPerSecond, site: SiteLimits
) -> SessionLimits:
    """The tightest of the site's, the session's and the absolute limits. Duration in whole seconds, from arming."""
    return SessionLimits(
        ceiling_mn=session_ceiling(agreed_mn, site),
        pull_um_s=PULL_MAX_UM_S,
        take_up_um_s=TAKE_UP_MAX_UM_S,
        payout_um_s=payout_um_s,
        travel_um=TRAVEL_MAX_UM,
        take_up_travel_um=TAKE_UP_TRAVEL_MAX_UM,
        duration_us=Microseconds(min(duration_s, DEVICE_SESSION_S_MAX) * US_PER_S),
    )


def within_absolute(session: SessionLimits) -> bool:
    """Every limit is there, is a whole number above zero, and is at most the absolute one."""
    return (
        whole_within(session.ceiling_mn, 1, SITE_CEILING_MAX_MN)
        and whole_within(session.pull_um_s, 1, PULL_MAX_UM_S)
        and whole_within(session.take_up_um_s, 1, TAKE_UP_MAX_UM_S)
        and whole_within(session.payout_um_s, 1, PAYOUT_MAX_UM_S)
        and whole_within(session.travel_um, 1, TRAVEL_MAX_UM)
        and whole_within(session.take_up_travel_um, 1, TAKE_UP_TRAVEL_MAX_UM)
        and whole_within(session.duration_us, US_PER_S, DEVICE_SESSION_S_MAX * US_PER_S)
    )
