"""A restore as its address names it: which step, what of the backup, how, and into which database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from backups_app.configuration import Configuration
from backups_app.pages.form_fields import as_field, from_field
from backups_app.restore.choices import Choices, Mode
from backups_app.use_cases.restores import restores

WHAT, HOW, PREVIEW, CONFIRM = 1, 2, 3, 4
HERE, COPY = "here", "copy"


@dataclass(frozen=True, kw_only=True)
class RestoreQuery:
    """What the address says. `document` is an `_id` as people type it, or empty; `to` names the test copy."""

    backup_id: str
    step: int = WHAT
    collections: tuple[str, ...] = ()
    document: str = ""
    mode: str = Mode.ADD.value
    where: str = HERE
    to: str = ""

    @property
    def url(self) -> str:
        """The page of this step. The next steps' choices stand in it too, so that going back loses nothing."""
        return self.address("pages:restore")

    @property
    def preview_url(self) -> str:
        """What asks, while the preview is being made, how far it is."""
        return self.address("pages:restore_preview")

    def address(self, name: str) -> str:
        return f"{reverse(name, args=[self.backup_id])}?{urlencode(self.fields)}"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Names and values as forms send them."""
        sentences = [("step", str(self.step)), *(("collection", as_field(name)) for name in self.collections)]
        sentences += [("id", as_field(self.document))] if self.document else []
        sentences += [("mode", self.mode), ("where", self.where)]
        return sentences + ([("to", self.to)] if self.to and self.where == COPY else [])

    @property
    def kept_fields(self) -> list[tuple[str, str]]:
        """The choices of the first step, for the form of the second."""
        return [(name, value) for name, value in self.fields if name in ("collection", "id")]

    def at(self, step: int) -> RestoreQuery:
        """Return the same choices at another step."""
        return replace(self, step=step)

    def choices(self, configuration: Configuration) -> Choices:
        """Return the choices. Raises as `restoring.choose`; InvalidInput where the person has to choose otherwise."""
        return restores.choose(
            configuration=configuration,
            backup_id=self.backup_id,
            collections=self.collections,
            mode=self.mode,
            to=self.to if self.where == COPY else None,
            document=self.document or None,
        )


def read(sent: QueryDict, *, backup_id: str) -> RestoreQuery:
    """Read an address or a sent form. A step that does not exist is the first; an unknown mode is for `choices` to
    refuse: nobody's choice is replaced by another one."""
    step = sent.get("step", "1")
    return RestoreQuery(
        backup_id=backup_id,
        step=int(step) if step in ("1", "2", "3", "4") else WHAT,
        collections=tuple(dict.fromkeys(map(from_field, sent.getlist("collection")))),
        document=from_field(sent.get("id", "")),
        mode=sent.get("mode", Mode.ADD.value),
        where=COPY if sent.get("where") == COPY else HERE,
        to=sent.get("to", "").strip(),
    )


def of_choices(choices: Choices, *, step: int) -> RestoreQuery:
    """Return the address of choices that a use case made: an undo."""
    return RestoreQuery(
        backup_id=choices.backup_id, step=step, collections=choices.collections or (), mode=choices.mode.value
    )
