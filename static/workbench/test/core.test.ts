/** The pure core against independent answers: Node's own SHA-256, published examples, hand-counted figures. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { canonical, digest, NotCanonical } from "../src/core/canonical.ts";
import * as g from "../src/core/geometry.ts";
import { setLanguage, t, titleOf, tn } from "../src/core/i18n.ts";
import { newRegionId } from "../src/core/ids.ts";
import { BadRuns, decodeRuns, encodeRuns, runsArea, TILE_PIXELS } from "../src/core/runs.ts";
import { sha256Hex } from "../src/core/sha256.ts";
import { cutRuns, spanIou, spanLevels, TextIndex, trimSpan } from "../src/core/spans.ts";
import { ago, duration, ServerClock } from "../src/core/time.ts";
import { Dice } from "./random.ts";

test("sha256 equals Node's at every length around the block edges", () => {
  for (let n = 0; n < 300; n += 1) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 7 + n) & 255);
    assert.equal(sha256Hex(bytes), createHash("sha256").update(bytes).digest("hex"), `length ${n}`);
  }
  const shifted = new Uint8Array(1000).fill(9).subarray(3, 777);
  assert.equal(sha256Hex(shifted), createHash("sha256").update(shifted).digest("hex"));
});

test("canonical JSON: the example of RFC 8785, section 3.2.2", () => {
  const value = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 1e-27],
    string: "\u20ac$\u000f\nA'B\"\\\\\"/",
    literals: [null, true, false],
  };
  assert.equal(canonical(value), '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    + '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
});

test("canonical JSON: keys by UTF-16 units (RFC 8785, 3.2.3), minus zero, what has no form", () => {
  const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
  assert.deepEqual([...canonical(keys).matchAll(/:(\d)/g)].map((match) => Number(match[1])), [2, 4, 6, 7, 1, 5, 3]);
  assert.equal(canonical([-0, 1e21, 100]), "[0,1e+21,100]");
  for (const bad of [NaN, Infinity, "\ud800", { "\udc00": 1 }, [undefined], () => 1]) {
    assert.throws(() => canonical(bad), (error) => error instanceof NotCanonical);
  }
  assert.equal(canonical({ a: undefined, b: 1 }), '{"b":1}');
  assert.equal(digest({}), createHash("sha256").update("{}").digest("hex"));
});

test("run lengths: fixed point over random tiles; other forms are refused", () => {
  const dice = new Dice(1);
  for (let round = 0; round < 40; round += 1) {
    const tile = new Uint8Array(TILE_PIXELS);
    for (let k = 0; k < round * 3; k += 1) {
      const from = dice.int(TILE_PIXELS);
      tile.fill(dice.int(2), from, Math.min(TILE_PIXELS, from + dice.int(3000)));
    }
    const bytes = encodeRuns(tile);
    assert.deepEqual(decodeRuns(bytes), tile);
    assert.equal(runsArea(bytes), tile.reduce((sum, pixel) => sum + pixel, 0));
  }
  assert.deepEqual([...encodeRuns(new Uint8Array(TILE_PIXELS))], [0x80, 0x80, 0x04]);
  assert.deepEqual([...encodeRuns(new Uint8Array(TILE_PIXELS).fill(1))], [0, 0x80, 0x80, 0x04]);
  for (const bad of [[], [1], [0x80], [0x80, 0x80, 0x84, 0], [0x80, 0x80, 0x04, 0], [0x80, 0x80, 0x05], [0x80, 0x80, 0x80, 0x01]]) {
    assert.throws(() => decodeRuns(Uint8Array.from(bad)), (error) => error instanceof BadRuns, JSON.stringify(bad));
  }
});

test("geometry by hand", () => {
  const unit = { x0: 0, y0: 0, x1: 10, y1: 10 };
  assert.equal(g.boxIou(unit, { x0: 5, y0: 0, x1: 15, y1: 10 }), 50 / 150);
  assert.equal(g.boxIou(unit, { x0: 10, y0: 0, x1: 20, y1: 10 }), 0);
  assert.equal(g.edgeDistance(unit, { x0: 1, y0: -2, x1: 10, y1: 10 }), 2);
  const holed: g.Rings = [[[0, 0], [10, 0], [10, 10], [0, 10]], [[4, 4], [6, 4], [6, 6], [4, 6]]];
  assert.equal(g.polygonArea(holed), 96);
  assert.equal(g.pointInRings(5, 5, holed), false);
  assert.equal(g.pointInRings(1, 5, holed), true);
  assert.equal(g.distanceToRings(5, 5, holed), 1);
  assert.deepEqual(g.simplify([[0, 0], [5, 0.1], [10, 0]], 0.5), [[0, 0], [10, 0]]);
  assert.equal(g.simplifyRing([[0, 0], [5, 0.1], [10, 0], [10, 10], [0, 10]], 0.5).length, 4);
  assert.deepEqual(g.distinctRing([[0, 0], [0, 0], [1, 0], [0, 1], [0, 0]]), [[1, 0], [0, 1], [0, 0]]);
  assert.ok(Object.is(g.round3(-0.0001), 0));
  assert.equal(g.round3(1.2345), 1.235);
});

test("rasterised polygons: centre rule, tiles, shared edges", () => {
  const area = (tiles: Map<string, Uint8Array>): number =>
    [...tiles.values()].reduce((sum, tile) => sum + tile.reduce((s, p) => s + p, 0), 0);
  const square = g.ringsToTiles([[[250, 250], [262, 250], [262, 262], [250, 262]]], 1000, 1000);
  assert.deepEqual([...square.keys()].sort(), ["0,0", "0,1", "1,0", "1,1"]);
  assert.equal(area(square), 144);
  assert.equal(area(g.ringsToTiles([[[0.6, 0], [2.4, 0], [2.4, 1], [0.6, 1]]], 10, 10)), 1);
  assert.equal(area(g.ringsToTiles([[[-5, -5], [5, -5], [5, 5], [-5, 5]]], 10, 10)), 25);
  assert.equal(g.ringsToTiles([[[0, 0], [9, 9]]], 10, 10).size, 0);
  const dice = new Dice(5);
  for (let i = 0; i < 30; i += 1) {  // any cut of a square: both halves together are the square, without overlap
    const x0 = dice.next() * 20, x1 = dice.next() * 20;
    const left = g.ringsToTiles([[[0, 0], [x0, 0], [x1, 20], [0, 20]]], 20, 20);
    const right = g.ringsToTiles([[[x0, 0], [20, 0], [20, 20], [x1, 20]]], 20, 20);
    assert.equal(area(left) + area(right), 400);
    const a = left.get("0,0"), b = right.get("0,0");
    if (a && b) assert.ok(a.every((pixel, index) => !(pixel && b[index])));
  }
});

test("text offsets: code points over emoji, CJK, combining marks and a lone surrogate", () => {
  const text = "a挖👩‍👩‍👧e\u0301𠮷z\ud800!";
  const index = new TextIndex(text);
  const points = Array.from(text);
  assert.equal(index.length, points.length);
  let unit = 0;
  points.forEach((point, at) => {
    assert.equal(index.toUnit(at), unit);
    assert.equal(index.toPoint(unit), at);
    assert.equal(index.slice(at, at + 1), point);
    unit += point.length;
  });
  assert.equal(index.toPoint(text.length), points.length);
  const pair = text.indexOf("𠮷");
  assert.equal(index.toPoint(pair + 1), index.toPoint(pair) + 1);
});

test("carets stop at graphemes and words are found in both scripts", () => {
  const index = new TextIndex("hi 👩‍👩‍👧e\u0301, big word");
  assert.equal(index.nextStop(3), 8);        // the family is five code points
  assert.equal(index.nextStop(8), 10);       // e and its accent
  assert.equal(index.previousStop(10), 8);
  assert.deepEqual(index.wordAt(13), [12, 15]);
  assert.equal(index.nextWord(0), 8);
  assert.equal(index.previousWord(15), 12);
  assert.equal(index.previousStop(0), 0);
  const chinese = new TextIndex("管道旁有挖掘机施工", "zh");
  const [start, end] = chinese.wordAt(5);
  assert.ok(start <= 5 && end > 5 && end - start >= 2, "more than one character is a word");
  assert.deepEqual(trimSpan(index, 2, 3), null);
  assert.deepEqual(trimSpan(index, 16, 11), [12, 15]);
  const lines = new TextIndex("one\n\ntwo");
  assert.equal(lines.nextStop(3), 4);
  assert.equal(lines.nextStop(4), 5);
  assert.equal(lines.previousStop(5), 4);
  assert.equal(new TextIndex("").nextWord(0), 0);
});

test("overlapping spans are cut into runs and given levels", () => {
  const a = { start: 0, end: 6 }, b = { start: 4, end: 8 }, c = { start: 4, end: 5 };
  assert.deepEqual(cutRuns(10, [a, b, c]), [
    { start: 0, end: 4, covering: [a] }, { start: 4, end: 5, covering: [a, b, c] }, { start: 5, end: 6, covering: [a, b] },
    { start: 6, end: 8, covering: [b] }, { start: 8, end: 10, covering: [] },
  ]);
  const levels = spanLevels([a, b, c]);
  assert.deepEqual([levels.get(a), levels.get(b), levels.get(c)], [0, 1, 2]);
  assert.equal(spanIou(a, b), 2 / 8);
  assert.deepEqual(cutRuns(0, []), []);
});

test("words: placeholders, plurals, titles", () => {
  setLanguage("zh-hans", { "{n} day": ["{n} 天"], "saved {ago}": "{ago}已保存", empty: "" });
  assert.equal(tn("{n} day", "{n} days", 5), "5 天");
  assert.equal(t("saved {ago}", { ago: "1 s" }), "1 s已保存");
  assert.equal(t("empty"), "empty");
  assert.equal(titleOf({ zh: "硬币", en: "coin" }), "硬币");
  assert.equal(titleOf({ en: "coin" }), "coin");
  assert.equal(titleOf("plain"), "plain");
  setLanguage("en", {});
  assert.equal(tn("{n} day", "{n} days", 1), "1 day");
  assert.equal(tn("{n} day", "{n} days", 2), "2 days");
  assert.equal(duration(59_999), "59 s");
  assert.equal(duration(28 * 60_000), "28 min");
  assert.equal(duration(3 * 86_400_000), "3 days");
  assert.equal(ago(0, 3000), "3 s ago");
  assert.equal(new ServerClock("1970-01-01T00:00:10Z", { now: () => 4000 }).now(), 10_000);
});

test("region ids have the agreed form and differ", () => {
  const ids = Array.from({ length: 200 }, newRegionId);
  assert.ok(ids.every((id) => /^r_[a-z2-7]{16}$/.test(id)));
  assert.equal(new Set(ids).size, 200);
});
