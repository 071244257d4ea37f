"""Targets from the settings: named, secret, and counted as elsewhere only where they are."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from django.test import override_settings
from environs import Env, EnvValidationError

from backups_app import configuration, target_settings
from backups_app.access import redaction
from backups_app.errors import TargetMisconfigured, TargetNotFound
from backups_app.storage import targets
from backups_app.storage.directory import DirectoryTarget
from backups_app.target_settings import TargetSettings

ODD_SECRETS = ("p@ss/word%é", 'quote"and\\slash', "colon:and#hash", "देवनागरी-कुंजी", "a+b=c&d?e", "'$(x)`y`")


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


@pytest.mark.parametrize("secret", ODD_SECRETS)
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


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="there is no second file system here")
def test_a_directory_on_another_file_system_is_elsewhere(tmp_path: Path) -> None:
    if tmp_path.stat().st_dev == Path("/dev/shm").stat().st_dev:
        pytest.skip("temporary files are on that file system")
    target = TargetSettings(name="nas", kind="file", place=f"/dev/shm/{secrets.token_hex(4)}")

    assert targets.is_elsewhere(target, here=[tmp_path])


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
