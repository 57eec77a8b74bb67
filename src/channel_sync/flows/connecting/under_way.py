"""The connections that one browser has under way: as many as it has cookies for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from channel_sync.domain.integrations import Integration
from channel_sync.flows.connecting.pkce import hash_of
from channel_sync.persistence.attempts import Attempt
from channel_sync.persistence.database import Database


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An attempt, and the integration that it is for."""

    attempt: Attempt
    integration: Integration

    def is_open(self, now: datetime) -> bool:
        """Whether its answer is still waited for."""
        attempt = self.attempt
        waits = attempt.continued_at is not None and attempt.consumed_at is None and attempt.result is None
        return waits and now < attempt.expires_at


async def under_way(database: Database, cookies: Collection[str]) -> list[UnderWay]:
    """What these cookies open, the newest first. What was cancelled or removed meanwhile is nobody's any more."""
    async with database.read() as work:
        attempts = await work.attempts.by_cookies([hash_of(cookie) for cookie in cookies])
        integrations = await work.integrations.find_all({attempt.integration_id for attempt in attempts})
    return _pairs(attempts, integrations)


def chosen(mine: Collection[UnderWay], ref: str) -> UnderWay | None:
    """The one that a person chose, if it is one of the browser's."""
    return next((one for one in mine if one.attempt.ref == ref), None)


async def reread(database: Database, mine: Collection[UnderWay]) -> list[UnderWay]:
    """The same as they are now."""
    async with database.read() as work:
        attempts = [await work.attempts.get(one.attempt.id) for one in mine]
        integrations = await work.integrations.find_all({one.integration.id for one in mine})
    return _pairs([attempt for attempt in attempts if attempt is not None], integrations)


def _pairs(attempts: Collection[Attempt], integrations: Mapping[str, Integration]) -> list[UnderWay]:
    found = [(attempt, integrations.get(attempt.integration_id)) for attempt in attempts]
    return [UnderWay(one, its) for one, its in found if its is not None and its.removed_at is None]
