"""The last 30 minutes of batches, each already encoded for viewers, bounded in time and in bytes."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HISTORY_S = 30 * 60.0
# 30 min of 10 batches a second, 32 samples each, take about 25 MB.
HISTORY_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """`message` is what viewers are sent; `taken_s` is local monotonic time of the newest sample."""

    last_seq: int
    taken_s: float
    message: str


class History:
    def __init__(self, bytes_max: int = HISTORY_BYTES_MAX) -> None:
        self._batches: deque[KeptBatch] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max

    @property
    def newest(self) -> KeptBatch | None:
        return self._batches[-1] if self._batches else None

    def __len__(self) -> int:
        return len(self._batches)

    def keep(self, batch: KeptBatch) -> None:
        self._batches.append(batch)
        self._bytes += len(batch.message)
        while self._bytes > self._bytes_max or self._batches[0].taken_s < batch.taken_s - HISTORY_S:
            self._bytes -= len(self._batches.popleft().message)

    def clear(self) -> None:
        self._batches.clear()
        self._bytes = 0

    def after(self, seq: int) -> list[str]:
        """Messages with any sample after that sequence number, oldest first."""
        return _oldest_first(batch.message for batch in self._newest_while(lambda batch: batch.last_seq > seq))

    def since(self, taken_s: float) -> list[str]:
        """Messages whose newest sample was taken after that moment, oldest first."""
        return _oldest_first(batch.message for batch in self._newest_while(lambda batch: batch.taken_s > taken_s))

    def _newest_while(self, wanted: Callable[[KeptBatch], bool]) -> Iterator[KeptBatch]:
        for batch in reversed(self._batches):
            if not wanted(batch):
                return
            yield batch


def _oldest_first(messages: Iterator[str]) -> list[str]:
    return list(messages)[::-1]
