import pytest
from tests.fake_channel import DESCRIPTION

from channel_sync.domain.errors import Invalid
from channel_sync.flows.integrations.currencies import check_currency


def is_offered(currency):
    try:
        check_currency(currency, DESCRIPTION)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize(("currency", "offered"), [("GBP", True), (None, True), ("CHF", False), ("gbp", False)])
def test_a_currency_is_one_that_the_marketplace_pays_in(currency, offered):
    assert is_offered(currency) is offered


def test_a_refusal_names_the_member_and_the_marketplace_but_not_the_value():
    with pytest.raises(Invalid) as refused:
        check_currency("CHF", DESCRIPTION)

    assert (refused.value.code, refused.value.pointer) == ("currency_not_offered", "/default_currency")
    assert refused.value.message == "Fake does not pay in this currency."
