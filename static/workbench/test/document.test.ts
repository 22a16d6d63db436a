/** The change grammar and the history, by properties over seeded random edits and by the cases that must fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digest } from "../src/core/canonical.ts";
import { apply, ChangeConflict, emptyDocument, force, invert, partsOf, squash } from "../src/document/changes.ts";
import { diff } from "../src/document/diff.ts";
import { documentDigest } from "../src/document/digest.ts";
import { History } from "../src/document/history.ts";
import { decodePart, digestPart, encodePart, PartStore, TILE_PIXELS } from "../src/document/parts.ts";
import { labelsFor, missingOf, spansOf } from "../src/document/select.ts";
import type { Change, Document, Schema } from "../src/document/types.ts";
import { Dice, hex, randomChanges, randomDocument, randomRegion } from "./random.ts";

test("changes: inverse, squash and diff agree by digest, 2,000 random lists", () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const dice = new Dice(seed);
    const before = randomDocument(dice, dice.int(12));
    const frozen = digest(before);
    const changes = randomChanges(dice, before, 1 + dice.int(12));
    const after = apply(before, changes);
    assert.equal(digest(before), frozen, "the given document is not touched");
    assert.equal(digest(apply(after, invert(changes))), frozen, `invert, seed ${seed}`);
    const short = squash(changes);
    assert.ok(short.length <= changes.length);
    assert.equal(digest(apply(before, short)), digest(after), `squash, seed ${seed}`);
    assert.equal(digest(apply(after, invert(short))), frozen, `inverse of squash, seed ${seed}`);
    assert.equal(digest(apply(before, diff(before, after))), digest(after), `diff, seed ${seed}`);
    assert.equal(documentDigest(after), digest(after), `remembered texts, seed ${seed}`);
  }
});

test("history: 300 random sittings with undo and redo; undo all is the first state, redo all the last", () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const dice = new Dice(9000 + seed);
    const first = randomDocument(dice, 6);
    const history = new History(first);
    let replayed = first;
    history.subscribe((event) => { replayed = apply(replayed, event.changes); });
    for (let step = 0; step < 30; step += 1) {
      const kind = dice.int(5);
      if (kind === 0) history.undo();
      else if (kind === 1) history.redo();
      else history.commit(randomChanges(dice, history.document, 1 + dice.int(3)), "test", dice.chance(0.3) ? { merge: "m" } : {});
      assert.equal(digest(replayed), digest(history.document), "subscribers can follow by changes alone");
    }
    while (history.redo());
    const last = digest(history.document);
    while (history.undo());
    assert.equal(digest(history.document), digest(first), `undo all, seed ${seed}`);
    while (history.redo());
    assert.equal(digest(history.document), last, `redo all, seed ${seed}`);
  }
});

test("history: merged nudges are one step, a new edit forgets what was undone, a new base clears both", () => {
  const region = randomRegion(new Dice(3), "r_aaaaaaaaaaaaaaaa");
  const history = new History(apply(emptyDocument, [{ op: "add", region }]));
  const origins: string[] = [];
  history.subscribe((event) => origins.push(event.origin));
  for (let z = 0; z < 5; z += 1) {
    const before = history.document.regions[region.id]!.z ?? null;
    history.commit([{ op: "set", path: ["regions", region.id, "z"], before, after: 100 + z }], "nudge", { merge: "nudge 1" });
  }
  assert.equal(history.entries.length, 1);
  history.undo();
  assert.equal(history.document.regions[region.id]!.z, region.z);
  history.commit([{ op: "set", path: ["unusable"], before: null, after: "dark" }], "unusable");
  assert.equal(history.canRedo, false);
  history.commit([], "nothing");
  assert.equal(history.entries.length, 1);
  history.replaceBase(emptyDocument);
  assert.deepEqual([history.canUndo, history.canRedo], [false, false]);
  assert.deepEqual(origins, ["nudge", "nudge", "nudge", "nudge", "nudge", "undo", "unusable", "base"]);
  assert.throws(() => history.commit([{ op: "remove", region }], "late"), { code: "missing" });
  assert.equal(origins.length, 8, "nothing is told of what did not happen");
});

function conflict(document: Document, change: Change): [number, string] {
  try {
    apply(document, [{ op: "set", path: ["answers", "ok"], before: null, after: 1 }, change]);
  } catch (error) {
    assert.ok(error instanceof ChangeConflict);
    return [error.index, error.code];
  }
  return assert.fail("it applied");
}

test("force: what fits is applied, the changes win, what lost its place is left out", () => {
  const region = { ...randomRegion(new Dice(1), "r_aaaaaaaaaaaaaaaa"), label: "theirs" };
  const theirs = apply(emptyDocument, [{ op: "add", region }, { op: "set", path: ["answers", "a"], before: null, after: "theirs" }]);
  const mine = force(theirs, [
    { op: "set", path: ["regions", region.id, "label"], before: "coin", after: "mine" }, { op: "set", path: ["answers", "a"], before: "x", after: "mine" },
    { op: "set", path: ["regions", "r_gone", "label"], before: "x", after: "y" }, { op: "remove", region: { ...region, id: "r_gone" } },
    { op: "replace", before: region, after: { ...region, id: "r_new" } }, { op: "set", path: ["regions", region.id, "attributes", "k"], before: 1, after: 2 },
  ]);
  assert.deepEqual([mine.answers, mine.regions[region.id]!.label, mine.regions[region.id]!.attributes["k"]], [{ a: "mine" }, "mine", 2]);
  for (let seed = 0; seed < 200; seed += 1) {
    const dice = new Dice(40_000 + seed);
    const document = randomDocument(dice, 5);
    const changes = randomChanges(dice, document, 6);
    assert.equal(digest(force(document, changes)), digest(apply(document, changes)), "without a conflict it is the same");
    force(randomDocument(dice, 4), changes);
  }
});

test("changes that do not fit say which and why", () => {
  const region = { ...randomRegion(new Dice(1), "r_aaaaaaaaaaaaaaaa"), shape: "box", geometry: { x0: 0, y0: 0, x1: 1, y1: 1 } };
  const document = apply(emptyDocument, [{ op: "add", region }]);
  const other = { ...region, label: "elsewhere" };
  const odd = (change: unknown): Change => change as Change;
  assert.deepEqual(conflict(document, { op: "add", region }), [1, "exists"]);
  assert.deepEqual(conflict(emptyDocument, { op: "remove", region }), [1, "missing"]);
  assert.deepEqual(conflict(document, { op: "remove", region: other }), [1, "before_mismatch"]);
  assert.deepEqual(conflict(document, { op: "replace", before: other, after: other }), [1, "before_mismatch"]);
  assert.deepEqual(conflict(document, { op: "replace", before: region, after: { ...region, id: "r_b" } }), [1, "id_changed"]);
  assert.deepEqual(conflict(document, { op: "tile", region: region.id, tile: "0,0", before: null, after: hex(new Dice(1)) }), [1, "not_tiled"]);
  assert.deepEqual(conflict(document, { op: "set", path: ["regions", region.id, "id"], before: region.id, after: "x" }), [1, "bad_path"]);
  assert.deepEqual(conflict(document, { op: "set", path: ["regions", region.id, "label"], before: region.label, after: null }), [1, "required_key"]);
  assert.deepEqual(conflict(document, { op: "set", path: ["answers"], before: null, after: 1 }), [1, "bad_path"]);
  assert.deepEqual(conflict(document, { op: "set", path: [], before: null, after: 1 }), [1, "bad_path"]);
  assert.deepEqual(conflict(document, odd({ op: "swap" })), [1, "unknown_op"]);
  assert.deepEqual(conflict(document, { op: "set", path: ["answers", "toString"], before: "x", after: 1 }), [1, "before_mismatch"]);
});

test("names of the language's own objects are plain names", () => {
  const path = ["answers", "__proto__"];
  const after = apply(emptyDocument, [{ op: "set", path, before: null, after: "v" }]);
  assert.deepEqual(Object.keys(after.answers), ["__proto__"]);
  assert.equal(digest(apply(after, [{ op: "set", path, before: "v", after: null }])), digest(emptyDocument));
});

test("asset null is a value, elsewhere null is absence; 1 and 1.0 are one", () => {
  const region = { ...randomRegion(new Dice(2), "r_aaaaaaaaaaaaaaaa"), asset: null };
  const document = apply(emptyDocument, [{ op: "add", region }]);
  const path = ["regions", region.id, "asset"];
  const named = apply(document, [{ op: "set", path, before: null, after: "as_1" }]);
  const back = apply(named, [{ op: "set", path, before: "as_1", after: null }]);
  assert.ok("asset" in back.regions[region.id]!);
  assert.equal(digest(back), digest(document));
});

test("parts: store keeps, restores, fetches once and refuses damage", async () => {
  const tile = new Uint8Array(TILE_PIXELS).fill(1, 300, 900);
  const bytes = encodePart(tile);
  const key = await digestPart(bytes);
  assert.deepEqual(decodePart(bytes), tile);
  let asked = 0;
  const store = new PartStore(async () => { asked += 1; return bytes; });
  assert.equal(store.get(key), undefined);
  const [a, b] = await Promise.all([store.load(key), store.load(key)]);
  assert.deepEqual(a, tile);
  assert.deepEqual(b, tile);
  assert.equal(asked, 1);
  assert.equal(store.isPending(key), false);
  const mine = store.putNow(new Uint8Array(TILE_PIXELS).fill(1, 0, 5));
  assert.equal(store.isPending(mine), true);
  store.saved([mine]);
  assert.equal(store.isPending(mine), false);
  assert.equal(store.putTile(new Uint8Array(TILE_PIXELS)), null);
  await assert.rejects(store.load("0".repeat(64)), /damaged/);
  for (let i = 0; i < 600; i += 1) store.putNow(new Uint8Array(TILE_PIXELS).fill(1, i, i + 7));
  assert.deepEqual(store.get(key), tile);
});

test("parts named by changes", () => {
  const dice = new Dice(4);
  const [a, b, c] = [hex(dice), hex(dice), hex(dice)];
  const region = { ...randomRegion(dice), shape: "mask", geometry: { tiles: { "0,0": a } } };
  assert.deepEqual([...partsOf([
    { op: "add", region }, { op: "tile", region: region.id, tile: "1,0", before: null, after: b },
    { op: "tile", region: region.id, tile: "1,0", before: b, after: null },
    { op: "set", path: ["regions", region.id, "geometry"], before: region.geometry, after: { tiles: { "2,2": c } } },
    { op: "remove", region },
  ])], [a, b, c]);
});

test("reading a schema: labels of a control, what is missing, spans in order", () => {
  const schema: Schema = {
    format: 1, title: "t",
    controls: [
      { name: "spans", kind: "regions", title: "s", shapes: ["span"], asset: "text", labels: ["a", "old"] },
      { name: "tone", kind: "choice", title: "t", required: true, options: [{ name: "x", title: "x" }] },
    ],
    labels: [
      { name: "a", title: "A", color: "#123456", class: "A", attributes: [{ name: "state", kind: "choice", title: "S", required: true }] },
      { name: "old", title: "Old", color: "#123456", class: "B", retired: true },
      { name: "b", title: "B", color: "#123456", class: "C" },
    ],
  };
  assert.deepEqual(labelsFor(schema, [schema.controls[0]!]).map((label) => label.name), ["a"]);
  const span = (id: string, start: number) => ({
    id, shape: "span", label: "a", geometry: { start, end: start + 2, quote: "xx" }, attributes: {}, asset: "as_1", origin: { kind: "drawn" as const },
  });
  const document: Document = { ...emptyDocument, regions: { r_2: span("r_2", 5), r_1: span("r_1", 1) } };
  assert.deepEqual(spansOf(document, "as_1").map((region) => region.id), ["r_1", "r_2"]);
  assert.deepEqual(missingOf(schema, document), [{ control: "tone" }, { region: "r_2", attribute: "state" }, { region: "r_1", attribute: "state" }]);
  assert.deepEqual(missingOf(schema, { ...document, unusable: "blurred" }), []);
});
