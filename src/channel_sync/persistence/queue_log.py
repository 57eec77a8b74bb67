"""The log that the engine keeps of its queue: three rows a job, which nobody here reads."""

from datetime import datetime

from sqlalchemy import text

from channel_sync.persistence.session import Session

_FORGET = text("DELETE FROM pgqueuer_log WHERE created < :before")


async def forget_queue_log(session: Session, before: datetime) -> None:
    """Drop what was logged before a moment."""
    await session.run(lambda connection: connection.execute(_FORGET, {"before": before}))
