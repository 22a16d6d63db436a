/** Seeded randomness for property tests: one seed, one run, on every machine. */
import type { Change, Document, Json, Region } from "../src/document/types.ts";
import { apply, emptyDocument } from "../src/document/changes.ts";

/** mulberry32: 32 bits of state, good enough to shuffle tests. */
export function rng(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export class Dice {
  readonly next: () => number;
  constructor(seed: number) { this.next = rng(seed); }
  int(below: number): number { return Math.floor(this.next() * below); }
  pick<T>(from: readonly T[]): T { return from[this.int(from.length)]!; }
  chance(p: number): boolean { return this.next() < p; }
  coordinate(): number { return Math.round(this.next() * 1_000_000) / 1000; }
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
export const regionId = (dice: Dice): string => `r_${Array.from({ length: 16 }, () => dice.pick([...LETTERS])).join("")}`;
export const hex = (dice: Dice): string => Array.from({ length: 64 }, () => dice.int(16).toString(16)).join("");

export function randomRegion(dice: Dice, id = regionId(dice)): Region {
  const shape = dice.pick(["box", "polygon", "mask", "span"]);
  const x = dice.coordinate(), y = dice.coordinate();
  const geometry = shape === "box" ? { x0: x, y0: y, x1: x + 1 + dice.int(50), y1: y + 1 + dice.int(50) }
    : shape === "polygon" ? { rings: [[[x, y], [x + 10, y], [x, y + 10]] as [number, number][]] }
      : shape === "mask" ? { tiles: { [`${dice.int(4)},${dice.int(4)}`]: hex(dice) } }
        : { start: dice.int(100), end: 100 + dice.int(100), quote: dice.pick(["挖掘机", "naïve", "👩‍👩‍👧", "a b"]) };
  return {
    id, shape, label: dice.pick(["coin", "挖掘机", "x"]), geometry, attributes: dice.chance(0.5) ? {} : { state: "worn" },
    asset: dice.chance(0.2) ? null : "as_1", origin: { kind: "drawn" }, ...(dice.chance(0.3) ? { z: dice.int(9) } : {}),
  };
}

/** One change that fits the document. */
export function randomChange(dice: Dice, document: Document): Change {
  const ids = Object.keys(document.regions);
  if (ids.length === 0 || dice.chance(0.25)) return { op: "add", region: randomRegion(dice) };
  const region = document.regions[dice.pick(ids)]!;
  const value = (): Json => dice.pick<Json>([null, "a", "挖", 1, 1.5, true, ["a", "b"], { k: 0.1 }]);
  switch (dice.int(8)) {
    case 0: return { op: "remove", region };
    case 1: return { op: "replace", before: region, after: randomRegion(dice, region.id) };
    case 2: {
      const name = dice.pick(["state", "note"]);
      return { op: "set", path: ["regions", region.id, "attributes", name], before: region.attributes[name] ?? null, after: value() };
    }
    case 3: return { op: "set", path: ["regions", region.id, "label"], before: region.label, after: dice.pick(["coin", "x", "挖掘机"]) };
    case 4: return { op: "set", path: ["regions", region.id, "z"], before: region.z ?? null, after: dice.chance(0.3) ? null : dice.int(9) };
    case 5: {
      const name = dice.pick(["sentiment", "note", "n"]);
      return { op: "set", path: ["answers", name], before: document.answers[name] ?? null, after: value() };
    }
    case 6: return { op: "set", path: ["unusable"], before: document.unusable, after: dice.chance(0.5) ? null : "blurred" };
    default: {
      const mask = ids.map((id) => document.regions[id]!).find((one) => one.shape === "mask");
      if (!mask) return { op: "set", path: ["regions", region.id, "asset"], before: region.asset, after: dice.chance(0.3) ? null : "as_2" };
      const tiles = (mask.geometry as { tiles: Record<string, string> }).tiles;
      const tile = dice.pick([...Object.keys(tiles), `${dice.int(3)},${dice.int(3)}`]);
      return { op: "tile", region: mask.id, tile, before: tiles[tile] ?? null, after: dice.chance(0.3) ? null : hex(dice) };
    }
  }
}

export function randomChanges(dice: Dice, document: Document, n: number): Change[] {
  const changes: Change[] = [];
  let now = document;
  for (let i = 0; i < n; i += 1) {
    const change = randomChange(dice, now);
    now = apply(now, [change]);
    changes.push(change);
  }
  return changes;
}

export function randomDocument(dice: Dice, n = 12): Document {
  return apply(emptyDocument, randomChanges(dice, emptyDocument, n));
}
