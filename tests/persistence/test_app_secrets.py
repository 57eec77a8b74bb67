"""An application's credentials are one text: a secret alone is kept as it always was."""

from hypothesis import given
from hypothesis import strategies as st

from channel_sync.domain.secrets import Secret
from channel_sync.persistence.app_secrets import packed, unpacked

TEXTS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def test_a_secret_alone_is_its_own_text():
    assert packed(Secret("a-secret"), ()) == b"a-secret"


@given(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_whatever_goes_along_comes_back(secret: str, more: dict[str, str]):
    given_more = tuple((name, Secret(text)) for name, text in more.items())

    assert unpacked(packed(Secret(secret), given_more)) == (Secret(secret), given_more)
