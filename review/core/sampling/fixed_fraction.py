"""`fixed_fraction.v1`: a share of the lot is drawn, the lot is accepted when the drawn sample reaches q.

Contracts name it ('10 % are checked, 98 % right'); it is not a plan with a stated risk, since protection
follows n and not n/N. So it prints what it buys: the chance that lots of stated badness pass, and with what
confidence an accepted lot is at least q right. Exact integer arithmetic throughout; nothing here is
approximated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from review.core.intervals import hypergeometric_cdf
from review.core.values import rounded

ID = "fixed_fraction.v1"
SHOWN_WRONG = ("0.005", "0.01", "0.02", "0.05", "0.08")
"""Shares of wrong items for which the chance of acceptance is printed."""


@dataclass(frozen=True)
class Plan:
    """One lot's plan: N, n, Ac. Accept when the number of wrong items in the sample is <=
    acceptance_number."""

    lot_size: int
    n: int
    acceptance_number: int
    share: Fraction
    quality: Fraction

    @property
    def worst_good(self) -> int:
        """D0: the most wrong items a lot of quality q may hold."""
        return floor_fraction(self.lot_size * (1 - self.quality))

    @property
    def least_bad(self) -> int:
        """D1 = D0 + 1: a lot that is just not of quality q."""
        return self.worst_good + 1


_SMALL_POWER = re.compile(r"\A[^eE]*(?:[eE][+-]?[0-9]{1,2})?\Z")


def as_fraction(value: str | float | Fraction) -> Fraction:
    """Decimal text to an exact fraction. A float goes by its shortest decimal form: 0.98 is 49/50."""
    if isinstance(value, Fraction):
        return value
    text = str(value)
    if len(text) > 40 or not _SMALL_POWER.search(text):
        raise ValueError("not a decimal of ordinary size")  # 1e-99999999 would be an integer of 41 MB
    return Fraction(text)


def floor_fraction(value: Fraction) -> int:
    return value.numerator // value.denominator


def ceil_fraction(value: Fraction) -> int:
    return -((-value.numerator) // value.denominator)


def plan(lot_size: int, share: str | float | Fraction, quality: str | float | Fraction) -> Plan:
    """n = ceil(share * N), Ac = floor(n * (1 - q)). 0 < share <= 1, 0 < quality <= 1, N >= 1."""
    fraction, target = as_fraction(share), as_fraction(quality)
    if lot_size < 1:
        raise ValueError("a lot has at least one member")
    if not 0 < fraction <= 1:
        raise ValueError("share must lie in (0, 1]")
    if not 0 < target <= 1:
        raise ValueError("quality must lie in (0, 1]")
    n = min(lot_size, ceil_fraction(fraction * lot_size))
    return Plan(lot_size, n, floor_fraction(n * (1 - target)), fraction, target)


def passes_with(made: Plan, wrong: int) -> Fraction:
    """Chance that a lot with exactly `wrong` wrong items is accepted."""
    return hypergeometric_cdf(made.acceptance_number, made.lot_size, wrong, made.n)


def confidence(made: Plan) -> Fraction | None:
    """How surely a lot that is just below q is stopped: 1 - P(accept | D1). None when no such lot exists (q
    is so low that even a wholly wrong lot would reach it)."""
    if made.least_bad > made.lot_size:
        return None
    return 1 - passes_with(made, made.least_bad)


def operating_characteristic(made: Plan, shares: Iterable[str] = SHOWN_WRONG) -> list[dict[str, Any]]:
    """Rows of the curve. A share that is no whole number of items is rounded up: `wrong` says which count it
    is."""
    rows = []
    for text in shares:
        wrong = ceil_fraction(Fraction(text) * made.lot_size)
        passes = passes_with(made, wrong)
        rows.append({"share": float(Fraction(text)), "wrong": wrong, "passes": rounded(float(passes))})
    return rows


def what_it_buys(made: Plan) -> dict[str, Any]:
    """What the lot form and the lot's record print beside n and Ac."""
    sure = confidence(made)
    at_boundary = passes_with(made, made.worst_good)
    return {
        "plan": ID,
        "lot_size": made.lot_size,
        "n": made.n,
        "acceptance_number": made.acceptance_number,
        "share": float(made.share),
        "quality": float(made.quality),
        "operating_characteristic": operating_characteristic(made),
        "passes_at_quality": rounded(float(at_boundary)),
        "confidence": None if sure is None else rounded(float(sure)),
        "inspected_whole": made.n == made.lot_size,
    }


def judge(made: Plan, wrong_in_sample: int) -> bool:
    """True when the lot is accepted. All n must have been judged before this is asked."""
    if not 0 <= wrong_in_sample <= made.n:
        raise ValueError("wrong items in the sample must lie in 0..n")
    return wrong_in_sample <= made.acceptance_number


def smallest_sample(
    lot_size: int, quality: str | float, acceptance_number: int, sure: str | float
) -> int | None:
    """Smallest n for which a lot just below q passes with at most 1 - sure. Not a plan offered here: the lot
    form prints it beside the fixed fraction, so that a lead sees what the stated confidence would ask. None
    when even inspecting the whole lot cannot (Ac >= D1)."""
    bad = floor_fraction(lot_size * (1 - as_fraction(quality))) + 1
    limit = 1 - as_fraction(sure)
    if bad > lot_size or acceptance_number >= bad:
        return None
    low, high = acceptance_number + 1, lot_size
    while low < high:  # P(accept) falls with n, so bisection is exact
        middle = (low + high) // 2
        if hypergeometric_cdf(acceptance_number, lot_size, bad, middle) <= limit:
            high = middle
        else:
            low = middle + 1
    return low
