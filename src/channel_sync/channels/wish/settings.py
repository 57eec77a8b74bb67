"""What an operator may set for Wish; docs/settings.md lists it with the rest."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from channel_sync.setting_values import Address, AppId, AppSecret, Hosts, check_together


class WishSettings(BaseSettings):
    """Where Wish is, how often it is asked, and the platform's own public apps there."""

    wish_production_url: Address = "https://merchant.wish.com"
    wish_sandbox_url: Address = "https://sandbox.merchant.wish.com"
    wish_file_hosts: Hosts = ("*",)
    wish_rate_per_s: float = Field(5, gt=0, le=10_000)
    wish_app_client_id: AppId | None = None
    wish_app_client_secret: AppSecret | None = None
    wish_sandbox_app_client_id: AppId | None = None
    wish_sandbox_app_client_secret: AppSecret | None = None

    @model_validator(mode="after")
    def _whole_apps(self) -> Self:
        for app in ("wish_app", "wish_sandbox_app"):
            check_together(self, f"{app}_client_id", f"{app}_client_secret")
        return self
