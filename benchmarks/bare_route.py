"""What the service's HTTP server does at all: the same uvicorn with one route that answers a few bytes of JSON.

`python -m benchmarks.bare_route starlette` (or `fastapi`) prints where it listens.
"""

import asyncio
import socket
import sys

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.loops.auto import auto_loop_factory


async def _greet(_request: Request) -> JSONResponse:
    return JSONResponse({"hello": "world"})


def _fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/integrations")
    async def greet() -> dict[str, str]:
        return {"hello": "world"}

    return app


async def main(framework: str) -> None:
    """Listen until killed."""
    app = _fastapi() if framework == "fastapi" else Starlette(routes=[Route("/integrations", _greet)])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    host, port = listener.getsockname()
    print(f"listening on http://{host}:{port}", flush=True)
    settings = uvicorn.Config(app, http="httptools", log_config=None, access_log=False, server_header=False)
    await uvicorn.Server(settings).serve(sockets=[listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(main(sys.argv[1]))
