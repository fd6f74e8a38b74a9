"""One rejected record in full: only what its messages hold, nothing looked up."""

import textwrap
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from services.cli.render import WIDTH, instant, plain
from shared.events.rejected_v1 import RejectedV1
from shared.events.settled_v1 import DroppedV1, RedrivenV1, RejectedState
from shared.kafka.rejected import agency_of, open_rejected, place_of, record_of
from shared.settings import KafkaSettings

_LABEL_WIDTH: Final = 12


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A rejected record and its last mark, if it has one."""

    message: RejectedV1
    mark: RedrivenV1 | DroppedV1 | None

    @property
    def state(self) -> RejectedState:
        """Where the record is in its life."""
        if self.mark is None:
            return RejectedState.OPEN
        if isinstance(self.mark, RedrivenV1):
            return RejectedState.REDRIVEN
        return RejectedState.DROPPED

    @property
    def value(self) -> bytes | None:
        """The record's bytes; None where the message does not hold them."""
        record = record_of(self.message.data)
        return None if record is None else record[1]


async def find_record(settings: KafkaSettings, record: str) -> FoundRecord | None:
    """Read the topic for one record.

    Args:
        settings: How to reach Kafka.
        record: Its id.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """
    found: RejectedV1 | None = None
    mark: RedrivenV1 | DroppedV1 | None = None
    async with open_rejected(settings) as messages:
        async for message in messages:
            if isinstance(message, RejectedV1):
                found = message if message.id == record else found
            elif message.data.record == record:
                mark = message
    return None if found is None else FoundRecord(found, mark)


def to_object(found: FoundRecord) -> dict[str, Any]:
    """Return a record for JSON; `event` is its value where that is JSON."""
    json = None if found.value is None else _as_json(found.value)
    return {
        "state": found.state,
        "rejected": found.message.model_dump(mode="json"),
        "mark": None if found.mark is None else found.mark.model_dump(mode="json"),
        "event": None if json is None else msgspec.Raw(json),
    }


def describe(found: FoundRecord) -> list[str]:
    """Say everything about a record for people."""
    data = found.message.data
    value = found.value
    lines = [
        f"{place_of(found.message.id)}   {plain(data.code)}   {found.state}",
        *_labelled("why", data.detail),
        *_labelled("logged", instant(data.logged_at)),
        *_labelled("agency", agency_of(data) or "-"),
        *_labelled("key", "-" if data.key is None else f"{data.key} (base64)"),
        *_labelled("sha256", data.sha256),
        *_labelled("bytes", "not kept" if value is None else f"{len(value):,}"),
    ]
    if isinstance(found.mark, RedrivenV1):
        place = f"{found.mark.data.partition}/{found.mark.data.offset}"
        lines += _labelled("redriven", f"to {place} at {instant(found.mark.time)}")
    elif found.mark is not None:
        lines += _labelled("dropped", f"{instant(found.mark.time)}")
        lines += _labelled("reason", found.mark.data.reason)
    if value is not None:
        lines += ["", *_show_value(value, data.bytes)]
    return lines


def _show_value(value: bytes, encoded: str) -> list[str]:
    """Show a record's value: as JSON, else as it stands in the message."""
    json = _as_json(value)
    if json is not None:
        text = msgspec.json.format(json, indent=2).decode()
        return [plain(line) for line in text.splitlines()]
    return ["not JSON; in base64:", *textwrap.wrap(encoded, WIDTH)]


def _as_json(value: bytes) -> bytes | None:
    """Return a value that is JSON, as it was written; None if it is none."""
    try:
        # Not decoded into values, which would change long figures and repeated keys.
        value.decode()
        msgspec.json.format(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value


def _labelled(label: str, text: str) -> list[str]:
    """Put a label before a text that may need several lines."""
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=f"  {label}".ljust(_LABEL_WIDTH),
        subsequent_indent=" " * _LABEL_WIDTH,
    ) or [f"  {label}"]
