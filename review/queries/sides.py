"""Reads: the annotations that a task's round came to, and whose they are.

Side keys (A, B, C…) stand in a random order that the task's seed decides, so that they tell nothing of who
was first or which slot somebody had.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from annotator import blobs
from annotator.core.document import part_digests
from annotator.models import Assignment, Task
from annotator.queries.documents import read_document
from review.models import Dispute

KEYS = "ABCDEFGHIJ"


@lru_cache(maxsize=512)
def part_bytes(digest: str) -> bytes:
    """A mask part, kept for the next comparison: parts are immutable."""
    return blobs.read(digest)


def label_seats(task: Task) -> list[Assignment]:
    """The submitted label seats of the task's round, by slot."""
    return list(
        Assignment.objects.filter(task=task, round=task.round, stage="label", state="submitted")
        .select_related("schema")
        .order_by("slot")
    )


def shuffled(task: Task, seats: list[Assignment]) -> dict[str, Assignment]:
    """Side key -> seat, in the order that the task's seed draws for this round."""

    def rank(seat: Assignment) -> bytes:
        text = f"sides:{task.round}:{seat.public_id}"
        return hmac.new(task.seed.encode(), text.encode(), hashlib.sha256).digest()

    return dict(zip(KEYS, sorted(seats, key=rank), strict=False))


def side_documents(dispute: Dispute) -> dict[str, dict[str, Any]]:
    """Side key -> document, exactly those that were compared (submissions are never altered)."""
    ids = {side["assignment"]: side["key"] for side in dispute.sides}
    seats = Assignment.objects.filter(public_id__in=list(ids))
    return {ids[seat.public_id]: read_document(seat) for seat in seats}


def side_parts(dispute: Dispute) -> set[str]:
    """All raster parts of all sides, which the arbiter's seat may read."""
    found: set[str] = set()
    for document in side_documents(dispute).values():
        found |= part_digests(document)
    return found


def without_origin(document: dict[str, Any]) -> dict[str, Any]:
    """A copy in which no region tells how it was made: the arbiter and the checker learn it after they
    decided.

    The key stays, since a region always has one; it says "drawn" for all.
    """
    regions = {name: {**region, "origin": {"kind": "drawn"}} for name, region in document["regions"].items()}
    return {**document, "regions": regions}
