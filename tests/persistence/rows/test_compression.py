"""Personal parts are small, and what was stored before still opens."""

from hashlib import blake2b

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update
from tests.factories import a_channel_order, connected
from tests.persistence.order_steps import feed, rows, store
from tests.stores import COMPRESSION

from channel_sync.channels.wish.dictionary import DICTIONARY
from channel_sync.domain.reply_dictionary import ReplyDictionary
from channel_sync.persistence.rows.compression import Compression
from channel_sync.persistence.rows.sealed_columns import ORDER
from channel_sync.persistence.sql.trade_tables import orders
from wish_simulator.catalogue import ProductRow
from wish_simulator.order_documents import Purchase, an_order

PRODUCT = {"id": "6b0897fc9befbddac80034e7", "name": "Enamel mug"}
VARIATION = {"id": "6b0897fc9befbddac80034e9", "sku": "MUG", "price": {"amount": 12.5, "currency_code": "USD"}}
# Made when the dictionary was; stands for every row in a database out there.
TEXT = (
    b'{"id":"1","transaction_id":"2","state":"SHIPPED",'
    b'"order_payment":{"general_payment_details":{"product_quantity":3}}}'
)
STORED = bytes.fromhex("28b52ffd2074050100303132337d7d7d0700fd9273006f10c396e08604f2000af9baa339948dc63d56")


def a_full_order(number: int) -> bytes:
    """An order as Wish shows it, with every member; one in three goes into the EU and has customs to tell."""
    product = ProductRow(PRODUCT, 0, 0, 0)
    return msgspec.json.encode(an_order(Purchase(product, VARIATION, "w1", "STANDARD", number, "APPROVED", 1)))


@given(st.binary(max_size=5000))
def test_every_text_comes_back(content: bytes):
    assert COMPRESSION.expand(COMPRESSION.compress(content, "wish")) == content


def test_the_dictionary_is_the_one_that_stored_values_were_made_with():
    assert blake2b(DICTIONARY.content, digest_size=16).hexdigest() == "748839a66dea5605aaa68f212aa8d8e5"


def test_what_was_stored_once_opens():
    assert COMPRESSION.expand(STORED) == TEXT


def test_a_full_order_becomes_a_fifth():
    texts = [a_full_order(number) for number in range(60)]

    assert sum(map(len, texts)) / len(texts) > 2000
    assert sum(len(COMPRESSION.compress(order, "wish")) for order in texts) * 5 < sum(map(len, texts))


# Two marketplaces beside the one that was first, the second with a better dictionary than it once had.
FORMER, BETTER = (
    ReplyDictionary(b'{"orderId":"","buyer":""}' * 9),
    ReplyDictionary(b'{"orderId":"","total":""}' * 9),
)
THREE = Compression({"wish": [DICTIONARY], "other": [BETTER, FORMER], "plain": []})


@given(st.binary(max_size=5000), st.sampled_from(["wish", "other", "plain"]))
def test_whichever_marketplace_a_text_is_of_it_comes_back(content: bytes, channel: str):
    assert THREE.expand(THREE.compress(content, channel)) == content


def test_what_a_former_dictionary_made_and_what_the_first_made_still_opens():
    before = Compression({"other": [FORMER]}).compress(TEXT, "other")

    assert THREE.expand(before) == TEXT
    assert THREE.expand(STORED) == TEXT
    assert THREE.compress(TEXT, "other")[:5] != before[:5]


def test_the_mark_of_a_dictionary_follows_from_its_content():
    assert ReplyDictionary(FORMER.content).mark == FORMER.mark != BETTER.mark
    assert len(FORMER.mark) == 5


def test_what_was_stored_before_another_marketplace_came_is_byte_for_byte_the_same():
    assert THREE.compress(TEXT, "wish") == COMPRESSION.compress(TEXT, "wish") == STORED


async def test_a_full_order_fits_into_its_row_of_postgresql(postgres_database):
    """Past 2 KB a row's largest values move to a table beside it, which is another insert and another read."""
    _, account = await connected(postgres_database)
    await store(postgres_database, account, *[a_channel_order(raw=a_full_order(number)) for number in range(60)])

    async with postgres_database.session() as session:
        beside = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'orders'"
        assert await session.value(text(beside)) == 0
    assert len(await rows(postgres_database)) == 60


@pytest.mark.parametrize("tax", [b'{"vat":"GB123"}', (10, 25), None])
async def test_rows_from_before_compression_are_still_read(sqlite_database, tax):
    """Tax information stood in them as a place in the reply, where it could."""
    _, account = await connected(sqlite_database)
    await store(sqlite_database, account, a_channel_order(address=None, tax=None))
    async with sqlite_database.session() as session:
        [row] = await session.rows(orders.select())
        raw = b'{"id":"1",{"vat":"GB123"}}'
        packed = msgspec.msgpack.encode((None, tax, raw))
        sealed = sqlite_database.cipher.seal(packed, ORDER.place("personal", row._mapping))
        await session.execute(update(orders).values(personal=sealed))

    [found] = await feed(sqlite_database)

    assert found.tax == (None if tax is None else b'{"vat":"GB123"}')
