"""A bounded queue that never makes its filler wait: when it is full, the oldest goes."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Payload = TypeVar("Payload")


class Mailbox(Generic[Payload]):
    """Payloads on their way out, oldest first. For one event loop, not for threads."""

    def __init__(self, capacity: int) -> None:
        self._waiting: deque[Payload] = deque()
        self._capacity = capacity
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, payload: Payload) -> Payload | None:
        """Add `payload`; returns the one that had to go for it, if any."""
        fell_out = self._waiting.popleft() if len(self._waiting) == self._capacity else None
        self._waiting.append(payload)
        self._filled.set()
        return fell_out

    async def oldest(self) -> Payload:
        """The oldest payload, once there is one. It stays until it is removed."""
        await self._filled.wait()
        return self._waiting[0]

    def remove(self, payload: Payload) -> None:
        """Remove `payload` if it is still the oldest: a newer one may have taken its place meanwhile."""
        if self._waiting and self._waiting[0] is payload:
            self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
