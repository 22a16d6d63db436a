/** The changes behind common edits. One rule lives here: whatever is done to a kept prelabel makes it an edited one. Pure. */

import { round3 } from "../core/geometry.ts";
import type { Change, Document, Geometry, Json, Prelabel, Region } from "../document/types.ts";

function touched(region: Region): readonly Change[] {
  if (region.origin.kind !== "kept") return [];
  return [{ op: "set", path: ["regions", region.id, "origin"], before: region.origin as unknown as Json, after: { ...region.origin, kind: "edited" } as unknown as Json }];
}

export function setGeometry(region: Region, geometry: Geometry): readonly Change[] {
  if (JSON.stringify(region.geometry) === JSON.stringify(geometry)) return [];
  return [{ op: "set", path: ["regions", region.id, "geometry"], before: region.geometry as Json, after: geometry as Json }, ...touched(region)];
}

/** Attributes of the old label that the new one does not have are taken off, each as a change of its own, so that undo brings them back. */
export function setLabel(region: Region, label: string, known: ReadonlySet<string>, defaults: { readonly [name: string]: Json } = {}): readonly Change[] {
  if (region.label === label) return [];
  const dropped = Object.entries(region.attributes).filter(([name]) => !known.has(name));
  const added = Object.entries(defaults).filter(([name]) => !(name in region.attributes));
  return [
    { op: "set", path: ["regions", region.id, "label"], before: region.label, after: label },
    ...dropped.map(([name, value]): Change => ({ op: "set", path: ["regions", region.id, "attributes", name], before: value, after: null })),
    ...added.map(([name, value]): Change => ({ op: "set", path: ["regions", region.id, "attributes", name], before: null, after: value })),
    ...touched(region),
  ];
}

export function setAttribute(region: Region, name: string, value: Json): readonly Change[] {
  const before = region.attributes[name] ?? null;
  if (JSON.stringify(before) === JSON.stringify(value)) return [];
  return [{ op: "set", path: ["regions", region.id, "attributes", name], before, after: value }, ...touched(region)];
}

export function setTiles(region: Region, tiles: ReadonlyMap<string, string | null>): readonly Change[] {
  const now = (region.geometry as { tiles: { readonly [key: string]: string } }).tiles;
  const changes: Change[] = [];
  let left = Object.keys(now).length;
  for (const [tile, after] of [...tiles].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = now[tile] ?? null;
    if (before === after) continue;
    left += (after === null ? 0 : 1) - (before === null ? 0 : 1);
    changes.push({ op: "tile", region: region.id, tile, before, after });
  }
  if (changes.length === 0) return [];
  // Nothing left of it: an object without a pixel is not an object. The removal alone says it, and undo brings all back.
  if (left === 0) return [{ op: "remove", region }];
  return [...changes, ...touched(region)];
}

export const setAnswer = (document: Document, name: string, value: Json): readonly Change[] => {
  const before = document.answers[name] ?? null;
  return JSON.stringify(before) === JSON.stringify(value) ? [] : [{ op: "set", path: ["answers", name], before, after: value }];
};

/** One above everything: the order of drawing is kept through any re-ordering of the stored object. */
export function nextZ(document: Document): number {
  let z = 0;
  for (const region of Object.values(document.regions)) z = Math.max(z, region.z ?? 0);
  return z + 1;
}

export function drawn(context: { document: Document; asset: string; newId(): string }, shape: string, label: string, geometry: Geometry): Region {
  return { id: context.newId(), shape, label, geometry, attributes: {}, asset: context.asset, origin: { kind: "drawn" }, z: nextZ(context.document) };
}

/** Keeping a prelabel region makes a new region with an id of its own; the origin says where it came from. */
export function keep(document: Document, prelabel: Prelabel, region: Region, id: string): readonly Change[] {
  return [{ op: "add", region: { ...region, id, origin: { kind: "kept", prelabel: prelabel.id, region: region.id, source: prelabel.source }, z: nextZ(document) } }];
}

export function copied(document: Document, region: Region, geometry: Geometry, id: string): Change {
  return { op: "add", region: { ...region, id, geometry, origin: { kind: "copied" }, z: nextZ(document) } };
}

/** "prelabel/region" of every prelabel region that already stands in the document in some form. */
export function usedPrelabels(document: Document): Set<string> {
  const used = new Set<string>();
  for (const { origin } of Object.values(document.regions)) {
    if (origin.prelabel && origin.region) used.add(`${origin.prelabel}/${origin.region}`);
  }
  return used;
}

export const roundPoint = (x: number, y: number): readonly [number, number] => [round3(x), round3(y)];
