"""Examples of the AsyncAPI document, by name of the model; made by the models."""

from datetime import UTC, date, datetime
from typing import Final

from pydantic import BaseModel

from shared.errors import RefusalCode, RejectionCode
from shared.events.adoption_v1 import (
    ControlV1,
    CountedDataV1,
    CountedV1,
    ReversedDataV1,
    ReversedV1,
    StatedDataV1,
    StatedV1,
)
from shared.events.alert_v1 import AlertDataV1, AlertKind, AlertState, AlertV1
from shared.events.cloudevent_v1 import CountDataV1, EventV1
from shared.events.refused_v1 import RefusedDataV1, RefusedV1
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.settled_v1 import (
    DroppedDataV1,
    DroppedV1,
    RedrivenDataV1,
    RedrivenV1,
)
from shared.events.topics import EVENTS, SUBMISSIONS
from shared.events.totals_v1 import (
    ControlClaimV1,
    DailyTotalV1,
    LastReportV1,
    StatedLevelV1,
    WatermarkV1,
)

_AT: Final = datetime(2026, 11, 21, 2, tzinfo=UTC)
_YESTERDAY_AT: Final = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
_TODAY: Final = date(2026, 11, 21)
_YESTERDAY: Final = date(2026, 11, 20)
_REFORM: Final = date(2025, 7, 1)
_AGENCY: Final = "bank"
_SOURCE: Final = "/vn/38/bank"
_COMMUNE: Final = "15961"
_STOCK: Final = "cashless_accounts"
_FINGERPRINT: Final = "3f6c1d0a9b2e4875"
_PLACE: Final = f"{EVENTS}/3/1249"

_EVENTS: Final = (
    CountedV1(
        specversion="1.0",
        id="order-48213",
        source=_SOURCE,
        type="uptake.ecommerce.completed",
        time=_AT,
        agency=_AGENCY,
        localday=_TODAY,
        effect="count",
        indicator="ecommerce_transactions",
        sign=1,
        locality=_COMMUNE,
        validfrom=_REFORM,
        data=CountedDataV1(count=1, amount=412_750),
    ),
    StatedV1(
        specversion="1.0",
        id="census-15961-2026-11-20",
        source=_SOURCE,
        type="uptake.indicator.stated",
        time=_AT,
        agency=_AGENCY,
        localday=_TODAY,
        effect="state",
        indicator=_STOCK,
        locality=_COMMUNE,
        validfrom=_REFORM,
        data=StatedDataV1(count=8_540, day=_YESTERDAY),
    ),
    ControlV1(
        specversion="1.0",
        id="control-2026-11-20",
        source=_SOURCE,
        type="uptake.control.stated",
        time=_AT,
        agency=_AGENCY,
        localday=_TODAY,
        effect="control",
        indicator=_STOCK,
        data=StatedDataV1(count=0, day=_YESTERDAY),
    ),
    ReversedV1(
        specversion="1.0",
        id="void-order-48200",
        source=_SOURCE,
        type="uptake.event.reversed",
        time=_AT,
        agency=_AGENCY,
        localday=_TODAY,
        effect="reverse",
        data=ReversedDataV1(id="order-48200", source=_SOURCE, time=_YESTERDAY_AT),
    ),
)

_TOTALS: Final = (
    DailyTotalV1(
        indicator="ecommerce_transactions",
        agency=_AGENCY,
        locality=_COMMUNE,
        valid_from=_REFORM,
        day=_TODAY,
        count=1_204,
        amount=496_951_000,
        partition=3,
        revision=1_250,
    ),
    StatedLevelV1(
        indicator=_STOCK,
        agency=_AGENCY,
        locality=_COMMUNE,
        valid_from=_REFORM,
        day=_YESTERDAY,
        level=8_540,
        partition=3,
        revision=1_250,
    ),
    ControlClaimV1(
        indicator=_STOCK,
        agency=_AGENCY,
        day=_YESTERDAY,
        claimed=0,
        partition=3,
        revision=1_250,
    ),
    LastReportV1(agency=_AGENCY, indicator=_STOCK, at=_AT, partition=3, revision=1_250),
    WatermarkV1(partition=3, at=_AT, revision=1_250),
)

_REJECTED: Final = RejectedV1(
    id=_PLACE,
    source="/uptake/aggregation",
    time=_AT,
    data=RejectedDataV1(
        code=RejectionCode.UNREADABLE.value,
        detail="not an admitted event of version 1",
        topic=EVENTS,
        partition=3,
        offset=1_249,
        logged_at=_AT,
        key="YmFuaw==",
        bytes="e30=",
        sha256="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    ),
)

_MARKS: Final = (
    RedrivenV1(
        id=f"{_PLACE}/redriven/3/2001",
        source="/uptake/ingest",
        time=_AT,
        data=RedrivenDataV1(record=_PLACE, topic=EVENTS, partition=3, offset=2_001),
    ),
    DroppedV1(
        id=f"{_PLACE}/dropped",
        source="/uptake/ingest",
        time=_AT,
        data=DroppedDataV1(record=_PLACE, reason="a test of the broker, not an event"),
    ),
)

_ALERT: Final = AlertV1(
    id=f"{_FINGERPRINT}/2/firing",
    source="/uptake/alerting",
    type="uptake.alert.changed",
    subject="tha-cashless-2026",
    time=_AT,
    data=AlertDataV1(
        kind=AlertKind.TARGET_LAGGING,
        state=AlertState.FIRING,
        severity="warning",
        episode=2,
        fingerprint=_FINGERPRINT,
        target="tha-cashless-2026",
        indicator=_STOCK,
        locality="38",
        status="lagging",
        actual=854_000,
        expected=1_000_000,
        goal=1_200_000,
        due=date(2026, 12, 31),
        position="0.8540",
        since=_AT,
        summary_en="Cashless accounts in Thanh Hóa are behind their path",
        summary_vi="Tài khoản không dùng tiền mặt ở Thanh Hóa chậm tiến độ",
    ),
)


_SUBMITTED: Final = EventV1(
    specversion="1.0",
    id="order-48213",
    source=_SOURCE,
    type="uptake.ecommerce.completed",
    time="2026-11-21T09:00:00+07:00",
    data=CountDataV1(locality=_COMMUNE, count=1, amount=412_750),
)

_REFUSED: Final = RefusedV1(
    id=f"{SUBMISSIONS}{_AGENCY}/0/41",
    source="/uptake/ingest",
    time=_AT,
    data=RefusedDataV1(
        code=RefusalCode.TIME_NAIVE.value,
        detail="time has no offset from UTC; append one, e.g. +07:00",
        topic=f"{SUBMISSIONS}{_AGENCY}",
        partition=0,
        offset=41,
        id="order-48214",
        sha256="7d0c0b2f5e1f6a0c4b7f7e2e0a9a9d3a2f8a6f5f1f7f0f8d7c6b5a4938271605",
    ),
)


def _named(*messages: BaseModel) -> dict[str, object]:
    return {
        type(message).__name__: message.model_dump(mode="json") for message in messages
    }


PAYLOADS: Final = {
    **_named(*_EVENTS, *_TOTALS, _REJECTED, *_MARKS, _ALERT, _REFUSED),
    EventV1.__name__: _SUBMITTED.model_dump(mode="json", exclude_unset=True),
}

KEYS: Final[dict[str, str]] = {
    **{type(event).__name__: _AGENCY for event in _EVENTS},
    **{type(total).__name__: total.key().decode() for total in _TOTALS},
    **{type(each).__name__: _PLACE for each in (_REJECTED, *_MARKS)},
    AlertV1.__name__: _FINGERPRINT,
    RefusedV1.__name__: _REFUSED.id,
    EventV1.__name__: _SUBMITTED.id,
}
