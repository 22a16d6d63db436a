"""Intervals for rates: exact binomial, Wilson, cluster bootstrap by group, exact for a finite lot.

Which one is honest depends on what was drawn (units in clusters are not independent): the exact binomial
stands only where the unit drawn is the unit judged; regions in tasks, slices of a patient, frames of a clip
are bootstrapped by their group. Everything is own arithmetic, since the page that shows it may not load
scipy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from review.core.values import Interval, Undefined

BOOTSTRAP_REPEATS = 2000
MIN_GROUPS = 5
"""Below this a percentile bootstrap says more about its own draws than about the data."""


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function by the modified Lentz recursion."""
    tiny = 1e-300
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 + even * d
        c = 1.0 + even / c
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        h *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 + odd * d
        c = 1.0 + odd / c
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = c if abs(c) > tiny else tiny
        step = d * c
        h *= step
        if abs(step - 1.0) < 1e-15:
            break
    return h


def regularised_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), the distribution function of Beta(a, b). a, b > 0."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Inverse of `regularised_beta` by bisection: 60 halvings, no start value to get wrong."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if regularised_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval | Undefined:
    """Exact two-sided binomial interval. Only where each unit was drawn by itself."""
    if n <= 0:
        return Undefined("no_units")
    if not 0 <= successes <= n:
        raise ValueError("successes must lie in 0..n")
    tail = (1.0 - level) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1.0 - tail, successes + 1, n - successes)
    return Interval(low, high, level, "clopper_pearson")


def _normal_quantile(probability: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | Undefined:
    """Score interval: for shares shown on charts, where each unit is its own draw and width matters more than
    guaranteed coverage."""
    if n <= 0:
        return Undefined("no_units")
    z = _normal_quantile(1.0 - (1.0 - level) / 2)
    share = successes / n
    scale = 1.0 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level, "wilson")


def cluster_bootstrap(
    numerators: Sequence[int],
    denominators: Sequence[int],
    groups: Sequence[str],
    *,
    seed: int,
    level: float = 0.95,
    repeats: int = BOOTSTRAP_REPEATS,
    counts: bool = True,
) -> Interval | Undefined:
    """Percentile interval of sum(numerators)/sum(denominators), whole groups resampled with replacement.

    Numerators and denominators are integers and are summed as integers, so the same seed gives the same
    interval on every machine and with any number of threads. Groups are put in order of name first: the order
    of rows does not matter. Where every group has the same ratio the bootstrap has no width and would lie:
    then each group counts as one unit of an exact binomial (only for ratios of 0 or 1 of things counted;
    `counts` False for a mean of something measured), else Undefined.
    """
    if not (len(numerators) == len(denominators) == len(groups)):
        raise ValueError("numerators, denominators and groups must have one length")
    names = sorted(set(groups))
    place = {name: index for index, name in enumerate(names)}
    top = np.zeros(len(names), dtype=np.int64)
    bottom = np.zeros(len(names), dtype=np.int64)
    for numerator, denominator, group in zip(numerators, denominators, groups, strict=True):
        top[place[group]] += numerator
        bottom[place[group]] += denominator
    keep = bottom > 0
    top, bottom = top[keep], bottom[keep]
    count = int(keep.sum())
    if count == 0:
        return Undefined("no_units")
    if count < MIN_GROUPS:
        return Undefined("too_few_groups", count)
    if counts and (not top.any() or (top == bottom).all()):
        exact = clopper_pearson(count if top.any() else 0, count, level)
        assert isinstance(exact, Interval)
        return Interval(exact.low, exact.high, level, "clopper_pearson_by_group")
    if len({Fraction(int(t), int(b)) for t, b in zip(top, bottom, strict=True)}) == 1:
        return Undefined("no_variation_between_groups", count)
    # The legacy generator's stream is frozen by numpy, so a report stays byte-identical over numpy versions.
    generator = np.random.RandomState(seed % 2**32)
    ratios = np.empty(repeats, dtype=np.float64)
    for index in range(repeats):
        drawn = generator.randint(0, count, size=count)
        ratios[index] = int(top[drawn].sum()) / int(bottom[drawn].sum())
    ratios.sort()
    tail = (1.0 - level) / 2
    low = ratios[max(0, math.floor(tail * repeats))]
    high = ratios[min(repeats - 1, math.ceil((1.0 - tail) * repeats) - 1)]
    return Interval(float(low), float(high), level, "cluster_bootstrap")


def hypergeometric_cdf(x: int, lot_size: int, bad: int, n: int) -> Fraction:
    """P(X <= x) when n are drawn without replacement from lot_size of which bad are wrong. Exact integers."""
    if not (0 <= bad <= lot_size and 0 <= n <= lot_size):
        raise ValueError("need 0 <= bad, n <= lot size")
    first = max(0, n - (lot_size - bad))
    last = min(n, bad)
    if x < first:
        return Fraction(0)
    if x >= last:
        return Fraction(1)
    total = math.comb(lot_size, n)
    term = math.comb(bad, first) * math.comb(lot_size - bad, n - first)
    accumulated = term
    for k in range(first, x):
        # t(k+1)/t(k) is a ratio of integers, and the product of a term with it is an integer again.
        term = term * (bad - k) * (n - k) // ((k + 1) * (lot_size - bad - n + k + 1))
        accumulated += term
    return Fraction(accumulated, total)


def finite_lot_interval(x: int, n: int, lot_size: int, level: float = 0.95) -> Interval | Undefined:
    """Exact interval for the share wrong in a lot of lot_size after x of n drawn were wrong (tests
    inverted)."""
    if n <= 0:
        return Undefined("no_units")
    if n == lot_size:
        return Undefined("inspected_whole", n)
    tail = Fraction(str(round((1.0 - level) / 2, 6)))
    least, most = x, lot_size - (n - x)
    low, high = least, most
    while low < high:  # smallest D with P(X >= x; D) > tail
        middle = (low + high) // 2
        if 1 - hypergeometric_cdf(x - 1, lot_size, middle, n) > tail:
            high = middle
        else:
            low = middle + 1
    lower = low
    low, high = least, most
    while low < high:  # largest D with P(X <= x; D) > tail
        middle = (low + high + 1) // 2
        if hypergeometric_cdf(x, lot_size, middle, n) > tail:
            low = middle
        else:
            high = middle - 1
    return Interval(lower / lot_size, low / lot_size, level, "hypergeometric")
