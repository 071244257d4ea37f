"""Odd names of collections and databases that MongoDB takes, and some that it does not. Tried on 6.0.5."""

from __future__ import annotations

REFUSED_BY_PYMONGO = ("con.", "a.b.", "a..b", "a...b..", "temple_db.bookings.", "backup_metadata.", "é..é.")
TAKEN_BY_PYMONGO = (
    " ", " lead", "trail ", "tab\there", "line\nbreak", "\x01", "\x7f", ",", "a,b", "a/b", "/", "%", "%2F", "a%2Fb",
    "back\\slash", 'dou"ble', "हिन्दी", "😀", "\u202e", "\ufeff", "e\u0301", "é", "--all", "-", "?", "#", "a&b=c", "*",
    "[x]", "{y}", "<b>", "a;b", "q" * 200, "é" * 100, "Systems", "system", "CON", "x.bson", "x.metadata.json",
    "temple_db.x", "0", "None", "prelude.json", "a:b", "a|b", "enxcol_.x.esc", "fs.chunks", "'", "`", "x~",
)  # fmt: skip
ALL = REFUSED_BY_PYMONGO + TAKEN_BY_PYMONGO
SOME = (*REFUSED_BY_PYMONGO, "plain", "a,b", "a%2Fb", "हिन्दी", "q" * 200)
REFUSED_BY_SERVER = (".a", "..", ".", "a$b", "$a", "$cmd", "a.$cmd", "system.", "system.own", "a.system.b", "")

DATABASES = (
    "t*b", "(x+y)[z]^", "a:b", "a|b", "a<b>", "a?b", "a%2Fb", "a,b", "tab\tbase", "मन्दिर", "'", "#", "q" * 63, "é" * 31,
)  # fmt: skip
"""Names of databases that a server on Linux takes."""
