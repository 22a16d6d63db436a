"""Steps of a run: the one loop in which a rule or a model prelabels a project's items, and what it writes.

Only tasks whose round has not begun are prelabelled: a set that arrives later would not be shown. Everything
proposed goes
through `clean`. Written in pages, each fenced by the job's token; a job that is taken up again goes on where
it was.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import F

from annotator import blobs
from annotator.actions.steps.prelabels import NewPrelabel, open_set, store_prelabels
from annotator.actions.verb import writing
from annotator.core import document as documents
from annotator.core.errors import ConcordError, TooLarge
from annotator.core.ids import new_id
from annotator.models import OPEN_STATES, Asset, Prelabel, PrelabelSet, Project, Task
from prelabel.core.cleaning import clean
from prelabel.models import ModelVersion, RuleRun, RuleVersion
from prelabel.queries import inputs

if TYPE_CHECKING:
    from annotator.jobs import Ticket
    from prelabel.core.samples import Proposal, Sample

PAGE = 100
PAGE_S = 2.0


@dataclass
class Proposer:
    """What proposes: where its proposals come from, what it looks at, and how a batch of samples becomes
    proposals."""

    source: str
    version: str
    input: str
    shapes: tuple[str, ...]
    propose: Callable[[Sequence[Sample]], list[Proposal]]
    rule: RuleVersion | None = None
    model: ModelVersion | None = None
    batch: int = 8
    blocked_items: set[int] = field(default_factory=set)
    blocked_groups: set[str] = field(default_factory=set)


def prelabel_waiting(ticket: Ticket, project: Project, by: Proposer) -> dict[str, Any]:
    """Prelabels every task that waits; returns what was written, dropped and skipped, with reasons."""
    run = _run_of(ticket, project, by)
    schema = project.schema.document if project.schema else {}
    role = inputs.role_for(schema, by.shapes) if by.shapes else None
    skipped: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    waiting = _waiting(project, run.set, by, skipped)
    total = len(waiting)
    page: list[NewPrelabel] = []
    written = regions = 0
    since = time.monotonic()
    ticket.progress(0, total, "", force=True)
    for start in range(0, total, by.batch):
        chunk = waiting[start : start + by.batch]
        assets = inputs.assets_for([pk for pk, _key in chunk], by.input, role)
        ready: list[tuple[int, Asset, Sample]] = []
        for pk, key in chunk:
            asset = assets.get(pk)
            if asset is None:
                skipped["no_asset"] += 1
                continue
            try:
                ready.append((pk, asset, _loaded(key, asset)))
            except TooLarge:
                skipped["too_large"] += 1
            except ConcordError:
                skipped["unreadable"] += 1
        proposals = by.propose([sample for _pk, _asset, sample in ready]) if ready else []
        for (pk, asset, sample), raw in zip(ready, proposals, strict=True):
            proposal = clean(
                raw, schema=schema, width=asset.width or 0, height=asset.height or 0, text=sample.text
            )
            dropped.update(proposal.dropped)
            if proposal.dropped.get("out_of_memory"):
                continue  # no prelabel at all is not the same as "nothing found"
            page.append(_proposed(run.set_id, pk, asset, proposal, by.source))
            regions += len(proposal.regions)
        if len(page) >= PAGE or time.monotonic() - since > PAGE_S:
            written += _write(ticket, project, by, run, page, dropped)
            page, since = [], time.monotonic()
        ticket.progress(start + len(chunk), total, "")
    written += _write(ticket, project, by, run, page, dropped)
    ticket.progress(total, total, "", force=True)
    return {
        "items": written,
        "regions": regions,
        "dropped": dict(sorted(dropped.items())),
        "skipped": dict(sorted(skipped.items())),
    }


def _run_of(ticket: Ticket, project: Project, by: Proposer) -> RuleRun:
    """The run of this version, one row a version: a later job (or try) goes on in it and adds to its counts.

    A version gives the same proposals each time, so an item that has its proposal is not prelabelled again.
    """
    with writing(actor=ticket.job.created_by) as w:
        ticket.fence()
        into = open_set(w, project, by.source, by.version)
        run = RuleRun.objects.select_related("set").filter(set=into).first()
        if run is not None and run.job_id == ticket.job.pk:
            return run
        if run is None:
            run = RuleRun.objects.create(rule=by.rule, model=by.model, set=into, job=ticket.job, at=w.now)
        else:
            RuleRun.objects.filter(pk=run.pk).update(job=ticket.job, at=w.now)
        w.event(
            project.public_id,
            "prelabels.begun",
            ticket.job.public_id,
            data={"source": by.source, "version": by.version, "by": _version_of(by)},
        )
    return run


def _version_of(by: Proposer) -> str:
    version = by.rule or by.model
    return version.public_id if version is not None else ""


def _waiting(
    project: Project, into: PrelabelSet, by: Proposer, skipped: Counter[str]
) -> list[tuple[int, str]]:
    """(item, public id) to prelabel, in the order in which they will be labelled."""
    open_ = Task.objects.filter(project=project, state__in=OPEN_STATES).exclude(item__use="withdrawn")
    skipped["already_begun"] += open_.exclude(pinned_at=None).count()
    rows = (
        open_.filter(pinned_at=None).order_by("rank").values_list("item_id", "item__public_id", "item__group")
    )
    have = set(Prelabel.objects.filter(set=into).values_list("item_id", flat=True))
    out: list[tuple[int, str]] = []
    for pk, key, group in rows:
        if pk in by.blocked_items or (group and group in by.blocked_groups):
            skipped["taught_the_model"] += 1
        elif pk not in have:
            out.append((pk, key))
    skipped += Counter()
    return out


def _loaded(key: str, asset: Asset) -> Sample:
    """The sample with its picture decoded once, here, where a damaged file is one item's trouble and not the
    run's."""
    from prelabel.core.samples import Sample

    if asset.kind == "text":
        return inputs.sample(key, asset)
    pixels = inputs.picture(asset)
    return Sample(key, picture=lambda: pixels, sha256=asset.sha256)


def _proposed(set_pk: int, item_pk: int, asset: Asset, proposal: Proposal, source: str) -> NewPrelabel:
    """Whole regions with ids of their own; masks become tiles whose parts are stored before the row names
    them."""
    regions: dict[str, Any] = {}
    for region in proposal.regions:
        region_id = new_id("r")
        geometry: Mapping[str, Any] = region["geometry"]
        if region["shape"] == "mask":
            geometry = {"tiles": _parts(geometry["raster"])}
        regions[region_id] = documents.complete_region(
            {**region, "geometry": geometry, "asset": asset.public_id},
            "regions",
            region_id=region_id,
            origin={"kind": "imported", "source": source},
        )
    return NewPrelabel(set_pk, item_pk, regions, proposal.answers, proposal.score)


def _parts(raster: Any) -> dict[str, str]:
    from annotator.core import masks

    return {
        key: blobs.put(masks.encode_part(tile)) for key, tile in sorted(masks.mask_to_tiles(raster).items())
    }


def _write(
    ticket: Ticket,
    project: Project,
    by: Proposer,
    run: RuleRun,
    page: list[NewPrelabel],
    dropped: Counter[str],
) -> int:
    if not page:
        return 0
    with writing(actor=ticket.job.created_by) as w:
        ticket.fence()
        n = store_prelabels(w, project, page, by.source)
        RuleRun.objects.filter(pk=run.pk).update(
            n_items=F("n_items") + n,
            n_regions=F("n_regions") + sum(len(row.regions) for row in page),
            n_dropped=sum(dropped.values()),
        )
    return n
