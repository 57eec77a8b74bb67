"""Automated Listing Review: a change waits here until Wish approves or blocks it."""

from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from wish_simulator.clock import TimeSuffix, written
from wish_simulator.documents import Document


@dataclass
class Review:
    id: str
    created_ms: int
    proposal: Document
    status: Literal["APPROVED", "BLOCKED", "UNDER_REVIEW"] = "UNDER_REVIEW"

    @property
    def product_id(self) -> str:
        product_id: str = self.proposal["id"]
        return product_id

    def document(self, suffix: TimeSuffix) -> Document:
        document = {
            "id": self.id,
            "product_id": self.product_id,
            "status": self.status,
            "created_at": written(self.created_ms, suffix),
            "product_dict": self.proposal,
        }
        if self.status == "BLOCKED":
            document["blocking_reason"] = "The listing does not meet the listing policy"
        return document


def a_review(proposal: Document, created_ms: int) -> Review:
    return Review(str(uuid4()), created_ms, proposal)
