import base64
import os
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from tests.persistence.former_seals import former_seal

from channel_sync.persistence.rows.encryption import AssociatedData, Cipher, Unreadable, new_key_text, parse_keys

PLACE = AssociatedData("integrations", "access_token", ("int_1",), ("acme", 7))


@pytest.fixture
def keys():
    return {"new": os.urandom(32), "old": os.urandom(32)}


def test_a_sealed_value_opens_where_it_was_sealed(keys):
    cipher = Cipher(keys)

    assert cipher.open(cipher.seal(b"token", PLACE), PLACE) == b"token"


def test_sealing_twice_gives_different_bytes_without_the_plaintext(keys):
    cipher = Cipher(keys)

    first, second = cipher.seal(b"token", PLACE), cipher.seal(b"token", PLACE)

    assert first != second
    assert b"token" not in first


def test_the_first_key_seals_and_every_key_opens(keys):
    sealed_before = Cipher({"old": keys["old"]}).seal(b"token", PLACE)
    cipher = Cipher(keys)

    assert cipher.open(sealed_before, PLACE) == b"token"
    assert cipher.seal(b"token", PLACE).startswith(cipher.first_header)
    assert not sealed_before.startswith(cipher.first_header)
    assert cipher.first_key_id == "new"


@pytest.mark.parametrize(
    "elsewhere",
    [
        PLACE._replace(row=("int_2",)),
        PLACE._replace(column="refresh_token"),
        PLACE._replace(table="attempts"),
        PLACE._replace(bound=("bolt", 7)),
        PLACE._replace(bound=("acme", 8)),
        PLACE._replace(bound=("acme",)),
    ],
)
def test_a_value_moved_elsewhere_does_not_open(keys, elsewhere):
    cipher = Cipher(keys)

    with pytest.raises(Unreadable):
        cipher.open(cipher.seal(b"token", PLACE), elsewhere)


@pytest.mark.parametrize(
    ("parts", "others"),
    [(("a", "b\x1fc"), ("a\x1fb", "c")), (("a:b", ""), ("a", "b:")), (("7",), (7,)), ((None,), ("None",))],
)
def test_places_whose_parts_read_alike_are_different_places(keys, parts, others):
    cipher = Cipher(keys)

    with pytest.raises(Unreadable):
        cipher.open(cipher.seal(b"token", PLACE._replace(bound=parts)), PLACE._replace(bound=others))


def test_what_the_former_format_sealed_still_opens_in_its_row_and_in_no_other(keys):
    cipher = Cipher(keys)
    sealed = former_seal("new", keys["new"], b"token", "integrations:access_token:int_1")

    assert cipher.open(sealed, PLACE) == b"token"
    assert not sealed.startswith(cipher.first_header)
    for elsewhere in (PLACE._replace(row=("int_2",)), PLACE._replace(column="refresh_token")):
        with pytest.raises(Unreadable):
            cipher.open(sealed, elsewhere)


def test_no_value_passes_for_one_of_the_former_format(keys):
    cipher = Cipher(keys)

    with pytest.raises(Unreadable):
        cipher.open(b"\x01" + cipher.seal(b"token", PLACE)[1:], PLACE)


def test_any_flipped_bit_makes_a_value_unreadable(keys):
    cipher = Cipher(keys)
    sealed = cipher.seal(b"token", PLACE)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unreadable):
            cipher.open(bytes(changed), PLACE)


@pytest.mark.parametrize("length", range(20))
def test_a_cut_value_is_unreadable(keys, length):
    cipher = Cipher(keys)

    with pytest.raises(Unreadable):
        cipher.open(cipher.seal(b"", PLACE)[:length], PLACE)


def test_a_value_of_an_unknown_key_is_unreadable(keys):
    sealed = Cipher({"other": os.urandom(32)}).seal(b"token", PLACE)

    with pytest.raises(Unreadable):
        Cipher(keys).open(sealed, PLACE)


def test_an_unreadable_value_tells_nothing(keys):
    with pytest.raises(Unreadable) as raised:
        Cipher(keys).open(b"\x01\x03newsecret-looking-bytes-here-1234567890", PLACE)

    assert raised.value.message == "A stored value cannot be decrypted."
    assert raised.value.__suppress_context__


def test_new_keys_parse_into_a_ring_in_their_order():
    first, second = (
        new_key_text(datetime(2026, 11, 23, tzinfo=UTC)),
        new_key_text(datetime(2026, 1, 2, tzinfo=UTC)),
    )

    ring = parse_keys(f"{first}, {second}")

    assert [key_id[:9] for key_id in ring] == ["k20261123", "k20260102"]
    assert {len(key) for key in ring.values()} == {32}


@pytest.mark.parametrize("text", ["", "k1", ":AAAA", "k1:", "k1:n%t64", "k1:c2hvcnQ=", "k1:c2VjcmV0c2VjcmV0"])
def test_a_key_that_cannot_be_used_is_refused_without_being_shown(text):
    with pytest.raises(ValueError, match="Encryption key 1") as raised:
        parse_keys(text)

    assert not text.partition(":")[2] or text.partition(":")[2] not in str(raised.value)


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        b"\xff" * 32,
        b"ABCD" * 8,
        bytes(range(32)),
        bytes(range(32, 0, -1)),
        sha256(b"one half").digest()[:16] * 2,
    ],
)
def test_a_key_that_chance_would_not_make_seals_nothing(key):
    weak, good = f"weak:{base64.b64encode(key).decode()}", new_key_text(datetime(2026, 11, 23, tzinfo=UTC))

    with pytest.raises(ValueError, match="Encryption key 1 is not random"):
        parse_keys(weak)
    assert len(parse_keys(f"{good},{weak}")) == 2


def test_hexadecimal_digits_of_chance_are_a_key():
    for _ in range(200):
        digits = os.urandom(16).hex().encode()
        assert parse_keys(f"k1:{base64.b64encode(digits).decode()}") == {"k1": digits}


def test_two_new_keys_of_one_day_go_into_one_ring():
    day = datetime(2026, 11, 23, tzinfo=UTC)

    assert len(parse_keys(f"{new_key_text(day)},{new_key_text(day)}")) == 2


def test_two_keys_of_one_name_are_refused():
    key = new_key_text(datetime(2026, 11, 23, tzinfo=UTC))

    with pytest.raises(ValueError, match="Encryption key 2"):
        parse_keys(f"{key},{key}")


def test_a_ring_without_keys_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Cipher({})
