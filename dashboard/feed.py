"""What is known of the table now, and its fan-out to every open page. It knows nothing of MQTT or of the web.

Each message is one JSON object, encoded once for all viewers: `kind`, `sent_ms` (this computer's monotonic clock) and
the payload as it came. Sample times are `taken_ms` by the same clock, so that a page can judge their age.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

from controller.messages import STATE_VALID_S, Event, ForceBatch, PhaseName, Presence, State, utc_now
from dashboard.history import History, KeptBatch
from dashboard.own_alarms import Heard, active_alarm, alarms_of
from dashboard.sample_age import SampleClock
from dashboard.viewer import Viewer
from safety.alarms import AlarmId

EVENTS_KEPT = 100
FORMER_RUNS_KEPT = 16
VIEWERS_MAX = 64
TICK_S = 0.1
# What a page that opens is shown of the past: the width of its plot.
OPENING_S = 120.0
MISSED_BATCHES_A_MESSAGE = 100
# A table that restarted may count its clock from zero; it then shows no more than what passed since its newest sample,
# and this for ways that differ. What shows more was overtaken on its way, unless nothing else came for longer than
# any message is late: then its clock went round.
RESTARTED_SLACK_S = 0.3
OVERTAKEN_S_MAX = 2.0
# One table has one controller. A batch comes every 0.1 s: while its run is heard, no other run is believed.
RUN_SILENT_S = 0.5


class TooManyViewers(RuntimeError):
    """No more pages can be served; closing one makes room."""


class Feed:
    """All methods but `watch` are plain calls from the event loop's thread, and none of them waits."""

    def __init__(
        self, monotonic_s: Callable[[], float] = time.monotonic, wall: Callable[[], datetime] = utc_now
    ) -> None:
        self._monotonic_s = monotonic_s
        self._wall = wall
        self._viewers: set[Viewer] = set()
        self._former_runs: deque[str] = deque(maxlen=FORMER_RUNS_KEPT)
        self._broker_connected = False
        self._broker_answered_s: float | None = None
        self._heard_s = monotonic_s()
        self._alarms: dict[AlarmId, datetime] = {}
        self._presence: Presence | None = None
        self.run: str | None = None
        self._run_heard_s = -math.inf
        self.malformed = 0
        self.outdated = 0
        self._forget()

    def _forget(self) -> None:
        self._history = History()
        self._sample_clock = SampleClock()
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._state: State | None = None
        self._state_until_s = 0.0
        self._state_heard_s: float | None = None
        self._phase: PhaseName | None = None
        self._table_connected = False
        self._newest_us = -1
        self._batch_heard_s = 0.0

    # What is heard

    def take_presence(self, presence: Presence) -> None:
        self._presence = presence
        self._tell(self._presence_message())

    def take_state(self, state: State, *, retained: bool) -> None:
        """Keeps it until it is no longer valid. A retained one may be from yesterday: the wall clock judges it."""
        now_s = self._heard_s = self._monotonic_s()
        sent = self._wall() if retained else state.sent
        valid_s = min((state.valid_until - sent).total_seconds(), STATE_VALID_S)
        if valid_s <= 0 or not self._belongs(state.run) or self._was_overtaken(state):
            self.outdated += 1
            return
        self._state, self._state_until_s, self._state_heard_s = state, now_s + valid_s, now_s
        self._phase, self._table_connected = state.phase, state.connected
        self._tell(self._state_message())
        self._judge_silence()

    def take_batch(self, batch: ForceBatch) -> None:
        if not self._belongs(batch.run):
            self.outdated += 1
            return
        now_s = self._heard_s = self._monotonic_s()
        newest = self._history.newest
        restarted = newest is not None and batch.first_seq <= newest.last_seq
        if newest is not None and restarted and not self._began_anew(batch.t_us[-1], now_s, now_s - newest.taken_s):
            self.outdated += 1  # the same samples again, or some that others overtook
            return
        if restarted:
            self._history.clear()
        self._newest_us, self._batch_heard_s = batch.t_us[-1], now_s
        taken_s = self._sample_clock.taken_s(batch.t_us[-1], batch.age_us, now_s)
        message = self._message(
            "force", taken_ms=str(round(taken_s * 1000)), restarted=json.dumps(restarted), batch=batch.model_dump_json()
        )
        self._history.keep(KeptBatch(batch.first_seq + len(batch.t_us) - 1, taken_s, message))
        self._tell(message)
        self._judge_silence()

    def take_event(self, event: Event) -> None:
        key = (event.session_id, event.number)
        if not self._belongs(event.run) or key in ((kept.session_id, kept.number) for kept in self._events):
            self.outdated += 1
            return
        self._events.append(event)
        self._tell(self._message("event", event=event.model_dump_json()))

    def broker_is(self, *, connected: bool) -> None:
        self._broker_connected = connected
        self._heard_s = self._monotonic_s()
        self._judge_silence()

    def broker_answered(self) -> None:
        """The broker lives; so if nothing comes, nothing was sent."""
        self._broker_answered_s = self._heard_s = self._monotonic_s()
        self._judge_silence()

    def silent_s(self) -> float:
        """How long nothing came by way of the broker."""
        return self._monotonic_s() - self._heard_s

    def _began_anew(self, t_us: int, now_s: float, since_newest_s: float) -> bool:
        """Whether samples under numbers that were there before are new: of a table that restarted or was asked anew."""
        if t_us >= self._newest_us:
            return t_us > self._newest_us
        restarted = t_us < (since_newest_s + RESTARTED_SLACK_S) * 1e6
        return restarted or now_s - self._batch_heard_s > OVERTAKEN_S_MAX

    def _was_overtaken(self, state: State) -> bool:
        """Sent a little before the one that is known. Much before, it is the sender's wall clock that was set back."""
        if self._state is None:
            return False
        return 0 < (self._state.sent - state.sent).total_seconds() < STATE_VALID_S

    def _belongs(self, run: str) -> bool:
        """Whether it speaks of the present run; another becomes the present one when that has gone silent."""
        now_s = self._monotonic_s()
        if run != self.run:
            if run in self._former_runs or now_s - self._run_heard_s < RUN_SILENT_S:
                return False
            self._begin(run)
        self._run_heard_s = now_s
        return True

    def _begin(self, run: str) -> None:
        if self.run is not None:
            self._former_runs.append(self.run)
        self.run = run
        self._forget()
        self._tell(self._message("run", run=json.dumps(run)))

    # What time does

    async def watch(self) -> None:
        """Notices what does not arrive. Runs until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        if self._state is not None and self._monotonic_s() >= self._state_until_s:
            self._state = None
            self._tell(self._state_message())
        self._judge_silence()

    def _judge_silence(self) -> None:
        newest = self._history.newest
        heard = Heard(
            broker_connected=self._broker_connected,
            phase=self._phase,
            table_connected=self._table_connected,
            state_s=self._state_heard_s,
            sample_s=newest.taken_s if newest else None,
            broker_answered_s=self._broker_answered_s,
        )
        raised = alarms_of(heard, self._monotonic_s())
        if raised != self._alarms.keys():
            self._alarms = {alarm: self._alarms.get(alarm, self._wall()) for alarm in raised}
            self._tell(self._link_message())

    # Who looks

    def attach(self, since: int | None = None, run: str | None = None) -> Viewer:
        """A viewer that is first sent what is known, and every batch after `since` if it saw this `run`."""
        if len(self._viewers) >= VIEWERS_MAX:
            raise TooManyViewers
        resumes = since is not None and run == self.run and run is not None
        missed = self._history.after(since) if resumes and since is not None else self._opening_batches()
        greeting = [
            self._message("hello", run=json.dumps(self.run), resumed=json.dumps(resumes)),
            self._presence_message(),
            self._state_message(),
            self._link_message(),
            self._message("events", events=f"[{','.join(event.model_dump_json() for event in self._events)}]"),
        ]
        for first in range(0, len(missed), MISSED_BATCHES_A_MESSAGE):
            part = missed[first : first + MISSED_BATCHES_A_MESSAGE]
            greeting.append(self._message("missed", batches=f"[{','.join(part)}]"))
        viewer = Viewer(greeting)
        self._viewers.add(viewer)
        return viewer

    def detach(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def clock_message(self, echo: int) -> str:
        """Answers a page that asks for this computer's clock, so that it can tell how old a sample is."""
        return self._message("clock", echo=str(echo))

    def snapshot(self) -> dict[str, object]:
        """What is known now, as JSON values."""
        newest = self._history.newest
        age_s = None if newest is None else self._monotonic_s() - newest.taken_s
        return {
            "run": self.run,
            "presence": self._presence and self._presence.model_dump(mode="json"),
            "state": self._state and self._state.model_dump(mode="json"),
            "newest_sample_age_ms": None if age_s is None else round(age_s * 1000),
            "newest_seq": None if newest is None else newest.last_seq,
            "broker_connected": self._broker_connected,
            "alarms": [active_alarm(*raised).model_dump(mode="json") for raised in self._alarms.items()],
            "viewers": len(self._viewers),
            "malformed_payloads": self.malformed,
            "outdated_payloads": self.outdated,
        }

    def _opening_batches(self) -> list[str]:
        return self._history.since(self._monotonic_s() - OPENING_S)

    def _tell(self, message: str) -> None:
        for viewer in tuple(self._viewers):
            viewer.offer(message)
            if viewer.stalled.is_set():
                self._viewers.discard(viewer)

    # Messages

    def _presence_message(self) -> str:
        return self._message("presence", presence=self._presence.model_dump_json() if self._presence else "null")

    def _state_message(self) -> str:
        state = self._state.model_dump_json() if self._state else "null"
        return self._message("state", until_ms=str(round(self._state_until_s * 1000)), state=state)

    def _link_message(self) -> str:
        alarms = ",".join(active_alarm(*raised).model_dump_json() for raised in self._alarms.items())
        return self._message("link", broker_connected=json.dumps(self._broker_connected), alarms=f"[{alarms}]")

    def _message(self, kind: str, **parts: str) -> str:
        """One JSON object; each part is JSON already."""
        members = "".join(f',"{name}":{part}' for name, part in parts.items())
        return f'{{"kind":"{kind}","sent_ms":{round(self._monotonic_s() * 1000)}{members}}}'
