"""The carriers that a marketplace takes, asked of it once a day through a shop that is connected."""

from datetime import timedelta

from channel_sync.domain.calls import CallContext, Priority
from channel_sync.domain.carriers import FRESH_FOR, KEPT_FOR, Carriers, carrier_named, folded, near_misses
from channel_sync.domain.channel import Environment
from channel_sync.domain.clock import utcnow
from channel_sync.domain.errors import ChannelError, Conflict, NotFound, UnknownCarrier
from channel_sync.domain.integrations import Integration, Status, must_be_runnable
from channel_sync.flows.grants.shops import Shops
from channel_sync.persistence.database import Database
from channel_sync.persistence.integrations import IntegrationQuery
from channel_sync.persistence.sql.paging import PageRequest


class CarrierLists:
    """Carriers of every marketplace. Any `ChannelError` where it cannot be asked and never was."""

    def __init__(self, database: Database, shops: Shops) -> None:
        self._database = database
        self._shops = shops

    async def all(self, tenant: str, channel: str, country: str | None, integration_id: str | None) -> Carriers:
        """The marketplace's carriers, or those that confirm delivery in a country. `Conflict` without a shop."""
        integration = await self._asked_through(tenant, channel, integration_id)
        return await self._of(integration, country, KEPT_FOR)

    async def name(self, integration: Integration, country: str | None, given: str) -> str:
        """The marketplace's name for what the tenant calls a carrier.

        `UnknownCarrier` with those that may have been meant. A marketplace that cannot be asked is told what was
        given, and decides itself.
        """
        async with self._database.read() as work:
            words = await work.carriers.aliases(integration.tenant, integration.channel)
        aliases = {word.key: word.carrier for word in words}
        names: tuple[str, ...] = ()
        # A name that is not there may have come since.
        for not_older_than in (KEPT_FOR, FRESH_FOR):
            try:
                names = (await self._of(integration, country, not_older_than)).names
            except ChannelError:
                break
            found = carrier_named(given, names, aliases)
            if found is not None:
                return found
        if names:
            raise UnknownCarrier(near_misses(given, names, aliases))
        return aliases.get(folded(given), given)

    async def _of(self, integration: Integration, country: str | None, not_older_than: timedelta) -> Carriers:
        place = (integration.channel, integration.environment, country)
        async with self._database.read() as work:
            kept = await work.carriers.listed(*place)
        if kept is not None and not kept.is_older(not_older_than, utcnow()):
            return kept
        try:
            return await self._read(integration, place)
        except ChannelError:
            if kept is None:
                raise
            return kept

    async def _read(self, integration: Integration, place: tuple[str, Environment, str | None]) -> Carriers:
        shop = self._shops.connect(integration, CallContext(Priority.INTERACTIVE))
        names = await shop.call(lambda shop: shop.carriers(place[2]))
        found = Carriers(names, utcnow())
        async with self._database.begin() as work:
            await work.carriers.keep(*place, found)
        return found

    async def _asked_through(self, tenant: str, channel: str, integration_id: str | None) -> Integration:
        async with self._database.read() as work:
            if integration_id is not None:
                integration = await work.integrations.get(tenant, integration_id)
                if integration.channel != channel:
                    raise NotFound("integration")
                must_be_runnable(integration, integration.id)
                return integration
            query = IntegrationQuery(channel, Status.ACTIVE)
            page = await work.integrations.list(tenant, query, PageRequest(1, None))
        if not page.items:
            raise Conflict("not_connected", "The marketplace can only be asked through a shop that is connected.")
        return page.items[0]


class CarrierNames:
    """The marketplace's names for the carriers of one call, each looked for once however many parcels it has."""

    def __init__(self, lists: CarrierLists) -> None:
        self._lists = lists
        self._found: dict[tuple[str, str | None, str], str | UnknownCarrier] = {}

    async def of(self, integration: Integration, country: str | None, given: str) -> str:
        """As `CarrierLists.name`."""
        key = (integration.id, country, given)
        if key not in self._found:
            try:
                self._found[key] = await self._lists.name(integration, country, given)
            except UnknownCarrier as unknown:
                self._found[key] = unknown
        found = self._found[key]
        if isinstance(found, UnknownCarrier):
            raise found
        return found
