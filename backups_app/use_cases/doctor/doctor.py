"""Looks at everything a run stands on, and says of each thing whether it is well and how to mend it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from backups_app.access import records
from backups_app.catalog import lease
from backups_app.configuration import Configuration
from backups_app.errors import RecordsUnavailable, TempleOpsError
from backups_app.jobs import broker
from backups_app.mongo import connections
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.use_cases.doctor import doctor_looks, site_looks
from backups_app.use_cases.doctor.doctor_looks import DoctorFinding
from backups_app.use_cases.readiness import readiness

logger = logging.getLogger(__name__)


def examine(*, configuration: Configuration) -> list[DoctorFinding]:
    """Return a finding for each thing a run stands on. Nothing is raised, and nothing is changed but what is known of
    targets: what cannot be looked at is a finding too."""
    looked = readiness.check_readiness(configuration=configuration)
    findings = [doctor_looks.refused(refusal) for refusal in looked.refusals]
    on_record = list(_looked_at("users and audit", doctor_looks.users_and_audit))
    if not findings and not any(one.subject == RecordsUnavailable.code for one in on_record):
        findings.append(DoctorFinding(level="ok", subject="readiness", sentence="A backup can be started now."))
    findings += on_record
    findings += _looked_at("hosts", lambda: site_looks.other_hosts(configuration))
    if broker.is_configured():
        findings += _looked_at("jobs", site_looks.jobs_broker)
    findings += _looked_at("messages", lambda: doctor_looks.channels(configuration))
    if not configuration.is_local:
        return findings
    for target in configuration.targets:
        findings += _looked_at(f"target {target.name}", partial(doctor_looks.copy_target, configuration, target))
    if looked.engine:
        findings.append(DoctorFinding(level="ok", subject="engine", sentence=f"Backups are made by {looked.engine}."))
    findings += _looked_at("folder", lambda: doctor_looks.backup_folder(configuration))
    if looked.local is not None:
        findings += _looked_at(
            doctor_looks.SUBJECT[Side.LOCAL], lambda: doctor_looks.server_of(Side.LOCAL, configuration)
        )
        findings += _looked_at("lock", lambda: doctor_looks.running_lease(configuration))
    findings += _looked_at(doctor_looks.SUBJECT[Side.REMOTE], lambda: doctor_looks.atlas(configuration))
    findings += [
        DoctorFinding(level="note", subject="connection", sentence=message)
        for message in readiness.connection_warnings(configuration)
    ]
    return list(dict.fromkeys(findings))


def _looked_at(subject: str, look: Callable[[], Iterable[DoctorFinding]]) -> Iterator[DoctorFinding]:
    """Look at one thing. Whatever stops the looking is reported as a finding, and the rest is looked at all the
    same."""
    try:
        yield from look()
    except TempleOpsError as error:
        yield doctor_looks.refused(error)
    except Exception as error:  # the doctor is who explains when everything else has failed
        if records.is_unavailable(error):
            yield doctor_looks.refused(records.failure(error))
            return
        logger.warning("The doctor could not look", exc_info=error, extra={"subject": subject})
        sentence = f"It could not be looked at ({type(error).__name__}). The log of this command shows more."
        yield DoctorFinding(level="problem", subject=subject, sentence=sentence)


def adopt_store(*, configuration: Configuration) -> str:
    """Take the present backup folder for the right one from now on. Return its id. The admin has looked at it."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        store_id = preparation.store(configuration).prepare(adopt=True)
        lease.remember_store(database, store_id=store_id)
    return store_id
