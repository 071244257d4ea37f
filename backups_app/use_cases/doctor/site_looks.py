"""What a site of several hosts stands on besides: settings that all have alike, the broker that wakes workers."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.jobs import broker
from backups_app.use_cases.doctor.doctor_looks import DoctorFinding
from backups_app.use_cases.schedules import alike


def other_hosts(configuration: Configuration) -> Iterator[DoctorFinding]:
    """Hosts of this site whose settings are not those of this one, where they must be."""
    for host, names in alike.others(configuration=configuration, now=timezone.now()):
        sentence = f"The worker of {host} runs with other settings than these: {', '.join(names)}."
        fix = "Give all hosts of this site the same, and start the worker again: docs/several_machines.md"
        if "DATABASE_NAME" in names:
            fix = "Schedules wait. Give each temple a DATABASE_URL of its own, then start the workers again."
        yield DoctorFinding(level="problem", subject="settings_differ", sentence=sentence, fix=fix)


def jobs_broker() -> Iterator[DoctorFinding]:
    """Whether workers can listen to the broker: one that answers may refuse that."""
    failure = broker.failure()
    if failure is None:
        yield DoctorFinding(level="ok", subject="jobs", sentence="The broker of JOBS_BROKER_URL answers.")
        return
    sentence = (
        f"Workers cannot listen to the broker of JOBS_BROKER_URL ({failure}): they begin a job within five seconds, "
        "not at once."
    )
    fix = "Start it, or correct JOBS_BROKER_URL. OutOfMemoryError: raise maxmemory of Redis."
    yield DoctorFinding(level="problem", subject="jobs", sentence=sentence, fix=fix)
