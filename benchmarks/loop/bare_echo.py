"""The least that an asyncio program at a line can do: what comes is written back.

python -m benchmarks.loop.bare_echo PORT
"""

import asyncio
import os
import signal
import sys
from typing import Final

from tractable.realtime import take_real_time_priority

READ_BYTES: Final = 4096


async def echo(port: str) -> None:
    """Until SIGTERM."""
    # Raw already, and what waits in it must not be thrown away.
    line = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(line, lambda: os.write(line, os.read(line, READ_BYTES)))
    take_real_time_priority()
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(echo(sys.argv[1]))
