"""Our canonical Extended JSON is, character by character, what MongoDB's own bsondump prints."""

from __future__ import annotations

import subprocess

import pytest

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.shown import extended_json
from backups_app.mongo import mongodump_process

from . import golden

FILES = sorted(path.name for path in (golden.PLAIN / golden.NAME).glob("*.bson"))
NOT_PRINTED = '"kind":"looks like ejson"'
"""bsondump leaves out a document whose own names look like Extended JSON."""
TWICE = '{"_id":{"$oid":"d48448123415cd8926731391"},'
"""A document with a name twice: bsondump prints both, an object of JSON holds the last."""


@pytest.mark.parametrize("name", FILES)
def test_bsondump_prints_the_same(name: str) -> None:
    bsondump = mongodump_process.find("bsondump")
    if bsondump is None:
        pytest.skip("bsondump is not on PATH, so it could not judge our Extended JSON.")
    path = golden.PLAIN / golden.NAME / name

    printed = subprocess.run([bsondump, "--quiet", str(path)], capture_output=True, check=True).stdout.decode()

    with path.open("rb") as file:
        ours = [extended_json.canonical_text(frame) for frame in bson_frames.frames(file)]
    assert [_known(line) for line in ours if NOT_PRINTED not in line] == [_known(line) for line in printed.splitlines()]


def _known(line: str) -> str:
    return TWICE if line.startswith(TWICE) else line
