"""Only the `site.json` of an accepted copy is used, and one that somebody damaged or forged stops no fetch."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.backup_files import metadata
from backups_app.backup_files.reading import gzip_members
from backups_app.errors import (
    CopyDamaged,
    CopyOfAnotherDatabase,
    SiteUnreadable,
    TargetUnreachable,
    TempleOpsError,
)
from backups_app.models import AuditEvent, User
from backups_app.progress import Silent
from backups_app.records import Origin
from backups_app.storage import copy_manifest, key_proofs
from backups_app.target_settings import TargetSettings
from backups_app.use_cases import audit_check, copy_choices, copy_keys, site_content
from backups_app.use_cases.copy_sites import Sites
from backups_app.use_cases.fetching import fetch, site
from backups_app.use_cases.fetching.fetch import Fetch, Fetched
from tests.fetching.conftest import KEY, Burn, Copied, identities
from tests.fetching.test_fetch import flip_the_largest_of
from tests.fetching.test_poisoned_copies import change
from tests.fetching.test_site import empty_the_trail, forget
from tests.storage import making

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 1, 19, 14, 40, tzinfo=UTC)
ROW: Mapping[str, Any] = {
    "n": 1, "at": "2026-01-01T00:00:00+00:00", "actor": "stranger", "role_id": 0, "session": "", "origin": "command",
    "address": "", "action": "login", "target": "x", "result": "success", "request_id": "", "details": {},
    "chain": "", "key_id": "",
}  # fmt: skip
STRANGER = {
    "username": "stranger", "name": "S", "role_id": 0, "email": "s@evil.example", "is_active": True, "wish": None,
}  # fmt: skip


def site_of(*, people: Sequence[Any] = (), audit: Sequence[Any] = ()) -> bytes:
    content = {
        "format": "templeops-site", "version": 1, "made_at": "2026-01-01T00:00:00Z", "schedules": [],
        "retention": None, "recipients": [], "people": people, "audit": audit,
    }  # fmt: skip
    return gzip.compress(json.dumps(content).encode())


def broken_deflate() -> bytes:
    good = gzip.compress(b"x" * 5000)
    return good[:12] + bytes(byte ^ 0xFF for byte in good[12:20]) + good[20:]


def with_site(copied: Copied, backup_id: str, data: bytes, *, database: str | None = None) -> None:
    """Put a copy with this `site.json` in the place of that of a backup."""
    for path in list(copied.target.root.iterdir()):
        if copy_manifest.backup_id_of(path.name) == backup_id:
            path.unlink()
    folder = copied.burned / f"backup_{backup_id}"
    if database is not None:
        metadata.write(folder, (metadata.read(folder) or {}) | {"database": database})
    making.copy_folder(copied.target, folder, site=data)


def request(copied: Copied) -> Fetch:
    return Fetch(
        configuration=copied.configuration, target=copied.target, identities=[], requested_by="root",
        origin=Origin.COMMAND, now=datetime.now(UTC), progress=Silent(),
    )  # fmt: skip


def fetched_with_site(copied: Copied, wanted: str = "all") -> tuple[list[Fetched], site.Site | None]:
    asked = request(copied)
    fetched = fetch.fetch(wanted, asked=asked)
    return fetched, fetch.bring_site(asked=asked, fetched=fetched)


def errors_of(fetched: Sequence[Fetched]) -> dict[str, TempleOpsError | None]:
    return {one.choice.backup_id: one.error for one in fetched}


def actors() -> set[str]:
    return set(AuditEvent.objects.values_list("actor", flat=True))


def test_nothing_of_the_site_of_a_refused_copy_is_used(burn: Burn) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], site_of(people=[STRANGER], audit=[ROW]), database="another_temple")
    forget()

    fetched, found = fetched_with_site(copied)

    assert isinstance(fetched[0].error, CopyOfAnotherDatabase)
    assert found is None
    assert not User.objects.exists()
    assert "stranger" not in actors()


def test_nothing_of_the_site_of_a_damaged_copy_is_used(burn: Burn) -> None:
    copied = burn([False, False], recipients=())
    older, newest = copied.made
    with_site(copied, newest, site_of(people=[STRANGER], audit=[ROW]))
    flip_the_largest_of(copied, newest)
    forget()

    fetched, found = fetched_with_site(copied)

    assert isinstance(errors_of(fetched)[newest], CopyDamaged) and errors_of(fetched)[older] is None
    assert found is None and not User.objects.exists()
    assert actors() == {"root"}


def test_a_backup_of_somebody_elses_mongodump_brings_no_site_of_another_database(burn: Burn) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], site_of(people=[STRANGER], audit=[ROW]), database="another_temple")
    change(copied.target, copied.made[0], lambda contents: contents["metadata"].update({"kind": "foreign"}))
    forget()

    _, found = fetched_with_site(copied)

    assert found is None and not User.objects.exists()
    assert "stranger" not in actors()


BAD_SITES = {
    "broken deflate": broken_deflate(),
    "cut off": gzip.compress(b"x" * 5000)[:-4],
    "no address": site_of(audit=[{**ROW, "address": None}]),
    "twice the same number": site_of(audit=[ROW, ROW]),
    "a number that nothing can follow": site_of(audit=[{**ROW, "n": 2**63 - 1}]),
    "details that are none": site_of(audit=[{**ROW, "details": None}]),
    "a moment that no page can show": site_of(audit=[{**ROW, "at": "9999-12-31T23:59:59+00:00"}]),
    "half a character": site_of(audit=[{**ROW, "actor": "\ud800"}]),
}


@pytest.mark.parametrize("name", BAD_SITES)
def test_a_bad_site_stops_no_fetch_and_the_next_older_one_is_taken(burn: Burn, name: str) -> None:
    copied = burn([False, False], recipients=())
    older, newest = copied.made
    with_site(copied, newest, BAD_SITES[name])
    with_site(copied, older, site_of(audit=[{**ROW, "actor": "ananya"}]))
    forget()

    fetched = fetch.fetch("all", asked=request(copied))

    assert errors_of(fetched) == {older: None, newest: None}
    site_errors = {one.choice.backup_id: one.site_error for one in fetched}
    assert isinstance(site_errors[newest], SiteUnreadable) and site_errors[older] is None
    assert list(AuditEvent.objects.order_by("n").values_list("actor", flat=True)) == ["ananya", *["root"] * 4]


def test_a_content_that_unpacks_to_more_than_is_read_is_named(burn: Burn, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], gzip.compress(b" " * 3_000_000))
    monkeypatch.setattr(site_content, "LARGEST_BYTES", 1_000_000)
    forget()

    (fetched,), found = fetched_with_site(copied)

    assert fetched.error is None
    assert found is not None and found.backup_id is None
    assert "too large" in found.problems[copied.made[0]].detail


def test_no_more_is_unpacked_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = 0
    real = gzip_members.Decompressed.read

    def counted(stream: gzip_members.Decompressed, size: int) -> bytes:
        nonlocal unpacked
        data = real(stream, size)
        unpacked += len(data)
        return data

    monkeypatch.setattr(gzip_members.Decompressed, "read", counted)
    monkeypatch.setattr(site_content, "LARGEST_BYTES", 2_000_000)

    with pytest.raises(SiteUnreadable):
        site_content.read(gzip.compress(b" " * 50_000_000))
    assert unpacked <= 4_000_000


def test_people_that_are_none_are_named_and_the_older_site_comes(burn: Burn) -> None:
    copied = burn([False, False], recipients=())
    older, newest = copied.made
    with_site(copied, newest, site_of(people=[STRANGER, {"username": "half"}]))
    with_site(copied, older, site_of(people=[{**STRANGER, "username": "ananya"}]))
    forget()

    _, found = fetched_with_site(copied)

    assert found is not None and found.backup_id == older
    assert isinstance(found.problems[newest], SiteUnreadable)
    assert list(User.objects.values_list("username", flat=True)) == ["ananya"]


def test_a_fetch_that_was_cut_leaves_the_trail_empty_for_the_next_one(
    burn: Burn, super_admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], site_content.made(configuration=copied.configuration, now=NOW))
    before = list(AuditEvent.objects.order_by("n").values())
    forget()
    with monkeypatch.context() as cut:
        cut.setattr(fetch, "_fill", _cut)
        with pytest.raises(TargetUnreachable):
            copied.fetch("latest", with_key=False)
    assert not AuditEvent.objects.exists()

    copied.fetch("latest", with_key=False)

    assert list(AuditEvent.objects.order_by("n").values())[: len(before)] == before
    assert audit_check.verify(configuration=copied.configuration).good


def _cut(*_: Any) -> None:
    raise TargetUnreachable(target="nas")


def test_the_newest_trail_comes_although_a_holder_comes_first(burn: Burn, super_admin: User) -> None:
    copied = burn([True, False], recipients=())
    holder, newest = copied.made
    with_site(copied, holder, site_of(audit=[{**ROW, "actor": "older"}]))
    with_site(copied, newest, site_of(audit=[{**ROW, "actor": "newer"}]))
    forget()

    fetched = copied.fetch("all", with_key=False)

    assert [one.choice.backup_id for one in fetched] == [holder, newest]
    rows = list(AuditEvent.objects.order_by("n").values_list("actor", "target", "result"))
    assert rows[0][0] == "newer"
    assert rows[1:] == [
        ("ananya", one, result) for one in (holder, newest) for result in ("started", "fetched")
    ]  # fmt: skip


def test_holders_alone_leave_the_trail_to_the_newest_backup(burn: Burn) -> None:
    """As the runbook does: holders, then the latest."""
    copied = burn([True, False], recipients=())
    holder, newest = copied.made
    with_site(copied, holder, site_of(audit=[{**ROW, "actor": "older"}]))
    with_site(copied, newest, site_of(audit=[{**ROW, "actor": "newer"}]))
    forget()

    code, _, err = command(copied, "holders")
    assert code == 0 and not AuditEvent.objects.exists()
    assert "The audit trail here is still empty" in err
    copied.fetch("latest", with_key=False)

    assert AuditEvent.objects.order_by("n").values_list("actor", flat=True)[0] == "newer"


def test_holders_that_are_the_newest_bring_their_trail(burn: Burn) -> None:
    copied = burn([True], recipients=())
    with_site(copied, copied.made[0], site_of(audit=[ROW]))
    forget()

    copied.fetch("holders", with_key=False)

    assert AuditEvent.objects.order_by("n").values_list("actor", flat=True)[0] == "stranger"


def test_a_name_dated_in_the_future_does_not_keep_the_trail_of_the_newest_away(burn: Burn) -> None:
    copied = burn([True], recipients=())
    with_site(copied, copied.made[0], site_of(audit=[ROW]))
    copied.target.put(copy_manifest.new_manifest_name("20990101_000000"), [b"{}"])
    forget()

    copied.fetch("holders", with_key=False)

    assert AuditEvent.objects.order_by("n").values_list("actor", flat=True)[0] == "stranger"


def test_a_backup_dated_in_the_future_is_not_the_newest_whose_trail_and_site_come(burn: Burn) -> None:
    """A clock was wrong for an hour: its run is older than it says."""
    copied = burn([False, False], recipients=())
    real, ahead = copied.made
    folder = copied.burned / f"backup_{ahead}"
    metadata.write(folder, (metadata.read(folder) or {}) | {"created_at": "2099-01-01T00:00:00+00:00"})
    with_site(copied, real, site_of(audit=[{**ROW, "actor": "newer"}]))
    with_site(copied, ahead, site_of(audit=[{**ROW, "actor": "older"}]))
    forget()

    _, brought = fetched_with_site(copied)

    assert AuditEvent.objects.order_by("n").values_list("actor", flat=True)[0] == "newer"
    assert brought is not None and brought.backup_id == real


def test_the_trail_of_a_backup_that_is_here_goes_on_after_the_database_of_users_was_lost(burn: Burn) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], site_of(audit=[{**ROW, "actor": "ananya"}]))
    copied.fetch("latest", with_key=False)
    empty_the_trail()

    (again,) = copied.fetch("latest", with_key=False)

    assert again.was_here and again.error is None
    assert AuditEvent.objects.order_by("n").values_list("action", flat=True)[0] == "login"


def test_latest_passes_over_a_newer_backup_of_another_database(burn: Burn) -> None:
    copied = burn([False, False], recipients=())
    ours, theirs = copied.made
    with_site(copied, theirs, site_of(), database="another_temple")

    fetched = copied.fetch("latest", with_key=False)

    assert isinstance(errors_of(fetched)[theirs], CopyOfAnotherDatabase)
    assert errors_of(fetched)[ours] is None
    assert copied.entries() == [f"backup_{ours}"]
    sites = Sites(target=copied.target, identities=[], database=copied.configuration.database_name)
    found = copy_choices.choose(copied.target, "latest", identities=[], now=datetime.now(UTC), sites=sites)
    (chosen,) = (one for one in found if one.contents is not None)
    assert chosen.backup_id == ours


def command(copied: Copied, *arguments: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of `backup_fetch`."""
    settings = TargetSettings(name="nas", kind="file", place=str(copied.target.root))
    out, err, code = io.StringIO(), io.StringIO(), 0
    with override_settings(TEMPLEOPS=_with_target(copied, settings)):
        try:
            call_command("backup_fetch", *arguments, "--from", "nas", stdout=out, stderr=err)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def _with_target(copied: Copied, settings: TargetSettings) -> Any:
    return replace(copied.configuration, targets=(settings,))


def test_the_command_names_what_it_passed_over_and_ends_well(burn: Burn) -> None:
    copied = burn([False, False], recipients=())
    ours, theirs = copied.made
    with_site(copied, theirs, site_of(), database="another_temple")

    code, out, _ = command(copied, "latest")

    assert code == 0
    assert (
        f'{theirs}: NOT FETCHED. The copy of backup {theirs} at the target "nas" is of the database "another_temple"'
        in out
    )
    assert f"{ours}: fetched and verified." in out


def test_the_command_names_a_bad_site_and_the_backup_is_here(burn: Burn) -> None:
    copied = burn([False], recipients=())
    with_site(copied, copied.made[0], broken_deflate())
    forget()

    code, out, err = command(copied, "latest", "--site")

    assert code == SiteUnreadable.exit_code
    assert f"{copied.made[0]}: fetched and verified." in out
    assert f"{copied.made[0]}: The site.json of the copy cannot be used: its site.json is damaged." in err


def claim(copied: Copied, recipients: Sequence[str]) -> None:
    change(copied.target, copied.made[0], lambda contents: contents.update({"recipients": list(recipients)}))


def test_a_clear_copy_that_claims_recipients_proves_no_key(burn: Burn) -> None:
    copied = burn([False], recipients=())
    claim(copied, [KEY.public])

    (fetched,) = copied.fetch("all")

    assert fetched.error is not None and fetched.error.code == "copy_unreadable"
    assert key_proofs.opened_at([KEY.public]) is None


def test_the_test_of_a_key_is_not_passed_by_a_clear_copy(burn: Burn) -> None:
    copied = burn([False], recipients=())
    claim(copied, [KEY.public])
    configuration = replace(copied.configuration, copy_recipients=(KEY.public,))

    with pytest.raises(TempleOpsError):
        copy_keys.test(
            configuration=configuration, target=copied.target, identities=identities(KEY), requested_by="ananya",
            origin=Origin.COMMAND, now=NOW,
        )  # fmt: skip

    assert key_proofs.opened_at([KEY.public]) is None
