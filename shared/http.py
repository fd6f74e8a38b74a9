"""What the HTTP doors of all services share: probes, metrics, problems, serving."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from typing_extensions import override

from shared.errors import FatalError

PROBLEM_TYPE: Final = "https://uptake.invalid/problems/"
KEEP_ALIVE_SECONDS: Final = 75
GRACE_SECONDS: Final = 10
CONCURRENT_REQUESTS_MAX: Final = 1_000
_PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Readiness:
    """What keeps a service from being ready, by part; empty means ready."""

    _waiting: dict[str, str] = field(default_factory=dict)

    def set(self, part: str, reason: str | None) -> None:
        """Note why a part is not ready, or with None that it is."""
        if reason is None:
            self._waiting.pop(part, None)
        else:
            self._waiting[part] = reason

    def for_part(self, part: str) -> Callable[[str | None], None]:
        """Return a setter bound to one part."""
        return lambda reason: self.set(part, reason)

    @property
    def waiting(self) -> dict[str, str]:
        """Return a copy of what is not ready and why."""
        return dict(self._waiting)


def problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    extra: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Build an RFC 9457 problem.

    Args:
        status: HTTP status.
        slug: Last part of the problem's type, e.g. `locality-not-yours`.
        title: What kind of problem, the same for every occurrence.
        detail: What, where, and what to do, for this occurrence.
        extra: Members beside the standard ones.
        headers: Further headers, e.g. Retry-After.
    """
    body: dict[str, object] = {
        "type": PROBLEM_TYPE + slug,
        "title": title,
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    return JSONResponse(
        body,
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def probe_routes(readiness: Readiness, registry: CollectorRegistry) -> list[BaseRoute]:
    """Build /health/live, /health/ready and /metrics."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        waiting = readiness.waiting
        body = {"status": "waiting" if waiting else "ready", "waiting_for": waiting}
        return JSONResponse(body, status_code=503 if waiting else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=_PLAIN)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the service round it."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signal handlers alone."""
        yield

    def stop(self) -> None:
        """Finish open requests, then return from `serve`."""
        self.should_exit = True


def make_server(app: ASGIApp, *, host: str, port: int) -> Server:
    """Build the HTTP server of a service, with bounds on time and connections."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            lifespan="off",
            limit_concurrency=CONCURRENT_REQUESTS_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
        )
    )


async def serve(server: Server) -> None:
    """Serve until stopped.

    Raises:
        FatalError: The address is taken or not ours.
    """
    config = server.config
    try:
        await server.serve()
    except SystemExit as error:
        raise FatalError(
            f"cannot listen on {config.host}:{config.port}: is it in use? "
            "set UPTAKE_HTTP_PORT to a free port"
        ) from error
