"""Verbs: a lot is committed (its seed, before anybody knows its members), then frozen and drawn."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from annotator.actions.verb import Idem, writing
from annotator.core.errors import Conflict, Invalid
from annotator.models import Account, Project
from review.core.sampling import PLANS, fixed_fraction
from review.core.sampling.draw import commitment, draw, frozen_digest
from review.models import Lot, LotMember
from review.queries.lots import eligible, lot_json

WAYS = ("single", "agreed", "decided", "checked", "mended")
DEFAULT_SHARE, DEFAULT_QUALITY = "0.1", "0.98"


def commit_lot(
    *,
    actor: Account,
    project: Project,
    name: str,
    share: str = DEFAULT_SHARE,
    quality: str = DEFAULT_QUALITY,
    schema: str | None = None,
    way: str | None = None,
    plan: str = fixed_fraction.ID,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """The lot's record in state committed. The seed's digest is an event before the list exists."""
    if plan not in PLANS:
        raise Invalid("unknown_plan", "There is no such sampling plan.", field="plan", cure=", ".join(PLANS))
    if not name.strip() or len(name) > 200:
        raise Invalid("bad_name", "A lot has a name of at most 200 characters.", field="name")
    if way is not None and way not in WAYS:
        raise Invalid("unknown_way", "There is no such way of acceptance.", field="way", cure=", ".join(WAYS))
    for field, value in (("share", share), ("quality", quality)):
        try:
            fraction = fixed_fraction.as_fraction(value)
        except (ValueError, ZeroDivisionError):
            fraction = fixed_fraction.as_fraction("0")
        if not 0 < fraction <= 1:
            raise Invalid("bad_share", "This is a share above 0 and up to 1, such as 0.1.", field=field)
    seed = secrets.token_hex(32)
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        params = {"share": str(share), "quality": str(quality), "schema": schema, "way": way}
        lot = Lot(
            project=project,
            name=name.strip(),
            plan=plan,
            params=params,
            seed=seed,
            seed_commitment=commitment(bytes.fromhex(seed)),
            made_by=actor,
            at=w.now,
        )
        lot.save(force_insert=True)
        data = {"commitment": lot.seed_commitment, "plan": plan, "params": params}
        w.event(project.public_id, "lot.committed", lot.public_id, data=data)
        return w.answer(lot_json(lot), 201)  # type: ignore[no-any-return]


def freeze_lot(
    *, actor: Account, lot: Lot, now: datetime | None = None, idem: Idem | None = None, request: str = ""
) -> dict[str, Any]:
    """The members are fixed, then the sample is drawn from the committed seed; n and Ac stand from here on.

    Raises Conflict("lot_not_homogeneous" | "lot_empty" | "state_changed" | "in_open_lot")."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        if not Lot.objects.filter(pk=lot.pk, state="committed").update(state="judging"):
            raise Conflict("state_changed", "This lot was frozen or voided meanwhile.")
        found = list(
            eligible(lot.project, schema=lot.params.get("schema"), way=lot.params.get("way")).values_list(
                "pk", "task_id", "task__public_id", "schema__public_id", "way"
            )
        )
        if not found:
            raise Conflict("lot_empty", "No accepted task fits this lot.", cure="Accept tasks first.")
        kinds = sorted({(row[3], row[4]) for row in found})
        if len(kinds) > 1:
            raise Conflict(
                "lot_not_homogeneous",
                "The tasks differ in schema version or in the way they were accepted.",
                cure="Make one lot for each; name the schema version and the way.",
                strata=[{"schema": schema, "way": way} for schema, way in kinds],
            )
        by_id = {row[2]: row for row in found}
        made = fixed_fraction.plan(len(found), lot.params["share"], lot.params["quality"])
        drawn = set(draw(bytes.fromhex(lot.seed), list(by_id), made.n))
        try:
            LotMember.objects.bulk_create(
                [
                    LotMember(lot=lot, task_id=row[1], accepted_id=row[0], drawn=name in drawn)
                    for name, row in sorted(by_id.items())
                ],
                batch_size=500,
            )
        except IntegrityError:
            raise Conflict("in_open_lot", "A task is a member of another open lot already.") from None
        lot.state, lot.size, lot.n, lot.ac = "judging", len(found), made.n, made.acceptance_number
        lot.frozen_digest = frozen_digest(list(by_id))
        lot.params = {**lot.params, "schema": kinds[0][0], "way": kinds[0][1]}
        lot.save(update_fields=["size", "n", "ac", "frozen_digest", "params"])
        # The event names the list by its digest: who is in the sample stays unknown to annotators.
        data = {"size": lot.size, "n": lot.n, "ac": lot.ac, "frozen": lot.frozen_digest}
        w.event(lot.project.public_id, "lot.frozen", lot.public_id, data=data)
        return w.answer(lot_json(lot), 201)  # type: ignore[no-any-return]
