"""How the platform shows itself on our pages: its name, its logo, its colour."""

from dataclasses import dataclass
from pathlib import Path

NAME = "channel-sync"
COLOUR = "#1d4ed8"


@dataclass(frozen=True, slots=True)
class Logo:
    """A drawing, and what it is."""

    content: bytes
    media_type: str


_OUR_LOGO = Logo((Path(__file__).parent / "pages" / "static" / "logo.svg").read_bytes(), "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Brand:
    """Our own where the platform has set none. White text is read well on the colour."""

    name: str = NAME
    colour: str = COLOUR
    logo: Logo = _OUR_LOGO
