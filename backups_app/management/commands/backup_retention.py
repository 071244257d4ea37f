"""The policy of retention: show, set, turn off, try out; release a holder, accept a loss."""

from __future__ import annotations

import argparse
import getpass
from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.management.terminal import retention_text
from backups_app.records import Origin
from backups_app.retention.policy import PERIODS, PROPOSED, Policy
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import pins, policy, simulation
from backups_app.use_cases.schedules import overview

RULES = ("last", *PERIODS)


class Command(TempleCommand):
    help = "Retention rules: show | off | set | simulate | release ID --confirm ID | accept ID."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="do", required=True, metavar="show|off|set|simulate|release|accept")
        shown = {
            "show": "Show the rules in force, and what they would do now.",
            "off": "Remove nothing by itself any more.",
            "set": "Set all rules: one that is not named is 0.",
            "simulate": (
                "Show what rules would keep and remove; without numbers, the rules in force or the proposed ones."
            ),
            "release": "Release a backup: nobody needs the documents that only it holds.",
            "accept": "Accept a loss: the backup's collections shrank on purpose.",
        }
        for name, words in shown.items():
            act = acts.add_parser(name, help=words)
            act.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
            if name in ("set", "simulate"):
                for rule in RULES:
                    act.add_argument(f"--{rule}", type=int, default=None, metavar="N")
            if name in ("release", "accept"):
                act.add_argument("backup_id", metavar="ID")
            if name == "release":
                act.add_argument("--confirm", default="", metavar="ID", help="The id, typed again.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        readiness.require_local(settings)
        who: dict[str, Any] = {"requested_by": getpass.getuser(), "origin": Origin.COMMAND, "now": timezone.now()}
        match options["do"]:
            case "set" | "off":
                wanted = _named(options) or Policy() if options["do"] == "set" else None
                policy.change(
                    configuration=settings, policy=wanted, changed_by=getpass.getuser(), origin=Origin.COMMAND,
                    now=timezone.now(),
                )  # fmt: skip
            case "release":
                pins.release(configuration=settings, backup_id=options["backup_id"], typed=options["confirm"], **who)
            case "accept":
                pins.accept(configuration=settings, backup_id=options["backup_id"], typed=options["backup_id"], **who)
        return self.show(settings, options)

    def show(self, settings: configuration.Configuration, options: dict[str, Any]) -> int:
        """Print the policy and what it does now: of what was typed, or else of the one in force."""
        in_force = policy.current()
        tried = (_named(options) or in_force or PROPOSED) if options["do"] == "simulate" else in_force
        simulated = tried and _simulated(settings, tried)
        if options["json"]:
            decision = simulation.as_json(simulated.decision) if simulated else {"kept": [], "removed": []}
            self.print_json({"on": in_force is not None, "policy": tried and tried.as_json(), **decision})
            return 0
        if in_force is None:
            self.stdout.write("Retention is off: nothing is removed by itself.")
        for line in retention_text.simulation_lines(simulated) if simulated else ():
            self.stdout.write(line)
        return 0


def _simulated(settings: configuration.Configuration, tried: Policy) -> simulation.Simulation:
    now = timezone.now()
    return simulation.simulate(configuration=settings, policy=tried, now=now, coming=overview.backup_slots(now=now))


def _named(options: dict[str, Any]) -> Policy | None:
    numbers = {rule: options.get(rule) for rule in RULES}
    return (
        Policy(**{rule: n or 0 for rule, n in numbers.items()})
        if any(n is not None for n in numbers.values())
        else None
    )
