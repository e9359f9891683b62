"""Many open dashboard pages: `python -m benchmarks.loop.viewers ADDRESS COUNT`, until it is killed."""

import asyncio
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.typing import Origin


def signed_in(address: str) -> str:
    """The cookie that the address to sign in gives."""
    place = urlsplit(address)
    connection = HTTPConnection(place.netloc, timeout=10)
    connection.request("GET", f"{place.path or '/'}?{place.query}")
    cookie = connection.getresponse().headers["Set-Cookie"]
    connection.close()
    return cookie.split(";")[0]


async def view(address: str, cookie: str) -> None:
    place = urlsplit(address)
    origin = Origin(f"{place.scheme}://{place.netloc}")
    async with connect(
        f"ws://{place.netloc}/ws/table", additional_headers={"Cookie": cookie}, origin=origin, max_size=None
    ) as socket:
        async for _message in socket:
            pass


async def main(address: str, count: int) -> None:
    cookie = signed_in(address)
    await asyncio.gather(*(view(address, cookie) for _ in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
