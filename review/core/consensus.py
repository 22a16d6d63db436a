"""`consensus.v1`: from the annotations of one round to the agreed rest and the open differences, and to the
end.

Pure. Sides are named by any distinct keys; neither the keys nor their order reach the result, only what was
drawn: of two people one is taken by a bit of the task's seed, of three or more each object's medoid; whatever
is not agreed is a difference that somebody decides, never closed by default, majority or ratio.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotator.core.canonical import digest
from annotator.core.changes import apply as apply_changes
from annotator.core.errors import Invalid
from review.core.differences import KINDS, Case, Difference, Group, in_order, usability
from review.core.differences.attribute import unequal
from review.core.extents import Parts, likeness, no_parts
from review.core.matching import IOU_STEPS, Matching, match, pair_number
from review.core.rules import Rules, worst

VERSION = "consensus.v1"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Consensus:
    """What stands and what is open.

    `agreed` is a document of the agreed regions and answers; `by_region` says whose each agreed region is
    (all who drew it are credited); `notes` lists optional attributes on which the agreed differ;
    `all_unusable` is set when every side gave a reason (then `agreed` carries one of them).
    """

    agreed: dict[str, Any]
    by_region: dict[str, list[str]]
    differences: tuple[Difference, ...]
    notes: tuple[dict[str, Any], ...]
    all_unusable: bool

    @property
    def worst(self) -> str:
        return worst([difference.severity for difference in self.differences])


@dataclass(frozen=True)
class Final:
    """The document after all decisions and whose each region is ("verdict" for what the arbiter drew)."""

    document: dict[str, Any]
    by_region: dict[str, list[str]]


def _seed_bytes(seed: str | bytes) -> bytes:
    return seed.encode("utf-8") if isinstance(seed, str) else seed


def ordered_sides(documents: Mapping[str, Document]) -> list[str]:
    """Sides in an order made of what they drew, so that names and order of people do not matter."""
    return sorted(documents, key=lambda side: (digest(documents[side]), side))


def taken_side(documents: Mapping[str, Document], seed: str | bytes) -> str:
    """The side whose regions stand where two agree: a random bit of the committed seed, one for the whole
    task (regions of one person do not collide with each other). With other numbers of sides: the seed picks
    one."""
    sides = ordered_sides(documents)
    raw = hmac.new(_seed_bytes(seed), b"consensus taken side", hashlib.sha256).digest()
    return sides[int.from_bytes(raw[:8], "big") % len(sides)]


def distinct_ids(documents: Mapping[str, Document]) -> dict[str, dict[str, Any]]:
    """Documents whose region ids are unique over all sides. Ids are random, so this changes nothing unless a
    client reused an id (of a prelabel, say); then the later ones, in order of content, get a derived id."""
    seen: set[str] = set()
    out: dict[str, dict[str, Any]] = {}
    for side in ordered_sides(documents):
        document = documents[side]
        regions: dict[str, Any] = {}
        for name, region in sorted(document["regions"].items()):
            number, fresh = 0, name
            while fresh in seen:
                number += 1
                raw = hashlib.sha256(f"{name}\x00{digest(region)}\x00{number}".encode()).digest()
                fresh = "r_" + base64.b32encode(raw[:10]).decode("ascii").lower()
            seen.add(fresh)
            regions[fresh] = region if fresh == name else {**region, "id": fresh}
        out[side] = {**document, "regions": regions}
    return out


def _groups(documents: Mapping[str, Document], rules: Rules, taken: str, parts: Parts) -> list[Group]:
    """Objects: regions joined by the pairwise matchings, strongest first, at most one a side."""
    sides = sorted(documents)
    edges = []
    for one, other in itertools.combinations(sides, 2):
        a, b = documents[one]["regions"], documents[other]["regions"]
        found = match(a, b, match_iou=rules.match_iou, edge_px=rules.edge_px, parts=parts)
        for pair in found.pairs:
            same_label = a[pair.a].get("label") == b[pair.b].get("label")
            edges.append(
                (-round(pair.iou * IOU_STEPS), not same_label, pair_number(pair.a, pair.b), pair.a, pair.b)
            )
    owner = {name: side for side in sides for name in documents[side]["regions"]}
    together = {name: {owner[name]: name} for name in owner}
    for *_, one, other in sorted(edges):
        left, right = together[one], together[other]
        if left is right or set(left) & set(right):
            continue
        joined = {**left, **right}
        for name in joined.values():
            together[name] = joined
    groups = []
    for name in sorted(owner):
        members = together[name]
        if name != min(members.values()):
            continue
        groups.append(_group(members, documents, rules, taken, parts))
    return groups


def _group(
    members: Mapping[str, str], documents: Mapping[str, Document], rules: Rules, taken: str, parts: Parts
) -> Group:
    alike: dict[tuple[str, str], tuple[float, bool]] = {}
    total = dict.fromkeys(members, 0)
    for one, other in itertools.combinations(sorted(members), 2):
        a, b = documents[one]["regions"][members[one]], documents[other]["regions"][members[other]]
        _, edge_px = rules.tolerance([str(a.get("label") or ""), str(b.get("label") or "")])
        # The smaller id first: a polygon measured against another in the other order may differ in its last
        # bit.
        first, second = (a, b) if members[one] < members[other] else (b, a)
        found = likeness(first, second, edge_px=edge_px, parts=parts)
        alike[one, other] = alike[other, one] = (found.iou, found.close)
        for side in (one, other):
            total[side] += round(found.iou * IOU_STEPS)
    if len(members) >= 3:  # medoid; ties by total IoU are cut by the region's id
        base = min(members, key=lambda side: (-total[side], members[side]))
    else:  # similarity of two is symmetric: the seed's bit decides
        base = taken if taken in members else min(members, key=lambda side: members[side])
    return Group(dict(members), alike, base)


def agreed_document(
    documents: Mapping[str, Document],
    schema: Mapping[str, Any],
    workflow: Mapping[str, Any],
    seed: str | bytes,
    *,
    parts: Parts = no_parts,
) -> Consensus:
    """Compare two sides or more. `seed` is the task's, committed before anybody drew."""
    if len(documents) < 2:
        raise ValueError("a consensus needs two sides")
    rules = Rules.of(schema, workflow)
    everybody = distinct_ids(documents)
    usable = {side: document for side, document in everybody.items() if document.get("unusable") is None}
    taken_of_all = taken_side(everybody, seed)
    if not usable:
        base = {**everybody[taken_of_all], "regions": {}, "answers": {}}
        return Consensus(base, {}, (), (), True)
    case = Case(usable, rules, None, parts, everybody)
    differences: list[Difference] = []
    taken = taken_side(usable, seed)
    agreed: dict[str, Any] = {**usable[taken], "regions": {}, "answers": {}, "unusable": None}
    by_region: dict[str, list[str]] = {}
    notes: list[dict[str, Any]] = []
    for module in in_order():
        if module.LEVEL == "document" and (len(usable) > 1 or module.KIND == usability.KIND):
            differences += module.find(case)
    if len(usable) > 1:
        open_answers = {difference.field for difference in differences if difference.kind == "answer"}
        agreed["answers"] = {
            name: value
            for name, value in (usable[taken].get("answers") or {}).items()
            if value is not None and name not in open_answers
        }
        for group in _groups(usable, rules, taken, parts):
            own = Case(usable, rules, group, parts, everybody)
            found = [entry for module in in_order() if module.LEVEL == "region" for entry in module.find(own)]
            if found:
                differences += found
                continue
            name = group.members[group.base]
            agreed["regions"][name] = usable[group.base]["regions"][name]
            by_region[name] = sorted(group.members)
            notes += [
                {"region": name, "attribute": attribute, "values": values}
                for attribute, values in unequal(own, required=False)
            ]
    rank = {module.KIND: module.ORDER for module in in_order()}
    differences.sort(key=lambda entry: (entry.severity, rank[entry.kind], entry.group, entry.field or ""))
    return Consensus(agreed, by_region, tuple(differences), tuple(notes), False)


def decision_changes(
    document: Document, difference: Difference, decision: Mapping[str, Any], sides: Mapping[str, Document]
) -> list[dict[str, Any]]:
    """What one decision does to a document; its undoing is `annotator.core.changes.invert` of the answer."""
    changes: list[dict[str, Any]] = KINDS.get(difference.kind).apply(document, difference, decision, sides)
    return changes


def final_document(
    agreed: Document,
    by_region: Mapping[str, Sequence[str]],
    differences: Sequence[Difference],
    decisions: Mapping[str, Mapping[str, Any]],
    documents: Mapping[str, Document],
) -> Final:
    """The agreed rest with every difference decided. `decisions` goes by the difference's key.

    Once the usability question is decided as unusable, or by the only side that labelled, the other questions
    are about nothing and need no decision; otherwise a missing or an unknown one is Invalid.
    """
    sides = distinct_ids(documents)
    known = {difference.key for difference in differences}
    for key in decisions:
        if key not in known:
            raise Invalid(
                "unknown_difference", "A decision is about no difference of this dispute.", field=key
            )
    work: dict[str, Any] = {**agreed, "regions": dict(agreed["regions"]), "answers": dict(agreed["answers"])}
    credit = {name: list(who) for name, who in by_region.items()}
    rank = {module.KIND: module.ORDER for module in in_order()}
    queue = sorted(differences, key=lambda entry: (rank[entry.kind], entry.key))
    for difference in queue:
        if difference.kind == usability.KIND:
            decision = _needed(difference, decisions)
            work = apply_changes(work, decision_changes(work, difference, decision, sides))
            usable = [side for side in sides if sides[side].get("unusable") is None]
            if work["unusable"] is not None:
                return Final(work, {})
            if len(usable) == 1:
                return Final(work, {name: [usable[0]] for name in work["regions"]})
    for difference in queue:
        if difference.group and difference.kind not in ("missing", "extra"):
            name = difference.regions[difference.base]
            assert name is not None
            if name not in work["regions"]:
                work["regions"][name] = sides[difference.base]["regions"][name]
                credit[name] = sorted(side for side, other in difference.regions.items() if other is not None)
    for difference in queue:
        if difference.kind == usability.KIND:
            continue
        decision = _needed(difference, decisions)
        before = set(work["regions"])
        work = apply_changes(work, decision_changes(work, difference, decision, sides))
        for name in set(work["regions"]) - before:
            credit[name] = [str(decision["choice"])] if decision["choice"] in sides else ["verdict"]
        if (
            decision.get("choice") == "edit"
            and difference.group
            and difference.kind not in ("missing", "extra")
        ):
            based = difference.regions[difference.base]
            if based is not None and based in work["regions"] and "verdict" not in credit[based]:
                credit[based] = [*credit[based], "verdict"]
    return Final(work, {name: credit[name] for name in sorted(work["regions"])})


def _needed(difference: Difference, decisions: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    decision = decisions.get(difference.key)
    if decision is None:
        raise Invalid(
            "difference_undecided",
            "Every difference needs a decision before the verdict.",
            field=difference.key,
        )
    return decision


def matching_of(a: Document, b: Document, rules: Rules, *, parts: Parts = no_parts) -> Matching:
    """The one matching that agreement values and differences of a pair share."""
    return match(a["regions"], b["regions"], match_iou=rules.match_iou, edge_px=rules.edge_px, parts=parts)
