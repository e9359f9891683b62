"""The imperative shell around the pure session: the serial port, time, the control socket, telemetry and the journal.

It is driven by samples as they arrive; a tick every 20 ms only watches for samples that stay away. Nothing here waits
for a broker, a disk or a viewer.
"""

import asyncio
import gc
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import assert_never

from controller import messages, prescription
from controller.calibration import Calibration, CalibrationUnreadable, load_calibration
from controller.commands import (
    Acknowledge,
    AcknowledgeEnd,
    Command,
    GoOn,
    Lower,
    PainScore,
    Pause,
    Raise,
    Reply,
    Start,
    Status,
    Steering,
    Stop,
    TakeOver,
    Zero,
)
from controller.conductor import Conductor, force_of
from controller.control_socket import ControlSocket, refused
from controller.inputs import (
    AcknowledgeAsked,
    Answer,
    CameTooLate,
    ConditionChanged,
    EndAcknowledged,
    GoOnAsked,
    Input,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    SampleArrived,
    StartAsked,
    StopAsked,
    TakeOverAsked,
    ZeroAsked,
)
from controller.journal import Journal, StorageCheck
from controller.mqtt_bus import MqttBus
from controller.showing import force_for_screens, shown_state
from controller.state import State
from controller.telemetry import ForceBatcher, StatePacer
from firmware_bridge.messages import IdentityFlag
from firmware_bridge.serial_port import PortLost, PortUnavailable, SerialPort, open_port
from safety.limits import SiteLimits
from safety.plausibility import reading_is_fresh
from safety.units import Microseconds

TICK_S = 0.020
REOPEN_S = 0.25
FOUND_WITHIN_S = 3.0
HELLO_NONCE_BITS = 32

log = logging.getLogger(__name__)


class NoTable(Exception):
    """Nothing that is a table answers on the port; the text says what was found and what to do."""


@dataclass(frozen=True)
class ShellConfig:
    port: Path
    site: SiteLimits
    calibration_file: Callable[[int], Path]  # of the table with that serial number
    control_socket: Path
    versions: dict[str, object]


class Shell:
    """One controller process at one table. `run` serves until cancelled."""

    def __init__(self, config: ShellConfig, journal: Journal, storage: StorageCheck, bus: MqttBus | None) -> None:
        self.run_id = secrets.token_hex(4)
        self._config = config
        self._journal = journal
        self._storage = storage
        self._bus = bus
        self._batcher = ForceBatcher(self.run_id)
        self._pacer = StatePacer()
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._port: SerialPort | None = None
        self._port_lost = asyncio.Event()
        self._broken: asyncio.Future[None] | None = None  # what the port's callbacks raised ends everything
        self._pending_conditions: list[ConditionChanged] = []
        self._recording_failure: str | None = None
        self._calibration_problem: str | None = None
        self.conductor = Conductor(
            State(site=config.site),
            run=self.run_id,
            versions=config.versions,
            journal=journal,
            audience=self,
            nonce=lambda: secrets.randbits(HELLO_NONCE_BITS),
            record_of=self._calibration_record,
        )

    @property
    def state(self) -> State:
        return self.conductor.state

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Opens the port and serves. Raises NoTable or PortUnavailable when there is no table to begin with."""
        self._broken = asyncio.get_running_loop().create_future()
        self._open()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                tasks.create_task(_raise_from(self._broken))
                if self._bus is not None:
                    tasks.create_task(self._bus.run())
                await self._find_table()
                async with ControlSocket(self._config.control_socket, self.handle):
                    ready()
                    gc.collect()
                    gc.freeze()  # what start-up made will not be looked at again: 10 ms saved a collection
                    await self._keep_port()
        except* (NoTable, PortUnavailable) as group:
            raise group.exceptions[0] from None
        finally:
            if self.state.open_end is not None:
                self._journal.end()  # over, and not acknowledged: the record is as whole as it will be
            if self._port is not None:
                self._port.close()

    def _open(self) -> None:
        self._port = open_port(str(self._config.port), on_bytes=self._on_bytes, on_lost=self._on_lost)
        self._write(self.conductor.connected(_now_us()))

    async def _find_table(self) -> None:
        deadline = time.monotonic() + FOUND_WITHIN_S
        while self.state.table is None:
            if self.conductor.mismatch is not None:
                raise NoTable(self.conductor.mismatch.sentence)
            if time.monotonic() > deadline or self._port_lost.is_set():
                raise NoTable(
                    f"Something is on {self._config.port}, but it does not answer as a traction table: "
                    "check that it is the right port and that the table is switched on."
                )
            await asyncio.sleep(TICK_S)

    async def _keep_port(self) -> None:
        """Opens the port again whenever it was lost; nothing resumes by that."""
        while True:
            await self._port_lost.wait()
            await asyncio.sleep(REOPEN_S)
            self._port_lost.clear()
            try:
                self._open()
            except PortUnavailable:
                self._port_lost.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now_us = _now_us()
            self._write(self.conductor.tick(now_us))
            self._note_recording(now_us)
            while self._pending_conditions:
                self._take(self._pending_conditions.pop(0))
            self._publish_state(now_us)

    def _on_bytes(self, data: bytes) -> None:
        """The loop would log what is raised here and go on without a controller: it must end the process instead."""
        try:
            self._write(self.conductor.received(data, _now_us()))
        except Exception as broken:  # noqa: BLE001 - passed on, to where it ends the process
            self._break(broken)

    def _break(self, broken: Exception) -> None:
        log.critical("The controller failed; the table lets go by itself.", exc_info=broken)
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(broken)

    def _on_lost(self, lost: PortLost) -> None:
        log.warning("%s", lost.reason)
        if self._port is not None:
            self._port.close()  # also when it only stalled: a line that takes no bytes is begun anew
        self._write(self.conductor.disconnected(lost.reason, _now_us()))
        self._port_lost.set()

    def _write(self, data: bytes) -> None:
        if data and self._port is not None and self._port.is_open:
            self._port.write(data)

    def _take(self, given: Input) -> None:
        self._write(self.conductor.take(given, _now_us()))

    # The audience of the conductor

    def sample(self, arrived: SampleArrived, state: State) -> None:
        if self._bus is None:
            return
        course, received = state.course, arrived.received
        batch = self._batcher.add(
            received.seq,
            received.t_us,
            force_for_screens(force_of(state), state),
            None if course is None else force_for_screens(course.target_mn, state),
            received.sample.cable_um,
            None if course is None else course.session_id,
        )
        if batch is not None:
            self._bus.publish_force(batch.model_copy(update={"age_us": max(0, arrived.age_us)}))

    def event(self, event: messages.Event) -> None:
        log.info("%s: %s", event.kind, event.text)
        if self._bus is not None:
            self._bus.publish_event(event)

    def answer(self, answer: Answer) -> None:
        waiting = self._asked.pop(answer.command_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _calibration_record(self, serial: int) -> Calibration | None:
        self._calibration_problem = None
        try:
            return load_calibration(self._config.calibration_file(serial))
        except CalibrationUnreadable as problem:
            self._calibration_problem = str(problem)
            return None

    # What viewers are told

    def shown(self) -> messages.State:
        return shown_state(
            self.state,
            run=self.run_id,
            now_us=_now_us(),
            now=messages.utc_now(),
            recording_failure=self._recording_failure,
        )

    def status(self) -> dict[str, object]:
        """What `status` answers: the state, and the force of this moment."""
        return {"state": self.shown().model_dump(mode="json"), "force_mn": self.fresh_force_mn()}

    def fresh_force_mn(self) -> int | None:
        """The force of this moment; None while there is no fresh reading."""
        fresh = reading_is_fresh(Microseconds(self.state.age_us))
        return force_for_screens(force_of(self.state), self.state) if fresh else None

    def _publish_state(self, now_us: int) -> None:
        if self._bus is None:
            return
        state = self.state
        table = state.table
        self._bus.simulated = None if table is None else IdentityFlag.SIMULATED in table.identity.flags
        session_id = None if state.course is None else state.course.session_id
        steered = None if state.course is None else (state.course.holder, state.course.pain, state.course.moved)
        told = (
            type(state.phase),
            state.board,
            session_id,
            table is None,
            self._recording_failure,
            steered,
            state.open_end,
        )
        if self._pacer.due(told, now_us):
            self._bus.publish_state(self.shown())

    def broker_reachable(self, reachable: bool) -> None:
        """The bus calls this with every change."""
        detail = None if reachable else "the message broker does not answer"
        self._pending_conditions.append(ConditionChanged("A34", detail))

    def record_altered(self, sentence: str) -> None:
        """Whoever checks the records calls this, from any thread. The alarm stays until it was acknowledged."""
        self._pending_conditions += [ConditionChanged("A38", sentence), ConditionChanged("A38", None)]

    def _note_recording(self, now_us: int) -> None:
        failure = self._journal.health().failure
        if failure != self._recording_failure:
            self._recording_failure = failure
            self._write(self.conductor.take(ConditionChanged("A37", failure), now_us))

    # Commands

    async def handle(self, command: Command) -> Reply:
        """Carries out one command of the control socket."""
        match command:
            case Status():
                return Reply(id=command.id, outcome="done", data=self.status())
            case Stop():
                return await self._ask(StopAsked(command.actor, command.id), command.id)
            case _ if time.monotonic_ns() // 1000 > command.expires_us:
                return await self._ask(CameTooLate(command.actor, command.id, command.do), command.id)
            case Acknowledge():
                return await self._ask(AcknowledgeAsked(command.actor, command.id, command.alarm), command.id)
            case Zero():
                return await self._ask(ZeroAsked(command.actor, command.id), command.id)
            case Start():
                return await self._start(command)
            case _:
                return await self._ask(_steered(command), command.id)

    async def _start(self, command: Start) -> Reply:
        try:
            prescribed = prescription.parse(command.prescription)
        except prescription.PrescriptionError as error:
            reason = " ".join(error.reasons)
            self._take(ConditionChanged("A30", reason))
            self._take(ConditionChanged("A30", None))
            return refused(command.id, reason)
        calibration = self.state.calibration
        asked = StartAsked(
            actor=command.actor,
            command_id=command.id,
            session_id=f"{messages.utc_now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            prescription=prescribed,
            ticks=command.ticks,
            confirmed_mn=command.confirmed_mn,
            unattended=command.unattended,
            calibration_age_days=None if calibration is None else calibration.age_days(date.today()),  # noqa: DTZ011
            blocked=self._blocked(),
            patient=command.patient,
        )
        return await self._ask(asked, command.id)

    def _blocked(self) -> tuple[tuple[str, str], ...]:
        found = (
            ("A36", self._storage.refusal()),
            ("A37", self._journal.health().failure),
            ("A29", self._calibration_problem),
        )
        return tuple((alarm, sentence) for alarm, sentence in found if sentence is not None)

    async def _ask(self, given: Input, command_id: str) -> Reply:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[command_id] = answered
        self._take(given)
        answer = await answered
        outcome = "done" if answer.done else "refused"
        return Reply.model_validate(
            {"id": command_id, "outcome": outcome, "reason": answer.reason, "data": answer.data}
        )


def _steered(command: Steering) -> Input:
    who = (command.actor, command.id)
    match command:
        case Pause():
            return PauseAsked(*who)
        case GoOn():
            return GoOnAsked(*who)
        case Lower():
            return LowerAsked(*who, command.to_mn)
        case Raise():
            return RaiseAsked(*who, command.to_mn, command.confirmed_mn)
        case PainScore():
            return PainTold(*who, command.score, command.when, command.leg_symptoms)
        case TakeOver():
            return TakeOverAsked(*who)
        case AcknowledgeEnd():
            return EndAcknowledged(*who)
        case _:
            assert_never(command)


async def _raise_from(broken: asyncio.Future[None]) -> None:
    await broken


def _now_us() -> int:
    """Microseconds that count on while the computer is suspended: a pause is a pause, whoever slept."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
