"""The people and things that tests speak of: lead, ann1, ann2, expert, checker, stranger, a project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from annotator.core import document as documents
from annotator.core.canonical import digest
from annotator.core.ids import new_id
from annotator.models import (
    Account,
    Asset,
    Assignment,
    Batch,
    Item,
    ItemAsset,
    Member,
    Prelabel,
    PrelabelSet,
    Project,
    SchemaVersion,
    Task,
    WorkflowVersion,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

SCHEMA: dict[str, Any] = {
    "format": 1,
    "title": {"en": "Coins", "zh": "硬币"},
    "controls": [
        {
            "name": "objects",
            "kind": "regions",
            "shapes": ["box", "polygon", "mask"],
            "asset": "image",
            "title": {"en": "Objects", "zh": "目标"},
            "labels": "all",
        },
        {
            "name": "quality",
            "kind": "choice",
            "title": {"en": "Quality", "zh": "质量"},
            "required": False,
            "options": [{"name": "good", "title": "Good"}, {"name": "bad", "title": "Bad"}],
        },
    ],
    "labels": [
        {
            "name": "coin",
            "title": {"en": "Coin", "zh": "硬币"},
            "color": "#d62728",
            "hotkey": "1",
            "class": "A",
            "attributes": [],
        },
        {
            "name": "scratch",
            "title": {"en": "Scratch", "zh": "划痕"},
            "color": "#1f77b4",
            "hotkey": "2",
            "class": "B",
            "attributes": [{"name": "deep", "kind": "flag", "title": "Deep", "required": False}],
        },
    ],
    "constraints": [],
    "guideline": {"version": 1, "text": "Draw each coin."},
}
TEXT_SCHEMA: dict[str, Any] = {
    "format": 1,
    "title": "Messages",
    "controls": [
        {
            "name": "names",
            "kind": "regions",
            "shapes": ["span"],
            "asset": "text",
            "title": "Names",
            "labels": "all",
        },
        {
            "name": "intent",
            "kind": "choice",
            "title": "Intent",
            "required": True,
            "options": [{"name": "ask", "title": "Ask"}, {"name": "tell", "title": "Tell"}],
        },
    ],
    "labels": [
        {"name": "place", "title": "Place", "color": "#2ca02c", "hotkey": "1", "class": "B", "attributes": []}
    ],
    "constraints": [],
    "guideline": {"version": 1, "text": ""},
}
WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slots": 2,
    "slots_share": 1.0,
    "lease_s": 1800,
    "grace_s": 120,
    "park_s": 86400,
    "skip_per_day": 20,
    "compare": {"iou": 0.85, "edge_px": 2, "match_iou": 0.5, "class_a_to": "expert", "class_bc_to": "expert"},
    "add_person": {"enabled": False, "max": 3},
    "check": None,
    "return_h": 24,
    "show_accepted": False,
    "expose_ok": False,
    "prelabels": "shown",
    "shown_fields": ["external_key"],
    "use_lots": False,
    "appeal_days": 7,
}


@dataclass
class World:
    """One project with its people. `item()` adds an item with its task."""

    project: Project
    schema: SchemaVersion
    workflow: WorkflowVersion
    batch: Batch
    people: dict[str, Account]
    kind: str = "image"
    n: int = 0
    items: list[Item] = field(default_factory=list)

    def __getattr__(self, name: str) -> Account:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def member(self, account: Account) -> Member:
        return Member.objects.select_related("project").get(project=self.project, account=account)

    def item(
        self, key: str | None = None, *, text: str | None = None, slots: int | None = None, priority: int = 0
    ) -> Task:
        """One item with one picture of 640 x 480 (a row only: no file) or one text, and its task."""
        from annotator.actions.steps.seats import rank_of

        self.n += 1
        key = key or f"item-{self.n:05d}"
        raw = text if text is not None else f"Message {self.n} from Paris 巴黎 😀."
        asset = Asset.objects.create(
            project=self.project,
            sha256=hashlib.sha256(key.encode()).hexdigest(),
            name=f"{key}.png",
            kind=self.kind,
            media_type="image/png" if self.kind == "image" else "text/plain",
            size=len(raw),
            state="ready",
            width=640 if self.kind == "image" else None,
            height=480 if self.kind == "image" else None,
            text=raw if self.kind == "text" else None,
            created_at=NOW,
        )
        item = Item.objects.create(
            project=self.project, batch=self.batch, external_key=key, group=key, created_at=NOW
        )
        ItemAsset.objects.create(item=item, asset=asset, role=self.kind, position=0)
        self.items.append(item)
        return Task.objects.create(
            project=self.project,
            item=item,
            batch=self.batch,
            workflow=self.workflow,
            n_slots=slots or self.workflow.document["slots"],
            order=self.n,
            rank=rank_of(priority, self.n),
            priority=priority,
            seed=hashlib.sha256(f"{self.project.seed}{key}".encode()).hexdigest(),
            changed_at=NOW,
        )

    def prelabel(
        self, task: Task, boxes: list[tuple[float, float, float, float]], label: str = "coin"
    ) -> Prelabel:
        asset = task.item.item_assets.get().asset
        made = PrelabelSet.objects.create(
            project=self.project, source="rule:blob.v1", version="1", created_at=NOW
        )
        regions = {r["id"]: r for r in (box(asset.public_id, *b, label=label) for b in boxes)}
        return Prelabel.objects.create(set=made, item=task.item, regions=regions, score=0.5)


def box(asset: str, x0: float, y0: float, x1: float, y1: float, label: str = "coin") -> dict[str, Any]:
    """A box region with a new id."""
    return {
        "id": new_id("r"),
        "shape": "box",
        "label": label,
        "geometry": {"x0": x0, "y0": y0, "x1": x1, "y1": y1},
        "attributes": {},
        "asset": asset,
        "origin": {"kind": "drawn"},
    }


def add(region: dict[str, Any]) -> dict[str, Any]:
    """The change that adds a region."""
    return {"op": "add", "region": region}


def make_world(kind: str = "image", **workflow: Any) -> World:
    """A project with lead, two (or more) annotators, checker, expert, importer, viewer; and a stranger."""
    people = {
        name: Account.objects.create_user(name, f"password-of-{name}")
        for name in ("lead", "ann1", "ann2", "ann3", "checker", "expert", "importer", "viewer", "stranger")
    }
    project = Project.objects.create(
        title="Coins",
        created_by=people["lead"],
        created_at=timezone.now(),
        seed=hashlib.sha256(b"seed").hexdigest(),
    )
    document = SCHEMA if kind == "image" else TEXT_SCHEMA
    schema = SchemaVersion.objects.create(
        project=project,
        number=1,
        document=document,
        digest=digest(document),
        created_by=people["lead"],
        created_at=NOW,
    )
    flow = WorkflowVersion.objects.create(
        project=project, number=1, document=WORKFLOW | workflow, created_by=people["lead"], created_at=NOW
    )
    project.schema, project.workflow = schema, flow
    project.save()
    roles = {
        "lead": "lead",
        "ann1": "annotator",
        "ann2": "annotator",
        "ann3": "annotator",
        "checker": "checker",
        "expert": "expert",
        "importer": "importer",
        "viewer": "viewer",
    }
    for name, role in roles.items():
        Member.objects.create(project=project, account=people[name], roles=[role], joined_at=NOW)
    batch = Batch.objects.create(project=project, name="first", created_at=NOW)
    return World(project, schema, flow, batch, people, kind)


@pytest.fixture
def world(db: Any) -> World:
    """A picture project, two slots a task."""
    return make_world()


@pytest.fixture
def single(db: Any) -> World:
    """A picture project, one slot a task."""
    return make_world(slots=1)


@pytest.fixture
def text_world(db: Any) -> World:
    """A text project, one slot a task."""
    return make_world("text", slots=1)


def claim(world: World, who: Account, stage: str = "label", **options: Any) -> Assignment | None:
    """Claim through the verb; the seat with all that saving needs, or None."""
    from annotator.actions.claim_task import claim_task
    from annotator.queries.work import seat_of

    answer = claim_task(actor=who, project=world.project, member=_member(world, who), stage=stage, **options)
    return seat_of(who, answer["assignment"]) if answer["assignment"] else None


def _member(world: World, who: Account) -> Member:
    member = world.member(who)
    member.account = who
    world.project.refresh_from_db()
    return member


def save(seat: Assignment, changes: list[Any], *, submit: bool = False, **options: Any) -> dict[str, Any]:
    """Save (or submit) through the verb at the seat's revision; refreshes the seat."""
    from annotator.actions.save_annotation import save_annotation
    from annotator.queries.work import seat_of

    fresh = seat_of(seat.account, seat.public_id)
    assert fresh is not None
    fields = {"token": fresh.token, "if_revision": fresh.revision, "parts": {}, "active_ms": 1000} | options
    answer = save_annotation(actor=seat.account, seat=fresh, changes=changes, submit=submit, **fields)
    seat.refresh_from_db()
    return answer


def api(who: Account | None) -> Any:
    """A DRF client signed in as this person (session, without CSRF checks)."""
    from rest_framework.test import APIClient

    client = APIClient()
    if who is not None:
        client.force_login(who)
    return client


EMPTY = documents.empty()
