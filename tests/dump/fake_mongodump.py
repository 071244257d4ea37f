"""Programs that pass for mongodump and misbehave, each in one way."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

_BEGIN = """\
#!{python}
import os, shutil, signal, subprocess, sys, time
arguments = dict(each[2:].partition("=")[::2] for each in sys.argv[1:])
if "version" in arguments:
    print("mongodump version: 100.99.0")
    sys.exit(0)
uri = open(arguments["config"]).read()
out, good = arguments["out"], {good!r}
def copy():
    os.makedirs(out, exist_ok=True)
    shutil.copytree(good, os.path.join(out, arguments["db"]))
def say(text):
    sys.stderr.write(text); sys.stderr.flush()
"""

EMPTY_SUCCESS = "sys.exit(0)"
FAILS_WITH_FILES = """
copy()
say("2026-11-24T10:00:00.000+0000\\tFailed: error writing data for collection `t.b` to disk: connection reset\\n")
sys.exit(1)
"""
HANGS = "copy(); say('writing\\n'); time.sleep(600)"
IGNORES_TERM = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
say("started\\n")
open(os.path.join(os.path.dirname(out), "pids"), "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""
HUGE_LOG = """
copy()
for _ in range(300):
    say("x" * 100_000)
for _ in range(20_000):
    say("a line of the log\\n")
"""
SAYS_SECRETS = """
say("connecting with " + uri + "\\n")
say("Failed: error reading with " + uri.split("//")[1] + "\\n")
sys.exit(1)
"""
CUTS_THE_LAST_DOCUMENT = """
copy()
path = os.path.join(out, arguments["db"], "bookings.bson")
os.truncate(path, os.path.getsize(path) - 5)
"""
LEAVES_ONE_OUT = """
copy()
for name in ("users.bson", "users.metadata.json"):
    os.remove(os.path.join(out, arguments["db"], name))
"""
EMPTIES_ONE = """
copy()
os.truncate(os.path.join(out, arguments["db"], "users.bson"), 0)
"""
ADDS_ONE = """
copy()
open(os.path.join(out, arguments["db"], "stranger.bson"), "w").close()
"""
FULL_DISK = "copy(); say('Failed: error writing data: write /x/y: no space left on device\\n'); sys.exit(1)"
NO_RIGHTS = "say('Failed: error creating directory: mkdir /x/y: permission denied\\n'); sys.exit(1)"
NOBODY_THERE = "say('Failed: can't create session: failed to connect to mongodb://h:1/: refused\\n'); sys.exit(1)"
NO_LOGIN = "say('Failed: failed to connect to mongodb://h/: auth error: (AuthenticationFailed) no\\n'); sys.exit(1)"
NO_USER = "say('Failed: (Unauthorized) command listCollections requires authentication\\n'); sys.exit(1)"
NO_HOST = "say('error parsing uri: lookup _mongodb._tcp.h on 10.0.0.1:53: no such host\\n'); sys.exit(1)"
BAD_CERTIFICATE = "say('Failed: server selection error: Last error: x509: unknown authority\\n'); sys.exit(1)"
NAMES_A_HOST = "say('Failed: error reading: connection(db7.temple.example:27017[-5]) closed\\n'); sys.exit(1)"
KILLED = "copy(); os.kill(os.getpid(), signal.SIGKILL)"
BEHAVES = "copy(); say('done dumping `t.bookings` (9 documents)\\n')"


def make(folder: Path, *, good: Path, then: str) -> Path:
    """Write a program that reads its arguments as mongodump does, may copy the folder `good`, and does `then`."""
    program = folder / "mongodump"
    program.write_text(_BEGIN.format(python=sys.executable, good=str(good)) + textwrap.dedent(then))
    program.chmod(0o700)
    return program
