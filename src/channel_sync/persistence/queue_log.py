"""The log that the engine keeps of its queue: three rows a job, which nobody here reads."""

from datetime import datetime

from sqlalchemy import text

from channel_sync.persistence.engine.session import Session

_FORGET = text(
    "DELETE FROM pgqueuer_log WHERE id IN"
    " (SELECT id FROM pgqueuer_log WHERE created < :before ORDER BY created LIMIT :limit)"
)


async def forget_queue_log(session: Session, before: datetime, limit: int) -> int:
    """Drop what was logged before a moment, the oldest of much; how many rows."""
    return await session.change(_FORGET.bindparams(before=before, limit=limit))
