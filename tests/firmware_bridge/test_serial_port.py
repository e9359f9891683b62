import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_bridge.serial_port import (
    TRANSMIT_S_MAX,
    WAITING_BYTES_MAX,
    PortLost,
    PortUnavailable,
    SerialPort,
    StalledTransmit,
    open_port,
)

WAIT_S_MAX = 5.0
FRAME = bytes(range(1, 15)) + b"\0"


@dataclass
class FarEnd:
    """The table's end of a pseudo-terminal, read only when a test says so."""

    descriptor: int
    path: str
    is_open: bool = True

    def read_all(self) -> bytes:
        read = b""
        with suppress(OSError):  # nothing more to read, or the host's side is closed
            while piece := os.read(self.descriptor, 65_536):
                read += piece
        return read

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.descriptor)


@dataclass
class Owner:
    """Whoever opened the port: what it was told."""

    received: bytearray = field(default_factory=bytearray)
    faults: list[PortLost] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def on_bytes(self, data: bytes) -> None:
        self.received += data
        self.told.set()

    def on_lost(self, fault: PortLost) -> None:
        self.faults.append(fault)
        self.told.set()

    async def waits_until(self, condition: Callable[["Owner"], bool]) -> None:
        async with asyncio.timeout(WAIT_S_MAX):
            while not condition(self):
                self.told.clear()
                await self.told.wait()

    def opens(self, path: str) -> SerialPort:
        return open_port(path, on_bytes=self.on_bytes, on_lost=self.on_lost)


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    table_side, host_side = pty.openpty()
    end = FarEnd(table_side, os.ttyname(host_side))
    os.set_blocking(table_side, False)
    os.close(host_side)
    yield end
    end.close()


@pytest.fixture
def owner() -> Owner:
    return Owner()


def fill_the_kernels_buffer(port: SerialPort) -> int:
    """Writes until the kernel takes no more; returns how many frames were written."""
    frames = 0
    while not port._waiting:
        port.write(FRAME)
        frames += 1
    return frames


def hold_up_the_loop(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        pass


def open_descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()}


async def test_every_byte_value_passes_both_ways_unchanged(far_end: FarEnd, owner: Owner) -> None:
    every_byte = bytes(range(256))

    async with owner.opens(far_end.path) as port:
        port.write(every_byte)
        os.write(far_end.descriptor, every_byte)
        await owner.waits_until(lambda told: len(told.received) >= 256)

    assert owner.received == every_byte
    assert far_end.read_all() == every_byte
    assert owner.faults == []


async def test_a_table_that_stops_reading_is_reported_once_and_holds_nothing_up(far_end: FarEnd, owner: Owner) -> None:
    loop = asyncio.get_running_loop()

    async with owner.opens(far_end.path) as port:
        fill_the_kernels_buffer(port)
        filled_s = loop.time()
        await owner.waits_until(lambda told: bool(told.faults))
        reported_after_s = loop.time() - filled_s
        for _ in range(10 * WAITING_BYTES_MAX // len(FRAME)):
            port.write(FRAME)
        os.write(far_end.descriptor, b"still heard")
        await owner.waits_until(lambda told: b"still heard" in told.received)

        assert port.is_open

    assert owner.faults == [StalledTransmit(f"{far_end.path} has not taken what was sent to it within 20 ms.")]
    assert TRANSMIT_S_MAX * 0.9 < reported_after_s < 1.0


async def test_what_a_stalled_line_did_not_take_never_comes_out_later(far_end: FarEnd, owner: Owner) -> None:
    async with owner.opens(far_end.path) as port:
        fill_the_kernels_buffer(port)
        await owner.waits_until(lambda told: bool(told.faults))
        waited_in_the_far_end = far_end.read_all()

        port.write(b"release\0")

        after = far_end.read_all()
    # The pseudo-terminal's far side had taken the first frames already; what came after the cut ends with a frame end.
    assert after == b"\0release\0"
    assert len(waited_in_the_far_end) <= 16_640


async def test_a_table_that_reads_again_in_time_gets_every_byte_in_order(
    far_end: FarEnd, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_bridge.serial_port.TRANSMIT_S_MAX", WAIT_S_MAX)  # however busy this machine is
    async with owner.opens(far_end.path) as port:
        frames = fill_the_kernels_buffer(port)
        read = far_end.read_all()
        async with asyncio.timeout(WAIT_S_MAX):
            while port._waiting:
                await asyncio.sleep(0)
                read += far_end.read_all()
        read += far_end.read_all()

    assert read == FRAME * frames
    assert owner.faults == []


async def test_bytes_that_waited_while_the_process_was_held_up_are_not_sent(far_end: FarEnd, owner: Owner) -> None:
    async with owner.opens(far_end.path) as port:
        fill_the_kernels_buffer(port)
        port.write(b"too old\0")

        hold_up_the_loop(2 * TRANSMIT_S_MAX)
        read = far_end.read_all()
        port.write(b"fresh\0")
        await owner.waits_until(lambda told: bool(told.faults))
        read += far_end.read_all()

    assert b"too old" not in read
    assert read.endswith(b"\0fresh\0")
    assert isinstance(owner.faults[0], StalledTransmit)


async def test_nor_are_they_when_the_line_has_room_again_before_anything_else_is_written(
    far_end: FarEnd, owner: Owner
) -> None:
    async with owner.opens(far_end.path) as port:
        fill_the_kernels_buffer(port)
        port.write(b"too old\0")

        hold_up_the_loop(2 * TRANSMIT_S_MAX)
        read = far_end.read_all()
        await owner.waits_until(lambda told: bool(told.faults))
        read += far_end.read_all()

    assert b"too old" not in read


async def test_the_transmit_buffer_is_bounded_even_within_the_deadline(far_end: FarEnd, owner: Owner) -> None:
    async with owner.opens(far_end.path) as port:
        fill_the_kernels_buffer(port)

        most_waiting = 0
        for _ in range(2 * WAITING_BYTES_MAX // len(FRAME)):
            port.write(FRAME)
            most_waiting = max(most_waiting, len(port._waiting))
        await owner.waits_until(lambda told: bool(told.faults))

    assert most_waiting <= WAITING_BYTES_MAX
    assert len(owner.faults) == 1


async def test_bytes_that_stay_in_the_drivers_queue_are_a_stall_too(
    far_end: FarEnd, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pseudo-terminal's driver has no queue, a UART's has: this stands for one that does not move.
    async with owner.opens(far_end.path) as port:
        monkeypatch.setattr(port, "_queued_bytes", lambda: len(FRAME))

        port.write(FRAME)
        await owner.waits_until(lambda told: bool(told.faults))

    assert isinstance(owner.faults[0], StalledTransmit)


async def test_a_table_that_goes_away_is_reported_once_and_the_port_is_closed(far_end: FarEnd, owner: Owner) -> None:
    port = owner.opens(far_end.path)

    far_end.close()
    await owner.waits_until(lambda told: bool(told.faults))
    port.write(FRAME)
    await asyncio.sleep(0)

    (fault,) = owner.faults
    assert type(fault) is PortLost
    assert fault.reason.startswith(f"The connection at {far_end.path} is lost: ")
    assert not port.is_open
    port.close()


async def test_a_write_to_a_table_that_is_gone_reports_and_does_not_raise(far_end: FarEnd, owner: Owner) -> None:
    port = owner.opens(far_end.path)
    far_end.close()

    port.write(FRAME)

    assert owner.faults == [], "told from the loop, not from inside the write"
    await owner.waits_until(lambda told: bool(told.faults))
    assert len(owner.faults) == 1
    assert not port.is_open


async def test_a_wake_up_that_finds_nothing_to_read_is_not_taken_for_a_lost_port(far_end: FarEnd, owner: Owner) -> None:
    async with owner.opens(far_end.path) as port:
        port._read()
        await asyncio.sleep(0)

        assert port.is_open

    assert owner.faults == []


async def test_an_owner_that_closes_is_not_told_of_a_loss_that_it_has_not_heard_of_yet(
    far_end: FarEnd, owner: Owner
) -> None:
    port = owner.opens(far_end.path)
    far_end.close()
    port.write(FRAME)

    port.close()
    await asyncio.sleep(0)

    assert owner.faults == []


async def test_after_close_nothing_is_reported_and_no_descriptor_is_left(far_end: FarEnd, owner: Owner) -> None:
    before = open_descriptors()
    port = owner.opens(far_end.path)
    fill_the_kernels_buffer(port)

    port.close()
    port.close()
    port.write(FRAME)
    far_end.close()
    await asyncio.sleep(0)

    assert owner.faults == []
    assert open_descriptors() - before == set()


async def test_a_closed_port_can_be_opened_again(far_end: FarEnd, owner: Owner) -> None:
    owner.opens(far_end.path).close()

    async with owner.opens(far_end.path) as port:
        port.write(FRAME)

    assert far_end.read_all() == FRAME


OPEN_IN_ANOTHER_PROCESS = """
import asyncio, sys
from firmware_bridge.serial_port import PortUnavailable, open_port

async def main() -> None:
    try:
        open_port(sys.argv[1], on_bytes=print, on_lost=print).close()
        print("opened")
    except PortUnavailable as refused:
        print(refused.reason)

asyncio.run(main())
"""


async def in_another_process(script: str, path: str) -> str:
    """What the script prints, once its process has ended."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, path, stdout=subprocess.PIPE)
    printed, _ = await process.communicate()
    return printed.decode()


async def test_a_second_process_is_refused_and_the_first_goes_on(far_end: FarEnd, owner: Owner) -> None:
    async with owner.opens(far_end.path) as port:
        refusal = await in_another_process(OPEN_IN_ANOTHER_PROCESS, far_end.path)
        port.write(FRAME)

    assert refusal.startswith(f"{far_end.path} is in use by another program. Close that program first")
    assert far_end.read_all() == FRAME
    assert owner.faults == []


async def test_a_process_that_was_killed_leaves_no_lock_behind(far_end: FarEnd, owner: Owner) -> None:
    killed_while_open = OPEN_IN_ANOTHER_PROCESS.replace(
        ".close()", '; print("open", flush=True); import os; os.kill(os.getpid(), 9)'
    )
    assert await in_another_process(killed_while_open, far_end.path) == "open\n"

    async with owner.opens(far_end.path) as port:
        assert port.is_open


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/dev/no_such_port", "There is no table at /dev/no_such_port. Plug in its cable"),
        ("/dev/null", "/dev/null is not a serial port. Name the port"),
        ("/dev", "/dev is not a serial port. Name the port"),
        (__file__, f"{__file__} is not a serial port. Name the port"),
    ],
)
async def test_a_path_that_is_no_port_is_refused_in_a_sentence_that_says_what_to_do(
    path: str, reason: str, owner: Owner
) -> None:
    before = open_descriptors()

    with pytest.raises(PortUnavailable) as refused:
        owner.opens(path)

    assert refused.value.reason.startswith(reason)
    assert open_descriptors() == before


@pytest.fixture
def without_roots_rights(tmp_path: Path) -> Iterator[None]:
    """Root may open anything, so a test of what is forbidden is run as somebody else."""
    (tmp_path / "ttyACM0").touch(mode=0)
    own = os.geteuid()
    if own == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(own)


async def test_a_port_that_this_account_may_not_use_is_refused_with_the_group_to_join(
    tmp_path: Path, owner: Owner, without_roots_rights: None
) -> None:
    forbidden = str(tmp_path / "ttyACM0")

    with pytest.raises(PortUnavailable) as refused:
        owner.opens(forbidden)

    assert refused.value.reason.startswith(f"This account may not use {forbidden}. Add it to the group dialout")


async def test_a_rate_that_no_line_runs_at_is_refused_in_a_sentence(far_end: FarEnd, owner: Owner) -> None:
    with pytest.raises(PortUnavailable, match="cannot run at -1 baud"):
        open_port(far_end.path, baud=-1, on_bytes=owner.on_bytes, on_lost=owner.on_lost)
