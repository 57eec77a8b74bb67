"""Integrations, all but their credentials."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from channel_sync.domain.errors import Invalid, NotFound, StaleVersion
from channel_sync.domain.integrations import Integration, Status
from channel_sync.domain.secrets import MoreCredentials, Secret
from channel_sync.persistence.app_secrets import packed
from channel_sync.persistence.engine.session import Session, columns_of
from channel_sync.persistence.rows.encryption import Cipher
from channel_sync.persistence.rows.sealed_columns import APP_SECRET
from channel_sync.persistence.sql.any_of import any_of_given
from channel_sync.persistence.sql.column_types import Utc
from channel_sync.persistence.sql.paging import Key, Page, PageRequest, page_of
from channel_sync.persistence.sql.tables import integrations

Sort = Literal["name", "-name", "created_at", "-created_at"]

_COLUMNS = columns_of(integrations, Integration)
# Built once: forty columns take longer to put into a statement than a row to read.
_READ = select(*_COLUMNS)
_READ_MANY = _READ.where(any_of_given(integrations.c.id, "ids"))
_OF_CREDENTIALS = frozenset(
    {
        "client_id",
        "client_secret_last4",
        "client_secret_updated_at",
        "platform_app",
        "merchant_id",
        "scopes",
        "access_token_last4",
        "access_token_expires_at",
        "refresh_token_last4",
        "grant_ends_at",
        "renewal_failing_since",
        "generation",
    }
)
_SAVED = [
    field.name
    for field in fields(Integration)
    if field.name not in _OF_CREDENTIALS | {"id", "tenant", "created_at"}
]
_SAVE = (
    update(integrations)
    .where(integrations.c.id == bindparam("this"), integrations.c.version == bindparam("before"))
    .values({name: bindparam(f"new_{name}") for name in (*_SAVED, "version", "name_key")})
    .returning(*_COLUMNS)
)


@dataclass(frozen=True, slots=True)
class IntegrationQuery:
    """Which integrations, in which order. `q` is a part of the name; drafts and removed ones only by status."""

    channel: str | None = None
    status: Status | None = None
    q: str | None = None
    sort: Sort = "name"


class IntegrationRepository:
    """Integrations of every tenant. A removed one stays readable until it is purged."""

    def __init__(self, session: Session, cipher: Cipher) -> None:
        self._session = session
        self._cipher = cipher

    async def add(
        self, integration: Integration, client_secret: Secret | None, more: MoreCredentials = ()
    ) -> None:
        """Store a new integration with its app's secret, if it has one, and what else the marketplace wants."""
        values = {field.name: getattr(integration, field.name) for field in fields(Integration)}
        values["name_key"] = integration.name.casefold()
        if client_secret is not None:
            place = APP_SECRET.place("client_secret", values)
            values["client_secret"] = self._cipher.seal(packed(client_secret, more), place)
        await self._session.execute(insert(integrations).values(values))

    async def get(self, tenant: str, integration_id: str) -> Integration:
        """The integration, or `NotFound`."""
        found = await self._one(integrations.c.id == integration_id, integrations.c.tenant == tenant)
        if found is None:
            raise NotFound("integration")
        return found

    async def find(self, integration_id: str) -> Integration | None:
        """The integration of whichever tenant; for jobs."""
        return await self._one(integrations.c.id == integration_id)

    async def find_all(self, integration_ids: Collection[str]) -> dict[str, Integration]:
        """These integrations of whichever tenants, by id; for jobs."""
        if not integration_ids:
            return {}
        rows = await self._session.rows(_READ_MANY, {"ids": integration_ids})
        return {integration.id: integration for integration in (Integration(*row) for row in rows)}

    async def _one(self, *conditions: ColumnElement[bool]) -> Integration | None:
        row = await self._session.row(_READ.where(*conditions))
        return None if row is None else Integration(*row)

    async def save(self, integration: Integration) -> Integration:
        """Store everything but credentials if the version is still the newest; the row as it then is."""
        values = {f"new_{name}": getattr(integration, name) for name in _SAVED}
        values |= {"new_version": integration.version + 1, "new_name_key": integration.name.casefold()}
        row = await self._session.row(_SAVE, {**values, "this": integration.id, "before": integration.version})
        if row is None:
            raise StaleVersion
        return Integration(*row)

    async def delete(self, integration_id: str) -> None:
        """Remove the row, and with it attempts, schedules and runs. Orders and listings belong to the account."""
        await self._session.execute(delete(integrations).where(integrations.c.id == integration_id))

    async def expired_drafts(self, now: datetime, limit: int) -> list[Integration]:
        """Drafts that nobody finished in time."""
        return await self._some(
            integrations.c.activated_at.is_(None),
            integrations.c.removed_at.is_(None),
            integrations.c.draft_expires_at <= now,
            limit=limit,
        )

    async def removed_before(self, moment: datetime, limit: int) -> list[Integration]:
        """Integrations whose time for a restore is over."""
        return await self._some(integrations.c.removed_at < moment, limit=limit)

    async def _some(self, *conditions: ColumnElement[bool], limit: int) -> list[Integration]:
        rows = await self._session.rows(_READ.where(*conditions).limit(limit))
        return [Integration(*row) for row in rows]

    async def list(self, tenant: str, query: IntegrationQuery, page: PageRequest) -> Page[Integration]:
        """A page of the tenant's integrations."""
        statement = _page(query.sort, query.status, query.channel is not None, page.after is not None)
        asked: dict[str, Any] = {"of": tenant, "sold_on": query.channel, "most": page.limit + 1}
        if page.after is not None:
            last, last_id = page.after
            asked |= {"last": str(last) if _by_name(query.sort) else _moment(last), "last_id": str(last_id)}
        if query.q:
            statement = statement.where(integrations.c.name_key.contains(query.q.casefold(), autoescape=True))
        rows = await self._session.rows(statement, asked)
        return page_of(
            [Integration(*row) for row in rows], page, _key_by_name if _by_name(query.sort) else _key_by_age
        )


@lru_cache
def _page(sort: Sort, status: Status | None, of_channel: bool, goes_on: bool) -> Select[Any]:
    """The statement of a page, built once for each way to ask."""
    row = integrations.c
    position = tuple_(row.name_key if _by_name(sort) else row.created_at, row.id)
    backwards = sort.startswith("-")
    statement = _READ.where(row.tenant == bindparam("of"), _shown(status))
    if of_channel:
        statement = statement.where(row.channel == bindparam("sold_on"))
    if goes_on:
        # Inside a tuple a value does not take on the type of the column it is compared with.
        last = tuple_(bindparam("last", type_=Text if _by_name(sort) else Utc), bindparam("last_id", type_=Text))
        statement = statement.where(position < last if backwards else position > last)
    order = (part.desc() if backwards else part for part in position.clauses)
    return statement.order_by(*order).limit(bindparam("most", type_=Integer))


def has_status(status: Status) -> ColumnElement[bool]:
    """`Integration.status` as a condition."""
    row = integrations.c
    listed = and_(row.removed_at.is_(None), row.activated_at.is_not(None))
    refused = or_(row.rejected_reason.is_not(None), row.access_token_last4.is_(None))
    works = and_(listed, row.enabled, ~refused)
    match status:
        case Status.REMOVED:
            return row.removed_at.is_not(None)
        case Status.DRAFT:
            return and_(row.removed_at.is_(None), row.activated_at.is_(None))
        case Status.DISABLED:
            return and_(listed, ~row.enabled)
        case Status.NEEDS_REAUTH:
            return and_(listed, row.enabled, refused)
        case Status.PAUSED:
            return and_(works, row.paused_reason.is_not(None))
        case Status.ACTIVE:
            return and_(works, row.paused_reason.is_(None))


def _shown(status: Status | None) -> ColumnElement[bool]:
    if status is not None:
        return has_status(status)
    return and_(integrations.c.removed_at.is_(None), integrations.c.activated_at.is_not(None))


def _by_name(sort: Sort) -> bool:
    return sort in ("name", "-name")


def _key_by_name(integration: Integration) -> Key:
    return integration.name.casefold(), integration.id


def _key_by_age(integration: Integration) -> Key:
    return integration.created_at.isoformat(), integration.id


def _moment(text: str | int) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("invalid_cursor", "The cursor is not one of this list.", parameter="cursor") from None
