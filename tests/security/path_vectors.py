"""Names that want out of a folder: a list of the known ones, and a generator of their relatives."""

from __future__ import annotations

import random
from collections.abc import Iterator

REAL = "20250119_143022"
STEPS = [
    "..",
    ".",
    "...",
    "..;",
    "..%00",
    ".. ",
    "%2e%2e",
    "%252e%252e",
    "\u2025",
    "\uff0e\uff0e",
    "..%c0%af",
    "~",
    "~root",
]
SLASHES = ["/", "\\", "%2f", "%5c", "%252f", "\u2215", "\uff0f", "//", "/./", "%c0%af"]
TARGETS = [
    "bait.txt",
    "etc/passwd",
    "proc/self/environ",
    "metadata.json",
    ".env",
    "db.sqlite3",
    "dev/zero",
    "dev/stdin",
]
ODD = [
    "", " ", "\0", "\n", "\r\n", "\t", "-", "--help", "-rf", "*", "?", "[a-z]", "{}", "$HOME", "`id`", "$(id)", "|id",
    ";id", "CON", "NUL", "aux", "C:\\Windows\\win.ini", "\\\\host\\share", "file:///etc/passwd", "/etc/passwd",
    "//etc/passwd", "/proc/self/mem", "\u202e", "\u200b", "A" * 5_000, "\ud7ff", "\U0010ffff", "'", '"', "<script>",
    "%", "%%", "%2", "%zz", ".partial-20250119_143022", ".trash-20250119_143022", ".store_id", "backup_20250119_143022",
]  # fmt: skip
NEAR_IDS = [
    "20250119_14302", "20250119_1430222", "20250119-143022", "20250119143022", "20250119_143022_1",
    "20250119_143022_001",
    "\u0662\u0660\u0662\u0665\u0660\u0661\u0661\u0669_\u0661\u0664\u0663\u0660\u0662\u0662",
    "\uff12\uff10\uff12\uff15\uff10\uff11\uff11\uff19_143022", "20250119_143022\n", "20250119_143022\0",
    " 20250119_143022",
    "20250119_143022 ", "20250119_143022.", "20250119_143022/", "20250119_143022/..", "20250119_143022%00.bson",
    "0x20250119_143022", "20250119_14302\u00b2", "2025\u00ad0119_143022", "linked", "20250120_000000",
    "latest", "LATEST",
]  # fmt: skip


def known() -> list[str]:
    """The list: more than 300, each once."""
    climbs = [
        slash.join([step] * depth + [target.replace("/", slash)])
        for step in STEPS
        for slash in SLASHES
        for depth, target in ((1, TARGETS[0]), (3, TARGETS[1]), (8, TARGETS[2]))
    ]
    inside = [f"{REAL}{slash}..{slash}..{slash}{target}" for slash in SLASHES for target in TARGETS]
    return list(dict.fromkeys([*ODD, *NEAR_IDS, *climbs, *inside]))


def generated(count: int, *, seed: int) -> Iterator[str]:
    """Relatives of the list: parts of it put together, cut and changed."""
    chance = random.Random(seed)
    parts = [*STEPS, *SLASHES, *TARGETS, *NEAR_IDS, "bookings", "temple_db", ".bson", ".metadata.json"]
    for _ in range(count):
        text = "".join(chance.choice(parts) for _ in range(chance.randint(1, 8)))
        for _ in range(chance.randint(0, 3)):
            at = chance.randint(0, len(text))
            text = (
                text[:at]
                + chr(chance.choice([0, 9, 10, 37, 46, 47, 92, 0x2F00, 0x202E, chance.randint(1, 0xD7FF)]))
                + text[at:]
            )
        yield text[:6_000]
