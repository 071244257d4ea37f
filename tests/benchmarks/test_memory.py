"""The column of peak memory: what a program had, and not the process that started it."""

from __future__ import annotations

import sys

import pytest

from tests.benchmarks.site import timed

HAD = "from tests.benchmarks.memory import peak_mb; x = bytearray(60 << 20); print(peak_mb())"


def test_the_memory_of_a_program_is_its_own() -> None:
    large = bytearray(300 << 20)
    large[:: 1 << 12] = b"x" * len(large[:: 1 << 12])

    measured, printed = timed([sys.executable, "-c", HAD])

    assert 60 < measured.peak_mb < 200
    assert 60 < float(printed) < 200


def test_a_program_that_fails_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="ended with 1: it is a test"):
        timed([sys.executable, "-c", "import sys; sys.exit('it is a test')"])
    with pytest.raises(RuntimeError, match="no-such-program"):
        timed(["no-such-program"])
