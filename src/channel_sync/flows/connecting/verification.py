"""Whether credentials work, asked of the marketplace field by field."""

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import Channel, ShopAccess
from channel_sync.domain.errors import AccountDisabled, ChannelError, ClientRejected, GrantRejected
from channel_sync.domain.integrations import Integration
from channel_sync.domain.platform_apps import PlatformAppMissing, PlatformAppRejected
from channel_sync.flows.grants.credentials import HeldCredentials
from channel_sync.flows.grants.service import Grants
from channel_sync.flows.status.rejections import MERCHANT_MISMATCH

FIELDS = ("client_id", "client_secret", "access_token", "refresh_token", "endpoint", "scopes")


@dataclass(frozen=True, slots=True)
class Check:
    """One field. `code` is `not_checked` where an earlier failure left nothing to ask."""

    field: str
    ok: bool
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What the marketplace said. `latency_ms` is that of the cheapest call."""

    ok: bool
    checks: tuple[Check, ...]
    merchant_id: str | None
    shop_name: str | None
    expires_at: datetime | None
    latency_ms: int


@dataclass(slots=True)
class Verifying:
    """One verification under way.

    Only a renewal proves application and refresh token. It goes through `Grants`, so it is the only one at its
    time and its result is stored; jobs that hold the old access token read the new one at their next call. What it
    refuses twice is noted as if a job had asked.
    """

    grants: Grants
    channel: Channel
    integration: Integration
    _found: dict[str, Check] = field(default_factory=dict)
    _merchant_id: str | None = None
    _latency_ms: int = 0

    async def ask(self) -> Verification:
        """What the marketplace says about every field. It is asked for a renewal only once it answers at all."""
        try:
            await self._test(await self.grants.stored(self.integration.id))
            renewed = await self._renew()
            if renewed is not None and isinstance(await self._test(renewed.access()), AccountDisabled):
                await self.grants.pause(renewed.access(), self.channel)
        except GrantRejected as rejected:
            self._note("access_token", rejected.code, rejected.message)
        except ChannelError as error:
            self._note("endpoint", error.code, error.message)
        return self._result()

    async def _test(self, access: ShopAccess) -> GrantRejected | None:
        """Why the access token is refused, if it is; an answer of any kind proves that the endpoint is there."""
        began, refusal = monotonic(), None
        try:
            self._merchant_id = await self.channel.shop(access, CallContext(Priority.INTERACTIVE)).merchant_id()
        except GrantRejected as rejected:
            refusal = rejected
            self._note("access_token", rejected.code, rejected.message)
        else:
            self._note_merchant(self._merchant_id)
        self._latency_ms = round((monotonic() - began) * 1000)
        self._note("endpoint")
        return refusal

    async def _renew(self) -> HeldCredentials | None:
        """Credentials proven by a renewal, or nothing once the field that stood in the way is noted."""
        try:
            renewed = await self.grants.prove(self.integration.id)
        except ChannelError as error:
            self._note_failed_renewal(error)
            return None
        for name in ("client_id", "client_secret", "refresh_token"):
            self._note(name)
        self.integration = renewed.integration
        return renewed

    def _note_failed_renewal(self, error: ChannelError) -> None:
        if isinstance(error, ClientRejected | PlatformAppMissing | PlatformAppRejected):
            self._note("client_id", error.code, error.message)
            self._note("client_secret", error.code, error.message)
        else:
            self._note("refresh_token", error.code, error.message)

    def _note_merchant(self, merchant_id: str) -> None:
        if merchant_id == self.integration.merchant_id:
            self._note("access_token")
        else:
            self._note("access_token", MERCHANT_MISMATCH, "The token belongs to another merchant.")

    def _result(self) -> Verification:
        self._compare_scopes()
        checks = tuple(self._found.get(name, _not_checked(name)) for name in FIELDS)
        return Verification(
            ok=all(check.ok for check in checks),
            checks=checks,
            merchant_id=self._merchant_id,
            shop_name=self.integration.shop_name,
            expires_at=self.integration.access_token_expires_at,
            latency_ms=self._latency_ms,
        )

    def _compare_scopes(self) -> None:
        missing = sorted(self.channel.required_scopes - set(self.integration.scopes))
        if missing:
            self._note("scopes", "insufficient_scope", f"Missing: {', '.join(missing)}.")
        else:
            self._note("scopes")

    def _note(self, name: str, code: str | None = None, message: str = "Works.") -> None:
        self._found[name] = Check(name, code is None, code, message)


def _not_checked(name: str) -> Check:
    return Check(name, False, "not_checked", "Not asked, because of the other failures.")
