"""Examples of the OpenAPI document; one contract test gets each answer from ingest."""

import json
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

STREAMS: Final[dict[str, str]] = {
    "four lines, two of them wrong": "".join(
        f"{line}\n"
        for line in (
            *(json.dumps(event) for event in next(iter(BATCHES.values()))),
            "the last account",
        )
    )
}

HEADERS: Final[dict[str, str]] = {
    "ce-specversion": "1.0",
    "ce-id": "order-48213",
    "ce-source": "/vn/38/bank",
    "ce-type": "uptake.ecommerce.completed",
    "ce-time": "2026-11-21T09:00:00+07:00",
}
"""The attributes of one sale, as header fields."""

DATA: Final[dict[str, object]] = {"one sale": EVENTS["one sale"]["data"]}

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

_TWO_OF_FOUR: Final[dict[str, object]] = {
    "received": 4,
    "accepted": 2,
    "refused": [
        {**_BAD_COUNT, "line": 2},
        {
            "index": 3,
            "line": 4,
            "id": None,
            "code": "not_json",
            "detail": "the line is not JSON: column 1: expecting value",
        },
    ],
    "refused_count": 2,
    "refused_by_code": {"bad_count": 1, "not_json": 1},
    "durable_through_line": 4,
}
_NOTHING_YET: Final[dict[str, object]] = {
    "received": 0,
    "accepted": 0,
    "refused": [],
    "refused_count": 0,
    "refused_by_code": {},
    "durable_through_line": 0,
}

RECEIPTS["a stream of four lines, two of them wrong"] = _TWO_OF_FOUR

_NOT_YOURS: Final = (
    "source '/vn/38/other': agency bank may not send as that here; it may send as "
    "/vn/38/bank, /vn/38/old and below"
)

_UNKNOWN: Final = (
    "whether the events are in the log is unknown: send them again with the same ids, "
    "they will count once"
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
        "cut-short, in a stream": {
            **_problem(
                "cut-short",
                "The body is incomplete",
                400,
                "its chunks are not framed as HTTP asks; lines up to 4 are durable: "
                "send the others again, or the whole stream, each event counts once",
            ),
            **_TWO_OF_FOUR,
        },
        "damaged-encoding": _problem(
            "damaged-encoding",
            "The body cannot be unpacked",
            400,
            "it is not gzip; it was sent with content-encoding: gzip",
        ),
        "bad-parameter": _problem(
            "bad-parameter",
            "The query has a parameter that is not taken",
            400,
            "dryrun=true; there are dry_run and atomic, each true or false",
        ),
        "stream-not-atomic": _problem(
            "stream-not-atomic",
            "A stream cannot be atomic",
            400,
            "its first lines are in the log before its last are read; leave out "
            "atomic, or send a batch",
        ),
        "not-http": _problem(
            "not-http",
            "The request is not HTTP/1.1",
            400,
            "request line, header fields or framing could not be read; nothing was "
            "taken",
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
    408: {
        "body-too-slow": _problem(
            "body-too-slow", "The body came too slowly", 408, "no byte came for 10 s"
        ),
        "head-too-slow": _problem(
            "head-too-slow",
            "The request's head came too slowly",
            408,
            "send request line and header fields at once; nothing was taken",
        ),
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
            "more than 10,000 events; send at most 10,000 events at a time, or "
            "application/x-ndjson",
        ),
        "unpacks-too-far": _problem(
            "unpacks-too-far",
            "The body unpacks to too much",
            413,
            "it unpacks to more than 200 times its size; send it less packed or in "
            "smaller pieces",
        ),
    },
    415: {
        "media-type": _problem(
            "media-type",
            "The body's media type is not taken",
            415,
            "content-type is text/csv; send application/cloudevents+json for one "
            "event, application/cloudevents-batch+json for an array, "
            "application/x-ndjson for one event a line, or application/json for the "
            "data of an event whose attributes are ce- header fields",
        ),
        "charset": _problem(
            "charset",
            "The body's character set is not taken",
            415,
            "charset is utf-16; send UTF-8",
        ),
        "content-encoding": _problem(
            "content-encoding",
            "The body's encoding is not taken",
            415,
            "content-encoding is br; send gzip, zstd or none, once",
        ),
    },
    422: {
        "events-refused, in a stream": {
            **_problem(
                "events-refused",
                "No event was taken",
                422,
                "1 of 1 events were refused",
            ),
            **_NOTHING_YET,
            "received": 1,
            "refused": [
                {
                    "index": 0,
                    "line": 1,
                    "id": None,
                    "code": "not_an_object",
                    "detail": "the event must be a JSON object, not an integer",
                }
            ],
            "refused_count": 1,
            "refused_by_code": {"not_an_object": 1},
            "durable_through_line": 1,
        },
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
    431: {
        "head-too-large": _problem(
            "head-too-large",
            "The request's head is too large",
            431,
            "send a shorter address, fewer or shorter header fields",
        ),
    },
    503: {
        "not-confirmed": _problem(
            "not-confirmed", "The log did not confirm", 503, _UNKNOWN
        ),
        "not-confirmed, in a stream": {
            **_problem(
                "not-confirmed",
                "The log did not confirm",
                503,
                f"{_UNKNOWN}; no line is durable: send the others again, or "
                "the whole stream, each event counts once",
            ),
            **_NOTHING_YET,
        },
        "too-busy": _problem(
            "too-busy",
            "Too many open requests",
            503,
            "nothing was taken; send the same again later",
        ),
        "too-many-streams": _problem(
            "too-many-streams",
            "Too many streams are open",
            503,
            "nothing was taken; send the same again later, or as batches",
        ),
        "stopping": _problem(
            "stopping", "The service is stopping", 503, "send the same again later"
        ),
        "stopping, before it is read": _problem(
            "stopping",
            "The service is stopping",
            503,
            "nothing was taken; send it again in a moment, with the same ids",
        ),
    },
}
