"""The messages of the table's serial protocol, version 1: their numbers, and their payloads as `struct` layouts."""

PROTOCOL = 1

HELLO = 0x01
ARM = 0x02
MOVE = 0x03
RELEASE = 0x04
DISARM = 0x05
CLEAR = 0x06
WRITE_CALIBRATION = 0x07

IDENTITY = 0x81
SAMPLE = 0x82
ACK = 0x83
NAK = 0x84
TRIP = 0x85
CALIBRATION = 0x86

FROM_HOST = {
    HELLO: "<BI",  # protocol, nonce
    ARM: "<iiHHII",  # ceiling_mn, travel_um, pull_um_s, duration_s, calibration_a, calibration_b
    MOVE: "<HiH",  # basis, velocity_um_s, lease_ms
    RELEASE: "<B",  # profile
    DISARM: "<",
    CLEAR: "<B",  # cause
    WRITE_CALIBRATION: "<BiiI",  # channel, zero_counts, span_q20, id
}

FROM_DEVICE = {
    # protocol, flags, model, serial, fw_major, fw_minor, fw_patch, boot_nonce, rate_hz, ceiling_mn, travel_um,
    # pull_um_s, payout_um_s
    IDENTITY: "<BB8sIBBBIHiiHH",
    SAMPLE: "<HIiiiihH",  # seq, t_us, raw_a, raw_b, cable_um, velocity_um_s, current_ma, status
    ACK: "<BB",  # counter, type
    NAK: "<BBB",  # counter, type, reason
    TRIP: "<BIiii",  # cause, t_us, raw_a, raw_b, cable_um
    CALIBRATION: "<BiiI",  # channel, zero_counts, span_q20, id
}

# Flags of IDENTITY.
FLAG_SIMULATED = 1
FLAG_SERVICE_JUMPER = 2

# Bits of SAMPLE's status. Those of the inputs are also how the board hands its inputs to the firmware.
ARMED = 1 << 0
DRIVE_ENABLED = 1 << 1
RELEASING = 1 << 2
TRIPPED = 1 << 3
SWITCH_CONNECTED = 1 << 4
SWITCH_PRESSED = 1 << 5
EMERGENCY_STOP = 1 << 6
WOUND_IN_LIMIT = 1 << 7
PAID_OUT_LIMIT = 1 << 8
SERVICE_JUMPER = 1 << 9
SLACK = 1 << 10
BRAKE_ON = 1 << 11
SIMULATED = 1 << 12
MAINS_GOOD = 1 << 13
DRIVE_FAULT = 1 << 14  # an input of the board; this bit is never sent
SELF_TEST_FAILED = 1 << 15  # the same: what the board found wrong with itself at power-on

INPUTS_SENT = (
    SWITCH_CONNECTED | SWITCH_PRESSED | EMERGENCY_STOP | WOUND_IN_LIMIT | PAID_OUT_LIMIT | SERVICE_JUMPER | MAINS_GOOD
)

# Reasons of NAK.
NOT_ARMED = 1
IS_TRIPPED = 2
BASIS_TOO_OLD = 3
OUT_OF_RANGE = 4
NOT_SLACK = 5
CALIBRATION_DIFFERS = 6
SWITCH_NOT_READY = 7
JUMPER_OPEN = 8
UNKNOWN_PROTOCOL = 9
IS_RELEASING = 10
EMERGENCY_STOP_ACTIVE = 11

# Causes of TRIP.
ARMED_CEILING = 1
FIRMWARE_CEILING = 2
LEASE_ENDED = 3
CHANNEL_RANGE = 4
CHANNEL_STUCK = 5
CHANNELS_DIFFER = 6
NOT_AS_COMMANDED = 7
TRAVEL = 8
PATIENT_PRESSED = 9
PATIENT_UNPLUGGED = 10
EMERGENCY_STOPPED = 11
SESSION_TIME = 12
FORCE_LOST = 13
DRIVE_FAILED = 14
SUPPLY = 15
RESET_UNDER_LOAD = 16
RELEASE_INCOMPLETE = 17
SELF_TEST = 18
RISE_TOO_FAST = 19

# Profiles of RELEASE, slow to fast. CUT is no profile that a host can ask for: it takes the drive's power away.
NORMAL = 0
PROTECTIVE = 1
EMERGENCY = 2
CUT = 3

PROFILE_OF_CAUSE = {
    PATIENT_PRESSED: EMERGENCY,
    PATIENT_UNPLUGGED: EMERGENCY,
    EMERGENCY_STOPPED: EMERGENCY,
    NOT_AS_COMMANDED: CUT,
    DRIVE_FAILED: CUT,
    SUPPLY: CUT,
    RESET_UNDER_LOAD: CUT,
    RELEASE_INCOMPLETE: CUT,
}  # every other cause: PROTECTIVE
