from collections.abc import AsyncIterator

import pytest

from channel_sync.api.http.limits import MAX_BODY, MAX_STOCK_BODY


async def pieces(size: int, sent: list[int]) -> AsyncIterator[bytes]:
    """A body without a length, counted as it is taken."""
    for _ in range(0, size, 65_536):
        sent.append(65_536)
        yield b" " * 65_536


JSON = {"Content-Type": "application/json"}


async def test_a_body_over_the_cap_is_413_whoever_sends_it(world):
    async with world.browser() as stranger, world.caller() as caller:
        for client in (stranger, caller):
            answer = await client.post("/integrations", content=b" " * (MAX_BODY + 1), headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_without_a_length_is_cut_off_at_the_cap(admin):
    sent: list[int] = []
    answer = await admin.post("/integrations", content=pieces(MAX_BODY * 20, sent), headers=JSON)
    assert answer.status_code == 413
    assert sum(sent) < MAX_BODY * 2


async def test_of_a_stranger_no_body_is_read(world):
    sent: list[int] = []
    async with world.browser() as stranger:
        answer = await stranger.post("/integrations", content=pieces(MAX_BODY * 20, sent), headers=JSON)
    assert (answer.status_code, sent) == (401, [])


async def test_a_length_that_lies_does_not_help(admin):
    headers = JSON | {"Content-Length": "10"}
    answer = await admin.post("/integrations", content=b" " * (MAX_BODY + 1), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣"])
async def test_a_length_that_is_no_number_is_400(admin, length):
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", length.encode())]
    assert (await admin.post("/integrations", content=b"{}", headers=headers)).status_code == 400


async def test_stock_may_be_larger(admin):
    body = b'{"items": [{"sku": "A", "available": 1}]}'
    ok = await admin.put("/stock", content=body + b" " * (MAX_BODY * 2), headers=JSON)
    too_large = await admin.put("/stock", content=body + b" " * MAX_STOCK_BODY, headers=JSON)
    assert (ok.status_code, too_large.status_code) == (200, 413)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP"])
async def test_an_encoded_body_is_415(admin, encoding):
    answer = await admin.put("/stock", content=b"x", headers=JSON | {"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding_unsupported")


async def test_the_budget_of_a_key_is_told_and_kept(world):
    world.set(rate_limit_per_s=2)
    async with world.caller() as caller, world.caller() as other:
        answers = [await caller.get("/runs") for _ in range(8)]
        untouched = await other.get("/runs")
    assert answers[0].headers["ratelimit-policy"] == '"key";q=4;w=2'
    assert answers[0].headers["ratelimit"].startswith('"key";r=3;t=')
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "rate_limited")
    assert answers[-1].headers["ratelimit"].startswith('"key";r=0;t=')
    assert answers[-1].headers["retry-after"] == "1"
    assert untouched.status_code == 200


async def test_without_a_limit_there_is_no_budget(world):
    world.set(rate_limit_per_s=0)
    async with world.caller() as caller:
        answers = [await caller.get("/runs") for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers
