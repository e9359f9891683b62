"""What goes out over MQTT and when: samples in batches of consecutive ones, states on change and every second. Pure."""

from dataclasses import dataclass, field

from controller.messages import BATCH_SAMPLES_MAX, ForceBatch

BATCH_US = 100_000
STATE_EVERY_US = 1_000_000


@dataclass
class Columns:
    """The samples of a batch in the making; sample i has sequence number `first_seq + i`."""

    session_id: str | None
    first_seq: int
    t_us: list[int] = field(default_factory=list)
    force_mn: list[int | None] = field(default_factory=list)
    target_mn: list[int | None] = field(default_factory=list)
    cable_um: list[int] = field(default_factory=list)

    @property
    def next_seq(self) -> int:
        return self.first_seq + len(self.t_us)


class ForceBatcher:
    """Gathers samples into batches of `batch_us`. `run` names this life of the process.

    A batch never spans a gap in the sequence numbers or a change of session. Samples that a gap says are missing are
    counted in `dropped`.
    """

    def __init__(self, run: str, batch_us: int = BATCH_US) -> None:
        self.dropped = 0
        self._run = run
        self._batch_us = batch_us
        self._columns: Columns | None = None
        self._next_seq: int | None = None

    def add(
        self,
        seq: int,
        t_us: int,
        force_mn: int | None,
        target_mn: int | None,
        cable_um: int,
        session_id: str | None,
    ) -> ForceBatch | None:
        """Take one sample; returns the batch that it completes, or the one before it that it cannot join."""
        self._count_missing(seq)
        interrupted = None if self._continues(seq, session_id) else self.flush()
        columns = self._columns = self._columns or Columns(session_id, seq)
        columns.t_us.append(t_us)
        columns.force_mn.append(force_mn)
        columns.target_mn.append(target_mn)
        columns.cable_um.append(cable_um)
        return interrupted or (self.flush() if self._is_full(columns) else None)

    def flush(self) -> ForceBatch | None:
        """What has been gathered so far, for when no more samples come."""
        columns, self._columns = self._columns, None
        if columns is None:
            return None
        return ForceBatch(run=self._run, age_us=0, dropped=self.dropped, **vars(columns))

    def _continues(self, seq: int, session_id: str | None) -> bool:
        columns = self._columns
        return columns is None or (seq == columns.next_seq and session_id == columns.session_id)

    def _is_full(self, columns: Columns) -> bool:
        """Whether its samples, each with the time until the next one, make up a batch."""
        samples = len(columns.t_us)
        lasted_us = columns.t_us[-1] - columns.t_us[0]
        if samples == 1 or lasted_us < 0:  # a clock that went back: the table started again
            return lasted_us < 0
        return lasted_us * samples >= self._batch_us * (samples - 1) or samples == BATCH_SAMPLES_MAX

    def _count_missing(self, seq: int) -> None:
        """A number that went back is a table that started again, where nothing is known to be missing."""
        if self._next_seq is not None and seq > self._next_seq:
            self.dropped += seq - self._next_seq
        self._next_seq = seq + 1


class StatePacer:
    """Says when a state is due: as soon as what it tells has changed, and every second."""

    def __init__(self, every_us: int = STATE_EVERY_US) -> None:
        self._every_us = every_us
        self._sent: tuple[object, int] | None = None

    def due(self, told: object, now_us: int) -> bool:
        """Whether to send now. `told` is what has to be told at once (phase, alarms), not what changes all the time."""
        if self._sent is not None:
            told_before, sent_us = self._sent
            if told == told_before and now_us - sent_us < self._every_us:
                return False
        self._sent = (told, now_us)
        return True
