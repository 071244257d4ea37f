"""What we took from others is exactly what `VENDOR.json` says, and its licence stands beside it."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.static_parts import vendor

ENTRIES = json.loads((vendor.VENDOR / "VENDOR.json").read_text())["parts"]
FILES = [entry for part in ENTRIES for entry in part["files"]]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"])
def test_a_vendored_file_has_the_recorded_hashes(entry: dict[str, str]) -> None:
    assert vendor.described(vendor.VENDOR / entry["file"]) == entry


def test_htmx_is_the_release_that_was_examined() -> None:
    (htmx,) = [entry for entry in FILES if entry["file"] == "htmx/htmx.min.js"]

    assert htmx["sha256"] == "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
    assert htmx["sha384"] == "2OatzQy1H+Zd/IIrjr1TcuDGqLXeHhbooAyJY1KdQMKnr4LZ22k31GBLdYKHmVjg"


def test_a_packed_file_holds_the_file_beside_it() -> None:
    packed = [vendor.VENDOR / entry["file"] for entry in FILES if entry["file"].endswith(".gz")]

    assert [path.name for path in packed] == ["htmx.min.js.gz"]
    assert all(gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes() for path in packed)


def test_every_part_is_recorded_with_its_version_and_licence_text() -> None:
    recorded = {(part["name"], part["version"], part["licence"]) for part in ENTRIES}

    assert recorded == {(part.package, part.version, part.licence) for part in vendor.PARTS}
    assert all((vendor.VENDOR / part.folder / "LICENSE.txt").stat().st_size > 200 for part in vendor.PARTS)


def test_nothing_lies_in_the_vendor_folder_without_a_record() -> None:
    lying = {path.relative_to(vendor.VENDOR).as_posix() for path in vendor.VENDOR.rglob("*") if path.is_file()}

    assert lying - {"VENDOR.json", "README.md"} == {entry["file"] for entry in FILES}


def test_the_sprite_holds_every_icon_once() -> None:
    drawn = (vendor.VENDOR / "lucide" / "icons.svg").read_text()

    assert [drawn.count(f'id="{name}"') for name in vendor.ICONS] == [1] * len(vendor.ICONS)
