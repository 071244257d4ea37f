"""`manage.py demo`: a small temple's data and people, to try everything with."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.utils import timezone

from backups_app import configuration, formats
from backups_app.configuration import Configuration
from backups_app.errors import DemoUnconfirmed
from backups_app.management.base import TempleCommand
from backups_app.management.demo import filling, people
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.use_cases import confirmation


class Command(TempleCommand):
    help = (
        "Fill the configured databases, which must be empty, with a small temple, and add three people. A second "
        "call changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="Drop what the demo filled, and fill it again.")
        parser.add_argument(
            "--history",
            action="store_true",
            help="Also make thirty days of nightly backups, with schedules.",
        )
        parser.add_argument(
            "--confirm", default="", help="The phrase for --reset on servers that are not the demo's own."
        )

    def execute_command(self, **options: Any) -> int:
        current = configuration.current()
        sides = _sides(current)
        if options["reset"]:
            _require_confirmation(options["confirm"], current)
            filling.reset(sides=sides)
        if options["history"] and not options["json"]:
            self.stdout.write("Making thirty days of backups, where they are missing …")
            self.stdout.flush()
        filled = filling.fill(sides=sides, now=timezone.now(), with_history=options["history"])
        logins = people.make(known_passwords=settings.DEMO)
        if options["json"]:
            people_json = [
                {"username": one.username, "role_id": one.role_id, "password": one.password} for one in logins
            ]
            self.print_json({"database": current.database_name, "filled": filled, "logins": people_json})
        else:
            self._report(filled, logins, current)
        return 0

    def _report(self, filled: dict[str, int], logins: list[people.DemoLogin], current: Configuration) -> None:
        if filled:
            total = formats.grouped(sum(filled.values()))
            self.stdout.write(f"Filled {current.database_name}: {len(filled)} collections, {total} documents.")
        else:
            self.stdout.write(f"The demo's temple is in {current.database_name} already.")
        if not current.sync_enabled:
            self.stdout.write("MONGODB_CLOUD_URL is not set: there is no Atlas side.")
        if settings.DEMO and current.email_url.startswith("file://"):
            self.stdout.write("Messages are files in .demo/mail: send a test on the page Notifications.")
        self.stdout.write("")
        for login in logins:
            password = login.password or "(was here before; its password is unchanged)"
            self.stdout.write(f"  {login.username:8} {password:28} {login.title}")
        self.stdout.write("")


def _sides(current: Configuration) -> dict[Side, filling.MongoDatabase]:
    sides = {Side.LOCAL: connections.database(connections.open_local(current), current.database_name)}
    if current.sync_enabled:
        sides[Side.REMOTE] = connections.database(connections.open_remote(current), current.database_name)
    for side, database in sides.items():
        with connections.reachable(side):
            connections.ping(database.client)
    return sides


def _require_confirmation(confirmed: str, current: Configuration) -> None:
    phrase = f"ERASE {current.database_name}"
    if not settings.DEMO:
        refusal = DemoUnconfirmed(database=current.database_name, phrase=phrase)
        confirmation.require(phrase, typed=confirmed, refusal=refusal)
