import pytest
from tests.hostile.stage import KEYS

from channel_sync.persistence.rows.encryption import Cipher, parse_keys


@pytest.fixture
def cipher() -> Cipher:
    """A cipher whose keys a helper process can be given."""
    return Cipher(parse_keys(KEYS))
