/** Tools as state machines: inputs in, changes out; the mark is the rest state, the document is never touched. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePart, encodePart, digestPartNow } from "../src/document/parts.ts";
import { apply, emptyDocument, invert } from "../src/document/changes.ts";
import type { Change, Document, MaskGeometry, PolygonGeometry, Region } from "../src/document/types.ts";
import { shapeOf } from "../src/shapes/registry.ts";
import { tool as box } from "../src/tools/box.ts";
import { tool as brush } from "../src/tools/brush.ts";
import { keep, setAttribute, setGeometry, setLabel, usedPrelabels } from "../src/tools/edits.ts";
import { tool as eraser } from "../src/tools/eraser.ts";
import { tool as polygon } from "../src/tools/polygon.ts";
import { nudge, tool as select } from "../src/tools/select.ts";
import type { Hit, Step, Tool, ToolContext, ToolInput } from "../src/tools/tool.ts";

/** A bench without a screen: feeds one tool, applies its changes. */
class Hand {
  document: Document = emptyDocument;
  selection = new Set<string>();
  label: string | null = "coin";
  brush_px = 5;
  scale = 1;
  said: string[] = [];
  undo: (readonly Change[])[] = [];
  state: unknown;
  readonly parts = new Map<string, Uint8Array>();
  #tool: Tool;
  #n = 0;

  constructor(tool: Tool<never> | Tool) {
    this.#tool = tool as unknown as Tool;
    this.state = this.#tool.rest;
  }

  use(tool: unknown): void {
    this.#tool = tool as Tool;
    this.state = this.#tool.rest;
  }

  get context(): ToolContext {
    return {
      document: this.document, asset: "as", size: { width: 600, height: 400 }, scale: this.scale, selection: this.selection, label: this.label, brush_px: this.brush_px,
      hits: (at): Hit[] => Object.values(this.document.regions).flatMap((region) => {
        const on = shapeOf(region)!.hit(region.geometry, at, 5 / this.scale, (digest) => this.parts.get(digest));
        return on ? [{ region, prelabel: null, on, area: shapeOf(region)!.area(region.geometry) }] : [];
      }).sort((a, b) => a.area - b.area),
      within: (bounds) => Object.values(this.document.regions).filter((region) => {
        const b = shapeOf(region)!.bounds(region.geometry)!;
        return b.x0 >= bounds.x0 && b.y0 >= bounds.y0 && b.x1 <= bounds.x1 && b.y1 <= bounds.y1;
      }).map((region) => region.id),
      newId: () => `r_${String(this.#n++).padStart(16, "a")}`,
      tile: (digest) => this.parts.get(digest),
      putTile: (tile) => {
        const digest = digestPartNow(encodePart(tile));
        this.parts.set(digest, tile.slice());
        return digest;
      },
    };
  }

  feed(input: ToolInput): Step<unknown> | null {
    const before = JSON.stringify(this.document);
    const step = this.#tool.step(this.state, this.context, input);
    assert.equal(JSON.stringify(this.document), before, "a tool must not write the document");
    if (!step) return null;
    this.state = step.state;
    if (step.changes && step.changes.length > 0) {
      this.document = apply(this.document, step.changes);
      this.undo.push(step.changes);
    }
    if (step.select) this.selection = new Set(step.select);
    if (step.say) this.said.push(step.say);
    return step;
  }

  at(kind: "down" | "move" | "up" | "double", x: number, y: number, more: { shift?: boolean; alt?: boolean } = {}): Step<unknown> | null {
    return this.feed({ kind, at: { x, y }, shift: more.shift ?? false, alt: more.alt ?? false, ctrl: false, coarse: false });
  }

  drag(x0: number, y0: number, x1: number, y1: number, more: { shift?: boolean; alt?: boolean } = {}): void {
    this.at("down", x0, y0, more);
    this.at("move", (x0 + x1) / 2, (y0 + y1) / 2, more);
    this.at("move", x1, y1, more);
    this.at("up", x1, y1, more);
  }

  get regions(): Region[] {
    return Object.values(this.document.regions);
  }

  back(): void {
    for (const changes of this.undo.splice(0).reverse()) this.document = apply(this.document, invert(changes));
  }
}

const area = (hand: Hand, region: Region): number => Object.values((region.geometry as MaskGeometry).tiles).reduce((sum, digest) => sum + hand.parts.get(digest)!.reduce((s, v) => s + v, 0), 0);

test("box: corners in any order, clamped to the picture, rounded, selected; a click draws nothing", () => {
  const hand = new Hand(box as unknown as Tool);
  hand.drag(100.00049, 90, 20, 500);
  assert.deepEqual(hand.regions[0]!.geometry, { x0: 20, y0: 90, x1: 100, y1: 400 });
  assert.deepEqual([...hand.selection], [hand.regions[0]!.id]);
  assert.equal(hand.regions[0]!.origin.kind, "drawn");
  hand.drag(10, 10, 11, 11);
  assert.equal(hand.regions.length, 1);
  assert.equal(hand.said.length, 1);
  hand.drag(10, 10, 60, 30, { shift: true });
  assert.deepEqual(hand.regions[1]!.geometry, { x0: 10, y0: 10, x1: 60, y1: 60 });
  hand.back();
  assert.deepEqual(hand.document, emptyDocument);
});

test("box: without a label nothing starts, and it is said", () => {
  const hand = new Hand(box as unknown as Tool);
  hand.label = null;
  hand.drag(1, 1, 90, 90);
  assert.equal(hand.regions.length, 0);
  assert.ok(hand.said.length > 0);
});

test("polygon: points, backspace, enter; closing on the first point; too few points are refused and kept", () => {
  const hand = new Hand(polygon as unknown as Tool);
  const click = (x: number, y: number): void => {
    hand.at("down", x, y);
    hand.at("up", x, y);
  };
  click(10, 10);
  click(100, 10);
  assert.equal(hand.feed({ kind: "enter" }), null, "two points are no polygon: enter is the bench's");
  click(100, 90);
  click(300, 300);
  hand.feed({ kind: "backspace" });
  hand.feed({ kind: "enter" });
  assert.deepEqual((hand.regions[0]!.geometry as PolygonGeometry).rings, [[[10, 10], [100, 10], [100, 90]]]);
  assert.equal(hand.state, polygon.rest);
  for (const [x, y] of [[200, 200], [260, 200], [260, 260], [203, 203]] as const) click(x, y);
  assert.equal(hand.regions.length, 2, "a click on the first point closes");
  for (const [x, y] of [[10, 10], [50, 50], [90, 90]] as const) click(x, y);
  hand.feed({ kind: "enter" });
  assert.equal(hand.regions.length, 2, "points on one line have no area");
  assert.notEqual(hand.state, polygon.rest, "and the points are not lost");
  for (let i = 0; i < 3; i++) hand.feed({ kind: "backspace" });
  assert.equal(hand.state, polygon.rest);
});

test("brush: a new object, then only the touched tiles; undo gives every pixel back; eraser empties it away", () => {
  const hand = new Hand(brush as unknown as Tool);
  hand.drag(20, 20, 60, 20);
  assert.equal(hand.undo.at(-1)![0]!.op, "add");
  const first = hand.regions[0]!;
  const before = area(hand, first);
  assert.ok(before > 40 * 4);
  hand.drag(250, 20, 270, 20);
  const second = hand.undo.at(-1)!;
  assert.deepEqual(second.map((change) => change.op === "tile" && change.tile), ["0,0", "1,0"]);
  assert.equal(hand.regions.length, 1);
  hand.drag(300, 300, 310, 300);
  assert.deepEqual(hand.undo.at(-1)!.map((change) => change.op === "tile" && change.tile), ["1,1"], "tiles that were not touched are not sent");
  const document = hand.document;
  hand.drag(21, 20, 59, 20);
  assert.equal(hand.document, document, "painting over what is painted is no change");
  for (let i = 0; i < 2; i++) hand.document = apply(hand.document, invert(hand.undo.pop()!));
  assert.equal(area(hand, hand.regions[0]!), before);
  hand.use(eraser);
  hand.brush_px = 60;
  hand.drag(10, 20, 80, 20);
  assert.equal(hand.undo.at(-1)![0]!.op, "remove", "an object without a pixel is no object");
  hand.back();
  assert.deepEqual(hand.document, emptyDocument);
});

test("brush: the next label starts a new object; parts are canonical", () => {
  const hand = new Hand(brush as unknown as Tool);
  hand.brush_px = 1;
  hand.at("down", 7.2, 8.9);
  hand.at("up", 7.2, 8.9);
  hand.label = "scratch";
  hand.at("down", 7.2, 8.9);
  hand.at("up", 7.2, 8.9);
  assert.deepEqual(hand.regions.map((region) => region.label), ["coin", "scratch"]);
  const [digest] = Object.values((hand.regions[0]!.geometry as MaskGeometry).tiles);
  const tile = decodePart(encodePart(hand.parts.get(digest!)!));
  assert.equal(tile.indexOf(1), 8 * 256 + 7);
  assert.equal(tile.lastIndexOf(1), 8 * 256 + 7);
});

test("select: a click selects, again takes the one beneath, shift adds, a drag moves within the picture", () => {
  const hand = new Hand(box as unknown as Tool);
  hand.drag(10, 10, 200, 200);
  hand.drag(50, 50, 100, 100);
  hand.use(select);
  hand.selection = new Set();
  const [large, small] = hand.regions as [Region, Region];
  hand.at("down", 70, 70);
  hand.at("up", 70, 70);
  assert.deepEqual([...hand.selection], [small.id]);
  hand.at("down", 70, 70);
  hand.at("up", 70, 70);
  assert.deepEqual([...hand.selection], [large.id]);
  hand.at("down", 52, 70, { shift: true });
  hand.at("up", 52, 70, { shift: true });
  assert.equal(hand.selection.size, 2);
  hand.drag(70, 70, -500, 90);
  assert.deepEqual(hand.document.regions[large.id]!.geometry, { x0: 0, y0: 30, x1: 190, y1: 220 }, "both stop where the first meets the edge");
  assert.deepEqual(hand.document.regions[small.id]!.geometry, { x0: 40, y0: 70, x1: 90, y1: 120 });
  hand.drag(550, 350, -5, 1);
  assert.equal(hand.selection.size, 2, "a marquee takes what lies inside");
});

test("select: grips resize, also over the opposite side; two pixels of shaking are a click", () => {
  const hand = new Hand(box as unknown as Tool);
  hand.drag(100, 100, 200, 200);
  hand.use(select);
  const { id } = hand.regions[0]!;
  hand.drag(200, 200, 250, 220);
  assert.deepEqual(hand.document.regions[id]!.geometry, { x0: 100, y0: 100, x1: 250, y1: 220 });
  hand.drag(250, 220, 60, 50);
  assert.deepEqual(hand.document.regions[id]!.geometry, { x0: 60, y0: 50, x1: 100, y1: 100 });
  const before = hand.document;
  hand.drag(80, 75, 81, 76);
  assert.equal(hand.document, before);
});

test("select: vertices are dragged, made on an edge, walked and deleted by keys", () => {
  const hand = new Hand(polygon as unknown as Tool);
  for (const [x, y] of [[100, 100], [300, 100], [300, 300], [100, 300]] as const) {
    hand.at("down", x, y);
    hand.at("up", x, y);
  }
  hand.feed({ kind: "enter" });
  hand.use(select);
  const ring = (): readonly (readonly [number, number])[] => (hand.regions[0]!.geometry as PolygonGeometry).rings[0]!;
  hand.drag(100, 100, 90, 80);
  assert.deepEqual(ring()[0], [90, 80]);
  hand.drag(300, 200, 350, 210);
  assert.deepEqual(ring()[2], [350, 210]);
  assert.equal(ring().length, 5);
  hand.feed({ kind: "delete" });
  assert.equal(ring().length, 4, "the vertex just made has the focus");
  hand.feed({ kind: "enter" });
  hand.feed({ kind: "walk", by: 1 });
  hand.feed({ kind: "nudge", dx: 3, dy: -1, resize: false });
  assert.deepEqual(ring()[1], [303, 99]);
  hand.at("down", 303, 99, { alt: true });
  hand.at("up", 303, 99, { alt: true });
  assert.equal(ring().length, 3);
  hand.feed({ kind: "enter" });
  hand.feed({ kind: "delete" });
  assert.equal(ring().length, 3, "a triangle keeps its corners");
});

test("arrow keys move and resize the selection, not past the edge", () => {
  const hand = new Hand(box as unknown as Tool);
  hand.drag(10, 10, 60, 60);
  hand.document = apply(hand.document, nudge(hand.context, -100, 3, false).changes);
  assert.deepEqual(hand.regions[0]!.geometry, { x0: 0, y0: 13, x1: 50, y1: 63 });
  hand.document = apply(hand.document, nudge(hand.context, 1000, -10, true).changes);
  assert.deepEqual(hand.regions[0]!.geometry, { x0: 0, y0: 13, x1: 600, y1: 53 });
});

test("back to the mark is the rest state: nothing is left of a half-made thing", () => {
  for (const tool of [box, polygon, brush, eraser, select] as unknown as Tool[]) {
    const hand = new Hand(tool);
    hand.at("down", 20, 20);
    hand.at("move", 120, 90);
    hand.state = tool.rest;
    assert.deepEqual(hand.document, emptyDocument, tool.name);
    assert.equal(tool.draft(hand.state, hand.context).regions?.length ?? 0, 0, tool.name);
    assert.equal(hand.at("up", 120, 90)?.changes?.length ?? 0, 0, `${tool.name}: a late release does nothing`);
  }
});

test("prelabels: keeping makes a region with an id of its own; whatever is done to it makes it edited", () => {
  const region: Region = { id: "q1", shape: "box", label: "coin", geometry: { x0: 1, y0: 1, x1: 9, y1: 9 }, attributes: {}, asset: "as", origin: { kind: "imported" } };
  const prelabel = { id: "pl", source: "rule:blob.v1", regions: { q1: region }, answers: {} };
  let document = apply(emptyDocument, keep(emptyDocument, prelabel, region, "r_new"));
  assert.deepEqual(document.regions["r_new"]!.origin, { kind: "kept", prelabel: "pl", region: "q1", source: "rule:blob.v1" });
  assert.deepEqual([...usedPrelabels(document)], ["pl/q1"]);
  for (const changes of [setGeometry(document.regions["r_new"]!, { x0: 1, y0: 1, x1: 10, y1: 9 }), setLabel(document.regions["r_new"]!, "scratch", new Set()), setAttribute(document.regions["r_new"]!, "state", "worn")]) {
    const edited = apply(document, changes);
    assert.equal(edited.regions["r_new"]!.origin.kind, "edited");
    assert.equal(edited.regions["r_new"]!.origin.prelabel, "pl");
    assert.deepEqual(apply(edited, invert(changes)), document);
  }
  document = apply(document, setAttribute(document.regions["r_new"]!, "state", "worn"));
  const relabelled = apply(document, setLabel(document.regions["r_new"]!, "scratch", new Set(["depth"]), { depth: 1 }));
  assert.deepEqual(relabelled.regions["r_new"]!.attributes, { depth: 1 });
});
