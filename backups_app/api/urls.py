"""The addresses of the API: the specification's five, and ours. They change only with an entry in the changelog."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from backups_app.api import audit_trail, auth, conflicts, jobs, notifications, restore, sync, system, targets
from backups_app.api.backups import backups, browse, retention, trigger
from backups_app.api.find import find
from backups_app.api.schedules import schedules
from backups_app.api.shared import documentation
from backups_app.api.shared.endpoint import NotHere


class AnyName:
    """Whatever stands in the rest of a path: the name of a collection may hold slashes (`%2F`) and line breaks."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """Return the name as it stands there, decoded by the server once."""
        return value

    def to_url(self, value: str) -> str:
        """Return the name; `reverse` encodes it."""
        return value


register_converter(AnyName, "any")
app_name = "api"

urlpatterns = [
    path("auth/login", auth.LoginEndpoint.as_view(), name="login"),
    path("auth/refresh", auth.RefreshEndpoint.as_view(), name="refresh"),
    path("auth/logout", auth.LogoutEndpoint.as_view(), name="logout"),
    path("auth/sessions", auth.SessionsEndpoint.as_view(), name="sessions"),
    path("auth/sessions/<str:session_id>", auth.SessionEndpoint.as_view(), name="session"),
    path("backup", trigger.TriggerEndpoint.as_view(), name="trigger"),
    path("backup/status", system.StatusEndpoint.as_view(), name="status"),
    path("backup/sync", sync.SyncEndpoint.as_view(), name="sync"),
    path("backup/sync/conflicts", conflicts.ConflictsEndpoint.as_view(), name="conflicts"),
    path("backup/sync/conflicts/<str:conflict_id>", conflicts.ConflictEndpoint.as_view(), name="conflict"),
    path("backup/sync/conflicts/<str:conflict_id>/put-back", conflicts.PutBackEndpoint.as_view(), name="put_back"),
    path("backup/rehearse", restore.RehearsalEndpoint.as_view(), name="rehearse"),
    path("backup/copies", restore.CopiesEndpoint.as_view(), name="copies"),
    path("backup/copies/<str:name>", restore.CopyEndpoint.as_view(), name="copy"),
    path("backups", backups.BackupsEndpoint.as_view(), name="backups"),
    path("backups/<str:backup_id>", backups.RunEndpoint.as_view(), name="run"),
    path("retention", retention.RetentionEndpoint.as_view(), name="retention"),
    path("retention/preview", retention.RetentionPreviewEndpoint.as_view(), name="retention_preview"),
    path("backups/<str:backup_id>/pin", retention.PinEndpoint.as_view(), name="pin"),
    path("backups/<str:backup_id>/release", retention.ReleaseEndpoint.as_view(), name="release"),
    path("backups/<str:backup_id>/accept", retention.AcceptEndpoint.as_view(), name="accept"),
    path("backups/<str:backup_id>/undo", retention.UndoRemovalEndpoint.as_view(), name="undo_removal"),
    path("backups/<str:backup_id>/cancel", backups.CancelEndpoint.as_view(), name="cancel"),
    path("backups/<str:backup_id>/resume", backups.ResumeEndpoint.as_view(), name="resume"),
    path("backups/<str:backup_id>/verify", backups.VerifyEndpoint.as_view(), name="verify"),
    path("backups/<str:backup_id>/restore", restore.RestoreEndpoint.as_view(), name="restore"),
    path("backups/<str:backup_id>/collections", browse.CollectionsEndpoint.as_view(), name="collections"),
    path("backups/<str:backup_id>/collections/<any:name>", browse.DocumentsEndpoint.as_view(), name="documents"),
    path("backups/<str:backup_id>/copies", targets.BackupCopiesEndpoint.as_view(), name="backup_copies"),
    path("targets", targets.TargetsEndpoint.as_view(), name="targets"),
    path("schedules", schedules.SchedulesEndpoint.as_view(), name="schedules"),
    path("schedules/<str:schedule>", schedules.ScheduleEndpoint.as_view(), name="schedule"),
    path("schedules/<str:schedule>/run", schedules.RunScheduleEndpoint.as_view(), name="run_schedule"),
    path("notifications", notifications.NotificationsEndpoint.as_view(), name="notifications"),
    path("notifications/test", notifications.TestNotificationsEndpoint.as_view(), name="test_notifications"),
    path("jobs/<str:job>", jobs.JobEndpoint.as_view(), name="job"),
    path("find", find.FindEndpoint.as_view(), name="find"),
    path("audit", audit_trail.AuditEndpoint.as_view(), name="audit"),
    path("schema/", documentation.SchemaView.as_view(), name="schema"),
    path("docs/", documentation.DocsView.as_view(), name="docs"),
    re_path(r"", NotHere.as_view(), name="not_here"),
]
