"""A session without a browser: `tractable session run`. Asks a person what only a person can answer."""

import asyncio
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from controller import prescription, prescription_rules
from controller.commands import HUMAN_TICK_TEXTS, HUMAN_TICKS, AcknowledgeEnd, HumanTick, Start, Stop
from controller.messages import PhaseName, State
from controller.phases import Ended
from controller.prescription import Prescription, PrescriptionError
from controller.quantities import NotAQuantity, force_mn, in_three_units
from controller.shell import NoTable, Shell
from firmware_bridge.serial_port import ABSENT, PortUnavailable
from recorder.journal import SessionJournal
from tractable.cataloguing import cataloguing
from tractable.exit_codes import Exit
from tractable.live_line import LinePrinter
from tractable.realtime import take_real_time_priority
from tractable.receipt import print_receipt
from tractable.settings import Settings
from tractable.steering_keys import Keys, expires_us, steered_by_keys
from tractable.table_process import make_shell

ACTOR = "clinician"
STATUS_EVERY_S = 0.25
# A release from the highest force, blind and slow, takes no longer; then the table is left to itself.
SLACK_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a person (or `--yes`) answered before the start. `patient`: the pseudonym as read from the patient."""

    ticks: tuple[HumanTick, ...]
    confirmed_mn: int | None
    unattended: bool
    patient: str | None = None


class Declined(Exception):
    """A person said no; the text says to what."""


def read_document(path: Path) -> dict[str, Any]:
    """The prescription's tables, from TOML or JSON. Raises PrescriptionError."""
    language: Literal["TOML", "JSON"] = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PrescriptionError([f"The prescription {path} cannot be read: {error.strerror}."]) from error
    except ValueError as error:
        raise PrescriptionError([f"{path} is not {language}: {error}."]) from error
    return prescription.tables_of(text, language, str(path))


def agree(prescribed: Prescription, yes: bool, console: Console) -> Agreement:
    """Goes through the start list with the person at the keyboard. Raises Declined."""
    if yes:
        return Agreement(HUMAN_TICKS, prescribed.force_mn, unattended=True)
    for tick in HUMAN_TICKS:
        if console.input(f"{HUMAN_TICK_TEXTS[tick]}? [y/N] ").strip().lower() not in ("y", "yes"):
            raise Declined(f'Not ticked: "{HUMAN_TICK_TEXTS[tick]}". Nothing was started.')
    return Agreement(HUMAN_TICKS, _second_confirmation(prescribed, console), unattended=False)


def _second_confirmation(prescribed: Prescription, console: Console) -> int | None:
    if not prescribed.needs_second_confirmation:
        return None
    console.print(f"{in_three_units(prescribed.highest_mn)} is above 200 N or a quarter of the body weight.")
    try:
        return force_mn(
            console.input('Type the prescribed force again, with its unit ("300 N"): '), prescribed.body_mass_g
        )
    except NotAQuantity as error:
        raise Declined(f"{error}. Nothing was started.") from error


def run_session(settings: Settings, path: Path, yes: bool, patient: str | None = None) -> Exit:
    """Runs one session to its end, and says how it ended. `patient`: the pseudonym, read from the patient again."""
    console, errors = Console(), Console(stderr=True, soft_wrap=True)
    try:
        document = read_document(path)
        prescribed = prescription.parse(document)
        reasons = prescription_rules.refusals(prescribed, settings.site_limits())
        if reasons:
            raise PrescriptionError(reasons)
        if not settings.port.exists():  # before a person answers the start list for nothing
            errors.print(ABSENT.format(path=settings.port), style="red", markup=False)
            return Exit.NOT_CONNECTED
        agreement = replace(agree(prescribed, yes, console), patient=patient)
    except PrescriptionError as refused:
        errors.print("Prescription refused:", style="bold red")
        for reason in refused.reasons:
            errors.print(f"- {reason}", markup=False)
        return Exit.REFUSED
    except Declined as declined:
        errors.print(str(declined), markup=False)
        return Exit.REFUSED
    except EOFError:
        errors.print("Nobody answered the start list, so nothing was started. Scripts answer it with --yes.")
        return Exit.REFUSED
    take_real_time_priority()
    with (
        cataloguing(settings) as catalogue,
        SessionJournal(settings.data_folder, on_ended=lambda path: catalogue.add([path])) as journal,
    ):
        exit_code = asyncio.run(_conduct(settings, document, agreement, journal, console, errors))
        journal.wait_until_written(10.0)
        recorded = journal.ended or journal.path
    if recorded is not None and exit_code in (Exit.DONE, Exit.STOPPED_BY_SAFETY):
        print_receipt(recorded, console, with_dose=not prescribed.is_blinded)
    return exit_code


async def _conduct(
    settings: Settings,
    document: dict[str, object],
    agreement: Agreement,
    journal: SessionJournal,
    console: Console,
    errors: Console,
) -> Exit:
    shell = make_shell(settings, journal, with_telemetry=False)
    ready = asyncio.Event()
    serving = asyncio.create_task(shell.run(ready.set))
    treating = asyncio.create_task(_treat(shell, ready, document, agreement, console, errors))
    try:
        await asyncio.wait({serving, treating}, return_when=asyncio.FIRST_COMPLETED)
        if treating.done():
            return treating.result()
        serving.result()
        return Exit.NOT_CONNECTED  # unreachable: serving ends by an exception only
    except (NoTable, PortUnavailable) as problem:
        errors.print(str(problem), style="red", markup=False)
        return Exit.NOT_CONNECTED
    finally:
        for task in (treating, serving):
            task.cancel()
        await asyncio.gather(treating, serving, return_exceptions=True)
        if shell.state.course is not None:
            journal.end()


async def _treat(
    shell: Shell,
    ready: asyncio.Event,
    document: dict[str, object],
    agreement: Agreement,
    console: Console,
    errors: Console,
) -> Exit:
    await ready.wait()
    loop = asyncio.get_running_loop()
    stops: set[asyncio.Task[object]] = set()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: stops.add(asyncio.create_task(_stop(shell))))
    start = Start(
        do="start",
        id=f"run-{time.monotonic_ns()}",
        actor=ACTOR,
        expires_us=expires_us(),
        prescription=document,
        ticks=agreement.ticks,
        confirmed_mn=agreement.confirmed_mn,
        unattended=agreement.unattended,
        patient=agreement.patient,
    )
    await _first_sample(shell)
    reply = await shell.handle(start)
    if reply.outcome == "refused":
        errors.print(f"Start refused: {reply.reason}", style="red", markup=False)
        return Exit.REFUSED
    with steered_by_keys(Keys(ACTOR), shell.handle, shell.shown, console):
        exit_code = await _follow(shell, console, errors)
    if shell.state.open_end is not None:  # whoever sits at this terminal sees the end
        await shell.handle(
            AcknowledgeEnd(
                do="acknowledge_end", id=f"heard-{time.monotonic_ns()}", actor=ACTOR, expires_us=expires_us()
            )
        )
    return exit_code


async def _first_sample(shell: Shell) -> None:
    while shell.state.reading is None:  # noqa: ASYNC110 - the shell knows no waiting for samples; this is start-up only
        await asyncio.sleep(STATUS_EVERY_S)


async def _stop(shell: Shell) -> object:
    return await shell.handle(Stop(do="stop", id=f"stop-{time.monotonic_ns()}", actor=ACTOR))


async def _follow(shell: Shell, console: Console, errors: Console) -> Exit:
    """Shows the session until it has ended; after a trip, until the cable is slack."""
    printer = LinePrinter(console)
    tripped_at: float | None = None
    while True:
        shown = shell.shown()
        printer.show(shown, shell.fresh_force_mn())
        if shown.phase is PhaseName.ENDED:
            printer.finish()
            return _how_it_ended(shell, shown, errors)
        if shown.phase is PhaseName.TRIPPED:
            tripped_at = tripped_at or time.monotonic()
            reading = shell.state.reading
            let_go = reading is not None and not (reading.armed or reading.releasing)
            if let_go or time.monotonic() - tripped_at > SLACK_WITHIN_S:
                printer.finish()
                _print_alarms(shown, errors)
                return Exit.STOPPED_BY_SAFETY
        await asyncio.sleep(STATUS_EVERY_S)


def _how_it_ended(shell: Shell, shown: State, errors: Console) -> Exit:
    phase = shell.state.phase
    if not isinstance(phase, Ended) or not phase.refused:
        return Exit.DONE
    errors.print(f"Not given: {phase.because}.", style="red", markup=False)
    _print_alarms(shown, errors)
    return Exit.REFUSED


def _print_alarms(shown: State, errors: Console) -> None:
    for alarm in shown.alarms:
        errors.print(f"{alarm.id} {alarm.shown} ({alarm.detail}). {alarm.what_to_do}", style="bold red", markup=False)
