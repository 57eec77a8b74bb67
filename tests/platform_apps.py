"""The platform's own application at a marketplace, as a test sets it."""

from dataclasses import dataclass, field, replace

from tests.connecting import TENANT, Desk, ticket_of

from channel_sync.domain.channel import App, Environment
from channel_sync.domain.integrations import Integration
from channel_sync.domain.secrets import Secret
from channel_sync.flows.connecting.authorise import NewIntegration

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


async def a_draft(desk: Desk, tenant: str = TENANT, name: str = "Mugs") -> tuple[Integration, str]:
    """A draft for which nothing but channel and name was given, and its ticket."""
    new = NewIntegration(channel="wish", name=name, default_currency="GBP")
    draft, invitation = await desk.authorise.begin(tenant, new)
    return draft, ticket_of(invitation.authorise_url)


async def connected(desk: Desk, merchant_id: str = "m1", tenant: str = TENANT) -> Integration:
    draft, ticket = await a_draft(desk, tenant)
    assert (await desk.arrive(ticket, merchant_id)).error is None
    return await desk.read(draft.id)
