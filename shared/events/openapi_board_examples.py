"""Examples of the board's part of the OpenAPI document.

One contract test gets each problem from the board, and holds each answer to its schema.
"""

from typing import Final

_PROBLEMS: Final = "https://uptake.invalid/problems/"
_COMPLETE: Final[dict[str, object]] = {
    "complete_up_to": "2026-11-21T02:15:00Z",
    "newest_record_at": "2026-11-21T02:14:59.310000Z",
}
_PROVINCE: Final = {
    "code": "38",
    "valid_from": "1997-01-01",
    "name": "Thanh Hóa",
    "kind": "province",
}


def _problem(slug: str, title: str, status: int, detail: str) -> dict[str, object]:
    return {
        "type": _PROBLEMS + slug,
        "title": title,
        "status": status,
        "detail": detail,
    }


def _receipt(id_: str, state: str, **known: object) -> dict[str, object]:
    nothing: dict[str, object] = dict.fromkeys(
        (
            *("partition", "offset", "logged_at", "type", "indicator", "locality"),
            *("valid_from", "day", "count", "amount", "voided_by", "code", "detail"),
            "conflict",
        )
    )
    return {
        "source": "/vn/38/bank",
        "id": id_,
        "state": state,
        **nothing,
        **known,
    }


RECEIPTS_REQUESTS: Final[dict[str, dict[str, object]]] = {
    "three events": {
        "events": [
            {"source": "/vn/38/bank", "id": "order-48213"},
            {"source": "/vn/38/bank", "id": "account-7001"},
            {
                "source": "/vn/38/bank",
                "id": "order-48214",
                "time": "2026-11-21T09:00:00+07:00",
            },
        ]
    },
}

RECEIPTS: Final[dict[str, dict[str, object]]] = {
    "three events": {
        "complete_up_to": "2026-11-21T02:15:00Z",
        "kept_since": None,
        "states": {"counted": 1, "rejected": 1, "not_seen": 1},
        "receipts": [
            _receipt(
                "order-48213",
                "counted",
                partition=3,
                offset=1249,
                logged_at="2026-11-21T02:00:01.250000Z",
                type="uptake.ecommerce.completed",
                indicator="ecommerce_transactions",
                locality="15961",
                valid_from="2025-07-01",
                day="2026-11-21",
                count=1,
                amount=412_750,
            ),
            _receipt(
                "account-7001",
                "rejected",
                partition=3,
                offset=1250,
                logged_at="2026-11-21T02:00:01.250000Z",
                code="reversal_mismatch",
                detail="data.time is not that of the original at offset 1180",
            ),
            _receipt("order-48214", "not_seen"),
        ],
    },
}

TOTALS: Final[dict[str, dict[str, object]]] = {
    "a province": {
        "unit": _PROVINCE,
        "day": None,
        "known_at": None,
        "totals": [
            {
                "indicator": "cashless_accounts",
                "locality": "38",
                "valid_from": "1997-01-01",
                "name": "Thanh Hóa",
                "kind": "province",
                "count": 854_000,
                "amount": 0,
            },
        ],
        **_COMPLETE,
        "next": None,
    },
}

SERIES: Final[dict[str, dict[str, object]]] = {
    "two days": {
        "unit": _PROVINCE,
        "indicator": "ecommerce_transactions",
        "series": [
            {
                "day": "2026-11-19",
                "count": 32_410,
                "amount": 13_400_000_000,
                "day_count": 455,
                "day_amount": 180_200_000,
            },
            {
                "day": "2026-11-20",
                "count": 32_877,
                "amount": 13_570_000_000,
                "day_count": 467,
                "day_amount": 170_000_000,
            },
        ],
        **_COMPLETE,
        "next": None,
    },
}

TARGETS: Final[dict[str, dict[str, object]]] = {
    "one that lags": {
        "targets": [
            {
                "target": "demo-cashless",
                "indicator": "cashless_accounts",
                "locality": "38",
                "valid_from": "1997-01-01",
                "locality_name": "Thanh Hóa",
                "status": "lagging",
                "reason": None,
                "actual": 854_000,
                "expected": 1_111_111.1,
                "start_value": 0,
                "goal": 2_000_000,
                "start_date": "2026-10-02",
                "due": "2026-12-31",
                "position_bp": 7_686,
                "pace_7_bp": 5_961,
                "pace_28_bp": 6_020,
                "required_per_day": 28_650,
                "achieved_7_per_day": 17_080,
                "achieved_28_per_day": 17_247.5,
                "illustrative": True,
                "status_since": "2026-11-21T02:10:00Z",
                "evaluated_at": "2026-11-21T02:15:04Z",
                "measure": "stock",
                "trajectory": "logistic",
                "period": None,
                "goal_share_bp": 8_000,
                "population_group": "population_15_plus",
                "population": 2_500_000,
                "population_as_of": "2025-07-01",
                "population_source": "illustrative",
                "population_illustrative": True,
                "succeeds": None,
                "succeeded_by": None,
                "behind": 257_111.1,
                "forecast_day": "2026-11-20",
                "no_forecast": None,
                "p10": "2027-01-19",
                "p50": "2027-01-27",
                "p90": "2027-02-06",
                "miss_bp": 9_981,
            },
        ],
        **_COMPLETE,
        "next": None,
    },
}

ALERTS: Final[dict[str, dict[str, object]]] = {
    "one that fires": {
        "alerts": [
            {
                "fingerprint": "1f6a0d3b5c2e4a79",
                "kind": "TargetLagging",
                "target": "demo-cashless",
                "agency": None,
                "indicator": "cashless_accounts",
                "locality": "38",
                "state": "firing",
                "episode": 1,
                "state_since": "2026-11-21T02:10:40Z",
                "pending_since": "2026-11-21T02:10:00Z",
                "firing_since": "2026-11-21T02:10:40Z",
                "resolved_at": None,
                "summary_en": "Cashless accounts in Thanh Hóa are behind the path.",
                "summary_vi": "Tài khoản tại Thanh Hóa chậm so với lộ trình.",
                "evaluated_at": "2026-11-21T02:15:04Z",
                "deliveries_dead": 0,
            },
        ],
        **_COMPLETE,
        "next": None,
    },
}

_NOT_YOURS: Final = (
    "event 0: source '/vn/38/other' is not this key's; it has /vn/38/bank, /vn/38/old"
)
_WRONG_ID: Final = {
    "pointer": "#/events/0/id",
    "detail": "string should have at least 1 character",
}

PROBLEMS: Final[dict[int, dict[str, dict[str, object]]]] = {
    400: {
        "bad-parameter": _problem(
            "bad-parameter",
            "The query cannot be answered",
            400,
            "there is no parameter 'localty' here",
        ),
        "not-json": _problem(
            "not-json",
            "The body is not JSON",
            400,
            "expected value at line 1 column 1",
        ),
        "cut-short": _problem(
            "cut-short", "The body is incomplete", 400, "the sender hung up"
        ),
    },
    401: {
        "no-valid-key": _problem(
            "no-valid-key",
            "A valid key is needed",
            401,
            "no key was sent; send the header Authorization: Bearer KEY, with a key "
            "made by `uptake reader add` or `uptake agency add`",
        ),
    },
    403: {
        "not-an-agency": _problem(
            "not-an-agency",
            "Receipts are told to agencies",
            403,
            "the key is a reader's; ask with that of the agency that sent the events",
        ),
        "source-not-yours": {
            **_problem("source-not-yours", "The source is not yours", 403, _NOT_YOURS),
            "index": 0,
        },
        "indicator-not-yours": _problem(
            "indicator-not-yours",
            "This key may not read that indicator",
            403,
            "this key may read cashless_accounts, ecommerce_transactions, and not "
            "eid_accounts",
        ),
        "locality-not-yours": _problem(
            "locality-not-yours",
            "This key may not read that place",
            403,
            "this key may read 38 and what lies below it; 04 does not on 2026-11-21",
        ),
    },
    404: {
        "no-such-locality": _problem(
            "no-such-locality",
            "No such locality",
            404,
            "no locality 99 on 2026-11-21",
        ),
    },
    408: {
        "body-too-slow": _problem(
            "body-too-slow", "The body did not arrive", 408, "send it within 10 s"
        ),
    },
    413: {
        "body-too-large": _problem(
            "body-too-large",
            "The body is too large",
            413,
            "send at most 1,048,576 bytes at a time",
        ),
        "too-many-events": _problem(
            "too-many-events",
            "Too many events are asked for",
            413,
            "ask for at most 1,000 at a time",
        ),
    },
    415: {
        "media-type": _problem(
            "media-type",
            "The body's media type is not taken",
            415,
            "content-type is text/csv; send application/json",
        ),
    },
    422: {
        "cannot-be-known": _problem(
            "cannot-be-known",
            "Nobody can know the figures",
            422,
            "known_at 2036-11-21T02:00:00+00:00 is in the future; give an instant up "
            "to 2026-11-21T02:15:00+00:00, or leave it out for all that is counted",
        ),
        "not-a-request": {
            **_problem(
                "not-a-request",
                "The body is no request for receipts",
                422,
                "#/events/0/id: string should have at least 1 character",
            ),
            "errors": [_WRONG_ID],
        },
    },
    503: {
        "store-away": _problem(
            "store-away",
            "The database is away",
            503,
            "nothing can be read for now; ask again",
        ),
        "busy": _problem(
            "busy",
            "Too many reads at once",
            503,
            "every connection to the database is in use; ask again",
        ),
        "not-migrated": _problem(
            "not-migrated",
            "The views are not there",
            503,
            "the operator has to run `uptake migrate`",
        ),
        "too-slow": _problem(
            "too-slow",
            "The read takes too long",
            503,
            "it was given up; ask for less: one indicator, fewer days, a smaller unit",
        ),
    },
}
