"""Pulled news: each subscriber has a cursor row a chain and an idempotent handler.

The handler reads, computes outside any transaction, then writes its result together with
`advance()` in one verb that checks again the state that it read. A signal after commit only rings
the bell; `tick` is called by the io worker after each ring and at least each second.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from annotator.contributions import Subscriber, site
from annotator.models import ChainHead, Event, NewsCursor

log = logging.getLogger("concord.news")
PAGE = 500


def advance(name: str, chain: str, seq: int) -> None:
    """Step: move a subscriber's cursor forward (never back). Inside the handler's own verb."""
    changed = NewsCursor.objects.filter(name=name, chain=chain).update(seq=seq)
    if not changed:
        NewsCursor.objects.create(name=name, chain=chain, seq=seq)


def _behind(name: str) -> list[tuple[str, int]]:
    """Chains with events after the subscriber's cursor: (chain, cursor)."""
    mine = NewsCursor.objects.filter(name=name, chain=OuterRef("chain")).values("seq")[:1]
    rows = ChainHead.objects.annotate(at=Coalesce(Subquery(mine), 0)).filter(seq__gt=F("at"))
    return list(rows.values_list("chain", "at"))


def pull(subscriber: Subscriber) -> bool:
    """Give the subscriber what it has not read; returns True when there was something."""
    from annotator.actions.verb import writing

    some = False
    for chain, at in _behind(subscriber.name):
        page: list[Any] = list(Event.objects.filter(chain=chain, seq__gt=at).order_by("seq")[:PAGE])
        if not page:
            continue
        some = True
        wanted = [e for e in page if e.verb in subscriber.verbs]
        if wanted:
            subscriber.handle(chain, wanted)
        with writing(actor=None):
            advance(subscriber.name, chain, page[-1].seq)
    return some


def tick() -> bool:
    """One round over all subscribers."""
    some = False
    for subscriber in list(site.subscribers):
        some = pull(subscriber) or some
    return some
