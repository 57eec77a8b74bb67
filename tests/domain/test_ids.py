from datetime import UTC, datetime, timedelta

from channel_sync.domain.ids import derived_id, is_id, new_id, new_ids

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_id_is_its_prefix_and_26_base32_characters():
    prefix, _, tail = new_id("ord", NOON).partition("_")
    assert prefix == "ord"
    assert len(tail) == 26
    assert set(tail) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id("int", NOON + timedelta(milliseconds=step)) for step in range(50)]
    assert ids == sorted(ids)


def test_ids_of_one_instant_differ():
    assert len({new_id("evt", NOON) for _ in range(10_000)} | set(new_ids("evt", NOON, 10_000))) == 20_000


def test_a_derived_id_sorts_by_its_time():
    assert derived_id("evt", 2, "a") < derived_id("evt", 40_000, "b") < derived_id("evt", 10**12, "a")


def test_a_type_id_decodes_to_a_version_7_uuid_of_its_time():
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    number = 0
    for character in new_id("run", NOON).removeprefix("run_"):
        number = number << 5 | alphabet.index(character)
    assert number >> 80 == int(NOON.timestamp() * 1000)
    assert (number >> 76) & 0xF == 7
    assert (number >> 62) & 0b11 == 0b10


def test_the_same_parts_give_the_same_derived_id():
    assert derived_id("evt", 17, "acc", "order", "1") == derived_id("evt", 17, "acc", "order", "1")


def test_parts_do_not_run_into_each_other():
    assert derived_id("evt", 17, "ab", "c") != derived_id("evt", 17, "a", "bc")


def test_only_what_is_shaped_like_an_id_is_taken_for_one():
    assert is_id(new_id("ord", NOON))
    assert not any(map(is_id, ["", "ord_", "MUG-BLUE", new_id("ord", NOON)[:-1], new_id("ord", NOON) + "0"]))
