"""`python -m wish_simulator` as a process."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import httpx


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wish_simulator", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        line = (await process.stdout.readline()).decode().strip()
    return process, line


async def test_it_says_where_it_listens_serves_the_demo_and_stops_on_a_signal() -> None:
    process, line = await started("--host", "127.0.0.1", "--port", "0", "--seed", "demo")
    try:
        assert line.startswith("listening on http://127.0.0.1:")
        async with httpx.AsyncClient(trust_env=False) as http:
            assert "Demo shop" in (await http.get(line.removeprefix("listening on "))).text
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            status = await process.wait()
    assert status == 0


async def test_a_public_app_is_the_same_at_the_next_start_and_returns_where_it_is_told_to(tmp_path: Path) -> None:
    said = []
    for port in ("8000", "9000"):
        line = ("--state", str(tmp_path / "wish.state"), "--public-app", f"http://127.0.0.1:{port}/wish/callback")
        process, listening = await started("--port", "0", "--seed", "demo", *line)
        assert process.stdout is not None
        try:
            said.append((await process.stdout.readline()).decode())
            async with httpx.AsyncClient(
                base_url=listening.removeprefix("listening on "), trust_env=False
            ) as http:
                store = await http.post(
                    "/log-in", data={"login": "demo", "password": "demo", "next": "/app-store"}
                )
                page = await http.get(store.headers["location"])
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                await process.wait()
        assert f"public app, returns to http://127.0.0.1:{port}/wish/callback" in page.text

    assert re.fullmatch("public app [0-9a-f]{24} [0-9a-f]{32}\\n", said[0])
    assert said[1] == said[0]
