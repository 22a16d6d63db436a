/**
 * What the workbench must know of a shape to draw, hit, list and edit it. One file a shape, found by the build;
 * everything else works on these projections, so a shape without rings is still drawn by its tiles. Pure, no DOM.
 */

import type { Geometry, Ring } from "../document/types.ts";
import type { Bounds, Point } from "../view/viewport.ts";

/** A grip on a selected region. `middle` is not a point of the geometry yet: dragging it makes one. */
export interface Handle { readonly id: string; readonly x: number; readonly y: number; readonly kind: "corner" | "edge" | "vertex" | "middle"; readonly cursor: string }
/** Decoded 256 x 256 tile by digest, or undefined while it is not here. */
export type TileSource = (digest: string) => Uint8Array | undefined;

export interface ShapeKind {
  readonly name: string;
  readonly title: () => string;
  /** null: nothing to see (an empty mask). */
  bounds(geometry: Geometry): Bounds | null;
  /** Outlines in image pixels, outer ring first; empty for rasters. */
  rings(geometry: Geometry): readonly Ring[];
  /** Image area in square pixels, for "the smallest under the pointer"; an upper bound is enough. */
  area(geometry: Geometry): number;
  /** "edge" wins over "inside" so that a thing under a larger one can be taken by its outline. */
  hit(geometry: Geometry, at: Point, slop_px: number, tiles: TileSource): "edge" | "inside" | null;
  handles(geometry: Geometry): readonly Handle[];
  /** null: this shape cannot do that. */
  move(geometry: Geometry, dx: number, dy: number): Geometry | null;
  drag(geometry: Geometry, handle: string, to: Point): { readonly geometry: Geometry; readonly handle: string } | null;
  /** Keyboard: grows or shrinks at the right and lower side. */
  resize(geometry: Geometry, dx: number, dy: number): Geometry | null;
  /** Removes a vertex; null when too few would be left. */
  dropHandle?(geometry: Geometry, handle: string): Geometry | null;
  /** A few figures for the list. */
  text(geometry: Geometry): string;
}

/** How far a move may go so that `bounds` stays in the picture. */
export function clampMove(bounds: Bounds, dx: number, dy: number, size: { width: number; height: number }): { dx: number; dy: number } {
  return {
    dx: Math.max(Math.min(0, -bounds.x0), Math.min(Math.max(0, size.width - bounds.x1), dx)),
    dy: Math.max(Math.min(0, -bounds.y0), Math.min(Math.max(0, size.height - bounds.y1), dy)),
  };
}

export function clampPoint(p: Point, size: { width: number; height: number }): Point {
  return { x: Math.max(0, Math.min(size.width, p.x)), y: Math.max(0, Math.min(size.height, p.y)) };
}

/** One decimal at most: a list is read, not computed with. */
export const short = (value: number): string => String(Math.round(value * 10) / 10);
