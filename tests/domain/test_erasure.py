import pytest
from tests.factories import an_address

from channel_sync.domain.erasure import ANYBODY, Buyer

ADA = Buyer(name="ada  EXAMPLE", phone="0044-117 4960000")
ADDRESS = an_address(name="Ada Example", phone="+44 117 496 0000")


@pytest.mark.parametrize(
    ("buyer", "fits"),
    [
        (Buyer(name="ada  EXAMPLE"), True),
        (Buyer(name="Ada Example", phone="44117-4960000"), True),
        (Buyer(name="Ada Example", postcode="bs11aa"), True),
        (Buyer(name="Ada Example", postcode="BS1 1AB"), False),
        (Buyer(name="Ada"), False),
        (Buyer(phone="496 0000"), False),
    ],
)
def test_a_buyer_is_told_by_all_that_is_given_whatever_its_form(buyer, fits):
    assert buyer.is_at(ADDRESS) is fits


@pytest.mark.parametrize(
    ("reply", "fits"),
    [
        (b'{"a":{"who":"ADA EXAMPLE","t":["+44 117 496 0000"]}}', True),
        (rb'{"who":"\u0041da Example","t":"441174960000"', True),
        (b'{"who":"Ada Example"}', False),
        (b'{"who":"Ada Example and friends","t":"441174960000"}', False),
        (b"\xff\x00 no JSON", False),
        (b"", False),
    ],
)
def test_a_buyer_is_found_in_a_reply_that_is_no_usable_order(reply, fits):
    assert Buyer(name="Ada Example", phone="44117 496 0000").is_in(reply) is fits


def test_everybody_is_anybody():
    assert ANYBODY.is_in(b"")
    assert ANYBODY.is_at(ADDRESS)


def test_a_hostile_reply_is_searched_in_a_moment():
    assert not ADA.is_in(b'"' + b'\\"' * 500_000 + b'"' * 3 + b"[" * 500_000)
