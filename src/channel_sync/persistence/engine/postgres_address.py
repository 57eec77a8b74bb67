"""What an address of PostgreSQL says, in libpq's words: https://www.postgresql.org/docs/current/libpq-connect.html.

A parameter means here what it means there, or it is refused. One is ours: `pooler=transaction`.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode, urlsplit

SCHEME = "postgresql://"
_PORT = "5432"
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "pooler": ("transaction",),
}
_LOOKS_AT_CERTIFICATES = ("require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey")
_PLACES = ("host", "port", "user", "password", "dbname")
_KNOWN = (*_CHOICES, *_FILES, *_PLACES, "application_name", "connect_timeout")
_LONGEST_WAIT_S = 300

Host = tuple[str | None, int]


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a database is and how it is reached; None is the driver's default.

    Its hosts are tried in their order, each for `connect_timeout_s`. `tls` is libpq's query of that matter.
    """

    hosts: tuple[Host, ...]
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    tls: str
    session: str
    pooled: bool
    application_name: str | None
    connect_timeout_s: int | None


def postgres_address(text: str) -> PostgresAddress:
    """What the address says. `ValueError` names the parameter that cannot be used, and shows no value."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is no address that can be read") from None
    given = _parameters(parts.query)
    credentials, _, places = parts.netloc.rpartition("@")
    user, colon, password = credentials.partition(":")
    return PostgresAddress(
        hosts=_hosts(unquote(places) or given.get("host", ""), given.get("port", "")),
        user=unquote(user) or given.get("user"),
        password=unquote(password) if colon else given.get("password"),
        database=unquote(parts.path.removeprefix("/")) or given.get("dbname"),
        tls=_tls(given),
        session=given.get("target_session_attrs", "any"),
        pooled="pooler" in given,
        application_name=given.get("application_name"),
        connect_timeout_s=_seconds(given.get("connect_timeout")),
    )


def _parameters(query: str) -> dict[str, str]:
    if "@" in query:
        # Part of a password; not even a name that seems to be in it is shown.
        raise ValueError("has a ? before its @; write %3F in a password")
    given: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name not in _KNOWN:
            shown = name if name.isidentifier() else "that it has"
            raise ValueError(f"knows no parameter {shown}; there are: {', '.join(_KNOWN)}")
        if name in given:
            raise ValueError(f"{name} is there twice")
        given[name] = unquote(value)
        if given[name] not in _CHOICES.get(name, (given[name],)):
            raise ValueError(f"{name} must be one of: {', '.join(_CHOICES[name])}")
    return given


def _hosts(places: str, ports: str) -> tuple[Host, ...]:
    specs = places.split(",")
    default = ports.split(",") if ports else [_PORT]
    if len(default) not in (1, len(specs)):
        raise ValueError("port must be one, or one for each host")
    return tuple(_host(spec, default[number % len(default)]) for number, spec in enumerate(specs))


def _host(spec: str, port: str) -> Host:
    if spec.startswith("/"):
        name = spec
    elif spec.startswith("["):
        name, _, after = spec[1:].partition("]")
        port = after.removeprefix(":") or port
    else:
        name, _, after = spec.partition(":")
        port = after or port
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("port must be a number up to 65535")
    return name or None, int(port)


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= _LONGEST_WAIT_S:
        raise ValueError(f"connect_timeout must be whole seconds from 1 to {_LONGEST_WAIT_S}")
    return int(text)


def _tls(given: Mapping[str, str]) -> str:
    mode = given.get("sslmode")
    if mode in ("verify-ca", "verify-full") and "sslrootcert" not in given:
        raise ValueError(f"sslmode={mode} needs sslrootcert, the certificate that the server's is compared with")
    if "sslrootcert" in given and mode not in _LOOKS_AT_CERTIFICATES:
        raise ValueError(f"sslrootcert needs an sslmode that looks at it: {', '.join(_LOOKS_AT_CERTIFICATES)}")
    if ("sslcert" in given) != ("sslkey" in given):
        raise ValueError("sslcert and sslkey go together; one of them is missing")
    _check_files(given)
    return urlencode({name: given[name] for name in ("sslmode", *_FILES) if name in given})


def _check_files(given: Mapping[str, str]) -> None:
    """The driver opens them for every connection, and a failure would look like an absent database."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "sslrootcert" in given:
            context.load_verify_locations(given["sslrootcert"])
    except OSError:
        raise ValueError("sslrootcert is no file with certificates that can be read") from None
    try:
        if "sslcert" in given:
            context.load_cert_chain(given["sslcert"], given["sslkey"], password="")
    except OSError:
        raise ValueError("sslcert and sslkey are no certificate with its key that can be read") from None
