import shutil
from pathlib import Path

import pytest
from tests.faults.killing import (
    around_the_commit,
    between_fetch_and_commit,
    counted,
    finish,
    kill_repeatedly,
    scene,
    while_fetching,
)

import channel_sync

ORDERS = 9_900  # 20 pages of 500, each repeating the last order of the one before
KILLS = 30
MOMENTS = (while_fetching, between_fetch_and_commit, around_the_commit)
SOURCE = Path(channel_sync.__file__).parent

ONE_COMMIT = """\
        if cursor is not None:
            await work.accounts.move_cursor(session.account.id, cursor)
"""
BEHIND_IT = """\
        if cursor is not None:
            self.session.account"""
ANOTHER_COMMIT = """\
        if cursor is not None:
            async with self.session.database.begin() as work:
                await work.accounts.move_cursor(self.session.account.id, cursor)
            self.session.account"""


@pytest.mark.parametrize("seed", [20261123])
def test_thirty_kills_lose_and_double_nothing(tmp_path: Path, seed: int):
    with scene(tmp_path, ORDERS) as place:
        left = [*kill_repeatedly(place, [*MOMENTS] * (KILLS // len(MOMENTS)), seed)]
        ids = finish(place, ORDERS)

    assert all(stored.consistent for _, stored in left), left
    assert all(count >= 5 for count in counted(left).values())
    assert len(left) == KILLS
    pages = [stored.orders for _, stored in left]
    assert pages == sorted(pages)
    assert len(ids) == len(set(ids)) == ORDERS
    assert place.stored().consistent


def test_the_same_kills_catch_a_build_that_commits_twice(tmp_path: Path):
    build = tmp_path / "build"
    shutil.copytree(SOURCE, build / "channel_sync", ignore=shutil.ignore_patterns("__pycache__"))
    if not (build / "channel_sync" / "migrations").exists():
        shutil.copytree(SOURCE.parents[1] / "migrations", build / "channel_sync" / "migrations")
    walk = build / "channel_sync" / "flows" / "orders" / "keeping.py"
    text = walk.read_text()
    assert ONE_COMMIT in text
    assert BEHIND_IT in text
    text = text.replace(ONE_COMMIT, "")
    walk.write_text(text.replace(BEHIND_IT, ANOTHER_COMMIT))

    with scene(tmp_path, ORDERS, build) as place:
        left = kill_repeatedly(place, [between_fetch_and_commit, around_the_commit] * 8, seed=7)

        assert any(not stored.consistent for _, stored in left)
