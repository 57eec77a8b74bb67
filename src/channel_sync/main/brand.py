"""The platform's looks as the settings have them."""

from dataclasses import replace
from pathlib import Path

from channel_sync.api.brand import Brand, Logo
from channel_sync.main.process import CannotStart
from channel_sync.settings import Settings

_LARGEST_LOGO = 200_000
_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


def brand_of(settings: Settings) -> Brand:
    """The brand with its logo read; `CannotStart` where there is none to read."""
    brand = Brand(settings.brand_name, settings.brand_colour)
    return brand if settings.brand_logo is None else replace(brand, logo=_read(Path(settings.brand_logo)))


def _read(file: Path) -> Logo:
    media_type = _TYPES.get(file.suffix.lower())
    try:
        content = file.read_bytes() if media_type else b""
    except OSError:
        raise CannotStart("CHANNEL_SYNC_BRAND_LOGO: there is no such file that we may read") from None
    if media_type is None or not 0 < len(content) <= _LARGEST_LOGO:
        raise CannotStart("CHANNEL_SYNC_BRAND_LOGO: must be an svg, png or webp file of at most 200 kB")
    return Logo(content, media_type)
