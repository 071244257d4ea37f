"""Rows of the Django database: people, their login sessions, the audit trail, and the policy of retention."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models

from backups_app.models.backup_copy import BackupCopy as BackupCopy
from backups_app.models.kept_search import KeptSearch as KeptSearch
from backups_app.models.lane_job import LaneJob as LaneJob
from backups_app.models.lane_job import ReadingHost as ReadingHost
from backups_app.models.lane_job import WorkerTick as WorkerTick
from backups_app.models.login_failure import LoginFailure as LoginFailure
from backups_app.models.opened_copy import OpenedCopy as OpenedCopy
from backups_app.models.retention import RetentionPolicy as RetentionPolicy
from backups_app.models.site_identity import SiteIdentity as SiteIdentity
from backups_app.models.store_report import StoreReport as StoreReport
from backups_app.models.target_look import TargetLook as TargetLook


class TempleUserManager(UserManager["User"]):
    """Makes people. `createsuperuser` makes a Super Admin: role 0."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        extra.setdefault("role_id", User.SUPER_ADMIN)
        return super().create_superuser(username, email, password, **extra)


class User(AbstractUser):
    """A person of the temple. `role_id` alone opens Backup Management; `is_superuser` does not."""

    SUPER_ADMIN = 0
    ADMIN = 1
    STAFF = 2

    role_id = models.IntegerField(
        null=True, blank=True, default=STAFF, help_text="0 Super Admin, 1 Admin, 2 and above others."
    )

    # A temple's administrator need not have an e-mail address: `createsuperuser --noinput` works without one.
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[TempleUserManager] = TempleUserManager()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. Raise ValueError for a role that is not a whole number: the database would make `True` an Admin."""
        if self.role_id is not None and type(self.role_id) is not int:
            raise ValueError(f"role_id must be a whole number or None, not {type(self.role_id).__name__}")
        super().save(*args, **kwargs)


class LoginSession(models.Model):
    """One login, by a page or by the API. Revoking the row ends every cookie and token that stands on it."""

    class Face(models.TextChoices):
        PAGES = "pages"
        API = "api"

    sid = models.CharField(max_length=43, unique=True, help_text="256 random bits, base64url. Names, proves nothing.")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions")
    face = models.CharField(max_length=5, choices=Face.choices)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    authenticated_at = models.DateTimeField(help_text="When the password was last typed; step-up looks at it.")
    device = models.CharField(max_length=64, help_text="Browser family and platform, for 'my sessions'.")
    fingerprint = models.CharField(max_length=64, help_text="HMAC of family, platform and, when given, device id.")
    has_device_id = models.BooleanField(default=False)
    auth_hash = models.CharField(max_length=128, help_text="Changes with the password, and then ends the session.")
    address = models.CharField(max_length=45, blank=True, help_text="Where the login came from. Told, never compared.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=32, blank=True)

    def __str__(self) -> str:
        return f"{self.user} on {self.device} since {self.created_at:%Y-%m-%d %H:%M}Z"


class RefreshToken(models.Model):
    """A refresh token that was given out: its SHA-256 only. The one who sets `used_at` may mint the next pair."""

    session = models.ForeignKey(LoginSession, on_delete=models.CASCADE, related_name="refresh_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"refresh token {self.pk} of session {self.session_id}"


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Rows are added and read. Nothing here changes or removes one."""

    def update(self, *_: Any, **__: Any) -> NoReturn:
        raise PermissionError("audit events are append-only")

    def delete(self) -> NoReturn:
        raise PermissionError("audit events are append-only")

    bulk_update = update


class AuditEvent(models.Model):
    """Who did what, when, from where, with what result. Append-only; `chain` covers this row and all before it."""

    n = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    role_id = models.IntegerField(null=True, blank=True, help_text="The actor's role then. Empty for a command.")
    session = models.CharField(max_length=43, blank=True)
    origin = models.CharField(max_length=8)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=255, blank=True)
    result = models.CharField(max_length=64)
    request_id = models.CharField(max_length=32, blank=True)
    details = models.JSONField(default=dict, blank=True)
    chain = models.CharField(max_length=64, help_text="HMAC of the chain so far and this row (audit_chain.py).")
    key_id = models.CharField(max_length=12, blank=True, default="", help_text="Its key. Empty before there was one.")

    objects: ClassVar[models.Manager[AuditEvent]] = AuditQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-n"]
        indexes: ClassVar = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["target"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.n}: {self.actor} {self.action} {self.target} {self.result}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row. Raise PermissionError for a row that is there already."""
        if not self._state.adding:
            raise PermissionError("audit events are append-only")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise PermissionError("audit events are append-only")


class Schedule(models.Model):
    """Something that begins by itself: what, when, and what happens to a slot that was missed."""

    class Do(models.TextChoices):
        BACKUP = "backup"
        BACKUP_AND_DELETE = "backup_and_delete"
        INCREMENTAL = "incremental"
        SYNC = "sync"
        REHEARSE = "rehearse"
        VERIFY = "verify"

    class IfMissed(models.TextChoices):
        RUN = "run"
        SKIP = "skip"

    name = models.CharField(max_length=64, unique=True)
    do = models.CharField(max_length=20, choices=Do.choices)
    cron = models.CharField(max_length=100, help_text="Five fields.")
    time_zone = models.CharField(max_length=64, help_text="The zone that the cron expression is read in.")
    if_missed = models.CharField(max_length=4, choices=IfMissed.choices, default=IfMissed.RUN)
    enabled = models.BooleanField(default=True)
    target = models.CharField(
        max_length=64, blank=True, default="", help_text="A restore test begins from the copy there; empty: this disk."
    )
    since = models.DateTimeField(help_text="When it was switched on or its times changed. Earlier slots do not count.")
    settled_at = models.DateTimeField(help_text="The newest slot that is decided, or `since`.")
    waiting = models.DateTimeField(null=True, blank=True, help_text="The slot that waits for another run to end.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {self.do} at {self.cron} ({self.time_zone})"


class ScheduleSlot(models.Model):
    """What became of one slot of one schedule. Its row is the claim: who adds it acts, and nobody else."""

    class State(models.TextChoices):
        CLAIMED = "claimed"
        """A worker will start its run, or did and was killed before it could say so."""
        STARTED = "started"
        """Its run was started (`run`); how it ended stands in the run's own record."""
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        """It could not be started, or what has no record of its own did not end well (`reason` is the error's code)."""
        MISSED = "missed"
        SKIPPED = "skipped"
        COVERED = "covered"
        """Another schedule was due at the same time and did more (`by`)."""
        DROPPED = "dropped"
        """Claimed while the clock was ahead. The slot may be claimed once more, in its time."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="slots")
    slot = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.CharField(max_length=64, blank=True)
    late = models.BooleanField(default=False, help_text="It began more than 15 minutes after its slot.")
    run = models.CharField(max_length=64, blank=True, help_text="The id of its run or sync, or what it verified.")
    by = models.CharField(max_length=64, blank=True, help_text="The schedule that covered it.")
    worker = models.JSONField(default=dict, blank=True, help_text="The process that claimed it or works on it.")
    decided_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-slot"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["schedule", "slot"], condition=~models.Q(state="dropped"), name="one_claim_a_slot"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state"], name="schedule_slot_state")]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.slot:%Y-%m-%d %H:%M}Z: {self.state}"


class NotificationChoice(models.Model):
    """What one channel is sent, where it differs from the default: a person's e-mail, or one of `NOTIFY_URLS`."""

    channel = models.CharField(max_length=64, unique=True, help_text="mail:<person>, url:<fingerprint>. No address.")
    wish = models.CharField(max_length=10)
    language = models.CharField(max_length=10)

    def __str__(self) -> str:
        return f"{self.channel}: {self.wish}"


class NotificationState(models.Model):
    """A problem that was reported and lasts: since when, when it was last reported, and with what content."""

    scope = models.CharField(max_length=64, help_text="What is judged together: backup, rehearsal, deletion:<run> …")
    kind = models.CharField(max_length=24)
    cause = models.CharField(max_length=150)
    began_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    content = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "kind", "cause"], name="one_state_a_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.kind} {self.cause}"


class Notification(models.Model):
    """The outbox: one row for each event and channel. It names the channel and never holds its address or keys."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        GIVEN_UP = "given_up"

    event = models.CharField(max_length=200)
    channel = models.CharField(max_length=64)
    kind = models.CharField(max_length=24)
    language = models.CharField(max_length=10)
    content = models.JSONField(default=dict, help_text="Codes and facts; rendered in the language when it is sent.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(default=0, help_text="Tries whose end nobody saw: it may arrive twice.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    problem_code = models.CharField(max_length=64, blank=True, default="")
    problem_facts = models.JSONField(default=dict, blank=True)
    message_id = models.CharField(max_length=150, help_text="One over all tries, so that a second copy is recognised.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "channel"], name="one_message_an_event_and_channel"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "next_attempt_at"], name="notification_due")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}: {self.state}"
