"""How much of what Wish sends is taken: every bound in one table, each applied where the reply is read.

Wish publishes next to none of them. What is indexed fits PostgreSQL's 2704 bytes an index row at four bytes a
character; the rest is what a screen, a label or a list of 200 orders bears. A type without `CUT` is dropped when
it is too long, for a piece of an id is another id.
"""

from typing import Annotated

from msgspec import Meta

from channel_sync.domain.orders import Flaw

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE

MOST_ORDER_BYTES = 256 * KILOBYTE
# Of anything that is not a page: a product with 400 variations has some 300 KB and 15 000 commas.
MOST_REPLY_BYTES = MEGABYTE
MOST_COMMAS = 100_000
# A page is asked for with 500 or 1000 rows. One that has many more is still read.
MOST_ROWS = 10_000
MOST_VARIATIONS = 2000
MOST_WORDS_BYTES = 16 * KILOBYTE
MOST_FILES = 1000
MOST_NOTES = 20

MOST_TAX_BYTES = 64 * KILOBYTE
MOST_TAX_DEPTH = 32
# Of an amount, of a number within tax information, and of their exponents.
MOST_DIGITS = 30

# Wish was founded in 2010; a year 1 is some system's word for "none".
EARLIEST = 2000

CUT = {"cut": True}
# What is no text is not taken for one.
EXACT = {"exact": True}
_MOST_INTEGER = 2**63 - 1

WholeNumber = Annotated[int, Meta(ge=-_MOST_INTEGER, le=_MOST_INTEGER)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000, extra={"flaw": Flaw.BAD_QUANTITY})]
Inventory = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]

Id = Annotated[str, Meta(min_length=1, max_length=100)] | WholeNumber
# An id that may be empty where there is none.
Reference = Annotated[str, Meta(max_length=100)] | WholeNumber
Sku = Annotated[str, Meta(max_length=255)]
# A state, a carrier's or a country's code.
Word = Annotated[str, Meta(max_length=100)]
Words = Annotated[str, Meta(max_length=2000, extra=CUT)]
# A secret.
Token = Annotated[str, Meta(max_length=4096, extra=EXACT)]
Url = Annotated[str, Meta(max_length=2048)]
Line = Annotated[str, Meta(max_length=1000, extra=CUT)]
Title = Annotated[str, Meta(max_length=10_000, extra=CUT)]
Few = Meta(max_length=50)
Several = Meta(max_length=500)
Many = Meta(max_length=MOST_VARIATIONS)
