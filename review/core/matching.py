"""Which region of one person is which region of another: one to one, the largest total IoU.

Pure. Reads shape, geometry, asset, frame and label; never origin, prelabel or author: two people who kept the
same proposal are paired because they agree, not because an id says so. Ties fall by label, then by a number
made of both region ids in either order, so that swapping the two people changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from review.core.extents import Parts, Region, bounds, likeness, no_parts, plane

IOU_STEPS = 1_000_000
"""IoU is compared in steps of 1e-6, so that two machines with other last bits pair alike."""
EXACT_UP_TO = 40
"""Larger components (more regions than this on a side) are solved by scipy's solver in floating point."""


@dataclass(frozen=True)
class Pair:
    """Region ids of both sides and how alike their extents are."""

    a: str
    b: str
    iou: float
    close: bool


@dataclass(frozen=True)
class Matching:
    """Pairs in order of (a); what is left over on each side, in order of id."""

    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    def swapped(self) -> Matching:
        pairs = sorted((Pair(p.b, p.a, p.iou, p.close) for p in self.pairs), key=lambda p: p.a)
        return Matching(tuple(pairs), self.only_b, self.only_a)


def pair_number(one: str, other: str) -> int:
    """A 63-bit number of an unordered pair of ids: the last tie-break, the same from both sides."""
    low, high = sorted((one, other))
    raw = hashlib.sha256(f"{low}\x00{high}".encode()).digest()
    return int.from_bytes(raw[:8], "big") >> 1


def _assign(weights: Sequence[Sequence[int]]) -> list[int]:
    """For each row a column (len(columns) >= len(rows)) so that the sum of integer weights is largest.

    The Hungarian method with potentials in Python's integers: exact for any size of weight, O(rows^2 *
    columns).
    """
    rows, columns = len(weights), len(weights[0])
    top = max(max(row) for row in weights)
    u = [0] * (rows + 1)
    v = [0] * (columns + 1)
    taken = [0] * (columns + 1)
    way = [0] * (columns + 1)
    for row in range(1, rows + 1):
        taken[0] = row
        column = 0
        least: list[int | None] = [None] * (columns + 1)
        used = [False] * (columns + 1)
        while True:
            used[column] = True
            current = taken[column]
            delta: int | None = None
            following = 0
            line = weights[current - 1]
            for j in range(1, columns + 1):
                if used[j]:
                    continue
                cost = (top - line[j - 1]) - u[current] - v[j]
                known = least[j]
                if known is None or cost < known:
                    least[j] = known = cost
                    way[j] = column
                if delta is None or known < delta:
                    delta, following = known, j
            assert delta is not None
            for j in range(columns + 1):
                if used[j]:
                    u[taken[j]] += delta
                    v[j] -= delta
                elif least[j] is not None:
                    least[j] -= delta  # type: ignore[operator]
            column = following
            if taken[column] == 0:
                break
        while column:
            before = way[column]
            taken[column] = taken[before]
            column = before
    chosen = [-1] * rows
    for j in range(1, columns + 1):
        if taken[j]:
            chosen[taken[j] - 1] = j - 1
    return chosen


def _solve(
    left: Sequence[str], right: Sequence[str], edges: Mapping[tuple[str, str], tuple[int, int]]
) -> list[tuple[str, str]]:
    """Best pairs of one component. edges: (a, b) -> (IoU in steps, 1 when labels are equal)."""
    if len(left) == 1 and len(right) == 1:
        return [(left[0], right[0])]
    flipped = len(left) > len(right)
    rows, columns = (right, left) if flipped else (left, right)
    # Lexicographic in one integer: total IoU, then equal labels, then the ids' numbers. Sums of the lower
    # places never reach the higher one.
    count = len(rows)
    label_unit = (count + 1) << 63
    iou_unit = label_unit * (count + 1)

    def weight(row: str, column: str) -> int:
        key = (column, row) if flipped else (row, column)
        edge = edges.get(key)
        return 0 if edge is None else edge[0] * iou_unit + edge[1] * label_unit + pair_number(*key)

    if len(rows) <= EXACT_UP_TO:
        chosen = _assign([[weight(row, column) for column in columns] for row in rows])
    else:
        from scipy.optimize import linear_sum_assignment

        # Floats hold IoU, label and 12 bits of the ids' number. A tie below that falls by scipy's scan order,
        # hence rows and columns in order of id: tolerated, since it needs more than 40 objects that overlap
        # in a chain and alternatives equal to 1e-6.
        table = np.zeros((len(rows), len(columns)))
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                key = (column, row) if flipped else (row, column)
                edge = edges.get(key)
                if edge is not None:
                    table[i, j] = edge[0] + edge[1] / 1024 + (pair_number(*key) >> 51) / (1024 * 4096 * 4096)
        found = linear_sum_assignment(table, maximize=True)
        chosen = [-1] * len(rows)
        for i, j in zip(*found, strict=True):
            chosen[int(i)] = int(j)
    pairs = []
    for i, j in enumerate(chosen):
        if j < 0:
            continue
        key = (columns[j], rows[i]) if flipped else (rows[i], columns[j])
        if key in edges:
            pairs.append(key)
    return pairs


def _candidates(a: Mapping[str, Region], b: Mapping[str, Region]) -> list[tuple[str, str]]:
    """Pairs whose bounds meet, plane by plane; bounds are compared in one numpy step a plane."""
    planes: dict[tuple[str, str, int], tuple[list[str], list[str]]] = {}
    for side, regions in enumerate((a, b)):
        for name in sorted(regions):
            planes.setdefault(plane(regions[name]), ([], []))[side].append(name)
    found = []
    for left, right in planes.values():
        if not left or not right:
            continue
        one = np.array([bounds(a[name]) for name in left])
        two = np.array([bounds(b[name]) for name in right])
        meets = (
            (one[:, None, 0] < two[None, :, 2])
            & (two[None, :, 0] < one[:, None, 2])
            & (one[:, None, 1] < two[None, :, 3])
            & (two[None, :, 1] < one[:, None, 3])
        )
        found += [(left[int(i)], right[int(j)]) for i, j in np.argwhere(meets)]
    return found


def match(
    a: Mapping[str, Region],
    b: Mapping[str, Region],
    *,
    match_iou: float,
    edge_px: float,
    parts: Parts = no_parts,
) -> Matching:
    """Pair regions one to one. A pair is possible from IoU >= match_iou on, or when every edge lies within
    edge_px (else tiny boxes that are within tolerance could not even be paired). Among possible pairs the
    total IoU is largest; a region without a possible pair is left over. Nothing on a side: everything is left
    over."""
    edges: dict[tuple[str, str], tuple[int, int]] = {}
    alike = {}
    for one, two in _candidates(a, b):
        found = likeness(a[one], b[two], edge_px=edge_px, parts=parts)
        if found.iou > 0 and (found.iou >= match_iou or found.close):
            same_label = int(a[one].get("label") == b[two].get("label"))
            edges[one, two] = (round(found.iou * IOU_STEPS), same_label)
            alike[one, two] = found
    pairs = []
    for left, right in _components(edges):
        for key in _solve(left, right, edges):
            pairs.append(Pair(key[0], key[1], alike[key].iou, alike[key].close))
    pairs.sort(key=lambda pair: pair.a)
    taken_a = {pair.a for pair in pairs}
    taken_b = {pair.b for pair in pairs}
    return Matching(
        tuple(pairs),
        tuple(name for name in sorted(a) if name not in taken_a),
        tuple(name for name in sorted(b) if name not in taken_b),
    )


def _components(edges: Mapping[tuple[str, str], Any]) -> list[tuple[list[str], list[str]]]:
    """Connected components of the possible pairs, sides sorted by id."""
    to_b: dict[str, list[str]] = {}
    to_a: dict[str, list[str]] = {}
    for one, two in edges:
        to_b.setdefault(one, []).append(two)
        to_a.setdefault(two, []).append(one)
    seen: set[str] = set()
    found = []
    for start in sorted(to_b):
        if start in seen:
            continue
        left: set[str] = {start}
        right: set[str] = set()
        stack: list[tuple[int, str]] = [(0, start)]
        while stack:
            side, name = stack.pop()
            for other in (to_b if side == 0 else to_a)[name]:
                group = right if side == 0 else left
                if other not in group:
                    group.add(other)
                    stack.append((1 - side, other))
        seen |= left
        found.append((sorted(left), sorted(right)))
    return found
