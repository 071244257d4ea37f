"""A network that misbehaves on purpose, between a client and a real MongoDB: a small TCP proxy in a thread of its own.

    with Proxy(server.address) as network:
        client = MongoClient(network.uri)
        network.latency(0.2)                     every chunk is 200 ms late, each way
        network.throttle(50_000)                 bytes per second of each connection, each way
        network.cut_after(10_000)                the connection that passes this many bytes to the server is reset
        network.lose_reply(to=b"delete")         a request with these bytes reaches the server, its answer does not
        network.reset_some(0.01)                 this part of all chunks ends in a reset
        network.reset() / refuse() / hang_up() / black_hole()
        network.heal()                           new connections pass again; those in the hole end

Everything may be called from any thread, at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

CHUNK = 65536
RATE_HOLDS_SECONDS = 0.05
_RESET = struct.pack("ii", 1, 0)


@dataclass(kw_only=True)
class Weather:
    """How the network is at the moment. `cut_to_server` and `cut_to_client` count bytes until the reset, over all
    connections; None means never."""

    refuses: bool = False
    hangs_up: bool = False
    swallows: bool = False
    delay_seconds: float = 0.0
    bytes_per_second: float | None = None
    cut_to_server: int | None = None
    cut_to_client: int | None = None
    lost_reply_to: bytes | None = None
    lost_reply_above: int = 0
    reset_chance: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def loses_the_reply_to(self, data: bytes) -> bool:
        """Whether this is the request whose answer must not arrive."""
        return self.lost_reply_to is not None and self.lost_reply_to in data and len(data) > self.lost_reply_above


class _Cut(Exception):
    """This connection ends here, with a reset."""


class Proxy:
    """Stands before one server. `passed_to_server` and `passed_to_client` count bytes, `faults` how often it struck."""

    def __init__(self, target: str) -> None:
        """Given the server's `host:port`."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()
        self._open: set[_Connection] = set()
        self.weather = Weather()
        self.passed_to_server = 0
        self.passed_to_client = 0
        self.faults = 0
        self.port = 0

    # ── what a test says ─────────────────────────────────────────────────────────

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def uri(self) -> str:
        """The way through this proxy. Direct: a replica set would give the client the server's own address."""
        return f"mongodb://{self.address}/?directConnection=true"

    def latency(self, seconds: float) -> None:
        self.weather.delay_seconds = seconds

    def throttle(self, bytes_per_second: float) -> None:
        self.weather.bytes_per_second = bytes_per_second

    def cut_after(self, count: int, *, to_client: bool = False) -> None:
        """Reset the connection that passes the next `count` bytes, once."""
        if to_client:
            self.weather.cut_to_client = count
        else:
            self.weather.cut_to_server = count

    def lose_reply(self, *, to: bytes = b"", larger_than: int = 0) -> None:
        """Let the next request reach the server that holds these bytes (a compressed one does not show them) or is
        larger than so many, and reset instead of its answer, once."""
        self.weather.lost_reply_to, self.weather.lost_reply_above = to, larger_than

    def reset_some(self, part: float, *, seed: int = 1) -> None:
        self.weather.reset_chance, self.weather.chance = part, random.Random(seed)

    def reset(self) -> None:
        """Reset every open connection now."""
        self._call(self._reset_all)

    def refuse(self) -> None:
        """Reset every open connection, and every new one at once."""
        self.weather.refuses = True
        self.reset()

    def hang_up(self) -> None:
        """End every open connection with a farewell, and every new one at once: a load balancer with nobody behind."""
        self.weather.hangs_up = True
        self._call(self._hang_up_all)

    def black_hole(self) -> None:
        """Keep all connections open and pass nothing on, as when a cable is pulled."""
        self.weather.swallows = True

    def heal(self) -> None:
        """Be an ordinary network again. Connections that lost bytes are reset."""
        swallowed = self.weather.swallows
        self.weather = Weather()
        if swallowed:
            self.reset()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._reset_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ── inside ───────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        while tasks := asyncio.all_tasks(self._loop):  # a connection that was being accepted makes another task
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def _call(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(act(), self._loop).result(timeout=10)

    async def _reset_all(self) -> None:
        for connection in list(self._open):
            self.faults += 1
            connection.abort()

    async def _hang_up_all(self) -> None:
        for connection in list(self._open):
            self.faults += 1
            connection.hang_up()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.refuses or self.weather.hangs_up:
            self.faults += 1
            _hang_up(writer) if self.weather.hangs_up else _abort(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except (OSError, asyncio.CancelledError):  # cancelled: the proxy closes
            _abort(writer)
            return
        connection = _Connection(self, (reader, writer), (far_reader, far_writer))
        self._open.add(connection)
        try:
            await connection.serve()
        except asyncio.CancelledError:  # the proxy closes; asyncio would log it as an error
            return
        finally:
            self._open.discard(connection)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Queue = asyncio.Queue[tuple[float, bytes]]


class _Connection:
    def __init__(self, proxy: Proxy, near: Stream, far: Stream) -> None:
        self._proxy = proxy
        self._near, self._far = near, far
        self._loses_reply = False

    async def serve(self) -> None:
        """Pass bytes both ways until either end closes or a fault strikes."""
        to_server: Queue = asyncio.Queue()
        to_client: Queue = asyncio.Queue()
        ways = [
            asyncio.create_task(self._receive(self._near[0], to_server)),
            asyncio.create_task(self._receive(self._far[0], to_client)),
            asyncio.create_task(self._pass(to_server, self._far[1], to_server=True)),
            asyncio.create_task(self._pass(to_client, self._near[1], to_server=False)),
        ]
        finishing = ways[2:]
        try:
            done, _ = await asyncio.wait(finishing, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        except (_Cut, OSError):
            self._proxy.faults += 1
        finally:
            for way in ways:
                way.cancel()
            self.abort()
            await asyncio.gather(*ways, return_exceptions=True)

    def abort(self) -> None:
        for _, writer in (self._near, self._far):
            _abort(writer)

    def hang_up(self) -> None:
        for _, writer in (self._near, self._far):
            _hang_up(writer)

    async def _receive(self, reader: asyncio.StreamReader, queue: Queue) -> None:
        """Take what comes and note when it came: lateness must not make the line narrow."""
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(CHUNK):
                await queue.put((loop.time(), data))
        finally:
            queue.put_nowait((loop.time(), b""))

    async def _pass(self, queue: Queue, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        while (item := await queue.get())[1]:
            came_at, data = item
            weather = self._proxy.weather
            if weather.swallows:
                self._proxy.faults += 1
                continue
            await self._be_slow(came_at, len(data))
            allowed = self._strike(weather, data, to_server=to_server)
            writer.write(data[:allowed])
            await writer.drain()
            self._count(min(allowed, len(data)), to_server=to_server)
            if allowed < len(data):
                raise _Cut

    def _strike(self, weather: Weather, data: bytes, *, to_server: bool) -> int:
        """Return how many of these bytes may pass. Fewer than all means: then reset."""
        if not to_server and self._loses_reply:
            return 0  # counted where the connection ends
        if to_server and weather.loses_the_reply_to(data):
            self._loses_reply, weather.lost_reply_to = True, None
        if weather.reset_chance and weather.chance.random() < weather.reset_chance:
            return weather.chance.randrange(len(data))
        left = weather.cut_to_server if to_server else weather.cut_to_client
        if left is None:
            return len(data)
        remaining = None if len(data) >= left else left - len(data)
        if to_server:
            weather.cut_to_server = remaining
        else:
            weather.cut_to_client = remaining
        return len(data) if remaining is not None else max(0, min(left, len(data) - 1))

    async def _be_slow(self, came_at: float, size: int) -> None:
        late = came_at + self._proxy.weather.delay_seconds - asyncio.get_running_loop().time()
        if late > 0:
            await asyncio.sleep(late)
        left = float(size)
        while left > 0 and (rate := self._proxy.weather.bytes_per_second):  # it may change while a chunk waits
            step = min(left, rate * RATE_HOLDS_SECONDS)
            await asyncio.sleep(step / rate)
            left -= step

    def _count(self, passed: int, *, to_server: bool) -> None:
        if to_server:
            self._proxy.passed_to_server += passed
        else:
            self._proxy.passed_to_client += passed


def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Say farewell both ways; what has not passed yet does not."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of a farewell."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
