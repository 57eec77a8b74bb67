"""A marketplace that outlives its process."""

from wish_simulator.marketplace import Marketplace
from wish_simulator.memory import remember, remembered
from wish_simulator.seeds import demo


def test_a_remembered_shop_has_its_orders_products_and_grants(tmp_path):
    market = Marketplace()
    shop = demo(market)
    app = market.add_app("http://localhost/wish/callback", owner_id=shop.merchant.id)
    token = market.grant(app, shop)

    remember(market, tmp_path / "wish.state")
    again = remembered(tmp_path / "wish.state")

    assert again is not None
    kept = again.shops[shop.merchant.id]
    assert [row.id for row in kept.orders] == [row.id for row in shop.orders]
    assert [row.document for row in kept.catalogue] == [row.document for row in shop.catalogue]
    assert again.grants.by_app_and_merchant[app.client_id, shop.merchant.id].newest.value == token.value


def test_what_was_going_to_happen_has_happened(tmp_path):
    market = Marketplace()
    happened: list[int] = []
    market.agenda.at(market.later(60), happened.append)

    remember(market, tmp_path / "wish.state")

    assert len(happened) == 1


def test_without_a_file_there_is_nothing_to_remember(tmp_path):
    assert remembered(tmp_path / "wish.state") is None
