"""Verb: an arbiter decides all differences of a dispute. Verdict, document, state, events: one
transaction."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from annotator import blobs
from annotator.actions.steps import seats, states
from annotator.actions.verb import Idem, writing
from annotator.core import document as documents
from annotator.core import masks
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Assignment, Part
from annotator.queries.assets import asset_infos
from annotator.queries.versions import parsed
from annotator.shapes import check_document
from review.actions.steps.answers import answer_seat, seat_for
from review.core.consensus import VERSION, Final, final_document
from review.core.differences import Difference as CoreDifference
from review.models import Difference, Dispute, Verdict
from review.queries.sides import part_bytes, side_documents

REASON_CODES = ("", "clear", "guideline", "hard_case", "both_wrong", "other")
FIELDS = {"difference", "choice", "region", "value", "attributes"}


def decide_dispute(
    *,
    actor: Account,
    dispute: Dispute,
    token: str,
    decisions: list[Any],
    reason_code: str = "",
    active_ms: int = 0,
    parts: dict[str, Any] | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """{"dispute", "state", "digest"}. Raises Invalid("difference_undecided", …), Conflict("lease_lost"),
    Conflict("already_answered"), Conflict("state_changed"). Nothing is written unless everything is."""
    if reason_code not in REASON_CODES:
        raise Invalid(
            "unknown_reason",
            "There is no such reason code.",
            field="reason_code",
            cure=", ".join(REASON_CODES[1:]),
        )
    seat = seat_for(actor, dispute)
    rows = list(dispute.differences.all())
    by_key = _decisions(rows, decisions)
    decoded = _decode(parts or {})
    final = _final(dispute, rows, by_key)
    for raw in decoded.values():
        blobs.put(raw)
    _check(seat, dispute, final, set(decoded))
    digest = documents.digest(final.document)
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        answer_seat(w, seat, token=token, active_ms=active_ms)
        if not Dispute.objects.filter(pk=dispute.pk, state="open").update(state="decided"):
            raise Conflict("state_changed", "The dispute has moved on meanwhile.", cure="Take the next one.")
        seats.grant_parts(seat, set(decoded))
        Verdict(
            dispute=dispute,
            assignment=seat,
            arbiter=actor,
            decisions=[
                {**by_key[row.data["key"]], "difference": row.public_id}
                for row in rows
                if row.data["key"] in by_key
            ],
            reason_code=reason_code,
            digest=digest,
            active_ms=active_ms,
            at=w.now,
        ).save(force_insert=True)
        for row in rows:
            decision = by_key.get(row.data["key"])
            if decision is not None:
                row.choice, row.result = decision["choice"], decision
        Difference.objects.bulk_update(rows, ["choice", "result"])
        w.event(
            seat.project.public_id,
            "dispute.decided",
            dispute.public_id,
            task=seat.task.public_id,
            data={"digest": digest, "n": len(rows), "seat": seat.public_id},
        )
        state = states.advance(
            w,
            seat.task,
            source="disputed",
            document=final.document,
            way="decided",
            provenance=_provenance(dispute, seat, final),
            schema=seat.schema,
        )
        return w.answer({"dispute": dispute.public_id, "state": state, "digest": digest}, 201)  # type: ignore[no-any-return]


def _decisions(rows: list[Difference], decisions: list[Any]) -> dict[str, dict[str, Any]]:
    keys = {row.public_id: row.data["key"] for row in rows}
    found: dict[str, dict[str, Any]] = {}
    for index, entry in enumerate(decisions):
        where = f"decisions.{index}"
        if not isinstance(entry, dict) or set(entry) - FIELDS or not isinstance(entry.get("choice"), str):
            raise Invalid("bad_decision", "A decision names its difference and a choice.", field=where)
        key = keys.get(str(entry.get("difference")))
        if key is None:
            raise Invalid("unknown_difference", "There is no such difference in this dispute.", field=where)
        if key in found:
            raise Invalid("decided_twice", "A difference is decided twice.", field=where)
        decision = {name: value for name, value in entry.items() if name != "difference"}
        if isinstance(decision.get("region"), dict):
            # Whatever the browser says, a region drawn for a verdict was drawn by the arbiter.
            decision["region"] = {
                "attributes": {},
                "asset": None,
                **decision["region"],
                "origin": {"kind": "drawn", "source": "verdict"},
            }
        found[key] = decision
    return found


def _final(dispute: Dispute, rows: list[Difference], by_key: dict[str, dict[str, Any]]) -> Final:
    """The decided document; an error names the difference by the id that the arbiter's browser knows."""
    differences = [CoreDifference.from_json(row.data) for row in rows]
    try:
        return final_document(dispute.agreed, dispute.by_region, differences, by_key, side_documents(dispute))
    except Invalid as error:
        names = {row.data["key"]: row.public_id for row in rows}
        error.field = names.get(error.field or "", error.field)
        raise


def _decode(parts: dict[str, Any]) -> dict[str, bytes]:
    decoded = {}
    for name, text in parts.items():
        try:
            raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except (binascii.Error, ValueError):
            raw = b""
        masks.part_runs(raw)
        if masks.part_digest(raw) != name:
            raise Invalid("part_digest", "The part's bytes have another digest.", field=f"parts.{name}")
        decoded[name] = raw
    return decoded


def _check(seat: Assignment, dispute: Dispute, final: Final, sent: set[str]) -> None:
    """What the arbiter changed must fit schema, assets and parts; the agreed rest was checked when it was
    submitted."""
    document = final.document
    if document["unusable"] is not None:
        return
    fresh = set(document["regions"]) - set(dispute.agreed["regions"])
    wanted = documents.part_digests({"regions": {name: document["regions"][name] for name in fresh}}) - sent
    known = set(Part.objects.filter(assignment=seat, digest__in=wanted).values_list("digest", flat=True))
    if wanted - known:
        raise Invalid(
            "part_unknown",
            "A raster part is named that was not sent.",
            field="parts",
            part=min(wanted - known),
        )
    assets = asset_infos(seat.task.item_id)
    problems = check_document(
        document, parsed(seat.schema), assets, mode="submit", only=fresh, part_bytes=part_bytes
    )
    if problems:
        first = problems[0]
        raise Invalid(
            first.code,
            first.message,
            field=first.field,
            cure=first.cure,
            problems=[problem.as_dict() for problem in problems[:20]],
        )


def _provenance(dispute: Dispute, seat: Assignment, final: Final) -> dict[str, Any]:
    names = {side["key"]: side["assignment"] for side in dispute.sides} | {"verdict": seat.public_id}
    return {
        "assignments": sorted(side["assignment"] for side in dispute.sides),
        "by_region": {name: sorted(names[key] for key in keys) for name, keys in final.by_region.items()},
        "consensus": VERSION,
        "dispute": dispute.public_id,
        "verdict": seat.public_id,
    }
