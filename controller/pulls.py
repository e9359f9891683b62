"""The pulls that a prescription may ask for, one model a mode, in whole mN, mN/s and s.

A field is written without its unit's ending (`force = "300 N"` is `force_mn`); a record holds the integers as they are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field, Tag, ValidationInfo

from controller import quantities
from safety import limits
from safety.units import Millinewtons


@dataclass(frozen=True, slots=True)
class AsWritten:
    """The context in which a document is read, where quantities are texts; a record is read without one."""

    body_mass_g: int


def _written(read: Callable[[object, AsWritten], int]) -> BeforeValidator:
    def value(given: object, info: ValidationInfo) -> object:
        return read(given, info.context) if isinstance(info.context, AsWritten) else given

    return BeforeValidator(value)


def field_as_written(name: str) -> str:
    return re.sub("_(mn|s|mn_s|g)$", "", name)


Force = Annotated[Millinewtons, _written(lambda text, context: quantities.force_mn(text, context.body_mass_g))]
Seconds = Annotated[int, _written(lambda text, _: quantities.duration_s(text))]
ForceRate = Annotated[int, _written(lambda text, _: quantities.force_rate_mn_s(text))]
MassGrams = Annotated[int, _written(lambda text, _: quantities.mass_g(text))]


class Written(BaseModel):
    """What can be read from a document (by alias) and from a record (by name)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=AliasGenerator(validation_alias=field_as_written),
        validate_by_alias=False,
        validate_by_name=True,
    )


class _Pull(Written):
    """`force` is the highest of the pull; the clock counts `time_at_force`, all holds together.

    `raise_up_to`: how far it may be raised while it is given; no further than `force` without it.
    """

    force_mn: Force
    time_at_force_s: Seconds
    ramp_mn_s: ForceRate = limits.RAMP_SHIPPED_MN_S
    raise_up_to_mn: Force | None = None


class Static(_Pull):
    """One hold."""

    mode: Literal["static"]


class Intermittent(_Pull):
    """Holds of `hold`, and rests of `rest` at `rest_force` between them; the last hold completes the time at force."""

    mode: Literal["intermittent"]
    hold_s: Seconds
    rest_force_mn: Force
    rest_s: Seconds


class Cyclic(_Pull):
    """An even swing: half of each `period` goes up to `force` and stays there, half down to `low_force`."""

    mode: Literal["cyclic"]
    low_force_mn: Force
    period_s: Seconds


class Progressive(_Pull):
    """From `start_force` to `force` in so many equal `steps`, the time at force shared evenly."""

    mode: Literal["progressive"]
    start_force_mn: Force
    steps: Annotated[int, Field(strict=True)]


class Regressive(_Pull):
    """From `force` down to `end_force` in so many equal `steps`, the time at force shared evenly."""

    mode: Literal["regressive"]
    end_force_mn: Force
    steps: Annotated[int, Field(strict=True)]


class Logarithmic(_Pull):
    """A fast rise to half of `force` at `ramp`, then slower and slower to `force` within `rise`; then one hold."""

    mode: Literal["logarithmic"]
    rise_s: Seconds


Pull = Static | Intermittent | Cyclic | Progressive | Regressive | Logarithmic
AnyPull = Annotated[Pull, Field(discriminator="mode")]
MODES: Final = ("static", "intermittent", "cyclic", "progressive", "regressive", "logarithmic")
CHAIN_MAX: Final = 20


def _some(given: object) -> object:
    if given in ([], ()):
        raise ValueError("a chain needs at least one pull")
    return given


class Chain(Written):
    """Several pulls, one after another; between them a rest at `base_force`, where one is given."""

    chain: Annotated[tuple[AnyPull, ...], Field(max_length=CHAIN_MAX), BeforeValidator(_some)]
    base_force_mn: Force | None = None
    base_time_s: Seconds | None = None


def pull_tag(given: Any) -> str | None:
    """Which of them a table is: `Chain` where it holds a chain, else by its mode."""
    if not isinstance(given, dict):
        return None
    return CHAIN_TAG if "chain" in given else str(given.get("mode", ""))


CHAIN_TAG: Final = "a chain"
ONE_OR_CHAIN = (
    Annotated[Static, Tag("static")]
    | Annotated[Intermittent, Tag("intermittent")]
    | Annotated[Cyclic, Tag("cyclic")]
    | Annotated[Progressive, Tag("progressive")]
    | Annotated[Regressive, Tag("regressive")]
    | Annotated[Logarithmic, Tag("logarithmic")]
    | Annotated[Chain, Tag("a chain")]
)


class Trial(Written):
    """The arm of a trial. `sham` gives the same course with `sham_force` for its peak; no screen shows which it is.

    Both arms of a trial name a trial, so that they look alike; the record holds which it was.
    """

    arm: Literal["active", "sham"]
    sham_force_mn: Force | None = None
