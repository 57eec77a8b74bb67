"""Currencies a seller may name for a shop whose orders do not say theirs.

ISO 4217 codes in use; Wish's own list (GET /api/v3/currencies) needs an access token, so it cannot be asked first.
"""

_CODES = """
    AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP EUR GBP GEL GHS GTQ HKD HNL HUF IDR
    ILS INR IQD ISK JMD JOD JPY KES KRW KWD KZT LBP LKR MAD MKD MUR MXN MYR NGN NIO NOK NPR NZD OMR PAB PEN PHP PKR
    PLN PYG QAR RON RSD SAR SEK SGD THB TND TRY TTD TWD TZS UAH UGX USD UYU VND XAF XOF ZAR
"""
CURRENCIES = tuple(_CODES.split())
