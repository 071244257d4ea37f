"""The row of a copy."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class BackupCopy(models.Model):
    """The copy of one backup at one target, made to one set of recipients. It is what the product knows of it.

    `written` are the names that were used, each written before its object is: `{name, path, size_bytes, sha256,
    clear_bytes, clear_sha256, proven}`; without a hash nobody knows whether the object is there. `manifest` names the
    last one of a complete copy; what the manifest does not name is left over.
    `target` is a name of `BACKUP_TARGETS`, or `name@mark` where the name stands for another place since.
    `backup` is what retention knows of the backup, written when the copy was made.
    `unread_since`: so long no try to read it back has succeeded at a target that answers; `unread_code` and
    `unread_facts` say why the last one failed. Nothing is known then of what is stored there.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        COPYING = "copying"
        COMPLETE = "complete"
        FAILED = "failed"
        REMOVED = "removed"
        """It was removed from the target, by name or by the rules: it is not made again."""

    backup_id = models.CharField(max_length=32)
    target = models.CharField(max_length=64)
    place = models.CharField(max_length=16, blank=True, help_text="Mark of the place; empty: not known.")
    recipients = models.TextField(blank=True, help_text="Public keys of age, in order, with spaces between them.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    elsewhere = models.BooleanField(default=False, help_text="It survives this computer, as far as is known.")
    written = models.JSONField(default=list)
    manifest = models.CharField(max_length=80, blank=True)
    backup = models.JSONField(default=dict)
    bytes = models.BigIntegerField(default=0, help_text="Stored bytes; while it is copied, those that are there.")
    total_bytes = models.BigIntegerField(default=0, help_text="Clear bytes of the backup's files.")
    attempts = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=64, blank=True)
    error_facts = models.JSONField(default=dict)
    fence = models.PositiveIntegerField(default=0, help_text="Rises with each claim: an overtaken process stops.")
    worker = models.JSONField(default=dict)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    copied_at = models.DateTimeField(null=True, blank=True)
    read_back_at = models.DateTimeField(null=True, blank=True)
    unread_since = models.DateTimeField(null=True, blank=True)
    unread_code = models.CharField(max_length=64, blank=True)
    unread_facts = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-backup_id", "target", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["backup_id", "target", "recipients"], name="one_copy_a_target_and_keys"),
        ]
        indexes: ClassVar = [models.Index(fields=["state"], name="backup_copy_state")]

    def __str__(self) -> str:
        return f"{self.backup_id} at {self.target}: {self.state}"
