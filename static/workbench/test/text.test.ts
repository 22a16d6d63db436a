/** Edits of spans: code points stay right over emoji, accents and Chinese; edges move by what a person sees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TextIndex } from "../src/core/spans.ts";
import { apply, emptyDocument } from "../src/document/changes.ts";
import type { SpanGeometry } from "../src/document/types.ts";
import { addSpan, moveEdge, spansAt, type SpanRegion } from "../src/text/edits.ts";
import { isWide } from "../src/text/load.ts";

const text = "at 👩‍👩‍👧 the cafe\u0301, 管道旁有挖掘机";
const index = new TextIndex(text);

test("a span is trimmed, quoted in code points, and not made twice", () => {
  const change = addSpan(index, emptyDocument, "as_1", "place", 2, 9, "r_1");
  assert.ok(change?.op === "add");
  assert.deepEqual(change.region.geometry, { start: 3, end: 8, quote: "👩‍👩‍👧" });
  assert.deepEqual(change.region.origin, { kind: "drawn" });
  const document = apply(emptyDocument, [change]);
  assert.equal(addSpan(index, document, "as_1", "place", 3, 8, "r_2"), null);
  assert.ok(addSpan(index, document, "as_1", "other", 8, 3, "r_2"), "another label, drawn backwards");
  assert.ok(addSpan(index, document, "as_2", "place", 3, 8, "r_2"));
  assert.equal(addSpan(index, emptyDocument, "as_1", "place", 2, 3, "r_1"), null);
  const points = Array.from(text);
  for (let start = 0; start < points.length; start += 1) {
    for (let end = start + 1; end <= points.length; end += 1) {
      const made = addSpan(index, emptyDocument, "as_1", "x", start, end, "r_x");
      if (made?.op !== "add") continue;
      const { start: s, end: e, quote } = made.region.geometry as SpanGeometry;
      assert.equal(points.slice(s, e).join(""), quote);
      assert.equal(quote.trim(), quote);
    }
  }
});

test("edges move by graphemes or words and never pass each other", () => {
  const add = addSpan(index, emptyDocument, "as_1", "place", 9, 12, "r_1");
  assert.ok(add?.op === "add");
  const region = add.region as SpanRegion;
  const moved = (changes: readonly unknown[]): unknown => (changes[0] as { after: SpanGeometry } | undefined)?.after;
  assert.deepEqual(moved(moveEdge(index, region, "end", 1, true)), { start: 9, end: 13, quote: "the " });
  assert.deepEqual(moved(moveEdge(index, region, "start", -1, false)), { start: 8, end: 12, quote: " the" });
  assert.deepEqual(moved(moveEdge(index, { ...region, geometry: { start: 8, end: 12, quote: " the" } }, "start", -1, false)), { start: 3, end: 12, quote: "👩‍👩‍👧 the" });
  assert.deepEqual(moveEdge(index, { ...region, geometry: { start: 9, end: 10, quote: "t" } }, "end", -1, false), []);
  assert.deepEqual(moveEdge(index, { ...region, geometry: { start: 0, end: 2, quote: "at" } }, "start", -1, false), []);
  const accent = { ...region, geometry: { start: 13, end: 16, quote: "caf" } };
  assert.deepEqual(moved(moveEdge(index, accent, "end", 1, false)), { start: 13, end: 18, quote: "cafe\u0301" });
});

test("what lies at a place, innermost first; which texts need a narrower column", () => {
  const span = (id: string, start: number, end: number): SpanRegion =>
    ({ id, shape: "span", label: "x", geometry: { start, end, quote: "" }, attributes: {}, asset: "a", origin: { kind: "drawn" } });
  assert.deepEqual(spansAt([span("r_1", 0, 9), span("r_2", 2, 4), span("r_3", 4, 6)], 3).map(({ id }) => id), ["r_2", "r_1"]);
  assert.equal(isWide("管道旁有挖掘机施工 near the pipe"), true);
  assert.equal(isWide("A digger near the pipe"), false);
  assert.equal(isWide(""), false);
});
