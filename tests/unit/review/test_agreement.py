"""Measures: contract of every file, values by hand, undefined cases."""

from __future__ import annotations

import random

import pytest

from review.core.agreement import MEASURES
from review.core.agreement._pair import AnnotationPair
from review.core.rules import Rules
from review.core.values import Measured, Undefined
from tests.unit.review.make import SCHEMA, WORKFLOW, box, document

RULES = Rules.of(SCHEMA, WORKFLOW)


def measured(measure: str, one: dict, other: dict, label: str | None = None) -> Measured | Undefined:
    return MEASURES.get(measure).measure(AnnotationPair.of(one, other, RULES), label)


def test_the_four_measures() -> None:
    assert MEASURES.ids() == ["exact_answers.v1", "f1_iou.v1", "first_pass.v1", "mean_iou.v1"]


@pytest.mark.parametrize("measure", MEASURES.ids())
def test_contract(measure: str) -> None:
    """Symmetric, in 0..1 or Undefined with a reason, n given, never a number for nothing."""
    generator = random.Random(2)
    for _ in range(40):
        sides = []
        for side in "ab":
            made = [
                box(f"{side}{i}", x, y, x + 8, y + 8, generator.choice(["leak", "dust"]))
                for i in range(generator.randrange(4))
                for x, y in [(generator.randrange(12), generator.randrange(12))]
            ]
            light = generator.choice([{}, {"light": "day"}, {"light": "night"}])
            sides.append(
                document(*made, answers=light, unusable=generator.choice([None, None, None, "dark"]))
            )
        for label in (None, "leak"):
            there, back = measured(measure, *sides, label), measured(measure, *reversed(sides), label)
            assert there == back
            if isinstance(there, Undefined):
                assert there.reason
            else:
                assert 0.0 <= there.value <= 1.0 and there.n > 0
                assert there.numerator is not None and there.denominator is not None
                assert there.value == pytest.approx(there.numerator / there.denominator)


def test_f1_by_hand() -> None:
    one = document(box("a", 0, 0, 20, 20), box("b", 40, 0, 60, 20), box("c", 80, 0, 100, 20, "leak"))
    other = document(box("d", 0, 0, 20, 20), box("e", 40, 0, 60, 20, "leak"))
    # one agreeing pair of 5 regions; b-e matches but differs in label
    got = measured("f1_iou", one, other)
    assert got == Measured(2 / 5, 5, 2, 5)
    assert measured("f1_iou", one, other, "dust") == Measured(2 / 3, 3, 2, 3)
    assert measured("f1_iou", one, other, "leak") == Measured(0.0, 2, 0, 2)
    assert measured("mean_iou", one, other) == Measured(1.0, 2, 2_000_000, 2_000_000)


def test_nothing_is_undefined() -> None:
    assert measured("f1_iou", document(), document()) == Undefined("both_empty")
    assert measured("mean_iou", document(), document()) == Undefined("both_empty")
    assert measured("mean_iou", document(box("a", 0, 0, 9, 9)), document()) == Undefined("nothing_matched")
    assert measured("exact_answers", document(), document()) == Undefined("nothing_answered")
    assert measured("f1_iou", document(unusable="x"), document()) == Undefined("unusable")
    assert measured("first_pass", document(), document()) == Measured(1.0, 1, 1, 1)
    assert measured("first_pass", document(unusable="x"), document(unusable="y")) == Measured(1.0, 1, 1, 1)
    assert measured("first_pass", document(unusable="x"), document()) == Measured(0.0, 1, 0, 1)
    got = measured("exact_answers", document(answers={"light": "day"}), document())
    assert got == Measured(0.0, 1, 0, 1)
