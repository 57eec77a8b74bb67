"""`python -m wish_simulator` as a process."""

import asyncio
import signal
import sys

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
