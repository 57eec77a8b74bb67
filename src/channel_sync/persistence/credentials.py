"""App secrets and grants, in sealed columns of `integrations`; nobody else writes them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Update, select, update

from channel_sync.domain.channel import App, Grant
from channel_sync.domain.errors import NotFound
from channel_sync.domain.integrations import Integration
from channel_sync.domain.platform_apps import PlatformAppMissing, PlatformApps, platform_app
from channel_sync.domain.secrets import MoreCredentials, Secret
from channel_sync.persistence.app_secrets import packed, unpacked
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.rows.encryption import Cipher, Unreadable
from channel_sync.persistence.rows.sealed_columns import APP_SECRET, GRANT, SealedColumns
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.tables import integrations

_row = integrations.c
_READ = select(
    *(
        _row[name]
        for name in (
            "id",
            "tenant",
            "channel",
            "environment",
            "client_id",
            "client_secret",
            "client_secret_updated_at",
            "platform_app",
            "access_token",
            "refresh_token",
            "access_token_expires_at",
            "merchant_id",
            "scopes",
            "grant_ends_at",
            "generation",
            "renewing_until",
            "renewed_at",
            "retry_at",
        )
    )
)
_READ_MANY = _READ.where(any_of_given(_row.id, "ids"))

# Kept by builds before this one, read by none: emptied until the columns go, a release later.
_NO_FORMER_PAIR: dict[str, Any] = {"previous_access_token": None, "previous_refresh_token": None}
# The generation grows, so that a renewal under way cannot bring one back.
_NO_GRANT: dict[str, Any] = {
    "access_token": None,
    "access_token_last4": None,
    "access_token_expires_at": None,
    "refresh_token": None,
    "refresh_token_last4": None,
    **_NO_FORMER_PAIR,
    "scopes": (),
    "generation": _row.generation + 1,
    "renewing_owner": None,
    "renewing_since": None,
    "renewing_until": None,
    "grant_ends_at": None,
    "renewal_failing_since": None,
    "retry_at": None,
}


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A stored grant with its generation and the state of its renewal."""

    grant: Grant
    generation: int
    renewing_until: datetime | None
    renewed_at: datetime | None
    retry_at: datetime | None


# Without the application where that is the platform's, and is not set any more.
Held = tuple[App | None, HeldGrant]


class CredentialRepository:
    """Secrets of integrations. Each is sealed to its column, its integration and what `sealed_columns` names.

    That of the platform's application is in no row: it is read from the `apps` at each use.
    """

    def __init__(self, session: Session, cipher: Cipher, apps: PlatformApps) -> None:
        self._session = session
        self._cipher = cipher
        self._apps = apps

    async def app(self, integration_id: str) -> App:
        """The integration's app; `NotFound` once the credentials are destroyed.

        `PlatformAppMissing` where it is the platform's, and that is not set any more.
        """
        row = await self._read(integration_id)
        if row is None or not _has_app(row):
            raise NotFound("credentials")
        return self._app(row)

    async def use_platform_app(self, integration_id: str, client_id: str, now: datetime) -> None:
        """Let the integration work with the platform's app from now on; the secret of its own is wiped."""
        await self._session.execute(
            _change(integration_id).values(
                platform_app=True,
                client_id=client_id,
                client_secret=None,
                client_secret_last4="",
                client_secret_updated_at=now,
            )
        )

    async def set_app(self, integration_id: str, client_id: str, secret: Secret, now: datetime) -> None:
        """Store another app of the merchant's own. What else the marketplace wants stays."""
        changed = {"client_id": client_id, "client_secret_updated_at": now}
        row = await self._read(integration_id)
        if row is None:
            raise NotFound("integration")
        place = APP_SECRET.place("client_secret", {**row._mapping, **changed})
        await self._session.execute(
            _change(integration_id).values(
                platform_app=False,
                client_secret=self._cipher.seal(packed(secret, self._more(row)), place),
                client_secret_last4=secret.last4,
                **changed,
            )
        )

    async def _read(self, integration_id: str) -> Row[*tuple[Any, ...]] | None:
        return await self._session.row(_READ.where(_row.id == integration_id))

    async def held_by(self, integration_ids: Collection[str]) -> dict[str, Held | None]:
        """App and newest grant of each of these integrations, or None where they cannot be opened.

        One that does not hold both is missing.
        """
        rows = await self._session.rows(_READ_MANY, {"ids": integration_ids})
        found: dict[str, Held | None] = {}
        for row in rows:
            try:
                grant = self._grant(row)
                if grant is not None and _has_app(row):
                    found[row.id] = self._app_now(row), grant
            except Unreadable:
                found[row.id] = None
        return found

    def _app_now(self, row: Any) -> App | None:
        try:
            return self._app(row)
        except PlatformAppMissing:
            return None

    def _app(self, row: Any) -> App:
        if row.platform_app:
            return platform_app(self._apps, row.channel, row.environment, row.client_id)
        place = APP_SECRET.place("client_secret", row._mapping)
        secret, more = unpacked(self._cipher.open(row.client_secret, place))
        return App(row.client_id, secret, row.environment, more)

    def _more(self, row: Any) -> MoreCredentials:
        """None of it where it cannot be read any more: the marketplace will say so."""
        try:
            return () if row.client_secret is None else self._app(row).more
        except Unreadable:
            return ()

    def _grant(self, row: Any) -> HeldGrant | None:
        if row.access_token is None or row.refresh_token is None:
            return None
        grant = Grant(
            self._open(GRANT, "access_token", row),
            self._open(GRANT, "refresh_token", row),
            row.access_token_expires_at,
            row.merchant_id,
            row.scopes,
            row.grant_ends_at,
        )
        return HeldGrant(grant, row.generation, row.renewing_until, row.renewed_at, row.retry_at)

    async def store_grant(self, integration_id: str, grant: Grant, expected_generation: int) -> bool:
        """Store a grant if the generation is still the expected one, and end the renewal; false if it is not."""
        row = await self._read(integration_id)
        if row is None:
            return False
        newest = {"merchant_id": grant.merchant_id, "generation": expected_generation + 1}
        changed = await self._session.change(
            _change(integration_id)
            .where(_row.generation == expected_generation)
            .values(
                scopes=row.scopes if grant.scopes is None else grant.scopes,
                access_token_last4=grant.access_token.last4,
                access_token_expires_at=grant.expires_at,
                refresh_token_last4=grant.refresh_token.last4,
                grant_ends_at=grant.ends_at,
                renewal_failing_since=None,
                renewed_at=_row.renewing_since,
                renewing_owner=None,
                renewing_since=None,
                renewing_until=None,
                retry_at=None,
                **newest,
                **self._sealed(grant, {**row._mapping, **newest}),
                **_NO_FORMER_PAIR,
            )
        )
        return changed == 1

    def _sealed(self, grant: Grant, row: dict[str, Any]) -> dict[str, bytes]:
        tokens = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
        return {name: self._seal(GRANT, name, token, row) for name, token in tokens.items()}

    async def forget_in_drafts(self, newest: Integration) -> None:
        """Wipe what other drafts of the tenant hold for the same shop and app: it was given anew since.

        The one before may be dead by now, and of two drafts with one shop the second could never be finished.
        """
        theirs = update(integrations).where(
            _row.tenant == newest.tenant,
            _row.channel == newest.channel,
            _row.environment == newest.environment,
            _row.client_id == newest.client_id,
            _row.merchant_id == newest.merchant_id,
            _row.activated_at.is_(None),
            _row.access_token_last4.is_not(None),
            _row.id != newest.id,
        )
        gone = {**_NO_GRANT, "merchant_id": None, "shop_name": None, "version": _row.version + 1}
        await self._session.execute(theirs.values(gone))

    async def destroy(self, integration_id: str) -> None:
        """Wipe every secret."""
        await self._session.execute(
            _change(integration_id).values(client_secret=None, client_secret_last4="", **_NO_GRANT)
        )

    def _seal(self, kind: SealedColumns, column: str, secret: Secret, row: dict[str, Any]) -> bytes:
        return self._cipher.seal(secret.value.encode(), kind.place(column, row))

    def _open(self, kind: SealedColumns, column: str, row: Row[*tuple[Any, ...]]) -> Secret:
        values = row._mapping
        return Secret(self._cipher.open(values[column], kind.place(column, values)).decode())


def _has_app(row: Any) -> bool:
    return row.platform_app or row.client_secret is not None


def _change(integration_id: str) -> Update:
    return update(integrations).where(_row.id == integration_id)
