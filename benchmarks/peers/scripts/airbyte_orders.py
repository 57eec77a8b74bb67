"""Airbyte's CDK: a bare read that stores nothing. Run by the interpreter of its own environment.

Counted from the first call to the last message; messages are written as JSON, as for a destination to read.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteStateMessageSerializer, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from wish_manifest import manifest

CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "orders",
                "json_schema": {"type": "object", "additionalProperties": True},
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
        }
    ]
}


def read(job: dict[str, Any], state: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """Seconds of one pass, and the messages it gave."""
    folder = Path(job["folder"])
    config = {name: job[name] for name in ("url", "token", "since")}
    for name, content in (("config", config), ("catalog", CATALOG), ("state", state)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    paths = [
        argument for name in ("config", "catalog", "state") for argument in (f"--{name}", f"{folder}/{name}.json")
    ]
    started = time.perf_counter()
    source = ConcurrentDeclarativeSource(
        source_config=manifest(),
        config=config,
        catalog=ConfiguredAirbyteCatalogSerializer.load(CATALOG),
        state=[AirbyteStateMessageSerializer.load(one) for one in state],
    )
    messages = list(AirbyteEntrypoint(source).run(AirbyteEntrypoint.parse_args(["read", *paths])))
    return time.perf_counter() - started, messages


def main() -> None:
    job = json.loads(sys.argv[1])
    first_s, messages = read(job, [])
    sorts: dict[str, list[dict[str, Any]]] = {}
    for message in map(json.loads, messages):
        sorts.setdefault(message["type"], []).append(message)
    del messages
    orders = [message["record"]["data"] for message in sorts["RECORD"]]
    again_s = [read(job, [sorts["STATE"][-1]["state"]])[0] for _ in range(job["passes"])]
    worth = {
        one["id"]: one["order_payment"]["general_payment_details"]["payment_total"]["amount"] for one in orders
    }
    counted = {"rows": len(orders), "ids": len(worth), "revenue": f"{sum(worth.values()):.2f}"}
    print(json.dumps({"first_s": first_s, "again_s": again_s, **counted}))


if __name__ == "__main__":
    main()
