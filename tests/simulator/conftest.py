from collections.abc import AsyncIterator

import pytest
from tests.simulator.simulated import Simulated, simulated

from wish_simulator.server import running


@pytest.fixture
async def wish() -> AsyncIterator[Simulated]:
    """The simulated Wish, in process."""
    async with simulated() as made:
        yield made


@pytest.fixture
async def url(wish: Simulated) -> AsyncIterator[str]:
    """The same marketplace on a real socket."""
    async with running(app=wish.checked) as address:
        yield address
