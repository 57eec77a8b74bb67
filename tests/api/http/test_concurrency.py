import pytest
from fastapi import Response

from channel_sync.api.http.concurrency import expected_version, tag
from channel_sync.domain.errors import StaleVersion

pytestmark = pytest.mark.every_store


@pytest.mark.parametrize("if_match", ['"3"', '"3-0123456789abcdef"', '"1", "3"', '"3","x"', ' "3" '])
def test_a_list_with_the_present_version_insists_on_it(if_match):
    assert expected_version(if_match, 3) == 3


@pytest.mark.parametrize("if_match", [None, "*", " * "])
def test_without_a_version_any_is_fine(if_match):
    assert expected_version(if_match, 3) is None


@pytest.mark.parametrize(
    "if_match", ['"2"', '"2-0123456789abcdef"', '"3-x"', 'W/"3"', "3", "", "nonsense", '"' + "9" * 50 + '"']
)
def test_another_version_or_a_weak_or_odd_tag_is_stale(if_match):
    with pytest.raises(StaleVersion):
        expected_version(if_match, 3)


def tag_of(version, **shown):
    response = Response()
    tag(response, version, shown)
    return response.headers["ETag"]


def test_the_etag_of_a_version_matches_it():
    assert expected_version(tag_of(7, name="Mugs"), 7) == 7


def test_what_is_shown_makes_another_tag_and_how_old_it_is_does_not():
    tags = [tag_of(7, at=at, jobs={"lag_s": lag}) for at, lag in ((1, 5), (1, 6), (2, 6))]
    assert tags[0] == tags[1] != tags[2]


def test_that_there_is_a_lag_is_news():
    none, zero, short, long = (tag_of(1, order_lag_s=lag) for lag in (None, 0, 1, 9))
    assert none == zero != short == long
