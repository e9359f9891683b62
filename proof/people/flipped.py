"""Commands that are damaged on their way: every frame with every one and every two of its bits flipped."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, Final

from firmware import codec
from firmware.messages import FROM_HOST
from firmware_bridge.framing import FrameDecoder, encode_frame
from firmware_bridge.messages import (
    PROTOCOL,
    Ack,
    Arm,
    Clear,
    Disarm,
    Hello,
    HostMessage,
    Move,
    Nak,
    Release,
    ReleaseProfile,
    TripCause,
    WriteCalibration,
)
from proof.bench import Bench
from proof.catalogue import Fault
from proof.judging import judge
from proof.people.desk import bench_in
from proof.record import record_verdicts
from proof.verdict import Verdict, at_most, equal, holds

DEVICE_DECODER: Final[Callable[..., Any]] = codec.Decoder  # the firmware is MicroPython and says nothing about types
FRAME_END: Final = b"\0"  # where a flip has taken a frame's own end, the next frame brings one


def prove(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """All of them into the table that pulls, numbered so that each would be taken if it were whole."""
    bench = bench_in(phase, patient, seed)
    bench.fault_now()
    frames = _in_turn(bench)
    yield from _whole_ones_are_taken(frames)
    damaged = [flipped for frame in frames for flipped in _flipped(frame)]
    yield from _codecs_reject(damaged)
    yield from _table_rejects(bench, damaged)
    bench.run_for(1)
    yield from judge(fault, bench)
    yield equal("the session goes on", type(bench.state.phase).__name__, {"HOLD": "Holding", "RAMP": "Ramping"}[phase])
    yield from record_verdicts(bench, line_is_whole=True)


def _in_turn(bench: Bench) -> list[bytes]:
    """One command of each type, as the table would take it now."""
    a, b = bench.table.memory.calibrations
    newest = bench.sent.samples()[-1]
    commands: tuple[HostMessage, ...] = (
        Hello(PROTOCOL, 0x5EED_0001),
        Arm(375_000, 150_000, 5_000, 1_515, a.id, b.id),
        Move(newest.seq, 5_000, 200),
        Release(ReleaseProfile.EMERGENCY),
        Disarm(),
        Clear(TripCause.ARMED_CEILING),
        WriteCalibration(0, a.zero_counts, a.span_q20, a.id),
    )
    counter = (bench.conductor.link.sent_counter + 1) % 256
    return [encode_frame(counter, message) for message in commands]


def _whole_ones_are_taken(frames: list[bytes]) -> Iterator[Verdict]:
    taken: list[int] = []
    DEVICE_DECODER(FROM_HOST).feed(b"".join(frames), lambda kind, _counter, _fields: taken.append(kind))
    yield equal("whole, each is taken", len(taken), len(frames))


def _flipped(frame: bytes) -> Iterator[bytes]:
    """With any one and any two bits flipped, in any byte, its end included."""
    whole, bits = int.from_bytes(frame, "little"), 8 * len(frame)
    masks = [1 << bit for bit in range(bits)]
    for mask in (*masks, *(first | second for first, second in combinations(masks, 2))):
        yield (whole ^ mask).to_bytes(len(frame), "little") + FRAME_END


def _codecs_reject(damaged: list[bytes]) -> Iterator[Verdict]:
    line, taken = b"".join(damaged), []
    DEVICE_DECODER(FROM_HOST).feed(line, lambda *frame: taken.append(frame))
    yield at_most(f"taken by the table's decoder, of {len(damaged)} damaged", len(taken), 0, "frames")
    yield at_most("taken by the computer's decoder", len(FrameDecoder().feed(line)), 0, "frames")


def _table_rejects(bench: Bench, damaged: list[bytes]) -> Iterator[Verdict]:
    """The whole table, in the session: it does nothing, answers nothing, and counts them."""
    link, before = bench.table.firmware._link, len(bench.sent.heard)  # type: ignore[attr-defined]
    dropped, state = link.dropped, _state(bench)
    bench.table.receive(b"".join(damaged))
    yield holds("it counts every one", link.dropped - dropped >= len(damaged), f"{link.dropped - dropped}")
    yield equal("its state, orders and calibration", _state(bench), state)
    bench.run_for(0.1)
    answers = [said for _at_us, said in bench.sent.heard[before:] if isinstance(said, Ack | Nak)]
    yield at_most("answers", len(answers), 0, "frames")


def _state(bench: Bench) -> str:
    firmware = bench.table.firmware
    return f"{firmware._state} {firmware._velocity_um_s} {firmware._lease_ends_ms} {bench.table.memory.calibrations}"  # type: ignore[attr-defined]
