"""Assembles a run from the configuration and carries it out under the lease, fresh or resumed."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.utils import timezone
from pymongo.database import Database

from backups_app import configuration as settings
from backups_app.access import request_context
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.run.run_writers import Ownership
from backups_app.configuration import Configuration
from backups_app.errors import NotResumable, RunActive
from backups_app.mongo import connections
from backups_app.records import Phase, Side, StepState
from backups_app.runs import lease, pipelines, preparation, restore_pipelines, runner
from backups_app.runs.closing import reporting
from backups_app.runs.context import Run, Step
from backups_app.runs.lease import Lease
from backups_app.runs.progress import Listener, RunProgress
from backups_app.runs.recovery import clearing
from backups_app.runs.steps import purge_remote

logger = logging.getLogger(__name__)

LEASE_WAIT_SECONDS = 45
"""How long a started run waits for a sync, a restore or a dying owner before it leaves; it is closed after 60 s."""


def execute(*, backup_id: str, listener: Listener | None = None) -> None:
    """Claim a queued run and carry it out, or finish its purge where it was opened for Resume (`reopen`).

    Do nothing when somebody else has claimed it or it has ended: what a person stopped while it waited, or what was
    closed because no worker took it, is not done later.
    """
    with request_context.carrying_out(backup_id):
        _execute(backup_id=backup_id, listener=listener)


def _execute(*, backup_id: str, listener: Listener | None) -> None:
    configuration = settings.current()
    database = preparation.local_database(configuration)
    seconds = configuration.lease_seconds
    try:
        with lease.held(database, seconds=seconds, wait_seconds=LEASE_WAIT_SECONDS) as held:
            document = runs.claim(database, backup_id=backup_id, owner=held.owner.as_document(), fence=held.fence)
            if document is None:
                logger.info("Nothing to do: the run is claimed or ended", extra={"backup_id": backup_id})
                return
            run = _assemble(configuration, document, held=held, listener=listener)
            if document.resume_available:  # of a queued run, `reopen` alone leaves that
                _finish_purge(run)
                return
            reporting.run_began(document)
            runner.carry_out(run, steps=_steps(document))
    except RunActive:
        logger.warning("The lease is held by another run", extra={"backup_id": backup_id})


def _finish_purge(run: Run) -> None:
    """Perform the purge's steps again. A cancel that was asked for before its first delete is obeyed."""
    run.published = True
    runner.carry_out(run, steps=_purge_steps(run.document), again=True)


def _steps(document: RunRecord) -> tuple[Step, ...]:
    if document.incremental.requested:
        return pipelines.INCREMENTAL_STEPS
    name = restore_pipelines.name_of(document.kind, from_a_copy=bool(document.restore.copy_at))
    return restore_pipelines.STEPS.get(name, pipelines.STEPS)


def reopen(*, database: Database[Any], backup_id: str) -> None:
    """Open a partial run for Resume, to be claimed by a worker. Raise `NotResumable`, `RunActive`."""
    if runs.reopen(database, backup_id=backup_id, owner=None, fence=0, phase=Phase.QUEUED) is None:
        raise NotResumable()


def execute_resume(*, backup_id: str, listener: Listener | None = None) -> None:
    """Open a partial run for Resume, or claim it where it is open, and finish its purge in the same run document, with
    all gates passed again.

    Raise `NotResumable`, `RunActive`, `BackupRemoved`, `VerificationFailed`; then nothing was deleted.
    """
    configuration = settings.current()
    database = preparation.local_database(configuration)
    seconds = configuration.lease_seconds
    with (
        request_context.carrying_out(backup_id),
        lease.held(database, seconds=seconds, wait_seconds=LEASE_WAIT_SECONDS) as held,
    ):
        document = _claim_or_reopen(database, backup_id=backup_id, held=held)
        _finish_purge(_assemble(configuration, document, held=held, listener=listener))


def _claim_or_reopen(database: Database[Any], *, backup_id: str, held: Lease) -> RunRecord:
    owner, fence = held.owner.as_document(), held.fence
    claimed = runs.claim(database, backup_id=backup_id, owner=owner, fence=fence)
    if claimed is None:
        claimed = runs.reopen(database, backup_id=backup_id, owner=owner, fence=fence, phase=Phase.PREFLIGHT)
    if claimed is None:
        raise NotResumable()
    return claimed


def _purge_steps(document: RunRecord) -> tuple[Step, ...]:
    """Return the steps of a purge that is resumed. The one on Atlas stays skipped where the run deletes here alone."""
    remote = document.step(purge_remote.NAME)
    if Side.REMOTE in document.purge.sides or remote is None or remote.state is not StepState.SKIPPED:
        return pipelines.PURGE_STEPS
    return tuple(step for step in pipelines.PURGE_STEPS if remote.name != step.NAME)


def _assemble(configuration: Configuration, document: RunRecord, *, held: Lease, listener: Listener | None) -> Run:
    database, remote = preparation.local_database(configuration), preparation.remote_database(configuration)
    clearing.clear_the_way(configuration=configuration, database=database, spared=document.id)
    ownership = Ownership(database=database, backup_id=document.id, fence=held.fence)
    return Run(
        configuration=configuration,
        document=document,
        ownership=ownership,
        local=database,
        remote=remote,
        store=preparation.store(configuration),
        progress=RunProgress(
            ownership=ownership,
            held=held,
            listener=listener,
            give_up=None if remote is None else partial(connections.give_up, remote.client),
        ),
        now=timezone.now(),
    )
