"""A PostgreSQL with a large past, put there by the server itself: no client could send so many rows in minutes.

Orders are small (200 bytes of content, 200 sealed, which do not open) and shops take turns, so that a page of one
shop's orders lies in as many places as it has orders, which is the worst there is.
"""

import sys
import time
from dataclasses import dataclass

import asyncpg

TENANTS = 20
SHOPS = 200
_DAY_US = 86_400_000_000
_MONTH_US = 30 * _DAY_US
_KINDS = {"orders": 0, "stock": 1, "listings": 2, "reconcile": 3}


@dataclass(frozen=True)
class Past:
    """How many rows there are. A third of the runs and a fifth of the events are past their thirty days."""

    orders: int = 10_000_000
    runs: int = 3_000_000
    events: int = 2_000_000
    integrations: int = 250_000
    open_runs: int = 1_000
    due: int = 10_000


def tenant(number: int) -> str:
    """A tenant that has orders; the crowd of shops without any belongs to a thousand others."""
    return f"tenant-{number:04}"


def shop(number: int) -> str:
    """The id of an integration; the first `SHOPS` have orders."""
    return f"int_{number:026}"


def _id(prefix: str, number: str) -> str:
    return f"'{prefix}_' || lpad(({number})::text, 26, '0')"


def _tenant(number: str) -> str:
    mine = f"CASE WHEN {number} < {SHOPS} THEN {number} % {TENANTS} ELSE {number} % 1000 + 100 END"
    return f"'tenant-' || lpad(({mine})::text, 4, '0')"


def _shops(past: Past, now: int) -> dict[str, str]:
    n = past.integrations
    kinds = ", ".join(f"('{kind}', {number})" for kind, number in _KINDS.items())
    return {
        "accounts": f"""
            (id, tenant, channel, environment, merchant_id, client_id, integration_id, attached)
            SELECT {_id("acc", "n")}, {_tenant("n")}, 'wish', 'sandbox', 'merchant-' || n, 'app',
             {_id("int", "n")}, true FROM generate_series(0, {n - 1}) AS n""",
        "integrations": f"""
            (id, tenant, channel, environment, name, name_key, settings, enabled, orders_from, created_at,
             updated_at, status_since, activated_at, account_id, version, merchant_id, client_id,
             client_secret_last4, client_secret_updated_at, scopes, access_token_expires_at, generation)
            SELECT {_id("int", "n")}, {_tenant("n")}, 'wish', 'sandbox', 'Shop ' || n, 'shop ' || n, '{{}}', true,
             {now}, {now}, {now}, {now}, {now}, {_id("acc", "n")}, 1, 'merchant-' || n, 'app', '', {now}, '[]',
             {now} + {_MONTH_US}, 1 FROM generate_series(0, {n - 1}) AS n""",
        "schedules": f"""
            (integration_id, kind, next_at, last_attempt_at, last_success_at, failures, crashes)
            SELECT {_id("int", "n")}, kind, {now} + (n::bigint * 4 + k - {past.due}) * 1000000, {now} - 1000000,
             {now}, 0, 0
            FROM generate_series(0, {n - 1}) AS n, (VALUES {kinds}) AS kinds (kind, k)""",
        "positions": f"""
            SELECT 'tenant-' || lpad(n::text, 4, '0'), {past.orders // TENANTS + 1}, {past.events // TENANTS + 1}
            FROM generate_series(0, {TENANTS - 1}) AS n""",
    }


def _history(past: Past, now: int) -> dict[str, str]:
    """Half of the runs are of the shops with orders."""
    n, old_runs = past.integrations, past.runs // 3
    moment = f"{now} - {_MONTH_US} + ((n - {old_runs})::float8 * {_MONTH_US} / {past.runs - old_runs})::bigint"
    is_open = f"n >= {past.runs - past.open_runs}"
    of_run = f"CASE WHEN {is_open} THEN n % {n} WHEN n % 2 = 0 THEN (n / 2) % {SHOPS} ELSE (n / 2) % {n} END"
    status = f"CASE WHEN NOT {is_open} THEN 'finished' WHEN n % 2 = 0 THEN 'queued' ELSE 'running' END"
    return {
        "runs": f"""
            (id, tenant, integration_id, account_id, kind, trigger, status, outcome, counts, created_at,
             started_at, finished_at, heartbeat_at, dry_run, cancel_requested, repeats, owner)
            SELECT {_id("run", "n")}, {_tenant("s")}, {_id("int", "s")}, {_id("acc", "s")}, 'orders', 'schedule',
             {status}, CASE WHEN {is_open} THEN NULL ELSE 'success' END, '{{"created":3,"unchanged":20}}', at, at,
             CASE WHEN {is_open} THEN NULL ELSE at END, at, false, false, 0, 'worker'
            FROM (SELECT n, ({of_run})::int AS s, {moment} AS at
                  FROM generate_series(0, {past.runs - 1}) AS n) AS made""",
        "run_calls": f"""
            (run_id, number, at, method, path, status, code, duration_ms, channel_request_id)
            SELECT {_id("run", "n")}, 1, {now} - {_MONTH_US}, 'GET', '/api/v3/orders', 200, 0, 120, md5(n::text)
            FROM generate_series(0, {past.runs - 1}) AS n""",
        "events": f"""
            SELECT 'tenant-' || lpad((n % {TENANTS})::text, 4, '0'), n / {TENANTS} + 1, {_id("evt", "n")},
             CASE WHEN n / {TENANTS} % 50 = 0 THEN 'run.failed' ELSE 'order.created' END,
             {_id("int", f"n % {SHOPS}")},
             {now} - {_MONTH_US} + ((n - {past.events // 5})::float8 * {_MONTH_US} / {past.events})::bigint,
             '{{"order_id":"' || {_id("ord", "n")} || '","channel_order_id":"' || left(md5(n::text), 24) || '"}}'
            FROM generate_series(0, {past.events - 1}) AS n""",
    }


def _orders(past: Past, now: int) -> dict[str, str]:
    """A year of them; the last fiftieth is not acknowledged, the last hundredth not shipped."""
    return {
        "orders": f"""
            (id, tenant, account_id, channel_order_id, transaction_id, state, state_raw, channel_updated_at,
             released_at, ship_by, currency, currency_defaulted, revenue_amount, revenue_currency,
             acknowledged_at, stored_at, sanitised, erased, version, position, digest, content, personal)
            SELECT {_id("ord", "n")}, 'tenant-' || lpad((n % {TENANTS})::text, 4, '0'),
             {_id("acc", f"n % {SHOPS}")},
             left(md5(n::text), 24), right(md5(n::text), 24),
             CASE WHEN n / {SHOPS} % 5000 = 7 THEN 'declined' WHEN n < {past.orders * 0.99:.0f} THEN 'shipped'
                  ELSE 'approved' END,
             'RAW', at, at, at + {_DAY_US}, 'GBP', false, '8.50', 'GBP',
             CASE WHEN n < {past.orders * 0.98:.0f} THEN at END, at, false, false, 1, n / {TENANTS} + 1,
             decode(left(md5(n::text), 24), 'hex'),
             '{{"lines":[{{"sku":"MUG-BLUE","channel_listing_id":"variation-1","product_id":"product-1","title":"Mug",'
             || '"options":{{"colour":"blue"}},"quantity":1,"unit_price":null,"shipping_price":null}}],'
             || '"customer_paid":null,"fulfilled_by":"merchant","tracking":[],"refunds":[]}}',
             decode(repeat(md5(n::text), 12), 'hex')
            FROM (SELECT n, {now} - 12 * {_MONTH_US} + (n::float8 * 12 * {_MONTH_US} / {past.orders})::bigint AS at
                  FROM generate_series(0, {past.orders - 1}) AS n) AS made""",
    }


async def fill(owners_url: str, past: Past) -> None:
    """Fill a database that has our schema and no rows, as its owner. Says how long each table took."""
    connection = await asyncpg.connect(owners_url)
    now = time.time_ns() // 1000
    # Referenced rows are there: they were made by the same numbers.
    await connection.execute(
        "SET session_replication_role = replica; SET maintenance_work_mem = '768MB'; SET synchronous_commit = off"
    )
    found = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = $1"
    made = _shops(past, now) | _history(past, now) | _orders(past, now)
    for table, rows in made.items():
        started = time.perf_counter()
        indexes = [row for row in await connection.fetch(found, table) if not row["indexname"].startswith("pk_")]
        # A table truncated in the same transaction is written without a log, and an index is made faster at once.
        async with connection.transaction():
            await connection.execute(f"TRUNCATE {table} CASCADE")
            for index in indexes:
                await connection.execute(f"DROP INDEX {index['indexname']}")
            await connection.execute(f"INSERT INTO {table} {rows}")
            for index in indexes:
                await connection.execute(index["indexdef"])
        size = await connection.fetchval(f"SELECT pg_size_pretty(pg_total_relation_size('{table}'))")
        print(f"  {table}: {size}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
