"""What every walk along the cursor would notice anew, told when it begins and when it ends."""

from channel_sync.domain.incidents import IncidentKind
from channel_sync.flows.incidents import tell_whether
from channel_sync.flows.runs.session import RunSession


class WalkIncident:
    """Tells of one kind of incident while there is one; a walk along the cursor, being open, always meets it."""

    def __init__(self, kind: IncidentKind) -> None:
        self._kind = kind
        # Integrations that this process has seen without an incident: their walks need not ask for one again.
        self._in_order: set[str] = set()

    async def note(self, session: RunSession, found: bool) -> None:
        """After a whole walk: begin the incident, or end it."""
        integration_id = session.integration.id
        if found:
            self._in_order.discard(integration_id)
        elif integration_id in self._in_order:
            return
        await tell_whether(session, self._kind, found)
        if not found:
            self._in_order.add(integration_id)
