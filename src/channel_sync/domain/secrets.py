"""Values that must not be seen."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that never shows itself: `repr` and `str` are masked, `value` gives it out."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "***"

    @property
    def last4(self) -> str:
        """The last four characters, or nothing where that would give away more than a third."""
        return self.value[-4:] if len(self.value) >= 12 else ""
