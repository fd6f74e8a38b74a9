"""The OpenAPI document of the doors over HTTP, as a dict.

What is answered is decided in `services.ingest.web` and `shared.http`; one contract
test holds this document to their real answers.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from shared.events.cloudevent_v1 import BATCH, STREAM, STRUCTURED, EventV1
from shared.events.openapi_board import (
    SECURITY_SCHEMES,
    TAG,
    board_paths,
    board_schemas,
)
from shared.events.openapi_everywhere import everywhere
from shared.events.openapi_examples import (
    BATCHES,
    DATA,
    EVENTS,
    HEADERS,
    PROBLEMS,
    RECEIPTS,
    STREAMS,
)
from shared.events.receipt_v1 import (
    NothingTakenV1,
    ProblemV1,
    ReceiptV1,
    StreamReceiptV1,
    StreamStoppedV1,
)
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
- One event has at most 64 KiB, a batch 4 MiB and 10,000 events, unless the operator \
set `UPTAKE_EVENT_BYTES_MAX`, `UPTAKE_BODY_BYTES_MAX` or `UPTAKE_BATCH_EVENTS_MAX` \
otherwise. A stream may be of any length.
- A body may be packed with gzip or zstd; limits are those of what it unpacks to.
- Events name no person: texts that hold a citizen's number, a phone number or an \
e-mail address are refused as `personal_data`.
- An agency may send so many events a second: more is answered with 429, and a stream \
is slowed down."""

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
                **schemas_of(
                    [
                        NothingTakenV1,
                        ProblemV1,
                        ReceiptV1,
                        StreamReceiptV1,
                        StreamStoppedV1,
                    ]
                ),
                **board_schemas(),
                **_PROBES,
            },
            "responses": everywhere(),
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
        "description": "One event in structured or binary mode, a batch, or a stream "
        "of one event a line. A stream is decided on and made durable while it is "
        "read, so it has no size limit and cannot be atomic.",
        "tags": ["events"],
        "security": [{"agencyKey": []}],
        "parameters": [
            _flag("dry_run", "Decide on each event and send none to the log."),
            _flag("atomic", "One refused event refuses all, before anything is sent."),
            {
                "name": "Content-Encoding",
                "in": "header",
                "description": "how the body is packed, once; empty says as it is",
                "schema": {"enum": ["gzip", "x-gzip", "zstd", "identity", ""]},
            },
            *(_attribute(name, example) for name, example in HEADERS.items()),
        ],
        "requestBody": {"required": True, "content": _bodies()},
        "responses": {
            "202": {
                "description": "At least one event was admitted, and all that were "
                "are durable (with dry_run: would be admitted).",
                "content": {
                    _JSON: _content(_any(ReceiptV1, StreamReceiptV1), RECEIPTS)
                },
            },
            **_problems(),
        },
    }


def _bodies() -> Document:
    return {
        STRUCTURED: _content(ref(EventV1), EVENTS),
        BATCH: _content(
            {"type": "array", "minItems": 1, "items": ref(EventV1)}, BATCHES
        ),
        STREAM: _content({"type": "string"}, STREAMS),
        _JSON: _content(
            {
                "type": "object",
                "description": "binary mode: the event's data; its attributes stand "
                "in header fields ce-id, ce-source and so on, percent-encoded",
            },
            DATA,
        ),
    }


def _problems() -> Document:
    return {
        "400": _problem(400, "The body is incomplete, not JSON or no batch."),
        "401": _problem(
            401,
            "No key, or none that is valid.",
            {"WWW-Authenticate": _header({"const": "Bearer"}, required=True)},
        ),
        "403": _problem(
            403,
            "Every event is of a source, an indicator or a locality that is not the "
            "agency's.",
            nothing_taken=True,
        ),
        "408": _problem(408, "The request came too slowly."),
        "413": _problem(413, "The body or the batch is too large."),
        "415": _problem(
            415,
            "The body's media type, character set or encoding is not taken.",
            {
                "Accept": _header({"type": "string"}),
                "Accept-Encoding": _header({"type": "string"}),
            },
        ),
        "422": _problem(
            422,
            "Every event was refused, or with atomic at least one.",
            nothing_taken=True,
        ),
        "429": _problem(
            429,
            "The agency has sent too much for now; nothing of the request was taken.",
            {
                "Retry-After": _header(
                    {"type": "integer", "minimum": 1},
                    description="seconds after which the same will be let through",
                    required=True,
                )
            },
        ),
        "431": _problem(431, "The request's head is too large."),
        "503": _problem(
            503,
            "The log did not confirm in time: whether the events are in it is "
            "unknown. Or ingest has too much to do or is being stopped: nothing was "
            "taken, of a stream nothing more than is told.",
            {
                "Retry-After": _header(
                    {"type": "integer", "minimum": 1},
                    description="seconds to wait before the same events are sent again",
                    required=True,
                )
            },
        ),
    }


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


def _attribute(name: str, example: str) -> Document:
    return {
        "name": name,
        "in": "header",
        "description": "an attribute of the event in binary mode, and only there",
        "schema": {"type": "string"},
        "example": example,
    }


def _content(schema: Document, examples: Mapping[str, object]) -> Document:
    return {
        "schema": schema,
        "examples": {name: {"value": value} for name, value in examples.items()},
    }


def _any(*models: type[BaseModel]) -> Document:
    return {"anyOf": [ref(model) for model in models]}


def _problem(
    status: int,
    description: str,
    headers: Mapping[str, object] | None = None,
    *,
    nothing_taken: bool = False,
) -> Document:
    alone = NothingTakenV1 if nothing_taken else ProblemV1
    answer: Document = {
        "description": description,
        "content": {PROBLEM: _content(_any(alone, StreamStoppedV1), PROBLEMS[status])},
    }
    if headers:
        answer["headers"] = dict(headers)
    return answer
