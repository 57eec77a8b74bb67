import pytest
from tests.api.world import NEW_INTEGRATION

pytestmark = pytest.mark.every_store

NOT_MOMENTS = [
    "0.5",
    "1764000000",
    "2026-11-23",
    "2026-11-23T10:15:00",
    "2026-11-23 10:15:00Z",
    "2026-13-01T00:00:00Z",
]


@pytest.mark.parametrize("text", NOT_MOMENTS)
async def test_a_query_takes_only_written_out_times_with_an_offset(admin, text):
    answer = await admin.get("/orders", params={"updated_after": text})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "updated_after")


@pytest.mark.parametrize("given", [*NOT_MOMENTS, 1764000000, 0.5, True])
async def test_a_body_takes_only_written_out_times_with_an_offset(admin, given):
    answer = await admin.post("/integrations", json=NEW_INTEGRATION | {"orders_from": given})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/orders_from")


@pytest.mark.parametrize(
    "text", ["2026-11-23T10:15:00Z", "2026-11-23t10:15:00.123456z", "2026-11-23T10:15:00-05:30"]
)
async def test_an_rfc_3339_time_is_taken(admin, text):
    assert (await admin.get("/orders", params={"updated_after": text})).status_code == 200
