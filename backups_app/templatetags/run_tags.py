"""Template tags that say how a run ended, in a table or a list."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backups_app.catalog.run.run_record import RunRecord
from backups_app.pages.runs import panel_words
from backups_app.pages.shared.wording import duration, icon
from backups_app.records import StepState, SyncStatus
from backups_app.runs import declarations
from backups_app.runs.context import Group

register = template.Library()


@register.simple_tag
def status_badge(run: RunRecord) -> SafeString:
    """The badge of a run's status: icon, word and colour."""
    name, tone, symbol = panel_words.badge_of(run)
    return format_html('<span class="badge {}">{}{}</span>', tone, icon(symbol), name)


@register.filter
def took(run: RunRecord) -> str:
    """How long a run copied and verified, in words; empty where nobody knows. What it waited for a server that did not
    answer, and what it deleted, says nothing of the next backup."""
    steps = [
        step for step in run.steps if declarations.group_of(step.name) == Group.BACKUP and step.state is StepState.DONE
    ]
    spans = [(step.started_at, step.finished_at) for step in steps]
    known = [(ended - began).total_seconds() for began, ended in spans if began and ended]
    return duration(sum(known)) if known else ""


@register.simple_tag
def sync_word(run: RunRecord) -> str:
    """How the sync of a run ended, in one word."""
    words = {
        SyncStatus.SUCCESS: _("Success"),
        SyncStatus.FAILED: _("Failed"),
        SyncStatus.SKIPPED: _("Off"),
        SyncStatus.IN_PROGRESS: _("Running"),
    }
    return words.get(SyncStatus(run.sync_status), "")
