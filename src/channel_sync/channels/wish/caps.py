"""How much of what Wish sends is taken: every bound in one table, each applied where the reply is read.

Wish publishes next to none of them. What is indexed fits PostgreSQL's 2704 bytes an index row at four bytes a
character; the rest is what a screen, a label or a list of 200 orders bears. A type without `CUT` is dropped when
it is too long, for a piece of an id is another id.
"""

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE

MOST_ORDER_BYTES = 256 * KILOBYTE
MOST_PRODUCT_BYTES = 4 * MEGABYTE
MOST_RESULT_BYTES = 256 * KILOBYTE
# A page is asked for with 500 or 1000 rows. One that has many more is still read.
MOST_ROWS = 10_000
MOST_NOTES = 20

MOST_TAX_BYTES = 64 * KILOBYTE
MOST_TAX_DEPTH = 32
# Of an amount, of a number within tax information, and of their exponents.
MOST_DIGITS = 30

# Wish was founded in 2010; a year 1 is some system's word for "none".
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

CUT = {"cut": True}
_MOST_INTEGER = 2**63 - 1

WholeNumber = Annotated[int, Meta(ge=-_MOST_INTEGER, le=_MOST_INTEGER)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000, extra={"reason": "bad_quantity"})]
Inventory = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]

Id = Annotated[str, Meta(min_length=1, max_length=100)] | WholeNumber
Sku = Annotated[str, Meta(max_length=255)] | WholeNumber
# A state, a carrier's or a country's code.
Word = Annotated[str, Meta(max_length=100)]
Url = Annotated[str, Meta(max_length=2048)]
Line = Annotated[str, Meta(max_length=1000, extra=CUT)] | WholeNumber
Title = Annotated[str, Meta(max_length=10_000, extra=CUT)] | WholeNumber
Few = Meta(max_length=50)
