"""When an integration's status began."""

from dataclasses import replace
from datetime import datetime

from channel_sync.domain.integrations import Integration


def restated(before: Integration, after: Integration, now: datetime) -> Integration:
    """`after`, changed now; its status began now only if it is another than before."""
    status_since = before.status_since if after.status is before.status else now
    return replace(after, status_since=status_since, updated_at=now)
