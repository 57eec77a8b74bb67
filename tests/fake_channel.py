"""A marketplace in memory: the Channel protocol with merchants, codes and tokens that a test programs.

channel = FakeChannel()
seller = channel.open_shop("m1")
code = channel.consent(authorise_address, "m1")        # what the callback would bring
channel.fail("renew", NoAnswer("timeout", "…"))   # the next call only
gate = channel.hold("renew"); await gate.reached.wait(); gate.open.set()
assert channel.calls["renew"] == 1
"""

import asyncio
import base64
import hashlib
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.fake_shop import FakeMerchant, FakeShop, page_of

from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.channel import (
    App,
    ChannelDescription,
    Consent,
    ConsentRequest,
    Environment,
    Grant,
    ShopAccess,
)
from channel_sync.domain.channel_rules import ChannelRules, PollWaits
from channel_sync.domain.errors import (
    AccessTokenRejected,
    AccountDisabled,
    ChannelError,
    ClientRejected,
    GrantRejected,
    NoAnswer,
)
from channel_sync.domain.orders import OrderPage
from channel_sync.domain.secrets import Secret

QUICK = PollWaits(0.01, 60, (0.01,), 900)
SCOPES = ("merchant:read", "orders:read", "products:read", "products:write")
DESCRIPTION = ChannelDescription(
    type="wish",
    name="Fake",
    logo_svg=b"<svg/>",
    credential_fields=("client_id", "client_secret", "access_token", "refresh_token"),
    currencies=("EUR", "GBP", "USD"),
    setup_steps=("Create an app",),
    consent_steps=("Open the link",),
)


def polled(waits: PollWaits) -> ChannelRules:
    """Wish's rules, but with its jobs looked at by these."""
    stock, changes = replace(RULES.stock, polls=waits), replace(RULES.order_changes, polls=waits)
    jobs = replace(RULES.order_jobs, polls=waits)
    return replace(RULES, catalogue_polls=waits, stock=stock, order_changes=changes, order_jobs=jobs)


QUICK_RULES = polled(QUICK)


@dataclass
class Gate:
    """A call that waits: `reached` is set when it arrives, it goes on when the test sets `open`."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class IssuedCode:
    """An authorization code waiting to be redeemed."""

    merchant_id: str
    client_id: str
    challenge: str


def _challenge_of(verifier: Secret | None) -> str:
    if verifier is None:
        return ""
    digest = hashlib.sha256(verifier.value.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class FakeChannel:
    """Implements `domain.channel.Channel`. `lose_answer` and `hold` also work for the methods of the shop."""

    merchants: dict[str, FakeMerchant] = field(default_factory=dict)
    priorities: set[Priority] = field(default_factory=set)
    client_secrets: dict[str, str] = field(default_factory=dict)
    codes: dict[str, IssuedCode] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, str | None]] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    most_at_once: Counter[str] = field(default_factory=Counter)
    rotates: bool = True
    keeps_old_tokens: bool = False
    knows_pkce: bool = True
    new_consent_revokes: bool = False
    lifetime: timedelta = timedelta(days=30)
    consent_ends_at: datetime | None = None
    required_scopes: frozenset[str] = frozenset(SCOPES)
    granted_scopes: tuple[str, ...] = SCOPES
    description: ChannelDescription = DESCRIPTION
    rules: ChannelRules = QUICK_RULES
    reader: str = "reader-1"
    _failures: dict[str, deque[ChannelError | None]] = field(default_factory=dict)
    _outages: dict[str, ChannelError] = field(default_factory=dict)
    _lost: Counter[str] = field(default_factory=Counter)
    _gates: dict[str, Gate] = field(default_factory=dict)
    _running: Counter[str] = field(default_factory=Counter)

    def open_shop(self, merchant_id: str = "m1", shop_name: str = "Shop") -> FakeMerchant:
        """A new merchant with an empty shop."""
        merchant = FakeMerchant(merchant_id, shop_name)
        self.merchants[merchant_id] = merchant
        return merchant

    def consent(self, consent_url: str, merchant_id: str) -> str:
        """The code that Wish would send to the callback after this merchant agreed at this address."""
        query = parse_qs(urlsplit(consent_url).query)
        code = secrets.token_hex(16)
        self.codes[code] = IssuedCode(merchant_id, query["client_id"][0], query["code_challenge"][0])
        return code

    def add_app(self, client_id: str, merchant_id: str) -> str:
        """The code that comes when this merchant adds an app in the marketplace's own store."""
        code = secrets.token_hex(16)
        self.codes[code] = IssuedCode(merchant_id, client_id, challenge="")
        return code

    def issue(self, merchant_id: str) -> Grant:
        """A fresh grant, as if the merchant had made tokens by hand; earlier ones keep working."""
        merchant = self.merchants[merchant_id]
        token = Secret(f"access-{merchant_id}-{secrets.token_hex(8)}")
        if self.rotates or not merchant.refresh_token:
            merchant.refresh_token = f"refresh-{merchant_id}-{secrets.token_hex(8)}"
        self.tokens[token.value] = merchant_id
        expires_at = datetime.now(UTC) + self.lifetime
        refresh_token = Secret(merchant.refresh_token)
        return Grant(token, refresh_token, expires_at, merchant_id, self.granted_scopes, self.consent_ends_at)

    def revoke_access(self, merchant_id: str) -> None:
        """Let all access tokens of the merchant stop working."""
        self.tokens = {token: owner for token, owner in self.tokens.items() if owner != merchant_id}

    def fail(self, operation: str, *errors: ChannelError) -> None:
        """Let the next calls of an operation fail with these, one each, before they do anything."""
        self._failures.setdefault(operation, deque()).extend(errors)

    def fail_after(self, operation: str, good: int, error: ChannelError) -> None:
        """Let the call after so many good ones fail."""
        self._failures.setdefault(operation, deque()).extend([None] * good + [error])

    def break_down(self, operation: str, error: ChannelError | None) -> None:
        """Let an operation fail until this is called again with None."""
        self._outages.pop(operation, None)
        if error is not None:
            self._outages[operation] = error

    def lose_answer(self, operation: str, times: int = 1) -> None:
        """Let the next calls take effect and their answers be lost on the way."""
        self._lost[operation] += times

    def hold(self, operation: str) -> Gate:
        """Let the next call of an operation wait before it takes effect."""
        self._gates[operation] = Gate()
        return self._gates[operation]

    @asynccontextmanager
    async def take(self, operation: str, token: Secret | None = None) -> AsyncIterator[None]:
        """One call: counted, delayed, held and failed as programmed."""
        self.calls[operation] += 1
        self.log.append((operation, token.value if token else None))
        self._running[operation] += 1
        self.most_at_once[operation] = max(self.most_at_once[operation], self._running[operation])
        try:
            await self._wait(operation)
            self._refuse(operation)
            yield
        finally:
            self._running[operation] -= 1
        if self._lost[operation] > 0:
            self._lost[operation] -= 1
            raise NoAnswer("timeout", "No answer.")

    async def _wait(self, operation: str) -> None:
        await asyncio.sleep(self.delays.get(operation, 0))
        gate = self._gates.pop(operation, None)
        if gate is not None:
            gate.reached.set()
            await gate.open.wait()

    def _refuse(self, operation: str) -> None:
        failure = self._failures[operation].popleft() if self._failures.get(operation) else None
        if failure is not None:
            raise failure
        if operation in self._outages:
            raise self._outages[operation]

    def issuer(self, environment: Environment) -> str:
        return f"https://{environment}.wish.example"

    def consent_url(self, asked: ConsentRequest) -> str:
        members = {"client_id": asked.client_id, "state": asked.state, "code_challenge": asked.code_challenge}
        return f"{self.issuer(asked.environment)}/consent?{urlencode(members)}"

    def read_order(self, raw: bytes) -> OrderPage:
        known = {order.raw: order for owner in self.merchants.values() for order in owner.orders.values()}
        readable = {kept: order for owner in self.merchants.values() for kept, order in owner.readable.items()}
        return page_of([(known | readable)[raw]], None, True)

    async def redeem(self, app: App, consent: Consent) -> Grant:
        async with self.take("redeem"):
            self.check_app(app)
            issued = self.codes.get(consent.code.value)
            if issued is None or issued.client_id != app.client_id:
                raise GrantRejected("code_rejected", "The code is used or unknown.")
            del self.codes[consent.code.value]
            if self.knows_pkce and issued.challenge != _challenge_of(consent.code_verifier):
                raise GrantRejected("code_rejected", "The code verifier does not match.")
            if self.new_consent_revokes:
                self.revoke_access(issued.merchant_id)
            return self.issue(issued.merchant_id)

    async def renew(self, app: App, refresh_token: Secret) -> Grant:
        async with self.take("renew", refresh_token):
            self.check_app(app)
            owner = next((m for m in self.merchants.values() if m.refresh_token == refresh_token.value), None)
            if owner is None:
                raise GrantRejected("refresh_token_rejected", "The refresh token is not accepted.")
            if owner.disabled:
                raise AccountDisabled("account_disabled", "The account is closed.")
            if not self.keeps_old_tokens:
                self.revoke_access(owner.merchant_id)
            return self.issue(owner.merchant_id)

    def check_app(self, app: App) -> None:
        """`ClientRejected` where the secret is not the one that was agreed on."""
        expected = self.client_secrets.get(app.client_id)
        if expected is not None and expected != app.client_secret.value:
            raise ClientRejected("client_rejected", "The client id or secret is wrong.")

    def shop(self, access: ShopAccess, context: CallContext) -> FakeShop:
        self.priorities.add(context.priority)
        return FakeShop(self, access.token, context)

    def owner_of(self, token: Secret) -> FakeMerchant:
        """The merchant a token opens the shop of."""
        merchant_id = self.tokens.get(token.value)
        if merchant_id is None:
            raise AccessTokenRejected("access_token_rejected", "The access token is not accepted.")
        merchant = self.merchants[merchant_id]
        if merchant.disabled:
            raise AccountDisabled("account_disabled", "The account is closed.")
        return merchant
