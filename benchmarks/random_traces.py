"""Traces of a table to which anything happens: sound sessions, wrong ones, and what no patient or host would do.

No plant is run. A cable that follows the drive and a spring on it are enough to get the firmware into every state; from
there on the codes, the clock, the inputs and the bytes are drawn. The same seed and number give the same trace.
"""

import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any, Final

from firmware import codec, limits, messages
from hw_sim.board import Board, Calibration, Memory, Panel
from hw_sim.traces import Trace

CODEC: Final[Any] = codec  # the firmware says nothing about types
U32: Final = 0xFFFF_FFFF
MS_US: Final = 1000
MS_TOLD_MAX: Final = 4
RATES_HZ: Final = (320, 320, 80, 80, 80, 80, 10)
ACTS: Final = (4, 10)
SOUND: Final = ((-8_000, 17_476_267, 439_041_101), (12_000, 17_476_267, 1_584_361_601))
CODE_END: Final = 0x7F_FFFF  # of a 24-bit converter
# Where a comparison in the firmware may turn.
TURNS: Final = (
    0,
    1,
    limits.CEILING_MN,
    limits.TRAVEL_UM,
    limits.PULL_UM_S,
    limits.SESSION_S,
    limits.TAKE_UP_UM_S,
    limits.PAYOUT_UM_S,
    limits.LEASE_MS_MAX,
    limits.SLACK_MN,
    limits.RAW_END,
    limits.RAW_MISSING,
    CODE_END,
)


def random_trace(seed: int, number: int) -> Trace:
    trace = Trace(f"random {seed}/{number}")
    RandomTable(trace, Random(f"{seed}/{number}")).play()  # noqa: S311  # drawn from a seed, as it should be
    return trace


def any_integer(draw: Random, bits: int, signed: bool) -> int:
    """Of that width: often an end of the range, or one beside a number at which the firmware decides."""
    low = -(1 << (bits - 1)) if signed else 0
    high = low + (1 << bits) - 1
    kind = draw.randrange(4)
    if kind == 0:
        value = draw.choice((low, low + 1, high - 1, high))
    elif kind == 1:
        value = draw.choice((1, -1)) * draw.choice(TURNS) + draw.randint(-1, 1)
    elif kind == 2:
        value = draw.randint(low, high)
    else:
        value = draw.randint(-1000, 1000)
    return max(low, min(high, value))


def any_fields(draw: Random, layout: str) -> tuple[int, ...]:
    widths = {"B": 8, "H": 16, "I": 32}
    return tuple(any_integer(draw, widths[code.upper()], code.islower()) for code in layout[1:])


class RandomTable:
    """The firmware on a board whose world is drawn; `play` runs one trace."""

    def __init__(self, trace: Trace, draw: Random) -> None:
        self._trace = trace
        self._draw = draw
        self._panel = Panel()
        self._memory = Memory([self._calibration(0), self._calibration(1)], under_load=draw.random() < 0.05)
        self._rate_hz = draw.choice(RATES_HZ)
        self._t_us = draw.choice((0, draw.randint(0, U32), U32 - draw.randint(0, 2_000_000)))
        self._period_us = 1_000_000 // self._rate_hz
        self._next_ms_us = MS_US  # after now
        self._encoder = CODEC.Encoder(messages.FROM_HOST)
        self._counter = 0
        # The cable, in um, and the spring on it.
        self._cable_um = 0.0
        self._slack_until_um = draw.choice((1000.0, 1000.0, 5000.0, 20_000.0) if draw.random() < 0.95 else (-20_000.0,))
        self._spring_mn_mm = draw.uniform(1500, 21_000)
        self._sense: Callable[[int, int], int | None] = self._as_it_is
        self._creep_um_s = 0.0  # of the encoder, whatever the drive does
        self._power_on()

    def _calibration(self, channel: int) -> Calibration:
        draw = self._draw
        if draw.random() < 0.9:
            return Calibration(*SOUND[channel])
        return Calibration(
            any_integer(draw, 32, True), draw.choice((0, any_integer(draw, 32, True))), any_integer(draw, 32, False)
        )

    def play(self) -> None:
        if self._draw.random() < 0.8:
            self._start_a_session()
        for _ in range(self._draw.randint(*ACTS)):
            self._draw.choices(ACT_KINDS, ACT_WEIGHTS)[0](self)

    # Time

    def _power_on(self) -> None:
        self._memory.boots += 1
        self._board = Board(self._rate_hz, self._memory, self._draw.getrandbits(32), self._panel, lambda _view: None)
        self._firmware = self._trace.boot(self._board)
        self._seq = -1

    def _run(self, conversions: int) -> None:
        for _ in range(conversions):
            self._pass_time(self._period_us)
            self._convert()

    def _pass_time(self, us: int) -> None:
        """Of a long time only the last milliseconds are told: a lease ends within them as well as anywhere."""
        untold_us = max(0, us - MS_TOLD_MAX * MS_US)
        self._t_us = (self._t_us + untold_us) & U32
        us -= untold_us
        while us >= self._next_ms_us:
            us -= self._next_ms_us
            self._t_us = (self._t_us + self._next_ms_us) & U32
            self._next_ms_us = MS_US
            self._firmware.on_millisecond(self._t_us)
        self._t_us = (self._t_us + us) & U32
        self._next_ms_us -= us

    def _convert(self) -> None:
        board = self._board
        velocity_um_s = board.velocity_um_s
        self._cable_um += (velocity_um_s + self._creep_um_s) / self._rate_hz
        cable_um = max(-(1 << 31), min((1 << 31) - 1, round(self._cable_um)))
        force_mn = max(0.0, (self._cable_um - self._slack_until_um) * self._spring_mn_mm / 1000)
        raws: list[int | None] = []
        for channel, (zero_counts, span_q20, _) in enumerate(SOUND):
            noisy_mn = min(force_mn, 2e6) + self._draw.uniform(-200, 200)
            raws.append(self._sense(channel, zero_counts + round(noisy_mn * (1 << 20) / span_q20)))
        self._seq = (self._seq + 1) & 0xFFFF
        current_ma = round(min(force_mn, 2e6) / 50)
        self._firmware.on_conversion(self._t_us, raws[0], raws[1], cable_um, velocity_um_s, current_ma, board.inputs())

    # What the host sends

    def _send(self, kind: int, *fields: int) -> None:
        self._counter = (self._counter + 1) & 0xFF
        self._firmware.on_bytes(bytes(self._encoder.frame(kind, self._counter, fields)))

    def _move(self, velocity_um_s: int, lease_ms: int = 200) -> None:
        self._send(messages.MOVE, self._seq & 0xFFFF, velocity_um_s, lease_ms)

    def _start_a_session(self) -> None:
        draw = self._draw
        self._run(draw.choice((1, 9, 12)))
        self._send(messages.HELLO, messages.PROTOCOL, draw.getrandbits(32))
        if draw.random() < 0.15:
            self._turn_one_input()
        self._send(
            messages.ARM,
            draw.choice((420_000, 100_000, 700_000)),
            draw.choice((150_000, 5000, 300_000)),
            draw.choice((5000, 800, 9000)),
            draw.choice((1800, 1, 3)),
            *(stored.id for stored in self._memory.calibrations),
        )
        self._mend()
        self._pull()

    def _pull(self) -> None:
        """Most of the way to a load, as a host would."""
        velocity_um_s = self._draw.choice((20_000, 5000, 3000))
        for _ in range(self._draw.randint(5, 150)):
            loaded = self._cable_um > self._slack_until_um
            self._move(min(velocity_um_s, 5000 if loaded else 20_000) if self._draw.random() < 0.97 else 0)
            self._run(1)

    def _move_about(self) -> None:
        for _ in range(self._draw.randint(3, 40)):
            self._move(self._draw.randint(-6000, 5000), self._draw.choice((1, 20, 200, 250)))
            self._run(self._draw.randint(0, 2))

    def _say_nothing(self) -> None:
        self._run(self._draw.randint(1, 60))

    def _let_go(self) -> None:
        self._send(messages.RELEASE, self._draw.choice((0, 0, 1, 2, 3, 255)))
        self._run(self._draw.randint(1, 150))

    def _ask_anything(self) -> None:
        draw = self._draw
        for _ in range(draw.randint(1, 15)):
            kind = draw.choice(tuple(messages.FROM_HOST))
            if kind == messages.WRITE_CALIBRATION:
                self._panel.service_jumper = draw.random() < 0.5
            self._send(kind, *any_fields(draw, messages.FROM_HOST[kind]))
            self._run(draw.choice((0, 0, 1)))
        self._panel.service_jumper = False

    def _clear_and_begin_again(self) -> None:
        """Slack, the causes gone, two seconds, the cause named; then another session."""
        self._mend()
        self._slack_until_um = self._cable_um + 3000
        for _ in range(4):
            self._pass_time(self._draw.choice((300_000, 700_000)))
            self._run(2)
        self._send(messages.DISARM)
        for cause in self._trace.trips or {0}:
            self._send(messages.CLEAR, cause)
        self._start_a_session()

    def _damage_frames(self) -> None:
        for _ in range(self._draw.randint(1, 10)):
            data = self._damaged()
            cut = self._draw.randint(0, len(data))
            self._firmware.on_bytes(data[:cut])
            if cut < len(data):
                self._firmware.on_bytes(data[cut:])
            self._run(self._draw.choice((0, 1)))

    def _damaged(self) -> bytes:
        draw = self._draw
        kind = draw.choice(tuple(messages.FROM_HOST))
        frame = bytearray(self._encoder.frame(kind, draw.getrandbits(8), any_fields(draw, messages.FROM_HOST[kind])))
        at = draw.randrange(len(frame))
        return draw.choice(
            (
                lambda: bytes(frame),  # whole, but seldom in turn
                lambda: bytes(frame[:at]) + bytes([frame[at] ^ 1 << draw.randrange(8)]) + bytes(frame[at + 1 :]),
                lambda: bytes(frame[:at]) + b"\0",
                lambda: bytes(frame) + bytes(frame),
                lambda: draw.randbytes(draw.randint(1, 20)),
                lambda: draw.randbytes(draw.randint(60, 90)) + b"\0",
                lambda: _sound_frame_of(draw.getrandbits(8), draw.getrandbits(8), draw.randbytes(draw.randint(0, 60))),
            )
        )()

    # What the world does

    def _mend(self) -> None:
        well = Panel()
        for name in Panel.__slots__:
            setattr(self._panel, name, getattr(well, name))
        self._sense, self._creep_um_s = self._as_it_is, 0.0

    def _turn_inputs(self) -> None:
        for _ in range(self._draw.choice((1, 1, 1, 2, 8))):
            self._turn_one_input()
        self._run(self._draw.randint(1, 40))
        if self._draw.random() < 0.7:
            self._mend()

    def _turn_one_input(self) -> None:
        name = self._draw.choice(tuple(Panel.__slots__))
        setattr(self._panel, name, not getattr(self._panel, name))

    def _sense_wrongly(self) -> None:
        self._sense = self._draw.choice(self._senses())
        if self._draw.random() < 0.6:
            self._move_about()
        else:
            self._run(self._draw.randint(1, 60))
        if self._draw.random() < 0.5:
            self._sense = self._as_it_is

    def _senses(self) -> tuple[Callable[[int, int], int | None], ...]:
        draw = self._draw
        wrong, offset, held = draw.randrange(2), draw.randint(-300_000, 300_000), draw.randint(-CODE_END, CODE_END)
        walk = [0, 0]
        first: dict[int, int] = {}

        def walking(channel: int, code: int) -> int:
            walk[channel] += draw.randint(-40_000, 40_000)
            return code + walk[channel]

        return (
            lambda channel, code: None if channel == wrong else code,
            lambda _channel, _code: None,
            lambda _channel, code: draw.choice((None, code)),
            lambda channel, code: code + (offset if channel == wrong else 0),
            lambda _channel, code: code + offset // 4,
            lambda channel, code: held if channel == wrong else code,
            lambda _channel, _code: 2_500_000 + draw.randint(-500, 500),
            lambda _channel, code: code & ~0xFFF,
            lambda channel, code: first.setdefault(channel, code),
            lambda channel, code: first.setdefault(channel, code) if channel == wrong else code,
            walking,
            lambda _channel, code: code + draw.choice((0, 0, 0, offset)),
            lambda _channel, _code: draw.choice(
                (-CODE_END - 1, -CODE_END, 0, CODE_END, limits.RAW_END, -limits.RAW_END)
            ),
            lambda _channel, _code: any_integer(draw, 24, True),
            lambda _channel, _code: any_integer(draw, 32, True),
        )

    @staticmethod
    def _as_it_is(_channel: int, code: int) -> int:
        return max(-CODE_END - 1, min(CODE_END, code))

    def _move_the_spring(self) -> None:
        """A patient who coughs, or slips out of the harness; a cable that jams, or runs."""
        draw = self._draw
        if draw.random() < 0.6:
            self._slack_until_um += draw.choice((-15_000, -3000, 3000, 10_000, 40_000)) * draw.random()
        else:
            self._creep_um_s = draw.choice((-30_000, -3000, 3000, 30_000, 1e9)) * draw.random()
        self._run(draw.randint(5, 60))
        self._creep_um_s = 0.0

    def _jump_the_clock(self) -> None:
        for _ in range(self._draw.choice((1, 3, 60))):
            self._t_us = (self._t_us + self._draw.choice((149_000, 500_000, 2_100_000, U32, U32 // 2))) & U32
            self._draw.choice((self._convert, lambda: self._firmware.on_millisecond(self._t_us)))()

    def _reset(self) -> None:
        self._power_on()
        self._run(self._draw.randint(1, 12))
        if self._draw.random() < 0.7:
            self._clear_and_begin_again()


def _sound_frame_of(kind: int, counter: int, payload: bytes) -> bytes:
    """A frame whose check is right, whatever it says."""
    body = bytes([kind, counter]) + payload
    buffer = bytearray(b"\0" + body + struct.pack("<I", zlib.crc32(body)) + b"\0")
    CODEC.stuff(buffer, len(buffer) - 1)
    return bytes(buffer)


ACT_WEIGHTS: Final = (4, 3, 2, 3, 2, 3, 2, 3, 5, 2, 1, 1)
ACT_KINDS: Final = (
    RandomTable._pull,
    RandomTable._move_about,
    RandomTable._say_nothing,
    RandomTable._let_go,
    RandomTable._ask_anything,
    RandomTable._clear_and_begin_again,
    RandomTable._damage_frames,
    RandomTable._turn_inputs,
    RandomTable._sense_wrongly,
    RandomTable._move_the_spring,
    RandomTable._jump_the_clock,
    RandomTable._reset,
)
