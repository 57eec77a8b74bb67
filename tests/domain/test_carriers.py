from datetime import timedelta

import pytest
from tests.factories import NOW, later

from channel_sync.domain.carriers import KEPT_FOR, Carriers, carrier_named, near_misses

NAMES = ("DHL Express", "DHL eCommerce", "FedEx", "La Poste", "PostNL", "Royal Mail", "UPS", "USPS", "YunExpress")
ALIASES = {"royal mail 48": "Royal Mail", "ups": "USPS", "van": "Own Van"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Royal Mail", "Royal Mail"),
        ("  ROYAL   mail ", "Royal Mail"),
        ("Royal Mail 48", "Royal Mail"),
        ("UPS", "UPS"),
        ("van", None),
        ("Royal Mail 24", None),
    ],
)
def test_a_carrier_is_found_by_its_name_or_by_a_word_for_it(given, name):
    assert carrier_named(given, NAMES, ALIASES) == name


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("Royal Mail 24", ("Royal Mail",)),
        ("Roayl Mail", ("Royal Mail",)),
        ("royal mail 4", ("Royal Mail",)),
        ("Fed Ex", ("FedEx",)),
        ("dhl", ("DHL Express", "DHL eCommerce")),
        ("USPS Priority", ("USPS",)),
        ("yun express", ("YunExpress", "DHL Express")),
        ("Hermes", ()),
    ],
)
def test_near_misses_are_names_of_the_marketplace_the_nearest_first(given, near):
    assert near_misses(given, NAMES, ALIASES) == near


@pytest.mark.parametrize(("age_s", "is_old"), [(0, False), (86_399, False), (86_400, True), (-1, True)])
def test_a_list_is_old_after_a_day_or_when_it_is_of_tomorrow(age_s, is_old):
    assert Carriers(NAMES, NOW).is_older(KEPT_FOR, later(age_s)) is is_old
    assert timedelta(days=1) == KEPT_FOR
