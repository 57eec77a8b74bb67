import pytest

from channel_sync.api.brand import Brand
from channel_sync.main.brand import brand_of
from channel_sync.main.process import CannotStart
from channel_sync.settings import Settings


def test_without_settings_the_pages_show_our_own_name_and_logo():
    brand = brand_of(Settings())

    assert brand == Brand()
    assert brand.logo.content.startswith(b"<svg")


@pytest.mark.parametrize(("suffix", "media_type"), [("svg", "image/svg+xml"), ("PNG", "image/png")])
def test_a_logo_is_read_once_at_the_start(tmp_path, suffix, media_type):
    file = tmp_path / f"logo.{suffix}"
    file.write_bytes(b"a drawing")

    logo = brand_of(Settings(brand_logo=str(file))).logo

    assert (logo.content, logo.media_type) == (b"a drawing", media_type)


@pytest.mark.parametrize(
    ("name", "content"),
    [("logo.gif", b"x"), ("logo.svg", b""), ("logo.svg", b"x" * 200_001), ("missing.png", None)],
)
def test_a_logo_that_cannot_be_shown_stops_the_start(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(CannotStart) as refused:
        brand_of(Settings(brand_logo=str(tmp_path / name)))

    assert str(refused.value).startswith("CHANNEL_SYNC_BRAND_LOGO: ")
    assert str(tmp_path) not in str(refused.value)
