"""What an operator may set for Wish; docs/settings.md lists it with the rest."""

from pydantic import Field
from pydantic_settings import BaseSettings

from channel_sync.setting_values import Address, Hosts


class WishSettings(BaseSettings):
    """Where Wish is, and how often it is asked."""

    wish_production_url: Address = "https://merchant.wish.com"
    wish_sandbox_url: Address = "https://sandbox.merchant.wish.com"
    wish_file_hosts: Hosts = ("*",)
    wish_rate_per_s: float = Field(5, gt=0, le=10_000)
