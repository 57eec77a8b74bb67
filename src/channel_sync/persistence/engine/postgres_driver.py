"""The way into PostgreSQL: every connection of ours, whoever needs it, is made here."""

import ssl
from typing import Any

from channel_sync.persistence.engine.postgres_address import PostgresAddress
from channel_sync.persistence.engine.storage_errors import CannotConnect


async def connect(driver: Any, address: PostgresAddress, name: str, timeout_s: float, **options: Any) -> Any:
    """A connection of asyncpg, which is the `driver`, to the first host that will do; an OSError where none does.

    `name` and `timeout_s` count where the address has none. The driver would try several hosts itself, but in one
    and the same time, which the first of them may use up.
    """
    places = [(host, kind) for kind in _kinds(address.session) for host in address.hosts]
    for (host, port), kind in places:
        try:
            return await driver.connect(
                f"postgresql://?{address.tls}",
                host=host,
                port=port,
                user=address.user,
                password=address.password,
                database=address.database,
                target_session_attrs=kind,
                timeout=address.connect_timeout_s or timeout_s,
                server_settings={"application_name": address.application_name or name},
                **options,
            )
        except (OSError, driver.CannotConnectNowError, driver.TargetServerAttributeNotMatched) as error:
            failure = error
    raise _told(failure, driver) from None


def _kinds(session: str) -> tuple[str, ...]:
    """What a server may be, tried in this order."""
    return ("standby", "any") if session == "prefer-standby" else (session,)


def _told(error: Exception, driver: Any) -> Exception:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CannotConnect("the certificate that the database shows is not the expected one")
    if isinstance(error, ssl.SSLError):
        return CannotConnect("the database and we find no TLS in common")
    if isinstance(error, driver.TargetServerAttributeNotMatched):
        return CannotConnect("no server is of the kind that target_session_attrs asks for")
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return CannotConnect("the database speaks no TLS, which sslmode asks for")
    return error
