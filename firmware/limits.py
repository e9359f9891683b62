"""The firmware's own limits. No host can raise one; ARM can only lower the first five for its session."""

# What the drive and the harness are built for; the slip clutch and the gear stand behind each of these.
CEILING_MN = 600000
TRAVEL_UM = 200000
PULL_UM_S = 5000  # under load: a lease that ends while pulling at this costs 27 N on the stiffest patient
SESSION_S = 3600
TAKE_UP_UM_S = 20000  # slack only

PAYOUT_UM_S = 40000  # with a converter of 320 samples a second
PAYOUT_SLOW_CONVERTER_UM_S = 20000  # a slower converter sees a runaway later, so the gear is slower too
FAST_CONVERTER_HZ = 320

SLACK_MN = 15000  # the floor that keeps the cable on the drum
SLACK_MORE_UM = 20000  # beyond it, so that breathing does not pull the cable tight again
CLEAR_SLACK_MS = 2000

LEASE_MS_MAX = 250
BASIS_AGE_US_MAX = 150000  # with the lease: 400 ms from a sample to the last pull that it can cause

# A channel that reads outside these is no channel.
CHANNEL_MN_MIN = -30000
RAW_END = 7969177  # 95 % of a 24-bit converter's full scale
OUT_OF_RANGE_SAMPLES = 2  # one may be an outlier, and the other channel is believed meanwhile
RAW_MISSING = -2147483648  # what is sent for a converter that gave nothing
MISSED_PERIODS_MAX = 1  # two without a conversion are one too many
STUCK_CODES = 25  # noise moves the last bits of a live converter at every conversion

# Two channels that differ by more: slow (drift, gain), and at once (open, short).
DIFFER_MN = 15000
DIFFER_PERCENT = 8
DIFFER_MS = 200
DIFFER_FAST_MN = 40000
DIFFER_FAST_SAMPLES = 2

CEILING_SAMPLES = 2  # one sample above the armed ceiling may be an outlier

# Faster than a patient's cough can be, on the median of three samples.
RISE_MN = 75000
RISE_MS = 500
LOSS_MN = 60000
LOSS_PERCENT = 25
LOSS_MS = 200

# Letting go, in mN/s, by profile number: normal, protective, emergency.
RELEASE_MN_S = (20000, 50000, 100000)
TAIL_UM_S = 10000  # the last 20 mm: from 15 N down nothing can fall by more than 15 N
BLIND_MN_S_MAX = 60000  # a tight cable can be 1.5 times as stiff as what was learned on the way there
BLIND_UM_S_MIN = 2500
BLIND_UM_S_MAX = 30000

# Series stiffness of harness and body, in mN/mm: what limits are set for, and what is assumed until it is learned.
STIFFNESS_MN_MM_MIN = 1667
STIFFNESS_MN_MM_MAX = 20000
STIFFNESS_MN_MM_ASSUMED = 10000  # stiffer than most, so that an unlearned release is rather slow than sudden


def payout_um_s(rate_hz):
    """How fast the drive may pay out with a converter of that rate."""
    return PAYOUT_UM_S if rate_hz >= FAST_CONVERTER_HZ else PAYOUT_SLOW_CONVERTER_UM_S
