"""A prescription: what a clinician writes, read to integers (mN, g, s). `prescription_rules` says what it must keep."""

import json
import tomllib
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, ValidationError, computed_field, model_validator

from controller import quantities
from controller.messages import Pseudonym
from controller.pulls import (
    CHAIN_TAG,
    MODES,
    ONE_OR_CHAIN,
    AnyPull,
    AsWritten,
    Chain,
    MassGrams,
    Trial,
    Written,
    pull_tag,
)
from safety.units import Millinewtons

FORCE_OF_BODY_WEIGHT_PERCENT_MAX = 50
# Above either of these a second confirmation is asked for.
CONFIRM_OF_BODY_WEIGHT_PERCENT = 25
CONFIRM_FORCE_MN = 200_000
PRESCRIPTION_BYTES_MAX = 65_536


class PrescriptionError(ValueError):
    """The text is not a prescription; `reasons` holds a sentence for each thing that is wrong."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class _Patient(Written):
    pseudonym: Pseudonym
    body_mass_g: MassGrams


class _Prescribed(Written):
    by: Annotated[str, Field(min_length=1, max_length=64)]


class _Document(Written):
    patient: _Patient
    pull: Annotated[ONE_OR_CHAIN, Discriminator(pull_tag)]
    prescribed: _Prescribed
    trial: Trial | None = None


class Prescription(BaseModel):
    """A whole prescription in integers. `written` is the text as the clinician gave it, for the record.

    Its record also holds what follows from the pulls: `mode`, `force_mn`, `time_at_force_s`, `ramp_mn_s`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudonym: Pseudonym
    body_mass_g: int
    pulls: tuple[AnyPull, ...]
    base_force_mn: Millinewtons | None = None
    base_time_s: int | None = None
    trial: Trial | None = None
    by: str
    written: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _from_a_record(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        follows = {name: given[name] for name in FOLLOWS_FROM_PULLS if name in given}
        own = {name: value for name, value in given.items() if name not in follows}
        # Before there were other modes, a record held the one pull's fields and no pulls.
        return own if "pulls" in own else {**own, "pulls": (follows,)}

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way to put it in the record
    @property
    def mode(self) -> str:
        return self.pulls[0].mode if len(self.pulls) == 1 else "chain"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def force_mn(self) -> Millinewtons:
        """The highest force of all pulls, as prescribed; a sham gives less."""
        return max(pull.force_mn for pull in self.pulls)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def time_at_force_s(self) -> int:
        """Of all pulls together."""
        return sum(pull.time_at_force_s for pull in self.pulls)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ramp_mn_s(self) -> int:
        """The fastest of all pulls, as it is given: a sham's is slower, so that it takes about as long."""
        return self._as_given(max(pull.ramp_mn_s for pull in self.pulls))

    @property
    def slowest_ramp_mn_s(self) -> int:
        """Of all pulls, as it is given."""
        return self._as_given(min(pull.ramp_mn_s for pull in self.pulls))

    def _as_given(self, ramp_mn_s: int) -> int:
        return ramp_mn_s if self.sham_force_mn is None else max(1, ramp_mn_s * self.sham_force_mn // self.force_mn)

    @property
    def is_blinded(self) -> bool:
        """Whether screens may show neither forces in newtons nor the arm."""
        return self.trial is not None

    @property
    def sham_force_mn(self) -> Millinewtons | None:
        """The highest force that a sham gives in place of `force_mn`; None where what is prescribed is given."""
        return None if self.trial is None or self.trial.arm == "active" else self.trial.sham_force_mn

    @property
    def raise_up_to_mn(self) -> Millinewtons | None:
        """How far the pull may be raised while it is given, where that was agreed."""
        return max((pull.raise_up_to_mn for pull in self.pulls if pull.raise_up_to_mn is not None), default=None)

    @property
    def agreed_mn(self) -> Millinewtons:
        """The highest force that may be asked for in this session: its peak, or what it may be raised to."""
        if self.sham_force_mn is not None:
            return self.sham_force_mn
        return self.highest_mn

    @property
    def highest_mn(self) -> Millinewtons:
        """The highest force written down: the peak, or what it may be raised to. The same in both arms of a trial."""
        return max(self.force_mn, self.raise_up_to_mn or self.force_mn)

    @property
    def needs_second_confirmation(self) -> bool:
        weight_mn = quantities.body_weight_mn(self.body_mass_g)
        return self.highest_mn > CONFIRM_FORCE_MN or self.highest_mn * 100 > weight_mn * CONFIRM_OF_BODY_WEIGHT_PERCENT


FOLLOWS_FROM_PULLS: Final = ("mode", "force_mn", "time_at_force_s", "ramp_mn_s")


def parse(document: object) -> Prescription:
    """From the tables of the TOML or JSON text. Raises PrescriptionError with every reason."""
    context = AsWritten(_body_mass_g(document))
    try:
        whole = _Document.model_validate(document, context=context, by_alias=True, by_name=False)
    except ValidationError as error:
        raise PrescriptionError([_sentence(dict(problem)) for problem in error.errors()]) from error
    chain = whole.pull if isinstance(whole.pull, Chain) else Chain(chain=(whole.pull,))
    return Prescription(
        pseudonym=whole.patient.pseudonym,
        body_mass_g=whole.patient.body_mass_g,
        pulls=chain.chain,
        base_force_mn=chain.base_force_mn,
        base_time_s=chain.base_time_s,
        trial=whole.trial,
        by=whole.prescribed.by,
        written=document if isinstance(document, dict) else whole.model_dump(mode="json"),
    )


def _body_mass_g(document: object) -> int:
    """What "% body weight" is of; 0 where it cannot be read, which is told of at its own place."""
    patient = document.get("patient") if isinstance(document, dict) else None
    try:
        return quantities.mass_g(patient.get("body_mass")) if isinstance(patient, dict) else 0
    except quantities.NotAQuantity:
        return 0


def parse_toml(text: str) -> Prescription:
    return parse(tables_of(text, "TOML"))


def tables_of(text: str, language: Literal["TOML", "JSON"], source: str = "The prescription") -> dict[str, Any]:
    """The document's tables, before any rule. Raises PrescriptionError, which names `source`."""
    if len(text) > PRESCRIPTION_BYTES_MAX:
        raise PrescriptionError([f"{source} is longer than {PRESCRIPTION_BYTES_MAX} characters."])
    try:
        tables: object = tomllib.loads(text) if language == "TOML" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PrescriptionError([f"{source} is not {language}: {error}."]) from error
    if not isinstance(tables, dict):
        raise PrescriptionError(
            [f"{source} holds no prescription: it must be an object with patient, pull, prescribed."]
        )
    return tables


def _place(parts: tuple[str | int, ...]) -> str:
    """Where in the document: without the names of the alternatives, and with links of a chain counted from 1."""
    named = [
        str(part + 1) if isinstance(part, int) else part
        for before, part in pairwise(("", *parts))
        if not (part in (*MODES, CHAIN_TAG) and (before == "pull" or isinstance(before, int)))
    ]
    return ".".join(named) or "the prescription"


def _sentence(problem: dict[str, Any]) -> str:
    where = _place(problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: there is no such field; remove it or correct its name."
        case "missing":
            return f"{where}: is missing."
        case "value_error":
            return f"{where}: {problem['ctx']['error']}."
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{where}.mode: use one of {', '.join(MODES)}, or [[pull.chain]] for several."
        case "string_pattern_mismatch":
            return f"{where}: use 1 to 32 letters, digits, dots, dashes or underscores; never a name."
        case _:
            return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}."
