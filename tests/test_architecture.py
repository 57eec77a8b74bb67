"""Who may import whom. The contracts stand in pyproject.toml; each of them is shown to catch a violation."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent

DOWNWARDS = "Rooms import downwards only, and siblings never meet"
MAIN_ONLY = "Only main knows the marketplaces and the settings"
STRANGERS = "The service and the simulated Wish do not know each other"
STORE = "The store imports downwards only"
SHARED = "What every operation shares knows none of them"
CHANNELS = "What every marketplace shares knows none of them"
NO_STORE = "Rows are made without the store"
EDGE = "Outgoing HTTP stays at the edge"
SERVER = "The HTTP server stays in its room"
# A file, what is imported there, and the contract that it breaks.
PLANTED = [
    ("channel_sync/domain/orders.py", "channel_sync.flows.retries", DOWNWARDS),
    ("channel_sync/flows/runs/service.py", "channel_sync.api.http.problems", DOWNWARDS),
    ("channel_sync/flows/runs/service.py", "channel_sync.http.server", DOWNWARDS),
    ("channel_sync/flows/runs/service.py", "channel_sync.main.process", DOWNWARDS),
    ("channel_sync/jobs/embedded.py", "channel_sync.api.http.problems", DOWNWARDS),
    ("channel_sync/persistence/database.py", "channel_sync.channels.wish.times", DOWNWARDS),
    ("channel_sync/persistence/database.py", "channel_sync.cli.demo", DOWNWARDS),
    ("channel_sync/persistence/database.py", "channel_sync.observability", DOWNWARDS),
    ("channel_sync/api/app.py", "channel_sync.http.bounds", DOWNWARDS),
    ("channel_sync/flows/grants/service.py", "channel_sync.flows.runs.session", "Flows import downwards only"),
    ("channel_sync/persistence/engine/session.py", "channel_sync.persistence.sql.paging", STORE),
    ("channel_sync/api/http/paging.py", "channel_sync.api.pages.visits", SHARED),
    ("channel_sync/channels/http/limiter.py", "channel_sync.channels.wish.caps", CHANNELS),
    ("channel_sync/flows/runs/service.py", "channel_sync.channels.wish.times", MAIN_ONLY),
    ("channel_sync/api/health.py", "channel_sync.settings", MAIN_ONLY),
    ("channel_sync/api/health.py", "channel_sync.setting_values", "The values of settings stay with them"),
    ("channel_sync/flows/runs/service.py", "wish_simulator.shop", STRANGERS),
    ("wish_simulator/shop.py", "channel_sync.domain.orders", STRANGERS),
    ("channel_sync/api/health.py", "sqlalchemy", "SQL stays in persistence"),
    ("channel_sync/persistence/rows/timestamps.py", "sqlalchemy", NO_STORE),
    ("channel_sync/persistence/rows/event_rows.py", "channel_sync.persistence.sql.tables", NO_STORE),
    ("channel_sync/flows/runs/service.py", "asyncpg", "The driver of PostgreSQL stays with the engine"),
    ("channel_sync/persistence/engine/postgres.py", "asyncpg", "The driver of PostgreSQL stays with the engine"),
    ("channel_sync/flows/runs/service.py", "aiohttp", EDGE),
    ("channel_sync/flows/runs/service.py", "httpx", EDGE),
    ("channel_sync/persistence/database.py", "authlib", EDGE),
    ("channel_sync/flows/runs/service.py", "fastapi", "The web framework stays in api"),
    ("channel_sync/api/app.py", "uvicorn", SERVER),
    ("channel_sync/flows/runs/service.py", "uvicorn", SERVER),
    ("channel_sync/jobs/schedule.py", "apscheduler", "The scheduler stays in its runner"),
    ("channel_sync/jobs/embedded.py", "pgqueuer", "The engine stays in the runner of workers"),
]


def broken_contracts(sources: Path) -> dict[str, str]:
    """The contracts that the sources break, each with what is said of it."""
    checked = subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            "--no-cache",
            "--no-logo",
            "--config",
            ROOT / "pyproject.toml",
        ],
        cwd=sources,
        env={**os.environ, "PYTHONPATH": str(sources), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", checked.stdout, re.MULTILINE))
    assert len(verdicts) == len(contracts()), checked.stdout + checked.stderr
    said = re.split(r"^(.+)\n-{5,}\n", checked.stdout, flags=re.MULTILINE)
    parts = dict(zip(said[1::2], said[2::2], strict=True))
    return {name: parts[name] for name, verdict in verdicts.items() if verdict == "BROKEN"}


def contracts() -> list[str]:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [contract["name"] for contract in options["tool"]["importlinter"]["contracts"]]


def test_no_contract_is_broken():
    assert broken_contracts(ROOT / "src") == {}


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> dict[str, str]:
    """What is said of a copy with every violation in it, and with a module that nobody has given a place."""
    sources = tmp_path_factory.mktemp("planted") / "src"
    shutil.copytree(ROOT / "src", sources, ignore=shutil.ignore_patterns("__pycache__"))
    for file, imported, _ in PLANTED:
        with (sources / file).open("a") as changed:
            changed.write(f"\nimport {imported}\n")
    (sources / "channel_sync/newcomer.py").touch()
    return broken_contracts(sources)


def test_every_contract_has_a_planted_violation():
    assert {name for _, _, name in PLANTED} == set(contracts())


@pytest.mark.parametrize(("file", "imported", "contract"), PLANTED)
def test_a_planted_violation_is_told_of_by_its_contract(planted, file, imported, contract):
    importer = file.removesuffix(".py").replace("/", ".")

    assert f"{importer} -> {imported} (l." in planted[contract]


def test_a_module_without_a_place_among_the_rooms_is_told_of(planted):
    assert "- channel_sync.newcomer\n" in planted[DOWNWARDS]


def outsiders(package: str) -> set[str]:
    """What a package imports from beyond itself and the standard library."""
    graph = grimp.build_graph("channel_sync", include_external_packages=True, cache_dir=None)
    modules = {package, *graph.find_descendants(package)}
    imported = {one for module in modules for one in graph.find_modules_directly_imported_by(module)}
    return {one for one in imported - modules if one.split(".")[0] not in sys.stdlib_module_names}


def test_the_domain_needs_no_library_but_that_of_structs():
    assert outsiders("channel_sync.domain") == {"msgspec"}


def test_the_check_of_the_domain_sees_other_packages():
    assert "sqlalchemy" in outsiders("channel_sync.persistence")


def test_httpx2_is_not_installed():
    # Its mere presence turns Authlib's client into another one, which respx does not see.
    assert importlib.util.find_spec("httpx2") is None


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_names_no_host_and_hashes_everything(lock):
    text = lock.read_text()
    packages = re.findall(r"^\S+==", text, re.MULTILINE)

    assert "://" not in text
    assert len(packages) == len(re.findall(r"^\S+==.*\\\n {4}--hash=sha256:", text, re.MULTILINE)) > 0
