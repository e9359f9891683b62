"""A prescription in words: a sentence a pull, and what lies between two."""

from typing import Final, assert_never

from controller.prescription import Prescription
from controller.pulls import Cyclic, Intermittent, Logarithmic, Progressive, Pull, Regressive, Static

_MN_PER_N: Final = 1000
_SECONDS_PER_MINUTE: Final = 60


def pulls_in_words(prescription: Prescription) -> tuple[str, ...]:
    """What is given one after another, as prescribed: a sham's record says what its active arm would have."""
    told: list[str] = []
    for number, pull in enumerate(prescription.pulls):
        if number > 0 and prescription.base_force_mn is not None:
            told.append(f"rest at {_force(prescription.base_force_mn)} for {_time(prescription.base_time_s or 0)}")
        told.append(f"{pull.mode}: {_given(pull)}")
    return tuple(told)


def _given(pull: Pull) -> str:
    high, whole = _force(pull.force_mn), _time(pull.time_at_force_s)
    match pull:
        case Static():
            return f"{high} for {whole}"
        case Intermittent():
            turns = f"{high} for {_time(pull.hold_s)} and {_force(pull.rest_force_mn)} for {_time(pull.rest_s)} in turn"
            return f"{turns}, {whole} at force"
        case Cyclic():
            return f"between {_force(pull.low_force_mn)} and {high}, {_time(pull.period_s)} each, {whole} at force"
        case Progressive():
            return f"from {_force(pull.start_force_mn)} up to {high} in {pull.steps} steps, {whole} in all"
        case Regressive():
            return f"from {high} down to {_force(pull.end_force_mn)} in {pull.steps} steps, {whole} in all"
        case Logarithmic():
            return f"fast to half, then within {_time(pull.rise_s)} to {high}, held for {whole}"
        case _:
            assert_never(pull)


def _force(force_mn: int) -> str:
    return f"{force_mn / _MN_PER_N:g} N"


def _time(seconds: int) -> str:
    minutes, rest = divmod(seconds, _SECONDS_PER_MINUTE)
    if minutes == 0:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
