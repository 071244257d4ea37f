"""Figures of a real site: what they say, that all are documented, and that every alarm rests on one that exists."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client, override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from backups_app import target_settings
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.metrics import run_figures
from backups_app.models import Notification, Schedule, WorkerTick
from tests.pages.test_hindi import carried_out

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs"
NAME = re.compile(r"templeops_[a-z_]+")
SELECTOR = re.compile(r'(templeops_[a-z_]+)\{([a-z_]+)="([^"]*)"\}')
Figures = dict[str, dict[frozenset[tuple[str, str]], float]]


def scrape() -> Figures:
    """Return the samples by name and labels; families without a sample too."""
    answer = Client().get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HOST="127.0.0.1")
    assert answer.status_code == 200
    return {
        family.name: {frozenset(one.labels.items()): one.value for one in family.samples}
        for family in text_string_to_metric_families(answer.content.decode())
    }


def with_target(configuration: Configuration, folder: Path) -> Configuration:
    targets = target_settings.parse(f"nas=file://{folder}", environment={})
    return dataclasses.replace(configuration, targets=targets)


def value(figures: Figures, name: str, **labels: str) -> float | None:
    (instance,) = {dict(one)["instance"] for samples in figures.values() for one in samples}
    return figures[f"templeops_{name}"].get(frozenset({**labels, "instance": instance}.items()))


def test_every_figure_is_documented_and_every_alarm_has_its_figure(configured: Configuration, tmp_path: Path) -> None:
    with override_settings(TEMPLEOPS=with_target(configured, tmp_path / "nas")):
        figures = scrape()
    exposed = set(figures)

    table = (DOCS / "operations.md").read_text().partition("### Prometheus")[2].partition("### Logs")[0]
    rules = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", (DOCS / "alerts.md").read_text(), re.S)[0])
    alarms = [rule for group in rules["groups"] for rule in group["rules"]]
    assert set(NAME.findall(table)) - {"templeops_token"} == exposed
    assert {name for rule in alarms for name in NAME.findall(rule["expr"])} <= exposed
    for name, label, chosen in (found for rule in alarms for found in SELECTOR.findall(rule["expr"])):
        assert chosen in {dict(labels).get(label) for labels in figures[name]}, f"{name} never has {label}={chosen}"
    assert all({"severity"} == set(rule["labels"]) for rule in alarms)
    assert all({"summary", "action"} == set(rule["annotations"]) for rule in alarms)
    assert len({rule["alert"] for rule in alarms}) == len(alarms)


def test_runs_ages_sizes_and_durations_of_a_real_run(configured: Configuration, local_db: Any) -> None:
    local_db["bookings"].insert_many([{"_id": number} for number in range(50)])
    run = carried_out()
    assert run.status == "success", run.error_message

    figures = scrape()

    assert value(figures, "runs", kind="backup", status="success") == 1
    assert value(figures, "backups_bytes") == run.size_bytes
    assert run.finished_at is not None
    assert value(figures, "last_run_timestamp_seconds", kind="backup") == run.finished_at.timestamp()
    took = (run.finished_at - run.created_at).total_seconds()
    assert value(figures, "last_run_duration_seconds", kind="backup") == took
    steps = {dict(labels)["step"] for labels in figures["templeops_last_step_duration_seconds"]}
    assert {"sync", "dump", "verify", "publish"} <= steps
    assert value(figures, "active_run_age_seconds") is None
    assert value(figures, "damaged_backups") == 0


def test_where_everything_would_be_lost_no_figure_says_0(configured: Configuration, local_db: Any) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    with override_settings(TEMPLEOPS=dataclasses.replace(configured, cloud_url=Secret(""))):
        assert carried_out().status == "success"
        figures = scrape()

    assert value(figures, "loss_everything") == 1
    assert value(figures, "loss_documents") is None
    assert value(figures, "loss_window_seconds") is None


def test_schedules_workers_messages_and_conflicts(configured: Configuration, local_db: Any) -> None:
    now = timezone.now()
    late = Schedule.objects.create(
        name="nightly",
        do="backup",
        cron="0 * * * *",
        time_zone="UTC",
        since=now,
        settled_at=now - timedelta(hours=2),
        created_at=now,
    )
    WorkerTick.objects.create(host="a.temple", at=now)
    for state in (Notification.State.WAITING, Notification.State.GIVEN_UP):
        Notification.objects.create(
            event=state, channel="mail:1", kind="failed", language="en-in", state=state, message_id="<x>",
            created_at=now - timedelta(minutes=5),
        )  # fmt: skip
    kept = {"part_of": None, "reason": "conflict"}
    local_db["sync_conflicts"].insert_many([kept | {"_id": "1"}, {"part_of": None, "reason": "deleted", "_id": "2"}])

    figures = scrape()

    lag = value(figures, "schedule_lag_seconds", schedule=late.name)
    assert lag is not None and 3600 <= lag <= 7300
    assert value(figures, "worker_tick_timestamp_seconds", host="a.temple") == now.timestamp()
    assert value(figures, "outbox_messages", state="waiting") == 1
    assert value(figures, "outbox_messages", state="sent") == 0
    assert (value(figures, "outbox_oldest_age_seconds") or 0) >= 300
    assert (value(figures, "sync_conflicts"), value(figures, "replaced_versions")) == (1, 2)


def test_the_instance_is_named_by_the_setting_or_the_database(configured: Configuration) -> None:
    def instances() -> set[str]:
        return {dict(labels)["instance"] for samples in scrape().values() for labels in samples}

    assert instances() == {configured.database_name}
    with override_settings(TEMPLEOPS=dataclasses.replace(configured, instance_name='Śrī "Rām"')):
        assert instances() == {'Śrī "Rām"'}


def test_an_active_run_and_the_age_of_the_newest_good_backup() -> None:
    now = datetime(2026, 1, 19, 9, 0, tzinfo=UTC)
    runs = [
        RunRecord(_id="c", kind="backup", status="in_progress", created_at=now - timedelta(minutes=3), published=False),
        RunRecord(_id="b", kind="backup", status="success", created_at=now - timedelta(hours=1), damaged=True),
        RunRecord(_id="a", kind="backup", status="success", created_at=now - timedelta(hours=2), verified=True),
    ]

    found = {family.name: family.samples for family in run_figures.families(runs, now=now)}

    assert found["templeops_active_run_age_seconds"][0].value == 180
    assert found["templeops_newest_backup_age_seconds"][0].value == 7200
    assert found["templeops_damaged_backups"][0].value == 1
