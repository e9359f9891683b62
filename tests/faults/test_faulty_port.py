"""Faults on a real pseudo-terminal, put in over the control socket as a person would."""

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
from hw_sim.pseudo_terminal import serve
from hw_sim.rigs import load_rig
from hw_sim.table import SimulatedTable

PATIENCE_S = 10.0
HELLO = bytes(Encoder(m.FROM_HOST).frame(m.HELLO, 0, (m.PROTOCOL, 1)))


class Host:
    """Reads all that the table sends; `lost` once the port is gone."""

    def __init__(self, port: Path) -> None:
        self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.kinds: list[int] = []
        self.seqs: list[int] = []
        self.lost = False
        self._decoder = Decoder(m.FROM_DEVICE)

    @property
    def damaged(self) -> int:
        return self._decoder.dropped

    def read_until(self, wanted: Callable[[], bool]) -> None:
        ends_s = time.monotonic() + PATIENCE_S
        while not wanted():
            left_s = ends_s - time.monotonic()
            assert left_s > 0, "did not come"
            if select.select([self.fd], [], [], left_s)[0]:
                self._read()

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        self.lost = self.lost or not data
        self._decoder.feed(data, self._on_frame)

    def _on_frame(self, kind: int, _counter: int, fields: tuple) -> None:
        self.kinds.append(kind)
        if kind == m.SAMPLE:
            self.seqs.append(fields[0])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A folder in which `port` is a running simulated table and `control` its socket."""
    table = SimulatedTable(load_rig("nominal"), seed=1)
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


@pytest.fixture
def ask(served: Path) -> Callable[..., dict]:
    def ask(**request: object) -> dict:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(served / "control"))
            connection.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(connection.makefile().readline())

    return ask


@pytest.fixture
def open_host(served: Path) -> Iterator[Callable[[], Host]]:
    hosts: list[Host] = []

    def open_host() -> Host:
        hosts.append(Host(served / "port"))
        return hosts[-1]

    yield open_host
    for host in hosts:
        os.close(host.fd)


def wait_until(wanted: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not wanted():
        assert time.monotonic() < ends_s, "did not come"


def test_an_unplugged_port_is_gone_and_comes_back_under_another_name(served, ask, open_host) -> None:
    host = open_host()
    first = (served / "port").readlink()

    assert ask(do="inject", fault="LK02", **{"with": {"for_ms": 200}})["ok"]
    host.read_until(lambda: host.lost)
    wait_until((served / "port").is_symlink)

    assert (served / "port").readlink() != first
    second = open_host()
    os.write(second.fd, HELLO)
    second.read_until(lambda: m.IDENTITY in second.kinds)


def test_an_unplugged_port_leaves_no_link_behind_until_it_is_plugged_in(served, ask, open_host) -> None:
    ask(do="inject", fault="LK01")

    gone = not (served / "port").is_symlink()
    assert ask(do="withdraw", fault="LK01")["ok"]

    assert gone
    host = open_host()
    host.read_until(lambda: len(host.seqs) > 10)


def test_garbage_damages_frames_and_ends_with_its_time(served, ask, open_host) -> None:
    host = open_host()
    host.read_until(lambda: len(host.seqs) > 10)

    ask(do="inject", fault="LK04", **{"with": {"direction": "to_host"}})
    host.read_until(lambda: host.damaged > 20)
    ask(do="withdraw", fault="LK04")
    damaged, whole = host.damaged, len(host.seqs)
    host.read_until(lambda: len(host.seqs) > whole + 200)

    assert host.damaged <= damaged + 100  # what was under way


def test_held_back_samples_come_in_one_burst_and_none_is_missing(served, ask, open_host) -> None:
    host = open_host()
    host.read_until(lambda: len(host.seqs) > 10)

    ask(do="inject", fault="SE17")
    host.read_until(lambda: len(host.seqs) > 500)

    seqs = host.seqs[10:]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_what_a_host_writes_to_a_blocked_port_waits(served, ask, open_host) -> None:
    host = open_host()
    ask(do="inject", fault="LK15")
    os.write(host.fd, HELLO)
    seen = len(host.seqs)

    host.read_until(lambda: len(host.seqs) > seen + 100)
    unanswered = m.IDENTITY not in host.kinds
    ask(do="withdraw", fault="LK15")
    host.read_until(lambda: m.IDENTITY in host.kinds)

    assert unanswered


def test_commands_into_a_dead_direction_are_lost_while_samples_come(served, ask, open_host) -> None:
    host = open_host()
    ask(do="inject", fault="LK13")
    os.write(host.fd, HELLO)

    host.read_until(lambda: len(host.seqs) > 100)
    ask(do="withdraw", fault="LK13")
    host.read_until(lambda: len(host.seqs) > 200)

    assert m.IDENTITY not in host.kinds


def test_the_faults_are_listed_with_what_is_in_force(ask) -> None:
    ask(do="inject", fault="SE12", **{"with": {"gain": 3.0}})

    listed = {fault["id"]: fault for fault in ask(do="faults")["faults"]}

    assert listed["SE12"]["active"]
    assert listed["SE12"]["parameters"] == {"channel": "a", "gain": 3.0, "over_ms": 0, "for_ms": 0}
    assert not listed["SE04"]["active"]
    assert listed["SE04"]["name"] == "stuck at its last value"


def test_a_fault_may_come_later_or_in_a_phase(ask) -> None:
    later = ask(do="inject", fault="AC16", after_ms=100)
    in_phase = ask(do="inject", fault="AC20", on="tripped", after_ms=50)

    assert later == {"ok": True, "fault": "AC16", "name": "emergency stop pressed"}
    assert in_phase["ok"]
    wait_until(lambda: {fault["id"] for fault in ask(do="faults")["faults"] if fault["active"]} == {"AC16", "AC20"})


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "inject", "fault": "SE3"}, "Nearest: SE"),
        ({"do": "inject"}, "Say which fault"),
        ({"do": "inject", "fault": "SE04", "after": 3}, "Unknown: after"),
        ({"do": "inject", "fault": "SE04", "after_ms": "3 s"}, "whole number of milliseconds"),
        ({"do": "inject", "fault": "SE04", "on": "holding"}, "Phases: ready"),
        ({"do": "inject", "fault": "SE04", "with": ["channel"]}, "an object of parameters"),
        ({"do": "inject", "fault": "SE04", "with": {"chanel": "b"}}, "has no parameter 'chanel'"),
        ({"do": "withdraw", "fault": "SE04"}, "not in force"),
    ],
)
def test_the_control_socket_refuses_faults_in_words(request_: dict, says: str, ask) -> None:
    reply = ask(**request_)

    assert reply["ok"] is False
    assert says in reply["error"]
