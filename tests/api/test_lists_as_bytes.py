"""Lists that are sent as ready bytes are what the contract says."""

import jsonschema
import pytest
from tests.api.contract import DOCUMENT
from tests.api.seeds import seed

pytestmark = pytest.mark.every_store


@pytest.mark.parametrize("place", ["/integrations", "/orders"])
async def test_the_bytes_fit_the_schema(world, place):
    await seed(world, "acme", "m1")
    schema = DOCUMENT["paths"][place]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    checks = jsonschema.Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    async with world.caller() as caller:
        page = (await caller.get(place)).json()
    assert len(page["items"]) == 1
    checks.validate(page)


async def test_an_item_of_the_list_is_what_its_own_operation_shows(world):
    seeded = await seed(world, "acme", "m1")
    async with world.caller() as caller:
        for place, thing in (("/integrations", seeded.integration_id), ("/orders", seeded.order_id)):
            listed = (await caller.get(place)).json()["items"][0]
            shown = (await caller.get(f"{place}/{thing}")).json()
            for clock in ("freshness",):
                listed.pop(clock, None), shown.pop(clock, None)
            assert listed == shown
