"""A small temple: fifteen collections with believable documents, the two sides not quite the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Decimal128, Int64, ObjectId

NAMES = ("John Doe", "Jane Doe", "M. Doeraiswamy", "Lakshmi Iyer", "रोहिणी शर्मा", "Arjun Nair", "மீனாட்சி", "Kavya Rao",
         "Suresh Babu", "Ananya Menon", "Gopal Krishnan", "Fatima Khan")  # fmt: skip
RITUALS = ("Puja", "Archana", "Abhishekam", "Homam", "Annadanam")
NAKSHATRAS = ("रोहिणी", "अश्विनी", "पुष्य", "மகம்")
START = datetime(2026, 1, 19, 9, 0, 22, tzinfo=UTC)
OTHERS = {
    "events": 18, "devotees": 933, "donations": 1240, "employees": 24, "rituals": 12, "inventory": 140, "priests": 9,
    "rooms": 30, "prasadam": 60, "expenses": 220, "settings": 3, "users": 12,
}  # fmt: skip


def booking(number: int) -> dict[str, Any]:
    """A booking as the temple's own system writes it."""
    at = START + timedelta(hours=number)
    return {
        "_id": ObjectId(f"507f1f77bcf86cd7{number:08x}"),
        "name": NAMES[number % len(NAMES)] if number < 3 else f"{NAMES[3 + number % 9]} {number}",
        "ritual": RITUALS[number % len(RITUALS)],
        "amount": 501 + number % 7,
        "receipt": Int64(20_260_000 + number),
        "fee": Decimal128("25.50"),
        "paid": number % 3 != 0,
        "createdAt": at,
        "updatedAt": at,
        "devotee": {"gotra": "Kashyapa", "nakshatra": NAKSHATRAS[number % len(NAKSHATRAS)], "phone": None},
        "slots": [f"{hour:02d}:00" for hour in range(6, 18)],
    }


def plain(number: int, kind: str) -> dict[str, Any]:
    at = START + timedelta(minutes=number)
    return {"_id": number, "kind": kind, "name": NAMES[number % len(NAMES)], "value": number * 11, "updatedAt": at}


def fill(local: Any, atlas: Any, *, bookings: int = 1240, padding: int = 0) -> None:
    """Fill both sides. `padding` bytes more in every donation make a backup that one can watch."""
    everything = {
        "bookings": [booking(number) for number in range(bookings)],
        "employee_bookings": [plain(number, "employee") | {"booking": number} for number in range(312)],
        "activities": [plain(number, "activity") for number in range(50)],
        **{name: [plain(number, name) for number in range(count)] for name, count in OTHERS.items()},
    }
    for document in everything["donations"] + everything["devotees"] if padding else []:
        document["note"] = "श्री " * (padding // 13)
    for database in (local, atlas):
        for name, documents in everything.items():
            database[name].insert_many(documents)
    local.bookings.create_index([("createdAt", -1)], name="by_date")
    atlas.bookings.delete_many({"_id": {"$in": [booking(number)["_id"] for number in range(bookings - 2, bookings)]}})
    atlas.donations.insert_many([plain(number, "donations") for number in range(5_000, 5_014)])
