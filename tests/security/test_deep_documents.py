"""The deepest document that the validator lets through is decoded and shown in the smallest thread there is.

PyMongo's decoder recurses in C: at depth 900 it ends the whole process in a thread of 256 KiB, so a wrong cap shows as
a signal and not as an exception. Alpine's threads have 128 KiB.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_A_SMALL_THREAD = """
import os, struct, sys, threading
os.environ["DJANGO_SETTINGS_MODULE"] = "templeops.settings"
import pytest, django; django.setup()
import bson
from zoneinfo import ZoneInfo
from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.shown import extended_json
from backups_app.browsing.compare import differences
from backups_app.browsing.values import tree

frame = bson.encode({"a": 1})
for _ in range(bson_frames.MAX_DEPTH - 1):
    frame = struct.pack("<i", len(frame) + 8) + b"\\x03a\\x00" + frame + b"\\x00"

def show():
    bson_frames.validate(frame)
    for make in (bson.decode, extended_json.relaxed, extended_json.canonical, extended_json.plain):
        make(frame)
    tree.document(frame, shape=tree.Shape(zone=ZoneInfo("UTC")))
    differences.fields(frame, bson.encode({"a": 2}), zone=ZoneInfo("UTC"))
    print("shown")

threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("stack_kib", [128, 256, 1024])
def test_the_deepest_document_is_shown_in_a_small_thread(stack_kib: int) -> None:
    command = [sys.executable, "-c", IN_A_SMALL_THREAD, str(stack_kib)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stdout) == (0, "shown\n"), done.stderr
