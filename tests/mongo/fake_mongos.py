"""A server that says of itself what a mongos says, over the real protocol. The wheel of the tests has no mongos."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import bson
from bson.int64 import Int64

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HEADER = struct.Struct("<iiii")


def answer_of(command: dict[str, Any]) -> dict[str, Any]:
    """Return what a mongos of MongoDB 6.0 answers to a command."""
    hello = {
        "msg": "isdbgrid", "isWritablePrimary": True, "ismaster": True, "helloOk": True, "minWireVersion": 0,
        "maxWireVersion": 17, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
        "maxWriteBatchSize": 100000, "localTime": datetime.now(UTC), "logicalSessionTimeoutMinutes": 30, "ok": 1.0,
    }  # fmt: skip
    name = next(iter(command), "").lower()
    if name in ("hello", "ismaster"):
        return hello
    empty = {"id": Int64(0), "ns": "none.none", "firstBatch": []}
    return {"ok": 1.0, "version": "6.0.5", "cursor": empty}


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while head := self.rfile.read(HEADER.size):
            length, request, _, operation = HEADER.unpack(head)
            body = self.rfile.read(length - HEADER.size)
            self.wfile.write(_reply(request, operation, body))


def _reply(request: int, operation: int, body: bytes) -> bytes:
    if operation == OP_QUERY:  # a driver's first greeting: flags, name of a collection, two numbers, the command
        command = bson.decode(body[body.index(b"\0", 4) + 9 :])
        reply = struct.pack("<iqii", 0, 0, 0, 1) + bson.encode(answer_of(command))
        return HEADER.pack(HEADER.size + len(reply), 0, request, OP_REPLY) + reply
    command = bson.decode(body[5 : 5 + struct.unpack_from("<i", body, 5)[0]])
    reply = struct.pack("<iB", 0, 0) + bson.encode(answer_of(command))
    return HEADER.pack(HEADER.size + len(reply), 0, request, OP_MSG) + reply


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def running() -> Iterator[str]:
    """Yield the URL of a mongos that runs as long as the block."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"mongodb://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
