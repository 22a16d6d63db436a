/** Polygon with holes: rings of at least three distinct points, not closed explicitly. Pure. */

import { t } from "../core/i18n.ts";
import { distanceToRings, distinctRing, pointInRings, polygonArea, ringArea, ringsBounds, round3 } from "../core/geometry.ts";
import type { Geometry, PolygonGeometry, Ring } from "../document/types.ts";
import { short, type Handle, type ShapeKind } from "./shape.ts";

const of = (geometry: Geometry): PolygonGeometry => geometry as PolygonGeometry;

/** Rounded, with repeated neighbours taken out; null when fewer than three distinct points or no area is left. */
export function ringOf(points: readonly (readonly [number, number])[]): Ring | null {
  const ring = distinctRing(points.map(([x, y]): [number, number] => [round3(x), round3(y)]));
  if (new Set(ring.map((p) => p.join())).size < 3 || ringArea(ring) === 0) return null;
  return ring;
}

function place(handle: string): { ring: number; at: number; middle: boolean } {
  const [kind, ring, at] = handle.split(":");
  return { ring: Number(ring), at: Number(at), middle: kind === "m" };
}

function withRing(rings: readonly Ring[], index: number, ring: Ring): PolygonGeometry {
  return { rings: rings.map((old, i) => (i === index ? ring : old)) };
}

export const shape: ShapeKind = {
  name: "polygon",
  title: () => t("polygon"),
  bounds: (geometry) => (of(geometry).rings.length > 0 ? ringsBounds(of(geometry).rings) : null),
  rings: (geometry) => of(geometry).rings,
  area: (geometry) => polygonArea(of(geometry).rings),
  hit(geometry, at, slop_px) {
    const { rings } = of(geometry);
    if (distanceToRings(at.x, at.y, rings) <= slop_px) return "edge";
    return pointInRings(at.x, at.y, rings) ? "inside" : null;
  },
  handles(geometry): readonly Handle[] {
    const handles: Handle[] = [];
    of(geometry).rings.forEach((ring, r) => ring.forEach(([x, y], i) => {
      const [nx, ny] = ring[(i + 1) % ring.length]!;
      handles.push({ id: `m:${r}:${i}`, x: (x + nx) / 2, y: (y + ny) / 2, kind: "middle", cursor: "copy" });
    }));
    of(geometry).rings.forEach((ring, r) => ring.forEach(([x, y], i) =>
      handles.push({ id: `v:${r}:${i}`, x, y, kind: "vertex", cursor: "move" })));
    return handles;
  },
  move(geometry, dx, dy) {
    return { rings: of(geometry).rings.map((ring) => ring.map(([x, y]): [number, number] => [round3(x + dx), round3(y + dy)])) };
  },
  drag(geometry, handle, to) {
    const { ring: r, at, middle } = place(handle);
    const { rings } = of(geometry);
    const ring = rings[r];
    if (!ring) return null;
    const point: [number, number] = [round3(to.x), round3(to.y)];
    const next = middle ? [...ring.slice(0, at + 1), point, ...ring.slice(at + 1)] : ring.map((old, i) => (i === at ? point : old));
    return { geometry: withRing(rings, r, next), handle: `v:${r}:${middle ? at + 1 : at}` };
  },
  dropHandle(geometry, handle) {
    const { ring: r, at, middle } = place(handle);
    const { rings } = of(geometry);
    const ring = rings[r];
    if (!ring || middle) return null;
    if (ring.length > 3) return withRing(rings, r, ring.filter((_, i) => i !== at));
    // A hole may vanish, the outline may not.
    return r > 0 ? { rings: rings.filter((_, i) => i !== r) } : null;
  },
  resize(geometry, dx, dy) {
    const box = ringsBounds(of(geometry).rings);
    const width = box.x1 - box.x0, height = box.y1 - box.y0;
    const fx = Math.max(1, width + dx) / (width || 1), fy = Math.max(1, height + dy) / (height || 1);
    return { rings: of(geometry).rings.map((ring) => ring.map(([x, y]): [number, number] =>
      [round3(box.x0 + (x - box.x0) * fx), round3(box.y0 + (y - box.y0) * fy)])) };
  },
  text(geometry) {
    const box = ringsBounds(of(geometry).rings);
    const n = of(geometry).rings.reduce((sum, ring) => sum + ring.length, 0);
    return `${short(box.x1 - box.x0)} × ${short(box.y1 - box.y0)} · ${n}`;
  },
};
