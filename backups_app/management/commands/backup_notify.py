"""Send a test message, or list channels and the outbox."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.access.requests.visit import Visit
from backups_app.management.base import TempleCommand
from backups_app.management.terminal.document_text import safe
from backups_app.records import Origin
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.notifications.notifications import Overview


class Command(TempleCommand):
    help = "Send a test message through the channels, or list channels and messages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["test", "list"])
        parser.add_argument("--channel", default="", help="Only this channel, by its key from list.")
        parser.add_argument("--limit", type=int, default=20, help="How many messages to list (20).")

    def execute_command(self, **options: Any) -> int:
        return self.test(options["channel"]) if options["what"] == "test" else self.list(max(1, options["limit"]))

    def test(self, channel: str) -> int:
        """Send a test now. Return 1 when a channel did not accept it."""
        settings = configuration.current()
        rows = notifications.send_test(
            configuration=settings, channel=channel, by=None, visit=Visit(origin=Origin.COMMAND),
            actor=getpass.getuser(),
        )  # fmt: skip
        names = notifications.channel_names(settings)
        if self.options["json"]:
            self.print_json([notifications.public(row, names=names) for row in rows])
        for row in rows if not self.options["json"] else ():
            problem = notifications.problem_of(row)
            message = f"{problem.detail} {problem.hint}".rstrip() if problem else "accepted"
            self.stdout.write(f"{safe(names.get(row.channel, row.channel))}: {message}")
        return int(any(row.state != "sent" for row in rows))

    def list(self, limit: int) -> int:
        settings = configuration.current()
        if self.options["json"]:
            self.print_json(notifications.newest(configuration=settings, limit=limit))
            return 0
        for line in _lines(notifications.overview(configuration=settings, limit=limit)):
            self.stdout.write(line)
        return 0


def _lines(overview: Overview) -> Iterator[str]:
    names = {state.channel.key: safe(state.channel.name) for state in overview.channels}
    for state in overview.channels:
        accepted = f"{timezone.localtime(state.accepted_at):%d %b %Y %H:%M}" if state.accepted_at else "never"
        wish = state.channel.wish or "nothing"
        yield f"{state.channel.key:22} {names[state.channel.key]:20} {wish:10} accepted: {accepted}"
        if state.problem:
            yield f"    {state.problem.detail} {state.problem.hint}".rstrip()
    if not overview.channels:
        yield "No channel: set EMAIL_URL and an address for a Super Admin, or NOTIFY_URLS, or HEALTHCHECK_URL."
    for row in overview.outbox:
        at = timezone.localtime(row.created_at)
        problem = f"  {row.problem_code}" if row.problem_code else ""
        twice = "  may arrive twice" if row.interruptions else ""
        yield (
            f"{at:%d %b %Y %H:%M}  {row.state:8} {row.attempts:>3} tries  {names.get(row.channel, row.channel):20} "
            f"{safe(notifications.title_of(row))}{problem}{twice}"
        )
