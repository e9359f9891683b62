"""Faults of the broker and of the network to it: the pull goes on as if nothing were, and no viewer is told a lie.

A session at 100 N runs in the real processes, and goes on from one fault to the next.
"""

import json
import random
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from proof.catalogue import Fault
from proof.network.malformed import malformed_payloads
from proof.network.mqtt_client import MqttClient, Refused
from proof.network.relay import LOOPBACK
from proof.network.shared_stack import new_stack, stack_in, undisturbed, wait_until_heard
from proof.network.untouched import alarm_told, untouched
from proof.network.viewed_stack import RAMP, StackFailed, ViewedStack, broker_kinds
from proof.network.watching import Browser, Page, Watch, watching
from proof.prover import Prover
from proof.verdict import Verdict, at_most, equal, holds
from recorder.reading import open_session
from tractable.broker.accounts import DASHBOARD_USER, TABLE_USER
from tractable.broker.choice import BrokerKind
from tractable.local_stack import SITE, TABLE

TOPICS: Final = f"traction/v1/{SITE}/{TABLE}/"
GONE_S: Final = 3.0  # a broker that is away for as long as it takes to start a service again
# Longer than the 10 s of batches that wait for a broker: what comes after is the same for ten minutes as for two
# seconds, the oldest batch makes room for the newest.
PARTITION_S: Final = 12.0
SETTLED_S: Final = 1.0
TOLD_S: Final = 2.5  # events wait until viewers may be back
SHUFFLED_S: Final = 3.0
OPENED_LATER: Final = 320 * 30  # a page that opens is shown two minutes, and this one opened so many samples later
WATCHED_S: Final = 3.0
REFUSED_MS: Final = 500
MALFORMED: Final = {BrokerKind.MOSQUITTO: 10_000, BrokerKind.EMBEDDED: 2_000}
MALFORMED_AT_ONCE: Final = 250
COUNTED_WITHIN_S: Final = 20.0
COMMAND_TOPICS: Final = ("command", "control", "start", "stop", "set", "force/set", "state", "event")
PAGES: Final = 500
PAGES_SERVED: Final = 64
SILENT_READERS: Final = 8
LET_GO_WITHIN_S: Final = 30.0
SMALL_BUFFER_BYTES: Final = 4096
DRAWN_AGAIN_S: Final = 3.0


# The broker or the network is away


def prove_no_broker_at_start(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Everything starts without a broker; it comes only once the table is in that phase."""
    with new_stack(None) as stack:
        browser = Browser.signed_in(stack.page_port, stack.key)
        with watching(stack, browser) as watch, Page(browser) as page:
            stack.wait_until("A34", lambda: "A34" in stack.alarms(), GONE_S)
            session_id = stack.start(RAMP["RAMP"]) if phase == "RAMP" else None
            if phase == "RAMP":
                stack.wait_until("the ramp", lambda: stack.phase == "ramping" and stack.force_n > 20, 40)
            stack.start_broker(broker_kinds()[0])
            took_s = wait_until_heard(stack, browser)
            _let_pass(TOLD_S)
        yield from alarm_told(fault, watch)
        yield at_most("heard again after", took_s, 10, "s")
        yield from _nothing_twice(page)
        if session_id is None:
            yield from untouched(fault, phase, stack, watch)
            return
        yield at_most("true force over the ceiling", _peak_n(watch) - watch.ceiling_n, fault.peak_over_ceiling_n, "N")
        yield equal("phase", stack.phase, "ramping")
        yield from _events_arrived(stack, page, session_id, 0)


def prove_broker_killed(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """`kill -9`, with every kind of broker that there is; after a while it is started again."""
    for kind in broker_kinds():
        with stack_in(phase) as (stack, browser):
            _change_broker(stack, browser, kind)
            with watching(stack, browser) as watch, Page(browser) as page:
                watch.fault_now()
                stack.kill_broker()
                _let_pass(GONE_S)
                stack.start_broker(kind)
                took_s = wait_until_heard(stack, browser)
                _let_pass(TOLD_S)
            yield from _outlived(fault, phase, stack, watch, page, took_s)


def prove_forgetful_broker(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """A broker that acknowledges what it has not written yet, killed: what it held for others is gone with it."""
    kind = broker_kinds()[0]
    with stack_in(phase) as (stack, browser):
        stack.kill_broker()
        stack.start_broker(kind, changed=_saves_every_half_hour)
        wait_until_heard(stack, browser)
        with watching(stack, browser) as watch, Page(browser) as page:
            watch.fault_now()
            stack.kill_broker()
            _let_pass(GONE_S)
            stack.start_broker(kind, changed=_saves_every_half_hour)
            took_s = wait_until_heard(stack, browser)
            _let_pass(TOLD_S)
            with _listener(stack) as newcomer:
                newcomer.listen(SETTLED_S)  # the first may have come with the answer to its subscription
                retained = {heard.topic for heard in newcomer.heard if heard.retained}
        yield holds("a newcomer is told the state again", f"{TOPICS}state" in retained, ", ".join(sorted(retained)))
        yield holds("and who is there", f"{TOPICS}presence" in retained)
        yield from _outlived(fault, phase, stack, watch, page, took_s)


def _saves_every_half_hour(folder: Path) -> None:
    settings = folder / "mosquitto.conf"
    if settings.exists():
        keeping = f"persistence true\npersistence_location {folder}/\nautosave_interval 1800"
        settings.write_text(settings.read_text("utf-8").replace("persistence false", keeping), encoding="utf-8")


def prove_partition(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Nothing passes between table, broker and dashboard, and nobody hangs up."""
    with stack_in(phase) as (stack, browser), watching(stack, browser) as watch, Page(browser) as page:
        watch.fault_now()
        stack.signal_relays(signal.SIGSTOP, "table", "dashboard")
        try:
            _let_pass(PARTITION_S)
        finally:
            stack.signal_relays(signal.SIGCONT, "table", "dashboard")
        took_s = wait_until_heard(stack, browser)
        _let_pass(TOLD_S)
    yield from _outlived(fault, phase, stack, watch, page, took_s)


def prove_expired_certificate(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """The broker's certificate is over when the table connects again; later there is a new one."""
    with stack_in(phase) as (stack, browser):
        try:
            with watching(stack) as watch:
                watch.fault_now()
                stack.stop_relay("table")
                stack.start_relay("table", stack.certificates.expired)
                _let_pass(GONE_S)
        finally:
            stack.stop_relay("table")
            stack.start_relay("table", stack.certificates.valid)
        yield holds("the expired certificate is not accepted", "A34" in stack.alarms())
        took_s = wait_until_heard(stack, browser)
        told_ms = watch.told_ms("A34")
        yield holds("A34 is raised", told_ms is not None)
        yield at_most("alarm", told_ms or 0.0, fault.alarm_ms, "ms")
        yield at_most("heard again after", took_s, 10, "s")
        yield from untouched(fault, phase, stack, watch)


def _outlived(
    fault: Fault, phase: str, stack: ViewedStack, watch: Watch, page: Page, took_s: float
) -> Iterator[Verdict]:
    yield from alarm_told(fault, watch)
    yield at_most("heard again after", took_s, 10, "s")
    yield from _nothing_twice(page)
    yield from _events_arrived(stack, page, str(watch.session_id), watch.t_us[0])
    yield from untouched(fault, phase, stack, watch)


def _nothing_twice(page: Page) -> Iterator[Verdict]:
    """What waited for the broker comes after it, in order and once."""
    numbers = [message["batch"]["first_seq"] for message in page.batches()]
    events = page.events()
    yield holds("live data came", len(numbers) > 0, f"{len(numbers)} batches")
    yield equal("batches that came twice or out of order", _out_of_order(numbers), 0)
    yield equal("events that came twice", len(events) - len(set(events)), 0)


def _out_of_order(numbers: list[int]) -> int:
    return sum(later <= earlier for earlier, later in pairwise(numbers))


def _events_arrived(stack: ViewedStack, page: Page, session_id: str, from_us: int) -> Iterator[Verdict]:
    """Every event of the record since then reached the page, that the broker was away too."""
    path = stack.session_file(session_id)
    assert path is not None
    with open_session(path) as session:
        recorded = {(session_id, event.number) for event in session.events() if (event.t_us or 0) >= from_us}
    yield holds("the record has what happened", len(recorded) > 0, f"{len(recorded)} events")
    yield at_most("events on record that the page was not told", len(recorded - set(page.events())), 0, "events")


# Messages that nobody should have sent


def prove_out_of_order(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """After a connection that was lost, the dashboard is sent what the broker has in any order."""
    with stack_in(phase) as (stack, browser), watching(stack, browser) as watch, Page(browser) as page:
        stack.stop_relay("dashboard")
        stack.start_relay("dashboard", None)
        stack.signal_relays(signal.SIGUSR1, "dashboard")
        try:
            wait_until_heard(stack, browser)
            before = browser.snapshot()["outdated_payloads"]
            _let_pass(SHUFFLED_S)
            outdated = browser.snapshot()["outdated_payloads"] - before
        finally:
            stack.signal_relays(signal.SIGUSR1, "dashboard")
        _let_pass(SETTLED_S)
        with Page(browser) as newcomer:
            _let_pass(SETTLED_S)
    yield holds("batches did come out of order, and were left out", outdated > 0, f"{outdated}")
    yield from _nothing_twice(page)
    yield holds("none is taken for a table that began anew", not any(m["restarted"] for m in page.batches()))
    yield holds("what was left out is seen to be missing", _missed(page) > 0, f"{_missed(page)} samples")
    began, kept = _first_seq(page), _first_seq(newcomer)
    yield holds("what was known before is kept", kept <= began + OPENED_LATER, f"from {kept} on, before: {began}")
    yield from untouched(fault, phase, stack, watch)


def _first_seq(page: Page) -> int:
    return int(page.batches()[0]["batch"]["first_seq"])


def prove_malformed_payloads(fault: Fault, phase: str, _patient: str, seed: int) -> Iterator[Verdict]:
    """Thousands of payloads that are none, sent as the table itself: nobody else may publish there."""
    chance = random.Random(seed)
    for kind in broker_kinds():
        with stack_in(phase) as (stack, browser):
            _change_broker(stack, browser, kind)
            before = browser.snapshot()
            with watching(stack, browser) as watch, Page(browser) as page, _as_table(stack) as sender:
                sent = 0
                for leaf, payload in malformed_payloads(chance, MALFORMED[kind]):
                    sender.publish(TOPICS + leaf, payload)
                    sent += 1
                    if sent % MALFORMED_AT_ONCE == 0:
                        _wait_until_counted(stack, browser, before["malformed_payloads"] + sent)
                heard_before = len(page.of("force"))
                _let_pass(SETTLED_S)
                heard = len(page.of("force")) - heard_before
            after = browser.snapshot()
            counted = after["malformed_payloads"] - before["malformed_payloads"]
            yield equal(f"malformed payloads that were counted ({kind})", counted, sent)
            yield equal("the run is the same", after["run"], before["run"])
            yield holds("live data goes on", heard >= 5, f"{heard} batches in {SETTLED_S:g} s")
            yield from _nothing_twice(page)
            yield from untouched(fault, phase, stack, watch)


def _wait_until_counted(stack: ViewedStack, browser: Browser, count: int) -> None:
    stack.wait_until(
        "malformed payloads counted", lambda: browser.snapshot()["malformed_payloads"] >= count, COUNTED_WITHIN_S
    )


def prove_squatting(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Strangers, and a dashboard's account, publish force and state where only the table may."""
    for kind in broker_kinds():
        with stack_in(phase) as (stack, browser):
            _change_broker(stack, browser, kind)
            with watching(stack, browser) as watch, Page(browser) as page, _listener(stack) as listener:
                yield from refused_strangers(stack.broker_port)
                with _as_dashboard(stack) as squatter:
                    for leaf in ("force", "state", "event", "presence"):
                        squatter.publish(TOPICS + leaf, SQUATTED)
                        squatter.publish(TOPICS + leaf, SQUATTED, retain=True)
                        squatter.listen(0.05)
                heard = listener.listen(SETTLED_S)
            live = sum(one.topic == f"{TOPICS}force" for one in heard)
            yield holds(f"the listener hears the table ({kind})", live >= 5, f"{live} batches")
            yield equal("what a squatter sent arrives", sum(one.payload == SQUATTED for one in heard), 0)
            yield from _nothing_twice(page)
            yield from untouched(fault, phase, stack, watch)


SQUATTED: Final = b'{"squatted": true}'


def refused_strangers(port: int) -> Iterator[Verdict]:
    """Nobody without an account is let in, and each is told within half a second."""
    strangers = (("nobody", None, None), ("a guess", TABLE_USER, "guess"), ("no such user", "root", ""))
    for who, user, password in strangers:
        began = time.monotonic()
        refused = False
        try:
            MqttClient(port, user, password, "stranger").__exit__(None, None, None)
        except Refused:
            refused = True
        yield holds(f"a stranger is refused: {who}", refused)
        yield at_most("refused within", (time.monotonic() - began) * 1000, REFUSED_MS, "ms")


def prove_commands(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """What looks like a command, on any topic and from both accounts, is nobody's command."""
    commands: tuple[dict[str, Any], ...] = (
        {"do": "stop", "id": "mqtt-00001", "actor": "clinician"},
        {"do": "acknowledge", "id": "mqtt-00002", "actor": "clinician", "alarm": "A01", "expires_us": 2**62},
        {"force": "300 N"},
        {"do": "start", "id": "mqtt-00003", "actor": "clinician", "expires_us": 2**62, "prescription": {}, "ticks": []},
    )
    with stack_in(phase) as (stack, browser), watching(stack, browser) as watch:
        told_before = _commands_on_record(stack)
        for sender in (_as_table(stack), _as_dashboard(stack)):
            with sender:
                for leaf in COMMAND_TOPICS:
                    for command in commands:
                        sender.publish(TOPICS + leaf, json.dumps(command).encode())
                        sender.publish(f"{leaf}/{TABLE}", json.dumps(command).encode())
                sender.listen(0.2)
        _let_pass(SETTLED_S)
        told = _commands_on_record(stack)
    yield equal("commands that the controller took", told - told_before, 0)
    yield from untouched(fault, phase, stack, watch)


def _commands_on_record(stack: ViewedStack) -> int:
    path = stack.session_file(str(stack.status()["session_id"]))
    if path is None:
        return 0
    with open_session(path) as session:
        return sum(event.kind == "command" for event in session.events())


# Too many, or too slow


def prove_page_that_never_reads(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Pages that open and then read nothing: they are let go, and another page misses nothing."""
    with stack_in(phase) as (stack, browser), watching(stack, browser) as watch, Page(browser) as page:
        before = browser.snapshot()["viewers"]
        with ExitStack() as silent:
            for _ in range(SILENT_READERS):
                silent.enter_context(_page_that_never_reads(browser))
            stack.wait_until(
                "the silent pages", lambda: browser.snapshot()["viewers"] == before + SILENT_READERS, WATCHED_S
            )
            took_s = stack.wait_until(
                "their end", lambda: bool(browser.snapshot()["viewers"] <= before), LET_GO_WITHIN_S
            )
        _let_pass(SETTLED_S)
    yield at_most("pages that never read are let go after", took_s, LET_GO_WITHIN_S, "s")
    yield from _nothing_twice(page)
    yield at_most("samples that the other page missed", _missed(page), 0, "samples")
    yield from untouched(fault, phase, stack, watch)


def _page_that_never_reads(browser: Browser) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    line.connect((LOOPBACK, browser.port))
    headers = {
        "Host": f"{LOOPBACK}:{browser.port}",
        "Origin": browser.origin,
        "Cookie": browser.cookie,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    line.sendall(f"GET /ws/table HTTP/1.1\r\n{lines}\r\n".encode())
    return line


def _missed(page: Page) -> int:
    """Of what it was sent as it came, the samples that are not there."""
    batches = [message["batch"] for message in page.of("force")]
    ends = [batch["first_seq"] + len(batch["t_us"]) for batch in batches]
    return sum(later["first_seq"] - end for end, later in zip(ends, batches[1:], strict=False))


def prove_500_pages(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """As many as there is room for are served; the others are told so, and the first page sees what it saw."""
    with stack_in(phase) as (stack, browser), watching(stack, browser) as watch, Page(browser) as page:
        with ExitStack() as opened:
            turned_away = sum(not _open_page(browser, opened) for _ in range(PAGES))
            served = browser.snapshot()["viewers"]
        stack.wait_until("their end", lambda: browser.snapshot()["viewers"] == 1, LET_GO_WITHIN_S)
        _let_pass(SETTLED_S)
    yield at_most("pages served at once", served, PAGES_SERVED, "pages")
    yield holds("the others are turned away", turned_away >= PAGES - PAGES_SERVED, f"{turned_away} of {PAGES}")
    yield from _nothing_twice(page)
    yield at_most("samples that the first page missed", _missed(page), 0, "samples")
    yield from untouched(fault, phase, stack, watch)


def _open_page(browser: Browser, opened: ExitStack) -> bool:
    """Whether it is served; one that is stays open."""
    address = f"ws://{LOOPBACK}:{browser.port}/ws/table"
    try:
        page = connect(
            address,
            additional_headers={"Cookie": browser.cookie},
            origin=browser.origin,  # type: ignore[arg-type]
            max_size=None,
            max_queue=None,
        )
    except (InvalidStatus, InvalidMessage, OSError):
        return False
    opened.callback(page.close)
    try:
        page.recv(timeout=DRAWN_AGAIN_S)
    except Exception:  # noqa: BLE001 - closed, or nothing came: not served, whatever the library calls it
        return False
    return True


# What they have in common


def _let_pass(seconds: float) -> None:
    """Real time, in which the other processes do what they do."""
    time.sleep(seconds)


def _change_broker(stack: ViewedStack, browser: Browser, kind: BrokerKind) -> None:
    stack.kill_broker()
    stack.start_broker(kind)
    wait_until_heard(stack, browser)


def _peak_n(watch: Watch) -> float:
    return max(force_n for _at_s, force_n in watch.forces_n)


def _as_table(stack: ViewedStack) -> MqttClient:
    return _client(stack, TABLE_USER)


def _as_dashboard(stack: ViewedStack) -> MqttClient:
    return _client(stack, DASHBOARD_USER)


def _client(stack: ViewedStack, user: str) -> MqttClient:
    """Under a name of its own: a broker hangs up on whoever had the same before."""
    return MqttClient(stack.broker_port, user, stack.accounts.passwords[user], f"{user}-{time.monotonic_ns()}")


def _listener(stack: ViewedStack) -> MqttClient:
    client = _as_dashboard(stack)
    if not client.subscribe(f"{TOPICS}#"):
        raise StackFailed("the broker does not let the dashboard's account listen")
    return client


PROVERS: Final[Mapping[str, Prover]] = {
    "NB01": Prover(undisturbed(prove_no_broker_at_start), alone=True),
    "NB02": Prover(undisturbed(prove_broker_killed), alone=True),
    "NB04": Prover(undisturbed(prove_forgetful_broker), alone=True),
    "NB05": Prover(undisturbed(prove_partition), alone=True),
    "NB07": Prover(undisturbed(prove_out_of_order), alone=True),
    "NB09": Prover(undisturbed(prove_malformed_payloads), alone=True),
    "NB10": Prover(undisturbed(prove_squatting), alone=True),
    "NB11": Prover(undisturbed(prove_commands), alone=True),
    "NB13": Prover(undisturbed(prove_expired_certificate), alone=True),
    "NB14": Prover(undisturbed(prove_page_that_never_reads), alone=True, sole=True),
    "NB15": Prover(undisturbed(prove_500_pages), alone=True, sole=True),
}
