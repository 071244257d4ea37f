"""Fetches the parts of others that `static/vendor/` holds, and writes `VENDOR.json` beside them.

    python -m tests.static_parts.vendor          (needs npm; neither running nor testing TempleOps does)

The versions stand below. To raise one: change it, run this, run the tests, commit what changed.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"

ICONS = [
    "archive",
    "bell",
    "braces",
    "calendar-clock",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "circle-dashed",
    "circle-minus",
    "circle-x",
    "clock",
    "cloud",
    "cloud-off",
    "copy",
    "database",
    "eye",
    "file-json",
    "git-compare",
    "git-merge",
    "hard-drive",
    "history",
    "info",
    "key-round",
    "languages",
    "layout-dashboard",
    "list",
    "loader-circle",
    "lock",
    "log-out",
    "mail",
    "menu",
    "monitor",
    "moon",
    "refresh-cw",
    "rotate-ccw",
    "scroll-text",
    "search",
    "send",
    "server",
    "shield-alert",
    "shield-check",
    "shield-x",
    "sun",
    "table",
    "trash-2",
    "triangle-alert",
    "user",
    "users",
    "x",
]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One package. `files`: its path inside to its name here; `made`: the name of a file that we build from it;
    `packed`: which of them lies here compressed as well, for browsers on slow lines."""

    package: str
    version: str
    licence: str
    folder: str
    files: dict[str, str]
    made: str = ""
    packed: str = ""


SCRIPTS = ("devanagari", "bengali", "gujarati", "gurmukhi", "kannada", "malayalam", "oriya", "tamil", "telugu")
"""The scripts of India. A browser loads the font of one when a page holds a letter of it."""


def _noto(script: str) -> Part:
    return Part(
        package=f"@fontsource-variable/noto-sans-{script}",
        version="5.3.0",
        licence="OFL-1.1",
        folder=f"noto-sans-{script}",
        files={
            f"files/noto-sans-{script}-{script}-wght-normal.woff2": f"noto-sans-{script}.woff2",
            "LICENSE": "LICENSE.txt",
        },
    )


PARTS = (
    Part(
        package="htmx.org",
        version="2.0.11",
        licence="0BSD",
        folder="htmx",
        files={"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE.txt"},
        packed="htmx.min.js",
    ),
    Part(
        package="lucide-static",
        version="1.62.0",
        licence="ISC",
        folder="lucide",
        files={"LICENSE": "LICENSE.txt"},
        made="icons.svg",
    ),
    Part(
        package="@fontsource-variable/inter",
        version="5.3.0",
        licence="OFL-1.1",
        folder="inter",
        files={"files/inter-latin-wght-normal.woff2": "inter-latin.woff2", "LICENSE": "LICENSE.txt"},
    ),
    *(_noto(script) for script in SCRIPTS),
)


def fetch(part: Part, *, into: Path) -> Path:
    """Given a part, let npm download its package and unpack it. Return the folder of its content."""
    command = ["npm", "pack", f"{part.package}@{part.version}", "--silent"]
    archive = subprocess.run(command, cwd=into, check=True, capture_output=True, text=True).stdout.strip()
    target = into / part.folder
    with tarfile.open(into / archive) as packed:
        packed.extractall(target, filter="data")
    return target / "package"


def sprite(package: Path) -> str:
    """Return one SVG with the icons we use as symbols; 10 KB instead of the half megabyte of the whole set."""
    drawn_as = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    symbols = []
    for name in ICONS:
        drawing = (package / "icons" / f"{name}.svg").read_text()
        inner = " ".join(re.sub(r"<!--.*?-->|</?svg[^>]*>", "", drawing, flags=re.DOTALL).split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24" {drawn_as}>{inner}</symbol>')
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'


def described(path: Path) -> dict[str, str]:
    """Return what `VENDOR.json` says of a file: its name and its hashes (sha384 as browsers want it)."""
    content = path.read_bytes()
    return {
        "file": path.relative_to(VENDOR).as_posix(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sha384": base64.b64encode(hashlib.sha384(content).digest()).decode(),
    }


def place(part: Part, package: Path) -> dict[str, object]:
    """Copy a part's files to their places. Return its entry of `VENDOR.json`."""
    folder = VENDOR / part.folder
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in part.files.items():
        (folder / name).write_bytes((package / source).read_bytes())
    if part.made:
        (folder / part.made).write_text(sprite(package))
    packed = f"{part.packed}.gz" if part.packed else ""
    if packed:
        (folder / packed).write_bytes(gzip.compress((folder / part.packed).read_bytes(), mtime=0))
    names = [*part.files.values(), *filter(None, (part.made, packed))]
    return {
        "name": part.package,
        "version": part.version,
        "licence": part.licence,
        "files": [described(folder / name) for name in names],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        entries = [place(part, fetch(part, into=Path(temporary))) for part in PARTS]
    (VENDOR / "VENDOR.json").write_text(json.dumps({"parts": entries}, indent=2) + "\n")


if __name__ == "__main__":
    main()
