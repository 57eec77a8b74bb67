"""The role that the service has in PostgreSQL, made as the page on deployment says."""

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

_PAGE = Path(__file__).parent.parent / "docs" / "deployment.md"
_NAME, APP_PASSWORD = "channel_sync_app", "change-me"


@dataclass(frozen=True)
class AppRole:
    """A role of that kind under a name of its own: roles belong to a whole server."""

    name: str

    def statements(self) -> str:
        """What makes the role and gives it its rights in a database."""
        (block,) = re.findall(r"```sql\n(.*?)```", _PAGE.read_text(), re.DOTALL)
        assert _NAME in block
        assert APP_PASSWORD in block
        made: str = block.replace(_NAME, self.name)
        return made

    def url(self, owners: str) -> str:
        """The address of a database, as this role."""
        mine = make_url(owners).set(username=self.name, password=APP_PASSWORD)
        return mine.render_as_string(hide_password=False)
