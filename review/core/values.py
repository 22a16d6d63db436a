"""What a measure answers: a value with its n and interval, or Undefined with its reason. Never 0, 1 or NaN
instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Undefined:
    """A value that cannot be computed. `reason` is a stable code, `n` the number of units looked at."""

    reason: str
    n: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"value": None, "undefined": self.reason, "n": self.n}


@dataclass(frozen=True)
class Interval:
    """Two-sided interval at `level`; `method` names the estimator, so that no figure stands without it."""

    low: float
    high: float
    level: float
    method: str

    def as_json(self) -> dict[str, Any]:
        return {
            "low": rounded(self.low),
            "high": rounded(self.high),
            "level": self.level,
            "method": self.method,
        }


@dataclass(frozen=True)
class Measured:
    """A value over n units. `numerator`/`denominator` are integers where the value is a ratio of counts,
    so that later pooling is exact. `interval` is Undefined where none is honest."""

    value: float
    n: int
    numerator: int | None = None
    denominator: int | None = None
    interval: Interval | Undefined | None = None

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"value": rounded(self.value), "n": self.n}
        if self.numerator is not None:
            out["numerator"] = self.numerator
        if self.denominator is not None:
            out["denominator"] = self.denominator
        if isinstance(self.interval, Undefined):
            out["interval"] = {"undefined": self.interval.reason, "n": self.interval.n}
        elif self.interval is not None:
            out["interval"] = self.interval.as_json()
        return out


Value = Measured | Undefined


def rounded(value: float) -> float:
    """Six decimals in every report: below that the last bits of a machine would show."""
    return round(float(value), 6) + 0.0


def value_from_json(document: Mapping[str, Any]) -> Value:
    """The stored form back; the interval is not read, since pooled figures get their own."""
    if document.get("value") is None:
        return Undefined(str(document.get("undefined", "unknown")), int(document.get("n", 0)))
    return Measured(
        float(document["value"]),
        int(document["n"]),
        document.get("numerator"),
        document.get("denominator"),
    )
