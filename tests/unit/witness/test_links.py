"""What a link makes of a connection that ended while nobody used it."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
import uvloop

from tests.unit.processes import LOOPBACK
from witness.bodies import Address
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS, silence

#: On close, drop what is left and send a reset (socket(7), SO_LINGER with a time of 0).
RESET = struct.pack("ii", 1, 0)


async def _called_after_a_reset() -> BaseException | None:
    """Return what a call meets on a link whose other end was reset before it."""
    connected, gone = asyncio.Event(), asyncio.Event()

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connected.wait()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()
        await reader.read()
        gone.set()

    async with await asyncio.start_server(reset, LOOPBACK, 0) as server:
        address = Address(*server.sockets[0].getsockname()[:2])
        link = await Link.open(address, password=None, timeout_s=5)
        connected.set()
        await gone.wait()
        await asyncio.sleep(0.1)  # the loop hears of the reset
        try:
            await link.call("PING")
        except BaseException as exc:  # noqa: BLE001 - which one it is, is the question
            return exc
        finally:
            assert not link.is_open
    return None


@pytest.mark.parametrize("new_loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_connection_reset_while_nobody_used_it_is_a_reset(new_loop: object) -> None:
    """It is met by the next command as what it is, on the loop that the witness runs on as on any other one."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        met = runner.run(_called_after_a_reset())

    assert isinstance(met, CLIENT_ERRORS), repr(met)
    assert silence(met) == "reset"
