"""The gunicorn worker that serves us: a thread is given to a request only when all of the request has arrived.

gunicorn's own threaded worker gives a thread to a connection with its first byte, so as many half-sent requests as
there are threads stop it. Here the event loop of the worker reads, without a thread:

1. a head must be complete within `HEAD_SECONDS`, its body within `BODY_SECONDS` more; else the connection is closed;
2. a request that the application refuses by its head alone (a body above `LARGEST_BODY`, or of unknown length) is
   handed over with its head only, and its connection is closed after the answer;
3. when half of the connections wait for their request, the one that waits longest makes room for a new one;
4. a worker that is asked to stop accepts nothing more, answers what has arrived, and closes a connection without a
   request after `STOP_SECONDS`: the process that takes its place accepts the next ones;
5. whatever a thread reads or writes fails after `STALLED_SECONDS` without progress, and a connection that is being
   closed is drained by the event loop, not by a sleeping thread.

A connection with TLS of gunicorn's own cannot be read ahead of it; TLS is for the proxy in front.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from backups_app.use_cases.backups import stopping

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
STALLED_SECONDS = 10
LINGER_SECONDS = 2.0
STOP_SECONDS = 2.0
LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 1024 * 1024
PIECE = 64 * 1024
MOST_LINGERING = 256
TURN_SECONDS = 0.001
"""How long one thread computes while another waits to go on, instead of Python's five milliseconds: a request waits for
its turn after each answer of a database."""

END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.I)
OF_UNKNOWN_LENGTH = re.compile(rb"\r\ntransfer-encoding:", re.I)
EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.I)
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has arrived of its next request, and until when the rest must."""

    def __init__(self, worker: BufferingWorker, client: socket.socket, address: Any, listener: Any) -> None:
        super().__init__(worker.cfg, client, address, listener)
        self.worker = worker
        self.arrived = bytearray()
        self.deadline = 0.0
        self.head_length = 0
        self.body_length = 0
        self.left_to_drain = 0

    def close(self, graceful: bool = False) -> None:
        """Close it; gracefully means that the peer may still read the answer: the event loop sees to that."""
        if not (graceful and self.worker.linger(self)):
            super().close()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """See above. gunicorn calls `accept` and `murder_pending` in its event loop, and `enqueue_req` for every
    connection on which a request may have begun."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[Connection, None] = {}
        self.lingering: dict[Connection, None] = {}

    def init_process(self) -> None:
        """Begin to serve: gunicorn calls this in the new process."""
        sys.setswitchinterval(TURN_SECONDS)
        from templeops import searching_process  # here: see `gunicorn_lines.py`

        searching_process.begin()
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and begin to read its request."""
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            client, address = listener.accept()
            _bound_waiting(client)
            self.nr_conns += 1
            if len(self.arriving) >= self.worker_connections // 2:
                self._drop(next(iter(self.arriving)))
            self.enqueue_req(Connection(self, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Read the next request of this connection; what was read beyond the last one is its beginning."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
            return
        conn.arrived = bytearray(conn.parser.unreader.take_buffered() if conn.initialized else b"")
        conn.head_length = 0
        conn.deadline = time.monotonic() + (HEAD_SECONDS if self.alive else STOP_SECONDS)
        conn.sock.setblocking(False)
        self.arriving[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._more, conn))
        if conn.arrived:
            self._consider(conn)

    def handle(self, conn: Connection) -> Any:
        """Answer a request, in a thread. What gunicorn logs about it bears the id of the answer."""
        from backups_app.access import request_context  # here: see `gunicorn_lines.py`

        with request_context.named():
            return super().handle(conn)

    def murder_pending(self) -> None:
        """Close what took too long. gunicorn calls this about once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in _late(self.arriving, now):
            if conn.arrived:
                with contextlib.suppress(OSError):
                    conn.sock.send(TOO_SLOW)
            self._drop(conn)
        for conn in _late(self.lingering, now):
            self._end_linger(conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: let requests that wait for a run answer, and give connections without a request a moment."""
        stopping.ask()
        super().handle_exit(sig, frame)
        last = time.monotonic() + STOP_SECONDS
        for conn in self.arriving:
            if not conn.arrived:
                conn.deadline = min(conn.deadline, last)

    def linger(self, conn: Connection) -> bool:
        """Say that nothing more will be sent, and wait for the peer to close. Return whether that was possible."""
        if self.cfg.is_ssl or not self.alive or len(self.lingering) >= MOST_LINGERING:
            return False
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError, KeyError):
            return False
        conn.deadline = time.monotonic() + LINGER_SECONDS
        conn.left_to_drain = PIECE
        self.lingering[conn] = None
        return True

    def _more(self, conn: Connection, _client: Any) -> None:
        """A piece has arrived, or the peer has gone."""
        try:
            piece = conn.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(conn)
            return
        conn.arrived += piece
        self._consider(conn)

    def _consider(self, conn: Connection) -> None:
        """Hand the request to a thread when it is complete, or when its head says all that is needed."""
        if not conn.head_length and not self._read_head(conn):
            return
        if len(conn.arrived) >= conn.head_length + conn.body_length:
            self._hand_over(conn)

    def _read_head(self, conn: Connection) -> bool:
        """Learn from the head how much belongs to it. Return False while it is not complete."""
        while conn.arrived.startswith(b"\r\n"):  # left over by some clients after a body; no request begins so
            del conn.arrived[:2]
        end = conn.arrived.find(END_OF_HEAD)
        if end < 0 and len(conn.arrived) <= LARGEST_HEAD:
            return False
        conn.head_length = end + len(END_OF_HEAD) if end >= 0 else len(conn.arrived)
        head = bytes(conn.arrived[: conn.head_length])
        length = LENGTH.search(head)
        conn.body_length = int(length.group(1)) if length else 0
        conn.deadline = time.monotonic() + BODY_SECONDS
        if end < 0 or conn.body_length > LARGEST_BODY or OF_UNKNOWN_LENGTH.search(head):
            conn.body_length = 0
            _ask_to_close(conn)
        elif conn.body_length and EXPECTS.search(head):
            with contextlib.suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _hand_over(self, conn: Connection) -> None:
        del self.arriving[conn]
        self.poller.unregister(conn.sock)
        conn.data_ready = True
        conn.init()
        conn.parser.unreader.unread(bytes(conn.arrived))
        conn.arrived = bytearray()
        super().enqueue_req(conn)

    def _drop(self, conn: Connection) -> None:
        del self.arriving[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _drain(self, conn: Connection, _client: Any) -> None:
        try:
            piece = conn.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.left_to_drain -= len(piece)
        if not piece or conn.left_to_drain <= 0:
            self._end_linger(conn)

    def _end_linger(self, conn: Connection) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        conn.close()


def _late(connections: Iterable[Connection], now: float) -> list[Connection]:
    return [one for one in connections if one.deadline <= now]


def _ask_to_close(conn: Connection) -> None:
    """Put `Connection: close` first among the headers: gunicorn then says so in its answer, and reads no body."""
    line = conn.arrived.find(b"\r\n")
    if line >= 0:
        conn.arrived[line:line] = b"\r\nConnection: close"


def _bound_waiting(client: socket.socket) -> None:
    """Let a read or write of a thread fail when the peer makes no progress."""
    seconds = struct.pack("ll", STALLED_SECONDS, 0)
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
