"""What of a shop's or a tenant's stock is not as it should be, found without looking through the rest."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_glance"
down_revision = "2026_11_28_drift"
branch_labels = None
depends_on = None

_IS_UNFED = "mapping <> 'mapped'"
_IS_NOT_WRITABLE = "NOT writable"
_IS_BY_HAND = "mapped_sku IS NOT NULL"
_IS_MARKED = "push_state IN ('rejected', 'drifted', 'skipped')"
_IS_UNSETTLED = "(wanted_version > settled_version OR doubted_at IS NOT NULL)"
_IS_SKIPPED = "mapping <> 'mapped' OR NOT writable"
_CEASES = f"sent_at IS NOT NULL AND ({_IS_SKIPPED}) AND (push_state IS NULL OR push_state <> 'skipped')"
_INDEXES = (
    ("ix_listings_by_hand", ("account_id", "sku"), _IS_BY_HAND),
    ("ix_listings_unfed", ("account_id", "mapping", "id"), _IS_UNFED),
    ("ix_listings_closed", ("account_id", "mapping"), _IS_NOT_WRITABLE),
    ("ix_listings_not_writable", ("account_id", "tenant", "id"), _IS_NOT_WRITABLE),
    ("ix_listings_marked", ("account_id", "push_state", "mapping"), _IS_MARKED),
    ("ix_listings_ceasing", ("account_id", "id"), _CEASES),
    ("ix_listings_unsettled_by_sku", ("tenant", "stock_sku"), _IS_UNSETTLED),
    ("ix_listings_marked_by_sku", ("tenant", "push_state", "stock_sku"), _IS_MARKED),
    ("ix_listings_skipped_by_sku", ("tenant", "stock_sku"), _IS_SKIPPED),
)


def upgrade() -> None:
    """Add the indexes. What has ceased to be told its stock before today is nobody's news."""
    op.execute(f"UPDATE listings SET push_state = 'skipped' WHERE {_CEASES}")
    for name, columns, condition in _INDEXES:
        rows = sa.text(condition)
        op.create_index(name, "listings", list(columns), sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    """Drop them."""
    for name, _, _ in reversed(_INDEXES):
        op.drop_index(name, "listings")
