"""What a search left out, in words: how many backups, why, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backups_app.browsing.search.everywhere import NotSearched
from backups_app.errors import BackupElsewhere, BackupRemoved, StoreMissing
from backups_app.use_cases.finding.not_searched import IN_TRASH, NO_BACKUP_FOLDER, ONLY_A_COPY


@dataclass(frozen=True, kw_only=True)
class UnsearchedBackup:
    """Backups that were left out for one reason. `named` are the newest; `unnamed` counts the others."""

    sentence: str
    advice: str
    named: tuple[str, ...]
    unnamed: int
    on_record: bool


def left_out(one: NotSearched) -> UnsearchedBackup:
    """Return a reason for which backups were left out, as the page says it."""
    return UnsearchedBackup(
        sentence=_sentence(one),
        advice=_advice(one),
        named=one.backups,
        unnamed=one.count - len(one.backups),
        on_record=one.code in (BackupElsewhere.code, BackupRemoved.code, StoreMissing.code),
    )


def _sentence(one: NotSearched) -> str:
    n = one.count
    sentences = {
        BackupElsewhere.code: ngettext("%(n)s backup on host %(where)s", "%(n)s backups on host %(where)s", n),
        BackupRemoved.code: ngettext("%(n)s backup whose folder is gone", "%(n)s backups whose folders are gone", n),
        StoreMissing.code: ngettext(
            "%(n)s backup in a folder that is not mounted", "%(n)s backups in a folder that is not mounted", n
        ),
        IN_TRASH: ngettext("%(n)s backup in the trash", "%(n)s backups in the trash", n),
        ONLY_A_COPY: ngettext(
            "%(n)s backup of which only a copy at %(where)s is left",
            "%(n)s backups of which only copies at %(where)s are left", n,
        ),
        NO_BACKUP_FOLDER: ngettext(
            "%(n)s entry of the backup folder that is no backup",
            "%(n)s entries of the backup folder that are no backups", n,
        ),
    }  # fmt: skip
    unknown = _("backups of which only MongoDB knows: it could not be asked")
    return sentences.get(one.code, unknown) % {"n": n, "where": one.where}


def _advice(one: NotSearched) -> str:
    advice = {
        BackupElsewhere.code: _("Search on that host, or fetch a copy."),
        IN_TRASH: _("Bring it back, and search again."),
        ONLY_A_COPY: _("Fetch the copy, and search again."),
        StoreMissing.code: _("Mount the disk, and search again."),
    }
    return advice.get(one.code, "")
