/**
 * The change grammar, format 1: apply, invert, squash. Pure, no DOM; the Python twin is annotator/core/changes.py and
 * both run against fixtures/vectors/changes.json.
 *
 * A list of changes either applies whole or throws ChangeConflict with the index of the first change that does not
 * fit; the given document is never touched. Equality is canonical, so 1 and 1.0 are the same value.
 */
import { same } from "../core/canonical.ts";
import type { Change, Document, Json, Region } from "./types.ts";

export type ConflictCode = "exists" | "missing" | "before_mismatch" | "id_changed" | "not_tiled" | "required_key"
  | "unknown_op" | "bad_path" | "not_text";

export class ChangeConflict extends Error {
  override name = "ChangeConflict";
  readonly index: number;
  readonly code: ConflictCode;
  constructor(index: number, code: ConflictCode, message: string) {
    super(message);
    this.index = index;
    this.code = code;
  }
}

type Loose = Record<string, Json>;
/** A document being rebuilt: `regions` and `answers` are copied when first written, regions when changed. */
interface Draft { regions: Record<string, Region>; answers: Record<string, Json>; unusable: string | null }

export const emptyDocument: Document = Object.freeze({
  format: 1, regions: Object.freeze({}), answers: Object.freeze({}), unusable: null,
});

function own<T>(record: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Sets or removes a member in a copy. Object.defineProperty keeps a key called __proto__ a plain key. */
function withMember<T>(record: { readonly [key: string]: T }, key: string, value: T | null): Record<string, T> {
  const copy: Record<string, T> = { ...record };
  putMember(copy, key, value);
  return copy;
}

function putMember<T>(record: Record<string, T>, key: string, value: T | null): void {
  if (value === null) delete record[key];
  else if (key === "__proto__") Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
  else record[key] = value;
}

function regionAt(draft: Draft, id: string, index: number): Region {
  const region = own(draft.regions, id);
  if (!region) throw new ChangeConflict(index, "missing", `there is no region ${id}`);
  return region;
}

/** Keys that a region cannot be without, keys that never change, keys whose null is a value and not an absence. */
const REQUIRED: ReadonlySet<string> = new Set(["label", "geometry", "attributes", "origin"]);
const FIXED: ReadonlySet<string> = new Set(["id", "shape"]);
const NULL_IS_A_VALUE: ReadonlySet<string> = new Set(["asset"]);

/** Before, where null means absent: an explicit null (only unknown keys hold one) fits nothing, as it has no inverse. */
function expectMember(holder: { readonly [key: string]: unknown }, key: string, before: Json, index: number, what: string): void {
  const found = own(holder, key);
  if (found === null) throw new ChangeConflict(index, "before_mismatch", `${what} holds an explicit null`);
  expect(found, before, index, what);
}

function expect(found: unknown, before: unknown, index: number, what: string): void {
  if (!same(found ?? null, before ?? null)) {
    throw new ChangeConflict(index, "before_mismatch", `${what} is not what the change was made on`);
  }
}

function applySet(draft: Draft, change: Extract<Change, { op: "set" }>, index: number): void {
  const { path, before, after } = change;
  const [head, id, key, name] = path;
  if (head === "unusable" && path.length === 1) {
    if (after !== null && typeof after !== "string") throw new ChangeConflict(index, "not_text", "unusable is a text or null");
    expect(draft.unusable, before, index, "unusable");
    draft.unusable = after;
    return;
  }
  if (head === "answers" && path.length === 2) {
    expectMember(draft.answers, id!, before, index, `answer ${id}`);
    putMember(draft.answers, id!, after);
    return;
  }
  if (head === "regions" && path.length === 3 && !FIXED.has(key!)) {
    const region = regionAt(draft, id!, index) as unknown as Loose;
    if (REQUIRED.has(key!) && after === null) throw new ChangeConflict(index, "required_key", `a region needs its ${key}`);
    const what = `${key} of region ${id}`;
    if (NULL_IS_A_VALUE.has(key!)) expect(own(region, key!), before, index, what);
    else expectMember(region, key!, before, index, what);
    const changed = NULL_IS_A_VALUE.has(key!) ? { ...region, [key!]: after } : withMember(region, key!, after);
    putMember(draft.regions, id!, changed as unknown as Region);
    return;
  }
  if (head === "regions" && path.length === 4 && key === "attributes") {
    const region = regionAt(draft, id!, index);
    const attributes = region.attributes ?? {};
    expectMember(attributes, name!, before, index, `attribute ${name} of region ${id}`);
    putMember(draft.regions, id!, { ...region, attributes: withMember(attributes, name!, after) });
    return;
  }
  throw new ChangeConflict(index, "bad_path", `no such place: ${path.join(" / ")}`);
}

function applyTile(draft: Draft, change: Extract<Change, { op: "tile" }>, index: number): void {
  const region = regionAt(draft, change.region, index);
  const tiles = (region.geometry as { tiles?: Record<string, string> }).tiles;
  if (typeof tiles !== "object" || tiles === null) throw new ChangeConflict(index, "not_tiled", `region ${region.id} has no tiles`);
  expectMember(tiles, change.tile, change.before, index, `tile ${change.tile} of region ${region.id}`);
  putMember(draft.regions, region.id, {
    ...region, geometry: { ...region.geometry, tiles: withMember(tiles, change.tile, change.after) },
  });
}

function applyOne(draft: Draft, change: Change, index: number): void {
  switch (change.op) {
    case "add":
      if (own(draft.regions, change.region.id)) {
        throw new ChangeConflict(index, "exists", `region ${change.region.id} is there already`);
      }
      putMember(draft.regions, change.region.id, change.region);
      return;
    case "remove":
      expect(regionAt(draft, change.region.id, index), change.region, index, `region ${change.region.id}`);
      delete draft.regions[change.region.id];
      return;
    case "replace":
      if (change.before.id !== change.after.id) throw new ChangeConflict(index, "id_changed", "a region keeps its id");
      expect(regionAt(draft, change.before.id, index), change.before, index, `region ${change.before.id}`);
      putMember(draft.regions, change.after.id, change.after);
      return;
    case "set":
      return applySet(draft, change, index);
    case "tile":
      return applyTile(draft, change, index);
    default:
      throw new ChangeConflict(index, "unknown_op", `unknown change ${String((change as { op: unknown }).op)}`);
  }
}

/** The document after the changes, in order. Throws ChangeConflict; then nothing is applied. */
export function apply(document: Document, changes: readonly Change[]): Document {
  if (changes.length === 0) return document;
  const draft: Draft = {
    regions: { ...document.regions }, answers: { ...document.answers }, unusable: document.unusable,
  };
  changes.forEach((change, index) => applyOne(draft, change, index));
  return { ...document, regions: draft.regions, answers: draft.answers, unusable: draft.unusable };
}

/** One change, whatever stood there before; the document as it was where the change's place is gone. */
function forceOne(document: Document, change: Change): Document {
  const region = regionOf(change);
  const found = region === null ? undefined : own(document.regions, region);
  try {
    switch (change.op) {
      case "add":
      case "replace": {
        const after = change.op === "add" ? change.region : change.after;
        return apply(document, [found ? { op: "replace", before: found, after } : { op: "add", region: after }]);
      }
      case "remove": return found ? apply(document, [{ op: "remove", region: found }]) : document;
      case "tile": {
        const tiles = (found?.geometry as { tiles?: Record<string, string> } | undefined)?.tiles ?? {};
        return apply(document, [{ ...change, before: own(tiles, change.tile) ?? null }]);
      }
      case "set": {
        let holder: unknown = document;
        for (const step of change.path) holder = own((holder ?? {}) as Record<string, unknown>, step) ?? null;
        return apply(document, [{ ...change, before: holder as Json }]);
      }
    }
  } catch (error) {
    if (error instanceof ChangeConflict) return document;  // its region is gone: there is nothing to write into
    throw error;
  }
}

/**
 * The document with the changes laid over it, the changes winning where both wrote. Only for showing a person one side
 * of two versions: what is saved afterwards is the difference that the person chose.
 */
export function force(document: Document, changes: readonly Change[]): Document {
  return changes.reduce(forceOne, document);
}

export function invertOne(change: Change): Change {
  switch (change.op) {
    case "add": return { op: "remove", region: change.region };
    case "remove": return { op: "add", region: change.region };
    case "replace": return { op: "replace", before: change.after, after: change.before };
    case "set": return { op: "set", path: change.path, before: change.after, after: change.before };
    case "tile": return { ...change, before: change.after, after: change.before };
  }
}

/** The changes that take the last ones back: each inverted, in reverse order. */
export function invert(changes: readonly Change[]): Change[] {
  return changes.map(invertOne).reverse();
}

/** The region a change is about, or null for answers and unusable. */
export function regionOf(change: Change): string | null {
  switch (change.op) {
    case "add": case "remove": return change.region.id;
    case "replace": return change.before.id;
    case "tile": return change.region;
    case "set": return change.path[0] === "regions" ? change.path[1]! : null;
  }
}

/** The place a change writes. Two changes whose places do not lie inside each other can change order. */
function placeOf(change: Change): readonly string[] {
  switch (change.op) {
    case "add": case "remove": return ["regions", change.region.id];
    case "replace": return ["regions", change.before.id];
    case "tile": return ["regions", change.region, "geometry", "tiles", change.tile];
    case "set": return change.path;
  }
}

function within(inner: readonly string[], outer: readonly string[]): boolean {
  return outer.every((step, index) => inner[index] === step);
}

interface OpenWrite { readonly at: number; readonly op: Change["op"]; readonly place: readonly string[] }

/**
 * A shorter list with the same effect: repeated writes of one field, tile or region become one write, and a write that
 * changes nothing goes. Adds and removes stay as they are, and nothing is joined across another write to its place.
 */
export function squash(changes: readonly Change[]): Change[] {
  const out: Change[] = [];
  const open = new Map<string, OpenWrite[]>();
  for (const change of changes) {
    const place = placeOf(change);
    const group = regionOf(change) ?? place.join("\n");
    const writes = open.get(group) ?? [];
    const kept: OpenWrite[] = [];
    let joined = false;
    for (const write of writes) {
      const equal = write.place.length === place.length && within(place, write.place);
      if (equal && write.op === change.op && "after" in change) {
        out[write.at] = { ...out[write.at]!, after: change.after } as Change;
        joined = true;
        kept.push(write);
      } else if (!within(place, write.place) && !within(write.place, place)) {
        kept.push(write);
      }
    }
    if (!joined) {
      out.push(change);
      if ("after" in change) kept.push({ at: out.length - 1, op: change.op, place });
    }
    open.set(group, kept);
  }
  return out.filter((change) => !("after" in change && same(change.before, change.after)));
}

/** Digests of mask parts that a document must have after these changes. */
export function partsOf(changes: readonly Change[]): Set<string> {
  const found = new Set<string>();
  const take = (geometry: unknown): void => {
    const tiles = (geometry as { tiles?: { [tile: string]: unknown } } | null)?.tiles;
    if (tiles && typeof tiles === "object") {
      for (const digest of Object.values(tiles)) if (typeof digest === "string") found.add(digest);
    }
  };
  for (const change of changes) {
    if (change.op === "tile") { if (change.after) found.add(change.after); }
    else if (change.op === "add") take(change.region.geometry);
    else if (change.op === "replace") take(change.after.geometry);
    else if (change.op === "set" && change.path[0] === "regions" && change.path[2] === "geometry") take(change.after);
  }
  return found;
}
