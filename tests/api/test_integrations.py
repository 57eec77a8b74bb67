import pytest
from tests.api.world import CONSOLE, NEW_INTEGRATION

pytestmark = pytest.mark.every_store


async def test_a_new_integration_is_a_draft_with_an_invitation(admin):
    answer = await admin.post("/integrations", json=NEW_INTEGRATION)
    draft = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/integrations/{draft['id']}"
    assert (draft["status"], draft["auth"]["state"]) == ("draft", "pending")
    assert draft["authorise_url"].startswith("http://localhost:8000/wish/authorise?ticket=")
    assert draft["expires_at"].endswith("Z")


async def test_secrets_are_never_shown(admin):
    draft = await admin.post("/integrations", json=NEW_INTEGRATION)
    assert NEW_INTEGRATION["client_secret"] not in draft.text
    assert draft.json()["auth"]["client_secret"]["last4"] == "-app"


async def test_a_connected_draft_asks_for_its_currency_and_becomes_active_with_it(admin, world):
    world.channel.open_shop("m1")
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    href = f"/integrations/{draft['id']}"
    await world.authorise(draft["authorise_url"], "m1")
    connected = (await admin.get(href)).json()
    assert (connected["status"], connected["auth"]["state"]) == ("draft", "connected")
    assert connected["next_action"] == {"method": "PATCH", "href": href, "members": ["default_currency"]}
    active = (await admin.patch(href, json={"default_currency": "GBP"})).json()
    assert (active["status"], active["enabled"], active["next_action"]) == ("active", True, None)


@pytest.mark.parametrize("name", ["Ключи & мир", "👩\u200d🚀 مرحبا", "'; DROP TABLE x; --", 'a"b;c=d'])
async def test_any_written_name_is_kept_as_it_is(admin, name):
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION | {"name": name})).json()
    assert draft["name"] == name
    drafts = (await admin.get("/integrations", params={"status": "draft", "q": name})).json()["items"]
    assert [item["name"] for item in drafts] == [name]


async def test_drafts_show_in_the_list_only_when_asked_for(admin):
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    assert (await admin.get("/integrations")).json() == {"items": [], "next_cursor": None}
    drafts = (await admin.get("/integrations?status=draft")).json()["items"]
    assert [item["id"] for item in drafts] == [draft["id"]]


async def test_the_list_can_be_filtered_and_sorted(admin, world):
    for merchant_id, name in (("m1", "Beta"), ("m2", "alpha"), ("m3", "Gamma")):
        await world.connect(admin, merchant_id, name=name, client_id=f"client-{merchant_id}")

    async def names(query: str) -> list[str]:
        return [item["name"] for item in (await admin.get(f"/integrations?{query}")).json()["items"]]

    assert await names("") == ["alpha", "Beta", "Gamma"]
    assert await names("sort=-name") == ["Gamma", "Beta", "alpha"]
    assert await names("sort=created_at") == ["Beta", "alpha", "Gamma"]
    assert await names("sort=-created_at") == ["Gamma", "alpha", "Beta"]
    assert await names("q=ALP") == ["alpha"]
    assert await names("channel=other") == []
    assert await names("status=disabled") == []


@pytest.mark.parametrize("query", ["sort=password", "status=odd", "limit=0", "limit=201", "limit=1e9", "q=%00"])
async def test_an_unknown_sort_filter_or_limit_is_422(admin, query):
    assert (await admin.get(f"/integrations?{query}")).status_code == 422


async def test_what_is_left_out_of_a_patch_is_kept(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await admin.patch(
        href, json={"settings": {"stock": {"buffer": 2, "maximum": 9}, "orders": {"interval_s": 30}}}
    )
    changed = (await admin.patch(href, json={"name": "New", "settings": {"stock": {"maximum": None}}})).json()
    assert (changed["name"], changed["default_currency"]) == ("New", "GBP")
    assert changed["settings"]["stock"]["buffer"] == 2
    assert changed["settings"]["stock"]["maximum"] is None
    assert changed["settings"]["orders"]["interval_s"] == 30


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"default_currency": None},
        {"client_id": None},
        {"client_secret": None},
        {"settings": None},
        {"settings": {"orders": None}},
        {"settings": {"stock": None}},
    ],
)
async def test_null_is_refused_where_nothing_can_be_meant_by_it(admin, world, body):
    integration = await world.connect(admin)
    answer = await admin.patch(f"/integrations/{integration['id']}", json=body)
    pointer = "/settings/" + next(iter(body["settings"])) if body.get("settings") else f"/{next(iter(body))}"
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await admin.get(f"/integrations/{integration['id']}")).json()["version"] == integration["version"]


async def test_null_takes_every_single_setting_back_to_its_default(admin, world):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    orders = {"enabled": False, "interval_s": 30}
    stock = {"enabled": False, "interval_s": 9, "buffer": 2, "maximum": 9, "percent": 50}
    changed = await admin.patch(href, json={"settings": {"orders": orders, "stock": stock}})
    assert changed.json()["settings"] != integration["settings"]
    nothing = {"orders": dict.fromkeys(orders), "stock": dict.fromkeys(stock)}
    assert (await admin.patch(href, json={"settings": nothing})).json()["settings"] == integration["settings"]


async def test_without_an_interval_of_its_own_the_default_shows(admin, world):
    settings = (await world.connect(admin))["settings"]
    assert (settings["orders"]["interval_s"], settings["stock"]["interval_s"]) == (60, 5)


@pytest.mark.parametrize(
    "settings",
    [
        {"orders": {"interval_s": 14}},
        {"stock": {"interval_s": 0}},
        {"stock": {"percent": 101}},
        {"stock": {"buffer": -1}},
        {"stock": {"buffer": "1"}},
        {"stock": {"buffer": 1.5}},
        {"stock": {"buffer": True}},
        {"stock": {"enabled": 1}},
        {"stock": {"odd": 1}},
        {"stock": []},
    ],
)
async def test_settings_out_of_range_are_422_and_change_nothing(admin, world, settings):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    assert (await admin.patch(href, json={"settings": settings})).status_code == 422
    assert (await admin.get(href)).json()["version"] == integration["version"]


async def test_a_whole_number_may_be_written_with_a_point(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    settings = '{"orders": {"interval_s": 30.0}, "stock": {"percent": 5e1, "buffer": 2.0, "maximum": 9.0}}'
    json = {"Content-Type": "application/json"}
    changed = await admin.patch(href, content=f'{{"settings": {settings}}}', headers=json)
    stock = changed.json()["settings"]["stock"]
    assert (stock["percent"], stock["buffer"], stock["maximum"]) == (50, 2, 9)
    items = '{"items": [{"sku": "F1", "available": 5.0, "revision": 7.0}, {"sku": "F2", "available": 3}]}'
    put = await admin.put("/stock", content=items, headers=json)
    assert [item["result"] for item in put.json()["items"]] == ["accepted", "accepted"]


@pytest.mark.parametrize("mask", ["", "   ", "***", "••••", "****c0de", "…c0de", "-app", "********************"])
@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_a_mask_in_place_of_a_secret_is_422_and_keeps_the_secret(admin, world, mask, method):
    integration = await world.connect(admin)
    href = f"/integrations/{integration['id']}"
    place = href if method == "PATCH" else f"{href}/reauthorise"
    answer = await admin.request(method, place, json={"client_secret": mask})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/client_secret"
    assert (await admin.get(href)).json()["auth"]["client_secret"] == integration["auth"]["client_secret"]


@pytest.mark.parametrize(
    ("secret", "code", "message"),
    [
        ("abc", "secret_length", "A secret has 5 to 8192 characters."),
        ("  abc  ", "secret_length", "A secret has 5 to 8192 characters."),
        ("x" * 8193, "secret_length", "A secret has 5 to 8192 characters."),
        ("****c0de", "secret_masked", "This is a mask, not the secret itself."),
        ("with a blank", "secret_characters", "Only visible ASCII characters can be in a secret."),
    ],
)
async def test_an_unusable_secret_is_explained_in_words_about_secrets(admin, secret, code, message):
    answer = await admin.post("/integrations", json=NEW_INTEGRATION | {"client_secret": secret})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/client_secret", "code": code, "message": message}]


async def test_a_stale_if_match_is_412_and_changes_nothing(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    stale = {"If-Match": '"999"'}
    answers = [
        await admin.patch(href, json={"name": "X"}, headers=stale),
        await admin.put(f"{href}/status", json={"enabled": False}, headers=stale),
        await admin.delete(f"{href}?confirm=Mugs", headers=stale),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(412, "stale_version")] * 3
    after = (await admin.get(href)).json()
    assert (after["name"], after["status"]) == ("Mugs", "active")


async def test_the_present_version_passes_if_match_alone_in_a_list_and_as_a_star(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    for form in ("{}", '"0", {}', "*"):
        tag = (await admin.get(href)).headers["etag"]
        changed = await admin.patch(href, json={"name": form}, headers={"If-Match": form.format(tag)})
        assert changed.status_code == 200


async def test_switching_off_and_on_is_idempotent(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}/status"
    states = [(await admin.put(href, json={"enabled": wanted})).json() for wanted in (False, False, True, True)]
    assert [state["status"] for state in states] == ["disabled", "disabled", "active", "active"]
    assert states[0]["version"] == states[1]["version"]
    assert (await admin.get(href)).json()["enabled"] is True


async def test_a_draft_cannot_be_switched(admin):
    draft = (await admin.post("/integrations", json=NEW_INTEGRATION)).json()
    answer = await admin.put(f"/integrations/{draft['id']}/status", json={"enabled": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "integration_draft")


async def test_the_status_shows_both_jobs(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}/status"
    status = (await admin.get(href)).json()
    assert set(status["jobs"]) == {"orders", "stock"}
    assert status["jobs"]["orders"]["next_at"] is not None
    assert status["jobs"]["stock"]["backlog"] == 0


async def test_cancelling_a_draft_leaves_nothing(admin):
    href = f"/integrations/{(await admin.post('/integrations', json=NEW_INTEGRATION)).json()['id']}"
    assert (await admin.delete(href)).status_code == 204
    assert (await admin.get(href)).status_code == 404


@pytest.mark.parametrize("confirm", [None, "", "mugs", "Mugs "])
async def test_a_removal_without_the_exact_name_is_428_with_the_way_to_the_preview(admin, world, confirm):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    answer = await admin.delete(href, params={} if confirm is None else {"confirm": confirm})
    assert (answer.status_code, answer.json()["code"]) == (428, "confirmation_required")
    preview = await admin.get(answer.json()["next_action"]["href"])
    assert set(preview.json()) == {"open_orders", "unsent_stock", "mapped_listings", "kept", "lost"}


async def test_a_removed_integration_is_restored_and_wants_a_new_consent(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    assert (await admin.delete(f"{href}?confirm=Mugs")).status_code == 204
    removed = (await admin.get(href)).json()
    assert (removed["status"], removed["auth"]["access_token"]["set"]) == ("removed", False)
    assert removed["next_action"] == {"method": "POST", "href": f"{href}/restore"}
    restored = await admin.post(f"{href}/restore")
    assert (restored.status_code, restored.json()["status"]) == (200, "needs_reauth")
    assert restored.json()["next_action"] == {"method": "POST", "href": f"{href}/reauthorise"}


async def test_a_destroyed_secret_does_not_show_as_set(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await admin.delete(f"{href}?confirm=Mugs")
    restored = (await admin.post(f"{href}/restore")).json()
    assert (restored["auth"]["client_secret"]["set"], restored["auth"]["client_secret"]["last4"]) == (False, None)


async def test_a_removed_integration_cannot_be_changed(admin, world):
    href = f"/integrations/{(await world.connect(admin))['id']}"
    await admin.delete(f"{href}?confirm=Mugs")
    assert (await admin.patch(href, json={"name": "X"})).status_code == 409


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("channel", "amazon"),
        ("default_currency", "gbp"),
        ("default_currency", "ZZZ"),
        ("environment", "staging"),
        ("return_url", "https://evil.example/"),
        ("return_url", f"{CONSOLE}.evil.example/"),
        ("return_url", f"{CONSOLE}@evil.example/"),
        ("return_url", "javascript:alert(1)"),
        ("return_url", "//evil.example"),
        ("return_url", f"{CONSOLE}:444/"),
        ("name", ""),
        ("name", "a\nb"),
        ("name", "a\u2028b"),
        ("name", 7),
        ("orders_from", "2026-01-01"),
        ("orders_from", "0001-01-01T00:00:00+23:00"),
        ("orders_from", 10**18),
        ("client_id", None),
    ],
)
async def test_an_unusable_member_is_422_and_named(admin, member, value):
    answer = await admin.post("/integrations", json=NEW_INTEGRATION | {member: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{member}"
