"""The board's part of the OpenAPI document.

What is answered is decided in `services.board`; one contract test holds this part to
its real answers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, Field

from shared.events.board_v1 import AlertsV1, SeriesV1, TargetsV1, TotalsV1
from shared.events.openapi_board_examples import (
    ALERTS,
    PROBLEMS,
    RECEIPTS,
    RECEIPTS_REQUESTS,
    SERIES,
    TARGETS,
    TOTALS,
)
from shared.events.receipt_v1 import ProblemV1
from shared.events.receipts_v1 import ReceiptsRequestV1, ReceiptsV1
from shared.events.wire_schemas import ref, schemas_of

Document = dict[str, object]
PROBLEM: Final = "application/problem+json"
TAG: Final[Document] = {
    "name": "board",
    "description": "the board: what is counted, where targets stand, what became of "
    "events. An answer is of one moment; pages of one question are of several, unless "
    "known_at fixes it. Figures are exact JSON numbers of any length.",
}
SECURITY_SCHEMES: Final[Document] = {
    "readKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "a key made by `uptake reader add`, which may read all, or an "
        "agency's, which may read what it may send: its indicators, in its subtree, "
        "and of alerts about agencies those about itself",
    },
}
_JSON: Final = "application/json"
_SERVERS: Final[list[Document]] = [
    {
        "url": "http://{host}:{port}",
        "description": "the board, where UPTAKE_HTTP_HOST and UPTAKE_HTTP_PORT say",
        "variables": {
            "host": {"default": "127.0.0.1"},
            "port": {"default": "8083"},
        },
    }
]
# The words that the board knows; a contract test holds them to it.
ALERT_STATES: Final = ("quiet", "pending", "firing", "kept", "resolved")
TARGET_STATUSES: Final = (
    "not_started",
    "met",
    "missed",
    "unknown",
    "lagging",
    "at_risk",
    "ahead",
    "on_track",
)
TEXT_LENGTH_MAX: Final = 128
_TEXT: Final[Document] = {
    "type": "string",
    "minLength": 1,
    "maxLength": TEXT_LENGTH_MAX,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
}
_ETAG: Final[Document] = {
    "required": True,
    "description": "of the whole answer; sent back as If-None-Match, the same answer "
    "is 304",
    "schema": {"type": "string", "pattern": '^W/"[0-9a-f]{32}"$'},
}


class WrongPlaceV1(BaseModel):
    """Where a body is not what it should be."""

    pointer: str = Field(description="JSON pointer into the body")
    detail: str


class WrongRequestV1(ProblemV1):
    """A problem with the body."""

    errors: list[WrongPlaceV1] = Field(min_length=1, max_length=20)


class ForeignSourceV1(ProblemV1):
    """A problem with one event's source."""

    index: int = Field(ge=0, description="the event's place in the request, from 0")


def board_schemas() -> Document:
    """Return the schemas that the board's paths refer to."""
    return {
        **schemas_of([ReceiptsRequestV1], mode="validation"),
        **schemas_of(
            [
                *(ReceiptsV1, TotalsV1, SeriesV1, TargetsV1, AlertsV1),
                *(WrongRequestV1, ForeignSourceV1),
            ]
        ),
    }


def board_paths() -> Document:
    """Return the board's paths."""
    return {
        "/v1/receipts": _path(_receipts(), "post"),
        "/v1/totals": _path(_totals()),
        "/v1/series": _path(_series()),
        "/v1/targets": _path(_targets()),
        "/v1/alerts": _path(_alerts()),
    }


def _path(operation: Document, method: str = "get") -> Document:
    return {"servers": _SERVERS, method: operation}


def _receipts() -> Document:
    answer = {
        "description": "A receipt for each event, in the order of asking.",
        "content": {_JSON: _content(ref(ReceiptsV1), RECEIPTS)},
    }
    foreign = _problems(403, "not-an-agency", "source-not-yours")
    foreign_content = foreign["content"]
    assert isinstance(foreign_content, dict)
    foreign_content[PROBLEM] = _content(
        {"anyOf": [ref(ForeignSourceV1), ref(ProblemV1)]},
        _only(PROBLEMS[403], ("not-an-agency", "source-not-yours")),
    )
    return {
        "operationId": "askReceipts",
        "summary": "Ask what became of events, by source and id",
        "description": "For agencies, about what they sent. It changes nothing and may "
        "be asked again. Where the key is bound to other indicators or places than an "
        "event's, its state is told without its figures.",
        "tags": ["board"],
        "security": [{"agencyKey": []}],
        "requestBody": {
            "required": True,
            "content": {_JSON: _content(ref(ReceiptsRequestV1), RECEIPTS_REQUESTS)},
        },
        "responses": {
            "200": answer,
            "400": _problems(400, "not-json", "cut-short"),
            "401": _problems(401, "no-valid-key"),
            "403": foreign,
            "408": _problems(408, "body-too-slow"),
            "413": _problems(413, "body-too-large", "too-many-events"),
            "415": _problems(415, "media-type"),
            "422": {
                "description": "The body is JSON and no request.",
                "content": {
                    PROBLEM: _content(
                        ref(WrongRequestV1), _only(PROBLEMS[422], ("not-a-request",))
                    )
                },
            },
            "503": _unavailable(),
        },
    }


def _totals() -> Document:
    return _read(
        "readTotals",
        "Read levels of a locality and of what lies directly under it",
        TotalsV1,
        TOTALS,
        parameters=[
            _locality(),
            _query("indicator", "Only this one."),
            _query("day", "As of the end of this day.", _format("date")),
            _query(
                "known_at",
                "As known then: only what was logged up to this instant.",
                _format("date-time"),
            ),
            _flag("children", "Also what lies directly under it."),
            *_paging(1_000, 10_000),
        ],
        problems={
            "403": _problems(403, "indicator-not-yours", "locality-not-yours"),
            "404": _problems(404, "no-such-locality"),
            "422": _problems(422, "cannot-be-known"),
        },
    )


def _series() -> Document:
    indicator = _query("indicator", "Which one.")
    return _read(
        "readSeries",
        "Read one indicator of a locality day by day",
        SeriesV1,
        SERIES,
        parameters=[
            {**indicator, "required": True},
            _locality(),
            _query(
                "from", "First day; 30 days before `to` by default.", _format("date")
            ),
            _query("to", "Last day; today by default.", _format("date")),
            *_paging(31, 100),
        ],
        problems={
            "403": _problems(403, "indicator-not-yours", "locality-not-yours"),
            "404": _problems(404, "no-such-locality"),
        },
    )


def _targets() -> Document:
    return _read(
        "readTargets",
        "Read where targets stand",
        TargetsV1,
        TARGETS,
        parameters=[
            _query("target", "Only this one."),
            _query("status", "Only those of a status.", _word(TARGET_STATUSES)),
            _query("locality", "Only of this code."),
            _query("indicator", "Only of this one."),
            *_paging(100, 1_000),
        ],
        problems={"403": _problems(403, "indicator-not-yours", "locality-not-yours")},
    )


def _alerts() -> Document:
    return _read(
        "readAlerts",
        "Read the alerts that are on",
        AlertsV1,
        ALERTS,
        parameters=[
            _query("target", "Only of this target, or with this fingerprint."),
            _query("state", "Only in this state.", _word(ALERT_STATES)),
            _query("kind", "Only of this kind, like TargetLagging."),
            _query("locality", "Only of this code."),
            _flag("all", "Also those that are quiet or resolved."),
            *_paging(100, 1_000),
        ],
        problems={"403": _problems(403, "locality-not-yours")},
    )


def _read(
    operation: str,
    summary: str,
    model: type[BaseModel],
    examples: Mapping[str, object],
    *,
    parameters: Sequence[Document],
    problems: Mapping[str, object],
) -> Document:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["board"],
        "security": [{"readKey": []}],
        "parameters": list(parameters),
        "responses": {
            "200": {
                "description": "What was asked for.",
                "headers": {"ETag": _ETAG},
                "content": {_JSON: _content(ref(model), examples)},
            },
            "304": {
                "description": "The answer is still the one that the asker has.",
                "headers": {"ETag": _ETAG},
            },
            "400": _problems(400, "bad-parameter"),
            "401": _problems(401, "no-valid-key"),
            **problems,
            "503": _unavailable(),
        },
    }


def _unavailable() -> Document:
    answer = _problems(503, *PROBLEMS[503])
    answer["description"] = (
        "It cannot be read for now. As plain text: the board has too many open "
        "requests."
    )
    answer["headers"] = {
        "Retry-After": {
            "required": False,
            "description": "seconds to wait; absent where asking again is no use",
            "schema": {"type": "integer", "minimum": 1},
        }
    }
    content = answer["content"]
    assert isinstance(content, dict)
    content["text/plain"] = {"schema": {"const": "Service Unavailable"}}
    return answer


def _locality() -> Document:
    return _query(
        "locality",
        "A code, like 38; without it the nation, or for an agency's key the top of "
        "what that covers.",
    )


def _paging(default: int, most: int) -> list[Document]:
    return [
        {
            "name": "limit",
            "in": "query",
            "description": "Most rows of a page.",
            "schema": {
                "type": "integer",
                "minimum": 1,
                "maximum": most,
                "default": default,
            },
        },
        _query(
            "cursor",
            "`next` of the page before, as it was.",
            {"type": "string", "pattern": "^[0-9A-Za-z_-]+$"},
        ),
    ]


def _query(name: str, description: str, schema: Document = _TEXT) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _word(words: Sequence[str]) -> Document:
    return {"type": "string", "enum": [*words]}


def _format(name: str) -> Document:
    return {"type": "string", "format": name}


def _flag(name: str, description: str) -> Document:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "boolean", "default": False},
    }


def _content(schema: Document, examples: Mapping[str, object]) -> Document:
    return {
        "schema": schema,
        "examples": {name: {"value": value} for name, value in examples.items()},
    }


def _only(examples: Mapping[str, object], names: Sequence[str]) -> Mapping[str, object]:
    return {name: examples[name] for name in names}


def _problems(status: int, *names: str) -> Document:
    examples = _only(PROBLEMS[status], names)
    return {
        "description": "; ".join(str(PROBLEMS[status][name]["title"]) for name in names)
        + ".",
        "content": {PROBLEM: _content(ref(ProblemV1), examples)},
    }
