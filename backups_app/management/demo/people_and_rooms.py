"""What the temple has and knows: people, rooms, goods, festivals, pictures."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from bson import Binary, Int64, ObjectId, Regex
from pymongo import ASCENDING, TEXT, IndexModel
from pymongo.collation import Collation

from backups_app.management.demo import words
from backups_app.management.demo.generator import FIRST_DAY, DemoCollection, Generator

NUMERIC = Collation(locale="en", strength=2, numericOrdering=True)
CHUNK_BYTES = 255 * 1024


def devotees(count: int) -> DemoCollection:
    """Families who come here. The telephone number is unique where there is one."""
    generator = Generator("devotees")
    documents = [
        generator.with_times(
            {
                "name": f"{generator.random.choice(words.DEVOTEES)}",
                "phone": f"+91 9{number:04d} 00000" if number % 7 else None,
                "gotra": generator.random.choice(("Bharadvaja", "काश्यप", "Kaushika", "வசிஷ்டர்")),
                "family": generator.random.randint(1, 8),
                "tags": generator.random.sample(["annadanam", "volunteer", "life member", "overseas"], number % 3),
            }
        )
        for number in range(1, count + 1)
    ]
    unique = IndexModel([("phone", ASCENDING)], unique=True, partialFilterExpression={"phone": {"$type": "string"}})
    return DemoCollection(name="devotees", documents=documents, indexes=(unique,))


def priests() -> DemoCollection:
    """Those who serve, and on which days."""
    generator = Generator("priests")
    documents = [
        generator.with_times({"name": name, "since": 1988 + number, "week_days": [number % 7, (number + 3) % 7]})
        for number, name in enumerate(words.PRIESTS)
    ]
    return DemoCollection(name="priests", documents=documents)


def rooms() -> DemoCollection:
    """Guest rooms. `a2` and `A2` are one room: a collection with a collation of its own."""
    generator = Generator("rooms")
    documents = [
        {**generator.with_times({"beds": 2 + number % 3, "rent": 400 + 50 * (number % 5)}), "_id": f"{wing}{number}"}
        for wing in "ABCD"
        for number in range(1, 17)
    ]
    return DemoCollection(name="rooms", documents=documents, options={"collation": NUMERIC})


def inventory(count: int) -> DemoCollection:
    """Goods in the store: amounts as 32 and 64 bit numbers and as doubles."""
    generator = Generator("inventory")
    documents = []
    for number in range(count):
        goods, unit = words.GOODS[number % len(words.GOODS)]
        amounts = (
            generator.random.randint(1, 500),
            Int64(generator.random.randint(1, 500)),
            generator.random.random() * 50,
        )
        documents.append(
            generator.with_times(
                {"item": goods, "unit": unit, "amount": amounts[number % 3], "shelf": {"row": number % 9}}
            )
        )
    return DemoCollection(
        name="inventory", documents=documents, indexes=(IndexModel([("item", ASCENDING), ("shelf.row", ASCENDING)]),)
    )


def vendors(count: int) -> DemoCollection:
    """Who delivers. The tax number is unique for those who are active."""
    generator = Generator("vendors")
    documents = [
        generator.with_times({"name": f"{generator.random.choice(words.DEVOTEES)} & Sons",
                              "gstin": f"29ABCDE{number:04d}F1Z5", "active": number % 6 != 0})
        for number in range(count)
    ]  # fmt: skip
    partial = IndexModel([("gstin", ASCENDING)], unique=True, partialFilterExpression={"active": True})
    return DemoCollection(name="vendors", documents=documents, indexes=(partial,))


def rituals() -> DemoCollection:
    """How each seva is done; its booking numbers are recognised by a pattern."""
    generator = Generator("rituals")
    documents = [
        generator.with_times({"name": name, "local_name": local, "minutes": 20 + price % 90,
                         "booking_pattern": Regex("^BK-", "i"), "steps": ["संकल्प", "पूजा", "आरती", "प्रसाद"]})
        for name, local, price in words.SEVAS
    ]  # fmt: skip
    return DemoCollection(name="rituals", documents=documents)


def festivals() -> DemoCollection:
    """The year's feasts."""
    generator = Generator("festivals")
    documents = [
        generator.with_times(
            {"name": name, "on": datetime(2026, 1, 14, tzinfo=UTC) + timedelta(days=24 * number), "year": 2026}
        )
        for number, name in enumerate(words.FESTIVALS)
    ]
    return DemoCollection(name="festivals", documents=documents)


def events(count: int) -> DemoCollection:
    """What is planned, and where: with coordinates."""
    generator = Generator("events")
    documents = [
        generator.with_times(
            {
                "title": f"{generator.random.choice(words.FESTIVALS)} – {number}",
                "place": {"type": "Point", "coordinates": [77.59 + number / 10_000, 12.97]},
                "starts_at": generator.moment() + timedelta(days=30),
                "seats": generator.random.choice((50, 200, 1_000)),
            }
        )
        for number in range(count)
    ]
    return DemoCollection(name="events", documents=documents, indexes=(IndexModel([("place", "2dsphere")]),))


def announcements(count: int) -> DemoCollection:
    """What hangs at the door until it expires: a time-to-live index."""
    generator = Generator("announcements")
    documents = [
        generator.with_times(
            {
                "text": {"en": f"The {name} begins at six in the morning.", "hi": f"{local} प्रातः छह बजे से।"},
                "expires_at": datetime(2036, 1, 1, tzinfo=UTC) + timedelta(days=number),
            }
        )
        for number, (name, local, _) in zip(range(count), words.SEVAS * count, strict=False)
    ]
    return DemoCollection(
        name="announcements",
        documents=documents,
        indexes=(IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),),
    )


def feedback(count: int) -> DemoCollection:
    """What visitors wrote: with a full-text index."""
    generator = Generator("feedback")
    documents = [
        generator.with_times({"from": generator.random.choice(words.DEVOTEES), "stars": generator.random.randint(1, 5),
                         "remark": generator.random.choice(words.REMARKS)})
        for _ in range(count)
    ]  # fmt: skip
    return DemoCollection(
        name="feedback", documents=documents, indexes=(IndexModel([("remark", TEXT)], default_language="none"),)
    )


def gallery(pictures: int) -> list[DemoCollection]:
    """Pictures as GridFS keeps them: two collections."""
    generator = Generator("gallery")
    files, chunks = [], []
    for number in range(1, pictures + 1):
        data = _picture(number)
        file_id = generator.id()
        files.append({"_id": file_id, "filename": f"darshan_{number}.ppm", "length": Int64(len(data)),
                      "chunkSize": CHUNK_BYTES, "uploadDate": FIRST_DAY + timedelta(days=number)})  # fmt: skip
        chunks += [
            {"_id": ObjectId(hashlib.sha256(f"{file_id}{n}".encode()).digest()[:12]), "files_id": file_id, "n": n,
             "data": Binary(data[start : start + CHUNK_BYTES])}
            for n, start in enumerate(range(0, len(data), CHUNK_BYTES))
        ]  # fmt: skip
    by_part = IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)
    return [
        DemoCollection(name="gallery.files", documents=files),
        DemoCollection(name="gallery.chunks", documents=chunks, indexes=(by_part,)),
    ]


def _picture(number: int) -> bytes:
    """Return a small picture, a sunrise of its own colour, in the plainest format there is."""
    width, height = 320, 200
    rows = (bytes((255 - y // 2, 120 + number * 10, y)) * width for y in range(height))
    return b"P6 %d %d 255\n" % (width, height) + b"".join(rows)
