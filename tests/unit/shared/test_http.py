"""What the HTTP doors of all services share."""

import json

from shared.http import Readiness, problem


def test_problem_has_the_members_of_rfc_9457() -> None:
    """With further members and headers where given."""
    response = problem(
        403,
        "locality-not-yours",
        "Not your locality",
        "bank covers 38",
        extra={"code": "locality_not_yours"},
        headers={"retry-after": "2"},
    )
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "2"
    assert json.loads(bytes(response.body)) == {
        "type": "https://uptake.invalid/problems/locality-not-yours",
        "title": "Not your locality",
        "status": 403,
        "detail": "bank covers 38",
        "code": "locality_not_yours",
    }


def test_readiness_is_nothing_to_wait_for() -> None:
    """Each part says for itself what it waits for, and that it no longer does."""
    readiness = Readiness()
    assert readiness.waiting == {}
    set_kafka = readiness.for_part("kafka")
    set_kafka("connecting")
    readiness.set("postgres", "away")
    set_kafka("gone")
    assert readiness.waiting == {"kafka": "gone", "postgres": "away"}
    set_kafka(None)
    set_kafka(None)
    assert readiness.waiting == {"postgres": "away"}


def test_readiness_gives_a_copy_away() -> None:
    """A reader cannot change it."""
    readiness = Readiness()
    readiness.waiting["kafka"] = "x"
    assert readiness.waiting == {}
