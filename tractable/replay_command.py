"""`tractable session replay`: the recorded verdicts again, or what other limits of the site would have said."""

import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from controller import quantities
from controller.journal import SampleRow
from recorder.reading import Session
from safety.limits import SiteLimits, site_limit_errors
from tractable.exit_codes import Exit
from tractable.records import with_session
from tractable.replay import CannotReplay, Difference, Outcome, Recording, Replayed, recorded_site, replay
from tractable.settings import Settings

DIFFERENCES_SHOWN: Final = 10
# The settings that are limits of the site, by the names that they have there.
_LIMITS: Final[Mapping[str, tuple[str, Callable[[str], int]]]] = {
    "site_ceiling": ("ceiling_mn", lambda text: quantities.force_mn(text, 0)),
    "setpoint_cap": ("setpoint_cap_mn", lambda text: quantities.force_mn(text, 0)),
    "ramp_max": ("ramp_max_mn_s", quantities.force_rate_mn_s),
    "session_max": ("session_s_max", quantities.duration_s),
}


class NotLimits(ValueError):
    """The file does not hold limits of a site; the text says what is wrong with it."""


def limits_from(path: Path, site: SiteLimits) -> SiteLimits:
    """The limits of a site, with what the TOML file says otherwise. Raises NotLimits."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = [name for name in given if name not in _LIMITS]
        if unknown:
            raise NotLimits(f"{path}: {', '.join(unknown)} is no limit; the limits are {', '.join(_LIMITS)}.")
        changes = {_LIMITS[name][0]: _LIMITS[name][1](str(value)) for name, value in given.items()}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, quantities.NotAQuantity) as error:
        raise NotLimits(f"{path} cannot be read as limits: {error}.") from error
    other = replace(site, **changes)  # type: ignore[arg-type]  # each is of its own unit
    if errors := site_limit_errors(other):
        raise NotLimits(f"{path}: {' '.join(errors)}")
    return other


def replay_one(settings: Settings, wanted: str, limits: Path | None, as_json: bool) -> Exit:
    """Replays it and says what came of it. Without other limits, a verdict that differs is a failure."""
    exits: list[Exit] = []
    found = with_session(settings, wanted, lambda session: exits.append(_replay(session, limits, as_json)))
    return exits[0] if exits else found


def _replay(session: Session, limits: Path | None, as_json: bool) -> Exit:
    recording = Recording(session.header, _rows(session), session.events())
    try:
        site = None if limits is None else limits_from(limits, recorded_site(recording))
        replayed = replay(recording, site)
    except (CannotReplay, NotLimits) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    if as_json:
        in_force = None if site is None else asdict(site)
        print(json.dumps({**replayed.as_json(), "limits": in_force}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(replayed) if site is None else _lines_with_limits(replayed)))
    return Exit.DONE if site is not None or replayed.same else Exit.REFUSED


def _rows(session: Session) -> Iterator[SampleRow]:
    for batch in session.batches():
        for row in batch.to_pylist():
            yield SampleRow(**row)


def _lines(replayed: Replayed) -> Iterator[str]:
    yield f"Session {replayed.session_id}: {_told(replayed.recorded)}"
    yield from _counted(replayed)
    if replayed.same:
        yield "Every verdict is the recorded one."
        return
    number = len(replayed.differences)
    yield f"{number} differences: the program that recorded it, or the record, was another."
    yield from map(_difference, replayed.differences[:DIFFERENCES_SHOWN])
    if number > DIFFERENCES_SHOWN:
        yield f"  and {number - DIFFERENCES_SHOWN} more; --json lists them"


def _lines_with_limits(replayed: Replayed) -> Iterator[str]:
    yield f"Session {replayed.session_id} as recorded: {_told(replayed.recorded)}"
    yield f"With these limits: {_told(replayed.replayed)}"
    yield from _counted(replayed)
    verdicts = [each for each in replayed.differences if each.what != "limits"]
    if not verdicts:
        yield "No verdict would have been another."
    elif replayed.replayed.went != "refused":
        yield f"The first verdict that would have been another:\n{_difference(verdicts[0])}"
        yield "From there on the table would have moved otherwise than on record, and the answer is a hint."


def _counted(replayed: Replayed) -> Iterator[str]:
    yield (
        f"Stepped: {replayed.samples} samples and {replayed.inputs} other inputs; put between them: {replayed.ticks} "
        "ticks, the times of which are on no record."
    )
    yield f"Compared: {replayed.moves} permitted moves and {replayed.events} events (phases, alarms, refusals)."


def _told(outcome: Outcome) -> str:
    when = "" if outcome.at_s is None else f" after {outcome.at_s:.3f} s"
    return f"{outcome.went}{when}: {outcome.why}"


def _difference(difference: Difference) -> str:
    when = "at the start" if difference.at_s is None else f"{difference.at_s:9.3f} s"
    return f"  {when}  {difference.what}: recorded {_short(difference.recorded)}, now {_short(difference.replayed)}"


def _short(value: Any) -> str:
    """Events by their sentences."""
    if isinstance(value, list):
        return "; ".join(event["text"] for event in value) or "nothing"
    return str(value)
