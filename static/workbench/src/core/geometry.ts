/**
 * Geometry in image pixels: boxes, polygons with holes, simplification, rasterising to tiles. Pure.
 *
 * One frame: floats in pixels of the stored picture, origin at the outer corner of the top-left pixel, y downwards.
 * `Px` marks that frame so that screen coordinates cannot be passed by accident; the one place that brands is the
 * view's conversion. Insideness is even-odd; a pixel belongs to a polygon if its centre does.
 */
import { TILE_PIXELS, TILE_PX } from "./runs.ts";

declare const pxBrand: unique symbol;
/** A length or coordinate in image pixels. */
export type Px = number & { readonly [pxBrand]: true };
export type Point = readonly [number, number];
export type PointPx = readonly [Px, Px];
export interface Box { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number }
export type Rings = readonly (readonly Point[])[];

export const px = (value: number): Px => value as Px;

/** Three decimals, never minus zero: what a drawer writes. */
export function round3(value: number): number {
  return Math.round(value * 1000) / 1000 + 0;
}

export function roundBox(box: Box): Box {
  return { x0: round3(box.x0), y0: round3(box.y0), x1: round3(box.x1), y1: round3(box.y1) };
}

export function roundRings(rings: Rings): [number, number][][] {
  return rings.map((ring) => ring.map(([x, y]): [number, number] => [round3(x), round3(y)]));
}

/** The box between two corners, whichever they are. */
export function boxBetween(a: Point, b: Point): Box {
  return { x0: Math.min(a[0], b[0]), y0: Math.min(a[1], b[1]), x1: Math.max(a[0], b[0]), y1: Math.max(a[1], b[1]) };
}

/** The part of a box inside a picture; empty (x1 <= x0) when it lies outside. */
export function clipBox(box: Box, width_px: number, height_px: number): Box {
  return {
    x0: Math.max(0, Math.min(box.x0, width_px)), y0: Math.max(0, Math.min(box.y0, height_px)),
    x1: Math.max(0, Math.min(box.x1, width_px)), y1: Math.max(0, Math.min(box.y1, height_px)),
  };
}

/** Square pixels; an inverted box has none. */
export function boxArea(box: Box): number {
  return Math.max(0, box.x1 - box.x0) * Math.max(0, box.y1 - box.y0);
}

/** Overlap over union, 0..1; 0 when both are empty. */
export function boxIou(a: Box, b: Box): number {
  const w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / (boxArea(a) + boxArea(b) - both);
}

/** The largest distance between like edges, in pixels. */
export function edgeDistance(a: Box, b: Box): number {
  return Math.max(Math.abs(a.x0 - b.x0), Math.abs(a.y0 - b.y0), Math.abs(a.x1 - b.x1), Math.abs(a.y1 - b.y1));
}

/** Every edge within edge_px of its counterpart; counted in thousandths of a pixel, so exactly edge_px is within. */
export function edgesWithin(a: Box, b: Box, edge_px: number): boolean {
  const most = Math.round(edge_px * 1000);
  const near = (p: number, q: number): boolean => Math.abs(Math.round(p * 1000) - Math.round(q * 1000)) <= most;
  return near(a.x0, b.x0) && near(a.y0, b.y0) && near(a.x1, b.x1) && near(a.y1, b.y1);
}

/** Signed by turn (shoelace); positive is clockwise on the screen. */
export function ringArea(ring: readonly Point[]): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 1) {
    const [x0, y0] = ring[i]!;
    const [x1, y1] = ring[(i + 1) % ring.length]!;
    sum += x0 * y1 - x1 * y0;
  }
  return sum / 2;
}

/** Outer ring less its holes, for rings that do not cross; square pixels. */
export function polygonArea(rings: Rings): number {
  return rings.reduce((sum, ring, index) => {
    const area = Math.abs(ringArea(ring));
    return index === 0 ? area : sum - area;
  }, 0);
}

/** Centre of area with the holes taken out; the mean of the outer points where there is no area. */
export function polygonCentroid(rings: Rings): Point {
  let total = 0, x = 0, y = 0;
  rings.forEach((ring, index) => {
    const [ox, oy] = ring[0]!;  // near zero, so that far-away small rings keep their digits
    let area = 0, cx = 0, cy = 0;
    for (let i = 0; i < ring.length; i += 1) {
      const ax = ring[i]![0] - ox, ay = ring[i]![1] - oy;
      const next = ring[(i + 1) % ring.length]!;
      const bx = next[0] - ox, by = next[1] - oy;
      const cross = ax * by - bx * ay;
      area += cross / 2; cx += (ax + bx) * cross; cy += (ay + by) * cross;
    }
    if (area === 0) return;
    const weight = index === 0 ? Math.abs(area) : -Math.abs(area);
    total += weight;
    x += weight * (cx / (6 * area) + ox);
    y += weight * (cy / (6 * area) + oy);
  });
  if (total > 0) return [x / total, y / total];
  const outer = rings[0] ?? [];
  const mean = (axis: 0 | 1): number => outer.reduce((sum, point) => sum + point[axis], 0) / Math.max(1, outer.length);
  return [mean(0), mean(1)];
}

interface Edge { readonly ax: number; readonly ay: number; readonly bx: number; readonly by: number; readonly ring: number; readonly place: number }

/** Sign of the turn a -> b -> c, exact: coordinates are integers (thousandths) far below 2^26 each. */
function turn(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

function meetBadly(e: Edge, f: Edge, size: number): boolean {
  if (Math.max(e.ay, e.by) < Math.min(f.ay, f.by) || Math.max(f.ay, f.by) < Math.min(e.ay, e.by)) return false;
  const t1 = turn(e.ax, e.ay, e.bx, e.by, f.ax, f.ay), t2 = turn(e.ax, e.ay, e.bx, e.by, f.bx, f.by);
  const t3 = turn(f.ax, f.ay, f.bx, f.by, e.ax, e.ay), t4 = turn(f.ax, f.ay, f.bx, f.by, e.bx, e.by);
  const collinear = t1 === 0 && t2 === 0 && t3 === 0 && t4 === 0;
  const wide = Math.abs(e.bx - e.ax) >= Math.abs(e.by - e.ay);
  const [ea, eb, fa, fb] = wide ? [e.ax, e.bx, f.ax, f.bx] : [e.ay, e.by, f.ay, f.by];
  const overlap = Math.min(Math.max(ea, eb), Math.max(fa, fb)) - Math.max(Math.min(ea, eb), Math.min(fa, fb));
  const shared = collinear && overlap > 0;
  if (e.ring !== f.ring) return (t1 * t2 < 0 && t3 * t4 < 0) || shared;
  const apart = Math.abs(e.place - f.place);
  if (apart === 1 || apart === size - 1) return shared;
  return t1 * t2 <= 0 && t3 * t4 <= 0 && (!collinear || overlap >= 0);
}

/**
 * A pair of rings (equal for one ring) whose edges meet where they may not, or null when all is simple. Within a ring,
 * edges that are not neighbours may not even touch, and neighbours may not fold back; two rings may touch in points but
 * neither cross nor share a stretch. Exact, in thousandths of a pixel. A sweep along x: near n log n for drawn outlines.
 */
export function ringsCross(rings: Rings): readonly [number, number] | null {
  const edges: Edge[] = rings.flatMap((ring, index) => {
    const points = ring.map(([x, y]) => [Math.round(x * 1000), Math.round(y * 1000)] as const);
    return points.map(([ax, ay], place) => {
      const [bx, by] = points[(place + 1) % points.length]!;
      return { ax, ay, bx, by, ring: index, place };
    });
  }).sort((e, f) => Math.min(e.ax, e.bx) - Math.min(f.ax, f.bx));
  let open: Edge[] = [];
  for (const edge of edges) {
    const left = Math.min(edge.ax, edge.bx);
    open = open.filter((one) => Math.max(one.ax, one.bx) >= left);
    for (const one of open) {
      if (meetBadly(one, edge, rings[edge.ring]!.length)) {
        return one.ring < edge.ring ? [one.ring, edge.ring] : [edge.ring, one.ring];
      }
    }
    open.push(edge);
  }
  return null;
}

export function ringsBounds(rings: Rings): Box {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (const ring of rings) {
    for (const [x, y] of ring) {
      x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x); y1 = Math.max(y1, y);
    }
  }
  return x0 <= x1 ? { x0, y0, x1, y1 } : { x0: 0, y0: 0, x1: 0, y1: 0 };
}

export function pointInBox(x: number, y: number, box: Box): boolean {
  return x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
}

/**
 * Even-odd over all rings, so a point in a hole is outside. Edges as in scanRings: left and top edges are in, right and
 * bottom edges are out.
 */
export function pointInRings(x: number, y: number, rings: Rings): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 1) {
      const [ax, ay] = ring[i]!;
      const [bx, by] = ring[i + 1 < ring.length ? i + 1 : 0]!;
      if (ay <= y !== by <= y && ax + ((y - ay) * (bx - ax)) / (by - ay) <= x) inside = !inside;
    }
  }
  return inside;
}

export function distanceToSegment(x: number, y: number, a: Point, b: Point): number {
  const dx = b[0] - a[0], dy = b[1] - a[1];
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / length2));
  return Math.hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

/** To the nearest edge of any ring, in pixels; infinite without one. */
export function distanceToRings(x: number, y: number, rings: Rings): number {
  let best = Infinity;
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 1) {
      best = Math.min(best, distanceToSegment(x, y, ring[i]!, ring[(i + 1) % ring.length]!));
    }
  }
  return best;
}

/** Points without repeats next to each other, the closing one included. */
export function distinctRing(ring: readonly Point[]): Point[] {
  return ring.filter((point, index) => {
    const before = ring[(index + ring.length - 1) % ring.length]!;
    return ring.length === 1 || point[0] !== before[0] || point[1] !== before[1];
  });
}

/**
 * Douglas-Peucker on an open line: keeps both ends and every point further than tolerance_px from the line kept.
 * An explicit stack, not recursion: a freehand line may have tens of thousands of points.
 */
export function simplify(points: readonly Point[], tolerance_px: number): Point[] {
  if (points.length < 3) return [...points];
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const stack: [number, number][] = [[0, points.length - 1]];
  for (let span = stack.pop(); span; span = stack.pop()) {
    const [from, to] = span;
    let far = tolerance_px;
    let index = -1;
    for (let i = from + 1; i < to; i += 1) {
      const d = distanceToSegment(points[i]![0], points[i]![1], points[from]!, points[to]!);
      if (d > far) { far = d; index = i; }
    }
    if (index >= 0) {
      keep[index] = 1;
      stack.push([from, index], [index, to]);
    }
  }
  return points.filter((_, index) => keep[index] === 1);
}

/** Simplifies a closed ring: cut at its first point and at the point farthest from it. Keeps at least 3 points. */
export function simplifyRing(ring: readonly Point[], tolerance_px: number): Point[] {
  if (ring.length <= 3) return [...ring];
  const [ox, oy] = ring[0]!;
  let far = 0;
  ring.forEach(([x, y], index) => {
    const [fx, fy] = ring[far]!;
    if (Math.hypot(x - ox, y - oy) > Math.hypot(fx - ox, fy - oy)) far = index;
  });
  const there = simplify(ring.slice(0, far + 1), tolerance_px);
  const back = simplify([...ring.slice(far), ring[0]!], tolerance_px);
  const out = [...there, ...back.slice(1, -1)];
  return out.length >= 3 ? out : [...ring];
}

export function tileKey(tx: number, ty: number): string {
  return `${tx},${ty}`;
}

/** "tx,ty" -> numbers; NaN where the key is not one. */
export function tileAt(key: string): readonly [number, number] {
  const comma = key.indexOf(",");
  return [Number(key.slice(0, comma)), Number(key.slice(comma + 1))];
}

/**
 * Calls `run(y, x0, x1)` for each row of pixels whose centres lie inside the rings (even-odd), x half-open, clipped
 * to the picture. Edges follow one rule (a crossing counts for the rows from its upper end inclusive to its lower end
 * exclusive), so two polygons that share an edge share no pixel and leave no gap.
 */
export function scanRings(
  rings: Rings, width_px: number, height_px: number, run: (y: number, x0: number, x1: number) => void,
): void {
  const bounds = ringsBounds(rings);
  const yFrom = Math.max(0, Math.ceil(bounds.y0 - 0.5));
  const yTo = Math.min(height_px, Math.ceil(bounds.y1 - 0.5));
  for (let y = yFrom; y < yTo; y += 1) {
    const cy = y + 0.5;
    const crossings: number[] = [];
    for (const ring of rings) {
      if (ring.length < 3) continue;
      for (let i = 0; i < ring.length; i += 1) {
        const [ax, ay] = ring[i]!;
        const [bx, by] = ring[i + 1 < ring.length ? i + 1 : 0]!;
        // written in this order so that server and browser round alike, bit by bit
        if (ay <= cy !== by <= cy) crossings.push(ax + ((cy - ay) * (bx - ax)) / (by - ay));
      }
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const x0 = Math.max(0, Math.ceil(crossings[k]! - 0.5));
      const x1 = Math.min(width_px, Math.ceil(crossings[k + 1]! - 0.5));
      if (x0 < x1) run(y, x0, x1);
    }
  }
}

/** Fills row y, columns x0..x1 (half-open) with a value in sparse tiles, making tiles as needed. */
export function fillRow(tiles: Map<string, Uint8Array>, y: number, x0: number, x1: number, value: 0 | 1): void {
  const ty = Math.floor(y / TILE_PX);
  const row = (y - ty * TILE_PX) * TILE_PX;
  for (let x = x0; x < x1;) {
    const tx = Math.floor(x / TILE_PX);
    const end = Math.min(x1, (tx + 1) * TILE_PX);
    const key = tileKey(tx, ty);
    let tile = tiles.get(key);
    if (tile === undefined) tiles.set(key, tile = new Uint8Array(TILE_PIXELS));
    tile.fill(value, row + x - tx * TILE_PX, row + end - tx * TILE_PX);
    x = end;
  }
}

/** The tiles (0 or 1 a pixel) that a polygon covers inside a picture; tiles it does not touch are absent. */
export function ringsToTiles(rings: Rings, width_px: number, height_px: number): Map<string, Uint8Array> {
  const tiles = new Map<string, Uint8Array>();
  scanRings(rings, width_px, height_px, (y, x0, x1) => fillRow(tiles, y, x0, x1, 1));
  return tiles;
}
