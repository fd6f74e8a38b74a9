"""Every problem that the board answers with, in one place (RFC 9457)."""

from typing import Final

from pydantic import ValidationError
from starlette.responses import JSONResponse

from services.board.core.callers import Beyond, NotYoursError
from services.board.core.known_at import CannotBeKnownError
from services.board.core.parameters import BadParameterError
from services.board.guard import DeniedError
from services.board.store import (
    BusyError,
    NotMigratedError,
    TooSlowError,
    UnknownUnitError,
)
from shared.catalogue.keys import WHAT_IS_WRONG, KeyDenial
from shared.errors import TransientError
from shared.events.receipts_v1 import ASKED_MAX
from shared.http import problem

RETRY_AFTER_SECONDS: Final = 2
FAULTS_SHOWN_MAX: Final = 20
_RETRY: Final = {"retry-after": str(RETRY_AFTER_SECONDS)}
_CLOSE: Final = {"connection": "close"}
_BEYOND: Final = {
    Beyond.NOT_AN_AGENCY: "Receipts are told to agencies",
    Beyond.SOURCE: "The source is not yours",
    Beyond.INDICATOR: "This key may not read that indicator",
    Beyond.LOCALITY: "This key may not read that place",
}


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, response: JSONResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


EXPECTED: Final = (
    ProblemError,
    DeniedError,
    NotYoursError,
    BadParameterError,
    UnknownUnitError,
    CannotBeKnownError,
    TooSlowError,
    BusyError,
    NotMigratedError,
    TransientError,
)
"""What `problem_of` knows; anything else is a bug."""


def problem_of(error: Exception) -> JSONResponse:
    """Return the problem that an expected error is told as."""
    match error:
        case ProblemError():
            return error.response
        case DeniedError() | NotYoursError():
            return _turned_away(error)
        case BadParameterError():
            return problem(
                400, "bad-parameter", "The query cannot be answered", str(error)
            )
        case UnknownUnitError():
            return problem(404, "no-such-locality", "No such locality", str(error))
        case CannotBeKnownError():
            return problem(
                422, "cannot-be-known", "Nobody can know the figures", str(error)
            )
        case _:
            return _unavailable(error)


def _unavailable(error: Exception) -> JSONResponse:
    match error:
        case TooSlowError():
            return problem(
                503,
                "too-slow",
                "The read takes too long",
                "it was given up; ask for less: one indicator, fewer days, a smaller "
                "unit",
            )
        case BusyError():
            slug, title = "busy", "Too many reads at once"
            detail = "every connection to the database is in use; ask again"
        case NotMigratedError():
            slug, title = "not-migrated", "The views are not there"
            detail = "the operator has to run `uptake migrate`"
        case _:
            slug, title = "store-away", "The database is away"
            detail = "nothing can be read for now; ask again"
    return problem(503, slug, title, detail, headers=_RETRY)


def _turned_away(error: DeniedError | NotYoursError) -> JSONResponse:
    if isinstance(error, DeniedError):
        return _denied(error.reason)
    return problem(
        403,
        error.beyond.value.replace("_", "-"),
        _BEYOND[error.beyond],
        str(error),
        extra=None if error.index is None else {"index": error.index},
    )


def _denied(reason: KeyDenial) -> JSONResponse:
    return problem(
        401,
        "no-valid-key",
        "A valid key is needed",
        f"{WHAT_IS_WRONG[reason]}; send the header Authorization: Bearer KEY, with a "
        "key made by `uptake reader add` or `uptake agency add`",
        headers={"www-authenticate": "Bearer"},
    )


def wrong_media_type(media_type: str) -> ProblemError:
    """The body is announced as something else."""
    return ProblemError(
        problem(
            415,
            "media-type",
            "The body's media type is not taken",
            f"content-type is {media_type or 'absent'}; send application/json",
        )
    )


def cut_short() -> ProblemError:
    """The sender hung up."""
    return ProblemError(
        problem(400, "cut-short", "The body is incomplete", "the sender hung up")
    )


def too_large(bytes_max: int) -> ProblemError:
    """The body is longer than it may be."""
    return ProblemError(
        problem(
            413,
            "body-too-large",
            "The body is too large",
            f"send at most {bytes_max:,} bytes at a time",
            headers=_CLOSE,
        )
    )


def too_slow_body(seconds_max: float) -> ProblemError:
    """The body does not arrive in time."""
    return ProblemError(
        problem(
            408,
            "body-too-slow",
            "The body did not arrive",
            f"send it within {seconds_max:g} s",
            headers=_CLOSE,
        )
    )


def wrong_request(error: ValidationError) -> ProblemError:
    """A body that is no request for receipts; says where, never what was sent."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    first = faults[0]
    if first["type"] == "json_invalid":
        detail = first["msg"].removeprefix("Invalid JSON: ")
        return ProblemError(problem(400, "not-json", "The body is not JSON", detail))
    if first["type"] == "too_long" and first["loc"] == ("events",):
        return ProblemError(
            problem(
                413,
                "too-many-events",
                "Too many events are asked for",
                f"ask for at most {ASKED_MAX:,} at a time",
            )
        )
    places = [
        {
            "pointer": "#" + "".join(f"/{part}" for part in fault["loc"]),
            "detail": fault["msg"][:1].lower() + fault["msg"][1:],
        }
        for fault in faults[:FAULTS_SHOWN_MAX]
    ]
    return ProblemError(
        problem(
            422,
            "not-a-request",
            "The body is no request for receipts",
            f"{places[0]['pointer']}: {places[0]['detail']}",
            extra={"errors": places},
        )
    )
