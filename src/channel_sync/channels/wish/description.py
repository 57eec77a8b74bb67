"""What a seller sees of Wish before there is a connection."""

from importlib.resources import files

from channel_sync.channels.wish.currencies import CURRENCIES
from channel_sync.domain.channel import ChannelDescription

REQUIRED_SCOPES = frozenset({"merchant:read", "orders:read", "products:read", "products:write"})

# After Wish's guide for private apps (merchantfaq.wish.com 360034132014): such an app belongs to one merchant, is
# made in that merchant's dashboard, and a scope that is added later counts only after another consent.
_SETUP_STEPS = (
    "Sign in to the Wish Merchant Dashboard as the owner of the shop.",
    "Open the account menu, choose Settings, then API Settings.",
    "Choose to create a private app and give it a name you will recognise.",
    "Paste our redirect URL, shown next to these steps, into the app's Redirect URI field exactly as it is.",
    f"Grant the app these scopes: {', '.join(sorted(REQUIRED_SCOPES))}.",
    "Better granted now, too: orders:write, to report dispatch and refunds, and webhook:read and webhook:write, "
    "to hear of changes at once. All three are optional, but a scope added later needs your consent once more.",
    "Save the app, then copy its client id and its client secret into this form.",
    "Open the link that you are given, in the browser in which you are signed in to Wish. "
    "Choose Continue to Wish, and allow the app to use your shop.",
)


# With the app of the platform, which Wish calls a public one.
_CONSENT_STEPS = (
    "Open the link that you are given, in the browser in which you are signed in to Wish as the shop's owner.",
    "Choose Continue to Wish, and allow the app to use your shop.",
    "Back on our page see that it names your shop, and choose Connect this shop.",
)


def wish_description() -> ChannelDescription:
    """Name, logo, credentials and steps of the Wish channel."""
    return ChannelDescription(
        type="wish",
        name="Wish",
        logo_svg=files("channel_sync.channels.wish").joinpath("logo.svg").read_bytes(),
        credential_fields=("client_id", "client_secret"),
        currencies=CURRENCIES,
        setup_steps=_SETUP_STEPS,
        consent_steps=_CONSENT_STEPS,
    )
