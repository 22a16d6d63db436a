"""Reads: the document of an assignment at a revision, rebuilt from checkpoint and changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from annotator.core import changes as grammar
from annotator.core import document as documents
from annotator.core.errors import NotFound
from annotator.models import Assignment, Checkpoint, Revision

EMPTY_DIGEST = documents.digest(documents.empty())
EVERY = 50  # revisions between checkpoints: bounds what one rebuild reads

# Head documents of seats at work. Documents are never altered in place, so sharing is safe; the key
# holds the digest, so an entry can be stale but never wrong.
_heads: OrderedDict[tuple[int, int, str], dict[str, Any]] = OrderedDict()
_lock = threading.Lock()
_KEPT = 64


def start_document(assignment: Assignment) -> dict[str, Any]:
    """What the seat started from: empty, or what it was handed (checkpoint 0)."""
    handed = Checkpoint.objects.filter(assignment=assignment, number=0).first()
    return handed.document if handed is not None else documents.empty()


def read_document(assignment: Assignment, number: int | None = None) -> dict[str, Any]:
    """The document after revision `number` (the head unless told). Raises NotFound beyond the head.

    Callers must not alter it.
    """
    head = assignment.revision
    number = head if number is None else number
    if not 0 <= number <= head:
        raise NotFound()
    key = (assignment.pk, number, assignment.digest)
    if number == head:
        with _lock:
            if key in _heads:
                _heads.move_to_end(key)
                return _heads[key]
    if head == 0 and assignment.digest == EMPTY_DIGEST:
        return documents.empty()
    base = Checkpoint.objects.filter(assignment=assignment, number__lte=number).order_by("-number").first()
    document, at = (base.document, base.number) if base is not None else (documents.empty(), 0)
    if at < number:
        rows = Revision.objects.filter(assignment=assignment, number__gt=at, number__lte=number).order_by(
            "number"
        )
        document = grammar.rebuild(document, list(rows.values_list("changes", flat=True)))
    if number == head:
        remember(assignment.pk, number, assignment.digest, document)
    return document


def remember(assignment_pk: int, number: int, digest: str, document: dict[str, Any]) -> None:
    """Keep a head document for the next save of the same seat."""
    with _lock:
        _heads[(assignment_pk, number, digest)] = document
        while len(_heads) > _KEPT:
            _heads.popitem(last=False)
