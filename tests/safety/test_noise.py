"""A noisy force signal is told of: one that jumps from sample to sample, and not one that moves."""

import math
import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from safety.noise import NO_NOISE, noise_after
from safety.plausibility import Bounds, Reaction, Watch, watch
from safety.reading import ForceReading

RATES = {320: 3_125, 80: 12_500}
AT_200_N = Bounds(ceiling_mn=250_000, target_mn=200_000)


@pytest.fixture
def noisy(reading: Callable[..., ForceReading]) -> Callable[..., list[bool]]:
    """Whether the signal of channel A, or B, counted as noisy after each of its samples."""

    def judged(forces_mn: Iterable[int], rate_hz: int = 320, *, channel: str = "force_a_mn") -> list[bool]:
        memory, last, seen = NO_NOISE, None, []
        for number, force_mn in enumerate(forces_mn):
            sample = reading(taken_us=number * RATES[rate_hz], **{channel: force_mn})
            memory, last = noise_after(memory, last, sample), sample
            seen.append(memory.is_noisy)
        return seen

    return judged


def gaussian(sigma_mn: int, samples: int) -> Iterator[int]:
    draw = random.Random(1)
    return (200_000 + round(draw.gauss(0, sigma_mn)) for _ in range(samples))


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("channel", ["force_a_mn", "force_b_mn"])
@pytest.mark.parametrize(("sigma_mn", "expected"), [(4_000, False), (6_500, True)])
def test_noise_of_more_than_5_newtons_over_a_second_is_noisy(noisy, rate_hz, channel, sigma_mn, expected) -> None:
    seen = noisy(gaussian(sigma_mn, 3 * rate_hz), rate_hz, channel=channel)

    assert seen[-1] is expected


@pytest.mark.parametrize(("change_mn", "expected"), [(7_071, False), (7_072, True)])
def test_the_noise_is_judged_to_the_millinewton(noisy, change_mn, expected) -> None:
    seen = noisy([200_000 + change_mn * (number % 2) for number in range(322)])

    assert seen[-1] is expected


def test_a_second_is_judged_when_it_is_over_and_stands_until_the_next_one_is(noisy) -> None:
    seen = noisy([*gaussian(20_000, 320), *[200_000] * 642])

    assert seen[:320] == [False] * 320
    assert seen[320:640] == [True] * 320
    assert not any(seen[640:])


@pytest.mark.parametrize("rate_hz", RATES)
def test_an_impulse_of_200_newtons_every_two_seconds_is_noise(noisy, rate_hz) -> None:
    seen = noisy([200_000 + 200_000 * (number % (2 * rate_hz) == 100) for number in range(3 * rate_hz)], rate_hz)

    assert any(seen)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_ramp_and_a_cough_are_no_noise(noisy, rate_hz) -> None:
    seconds = [number / rate_hz for number in range(4 * rate_hz)]
    cough_n = [60 * math.sin(math.pi * (s - 2) / 0.3) if 2 <= s <= 2.3 else 0.0 for s in seconds]
    forces_mn = [round(1000 * (50 + 20 * s + extra_n)) for s, extra_n in zip(seconds, cough_n, strict=True)]

    assert not any(noisy(forces_mn, rate_hz))


def test_a_channel_that_gives_nothing_is_not_noisy(noisy) -> None:
    assert not any(noisy([200_000 if number % 2 else None for number in range(1_000)]))


def test_a_noisy_signal_is_told_of_and_the_therapy_goes_on(reading) -> None:
    memory, findings = Watch(), ()

    for number, force_mn in enumerate(gaussian(6_500, 400)):
        sample = reading(taken_us=number * 3_125, raw_a=number, raw_b=-number, force_a_mn=force_mn)
        memory, findings = watch(memory, sample, 5_000, number * 3_125 + 5_000, AT_200_N)

    [told] = [finding for finding in findings if finding.alarm.value == "A46"]
    assert told.reaction is Reaction.TELL
    assert "jumps" in told.detail
