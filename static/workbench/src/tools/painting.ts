/**
 * Painting on sparse 256-pixel tiles. A tip is a digital disc; a stroke is the disc moved along a line of pixels, so a
 * tip of 1 is exactly one pixel wide and nothing is ever half painted. Pure.
 */

import { fillRow, tileKey } from "../core/geometry.ts";
import { TILE_PIXELS, TILE_PX } from "../core/runs.ts";
import type { Point, Size } from "../view/viewport.ts";

export const MAX_BRUSH_PX = 512;

/** Half-open column span [from, to) of a disc, relative to its pixel, for each row dy = top..top + spans.length. */
export interface Tip { readonly top: number; readonly spans: readonly (readonly [number, number])[] }

const tips = new Map<number, Tip>();

/** Odd diameters are centred on a pixel, even ones on the corner before it. A pixel belongs if its centre is inside. */
export function tipOf(diameter_px: number): Tip {
  const d = Math.max(1, Math.min(MAX_BRUSH_PX, Math.round(diameter_px)));
  const known = tips.get(d);
  if (known) return known;
  const spans: [number, number][] = [];
  const top = -Math.floor(d / 2);
  // Distance of pixel centres from the disc's centre: for odd d the centre is at 0.5, for even d at 0.
  const centre = d % 2 === 1 ? 0.5 : 0;
  for (let row = 0; row < d; row++) {
    const dy = top + row + 0.5 - centre;
    const half = Math.sqrt(Math.max(0, d * d / 4 - dy * dy));
    const from = Math.ceil(centre - half - 0.5), to = Math.floor(centre + half - 0.5) + 1;
    spans.push(from < to ? [from, to] : [0, 1]);
  }
  const tip = { top, spans };
  tips.set(d, tip);
  return tip;
}

/** The pixel that a tip sits on: the one under the pointer for odd diameters, the nearest corner for even ones. */
export function anchor(at: Point, diameter_px: number): { x: number; y: number } {
  return Math.round(diameter_px) % 2 === 1 ? { x: Math.floor(at.x), y: Math.floor(at.y) } : { x: Math.round(at.x), y: Math.round(at.y) };
}

/**
 * Calls `run(y, x0, x1)` (half-open, clipped to the picture) for every row that the tip covers on its way from a to b.
 * The rows of a disc moved along a line are unbroken, so the least and largest column of each row say all.
 */
export function strokeRows(a: Point, b: Point, diameter_px: number, size: Size, run: (y: number, x0: number, x1: number) => void): void {
  const tip = tipOf(diameter_px);
  const from = anchor(a, diameter_px), to = anchor(b, diameter_px);
  const y0 = Math.min(from.y, to.y) + tip.top;
  const rows = Math.abs(to.y - from.y) + tip.spans.length;
  const least = new Int32Array(rows).fill(0x7fffffff), most = new Int32Array(rows).fill(-0x80000000);
  let { x, y } = from;
  const dx = Math.abs(to.x - x), dy = -Math.abs(to.y - y), sx = x < to.x ? 1 : -1, sy = y < to.y ? 1 : -1;
  let error = dx + dy;
  for (;;) {
    const base = y + tip.top - y0;
    for (let row = 0; row < tip.spans.length; row++) {
      const span = tip.spans[row]!;
      if (x + span[0] < least[base + row]!) least[base + row] = x + span[0];
      if (x + span[1] > most[base + row]!) most[base + row] = x + span[1];
    }
    if (x === to.x && y === to.y) break;
    const twice = 2 * error;
    if (twice >= dy) { error += dy; x += sx; }
    if (twice <= dx) { error += dx; y += sy; }
  }
  const width = Math.floor(size.width), height = Math.floor(size.height);
  for (let row = 0; row < rows; row++) {
    const py = y0 + row;
    const px0 = Math.max(0, least[row]!), px1 = Math.min(width, most[row]!);
    if (py >= 0 && py < height && px0 < px1) run(py, px0, px1);
  }
}

/** What lies stored under a stroke: pixels, null for an absent tile, undefined while they are still on their way. */
export type Stored = (key: string) => Uint8Array | null | undefined;

/**
 * Paints one leg of a stroke into `work`, copying each stored tile when it is first touched. `work` is changed in
 * place: a copy of all touched tiles at every move of the hand would be the whole cost. False: a tile is not here yet.
 */
export function paint(work: Map<string, Uint8Array>, stored: Stored, a: Point, b: Point, diameter_px: number, value: 0 | 1, size: Size,
  touched?: (key: string) => void): boolean {
  let here = true;
  strokeRows(a, b, diameter_px, size, (y, x0, x1) => {
    const ty = Math.floor(y / TILE_PX);
    for (let tx = Math.floor(x0 / TILE_PX); tx * TILE_PX < x1; tx++) {
      const key = tileKey(tx, ty);
      if (!work.has(key)) {
        const tile = stored(key);
        if (tile === undefined) {
          here = false;
          continue;
        }
        // Nothing to erase on background: the tile stays absent and unsaved.
        if (tile === null && value === 0) continue;
        work.set(key, tile ? tile.slice() : new Uint8Array(TILE_PIXELS));
      }
      touched?.(key);
      fillRow(work, y, Math.max(x0, tx * TILE_PX), Math.min(x1, (tx + 1) * TILE_PX), value);
    }
  });
  return here;
}
