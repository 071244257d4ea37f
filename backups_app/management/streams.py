"""stdout and stderr of our commands. Work goes on when nobody reads what it says any more.

A terminal or a pipe may close in the middle of a run, a log's disk may be full. The exit code and the record report the
end all the same.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast


class _Lasting:
    """A text stream that falls silent at the first failure of one of the given kinds, and raises none."""

    def __init__(self, stream: TextIO, *, silent_after: type[OSError]) -> None:
        self._stream = stream
        self._silent_after = silent_after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except self._silent_after:
            self._fall_silent()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except self._silent_after:
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Send the rest nowhere, also what Python holds back and writes when the process ends."""
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def make_lasting() -> None:
    """Let stderr, which only informs, fall silent at any failure, and stdout when its reader has gone: data that cannot
    be written, to a full disk, remains a failure of the command."""
    sys.stdout = cast("TextIO", _Lasting(sys.stdout, silent_after=BrokenPipeError))
    sys.stderr = cast("TextIO", _Lasting(sys.stderr, silent_after=OSError))


def end() -> None:
    """Write what is held back, so that a reader who has gone is no failure of the interpreter's end."""
    sys.stdout.flush()
    sys.stderr.flush()
