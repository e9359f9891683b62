"""What patients and people around the table do to the cable."""

from collections.abc import Callable
from typing import Final

from hw_sim.faults.fault import Fault, Parameter, Place, Site, Undo


def _cough(site: Site, n: float, lasting_ms: int) -> None:
    site.table.plant.cough(n, max(1, lasting_ms))


class _Coughs:
    """One cough after the other, each a little different, until it is calmed."""

    def __init__(self, site: Site, n: float, every_ms: int) -> None:
        self._site = site
        self._n = n
        self._every_us = max(1, every_ms) * 1000
        self._draw = site.draw
        self._calm = False
        self._cough()

    def _cough(self) -> None:
        if self._calm:
            return
        self._site.table.plant.cough(self._n * self._draw.uniform(0.6, 1.0), self._draw.randint(150, 300))
        self._site.after_us(round(self._every_us * self._draw.uniform(0.7, 1.3)), self._cough)

    def calm(self) -> None:
        self._calm = True


def _coughs(site: Site, n: float, every_ms: int) -> Undo:
    return _Coughs(site, n, every_ms).calm


def _leave(site: Site) -> None:
    site.table.plant.leave()


def lean(site: Site, n: float, lasting_ms: int) -> None:
    site.table.plant.lean(n, max(1, lasting_ms))


def shift(site: Site, mm: float, lasting_ms: int) -> None:
    """Away from the cable, which raises the force."""
    site.table.plant.shift(mm, max(1, lasting_ms))


def _person(id_: str, name: str, how: str, begin: Callable[..., Undo | None], **parameters: Parameter) -> Fault:
    return Fault(id_, name, Place.PLANT, how, begin, parameters)


FAULTS: Final = (
    _person("HU13", "patient coughs", "60 N for 300 ms", _cough, n=60.0, lasting_ms=300),
    _person("HU15", "patient leaves", "the harness opens within 300 ms", _leave),
    _person("HU16", "someone leans on the cable", "150 N more, at once, for 2 s", lean, n=150.0, lasting_ms=2_000),
    _person(
        "COUGHS",
        "patient coughs again and again",
        "up to 60 N every 2 s or so",
        _coughs,
        n=60.0,
        every_ms=2_000,
        for_ms=10_000,
    ),
    _person(
        "SHIFT", "patient moves up the table", "5 mm away from the cable within 1 s", shift, mm=5.0, lasting_ms=1_000
    ),
)
