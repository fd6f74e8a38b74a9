"""Examples of the OpenAPI document; one contract test gets each answer from ingest."""

from typing import Final

_PROBLEMS: Final = "https://uptake.invalid/problems/"


def _event(id_: str, type_: str, data: dict[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/vn/38/bank",
        "type": type_,
        "time": "2026-11-21T09:00:00+07:00",
        "data": data,
    }


def _problem(slug: str, title: str, status: int, detail: str) -> dict[str, object]:
    return {
        "type": _PROBLEMS + slug,
        "title": title,
        "status": status,
        "detail": detail,
    }


EVENTS: Final[dict[str, dict[str, object]]] = {
    "one sale": _event(
        "order-48213",
        "uptake.ecommerce.completed",
        {"locality": "15961", "amount": 412_750},
    ),
    "a refund": _event(
        "order-48213-refund",
        "uptake.ecommerce.refunded",
        {"locality": "15961", "amount": 412_750},
    ),
    "a day's sum of any indicator": _event(
        "cards-15961-2026-11-21",
        "uptake.indicator.counted",
        {"indicator": "insurance_cards", "locality": "15961", "count": 1_250},
    ),
    "the level of a stock": _event(
        "census-15961-2026-11-20",
        "uptake.indicator.stated",
        {
            "indicator": "cashless_accounts",
            "locality": "15961",
            "count": 8_540,
            "day": "2026-11-20",
        },
    ),
    "an own figure, to compare": _event(
        "control-2026-11-20",
        "uptake.control.stated",
        {"indicator": "cashless_accounts", "count": 0, "day": "2026-11-20"},
    ),
    "a reversal": _event(
        "void-order-48200",
        "uptake.event.reversed",
        {"id": "order-48200", "time": "2026-11-20T16:12:00+07:00"},
    ),
}

BATCHES: Final[dict[str, list[dict[str, object]]]] = {
    "three events, one of them wrong": [
        _event("account-7001", "uptake.cashless.opened", {"locality": "15961"}),
        _event(
            "account-7002", "uptake.cashless.opened", {"locality": "15961", "count": 0}
        ),
        _event("account-6120", "uptake.cashless.closed", {"locality": "15961"}),
    ],
}

_BAD_COUNT: Final = {
    "index": 1,
    "id": "account-7002",
    "code": "bad_count",
    "detail": "data.count must be 1 to 1,000,000,000",
}

RECEIPTS: Final[dict[str, dict[str, object]]] = {
    "three events, one of them wrong": {
        "received": 3,
        "accepted": 2,
        "refused": [_BAD_COUNT],
    },
    "one sale": {"received": 1, "accepted": 1, "refused": []},
}

_NOT_YOURS: Final = (
    "source '/vn/38/other': agency bank may not send as that here; it may send as "
    "/vn/38/bank, /vn/38/old and below"
)

PROBLEMS: Final[dict[int, dict[str, dict[str, object]]]] = {
    400: {
        "cut-short": _problem(
            "cut-short", "The body is incomplete", 400, "the sender hung up"
        ),
        "not-json": _problem(
            "not-json", "The body is not JSON", 400, "byte 0 is not UTF-8"
        ),
        "not-a-batch": _problem(
            "not-a-batch",
            "The body is no batch",
            400,
            "application/cloudevents-batch+json is a JSON array of events; one event "
            "is application/cloudevents+json",
        ),
        "empty-batch": _problem(
            "empty-batch", "The batch is empty", 400, "send at least one event"
        ),
    },
    401: {
        "no-valid-key": _problem(
            "no-valid-key",
            "A valid key is needed",
            401,
            "no key was sent; send the header Authorization: Bearer KEY, with a key "
            "made by `uptake agency add`",
        ),
    },
    403: {
        "source-not-yours": {
            **_problem("source-not-yours", "No event was taken", 403, _NOT_YOURS),
            "received": 1,
            "accepted": 0,
            "refused": [
                {
                    "index": 0,
                    "id": "order-48213",
                    "code": "source_not_yours",
                    "detail": _NOT_YOURS,
                }
            ],
        },
    },
    413: {
        "body-too-large": _problem(
            "body-too-large",
            "The body is too large",
            413,
            "send at most 4,194,304 bytes at a time",
        ),
        "batch-too-long": _problem(
            "batch-too-long",
            "The batch has too many events",
            413,
            "10,001 events; send at most 10,000 at a time",
        ),
    },
    415: {
        "media-type": _problem(
            "media-type",
            "The body's media type is not taken",
            415,
            "content-type is text/csv; send application/cloudevents+json for one "
            "event or application/cloudevents-batch+json for an array",
        ),
    },
    422: {
        "bad-count, with atomic": {
            **_problem(
                "bad-count",
                "No event was taken",
                422,
                "1 of 3 events were refused, nothing was sent; the first is event 1: "
                "data.count must be 1 to 1,000,000,000",
            ),
            "received": 3,
            "accepted": 0,
            "refused": [_BAD_COUNT],
        },
        "events-refused": {
            **_problem(
                "events-refused",
                "No event was taken",
                422,
                "2 of 2 events were refused, nothing was sent; the first is event 0: "
                "the event must be a JSON object, not an integer",
            ),
            "received": 2,
            "accepted": 0,
            "refused": [
                {
                    "index": 0,
                    "id": None,
                    "code": "not_an_object",
                    "detail": "the event must be a JSON object, not an integer",
                },
                _BAD_COUNT,
            ],
        },
    },
    429: {
        "too-many-events": _problem(
            "too-many-events",
            "Too many events for now",
            429,
            "agency bank may send 20,000 events a second and 200,000 at once; nothing "
            "was taken, send the same again after the seconds of Retry-After",
        ),
    },
    503: {
        "not-confirmed": _problem(
            "not-confirmed",
            "The log did not confirm",
            503,
            "whether the events are in the log is unknown: send them again with the "
            "same ids, they will count once",
        ),
    },
}
