"""What a seller sees of Wish before there is a connection."""

from importlib.resources import files

from channel_sync.channels.wish.currencies import CURRENCIES
from channel_sync.domain.channel import ChannelDescription

# After section 2.1 of wish-v3.md: a private app belongs to one merchant and is made in that merchant's dashboard.
_SETUP_STEPS = (
    "Sign in to the Wish Merchant Dashboard as the owner of the shop.",
    "Open the account menu, choose Settings, then API Settings.",
    "Choose to create a private app and give it a name you will recognise.",
    "Paste our redirect URL, shown next to these steps, into the app's Redirect URI field exactly as it is.",
    "Grant the app these scopes: merchant:read, orders:read, products:read, products:write.",
    "Save the app, then copy its client id and its client secret into this form.",
    "Press Connect, and confirm at Wish that the app may use your shop. Stay signed in at Wish meanwhile.",
)

REQUIRED_SCOPES = frozenset({"merchant:read", "orders:read", "products:read", "products:write"})


def wish_description() -> ChannelDescription:
    """Name, logo, credentials and steps of the Wish channel."""
    return ChannelDescription(
        type="wish",
        name="Wish",
        logo_svg=files("channel_sync.channels.wish").joinpath("logo.svg").read_bytes(),
        credential_fields=("client_id", "client_secret"),
        currencies=CURRENCIES,
        setup_steps=_SETUP_STEPS,
    )
