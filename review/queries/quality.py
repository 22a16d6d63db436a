"""Reads: the quality report of a project at one event number. Deterministic: same events, same bytes.

Five indicators of labels, each with its definition, n and an interval or the reason why there is none. Times
come from rows and events, seeds from the event's digest, order from names. What came after the event is left
out; rows without an event number of their own are cut by the event's time, which the same transaction gave
them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from annotator.core.workflow import DEFAULTS
from annotator.models import AcceptedDocument, ChainHead, Event, Item, Project, SchemaVersion, WorkflowVersion
from review.core.agreement import MEASURES
from review.core.intervals import BOOTSTRAP_REPEATS, clopper_pearson, cluster_bootstrap, finite_lot_interval
from review.core.rules import attribute_value, comparable
from review.core.values import Interval, Measured, Undefined, Value, rounded
from review.models import Agreement, CheckOutcome, Difference, Lot, LotMember

FORMAT = 1
WANTED_PER_LABEL = 1
"""Accepted examples from which on a label counts as covered, until a project can set its own number."""

CONTINUOUS = ("mean_iou.v1",)
"""Measures whose sums are no counts of things right: an exact binomial would not be theirs."""

DEFINITIONS = {
    "completeness": _(
        "Active items with an accepted document that has every required answer and attribute, of all active "
        "items. Counted, not sampled."
    ),
    "accuracy": _(
        "Process average: share of items that lots found right (classes A and B count), lots weighted by "
        "their size, first judgement of each lot."
    ),
    "consistency": _(
        "First-pass agreement: tasks without any difference, of tasks labelled twice in round 1, where at "
        "least one side did not see the prelabels. Interval over groups of items."
    ),
    "timeliness": _(
        "Accepted documents made under the guideline version in force. Turnaround is reported apart."
    ),
    "coverage": _("Labels in force with at least one accepted example, of all labels in force."),
}


@dataclass(frozen=True)
class Moment:
    """Up to where the report looks."""

    seq: int
    at: datetime
    seed: int


def moment(project: Project, seq: int | None = None) -> Moment:
    """The event number to report at; the chain's head unless told."""
    if seq is None:
        head = ChainHead.objects.filter(chain=project.public_id).first()
        seq = head.seq if head is not None else 0
    event = Event.objects.filter(chain=project.public_id, seq__lte=seq).order_by("-seq").first()
    if event is None:
        return Moment(0, project.created_at, 0)
    return Moment(
        event.seq, datetime.fromisoformat(event.at.replace("Z", "+00:00")), int(event.digest[:8], 16)
    )


def quality_report(
    project: Project, *, seq: int | None = None, repeats: int = BOOTSTRAP_REPEATS
) -> dict[str, Any]:
    """The whole report as JSON values. `repeats` of the bootstrap; a page asks for fewer than a release."""
    when = moment(project, seq)
    items = _active_items(project, when)
    accepted = _accepted(project, when)
    facts = _scan(project, when, items, accepted)
    return {
        "format": FORMAT,
        "project": project.public_id,
        "event": when.seq,
        "items": len(items),
        "accepted": facts["n_accepted"],
        "definitions": DEFINITIONS,
        "indicators": {
            "completeness": _completeness(items, facts),
            "accuracy": _accuracy(project, when),
            "consistency": _consistency(project, when, repeats),
            "timeliness": _timeliness(facts),
            "coverage": _coverage(facts),
        },
        "turnaround_hours": _turnaround(facts["hours"]),
        "differences": _differences(project, when),
        "checks": _checks(project, when, repeats),
        "lots": _lots(project, when),
    }


# --- what is there ---


def _active_items(project: Project, when: Moment) -> dict[int, str]:
    """Item row -> group, of items that are in use and not set aside at the moment."""
    last: dict[str, str] = {}
    moves = Event.objects.filter(
        chain=project.public_id,
        seq__lte=when.seq,
        verb__in=("task.set_aside", "task.restored", "item.withdrawn"),
    )
    for task, verb in moves.order_by("seq").values_list("task", "verb"):
        last[task] = verb
    away = {task for task, verb in last.items() if verb != "task.restored"}
    rows = Item.objects.filter(project=project, created_at__lte=when.at, use="normal").exclude(
        batch__kind="pilot"
    )
    return {
        pk: group or public_id
        for pk, group, public_id, task in rows.values_list("pk", "group", "public_id", "task__public_id")
        if task not in away
    }


def _accepted(project: Project, when: Moment) -> dict[int, int]:
    """Item row -> row of the document that was accepted last before the moment."""
    rows = AcceptedDocument.objects.filter(task__project=project, event_seq__lte=when.seq)
    return {item: pk for item, pk in rows.order_by("number").values_list("task__item_id", "pk")}


def _in_force(project: Project, when: Moment) -> SchemaVersion | None:
    rows = SchemaVersion.objects.filter(project=project, created_at__lte=when.at)
    return rows.order_by("-number").first() or project.schema


def _scan(project: Project, when: Moment, items: dict[int, str], accepted: dict[int, int]) -> dict[str, Any]:
    """One pass over the accepted documents, in chunks: completeness, labels, guideline versions,
    turnaround."""
    in_force = _in_force(project, when)
    schemas = {row.pk: row.document for row in SchemaVersion.objects.filter(project=project)}
    guideline = _guideline(in_force.document) if in_force else 0
    complete = current_guideline = n = 0
    labels: Counter[str] = Counter()
    hours: list[float] = []
    wanted = {pk for item, pk in accepted.items() if item in items}
    rows = AcceptedDocument.objects.filter(task__project=project, event_seq__lte=when.seq).values_list(
        "pk", "document", "schema_id", "at", "task__item__created_at"
    )
    for pk, document, schema_pk, at, imported_at in rows.order_by("pk").iterator(chunk_size=500):
        if pk not in wanted:
            continue
        n += 1
        schema = schemas[schema_pk]
        complete += is_complete(document, schema)
        current_guideline += _guideline(schema) == guideline
        labels.update({str(region.get("label")) for region in document["regions"].values()})
        hours.append((at - imported_at).total_seconds() / 3600)
    return {
        "n_accepted": n,
        "complete": complete,
        "current_guideline": current_guideline,
        "labels": labels,
        "hours": hours,
        "schema": in_force.document if in_force else {},
    }


def _guideline(schema: dict[str, Any]) -> int:
    return int((schema.get("guideline") or {}).get("version", 0))


def is_complete(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Every required answer and every required attribute of every region has a value."""
    for control in schema.get("controls", []):
        if control.get("kind") == "regions" or not control.get("required"):
            continue
        if document["answers"].get(control["name"]) in (None, "", []):
            return False
    attributes = {
        label["name"]: [entry for entry in label.get("attributes", []) if entry.get("required")]
        for label in schema.get("labels", [])
    }
    for region in document["regions"].values():
        for attribute in attributes.get(region.get("label"), ()):
            empty = comparable(str(attribute.get("kind")), None)
            value = attribute_value(attribute, region)
            if comparable(str(attribute.get("kind")), value) == empty:
                return False
    return True


# --- the five indicators ---


def _completeness(items: dict[int, str], facts: dict[str, Any]) -> dict[str, Any]:
    n = len(items)
    if not n:
        return Undefined("no_active_items").as_json()
    return Measured(
        facts["complete"] / n, n, facts["complete"], n, Undefined("counted_not_sampled", n)
    ).as_json()


def _coverage(facts: dict[str, Any]) -> dict[str, Any]:
    labels = [label["name"] for label in facts["schema"].get("labels", []) if not label.get("retired")]
    if not labels:
        return Undefined("no_labels").as_json()
    counts = {name: facts["labels"].get(name, 0) for name in labels}
    covered = sum(count >= WANTED_PER_LABEL for count in counts.values())
    value = Measured(
        covered / len(labels), len(labels), covered, len(labels), Undefined("counted_not_sampled")
    )
    return {**value.as_json(), "wanted": WANTED_PER_LABEL, "items_by_label": dict(sorted(counts.items()))}


def _timeliness(facts: dict[str, Any]) -> dict[str, Any]:
    n = facts["n_accepted"]
    if not n:
        return Undefined("nothing_accepted").as_json()
    made = facts["current_guideline"]
    value = Measured(made / n, n, made, n, Undefined("counted_not_sampled", n)).as_json()
    return {**value, "validity_window": "not set"}


def _turnaround(hours: list[float]) -> dict[str, Any]:
    if not hours:
        return Undefined("nothing_accepted").as_json()
    ordered = sorted(hours)

    def at(share: float) -> float:
        return rounded(ordered[min(len(ordered) - 1, int(share * len(ordered)))])

    return {"n": len(ordered), "median": at(0.5), "p90": at(0.9), "longest": at(1.0)}


def _accuracy(project: Project, when: Moment) -> dict[str, Any]:
    lots = list(
        Lot.objects.filter(
            project=project, state__in=("accepted", "not_accepted"), verdict_at__lte=when.at
        ).order_by("pk")
    )
    outgoing = Undefined("rechecks_not_built").as_json()
    if not lots:
        return {**Undefined("no_lot_judged").as_json(), "outgoing_quality": outgoing}
    size = sum(lot.size for lot in lots)
    n = sum(lot.n for lot in lots)
    wrong = sum(lot.size * (lot.found or 0) / lot.n for lot in lots)
    interval: Interval | Undefined
    if len(lots) == 1:
        (only,) = lots
        share = finite_lot_interval(only.found or 0, only.n, only.size)
        interval = (
            share
            if isinstance(share, Undefined)
            else Interval(1 - share.high, 1 - share.low, share.level, share.method)
        )
    else:
        # Lots are strata: one pooled exact interval would pretend that the whole was drawn at once.
        interval = Undefined("several_lots_no_pooled_interval", n)
    value = Measured(1 - wrong / size, n, interval=interval).as_json()
    return {**value, "lots": len(lots), "items_in_lots": size, "outgoing_quality": outgoing}


def _exposed(side: str) -> bool:
    return side != "none"


def _consistency(project: Project, when: Moment, repeats: int) -> dict[str, Any]:
    """The published rate, the other measures over the same pairs, and concordance under prelabel apart."""
    rows = Agreement.objects.filter(project=project, round=1, at__lte=when.at).order_by("pk")
    fields = (
        "measure",
        "exposure",
        "detail",
        "task__item__group",
        "task__item__public_id",
    )
    apart: dict[bool, dict[str, list[tuple[str, dict[str, Any]]]]] = {
        False: defaultdict(list),
        True: defaultdict(list),
    }
    for measure, exposure, detail, group, item in rows.values_list(*fields).iterator(chunk_size=1000):
        both = bool(exposure) and all(_exposed(side) for side in exposure)
        apart[both][measure].append((group or item, detail))
    blind = {
        measure: _pooled(entries, when.seed, repeats) for measure, entries in sorted(apart[False].items())
    }
    shown = {
        measure: _pooled(entries, when.seed, repeats) for measure, entries in sorted(apart[True].items())
    }
    first = blind.pop("first_pass.v1", None) or Undefined("no_pairs").as_json()
    by_label = _by_label(apart[False].get("f1_iou.v1", []), when.seed, repeats)
    return {
        **first,
        "measure": "first_pass.v1",
        "other_measures": blind,
        "f1_iou_by_label": by_label,
        "concordance_under_prelabel": shown,
        "measures": {measure: MEASURES.get(measure).TITLE for measure in MEASURES.ids()},
    }


def _pooled(
    entries: Iterable[tuple[str, dict[str, Any]]], seed: int, repeats: int, *, counts: bool = True
) -> dict[str, Any]:
    """A ratio over all pairs where the measure is defined, by its counts; the undefined are counted by
    reason."""
    tops, bottoms, groups = [], [], []
    undefined: Counter[str] = Counter()
    for group, detail in entries:
        if detail.get("value") is None:
            undefined[str(detail.get("undefined", "unknown"))] += 1
            continue
        tops.append(int(detail["numerator"]))
        bottoms.append(int(detail["denominator"]))
        groups.append(group)
    value: Value
    if not sum(bottoms):
        value = Undefined("no_defined_pairs", len(bottoms))
    else:
        interval = cluster_bootstrap(tops, bottoms, groups, seed=seed, repeats=repeats, counts=counts)
        value = Measured(sum(tops) / sum(bottoms), len(bottoms), sum(tops), sum(bottoms), interval)
    return {**value.as_json(), "groups": len(set(groups)), "undefined_pairs": dict(sorted(undefined.items()))}


def _by_label(entries: list[tuple[str, dict[str, Any]]], seed: int, repeats: int) -> dict[str, Any]:
    by_label: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for group, detail in entries:
        for label, value in (detail.get("labels") or {}).items():
            by_label[label].append((group, value))
    return {label: _pooled(values, seed, repeats) for label, values in sorted(by_label.items())}


# --- beside the indicators ---


def _differences(project: Project, when: Moment) -> dict[str, Any]:
    rows = Difference.objects.filter(dispute__project=project, dispute__at__lte=when.at)
    kinds: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for kind, severity in rows.values_list("kind", "severity"):
        kinds[kind] += 1
        classes[severity] += 1
    return {
        "n": sum(kinds.values()),
        "by_kind": dict(sorted(kinds.items())),
        "by_class": dict(sorted(classes.items())),
    }


def _checks(project: Project, when: Moment, repeats: int) -> dict[str, Any]:
    rows = list(
        CheckOutcome.objects.filter(project=project, at__lte=when.at)
        .order_by("pk")
        .values_list("outcome", "error_type", "round", "task__item__group", "task__item__public_id")
    )
    outcomes = Counter(row[0] for row in rows)
    errors = Counter(row[1] for row in rows if row[1])
    first = [row for row in rows if row[2] == 1]
    value: Value = Undefined("nothing_checked")
    if first:
        passed = [int(row[0] == "pass") for row in first]
        groups = [row[3] or row[4] for row in first]
        # Alone in its group each checked item is a draw of its own; else groups are resampled.
        single = len(set(groups)) == len(groups)
        interval = (
            clopper_pearson(sum(passed), len(passed))
            if single
            else cluster_bootstrap(passed, [1] * len(passed), groups, seed=when.seed, repeats=repeats)
        )
        value = Measured(sum(passed) / len(passed), len(passed), interval=interval)
    versions = WorkflowVersion.objects.filter(project=project, created_at__lte=when.at)
    version = versions.order_by("-number").first()
    workflow = version.document if version is not None else DEFAULTS
    return {
        "first_pass_rate": value.as_json(),
        "outcomes": dict(sorted(outcomes.items())),
        "error_types": dict(sorted(errors.items())),
        "share": (workflow.get("check") or {}).get("share", 0),
    }


def _lots(project: Project, when: Moment) -> list[dict[str, Any]]:
    out = []
    rows = Lot.objects.filter(
        project=project, state__in=("accepted", "not_accepted"), verdict_at__lte=when.at
    )
    for lot in rows.order_by("pk"):
        wrong: Counter[str] = Counter(
            LotMember.objects.filter(lot=lot, drawn=True, verdict="wrong").values_list("severity", flat=True)
        )
        share = finite_lot_interval(lot.found or 0, lot.n, lot.size)
        out.append(
            {
                "id": lot.public_id,
                "plan": lot.plan,
                "params": lot.params,
                "size": lot.size,
                "n": lot.n,
                "acceptance_number": lot.ac,
                "found": lot.found,
                "wrong": dict(sorted(wrong.items())),
                "verdict": lot.state,
                "commitment": lot.seed_commitment,
                "seed": lot.seed,
                "frozen_digest": lot.frozen_digest,
                "wrong_in_lot": {"undefined": share.reason, "n": share.n}
                if isinstance(share, Undefined)
                else share.as_json(),
            }
        )
    return out
