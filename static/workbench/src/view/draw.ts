/** Strokes and fills of regions, names and grips. Draws into a given context, keeps nothing. */

import { tileAt } from "../core/geometry.ts";
import { TILE_PX } from "../core/runs.ts";
import type { BoxGeometry, MaskGeometry, Region } from "../document/types.ts";
import type { Handle } from "../shapes/shape.ts";
import { outline, type Entry, type LayerStyle } from "./scene.ts";
import { rgb, type Look, type TileCache } from "./tint.ts";
import type { Bounds, Viewport } from "./viewport.ts";

export type Ctx = CanvasRenderingContext2D;

/** What a redraw leaves out so that thousands of regions stay quick. Decided once a full redraw. */
export interface Detail { readonly halo: boolean; readonly fill: boolean; readonly names: "all" | "large" | "none" }

export function detailFor(n_visible: number): Detail {
  if (n_visible <= 150) return { halo: true, fill: true, names: "all" };
  if (n_visible <= 700) return { halo: true, fill: true, names: "large" };
  return { halo: false, fill: false, names: "none" };
}

export const TAG_HEIGHT = 18;
export const TAG_WIDTH = 190;
const LARGE_PX = 44;
/** From here on a mask's edge is drawn lighter. */
export const NEAR_SCALE = 6;
const HALO = "rgba(8, 10, 14, 0.6)";

/** Halfway to white: a proposal is paler than a person's region in the same label. */
export function pale(color: string): string {
  let known = paled.get(color);
  if (!known) {
    const [r, g, b] = rgb(color);
    known = `rgb(${(r + 255) >> 1} ${(g + 255) >> 1} ${(b + 255) >> 1})`;
    paled.set(color, known);
  }
  return known;
}
const paled = new Map<string, string>();

export function toImageSpace(ctx: Ctx, view: Viewport, dpr: number): void {
  ctx.setTransform(view.scale * dpr, 0, 0, view.scale * dpr, view.x * dpr, view.y * dpr);
}

export interface RegionLook { readonly color: string; readonly kind: LayerStyle["kind"]; readonly strong: boolean; readonly faded: boolean }

export interface Item { readonly entry: Entry; readonly look: RegionLook }

/**
 * Outlines of many regions; the context is in image space. Three passes (fills, halos, lines), because setting a
 * colour means parsing it: with a thousand boxes that is half of the time. Halos under all lines look better, too.
 */
export function drawRegions(ctx: Ctx, items: readonly Item[], scale: number, detail: Detail): void {
  const px = 1 / scale;
  let fill = "", stroke = "", alpha = -1, width = -1;
  const setAlpha = (value: number): void => {
    if (value !== alpha) ctx.globalAlpha = alpha = value;
  };
  const pen = (color: string, wide: number, look: RegionLook): void => {
    if (color !== stroke) ctx.strokeStyle = stroke = color;
    if (wide !== width) ctx.lineWidth = width = wide;
    setAlpha(look.faded ? 0.3 : 1);
    if (look.kind === "prelabel") ctx.setLineDash([7 * px, 5 * px]);
    else if (look.kind === "quiet") ctx.setLineDash([2 * px, 3 * px]);
  };
  const tiny = (entry: Entry): boolean => (entry.maxX - entry.minX) * scale < 3 && (entry.maxY - entry.minY) * scale < 3;
  const line = ({ entry, look }: Item): void => {
    if (entry.region.shape === "box") {
      const box = entry.region.geometry as BoxGeometry;
      ctx.strokeRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    } else ctx.stroke(outline(entry, scale));
    if (look.kind !== "person") ctx.setLineDash([]);
  };
  ctx.lineJoin = "round";
  for (const { entry, look } of items) {
    const dot = tiny(entry);
    if (!dot && (!detail.fill || look.kind === "quiet")) continue;
    const color = look.kind === "prelabel" ? pale(look.color) : look.color;
    if (color !== fill) ctx.fillStyle = fill = color;
    if (dot) {
      // A thing of three pixels has no outline: it is a dot, and stays findable.
      setAlpha(look.faded ? 0.3 : 1);
      ctx.fillRect((entry.minX + entry.maxX) / 2 - 1.5 * px, (entry.minY + entry.maxY) / 2 - 1.5 * px, 3 * px, 3 * px);
      continue;
    }
    setAlpha(look.strong ? 0.14 : look.faded ? 0.03 : look.kind === "prelabel" ? 0.05 : 0.1);
    if (entry.region.shape === "box") {
      const box = entry.region.geometry as BoxGeometry;
      ctx.fillRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    } else ctx.fill(outline(entry, scale), "evenodd");
  }
  for (const item of items) {
    const { look } = item;
    if ((!detail.halo && !look.strong) || tiny(item.entry)) continue;
    pen(HALO, (look.strong ? 5 : look.kind === "prelabel" ? 3 : 4) * px, look);
    line(item);
  }
  for (const item of items) {
    const { look } = item;
    if (tiny(item.entry)) continue;
    pen(look.kind === "prelabel" ? pale(look.color) : look.color, (look.strong ? 3 : look.kind === "prelabel" ? 1.8 : look.kind === "quiet" ? 1.2 : 2) * px, look);
    line(item);
  }
  ctx.globalAlpha = 1;
}

/** The stored pixels of a mask, but for tiles that a stroke holds. False: some are not here yet. */
export function drawMask(ctx: Ctx, region: Region, look: RegionLook, cache: TileCache, pixels: (digest: string) => Uint8Array | undefined, scale: number,
  clip: Bounds, skip?: ReadonlyMap<string, unknown>): boolean {
  let here = true;
  const kind: Look = look.strong ? "selected" : look.faded ? "quiet" : look.kind;
  ctx.imageSmoothingEnabled = scale < 1;
  for (const [key, digest] of Object.entries((region.geometry as MaskGeometry).tiles)) {
    if (skip?.has(key)) continue;
    const [tx, ty] = tileAt(key);
    const x = tx * TILE_PX, y = ty * TILE_PX;
    if (x > clip.x1 || y > clip.y1 || x + TILE_PX < clip.x0 || y + TILE_PX < clip.y0) continue;
    const tile = cache.stored(digest, look.color, kind, scale >= NEAR_SCALE, () => pixels(digest));
    if (tile) ctx.drawImage(tile, x, y);
    else here = false;
  }
  return here;
}

/** Where a name goes, in screen pixels: above the region's upper left corner, inside where there is no room. */
export function tagPlace(entry: { minX: number; minY: number; maxX: number }, view: Viewport): { x: number; y: number } {
  const top = entry.minY * view.scale + view.y;
  return {
    x: Math.round(Math.max(2, entry.minX * view.scale + view.x - 1)),
    y: Math.round(top >= TAG_HEIGHT + 1 ? top - TAG_HEIGHT - 1 : Math.max(2, top + 2)),
  };
}

export function wantsTag(entry: Entry, detail: Detail, scale: number): boolean {
  if (detail.names === "none") return false;
  return detail.names === "all" || (entry.maxX - entry.minX) * scale >= LARGE_PX;
}

export class TagPainter {
  #widths = new Map<string, { text: string; width: number }>();
  font = "12px sans-serif";

  #fitted(ctx: Ctx, text: string, room: number): { text: string; width: number } {
    const most = Math.min(TAG_WIDTH - 16, room);
    const key = `${most}|${text}`;
    let known = this.#widths.get(key);
    if (known) return known;
    let shown = text, width = ctx.measureText(text).width;
    if (width > most) {
      const letters = [...text];
      while (letters.length > 1 && (width = ctx.measureText((shown = `${letters.join("")}…`)).width) > most) letters.pop();
    }
    known = { text: shown, width };
    this.#widths.set(key, known);
    return known;
  }

  forget(): void {
    this.#widths.clear();
  }

  /**
   * The context is in screen space. White on near-black with the label's colour as a bar: readable on any picture.
   * Plates, bars and words in three passes, for the same reason as the regions.
   */
  draw(ctx: Ctx, wanted: readonly Tag[], pane_px: number): void {
    ctx.font = this.font;
    ctx.textBaseline = "middle";
    const fitted = wanted.map(({ name, look, room }) => this.#fitted(ctx, look.kind === "prelabel" ? `◇ ${name}` : name, room));
    // A name that would leave the pane is pushed back in.
    const tags = wanted.map((tag, i) => ({ ...tag, at: { x: Math.max(2, Math.min(tag.at.x, pane_px - Math.ceil(fitted[i]!.width) - 15)), y: tag.at.y } }));
    for (const kind of ["person", "prelabel"] as const) {
      const ours = (look: RegionLook): boolean => (look.kind === "prelabel") === (kind === "prelabel");
      ctx.fillStyle = kind === "prelabel" ? "rgba(250, 250, 247, 0.9)" : "rgba(16, 18, 22, 0.9)";
      tags.forEach(({ at, look }, i) => {
        if (!ours(look)) return;
        ctx.globalAlpha = look.faded ? 0.45 : 1;
        ctx.fillRect(at.x, at.y, Math.ceil(fitted[i]!.width) + 13, TAG_HEIGHT);
      });
    }
    let color = "";
    for (const { at, look } of tags) {
      if (look.color !== color) ctx.fillStyle = color = look.color;
      ctx.globalAlpha = look.faded ? 0.45 : 1;
      // A proposal's bar is broken like its outline.
      if (look.kind === "prelabel") for (let i = 0; i < 3; i++) ctx.fillRect(at.x, at.y + 1 + i * 6, 3, 4);
      else ctx.fillRect(at.x, at.y, 4, TAG_HEIGHT);
    }
    let dark: boolean | null = null;
    tags.forEach(({ at, look }, i) => {
      const wants = look.kind === "prelabel";
      if (wants !== dark) ctx.fillStyle = (dark = wants) ? "#23262c" : "#ffffff";
      ctx.globalAlpha = look.faded ? 0.45 : 1;
      ctx.fillText(fitted[i]!.text, at.x + 8, at.y + TAG_HEIGHT / 2 + 0.5);
    });
    ctx.globalAlpha = 1;
  }
}

/** room: CSS pixels for the words; Infinity when nothing is near. */
export interface Tag { readonly at: { readonly x: number; readonly y: number }; readonly name: string; readonly room: number; readonly look: RegionLook }

/** Four white corners around the proposal that keep and drop are about. The context is in screen space. */
export function drawCorners(ctx: Ctx, bounds: Bounds, view: Viewport): void {
  const x0 = bounds.x0 * view.scale + view.x - 5, y0 = bounds.y0 * view.scale + view.y - 5;
  const x1 = bounds.x1 * view.scale + view.x + 5, y1 = bounds.y1 * view.scale + view.y + 5;
  const arm = Math.max(5, Math.min(16, (x1 - x0) / 3, (y1 - y0) / 3));
  ctx.beginPath();
  for (const [x, y, dx, dy] of [[x0, y0, 1, 1], [x1, y0, -1, 1], [x1, y1, -1, -1], [x0, y1, 1, -1]] as const) {
    ctx.moveTo(x + dx * arm, y);
    ctx.lineTo(x, y);
    ctx.lineTo(x, y + dy * arm);
  }
  ctx.lineJoin = "miter";
  ctx.strokeStyle = "rgba(8, 10, 14, 0.75)";
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 2.5;
  ctx.stroke();
}

/** The context is in screen space. */
export function drawGrip(ctx: Ctx, handle: Handle, view: Viewport, color: string, focused: boolean): void {
  const x = handle.x * view.scale + view.x, y = handle.y * view.scale + view.y;
  if (handle.kind === "middle") {
    ctx.beginPath();
    ctx.arc(x, y, 3, 0, 7);
    ctx.fillStyle = "rgba(255, 255, 255, 0.75)";
    ctx.fill();
    ctx.lineWidth = 1;
    ctx.strokeStyle = "rgba(0, 0, 0, 0.55)";
    ctx.stroke();
    return;
  }
  const r = focused ? 6 : handle.kind === "edge" ? 3.5 : 4.5;
  ctx.fillStyle = focused ? color : "#ffffff";
  ctx.strokeStyle = focused ? "#ffffff" : "rgba(0, 0, 0, 0.8)";
  ctx.lineWidth = focused ? 2 : 1.25;
  ctx.beginPath();
  ctx.rect(Math.round(x - r) + 0.5, Math.round(y - r) + 0.5, 2 * r, 2 * r);
  ctx.fill();
  ctx.stroke();
}
