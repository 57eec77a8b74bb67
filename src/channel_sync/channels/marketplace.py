"""What the service is told of a marketplace: how to open it, and how to read its pages in another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

    from channel_sync.channels.settings import ChannelSettings
    from channel_sync.domain.budgets import SharedBudget
    from channel_sync.domain.channel import App, Channel, Environment
    from channel_sync.domain.orders import OrderPage, UnreadPage
    from channel_sync.domain.reply_dictionary import ReplyDictionary


@dataclass(frozen=True, slots=True)
class Opening:
    """What a marketplace is opened with. `concurrency` calls at once are all that the transport bears.

    A `shared` budget is that of all our processes.
    """

    settings: ChannelSettings
    transport: httpx.AsyncBaseTransport
    concurrency: int
    shared: SharedBudget | None


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One entry of the registry.

    `apps` are the platform's own applications there, as they are set; their secrets may be others a moment later.
    `addresses` are where the operator says that it is, and so may be on a private network. `read_page` needs
    neither settings nor a client: the process that reads large pages has none. Of the `dictionaries` the first
    makes its replies small, those behind it open what they made once.
    """

    type: str
    addresses: Callable[[ChannelSettings], Mapping[Environment, str]]
    apps: Callable[[ChannelSettings], Mapping[Environment, App]]
    open: Callable[[Opening], Channel]
    read_page: Callable[[UnreadPage], OrderPage]
    dictionaries: tuple[ReplyDictionary, ...] = ()
