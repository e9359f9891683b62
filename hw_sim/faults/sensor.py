"""What goes wrong between the load cell and the code that the firmware gets. Forces in N, by the rig's own scale."""

import random
from collections.abc import Callable
from typing import Final

from hw_sim.faults.fault import Fault, FaultError, Parameter, Place, Site, Undo, all_of
from hw_sim.load_cell import COUNTS_MAX, COUNTS_MIN

CHANNELS: Final = {"a": (0,), "b": (1,), "both": (0, 1)}
SATURATED: Final = round(0.95 * (COUNTS_MAX + 1))
OPEN_FLOATS_COUNTS: Final = 2_000  # an input that nothing drives hangs at its rail, and hums
SHORTED_NOISE_N: Final = 0.01  # no bridge: the converter's own noise is left
US_PER_S: Final = 1_000_000

Distort = Callable[[int], int | None]  # from the converter's code to the one that arrives


def _numbers(channel: str) -> tuple[int, ...]:
    if channel not in CHANNELS:
        raise FaultError(f"A channel is one of {', '.join(CHANNELS)}, not {channel!r}.")
    return CHANNELS[channel]


def _on(site: Site, channel: str, distort: Callable[[int], Distort]) -> Undo:
    """Puts `distort(number)` into each of those channels."""
    return all_of(*(site.channels[number].add(distort(number)) for number in _numbers(channel)))


def _zero(site: Site, number: int) -> int:
    rig = site.table.rig
    return (rig.cell_zero_counts_a, rig.cell_zero_counts_b)[number]


def _counts_per_n(site: Site, number: int) -> float:
    rig = site.table.rig
    return (rig.cell_counts_per_n_a, rig.cell_counts_per_n_b)[number]


def _clipped(counts: float) -> int:
    return min(max(round(counts), COUNTS_MIN), COUNTS_MAX)


def _own_draw(site: Site, number: int) -> random.Random:
    return random.Random(f"{site.draw.random()} {number}")


def _open(site: Site, channel: str) -> Undo:
    draw = random.Random(site.draw.random())
    return _on(site, channel, lambda _: lambda _raw: COUNTS_MAX - draw.randrange(OPEN_FLOATS_COUNTS))


def _shorted(site: Site, channel: str) -> Undo:
    def at(number: int) -> Distort:
        draw, sigma = _own_draw(site, number), SHORTED_NOISE_N * _counts_per_n(site, number)
        return lambda _raw: round(draw.gauss(0.0, sigma)) + _zero(site, number)

    return _on(site, channel, at)


class _Stuck:
    """The code of the first conversion, for ever; with `noise_counts`, as if it lived."""

    def __init__(self, noise_counts: float, draw: random.Random) -> None:
        self._noise_counts = noise_counts
        self._draw = draw
        self._code: int | None = None

    def __call__(self, raw: int) -> int:
        if self._code is None:
            self._code = raw
        return self._code + (round(self._draw.gauss(0.0, self._noise_counts)) if self._noise_counts else 0)


def _stuck(site: Site, channel: str, noise_n: float) -> Undo:
    return _on(site, channel, lambda number: _Stuck(noise_n * _counts_per_n(site, number), _own_draw(site, number)))


def _drift(site: Site, channel: str, n_per_s: float) -> Undo:
    since_us = site.table.now_us

    def at(number: int) -> Distort:
        counts_per_us = n_per_s * _counts_per_n(site, number) / US_PER_S
        return lambda raw: _clipped(raw + counts_per_us * (site.table.now_us - since_us))

    return _on(site, channel, at)


def _saturated(site: Site, channel: str) -> Undo:
    return _on(site, channel, lambda _: lambda raw: max(raw, SATURATED))


def _negated(site: Site, channel: str) -> Undo:
    return _on(site, channel, lambda _: lambda raw: _clipped(-raw))


def _gain(site: Site, channel: str, gain: float, over_ms: int) -> Undo:
    """The gain goes to that, evenly over that time; the zero stays where it is."""
    since_us = site.table.now_us

    def now() -> float:
        share = min(1.0, (site.table.now_us - since_us) / (over_ms * 1000)) if over_ms else 1.0
        return 1.0 + (gain - 1.0) * share

    def at(number: int) -> Distort:
        zero = _zero(site, number)
        return lambda raw: _clipped(zero + (raw - zero) * now())

    return _on(site, channel, at)


def _impulses(site: Site, channel: str, n: float, every_ms: int) -> Undo:
    since_us = site.table.now_us

    def at(number: int) -> Distort:
        draw, counts = _own_draw(site, number), n * _counts_per_n(site, number)
        struck = [0]

        def distort(raw: int) -> int:
            due = 1 + (site.table.now_us - since_us) // (every_ms * 1000)
            if due == struck[0]:
                return raw
            struck[0] = due
            return _clipped(raw + draw.choice((-counts, counts)))

        return distort

    return _on(site, channel, at)


def _noise(site: Site, channel: str, sigma_n: float) -> Undo:
    def at(number: int) -> Distort:
        draw, sigma = _own_draw(site, number), sigma_n * _counts_per_n(site, number)
        return lambda raw: _clipped(raw + draw.gauss(0.0, sigma))

    return _on(site, channel, at)


def _offset(site: Site, channel: str, n: float) -> Undo:
    return _on(site, channel, lambda number: lambda raw: _clipped(raw + n * _counts_per_n(site, number)))


def _slow(site: Site, channel: str, rate_hz: int) -> Undo:
    """A converter that gives something only that often; the board asks at the rig's rate all the same."""
    period_us = US_PER_S // max(1, rate_hz)

    def at(_number: int) -> Distort:
        due_us = [site.table.now_us + period_us]

        def distort(raw: int) -> int | None:
            if site.table.now_us < due_us[0]:
                return None
            due_us[0] += period_us
            return raw

        return distort

    return _on(site, channel, at)


def dead(site: Site, channel: str) -> Undo:
    return _on(site, channel, lambda _: lambda _raw: None)


def stuck(site: Site, channel: str) -> Undo:
    return _stuck(site, channel, 0.0)


def _hanging_load(site: Site, n: float, lasting_ms: int) -> None:
    site.table.plant.lean(n, max(1, lasting_ms))


def _adc(id_: str, name: str, how: str, begin: Callable[..., Undo | None], **parameters: Parameter) -> Fault:
    return Fault(id_, name, Place.ADC, how, begin, parameters)


FAULTS: Final = (
    _adc("SE01", "bridge open circuit", "the code floats at full scale within 1 sample", _open, channel="a", for_ms=0),
    _adc(
        "SE02", "bridge short", "the code of no force, with the converter's own noise", _shorted, channel="a", for_ms=0
    ),
    _adc("SE04", "stuck at its last value", "the same code, sample after sample", stuck, channel="a", for_ms=0),
    _adc("SE05", "stuck with false noise", "the last code and noise", _stuck, channel="a", noise_n=0.2, for_ms=0),
    _adc("SE06", "zero drifts up", "the channel gains 0.5 N/s", _drift, channel="a", n_per_s=0.5, for_ms=0),
    _adc("SE07", "zero drifts down", "the channel loses 0.5 N/s", _drift, channel="a", n_per_s=-0.5, for_ms=0),
    _adc("SE08", "saturation", "the code sits at 95 % of full scale", _saturated, channel="a", for_ms=0),
    _adc("SE10", "sign flip", "the code times -1", _negated, channel="a", for_ms=0),
    _adc("SE12", "gain doubles in one channel", "a step", _gain, channel="a", gain=2.0, over_ms=0, for_ms=0),
    _adc(
        "SE14",
        "loaded before a session",
        "40 N hang on the cable while zero is asked for",
        _hanging_load,
        n=40.0,
        lasting_ms=60_000,
    ),
    _adc(
        "SE15",
        "zero creeps",
        "both channels read 2 N more; put in again with more for more",
        _offset,
        channel="both",
        n=2.0,
        for_ms=0,
    ),
    _adc(
        "SE18",
        "impulse noise",
        "200 N up or down for one sample",
        _impulses,
        channel="a",
        n=200.0,
        every_ms=2_000,
        for_ms=0,
    ),
    _adc(
        "SE22", "both channels lose gain", "30 % over 10 s", _gain, channel="both", gain=0.7, over_ms=10_000, for_ms=0
    ),
    _adc(
        "SE23",
        "converter reset to 10 samples a second",
        "nothing in between",
        _slow,
        channel="both",
        rate_hz=10,
        for_ms=0,
    ),
    _adc("DEAD", "converter gives nothing", "no conversions", dead, channel="a", for_ms=0),
    _adc("NOISE", "noisy bridge", "noise on top", _noise, channel="a", sigma_n=6.0, for_ms=0),
)
