"""What services answer that are asked for nothing but probes and metrics."""

import json
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.aggregation.web import make_app as make_aggregation
from services.alerting.web import make_app as make_alerting
from shared.http import Readiness
from tests.contract.test_board_documents import check, named_schema
from tests.support.board_doors import Ask, Told, ask

Make = Callable[[Readiness, CollectorRegistry], Starlette]
each_service = pytest.mark.parametrize("make", [make_aggregation, make_alerting])


async def knock(make: Make, path: str, method: str) -> Told:
    """Ask a service that waits for Postgres."""
    readiness = Readiness()
    readiness.set("postgres", "connecting")
    app = make(readiness, CollectorRegistry())
    return await ask(app, Ask(path, method=method, key=None))


@each_service
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/v1/events", "POST", 404),
        ("/metrics/", "GET", 404),
        ("/health", "GET", 404),
        ("/../etc/passwd", "GET", 404),
        ("/metrics", "POST", 405),
        ("/health/ready", "DELETE", 405),
    ],
)
async def test_wrong_paths_and_methods_are_problems(
    make: Make, path: str, method: str, status: int
) -> None:
    """Whoever took the wrong port is told so in the form of every other door."""
    told = await knock(make, path, method)
    assert told.status == status
    assert told.media_type == "application/problem+json"
    check(named_schema("ProblemV1"), told.json())
    assert ("allow" in told.headers) is (status == 405)


@each_service
async def test_probes_and_metrics_are_answered(make: Make) -> None:
    """Alive at once, not ready while it waits, and measured from the start."""
    assert (await knock(make, "/health/live", "GET")).status == 200
    waiting = await knock(make, "/health/ready", "GET")
    assert waiting.status == 503
    assert json.loads(waiting.body)["waiting_for"] == {"postgres": "connecting"}
    assert (await knock(make, "/metrics", "GET")).media_type == "text/plain"
