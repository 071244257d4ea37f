"""The RBAC matrix of docs/security.md as a table: who calls, and what each route answers to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backups_app.records import CONFIRMATION_PHRASE

BACKUP_ID = "20250119_143022"
MODE_SENTENCE = "Backup operations are only available in LOCAL mode"


class Mode(StrEnum):
    LOCAL = "local"
    CLOUD = "cloud"


@dataclass(frozen=True)
class Who:
    """One caller. `odd_role` is set past the model on the loaded user: the database would not keep it."""

    name: str
    role_id: int | None = 2
    fields: Mapping[str, Any] = field(default_factory=dict)
    odd_role: Any = ...
    revoked: bool = False
    signed_in: bool = True

    @property
    def is_admin(self) -> bool:
        return self.signed_in and self.name in ("role 0", "role 1")

    @property
    def is_locked_out(self) -> bool:
        return self.name == "disabled" or self.revoked


CALLERS = (
    Who("nobody", signed_in=False),
    Who("role 0", 0),
    Who("role 1", 1),
    Who("role 2", 2),
    Who("role None", None),
    Who("role -1", -1),
    Who("role 99", 99),
    Who("role '0'", odd_role="0"),
    Who("role True", odd_role=True),
    Who("role 1.0", odd_role=1.0),
    Who("superuser", 2, {"is_superuser": True, "is_staff": True}),
    Who("disabled", 0, {"is_active": False}),
    Who("revoked", 0, revoked=True),
)


class Kind(StrEnum):
    """What a route is, and with it its line of the table."""

    ADMIN = "for roles 0 and 1, in local mode"
    STATUS = "for roles 0 and 1, in any mode"
    OWN = "one's own"
    LOGIN = "the way in"
    OPEN = "no data"


@dataclass(frozen=True)
class Row:
    """One line: the request, and the functions behind the view that must run in every ok cell and in no other."""

    name: str
    kind: Kind
    route: str
    method: str
    path: str
    behind: tuple[str, ...] = ()
    body: Any = None
    success: int = 200


def _backup(rest: str = "") -> str:
    return f"/api/backups/{BACKUP_ID}{rest}"


JOBS = "backups_app.use_cases.backups.backups"
PLANS = "backups_app.use_cases.schedules.overview"
PLANNING = "backups_app.use_cases.schedules.changes"
RESTORING = "backups_app.use_cases.restores.restores"
CONFLICTS = "backups_app.use_cases.syncs.conflicts"
SIGNING_IN = "backups_app.access.signing_in"
RETENTION = "backups_app.use_cases.retention"
COPIES = "backups_app.use_cases.copies"
ASKING = "backups_app.use_cases.lanes.asking"
API_ROWS = (
    Row("back up, keep", Kind.ADMIN, "api:trigger", "POST", "/api/backup", (f"{JOBS}.start_backup",),
        {"delete_bookings": False}),
    Row("back up, delete", Kind.ADMIN, "api:trigger", "POST", "/api/backup", (f"{JOBS}.start_backup",),
        {"delete_bookings": True}),
    Row("list", Kind.ADMIN, "api:backups", "GET", "/api/backups", ("backups_app.use_cases.listing.listing.list_runs",)),
    Row("run", Kind.ADMIN, "api:run", "GET", _backup(), ("backups_app.use_cases.listing.listing.get_run",)),
    Row("collections", Kind.ADMIN, "api:collections", "GET", _backup("/collections"),
        ("backups_app.browsing.reading.collections.of_backup",)),
    Row("documents", Kind.ADMIN, "api:documents", "GET", _backup("/collections/bookings"),
        ("backups_app.browsing.reading.documents.page",)),
    Row("find", Kind.ADMIN, "api:find", "GET", "/api/find?q=doe",
        ("backups_app.use_cases.finding.finding.begin", "backups_app.use_cases.finding.found_places.placed")),
    Row("cancel", Kind.ADMIN, "api:cancel", "POST", _backup("/cancel"), (f"{JOBS}.cancel",), success=202),
    Row("resume", Kind.ADMIN, "api:resume", "POST", _backup("/resume"), (f"{JOBS}.resume",), success=202),
    Row("verify", Kind.ADMIN, "api:verify", "POST", _backup("/verify"),
        ("backups_app.use_cases.lanes.asking.ask",)),
    Row("restore, preview", Kind.ADMIN, "api:restore", "POST", _backup("/restore"),
        (f"{RESTORING}.choose", "backups_app.use_cases.lanes.previews.arguments_of",
         "backups_app.use_cases.lanes.asking.ask", "backups_app.use_cases.restores.preview_json.as_json"),
        {"to": "a_copy"}),
    Row("restore to a test copy", Kind.ADMIN, "api:restore", "POST", _backup("/restore"),
        (f"{RESTORING}.choose", f"{RESTORING}.start"), {"dry_run": False, "to": "a_copy"}, 202),
    Row("restore in place", Kind.ADMIN, "api:restore", "POST", _backup("/restore"),
        (f"{RESTORING}.choose", f"{RESTORING}.start"), {"dry_run": False}, 202),
    Row("sync", Kind.ADMIN, "api:sync", "POST", "/api/backup/sync", ("backups_app.use_cases.lanes.syncs.begin",)),
    Row("job", Kind.ADMIN, "api:job", "GET", f"/api/jobs/{'0' * 64}", ("backups_app.use_cases.lanes.asking.by_key",)),
    Row("conflicts", Kind.ADMIN, "api:conflicts", "GET", "/api/backup/sync/conflicts",
        (f"{CONFLICTS}.newest",)),
    Row("conflict", Kind.ADMIN, "api:conflict", "GET", f"/api/backup/sync/conflicts/{'0' * 64}",
        (f"{CONFLICTS}.get", "backups_app.backup_files.shown.extended_json.relaxed")),
    Row("put back", Kind.ADMIN, "api:put_back", "POST", f"/api/backup/sync/conflicts/{'0' * 64}/put-back",
        (f"{CONFLICTS}.restore_version",), {"seen": "0" * 64}, 204),
    Row("rehearse", Kind.ADMIN, "api:rehearse", "POST", "/api/backup/rehearse", (f"{RESTORING}.rehearse",),
        success=202),
    Row("test copies", Kind.ADMIN, "api:copies", "GET", "/api/backup/copies", (f"{RESTORING}.list_copies",)),
    Row("remove a test copy", Kind.ADMIN, "api:copy", "DELETE", "/api/backup/copies/a_copy",
        (f"{RESTORING}.remove_copy",), success=204),
    Row("schedules", Kind.ADMIN, "api:schedules", "GET", "/api/schedules",
        (f"{PLANS}.newest_backup_at", f"{PLANS}.every")),
    Row("add a schedule", Kind.ADMIN, "api:schedules", "POST", "/api/schedules",
        (f"{PLANNING}.add", f"{PLANS}.public"), {"name": "nightly"}, 201),
    Row("a schedule", Kind.ADMIN, "api:schedule", "GET", "/api/schedules/nightly",
        (f"{PLANS}.get", f"{PLANS}.public")),
    Row("change a schedule", Kind.ADMIN, "api:schedule", "PUT", "/api/schedules/nightly",
        (f"{PLANS}.get", f"{PLANNING}.change", f"{PLANS}.public"), {"enabled": False}),
    Row("remove a schedule", Kind.ADMIN, "api:schedule", "DELETE", "/api/schedules/nightly",
        (f"{PLANNING}.remove",), success=204),
    Row("run a schedule", Kind.ADMIN, "api:run_schedule", "POST", "/api/schedules/nightly/run",
        (f"{PLANS}.get", f"{PLANNING}.run_now", f"{PLANS}.public_slot"), success=202),
    Row("messages", Kind.ADMIN, "api:notifications", "GET", "/api/notifications",
        ("backups_app.use_cases.notifications.notifications.newest",)),
    Row("test message", Kind.ADMIN, "api:test_notifications", "POST", "/api/notifications/test",
        ("backups_app.use_cases.notifications.notifications.send_test",)),
    Row("retention", Kind.ADMIN, "api:retention", "GET", "/api/retention", (f"{RETENTION}.policy.current",)),
    Row("set retention", Kind.ADMIN, "api:retention", "PUT", "/api/retention", (f"{RETENTION}.policy.change",),
        {"last": 10}),
    Row("preview retention", Kind.ADMIN, "api:retention_preview", "GET", "/api/retention/preview?last=1",
        (f"{RETENTION}.simulation.simulate", f"{RETENTION}.simulation.public")),
    Row("pin", Kind.ADMIN, "api:pin", "POST", _backup("/pin"), (f"{RETENTION}.pins.pin",), {"note": "kept"}),
    Row("unpin", Kind.ADMIN, "api:pin", "DELETE", _backup("/pin"), (f"{RETENTION}.pins.unpin",), success=204),
    Row("release", Kind.ADMIN, "api:release", "POST", _backup("/release"), (f"{RETENTION}.pins.release",),
        {"confirm": BACKUP_ID}, 204),
    Row("accept", Kind.ADMIN, "api:accept", "POST", _backup("/accept"), (f"{RETENTION}.pins.accept",),
        {"confirm": BACKUP_ID}, 204),
    Row("targets", Kind.ADMIN, "api:targets", "GET", "/api/targets", (f"{COPIES}.overview.targets",)),
    Row("copies of a backup", Kind.ADMIN, "api:backup_copies", "GET", _backup("/copies"),
        (f"{COPIES}.overview.copies",)),
    Row("copy a backup", Kind.ADMIN, "api:backup_copies", "POST", _backup("/copies"), (f"{COPIES}.acts.copy_soon",),
        {"target": "offsite"}, 202),
    Row("remove a copy", Kind.ADMIN, "api:backup_copies", "DELETE",
        _backup(f"/copies?target=offsite&confirm={BACKUP_ID}"), (f"{COPIES}.removing.remove",)),
    Row("remove a backup", Kind.ADMIN, "api:run", "DELETE", _backup(f"?confirm={BACKUP_ID}"),
        (f"{RETENTION}.removal.remove",)),
    Row("undo a removal", Kind.ADMIN, "api:undo_removal", "POST", _backup("/undo"),
        (f"{RETENTION}.bringing_back.bring_back",)),
    Row("audit", Kind.ADMIN, "api:audit", "GET", "/api/audit", ("backups_app.access.trail.audit.newest",)),
    Row("status", Kind.STATUS, "api:status", "GET", "/api/backup/status",
        ("backups_app.use_cases.status.status.status",)),
    Row("refresh", Kind.OWN, "api:refresh", "POST", "/api/auth/refresh", (f"{SIGNING_IN}.tokens.issue",)),
    Row("log out", Kind.OWN, "api:logout", "POST", "/api/auth/logout", (f"{SIGNING_IN}.sessions.log_out",),
        success=204),
    Row("my sessions", Kind.OWN, "api:sessions", "GET", "/api/auth/sessions",
        (f"{SIGNING_IN}.sessions.my_sessions",)),
    Row("log out everywhere", Kind.OWN, "api:sessions", "DELETE", "/api/auth/sessions",
        (f"{SIGNING_IN}.sessions.revoke_all",), success=204),
    Row("end one session", Kind.OWN, "api:session", "DELETE", "/api/auth/sessions/{sid}",
        (f"{SIGNING_IN}.sessions.revoke",), success=204),
    Row("log in", Kind.LOGIN, "api:login", "POST", "/api/auth/login", (f"{SIGNING_IN}.sessions.open_session",)),
    Row("OpenAPI", Kind.OPEN, "api:schema", "GET", "/api/schema/"),
    Row("documentation", Kind.OPEN, "api:docs", "GET", "/api/docs/"),
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a cell expects. `runs`: whether the function behind the view does."""

    status: int
    code: str = ""
    runs: bool = False


def expected(row: Row, who: Who, mode: Mode) -> Answer:
    """Return the cell. Order of checks: 401, 403 role, 403 mode; what is not 0 or 1 never learns the mode."""
    ok = Answer(row.success, runs=bool(row.behind))
    if row.kind is Kind.OPEN:
        return ok
    if row.kind is Kind.LOGIN:
        return Answer(401, "not_authenticated") if who.name in ("nobody", "disabled") else ok
    if not who.signed_in or who.is_locked_out:
        return Answer(401, "not_authenticated")
    if row.kind is Kind.OWN:
        return ok
    if not who.is_admin:
        return Answer(403, "role_required")
    if mode is Mode.CLOUD and row.kind is Kind.ADMIN:
        return Answer(403, "mode_not_local")
    return ok


class Door(StrEnum):
    """What a page is, and with it its line of the table."""

    HOME = "for roles 0 and 1; in cloud mode a page of information"
    ADMIN = "for roles 0 and 1, in local mode"
    SUPER_ADMIN = "for role 0, in any mode"
    OWN = "for whoever is signed in"
    OPEN = "for everybody"


def _page(rest: str) -> str:
    return f"/admin/backups/{rest}/"


RESTORE = {"step": "4", "collection": "bookings", "mode": "add", "confirmation": "0" * 64}
PAGE_ACTS = (
    Row("back up, keep", Kind.ADMIN, "runs", "POST", _page("runs"), (f"{JOBS}.start_backup",), {"key": "k"}, 303),
    Row("back up, delete", Kind.ADMIN, "runs", "POST", _page("runs"), (f"{JOBS}.start_backup",),
        {"key": "k", "delete_bookings": "yes", "confirm": CONFIRMATION_PHRASE}, 303),
    Row("cancel", Kind.ADMIN, "cancel", "POST", _page(f"runs/{BACKUP_ID}/cancel"), (f"{JOBS}.cancel",), {}, 303),
    Row("resume", Kind.ADMIN, "resume", "POST", _page(f"runs/{BACKUP_ID}/resume"), (f"{JOBS}.resume",), {}, 303),
    Row("keep after all", Kind.ADMIN, "keep", "POST", _page(f"runs/{BACKUP_ID}/keep"), (f"{JOBS}.resume",), {}, 303),
    Row("restore to a test copy", Kind.ADMIN, "restore", "POST", _page(f"{BACKUP_ID}/restore"),
        (f"{RESTORING}.choose", f"{RESTORING}.start"), {**RESTORE, "where": "copy", "to": "a_copy"}, 303),
    Row("restore in place", Kind.ADMIN, "restore", "POST", _page(f"{BACKUP_ID}/restore"),
        (f"{RESTORING}.choose", f"{RESTORING}.start"), {**RESTORE, "where": "here"}, 303),
    Row("add a schedule", Kind.ADMIN, "schedule_new", "POST", _page("schedule/new"), (f"{PLANNING}.add",),
        {"name": "nightly", "every": "day", "time": "02:00"}, 303),
    Row("change a schedule", Kind.ADMIN, "schedule_edit", "POST", _page("schedule/edit/nightly"),
        (f"{PLANS}.get", f"{PLANNING}.change"), {"name": "nightly", "every": "day", "time": "02:00"}, 303),
    Row("bring a backup back", Kind.ADMIN, "bring_back", "POST", _page(f"{BACKUP_ID}/bring-back"),
        (f"{RETENTION}.bringing_back.bring_back",), {}, 303),
    Row("pin", Kind.ADMIN, "pin", "POST", _page(f"{BACKUP_ID}/pin"), (f"{RETENTION}.pins.pin",), {"note": "x"}, 303),
    Row("copy now", Kind.ADMIN, "copy_backups", "POST", _page("copies/copy"), (f"{COPIES}.acts.copy_soon",), {}, 303),
    Row("forget a former place", Kind.ADMIN, "forget_place", "POST", _page("copies/forget"),
        (f"{COPIES}.acts.forget",), {"place": "nas@1a2b3c4d"}, 303),
    Row("test a target", Kind.ADMIN, "test_target", "POST", _page("copies/nas/test"), (f"{COPIES}.acts.test",),
        {}, 303),
    Row("prepare a target", Kind.ADMIN, "prepare_target", "POST", _page("copies/nas/prepare"),
        (f"{COPIES}.acts.prepare",), {}, 303),
    Row("look at a target", Kind.ADMIN, "unknown_copies", "POST", _page("copies/nas/unknown"),
        (f"{COPIES}.places.settings_of", f"{ASKING}.forget", f"{ASKING}.enqueue"), {}, 303),
    Row("take a copy in", Kind.ADMIN, "take_in", "POST", _page("copies/nas/unknown/take-in"),
        (f"{COPIES}.places.settings_of", f"{ASKING}.forget", f"{ASKING}.enqueue"), {"copy": "x"}, 303),
    Row("remove objects of no copy", Kind.ADMIN, "clear_target", "POST", _page("copies/nas/unknown/clear"),
        (f"{COPIES}.places.settings_of", f"{COPIES}.unknown.remove_objects", f"{ASKING}.forget", f"{ASKING}.enqueue"),
        {"confirm": "nas"}, 303),
    Row("remove a copy", Kind.ADMIN, "remove_copy_at", "POST", _page(f"copies/nas/remove/{BACKUP_ID}"),
        (f"{COPIES}.removing.remove",), {"confirm": BACKUP_ID}, 303),
    Row("unpin", Kind.ADMIN, "pin", "POST", _page(f"{BACKUP_ID}/pin"), (f"{RETENTION}.pins.unpin",),
        {"act": "unpin"}, 303),
    Row("remove a backup", Kind.ADMIN, "remove", "POST", _page(f"{BACKUP_ID}/remove"),
        (f"{RETENTION}.removal.remove",), {"confirm": BACKUP_ID}, 303),
    Row("release a backup", Kind.ADMIN, "release", "POST", _page(f"{BACKUP_ID}/release"),
        (f"{RETENTION}.pins.release",), {"confirm": BACKUP_ID}, 303),
    Row("accept a loss", Kind.ADMIN, "accept", "POST", _page(f"{BACKUP_ID}/accept"), (f"{RETENTION}.pins.accept",),
        {"confirm": BACKUP_ID}, 303),
    Row("set retention", Kind.ADMIN, "retention_save", "POST", _page("schedule/retention"),
        (f"{RETENTION}.policy.change",), {"last": "10"}, success=303),
    Row("pause a schedule", Kind.ADMIN, "schedule_act", "POST", _page("schedule/act/nightly"), (f"{PLANNING}.switch",),
        {"act": "pause"}, 303),
    Row("remove a schedule", Kind.ADMIN, "schedule_act", "POST", _page("schedule/act/nightly"),
        (f"{PLANNING}.remove",), {"act": "remove"}, 303),
    Row("verify", Kind.ADMIN, "verify", "POST", _page(f"{BACKUP_ID}/verify"),
        ("backups_app.use_cases.verification.verify_backup",), {}, 303),
    Row("put back", Kind.ADMIN, "put_back", "POST", _page(f"conflicts/{'0' * 64}/put-back"),
        (f"{CONFLICTS}.restore_version",), {"seen": "0" * 64}, 303),
    Row("restore replaced versions", Kind.ADMIN, "restore_versions", "POST", _page("conflicts/restore"),
        (f"{CONFLICTS}.restore_version",), {"version": "0" * 64, f"seen-{'0' * 64}": "0" * 64}, 303),
    Row("sync now", Kind.ADMIN, "sync", "POST", _page("sync"), ("backups_app.use_cases.lanes.syncs.begin",), {}, 303),
    Row("save channels", Kind.ADMIN, "save_notifications", "POST", _page("notifications/save"),
        ("backups_app.use_cases.notifications.notifications.choose",), {"channel": "url:1", "wish": "problems"}, 303),
    Row("test message", Kind.ADMIN, "test_notifications", "POST", _page("notifications/test"),
        ("backups_app.use_cases.notifications.notifications.send_test",), {}, 303),
    Row("send again", Kind.ADMIN, "retry_notifications", "POST", _page("notifications/retry"),
        ("backups_app.use_cases.notifications.notifications.retry",), {}, 303),
    Row("rehearse", Kind.ADMIN, "rehearse", "POST", _page("restores/rehearse"), (f"{RESTORING}.rehearse",), {}, 303),
    Row("remove a test copy", Kind.ADMIN, "remove_copy", "POST", _page("restores/remove-copy"),
        (f"{RESTORING}.remove_copy",), {"name": "a_copy"}, 303),
)  # fmt: skip
"""What the pages do: with a real form through the real view, down to the function that does it."""

GET, POST = "GET", "POST"
PAGES: dict[tuple[str, str], Door] = {
    ("dashboard", GET): Door.OWN,
    ("login", GET): Door.OPEN,
    ("login", POST): Door.OPEN,
    ("logout", POST): Door.OPEN,
    ("preferences", POST): Door.OPEN,
    ("sessions", GET): Door.OWN,
    ("account", GET): Door.OWN,
    ("account", POST): Door.OWN,
    ("sign_out_everywhere", POST): Door.OWN,
    ("people", GET): Door.SUPER_ADMIN,
    ("people", POST): Door.SUPER_ADMIN,
    ("person", POST): Door.SUPER_ADMIN,
    ("step_up", GET): Door.OWN,
    ("step_up", POST): Door.OWN,
    ("revoke_session", POST): Door.OWN,
    ("home", GET): Door.HOME,
    ("status", GET): Door.ADMIN,
    ("counts", GET): Door.ADMIN,
    ("dot", GET): Door.ADMIN,
    ("confirm_deletion", GET): Door.ADMIN,
    ("backups", GET): Door.ADMIN,
    ("find", GET): Door.ADMIN,
    ("compare", GET): Door.ADMIN,
    ("compare_progress", GET): Door.ADMIN,
    ("versions", GET): Door.ADMIN,
    ("conflicts", GET): Door.ADMIN,
    ("conflict", GET): Door.ADMIN,
    ("put_back", POST): Door.ADMIN,
    ("restore_versions", POST): Door.ADMIN,
    ("copies", GET): Door.ADMIN,
    ("copies_progress", GET): Door.ADMIN,
    ("unknown_progress", GET): Door.ADMIN,
    **{
        (name, POST): Door.ADMIN
        for name in ("copy_backups", "forget_place", "test_target", "prepare_target", "take_in")
    },
    **{
        (name, method): Door.ADMIN
        for name in ("unknown_copies", "clear_target", "remove_copy_at")
        for method in (GET, POST)
    },
    ("sync", GET): Door.ADMIN,
    ("sync", POST): Door.ADMIN,
    ("restores", GET): Door.ADMIN,
    ("rehearse", POST): Door.ADMIN,
    ("remove_copy", GET): Door.ADMIN,
    ("remove_copy", POST): Door.ADMIN,
    ("undo_restore", GET): Door.ADMIN,
    ("restore", GET): Door.ADMIN,
    ("restore", POST): Door.ADMIN,
    ("restore_preview", GET): Door.ADMIN,
    ("schedule", GET): Door.ADMIN,
    ("retention_save", POST): Door.ADMIN,
    ("bring_back", POST): Door.ADMIN,
    **{(name, method): Door.ADMIN for name in ("pin", "remove", "release", "accept") for method in (GET, POST)},
    ("retention_preview", GET): Door.ADMIN,
    ("schedule_new", GET): Door.ADMIN,
    ("schedule_new", POST): Door.ADMIN,
    ("schedule_preview", GET): Door.ADMIN,
    ("schedule_edit", GET): Door.ADMIN,
    ("schedule_edit", POST): Door.ADMIN,
    ("schedule_act", POST): Door.ADMIN,
    ("audit", GET): Door.ADMIN,
    ("notifications", GET): Door.ADMIN,
    ("save_notifications", POST): Door.ADMIN,
    ("test_notifications", POST): Door.ADMIN,
    ("retry_notifications", POST): Door.ADMIN,
    ("notification", GET): Door.ADMIN,
    ("sync_log", GET): Door.ADMIN,
    ("browse", GET): Door.ADMIN,
    ("document", GET): Door.ADMIN,
    ("verify", GET): Door.ADMIN,
    ("verify", POST): Door.ADMIN,
    ("verify_progress", GET): Door.ADMIN,
    ("items", GET): Door.ADMIN,
    ("value", GET): Door.ADMIN,
    ("runs", GET): Door.ADMIN,
    ("runs", POST): Door.ADMIN,
    ("run", GET): Door.ADMIN,
    ("progress", GET): Door.ADMIN,
    ("cancel", GET): Door.ADMIN,
    ("cancel", POST): Door.ADMIN,
    ("resume", POST): Door.ADMIN,
    ("keep", GET): Door.ADMIN,
    ("keep", POST): Door.ADMIN,
}
"""Every page and method. A new one brings its row here, or the build fails."""


def expected_page(door: Door, who: Who, mode: Mode) -> Answer:
    """Return the cell: 200 where the view itself runs, 303 to the login page, 403."""
    if not who.signed_in or who.is_locked_out:
        return Answer(303)
    if door is Door.OWN:
        return Answer(200, runs=True)
    if door is Door.SUPER_ADMIN:
        refused = Answer(403, code="super_admin" if who.is_admin else "role")
        return Answer(200, runs=True) if who.name == "role 0" else refused
    if not who.is_admin or (mode is Mode.CLOUD and door is Door.ADMIN):
        return Answer(403, code="super_admin" if who.is_admin else "role")
    return Answer(200, runs=True)
