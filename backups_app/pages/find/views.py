"""Find everywhere: one box, and the documents that live data and the backups hold."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups_app import configuration
from backups_app.errors import DatabaseUnreachable, InvalidInput, SearchBusy, SearchNotKept
from backups_app.pages.find import found
from backups_app.pages.find.found import FindQuery, FoundPage
from backups_app.pages.guards import admin_page
from backups_app.pages.requests import AdminRequest, is_htmx, show
from backups_app.records import Origin
from backups_app.use_cases.finding import finding, found_places
from backups_app.use_cases.finding.finding import FoundSoFar


@require_safe
@admin_page
def find(request: AdminRequest) -> HttpResponse:
    """The box and, with words in it, what was found so far; to htmx what the search finds as it goes on."""
    asked = found.asked_of(request.GET)
    more = is_htmx(request) and bool(asked.cursor)
    searched = _searched(request, asked, more=more) if asked.words else FoundPage(asked=asked)
    if more:
        return render(request, "find/_part.html", {"found": searched})
    context = {"place": "find", "found": searched}
    return show(request, page="find/find.html", fragment="find/_found.html", context=context)


def _searched(request: AdminRequest, asked: FindQuery, *, more: bool) -> FoundPage:
    try:
        so_far = _search(request, asked)
    except (InvalidInput, SearchBusy, SearchNotKept, DatabaseUnreachable) as refusal:
        asked = FindQuery(words=asked.words, only_lost=asked.only_lost) if isinstance(refusal, SearchNotKept) else asked
        return FoundPage(asked=asked, problem=refusal.detail, more=more)
    placed = found_places.placed(
        configuration=configuration.current(), state=so_far.state, query=so_far.query,
        only_changed=more and not asked.stop,
    )  # fmt: skip
    results = [] if more and asked.stop else [found.result_of(one, so_far.query) for one in placed]
    return found.page_of(asked, so_far, results, more=more)


def _search(request: AdminRequest, asked: FindQuery) -> FoundSoFar:
    zone, current = timezone.get_current_timezone(), configuration.current()
    if asked.cursor:
        return finding.go_on(
            configuration=current, words=asked.words, cursor=asked.cursor, person=request.user, zone=zone,
            only_show=asked.stop,
        )  # fmt: skip
    return finding.begin(
        configuration=current, words=asked.words, only_lost=asked.only_lost, person=request.user, origin=Origin.WEB,
        now=timezone.now(), zone=zone,
    )  # fmt: skip
