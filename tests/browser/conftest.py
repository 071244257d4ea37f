"""A whole house for a real browser: two MongoDB servers behind lines one can cut, the pages, the worker, the people.

python -m pytest tests/browser -q
TEMPLEOPS_LONG=1                 also takes screenshots, in tests/output/; look at them
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from backups_app.mongo.embedded import EmbeddedServer, free_port
from tests.browser import temple_data
from tests.browser.checked_page import LONG, CheckedPage
from tests.commands import Commands
from tests.conftest import PASSWORD, Migrated
from tests.fork_server import ForkServer
from tests.proxy import Proxy

ROOT = Path(__file__).resolve().parents[2]
SHELL, WHOLE = ("chromium-headless-shell",), ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in (WHOLE + SHELL if LONG else SHELL + WHOLE) if (found := shutil.which(name))), None)
"""The shell is the engine without the browser's windows: half the processor time for a page. The long form takes the
whole browser."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
DATABASE = "temple_db"
PEOPLE = (("ananya", 0), ("ravi", 1), ("meena", 3))
MOST_OF_THE_LOG = 6_000
"""Characters of the house's log that stand beside a test that fails."""
START_SECONDS = 120  # on a busy machine it takes its time
expect.set_options(timeout=15_000)  # on a busy machine a password takes its time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium; where it is missing one sentence says so."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium here: apt-get install chromium-headless-shell"))


@dataclass
class RunningApp:
    """The running house. `local_line` and `atlas_line` lead to the two servers."""

    address: str
    backup_dir: Path
    local: EmbeddedServer
    atlas: EmbeddedServer
    local_line: Proxy
    atlas_line: Proxy
    environment: dict[str, str]
    commands: Commands
    fork_server: ForkServer
    log: Path
    clients: dict[str, Any] = field(default_factory=dict)

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a management command of the house, perhaps with other settings, and return what it stated."""
        if not settings:
            return self.commands.run(*arguments)
        return self.fork_server.run(*arguments, environment={**self.environment, **settings})

    def database(self, side: str = "local") -> Any:
        """The temple's database, straight from the server and not through the line."""
        if side not in self.clients:
            self.clients[side] = (self.local if side == "local" else self.atlas).client()
        return self.clients[side][DATABASE]

    def wait_until(self, condition: Callable[[], Any], *, seconds: float = 60) -> None:
        """Wait until `condition` holds."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it did not come to pass"
            time.sleep(0.02)

    def empty(self) -> None:
        """No data, no backups, no sessions of anybody, both lines whole."""
        self.local_line.heal()
        self.atlas_line.heal()
        for server in (self.local, self.atlas):
            with server.client() as client:
                client.drop_database(DATABASE)
        for entry in self.backup_dir.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@pytest.fixture(scope="session")
def _running_app(
    local_server: EmbeddedServer, remote_server: EmbeddedServer, memory_folder: Path, migrated: Migrated,
    fork_server: ForkServer,
) -> Iterator[RunningApp]:  # fmt: skip
    folder = memory_folder / "house"
    (folder / "backups").mkdir(mode=0o700, parents=True)
    migrated(folder / "db.sqlite3")
    with ExitStack() as opened:
        local_line, atlas_line = (
            opened.enter_context(Proxy(server.address)) for server in (local_server, remote_server)
        )
        environment = _environment(folder, local_line, atlas_line)
        running_app = RunningApp(
            address="",
            backup_dir=folder / "backups",
            local=local_server,
            atlas=remote_server,
            local_line=local_line,
            atlas_line=atlas_line,
            environment=environment,
            commands=opened.enter_context(Commands(environment)),
            fork_server=fork_server,
            log=folder / "serve.log",
        )
        running_app.manage("shell", "-c", _make_people())
        with serving(running_app) as running_app.address:
            yield running_app
        for client in running_app.clients.values():
            client.close()


def _environment(folder: Path, local_line: Proxy, atlas_line: Proxy) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))},
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "MONGODB_LOCAL_URL": local_line.uri,
        "MONGODB_CLOUD_URL": atlas_line.uri,
        "DATABASE_NAME": DATABASE,
        "BACKUP_DIR": str(folder / "backups"),
        "BACKUP_ENGINE": "python",
        "ALLOW_PLAIN_HTTP": "true",
        "SECRET_KEY": "a-key-for-tests-that-is-long-enough-to-be-one-0123456789",
    }


@contextmanager
def serving(running_app: RunningApp) -> Iterator[str]:
    """Serve the pages and the worker with the environment of this house. Yield their address."""
    port = free_port()
    log = running_app.log
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    with log.open("a") as message:
        process = subprocess.Popen(command, env=running_app.environment, stdout=message, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/login/", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=40)


def _make_people() -> str:
    made = "; ".join(
        f"User.objects.create_user('{name}', password='{PASSWORD}', role_id={role_id}, first_name='{name.title()}')"
        for name, role_id in PEOPLE
    )
    return f"from backups_app.models import User; {made}"


def _wait_for(address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"The house did not open: {log.read_text()[-2000:]}")


@pytest.fixture
def running_app(_running_app: RunningApp) -> Iterator[RunningApp]:
    """The house with a small temple in it, and nothing else."""
    _running_app.empty()
    temple_data.fill(_running_app.database("local"), _running_app.database("remote"))
    logged_bytes = _running_app.log.stat().st_size
    yield _running_app
    _running_app.local_line.heal()
    _running_app.atlas_line.heal()
    print(_running_app.log.read_bytes()[logged_bytes:].decode(errors="replace")[-MOST_OF_THE_LOG:])


@pytest.fixture
def open_house(_running_app: RunningApp, browser: Browser) -> Iterator[Callable[..., CheckedPage]]:
    """Serves the same temple to the same people with other settings. Returns a watched page of that house."""
    with ExitStack() as opened:

        def open_it(**settings: str) -> CheckedPage:
            running_app = replace(_running_app, environment={**_running_app.environment, **settings})
            address = opened.enter_context(serving(running_app))
            return CheckedPage(opened.enter_context(closing(browser.new_context(base_url=address))).new_page())

        yield open_it


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, the shell or the whole; nothing is downloaded."""
    return {"executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture
def checked_page(running_app: RunningApp, page: Page) -> Iterator[CheckedPage]:
    """A watched page of the house. Whatever the console stated until the end is a fault."""
    watched = CheckedPage(page)
    yield watched
    assert watched.faults == []


@pytest.fixture
def another_look(running_app: RunningApp, new_context: Callable[[], BrowserContext]) -> CheckedPage:
    """Somebody else's browser."""
    return CheckedPage(new_context().new_page())


@pytest.fixture(scope="session")
def base_url(_running_app: RunningApp) -> str:
    """Pages are opened by their path alone."""
    return _running_app.address
