"""The plan's numbers: rows of the guide's table (acceptance.md G3, S9), recomputed exactly, and the draw."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.core.sampling import fixed_fraction as ff
from review.core.sampling.draw import commitment, draw, frozen_digest


@pytest.mark.parametrize(
    ("size", "n", "ac", "sure", "five"),
    [(200, 20, 0, 0.41, 0.34), (1000, 100, 2, 0.35, 0.11)],
)
def test_ten_per_cent_at_98(size: int, n: int, ac: int, sure: float, five: float) -> None:
    made = ff.plan(size, "0.10", "0.98")
    assert (made.n, made.acceptance_number) == (n, ac)
    confident = ff.confidence(made)
    assert confident is not None and round(float(confident), 2) == sure
    rows = {row["share"]: row for row in ff.operating_characteristic(made)}
    assert round(rows[0.05]["passes"], 2) == five


def test_a_large_lot_exactly_at_the_boundary_is_a_coin() -> None:
    made = ff.plan(20000, "0.10", "0.98")
    assert (made.n, made.acceptance_number, made.worst_good) == (2000, 40, 400)
    assert round(float(ff.passes_with(made, 400)), 2) == 0.54


@pytest.mark.parametrize(
    ("size", "rows"),
    [(1000, [(132, 0), (206, 1), (269, 2)]), (200, [(90, 0)]), (50, [(39, 0)])],
)
def test_smallest_sample_rows(size: int, rows: list[tuple[int, int]]) -> None:
    for n, ac in rows:
        assert ff.smallest_sample(size, "0.98", ac, "0.95") == n


def test_smallest_sample_rows_at_half_a_per_cent() -> None:
    from review.core.intervals import hypergeometric_cdf

    got = [round(float(hypergeometric_cdf(ac, 1000, 5, n)), 2) for n, ac in [(132, 0), (206, 1), (269, 2)]]
    assert got == [0.49, 0.73, 0.88]


def test_floors_are_exact_where_floats_are_wrong() -> None:
    for size in (10, 20, 30):
        assert ff.plan(size, "0.5", "0.9").worst_good == size // 10
        assert ff.plan(size, 0.5, 0.9).worst_good == size // 10
    assert ff.as_fraction(0.98) == Fraction(49, 50)


def test_whole_lot_and_one_member() -> None:
    made = ff.plan(1, "0.1", "0.98")
    assert (made.n, made.acceptance_number) == (1, 0)
    assert ff.what_it_buys(made)["inspected_whole"] is True
    assert ff.judge(made, 0) is True and ff.judge(made, 1) is False
    with pytest.raises(ValueError):
        ff.judge(made, 2)
    with pytest.raises(ValueError):
        ff.plan(0, "0.1", "0.98")
    with pytest.raises(ValueError):
        ff.plan(10, "0", "0.98")


def test_simulation_at_the_boundary() -> None:
    """Independent few lines: a lot just below q, drawn by another generator, passes as often as the plan
    says."""
    made = ff.plan(200, "0.10", "0.98")
    lot = [True] * made.least_bad + [False] * (200 - made.least_bad)
    generator = random.Random(11)
    passed = sum(sum(generator.sample(lot, made.n)) <= made.acceptance_number for _ in range(4000))
    assert passed / 4000 == pytest.approx(float(ff.passes_with(made, made.least_bad)), abs=0.025)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 100), st.integers(50, 100))
def test_more_wrong_items_never_pass_more_often(size: int, share: int, quality: int) -> None:
    made = ff.plan(size, Fraction(share, 100), Fraction(quality, 100))
    chances = [ff.passes_with(made, wrong) for wrong in range(size + 1)]
    assert all(a >= b for a, b in zip(chances, chances[1:], strict=False))
    assert chances[0] == 1


def test_draw_depends_on_the_seed_and_the_frozen_list_only() -> None:
    members = [f"t_{index}" for index in range(50)]
    shuffled = members[:]
    random.Random(1).shuffle(shuffled)
    assert draw(b"seed", members, 7) == draw(b"seed", shuffled, 7)
    assert draw(b"seed", members, 7) != draw(b"other", members, 7)
    assert set(draw(b"seed", members, 5)) < set(draw(b"seed", members, 7))
    # another list under the same seed is another draw, also for the members they share
    assert set(draw(b"seed", [*members, "t_x"], 7)) - {"t_x"} != set(draw(b"seed", members, 7))
    assert commitment(b"seed") != commitment(b"other")
    with pytest.raises(ValueError):
        frozen_digest(["a", "a"])


def test_draw_gives_each_member_the_same_chance() -> None:
    members = [f"t_{index}" for index in range(20)]
    counts = dict.fromkeys(members, 0)
    for seed in range(2000):
        for name in draw(seed.to_bytes(4, "big"), members, 5):
            counts[name] += 1
    # 500 expected, standard deviation 19.4
    assert max(abs(count - 500) for count in counts.values()) < 4.5 * 19.4
