"""The OpenAPI document of the doors over HTTP, as a dict.

What is answered is decided in `services.ingest.web` and `shared.http`; one contract
test holds this document to their real answers.
"""

from collections.abc import Mapping
from typing import Final

from shared.events.cloudevent_v1 import BATCH, STRUCTURED, EventV1
from shared.events.openapi_board import (
    SECURITY_SCHEMES,
    TAG,
    board_paths,
    board_schemas,
)
from shared.events.openapi_examples import BATCHES, EVENTS, PROBLEMS, RECEIPTS
from shared.events.receipt_v1 import NothingTakenV1, ProblemV1, ReceiptV1
from shared.events.wire_schemas import CONTRACT_VERSION, LICENSE, ref, schemas_of

Document = dict[str, object]
PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"
_PLAIN: Final = "text/plain"

_ABOUT: Final = """\
The door of Uptake: agencies send CloudEvents, ingest decides on each and appends what \
it admits to the log.

- **202 means durable.** The receipt accounts for each event sent.
- **503 means unknown.** Send the same events again with the same ids: an event counts \
once, however often it is sent.
- A key of a JSON object stands once; strings hold no control characters and no half \
characters (lone surrogates); numbers are integers, without fraction and exponent.
- A body has at most 4 MiB and a batch 10,000 events, unless the operator set \
`UPTAKE_BODY_BYTES_MAX` or `UPTAKE_BATCH_EVENTS_MAX` otherwise."""

_PROBES: Final[Document] = {
    "Alive": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": "alive"}},
    },
    "Readiness": {
        "type": "object",
        "required": ["status", "waiting_for"],
        "properties": {
            "status": {"enum": ["ready", "waiting"]},
            "waiting_for": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "the reason, by part that is not ready",
            },
        },
    },
}


def build_openapi() -> Document:
    """Build the document of both doors and of every service's probes."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Uptake over HTTP",
            "version": CONTRACT_VERSION,
            "description": _ABOUT,
            "license": LICENSE,
        },
        "servers": [_server()],
        "tags": [
            {"name": "events", "description": "ingest: what agencies send"},
            {
                "name": "probes",
                "description": "the same on every service; ingest listens on port "
                "8080, aggregation on 8081, alerting on 8082, the board on 8083",
            },
            TAG,
        ],
        "paths": {
            "/v1/events": {"post": _send_events()},
            "/health/live": {"get": _live()},
            "/health/ready": {"get": _ready()},
            "/metrics": {"get": _metrics()},
            **board_paths(),
        },
        "components": {
            "schemas": {
                **schemas_of([EventV1], mode="validation"),
                **schemas_of([NothingTakenV1, ProblemV1, ReceiptV1]),
                **board_schemas(),
                **_PROBES,
            },
            "securitySchemes": {
                "agencyKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "a key made by `uptake agency add`; it is bound to "
                    "the agency's sources, indicators and localities",
                },
                **SECURITY_SCHEMES,
            },
        },
    }


def _server() -> Document:
    return {
        "url": "http://{host}:{port}",
        "description": "where UPTAKE_HTTP_HOST and UPTAKE_HTTP_PORT say",
        "variables": {
            "host": {"default": "127.0.0.1"},
            "port": {"default": "8080"},
        },
    }


def _send_events() -> Document:
    return {
        "operationId": "sendEvents",
        "summary": "Send one event or many",
        "tags": ["events"],
        "security": [{"agencyKey": []}],
        "parameters": [
            _flag("dry_run", "Decide on each event and send none to the log."),
            _flag("atomic", "One refused event refuses all, before anything is sent."),
        ],
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: _content(ref(EventV1), EVENTS),
                BATCH: _content(
                    {"type": "array", "minItems": 1, "items": ref(EventV1)}, BATCHES
                ),
            },
        },
        "responses": {
            "202": {
                "description": "At least one event was admitted, and all that were "
                "are durable (with dry_run: would be admitted).",
                "content": {_JSON: _content(ref(ReceiptV1), RECEIPTS)},
            },
            "400": _problem(400, "The body is incomplete, not JSON or no batch."),
            "401": _problem(
                401,
                "No key, or none that is valid.",
                {"WWW-Authenticate": _header({"const": "Bearer"}, required=True)},
            ),
            "403": _nothing_taken(
                403,
                "Every event is of a source, an indicator or a locality that is not "
                "the agency's.",
            ),
            "413": _problem(413, "The body or the batch is too large."),
            "415": _problem(415, "The body's media type is not taken."),
            "422": _nothing_taken(
                422, "Every event was refused, or with atomic at least one."
            ),
            "503": _unconfirmed(),
        },
    }


def _unconfirmed() -> Document:
    retry_after = _header(
        {"type": "integer", "minimum": 1},
        description="seconds to wait before the same events are sent again; absent "
        "where ingest has too many open requests",
    )
    answer = _problem(
        503,
        "The log did not confirm in time: whether the events are in it is unknown. As "
        "plain text: ingest has too many open requests, nothing was read.",
        {"Retry-After": retry_after},
    )
    content = answer["content"]
    assert isinstance(content, dict)
    content[_PLAIN] = {"schema": {"const": "Service Unavailable"}}
    return answer


def _live() -> Document:
    return {
        "operationId": "isAlive",
        "summary": "Tell whether the process runs",
        "tags": ["probes"],
        "responses": {
            "200": {
                "description": "It runs.",
                "content": {_JSON: {"schema": ref("Alive")}},
            }
        },
    }


def _ready() -> Document:
    content = {_JSON: {"schema": ref("Readiness")}}
    return {
        "operationId": "isReady",
        "summary": "Tell whether the service does its work, and what it waits for",
        "tags": ["probes"],
        "responses": {
            "200": {"description": "It is ready.", "content": content},
            "503": {
                "description": "It waits, and goes on by itself.",
                "content": content,
            },
        },
    }


def _metrics() -> Document:
    return {
        "operationId": "readMetrics",
        "summary": "Read the metrics",
        "tags": ["probes"],
        "responses": {
            "200": {
                "description": "In the text format of Prometheus, version 0.0.4.",
                "content": {_PLAIN: {"schema": {"type": "string"}}},
            }
        },
    }


def _flag(name: str, description: str) -> Document:
    return {
        "name": name,
        "in": "query",
        "description": f"{description} Set by the value true alone.",
        "schema": {"type": "boolean", "default": False},
    }


def _header(
    schema: Document, *, description: str = "", required: bool = False
) -> Document:
    described: Document = {"description": description} if description else {}
    return {**described, "required": required, "schema": schema}


def _content(schema: Document, examples: Mapping[str, object]) -> Document:
    return {
        "schema": schema,
        "examples": {name: {"value": value} for name, value in examples.items()},
    }


def _problem(
    status: int, description: str, headers: Mapping[str, object] | None = None
) -> Document:
    answer: Document = {
        "description": description,
        "content": {PROBLEM: _content(ref(ProblemV1), PROBLEMS[status])},
    }
    if headers:
        answer["headers"] = dict(headers)
    return answer


def _nothing_taken(status: int, description: str) -> Document:
    return {
        "description": description,
        "content": {PROBLEM: _content(ref(NothingTakenV1), PROBLEMS[status])},
    }
