"""Consensus: what is agreed, what is a difference, decided, undone; independent of the order of people."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.canonical import digest
from annotator.core.changes import apply, invert
from annotator.core.errors import Invalid
from review.core.consensus import (
    Consensus,
    agreed_document,
    decision_changes,
    distinct_ids,
    final_document,
    taken_side,
)
from review.core.differences import KINDS, RESERVED, Difference, in_order
from tests.unit.review.make import SCHEMA, WORKFLOW, box, document, rid


def consensus(*documents: dict[str, Any], seed: str = "s", names: str = "ABCDE") -> tuple[Consensus, dict]:
    sides = dict(zip(names, documents, strict=False))
    return agreed_document(sides, SCHEMA, WORKFLOW, seed), sides


def decide(found: Consensus, sides: dict, **by_kind: Any) -> Any:
    decisions = {entry.key: by_kind[entry.kind] for entry in found.differences if entry.kind in by_kind}
    return final_document(found.agreed, found.by_region, found.differences, decisions, sides)


def test_kinds_are_files_and_relation_is_reserved() -> None:
    kinds = [module.KIND for module in in_order()]
    assert sorted(kinds) == sorted(
        ["missing", "extra", "label", "extent", "attribute", "answer", "usability"]
    )
    assert not set(RESERVED) & set(kinds)
    assert [KINDS.get(kind).KIND for kind in kinds] == kinds


def test_within_tolerance_is_agreed_and_both_are_credited() -> None:
    one, other = document(box("a", 0, 0, 10, 10)), document(box("b", 1, 1, 11, 11))
    found, _ = consensus(one, other)
    assert not found.differences
    assert list(found.by_region.values()) == [["A", "B"]]
    assert set(found.agreed["regions"]) in ({rid("a")}, {rid("b")})


def test_the_seed_decides_and_nobody_is_favoured() -> None:
    one, other = document(box("a", 0, 0, 10, 10)), document(box("b", 1, 1, 11, 11))
    taken = [next(iter(consensus(one, other, seed=str(i))[0].agreed["regions"])) for i in range(400)]
    assert 150 < taken.count(rid("a")) < 250
    assert taken_side({"A": one, "B": other}, "7") == taken_side({"B": other, "A": one}, "7")


def test_every_unmatched_region_is_a_question() -> None:
    found, sides = consensus(document(box("a", 0, 0, 10, 10, "leak")), document(box("b", 50, 50, 60, 60)))
    assert [(entry.kind, entry.severity) for entry in found.differences] == [
        ("missing", "A"),
        ("missing", "C"),
    ]
    first = found.differences[0]
    assert first.regions == {"A": rid("a"), "B": None}
    decisions = {first.key: {"choice": "A"}, found.differences[1].key: {"choice": "none"}}
    final = final_document(found.agreed, found.by_region, found.differences, decisions, sides)
    assert set(final.document["regions"]) == {rid("a")}
    assert final.by_region == {rid("a"): ["A"]}
    # to agree with the one who drew nothing is to say that it is not there
    decisions[first.key] = {"choice": "B"}
    assert not final_document(found.agreed, found.by_region, found.differences, decisions, sides).document[
        "regions"
    ]


def test_label_takes_its_attributes_along() -> None:
    one = document(box("a", 0, 0, 10, 10, "coin", attributes={"side": "h"}))
    other = document(box("b", 0, 0, 10, 10, "dust"))
    found, sides = consensus(one, other)
    assert [entry.kind for entry in found.differences] == ["label"]
    assert found.differences[0].values == {"A": "coin", "B": "dust"} and found.differences[0].severity == "B"
    for choice, label, attributes in (("A", "coin", {"side": "h"}), ("B", "dust", {})):
        (only,) = decide(found, sides, label={"choice": choice}).document["regions"].values()
        assert (only["label"], only["attributes"]) == (label, attributes)
    assert not decide(found, sides, label={"choice": "none"}).document["regions"]
    edited = decide(found, sides, label={"choice": "edit", "value": "leak"})
    (only,) = edited.document["regions"].values()
    assert only["label"] == "leak"
    assert edited.by_region[only["id"]] == ["A", "B", "verdict"]


def test_extent_keeps_the_id_and_takes_the_geometry() -> None:
    one, other = document(box("a", 0, 0, 100, 100)), document(box("b", 0, 0, 100, 80))
    found, sides = consensus(one, other)
    assert [entry.kind for entry in found.differences] == ["extent"]
    for choice, y1 in (("A", 100), ("B", 80)):
        final = decide(found, sides, extent={"choice": choice})
        (only,) = final.document["regions"].values()
        assert only["geometry"]["y1"] == y1 and only["id"] in (rid("a"), rid("b"))
        assert final.by_region == {only["id"]: ["A", "B"]}
    drawn = box("c", 0, 0, 100, 90)
    (only,) = decide(found, sides, extent={"choice": "edit", "region": drawn}).document["regions"].values()
    assert only["geometry"]["y1"] == 90


def test_label_extent_and_attribute_of_one_object_are_questions_of_their_own() -> None:
    found, sides = consensus(
        document(box("a", 0, 0, 100, 100, "coin", attributes={"side": "h"})),
        document(box("b", 0, 0, 100, 80, "coin", attributes={"side": "t", "worn": True})),
    )
    assert [entry.kind for entry in found.differences] == ["extent", "attribute"]
    final = decide(found, sides, extent={"choice": "B"}, attribute={"choice": "A"})
    (only,) = final.document["regions"].values()
    assert only["geometry"]["y1"] == 80 and only["attributes"]["side"] == "h"
    gone = decide(found, sides, extent={"choice": "none"}, attribute={"choice": "A"})
    assert not gone.document["regions"]


def test_optional_attributes_are_noted_not_asked() -> None:
    found, _ = consensus(
        document(box("a", 0, 0, 10, 10, "coin", attributes={"side": "h", "worn": True})),
        document(box("b", 0, 0, 10, 10, "coin", attributes={"side": "h"})),
    )
    assert not found.differences
    assert found.notes[0]["attribute"] == "worn" and found.notes[0]["values"] == {"A": True, "B": False}


def test_answers() -> None:
    one = document(answers={"light": "day", "kinds": ["x", "y"], "note": "same "})
    other = document(answers={"light": "night", "kinds": ["y", "x"], "note": "same"})
    found, sides = consensus(one, other)
    assert [(entry.kind, entry.field) for entry in found.differences] == [("answer", "light")]
    assert set(found.agreed["answers"]) == {"kinds", "note"}
    assert decide(found, sides, answer={"choice": "B"}).document["answers"]["light"] == "night"
    assert "light" not in decide(found, sides, answer={"choice": "none"}).document["answers"]
    assert (
        decide(found, sides, answer={"choice": "edit", "value": "day"}).document["answers"]["light"] == "day"
    )


def test_usability_of_two() -> None:
    found, sides = consensus(
        document(unusable="blurred"), document(box("b", 0, 0, 9, 9), answers={"light": "day"})
    )
    assert [entry.kind for entry in found.differences] == ["usability"]
    assert decide(found, sides, usability={"choice": "A"}).document["unusable"] == "blurred"
    whole = decide(found, sides, usability={"choice": "B"})
    assert set(whole.document["regions"]) == {rid("b")} and whole.document["answers"] == {"light": "day"}
    assert whole.by_region == {rid("b"): ["B"]}
    with pytest.raises(Invalid):
        decide(found, sides, usability={"choice": "none"})


def test_usability_of_three_leaves_the_other_questions() -> None:
    found, sides = consensus(
        document(unusable="dark"), document(box("b", 0, 0, 9, 9)), document(box("c", 30, 30, 39, 39))
    )
    assert [entry.kind for entry in found.differences] == ["usability", "missing", "missing"]
    assert decide(found, sides, usability={"choice": "A"}).document["unusable"] == "dark"
    with pytest.raises(Invalid, match="difference_undecided"):
        decide(found, sides, usability={"choice": "B"})
    final = decide(found, sides, usability={"choice": "B"}, missing={"choice": "B"})
    assert set(final.document["regions"]) == {rid("b")}


def test_all_unusable() -> None:
    found, _ = consensus(document(unusable="dark"), document(unusable="blurred"))
    assert found.all_unusable and not found.differences and found.agreed["unusable"] in ("dark", "blurred")


def test_three_people_majority_and_minority_are_both_asked() -> None:
    found, _ = consensus(
        document(box("a", 0, 0, 9, 9), box("a2", 50, 50, 60, 60)),
        document(box("b", 0, 0, 9, 9)),
        document(),
    )
    assert sorted(entry.kind for entry in found.differences) == ["extra", "missing"]


def test_three_people_take_the_medoid() -> None:
    found, _ = consensus(
        document(box("a", 0, 0, 100, 100)),
        document(box("b", 0, 0, 101, 100)),
        document(box("c", 0, 0, 102, 100)),
    )
    assert set(found.agreed["regions"]) == {rid("b")}  # the middle one is nearest to both
    assert found.by_region == {rid("b"): ["A", "B", "C"]}


def test_bad_decisions_are_refused() -> None:
    found, sides = consensus(document(box("a", 0, 0, 9, 9)), document())
    key = found.differences[0].key
    for decisions in ({}, {key: {"choice": "C"}}, {key: {"choice": "edit"}}, {key: {"choice": "A"}, "x": {}}):
        with pytest.raises(Invalid):
            final_document(found.agreed, found.by_region, found.differences, decisions, sides)


def test_a_decision_is_changes_and_is_undone_by_their_inverse() -> None:
    found, sides = consensus(
        document(box("a", 0, 0, 100, 100, "coin", attributes={"side": "h"}), answers={"light": "day"}),
        document(box("b", 0, 0, 100, 80, "coin", attributes={"side": "t"}), answers={"light": "night"}),
    )
    start = {**found.agreed, "regions": {}}
    base = found.differences[0].base if found.differences[0].group else found.differences[1].base
    name = next(iter(sides[base]["regions"]))
    start["regions"] = {name: sides[base]["regions"][name]}
    for difference in found.differences:
        for choice in ("A", "B"):
            changes = decision_changes(start, difference, {"choice": choice}, sides)
            after = apply(start, changes)
            assert digest(apply(after, invert(changes))) == digest(start)


def test_differences_survive_their_stored_form() -> None:
    found, _ = consensus(document(box("a", 0, 0, 9, 9, "coin")), document(box("b", 0, 0, 9, 9, "leak")))
    for difference in found.differences:
        assert Difference.from_json(difference.as_json()) == difference


def test_reused_ids_do_not_collide() -> None:
    one, other = document(box("a", 0, 0, 9, 9)), document(box("a", 50, 50, 59, 59))
    made = distinct_ids({"A": one, "B": other})
    assert made == distinct_ids({"B": other, "A": one})
    names = [name for entry in made.values() for name in entry["regions"]]
    assert len(set(names)) == 2
    found, sides = consensus(one, other)
    assert len(decide(found, sides, missing={"choice": "A"}).document["regions"]) == 1


# --- order of people (acceptance.md S3) ---

corner = st.integers(0, 14)
shape = st.tuples(
    corner, corner, st.integers(2, 9), st.integers(2, 9), st.sampled_from(["leak", "coin", "dust"])
)
person = st.tuples(st.lists(shape, max_size=4), st.sampled_from([None, "day", "night"]), st.integers(0, 19))


def made(people: list) -> list[dict[str, Any]]:
    documents = []
    for index, (rows, light, unusable) in enumerate(people):
        regions = [
            box(f"{index}.{i}", x, y, x + w, y + h, label, attributes={"side": "h" if x % 2 else "t"})
            for i, (x, y, w, h, label) in enumerate(rows)
        ]
        answers = {} if light is None else {"light": light}
        documents.append(document(*regions, answers=answers, unusable="dark" if unusable == 0 else None))
    return documents


def neutral(found: Consensus, sides: dict[str, Any]) -> Any:
    """The result without the names of the sides: each name replaced by the digest of what it drew."""
    who = {side: digest(entry) for side, entry in sides.items()}
    return (
        digest(found.agreed),
        found.all_unusable,
        sorted((name, tuple(sorted(who[s] for s in credited))) for name, credited in found.by_region.items()),
        sorted(
            (
                entry.kind,
                entry.key,
                entry.severity,
                entry.label,
                entry.group,
                who.get(entry.base, ""),
                tuple(sorted((who[s], str(r)) for s, r in entry.regions.items())),
                tuple(sorted((who[s], str(v)) for s, v in (entry.values or {}).items())),
            )
            for entry in found.differences
        ),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(person, min_size=2, max_size=4))
def test_the_result_does_not_depend_on_the_order_of_people(people: list) -> None:
    documents = made(people)
    expected = None
    for order in itertools.permutations(range(len(documents))):
        sides = {name: documents[index] for name, index in zip("ABCD", order, strict=False)}
        got = neutral(agreed_document(sides, SCHEMA, WORKFLOW, "seed"), sides)
        expected = expected or got
        assert got == expected


@settings(max_examples=80, deadline=None)
@given(st.lists(person, min_size=2, max_size=3), st.integers(0, 10**6))
def test_nothing_is_lost_and_every_decision_can_be_applied(people: list, number: int) -> None:
    """Each region of each usable person is credited or asked about; random decisions always give a
    document."""
    documents = made(people)
    found, sides = consensus(*documents)
    usable = {side: entry for side, entry in sides.items() if entry["unusable"] is None}
    if len(usable) > 1:
        asked = {region for entry in found.differences for region in entry.regions.values() if region}
        stood = sum(len(credited) for credited in found.by_region.values())
        assert stood + len(asked) == sum(len(entry["regions"]) for entry in usable.values())
    generator = random.Random(number)
    decisions = {}
    for entry in found.differences:
        choices = sorted(set(entry.regions) | set(entry.values or {}))
        if entry.kind != "usability":
            choices.append("none")
        decisions[entry.key] = {"choice": generator.choice(choices)}
    final = final_document(found.agreed, found.by_region, found.differences, decisions, sides)
    assert set(final.by_region) == set(final.document["regions"])
    assert all(name == region["id"] for name, region in final.document["regions"].items())
