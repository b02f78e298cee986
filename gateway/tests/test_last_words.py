"""A service that answers, hangs up and is written to once more: its answer is heard all the same."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator

from gateway.limits import Limits
from gateway.upstream import open_session


async def test_the_answer_of_a_service_that_hung_up_is_read_when_the_next_write_fails() -> None:
    blocked, hung_up = threading.Event(), threading.Event()

    def refuse(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        while b"first" not in connection.recv(65_536):
            pass
        blocked.wait(5)
        connection.sendall(b"HTTP/1.1 422 No\r\nContent-Length: 7\r\n\r\nrefused")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        hung_up.set()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        for _ in range(5):
            await asyncio.sleep(0)  # lets the piece out
        blocked.set()
        hung_up.wait(5)  # blocks the loop: the answer is in the socket and nobody has read it
        yield b"more"
        await asyncio.sleep(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=refuse, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        async with open_session(Limits()) as session, session.post(url, data=body()) as answer:
            assert (answer.status, await answer.read()) == (422, b"refused")
        thread.join()
