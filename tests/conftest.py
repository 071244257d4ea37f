"""People and things that every test may ask for: real MongoDB servers, fresh databases, people of each role."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import override_settings
from django.utils import translation
from pymongo import MongoClient
from pymongo.database import Database
from whitenoise.middleware import WhiteNoiseMiddleware

from backups_app.configuration import Configuration, Secret
from backups_app.models import User
from backups_app.mongo import connections
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import Side
from tests.fork_server import ForkServer

pytest_plugins = ["tests.sync.counts", "tests.services.fixtures"]
ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "a-long-enough-password"
# Playwright leaves its loop running in this thread from the first browser test on; Django would refuse its database to
# every test after it. Nothing of ours is async.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
NOBODY = Secret("mongodb://127.0.0.1:9/?appName=nobody")
"""Where no server is."""
_numbers = itertools.count(1)
_clearing: dict[str, MongoClient[dict[str, Any]]] = {}
MEMORY_DISK = Path("/dev/shm")
MEMORY_NEEDED = 3 << 30
"""Three servers and Django's database take 1.1 GB."""
OBJECTS_BEFORE_COLLECTION = 20_000
BROWSER = "browser"
LONGEST_FILES = (
    "browser/test_every_page.py", "security/test_paths.py", "security/test_paths_of_pages.py", "pages/test_crawl.py",
    "pages/test_crawl_in_hindi.py", "browser/test_viewer.py",
    "journeys/test_runbook.py", "journeys/test_a_run.py", "security/test_rbac_api.py", "faults/test_restore_kill.py",
    "browser/test_hindi.py", "browser/test_hostile_values.py", "security/test_rbac_pages.py", "faults/test_kill.py",
    "journeys/test_nobody_reads.py", "journeys/test_incremental_runs.py", "journeys/test_serve.py",
    "security/test_openapi.py", "hosts/test_rolling_update.py", "use_cases/test_copy_secrets.py",
    "hosts/test_three_temples.py", "storage/test_the_fire.py",
)  # fmt: skip
LONGEST_ROOMS = ("faults", "journeys", "sync", "pages", "security")
"""What takes longest begins, in several processes, so that short files fill the end: these files, then these rooms."""
BESIDE_A_BROWSER = 2
"""So many other files for each of the browser's: three browsers at once would starve two processors."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In several processes, put what takes longest first, and the browser's files between them."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    files = [list(tests) for _, tests in itertools.groupby(items, key=lambda item: item.path)]
    files.sort(key=lambda tests: _rank(tests[0].path))
    browser = [tests for tests in files if _room(tests[0].path) == BROWSER]
    others = [tests for tests in files if _room(tests[0].path) != BROWSER]
    for number, tests in enumerate(browser):
        others.insert(number * (BESIDE_A_BROWSER + 1), tests)
    items[:] = itertools.chain.from_iterable(others)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look at it again and again. It looks less
    often, too: at its default it took a fifteenth of the processor time of requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)


def _room(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).parts[0]


def _rank(path: Path) -> tuple[int, int]:
    name, room = path.relative_to(Path(__file__).parent).as_posix(), _room(path)
    return (
        LONGEST_FILES.index(name) if name in LONGEST_FILES else len(LONGEST_FILES),
        LONGEST_ROOMS.index(room) if room in LONGEST_ROOMS else len(LONGEST_ROOMS),
    )


@pytest.fixture(scope="session")
def memory_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the data of test servers: in memory where there is room, else on the disk.

    Not for tests of durability: those start servers of their own on the disk.
    """
    _remove_what_killed_sessions_left()
    if not MEMORY_DISK.is_dir() or shutil.disk_usage(MEMORY_DISK).free < MEMORY_NEEDED:
        yield tmp_path_factory.mktemp("servers")
        return
    with tempfile.TemporaryDirectory(
        prefix=f"templeops-tests-{os.getpid()}-", dir=MEMORY_DISK, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _remove_what_killed_sessions_left() -> None:
    """A killed session cannot clean up, and what it left would fill the memory."""
    for left in MEMORY_DISK.glob("templeops-tests-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(memory_folder: Path) -> None:
    """A file, as in production: SQLite's shared memory knows no waiting, so threads would fail with "locked"."""
    from django.conf import settings

    chosen = settings.DATABASES["default"].setdefault("TEST", {})
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        folder = memory_folder / "django_database"
        folder.mkdir()
        chosen["NAME"] = str(folder / "test.sqlite3")
    elif worker := os.environ.get("PYTEST_XDIST_WORKER"):  # several processes, one server
        chosen["NAME"] = f"test_templeops_{worker}"


Migrated = Callable[[Path], None]


@pytest.fixture(scope="session")
def migrated(memory_folder: Path, fork_server: ForkServer) -> Migrated:
    """Call it with a path: then a migrated Django database is there, for processes of their own. Migrated once."""
    made = memory_folder / "migrated.sqlite3"
    environment = {"DATABASE_URL": f"sqlite:///{made}", "MONGODB_LOCAL_URL": str(NOBODY)}
    fork_server.run("migrate", "--verbosity", "0", environment=os.environ | environment).check_returncode()

    def copy(path: Path) -> None:
        shutil.copyfile(made, path)

    return copy


@pytest.fixture(scope="session")
def fork_server(memory_folder: Path) -> Iterator[ForkServer]:
    """Runs `manage.py` with any environment, without importing every library again for each command."""
    folder = memory_folder / "fork_server"
    folder.mkdir()
    with ForkServer(folder) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_quickly() -> Iterator[None]:
    """With the same function at its least cost: at its real one, hashing would be most of what the suite does."""
    with pytest.MonkeyPatch.context() as patch:
        for name, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            patch.setattr(Argon2PasswordHasher, name, least)
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Each new client of a test would look through the folders of static files again, which took most of its time."""
    find, found = WhiteNoiseMiddleware.add_files_from_finders, dict[str, Any]()

    def add(middleware: Any) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add)
        yield


@pytest.fixture(scope="session", autouse=True)
def _the_disk_has_room() -> Iterator[None]:
    """Whatever the disk of this machine holds, a run in this process does not warn of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backups_app.runs.steps.preflight.NEARLY_FULL", 0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_is_given_up_soon() -> Iterator[None]:
    """After a second instead of five or fifteen. At the address NOBODY alone: a client is kept for its address, and one
    of a real server must not stay impatient for the tests that follow."""
    real = connections._open

    def open_it(side: Side, url: str, *, for_scans: bool) -> connections.Client:
        with pytest.MonkeyPatch.context() as patch:
            if url == str(NOBODY):
                patch.setitem(connections.SERVER_SELECTION_SECONDS, side, 1)
            return real(side, url, for_scans=for_scans)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "_open", open_it)
        yield


@pytest.fixture(autouse=True)
def _nobody_elses_language() -> Iterator[None]:
    """A request leaves the thread in its language; the next test of this process begins in that of the house."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def local_server(memory_folder: Path) -> Iterator[EmbeddedServer]:
    """The temple's own MongoDB: a one-node replica set."""
    yield from _running(EmbeddedServer(data_dir=memory_folder / "local_server", replica_set="local"))


@pytest.fixture(scope="session")
def remote_server(memory_folder: Path) -> Iterator[EmbeddedServer]:
    """What stands for Atlas: another one-node replica set."""
    yield from _running(EmbeddedServer(data_dir=memory_folder / "remote_server", replica_set="atlas"))


@pytest.fixture(scope="session")
def standalone_server(memory_folder: Path) -> Iterator[EmbeddedServer]:
    """A MongoDB without a replica set: no transactions, no change streams."""
    yield from _running(EmbeddedServer(data_dir=memory_folder / "standalone_server"))


def _running(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    with server:
        yield server
        # While it still answers: a client says goodbye, and would wait for an answer.
        connections.close_all()
        if client := _clearing.pop(server.address, None):
            client.close()


@pytest.fixture
def local_db(local_server: EmbeddedServer) -> Iterator[Database[dict[str, Any]]]:
    """An empty database on the local server, opened as the product opens it. Dropped afterwards."""
    yield from _fresh_database(Side.LOCAL, local_server)


@pytest.fixture
def remote_db(remote_server: EmbeddedServer, local_db: Database[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """An empty database on the remote server, of the same name as `local_db`. Dropped afterwards."""
    yield from _fresh_database(Side.REMOTE, remote_server, name=local_db.name)


@pytest.fixture
def standalone_db(standalone_server: EmbeddedServer) -> Iterator[Database[dict[str, Any]]]:
    """An empty database on the standalone server. Dropped afterwards."""
    yield from _fresh_database(Side.LOCAL, standalone_server)


@pytest.fixture
def a_folder(tmp_path: Path) -> Path:
    """An empty folder that only we may enter, as backups want it."""
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def configured(
    local_db: Database[dict[str, Any]],
    remote_db: Database[dict[str, Any]],
    local_server: EmbeddedServer,
    remote_server: EmbeddedServer,
    a_folder: Path,
) -> Iterator[Configuration]:
    """The configuration in force: both servers, their fresh databases, an empty backup folder.

    Change a setting inside a test with `override_settings(TEMPLEOPS=dataclasses.replace(configured, …))`.
    """
    configuration = Configuration(
        local_url=Secret(local_server.uri),
        cloud_url=Secret(remote_server.uri),
        database_name=local_db.name,
        backup_dir=a_folder,
        backup_engine="python",
        backup_sync_wait_seconds=30,
    )
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


@pytest.fixture
def super_admin(db: None) -> User:
    """Role 0."""
    return _person("ananya", role_id=0)


@pytest.fixture
def admin(db: None) -> User:
    """Role 1. (The name is Django's own `admin` command's too; here it is a person.)"""
    return _person("ravi", role_id=1)


@pytest.fixture
def staff(db: None) -> User:
    """Role 3: signed in, and without any right in Backup Management."""
    return _person("meena", role_id=3)


@pytest.fixture
def stranger(db: None) -> User:
    """No role at all, though Django would call them a superuser."""
    return _person("stranger", role_id=None, is_staff=True, is_superuser=True)


@pytest.fixture
def password() -> str:
    """The password of every person above."""
    return PASSWORD


def _person(username: str, **fields: Any) -> User:
    person = get_user_model().objects.create_user(username, password=PASSWORD, **fields)
    assert isinstance(person, User)
    return person


def _fresh_database(side: Side, server: EmbeddedServer, name: str = "") -> Iterator[Database[dict[str, Any]]]:
    name = name or f"temple_{next(_numbers)}"
    open_client = connections.open_local if side is Side.LOCAL else connections.open_remote
    configuration = Configuration(local_url=Secret(server.uri), cloud_url=Secret(server.uri))
    yield connections.database(open_client(configuration), name)
    _client_to_clear(server).drop_database(name)


def _client_to_clear(server: EmbeddedServer) -> MongoClient[dict[str, Any]]:
    """Return a client for all tests, which none of them can close or break. A new one for each took most of the time of
    dropping a database."""
    if server.address not in _clearing:
        _clearing[server.address] = server.client()
    return _clearing[server.address]
