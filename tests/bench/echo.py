"""The bare endpoint beside which the door is measured: reads a body and answers 202.

On the same server with the same bounds, and with an answer as long as a receipt; it
asks for no key, looks at nothing and keeps nothing.
"""

import asyncio
import os
import sys

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.ingest.web import ROUTE
from shared.http import Readiness, make_application, make_server, probe_routes, serve
from shared.metrics import new_registry
from shared.runtime import run_service


async def echo(request: Request) -> Response:
    """Answer as the door would."""
    await request.body()
    return JSONResponse({"received": 1, "accepted": 1, "refused": []}, status_code=202)


async def run(stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    application = make_application(
        [
            Route(ROUTE, echo, methods=["POST"]),
            *probe_routes(Readiness(), new_registry()),
        ]
    )
    port = int(os.environ["UPTAKE_HTTP_PORT"])
    server = make_server(
        application, new_registry(), host="127.0.0.1", port=port, trusted_proxies=None
    )
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(server))
        await stop.wait()
        server.stop()
        await serving


if __name__ == "__main__":
    sys.exit(run_service(run))
