"""The platform's own applications, as the settings have them at this moment."""

import logging
from collections.abc import Callable, Mapping
from time import monotonic

from channel_sync.channels.registry import MARKETPLACES
from channel_sync.domain.channel import App, Environment
from channel_sync.settings import Settings, SettingsError, read_settings, secrets_state

_log = logging.getLogger(__name__)

# A secret that was exchanged is used so soon. At the marketplace the one before works until it is deleted there.
LOOK_EVERY_S = 5.0


class PlatformAppsOfSettings:
    """Applications by marketplace and environment. Settings that cannot be read change nothing.

    They are read anew when the secrets folder is not as it was: a look at it takes microseconds, they take many
    milliseconds, in which nothing else would be done.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings] = read_settings,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._state = secrets_state()
        self._apps = _apps(settings)
        self._looked_at = clock()

    def find(self, channel: str, environment: Environment) -> App | None:
        """The application at a marketplace as it is set now."""
        if self._clock() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = self._clock()
            self._look()
        return self._apps.get((channel, environment))

    def _look(self) -> None:
        before, self._state = self._state, secrets_state()
        if self._state == before:
            return
        try:
            self._apps = _apps(self._read())
        except SettingsError as error:
            _log.error("The platform's applications stay as they were: %s", error)


def _apps(settings: Settings) -> Mapping[tuple[str, Environment], App]:
    return {
        (one.type, environment): app
        for one in MARKETPLACES.values()
        for environment, app in one.apps(settings).items()
    }
