"""What a walk needs besides a browser: the service, the simulated Wish and the platform's page, all running."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from tests.browser.console import running_console
from tests.processes import Deployment, ServerProcess, api, simulated_wish

Answer = TypeVar("Answer")
_NUMBERS = count(1)
APP_SECRET = "CHANNEL_SYNC_WISH_SANDBOX_APP_CLIENT_SECRET"


@dataclass(frozen=True)
class Seller:
    """A merchant at the simulated Wish, with an app whose redirect URL is the service's."""

    login: str
    password: str
    merchant_id: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Stage:
    """The running parts. `caller` holds a key of the tenant, `controls` is a client of the simulated Wish.

    The `platform_app` is empty unless the stage was made with one.
    """

    service: ServerProcess
    wish_url: str
    console_url: str
    key: str
    caller: httpx.Client
    controls: httpx.Client
    platform_app: Mapping[str, str]
    secrets: Path

    @property
    def return_url(self) -> str:
        """Where a seller comes back to; it has a query of its own."""
        return f"{self.console_url}/shops?tab=wish"

    @property
    def callback_url(self) -> str:
        """What is pasted as redirect URL at Wish."""
        return f"{self.service.url}/wish/callback"

    def control(self, route: str, **body: Any) -> Any:
        """What `/_control` answers to a POST."""
        return self.controls.post(f"/_control{route}", json=body).raise_for_status().json()

    def new_seller(self, orders: int = 0, client_id: str = "", kind: str = "private") -> Seller:
        """A merchant with a new app, or with the app of that client id."""
        login = f"seller-{next(_NUMBERS)}"
        merchant = self.control("/merchants", login=login, display_name=f"Shop of {login}", password="open sesame")
        merchant_id = merchant["id"]
        self.control("/products", merchant_id=merchant_id, count=1, variations=2, stock=50)
        if orders:
            self.control("/orders", merchant_id=merchant_id, count=orders)
        app = {"client_id": client_id, "client_secret": ""}
        if not client_id:
            app = self.control("/apps", redirect_uri=self.callback_url, owner_id=merchant_id, kind=kind)
        return Seller(login, "open sesame", merchant_id, app["client_id"], app["client_secret"])

    def draft(self, seller: Seller, **members: Any) -> dict[str, Any]:
        """A new draft for the seller's app, as the platform's page asks for it."""
        new = {
            "channel": "wish",
            "name": f"Wish of {seller.login}",
            "environment": "sandbox",
            "client_id": seller.client_id,
            "client_secret": seller.client_secret,
            **members,
        }
        answer = self.caller.post("/integrations", json=new)
        assert answer.status_code == 201, answer.text
        drafted: dict[str, Any] = answer.json()
        return drafted

    def integration(self, integration_id: str) -> dict[str, Any]:
        """The integration as callers see it."""
        found: dict[str, Any] = self.caller.get(f"/integrations/{integration_id}").raise_for_status().json()
        return found

    @contextmanager
    def switched(self, **switches: Any) -> Iterator[None]:
        """Wish behaves otherwise for a while."""
        before = self.controls.get("/_control/switches").raise_for_status().json()
        self.controls.patch("/_control/switches", json=switches).raise_for_status()
        yield
        former = {name: before[name] for name in switches}
        self.controls.patch("/_control/switches", json=former).raise_for_status()

    def token_calls(self) -> int:
        """How often Wish was asked for tokens so far."""
        calls = self.controls.get("/_control/journal").raise_for_status().json()
        return sum("oauth/access_token" in call["path"] for call in calls)

    def items(self, place: str, **query: str) -> list[dict[str, Any]]:
        """The first page of a list."""
        answer = self.caller.get(place, params={"limit": "200", **query}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def eventually(ask: Callable[[], Answer], within_s: float = 20) -> Answer:
    """The first truthy answer."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.1)
    return answer


def settings_of(request: pytest.FixtureRequest, whose: str = "shared") -> dict[str, str]:
    """Those that choose the store which a fixture is for, and whether the jobs have a worker of their own.

    On PostgreSQL the database is that of many modules, `shared`, or that of one, `module`.
    """
    if request.param == "sqlite":
        return {}
    direct: str = request.getfixturevalue(f"{whose}_app_url")
    pooled = request.param == "pooled"
    return {
        "CHANNEL_SYNC_DATABASE_URL": request.getfixturevalue(f"{whose}_pooled_app_url") if pooled else direct,
        "CHANNEL_SYNC_QUEUE_DATABASE_URL": direct,
        "CHANNEL_SYNC_JOBS": "distributed",
    }


@contextmanager
def running_stage(folder: Path, settings: Mapping[str, str], platform_app: bool = False) -> Iterator[Stage]:
    """Everything started, with an empty database and the demo shop at Wish.

    With a `platform_app` there is a public app at Wish, with its secret in a folder, and a page of the platform
    for sellers who add it there.
    """
    with ExitStack() as started:
        console_url = started.enter_context(running_console())
        wish = started.enter_context(simulated_wish(folder, "--seed", "demo"))
        # To a browser, Wish is another site than the service: what cookies may do depends on it.
        wish_url = wish.url.replace("127.0.0.1", "localhost")
        controls = started.enter_context(httpx.Client(base_url=wish.url, timeout=30))
        app = _public_app(controls, folder) if platform_app else {}
        if platform_app:
            settings = {**settings, **_with_app(app, folder, console_url)}
        deployment = Deployment(
            folder,
            {
                "CHANNEL_SYNC_WISH_SANDBOX_URL": wish_url,
                "CHANNEL_SYNC_RETURN_ORIGINS": console_url,
                "CHANNEL_SYNC_STOCK_INTERVAL_S": "1",
                **settings,
            },
        )
        deployment.command("migrate")
        key = deployment.create_key()
        service = deployment.serve()
        started.callback(service.stop)
        if settings.get("CHANNEL_SYNC_JOBS") == "distributed":
            started.callback(deployment.work().stop)
        caller = started.enter_context(api(service, key))
        stage = Stage(service, wish_url, console_url, key, caller, controls, app, folder / "secrets")
        if platform_app:
            at_wish = f"/_control/apps/{app['client_id']}"
            controls.patch(at_wish, json={"redirect_uri": stage.callback_url}).raise_for_status()
        yield stage


def _public_app(controls: httpx.Client, folder: Path) -> dict[str, str]:
    """A new one, with its secret in the secrets folder."""
    new = {"kind": "public", "name": "The platform", "redirect_uri": "https://platform.example/later"}
    app: dict[str, str] = controls.post("/_control/apps", json=new).raise_for_status().json()
    (folder / "secrets").mkdir()
    (folder / "secrets" / APP_SECRET).write_text(app["client_secret"])
    return app


def _with_app(app: Mapping[str, str], folder: Path, console_url: str) -> dict[str, str]:
    return {
        "CHANNEL_SYNC_WISH_SANDBOX_APP_CLIENT_ID": app["client_id"],
        "CHANNEL_SYNC_SECRETS_DIR": str(folder / "secrets"),
        "CHANNEL_SYNC_ADD_APP_URL": f"{console_url}/added",
    }
