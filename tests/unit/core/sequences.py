# ruff: noqa: E501 - the cases are tables
"""Seeded random edit sequences as JSON: what a bench does in a session, save by save.

`sequence(seed)` gives {"document", "changes": [[…], …]}: a start and the lists of changes of each save,
made so that each fits. Used by the property tests and by `bench/edit_sequences.py`, which runs the same
lines through Node.
"""

from __future__ import annotations

import base64
import random
from typing import Any

from annotator.core import changes, masks
from annotator.core.document import empty

LABELS = ["coin", "brick", "人", "straße", "e\u0301", "😀"]
VALUES: list[Any] = [
    True, False, 0, 1, -1, 0.5, 1e21, 1e-7, 12.345, 123456.789, 9007199254740991, "", "x", "中文", "😀",
    "\u2028", "a\"b\\c", "\r\n", [], ["a", "b"], ["b", "a"], {}, {"b": 1, "a": {"\ufb33": None, "😀": 2}},
    0.1, 1e300, 5e-324, ]  # fmt: skip
KEYS = ["state", "n", "标签", "😀", "\ufb33", "__proto__", "constructor", "a b", "10", "9"]
PARTS = [masks.part_digest(bytes([n])) for n in range(12)]


class _Session:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.document = empty()
        self.undo: list[list[dict[str, Any]]] = []

    def region_id(self) -> str:
        return "r_" + base64.b32encode(self.random.randbytes(10)).decode("ascii").lower()

    def number(self) -> float | int:
        value = round(self.random.uniform(0, 4000), self.random.choice([0, 1, 2, 3]))
        return int(value) if value == int(value) and self.random.random() < 0.9 else value

    def geometry(self, shape: str) -> dict[str, Any]:
        if shape == "box":
            return {name: self.number() for name in ("x0", "y0", "x1", "y1")}
        if shape == "polygon":
            return {"rings": [[[self.number(), self.number()] for _ in range(self.random.randint(3, 8))]]}
        if shape == "span":
            start = self.random.randint(0, 500)
            return {"start": start, "end": start + 3, "quote": self.random.choice(["abc", "王小明", "a😀b"])}
        n_tiles = self.random.randint(0, 4)
        return {"tiles": {self.tile_key(): self.random.choice(PARTS) for _ in range(n_tiles)}}

    def tile_key(self) -> str:
        return f"{self.random.randint(0, 3)},{self.random.randint(0, 3)}"

    def region(self) -> dict[str, Any]:
        shape = self.random.choice(["box", "box", "polygon", "mask", "span"])
        found: dict[str, Any] = {
            "id": self.region_id(),
            "shape": shape,
            "label": self.random.choice(LABELS),
            "geometry": self.geometry(shape),
            "attributes": {
                self.random.choice(KEYS): self.random.choice(VALUES) for _ in range(self.random.randint(0, 2))
            },
            "asset": self.random.choice([None, "a_1", "a_2"]),
            "origin": {"kind": self.random.choice(["drawn", "kept", "edited", "bulk"])},
        }
        if self.random.random() < 0.2:
            found["z"] = self.random.randint(-3, 3)
        if self.random.random() < 0.1:
            found[self.random.choice(["newer", "__proto__", "标签"])] = self.random.choice([None, *VALUES])
        return found

    def change(self) -> dict[str, Any]:
        regions = self.document["regions"]
        roll = self.random.random()
        if roll < 0.25 or not regions:
            return {"op": "add", "region": self.region()}
        region = regions[self.random.choice(sorted(regions))]
        if roll < 0.33:
            return {"op": "remove", "region": region}
        if roll < 0.45:
            return {"op": "replace", "before": region, "after": {**self.region(), "id": region["id"]}}
        if roll < 0.6 and "tiles" in region["geometry"]:
            key = self.tile_key()
            before = region["geometry"]["tiles"].get(key)
            after = self.random.choice([None, *PARTS])
            return {"op": "tile", "region": region["id"], "tile": key, "before": before, "after": after}
        if roll < 0.7:
            name = self.random.choice(KEYS)
            return self.put(["answers", name], self.document["answers"].get(name))
        if roll < 0.73:
            after = None if self.document["unusable"] else self.random.choice(["blurred", "模糊"])
            return {"op": "set", "path": ["unusable"], "before": self.document["unusable"], "after": after}
        path = ["regions", region["id"]]
        if roll < 0.85:
            name = self.random.choice(KEYS)
            return self.put([*path, "attributes", name], region["attributes"].get(name))
        if roll < 0.92:
            after = self.geometry(region["shape"])
            return {"op": "set", "path": [*path, "geometry"], "before": region["geometry"], "after": after}
        if roll < 0.96:
            after = self.random.choice(LABELS)
            return {"op": "set", "path": [*path, "label"], "before": region["label"], "after": after}
        before = region.get("z")
        return {"op": "set", "path": [*path, "z"], "before": before, "after": self.random.choice([None, 0, 1, -2])}

    def put(self, path: list[str], before: Any) -> dict[str, Any]:
        return {"op": "set", "path": path, "before": before, "after": self.random.choice([None, *VALUES])}

    def save(self) -> list[dict[str, Any]]:
        """The changes of one save: some edits, now and then an undo of an earlier save's."""
        if self.undo and self.random.random() < 0.12:
            steps = changes.invert(self.undo.pop())
            self.document = changes.apply(self.document, steps)
            return steps
        steps = []
        for _ in range(self.random.randint(1, 6)):
            step = self.change()
            self.document = changes.apply(self.document, [step])
            steps.append(step)
        self.undo.append(steps)
        return steps


def sequence(seed: int, *, saves: int | None = None) -> dict[str, Any]:
    """One session's edits; the same for the same seed on every machine."""
    session = _Session(seed)
    start = session.document
    count = saves if saves is not None else session.random.choice([1, 2, 3, 5, 8, 13])
    return {"document": start, "changes": [session.save() for _ in range(count)]}
