"""A small temple whose backups were copied to a directory, and another machine that knows nothing of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings
from pyrage.x25519 import Identity

from backups_app.configuration import Configuration
from backups_app.progress import Progress, Silent
from backups_app.records import Origin
from backups_app.runs import preparation
from backups_app.storage import encryption
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.target import StorageTarget
from backups_app.use_cases.fetching import fetch
from backups_app.use_cases.fetching.fetch import Fetch, Fetched
from tests.journeys.conftest import run_backup, seeded  # noqa: F401  (a fixture)
from tests.storage import making

KEY = encryption.new_key_pair()


def identities(*pairs: encryption.KeyPair) -> list[Identity]:
    return [Identity.from_str(pair.private) for pair in pairs]


@dataclass
class Copied:
    """`made` are the ids of the backups that were copied to `target`, the oldest first; then their machine burned."""

    configuration: Configuration
    target: DirectoryTarget
    made: list[str]
    burned: Path
    """Their folders, for comparing."""
    now: datetime | None = None

    def fetch(
        self,
        wanted: str,
        *pairs: encryption.KeyPair,
        target: StorageTarget | None = None,
        progress: Progress | None = None,
        with_key: bool = True,
        of_site: str = "",
    ) -> list[Fetched]:
        asked = Fetch(
            configuration=self.configuration,
            target=target or self.target,
            identities=identities(*(pairs or (KEY,))) if with_key else [],
            requested_by="ananya",
            origin=Origin.COMMAND,
            now=self.now or datetime.now(UTC),
            progress=progress or Silent(),
            of_site=of_site,
        )
        return fetch.fetch(wanted, asked=asked)

    def folder(self, backup_id: str) -> Path:
        return self.configuration.backup_dir / f"backup_{backup_id}"

    def entries(self) -> list[str]:
        """Return what lies in the store, hidden ones of its own left out."""
        own = {".store_id", ".locks", "removed.json"}
        return sorted(path.name for path in self.configuration.backup_dir.iterdir() if path.name not in own)


Burn = Callable[..., Copied]


@pytest.fixture
def burn(seeded: Configuration, tmp_path: Path) -> Iterator[Burn]:  # noqa: F811
    """Call it with what each backup deletes: they are made, copied with encryption, and the backup folder is lost."""
    stack: list[override_settings] = []

    def make(deletes: Sequence[bool] = (False,), *, recipients: Sequence[str] = (KEY.public,)) -> Copied:
        target = making.directory_target(tmp_path / "nas", database=seeded.database_name)
        made = [str(run_backup(delete_bookings=one)["backup_id"]) for one in deletes]
        for backup_id in made:
            making.copy_folder(target, seeded.backup_dir / f"backup_{backup_id}", recipients=recipients)
        burned = shutil.move(seeded.backup_dir, tmp_path / "burned")
        configuration = replace(seeded, backup_dir=tmp_path / "new")
        forget_the_store(configuration)
        stack.append(override_settings(TEMPLEOPS=configuration))
        stack[-1].enable()
        return Copied(configuration=configuration, target=target, made=made, burned=Path(burned))

    yield make
    for one in stack:
        one.disable()


def forget_the_store(configuration: Configuration) -> None:
    """The new machine's MongoDB is empty."""
    database = preparation.local_database(configuration)
    database.client.drop_database(database.name)
