"""What the HTTP doors of all services share: probes, metrics, problems, serving."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from shared.errors import FatalError
from shared.http_protocol import HttpConfig, HttpLimits
from shared.http_refusals import PROBLEM_MEDIA_TYPE, PROBLEM_TYPE, TurnedAway
from shared.metrics import ServerMetrics

KEEP_ALIVE_SECONDS: Final = 75
GRACE_SECONDS: Final = 10
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
        media_type=PROBLEM_MEDIA_TYPE,
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


def make_application(routes: Sequence[BaseRoute]) -> Starlette:
    """Build an application whose every answer to a wrong address is a problem.

    A path is taken as it stands: none leads to another one.
    """

    async def nothing_here(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "")
            return problem(
                error.status_code,
                "method-not-allowed",
                "The method is not taken here",
                f"{request.method} is not taken; {allowed} is",
                headers={"allow": allowed},
            )
        return problem(
            error.status_code,
            "no-such-address",
            "There is nothing at this address",
            "the path is wrong; the documents of the contract name every address",
        )

    async def cut_short(_: Request, __: Exception) -> Response:
        # Told where the framing of the body broke; else nobody hears it.
        return problem(
            HTTPStatus.BAD_REQUEST,
            "cut-short",
            "The body is incomplete",
            "its chunks are not framed as HTTP asks, or the sender hung up",
            headers={"connection": "close"},
        )

    async def bug(_: Request, __: Exception) -> Response:
        # The server logs what it was.
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "bug",
            "The service failed",
            "this is our mistake and in our log; of events that were sent nobody "
            "knows whether they were taken: send the same again with the same ids",
        )

    application = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: nothing_here,
            ClientDisconnect: cut_short,
            Exception: bug,
        },
    )
    application.router.redirect_slashes = False
    return application


class Straight:
    """Leads what is asked most straight to its endpoint; all else goes the usual way.

    The layers on that way take a quarter of the time in which an event is admitted. Of
    what they do a failure's answer is left: the endpoint itself answers all others.
    """

    def __init__(
        self, application: Starlette, method: str, path: str, endpoint: ASGIApp
    ) -> None:
        """Describe the way.

        Args:
            application: Has a route to the endpoint too, for what it says of others.
            method: Of the requests that go straight.
            path: As above; as it stands.
            endpoint: Answers them.
        """
        self._application = application
        self._asked = (method, path)
        self._endpoint = ServerErrorMiddleware(
            endpoint, handler=application.exception_handlers[Exception]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_asked = (scope["method"], scope["path"]) == self._asked
        whose = self._endpoint if is_asked else self._application
        await whose(scope, receive, send)


def make_server(
    app: ASGIApp,
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    trusted_proxies: str | None,
    limits: HttpLimits | None = None,
) -> Server:
    """Build the HTTP server of a service, with bounds on time, size and number.

    Args:
        app: What answers.
        registry: Counts what never comes to it.
        host: Address to listen on.
        port: As above.
        trusted_proxies: Addresses and networks, with commas between them, whose word
            is taken on who asks; None takes nobody's.
        limits: Those that are shipped when not given.
    """
    metrics = ServerMetrics(registry, tuple(each.value for each in TurnedAway))
    return Server(
        HttpConfig(
            app,
            limits or HttpLimits(),
            lambda reason: metrics.turned_away.labels(reason.value).inc(),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
            # Left to itself, uvicorn believes whoever asks from this machine.
            proxy_headers=trusted_proxies is not None,
            forwarded_allow_ips=trusted_proxies or "",
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
