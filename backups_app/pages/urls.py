"""The addresses of the pages. Every view stands behind one of the doors of `guards.py`."""

from __future__ import annotations

from django.urls import path

from backups_app.pages.account import account, login, my_sessions, people, step_up
from backups_app.pages.audit import views as audit
from backups_app.pages.backups import acts
from backups_app.pages.backups import views as backups
from backups_app.pages.compare import views as compare
from backups_app.pages.copies import removing, unknown
from backups_app.pages.copies import views as copies
from backups_app.pages.find import views as find
from backups_app.pages.home import dashboard, status_card, trigger
from backups_app.pages.notifications import views as notifications
from backups_app.pages.restore import history
from backups_app.pages.restore import views as restore
from backups_app.pages.runs import views as runs
from backups_app.pages.schedule import retention
from backups_app.pages.schedule import views as schedule
from backups_app.pages.shared import preferences
from backups_app.pages.sync import conflicts, log
from backups_app.pages.sync import views as sync
from backups_app.pages.viewer import verification
from backups_app.pages.viewer import views as browser

app_name = "pages"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("login/", login.log_in, name="login"),
    path("logout/", login.log_out, name="logout"),
    path("account/", account.account, name="account"),
    path("account/sign-out-everywhere/", account.sign_out_everywhere, name="sign_out_everywhere"),
    path("people/", people.listing, name="people"),
    path("people/<str:person_id>/", people.person, name="person"),
    path("step-up/", step_up.step_up, name="step_up"),
    path("prefs/", preferences.save, name="preferences"),
    path("sessions/", my_sessions.mine, name="sessions"),
    path("sessions/<str:sid>/revoke/", my_sessions.revoke, name="revoke_session"),
    path("admin/backups/", dashboard.home, name="home"),
    path("admin/backups/_/status/", status_card.fragment, name="status"),
    path("admin/backups/_/counts/", trigger.counts, name="counts"),
    path("admin/backups/_/dot/", dashboard.dot, name="dot"),
    path("admin/backups/confirm-delete/", trigger.confirm_deletion, name="confirm_deletion"),
    path("admin/backups/list/", backups.backups, name="backups"),
    path("admin/backups/find/", find.find, name="find"),
    path("admin/backups/compare/", compare.two_backups, name="compare"),
    path("admin/backups/compare/progress/", compare.progress, name="compare_progress"),
    path("admin/backups/versions/", compare.document_versions, name="versions"),
    path("admin/backups/copies/", copies.copies, name="copies"),
    path("admin/backups/copies/copy/", copies.copy, name="copy_backups"),
    path("admin/backups/copies/forget/", copies.forget, name="forget_place"),
    path("admin/backups/copies/progress/", copies.progress, name="copies_progress"),
    path("admin/backups/copies/<str:name>/unknown/", unknown.looked_at, name="unknown_copies"),
    path("admin/backups/copies/<str:name>/unknown/progress/", unknown.progress, name="unknown_progress"),
    path("admin/backups/copies/<str:name>/unknown/take-in/", unknown.take_in, name="take_in"),
    path("admin/backups/copies/<str:name>/unknown/clear/", unknown.clear, name="clear_target"),
    path("admin/backups/copies/<str:name>/remove/<str:backup_id>/", removing.remove, name="remove_copy_at"),
    path("admin/backups/copies/<str:name>/test/", copies.test, name="test_target"),
    path("admin/backups/copies/<str:name>/prepare/", copies.prepare, name="prepare_target"),
    path("admin/backups/sync/", sync.sync, name="sync"),
    path("admin/backups/conflicts/restore/", conflicts.restore_several, name="restore_versions"),
    path("admin/backups/conflicts/", conflicts.listing, name="conflicts"),
    path("admin/backups/conflicts/<str:conflict_id>/", conflicts.conflict, name="conflict"),
    path("admin/backups/conflicts/<str:conflict_id>/put-back/", conflicts.put_back, name="put_back"),
    path("admin/backups/restores/", history.listing, name="restores"),
    path("admin/backups/restores/rehearse/", history.rehearse, name="rehearse"),
    path("admin/backups/restores/remove-copy/", history.remove_copy, name="remove_copy"),
    path("admin/backups/restores/<str:backup_id>/undo/", history.undo, name="undo_restore"),
    path("admin/backups/<str:backup_id>/restore/", restore.restore, name="restore"),
    path("admin/backups/<str:backup_id>/restore/preview/", restore.preview, name="restore_preview"),
    path("admin/backups/schedule/", schedule.schedule, name="schedule"),
    path("admin/backups/schedule/retention/", retention.save, name="retention_save"),
    path("admin/backups/schedule/retention/preview/", retention.preview, name="retention_preview"),
    path("admin/backups/<str:backup_id>/pin/", acts.pin, name="pin"),
    path("admin/backups/<str:backup_id>/remove/", acts.remove, name="remove"),
    path("admin/backups/<str:backup_id>/release/", acts.release, name="release"),
    path("admin/backups/<str:backup_id>/accept/", acts.accept, name="accept"),
    path("admin/backups/<str:backup_id>/bring-back/", acts.bring_back, name="bring_back"),
    path("admin/backups/schedule/new/", schedule.new, name="schedule_new"),
    path("admin/backups/schedule/preview/", schedule.preview, name="schedule_preview"),
    path("admin/backups/schedule/edit/<str:name>/", schedule.edit, name="schedule_edit"),
    path("admin/backups/schedule/act/<str:name>/", schedule.act, name="schedule_act"),
    path("admin/backups/notifications/", notifications.listing, name="notifications"),
    path("admin/backups/notifications/save/", notifications.save, name="save_notifications"),
    path("admin/backups/notifications/test/", notifications.send_test, name="test_notifications"),
    path("admin/backups/notifications/retry/", notifications.retry, name="retry_notifications"),
    path("admin/backups/notifications/<str:number>/", notifications.message, name="notification"),
    path("admin/backups/audit/", audit.listing, name="audit"),
    path("admin/backups/syncs/<str:run_id>/", log.sync_log, name="sync_log"),
    path("admin/backups/browse/", browser.browse, name="browse"),
    path("admin/backups/<str:backup_id>/verify/", verification.verify, name="verify"),
    path("admin/backups/<str:backup_id>/verify/progress/", verification.progress, name="verify_progress"),
    path("admin/backups/<str:backup_id>/document/", browser.document, name="document"),
    path("admin/backups/<str:backup_id>/document/items/", browser.items, name="items"),
    path("admin/backups/<str:backup_id>/document/value/", browser.value, name="value"),
    path("admin/backups/runs/", trigger.collection, name="runs"),
    path("admin/backups/runs/<str:backup_id>/", runs.run, name="run"),
    path("admin/backups/runs/<str:backup_id>/progress/", runs.progress, name="progress"),
    path("admin/backups/runs/<str:backup_id>/cancel/", runs.cancel, name="cancel"),
    path("admin/backups/runs/<str:backup_id>/resume/", runs.resume, name="resume"),
    path("admin/backups/runs/<str:backup_id>/keep/", runs.keep, name="keep"),
]
