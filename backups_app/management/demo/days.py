"""What a day at the temple leaves behind: bookings, activities, orders, gifts."""

from __future__ import annotations

from datetime import timedelta

from bson import Decimal128, Int64
from pymongo import ASCENDING, DESCENDING, IndexModel

from backups_app.management.demo import words
from backups_app.management.demo.generator import DemoCollection, Document, Generator

BOOKING_SHAPE = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["booking_number", "devotee", "seva", "amount"],
        "properties": {
            "booking_number": {"bsonType": "string"},
            "amount": {"bsonType": ["int", "long", "double", "decimal"], "minimum": 0},
        },
    }
}


def bookings(count: int) -> DemoCollection:
    """Sevas that devotees booked. With a validator, a unique and a compound index."""
    generator = Generator("bookings")
    documents = [generator.with_times(_booking(generator, number)) for number in range(1, count + 1)]
    return DemoCollection(
        name="bookings",
        documents=documents,
        options={"validator": BOOKING_SHAPE, "validationLevel": "moderate"},
        indexes=(
            IndexModel([("booking_number", ASCENDING)], unique=True),
            IndexModel([("seva.name", ASCENDING), ("on", DESCENDING)]),
        ),
    )


def _booking(generator: Generator, number: int) -> Document:
    name, local_name, price = generator.random.choice(words.SEVAS)
    people = generator.random.randint(1, 6)
    return {
        "booking_number": f"BK-2026-{number:05d}",
        "devotee": {"name": generator.random.choice(words.DEVOTEES), "phone": f"+91 90000 {number:05d}"},
        "seva": {"name": name, "local_name": local_name},
        "on": generator.moment() + timedelta(days=7),
        "people": people,
        "amount": price * people,
        "paid": generator.random.random() < 0.9,
        "status": generator.random.choice(("confirmed", "confirmed", "completed", "cancelled")),
    }


def employee_bookings(count: int) -> DemoCollection:
    """Which employee attends to which booking."""
    generator = Generator("employee_bookings")
    documents = [
        generator.with_times(
            {
                "booking_number": f"BK-2026-{number * 4 + 1:05d}",
                "employee": generator.random.choice(words.PRIESTS),
                "hours": generator.random.choice((0.5, 1.0, 1.5, 2.0)),
                "allowance": Decimal128(f"{generator.random.randint(100, 900)}.50"),
            }
        )
        for number in range(count)
    ]
    return DemoCollection(
        name="employee_bookings", documents=documents, indexes=(IndexModel([("booking_number", ASCENDING)]),)
    )


def activities(count: int) -> DemoCollection:
    """What people did in the temple's program: emptied by each backup."""
    generator = Generator("activities")
    actions = ("booking.created", "booking.cancelled", "donation.received", "room.assigned", "login")
    documents = [
        generator.with_times(
            {"who": generator.random.choice(("ravi", "meena", "counter-2")), "what": action, "sequence": number}
        )
        for number, action in enumerate(actions * (count // len(actions) + 1))
    ]
    return DemoCollection(name="activities", documents=documents[:count])


def donations(count: int) -> DemoCollection:
    """Gifts, to the paisa: decimals."""
    generator = Generator("donations")
    documents = [
        generator.with_times(
            {
                "receipt": Int64(2_026_000_000_000 + number),
                "donor": generator.random.choice(words.DEVOTEES),
                "amount": Decimal128(
                    f"{generator.random.randint(11, 100_001)}.{generator.random.choice(('00', '25', '50'))}"
                ),
                "purpose": generator.random.choice(("Annadanam", "गोशाला", "Renovation", "விளக்கு பூஜை")),
                "in_memory_of": None if number % 5 else generator.random.choice(words.DEVOTEES),
            }
        )
        for number in range(1, count + 1)
    ]
    return DemoCollection(
        name="donations", documents=documents, indexes=(IndexModel([("receipt", ASCENDING)], unique=True),)
    )


def prasadam_orders(count: int) -> DemoCollection:
    """Orders at the counter and by post."""
    generator = Generator("prasadam_orders")
    documents = [
        generator.with_times(
            {
                "for": generator.random.choice(words.DEVOTEES),
                "items": [
                    {"name": name, "pieces": generator.random.randint(1, 12)}
                    for name in generator.random.sample(words.PRASADAM, generator.random.randint(1, 3))
                ],
                "by_post": number % 4 == 0,
                "status": generator.random.choice(("new", "packed", "handed over")),
            }
        )
        for number in range(count)
    ]
    return DemoCollection(
        name="prasadam_orders",
        documents=documents,
        indexes=(
            IndexModel([("status", ASCENDING), ("createdAt", DESCENDING)]),
            IndexModel([("by_post", ASCENDING)], partialFilterExpression={"by_post": True}),
        ),
    )
