"""What Wish tells with an order of a change that it carries out (published v3 document 3.0.65, July 2026)."""

from channel_sync.channels.wish.order_shape import WishOrder
from channel_sync.domain.order_progress import ChangeKind, OrderProgress, Progress

_KINDS = {"UPDATE_TRACKING": ChangeKind.DISPATCH, "REFUND": ChangeKind.REFUND}
_PROGRESS = {"IN_PROGRESS": Progress.RUNNING, "SUCCEEDED": Progress.DONE, "FAILED": Progress.FAILED}


def progress_of(wish: WishOrder) -> OrderProgress | None:
    """The newest change; nothing where Wish leaves it empty, as it did before there were changes."""
    progress = _PROGRESS.get(wish.processing_status or "")
    return None if progress is None else OrderProgress(_KINDS.get(wish.processing_source or ""), progress)
