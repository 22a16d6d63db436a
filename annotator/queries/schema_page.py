"""Reads: schema versions, and what publishing a new one would change."""

from __future__ import annotations

from typing import Any

from annotator.core import schema as core_schema
from annotator.core.canonical import same
from annotator.core.errors import ConcordError, Invalid
from annotator.core.times import iso
from annotator.models import AcceptedDocument, Assignment, Prelabel, Project, SchemaVersion
from annotator.shapes import parse_schema


def check_next(
    before: dict[str, Any] | None, document: Any, mapping: Any
) -> tuple[core_schema.Schema, core_schema.Mapped]:
    """The parsed new version and its checked mapping against the version in force (None: the first). Raises Invalid."""
    new = parse_schema(document)
    if before is None:
        mapped = core_schema.parse_mapping(mapping or {})
        if mapped.labels or mapped.attributes:
            raise Invalid(
                "mapping_without_schema", "There is no earlier version to map from.", field="mapping"
            )
        return new, mapped
    old = parse_schema(before)
    mapped = core_schema.check_migration(old, new, mapping or {})
    told, tells = old.effective["guideline"], new.effective["guideline"]
    if not same(told["text"], tells["text"]) and tells["version"] <= told["version"]:
        raise Invalid(
            "guideline_version",
            "The guideline has a new text under an old number.",
            field="guideline.version",
            cure=f"Number it {told['version'] + 1}.",
        )
    return new, mapped


def versions(project: Project) -> list[dict[str, Any]]:
    """All versions, newest first, without their documents."""
    rows = SchemaVersion.objects.filter(project=project).select_related("created_by").order_by("-number")
    return [
        {
            "id": v.public_id,
            "version": v.number,
            "digest": v.digest,
            "created_at": iso(v.created_at),
            "in_force": v.pk == project.schema_id,
            "mapping": v.mapping,
        }
        for v in rows
    ]


def label_counts(project: Project, names: set[str]) -> dict[str, dict[str, int]]:
    """label -> {"accepted": regions in accepted documents, "prelabels": regions proposed}; reads every document."""
    counts = {name: {"accepted": 0, "prelabels": 0} for name in names}
    documents = AcceptedDocument.objects.filter(task__project=project, current=True).values_list(
        "document", flat=True
    )
    for document in documents.iterator(chunk_size=200):
        for region in document["regions"].values():
            if region["label"] in counts:
                counts[region["label"]]["accepted"] += 1
    for regions in (
        Prelabel.objects.filter(item__project=project)
        .values_list("regions", flat=True)
        .iterator(chunk_size=500)
    ):
        for region in regions.values():
            if region["label"] in counts:
                counts[region["label"]]["prelabels"] += 1
    return counts


def preview(project: Project, document: Any, mapping: Any) -> dict[str, Any]:
    """{"diff": [...], "counts": {...}, "refused": error or None}: what publication would do, or why it cannot be."""
    current = SchemaVersion.objects.filter(pk=project.schema_id).first() if project.schema_id else None
    new = parse_schema(document)
    refused: dict[str, Any] | None = None
    try:
        check_next(current.document if current else None, document, mapping)
    except ConcordError as error:
        refused = error.as_dict()
    if current is None:
        return {
            "diff": [
                {"kind": "add", "what": "label", "name": n, "before": None, "after": None} for n in new.labels
            ],
            "counts": {"accepted": 0, "live_seats": 0, "labels": {}},
            "refused": refused,
            "same": False,
        }
    old = parse_schema(current.document)
    diff = core_schema.diff(old, new, mapping or {})
    touched = {
        str(entry["name"]).partition(".")[0]
        if entry["what"] == "attribute"
        else str(entry["before"] or entry["name"])
        for entry in diff
        if entry["kind"] in ("rename", "retire", "remove") and entry["what"] in ("label", "attribute")
    }
    return {
        "diff": diff,
        "counts": {
            "accepted": AcceptedDocument.objects.filter(task__project=project, current=True).count(),
            "live_seats": Assignment.objects.filter(
                project=project, stage="label", state__in=("live", "ahead")
            ).count(),
            "labels": label_counts(project, touched & set(old.labels)) if touched else {},
        },
        "refused": refused,
        "same": current.digest == new.digest,
    }
