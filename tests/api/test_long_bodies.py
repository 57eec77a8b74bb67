import asyncio
import gc
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.api.contract import OPERATIONS

from channel_sync.api import app
from channel_sync.api.http import strict_json
from channel_sync.api.http.fields import Input
from channel_sync.api.http.json_pieces import MAX_PART, PIECE, parse_in_pieces
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.problems import HttpProblem
from channel_sync.api.http.strict_json import MAX_DEPTH, MAX_MEMBERS

MANY = 65_536
# What a request may keep the event loop from others, in processor time.
TURN_S = 0.05
JSON = {"Content-Type": "application/json"}


def pieced(body: bytes, max_nodes: int = MANY) -> Any:
    return asyncio.run(parse_in_pieces(body, max_nodes))


def refusal(body: bytes, max_nodes: int = MANY) -> str:
    with pytest.raises(HttpProblem) as refused:
        pieced(body, max_nodes)
    assert refused.value.status_code in (400, 422)
    return refused.value.code


def levels(number: int, sku: str = "SKU-{}") -> dict[str, Any]:
    return {"items": [{"sku": sku.replace("{}", str(place)), "available": place} for place in range(number)]}


SKUS = ['{}"}},"]', "{}]," * 20, "{}\\", "ä{}" * 30, "😀{}" * 20, "{}\\u00e9\n", "," * 250 + "{}"]


@pytest.mark.parametrize("sku", SKUS)
@pytest.mark.parametrize("options", [{}, {"indent": 4}, {"ensure_ascii": False}], ids=["escaped", "wide", "plain"])
def test_a_long_list_is_read_whole(sku, options):
    given = levels(5000, sku)
    assert pieced(json.dumps(given, **options).encode()) == given


def test_a_list_between_other_members_is_read_whole():
    given = {"a": {"b": [1, {}]}, "items": list(range(30_000)), "none": [], "deep": [[[{}]], "x"], "end": None}
    assert pieced(json.dumps(given).encode()) == given


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner, max_size=8),
)


def outcome(parse: Callable[[bytes, int], Any], body: bytes) -> Any:
    """The value, or the code with which it is refused."""
    try:
        return parse(body, MANY)
    except HttpProblem as refused:
        return refused.code


@settings(max_examples=60, deadline=None)
@given(_VALUES, st.integers(0, 3))
def test_any_value_is_read_as_at_once(value, spaces):
    whole = {"filler": "x" * (PIECE - 40 + spaces), "items": [value, value]}
    body = json.dumps(whole, indent=spaces or None).encode()
    assert outcome(pieced, body) == outcome(strict_json.parse, body)


LONG = json.dumps(levels(5000)).encode()
LATE = {
    "duplicate_member": LONG[:-2] + b', {"sku": "A", "sku": "B"}]}',
    "malformed_json": LONG[:-2] + b', {"sku": NaN}]}',
    "number_out_of_range": LONG[:-2] + b", " + b"9" * 21 + b"]}",
    "not_utf8": LONG[:-2] + b', "\xff"]}',
    "invalid_character": LONG[:-2] + b', {"sku": ["\\ud800"]}]}',
    "too_deep": LONG[:-2] + b"," + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"]}",
    "too_many_members": LONG[:-2] + b"," + json.dumps(dict.fromkeys(map(str, range(65)))).encode() + b"]}",
}
BROKEN = [LONG[:-1], LONG[:-2], LONG + b"x", LONG[:-2] + b",]}", LONG[:-1] + b",}", LONG[:-2] + b"}]", LONG[:-20]]


@pytest.mark.parametrize(("code", "body"), LATE.items(), ids=LATE)
def test_what_is_wrong_far_into_a_body_is_refused_as_at_its_start(code, body):
    assert refusal(body) == code


@pytest.mark.parametrize("body", BROKEN)
def test_a_long_body_that_is_broken_at_its_end_is_400(body):
    assert refusal(body) == "malformed_json"


def test_the_deepest_allowed_item_of_a_long_body_is_read():
    depth = MAX_DEPTH - 2
    assert pieced(LONG[:-2] + b"," + b"[" * depth + b"]" * depth + b"]}")


def test_a_character_may_lie_across_two_pieces():
    for shift in range(4):
        given = {"a": "x" * (PIECE - 12 - shift) + "😀", "b": "ä"}
        assert pieced(json.dumps(given, ensure_ascii=False).encode()) == given


HOSTILE = {
    "members without end": b"{" + b",".join(b'"%d":1' % number for number in range(700_000)) + b"}",
    "a member of a member": b'{"a":{' + b",".join(b'"%d":1' % number for number in range(700_000)) + b"}}",
    "nested lists": b"[" + b",".join([b"[]"] * 2_600_000) + b"]",
    "a list of lists": b'{"items":[' + b",".join([b"[]"] * 2_600_000) + b"]}",
    "objects": b'{"items":[' + b",".join([b"{}"] * 2_600_000) + b"]}",
    "one text": b'{"items":["' + b"\\u00e9" * 1_300_000 + b'"]}',
    "brackets in a text": b'{"items":["' + b"}," * 4_000_000 + b'"]}',
    "numbers": b'{"items":[' + b",".join([b"1"] * 4_000_000) + b"]}",
    "long items": b'{"items":[' + b",".join([b"[" + b",".join([b"[]"] * 20_000) + b"]"] * 130) + b"]}",
    "spaces": b'{"items":[' + b" " * 8_000_000 + b"]}",
    "opened": b"[" * 8_000_000,
    "wrong items": json.dumps({"items": [{"sku": 1, "available": "x", "y": {}}] * 5000}).encode(),
    "wrong ids": json.dumps({"ids": [1] * 8000}).encode(),
}


class Pulse:
    """The most processor time that passed between two turns of the event loop."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def take(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            self.longest_s = max(self.longest_s, time.thread_time() - before)


@pytest.fixture
def seldom_collected() -> Iterator[None]:
    """The collector as the service sets it."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_no_body_keeps_others_waiting(world, seldom_collected, body):
    path, method = ("/orders/acknowledge", "POST") if b'"ids"' in body else ("/stock", "PUT")
    async with world.caller() as caller:
        await caller.put("/stock", json=levels(2))
        pulse = Pulse()
        beating = asyncio.create_task(pulse.take())
        started = time.thread_time()
        answer = await caller.request(method, path, content=body, headers=JSON)
        took_s = time.thread_time() - started
        beating.cancel()
    assert answer.status_code in (400, 422)
    assert len(answer.json().get("errors", [])) <= 20
    assert pulse.longest_s < TURN_S
    assert took_s < 2


async def test_a_form_is_no_longer_than_a_form(world):
    async with world.browser() as browser:
        answer = await browser.post("/wish/authorise", content=b"ticket=" + b"%41" * 100_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("fields", "status"), [(100, 422), (101, 400)])
async def test_a_query_has_so_many_parameters_and_no_more(admin, fields, status):
    assert (await admin.get("/runs?" + "&".join(["a=1"] * fields))).status_code == status


async def test_the_first_twenty_faults_are_told_wherever_they_stand(admin):
    items = levels(3000)["items"]
    for place in range(1000, 2000, 7):
        items[place]["available"] = "x"
    errors = (await admin.put("/stock", json={"items": items})).json()["errors"]
    places = [int(error["pointer"].split("/")[2]) for error in errors]
    assert places == list(range(1000, 1140, 7))
    assert {error["code"] for error in errors} == {"int_type"}


def test_no_body_of_the_contract_is_larger_than_what_is_read():
    shapes = [shape for shape in _inputs(Input) if shape.__module__.startswith(app.__name__.rpartition(".")[0])]
    assert len(shapes) > 5
    assert max(len(shape.model_fields) for shape in shapes) < MAX_MEMBERS / 2
    assert max(len(json.dumps(operation.example)) for operation in OPERATIONS) < MAX_PART


def test_every_list_of_a_body_is_left_at_twenty_faults():
    lists = [
        (shape, name)
        for shape in _inputs(Input)
        for name, member in shape.model_fields.items()
        if "list[" in str(member.annotation) and STOPS_EARLY not in (*member.metadata, *_inner(member.annotation))
    ]
    assert lists == []


def _inputs(shape: type[BaseModel]) -> list[type[BaseModel]]:
    return [found for child in shape.__subclasses__() for found in (child, *_inputs(child))]


def _inner(annotation: Any) -> list[Any]:
    """What stands beside the type inside of a union."""
    return [note for part in get_args(annotation) for note in getattr(part, "__metadata__", ())]
