/** Mask on sparse 256-pixel tiles; an absent tile is background. Pixels live in parts, the geometry names them. Pure. */

import { t } from "../core/i18n.ts";
import { tileAt, tileKey } from "../core/geometry.ts";
import { TILE_PIXELS, TILE_PX } from "../core/runs.ts";
import type { Geometry, MaskGeometry } from "../document/types.ts";
import type { ShapeKind } from "./shape.ts";

const of = (geometry: Geometry): MaskGeometry => geometry as MaskGeometry;

export const shape: ShapeKind = {
  name: "mask",
  title: () => t("mask"),
  /** To the tile, not to the pixel: the pixels may not be here yet. */
  bounds(geometry) {
    let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
    for (const key of Object.keys(of(geometry).tiles)) {
      const [tx, ty] = tileAt(key);
      x0 = Math.min(x0, tx * TILE_PX);
      y0 = Math.min(y0, ty * TILE_PX);
      x1 = Math.max(x1, (tx + 1) * TILE_PX);
      y1 = Math.max(y1, (ty + 1) * TILE_PX);
    }
    return x0 < x1 ? { x0, y0, x1, y1 } : null;
  },
  rings: () => [],
  area: (geometry) => Object.keys(of(geometry).tiles).length * TILE_PIXELS,
  hit(geometry, at, slop_px, tiles) {
    // The pixel under the pointer, or one within the slop (a crack is one pixel wide).
    const reach = Math.min(6, Math.ceil(slop_px));
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const x = Math.floor(at.x + dx), y = Math.floor(at.y + dy);
        const digest = of(geometry).tiles[tileKey(Math.floor(x / TILE_PX), Math.floor(y / TILE_PX))];
        if (!digest) continue;
        const tile = tiles(digest);
        if (tile?.[(((y % TILE_PX) + TILE_PX) % TILE_PX) * TILE_PX + (((x % TILE_PX) + TILE_PX) % TILE_PX)]) return "inside";
      }
    }
    return null;
  },
  handles: () => [],
  move: () => null,
  drag: () => null,
  resize: () => null,
  /** Its pixels are not in the geometry: whoever has the parts counts them. */
  text: () => "",
};
