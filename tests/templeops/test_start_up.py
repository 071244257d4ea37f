"""What a command that only reads does not load: each start of a process pays for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINES = {
    "backups_app.checks", "backups_app.dump.engine", "backups_app.sync.engine", "backups_app.purge.delete",
    "backups_app.restore.engine", "backups_app.runs.pipelines", "backups_app.pages.urls", "backups_app.api.urls",
}  # fmt: skip
LIBRARIES = {"obstore", "kombu", "apprise", "prometheus_client", "rest_framework.views", "drf_spectacular.openapi"}
LOADED = """
import sys, django
django.setup()
import backups_app.management.commands.backup_list
print(*sys.modules)
"""


def test_the_list_loads_no_engine_and_no_library_that_it_does_not_use(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "templeops.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
        "AUDIT_KEY": "zyxwvutsrqponmlkjihgfedcba9876543210" * 2,
    }

    finished = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    loaded = set(finished.stdout.split())
    assert "backups_app.use_cases.listing.listing" in loaded
    assert not loaded & (ENGINES | LIBRARIES)
