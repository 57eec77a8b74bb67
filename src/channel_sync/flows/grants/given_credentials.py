"""What a person may hand over as credentials."""

from channel_sync.domain.channel import ChannelDescription
from channel_sync.domain.errors import Invalid
from channel_sync.domain.secrets import MoreCredentials, Secret, is_mask

# Every application has these. What else a marketplace wants is given and kept beside them.
_USUAL = ("client_id", "client_secret", "access_token", "refresh_token")


def check_secret(secret: Secret | None, pointer: str) -> None:
    """`Invalid` for an empty text and for a mask sent back; nothing given is fine."""
    if secret is not None and (not secret.value or is_mask(secret.value)):
        raise Invalid("secret_masked", "An empty or masked value is not a secret.", pointer)


def check_pair(client_id: str | None, client_secret: Secret | None) -> tuple[str, Secret]:
    """An application's id and secret; `Invalid` where one of them is missing."""
    if client_id is None:
        raise Invalid("client_id_needed", "This needs the id of the application.", "/client_id")
    if client_secret is None:
        raise Invalid("client_secret_needed", "This needs the secret of the application.", "/client_secret")
    return client_id, client_secret


def check_name(text: str | None, pointer: str) -> None:
    """`Invalid` for a blank text; nothing given is fine."""
    if text is not None and not text.strip():
        raise Invalid("blank", "This must not be blank.", pointer)


def more_fields(channel: ChannelDescription) -> tuple[str, ...]:
    """The credential fields that this marketplace has and others have not."""
    return tuple(name for name in channel.credential_fields if name not in _USUAL)


def check_more(more: MoreCredentials, channel: ChannelDescription) -> None:
    """`Invalid` unless these are all the further fields of the marketplace, and usable."""
    wanted = more_fields(channel)
    for name in wanted:
        if name not in dict(more):
            raise Invalid("blank", f"{channel.name} needs this.", f"/more_credentials/{name}")
    for name, one in more:
        if name not in wanted:
            raise Invalid("not_for_this_kind", f"{channel.name} has no such field.", "/more_credentials")
        check_secret(one, f"/more_credentials/{name}")
