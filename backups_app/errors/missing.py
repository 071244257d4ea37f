"""Asked for and not there."""

from __future__ import annotations

from typing import Any

from backups_app.errors.base import TempleOpsError
from backups_app.messages.protection import storage as messages


class BackupNotFound(TempleOpsError):
    code, status, exit_code = "backup_not_found", 404, 10
    sentence = "There is no backup with that id on this server."


class AllDatedInFuture(BackupNotFound):
    """`latest` was asked for, and a wrong clock dated every backup."""

    sentence = "Every backup here is dated in the future, so the latest is not known. Name one by its id."
    hint = "Set the clock of this computer right, and make a backup"


class CollectionNotFound(TempleOpsError):
    code, status, exit_code = "collection_not_found", 404, 10
    sentence = "That backup holds no collection of that name."


class DocumentNotFound(TempleOpsError):
    code, status, exit_code = "document_not_found", 404, 10
    sentence = "That collection holds no such document in this backup."


class BackupRemoved(TempleOpsError):
    """Facts: `removed`, where it is known when and why: `{at, by, how, reasons, in_trash_until}`; `backup_id` and
    `copies`, the targets that it can be fetched from, where there is one."""

    code, status, exit_code = "backup_removed", 410, 10
    sentence = "The files of this backup are gone from the backup folder."

    def __init__(self, **facts: Any) -> None:
        super().__init__(**facts)
        copies, in_trash = facts.get("copies"), facts.get("removed", {}).get("in_trash_until")
        if copies and not in_trash:
            self.hint = messages.COPY_CAN_BE_FETCHED(backup_id=facts["backup_id"], target=copies[0])

    def as_json(self) -> dict[str, Any]:
        """Return code, detail and hint, when and why it was removed, and which targets have a copy."""
        return super().as_json() | self.known

    @property
    def known(self) -> dict[str, Any]:
        """What is known of the removal beside the sentence: `removed`, `copies`."""
        return {name: self.facts[name] for name in ("removed", "copies") if self.facts.get(name)}


class RemovedByRules(BackupRemoved):
    """Facts: `at`, `reasons`, `removed` (see `lost_backups`)."""

    sentence = "The retention rules removed this backup on {at}: {reasons}."
    hint = "For a day after its removal it can be brought back from the trash"


class RemovedByPerson(BackupRemoved):
    """Facts: `at`, `by`, `removed` (see `lost_backups`)."""

    sentence = "{by} removed this backup on {at}."
    hint = "For a day after its removal it can be brought back from the trash"


class BaseMissing(TempleOpsError):
    """Facts: `backup_id`, the base's."""

    code, status, exit_code = "base_missing", 410, 10
    sentence = "This incremental backup begins from backup {backup_id}, and that one is not in the backup folder."
    hint = "Bring the base back: from the trash, or from a copy"


class BackupElsewhere(TempleOpsError):
    """Facts: `host`."""

    code, status, exit_code = "backup_elsewhere", 409, 10
    sentence = "This backup lies on host {host}, not on this one. Look at it there. Nothing was changed."
    hint = "Where a target has a copy of it, any host can fetch it: backup_fetch ID --from NAME"


class SearchNotKept(TempleOpsError):
    code, status = "search_not_kept", 410
    sentence = "The results of this search are gone: they are kept for a day. Search again."


class PersonNotFound(TempleOpsError):
    code, status = "person_not_found", 404
    sentence = "There is no such person."


class LoginSessionNotFound(TempleOpsError):
    code, status = "session_not_found", 404
    sentence = "There is no such login session of yours."


class ResourceNotFound(TempleOpsError):
    code, status = "not_found", 404
    sentence = "There is nothing at this address."


class KeptVersionNotFound(TempleOpsError):
    code, status, exit_code = "kept_version_not_found", 404, 10
    sentence = "No such version is kept."
