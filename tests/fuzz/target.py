"""What one operation is aimed at: real ids, and things of its own where it uses them up or changes them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from zlib import crc32

from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from tests.fuzz.ground import Runtime
from tests.live_shop import LiveShop

# Every so many generated ids are sent as they are: well-formed, but of nothing that exists.
LEFT_ALONE = 8


@dataclass
class Target:
    """The operation of one test. `statuses` collects what it answered."""

    ground: Runtime
    statuses: set[int] = field(default_factory=set)
    operation_id: str = ""

    def aim(self, case: Case) -> None:
        """Turn the well-formed ids and credentials of a case into real ones."""
        self.operation_id = case.operation.definition.raw["operationId"]
        self._aim_path(case)
        if _is_good(case, ParameterLocation.QUERY):
            self._aim_query(case)
        if self.operation_id == "paste_credentials" and _is_good(case, ParameterLocation.BODY):
            self._aim_credentials(case)
        if self.operation_id == "refund_order" and _is_good(case, ParameterLocation.BODY):
            self._aim_refund(case)

    def _aim_path(self, case: Case) -> None:
        if not _is_good(case, ParameterLocation.PATH):
            return
        for name, value in case.path_parameters.items():
            if crc32(str(value).encode()) % LEFT_ALONE:
                case.path_parameters[name] = self._id(name)

    def _id(self, name: str) -> str:
        """A real id: one that is new for each call, of this operation alone, or shared by all."""
        if fresh := self._fresh.get(self.operation_id):
            return fresh()
        return self._own_integration[0] if name == "integration_id" else self.ground.ids[name]

    @property
    def _fresh(self) -> dict[str, Callable[[], str]]:
        """Things that the operation uses up."""
        return {
            "remove_integration": lambda: str(self.ground.draft()["id"]),
            "restore_integration": self.ground.removed,
            "revoke_api_key": self.ground.spare_key,
            "refund_order": lambda: self._order_to_refund,
            "cancel_run": lambda: self.ground.started_run(self._own_integration[0]),
        }

    @cached_property
    def _own_integration(self) -> tuple[str, LiveShop]:
        return self.ground.connected()

    @cached_property
    def _order_to_refund(self) -> str:
        return self.ground.fresh_order()

    def _aim_query(self, case: Case) -> None:
        real = {"integration_id": self.ground.ids["integration_id"], "after": self.ground.ids["event_id"]}
        real |= {"ticket": self.ground.ticket()} if "ticket" in case.query else {}
        # A long poll is a wait by design.
        real["wait_s"] = "0"
        case.query.update({name: real[name] for name in case.query if name in real})

    def _aim_credentials(self, case: Case) -> None:
        shop = self._own_integration[1]
        pair = {"client_id": shop.client_id, "merchant_id": shop.merchant_id}
        granted = shop.control("POST", "/grants", **pair)
        case.body = {
            "client_id": shop.client_id,
            "client_secret": shop.client_secret,
            "access_token": granted["access_token"],
            "refresh_token": granted["refresh_token"],
        }

    def _aim_refund(self, case: Case) -> None:
        """A reason that the marketplace allows, but for some that it has never heard of."""
        if isinstance(case.body, dict) and crc32(str(case.body.get("reason")).encode()) % LEFT_ALONE:
            case.body["reason"] = "MERCHANT_OUT_OF_STOCK"


def copies(case: Case, number: int) -> list[Case]:
    """So many of the case, each to be aimed by itself."""
    return [
        Case(
            case.operation,
            case.method,
            case.path,
            path_parameters=deepcopy(case.path_parameters),
            headers=deepcopy(case.headers),
            cookies=deepcopy(case.cookies),
            query=deepcopy(case.query),
            body=deepcopy(case.body),
            media_type=case.media_type,
            multipart_content_types=case.multipart_content_types,
            meta=deepcopy(case.meta),
        )
        for _ in range(number)
    ]


def _is_good(case: Case, place: ParameterLocation) -> bool:
    """Whether this part of the case was meant to fit the contract."""
    part = case.meta.components.get(place) if case.meta else None
    return part is not None and part.mode is GenerationMode.POSITIVE
