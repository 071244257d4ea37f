"""What the doctor looks at, one function a thing: each yields whether it is well and how to mend it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from backups_app import formats, mail_url
from backups_app.access import records
from backups_app.access.secrecy import private_files
from backups_app.access.trail import audit, audit_chain
from backups_app.browsing.reading import backups
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import NoChannel, RecordsReadOnly, RecordsUnavailable, RightMissing, TempleOpsError
from backups_app.mongo import connections
from backups_app.mongo.connections import ServerFacts
from backups_app.mongo.refusals import refusals, rights
from backups_app.notification import mail
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.runs.copies import elsewhere
from backups_app.runs.recovery import recovery
from backups_app.sync import pair
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import acts, clear_copies, places
from backups_app.use_cases.notifications import notifications

SUBJECT = {Side.LOCAL: "local MongoDB", Side.REMOTE: "Atlas"}

CLOCK_TOLERANCE_SECONDS = 60

AUDIT_KEY_FIX = "Set the same AUDIT_KEY on every host. After a fire: manage.py backup_audit --verify says how to go on."


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """One thing looked at: `level` is ok, note or problem."""

    level: str
    subject: str
    sentence: str
    fix: str = ""


def refused(refusal: TempleOpsError) -> DoctorFinding:
    return DoctorFinding(level="problem", subject=refusal.code, sentence=refusal.detail, fix=refusal.hint)


def backup_folder(configuration: Configuration) -> Iterator[DoctorFinding]:
    store = preparation.store(configuration)
    try:
        for loose in store.loose():
            what = "The backup folder" if loose.name == "." else f"{loose.name} in the backup folder"
            sentence = f"{what} can be read by others (mode {loose.mode:o})."
            fix = f"{loose.repair} {shlex.quote(str(store.root / loose.name))}"
            yield DoctorFinding(level="problem", subject="permissions", sentence=sentence, fix=fix)
        for ignored in store.backups().ignored:
            sentence = f"{ignored.name} is not listed: {ignored.reason}."
            yield DoctorFinding(level="note", subject="folder", sentence=sentence)
        for summary in backups.summaries(store=store):
            if summary.is_ahead(now=timezone.now()):
                sentence = f"The backup {summary.backup_id} is dated in the future: it counts as no recent backup."
                fix = "Set the clock of this computer right, and make a backup."
                yield DoctorFinding(level="problem", subject="clock", sentence=sentence, fix=fix)
        if store.root.is_dir():
            usage = store.usage()
            sentence = f"{formats.size(usage.free_bytes)} of {formats.size(usage.total_bytes)} are free."
            yield DoctorFinding(level="ok", subject="disk", sentence=sentence)
    except TempleOpsError as error:
        yield refused(error)


def users_and_audit() -> Iterator[DoctorFinding]:
    """Files with secrets that others can read, and whether the audit trail has this host's key."""
    for loose in private_files.loose():
        sentence = f"{loose.path.name} holds secrets and can be read by others (mode {loose.mode:o})."
        yield DoctorFinding(level="problem", subject="permissions", sentence=sentence, fix=loose.repair)
    key_id = audit.digest().key_id
    if unapplied := records.unapplied_migrations():
        sentence = f"The database of users and audit rows lacks migrations of this version: {', '.join(unapplied)}."
        fix = RecordsUnavailable.hint
        yield DoctorFinding(level="problem", subject=RecordsUnavailable.code, sentence=sentence, fix=fix)
        return
    if records.is_read_only():
        yield refused(RecordsReadOnly())
        return
    yield DoctorFinding(level="ok", subject="users and audit", sentence="The database of users and audit rows answers.")
    if key_id not in ("", audit_chain.key_id()):
        sentence = "The newest row of the audit trail was chained with another key than this host has."
        yield DoctorFinding(level="problem", subject="audit", sentence=sentence, fix=AUDIT_KEY_FIX)


def channels(configuration: Configuration) -> Iterator[DoctorFinding]:
    """Channels by name: what keeps a message from being sent, and what the mail server says to a greeting."""
    overview = notifications.overview(configuration=configuration)
    if not any(state.channel.wish for state in overview.channels):
        nobody = "Nobody is sent a message when a backup fails."
        yield DoctorFinding(level="note", subject="messages", sentence=nobody, fix=NoChannel.hint)
    if configuration.email_url:
        mail.greet(server=mail_url.parse(configuration.email_url))
        yield DoctorFinding(level="ok", subject="messages", sentence="E-mail can be handed in.")
    for state in overview.channels:
        if state.problem is not None:
            sentence = f"{state.channel.name}: {state.problem.detail}"
            yield DoctorFinding(level="problem", subject=state.problem.code, sentence=sentence, fix=state.problem.hint)


def copy_target(configuration: Configuration, target: TargetSettings) -> Iterator[DoctorFinding]:
    """A target for copies: whether it answers, and whether a copy there survives this computer."""
    subject = f"target {target.name}"
    failure = acts.test(configuration=configuration, target=target.name)
    if failure is not None:
        yield DoctorFinding(level="problem", subject=subject, sentence=failure.detail, fix=failure.hint)
        return
    clear_copies.require_meant(configuration, places.open_target(configuration, target.name))
    if elsewhere.is_elsewhere(configuration, target):
        yield DoctorFinding(level="ok", subject=subject, sentence="It answers and can be read.")
    else:
        sentence = "It answers, but it is on this computer: copies there do not count as elsewhere."
        yield DoctorFinding(level="note", subject=subject, sentence=sentence)


def server_of(side: Side, configuration: Configuration) -> Iterator[DoctorFinding]:
    """A server, and what our user may do there."""
    database = preparation.side(configuration, side)
    with connections.reachable(side):
        yield from _server(side, connections.facts(database.client))
        connections.require_unsharded(database.client, side=side)
        missing = rights.missing(database)
    for what in missing:
        right = RightMissing(
            side=side.value, variable=refusals.VARIABLE[side], what=what, database=configuration.database_name
        )
        yield refused(right)
    if not missing:
        yield DoctorFinding(level="ok", subject=SUBJECT[side], sentence="Its user may list, read, write and remove.")


def _server(side: Side, facts: ServerFacts) -> Iterator[DoctorFinding]:
    subject = SUBJECT[side]
    sentence = f"Reachable in {facts.latency_ms:.0f} ms, MongoDB {facts.version}."
    yield DoctorFinding(level="ok", subject=subject, sentence=sentence)
    if not facts.has_transactions:
        yield DoctorFinding(
            level="note",
            subject=subject,
            sentence=(
                "A standalone server: the copy has no snapshot, and an edit that only changes a number's type during "
                "a deletion is not noticed."
            ),
            fix="Start mongod with --replSet and run rs.initiate() once: a one-node replica set.",
        )
    apart = abs(facts.clock_ahead_seconds)
    if apart > CLOCK_TOLERANCE_SECONDS:
        sentence = f"Its clock differs from this computer's by {apart:.0f} s: sync may keep the older of two edits."
        yield DoctorFinding(
            level="problem", subject=subject, sentence=sentence, fix="Switch on time synchronisation (NTP)."
        )


def atlas(configuration: Configuration) -> Iterator[DoctorFinding]:
    if not configuration.sync_enabled:
        off = "Sync is off: MONGODB_CLOUD_URL is not set."
        yield DoctorFinding(level="note", subject=SUBJECT[Side.REMOTE], sentence=off)
        return
    yield from server_of(Side.REMOTE, configuration)
    with connections.reachable(Side.REMOTE):
        pair.require_spelling(preparation.side(configuration, Side.REMOTE), side=Side.REMOTE)


def running_lease(configuration: Configuration) -> Iterator[DoctorFinding]:
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        running = runs.active(database)
    if running is None:
        yield DoctorFinding(level="ok", subject="lock", sentence="No run is active.")
    elif running.owner is not None and recovery.abandoned(database, running, configuration):
        sentence = f"Run {running.backup_id} was left by a process that is gone; the worker closes it."
        yield DoctorFinding(level="problem", subject="lock", sentence=sentence, fix="manage.py worker")
    else:
        yield DoctorFinding(level="note", subject="lock", sentence=f"Run {running.backup_id} is active.")
