"""The platform's own application at a marketplace, as a test sets it."""

from dataclasses import dataclass, field, replace

from channel_sync.domain.channel import App, Environment
from channel_sync.domain.secrets import Secret

CLIENT_ID = "platform-1"
SECRET = "s3cret-of-the-platform"


def an_app(client_id: str = CLIENT_ID, secret: str = SECRET) -> App:
    """The platform's application."""
    return App(client_id, Secret(secret), Environment.PRODUCTION, of_platform=True)


@dataclass
class SetApps:
    """Implements `domain.platform_apps.PlatformApps`: one application, at Wish's production unless told."""

    app: App | None = field(default_factory=an_app)
    channel: str = "wish"
    environment: Environment = Environment.PRODUCTION

    def find(self, channel: str, environment: Environment) -> App | None:
        return self.app if (channel, environment) == (self.channel, self.environment) else None

    def rotate(self, secret: str) -> None:
        """The application has another secret from now on."""
        assert self.app is not None
        self.app = replace(self.app, client_secret=Secret(secret))
