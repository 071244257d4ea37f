"""Lists the backups of the temple in force, twice, in a process of its own. Prints one JSON object."""

from __future__ import annotations

import json
import os
import resource
import time

import django


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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"first_seconds": seconds[0], "again_seconds": seconds[1], "peak_mb": peak}))


if __name__ == "__main__":
    main()
