"""Wish's list of orders and its download job, as they are published."""

import json
from urllib.parse import parse_qs

import httpx
from tests.channels.factories import BASE, ok


class SmallWish:
    """Wish's list of orders as it is published: windows with both ends, sorting, at most 500 rows."""

    def __init__(self, orders, sort=True):
        self.orders = orders
        self.sort = sort
        self.newest_first = False
        self.queries = []
        self.job_state = "READY"
        self.tells = {}
        self.when_a_job_starts = lambda: None
        self.always = None
        # What some orders show in place of what they are sorted by: id to members.
        self.shows = {}

    def list(self, request):
        if self.always is not None:
            return self.always
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        self.queries.append(query)
        rows = self.matching(query)[: int(query.get("limit", 50))]
        return ok([row | self.shows.get(row["id"], {}) for row in rows])

    def matching(self, query):
        time = query["sort_by"].removesuffix(".asc")
        low, high = query.get(f"{time}_min", ""), query.get(f"{time}_max", "z")
        found = [order for order in self.orders if order[time] and low <= order[time] <= high]
        if "states" in query:
            found = [order for order in found if order["state"] == query["states"]]
        return sorted(found, key=lambda order: order[time], reverse=self.newest_first) if self.sort else found

    def start_job(self, request):
        self.when_a_job_starts()
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        self.job = self.matching(query)
        return ok({"id": "job1", "status": "PENDING", "file_urls": None})

    def job_status(self, request):
        urls = [f"{BASE}/files/1"] if self.job_state == "READY" else None
        return ok(
            {"id": "job1", "status": self.job_state, "total_count": len(self.job), "file_urls": urls} | self.tells
        )

    def file(self, request):
        assert "Authorization" not in request.headers
        return httpx.Response(200, content="\n".join(json.dumps(order) for order in self.job).encode())
