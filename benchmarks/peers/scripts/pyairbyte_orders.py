"""PyAirbyte: the same low-code source into the cache it comes with, by merge. Run by its own environment's Python.

Counted is the time inside `read`. A later pass reads everything again: PyAirbyte 0.71.3 builds a low-code source
without the state it has kept, and the CDK takes the state only there.
"""

import json
import sys
import time
from pathlib import Path

import airbyte
import duckdb
from airbyte.caches import DuckDBCache
from wish_manifest import manifest

AMOUNT = "json_extract_string(order_payment, '$.general_payment_details.payment_total.amount')"
COUNTED = f"SELECT count(*), count(DISTINCT id), sum(CAST({AMOUNT} AS DECIMAL(18, 2))) FROM shop.orders"


def main() -> None:
    job = json.loads(sys.argv[1])
    config = {name: job[name] for name in ("url", "token", "since")}
    database = Path(job["folder"]) / "orders.duckdb"
    cache = DuckDBCache(db_path=database, schema_name="shop")
    seconds = []
    for _ in range(1 + job["passes"]):
        source = airbyte.get_source("source-wish", config=config, source_manifest=manifest(), streams=["orders"])
        started = time.perf_counter()
        source.read(cache=cache, write_strategy="merge")
        seconds.append(time.perf_counter() - started)
    cache.get_sql_engine().dispose()
    with duckdb.connect(str(database), read_only=True) as stored:
        rows, ids, revenue = stored.sql(COUNTED).fetchone()
    counted = {"rows": rows, "ids": ids, "revenue": str(revenue)}
    print(json.dumps({"first_s": seconds[0], "again_s": seconds[1:], **counted}))


if __name__ == "__main__":
    main()
