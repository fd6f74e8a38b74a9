"""The messages of which golden files are kept, made by those who write them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from services.aggregation.relay import map_rejected_to_message, map_total_to_message
from services.aggregation.store.outbox import ChangedTotal, RejectedRecord
from shared.events.alert_v1 import AlertDataV1, AlertKind, AlertState, AlertV1
from shared.events.refused_v1 import RefusedDataV1, RefusedV1
from shared.events.settled_v1 import (
    DroppedDataV1,
    DroppedV1,
    RedrivenDataV1,
    RedrivenV1,
)
from shared.events.topics import EVENTS as LOG
from shared.events.totals_v1 import WatermarkV1
from tests.contract.wire_records import EVENTS, write_record

GOLDEN: Final = Path(__file__).parent / "golden"
AT: Final = datetime(2026, 11, 21, 2, 0, 0, 250_000, tzinfo=UTC)
TODAY: Final = date(2026, 11, 21)


def _total(
    kind: bytes, *, level: int | None = None, claimed: int | None = None
) -> bytes:
    is_report = kind == b"l"
    has_no_leaf = kind in {b"k", b"l"}
    total = ChangedTotal(
        kind=kind,
        indicator="cashless_accounts",
        agency="bank",
        locality=None if has_no_leaf else "15961",
        valid_from=None if has_no_leaf else date(2025, 7, 1),
        series_id=1,
        day=date.min if is_report else TODAY,
        partition=3,
        revision=1_250,
        # Sums are wider than 64 bits, where a float would lose digits.
        count=-12 if kind == b"d" else 0,
        amount=12_345_678_901_234_567_890 if kind == b"d" else 0,
        level=level,
        reported_at=AT if is_report else None,
        claimed=claimed,
    )
    return map_total_to_message(total)[1]


def _rejected(key: bytes | None, value: bytes | None) -> bytes:
    record = RejectedRecord(
        partition=3,
        offset=1_249,
        code="conflicting_duplicate",
        detail="same source and id as offset 7, other content",
        logged_at=AT,
        key=key,
        value=value,
    )
    return map_rejected_to_message(record)[1]


def _redriven() -> bytes:
    record = f"{LOG}/3/1249"
    mark = RedrivenV1(
        id=f"{record}/redriven/3/2001",
        source="/uptake/ingest",
        time=AT,
        data=RedrivenDataV1(record=record, topic=LOG, partition=3, offset=2_001),
    )
    return mark.model_dump_json().encode()


def _dropped() -> bytes:
    record = f"{LOG}/3/1249"
    mark = DroppedV1(
        id=f"{record}/dropped",
        source="/uptake/ingest",
        time=AT,
        data=DroppedDataV1(record=record, reason="gửi nhầm, not an event"),
    )
    return mark.model_dump_json().encode()


def _alert() -> bytes:
    data = AlertDataV1(
        kind=AlertKind.TARGET_LAGGING,
        state=AlertState.FIRING,
        severity="warning",
        episode=2,
        fingerprint="0f" * 16,
        target="tha-cashless-2026",
        indicator="cashless_accounts",
        locality="38",
        status="lagging",
        actual=854_000,
        expected=1_000_000,
        goal=1_200_000,
        due=date(2026, 12, 31),
        position="0.8540",
        since=AT,
        summary_en="Cashless accounts in Thanh Hóa are behind their path",
        summary_vi="Tài khoản không dùng tiền mặt ở Thanh Hóa chậm tiến độ",
    )
    message = AlertV1(
        id=f"{data.fingerprint}/2/firing",
        source="/uptake/alerting",
        type="uptake.alert.changed",
        subject=data.target,
        time=AT,
        data=data,
    )
    return message.model_dump_json().encode()


def _refused() -> bytes:
    message = RefusedV1(
        id="uptake.submissions.bank/0/41",
        source="/uptake/ingest",
        time=AT,
        data=RefusedDataV1(
            code="time_naive",
            detail="time has no offset from UTC; append one, e.g. +07:00",
            topic="uptake.submissions.bank",
            partition=0,
            offset=41,
            id=None,
            sha256="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ),
    )
    return message.model_dump_json().encode()


def messages() -> dict[str, bytes]:
    """Make every message, by the name of its golden file."""
    watermark = WatermarkV1(partition=3, at=AT, revision=1_250)
    return {
        **{name: write_record(event) for name, event in EVENTS.items()},
        "total_v1_day": _total(b"d"),
        "total_v1_stated": _total(b"s", level=854_000),
        "total_v1_stated_voided": _total(b"s"),
        "total_v1_control": _total(b"k", claimed=1_250),
        "total_v1_control_voided": _total(b"k"),
        "total_v1_report": _total(b"l"),
        "total_v1_watermark": watermark.model_dump_json().encode(),
        "rejected_v1": _rejected(b"bank", b'{"specversion":"1.0","id":"\xff"}'),
        "rejected_v1_empty": _rejected(None, None),
        "redriven_v1": _redriven(),
        "dropped_v1": _dropped(),
        "alert_v1": _alert(),
        "refused_v1": _refused(),
    }
