"""Verbs: keep and drop a member's own view of the list of items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid, NotFound
from annotator.models import Account, Member, SavedView
from annotator.queries.items import SORTS, ItemFilter

MAX_VIEWS = 50


def keep_view(
    *,
    actor: Account,
    member: Member,
    name: str,
    wanted: ItemFilter,
    sort: str,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Store a view under its name, over an older one of that name. Own matters of a member: no event."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise Invalid("bad_name", "A view has a name of 1 to 100 characters.", field="name")
    if sort not in SORTS:
        raise Invalid("unknown_sort", "Items are not sorted by this.", field="sort")
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        known = SavedView.objects.filter(member=member)
        if not known.filter(name=name).exists() and known.count() >= MAX_VIEWS:
            raise Conflict("too_many_views", "You have as many views as are kept.", limit=MAX_VIEWS)
        SavedView.objects.update_or_create(
            member=member, name=name, defaults={"filter": wanted.as_dict(), "sort": sort}
        )
        return w.answer({"name": name, "filter": wanted.as_dict(), "sort": sort}, 201)  # type: ignore[no-any-return]


def drop_view(
    *, actor: Account, member: Member, name: str, now: datetime | None = None, request: str = ""
) -> None:
    """Remove a view. Raises NotFound."""
    with writing(actor=actor, now=now, request=request):
        if not SavedView.objects.filter(member=member, name=name).delete()[0]:
            raise NotFound()
