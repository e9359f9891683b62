"""The embedded broker's process: `python -m tractable.broker ACCOUNTS.json PORT`, until SIGTERM or SIGINT."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from tractable.broker.accounts import BrokerAccounts
from tractable.broker.embedded import run_embedded_broker
from tractable.broker.port import PortTaken


async def serve(accounts: BrokerAccounts, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_embedded_broker(accounts, port, stop, on_ready=lambda: print("ready", flush=True))


def main() -> int:
    # A client that vanishes leaves a failed task behind in amqtt, which asyncio would report with its stack.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    accounts, port = BrokerAccounts.load(Path(sys.argv[1])), int(sys.argv[2])
    try:
        asyncio.run(serve(accounts, port))
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
