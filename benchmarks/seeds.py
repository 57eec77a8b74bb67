"""Integrations put straight into a database, for there are more of them than one would connect one by one."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from tests.processes import Deployment

from channel_sync.domain.channel import Environment, Grant
from channel_sync.domain.ids import new_id
from channel_sync.domain.integrations import Account, Integration, IntegrationSettings
from channel_sync.domain.runs import RunKind
from channel_sync.domain.secrets import Secret
from channel_sync.persistence.database import Database, UnitOfWork
from channel_sync.persistence.engine.tenancy import for_tenant
from channel_sync.persistence.rows.encryption import Cipher, parse_keys

TENANT = "acme"
_AT_ONCE = 500


async def connected_shops(deployment: Deployment, number: int) -> None:
    """So many active integrations whose orders are due in an hour, and nothing else."""
    keys = deployment.settings["CHANNEL_SYNC_ENCRYPTION_KEYS"]
    database = Database(deployment.settings["CHANNEL_SYNC_DATABASE_URL"], Cipher(parse_keys(keys)))
    await database.initialise_key()
    for first in range(0, number, _AT_ONCE):
        with for_tenant(TENANT):
            async with database.begin() as work:
                for place in range(first, min(number, first + _AT_ONCE)):
                    await _connect(work, place)
    # As PostgreSQL does by itself within a minute; until then it reads whole tables to find fifty rows.
    async with database.session() as session:
        await session.execute(text("ANALYZE"))
    await database.close()


def access_token(place: int) -> str:
    """What the shop at that place calls Wish with."""
    return f"access-token-{place:06}"


async def _connect(work: UnitOfWork, place: int) -> None:
    now = datetime.now(UTC)
    merchant_id = f"merchant-{place:06}"
    account = Account(
        id=new_id("acc", now),
        tenant=TENANT,
        channel="wish",
        environment=Environment.SANDBOX,
        merchant_id=merchant_id,
        client_id="app",
        integration_id=None,
        shop_name=None,
        order_cursor=now,
        listings_at=now,
    )
    integration = Integration(
        id=new_id("int", now),
        tenant=TENANT,
        channel="wish",
        environment=Environment.SANDBOX,
        name=f"Shop {place:06}",
        client_id="app",
        client_secret_last4="",
        client_secret_updated_at=now,
        created_at=now,
        updated_at=now,
        status_since=now,
        orders_from=now,
        settings=IntegrationSettings(),
        default_currency="USD",
        activated_at=now,
        account_id=account.id,
    )
    grant = Grant(
        access_token=Secret(access_token(place)),
        refresh_token=Secret(f"refresh-token-{place:06}"),
        expires_at=now + timedelta(days=30),
        merchant_id=merchant_id,
        scopes=("order:read",),
    )
    await work.accounts.add(account)
    await work.integrations.add(integration, Secret("secret-of-the-app"))
    await work.accounts.attach(account.id, integration.id, "app", None)
    await work.accounts.move_cursor(account.id, now)
    await work.credentials.store_grant(integration.id, grant, 0)
    await work.schedules.set_next(integration.id, RunKind.ORDERS, now + timedelta(hours=1))
