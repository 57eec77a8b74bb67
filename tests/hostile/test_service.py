"""The service as it is started, beside a Wish whose replies are made to hurt."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.live_shop import LiveShop, connect, new_shop
from tests.processes import Deployment, ServerProcess, api, simulated_wish, wait_until

SIZE = 15_000_000
MOST_MEMORY_MB = 300
HOSTILE = {
    "nuls": '[{"id":"' + r"\u0000" * (SIZE // 6) + '"}]',
    "halves": '[{"id":"' + r"\ud800" * (SIZE // 6) + '"}]',
    "zeros": "[[" + "0," * (SIZE // 2) + "0]]",
    "objects": "[" + "{}," * (SIZE // 3) + "{}]",
    "deep": '[{"id":"deep","x":' + "[" * 1_000_000 + "]" * 1_000_000 + "}]",
    "skus": "[" + ",".join(['{"id":"x","product_information":{"sku":"' + "x" * (SIZE // 8) + '"}}'] * 8) + "]",
}


@pytest.fixture
def wish(tmp_path: Path):
    with simulated_wish(tmp_path) as running:
        yield running


def run_orders(client: httpx.Client, integration_id: str) -> dict[str, Any]:
    """An order run that a person asked for, when it is over."""
    run = client.post(f"/integrations/{integration_id}/runs", json={"kind": "orders"}).json()

    def is_over() -> bool:
        return bool(client.get(f"/runs/{run['id']}").json()["finished_at"])

    wait_until(is_over, "the run did not end", 0.05)
    ended: dict[str, Any] = client.get(f"/runs/{run['id']}").json()
    return ended


def spoil(shop: LiveShop, data: str) -> None:
    """Let the next list of orders be this one."""
    text = '{"code":0,"message":"","data":' + data + "}"
    fault = {"path": "/api/v3/orders*", "method": "GET", "way": "custom", "status": 200, "text": text}
    shop.control("POST", "/faults", headers={"Content-Type": "application/json"}, times=1, **fault)


def test_no_reply_costs_the_service_its_memory_or_the_orders_after_it(tmp_path: Path, wish: ServerProcess):
    deployment = Deployment(
        tmp_path,
        {"CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url, "CHANNEL_SYNC_ORDER_INTERVAL_S": "3600"},
        from_scratch=True,
    )
    deployment.command("migrate")
    key = deployment.create_key("admin")
    service = deployment.serve()
    try:
        with httpx.Client(base_url=wish.url) as controls, api(service, key) as client:
            shop = new_shop(controls)
            shop.add_products(1, 1)
            integration_id = connect(client, shop)
            for data in HOSTILE.values():
                spoil(shop, data)
                ended = run_orders(client, integration_id)
                assert ended["outcome"] in ("partial", "failed", "no_changes"), ended
                assert ended["error"] is None or ended["error"]["class"] == "data", ended
            placed = set(shop.place_orders(20))
            assert run_orders(client, integration_id)["outcome"] == "success"
            stored = client.get("/orders", params={"limit": 200}).json()["items"]
        assert placed <= {order["channel_order_id"] for order in stored}
        assert service.peak_memory_mb() < MOST_MEMORY_MB
    finally:
        service.stop()
