"""What happens to an attempt, each step in a transaction of its own."""

from itertools import count

from tests.factories import NOW, TENANT, later

from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import AttemptKind
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.attempts import Attempt

_numbers = count(1)


def an_attempt(draft, **members):
    number = next(_numbers)
    defaults = {
        "id": new_id("att", NOW),
        "tenant": TENANT,
        "integration_id": draft.id,
        "kind": AttemptKind.CONNECT,
        "ticket_hash": f"ticket-{number}",
        "state_hash": None,
        "cookie_hash": None,
        "code_verifier": Secret("a-verifier"),
        "client_id": None,
        "client_secret": None,
        "return_url": "https://shop.example/done",
        "created_at": NOW,
        "expires_at": later(600),
        "continued_at": None,
        "consumed_at": None,
        "result": None,
    }
    return Attempt(**(defaults | members))


async def store(database, attempt):
    async with database.begin() as work:
        await work.attempts.add(attempt)
    return attempt


async def get(database, attempt):
    async with database.read() as work:
        return await work.attempts.get(attempt.id)


async def proceed(database, attempt, now=NOW, cookie="cookie-1"):
    async with database.begin() as work:
        return await work.attempts.proceed(attempt.id, "state-1", cookie, now, later(900))


async def consume(database, attempt, now=NOW):
    async with database.begin() as work:
        return await work.attempts.consume(attempt.id, now)
