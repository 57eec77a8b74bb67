"""What a tenant may have only so many of at once, over all processes."""

from dataclasses import dataclass
from typing import Literal

from channel_sync.domain.errors import ChannelSyncError

# Drafts of integrations, API keys that are not revoked, and open runs that a person asked for.
Quota = Literal["drafts", "api_keys", "runs"]


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many of each."""

    drafts: int = 200
    api_keys: int = 100
    runs: int = 1000


class QuotaExceeded(ChannelSyncError):
    """The tenant has as many as it may; finish, cancel or revoke one, or come back later."""

    def __init__(self, quota: Quota, most: int) -> None:
        super().__init__("quota_exceeded", f"This would be one more than the {most} {_WORDS[quota]} at once.")
        self.quota = quota


_WORDS: dict[Quota, str] = {
    "drafts": "drafts that a tenant may have",
    "api_keys": "API keys that a tenant may have",
    "runs": "open runs that a tenant may have asked for",
}
