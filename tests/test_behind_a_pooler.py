"""The whole service with everything it keeps behind PgBouncer."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
from tests.live_shop import connect, new_shop, wait_for_run
from tests.processes import Deployment, api, simulated_wish, wait_until

ORDERS = 1_200
READS = 200
AT_ONCE = 20


def test_orders_arrive_stock_leaves_and_twenty_read_at_once(tmp_path: Path, pooled_url: str, pooled_app_url: str):
    with simulated_wish(tmp_path) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(3, variations=2)
        shop.place_orders(ORDERS)
        deployment = Deployment(
            tmp_path,
            {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, "CHANNEL_SYNC_DATABASE_URL": pooled_url},
        )
        deployment.command("migrate")
        deployment.settings["CHANNEL_SYNC_DATABASE_URL"] = pooled_app_url
        service, key = None, deployment.create_key("admin")
        try:
            service = deployment.serve()
            with api(service, key) as client, ThreadPoolExecutor(AT_ONCE) as readers:
                integration = connect(client, shop)
                reads = [readers.submit(client.get, "/orders", params={"limit": 50}) for _ in range(READS)]
                assert wait_for_run(client, integration, "orders")["counts"]["created"] == ORDERS
                wait_for_run(client, integration, "listings")
                sku = next(iter(shop.stock()))
                client.put("/stock", json={"items": [{"sku": sku, "available": 77}]}).raise_for_status()
                wait_until(lambda: 77 in shop.stock()[sku].values(), "the stock did not arrive")
                assert {read.result().status_code for read in reads} == {200}
        finally:
            assert service is not None
            assert service.stop() == 0


def test_a_service_queues_behind_it_and_a_worker_listens_beside_it(
    tmp_path: Path, pooled_app_url: str, app_url: str
):
    with simulated_wish(tmp_path) as wish, httpx.Client(base_url=wish.url) as controls, ExitStack() as started:
        settings = {
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
            "CHANNEL_SYNC_DATABASE_URL": pooled_app_url,
            "CHANNEL_SYNC_JOBS": "distributed",
        }
        deployment = Deployment(tmp_path, settings)
        service = deployment.serve()
        started.callback(service.stop)
        deployment.settings["CHANNEL_SYNC_QUEUE_DATABASE_URL"] = app_url
        started.callback(deployment.work().stop)
        shop = new_shop(controls)
        shop.add_products(1, variations=1)
        shop.place_orders(7)
        with api(service, deployment.create_key("admin")) as client:
            assert wait_for_run(client, connect(client, shop), "orders")["counts"]["created"] == 7
