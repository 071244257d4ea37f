"""A broker's certificate is checked before a password is sent. The server here knows TLS and nothing else."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

import pytest
from django.test import override_settings

from backups_app.jobs import broker

FIRST_WORDS = {"rediss": b"*", "amqps": b"AMQP"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody else vouches for, with its key, in one file."""
    if which("openssl") is None:
        pytest.skip("openssl is not on PATH, so no certificate could be made.")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@contextmanager
def _server(certificate: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Run one for the block: its port, and the first bytes of each caller."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = listener.accept()
                    with suppress(OSError), context.wrap_socket(caller, server_side=True) as talking:
                        heard.append(talking.recv(4))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def _call(scheme: str, host: str, port: int) -> None:
    with override_settings(JOBS_BROKER_URL=f"{scheme}://someone:password@{host}:{port}/"):
        assert broker.failure() is not None


@pytest.mark.parametrize("scheme", FIRST_WORDS)
def test_an_unknown_certificate_is_refused(scheme: str, certificate: Path) -> None:
    with _server(certificate) as (port, heard):
        _call(scheme, "localhost", port)

    assert b"".join(heard) == b""


@pytest.mark.parametrize("scheme", FIRST_WORDS)
def test_a_known_certificate_of_another_host_is_refused(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with _server(certificate) as (port, heard):
        _call(scheme, "127.0.0.1", port)

    assert b"".join(heard) == b""


@pytest.mark.parametrize("scheme", FIRST_WORDS)
def test_a_known_certificate_lets_the_conversation_begin(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with _server(certificate) as (port, heard):
        _call(scheme, "localhost", port)

    assert b"".join(heard).startswith(FIRST_WORDS[scheme])
