"""What a tenant may have only so many of."""

from channel_sync.domain.quotas import Quota, QuotaExceeded
from channel_sync.persistence.database import UnitOfWork


async def keep_quota(work: UnitOfWork, tenant: str, quota: Quota, most: int) -> None:
    """`QuotaExceeded` where the transaction has added one too many; the last thing that it does."""
    if await work.quotas.count(quota, tenant) > most:
        raise QuotaExceeded(quota, most)
