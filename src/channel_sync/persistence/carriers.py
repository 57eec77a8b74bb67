"""The carriers that marketplaces name, as they were read last, and what tenants call them."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, select

from channel_sync.domain.carriers import CarrierAlias, Carriers
from channel_sync.domain.channel import Environment
from channel_sync.persistence.engine.session import Session
from channel_sync.persistence.sql.dispatch_tables import carrier_aliases, carrier_lists

_list = carrier_lists.c
_alias = carrier_aliases.c
# Of a list of all carriers.
_EVERYWHERE = ""


class CarrierRepository:
    """Lists of every marketplace, and every tenant's words."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def listed(self, channel: str, environment: Environment, country: str | None) -> Carriers | None:
        """The marketplace's list, of a country or of all carriers; nothing where it was never read."""
        key = (
            _list.channel == channel,
            _list.environment == environment,
            _list.country == (country or _EVERYWHERE),
        )
        row = await self._session.row(select(_list.names, _list.read_at).where(*key))
        return None if row is None else Carriers(*row)

    async def keep(self, channel: str, environment: Environment, country: str | None, found: Carriers) -> None:
        """Keep what was read."""
        values = {"names": found.names, "read_at": found.read_at}
        key = {"channel": channel, "environment": environment, "country": country or _EVERYWHERE}
        await self._session.execute(
            self._session.insert(carrier_lists)
            .values(key | values)
            .on_conflict_do_update(index_elements=list(key), set_=values)
        )

    async def aliases(self, tenant: str, channel: str) -> list[CarrierAlias]:
        """The tenant's words for the marketplace's carriers, in their order."""
        mine = (_alias.tenant == tenant, _alias.channel == channel)
        rows = await self._session.rows(select(_alias.alias, _alias.carrier).where(*mine).order_by(_alias.key))
        return [CarrierAlias(*row) for row in rows]

    async def set_aliases(self, tenant: str, channel: str, aliases: Sequence[CarrierAlias]) -> None:
        """Let these be the tenant's words, and no others; of two that are the same the last one counts."""
        mine = (_alias.tenant == tenant, _alias.channel == channel)
        await self._session.execute(delete(carrier_aliases).where(*mine))
        rows = {one.key: {"tenant": tenant, "channel": channel, "key": one.key} | asdict(one) for one in aliases}
        if rows:
            fresh = self._session.insert(carrier_aliases)
            # Somebody else may be setting them at the same moment.
            ours = {name: fresh.excluded[name] for name in ("alias", "carrier")}
            key = ["tenant", "channel", "key"]
            upsert = fresh.on_conflict_do_update(index_elements=key, set_=ours)
            await self._session.execute(upsert, list(rows.values()))
