"""Targets from the settings: named, secret, and counted as elsewhere only where they are."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from django.core.checks import run_checks
from django.test import override_settings
from environs import Env, EnvValidationError
from obstore.exceptions import GenericError

from backups_app import configuration, target_settings
from backups_app.access.secrecy import redaction
from backups_app.errors import TargetKeyMissing, TargetMisconfigured, TargetNotEncrypted, TargetNotFound
from backups_app.storage import disks, targets
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings
from tests import odd_secrets

ASKED_FOR_A_KEY = "Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 1ms"


def parse(given: str, **options: str) -> tuple[TargetSettings, ...]:
    return target_settings.parse(given, environment=options)


def test_several_targets_stand_in_one_setting() -> None:
    found = parse("offsite=s3://bucket/a/b, nas=file:///mnt/nas,with/comma,az=az://container")

    assert [(one.name, one.kind, one.place, one.prefix) for one in found] == [
        ("offsite", "s3", "bucket", "a/b"),
        ("nas", "file", "/mnt/nas,with/comma", ""),
        ("az", "az", "container", ""),
    ]


def test_an_option_belongs_to_the_longest_name() -> None:
    found = parse(
        "a=s3://x, a-b=s3://y",
        BACKUP_TARGET_A_REGION="one",
        BACKUP_TARGET_A_B_REGION="two",
        BACKUP_TARGET_A_B_SECRET_ACCESS_KEY="  ",
    )

    assert [one.options for one in found] == [(("region", "one"),), (("region", "two"),)]


def test_a_variable_that_belongs_to_no_target_is_named() -> None:
    environment = {"BACKUP_TARGET_OFSITE_REGION": "x", "BACKUP_TARGET_OFFSITE_REGION": "x"}

    assert target_settings.strays(parse("offsite=s3://b"), environment=environment) == ["BACKUP_TARGET_OFSITE_REGION"]


@pytest.mark.parametrize(
    "given",
    [
        "s3://bucket",
        "Off site=s3://bucket",
        "offsite=ftp://bucket",
        "offsite=s3://",
        "offsite=s3://key:s3cr3t-value@bucket/prefix",
        "offsite=s3://bucket?secret_access_key=s3cr3t-value",
        "nas=file://host/path",
        "nas=file:///",
        "a=s3://x,a=s3://y",
        "a-b=s3://x,a_b=s3://y",
    ],
)
def test_a_wrong_setting_is_named_and_no_value_repeated(
    given: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BACKUP_TARGETS", given)
    env = Env(eager=False)
    configuration.read(env, base_dir=tmp_path)

    with pytest.raises(EnvValidationError) as refusal:
        env.seal()

    assert set(refusal.value.error_messages) == {"BACKUP_TARGETS"}
    assert "s3cr3t-value" not in str(refusal.value)


@pytest.mark.parametrize("secret", odd_secrets.ALL)
def test_keys_of_targets_are_taken_out_of_every_text(secret: str) -> None:
    target = TargetSettings(
        name="offsite", kind="s3", place="bucket", options=(("secret_access_key", secret), ("region", "eu-west-1"))
    )
    with override_settings(TEMPLEOPS=configuration.Configuration(targets=(target,))):
        cleaned = redaction.scrub(f"refused {secret} in eu-west-1")

    assert secret not in cleaned
    assert "eu-west-1" in cleaned
    assert secret not in repr(target)
    assert secret not in repr(configuration.Configuration(targets=(target,)))


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("s3.localhost", True),
        ("::1", True),
        ("0.0.0.0", True),
        ("192.0.2.7", False),
        ("s3.amazonaws.invalid", False),
        ("", False),
    ],
)
def test_which_endpoint_is_this_computer(host: str, *, here: bool) -> None:
    assert targets.is_this_computer(host) is here


def test_an_endpoint_on_this_computer_is_not_elsewhere() -> None:
    on_loopback = TargetSettings(name="a", kind="s3", place="b", options=(("endpoint", "http://127.0.0.1:9000"),))

    assert not targets.is_elsewhere(on_loopback, here=[])
    assert targets.is_elsewhere(TargetSettings(name="a", kind="s3", place="b"), here=[])


def test_a_directory_on_the_disk_of_the_backups_is_not_elsewhere(tmp_path: Path) -> None:
    target = TargetSettings(name="nas", kind="file", place=str(tmp_path / "not" / "there"))

    assert not targets.is_elsewhere(target, here=[tmp_path])


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What Linux says of block devices and mounts, and the file systems that paths are on."""
    system, mounts = tmp_path / "sys", tmp_path / "mountinfo"
    monkeypatch.setattr(disks, "SYSTEM", system)
    monkeypatch.setattr(disks, "MOUNTS", mounts)
    for name, number in (
        ("sda", "8:0"),
        ("sda/sda1", "8:1"),
        ("sda/sda2", "8:2"),
        ("sdb", "8:16"),
        ("sdb/sdb1", "8:17"),
    ):
        folder = tmp_path / "devices" / name
        folder.mkdir(parents=True)
        (folder / "partition").touch() if "/" in name else None
        system.mkdir(exist_ok=True)
        (system / number).symlink_to(folder)
    mapped = tmp_path / "devices" / "dm-0"
    (mapped / "slaves").mkdir(parents=True)
    (mapped / "slaves" / "sda2").symlink_to(tmp_path / "devices" / "sda" / "sda2")
    (system / "253:0").symlink_to(mapped)

    def on(**devices: tuple[int, int]) -> None:
        numbers = {f"/{name}": os.makedev(*one) for name, one in devices.items()}
        monkeypatch.setattr(targets, "_device", lambda path: numbers.get(str(path)))
        mounts.write_text("21 1 0:26 / /memory rw shared:1 - tmpfs tmpfs rw\n22 1 0:41 / /nas rw - nfs4 host:/x rw\n")

    return on


@pytest.mark.parametrize(
    ("backups", "target", "elsewhere"),
    [
        ((8, 1), (8, 1), False),
        ((8, 1), (8, 2), False),  # another partition of the same disk
        ((8, 1), (253, 0), False),  # a volume on that disk
        ((8, 1), (8, 17), True),
        ((8, 1), (0, 41), True),  # a NAS
        ((0, 41), (0, 41), False),
        ((8, 1), (0, 26), False),  # memory
        ((7, 99), (8, 17), True),  # of a device that Linux does not describe
    ],
)
def test_a_directory_is_elsewhere_on_another_disk(
    linux: Callable[..., None], backups: tuple[int, int], target: tuple[int, int], *, elsewhere: bool
) -> None:
    linux(backups=backups, target=target)
    settings = TargetSettings(name="nas", kind="file", place="/target")

    assert targets.is_elsewhere(settings, here=[Path("/backups")]) is elsewhere


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="there is no memory disk here")
def test_a_memory_disk_is_never_elsewhere() -> None:
    target = TargetSettings(name="nas", kind="file", place=f"/dev/shm/{secrets.token_hex(4)}")

    assert not targets.is_elsewhere(target, here=[])


def test_targets_are_found_by_name() -> None:
    settings = parse("nas=file:///mnt/nas")

    assert isinstance(targets.open_target(targets.named(settings, "nas")), DirectoryTarget)
    with pytest.raises(TargetNotFound):
        targets.named(settings, "other")


def test_a_wrong_option_is_named_at_the_first_use() -> None:
    (settings,) = parse("offsite=s3://bucket", BACKUP_TARGET_OFFSITE_SECERT="x")

    with pytest.raises(TargetMisconfigured) as refusal:
        targets.open_target(settings).check()

    assert refusal.value.facts["setting"] == "SECERT"


def _target(url: str = "s3://bucket", **options: str) -> TargetSettings:
    variables = {f"BACKUP_TARGET_OFFSITE_{name.upper()}": value for name, value in options.items()}
    (found,) = target_settings.parse(f"offsite={url}", environment=variables)
    return found


@pytest.mark.parametrize(
    ("options", "is_refused"),
    [
        ({"endpoint": "http://192.0.2.7:9000"}, True),
        ({"endpoint": "http://192.0.2.7:9000", "allow_http": "true"}, False),
        ({"endpoint": "http://127.0.0.1:9000"}, False),
        ({"endpoint": "https://192.0.2.7:9000"}, False),
        ({}, False),
    ],
)
def test_a_plain_http_endpoint_elsewhere_is_named_by_the_check_and_at_the_first_use(
    options: dict[str, str], *, is_refused: bool
) -> None:
    settings = _target(access_key_id="key", secret_access_key="secret-value", **options)
    with override_settings(TEMPLEOPS=configuration.Configuration(targets=(settings,))):
        named = [message.id for message in run_checks(tags=["templeops"])]

    assert ("templeops.W011" in named) is is_refused
    if is_refused:
        with pytest.raises(TargetNotEncrypted):
            targets.open_target(settings).check()


@pytest.mark.parametrize(
    "error",
    [
        f"{ASKED_FOR_A_KEY} - HTTP error: error sending request",
        f"{ASKED_FOR_A_KEY} - Server returned non-2xx status code: 403 Forbidden",
    ],
)
def test_a_target_without_any_key_is_named_so(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library then asks the machine's provider for a key; these are its errors where there is none."""

    def fails(*_: object, **__: object) -> None:
        raise GenericError(error)

    monkeypatch.setattr(obstore, "list", fails)

    with pytest.raises(TargetKeyMissing):
        targets.open_target(_target()).check()
