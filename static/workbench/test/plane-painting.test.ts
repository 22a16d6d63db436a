/** Painting on tiles: true single pixels, round tips, copies only of what is touched. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { paint, strokeRows, tipOf } from "../src/tools/painting.ts";

const size = { width: 600, height: 600 };

function pixels(a: [number, number], b: [number, number], d: number): Set<string> {
  const found = new Set<string>();
  strokeRows({ x: a[0], y: a[1] }, { x: b[0], y: b[1] }, d, size, (y, x0, x1) => {
    for (let x = x0; x < x1; x++) found.add(`${x},${y}`);
  });
  return found;
}

test("a tip of 1 is one pixel, and a line of it has one pixel a step", () => {
  assert.deepEqual([...pixels([10.9, 20.2], [10.9, 20.2], 1)], ["10,20"]);
  assert.equal(pixels([0.5, 0.5], [9.5, 0.5], 1).size, 10);
  assert.equal(pixels([0.5, 0.5], [9.5, 9.5], 1).size, 10);
  // Steps along the longer side: |dx| + 1.
  assert.equal(pixels([3.5, 7.5], [43.5, 20.5], 1).size, 41);
});

test("tips are symmetric, as wide as they say, and near a circle in area", () => {
  for (const d of [1, 2, 3, 4, 5, 8, 13, 40, 101]) {
    const tip = tipOf(d);
    assert.equal(tip.spans.length, d);
    assert.equal(Math.max(...tip.spans.map(([from, to]) => to - from)), d);
    const area = tip.spans.reduce((sum, [from, to]) => sum + to - from, 0);
    assert.ok(Math.abs(area - Math.PI * d * d / 4) <= Math.max(2, 0.6 * d), `d ${d}: ${area}`);
    tip.spans.forEach(([from, to], i) => {
      const [mirrorFrom, mirrorTo] = tip.spans[d - 1 - i]!;
      assert.deepEqual([from, to], [mirrorFrom, mirrorTo]);
    });
  }
});

test("a stroke is the union of its stamps", () => {
  // By hand: stamp the same tip at each pixel of the same line, pixel by pixel.
  for (const d of [1, 2, 5, 12]) {
    for (const [a, b] of [[[50.2, 60.7], [90.1, 71.3]], [[80.5, 20.5], [70.5, 99.5]], [[30, 30], [30, 30]], [[200, 40], [150, 90]]] as [[number, number], [number, number]][]) {
      const stroke = pixels(a, b, d);
      const snap = d % 2 === 1 ? Math.floor : Math.round;
      let x = snap(a[0]), y = snap(a[1]);
      const tx = snap(b[0]), ty = snap(b[1]);
      const dx = Math.abs(tx - x), dy = -Math.abs(ty - y), sx = x < tx ? 1 : -1, sy = y < ty ? 1 : -1;
      let error = dx + dy;
      const union = new Set<string>();
      for (;;) {
        const tip = tipOf(d);
        tip.spans.forEach(([from, to], i) => {
          for (let c = from; c < to; c++) union.add(`${x + c},${y + tip.top + i}`);
        });
        if (x === tx && y === ty) break;
        const twice = 2 * error;
        if (twice >= dy) { error += dy; x += sx; }
        if (twice <= dx) { error += dx; y += sy; }
      }
      assert.deepEqual([...stroke].sort(), [...union].sort());
    }
  }
});

test("only touched tiles are copied; the stored ones stay as they are; the picture's edge holds", () => {
  const stored = new Uint8Array(65536).fill(1);
  const work = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const here = paint(work, (key) => {
    asked.push(key);
    return key === "0,0" ? stored : null;
  }, { x: 250.5, y: 10.5 }, { x: 262.5, y: 10.5 }, 3, 0, size);
  assert.ok(here);
  assert.deepEqual([...work.keys()], ["0,0"], "an absent tile has nothing to erase");
  assert.ok(asked.includes("1,0"));
  assert.equal(stored[10 * 256 + 252], 1);
  assert.equal(work.get("0,0")![10 * 256 + 252], 0);

  const edge = new Map<string, Uint8Array>();
  paint(edge, () => null, { x: 599.5, y: 599.5 }, { x: 640, y: 640 }, 9, 1, size);
  assert.deepEqual([...edge.keys()], ["2,2"]);
  const tile = edge.get("2,2")!;
  tile.forEach((value, i) => {
    if (value) assert.ok(512 + (i & 255) < 600 && 512 + (i >> 8) < 600);
  });
});

test("pixels that have not arrived are never painted over", () => {
  const work = new Map<string, Uint8Array>();
  assert.equal(paint(work, () => undefined, { x: 5, y: 5 }, { x: 9, y: 9 }, 5, 1, size), false);
  assert.equal(work.size, 0);
});
