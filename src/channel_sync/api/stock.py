"""Operations on stock: set levels, send them again, and see where each of them is on its way to the listings."""

from fastapi import APIRouter

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.paging import Cursors
from channel_sync.api.http.services import CurrentServices
from channel_sync.api.stock_schemas import (
    Filters,
    PushAnswers,
    PushInput,
    StockAnswers,
    StockAnswerView,
    StockInput,
    StockLevelView,
    StockPage,
)
from channel_sync.api.stock_view import level_views
from channel_sync.domain.stock import StockItem as Wanted

router = APIRouter(tags=["stock"], route_class=StrictRoute)
idempotent = APIRouter(tags=["stock"], route_class=IdempotentRoute)

READ = requires("stock:read")
WRITE = requires("stock:write")


@router.put("/stock", summary="Set stock levels", dependencies=[WRITE])
async def put_stock(given: StockInput, caller: CurrentCaller, services: CurrentServices) -> StockAnswers:
    """A result per item. One SKU feeds every listing mapped to it; one without a listing waits for one."""
    wanted = [Wanted(item.sku, item.available, item.revision, item.warehouse) for item in given.items]
    answers = await services.put_stock.put(caller.tenant, wanted, given.counted_orders)
    views: list[StockAnswerView] = []
    for answer in answers:
        view: StockAnswerView = {"sku": answer.sku, "result": answer.result, "version": answer.version}
        if answer.code is not None:
            view["code"] = answer.code
        views.append(view)
    return {"items": views}


@idempotent.post("/stock/push", summary="Send stock levels again", dependencies=[WRITE, IDEMPOTENT])
async def push_stock(given: PushInput, caller: CurrentCaller, services: CurrentServices) -> PushAnswers:
    """An answer per SKU. Its level is sent once more to every listing that it feeds, whatever stands there now."""
    answers = await services.put_stock.push_again(caller.tenant, given.skus)
    return {"items": [{"sku": one.sku, "result": one.result, "listings": one.listings} for one in answers]}


@router.get("/stock", summary="List stock levels", dependencies=[READ])
async def list_stock(asked: Filters, caller: CurrentCaller, services: CurrentServices) -> StockPage:
    """The tenant's levels by SKU, each with its listings."""
    cursors = Cursors("stock", caller.tenant, asked.filters(), (str,))
    async with services.database.read() as work:
        page = await work.stock.list(caller.tenant, cursors.request(asked), asked.sku, asked.state)
        views = await level_views(work, services.channels, caller.tenant, page.items)
    return {"items": views, "next_cursor": cursors.write(page.next)}


@router.get("/stock/{sku:path}", summary="Show where a stock level is", dependencies=[READ])
async def get_stock(sku: str, caller: CurrentCaller, services: CurrentServices) -> StockLevelView:
    """The level that is wanted, and per listing whether it arrived, and if not, why."""
    async with services.database.read() as work:
        level = await work.stock.get(caller.tenant, sku)
        (view,) = await level_views(work, services.channels, caller.tenant, [level])
    return view
