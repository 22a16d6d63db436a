"""Reads: assets and items as lists, with a closed set of filters, cursors and totals.

Lists go through the task: it carries state, score and queue order, each with an index that begins with the project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Left, StrIndex

from annotator.core.errors import Invalid
from annotator.core.times import iso
from annotator.models import STATES, Asset, Batch, Item, ItemAsset, Member, Project, SavedView, Task

EXACT_UP_TO = 100_000
"""Items of a project up to which totals are exact; beyond, they are counted up to CAP."""
CAP = 10_000
MAX_IDS = 10_000
SNIPPET = 160
"""Characters of a text that a list shows."""
SORTS = ("order", "-order", "newest", "score", "-score")
FILTERS = ("state", "tag", "batch", "contains")
MORE_STATES = ("stuck",)


def asset_body(asset: Asset) -> dict[str, Any]:
    """An asset as whoever manages files sees it."""
    return {
        "id": asset.public_id,
        "name": asset.name,
        "state": asset.state,
        "kind": asset.kind,
        "sha256": asset.sha256,
        "size": asset.size,
        "width": asset.width,
        "height": asset.height,
        "reason": asset.reason,
        "media_type": asset.media_type,
        "created_at": iso(asset.created_at),
    }


@dataclass(frozen=True)
class ItemFilter:
    """Which items; empty means all. `ids` is for bulk actions only."""

    state: str = ""
    tag: str = ""
    batch: str = ""
    contains: str = ""
    ids: tuple[str, ...] | None = None

    @staticmethod
    def read(given: Mapping[str, Any]) -> ItemFilter:
        """From query parameters or a body's object. Raises Invalid for what is not in the closed list."""
        fields: dict[str, Any] = {}
        for name in given:
            if name not in FILTERS:
                raise Invalid(
                    "unknown_filter",
                    "Items are not filtered by this.",
                    field=str(name),
                    cure="Known: " + ", ".join(FILTERS) + ".",
                )
        for name in FILTERS:
            value = given.get(name, "")
            if not isinstance(value, str) or len(value) > 200 or "\x00" in value:
                raise Invalid("bad_filter", "A filter is a text of at most 200 characters.", field=name)
            fields[name] = value
        if fields["state"] and fields["state"] not in STATES + MORE_STATES:
            raise Invalid(
                "unknown_state", "There is no such state.", field="state", allowed=[*STATES, *MORE_STATES]
            )
        return ItemFilter(**fields)

    @property
    def plain(self) -> bool:
        """No filter at all."""
        return not (self.state or self.tag or self.batch or self.contains or self.ids is not None)

    def as_dict(self) -> dict[str, str]:
        """What is set."""
        return {name: getattr(self, name) for name in FILTERS if getattr(self, name)}

    def tasks(self, project: Project) -> QuerySet[Task]:
        """The tasks of the matching items, in no order."""
        found = Task.objects.filter(project=project)
        if self.ids is not None:
            found = found.filter(item__public_id__in=self.ids)
        if self.state == "stuck":
            found = found.exclude(stuck="")
        elif self.state:
            found = found.filter(state=self.state)
        if self.batch:
            found = found.filter(batch__in=Batch.objects.filter(project=project, public_id=self.batch))
        if self.contains:
            found = found.filter(item__external_key__icontains=self.contains)
        if self.tag:
            found = _tagged(found, self.tag, "item__tags")
        return found

    def count(self, project: Project, total: int) -> tuple[int, bool]:
        """(how many, whether that is capped); `total` is the project's number of tasks."""
        if self.plain:
            return total, False
        if self.contains and not (self.state or self.tag or self.batch) and self.ids is None:
            # the index of keys alone answers this
            found: QuerySet[Any] = Item.objects.filter(project=project, external_key__icontains=self.contains)
        else:
            found = self.tasks(project)
        if total <= EXACT_UP_TO:
            return found.count(), False
        n = found.order_by().values("pk")[: CAP + 1].count()
        return min(n, CAP), n > CAP


def _tagged(found: QuerySet[Any], tag: str, path: str) -> QuerySet[Any]:
    if connection.vendor == "postgresql":
        return found.filter(**{f"{path}__contains": [tag]})
    # SQLite keeps the list as text: the tag in its JSON form, quotes included, stands in it or does not
    place = StrIndex(Cast(F(path), TextField()), Value(json.dumps(tag)))
    return found.alias(tag_at=place).filter(tag_at__gt=0)


_COLUMNS = (
    "public_id", "state", "round", "n_slots", "n_taken", "n_submitted", "priority", "order", "score", "stuck",
    "reason", "arm", "changed_at", "item_id", "item__public_id", "item__external_key", "item__group", "item__tags",
    "item__holdout", "item__use", "item__created_at", "batch__public_id", "batch__name",
)  # fmt: skip


def list_items(
    project: Project,
    wanted: ItemFilter,
    *,
    sort: str = "order",
    cursor: list[Any] | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """(rows, next cursor). Rows carry their first picture for a grid. Raises Invalid for a bad sort or cursor."""
    if sort not in SORTS:
        raise Invalid(
            "unknown_sort",
            "Items are not sorted by this.",
            field="sort",
            cure="Known: " + ", ".join(SORTS) + ".",
        )
    found = wanted.tasks(project).select_related("batch")
    rows = _by_score(found, sort, cursor, limit) if "score" in sort else _by_order(found, sort, cursor, limit)
    following: list[Any] | None = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = rows[-1]
        following = [sort, last["score"], last["order"]] if "score" in sort else [sort, last["order"]]
    assets = _first_assets([row["item_id"] for row in rows])
    return [_item_body(row, assets.get(row["item_id"], [])) for row in rows], following


def _bad_cursor() -> Invalid:
    return Invalid(
        "bad_cursor", "This cursor was not made by this list.", field="cursor", cure="Start without a cursor."
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise _bad_cursor()
    return value


def _by_order(found: QuerySet[Task], sort: str, cursor: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    down = sort != "order"
    if cursor is not None:
        if len(cursor) != 2 or cursor[0] != sort:
            raise _bad_cursor()
        at = _whole(cursor[1])
        found = found.filter(order__lt=at) if down else found.filter(order__gt=at)
    return list(found.order_by("-order" if down else "order").values(*_COLUMNS)[: limit + 1])


def _by_score(found: QuerySet[Task], sort: str, cursor: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """Scored items first, then those without a score by order. Two ranges of one index, so no sort in memory."""
    down = sort == "-score"
    scored, bare = found.filter(score__isnull=False), found.filter(score__isnull=True)
    in_bare = False
    if cursor is not None:
        if len(cursor) != 3 or cursor[0] != sort:
            raise _bad_cursor()
        at = _whole(cursor[2])
        score = cursor[1]
        if score is None:
            in_bare = True
            bare = bare.filter(order__lt=at) if down else bare.filter(order__gt=at)
        elif isinstance(score, bool) or not isinstance(score, int | float):
            raise _bad_cursor()
        elif down:
            scored = scored.filter(Q(score__lt=score) | Q(score=score, order__lt=at), score__lte=score)
        else:
            scored = scored.filter(Q(score__gt=score) | Q(score=score, order__gt=at), score__gte=score)
    sign = "-" if down else ""
    rows: list[dict[str, Any]] = []
    if not in_bare:
        rows = list(scored.order_by(f"{sign}score", f"{sign}order").values(*_COLUMNS)[: limit + 1])
    if len(rows) <= limit:
        rows += list(bare.order_by(f"{sign}order").values(*_COLUMNS)[: limit + 1 - len(rows)])
    return rows


def _first_assets(item_pks: list[int]) -> dict[int, list[dict[str, Any]]]:
    links = ItemAsset.objects.filter(item_id__in=item_pks).order_by("item_id", "position")
    rows = links.values_list(
        "item_id", "role", "asset__public_id", "asset__kind", "asset__name", "asset__width", "asset__height",
        "asset__size", Left("asset__text", SNIPPET),
    )  # fmt: skip
    found: dict[int, list[dict[str, Any]]] = {}
    for item_pk, role, public, kind, name, width, height, size, snippet in rows:
        asset = {
            "id": public, "role": role, "kind": kind, "name": name, "width": width, "height": height, "size": size,
            "url": f"/api/assets/{public}/file",
        }  # fmt: skip
        if snippet is not None:
            asset["snippet"] = snippet
        found.setdefault(item_pk, []).append(asset)
    return found


def _item_body(row: dict[str, Any], assets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["item__public_id"],
        "key": row["item__external_key"],
        "group": row["item__group"],
        "tags": row["item__tags"],
        "holdout": row["item__holdout"],
        "use": row["item__use"],
        "batch": {"id": row["batch__public_id"], "name": row["batch__name"]},
        "created_at": iso(row["item__created_at"]),
        "assets": assets,
        "task": {
            "id": row["public_id"],
            "state": row["state"],
            "round": row["round"],
            "slots": row["n_slots"],
            "taken": row["n_taken"],
            "submitted": row["n_submitted"],
            "priority": row["priority"],
            "score": row["score"],
            "stuck": row["stuck"],
            "reason": row["reason"],
            "arm": row["arm"],
            "changed_at": iso(row["changed_at"]),
        },
    }


def task_body(task: Task) -> dict[str, Any]:
    """One task with its seats, for a lead."""
    row = Task.objects.filter(pk=task.pk).values(*_COLUMNS).get()
    body = _item_body(row, _first_assets([row["item_id"]]).get(row["item_id"], []))
    seats = task.assignments.select_related("account").order_by("id")
    body["seats"] = [
        {"id": s.public_id, "stage": s.stage, "round": s.round, "slot": s.slot, "state": s.state,
         "account": {"id": s.account.public_id, "name": s.account.shown_name}, "revision": s.revision,
         "shown": s.shown, "exposed": s.exposed, "claimed_at": iso(s.claimed_at), "saved_at": iso(s.saved_at),
         "submitted_at": iso(s.submitted_at), "lease_until": iso(s.lease_until), "active_ms": s.active_ms}
        for s in seats
    ]  # fmt: skip
    body["metadata"], body["source"], body["origin"] = task.item.metadata, task.item.source, task.item.origin
    return body


def project_total(project: Project) -> int:
    """Tasks of the project (an index range)."""
    return Task.objects.filter(project=project).count()


def tags_of(project: Project, limit: int = 50) -> list[str]:
    """Tags in use, by name; looked for in the newest 2,000 items, so that a page needs no scan of all."""
    newest = Item.objects.filter(project=project).order_by("-id").values_list("tags", flat=True)[:2000]
    return sorted({tag for tags in newest for tag in tags})[:limit]


def saved_views(member: Member) -> list[dict[str, Any]]:
    """The member's own views, by name."""
    return list(SavedView.objects.filter(member=member).order_by("name").values("name", "filter", "sort"))
