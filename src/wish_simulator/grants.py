"""What merchants granted to apps: codes, access tokens, refresh tokens."""

from dataclasses import dataclass, field

from wish_simulator.accounts import Accounts, App, Merchant
from wish_simulator.clock import Clock
from wish_simulator.ids import random_token
from wish_simulator.refusals import (
    ACCOUNT_DISABLED,
    CLIENT_MISMATCH,
    CODE_EXPIRED,
    CODE_UNKNOWN,
    CODE_USED,
    NOT_AUTHORISED,
    TOKEN_EXPIRED,
    TOKEN_REVOKED,
    Refusal,
    TokenRefusal,
)
from wish_simulator.switches import Switches


@dataclass
class Code:
    app: App
    merchant: Merchant
    expires_ms: int
    is_used: bool = False


@dataclass
class AccessToken:
    value: str = field(repr=False)
    grant: "Grant" = field(repr=False)
    generation: int
    expires_ms: int
    is_revoked: bool = False


@dataclass
class Grant:
    """All tokens of one app for one merchant. `retired` maps older refresh tokens to the time they die."""

    app: App
    merchant: Merchant
    scopes: tuple[str, ...]
    refresh_token: str = field(default_factory=random_token, repr=False)
    generation: int = 0
    is_revoked: bool = False
    retired: dict[str, int] = field(default_factory=dict, repr=False)
    access_tokens: list[AccessToken] = field(default_factory=list, repr=False)

    @property
    def newest(self) -> AccessToken:
        return self.access_tokens[-1]

    def revoke_access(self) -> None:
        for token in self.access_tokens:
            token.is_revoked = True

    def revoke(self) -> None:
        self.is_revoked = True
        self.revoke_access()


class Grants:
    def __init__(self, accounts: Accounts, switches: Switches, clock: Clock) -> None:
        self._accounts = accounts
        self._switches = switches
        self._clock = clock
        self.codes: dict[str, Code] = {}
        self.by_app_and_merchant: dict[tuple[str, str], Grant] = {}
        self._by_access_token: dict[str, AccessToken] = {}
        self._by_refresh_token: dict[str, Grant] = {}

    def consent(self, app: App, merchant: Merchant) -> str:
        """A fresh authorization code."""
        code = random_token()
        expires_ms = self._clock.now_ms() + int(self._switches.code_ttl_s * 1000)
        self.codes[code] = Code(app, merchant, expires_ms)
        return code

    def app_of(self, client_id: str, client_secret: str) -> App:
        app = self._accounts.apps.get(client_id)
        if app is None or client_secret not in app.secrets:
            raise Refusal(CLIENT_MISMATCH, "client id or client secret does not match")
        return app

    def exchange(self, app: App, redirect_uri: str, code_value: str) -> AccessToken:
        if redirect_uri != app.redirect_uri:
            raise Refusal(CLIENT_MISMATCH, "redirect URI does not match")
        code = self.codes.get(code_value)
        if code is None or code.app is not app:
            raise Refusal(CODE_UNKNOWN, "wrong authorization code")
        if code.is_used:
            raise Refusal(CODE_USED, "authorization code already used")
        if code.expires_ms <= self._clock.now_ms():
            raise Refusal(CODE_EXPIRED, "authorization code expired")
        self._refuse_disabled(code.merchant)
        code.is_used = True
        return self.grant(app, code.merchant)

    def grant(self, app: App, merchant: Merchant, scopes: tuple[str, ...] | None = None) -> AccessToken:
        """New tokens of a new consent, which by default ends those of the one before."""
        key = (app.client_id, merchant.id)
        before = self.by_app_and_merchant.get(key)
        granted = Grant(app, merchant, app.scopes if scopes is None else scopes)
        if before is not None:
            granted.generation = before.generation
            if self._switches.new_consent_revokes:
                before.revoke()
        self.by_app_and_merchant[key] = granted
        self._by_refresh_token[granted.refresh_token] = granted
        return self._issue(granted)

    def grant_of_refresh_token(self, refresh_token: str) -> Grant | None:
        return self._by_refresh_token.get(refresh_token)

    def refresh(self, app: App, refresh_token: str) -> AccessToken:
        """A new access token; every earlier one of this app and merchant is revoked."""
        grant = self._by_refresh_token.get(refresh_token)
        if grant is None or grant.app is not app or grant.is_revoked:
            raise Refusal(NOT_AUTHORISED, "unauthorized refresh token")
        self._refuse_disabled(grant.merchant)
        if refresh_token != grant.refresh_token:
            self._refuse_retired(grant, refresh_token)
        grant.revoke_access()
        self._rotate(grant)
        return self._issue(grant)

    def authenticate(self, value: str) -> AccessToken:
        token = self._by_access_token.get(value)
        if token is None:
            raise TokenRefusal(NOT_AUTHORISED, "unauthorized access token")
        if token.grant.merchant.is_disabled:
            raise TokenRefusal(ACCOUNT_DISABLED, "merchant account is disabled")
        if token.is_revoked:
            raise TokenRefusal(TOKEN_REVOKED, "access token revoked")
        if token.expires_ms <= self._clock.now_ms():
            raise TokenRefusal(TOKEN_EXPIRED, "access token expired")
        return token

    def _refuse_retired(self, grant: Grant, refresh_token: str) -> None:
        if self._switches.refresh_token_rotation == "strict":
            # A second use of an old refresh token is how theft shows; the whole family ends.
            grant.revoke()
            raise Refusal(NOT_AUTHORISED, "refresh token reused")
        if grant.retired.get(refresh_token, 0) <= self._clock.now_ms():
            raise Refusal(NOT_AUTHORISED, "refresh token replaced")

    def _rotate(self, grant: Grant) -> None:
        if self._switches.refresh_token_rotation == "none":
            return
        grace_ms = int(self._switches.rotation_grace_s * 1000)
        grant.retired.setdefault(grant.refresh_token, self._clock.now_ms() + grace_ms)
        grant.refresh_token = random_token()
        self._by_refresh_token[grant.refresh_token] = grant

    def _issue(self, grant: Grant) -> AccessToken:
        grant.generation += 1
        expires_ms = self._clock.now_ms() + int(self._switches.access_token_ttl_s * 1000)
        token = AccessToken(random_token(), grant, grant.generation, expires_ms)
        grant.access_tokens.append(token)
        self._by_access_token[token.value] = token
        return token

    def _refuse_disabled(self, merchant: Merchant) -> None:
        if merchant.is_disabled:
            raise Refusal(ACCOUNT_DISABLED, "merchant account is disabled")
