"""Operations that forget buyers: at once, and after the tenant's time."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictInt, StringConstraints, model_validator
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input, Timestamp, optional_timestamp
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.paging import Cursors, PageQuery
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.erasure import LONGEST_RETENTION_D, Buyer, Retention
from channel_sync.domain.errors import Invalid
from channel_sync.persistence.sql.paging import as_position

router = APIRouter(tags=["orders"], route_class=StrictRoute)
idempotent = APIRouter(tags=["orders"], route_class=IdempotentRoute)

ADMIN = requires("admin")

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ChannelOrderId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Ids = Annotated[list[Id], STOPS_EARLY, Field(min_length=1, max_length=500)]
ChannelOrderIds = Annotated[list[ChannelOrderId], STOPS_EARLY, Field(min_length=1, max_length=500)]
Known = Annotated[str | None, StringConstraints(min_length=1, max_length=300, pattern=r"\w")]


class BuyerInput(Input):
    """What is known of a buyer; all of it has to fit. Case, spaces and punctuation do not matter."""

    name: Known = None
    """The name on the address."""
    phone: Known = None
    """The telephone number on the address."""
    street_1: Known = None
    """The first line of the address."""
    postcode: Known = None
    """The postcode, beside one of the others."""

    @model_validator(mode="after")
    def _enough(self) -> "BuyerInput":
        if self.name is None and self.phone is None and self.street_1 is None:
            raise ValueError("Give `name`, `phone` or `street_1`; a postcode alone is many people's.")
        return self


class ErasureInput(Input):
    """Whose data to erase: orders and held orders by id, a buyer, or everybody.

    `ids` are ours, of orders and of held orders; `channel_order_ids` the marketplace's, in every shop. `tenant`
    erases everybody, and has to be the tenant's own name. With `buyer` and `tenant` the answer may have a
    `resume_cursor`: send the same again with it as `cursor`, until it is null.
    """

    ids: Ids | None = None
    """Our ids of orders, `ord_…`, and of held orders, `hld_…`."""
    channel_order_ids: ChannelOrderIds | None = None
    """The marketplace's ids, in every shop of the tenant."""
    buyer: BuyerInput | None = None
    """Whoever all of this fits."""
    tenant: Annotated[str | None, Field(max_length=200)] = None
    """The tenant's own name: erases everybody."""
    cursor: Annotated[str | None, Field(max_length=2048)] = None
    """The `resume_cursor` of the answer before."""

    @model_validator(mode="after")
    def _one_way(self) -> "ErasureInput":
        by_id = self.ids is not None or self.channel_order_ids is not None
        if [by_id, self.buyer is not None, self.tenant is not None].count(True) != 1:
            raise ValueError("Give ids, `buyer` or `tenant`, and one of them only.")
        if by_id and self.cursor is not None:
            raise ValueError("A `cursor` goes with `buyer` or `tenant`.")
        return self


class ErasedView(TypedDict):
    """How many orders and held orders were erased by this call, and the cursor that goes on."""

    erased: int
    held_erased: int
    resume_cursor: str | None


class RetentionInput(Input):
    """After how many days buyers are forgotten; null leaves it to the service's setting."""

    order_retention_d: Annotated[StrictInt, Field(ge=1, le=LONGEST_RETENTION_D)] | None
    """Days, or null."""


class RetentionView(TypedDict):
    """After how many days buyers are forgotten, null for never, and how far that has come.

    `own` tells whether the tenant said so. Everything older than `erased_until` is erased; the counts are of all
    that ever was, because its time had come.
    """

    order_retention_d: int | None
    own: bool
    erased_until: Timestamp | None
    orders_erased: int
    held_orders_erased: int


@idempotent.post("/orders/erase", summary="Erase buyers' personal data", dependencies=[ADMIN, IDEMPOTENT])
async def erase_orders(given: ErasureInput, caller: CurrentCaller, services: CurrentServices) -> ErasedView:
    """Addresses, tax details and the marketplace's replies are gone for good; money and skeleton stay.

    Neither a later version of an erased order nor an order that a held one becomes brings its buyer back.
    """
    erasure, tenant = services.erasure, caller.tenant
    cursors = Cursors("erasure", tenant, given.model_dump(exclude={"cursor"}), (int,))
    after = cursors.request(PageQuery(cursor=given.cursor)).after
    position = 0 if after is None else as_position(after[0])
    if given.buyer is not None:
        erased = await erasure.of_buyer(tenant, Buyer(**given.buyer.model_dump()), position)
    elif given.tenant is not None:
        if given.tenant != tenant:
            raise Invalid("wrong_tenant", "This is not the name of the tenant that is asking.", "/tenant")
        erased = await erasure.of_tenant(tenant, position)
    else:
        erased = await erasure.of(tenant, given.ids or (), given.channel_order_ids or ())
    resume_cursor = None if erased.next is None else cursors.write((erased.next,))
    return {"erased": erased.orders, "held_erased": erased.held_orders, "resume_cursor": resume_cursor}


@router.get("/settings/retention", summary="See how long buyers' data is kept", dependencies=[ADMIN])
async def get_retention(caller: CurrentCaller, services: CurrentServices) -> RetentionView:
    """The days after which shipped, refunded and declined orders lose their buyer, and how far that has come.

    They count from an order's last change that was stored; of an order that could not be used, from when it was
    first held. Open orders keep their buyer. What is due is erased within the hour, piece by piece.
    """
    async with services.database.read() as work:
        retention = await work.retentions.of(caller.tenant)
    return _view(retention, services.settings.order_retention_d)


@router.put("/settings/retention", summary="Say how long buyers' data is kept", dependencies=[ADMIN])
async def put_retention(given: RetentionInput, caller: CurrentCaller, services: CurrentServices) -> RetentionView:
    """The tenant's own time, which counts instead of the service's setting. What was erased does not come back."""
    async with services.database.begin() as work:
        await work.retentions.set_days(caller.tenant, given.order_retention_d)
        retention = await work.retentions.of(caller.tenant)
    return _view(retention, services.settings.order_retention_d)


def _view(retention: Retention, default_days: int | None) -> RetentionView:
    return {
        "order_retention_d": retention.days(default_days),
        "own": retention.own_days is not None,
        "erased_until": optional_timestamp(retention.erased_until),
        "orders_erased": retention.orders_erased,
        "held_orders_erased": retention.held_orders_erased,
    }
