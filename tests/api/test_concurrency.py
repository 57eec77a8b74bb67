import pytest

from channel_sync.api.concurrency import etag, expected_version
from channel_sync.domain.errors import StaleVersion


@pytest.mark.parametrize("if_match", ['"3"', '"1", "3"', '"3","x"', ' "3" '])
def test_a_list_with_the_present_version_insists_on_it(if_match):
    assert expected_version(if_match, 3) == 3


@pytest.mark.parametrize("if_match", [None, "*", " * "])
def test_without_a_version_any_is_fine(if_match):
    assert expected_version(if_match, 3) is None


@pytest.mark.parametrize("if_match", ['"2"', 'W/"3"', "3", "", "nonsense", '"' + "9" * 50 + '"'])
def test_another_version_or_a_weak_or_odd_tag_is_stale(if_match):
    with pytest.raises(StaleVersion):
        expected_version(if_match, 3)


def test_the_etag_of_a_version_matches_it():
    assert expected_version(etag(7), 7) == 7
