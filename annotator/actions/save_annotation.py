"""Verbs: save changes on a revision, and submit. What is acknowledged is durable and never lost.

The document is rebuilt, changed and checked outside the transaction; the transaction then only asks
whether the seat is still at the revision that was read (one conditional update), and writes.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

from annotator import blobs, shapes, sql
from annotator.actions.steps import seats
from annotator.actions.verb import Idem, Writing, iso, writing
from annotator.core import changes as grammar
from annotator.core import document as documents
from annotator.core import masks
from annotator.core.canonical import digest
from annotator.core.errors import ConcordError, Conflict, Invalid
from annotator.models import Account, Assignment, Checkpoint, Member, ParkedDraft, Part, Revision, Task
from annotator.queries.assets import asset_infos
from annotator.queries.documents import EVERY, read_document, remember
from annotator.queries.versions import parsed
from annotator.queries.work import shown_parts
from annotator.queries.workflows import grace_s
from annotator.shapes import mask

MAX_PARTS = 4096


def save_annotation(
    *,
    actor: Account,
    seat: Assignment,
    token: str,
    if_revision: int,
    changes: Any,
    parts: dict[str, str],
    active_ms: int,
    submit: bool = False,
    expected_digest: str | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Apply `changes` on revision `if_revision`. With `submit` the seat is answered.

    Raises Invalid (nothing kept: the client still has it), Conflict("stale_revision", revision, digest),
    Conflict("lease_lost", parked=id of the parked draft), Conflict("already_submitted").
    """
    if submit and seat.stage != "label":  # a check or a verdict is answered by its own verb
        raise Conflict(
            "other_stage", "This seat is not answered by submitting.", cure="Decide it in its stage."
        )
    listed = grammar.parse_changes(changes)
    decoded = _decode_parts(parts)
    error: ConcordError | None = None
    prepared: tuple[dict[str, Any], str] | None = None
    if seat.revision == if_revision:
        try:
            prepared = _prepare(seat, listed, decoded, submit)
        except grammar.ChangeConflict as conflict:
            error = conflict
    for raw in decoded.values():
        blobs.put(raw)
    refusal: Conflict | None = None
    with writing(actor=actor, now=now, idem=idem, request=request, chain=seat.project.public_id) as w:
        if w.replayed is not None:
            return w.replayed
        if error is not None:
            raise error
        if prepared is not None and expected_digest is not None and prepared[1] != expected_digest:
            raise Conflict(
                "digest_differs",
                "The server's document differs from the client's.",
                revision=seat.revision,
                digest=seat.digest,
                cure="Load the document again.",
            )
        # One statement decides: whoever holds this token at this revision.
        until = seats.lease(seat.task.workflow.document, w.now)
        if prepared is not None:
            active = _capped(seat, active_ms, w.now)
            if _take_revision(w, seat, token, if_revision, prepared[1], until, active, submit) or (
                _retake(w, seat, token, if_revision)
                and _take_revision(w, seat, token, if_revision, prepared[1], until, active, submit)
            ):
                return w.answer(_store(w, seat, listed, prepared, decoded, active, submit, until), 201)
        refusal = _why(w, seat, token, if_revision, listed, parts, submit)
    raise refusal


def _take_revision(
    w: Writing,
    seat: Assignment,
    token: str,
    if_revision: int,
    digest_after: str,
    until: datetime,
    active: int,
    submit: bool,
) -> bool:
    """Move the seat to the next revision if it is still live at this one under this token."""
    text = (
        "UPDATE annotator_assignment SET saved_at = %s, parked = %s, revision = revision + 1, digest = %s,"
        " lease_until = %s, active_ms = active_ms + %s, state = %s, submitted_at = %s"
        " WHERE id = %s AND token = %s AND state = 'live' AND revision = %s"
    )
    now = sql.moment(w.now)
    fields = [now, False, digest_after, sql.moment(until), active]
    fields += ["submitted", now] if submit else ["live", None]
    return sql.run(text, [*fields, seat.pk, token, if_revision]) == 1


def _decode_parts(parts: Any) -> dict[str, bytes]:
    if not isinstance(parts, dict) or len(parts) > MAX_PARTS:
        raise Invalid(
            "bad_parts", "parts is an object of at most 4,096 raster parts by digest.", field="parts"
        )
    decoded = {}
    for name, text in parts.items():
        try:
            raw = base64.b64decode(text, validate=True) if isinstance(text, str) else None
        except (binascii.Error, ValueError):
            raw = None
        if raw is None:
            raise Invalid("bad_part", "A part is base64 text.", field=f"parts.{name}")
        masks.part_runs(raw)  # refuses what is not the canonical form, so that equal pixels have one digest
        if masks.part_digest(raw) != name:
            raise Invalid("part_digest", "The part's bytes have another digest.", field=f"parts.{name}")
        decoded[name] = raw
    return decoded


def _prepare(
    seat: Assignment, listed: list[Any], decoded: dict[str, bytes], submit: bool
) -> tuple[dict[str, Any], str]:
    """(document after the changes, its digest); checked against schema, assets and parts."""
    document = grammar.apply(read_document(seat), listed)
    infos = asset_infos(seat.task.item_id)
    for region_id in grammar.touched(listed).regions if decoded else ():
        region = document["regions"].get(region_id)
        if region is None or region["shape"] != "mask" or region["asset"] not in infos:
            continue
        for key, name in region["geometry"]["tiles"].items():
            if name in decoded:
                mask.check_tile(
                    decoded[name],
                    key,
                    infos[region["asset"]],
                    field=f"regions.{region_id}.geometry.tiles.{key}",
                )
    wanted = grammar.touched(listed).parts - set(decoded)
    if wanted:
        known = set(Part.objects.filter(assignment=seat, digest__in=wanted).values_list("digest", flat=True))
        if wanted - known:
            known |= shown_parts(seat)  # of a prelabel that is kept
        if wanted - known:
            raise Invalid(
                "part_unknown",
                "A raster part is named that was not sent.",
                field="parts",
                part=sorted(wanted - known)[0],
                cure="Send the part's bytes with the save.",
            )
    problems = shapes.check_document(
        document,
        parsed(seat.schema),
        infos,
        mode="submit" if submit else "save",
        only=None if submit else grammar.touched(listed).regions,
        part_bytes=lambda name: decoded.get(name) or blobs.read(name),
    )
    if problems:
        first = problems[0]
        raise Invalid(
            first.code,
            first.message,
            field=first.field,
            cure=first.cure,
            problems=[p.as_dict() for p in problems[:20]],
        )
    return document, documents.digest(document)


def _capped(seat: Assignment, active_ms: int, now: datetime) -> int:
    """Active time is the browser's word, never more than the time since the last save."""
    since = seat.saved_at or seat.opened_at or seat.claimed_at
    return max(0, min(active_ms, int((now - since) / timedelta(milliseconds=1))))


def _retake(w: Writing, seat: Assignment, token: str, if_revision: int) -> bool:
    """A seat lost by time is taken again by its own token when its slot is still free."""
    state = (
        Assignment.objects.filter(pk=seat.pk, token=token, revision=if_revision)
        .values_list("state", flat=True)
        .first()
    )
    if state != "lost" or seat.stage != "label":
        return False
    # The seat may have been lost because its holder was: the door asked before this write began.
    if not Member.objects.filter(project_id=seat.project_id, account=w.actor, active=True).exists():
        return False
    task = Task.objects.select_related("project").get(pk=seat.task_id)
    if task.round != seat.round or not seats.occupy(task):
        return False
    Assignment.objects.filter(pk=seat.pk).update(state="live", slot=seats.free_slot(task))
    w.event(seat.project.public_id, "seat.retaken", seat.public_id, task=seat.task.public_id)
    return True


def _store(
    w: Writing,
    seat: Assignment,
    listed: list[Any],
    prepared: tuple[dict[str, Any], str],
    decoded: dict[str, bytes],
    active: int,
    submit: bool,
    until: datetime,
) -> dict[str, Any]:
    document, after = prepared
    number = seat.revision + 1
    Revision(
        assignment=seat,
        number=number,
        changes=listed,
        digest=after,
        kind="submit" if submit else "save",
        schema_id=seat.schema_id,
        guideline=int((seat.schema.document.get("guideline") or {}).get("version", 0)),
        active_ms=active,
        at=w.now,
    ).save(force_insert=True)
    if submit or number % EVERY == 0:
        Checkpoint(assignment=seat, number=number, document=document).save(force_insert=True)
    if decoded:
        seats.grant_parts(seat, set(decoded))
    w.event(
        seat.project.public_id,
        "annotation.submitted" if submit else "annotation.saved",
        seat.public_id,
        task=seat.task.public_id,
        data={"revision": number, "digest": after},
    )
    answer: dict[str, Any] = {"revision": number, "digest": after, "saved_at": iso(w.now)}
    if submit:
        answer |= {"submitted_at": iso(w.now), "grace_until": iso(_submitted(w, seat))}
    else:
        answer["lease_until"] = iso(until)
    w.after(lambda: remember(seat.pk, number, after, document))
    return answer


def _submitted(w: Writing, seat: Assignment) -> datetime:
    """Count the answer; when it was the last slot's, the next stage is due after the grace."""
    grace = timedelta(seconds=grace_s(seat.task.workflow.document))
    if seat.stage == "label":
        sql.run(
            "UPDATE annotator_task SET n_submitted = n_submitted + 1, changed_at = %s,"
            " due_at = CASE WHEN n_submitted + 1 >= n_slots THEN %s END WHERE id = %s",
            [sql.moment(w.now), sql.moment(w.now + grace), seat.task_id],
        )
        w.ring("io")
    return w.now + grace


def _why(
    w: Writing,
    seat: Assignment,
    token: str,
    if_revision: int,
    listed: list[Any],
    parts: dict[str, str],
    submit: bool,
) -> Conflict:
    """Why the save was refused; changes of a lost seat are kept as a parked draft."""
    now = Assignment.objects.get(pk=seat.pk)
    if now.state == "submitted" and now.token == token:
        return Conflict(
            "already_submitted",
            "This was submitted already; the first submission stands.",
            revision=now.revision,
            digest=now.digest,
        )
    if now.state == "live" and now.token == token:
        return Conflict(
            "stale_revision",
            "Your changes were made on another revision than the one stored.",
            revision=now.revision,
            digest=now.digest,
            cure="Load the document and look at both.",
        )
    parked = None
    if listed:
        parked, made = ParkedDraft.objects.get_or_create(
            assignment=seat,
            digest=digest(listed),
            defaults={
                "account": w.actor,
                "if_revision": if_revision,
                "changes": listed,
                "parts": parts,
                "at": w.now,
            },
        )
        if made:
            w.event(seat.project.public_id, "draft.parked", parked.public_id, task=seat.task.public_id)
    return Conflict(
        "lease_lost",
        "Your time for this task ran out and somebody else has it now. Your changes are kept.",
        parked=parked.public_id if parked else None,
        cure="Find them under your parked drafts.",
    )
