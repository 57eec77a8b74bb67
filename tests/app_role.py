"""The role that the service has in PostgreSQL, made as the page on deployment says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

_PAGE = Path(__file__).parent.parent / "docs" / "deployment.md"
_NAME, APP_PASSWORD = "channel_sync_app", "change-me"
_OF_THE_OWNER = "FOR ROLE channel_sync "


def blocks_of_the_page() -> Sequence[str]:
    """What makes the role, and what gives it its rights in a database; to the letter."""
    makes_role, gives_rights = re.findall(r"```sql\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    return makes_role, gives_rights


@dataclass(frozen=True)
class AppRole:
    """A role of that kind under a name of its own: roles belong to a whole server."""

    name: str

    def statements(self, owner: str) -> str:
        """What makes the role and gives it its rights in a database of that owner."""
        block = "".join(blocks_of_the_page())
        assert _NAME in block
        assert APP_PASSWORD in block
        assert _OF_THE_OWNER in block
        return block.replace(_NAME, self.name).replace(_OF_THE_OWNER, f"FOR ROLE {owner} ")

    def url(self, owners: str) -> str:
        """The address of a database, as this role."""
        mine = make_url(owners).set(username=self.name, password=APP_PASSWORD)
        return mine.render_as_string(hide_password=False)
