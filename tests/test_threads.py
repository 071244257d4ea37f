"""How many pools of memory threads share."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, re, sys, tempfile, threading
from backups_app import threads as pools
{acts}
libc, gate = ctypes.CDLL(None), threading.Barrier(9)
libc.malloc.restype = ctypes.c_void_p
def take():
    libc.malloc(100_000)
    gate.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
gate.wait()
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as found:
    stream = ctypes.c_void_p(libc.fopen(found.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(len(re.findall(rb"<heap nr=", found.read())))
"""


def _arenas_after(acts: str) -> int:
    command = [sys.executable, "-c", ARENAS.format(acts=acts)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_share_two_pools_of_memory() -> None:
    assert _arenas_after("") > 2
    assert _arenas_after("pools.share_memory()") == 2
