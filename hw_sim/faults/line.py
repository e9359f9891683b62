"""What goes wrong on the line between host and device."""

from collections.abc import Callable
from typing import Any, Final

from hw_sim.faults.fault import Fault, FaultError, Parameter, Place, Site, Undo, all_of
from hw_sim.line import Lane

DIRECTIONS: Final = ("both", "to_host", "to_device")


def _lanes(site: Site, direction: str) -> list[Lane]:
    if direction not in DIRECTIONS:
        raise FaultError(f"A direction is one of {', '.join(DIRECTIONS)}, not {direction!r}.")
    line = site.wired()
    return [
        lane for name, lane in (("to_host", line.to_host), ("to_device", line.to_device)) if direction in (name, "both")
    ]


def _disturb(site: Site, direction: str, **changes: Any) -> Undo:
    return all_of(*(lane.disturb(**changes) for lane in _lanes(site, direction)))


def _like(**changes: Any) -> Callable[..., Undo]:
    """Disturbs those lanes in just that way."""
    return lambda site, direction: _disturb(site, direction, **changes)


def _unplugged(site: Site) -> Undo:
    line = site.wired()
    calm = _disturb(site, "both", dead=True)
    line.unplug()

    def plug_in() -> None:
        line.plug_in()
        calm()

    return plug_in


def _garbage(site: Site, direction: str, bytes_s: int) -> Undo:
    return _disturb(site, direction, garbage_bytes_s=bytes_s)


def _cut(site: Site, direction: str, every: int) -> Undo:
    return _disturb(site, direction, cut_every=max(1, every))


def _oversize(site: Site, direction: str, size_bytes: int) -> Undo:
    return _disturb(site, direction, oversize_bytes=min(size_bytes, 1_000_000))


def _late(site: Site, direction: str, extra_ms: int) -> Undo:
    return _disturb(site, direction, extra_us=extra_ms * 1000)


def _flapping(site: Site, each_ms: int) -> Undo:
    return _disturb(site, "both", flap_us=max(1, each_ms) * 1000, flap_from_us=site.table.now_us)


def _flipped(site: Site, direction: str, share: float, bits_max: int) -> Undo:
    return _disturb(site, direction, flip=share, flip_bits=max(1, bits_max))


def _replay(site: Site) -> Undo:
    """What the device says now is lost; what it said in the last 10 s comes instead, and then nothing."""
    lane = site.wired().to_host
    lane.clear()
    calm = lane.disturb(dead=True)
    lane.replay(site.table.now_us)

    def live_again() -> None:
        lane.clear()
        calm()

    return live_again


def _degraded(site: Site, direction: str, share: float) -> Undo:
    return _disturb(site, direction, drop=share, flip=share, duplicate=share, chop=5 * share)


def _line(id_: str, name: str, how: str, begin: Callable[..., Undo], **parameters: Parameter) -> Fault:
    return Fault(id_, name, Place.LINE, how, begin, {**parameters, "for_ms": parameters.get("for_ms", 0)})


BOTH: Final = "both"
FAULTS: Final = (
    _line("LK01", "line unplugged", "nothing arrives either way, and the port is gone", _unplugged),
    _line("LK02", "unplugged and plugged in again", "back after 200 ms, under another name", _unplugged, for_ms=200),
    _line("LK04", "garbage", "10,000 random bytes a second among the others", _garbage, direction=BOTH, bytes_s=10_000),
    _line(
        "LK05",
        "cut frames",
        "every so many writes one loses its tail, at every place in turn",
        _cut,
        direction=BOTH,
        every=16,
    ),
    _line(
        "LK06",
        "endless frame",
        "once a second 65,535 bytes without an end",
        _oversize,
        direction=BOTH,
        size_bytes=65_535,
    ),
    _line("LK07", "every frame twice", "each write arrives twice", _like(duplicate=1.0), direction=BOTH),
    _line("LK09", "a recording is played", "the last 10 s once more, instead of what the device says now", _replay),
    _line("LK10", "line is late", "120 ms more, always", _late, direction=BOTH, extra_ms=120),
    _line("LK12", "line flaps", "down for 200 ms, up for 200 ms", _flapping, each_ms=200, for_ms=60_000),
    _line("LK13", "no commands arrive", "what the host writes is lost", _like(dead=True), direction="to_device"),
    _line("LK15", "writes are stuck", "what the host writes waits", _like(blocked=True), direction="to_device"),
    _line(
        "LK17", "bits flip", "one or two bits of a write in sixteen", _flipped, direction=BOTH, share=1 / 16, bits_max=2
    ),
    _line(
        "SE17",
        "samples in a burst",
        "nothing for 600 ms, then all of it at once",
        _like(blocked=True),
        direction="to_host",
        for_ms=600,
    ),
    _line(
        "SWAP",
        "frames overtake each other",
        "a write in ten comes after the next one",
        _like(reorder=0.1),
        direction=BOTH,
    ),
    _line(
        "LOSSY",
        "degraded line",
        "a few in a hundred lost, flipped, doubled; more in pieces",
        _degraded,
        direction=BOTH,
        share=0.02,
    ),
)
