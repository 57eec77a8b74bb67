"""Values that must not be seen, and what is shown in their place."""

import re
from dataclasses import dataclass, field

MASK = "***"

# With some of the first or last characters, as others show it.
_ANY_MASK = re.compile(r"[*•●∙·…\s]+|.{0,4}[*•●∙·…]{2,}.{0,4}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that never shows itself: `repr` and `str` are masked, `value` gives it out."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return MASK

    @property
    def last4(self) -> str:
        """The last four characters, or nothing where that would give away more than a third."""
        return self.value[-4:] if len(self.value) >= 12 else ""


def is_mask(text: str) -> bool:
    """Whether this is what somebody was shown in place of a secret."""
    return _ANY_MASK.fullmatch(text) is not None


# Credentials by the name of their field.
MoreCredentials = tuple[tuple[str, Secret], ...]
