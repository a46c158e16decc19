"""A WebSocket server (python3-websockets) in a thread of its own: echoes, and counts what it
saw."""

import asyncio
import threading

from websockets.exceptions import ConnectionClosed
from websockets.legacy.client import connect  # the one interface that versions 10 to 15 share
from websockets.legacy.server import serve

__all__ = ["WebSocketOrigin", "connect"]


class WebSocketOrigin:
    def __init__(self):
        self.handshakes = []
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        assert self.ready.wait(30), "the WebSocket server did not start"
        self.url = f"http://127.0.0.1:{self.port}"

    async def _run(self):
        self.loop = asyncio.get_running_loop()
        self.done = asyncio.Event()
        async with serve(self._echo, "127.0.0.1", 0, max_size=1 << 24) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.done.wait()

    async def _echo(self, socket):
        self.handshakes.append(socket.request_headers)
        try:
            async for message in socket:
                await socket.send(message)
        except ConnectionClosed:
            pass

    def close(self):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(30)
