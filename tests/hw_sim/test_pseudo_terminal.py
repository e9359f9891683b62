"""The simulated table as a real serial port: opened, read, written, left alone and opened again."""

import json
import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware import messages as m
from firmware.codec import Decoder, Encoder
from hw_sim.pseudo_terminal import Pace, serve
from hw_sim.rigs import load_rig
from hw_sim.table import SimulatedTable

PATIENCE_S = 10.0


class Host:
    """As little of a host as will do."""

    def __init__(self, port: str) -> None:
        self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.frames: list[tuple[int, tuple]] = []
        self._decoder = Decoder(m.FROM_DEVICE)
        self._encoder = Encoder(m.FROM_HOST)

    def send(self, kind: int, counter: int, fields: tuple) -> None:
        os.write(self.fd, self._encoder.frame(kind, counter, fields))

    def read_until(self, wanted: Callable[[], bool]) -> None:
        ends_s = time.monotonic() + PATIENCE_S
        while not wanted():
            left_s = ends_s - time.monotonic()
            assert left_s > 0, f"did not come; got {sorted({kind for kind, _ in self.frames})}"
            if select.select([self.fd], [], [], left_s)[0]:
                data = os.read(self.fd, 4096)
                self._decoder.feed(data, lambda kind, _counter, fields: self.frames.append((kind, fields)))

    def has(self, kind: int) -> bool:
        return any(seen == kind for seen, _ in self.frames)

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A folder in which `port` is a running simulated table and `control` its socket."""
    table = SimulatedTable(load_rig("nominal"), seed=1, cooperative=True)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=serve,
        args=(table,),
        kwargs={
            "link_path": tmp_path / "port",
            "socket_path": tmp_path / "control",
            "stop": stop,
            "on_ready": lambda _name: ready.set(),
        },
    )
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield tmp_path
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert not (tmp_path / "port").is_symlink()
    assert not (tmp_path / "control").exists()


def ask(folder: Path, request: object) -> dict:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(folder / "control"))
        connection.sendall((request if isinstance(request, str) else json.dumps(request)).encode() + b"\n")
        return json.loads(connection.makefile().readline())


def test_answers_hello_and_streams_samples(served: Path) -> None:
    host = Host(str(served / "port"))

    host.send(m.HELLO, 0, (m.PROTOCOL, 1))
    host.read_until(lambda: host.has(m.ACK) and sum(kind == m.SAMPLE for kind, _ in host.frames) > 100)

    identity = next(fields for kind, fields in host.frames if kind == m.IDENTITY)
    assert identity[2] == b"TT-1\0\0\0\0"
    assert identity[1] & m.FLAG_SIMULATED
    host.close()


def test_keeps_real_time(served: Path) -> None:
    host = Host(str(served / "port"))
    host.send(m.HELLO, 0, (m.PROTOCOL, 1))
    host.read_until(lambda: host.has(m.ACK))
    host.frames.clear()
    started_s = time.monotonic()

    host.read_until(lambda: len(host.frames) > 320)

    took_s = time.monotonic() - started_s
    device_s = (host.frames[-1][1][1] - host.frames[0][1][1]) / 1e6
    assert abs(device_s - took_s) < 0.3
    host.close()


def test_goes_on_while_nobody_reads_and_is_there_for_the_next_host(served: Path) -> None:
    first = Host(str(served / "port"))
    first.send(m.HELLO, 0, (m.PROTOCOL, 1))
    first.close()
    before_us = ask(served, {"do": "truth"})["truth"]["t_us"]

    # More than the kernel's buffer holds goes unread.
    while ask(served, {"do": "truth"})["truth"]["t_us"] < before_us + 700_000:
        pass
    second = Host(str(served / "port"))
    second.send(m.HELLO, 0, (m.PROTOCOL, 2))

    second.read_until(lambda: second.has(m.IDENTITY) and second.has(m.ACK))
    second.close()


def test_a_cooperative_patient_presses_the_switch_by_itself(served: Path) -> None:
    host = Host(str(served / "port"))

    host.send(m.HELLO, 0, (m.PROTOCOL, 1))

    host.read_until(
        lambda: bool(host.frames) and host.frames[-1][0] == m.SAMPLE and bool(host.frames[-1][1][7] & m.SWITCH_PRESSED)
    )
    host.close()


def test_the_control_socket_presses_the_emergency_stop(served: Path) -> None:
    host = Host(str(served / "port"))
    host.send(m.HELLO, 0, (m.PROTOCOL, 1))

    reply = ask(served, {"do": "press_emergency_stop"})

    assert reply == {"ok": True}
    host.read_until(lambda: host.has(m.TRIP))
    host.close()


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "pres_emergency_stop"}, "Did you mean 'press_emergency_stop'?"),
        ({"do": "fly"}, "known: close_service_jumper"),
        ("not json", "Not JSON"),
        ([], "Say what to do"),
        ({"do": "press_patient_switch", "for_ms": "long"}, "whole number of milliseconds"),
    ],
)
def test_the_control_socket_refuses_in_words(served: Path, request_: object, says: str) -> None:
    reply = ask(served, request_)

    assert reply["ok"] is False
    assert says in reply["error"]


def test_after_a_long_stall_the_table_makes_up_for_a_quarter_of_a_second_and_no_more() -> None:
    pace = Pace(started_us=1_000_000)

    in_time_us = pace.until_us(1_100_000, table_us=98_000)
    after_a_stall_us = pace.until_us(9_100_000, table_us=100_000)
    and_then_us = pace.until_us(9_102_000, table_us=350_000)

    assert in_time_us == 100_000
    assert after_a_stall_us == 350_000
    assert and_then_us == 352_000


def test_refuses_to_replace_a_file_with_its_link(tmp_path: Path) -> None:
    mine = tmp_path / "port"
    mine.write_text("precious")

    with pytest.raises(FileExistsError, match="name another place"):
        serve(SimulatedTable(load_rig("nominal"), seed=1), link_path=mine, on_ready=lambda _name: None)

    assert mine.read_text() == "precious"
