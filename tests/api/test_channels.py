from tests.api.world import PUBLIC_URL


async def test_channels_say_what_a_seller_needs(admin):
    channels = (await admin.get("/channels")).json()
    assert channels["next_cursor"] is None
    wish = channels["items"][0]
    assert (wish["type"], wish["redirect_url"]) == ("wish", f"{PUBLIC_URL}/wish/callback")
    assert wish["logo_url"] == f"{PUBLIC_URL}/channels/wish/logo.svg"
    assert wish["currencies"] == ["EUR", "GBP", "USD"]
    assert wish["setup_steps"] == ["Create an app"]


async def test_a_logo_needs_no_credential(world):
    async with world.browser() as browser:
        logo = await browser.get("/channels/wish/logo.svg")
        missing = await browser.get("/channels/nowhere/logo.svg")
    assert (logo.content, missing.status_code) == (b"<svg/>", 404)
