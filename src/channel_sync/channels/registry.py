"""Every marketplace. A new one is a folder beside this file, an entry here and a base of the settings beside it.

The process that reads pages imports this, too, so an entry imports what opens it only when it is opened.
"""

from collections.abc import Mapping

from channel_sync.channels.marketplace import Marketplace
from channel_sync.channels.wish.marketplace import WISH
from channel_sync.domain.reply_dictionary import ReplyDictionary

MARKETPLACES: Mapping[str, Marketplace] = {one.type: one for one in (WISH,)}


def dictionaries() -> Mapping[str, tuple[ReplyDictionary, ...]]:
    """What replies are stored with, by the type of their marketplace."""
    return {one.type: one.dictionaries for one in MARKETPLACES.values()}
