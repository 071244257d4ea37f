"""Looks at engine, folder, disk, both databases, clocks and lock, and says how to mend what is wrong."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser
from typing import Any

from backups_app import configuration
from backups_app.management.base import TempleCommand
from backups_app.use_cases.doctor import doctor, doctor_looks
from backups_app.use_cases.readiness import readiness

SIGNS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


class Command(TempleCommand):
    help = "Check everything that backups need, and say how to repair it. Exit 1 when there is a problem."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--adopt-store", action="store_true", help="The backup folder was changed on purpose.")

    def execute_command(self, **options: Any) -> int:
        settings = configuration.current()
        if options["adopt_store"]:
            readiness.require_local(settings)
            self.say(f"The backup folder is adopted: {doctor.adopt_store(configuration=settings)}")
        findings = doctor.examine(configuration=settings)
        if options["json"]:
            self.print_json([dataclasses.asdict(finding) for finding in findings])
        else:
            self.show(findings)
        return int(any(finding.level == "problem" for finding in findings))

    def show(self, findings: list[doctor_looks.DoctorFinding]) -> None:
        for finding in findings:
            self.stdout.write(f"{SIGNS[finding.level]} {finding.subject}: {finding.sentence}")
            if finding.fix:
                self.stdout.write(f"        {finding.fix}")
