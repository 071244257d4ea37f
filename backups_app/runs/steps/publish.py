"""The verified copy gets its manifest and its name, in the order that survives a power cut."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from backups_app.backup_files import metadata
from backups_app.errors import RunCancelled
from backups_app.messages import runs as messages
from backups_app.records import Phase, StepState
from backups_app.runs.closing import closing
from backups_app.runs.context import Group, Run, StepResult

NAME = "publish"
TITLE = gettext_noop("Publish")
GROUP = Group.BACKUP
PHASE = Phase.PUBLISHING
CANCELLABLE = True


def perform(run: Run) -> StepResult:
    """Publish the backup:

    1. `metadata.json` with the manifest (tmp, fsync, rename, fsync of the folder);
    2. compare-and-set on the run, so that a frozen owner which was overtaken publishes nothing;
    3. rename to `backup_<id>`, fsync of the parent.
    """
    assert run.manifest is not None, "only what was verified is published"
    metadata.write(run.partial, closing.first_metadata(run.document, folder=run.partial, manifest=run.manifest))
    if not run.ownership.write(phase=PHASE, changes={}, unless_cancelled=True):
        raise RunCancelled
    run.store.publish(run.backup_id)
    run.published = True
    return StepResult(state=StepState.DONE, sentence=messages.PUBLISHED())
