"""Operations on API keys."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response, status
from pydantic import Field, model_validator
from typing_extensions import TypedDict

from channel_sync.api.http.access import CurrentCaller, requires
from channel_sync.api.http.bodies import StrictRoute
from channel_sync.api.http.fields import Input, Name, Timestamp, optional_timestamp, timestamp
from channel_sync.api.http.idempotency import IDEMPOTENT, IdempotentRoute
from channel_sync.api.http.long_lists import STOPS_EARLY
from channel_sync.api.http.paging import Cursors, Paging
from channel_sync.api.http.services import CurrentServices
from channel_sync.domain.clock import utcnow
from channel_sync.domain.ids import new_id
from channel_sync.domain.keys import PRESETS, ApiKey, Scope, key_hash, new_key
from channel_sync.domain.order_filters import Fulfilment, OrderFilter
from channel_sync.domain.orders import OrderState
from channel_sync.flows.quotas import keep_quota

router = APIRouter(tags=["api keys"], route_class=StrictRoute)
idempotent = APIRouter(tags=["api keys"], route_class=IdempotentRoute)

ADMIN = requires("admin")


class OrderFilterInput(Input):
    """What a key sees of orders where its request says neither `state` nor `fulfilment`."""

    state: OrderState | None = None
    """Only of this state."""
    fulfilment: Fulfilment | None = None
    """Only those that the merchant ships, or somebody else; with `state` approved or in_review."""


class ApiKeyInput(Input):
    """A new key with the scopes named, or with those of a preset."""

    name: Name
    """What it is for."""
    scopes: Annotated[list[Scope], STOPS_EARLY, Field(min_length=1, max_length=20)] | None = None
    """What it may do; `admin` implies all the others."""
    preset: Literal["support"] | None = None
    """`support` may read all but personal data, start runs, and verify credentials."""

    order_filter: OrderFilterInput | None = None
    """What it sees of orders where it does not say so: a consumer that only ships wants those to be shipped."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "ApiKeyInput":
        if (self.scopes is None) == (self.preset is None):
            raise ValueError("Give `scopes` or `preset`, not both.")
        return self


class OrderFilterView(TypedDict):
    """What a key sees of orders where its request says neither `state` nor `fulfilment`; null is any."""

    state: OrderState | None
    fulfilment: Fulfilment | None


class ApiKeyView(TypedDict):
    """A key as it is listed: never the key itself."""

    id: str
    name: str
    scopes: list[str]
    last4: str
    created_at: Timestamp
    revoked_at: Timestamp | None
    order_filter: OrderFilterView | None


class NewApiKeyView(ApiKeyView):
    """A new key. `key` is shown here only."""

    key: str


class ApiKeyPage(TypedDict):
    """Some keys, and the cursor that goes on."""

    items: list[ApiKeyView]
    next_cursor: str | None


@idempotent.post(
    "/api-keys", status_code=status.HTTP_201_CREATED, summary="Make an API key", dependencies=[ADMIN, IDEMPOTENT]
)
async def create_api_key(
    given: ApiKeyInput, caller: CurrentCaller, services: CurrentServices, response: Response
) -> NewApiKeyView:
    """The key, shown once: only its hash is stored.

    With an Idempotency-Key the same answer comes again for 24 hours; until then it is kept encrypted.
    """
    text, now = new_key(), utcnow()
    scopes = tuple(dict.fromkeys(given.scopes or PRESETS[given.preset or "support"]))
    wanted = _order_filter(given.order_filter)
    key = ApiKey(new_id("key", now), caller.tenant, given.name, scopes, text.last4, now, None, wanted)
    async with services.database.begin() as work:
        await work.api_keys.add(key, key_hash(text.value))
        await keep_quota(work, caller.tenant, "api_keys", services.settings.quotas.api_keys)
    response.headers["Location"] = services.settings.address.href("/api-keys")
    return {**_key_view(key), "key": text.value}


@router.get("/api-keys", summary="List API keys", dependencies=[ADMIN])
async def list_api_keys(asked: Paging, caller: CurrentCaller, services: CurrentServices) -> ApiKeyPage:
    """The tenant's keys, revoked ones too."""
    cursors = Cursors("api-keys", caller.tenant, {}, (str,))
    async with services.database.read() as work:
        page = await work.api_keys.list(caller.tenant, cursors.request(asked))
    return {"items": [_key_view(key) for key in page.items], "next_cursor": cursors.write(page.next)}


@router.delete(
    "/api-keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, summary="Revoke an API key", dependencies=[ADMIN]
)
async def revoke_api_key(key_id: str, caller: CurrentCaller, services: CurrentServices) -> None:
    """The key stops working within a second, on every replica. Doing it again changes nothing."""
    async with services.database.begin() as work:
        await work.api_keys.revoke(caller.tenant, key_id, utcnow())


def _order_filter(given: OrderFilterInput | None) -> OrderFilter | None:
    if given is None:
        return None
    wanted = OrderFilter(given.state, given.fulfilment)
    wanted.check(pointer="/order_filter/fulfilment")
    return wanted


def _key_view(key: ApiKey) -> ApiKeyView:
    wanted = key.order_filter
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "last4": key.last4,
        "created_at": timestamp(key.created_at),
        "revoked_at": optional_timestamp(key.revoked_at),
        "order_filter": None if wanted is None else {"state": wanted.state, "fulfilment": wanted.fulfilment},
    }
