"""One merchant at the simulated Wish, and its connection to a running service."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

FIRST_ORDER_AT = "2026-11-01T00:00:00.000Z"
BEFORE_THE_FIRST = "2026-10-31T00:00:00.000Z"


@dataclass
class LiveShop:
    """A merchant with an app and a grant; every method acts behind the merchant's back."""

    controls: httpx.Client
    merchant_id: str
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str

    def control(self, verb: str, route: str, **body: Any) -> Any:
        """What `/_control` answers."""
        answer = self.controls.request(verb, f"/_control{route}", json=body or None, timeout=120)
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()

    def consent(self) -> None:
        """New tokens: a service that was given the old ones has renewed them since."""
        pair = {"client_id": self.client_id, "merchant_id": self.merchant_id}
        grant = self.control("POST", "/grants", **pair)
        self.access_token, self.refresh_token = grant["access_token"], grant["refresh_token"]

    def place_orders(self, count: int, **options: Any) -> list[str]:
        """New orders, one a millisecond from a fixed day on; the ids of the first thousand."""
        wanted = {"updated_at": FIRST_ORDER_AT, "lowers_stock": False, **options}
        placed = self.control("POST", "/orders", merchant_id=self.merchant_id, count=count, **wanted)
        ids: list[str] = placed["ids"]
        return ids

    def add_products(self, count: int, variations: int) -> None:
        """More products to the shop, each with that many variations."""
        self.control(
            "POST", "/products", merchant_id=self.merchant_id, count=count, variations=variations, stock=1
        )

    def stock(self) -> dict[str, dict[str, int]]:
        """Units at Wish: SKU to warehouse to number."""
        answer = self.controls.get("/_control/stock", params={"merchant_id": self.merchant_id}, timeout=60)
        units: dict[str, dict[str, int]] = answer.json()
        return units

    def switch(self, **changes: Any) -> None:
        """Change how Wish behaves."""
        self.control("PATCH", "/switches", **changes)

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """The calls Wish received since one of that number."""
        entries: list[dict[str, Any]] = self.controls.get(f"/_control/journal?since={after}").json()
        return entries


def new_shop(controls: httpx.Client, login: str = "seller") -> LiveShop:
    """A new merchant with a private app and tokens; `controls` is a client of the simulated Wish."""
    blank = LiveShop(controls, "", "", "", "", "")
    merchant = blank.control("POST", "/merchants", login=login, display_name="Lamps and mugs")
    app = blank.control("POST", "/apps", redirect_uri="http://127.0.0.1/wish/callback", owner_id=merchant["id"])
    shop = LiveShop(controls, merchant["id"], app["client_id"], app["client_secret"], "", "")
    shop.consent()
    return shop


def connect(client: httpx.Client, shop: LiveShop, name: str = "My Wish shop") -> str:
    """The id of an active integration of the shop, connected with pasted tokens."""
    shop.consent()
    app = {"client_id": shop.client_id, "client_secret": shop.client_secret}
    draft = client.post(
        "/integrations",
        json={
            "channel": "wish",
            "name": name,
            "environment": "sandbox",
            "orders_from": BEFORE_THE_FIRST,
            "default_currency": "USD",
            **app,
        },
    )
    assert draft.status_code == 201, draft.text
    integration_id: str = draft.json()["id"]
    tokens = {"access_token": shop.access_token, "refresh_token": shop.refresh_token}
    pasted = client.put(f"/integrations/{integration_id}/credentials", json={**app, **tokens})
    assert pasted.status_code == 200, pasted.text
    assert pasted.json()["status"] == "active", pasted.text
    return integration_id


def wait_for_run(client: httpx.Client, integration_id: str, kind: str, timeout_s: float = 120) -> dict[str, Any]:
    """The newest finished run of a kind that brought something."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        runs = client.get("/runs", params={"integration_id": integration_id, "kind": kind}).json()["items"]
        for run in runs:
            if run["status"] == "finished" and run["outcome"] != "no_changes":
                found: dict[str, Any] = run
                return found
        time.sleep(0.2)
    raise AssertionError(f"no {kind} run finished within {timeout_s} s")
