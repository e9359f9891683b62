"""One open page: what it is owed first, and a bounded queue of what happens from then on."""

import asyncio

# About five seconds of batches. A viewer further behind does not see what is now, and is better off connecting anew.
WAITING_MESSAGES_MAX = 64


class Viewer:
    """Messages for one page. `stalled` is set when it did not take them in time; it is then sent nothing more."""

    def __init__(self, greeting: list[str], waiting_max: int = WAITING_MESSAGES_MAX) -> None:
        self.greeting = greeting
        self.stalled = asyncio.Event()
        self._waiting: asyncio.Queue[str] = asyncio.Queue(waiting_max)

    def offer(self, message: str) -> None:
        """Never waits: one viewer must not hold up the others."""
        if self.stalled.is_set():
            return
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.stalled.set()

    async def next_message(self) -> str:
        return await self._waiting.get()
