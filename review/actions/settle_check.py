"""Verbs of the check stage: pass, mend, return. One seat, one outcome, one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.steps import states
from annotator.actions.verb import Idem, Writing, writing
from annotator.core import document as documents
from annotator.core.canonical import same
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Assignment, CandidateDocument
from annotator.queries.assets import asset_infos
from annotator.queries.documents import read_document
from annotator.queries.versions import parsed
from annotator.shapes import check_document
from review.actions.steps.answers import ERROR_TYPES, answer_seat, clean_marks, marks_for
from review.models import CheckOutcome
from review.queries.sides import label_seats, part_bytes, without_origin
from review.queries.waiting import candidate_of

OUTCOMES = ("pass", "mend", "return")


def settle_check(
    *,
    actor: Account,
    seat: Assignment,
    token: str,
    outcome: str,
    error_type: str = "",
    marks: Any = (),
    active_ms: int = 0,
    if_revision: int | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"outcome", "state", "digest"?}. A mend was saved before by revisions of this seat; `if_revision`
    says which one is meant. Raises Invalid, Conflict("stale_revision" | "lease_lost" | "already_answered"
    | "state_changed")."""
    if outcome not in OUTCOMES:
        raise Invalid(
            "unknown_outcome", "A check passes, mends or returns.", field="outcome", cure=", ".join(OUTCOMES)
        )
    if (outcome == "return" and error_type not in ERROR_TYPES) or (
        error_type and error_type not in ERROR_TYPES
    ):
        raise Invalid(
            "unknown_error_type",
            "There is no such error type.",
            field="error_type",
            cure=", ".join(ERROR_TYPES),
        )
    cleaned = clean_marks(list(marks))
    if seat.stage != "check":
        raise Conflict("no_seat", "This is no check.", cure="Take the next check first.")
    if seat.task.state == "check" and seat.task.round == seat.round:
        candidate = candidate_of(seat.task)
        mended = _mended(seat, candidate, outcome, if_revision) if outcome == "mend" else None
    else:  # answered before, or gone: the transaction below says which, or gives the stored answer again
        candidate, mended = None, None
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        if (
            if_revision is not None
            and not Assignment.objects.filter(pk=seat.pk, revision=if_revision).exists()
        ):
            raise Conflict("stale_revision", "Another revision was saved meanwhile.", revision=seat.revision)
        answer_seat(w, seat, token=token, active_ms=active_ms)
        if candidate is None:
            raise Conflict("state_changed", "The task has moved on meanwhile.", cure="Take the next check.")
        if outcome == "return":
            return w.answer(_return(w, seat, candidate, error_type, cleaned), 201)  # type: ignore[no-any-return]
        document = candidate.document if mended is None else mended
        digest = documents.digest(document)
        way = "checked" if mended is None else "mended"
        _outcome(w, seat, candidate, outcome, error_type, cleaned, digest)
        # A mend that says unusable is no label: it sets the task aside, as it would from labelling.
        settle = states.accept if document.get("unusable") is None else states.advance
        settle(
            w,
            seat.task,
            source="check",
            document=document,
            way=way,
            provenance=_provenance(candidate, seat, document),
            schema=candidate.schema,
        )
        return w.answer({"outcome": outcome, "state": seat.task.state, "digest": digest}, 201)  # type: ignore[no-any-return]


def _mended(
    seat: Assignment, candidate: CandidateDocument, outcome: str, if_revision: int | None
) -> dict[str, Any]:
    if if_revision is None:
        raise Invalid("missing_field", "A mend says which revision it means.", field="if_revision")
    if if_revision != seat.revision:
        raise Conflict(
            "stale_revision",
            "Another revision was saved meanwhile.",
            revision=seat.revision,
            digest=seat.digest,
        )
    shown = without_origin(candidate.document)
    drawn = read_document(seat)
    if same(drawn, shown):
        raise Invalid("nothing_mended", "Nothing was changed.", cure="Pass it, or change it first.")
    document = with_origins(drawn, candidate.document)
    assets = asset_infos(seat.task.item_id)
    problems = check_document(
        document, parsed(candidate.schema), assets, mode="submit", part_bytes=part_bytes
    )
    if problems:
        first = problems[0]
        raise Invalid(first.code, first.message, field=first.field, cure=first.cure)
    return document


def with_origins(drawn: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The mended document with the origins that were hidden from the checker. What the checker changed of
    a kept prelabel counts as edited; new regions keep the origin they came with."""
    regions = {}
    for name, region in drawn["regions"].items():
        old = before["regions"].get(name)
        if old is None:
            regions[name] = region
            continue
        origin = dict(old["origin"])
        untouched = same({**region, "origin": None}, {**old, "origin": None})
        if not untouched and origin.get("kind") in ("kept", "bulk"):
            origin["kind"] = "edited"
        regions[name] = {**region, "origin": origin}
    return {**drawn, "regions": regions}


def _return(
    w: Writing, seat: Assignment, candidate: CandidateDocument, error_type: str, marks: list[dict[str, Any]]
) -> dict[str, Any]:
    """Back to those whose regions are marked; a mark on no region, or none, concerns everybody who
    labelled."""
    authors = label_seats(seat.task)
    by_region = candidate.provenance.get("by_region", {})
    credited: set[str] = set()
    for mark in marks:
        credited |= set(by_region.get(mark.get("region", ""), ())) or {author.public_id for author in authors}
    returned = [author for author in authors if not credited or author.public_id in credited] or authors
    _outcome(w, seat, candidate, "return", error_type, marks, candidate.digest)
    task = seat.task
    by_seat = {
        author.pk: marks_for(
            author,
            marks,
            error_type,
            {region for region, seats in by_region.items() if author.public_id in seats},
        )
        for author in returned
    }
    states.hand_back(w, task, source="check", returned=returned, marks=by_seat, error_type=error_type)
    return {"outcome": "return", "state": "returned", "round": task.round}


def _outcome(
    w: Writing,
    seat: Assignment,
    candidate: CandidateDocument,
    outcome: str,
    error_type: str,
    marks: list[dict[str, Any]],
    after: str,
) -> None:
    CheckOutcome(
        project_id=seat.project_id,
        task=seat.task,
        round=seat.round,
        level=max(1, seat.task.check_level),
        assignment=seat,
        outcome=outcome,
        error_type=error_type,
        marks=marks,
        before_digest=candidate.digest,
        after_digest=after,
        at=w.now,
    ).save(force_insert=True)
    verb = {"pass": "check.passed", "mend": "check.mended", "return": "check.returned"}[outcome]
    w.event(
        seat.project.public_id,
        verb,
        seat.public_id,
        task=seat.task.public_id,
        data={"before": candidate.digest, "after": after, "error_type": error_type},
    )


def _provenance(candidate: CandidateDocument, seat: Assignment, document: dict[str, Any]) -> dict[str, Any]:
    """Who made each region, with the checker named where the check added or changed it."""
    before, made_by = candidate.document["regions"], candidate.provenance.get("by_region", {})
    by_region = {}
    for name, region in document["regions"].items():
        who = list(made_by.get(name, ()))
        if name not in before or not same(before[name], region):
            who = sorted({*who, seat.public_id})
        by_region[name] = who
    return {**candidate.provenance, "by_region": by_region, "check": seat.public_id, "came": candidate.way}
