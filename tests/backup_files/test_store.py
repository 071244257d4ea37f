"""The store lists what is a backup, follows no link, and loses nothing."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backups_app.backup_files import descent
from backups_app.backup_files.store.store import Store
from backups_app.errors import BackupNotFound, FolderNotWritable, InvalidBackupId, StorageFailed, VerificationFailed

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ID = "20261124_120000"


@pytest.fixture
def store(a_folder: Path) -> Store:
    store = Store(a_folder)
    store.prepare()
    return store


def a_published(store: Store, backup_id: str = ID) -> Path:
    folder = store.make_partial(backup_id)
    (folder / "metadata.json").write_text("{}")
    return store.publish(backup_id)


def test_preparing_makes_the_folder_and_its_identity_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")

    first, second = store.prepare(), store.prepare()

    assert first == second == store.store_id()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / ".store_id").stat().st_mode & 0o777 == 0o600


def test_a_store_that_was_never_prepared_has_no_identity(tmp_path: Path) -> None:
    assert Store(tmp_path).store_id() is None
    assert Store(tmp_path / "unmounted").store_id() is None
    assert list(tmp_path.iterdir()) == []


def test_a_link_as_the_root_is_refused_and_its_target_untouched(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "root").symlink_to(target)

    with pytest.raises(FolderNotWritable):
        Store(tmp_path / "root").prepare()

    assert list(target.iterdir()) == []
    assert Store(tmp_path / "root").backups().ids == ()


def test_a_partial_folder_is_listed_only_once_it_is_published(store: Store) -> None:
    (store.make_partial(ID) / "metadata.json").touch()
    before = store.backups().ids

    store.publish(ID)

    assert before == ()
    assert store.backups().ids == (ID,)
    assert store.partials() == ()


def test_two_runs_cannot_have_the_same_partial_folder(store: Store) -> None:
    store.make_partial(ID)

    with pytest.raises(FileExistsError):
        store.make_partial(ID)


def test_publishing_never_replaces_a_backup(store: Store) -> None:
    (a_published(store) / "kept").write_text("the first")
    store.make_partial(ID)

    with pytest.raises(FileExistsError):
        store.publish(ID)

    assert (store.folder(ID) / "kept").read_text() == "the first"


def test_publishing_over_an_empty_folder_of_that_name_is_refused_too(store: Store) -> None:
    (store.root / f"backup_{ID}").mkdir()
    store.make_partial(ID)

    with pytest.raises(FileExistsError):
        store.publish(ID)


def test_links_files_empty_folders_and_other_names_are_reported_and_not_listed(store: Store, tmp_path: Path) -> None:
    a_published(store)
    (store.root / "backup_20261124_120001").symlink_to(store.root / f"backup_{ID}")
    (store.root / "backup_20261124_120002").write_text("a file")
    (store.root / "backup_20261124_120003").mkdir()
    (store.root / "backup_old").mkdir()
    (store.root / "unrelated").mkdir()

    listing = store.backups()

    assert listing.ids == (ID,)
    assert {one.name: one.reason for one in listing.ignored} == {
        "backup_20261124_120001": "it is a link or no directory",
        "backup_20261124_120002": "it is a link or no directory",
        "backup_20261124_120003": "it is empty",
        "backup_old": "its name is not a backup's",
    }


def test_a_linked_backup_is_not_found(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store.root / f"backup_{ID}").symlink_to(elsewhere)

    with pytest.raises(BackupNotFound):
        store.folder(ID)
    with pytest.raises(BackupNotFound):
        store.trash(ID, now=NOW)

    assert elsewhere.is_dir()


@pytest.mark.parametrize("bad", ["../etc", "..", "20261124_120000/..", "", "x"])
def test_what_is_no_id_opens_nothing(store: Store, bad: str) -> None:
    for act in (store.folder, store.make_partial, store.publish, store.folder_bytes):
        with pytest.raises(InvalidBackupId):
            act(bad)


def test_trash_is_out_of_the_list_at_once_and_gone_a_day_later(store: Store) -> None:
    a_published(store)

    store.trash(ID, now=NOW)
    first = store.empty_trash(older_than=NOW - timedelta(hours=1))
    second = store.empty_trash(older_than=NOW + timedelta(seconds=1))

    assert store.backups().ids == ()
    assert (first, len(second)) == ((), 1)
    assert {name.name for name in store.root.iterdir()} == {".locks", ".store_id"}


def test_as_long_as_the_trash_is_there_it_is_known_when_a_backup_was_removed(store: Store) -> None:
    a_published(store)
    assert store.thrown_away_at(ID) is None

    store.trash(ID, now=NOW)

    assert store.thrown_away_at(ID) == NOW.replace(microsecond=0)
    assert store.thrown_away_at(f"{ID}_01") is None
    store.empty_trash(older_than=NOW + timedelta(seconds=1))
    assert store.thrown_away_at(ID) is None


def test_removal_does_not_follow_links_inside_a_backup(store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "booking").write_text("kept")
    folder = store.make_partial(ID)
    (folder / "link").symlink_to(precious)
    (folder / "file").symlink_to(precious / "booking")

    store.discard_partial(ID, now=NOW)

    assert (precious / "booking").read_text() == "kept"
    assert store.partials() == ()
    assert [name.name for name in store.root.iterdir()] == [".store_id"]


def test_discarding_what_is_gone_is_fine(store: Store) -> None:
    store.discard_partial(ID, now=NOW)


def test_an_owner_that_wakes_up_late_cannot_publish_what_recovery_discarded(store: Store) -> None:
    store.make_partial(ID)
    store.discard_partial(ID, now=NOW)

    with pytest.raises(StorageFailed):
        store.publish(ID)

    assert store.backups().ids == ()


def test_every_id_that_stands_in_the_store_is_taken(store: Store) -> None:
    a_published(store)
    store.make_partial("20261124_120001")

    assert store.taken_ids() == {ID, "20261124_120001"}


def test_looser_rights_are_reported_with_their_repair(store: Store) -> None:
    folder = a_published(store)
    (folder / "metadata.json").chmod(0o644)
    folder.chmod(0o755)

    loose = {one.name: one.repair for one in store.loose()}

    assert loose == {f"backup_{ID}": "chmod 700", f"backup_{ID}/metadata.json": "chmod 600"}


def test_before_the_first_backup_the_disk_is_that_of_the_parent(a_folder: Path) -> None:
    not_made_yet = Store(root=a_folder / "backups")

    usage = not_made_yet.usage()

    assert 0 < usage.free_bytes <= usage.total_bytes
    assert not not_made_yet.root.exists(), "looking makes nothing"


def test_sizes_are_those_of_the_disk(store: Store) -> None:
    (a_published(store) / "data").write_bytes(b"x" * 1000)

    usage = store.usage()

    assert store.folder_bytes(ID) == 1002
    assert 0 < usage.free_bytes <= usage.total_bytes


@pytest.mark.parametrize("path", ["../outside", "db/../../outside", "/etc/passwd", "db//x", "", ".", "db/./x", "a\0b"])
def test_a_path_that_leaves_the_folder_is_not_there(a_folder: Path, path: str) -> None:
    (a_folder.parent / "outside").write_text("secret")
    (a_folder / "db").mkdir()

    with pytest.raises(FileNotFoundError):
        descent.open_file(a_folder, path)


def test_links_and_pipes_are_not_opened(a_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "x").write_text("secret")
    (a_folder / "link").symlink_to(tmp_path / "secret")
    (a_folder / "db").symlink_to(tmp_path / "db")
    os.mkfifo(a_folder / "pipe")

    for path in ("link", "db/x", "pipe"):
        with pytest.raises(VerificationFailed):
            descent.open_file(a_folder, path)
