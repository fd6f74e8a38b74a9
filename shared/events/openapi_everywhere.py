"""Problems that belong to no address: a wrong one, a wrong method, a mistake of ours.

They stand among the document's components and are no answer of any operation: a
client that asks for what is documented gets none of them.
"""

from collections.abc import Mapping
from typing import Final

from shared.events.receipt_v1 import ProblemV1
from shared.events.wire_schemas import ref
from shared.http_refusals import PROBLEM_MEDIA_TYPE, PROBLEM_TYPE


def _problem(slug: str, title: str, status: int, detail: str) -> dict[str, object]:
    return {
        "type": PROBLEM_TYPE + slug,
        "title": title,
        "status": status,
        "detail": detail,
    }


EVERYWHERE: Final[Mapping[str, Mapping[str, Mapping[str, object]]]] = {
    "NoSuchAddress": {
        "no-such-address": _problem(
            "no-such-address",
            "There is nothing at this address",
            404,
            "the path is wrong; the documents of the contract name every address",
        ),
    },
    "MethodNotAllowed": {
        "method-not-allowed": _problem(
            "method-not-allowed",
            "The method is not taken here",
            405,
            "GET is not taken; POST is",
        ),
    },
    "OurMistake": {
        "bug": _problem(
            "bug",
            "The service failed",
            500,
            "this is our mistake and in our log; of events that were sent nobody "
            "knows whether they were taken: send the same again with the same ids",
        ),
    },
}
"""By the name of the component."""

_MEANINGS: Final = {
    "NoSuchAddress": "404: there is nothing at the path.",
    "MethodNotAllowed": "405: the path takes another method; `Allow` names it.",
    "OurMistake": "500: a mistake of ours. Whether an event was taken is unknown: "
    "send it again with the same id.",
}


def everywhere() -> dict[str, object]:
    """Describe them, to stand under `components/responses`."""
    return {
        name: {
            "description": _MEANINGS[name],
            "content": {
                PROBLEM_MEDIA_TYPE: {
                    "schema": ref(ProblemV1),
                    "examples": {
                        slug: {"value": example} for slug, example in examples.items()
                    },
                }
            },
        }
        for name, examples in EVERYWHERE.items()
    }
