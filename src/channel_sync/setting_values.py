"""What the settings are made of: closed sets, and addresses that are checked as they are read."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from channel_sync.domain.colours import contrast

PREFIX = "CHANNEL_SYNC_"

_LONGEST_NAME = 60
_READABLE = 4.5


class Jobs(StrEnum):
    """Where the jobs run."""

    EMBEDDED = "embedded"
    DISTRIBUTED = "distributed"
    OFF = "off"


class Docs(StrEnum):
    """Who may read the interactive documentation."""

    ON = "on"
    KEY = "key"
    OFF = "off"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class LogLevel(StrEnum):
    """The least serious event that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _checked(text: str) -> str:
    parts = urlsplit(text)
    extras = parts.username or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or extras:
        raise ValueError("must be an http or https address without user, query or fragment")
    return text


def _address(text: str) -> str:
    return _checked(text).rstrip("/")


def _public(text: str) -> str:
    address = _address(text)
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", urlsplit(address).path) or "/." in address:
        raise ValueError("must have a plain path, if any, like https://hub.example/sync")
    return address


def _claim_name(text: str) -> str:
    if not re.fullmatch(r"[!#-\[\]-~]{1,200}", text):
        raise ValueError("must be the name of a claim: visible ASCII characters, no quotes and no backslashes")
    return text


def _origin(text: str) -> str:
    if urlsplit(_checked(text)).path:
        raise ValueError("must be origins like https://app.example, without a path")
    return text


def _destination(text: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s/:]+):\d{1,5}", text):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValueError("must be host:port or a network like 10.0.0.0/8") from None
    return text


def _name(text: str) -> str:
    if not text.isprintable() or not 0 < len(text.strip()) <= _LONGEST_NAME:
        raise ValueError(f"must be a name of at most {_LONGEST_NAME} printable characters")
    return text.strip()


def _colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("must be a colour like #1d4ed8")
    if contrast(text, "#ffffff") < _READABLE:
        raise ValueError(f"must be dark enough for white text: a contrast of {_READABLE} to 1")
    return text.lower()


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ValueError("must be addresses or networks like 10.0.0.0/8") from None
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"\*|(\[[0-9a-fA-F:]+\]|(\*\.)?[A-Za-z0-9.-]+)(:[0-9]{1,5})?", text):
        raise ValueError("must be hosts like files.example, *.files.example or files.example:8443, or *")
    return text


def _visible(text: str) -> str:
    if not re.fullmatch(r"[!-~]{1,200}", text):
        raise ValueError("must be visible ASCII characters, at most 200")
    return text


def _app_secret(secret: SecretStr) -> SecretStr:
    _visible(secret.get_secret_value())
    return secret


def check_together(settings: object, *names: str) -> None:
    """`ValueError` where some of these settings are there and others are not."""
    missing = [getattr(settings, name) is None for name in names]
    if any(missing) and not all(missing):
        called = " and ".join(f"{PREFIX}{name.upper()}" for name in names)
        raise ValueError(f"{called} go together; one of them is missing")


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


_LIST = (BeforeValidator(_split), NoDecode)
# Says of an address that we call it, and so that nobody may listen on the way.
CALLED = "called"
Address = Annotated[str, AfterValidator(_address), CALLED]
PageUrl = Annotated[str, AfterValidator(_checked)]
PublicUrl = Annotated[str, AfterValidator(_public)]
# It stands beside the logo, and in the title of a window.
BrandName = Annotated[str, AfterValidator(_name)]
Colour = Annotated[str, AfterValidator(_colour)]
# It is named to whoever lacks it, in a header.
ClaimName = Annotated[str, AfterValidator(_claim_name)]
# Tokens name their issuer letter by letter, a slash at the end included.
IssuerName = Annotated[str, AfterValidator(_checked)]
AppId = Annotated[str, AfterValidator(_visible)]
AppSecret = Annotated[SecretStr, AfterValidator(_app_secret)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], *_LIST]
Destinations = Annotated[tuple[Annotated[str, AfterValidator(_destination)], ...], *_LIST]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], *_LIST]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], *_LIST]
