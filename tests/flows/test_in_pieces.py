"""Many things taken a few at a time."""

import pytest

from channel_sync.flows.in_pieces import in_light_pieces, in_pieces


def test_a_piece_has_so_many_items_and_the_last_one_the_rest():
    assert list(in_pieces("abcde", 2)) == ["ab", "cd", "e"]


@pytest.mark.parametrize(
    ("weights", "pieces"),
    [
        ((), []),
        ((0, 0, 0, 0, 0), ["abc", "de"]),
        ((4, 1, 1, 4, 5), ["ab", "cd", "e"]),
        ((9, 9, 0, 9, 1), ["a", "b", "c", "d", "e"]),
        ((5, 0, 0, 5, 0), ["abc", "de"]),
    ],
)
def test_a_piece_is_no_heavier_than_it_may_be_unless_it_is_one_item(weights, pieces):
    assert list(in_light_pieces("abcde"[: len(weights)], weights, 3, 5)) == pieces
