import tracemalloc

from channel_sync.domain.seen_ids import SeenIds


def test_what_was_added_was_seen_and_nothing_else():
    seen = SeenIds()
    assert "v0" not in seen
    seen.add_all(f"v{number}" for number in range(0, 2_000, 2))
    assert ("v0" in seen, "v1" in seen, "v1998" in seen, "v2000" in seen) == (True, False, True, False)

    seen.add_all(["v1"])

    assert ("v1" in seen, "v3" in seen, len(seen)) == (True, False, 1_001)


def test_a_hundred_thousand_ids_take_less_than_two_megabytes():
    seen = SeenIds()
    tracemalloc.start()
    try:
        for start in range(0, 100_000, 500):
            seen.add_all(f"{number:024x}" for number in range(start, start + 500))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000
