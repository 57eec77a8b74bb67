import pytest

from channel_sync.domain.texts import storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain é 😀", "plain é 😀"),
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("\udc00x\ud800", "\ufffdx\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("x" * 500, "x" * 40),
    ],
)
def test_text_is_kept_as_every_database_takes_it(text: str, kept: str):
    assert storable(text, 40) == kept
