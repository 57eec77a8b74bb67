import httpx
import pytest
from tests.api.contract import OPERATIONS, UNKNOWN_ATTEMPT, Operation, ids

from channel_sync.api.app import create_health_api
from channel_sync.api.http.services import Vitals

READS = [
    operation
    for operation in OPERATIONS
    if operation.method == "GET" and operation.id not in ("finish_authorisation", "stream_events")
]
PAGES = ["/docs", "/docs/start.js", "/openapi.json", "/no/such/place"]
OF_THIS_ANSWER = {"x-request-id", "date"}


async def compare(client: httpx.AsyncClient, path: str) -> None:
    """HEAD is answered like GET, without the body."""
    read, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (read.status_code, b"")
    assert {**head.headers, **dict.fromkeys(OF_THIS_ANSWER)} == {**read.headers, **dict.fromkeys(OF_THIS_ANSWER)}


@pytest.mark.parametrize("operation", READS, ids=ids(READS))
async def test_head_is_answered_wherever_get_is(admin, operation: Operation):
    await compare(admin, operation.path.format(**UNKNOWN_ATTEMPT))


@pytest.mark.parametrize("path", PAGES)
async def test_head_is_answered_for_pages_too(admin, path):
    await compare(admin, path)


async def test_head_needs_the_same_credential(world):
    async with world.browser() as stranger:
        await compare(stranger, "/integrations")


async def test_a_process_that_answers_for_its_health_alone_knows_head(world):
    app = create_health_api(Vitals(world.database, world.health, frozenset()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker") as probe:
        await compare(probe, "/health/live")
