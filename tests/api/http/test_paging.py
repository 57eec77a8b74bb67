import base64
from dataclasses import replace

import msgspec
import pytest

from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.problems import HttpProblem

pytestmark = pytest.mark.every_store

CURSORS = Cursors("runs", "acme", {"kind": "orders"}, (str, int))


def cursor_of(cursors: Cursors) -> str:
    cursor = cursors.write(("run_1", 7))
    assert cursor is not None
    return cursor


def refused(cursors: Cursors, cursor: str) -> bool:
    with pytest.raises(HttpProblem) as refusal:
        cursors.request(PageQuery(cursor=cursor))
    return (refusal.value.status_code, refusal.value.code) == (400, "invalid_cursor")


def test_a_cursor_gives_back_the_key_it_was_made_of():
    request = CURSORS.request(PageQuery(limit=10, cursor=cursor_of(CURSORS)))
    assert (request.limit, request.after) == (10, ("run_1", 7))


def test_no_key_means_no_cursor():
    assert CURSORS.write(None) is None


@pytest.mark.parametrize("change", [{"tenant": "other"}, {"name": "events"}, {"filters": {"kind": "stock"}}])
def test_a_cursor_of_another_tenant_list_or_filter_is_refused(change):
    assert refused(replace(CURSORS, **change), cursor_of(CURSORS))


@pytest.mark.parametrize("text", ["", "x", "é", "%%%", "bnVsbA", "W10", "eyJhIjoxfQ", "A" * 2000])
def test_text_that_is_no_cursor_is_refused(text):
    assert refused(CURSORS, text)


@pytest.mark.parametrize(
    "key",
    [["run_1"], ["run_1", "7"], [7, "run_1"], ["run_1", 7, 7], ["a\0", 7], ["a", 2**63], ["a", -1], ["a", True]],
)
def test_a_forged_key_of_another_shape_is_refused(key):
    mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor_of(CURSORS) + "=="))[0]
    assert refused(CURSORS, base64.urlsafe_b64encode(msgspec.json.encode([mark, *key])).decode())
