"""Records of `uptake.events` as ingest really writes them."""

from typing import Any

import msgspec

from services.ingest.core.admission import Admitted, Door, admit
from tests.unit.ingest.doors import (
    CONTROL,
    OPENED,
    REFUNDED,
    REVERSED,
    STATED,
    make_data,
    make_door,
)

EVENTS: dict[str, dict[str, Any]] = {
    "adoption_v1_counted": make_data(
        "uptake.ecommerce.completed", count=3, amount=412_750
    ),
    "adoption_v1_amount": make_data(REFUNDED, amount=99_000, locality="38"),
    "adoption_v1_stated": make_data(STATED, count=854_000),
    "adoption_v1_control": make_data(CONTROL, count=0),
    "adoption_v1_reversed": make_data(REVERSED, source="/vn/38/old"),
    "adoption_v1_counted_text": {
        **make_data(OPENED),
        "id": 'ế "𠀋" \\u0000 /',
        "time": "2026-11-20T23:59:59.999999+07:00",
    },
}
"""Events as sent, by the golden file that holds what is written."""


def write_record(event: dict[str, Any], door: Door | None = None) -> bytes:
    """Admit an event and write its record, as the publisher does."""
    admitted = admit(event, door or make_door())
    assert isinstance(admitted, Admitted), admitted
    return msgspec.json.encode(admitted.record)
