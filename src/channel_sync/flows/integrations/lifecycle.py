"""The life of an integration after it was made: changed, switched, removed, restored."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from channel_sync.domain.channel import Channel
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import (
    ClientRejected,
    ConfirmationRequired,
    Conflict,
    GrantRejected,
    Invalid,
    NotFound,
    StaleVersion,
)
from channel_sync.domain.integrations import RESTORABLE_FOR, Integration, Status
from channel_sync.domain.secrets import Secret
from channel_sync.flows.grants.given_credentials import check_name, check_pair, check_secret
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.integrations.activation import activate
from channel_sync.flows.integrations.currencies import check_currency
from channel_sync.flows.integrations.removal import RemovalPreview, destroy, preview_of, reattach
from channel_sync.flows.integrations.settings import SettingsPatch, merged
from channel_sync.flows.retries import while_stale
from channel_sync.flows.scheduling.jobs import catch_up, follow_settings, stop_jobs
from channel_sync.flows.status.events import integration_event
from channel_sync.flows.status.recovery import recover
from channel_sync.flows.status.rejections import CLIENT_REJECTED
from channel_sync.flows.status.since import restated
from channel_sync.persistence.database import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class IntegrationChange:
    """What to change; None is kept, and so is every setting that is not sent."""

    name: str | None = None
    default_currency: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    settings: SettingsPatch | None = None


class Lifecycle:
    """Integrations as their owner handles them. `nudge` is called when a step made jobs due.

    Every step takes the version the caller has seen; without one the last writer wins.
    """

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], grants: Grants, nudge: Callable[[], None]
    ) -> None:
        self._database = database
        self._channels = channels
        self._grants = grants
        self._nudge = nudge

    async def change(
        self, tenant: str, integration_id: str, wanted: IntegrationChange, if_version: int | None = None
    ) -> Integration:
        """The changed integration. A currency makes a connected draft active.

        A secret that a grant depends on is tried at the marketplace first; if it is wrong, nothing is stored.
        """
        check_name(wanted.name, "/name")
        check_name(wanted.client_id, "/client_id")
        check_secret(wanted.client_secret, "/client_secret")

        async def step(work: UnitOfWork, integration: Integration) -> Integration:
            self._check(integration, wanted)
            return await _change(work, integration, wanted, utcnow())

        proven = await self._proves_secret(tenant, integration_id, if_version, wanted)
        changed = await self._amend(tenant, integration_id, if_version, step)
        if proven and await recover(self._database, integration_id):
            self._nudge()
            async with self._database.read() as work:
                return await work.integrations.get(tenant, integration_id)
        return changed

    def _check(self, integration: Integration, wanted: IntegrationChange) -> None:
        check_currency(wanted.default_currency, self._channels[integration.channel].description)
        merged(integration.settings, wanted.settings or {})
        if integration.platform_app and _names_app(integration, wanted):
            if integration.access_token_last4 is not None:
                raise Conflict("reauthorise_required", "Another application needs the merchant's consent.")
            check_pair(wanted.client_id, wanted.client_secret)
        if wanted.client_id not in (None, integration.client_id) and integration.access_token_last4 is not None:
            raise Conflict("reauthorise_required", "Another client id needs the merchant's consent.")

    async def _proves_secret(
        self, tenant: str, integration_id: str, if_version: int | None, wanted: IntegrationChange
    ) -> bool:
        """Whether a given secret was proven by a renewal; `Invalid` where the marketplace refuses it.

        After that nothing of the change may fail that could have been known before.
        """
        if wanted.client_secret is None:
            return False
        async with self._database.read() as work:
            integration = await work.integrations.get(tenant, integration_id)
        _check_changeable(integration, if_version)
        self._check(integration, wanted)
        if integration.access_token_last4 is None:
            return False
        try:
            await self._grants.prove_secret(integration_id, wanted.client_secret)
        except GrantRejected as rejected:
            if isinstance(rejected, ClientRejected):
                raise Invalid(CLIENT_REJECTED, rejected.message, "/client_secret") from rejected
            # The grant is at its end whatever the secret is, which is noted; the next consent will try the secret.
            return False
        return True

    async def set_enabled(
        self, tenant: str, integration_id: str, enabled: bool, if_version: int | None = None
    ) -> Integration:
        """The integration, switched. On: it catches up at once. Off: no run starts, the open ones are stopped."""

        async def step(work: UnitOfWork, integration: Integration) -> Integration:
            return await _switch(work, integration, enabled, utcnow())

        return await self._amend(tenant, integration_id, if_version, step)

    async def remove(
        self, tenant: str, integration_id: str, confirm: str | None, if_version: int | None = None
    ) -> None:
        """A draft is gone; anything else needs its exact name, stops at once and can be restored for 30 days."""

        async def step(work: UnitOfWork, integration: Integration) -> Integration:
            if integration.status is Status.DRAFT:
                await work.integrations.delete(integration.id)
                return integration
            if integration.removed_at is not None:
                return integration
            if confirm != integration.name:
                raise ConfirmationRequired
            return await destroy(work, integration, utcnow())

        await self._amend(tenant, integration_id, if_version, step, of_removed=True)

    async def preview(self, tenant: str, integration_id: str) -> RemovalPreview:
        """What a removal would touch."""
        async with self._database.read() as work:
            return await preview_of(work, await work.integrations.get(tenant, integration_id))

    async def restore(self, tenant: str, integration_id: str) -> Integration:
        """A removed integration with its orders, cursor and mappings; its merchant has to authorise again."""

        async def step(work: UnitOfWork, integration: Integration) -> Integration:
            if integration.removed_at is None:
                raise Conflict("integration_not_removed", "The integration is not removed.")
            if utcnow() - integration.removed_at > RESTORABLE_FOR:
                raise NotFound("integration")
            return await reattach(work, integration, utcnow())

        return await self._amend(tenant, integration_id, None, step, of_removed=True)

    async def _amend(
        self,
        tenant: str,
        integration_id: str,
        if_version: int | None,
        step: Callable[[UnitOfWork, Integration], Awaitable[Integration]],
        of_removed: bool = False,
    ) -> Integration:
        """What the step makes of the integration, in one transaction."""

        async def once() -> Integration:
            async with self._database.begin() as work:
                integration = await work.integrations.get(tenant, integration_id)
                _check_changeable(integration, if_version, of_removed)
                return await step(work, integration)

        # The version a caller insists on does not come back: that one is not tried again.
        amended = await once() if if_version is not None else await while_stale(once)
        self._nudge()
        return amended


def _check_changeable(integration: Integration, if_version: int | None, of_removed: bool = False) -> None:
    if if_version is not None and integration.version != if_version:
        raise StaleVersion
    if integration.removed_at is not None and not of_removed:
        raise Conflict("integration_removed", "Restore the integration first.")


async def _change(
    work: UnitOfWork, integration: Integration, wanted: IntegrationChange, now: datetime
) -> Integration:
    current = await _change_app(work, integration, wanted, now)
    changed = replace(
        current,
        name=current.name if wanted.name is None else wanted.name,
        default_currency=wanted.default_currency or current.default_currency,
        settings=merged(current.settings, wanted.settings or {}),
    )
    if changed == integration:
        return integration
    changed = replace(changed, updated_at=now)
    if changed.activated_at is None:
        return await _change_draft(work, changed, now)
    saved = await work.integrations.save(changed)
    await follow_settings(work, integration, saved, now)
    return saved


async def _change_app(
    work: UnitOfWork, integration: Integration, wanted: IntegrationChange, now: datetime
) -> Integration:
    """The integration with another app secret, or where no grant depends on it another client id."""
    client_id = wanted.client_id or integration.client_id
    if not _names_app(integration, wanted):
        return integration
    if integration.platform_app:
        # What is under way asks for consent to the platform's.
        await work.attempts.close_all(integration.id)
    secret = wanted.client_secret or (await work.credentials.app(integration.id)).client_secret
    await work.credentials.set_app(integration.id, client_id, secret, now)
    return await work.integrations.get(integration.tenant, integration.id)


def _names_app(integration: Integration, wanted: IntegrationChange) -> bool:
    """Whether another application, or another secret of it, is wanted."""
    return wanted.client_secret is not None or wanted.client_id not in (None, integration.client_id)


async def _change_draft(work: UnitOfWork, draft: Integration, now: datetime) -> Integration:
    if draft.connected and draft.default_currency is not None:
        return await activate(work, draft, now)
    return await work.integrations.save(replace(draft, draft_expires_at=draft.kept_until(now)))


async def _switch(work: UnitOfWork, integration: Integration, enabled: bool, now: datetime) -> Integration:
    if integration.status is Status.DRAFT:
        raise Conflict("integration_draft", "A draft has no switch; it becomes enabled when it becomes active.")
    if integration.enabled is enabled:
        return integration
    switched = await work.integrations.save(restated(integration, replace(integration, enabled=enabled), now))
    await work.events.add(
        [integration_event(switched, "integration.enabled" if enabled else "integration.disabled", now)]
    )
    if enabled:
        await catch_up(work, switched, now)
    else:
        await stop_jobs(work, switched)
    return switched
