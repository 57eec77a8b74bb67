"""The service as the deployment page has it: TLS ends at a proxy, whose word on addresses counts."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.processes import Deployment, ServerProcess, simulated_wish
from tests.reverse_proxy import ReverseProxy, reverse_proxy

FLOODER, NEIGHBOUR, SELLER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
STRANGE = "/wish/authorise?ticket=nobodys"


@dataclass
class House:
    """The service behind its proxy, the simulated Wish beside it, and a key of the tenant."""

    proxy: ReverseProxy
    service: ServerProcess
    wish: httpx.Client
    key: str

    def draft(self) -> str:
        """The link of a new draft for a new merchant."""
        merchant = self.control("/merchants", login="seller", display_name="Lamps")
        redirect = f"{self.proxy.url}/wish/callback"
        app = self.control("/apps", redirect_uri=redirect, owner_id=merchant["id"])
        self.pair = {"client_id": app["client_id"], "merchant_id": merchant["id"]}
        new = {"channel": "wish", "name": "Lamps", "client_id": app["client_id"], "environment": "sandbox"}
        with self.proxy.visitor(Authorization=f"Bearer {self.key}") as caller:
            drafted = caller.post("/integrations", json={**new, "client_secret": app["client_secret"]})
        return str(drafted.json()["authorise_url"])

    def control(self, route: str, **body: object) -> dict[str, str]:
        answer: dict[str, str] = self.wish.post(f"/_control{route}", json=body).raise_for_status().json()
        return answer

    def flood(self, address: str, **headers: str) -> list[int]:
        """What a stranger who knocks without end is answered; the last answers are of one refused for good."""
        with self.proxy.visitor(address, **headers) as visitor:
            return [visitor.get(STRANGE).status_code for _ in range(100)]

    def knock(self, address: str) -> int:
        with self.proxy.visitor(address) as visitor:
            return visitor.get(STRANGE).status_code


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with reverse_proxy(folder) as proxy, simulated_wish(folder) as wish:
        settings = {
            "CHANNEL_SYNC_PUBLIC_URL": proxy.url,
            "CHANNEL_SYNC_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
            "CHANNEL_SYNC_WISH_SANDBOX_URL": wish.url,
        }
        deployment = Deployment(folder, settings)
        deployment.command("migrate")
        key = deployment.create_key()
        service = deployment.serve()
        proxy.upstream = service.url
        with httpx.Client(base_url=wish.url, timeout=30) as controls:
            yield House(proxy, service, controls, key)
        assert service.stop() == 0


def test_a_stranger_that_knocks_without_end_is_turned_away_alone(house: House):
    assert house.flood(FLOODER)[-1] == 429
    assert house.knock(NEIGHBOUR) == 410


def test_whoever_forges_a_header_is_counted_by_the_address_that_the_proxy_saw(house: House):
    forged = "127.0.0.6"
    assert house.flood("127.0.0.5", **{"X-Forwarded-For": forged})[-1] == 429
    assert house.knock(forged) == 410


def test_a_header_of_somebody_who_is_no_proxy_of_ours_is_not_read(house: House):
    victim = "127.0.0.8"
    transport = httpx.HTTPTransport(local_address="127.0.0.7")
    with httpx.Client(transport=transport, base_url=house.service.url) as direct:
        answers = [direct.get(STRANGE, headers={"X-Forwarded-For": victim}).status_code for _ in range(100)]
    assert answers[-1] == 429
    assert house.knock(victim) == 410


def test_a_seller_with_a_link_goes_all_the_way_although_strangers_of_the_same_address_are_turned_away(
    house: House,
):
    link = house.draft()
    assert house.flood(SELLER)[-1] == 429
    with house.proxy.visitor(SELLER) as browser:
        assert browser.get(link).status_code == 200
        departure = browser.post(link, headers={"Origin": house.proxy.url, "Sec-Fetch-Site": "same-origin"})
        assert departure.status_code == 303
        assert departure.headers["Strict-Transport-Security"] == "max-age=31536000"
        cookie = departure.headers["Set-Cookie"]
        assert cookie.startswith("__Host-wish_attempt")
        assert "Secure" in cookie
        state = parse_qs(urlsplit(departure.headers["Location"]).query)["state"][0]
        code = house.control("/codes", **house.pair)["code"]
        arrival = browser.get("/wish/callback", params={"code": code, "state": state})
    assert (arrival.status_code, "Lamps is connected" in arrival.text) == (200, True)


def test_a_wrong_key_is_counted_by_address_too(house: House):
    wrong = {"Authorization": f"Bearer csk_{'x' * 40}"}
    with house.proxy.visitor("127.0.0.9", **wrong) as guesser:
        assert [guesser.get("/channels").status_code for _ in range(250)][-1] == 429
    with house.proxy.visitor("127.0.0.10", **wrong) as other:
        assert other.get("/channels").status_code == 401


def test_a_setting_that_is_no_network_stops_the_start():
    """It is told before all else: whoever mends the setting first is not sent on to a port that is taken."""
    environment = {"CHANNEL_SYNC_TRUSTED_PROXIES": "10.0.0.0/99"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "channel_sync", "serve", "--port", str(taken.getsockname()[1])],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "CHANNEL_SYNC_TRUSTED_PROXIES: must be addresses or networks" in done.stderr
