"""Lists the backups of the temple in force, twice, in a process of its own. Prints one JSON object."""

from __future__ import annotations

import json
import os
import time

import django

from tests.benchmarks import memory


def main() -> None:
    """List and print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "templeops.settings")
    django.setup()
    from backups_app import configuration
    from backups_app.use_cases.listing import listing

    in_force = configuration.current()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        found = listing.list_runs(configuration=in_force)
        seconds.append(time.perf_counter() - began)
        assert found and all(run.verified for run in found)
    print(json.dumps({"first_seconds": seconds[0], "again_seconds": seconds[1], "peak_mb": memory.peak_mb()}))


if __name__ == "__main__":
    main()
