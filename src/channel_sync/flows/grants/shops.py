"""The way from an integration to its shop."""

from collections.abc import Mapping
from dataclasses import dataclass

from channel_sync.domain.calls import CallContext
from channel_sync.domain.channel import Channel
from channel_sync.domain.integrations import Integration
from channel_sync.flows.grants.service import Grants, ShopConnection


@dataclass(frozen=True, slots=True)
class Shops:
    """Every marketplace we know, and the grants that open its shops."""

    grants: Grants
    channels: Mapping[str, Channel]

    def connect(self, integration: Integration, context: CallContext) -> ShopConnection:
        """The integration's shop; nothing is called yet."""
        return ShopConnection(self.grants, self.channels[integration.channel], integration.id, context)
