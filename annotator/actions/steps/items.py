"""Steps: assets and items with their tasks, written whole: an item is in the queue only with all its files and fields.

Demands an open transaction. One item is one task, one event; what a task draws (slots, arm, holdout) follows from the
project's seed and the item's key or group, so that the same import into the same project draws the same.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from annotator.actions.steps import bulk, events
from annotator.actions.steps.prelabels import NewPrelabel, insert_prelabels
from annotator.actions.steps.seats import rank_of, rewind_cursors
from annotator.core.errors import Invalid
from annotator.core.ids import new_ids
from annotator.models import Asset, Batch, Item, ItemAsset, Project, Task
from annotator.models.item import asset_id

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

TEXT_IN_ROW = 64 * 2**10
"""Bytes up to which a text lives in its row; longer ones are blobs."""
HOLDOUT_SHARE = 0.1
BATCH_NAME_CHARS = 200

_ITEM = ("id", "public_id", "project_id", "batch_id", "external_key", "group", "metadata", "tags", "source",
         "origin", "holdout", "use", "created_at")  # fmt: skip
_ITEM_ASSET = ("id", "item_id", "asset_id", "role", "position")
_TASK = ("id", "public_id", "project_id", "item_id", "batch_id", "workflow_id", "schema_id", "state", "state_before",
         "round", "n_slots", "n_taken", "n_submitted", "claimable", "priority", "order", "rank", "score", "arm",
         "seed", "pinned", "pinned_at", "due_at", "stuck", "check_level", "reason", "changed_at")  # fmt: skip
_ASSET = ("id", "public_id", "project_id", "sha256", "name", "kind", "media_type", "size", "width", "height", "text",
          "state", "reason", "created_at")  # fmt: skip


@dataclass(slots=True)
class AssetRow:
    """What an import keeps in mind of an asset."""

    id: int
    public_id: str
    sha256: str
    kind: str
    width: int | None
    height: int | None
    text: str | None = None


@dataclass(slots=True)
class NewItem:
    """One item to be stored; assets as (role, asset) in order."""

    key: str
    assets: list[tuple[str, AssetRow]]
    group: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    priority: int | None = None
    set_id: int | None = None
    set_source: str = ""
    regions: dict[str, Any] | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    score: float | None = None


def draw(seed: str, what: str) -> float:
    """A number in [0, 1) that a seed decides for a named question (as `states.chance` does for a task)."""
    return int.from_bytes(hmac.digest(seed.encode(), what.encode(), "sha256")[:7]) / 2**56


def find_batch(w: Writing, project: Project, name: str) -> Batch:
    """The batch of this name; made when there is none. Raises Invalid for a name that is none."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= BATCH_NAME_CHARS:
        raise Invalid("bad_name", "A batch has a name of 1 to 200 characters.", field="batch")
    batch, made = Batch.objects.get_or_create(project=project, name=name, defaults={"created_at": w.now})
    if made:
        w.event(project.public_id, "batch.created", batch.public_id)
    return batch


def store_texts(w: Writing, project: Project, texts: dict[str, tuple[str, str]]) -> dict[str, AssetRow]:
    """Text assets by digest: {sha256: (name, text)} -> rows, those there already included."""
    found = {
        a.sha256: AssetRow(a.pk, a.public_id, a.sha256, a.kind, None, None, texts[a.sha256][1])
        for a in Asset.objects.filter(project=project, sha256__in=list(texts))
    }
    new = [(sha, *texts[sha]) for sha in texts if sha not in found]
    ids = bulk.reserve_ids(Asset, len(new))
    rows = []
    for pk, (sha, name, text) in zip(ids, new, strict=True):
        public = asset_id()
        size = len(text.encode())
        kept = text if size <= TEXT_IN_ROW else None
        rows.append(
            (
                pk,
                public,
                project.pk,
                sha,
                name,
                "text",
                "text/plain",
                size,
                None,
                None,
                kept,
                "ready",
                "",
                w.now,
            )
        )
        found[sha] = AssetRow(pk, public, sha, "text", None, None, text)
    bulk.insert(Asset, _ASSET, rows)
    return found


def store_items(
    w: Writing, project: Project, batch: Batch, items: list[NewItem], *, first_row: int = 0
) -> list[tuple[int, str, str]]:
    """Items, their assets, tasks and prelabels, one event each. Returns (row id, item id, task id) in order.

    The keys must be new (the caller looked, under the same write lock).
    """
    if not items:
        return []
    if project.workflow is None:
        raise Invalid("no_workflow", "The project has no workflow.")
    flow = project.workflow.document
    slots, share = int(flow.get("slots", 2)), float(flow.get("slots_share", 1.0))
    arm = str(flow.get("prelabels", "shown"))
    holdout_share = float(flow.get("holdout_share", HOLDOUT_SHARE))
    use = "pilot" if batch.kind == "pilot" else "normal"
    order = Task.objects.filter(project=project).aggregate(n=Max("order"))["n"] or 0
    item_ids, task_ids = bulk.reserve_ids(Item, len(items)), bulk.reserve_ids(Task, len(items))
    publics, task_publics = new_ids("i", len(items)), new_ids("t", len(items))
    proposals = iter(new_ids("pl", len(items)))
    link_ids = iter(bulk.reserve_ids(ItemAsset, sum(len(i.assets) for i in items)))
    item_rows: list[Any] = []
    task_rows: list[Any] = []
    link_rows: list[Any] = []
    logged: list[Any] = []
    prelabels: list[NewPrelabel] = []
    made: list[tuple[int, str, str]] = []
    lowest: int | None = None
    for at, (item, pk, task_pk) in enumerate(zip(items, item_ids, task_ids, strict=True)):
        public, task_public = publics[at], task_publics[at]
        order += 1
        seed = hashlib.sha256(f"{project.seed}:{item.key}".encode()).hexdigest()
        n_slots = slots if share >= 1 or draw(seed, "slots") < share else 1
        holdout = draw(project.seed, f"holdout:{item.group or item.key}") < holdout_share
        priority = batch.priority if item.priority is None else item.priority
        rank = rank_of(priority, order)
        item_rows.append((pk, public, project.pk, batch.pk, item.key, item.group, item.metadata, item.tags,
                          item.source, item.origin or {"kind": "real"}, holdout, use, w.now))  # fmt: skip
        task_rows.append((task_pk, task_public, project.pk, pk, batch.pk, project.workflow_id, None, "ready", "",
                          1, n_slots, 0, 0, True, priority, order, rank, item.score, arm,
                          seed, [], None, None, "", 0, "", w.now))  # fmt: skip
        for position, (role, asset) in enumerate(item.assets):
            link_rows.append((next(link_ids), pk, asset.id, role, position))
        data: dict[str, Any] = {"batch": batch.public_id, "assets": [a.public_id for _, a in item.assets]}
        if first_row:
            data["row"] = first_row + at
        if item.regions is not None and item.set_id is not None:
            proposal = next(proposals)
            prelabels.append(NewPrelabel(item.set_id, pk, item.regions, item.answers, item.score, proposal))
            data["prelabel"] = proposal
        logged.append(("item.imported", public, task_public, data))
        made.append((pk, public, task_public))
        if priority > 0:
            lowest = rank if lowest is None else min(lowest, rank)
    bulk.insert(Item, _ITEM, item_rows)
    bulk.insert(ItemAsset, _ITEM_ASSET, link_rows)
    bulk.insert(Task, _TASK, task_rows)
    if prelabels:
        insert_prelabels(prelabels)
    events.append_bulk(w, project.public_id, logged)
    # A new item stands behind all others of its priority; only a raised one can lie before somebody's cursor.
    if lowest is not None:
        rewind_cursors(project, lowest)
    return made
