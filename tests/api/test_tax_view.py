from channel_sync.api.tax_view import tax_view


def test_an_amount_is_exact_text_beside_its_currency():
    kept = b'{"vat":{"amount":20.10,"currency_code":"GBP"},"paid":[{"amount":5,"currency_code":"JPY"}]}'
    assert tax_view(kept) == {
        "vat": {"amount": "20.10", "currency": "GBP"},
        "paid": [{"amount": "5", "currency": "JPY"}],
    }


def test_an_exponent_is_written_out():
    assert tax_view(b'{"vat":{"amount":1e2,"currency_code":"EUR"}}')["vat"]["amount"] == "100"


def test_other_members_stay_as_the_marketplace_wrote_them():
    kept = b'{"weight":{"unit":"KG","value":0.35},"number":"12","none":null,"amount":3}'
    assert tax_view(kept) == {
        "weight": {"unit": "KG", "value": 0.35},
        "number": "12",
        "none": None,
        "amount": 3,
    }
