"""The proof of the network finds what is wrong: each of these defects, planted in the running processes, fails it."""

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.received import NotAPayload, payload_of
from proof.catalogue import Fault, load_catalogue
from proof.network import faults as network
from proof.network import security
from proof.network.malformed import LEAVES, OVERSIZE_EVERY, WAYS, malformed_payloads
from proof.network.mqtt_client import connect_packet, publish_packet
from proof.network.relay import Shuffling, packets_of
from proof.network.shared_stack import close_shared, undisturbed
from proof.network.untouched import NO_ALARM, NONE_LATE, nothing_began, untouched
from proof.network.viewed_stack import broker_kinds
from proof.network.watching import Look, Watch
from proof.verdict import Verdict, at_most, holds
from tractable.broker import mosquitto

ANY_PAGE_MAY_LISTEN = "import dashboard.guard\ndashboard.guard.comes_from_this_page = lambda headers: True\n"
ALL_THAT_COMES_IS_NEW = "import dashboard.feed\ndashboard.feed.Feed._began_anew = lambda *anything: True\n"


def fault(id_: str) -> Fault:
    return load_catalogue()[id_]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """plant(code) puts that code at the start of every Python process of the stack. The stack is this test's alone."""
    close_shared()

    def plant(code: str) -> None:
        (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    yield plant
    close_shared()


def failed(verdicts: Iterator[Verdict]) -> set[str]:
    return {verdict.asked for verdict in verdicts if not verdict.held}


@pytest.mark.needs("chromium")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Playwright's own pipes, closed by its driver
def test_a_dashboard_that_lets_any_page_listen_is_found(plant) -> None:
    plant(ANY_PAGE_MAY_LISTEN)

    found = failed(security.PROVERS["SX04"](fault("SX04"), "IDLE", "nominal", 1))

    assert {"a WebSocket from 'http://evil.example'", "one that another page opens in a signed-in browser"} <= found


def test_a_feed_that_takes_what_was_overtaken_for_new_is_found(plant) -> None:
    plant(ALL_THAT_COMES_IS_NEW)

    found = failed(network.PROVERS["NB07"](fault("NB07"), "IDLE", "nominal", 1))

    assert "batches that came twice or out of order" in found
    assert "none is taken for a table that began anew" in found


def test_a_broker_that_lets_viewers_publish_is_found(plant, monkeypatch) -> None:
    kinds = broker_kinds()[:1]
    monkeypatch.setattr(network, "broker_kinds", lambda: kinds)
    everybody = "user table\ntopic readwrite #\n\nuser dashboard\ntopic readwrite #\n"
    monkeypatch.setattr(mosquitto, "access_list", lambda _accounts: everybody)
    plant("import tractable.broker.accounts as accounts\naccounts.BrokerAccounts.may = lambda *anything: True\n")

    found = failed(network.PROVERS["NB10"](fault("NB10"), "IDLE", "nominal", 1))

    assert "what a squatter sent arrives" in found


def a_watch(*, phase: str = "idle", force_n: float = 0.0) -> Watch:
    return Watch(
        forces_n=[(0.0, 0.0), (1.0, force_n)],
        t_us=[0, 1_000_000],
        looks=[Look(0.0, "idle", frozenset(), 0.0), Look(1.0, phase, frozenset(), 0.0)],
    )


@pytest.mark.parametrize(
    ("watch", "wrong"),
    [
        (a_watch(), set()),
        (a_watch(phase="checking_zero"), {"no session began"}),
        (a_watch(force_n=20.0), {"nothing pulled: true force"}),
    ],
)
def test_a_session_that_should_not_have_begun_is_found(watch: Watch, wrong: set[str]) -> None:
    assert failed(nothing_began(watch)) == wrong


class HeldStack:
    """A stack whose session holds, and has no record."""

    phase = "holding"

    def session_file(self, _session_id: str) -> None:
        return None


@pytest.mark.parametrize(
    ("force_n", "alarms", "phase", "wrong"),
    [
        (100.0, frozenset({"A34"}), "holding", set()),
        (108.0, frozenset(), "holding", {"true force off its target"}),
        (146.0, frozenset(), "holding", {"true force off its target", "true force over the ceiling"}),
        (100.0, frozenset({"A14"}), "holding", {NO_ALARM}),
        (100.0, frozenset(), "tripped", {"phase"}),
    ],
)
def test_a_hold_that_was_touched_is_found(monkeypatch, force_n, alarms, phase, wrong) -> None:
    monkeypatch.setattr("proof.network.untouched.RECORDED_WITHIN_S", 0)
    watch = Watch(
        forces_n=[(0.0, 100.0), (1.0, force_n)],
        t_us=[0, 1],
        looks=[Look(0.0, "holding", frozenset(), 140.0), Look(1.0, phase, alarms, 140.0)],
    )

    found = failed(untouched(fault("NB02"), "HOLD", HeldStack(), watch))

    assert found == wrong | {"that time is on record"}


def test_lateness_alone_is_tried_once_more_and_nothing_else_is() -> None:
    runs: list[str] = []

    def prove_once_late(*_: object) -> Iterator[Verdict]:
        runs.append("run")
        yield at_most(NONE_LATE, 2 - len(runs), 0, "samples")

    def prove_broken(*_: object) -> Iterator[Verdict]:
        runs.append("run")
        yield at_most(NONE_LATE, 1, 0, "samples")
        yield holds("something else", False)

    first = failed(undisturbed(prove_once_late)(fault("NB02"), "HOLD", "nominal", 1))
    ran = len(runs)
    second = failed(undisturbed(prove_broken)(fault("NB02"), "HOLD", "nominal", 1))

    assert (first, ran) == (set(), 2)
    assert second == {NONE_LATE, "something else"}
    assert len(runs) == 3


def test_no_malformed_payload_passes_and_every_way_is_among_them() -> None:
    payloads = list(malformed_payloads(random.Random(1), 4 * OVERSIZE_EVERY))

    for leaf, payload in payloads:
        with pytest.raises(NotAPayload):
            payload_of(leaf, payload)
    assert {leaf for leaf, _payload in payloads} == set(LEAVES)
    assert len({payload for _leaf, payload in payloads}) > 100 * len(WAYS) / 2


def test_packets_are_told_apart_wherever_the_line_cuts_them() -> None:
    packets = [connect_packet("user", "password", "name"), publish_packet("topic", b"x" * 300), b"\xc0\0"]
    pending, found = bytearray(), []

    for byte in b"".join(packets):
        pending.append(byte)
        found += packets_of(pending)

    assert found == packets
    assert pending == b""


async def test_what_is_published_is_shuffled_and_nothing_else_is_held_back_or_lost() -> None:
    shuffling = Shuffling()
    shuffling.toggle()
    source, sink = asyncio.StreamReader(), Sink()
    published = [publish_packet("force", bytes([number])) for number in range(20)]
    source.feed_data(b"".join(published) + b"\xd0\0")

    passing = asyncio.create_task(shuffling.pass_on(source, sink))
    async with asyncio.timeout(10):
        while len(sink.written) < 1 + len(published):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)
    source.feed_eof()
    await passing

    assert sink.written[0] == b"\xd0\0"
    assert sorted(sink.written[1:]) == sorted(published)
    assert sink.written[1:] != published


class Sink:
    """Keeps the packets that it is given."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written += packets_of(bytearray(data))

    async def drain(self) -> None:
        pass
