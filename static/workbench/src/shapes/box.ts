/** Axis-parallel box: x0 < x1, y0 < y1 in image pixels. Pure. */

import { t } from "../core/i18n.ts";
import { boxArea, round3 } from "../core/geometry.ts";
import type { BoxGeometry, Geometry } from "../document/types.ts";
import { short, type Handle, type ShapeKind } from "./shape.ts";

const of = (geometry: Geometry): BoxGeometry => geometry as BoxGeometry;
const CURSORS: { readonly [id: string]: string } = {
  nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize", n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize",
};
const SWAP_X: { readonly [id: string]: string } = { nw: "ne", ne: "nw", sw: "se", se: "sw", e: "w", w: "e" };
const SWAP_Y: { readonly [id: string]: string } = { nw: "sw", sw: "nw", ne: "se", se: "ne", n: "s", s: "n" };

/** The box between two corners in any order, or null when it has no area after rounding. */
export function boxBetween(ax: number, ay: number, bx: number, by: number): BoxGeometry | null {
  const box = { x0: round3(Math.min(ax, bx)), y0: round3(Math.min(ay, by)), x1: round3(Math.max(ax, bx)), y1: round3(Math.max(ay, by)) };
  return box.x0 < box.x1 && box.y0 < box.y1 ? box : null;
}

export const shape: ShapeKind = {
  name: "box",
  title: () => t("box"),
  bounds: (geometry) => of(geometry),
  rings: (geometry) => {
    const b = of(geometry);
    return [[[b.x0, b.y0], [b.x1, b.y0], [b.x1, b.y1], [b.x0, b.y1]]];
  },
  area: (geometry) => boxArea(of(geometry)),
  hit(geometry, at, slop_px) {
    const b = of(geometry);
    if (at.x < b.x0 - slop_px || at.x > b.x1 + slop_px || at.y < b.y0 - slop_px || at.y > b.y1 + slop_px) return null;
    const inner = Math.min(at.x - b.x0, b.x1 - at.x, at.y - b.y0, b.y1 - at.y);
    return inner <= slop_px ? "edge" : "inside";
  },
  handles(geometry): readonly Handle[] {
    const b = of(geometry);
    const mx = (b.x0 + b.x1) / 2, my = (b.y0 + b.y1) / 2;
    const at: [string, number, number][] = [["nw", b.x0, b.y0], ["ne", b.x1, b.y0], ["se", b.x1, b.y1], ["sw", b.x0, b.y1],
      ["n", mx, b.y0], ["e", b.x1, my], ["s", mx, b.y1], ["w", b.x0, my]];
    return at.map(([id, x, y]) => ({ id, x, y, kind: id.length === 2 ? "corner" : "edge", cursor: CURSORS[id] ?? "move" }));
  },
  move(geometry, dx, dy) {
    const b = of(geometry);
    return { x0: round3(b.x0 + dx), y0: round3(b.y0 + dy), x1: round3(b.x1 + dx), y1: round3(b.y1 + dy) };
  },
  drag(geometry, handle, to) {
    const b = of(geometry);
    const next = boxBetween(handle.includes("w") ? to.x : b.x0, handle.includes("n") ? to.y : b.y0,
      handle.includes("e") ? to.x : b.x1, handle.includes("s") ? to.y : b.y1);
    if (!next) return null;
    // A corner drawn over its opposite side is that side's corner from now on.
    let id = handle;
    if ((id.includes("w") && to.x > b.x1) || (id.includes("e") && to.x < b.x0)) id = SWAP_X[id] ?? id;
    if ((id.includes("n") && to.y > b.y1) || (id.includes("s") && to.y < b.y0)) id = SWAP_Y[id] ?? id;
    return { geometry: next, handle: id };
  },
  resize(geometry, dx, dy) {
    const b = of(geometry);
    return boxBetween(b.x0, b.y0, Math.max(b.x0 + 1, b.x1 + dx), Math.max(b.y0 + 1, b.y1 + dy));
  },
  text: (geometry) => `${short(of(geometry).x1 - of(geometry).x0)} × ${short(of(geometry).y1 - of(geometry).y0)}`,
};
