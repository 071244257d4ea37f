"""The status as Prometheus reads it. It concludes nothing itself: what it says is what the card says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from backups_app import configuration
from backups_app.assurance.sentence import Level
from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.metrics import plan_figures, run_figures
from backups_app.metrics.families import gauge
from backups_app.records import RunKind
from backups_app.use_cases import status_of_files
from backups_app.use_cases.copies import overview
from backups_app.use_cases.listing import listing
from backups_app.use_cases.status import restore_tests
from backups_app.use_cases.status.status import SystemStatus


def text(found: SystemStatus, *, runs: Sequence[RunRecord]) -> bytes:
    """Return the figures in Prometheus' text format, given the status and the runs and backups it rests on. Every
    sample bears the label `instance`: several temples are several instances."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(found, runs))
    return generate_latest(registry)


class _Figures(Collector):
    """What is not known has no sample: a missing figure is not a zero."""

    def __init__(self, found: SystemStatus, runs: Sequence[RunRecord]) -> None:
        self._found, self._runs = found, runs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        current = configuration.current()
        figures = run_figures.families(self._runs, steps=self._steps(current), now=self._found.checked_at)
        families = [*self._status(), *figures]
        for family in [*families, *plan_figures.families(configuration=current, now=self._found.checked_at)]:
            yield _of_instance(family, current.instance_name or current.database_name)

    def _failed_tests(self) -> int:
        dated = status_of_files.dated(self._runs, now=self._found.checked_at)
        return sum(1 for _ in restore_tests.standing_failures(dated))

    def _steps(self, current: Configuration) -> Sequence[StepRecord]:
        """Return the steps of the last backup run that has ended."""
        last = run_figures.last_of_each_kind(self._runs).get(RunKind.BACKUP.value)
        return listing.whole([last], configuration=current)[0].steps if last is not None else ()

    def _status(self) -> Iterator[GaugeMetricFamily]:
        found, concluded = self._found, self._found.assurance
        level = GaugeMetricFamily("templeops_assurance_level", "1 for the level that holds.", labels=["level"])
        for one in Level:
            level.add_metric([one.value], float(one is concluded.level))
        yield level
        code = GaugeMetricFamily("templeops_assurance_code", "1, with the code of the sentence.", labels=["code"])
        code.add_metric([concluded.code], 1)
        yield code
        marks = GaugeMetricFamily("templeops_assurance_mark", "1 where the mark is there.", labels=["mark"])
        for mark in concluded.marks:
            marks.add_metric([mark.name], float(mark.ok))
        yield marks
        yield from _copies()
        window = concluded.loss.window
        last, tested = found.last_backup or RunRecord(), concluded.rehearsal
        yield from (
            gauge("protected", "1 when the data is protected.", float(concluded.level is Level.PROTECTED)),
            gauge("attention_findings", "What needs attention beside the sentence.", len(concluded.attention)),
            gauge("backup_available", "1 when a backup could be started now.", float(found.backup_available)),
            gauge("run_active", "1 while a run is active.", float(found.active_run is not None)),
            gauge("backups", "Published backups in the folder.", found.backups_count),
            gauge("backups_on_other_hosts", "Backups that other hosts confirm.", found.backups_on_other_hosts),
            gauge("last_backup_timestamp_seconds", "When the last good backup began.", _moment(last, "created_at")),
            gauge("last_backup_bytes", "Size of the newest verified backup.", last.size_bytes),
            gauge("last_backup_documents", "Documents of the newest verified backup.", last.documents),
            gauge("last_run_success", "1 when the last backup run was a success.", _success(found)),
            gauge("restore_tests_failed", "Sources, this disk and each target, whose last restore test failed.",
                   self._failed_tests()),
            gauge("last_restore_test_timestamp_seconds", "When a restore test last ended well.",
                   _moment(found.last_proven or {}, "finished_at")),
            gauge("restore_tested_backup_timestamp_seconds", "When the backup began that the last test restored.",
                   _seconds(tested.backup_at if tested else None)),
            gauge("restore_test_newer_backups", "Verified backups newer than the one that was tested.",
                   tested.newer if tested else None),
            gauge("last_restore_seconds", "How long the restore of the last test took.", concluded.restore_seconds),
            gauge("loss_window_seconds", "Changes of how many seconds would be lost if this computer died now.",
                   None if window is None else window.total_seconds()),
            gauge("loss_documents", "Deleted documents that only this disk holds.", concluded.loss.known_documents),
            gauge("loss_everything", "1 when everything on this computer would be lost: no copy and no sync.",
                   concluded.loss.everything),
            gauge("next_run_timestamp_seconds", "The next planned backup.", _seconds(found.next_run_at)),
            gauge("disk_free_bytes", "Free on the disk of the backup folder.", found.disk_free_bytes),
            gauge("disk_total_bytes", "Size of the disk of the backup folder.", found.disk_total_bytes),
            gauge("local_up", "1 when the local MongoDB answers.", float(found.local.reachable)),
            gauge("remote_up", "1 when Atlas answers.", float(found.remote.reachable) if found.remote else None),
        )  # fmt: skip


def _of_instance(family: GaugeMetricFamily, name: str) -> GaugeMetricFamily:
    family.samples = [one._replace(labels={**one.labels, "instance": name}) for one in family.samples]
    return family


def _copies() -> Iterator[GaugeMetricFamily]:
    """Yield the copies at each target by state; nothing where there is no target."""
    current = configuration.current()
    if not current.is_local or not current.targets:
        return
    copies = GaugeMetricFamily("templeops_copies", "Copies of backups at a target.", labels=["target", "state"])
    last = GaugeMetricFamily("templeops_last_copy_timestamp_seconds", "When the last copy was made.", labels=["target"])
    for target in overview.targets(configuration=current):
        for state in ("complete", "copying", "failed"):
            copies.add_metric([target.name, state], getattr(target, state))
        if target.last_copied_at is not None:
            last.add_metric([target.name], target.last_copied_at.timestamp())
    yield from (copies, last)


def _success(found: SystemStatus) -> float | None:
    return None if found.last_run is None else float(found.last_run.status == "success")


def _moment(document: Any, name: str) -> float | None:
    return _seconds(document.get(name))


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if isinstance(moment, datetime) else None
