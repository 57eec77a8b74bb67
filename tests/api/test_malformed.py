import copy
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from tests.api.contract import UNKNOWN_ATTEMPT, WITH_BODY, Operation, ids
from tests.api.seeds import Seeded, seed

pytestmark = pytest.mark.every_store

CANARY = "CANARY-a1b2c3d4e5f6"
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1",
    b"{}",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b'{"a":1e999}',
    b"[" * 500 + b"]" * 500,
    b'{"a":' * 100 + b"1" + b"}" * 100,
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0000"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"' + CANARY.encode() + b'":1}',
    b"%PDF",
    b"a" * 70_000,
]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    2**63,
    1.5,
    1e300,
    "",
    " ",
    CANARY,
    CANARY * 2000,
    "\u202e\U0001f600",
    "a" * 65_536,
    "1.1." * 16_384,
    [],
    [CANARY],
    {},
    {CANARY: CANARY},
    "2026-13-45T99:99:99Z",
    "../../etc/passwd",
    "' OR 1=1 --",
]
FORBIDDEN = {
    "id",
    "tenant",
    "tenant_id",
    "status",
    "merchant_id",
    "created_at",
    "generation",
    "cursor",
    "is_admin",
    CANARY,
}


@pytest.fixture
async def seeded(world) -> Seeded:
    """The tenant `acme` with one of everything."""
    return await seed(world, "acme", "m1")


def variants(example: Any) -> Iterator[Any]:
    """The example with one member after the other replaced by each odd value, or left out."""
    for name in example:
        yield {key: value for key, value in example.items() if key != name} | {"filler": CANARY}
        for value in VALUES:
            yield {**copy.deepcopy(example), name: value}
        inner = example[name]
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            yield from ({**example, name: [variant]} for variant in variants(inner[0]))
        elif isinstance(inner, dict):
            yield from ({**example, name: variant} for variant in variants(inner))


def check(answer: Any, content: bytes) -> None:
    assert answer.status_code < 500, content[:200]
    assert answer.headers["x-request-id"]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert CANARY not in answer.text, content[:200]
        assert len(answer.json().get("errors", [])) <= 20


@pytest.mark.parametrize("operation", WITH_BODY, ids=ids(WITH_BODY))
async def test_an_unreadable_body_is_4xx_without_echo(world, seeded, operation: Operation):
    usable = {b"{}"} if operation.needs_body else {b"{}", b"null", b""}
    async with world.caller() as caller:
        for content in BODIES:
            for kind in (
                "application/json",
                "application/json; charset=utf-16",
                "text/plain",
                "application/x-odd+json",
            ):
                answer = await operation.call(
                    caller, asdict(seeded), content=content, headers={"Content-Type": kind}
                )
                check(answer, content)
                assert answer.status_code >= 400 or content in usable


@pytest.mark.parametrize("operation", WITH_BODY, ids=ids(WITH_BODY))
async def test_an_odd_member_is_never_5xx_nor_echoed_nor_slow(world, seeded, operation: Operation):
    async with world.caller() as caller:
        for body in variants(operation.example):
            content = json.dumps(body).encode()
            started = time.monotonic()
            answer = await operation.call(
                caller, asdict(seeded), content=content, headers={"Content-Type": "application/json"}
            )
            check(answer, content)
            assert time.monotonic() - started < 1


@pytest.mark.parametrize("operation", WITH_BODY, ids=ids(WITH_BODY))
async def test_a_member_that_the_contract_does_not_name_is_422(world, operation: Operation):
    async with world.caller() as caller:
        for member in FORBIDDEN - operation.members:
            answer = await operation.call(caller, UNKNOWN_ATTEMPT, json=operation.example | {member: CANARY})
            assert answer.status_code == 422
            pointer = "" if member == CANARY else f"/{member}"
            assert {"pointer": pointer, "code": "extra_forbidden"}.items() <= answer.json()["errors"][0].items()
            assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("member", "pointer"),
    [
        ("bufer", "/settings/stock/bufer"),
        ("Buffer", "/settings/stock/Buffer"),
        (CANARY, "/settings/stock"),
        ("3587dfc6a3b2c70947aebdf25f616f20", "/settings/stock"),
        ("csk_" + "x" * 43, "/settings/stock"),
        ("a/b", "/settings/stock"),
        ("", "/settings/stock"),
        ("é", "/settings/stock"),
    ],
)
async def test_the_pointer_names_an_unknown_member_where_its_name_can_be_a_mistake(world, member, pointer):
    async with world.caller() as caller:
        answer = await caller.patch("/integrations/x", json={"settings": {"stock": {member: 1}}})
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "extra_forbidden")


async def test_at_most_twenty_errors_are_reported(world):
    async with world.caller() as caller:
        answer = await caller.put("/stock", json={"items": [{"sku": 1, "available": "x"}] * 100})
    assert len(answer.json()["errors"]) == 20


async def test_a_body_of_another_kind_is_415(world):
    async with world.caller() as caller:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            answer = await caller.put("/stock", content=b"{}", headers={"Content-Type": kind})
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("value", [5, "", "ab", None, {"a": CANARY}])
async def test_what_stands_in_the_place_of_a_name_is_not_repeated(world, value: object):
    """Names are free in one member: whoever mixes up field and secret finds the secret in no answer."""
    new = {"channel": "wish", "name": "Lamps", "client_id": "c" * 24, "client_secret": "s" * 32}
    async with world.caller() as caller:
        answer = await caller.post("/integrations", json={**new, "more_credentials": {CANARY * 100: value}})
    check(answer, b"")
    assert (answer.status_code, {error["pointer"] for error in answer.json()["errors"]}) == (
        422,
        {"/more_credentials"},
    )
