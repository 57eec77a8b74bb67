"""Every setting of the service. docs/settings.md lists them; a test keeps the two in step."""

import ipaddress
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CHANNEL_SYNC_"


class SettingsError(Exception):
    """The settings cannot be used. The message names the variable, never its value; tell the operator."""


class Jobs(StrEnum):
    """Where the jobs run."""

    EMBEDDED = "embedded"
    DISTRIBUTED = "distributed"
    OFF = "off"


class Docs(StrEnum):
    """Who may read the interactive documentation."""

    ON = "on"
    KEY = "key"
    OFF = "off"


class LogLevel(StrEnum):
    """The least serious event that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _checked(text: str) -> str:
    parts = urlsplit(text)
    extras = parts.username or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or extras:
        raise ValueError("must be an http or https address without user, query or fragment")
    return text


def _address(text: str) -> str:
    return _checked(text).rstrip("/")


def _origin(text: str) -> str:
    if urlsplit(_checked(text)).path:
        raise ValueError("must be origins like https://app.example, without a path")
    return text


def _destination(text: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s/:]+):\d{1,5}", text):
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValueError("must be host:port or a network like 10.0.0.0/8") from None
    return text


def _database(text: SecretStr) -> SecretStr:
    if not text.get_secret_value().startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    if parse_qs(urlsplit(text.get_secret_value()).query).get("pooler", ["transaction"]) != ["transaction"]:
        raise ValueError("knows no pooler but pooler=transaction")
    return text


def _postgres(text: SecretStr) -> SecretStr:
    if not text.get_secret_value().startswith("postgresql://"):
        raise ValueError("must start with postgresql://")
    return text


Address = Annotated[str, AfterValidator(_address)]
# Tokens name their issuer letter by letter, a slash at the end included.
IssuerName = Annotated[str, AfterValidator(_checked)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode]
Destinations = Annotated[tuple[Annotated[str, AfterValidator(_destination)], ...], NoDecode]


class Settings(BaseSettings):
    """The settings from the environment and, for what it leaves out, from files of the secrets folder."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # A PostgreSQL address may hold a password.
    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr("sqlite:///var/channel-sync.db")
    encryption_keys: SecretStr | None = None
    public_url: Address | None = None
    return_origins: Origins = ()
    wish_production_url: Address = "https://merchant.wish.com"
    wish_sandbox_url: Address = "https://sandbox.merchant.wish.com"
    jobs: Jobs = Jobs.EMBEDDED
    queue_database_url: Annotated[SecretStr, AfterValidator(_postgres)] | None = None
    lease_s: float = Field(60, ge=5, le=3600)
    order_interval_s: int = Field(60, ge=15, le=86_400)
    stock_interval_s: int = Field(5, ge=1, le=86_400)
    order_overlap_s: int = Field(600, ge=0, le=604_800)
    wish_rate_per_s: float = Field(5, gt=0, le=10_000)
    sync_concurrency: int = Field(64, ge=1, le=1_000)
    rate_limit_per_s: float = Field(100, ge=0, le=1_000_000)
    log_level: LogLevel = LogLevel.INFO
    docs: Docs = Docs.ON
    oidc_issuer: IssuerName | None = None
    oidc_audience: str | None = None
    webhook_allowed: Destinations = ()

    @field_validator("return_origins", "webhook_allowed", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level", "docs", "jobs", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value


def read_settings() -> Settings:
    """The settings of this process; `SettingsError` says in one line which variable is wrong and how."""
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR") or None
    if folder is not None and not Path(folder).is_dir():
        raise SettingsError(f"{PREFIX}SECRETS_DIR: there is no such folder")
    try:
        settings = Settings(_secrets_dir=folder)
    except ValidationError as error:
        raise SettingsError("; ".join(_complaint(one["loc"], one["msg"]) for one in error.errors())) from None
    if (settings.oidc_issuer is None) != (settings.oidc_audience is None):
        raise SettingsError(f"{PREFIX}OIDC_ISSUER and {PREFIX}OIDC_AUDIENCE go together; one of them is missing")
    return settings


def _complaint(location: tuple[int | str, ...], message: str) -> str:
    return f"{PREFIX}{str(location[0]).upper()}: {message.removeprefix('Value error, ')}"
