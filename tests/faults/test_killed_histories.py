"""Kill the service again and again while it downloads a long history: one job at Wish, each order once."""

import random
import sqlite3
from pathlib import Path

import httpx
from tests.live_shop import BEFORE_THE_FIRST, connect, new_shop
from tests.processes import Deployment, api, simulated_wish, wait_until

ORDERS = 12_000
# Ten pages of 500, each repeating the last order of the one before.
BY_PAGE = 4_991
KILLS = 4


def stored(deployment: Deployment) -> tuple[int, int, int]:
    """Orders, how many of them differ, and how many were told of as new."""
    with sqlite3.connect(deployment.database) as connection:
        [(count, different, told)] = connection.execute(
            "SELECT count(*), count(DISTINCT channel_order_id),"
            " (SELECT count(*) FROM events WHERE type = 'order.created') FROM orders"
        )
    return count, different, told


def wait_for(deployment: Deployment, orders: int) -> None:
    wait_until(lambda: stored(deployment)[0] >= min(orders, ORDERS), "no order came", pause_s=0)


def test_a_long_history_that_is_killed_again_and_again_is_whole_by_one_job(tmp_path: Path):
    chance, killed_at = random.Random(20261128), list[int]()
    with simulated_wish(tmp_path) as wish, httpx.Client(base_url=wish.url) as controls:
        shop = new_shop(controls)
        shop.add_products(3, variations=1)
        shop.switch(rate_per_s=None, file_max_lines=3_000, order_file_format="json_array")
        settings = {
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
            "CHANNEL_SYNC_PUBLIC_URL": "http://localhost:8000",
            "CHANNEL_SYNC_WISH_RATE_PER_S": "1000",
        }
        deployment = Deployment(tmp_path, settings)
        deployment.command("migrate")
        key = deployment.create_key("admin")
        service = deployment.serve()
        with api(service, key) as client:
            place = f"/integrations/{connect(client, shop)}"
            client.patch(place, json={"settings": {"orders": {"enabled": False}}}).raise_for_status()
            shop.place_orders(ORDERS)
            asked = {"kind": "orders", "from": BEFORE_THE_FIRST}
            client.post(f"{place}/runs", json=asked).raise_for_status()
        wait_for(deployment, BY_PAGE + 1)
        while len(killed_at) < KILLS:
            wait_for(deployment, stored(deployment)[0] + chance.randrange(1, 900))
            service.kill()
            killed_at.append(stored(deployment)[0])
            service = deployment.serve()
        with api(service, key) as client:
            wait_until(lambda: is_over(client), "the history did not end")
        service.stop()
        jobs = [
            one for one in shop.journal() if one["method"] == "POST" and one["path"].endswith("/orders/bulk_get")
        ]

    assert len([at for at in killed_at if BY_PAGE < at < ORDERS]) >= 3, killed_at
    assert stored(deployment) == (ORDERS, ORDERS, ORDERS)
    assert len(jobs) == 1


def is_over(client: httpx.Client) -> bool:
    runs = client.get("/runs", params={"kind": "orders"}).json()["items"]
    return all(run["finished_at"] is not None for run in runs)
