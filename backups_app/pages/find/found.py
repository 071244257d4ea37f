"""A search of live data and all backups as its page shows it: one card a document, where it is, and the way on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from backups_app.browsing.reading import document_ids
from backups_app.browsing.search.everywhere import FindState, Skipped
from backups_app.browsing.search.query import Query
from backups_app.pages.find.unsearched import UnsearchedBackup, left_out
from backups_app.pages.shared.wording import moment_of
from backups_app.pages.viewer import document_view, viewer_documents
from backups_app.pages.viewer.viewer_documents import Card
from backups_app.pages.viewer.viewer_place import Place
from backups_app.use_cases.finding.finding import FoundSoFar
from backups_app.use_cases.finding.placed_documents import PlacedDocument


@dataclass(frozen=True, kw_only=True)
class FindQuery:
    """What an address asks for. `cursor` goes on with a search, and with `stop` only shows how it stands."""

    words: str = ""
    only_lost: bool = False
    cursor: str = ""
    stop: bool = False

    def url(self, *, cursor: str = "", stop: bool = False) -> str:
        """Return the address of this search, from its beginning or from a cursor on."""
        sentences = {
            "q": self.words,
            "lost": "1" if self.only_lost else "",
            "search": cursor,
            "stop": "1" if stop else "",
        }
        return f"{reverse('pages:find')}?{urlencode({name: value for name, value in sentences.items() if value})}"


def asked_of(sent: QueryDict) -> FindQuery:
    """Read an address."""
    return FindQuery(
        words=sent.get("q", "").strip(),
        only_lost=sent.get("lost") == "1",
        cursor=sent.get("search", ""),
        stop=sent.get("stop") == "1",
    )


@dataclass(frozen=True, kw_only=True)
class Result:
    """One document. `card` is None where it cannot be read any more; `identity` is its `_id` for a restore."""

    place: PlacedDocument
    card: Card | None
    identity: str
    short_id: str

    @property
    def newest(self) -> str:
        """The backup whose copy is opened and restored: of the newest version."""
        return self.place.versions[0].newest if self.place.versions else ""

    @property
    def offset(self) -> int:
        return self.place.versions[0].number if self.place.versions else 0

    @property
    def differing(self) -> bool:
        """Whether the backups hold more than one version of it."""
        return len(self.place.versions) > 1

    @property
    def last_found_at(self) -> datetime | None:
        return moment_of(self.place.last_found_in)

    @property
    def deleted_at(self) -> datetime | None:
        return moment_of(self.place.deleted_by)


@dataclass(frozen=True, kw_only=True)
class FoundPage:
    """What the page shows. `problem` is a sentence for a search that cannot be made or gone on with; `more`: only what
    the last call found."""

    asked: FindQuery
    state: FindState | None = None
    results: Sequence[Result] = ()
    mark: str = ""
    cursor: str = ""
    problem: str = ""
    more: bool = False

    @property
    def further(self) -> str:
        """Where the search goes on; empty at its end."""
        return self.asked.url(cursor=self.cursor) if self.cursor else ""

    @property
    def stop(self) -> str:
        """Where the search stands still, with what it has found."""
        return self.asked.url(cursor=self.cursor, stop=True)

    @property
    def again(self) -> str:
        """The search from its beginning, or from where it could not go on."""
        return self.asked.url(cursor=self.asked.cursor)

    @property
    def lost(self) -> str:
        """The same search, only for what is not live any more."""
        return FindQuery(words=self.asked.words, only_lost=True).url()

    @property
    def known_before(self) -> int:
        """How many documents the page shows already."""
        return self.state.known_before if self.state else 0

    @property
    def count(self) -> int:
        return len(self.state.documents) if self.state else 0

    @property
    def ended_early(self) -> bool:
        """Whether the search stands still before everything was searched."""
        return self.state is not None and (self.state.is_full or self.asked.stop) and self.state.has_more

    @property
    def next_backup(self) -> str:
        """The newest backup that was not searched to its end; empty where all were."""
        return self.state.next_backup if self.state else ""

    @property
    def live_unsearched(self) -> bool:
        """Whether live data is still to be searched."""
        return self.state is not None and self.state.live_unsearched

    @property
    def skipped(self) -> Sequence[Skipped]:
        return self.state.skipped if self.state else ()

    @property
    def not_searched(self) -> Sequence[UnsearchedBackup]:
        """Backups that are not in the backup folder, by the reason."""
        return [left_out(one) for one in self.state.not_searched] if self.state else ()

    @property
    def live_skipped(self) -> bool:
        """Whether live data, or a part of it, could not be searched."""
        return any(not one.backup_id for one in self.skipped)

    @property
    def skipped_unnamed(self) -> int:
        """How many more could not be read than are named."""
        return self.state.skipped_count - len(self.state.skipped) if self.state else 0


def result_of(one: PlacedDocument, wanted: Query) -> Result:
    """Return a found document as a card; its bytes are not kept."""
    place = Place(backup=one.last_found_in, collection=one.collection)
    return Result(
        place=one,
        card=viewer_documents.match(place, one.hit, wanted) if one.hit else None,
        identity=document_ids.address(one.raw_id) if one.raw_id else "",
        short_id=document_view.short_id(one.raw_id) if one.raw_id else "",
    )


def page_of(asked: FindQuery, found: FoundSoFar, results: Sequence[Result], *, more: bool) -> FoundPage:
    """Return the page of a search as it stands."""
    return FoundPage(
        asked=asked, state=found.state, results=results, mark=found.query.text, cursor=found.cursor, more=more
    )
