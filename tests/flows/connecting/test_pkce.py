import hashlib

import pytest

from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.pkce import challenge_of, hash_of, new_token, new_verifier


def test_a_challenge_is_the_one_of_the_standards_example():
    # RFC 7636, appendix B.
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("make", [new_token, lambda: new_verifier().value])
def test_random_texts_have_256_bits_and_fit_into_an_address(make):
    texts = {make() for _ in range(50)}

    assert len(texts) == 50
    assert {len(text) for text in texts} == {43}
    assert all(text.replace("-", "").replace("_", "").isalnum() and text.isascii() for text in texts)


def test_what_is_stored_of_a_text_tells_it_from_others_and_is_not_the_text():
    assert hash_of("one") == hashlib.sha256(b"one").hexdigest()
    assert hash_of("one") != hash_of("other")
