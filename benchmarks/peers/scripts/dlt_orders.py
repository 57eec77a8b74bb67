"""dlt: its rest_api source, merged on the order's id. Run by the interpreter of dlt's own environment.

Tuned keeps what is nested as JSON columns; by default every list becomes a table and every member a column.
"""

import json
import sys
import time
from typing import Any

import dlt
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_source
from requests import Request, Response

PAGE = 500


class LastUpdated(BasePaginator):
    """Asks again from where the last page ended: Wish has no cursor."""

    since = ""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        self._has_next_page = data is not None and len(data) == PAGE
        if data:
            self.since = data[-1]["updated_at"]

    def update_request(self, request: Request) -> None:
        request.params["updated_at_min"] = self.since


def source(job: dict[str, Any]) -> Any:
    orders = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        **({"max_table_nesting": 0} if job["tuned"] else {}),
        "endpoint": {
            "path": "api/v3/orders",
            "params": {
                "sort_by": "updated_at.asc",
                "limit": PAGE,
                "updated_at_min": "{incremental.start_value}",
            },
            "data_selector": "data",
            "paginator": LastUpdated(),
            "incremental": {"cursor_path": "updated_at", "initial_value": job["since"]},
        },
    }
    client = {"base_url": job["url"], "auth": {"type": "bearer", "token": job["token"]}}
    return rest_api_source({"client": client, "resources": [orders]})


def pipeline(job: dict[str, Any]) -> Any:
    to_postgres = job["store"].startswith("postgresql:")
    kind = dlt.destinations.postgres if to_postgres else dlt.destinations.sqlalchemy
    return dlt.pipeline(
        "wish",
        pipelines_dir=f"{job['folder']}/pipelines",
        destination=kind(credentials=job["store"]),
        # SQLite's dataset of this name is the file itself; any other would be a file beside it.
        dataset_name="shop" if to_postgres else "main",
    )


def main() -> None:
    job = json.loads(sys.argv[1])
    loading = pipeline(job)
    seconds = []
    for _ in range(1 + job["passes"]):
        orders = source(job)
        started = time.perf_counter()
        loading.run(orders)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"first_s": seconds[0], "again_s": seconds[1:]}))


if __name__ == "__main__":
    main()
