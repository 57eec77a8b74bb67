"""Applications that the platform has at marketplaces: one for all its sellers, who then need none of their own."""

from typing import Final, Protocol

from channel_sync.domain.channel import App, Environment
from channel_sync.domain.errors import ChannelUnavailable


class PlatformApps(Protocol):
    """The platform's applications, read when they are needed: their secrets change while we run."""

    def find(self, channel: str, environment: Environment) -> App | None:
        """The application at a marketplace as it is set now, where the platform has one."""
        ...


class _NoPlatformApps:
    def find(self, channel: str, environment: Environment) -> App | None:
        return None


NO_PLATFORM_APPS: Final[PlatformApps] = _NoPlatformApps()


class PlatformAppMissing(ChannelUnavailable):
    """The platform's application is not set any more, or is another one; the operator has to see to it."""

    def __init__(self) -> None:
        super().__init__(
            "platform_app_missing", "The platform's application is not set, or is another one.", did_nothing=True
        )


def platform_app(apps: PlatformApps, channel: str, environment: Environment, client_id: str) -> App:
    """The platform's application of this id; `PlatformAppMissing` where it is not there now."""
    app = apps.find(channel, environment)
    if app is None or app.client_id != client_id:
        raise PlatformAppMissing
    return app


class PlatformAppRejected(ChannelUnavailable):
    """The marketplace refuses the platform's application. No merchant can help; the operator has to see to it."""

    def __init__(self, request_id: str | None = None) -> None:
        super().__init__(
            "platform_app_rejected",
            "The marketplace does not accept the platform's application.",
            request_id=request_id,
            did_nothing=True,
        )
