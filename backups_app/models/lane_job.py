"""Rows of the worker's lanes: what somebody asked for, and which hosts have a process that reads."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LaneJob(models.Model):
    """Work that takes longer than a request: what was asked, how far it is, and what came of it. Ids, numbers and
    counts, no document. Removed after a day."""

    class Lane(models.TextChoices):
        READING = "reading"
        RUNS = "runs"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of store, kind and arguments.")
    kind = models.CharField(max_length=24)
    lane = models.CharField(max_length=8, choices=Lane.choices)
    arguments = models.TextField(help_text="JSON in ASCII: what a person typed may hold what no database keeps.")
    store = models.CharField(max_length=64, blank=True, help_text="The store whose folders it reads: `.store_id`.")
    asked_by = models.CharField(max_length=150)
    origin = models.CharField(max_length=8)
    request = models.JSONField(default=dict, help_text="The request it was asked in, for the audit trail.")
    to_the_end = models.BooleanField(default=False, help_text="Not given up when nobody asks for it.")
    state = models.CharField(max_length=8, choices=State.choices)
    begun = models.BooleanField(default=False, help_text="What its beginning puts on record is on record.")
    tries = models.PositiveSmallIntegerField(default=0)
    worker = models.JSONField(default=dict, help_text="The process that has it, as `ownership` writes it.")
    token = models.CharField(
        max_length=32, blank=True, help_text="That process's own: another one writes nothing here."
    )
    collection = models.CharField(max_length=255, blank=True)
    documents = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="When the process last wrote how far it is.")
    ended_at = models.DateTimeField(null=True)
    result = models.TextField(blank=True, help_text="JSON: ids, numbers and counts, no document.")
    error = models.TextField(blank=True, help_text="JSON: the name and the facts of the failure.")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["lane", "state", "created_at"], name="lane_job_next")]

    def __str__(self) -> str:
        return f"{self.kind} asked by {self.asked_by}: {self.state}"


class ReadingHost(models.Model):
    """When a worker of a host last looked for reading jobs of its store."""

    host = models.CharField(max_length=255)
    store = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "store"], name="one_row_a_host_and_store")]

    def __str__(self) -> str:
        return f"{self.host} at {self.at:%Y-%m-%d %H:%M:%S}Z"


class WorkerTick(models.Model):
    """When the worker of a host last looked at its schedules, and what all hosts of a site must have alike."""

    host = models.CharField(max_length=255, primary_key=True)
    at = models.DateTimeField()
    alike = models.JSONField(null=True, help_text="Settings by name: their value, of a key its mark. No key.")

    def __str__(self) -> str:
        return f"{self.host} at {self.at:%Y-%m-%d %H:%M:%S}Z"
