"""Looks at everything a run stands on, and says of each thing whether it is well and how to mend it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from django.utils import timezone

from backups_app import formats, mail_url
from backups_app.access import audit, audit_chain, private_files
from backups_app.browsing.reading import backups
from backups_app.catalog import lease, runs
from backups_app.configuration import Configuration
from backups_app.errors import NoChannel, RightMissing, TempleOpsError
from backups_app.mongo import connections, refusals, rights
from backups_app.mongo.connections import ServerFacts
from backups_app.notification import mail
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.runs.recovery import recovery
from backups_app.sync import pair
from backups_app.target_settings import TargetSettings
from backups_app.use_cases.copies import acts, places
from backups_app.use_cases.notifications import notifications
from backups_app.use_cases.readiness import readiness

logger = logging.getLogger(__name__)

SUBJECT = {Side.LOCAL: "local MongoDB", Side.REMOTE: "Atlas"}
CLOCK_TOLERANCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: `level` is ok, note or problem."""

    level: str
    subject: str
    sentence: str
    fix: str = ""


def examine(*, configuration: Configuration) -> list[Finding]:
    """Return a finding for each thing a run stands on. Nothing is raised and nothing is changed: what cannot be looked
    at is a finding too."""
    looked = readiness.check_readiness(configuration=configuration)
    findings = [_refused(refusal) for refusal in looked.refusals]
    if not findings:
        findings.append(Finding(level="ok", subject="readiness", sentence="A backup can be started now."))
    findings += _looked_at("users and audit", _secrets)
    findings += _looked_at("messages", lambda: _messages(configuration))
    if not configuration.is_local:
        return findings
    for target in configuration.targets:
        findings += _looked_at(f"target {target.name}", partial(_target, configuration, target))
    if looked.engine:
        findings.append(Finding(level="ok", subject="engine", sentence=f"Backups are made by {looked.engine}."))
    findings += _looked_at("folder", lambda: _folder(configuration))
    if looked.local is not None:
        findings += _looked_at(SUBJECT[Side.LOCAL], lambda: _side(Side.LOCAL, configuration))
        findings += _looked_at("lock", lambda: _lease(configuration))
    findings += _looked_at(SUBJECT[Side.REMOTE], lambda: _remote(configuration))
    findings += [
        Finding(level="note", subject="connection", sentence=said)
        for said in readiness.connection_warnings(configuration)
    ]
    return list(dict.fromkeys(findings))


def _looked_at(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Look at one thing. Whatever stops the looking is told as a finding, and the rest is looked at all the same."""
    try:
        yield from look()
    except TempleOpsError as error:
        yield _refused(error)
    except Exception as error:  # the doctor is who explains when everything else has failed
        logger.warning("The doctor could not look", exc_info=error, extra={"subject": subject})
        sentence = f"It could not be looked at ({type(error).__name__}). The log of this command tells more."
        yield Finding(level="problem", subject=subject, sentence=sentence)


def adopt_store(*, configuration: Configuration) -> str:
    """Take the present backup folder for the right one from now on. Return its id. The admin has looked at it."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        store_id = preparation.store(configuration).prepare(adopt=True)
        lease.remember_store(database, store_id=store_id)
    return store_id


def _refused(refusal: TempleOpsError) -> Finding:
    return Finding(level="problem", subject=refusal.code, sentence=refusal.detail, fix=refusal.hint)


def _folder(configuration: Configuration) -> Iterator[Finding]:
    store = preparation.store(configuration)
    try:
        for loose in store.loose():
            what = "The backup folder" if loose.name == "." else f"{loose.name} in the backup folder"
            sentence = f"{what} can be read by others (mode {loose.mode:o})."
            fix = f"{loose.repair} {shlex.quote(str(store.root / loose.name))}"
            yield Finding(level="problem", subject="permissions", sentence=sentence, fix=fix)
        for ignored in store.backups().ignored:
            sentence = f"{ignored.name} is not listed: {ignored.reason}."
            yield Finding(level="note", subject="folder", sentence=sentence)
        for summary in backups.summaries(store=store):
            if summary.is_ahead(now=timezone.now()):
                sentence = f"The backup {summary.backup_id} is dated in the future: it counts as no recent backup."
                fix = "Set the clock of this computer right, and make a backup."
                yield Finding(level="problem", subject="clock", sentence=sentence, fix=fix)
        if store.root.is_dir():
            usage = store.usage()
            sentence = f"{formats.size(usage.free_bytes)} of {formats.size(usage.total_bytes)} are free."
            yield Finding(level="ok", subject="disk", sentence=sentence)
    except TempleOpsError as error:
        yield _refused(error)


def _secrets() -> Iterator[Finding]:
    for loose in private_files.loose():
        sentence = f"{loose.path.name} holds secrets and can be read by others (mode {loose.mode:o})."
        yield Finding(level="problem", subject="permissions", sentence=sentence, fix=loose.repair)
    key_id = audit.digest().key_id
    yield Finding(level="ok", subject="users and audit", sentence="The database of users and audit rows answers.")
    if key_id not in ("", audit_chain.key_id()):
        sentence = "The newest row of the audit trail was chained with another key than this host has."
        yield Finding(level="problem", subject="audit", sentence=sentence, fix="Set the same AUDIT_KEY on every host.")


def _messages(configuration: Configuration) -> Iterator[Finding]:
    """Channels by name: what keeps a message from being sent, and what the mail server says to a greeting."""
    overview = notifications.overview(configuration=configuration)
    if not any(state.channel.wish for state in overview.channels):
        nobody = "Nobody is sent a message when a backup fails."
        yield Finding(level="note", subject="messages", sentence=nobody, fix=NoChannel.hint)
    if configuration.email_url:
        mail.greet(server=mail_url.parse(configuration.email_url))
        yield Finding(level="ok", subject="messages", sentence="E-mail can be handed in.")
    for state in overview.channels:
        if state.problem is not None:
            sentence = f"{state.channel.name}: {state.problem.detail}"
            yield Finding(level="problem", subject=state.problem.code, sentence=sentence, fix=state.problem.hint)


def _target(configuration: Configuration, target: TargetSettings) -> Iterator[Finding]:
    """A target for copies: whether it answers, and whether a copy there survives this computer."""
    subject = f"target {target.name}"
    failure = acts.test(configuration=configuration, target=target.name)
    if failure is not None:
        yield Finding(level="problem", subject=subject, sentence=failure.detail, fix=failure.hint)
        return
    if places.is_elsewhere(configuration, target):
        yield Finding(level="ok", subject=subject, sentence="It answers and can be read.")
    else:
        sentence = "It answers, but it is on this computer: copies there do not count as elsewhere."
        yield Finding(level="note", subject=subject, sentence=sentence)


def _side(side: Side, configuration: Configuration) -> Iterator[Finding]:
    """A server, and what our user may do there."""
    database = preparation.side(configuration, side)
    with connections.reachable(side):
        yield from _server(side, connections.facts(database.client))
        missing = rights.missing(database)
    for what in missing:
        right = RightMissing(
            side=side.value, variable=refusals.VARIABLE[side], what=what, database=configuration.database_name
        )
        yield _refused(right)
    if not missing:
        yield Finding(level="ok", subject=SUBJECT[side], sentence="Its user may list, read, write and remove.")


def _server(side: Side, facts: ServerFacts) -> Iterator[Finding]:
    subject = SUBJECT[side]
    sentence = f"Reachable in {facts.latency_ms:.0f} ms, MongoDB {facts.version}."
    yield Finding(level="ok", subject=subject, sentence=sentence)
    if not facts.has_transactions:
        yield Finding(
            level="note",
            subject=subject,
            sentence=(
                "A standalone server: no snapshot for the copy, and an edit that only changes a number's type in the "
                "moment of a purge cannot be told apart."
            ),
            fix="Start mongod with --replSet and run rs.initiate() once: a one-node replica set.",
        )
    apart = abs(facts.clock_ahead_seconds)
    if apart > CLOCK_TOLERANCE_SECONDS:
        sentence = f"Its clock differs from this computer's by {apart:.0f} seconds; newer edits may be judged wrongly."
        yield Finding(level="problem", subject=subject, sentence=sentence, fix="Switch on time synchronisation (NTP).")


def _remote(configuration: Configuration) -> Iterator[Finding]:
    if not configuration.sync_enabled:
        off = "Sync is off: MONGODB_CLOUD_URL is not set."
        yield Finding(level="note", subject=SUBJECT[Side.REMOTE], sentence=off)
        return
    yield from _side(Side.REMOTE, configuration)
    with connections.reachable(Side.REMOTE):
        pair.require_spelling(preparation.side(configuration, Side.REMOTE), side=Side.REMOTE)


def _lease(configuration: Configuration) -> Iterator[Finding]:
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        running = runs.active(database)
    if running is None:
        yield Finding(level="ok", subject="lock", sentence="No run is active.")
    elif running.owner is not None and recovery.abandoned(database, running, configuration):
        sentence = f"Run {running['backup_id']} was left by a process that is gone; the worker closes it."
        yield Finding(level="problem", subject="lock", sentence=sentence, fix="manage.py worker")
    else:
        yield Finding(level="note", subject="lock", sentence=f"Run {running['backup_id']} is active.")
