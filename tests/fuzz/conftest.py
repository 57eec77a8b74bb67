from collections.abc import Iterator

import pytest
from tests.fuzz.ground import Ground, running_ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A seeded service, shared by all operations."""
    with running_ground(tmp_path_factory.mktemp("ground")) as running:
        yield running
