"""The parts of the board that need no pins: converters' codes, calibration in flash, the switch's loop, speed, time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hw_sim  # noqa: F401  # lets the firmware import MicroPython's own module
from firmware import calibration_store, nau7802, switch_loop
from firmware import messages as m
from firmware.bases import Bases
from firmware.calibration_store import CalibrationStore
from firmware.clock import Clock
from firmware.collector import FORCED_AFTER_CONVERSIONS, SPARE_US, Collector
from firmware.drum import COUNT_AT_POWER_ON, Drum
from firmware.reading import millinewtons
from firmware.speed_ramp import SpeedRamp, step_hz
from firmware.transmitter import Transmitter

I32 = st.integers(-(2**31), 2**31 - 1)
CHANNEL = st.tuples(I32, I32, st.integers(0, 2**32 - 1))
A, B = (8_431, 131_072, 439_041_101), (-120_377, 131_980, 1_584_361_601)


class Flash:
    """Two slots, and a write that can be cut short by power going away."""

    def __init__(self) -> None:
        self.slots = [b"", b""]
        self.written: list[int] = []
        self.bytes_before_power_goes: int | None = None

    def read(self, index: int) -> bytes:
        return self.slots[index]

    def write(self, index: int, data: bytes) -> None:
        self.slots[index] = bytes(data[: self.bytes_before_power_goes])
        self.written.append(index)

    def store(self) -> CalibrationStore:
        return CalibrationStore(self.read, self.write)


@pytest.fixture
def flash() -> Flash:
    return Flash()


@pytest.mark.parametrize(
    ("three_bytes", "code"),
    [
        (b"\x00\x00\x00", 0),
        (b"\x00\x00\x01", 1),
        (b"\x7f\xff\xff", 8_388_607),
        (b"\x80\x00\x00", -8_388_608),
        (b"\xff\xff\xff", -1),
        (b"\xff\x00\x00", -65_536),
    ],
)
def test_a_converters_code_has_its_sign_in_bit_23(three_bytes: bytes, code: int) -> None:
    assert nau7802.code(bytearray(three_bytes)) == code


@given(st.integers(-(2**31) - 2**23, 2**24), I32)
def test_force_in_parts_is_what_the_whole_product_would_be(counts: int, span_q20: int) -> None:
    assert millinewtons(counts, span_q20) == (counts * span_q20) >> 20


@pytest.mark.parametrize(("rate_hz", "bits"), [(80, 0x30), (320, 0x70)])
def test_a_converter_is_told_its_rate_last_and_gets_its_bridge_supply_first(rate_hz: int, bits: int) -> None:
    settings = nau7802.settings(rate_hz)

    assert settings[0] == (0x00, 0x96)
    assert settings[-1] == (0x02, bits)
    assert dict(settings)[0x01] == 0x2F


@given(st.integers(0, 2**32 - 1), CHANNEL, CHANNEL)
def test_a_slot_gives_back_what_was_put_in(number: int, a: tuple, b: tuple) -> None:
    assert calibration_store.decode(calibration_store.encode(number, a, b)) == (number, a, b)


@given(st.integers(0, calibration_store.SLOT_BYTES - 1), st.integers(0, 7))
def test_a_slot_with_any_one_bit_turned_is_not_read(byte: int, bit: int) -> None:
    slot = bytearray(calibration_store.encode(3, A, B))

    slot[byte] ^= 1 << bit

    assert calibration_store.decode(slot) is None


def test_a_board_that_was_never_calibrated_has_zeros_and_nothing_is_wrong_with_it(flash: Flash) -> None:
    store = flash.store()

    assert (store.load(0), store.load(1)) == ((0, 0, 0), (0, 0, 0))
    assert not store.damaged


def test_slots_are_written_in_turn_and_the_newest_is_read_after_a_reset(flash: Flash) -> None:
    flash.store().store(0, *A)
    flash.store().store(1, *B)
    flash.store().store(0, 1, 2, 3)

    again = flash.store()

    assert flash.written == [0, 1, 0]
    assert (again.load(0), again.load(1)) == ((1, 2, 3), B)


@pytest.mark.parametrize("written_bytes", [0, 1, 31, calibration_store.SLOT_BYTES - 1])
def test_power_that_goes_away_while_a_slot_is_written_leaves_the_other(flash: Flash, written_bytes: int) -> None:
    store = flash.store()
    store.store(0, *A)
    store.store(1, *B)

    flash.bytes_before_power_goes = written_bytes
    flash.store().store(0, 1, 2, 3)
    again = flash.store()

    assert (again.load(0), again.load(1)) == (A, B)
    assert not again.damaged


def test_after_a_slot_was_lost_the_next_calibration_goes_there_and_not_over_the_good_one(flash: Flash) -> None:
    store = flash.store()
    store.store(0, *A)
    store.store(1, *B)
    flash.slots[0] = b"\xff" * calibration_store.SLOT_BYTES

    flash.store().store(0, 1, 2, 3)

    assert flash.written[-1] == 0


def test_two_damaged_slots_are_zeros_and_said_to_be_damaged(flash: Flash) -> None:
    flash.slots = [b"\x00" * calibration_store.SLOT_BYTES, b"half of it"]

    store = flash.store()

    assert (store.load(0), store.load(1)) == ((0, 0, 0), (0, 0, 0))
    assert store.damaged


@pytest.mark.parametrize(
    ("ohms", "bits"),
    [
        (0, 0),
        (100, 0),  # a cable that is nearly shorted
        (1_000, m.SWITCH_CONNECTED),
        (1_500, m.SWITCH_CONNECTED),  # a worn contact
        (2_600, m.SWITCH_CONNECTED | m.SWITCH_PRESSED),  # a contact that is opening
        (4_300, m.SWITCH_CONNECTED | m.SWITCH_PRESSED),
        (30_000, 0),  # a wet plug
        (10**9, 0),
    ],
)
def test_the_loop_of_the_patients_switch_is_read_by_its_resistance(ohms: int, bits: int) -> None:
    assert switch_loop.bits(65_535 * ohms // (ohms + 2_200)) == bits


@given(st.lists(st.tuples(st.integers(-40_000, 40_000), st.integers(1, 9)), min_size=1, max_size=50))
def test_speed_never_changes_by_more_than_the_ramp_and_never_passes_what_is_wanted(orders: list) -> None:
    ramp = SpeedRamp()

    for wanted, elapsed_ms in orders:
        before = ramp.velocity_um_s
        after = ramp.step(wanted, elapsed_ms)
        assert abs(after - before) <= 400 * elapsed_ms
        assert min(before, wanted) <= after <= max(before, wanted)


def test_forty_millimetres_a_second_are_reached_in_a_tenth_of_a_second() -> None:
    ramp = SpeedRamp()

    velocities = [ramp.step(-40_000, 1) for _ in range(100)]

    assert velocities[-1] == -40_000
    assert velocities[-2] == -39_600


@pytest.mark.parametrize(("velocity", "hz"), [(0, 0), (49, 0), (50, 8), (-50, 8), (5_000, 800), (-40_000, 6_400)])
def test_a_step_is_a_hundred_and_sixtieth_of_a_millimetre(velocity: int, hz: int) -> None:
    assert step_hz(velocity) == hz


def test_the_drum_counts_from_where_it_was_at_power_on_and_its_speed_is_over_eight_conversions() -> None:
    drum = Drum(320)

    for conversion in range(1, 20):
        drum.take(COUNT_AT_POWER_ON - conversion * 40)

    assert drum.cable_um == -1_900
    assert drum.velocity_um_s == -32_000


def test_a_frame_goes_whole_or_not_at_all_and_the_line_makes_room_by_itself() -> None:
    sent: list[bytes] = []
    transmitter = Transmitter(lambda view: sent.append(bytes(view)), 100)

    for number in range(4):
        transmitter.send(bytes([number]) * 40)
    transmitter.milliseconds(1)
    transmitter.send(b"\x09" * 40)
    transmitter.milliseconds(1_000)
    transmitter.send(b"\x0a" * 101)

    assert [frame[0] for frame in sent] == [0, 1, 9]
    assert transmitter.dropped == 3


def test_memory_is_collected_when_there_is_time_and_in_the_end_also_when_there_is_none() -> None:
    now = [0]
    collected: list[int] = []

    def collect() -> None:
        now[0] += 5_000
        collected.append(now[0])

    collector = Collector(collect, lambda: now[0], lambda later, earlier: later - earlier)
    collector.collect()

    collector.after_conversion(5_000 + SPARE_US)
    collector.after_conversion(5_000 + SPARE_US - 1)
    in_time = len(collected)
    for _ in range(FORCED_AFTER_CONVERSIONS - 1):
        collector.after_conversion(0)

    assert collector.longest_us == 5_000
    assert in_time == 2
    assert len(collected) == 3


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**23), max_size=20))
def test_the_clock_counts_milliseconds_over_any_turn_of_the_device_time(start_us: int, gaps_us: list[int]) -> None:
    clock = Clock()
    clock.tick(start_us)

    t_us = start_us
    for gap_us in gaps_us:
        t_us += gap_us
        clock.tick(t_us & 0xFFFF_FFFF)

    assert clock.now_ms == sum(gaps_us) // 1000
    assert clock.t_us == t_us & 0xFFFF_FFFF


@pytest.mark.parametrize("first_us", [0, 0xFF_FFFF - 100])
def test_a_basis_is_fresh_for_150_ms_also_where_the_low_bits_of_time_come_round(first_us: int) -> None:
    bases = Bases()
    seq = bases.add(first_us, True)

    at_the_limit = bases.is_fresh(seq, (first_us + 150_000) & 0xFF_FFFF)
    beyond = bases.is_fresh(seq, (first_us + 150_001) & 0xFF_FFFF)

    assert (at_the_limit, beyond) == (True, False)
