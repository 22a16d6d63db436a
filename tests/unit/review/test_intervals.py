"""Intervals against independent arithmetic: scipy, textbook rows, coverage under clusters."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from review.core.intervals import (
    clopper_pearson,
    cluster_bootstrap,
    finite_lot_interval,
    hypergeometric_cdf,
    regularised_beta,
    wilson,
)
from review.core.values import Interval, Undefined


@pytest.mark.parametrize(("x", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (490, 500), (1, 3000)])
def test_clopper_pearson_equals_scipy(x: int, n: int) -> None:
    from scipy.stats import beta

    got = clopper_pearson(x, n)
    assert isinstance(got, Interval)
    low = 0.0 if x == 0 else beta.ppf(0.025, x, n - x + 1)
    high = 1.0 if x == n else beta.ppf(0.975, x + 1, n - x)
    assert got.low == pytest.approx(low, abs=1e-9)
    assert got.high == pytest.approx(high, abs=1e-9)


def test_regularised_beta_equals_scipy() -> None:
    from scipy.special import betainc

    for a, b, x in [(0.5, 0.5, 0.3), (2, 5, 0.9), (300, 20, 0.95), (1, 1, 0.25), (1000, 1000, 0.5)]:
        assert regularised_beta(a, b, x) == pytest.approx(betainc(a, b, x), rel=1e-9)


def test_wilson_by_hand() -> None:
    # 8 of 10, z = 1.959964: centre (0.8 + 0.19207)/1.38415 = 0.71674, half 0.22654
    got = wilson(8, 10)
    assert isinstance(got, Interval)
    assert got.low == pytest.approx(0.4902, abs=1e-4)
    assert got.high == pytest.approx(0.9433, abs=1e-4)


def test_nothing_is_undefined_not_zero() -> None:
    assert clopper_pearson(0, 0) == Undefined("no_units")
    assert wilson(0, 0) == Undefined("no_units")
    assert cluster_bootstrap([], [], [], seed=1) == Undefined("no_units")
    assert cluster_bootstrap([1], [1], ["a"], seed=1) == Undefined("too_few_groups", 1)


def test_bootstrap_is_the_same_for_any_order_of_rows() -> None:
    generator = np.random.RandomState(3)
    top = generator.randint(0, 5, 60).tolist()
    groups = [f"g{index % 12}" for index in range(60)]
    order = generator.permutation(60)
    one = cluster_bootstrap(top, [5] * 60, groups, seed=9)
    two = cluster_bootstrap([top[i] for i in order], [5] * 60, [groups[i] for i in order], seed=9)
    assert one == two
    assert isinstance(one, Interval) and one.method == "cluster_bootstrap"


def test_bootstrap_without_variation_never_claims_certainty() -> None:
    got = cluster_bootstrap([4] * 20, [4] * 20, [f"g{index}" for index in range(20)], seed=1)
    assert isinstance(got, Interval)
    # 20 of 20 groups: lower bound 0.025 ** (1/20)
    assert got.low == pytest.approx(0.025 ** (1 / 20), abs=1e-6)
    assert got.method == "clopper_pearson_by_group"


def test_bootstrap_is_wider_where_units_come_in_clusters() -> None:
    """40 groups of 10 that succeed or fail together against the same 400 units as groups of their own."""
    top = [index % 2 for index in range(40) for _ in range(10)]
    together = cluster_bootstrap(top, [1] * 400, [f"g{i:03d}" for i in range(40) for _ in range(10)], seed=5)
    alone = cluster_bootstrap(top, [1] * 400, [f"u{i:03d}" for i in range(400)], seed=5)
    assert isinstance(together, Interval) and isinstance(alone, Interval)
    # design effect 10: three times as wide
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(10**0.5, rel=0.15)


def test_hypergeometric_equals_scipy_and_its_ends() -> None:
    from scipy.stats import hypergeom

    for x, size, bad, n in [(0, 50, 5, 10), (2, 1000, 21, 100), (3, 20, 18, 10), (7, 20, 18, 10)]:
        assert float(hypergeometric_cdf(x, size, bad, n)) == pytest.approx(
            hypergeom.cdf(x, size, bad, n), abs=1e-12
        )
    assert hypergeometric_cdf(-1, 10, 3, 4) == 0
    assert hypergeometric_cdf(3, 10, 3, 4) == 1
    assert hypergeometric_cdf(0, 4, 2, 2) == Fraction(1, 6)


def test_finite_lot_interval_covers() -> None:
    """For every D of a small lot the interval holds D with at least the stated chance."""
    size, n = 40, 12
    kept = {x: finite_lot_interval(x, n, size, 0.9) for x in range(n + 1)}
    for bad in range(size + 1):
        covered = Fraction(0)
        for x in range(max(0, n - (size - bad)), min(n, bad) + 1):
            chance = hypergeometric_cdf(x, size, bad, n) - hypergeometric_cdf(x - 1, size, bad, n)
            interval = kept[x]
            assert isinstance(interval, Interval)
            if interval.low <= bad / size <= interval.high:
                covered += chance
        assert covered >= Fraction(9, 10), bad
    assert finite_lot_interval(0, 40, 40) == Undefined("inspected_whole", 40)
