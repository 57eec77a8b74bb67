"""What becomes of a browser that came back: one token call, one result, told to everyone who asks."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import uniform
from time import monotonic

from channel_sync.domain.channel import Access, App, Channel, Consent, Priority, Wire
from channel_sync.domain.codes import CALLBACK_ERRORS, CallbackError
from channel_sync.domain.errors import ChannelError, Conflict
from channel_sync.domain.integrations import Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.clock import utcnow
from channel_sync.flows.connect import Connection, connect
from channel_sync.flows.retries import until_stored, while_stale
from channel_sync.flows.shop_facts import first_warehouse, shop_name
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database
from channel_sync.persistence.encryption import Unreadable

CONNECTED = "connected"
_FIRST_RESULT_WITHIN_S = 10
_STORE_PATIENCE_S = 20
_LONGEST_CODE = 2048
_ERRORS: dict[str, CallbackError] = {error: error for error in CALLBACK_ERRORS}


@dataclass(frozen=True, slots=True)
class Callback:
    """What the marketplace put into the address; all of it may be missing, or anybody's invention."""

    code: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    error: str | None = None
    iss: str | None = None

    @property
    def has_code(self) -> bool:
        """Whether there is a code that can be one."""
        text = self.code or ""
        return 0 < len(text) <= _LONGEST_CODE and text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class Arrival:
    """How it ended. Without `integration_id` it belongs to nothing we know: no redirect, a page that says so."""

    integration_id: str | None
    result: str
    error: CallbackError | None
    return_url: str | None = None
    shop_name: str | None = None
    integration_name: str | None = None


NOWHERE = Arrival(None, "failed", "attempt_expired")


class Arrivals:
    """Callbacks that belong to an attempt of this browser."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        redirect_url: str,
        nudge: Callable[[], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._redirect_url = redirect_url
        self._nudge = nudge

    async def arrive(self, attempt: Attempt, integration: Integration, callback: Callback) -> Arrival:
        """The result of the attempt; the first callback brings it about, the others wait for it."""
        if attempt.consumed_at is not None or attempt.result is not None:
            return await self._first_result(attempt)
        now = utcnow()
        if now >= attempt.expires_at:
            return _arrival(attempt, integration, "attempt_expired")
        if callback.error is None and not callback.has_code:
            return replace(NOWHERE, error="exchange_failed")
        async with self._database.begin() as work:
            is_first = await work.attempts.consume(attempt.id, now)
        if not is_first:
            return await self._first_result(attempt)
        return await self._finish(attempt, integration, callback)

    async def _finish(self, attempt: Attempt, integration: Integration, callback: Callback) -> Arrival:
        """The attempt carried through. Killed in here, it stays used up without a result and nothing is stored."""
        if callback.error is not None or callback.code is None:
            denied = callback.error == "access_denied"
            return await self._fail(attempt, integration, "access_denied" if denied else "exchange_failed")
        try:
            connection = await self._redeem(attempt, integration, Secret(callback.code))
        except (ChannelError, Unreadable):
            return await self._fail(attempt, integration, "exchange_failed")
        channel = self._channels[integration.channel]
        if not channel.required_scopes <= set(connection.grant.scopes):
            return await self._fail(attempt, integration, "insufficient_scope")
        try:
            connected = await self._store(attempt, connection)
        except Conflict as refused:
            return await self._fail(attempt, integration, _account_error(refused))
        self._nudge()
        return _arrival(attempt, connected, CONNECTED) if connected else NOWHERE

    async def _redeem(self, attempt: Attempt, integration: Integration, code: Secret) -> Connection:
        secret = attempt.client_secret
        if secret is None:
            async with self._database.read() as work:
                secret = (await work.credentials.app(integration.id)).client_secret
        app = App(attempt.client_id or integration.client_id, secret, integration.environment)
        app_is_new = attempt.client_id is not None or attempt.client_secret is not None
        consent = Consent(code, attempt.code_verifier, self._redirect_url)
        grant = await self._channels[integration.channel].redeem(app, consent)
        access = Access(integration.id, integration.environment, grant.access_token, generation=0)
        shop = self._channels[integration.channel].shop(access, Wire(Priority.INTERACTIVE))
        return Connection(app, grant, await shop_name(shop), app_is_new, await first_warehouse(shop))

    async def _store(self, attempt: Attempt, connection: Connection) -> Integration | None:
        """The connected integration; nothing when it was removed while the browser was away."""

        async def step() -> Integration | None:
            async with self._database.begin() as work:
                integration = await work.integrations.find(attempt.integration_id)
                if integration is None or integration.removed_at is not None:
                    return None
                connected = await connect(work, integration, connection, utcnow())
                await work.attempts.finish(attempt.id, CONNECTED)
                return connected

        return await until_stored(lambda: while_stale(step), _STORE_PATIENCE_S)

    async def _fail(self, attempt: Attempt, integration: Integration, error: CallbackError) -> Arrival:
        """The attempt ended; the integration is as it was, only that nobody is on the way any more."""

        async def step() -> None:
            async with self._database.begin() as work:
                await work.attempts.finish(attempt.id, error)
                waiting = await work.integrations.find(attempt.integration_id)
                if waiting is not None and waiting.pending_until is not None:
                    await work.integrations.save(replace(waiting, pending_until=None))

        await until_stored(lambda: while_stale(step), _STORE_PATIENCE_S)
        return _arrival(attempt, integration, error)

    async def _first_result(self, attempt: Attempt) -> Arrival:
        """What the first callback came to, waited for while it is on its way."""
        give_up_at = monotonic() + _FIRST_RESULT_WITHIN_S
        while True:
            async with self._database.read() as work:
                first = await work.attempts.by_cookie(attempt.cookie_hash or "")
                integration = await work.integrations.find(attempt.integration_id)
            if first is None or integration is None:
                return NOWHERE
            if first.result is not None:
                return _arrival(first, integration, first.result)
            if monotonic() >= give_up_at:
                return _arrival(first, integration, "attempt_used")
            await asyncio.sleep(uniform(0.1, 0.2))


def _arrival(attempt: Attempt, integration: Integration, result: str) -> Arrival:
    error = _ERRORS.get(result, "attempt_expired")
    return Arrival(
        integration_id=integration.id,
        result=CONNECTED if result == CONNECTED else "failed",
        error=None if result == CONNECTED else error,
        return_url=attempt.return_url,
        shop_name=integration.shop_name,
        integration_name=integration.name,
    )


def _account_error(refused: Conflict) -> CallbackError:
    """The contract's word. Two first connections of one merchant at once meet in the store: one of them lost."""
    if refused.code == "account_mismatch":
        return "account_mismatch"
    return "account_in_use" if refused.code == "account_in_use" else "account_already_connected"
