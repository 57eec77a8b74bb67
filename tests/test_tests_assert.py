"""A test says what came out: each of them asserts something, itself or in what it calls of the tests."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# What else fails where it does not find what it was told: of pytest, of playwright and of schemathesis.
ASSERTING = {"raises", "fail", "expect", "validate_response"}


@dataclass(frozen=True, eq=False)
class Function:
    """Whether it asserts something itself, and the names of what it calls."""

    asserts: bool
    calls: frozenset[str]

    @classmethod
    def of(cls, definition: ast.AST) -> "Function":
        nodes = list(ast.walk(definition))
        calls = frozenset(name_of(node.func) for node in nodes if isinstance(node, ast.Call))
        return cls(bool(calls & ASSERTING) or any(isinstance(node, ast.Assert) for node in nodes), calls)


class Module:
    """A module of tests: its functions and methods by name, and what it imports from other modules of tests."""

    def __init__(self, source: str) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.setdefault(node.name, []).append(Function.of(node))
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (node.module or "", alias.name)

    def tests(self) -> Iterator[tuple[str, Function]]:
        for name, found in self.functions.items():
            if name.startswith("test_"):
                yield from ((name, one) for one in found)


Modules = Mapping[str, Module]


def modules_of_the_tests() -> Modules:
    files = (ROOT / "tests").rglob("*.py")
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): Module(file.read_text()) for file in files}


def silent(modules: Modules) -> list[str]:
    """The tests that assert nothing."""
    tests = [(place, *test) for place in modules if ".test_" in place for test in modules[place].tests()]
    return sorted(f"{place}: {name}" for place, name, test in tests if not asserts(modules, place, test, set()))


def asserts(modules: Modules, place: str, function: Function, seen: set[Function]) -> bool:
    """Whether the function of that module asserts something; `seen` are those that were looked at."""
    if function.asserts or function in seen:
        return function.asserts
    seen.add(function)
    called = (found for name in function.calls for found in functions_called(modules, place, name))
    return any(asserts(modules, *found, seen) for found in called)


def name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def functions_called(modules: Modules, place: str, name: str) -> Iterator[tuple[str, Function]]:
    """What the name may mean there: a function of the module or one it imports, a method of a class in either."""
    imports = modules[place].imports
    home, name = imports.get(name, ("", name))
    for there in {home} if home else {place, *(module for module, _ in imports.values())}:
        if there in modules:
            yield from ((there, found) for found in modules[there].functions.get(name, []))


def test_every_test_asserts_something():
    modules = modules_of_the_tests()

    assert sum(len(list(module.tests())) for module in modules.values()) > 2000
    assert silent(modules) == []


STEPS = """
def is_so(): return True
def check_all(): check()
def check(): assert is_so()
class Desk:
    def settle(self): check()
"""
IMPORTED = "from tests.steps import Desk, check_all as look, is_so\n"


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("is_so()", True),
        ("unknown()", True),
        ("Desk().leave()", True),
        ("test_planted()", True),
        ("assert is_so()", False),
        ("with pytest.raises(ValueError): is_so()", False),
        ("look()", False),
        ("Desk().settle()", False),
    ],
)
def test_one_that_asserts_nothing_is_found(body, is_found):
    planted = Module(f"{IMPORTED}async def test_planted():\n    {body}")
    found = silent({"tests.steps": Module(STEPS), "tests.test_planted": planted})

    assert found == ["tests.test_planted: test_planted"] * is_found
