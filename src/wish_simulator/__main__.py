"""`python -m wish_simulator`: a marketplace on this machine until it is stopped."""

import argparse
import asyncio
import signal
from pathlib import Path

from wish_simulator.accounts import App
from wish_simulator.marketplace import Marketplace
from wish_simulator.memory import remember, remembered
from wish_simulator.seeds import demo
from wish_simulator.server import running


def main() -> None:
    arguments = _arguments()
    state: Path | None = arguments.state
    market = (remembered(state) if state else None) or _fresh(arguments.seed)
    app = market.platform_app(arguments.public_app) if arguments.public_app else None
    asyncio.run(_serve(market, arguments.host, arguments.port, app))
    if state:
        remember(market, state)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="wish_simulator", description="A simulated Wish marketplace, in memory.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--seed", choices=["demo"], help="start with a shop, products and orders")
    parser.add_argument("--state", type=Path, help="file that keeps everything from one start to the next")
    parser.add_argument(
        "--public-app",
        metavar="REDIRECT_URI",
        help="an app of a platform, for all merchants; prints id and secret",
    )
    return parser.parse_args()


def _fresh(seed: str | None) -> Marketplace:
    market = Marketplace()
    if seed == "demo":
        demo(market)
    return market


async def _serve(market: Marketplace, host: str, port: int, app: App | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with running(market, host=host, port=port) as url:
        print(f"listening on {url}", flush=True)
        if app is not None:
            print(f"public app {app.client_id} {app.newest_secret}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main()
