/** Every shared vector that concerns the browser: the same files that the Python core is held to. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonical, digest } from "../src/core/canonical.ts";
import * as g from "../src/core/geometry.ts";
import { decodeRuns, encodeRuns, readRuns, runsArea, TILE_PIXELS } from "../src/core/runs.ts";
import { sha256Hex } from "../src/core/sha256.ts";
import { spanIou, TextIndex } from "../src/core/spans.ts";
import { apply, ChangeConflict, invert, partsOf, squash } from "../src/document/changes.ts";
import type { Change, Document } from "../src/document/types.ts";

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../fixtures/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));

test("canonical: numbers by their bits, cases by digest", () => {
  const v = vectors<{ numbers: { bits: string; text: string }[]; cases: { name: string; json: string; canonical: string; sha256: string }[] }>("canonical");
  for (const { bits, text } of v.numbers) {
    const value = new DataView(bytesOf(bits).buffer).getFloat64(0);
    assert.equal(canonical(value), text, bits);
  }
  for (const one of v.cases) {
    const value: unknown = JSON.parse(one.json);
    assert.equal(canonical(value), one.canonical, one.name);
    assert.equal(digest(value), one.sha256, one.name);
  }
  assert.ok(v.numbers.length > 20 && v.cases.length > 10);
});

test("changes: cases with inverse and touched parts, conflicts by index and code", () => {
  type Case = { name: string; document: Document; changes: Change[]; result: Document; digest: string; inverse: Change[]; touched: { parts: string[] } };
  type Bad = { name: string; document: Document; changes: Change[]; index: number; code: string };
  const v = vectors<{ cases: Case[]; conflicts: Bad[] }>("changes");
  for (const one of v.cases) {
    const after = apply(one.document, one.changes);
    assert.equal(canonical(after), canonical(one.result), one.name);
    assert.equal(digest(after), one.digest, one.name);
    assert.equal(canonical(invert(one.changes)), canonical(one.inverse), one.name);
    assert.equal(digest(apply(after, one.inverse)), digest(one.document), one.name);
    assert.equal(digest(apply(one.document, squash(one.changes))), one.digest, one.name);
    assert.deepEqual([...partsOf(one.changes)].sort(), [...one.touched.parts].sort(), one.name);
  }
  for (const one of v.conflicts) {
    try {
      apply(one.document, one.changes);
    } catch (error) {
      assert.ok(error instanceof ChangeConflict, `${one.name}: ${String(error)}`);
      assert.deepEqual([error.index, error.code], [one.index, one.code], one.name);
      continue;
    }
    assert.fail(`${one.name} applied`);
  }
});

test("parts: bytes, digests, areas, refusals, rasterised polygons", () => {
  type Part = { name: string; hex?: string; digest: string; area_px: number; runs?: number[]; pattern?: string };
  type Raster = { name: string; rings: g.Rings; width: number; height: number; tiles: { [key: string]: string }; area_px: number };
  const v = vectors<{ parts: Part[]; refused: { name: string; hex: string }[]; rasterise: Raster[]; empty_digest: string }>("parts");
  for (const one of v.parts) {
    const tile = new Uint8Array(TILE_PIXELS);
    if (!one.runs) {  // the two chess boards
      const odd = one.pattern!.includes("inverse") ? 1 : 0;
      for (let i = 0; i < TILE_PIXELS; i += 1) tile[i] = ((i & 255) + (i >> 8)) % 2 === odd ? 1 : 0;
    } else {
      let at = 0;
      one.runs.forEach((run, index) => { tile.fill(index % 2, at, at + run); at += run; });
    }
    const bytes = encodeRuns(tile);
    assert.equal(sha256Hex(bytes), one.digest, one.name);
    assert.equal(runsArea(bytes), one.area_px, one.name);
    assert.deepEqual(decodeRuns(bytes), tile, one.name);
    if (one.hex !== undefined) assert.deepEqual(bytes, bytesOf(one.hex), one.name);
    if (one.runs) assert.deepEqual(readRuns(bytes), one.runs, one.name);
  }
  for (const one of v.refused) assert.throws(() => decodeRuns(bytesOf(one.hex)), undefined, one.name);
  for (const one of v.rasterise) {
    const tiles = g.ringsToTiles(one.rings, one.width, one.height);
    const found = Object.fromEntries([...tiles].map(([key, tile]) => [key, sha256Hex(encodeRuns(tile))]));
    assert.equal(canonical(found), canonical(one.tiles), one.name);
  }
});

test("geometry: boxes, edges, polygons, points, crossings", () => {
  type Four = [number, number, number, number];
  const box = ([x0, y0, x1, y1]: Four): g.Box => ({ x0, y0, x1, y1 });
  const v = vectors<{
    boxes: { a: Four; b: Four; iou: number }[]; edges: { a: Four; b: Four; edge_px: number; within: boolean }[];
    polygons: { name: string; rings: g.Rings; area: number; centroid: [number, number] }[];
    points: { name: string; rings: g.Rings; x: number; y: number; inside: boolean }[];
    crossing: { name: string; rings: g.Rings; crosses: [number, number] | null }[];
  }>("iou");
  for (const one of v.boxes) assert.ok(near(g.boxIou(box(one.a), box(one.b)), one.iou), JSON.stringify(one));
  for (const one of v.edges) assert.equal(g.edgesWithin(box(one.a), box(one.b), one.edge_px), one.within, JSON.stringify(one));
  for (const one of v.polygons) {
    assert.ok(near(g.polygonArea(one.rings), one.area), one.name);
    const [x, y] = g.polygonCentroid(one.rings);
    assert.ok(near(x, one.centroid[0]) && near(y, one.centroid[1]), `${one.name}: ${x}, ${y}`);
  }
  for (const one of v.points) assert.equal(g.pointInRings(one.x, one.y, one.rings), one.inside, one.name);
  for (const one of v.crossing) assert.deepEqual(g.ringsCross(one.rings), one.crosses, one.name);
});

test("spans: offsets both ways, quotes, overlap", () => {
  const v = vectors<{
    texts: { text: string; n_codepoints: number; utf16: number[]; inside_pair: number[] }[];
    quotes: { text: string; start: number; end: number; quote: string }[]; iou: { a: [number, number]; b: [number, number]; iou: number }[];
  }>("spans");
  for (const one of v.texts) {
    const index = new TextIndex(one.text);
    assert.equal(index.length, one.n_codepoints, one.text);
    one.utf16.forEach((unit, point) => {
      assert.equal(index.toUnit(point), unit, one.text);
      assert.equal(index.toPoint(unit), point, one.text);
    });
    // the server refuses an offset inside a pair; the browser, which may be handed one by a selection, moves behind it
    for (const unit of one.inside_pair) assert.equal(index.toPoint(unit), index.toPoint(unit + 1), one.text);
  }
  for (const one of v.quotes) assert.equal(new TextIndex(one.text).slice(one.start, one.end), one.quote);
  for (const one of v.iou) {
    assert.ok(near(spanIou({ start: one.a[0], end: one.a[1] }, { start: one.b[0], end: one.b[1] }), one.iou));
  }
});

test("schema: the digest of the example", () => {
  const v = vectors<{ schema: unknown; digest: string }>("schema");
  assert.equal(digest(v.schema), v.digest);
});
