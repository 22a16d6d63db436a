/** Colours mask tiles: 0/1 pixels become a small canvas in the label's colour, kept while it is likely to be drawn again. */

import { TILE_PIXELS, TILE_PX } from "../core/runs.ts";

export type Look = "person" | "selected" | "prelabel" | "quiet";
/** 256 kB each: at most 64 MB. */
const KEPT = 256;

const ALPHA: { readonly [look in Look]: readonly [inside: number, edge: number] } = {
  person: [92, 235], selected: [120, 255], prelabel: [60, 150], quiet: [36, 90],
};
/** Close up a pixel of the edge is a large square: it must let the picture through. */
const NEAR_EDGE = 150;

export function rgb(color: string): readonly [number, number, number] {
  const value = Number.parseInt(color.slice(1, 7), 16);
  return Number.isFinite(value) ? [(value >> 16) & 255, (value >> 8) & 255, value & 255] : [128, 128, 128];
}

/** Pixels of one tile as RGBA. A prelabel is hatched, so that it never looks painted; tile borders count as inside. */
export function tint(tile: Uint8Array, color: string, look: Look, near: boolean, out: Uint8ClampedArray): void {
  const [r, g, b] = rgb(color);
  const [inside, far] = ALPHA[look];
  const edge = near ? Math.min(far, NEAR_EDGE) : far;
  const last = TILE_PX - 1;
  for (let y = 0, i = 0; y < TILE_PX; y++) {
    for (let x = 0; x < TILE_PX; x++, i++) {
      const o = i * 4;
      if (!tile[i]) {
        out[o + 3] = 0;
        continue;
      }
      const border = (x > 0 && !tile[i - 1]) || (x < last && !tile[i + 1]) || (y > 0 && !tile[i - TILE_PX]) || (y < last && !tile[i + TILE_PX]);
      out[o] = r;
      out[o + 1] = g;
      out[o + 2] = b;
      out[o + 3] = border ? edge : look === "prelabel" && ((x + y) & 7) > 2 ? 18 : inside;
    }
  }
}

function canvas(): { element: OffscreenCanvas; context: OffscreenCanvasRenderingContext2D; data: ImageData } {
  const element = new OffscreenCanvas(TILE_PX, TILE_PX);
  const context = element.getContext("2d")!;
  return { element, context, data: context.createImageData(TILE_PX, TILE_PX) };
}

export class TileCache {
  #kept = new Map<string, OffscreenCanvas>();
  #drafts = new Map<string, { tile: Uint8Array; turn: number; color: string; near: boolean; made: ReturnType<typeof canvas> }>();

  /** A stored tile, found by its digest: the pixels never change. */
  stored(digest: string, color: string, look: Look, near: boolean, pixels: () => Uint8Array | undefined): OffscreenCanvas | null {
    const key = `${digest}${color}${look}${near ? 1 : 0}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const tile = pixels();
    if (!tile || tile.length !== TILE_PIXELS) return null;
    const { element, context, data } = canvas();
    tint(tile, color, look, near, data.data);
    context.putImageData(data, 0, 0);
    this.#kept.set(key, element);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return element;
  }

  /** A tile under the brush: coloured again only when the stroke touched it since (`turn`). */
  draft(key: string, tile: Uint8Array, turn: number, color: string, near: boolean): OffscreenCanvas {
    let entry = this.#drafts.get(key);
    if (!entry || entry.tile !== tile || entry.turn !== turn || entry.color !== color || entry.near !== near) {
      const made = entry?.made ?? canvas();
      tint(tile, color, "selected", near, made.data.data);
      made.context.putImageData(made.data, 0, 0);
      entry = { tile, turn, color, near, made };
      this.#drafts.set(key, entry);
    }
    return entry.made.element;
  }

  endDraft(): void {
    this.#drafts.clear();
  }
}
