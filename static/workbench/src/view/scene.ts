/**
 * The regions of all layers, indexed by place: finds what is in a rectangle or under a point, and says what changed
 * between two documents. Holds Path2D outlines so that a redraw strokes and does not build. No canvas here.
 */

import RBush from "rbush";
import { simplifyRing } from "../core/geometry.ts";
import type { Region, Ring } from "../document/types.ts";
import { shapeOf } from "../shapes/registry.ts";
import type { ShapeKind, TileSource } from "../shapes/shape.ts";
import type { Bounds, Point } from "./viewport.ts";

export interface LayerStyle {
  readonly kind: "person" | "prelabel" | "quiet";
  /** In place of the label's colour: a side of a dispute. */
  readonly color?: string;
  /** Before the name: "A". */
  readonly tag?: string;
  readonly names?: boolean;
  /** Only these are loud, the rest fades. */
  readonly loud?: ReadonlySet<string>;
  /** Only these are drawn at all. */
  readonly only?: ReadonlySet<string>;
  /** Given back by hits, so that a caller knows whose region it is. */
  readonly name?: string;
}
export interface Layer { readonly document: { readonly regions: { readonly [id: string]: Region } }; readonly style: LayerStyle }

export interface Entry {
  minX: number; minY: number; maxX: number; maxY: number;
  readonly layer: number;
  readonly order: number;
  readonly region: Region;
  readonly shape: ShapeKind;
  readonly points: number;
  path: Path2D | null;
  coarse: { readonly level: number; readonly path: Path2D } | null;
}

export function pathOf(rings: readonly Ring[]): Path2D {
  const path = new Path2D();
  for (const ring of rings) {
    ring.forEach(([x, y], index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    path.closePath();
  }
  return path;
}

/** An outline with thousands of points is thinned for small scales, to half a CSS pixel, once for each power of two. */
export function outline(entry: Entry, scale: number): Path2D {
  if (entry.points <= 48 || scale >= 1) return (entry.path ??= pathOf(entry.shape.rings(entry.region.geometry)));
  const level = Math.floor(Math.log2(scale));
  if (entry.coarse?.level !== level) {
    const rings = entry.shape.rings(entry.region.geometry).map((ring) => simplifyRing(ring, 0.5 / 2 ** (level + 1)));
    entry.coarse = { level, path: pathOf(rings) };
  }
  return entry.coarse.path;
}

export class Scene {
  #tree = new RBush<Entry>();
  #layers: readonly Layer[] = [];
  #entries: Map<string, Entry>[] = [];
  readonly #asset: string;

  constructor(asset: string) {
    this.#asset = asset;
  }

  get layers(): readonly Layer[] {
    return this.#layers;
  }

  get size(): number {
    return this.#entries.reduce((sum, map) => sum + map.size, 0);
  }

  /** The rectangles to redraw (image pixels), or "all". Regions are immutable, so identity tells what changed. */
  setLayers(layers: readonly Layer[]): readonly Bounds[] | "all" {
    const same = layers.length === this.#layers.length && layers.every((layer, i) => sameStyle(layer.style, this.#layers[i]!.style));
    const dirty: Bounds[] = [];
    const gone: Entry[] = [], come: Entry[] = [];
    const next: Map<string, Entry>[] = [];
    layers.forEach((layer, index) => {
      const before = this.#entries[index] ?? new Map<string, Entry>();
      if (same && layer.document.regions === this.#layers[index]!.document.regions) {
        next.push(before);
        return;
      }
      const now = new Map<string, Entry>();
      let order = 0;
      for (const region of Object.values(layer.document.regions)) {
        order++;
        if (region.asset !== null && region.asset !== this.#asset) continue;
        if (layer.style.only && !layer.style.only.has(region.id)) continue;
        const old = before.get(region.id);
        if (old?.region === region) {
          now.set(region.id, old);
          continue;
        }
        const shape = shapeOf(region);
        const bounds = shape?.bounds(region.geometry);
        if (!shape || !bounds) continue;
        const entry: Entry = {
          minX: bounds.x0, minY: bounds.y0, maxX: bounds.x1, maxY: bounds.y1, layer: index, order: (region.z ?? 0) * 1e6 + order, region, shape,
          points: shape.rings(region.geometry).reduce((sum, ring) => sum + ring.length, 0), path: null, coarse: null,
        };
        now.set(region.id, entry);
        come.push(entry);
      }
      for (const [id, entry] of before) if (now.get(id) !== entry) gone.push(entry);
      next.push(now);
    });
    for (let index = layers.length; index < this.#entries.length; index++) gone.push(...this.#entries[index]!.values());
    if (gone.length > 200 && gone.length > this.#tree.all().length / 2) {
      this.#tree.clear();
      this.#tree.load(next.flatMap((map) => [...map.values()]));
    } else {
      for (const entry of gone) this.#tree.remove(entry);
      if (come.length > 100) this.#tree.load(come);
      else for (const entry of come) this.#tree.insert(entry);
    }
    this.#layers = layers;
    this.#entries = next;
    if (!same || gone.length + come.length > 40) return "all";
    for (const entry of [...gone, ...come]) dirty.push(boundsOf(entry));
    return dirty;
  }

  entry(id: string, layer?: number): Entry | undefined {
    if (layer !== undefined) return this.#entries[layer]?.get(id);
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const entry = this.#entries[index]!.get(id);
      if (entry) return entry;
    }
    return undefined;
  }

  /** In drawing order. */
  search(bounds: Bounds): Entry[] {
    return this.#tree.search({ minX: bounds.x0, minY: bounds.y0, maxX: bounds.x1, maxY: bounds.y1 })
      .sort((a, b) => a.layer - b.layer || a.order - b.order);
  }

  hits(at: Point, slop_px: number, tiles: TileSource): { readonly entry: Entry; readonly on: "edge" | "inside" }[] {
    const found: { entry: Entry; on: "edge" | "inside"; area: number }[] = [];
    for (const entry of this.search({ x0: at.x - slop_px, y0: at.y - slop_px, x1: at.x + slop_px, y1: at.y + slop_px })) {
      const on = entry.shape.hit(entry.region.geometry, at, slop_px, tiles);
      if (on) found.push({ entry, on, area: entry.shape.area(entry.region.geometry) });
    }
    return found.sort((a, b) => rank(a.entry, this.#layers) - rank(b.entry, this.#layers)
      || Number(b.on === "edge") - Number(a.on === "edge") || a.area - b.area || b.entry.order - a.entry.order);
  }
}

const rank = (entry: Entry, layers: readonly Layer[]): number => (layers[entry.layer]?.style.kind === "prelabel" ? 1 : 0);
export const boundsOf = (entry: Entry): Bounds => ({ x0: entry.minX, y0: entry.minY, x1: entry.maxX, y1: entry.maxY });

function sameStyle(a: LayerStyle, b: LayerStyle): boolean {
  return a === b || (a.kind === b.kind && a.color === b.color && a.tag === b.tag && a.names === b.names && a.name === b.name
    && sameSet(a.loud, b.loud) && sameSet(a.only, b.only));
}

function sameSet(a?: ReadonlySet<string>, b?: ReadonlySet<string>): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.size === b.size && [...a].every((value) => b.has(value));
}
