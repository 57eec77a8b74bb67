import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from channel_sync.domain.random_bytes import RandomBytes


def test_no_piece_is_given_out_twice_from_several_threads():
    pool = RandomBytes(12)
    with ThreadPoolExecutor(4) as threads:
        pieces = list(threads.map(lambda _: pool.take(), range(5_000)))
    assert len(set(pieces)) == 5_000
    assert {len(piece) for piece in pieces} == {12}


# Python 3.12 warns of any fork beside threads; this child only writes to a pipe.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_repeat_its_parent():
    pool = RandomBytes(12)
    pool.take()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"".join(pool.take() for _ in range(20)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 240)
    os.close(reading)
    os.close(writing)
    assert not {theirs[start : start + 12] for start in range(0, 240, 12)} & {pool.take() for _ in range(511)}
