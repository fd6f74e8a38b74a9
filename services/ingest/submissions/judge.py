"""Decides on the submissions of one agency; pure.

The instant of a decision is the one at which the broker took the record, so that an
outage of ingest makes no event late, and a repeat after a crash decides as before.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.ingest.core.admission import Admitted, Refusal, admit, open_door
from services.ingest.core.json_text import EventBounds
from services.ingest.submissions.decode import Headers, decode_submission
from shared.catalogue.model import Agency, Catalogue
from shared.events.refused_v1 import RefusedDataV1, RefusedV1
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1

SOURCE: Final = "/uptake/ingest"


@dataclass(frozen=True, slots=True)
class Submission:
    """A record of an agency's own topic.

    Attributes:
        submitted_at: The broker's log time.
    """

    topic: str
    partition: int
    offset: int
    submitted_at: datetime
    headers: Headers
    value: bytes | None

    @property
    def place(self) -> str:
        """Its coordinates, as an id."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of submissions, each in the order sent.

    Attributes:
        admitted: May enter the log.
        refused: May not: what the agency is told, and what operators are.
    """

    admitted: tuple[Admitted, ...]
    refused: tuple[tuple[RefusedV1, RejectedV1], ...]


def judge_submissions(
    submissions: Iterable[Submission],
    agency: Agency,
    catalogue: Catalogue,
    bounds: EventBounds,
) -> Judged:
    """Decide on each submission; a bad one never touches a good one.

    Args:
        submissions: All of this agency's topic.
        agency: Whose topic it is; the topic is its credential.
        catalogue: What may be reported, by whom, where.
        bounds: What an event may be.
    """
    admitted: list[Admitted] = []
    refused: list[tuple[RefusedV1, RejectedV1]] = []
    door = open_door(catalogue, agency, datetime.fromtimestamp(0, UTC))
    for submission in submissions:
        if submission.submitted_at != door.now:
            # The broker stamps a whole batch at once, so one door serves many.
            door = open_door(catalogue, agency, submission.submitted_at)
        raw = decode_submission(submission.value, submission.headers, bounds)
        decision = raw if isinstance(raw, Refusal) else admit(raw, door)
        if isinstance(decision, Admitted):
            admitted.append(decision)
        else:
            refused.append(_refusal(submission, decision))
    return Judged(tuple(admitted), tuple(refused))


def _refusal(submission: Submission, refusal: Refusal) -> tuple[RefusedV1, RejectedV1]:
    """Say it twice; neither holds what was sent (ADR 0020)."""
    sha256 = hashlib.sha256(submission.value or b"").hexdigest()
    told = RefusedV1(
        id=submission.place,
        source=SOURCE,
        time=submission.submitted_at,
        data=RefusedDataV1(
            code=refusal.code,
            detail=refusal.detail,
            topic=submission.topic,
            partition=submission.partition,
            offset=submission.offset,
            id=refusal.id,
            sha256=sha256,
        ),
    )
    kept = RejectedV1(
        id=submission.place,
        source=SOURCE,
        time=submission.submitted_at,
        data=RejectedDataV1(
            code=refusal.code,
            detail=refusal.detail,
            topic=submission.topic,
            partition=submission.partition,
            offset=submission.offset,
            logged_at=submission.submitted_at,
            key=None,
            bytes="",
            sha256=sha256,
        ),
    )
    return told, kept
