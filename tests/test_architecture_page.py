"""The page that tells how the house is built names what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PLACES = sorted(set(re.findall(r"`([\w/]+(?:\.py|/))`", PAGE)))


def test_it_names_places_of_each_room():
    rooms = {place.partition("/")[0] for place in PLACES}
    assert rooms >= {"api", "jobs", "flows", "channels", "persistence", "main"}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_it_names_is_there(place: str):
    assert (ROOT / place).exists() or (ROOT / "src" / "channel_sync" / place).exists()
