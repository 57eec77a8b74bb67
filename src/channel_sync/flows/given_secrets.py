"""What a person may hand over as credentials."""

from channel_sync.domain.errors import Invalid
from channel_sync.domain.secrets import Secret, is_mask


def check_secret(secret: Secret | None, pointer: str) -> None:
    """`Invalid` for an empty text and for a mask sent back; nothing given is fine."""
    if secret is not None and (not secret.value or is_mask(secret.value)):
        raise Invalid("secret_masked", "An empty or masked value is not a secret.", pointer)


def check_name(text: str | None, pointer: str) -> None:
    """`Invalid` for a blank text; nothing given is fine."""
    if text is not None and not text.strip():
        raise Invalid("blank", "This must not be blank.", pointer)
