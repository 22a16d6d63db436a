"""Reads: the event chain of a project, for the API and the page."""

from __future__ import annotations

from typing import Any

from annotator.models import Account, ChainHead, Event

FIELDS = ("seq", "at", "actor", "verb", "object", "task", "data", "request", "prev", "digest")


def after(chain: str, seq: int, limit: int, task: str = "") -> list[dict[str, Any]]:
    """Events after `seq`, oldest first."""
    rows = Event.objects.filter(chain=chain, seq__gt=seq)
    if task:
        rows = rows.filter(task=task)
    return list(rows.order_by("seq").values(*FIELDS)[:limit])


def newest(
    chain: str, limit: int, before: int | None = None, task: str = "", verb: str = ""
) -> list[dict[str, Any]]:
    """Events before `before`, newest first."""
    rows = Event.objects.filter(chain=chain)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    if task:
        rows = rows.filter(task=task)
    if verb:
        rows = rows.filter(verb=verb)
    return list(rows.order_by("-seq").values(*FIELDS)[:limit])


def names_of(actors: set[str]) -> dict[str, str]:
    """{public id: shown name}; the log itself holds ids only."""
    return {a.public_id: a.shown_name for a in Account.objects.filter(public_id__in=actors)}


def head_of(chain: str) -> tuple[int, str]:
    """(number, digest) of the last event."""
    head = ChainHead.objects.filter(chain=chain).first()
    return (head.seq, head.digest) if head else (0, "")
