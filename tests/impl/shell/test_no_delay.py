"""Answers leave at once: an accepted socket does not collect small writes."""

import asyncio
import socket

from kproof_impl import Broker


def test_nagles_algorithm_is_off_for_what_is_accepted() -> None:
    async def work() -> list[int]:
        async with Broker(in_memory=True) as broker:
            _, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            while not broker.server.connections:
                await asyncio.sleep(0.001)
            accepted = [
                connection._transport.get_extra_info("socket")
                for connection in broker.server.connections.values()
                if connection._transport is not None
            ]
            found = [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in accepted]
            writer.close()
            await writer.wait_closed()
            return found

    found = asyncio.run(work())

    assert len(found) == 1
    assert found[0] != 0
