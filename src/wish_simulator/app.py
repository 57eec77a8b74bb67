"""The simulated Wish as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from wish_simulator.app_settings import AppSettings
from wish_simulator.controls import Controls
from wish_simulator.file_host import FileHost
from wish_simulator.marketplace import Marketplace
from wish_simulator.merchant_api import merchant_routes
from wish_simulator.oauth_pages import OAuthPages
from wish_simulator.pages import Pages
from wish_simulator.shop_controls import ShopControls
from wish_simulator.shop_page import ShopPage
from wish_simulator.webhooks import WebhookSender

BETWEEN_WEBHOOK_ROUNDS_S = 0.1


def create_app(marketplace: Marketplace | None = None) -> FastAPI:
    """The application over a marketplace, an empty one unless given. No page of it needs the network."""
    market = marketplace or Marketplace()
    sender = WebhookSender(market)
    pages = Pages(market)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        rounds = asyncio.create_task(_send_webhooks(sender))
        yield
        rounds.cancel()
        with suppress(asyncio.CancelledError):
            await rounds

    app = FastAPI(title="Simulated Wish", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.marketplace = market
    for part in (
        OAuthPages(market, pages),
        AppSettings(market, pages),
        ShopPage(market, pages),
        FileHost(market),
        Controls(market),
        ShopControls(market, sender),
    ):
        app.router.routes.extend(part.routes())
    app.router.routes.extend(merchant_routes(market))
    return app


async def _send_webhooks(sender: WebhookSender) -> None:
    while True:
        await sender.send_due()
        await asyncio.sleep(BETWEEN_WEBHOOK_ROUNDS_S)
