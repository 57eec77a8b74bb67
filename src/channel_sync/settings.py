"""Every setting of the service. docs/settings.md lists them; a test keeps the two in step."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from channel_sync.channels.settings import ChannelSettings
from channel_sync.domain.erasure import LONGEST_RETENTION_D
from channel_sync.domain.integrations import MAX_INTERVAL_S, MIN_ORDER_INTERVAL_S, MIN_STOCK_INTERVAL_S
from channel_sync.domain.plain_http import can_be_overheard
from channel_sync.persistence.engine.postgres_address import SCHEME, postgres_address
from channel_sync.setting_values import (
    CALLED,
    PREFIX,
    BrandName,
    ClaimName,
    Colour,
    Destinations,
    Docs,
    IssuerName,
    Jobs,
    LogLevel,
    Networks,
    Origins,
    PageUrl,
    PublicUrl,
    Switch,
    check_together,
)


def _database(text: SecretStr) -> SecretStr:
    if text.get_secret_value().startswith(SCHEME):
        return _postgres(text)
    if not text.get_secret_value().startswith("sqlite:///"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    if "?" in text.get_secret_value():
        raise ValueError("takes no parameters for SQLite")
    return text


def _postgres(text: SecretStr) -> SecretStr:
    if not text.get_secret_value().startswith(SCHEME):
        raise ValueError("must start with postgresql://")
    postgres_address(text.get_secret_value())
    return text


# A PostgreSQL address may hold a password.
DatabaseAddress = Annotated[SecretStr, AfterValidator(_database)]
PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres)]


class SettingsError(Exception):
    """The settings cannot be used. The message names the variable, never its value; tell the operator."""


class Settings(ChannelSettings):
    """The settings from the environment and, for what it leaves out, from files of the secrets folder."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: DatabaseAddress = SecretStr("sqlite:///var/channel-sync.db")
    encryption_keys: SecretStr | None = None
    public_url: PublicUrl | None = None
    return_origins: Origins = ()
    add_app_url: PageUrl | None = None
    insecure_http: Switch = Switch.OFF
    trusted_proxies: Networks = ()
    jobs: Jobs = Jobs.EMBEDDED
    queue_database_url: PostgresAddress | None = None
    lease_s: float = Field(60, ge=5, le=3600)
    order_interval_s: int = Field(60, ge=MIN_ORDER_INTERVAL_S, le=MAX_INTERVAL_S)
    stock_interval_s: int = Field(5, ge=MIN_STOCK_INTERVAL_S, le=MAX_INTERVAL_S)
    order_overlap_s: int = Field(600, ge=0, le=604_800)
    sync_concurrency: int = Field(64, ge=1, le=1_000)
    rate_limit_per_s: float = Field(100, ge=0, le=1_000_000)
    tenant_rate_limit_per_s: float | None = Field(None, ge=0, le=1_000_000)
    drafts_per_tenant: int = Field(200, ge=1, le=1_000_000)
    keys_per_tenant: int = Field(100, ge=1, le=1_000_000)
    runs_per_tenant: int = Field(1_000, ge=1, le=1_000_000)
    waits_per_key: int = Field(10, ge=0, le=100_000)
    waits_per_tenant: int = Field(50, ge=0, le=100_000)
    keep_alive_s: int = Field(75, ge=1, le=86_400)
    max_connections: int = Field(1_000, ge=10, le=1_000_000)
    order_retention_d: int | None = Field(None, ge=1, le=LONGEST_RETENTION_D)
    brand_name: BrandName = "channel-sync"
    brand_logo: str | None = None
    brand_colour: Colour = "#1d4ed8"
    log_level: LogLevel = LogLevel.INFO
    docs: Docs = Docs.ON
    oidc_issuer: IssuerName | None = None
    oidc_audience: str | None = None
    oidc_tenant_claim: ClaimName = "tenant"
    oidc_scope_claim: ClaimName = "scope"
    webhook_allowed: Destinations = ()

    @field_validator("log_level", "docs", "jobs", "insecure_http", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _whole_issuer(self) -> Self:
        check_together(self, "oidc_issuer", "oidc_audience")
        return self


def read_settings() -> Settings:
    """The settings of this process; `SettingsError` says in one line which variable is wrong and how."""
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR") or None
    if folder is not None and not Path(folder).is_dir():
        raise SettingsError(f"{PREFIX}SECRETS_DIR: there is no such folder")
    try:
        settings = Settings(_secrets_dir=folder)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(one["loc"], one["msg"]) for one in error.errors())) from None
    of_marketplaces = [name for name, one in ChannelSettings.model_fields.items() if CALLED in one.metadata]
    for name in ("public_url", "add_app_url", *of_marketplaces, "oidc_issuer"):
        check_overheard(settings, name, getattr(settings, name))
    return settings


def secrets_state() -> frozenset[tuple[str, int, int, int]]:
    """What differs once a file of the secrets folder was written or exchanged; empty where there is no folder."""
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    try:
        files = [(file.name, file.stat()) for file in Path(folder).iterdir()] if folder else []
    except OSError:
        # It is being exchanged just now.
        return frozenset()
    return frozenset((name, told.st_ino, told.st_mtime_ns, told.st_size) for name, told in files)


def check_overheard(settings: Settings, name: str, address: str | None) -> None:
    """`SettingsError` for plain http beyond this machine, unless it is permitted."""
    if address is not None and settings.insecure_http is Switch.OFF and can_be_overheard(address):
        raise SettingsError(
            f"{PREFIX}{name.upper()}: plain http beyond this machine can be overheard and changed; "
            f"give an https address, or permit it with {PREFIX}INSECURE_HTTP=on"
        )


def unknown_settings() -> list[str]:
    """One line for each name in the environment and the secrets folder that looks like a setting and is none."""
    known = [name.upper() for name in (*Settings.model_fields, "secrets_dir")]
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    files = [file.name for file in Path(folder).iterdir()] if folder else []
    given = sorted({name for name in (*os.environ, *files) if name.upper().startswith(PREFIX)})
    return [_unknown(name, known) for name in given if name.upper().removeprefix(PREFIX) not in known]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name.upper().removeprefix(PREFIX), known, 1)
    return f"{name} is no setting and counts for nothing" + (f"; {PREFIX}{close[0]} is one" if close else "")


def _complaint(location: tuple[int | str, ...], message: str) -> str:
    """Whatever is wrong with several settings together names them itself."""
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {text}" if location else text
