"""What every command does first."""

import logging

from channel_sync.main.store import load_settings
from channel_sync.observability import configure_logging
from channel_sync.settings import Settings, unknown_settings

_log = logging.getLogger(__name__)


def start() -> Settings:
    """The settings, and a log as they want it, which tells of names that are none of theirs."""
    settings = load_settings()
    configure_logging(settings.log_level)
    for said in unknown_settings():
        _log.warning(said)
    return settings
