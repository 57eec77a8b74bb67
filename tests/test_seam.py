"""What Wish is like stands in its own folder: nothing else names it, its fields, its codes or its numbers."""

import ast
import re
from pathlib import Path

import pytest

from channel_sync.channels.registry import MARKETPLACES
from channel_sync.channels.wish import replies
from channel_sync.channels.wish.rules import RULES
from channel_sync.domain.stock import MAX_UNITS

SOURCES = Path(__file__).parent.parent / "src" / "channel_sync"
WISH = SOURCES / "channels" / "wish"
# The registry, and what is about Wish for a newcomer: the demo runs the simulated one.
ABOUT_WISH = ("channels/registry.py", "channels/settings.py", "cli/demo.py", "cli/serving.py", "__main__.py")
# The examples of the contract, which show an integration as callers know it.
EXAMPLES = tuple(f"api/contract/{name}.py" for name in ("examples", "example_values", "support_examples"))
# Words of the contract that callers read.
WORDS = ("wish_webhook", "WishWebhookView", "account_disabled_at_wish")
# Wish calls these as everybody does.
COMMON = {
    "access_token",
    "amount",
    "at",
    "city",
    "code",
    "condition",
    "country_code",
    "currency_code",
    "data",
    "error",
    "errors",
    "id",
    "image_url",
    "message",
    "name",
    "number",
    "product",
    "product_id",
    "quantity",
    "refresh_token",
    "refunds",
    "region",
    "released_at",
    "request_id",
    "scopes",
    "sku",
    "state",
    "status",
    "transaction_id",
    "updated_at",
    "url",
}
# What we call so ourselves, in the contract or in a table.
OURS = {"merchant_id", "origin_country", "tracking_number", "variation_id", "warehouse_id", "inventory"}


def elsewhere(*but: str) -> dict[str, str]:
    """The sources outside Wish's folder by name, without some of them."""
    files = [*SOURCES.rglob("*.py"), *SOURCES.rglob("*.html")]
    texts = {str(file.relative_to(SOURCES)): file.read_text() for file in files if WISH not in file.parents}
    return {name: text for name, text in texts.items() if name not in but}


def fields_of_wish() -> set[str]:
    """The members of everything that is read of Wish's replies."""
    found = set()
    for file in WISH.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            bases = [
                base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                for base in getattr(node, "bases", ())
            ]
            if isinstance(node, ast.ClassDef) and "Struct" in bases:
                found |= {
                    one.target.id
                    for one in node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                }
    return found


def test_nothing_else_names_wish():
    texts = elsewhere(*ABOUT_WISH, *EXAMPLES)
    lines = [f"{name}: {line.strip()}" for name, text in texts.items() for line in text.splitlines()]
    plain = [(line, re.sub("|".join(WORDS), "", line)) for line in lines]

    assert len(texts) > 200
    assert [line for line, rest in plain if "wish" in rest.lower()] == []


def test_nothing_else_names_a_field_of_wish():
    mine = fields_of_wish() - COMMON - OURS
    words = {word for text in elsewhere(*EXAMPLES).values() for word in re.findall(r'"([a-z_0-9]+)"', text)}

    assert len(mine) > 30
    assert mine & words == set()


def test_nothing_else_knows_a_code_of_wish():
    codes = {code for _, code in replies._REJECTIONS} | {replies.RATE_LIMITED}
    numbers = {number for text in elsewhere().values() for number in re.findall(r"(?<![\w.])\d+(?![\w.])", text)}

    assert len(codes) > 10
    assert {str(code) for code in codes} & numbers == set()


@pytest.mark.parametrize(
    "number",
    [
        rf"days={RULES.renewal.before.days}\b",
        rf"\b{RULES.stock.bulk_bytes:_}\b",
        r"api/v3",
    ],
)
def test_nothing_else_has_a_number_or_a_path_of_wish(number):
    assert [name for name, text in elsewhere(*EXAMPLES).items() if re.search(number, text)] == []


def test_the_most_units_that_callers_may_say_are_no_more_than_what_the_contract_says():
    assert RULES.stock.most_units == MAX_UNITS == 500_000


def test_an_entry_of_the_registry_is_named_by_its_type():
    assert all(type_ == one.type for type_, one in MARKETPLACES.items())
    assert all(re.fullmatch("[a-z][a-z0-9_]*", type_) for type_ in MARKETPLACES)


def test_no_two_dictionaries_have_one_mark():
    marks = [one.mark for market in MARKETPLACES.values() for one in market.dictionaries]

    assert len(marks) == len(set(marks))
