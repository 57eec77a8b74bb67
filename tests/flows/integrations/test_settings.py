import pytest

from channel_sync.domain.errors import Invalid
from channel_sync.domain.integrations import IntegrationSettings, OrderSettings
from channel_sync.domain.stock import StockSettings
from channel_sync.flows.integrations.settings import merged

BEFORE = IntegrationSettings(
    OrderSettings(enabled=False, interval_s=120),
    StockSettings(enabled=False, interval_s=30, buffer=2, maximum=50, percent=80, warehouse_id="wh1"),
)


def test_what_is_not_sent_stays():
    assert merged(BEFORE, {}) == BEFORE
    assert merged(BEFORE, {"stock": {"buffer": 3}, "orders": {"enabled": True}}) == IntegrationSettings(
        OrderSettings(enabled=True, interval_s=120),
        StockSettings(enabled=False, interval_s=30, buffer=3, maximum=50, percent=80, warehouse_id="wh1"),
    )


@pytest.mark.parametrize("group", ["orders", "stock"])
def test_null_brings_the_default_back(group):
    default = getattr(IntegrationSettings(), group)
    names = [name for name in default.__slots__]

    changed = merged(BEFORE, {group: dict.fromkeys(names)})

    assert getattr(changed, group) == default


@pytest.mark.parametrize(
    ("group", "member", "smallest"),
    [
        ("orders", "interval_s", 15),
        ("stock", "interval_s", 1),
        ("stock", "maximum", 0),
        ("stock", "buffer", 0),
        ("stock", "percent", 1),
    ],
)
def test_a_number_has_a_smallest_value(group, member, smallest):
    assert getattr(getattr(merged(BEFORE, {group: {member: smallest}}), group), member) == smallest

    with pytest.raises(Invalid) as refused:
        merged(BEFORE, {group: {member: smallest - 1}})

    assert (refused.value.code, refused.value.pointer) == ("too_small", f"/settings/{group}/{member}")
    assert refused.value.message == f"This must be at least {smallest}."


def test_a_share_is_a_hundred_per_cent_at_most():
    assert merged(BEFORE, {"stock": {"percent": 100}}).stock.percent == 100

    with pytest.raises(Invalid) as refused:
        merged(BEFORE, {"stock": {"percent": 101}})

    assert (refused.value.code, refused.value.pointer) == ("too_large", "/settings/stock/percent")
