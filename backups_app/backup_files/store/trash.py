"""The trash of a store: what was taken out of the list lies there for a day, then it is unlinked.

Where the next run lacks space, what retention removed is unlinked earlier (`use_cases/retention/trash_emptying.py`).

.trash-backup_<id>-<random>-<moment>/    can be brought back
.trash-partial-<id>-<random>-<moment>/   what a failed run wrote
.trash-emptied-…                         being unlinked; nothing is brought back from it
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backups_app.backup_files import bases, durable, layout, locks
from backups_app.errors import InvalidBackupId

KEPT = timedelta(days=1)
_TIME = "%Y%m%dT%H%M%SZ"
_EMPTIED = f"{layout.TRASH_PREFIX}emptied-"


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """A backup in the trash: its id, the name of its folder there, and when it was thrown away."""

    backup_id: str
    name: str
    at: datetime

    @property
    def until(self) -> datetime:
        """Until when it can be brought back."""
        return self.at + KEPT


def throw(root: Path, name: str, *, now: datetime) -> Path | None:
    """Rename an entry of the store into the trash. Return its path there, None where there is no such entry."""
    moment = now.astimezone(UTC).strftime(_TIME)
    target = root / f"{layout.TRASH_PREFIX}{name.lstrip('.')}-{secrets.token_hex(4)}-{moment}"
    if not os.path.lexists(root / name):
        return None
    durable.rename(root / name, target)
    return target


def thrown(root: Path) -> tuple[Thrown, ...]:
    """Return the backups that lie in the trash, those thrown away first at the beginning."""
    found = [one for name in names(root) if (one := _backup(name)) is not None]
    return tuple(sorted(found, key=lambda one: (one.at, one.name)))


def of_backup(root: Path, backup_id: str) -> Thrown | None:
    """Return where a backup lies in the trash, the newest where it was thrown away twice; None where it does not."""
    return next((one for one in reversed(thrown(root)) if one.backup_id == backup_id), None)


def size_bytes(root: Path, one: Thrown) -> int:
    """Return the bytes that the files of a thrown backup take; what vanishes meanwhile takes none."""
    total = 0
    for where, _, files in os.walk(root / one.name, followlinks=False):
        for name in files:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118
    return total


def bring_back(root: Path, one: Thrown) -> Path:
    """Give a thrown backup its name back. Raise FileExistsError when that name is taken, `StorageFailed` when it is
    gone. Call it within `locks.held(root, locks.TRASH)`, which the emptying holds too."""
    folder = root / layout.published_name(one.backup_id)
    durable.rename(root / one.name, folder)
    return folder


def empty(root: Path, *, older_than: datetime) -> tuple[str, ...]:
    """Remove for good what was thrown away before `older_than` and is not needed. Return the names that stood there."""
    with locks.held(root, locks.TRASH):
        due = [name for name in names(root) if (at := thrown_at(name)) is not None and at < older_than]
        return tuple(remove(root, name) for name in not_needed(root, due))


def not_needed(root: Path, due: Sequence[str]) -> list[str]:
    """Of the entries that are due return those to unlink, incrementals before their bases. The base of an incremental
    that is here, or that stays in the trash, is not among them: it may have to come back."""
    if not due:
        return []
    going = set(due)
    staying = [root / name for name in names(root) if name not in going and _backup(name)]
    needed = bases.needed_by([*staying, *root.glob(f"{layout.PUBLISHED_PREFIX}*")])
    ordered = sorted(due, key=lambda name: bases.base_of(root / name) is None)
    return [name for name in ordered if not _is_needed(root, _backup(name), needed)]


def _is_needed(root: Path, one: Thrown | None, needed: Container[str]) -> bool:
    """Whether an incremental needs this one, and no other of its id is here."""
    return one is not None and one.backup_id in needed and not (root / layout.published_name(one.backup_id)).is_dir()


def remove(root: Path, name: str) -> str:
    """Unlink one entry of the trash and return its name. It is renamed first, so that half of it is never brought back;
    call it within `locks.held(root, locks.TRASH)`."""
    backup = _backup(name)
    dying = root / name
    if not name.startswith(_EMPTIED):
        dying = root / f"{_EMPTIED}{name.removeprefix(layout.TRASH_PREFIX)}"
        durable.rename(root / name, dying)
    durable.remove_tree(dying)
    if backup is not None:
        locks.forget(root, backup.backup_id)
    return name


def names(root: Path) -> list[str]:
    """Return the names of all that lies in the trash."""
    try:
        return sorted(name for name in os.listdir(root) if name.startswith(layout.TRASH_PREFIX))  # noqa: PTH208
    except FileNotFoundError:
        return []
    except OSError as error:
        durable.fail(error, path=root)


def thrown_at(name: str) -> datetime | None:
    """Return when an entry of the trash was thrown away; None where its name does not report."""
    try:
        return datetime.strptime(name.rpartition("-")[2], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _backup(name: str) -> Thrown | None:
    prefix = f"{layout.TRASH_PREFIX}{layout.PUBLISHED_PREFIX}"
    at = thrown_at(name)
    if not name.startswith(prefix) or at is None:
        return None
    try:
        backup_id = layout.check_id(name.removeprefix(prefix).rsplit("-", 2)[0])
    except InvalidBackupId:
        return None
    return Thrown(backup_id=backup_id, name=name, at=at)
