import pytest

from channel_sync.domain.secrets import MASK, Secret, is_mask


@pytest.mark.parametrize("shown", [MASK, "•", "•• ••", "…", "   ", "****c0de", "9f3c••••", "ab**cd"])
def test_what_is_shown_in_place_of_a_secret_is_known_as_a_mask(shown: str):
    assert is_mask(shown)


@pytest.mark.parametrize("secret", ["", "a*b", "with-app", "passw**rd123", "9f3c*"])
def test_what_may_be_a_secret_is_no_mask(secret: str):
    assert not is_mask(secret)


def test_a_secret_shows_a_mask_only():
    secret = Secret("a-secret-of-the-app")

    assert (str(secret), "secret-of" in repr(secret)) == (MASK, False)
