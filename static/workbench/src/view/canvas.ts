/**
 * The picture with its regions: three canvases over each other, so that moving one object redraws one object.
 *
 * picture  the pixels; redrawn when the view moves
 * regions  everything that rests; kept between frames, mended by rectangles when single regions change; while the view
 *          moves over a heavy scene it is only shifted and scaled as a picture, and drawn afresh when the hand rests
 * active   what is selected, under edit or being drawn; redrawn each frame that asks for it
 *
 * Reads the document, never writes it. Shared by the picture bench, checking and arbitration.
 */

import type { Asset, MaskGeometry, Region } from "../document/types.ts";
import { attachPointer, type PointerHandlers } from "../input/pointer.ts";
import { shapeOf } from "../shapes/registry.ts";
import { gripsOf } from "../tools/select.ts";
import type { Draft } from "../tools/tool.ts";
import {
  detailFor, drawCorners, drawGrip, drawMask, drawRegions, tagPlace, TAG_HEIGHT, TAG_WIDTH, TagPainter, NEAR_SCALE, toImageSpace, wantsTag, type Ctx, type Detail, type Item, type RegionLook,
  type Tag,
} from "./draw.ts";
import { boundsOf, Scene, type Entry, type Layer } from "./scene.ts";
import { TileCache } from "./tint.ts";
import {
  centred, clampPan, CRISP_SCALE, fit, pan, reveal, toImage, visible, zoomAt, type Bounds, type Point, type Size, type Viewport,
} from "./viewport.ts";

export type { Layer, LayerStyle } from "./scene.ts";

export interface PartSource {
  get(digest: string): Uint8Array | undefined;
  load(digest: string): Promise<Uint8Array>;
}

export interface ViewOptions {
  colorOf?(label: string): string;
  nameOf?(label: string): string;
  readonly parts?: PartSource;
  /** Where the decoded picture comes from; without it the view asks for the asset's address itself. */
  load?(asset: Asset): Promise<ImageBitmap | HTMLImageElement>;
  /** Without handlers of the caller's own a drag pans. */
  readonly handlers?: PointerHandlers;
  /** Pixels of a mask did not arrive: drawn without them, and said. */
  onPartLost?(): void;
  /** For people who do not see the picture. */
  readonly description?: string;
}

/** What the bench wants on the active layer. */
export interface Overlay {
  readonly selection: ReadonlySet<string>;
  readonly draft: Draft;
  /** Draw grips on a single selected region. */
  readonly grips: boolean;
  /** Keyboard cross-hair, image pixels. */
  readonly crosshair: Point | null;
  /** Guide lines through the pointer, image pixels. */
  readonly guides: Point | null;
  /** A prelabel region looked at: "prelabel/region". */
  readonly candidate: string | null;
}

const NOTHING: Overlay = { selection: new Set(), draft: {}, grips: false, crosshair: null, guides: null, candidate: null };
/** A full redraw of regions dearer than this is not done at each frame of a pan: by our own time, or by their number,
 * since a canvas only notes down what is drawn and the pixels are made later, by somebody else's clock. */
const HEAVY_MS = 6;
const HEAVY_REGIONS = 60;
const REST_MS = 90;
const HIT_PX = 5;
/** From here on single pixels are told apart by a faint grid. */
const GRID_SCALE = 18;
/** Larger pictures get half-size copies for zoomed-out views: scaling them at each frame is what costs. */
const COPY_PIXELS = 3e6;

async function fromAddress(asset: Asset): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = asset.url;
  await image.decode();
  return image;
}

interface Stacked { readonly element: HTMLCanvasElement; readonly ctx: Ctx }

function stacked(host: HTMLElement, name: string): Stacked {
  const element = document.createElement("canvas");
  element.className = `view-canvas view-${name}`;
  host.append(element);
  return { element, ctx: element.getContext("2d")! };
}

export class PictureView {
  readonly asset: Asset;
  readonly size: Size;
  /** Takes pointer, wheel and focus. */
  readonly surface: HTMLCanvasElement;
  /** Settles when picture, regions and the pixels of masks have been drawn once; rejects when the picture cannot be shown. */
  readonly ready: Promise<void>;
  onClick: ((regionId: string | null) => void) | null = null;
  onView: ((view: Viewport) => void) | null = null;

  readonly #root: HTMLDivElement;
  readonly #options: ViewOptions;
  readonly #picture: Stacked;
  readonly #regions: Stacked;
  readonly #active: Stacked;
  readonly #scene: Scene;
  readonly #tiles = new TileCache();
  readonly #tags = new TagPainter();
  readonly #observer: ResizeObserver;
  readonly #detach: () => void;
  #copies: { readonly scale: number; readonly image: ImageBitmap }[] = [];
  #image: CanvasImageSource | null = null;
  #pane: Size = { width: 0, height: 0 };
  #dpr = 1;
  #view: Viewport = { scale: 1, x: 0, y: 0 };
  #drawnView: Viewport = this.#view;
  #fitted = true;
  #overlay: Overlay = NOTHING;
  #lifted = new Set<string>();
  #hidden = false;
  #detail: Detail = detailFor(0);
  #heavy = false;
  /** The active layer has nothing on it: clearing it again would cost a copy of the whole pane. */
  #blank = true;
  #dirtyPicture = true;
  #dirtyRegions: Bounds[] | "all" = "all";
  #dirtyActive = true;
  #frame = 0;
  #resting = 0;
  #wanted = new Set<string>();
  #lost = new Set<string>();
  #missing = false;
  #settle: { resolve(): void; reject(error: Error): void } | null = null;
  #gone = false;

  constructor(host: HTMLElement, asset: Asset, options: ViewOptions = {}) {
    this.asset = asset;
    this.#options = options;
    this.size = { width: asset.width ?? 1, height: asset.height ?? 1 };
    this.#root = document.createElement("div");
    this.#root.className = "view";
    host.append(this.#root);
    this.#picture = stacked(this.#root, "picture");
    this.#regions = stacked(this.#root, "regions");
    this.#active = stacked(this.#root, "active");
    this.surface = this.#active.element;
    this.surface.tabIndex = 0;
    this.surface.setAttribute("role", "application");
    this.surface.setAttribute("aria-label", options.description ?? asset.name);
    this.#scene = new Scene(asset.id);
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ready.catch(() => undefined);
    this.#detach = attachPointer(this, options.handlers ?? this.#ownHandlers());
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.#root);
    this.#resize();
    void this.#load();
  }

  // ---- what it shows

  setLayers(layers: readonly Layer[]): void {
    const dirty = this.#scene.setLayers(layers);
    if (dirty === "all") this.#dirtyRegions = "all";
    else for (const bounds of dirty) this.#mend(bounds);
    this.#dirtyActive = true;
    this.#schedule();
  }

  setOverlay(overlay: Overlay): void {
    const lifted = new Set<string>();
    for (const id of overlay.selection) lifted.add(id);
    for (const region of overlay.draft.regions ?? []) if (region.id) lifted.add(region.id);
    if (overlay.draft.tilesOf?.id) lifted.add(overlay.draft.tilesOf.id);
    if (overlay.candidate) lifted.add(overlay.candidate);
    for (const id of new Set([...lifted, ...this.#lifted])) {
      if (lifted.has(id) === this.#lifted.has(id)) continue;
      const entry = this.#entryOf(id);
      if (entry) this.#mend(boundsOf(entry));
    }
    if (!overlay.draft.tiles) this.#tiles.endDraft();
    this.#lifted = lifted;
    this.#overlay = overlay;
    this.#dirtyActive = true;
    this.#schedule();
  }

  setHidden(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    this.redraw();
  }

  /** Colours, names or the theme changed. */
  redraw(): void {
    this.#tags.forget();
    this.#dirtyPicture = this.#dirtyActive = true;
    this.#dirtyRegions = "all";
    this.#schedule();
  }

  // ---- where it looks

  get view(): Viewport {
    return this.#view;
  }

  get pane(): Size {
    return this.#pane;
  }

  setView(view: Viewport): void {
    this.#fitted = false;
    this.#move(view);
  }

  fit(): void {
    this.#fitted = true;
    this.#move(fit(this.size, this.#pane));
  }

  oneToOne(): void {
    const centre = toImage(this.#view, { x: this.#pane.width / 2, y: this.#pane.height / 2 });
    const view = centred(this.size, this.#pane, 1);
    this.setView(clampPan(this.size.width <= this.#pane.width && this.size.height <= this.#pane.height ? view
      : { scale: 1, x: this.#pane.width / 2 - centre.x, y: this.#pane.height / 2 - centre.y }, this.size, this.#pane));
  }

  zoomBy(factor: number, at: Point = { x: this.#pane.width / 2, y: this.#pane.height / 2 }): void {
    this.setView(zoomAt(this.#view, at, factor, this.size, this.#pane));
  }

  panBy(dx: number, dy: number): void {
    this.setView(pan(this.#view, dx, dy, this.size, this.#pane));
  }

  focus(regionId: string): void {
    const entry = this.#entryOf(regionId);
    if (entry) this.reveal(boundsOf(entry));
  }

  reveal(bounds: Bounds): void {
    const view = reveal(this.#view, bounds, this.size, this.#pane);
    if (view !== this.#view) this.setView(view);
  }

  // ---- what lies where

  /** Image pixels; the pointer's slop is meant on the screen. */
  hits(at: Point, coarse = false): { readonly region: Region; readonly layer: Layer; readonly on: "edge" | "inside" }[] {
    if (this.#hidden) return [];
    return this.#scene.hits(at, (coarse ? 3 : 1) * HIT_PX / this.#view.scale, this.#pixels)
      .map(({ entry, on }) => ({ region: entry.region, layer: this.#scene.layers[entry.layer]!, on }));
  }

  /** Ids of a person's regions that lie wholly inside. */
  within(bounds: Bounds): string[] {
    return this.#scene.search(bounds).filter((entry) => this.#scene.layers[entry.layer]?.style.kind === "person"
      && entry.minX >= bounds.x0 && entry.minY >= bounds.y0 && entry.maxX <= bounds.x1 && entry.maxY <= bounds.y1).map((entry) => entry.region.id);
  }

  toImage(clientX: number, clientY: number): Point {
    const box = this.#root.getBoundingClientRect();
    return toImage(this.#view, { x: clientX - box.left, y: clientY - box.top });
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#gone) return;
    this.#gone = true;
    cancelAnimationFrame(this.#frame);
    window.clearTimeout(this.#resting);
    this.#observer.disconnect();
    this.#detach();
    for (const { image } of this.#copies) image.close();
    this.#root.remove();
  }

  // ---- inside

  #pixels = (digest: string): Uint8Array | undefined => {
    const tile = this.#options.parts?.get(digest);
    if (!tile && this.#options.parts && !this.#wanted.has(digest)) {
      // One that failed stays wanted: it is not asked for again at each frame, only by a new view.
      this.#wanted.add(digest);
      this.#options.parts.load(digest).then(() => {
        this.#wanted.delete(digest);
        if (!this.#gone) this.redraw();
      }, () => {
        this.#lost.add(digest);
        if (this.#gone) return;
        this.redraw();
        this.#options.onPartLost?.();
      });
    }
    return tile;
  };

  /** A region id, or "prelabel/region" for a layer with that name. */
  #entryOf(id: string): Entry | undefined {
    const slash = id.indexOf("/");
    if (slash < 0) return this.#scene.entry(id);
    const layer = this.#scene.layers.findIndex(({ style }) => style.name === id.slice(0, slash));
    return layer < 0 ? undefined : this.#scene.entry(id.slice(slash + 1), layer);
  }

  #idOf(entry: Entry): string {
    const style = this.#scene.layers[entry.layer]!.style;
    return style.kind === "prelabel" && style.name ? `${style.name}/${entry.region.id}` : entry.region.id;
  }

  #look(entry: Entry, strong = false): RegionLook {
    const { style } = this.#scene.layers[entry.layer]!;
    const color = style.color ?? this.#options.colorOf?.(entry.region.label) ?? "#4b9cff";
    return { color, kind: style.kind, strong, faded: style.loud !== undefined && !style.loud.has(entry.region.id) };
  }

  #nameOf(entry: Entry): string | null {
    const { style } = this.#scene.layers[entry.layer]!;
    if (style.names === false) return null;
    const name = this.#options.nameOf?.(entry.region.label) ?? entry.region.label;
    return style.tag ? `${style.tag} · ${name}` : name;
  }

  async #load(): Promise<void> {
    let image: ImageBitmap | HTMLImageElement;
    try {
      image = await (this.#options.load ?? fromAddress)(this.asset);
    } catch {
      this.#settle?.reject(new Error("picture_unreadable"));
      return;
    }
    if (this.#gone) return;
    this.#image = image;
    this.#dirtyPicture = true;
    this.#schedule();
    if (image.width * image.height > COPY_PIXELS) {
      await this.ready.catch(() => undefined);
      for (let scale = 0.5; image.width * scale > 900 && !this.#gone; scale /= 2) {
        const copy = await createImageBitmap(image, {
          resizeWidth: Math.round(image.width * scale), resizeHeight: Math.round(image.height * scale), resizeQuality: "medium",
        }).catch(() => null);
        if (!copy) break;
        if (this.#gone) copy.close();
        else this.#copies.push({ scale, image: copy });
      }
    }
  }

  #resize(): void {
    const width = this.#root.clientWidth, height = this.#root.clientHeight, dpr = window.devicePixelRatio || 1;
    if (width === 0 || height === 0 || (width === this.#pane.width && height === this.#pane.height && dpr === this.#dpr)) return;
    const first = this.#pane.width === 0;
    const centre = toImage(this.#view, { x: this.#pane.width / 2, y: this.#pane.height / 2 });
    this.#pane = { width, height };
    this.#dpr = dpr;
    for (const { element } of [this.#picture, this.#regions, this.#active]) {
      element.width = Math.round(width * dpr);
      element.height = Math.round(height * dpr);
      element.style.width = `${width}px`;
      element.style.height = `${height}px`;
    }
    this.#blank = false;
    this.#tags.font = `500 12px ${getComputedStyle(this.#root).fontFamily || "sans-serif"}`;
    if (first || this.#fitted) this.#view = fit(this.size, this.#pane);
    else this.#view = clampPan({ scale: this.#view.scale, x: width / 2 - centre.x * this.#view.scale, y: height / 2 - centre.y * this.#view.scale }, this.size, this.#pane);
    this.onView?.(this.#view);
    this.redraw();
    // A resized canvas is empty: drawing in the same frame keeps it from flashing.
    if (!first) this.#draw();
  }

  #move(view: Viewport): void {
    if (view === this.#view) return;
    this.#view = view;
    this.#dirtyPicture = this.#dirtyActive = true;
    window.clearTimeout(this.#resting);
    this.#resting = window.setTimeout(() => {
      this.#resting = 0;
      this.#dirtyRegions = "all";
      this.#dirtyPicture = true;
      this.#schedule();
    }, REST_MS);
    if (!this.#heavy) this.#dirtyRegions = "all";
    this.onView?.(view);
    this.#schedule();
  }

  #mend(bounds: Bounds): void {
    if (this.#dirtyRegions === "all") return;
    this.#dirtyRegions.push(bounds);
    if (this.#dirtyRegions.length > 24) this.#dirtyRegions = "all";
    this.#schedule();
  }

  #schedule(): void {
    if (this.#frame !== 0 || this.#gone) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#gone || this.#pane.width === 0) return;
    if ((window.devicePixelRatio || 1) !== this.#dpr) this.#resize();
    if (this.#dirtyPicture) this.#drawPicture();
    if (this.#resting !== 0 && this.#heavy) this.#shiftRegions();
    else if (this.#dirtyRegions === "all") this.#drawAllRegions();
    else if (this.#dirtyRegions.length > 0) this.#mendRegions(this.#dirtyRegions);
    if (this.#dirtyActive) this.#drawActive();
    if (this.#settle && this.#image && !this.#missing) {
      const { resolve } = this.#settle;
      this.#settle = null;
      // A task after this frame's: what was drawn has been handed to the compositor.
      window.setTimeout(resolve, 0);
    }
  }

  #drawPicture(): void {
    const { element, ctx } = this.#picture;
    this.#dirtyPicture = false;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, element.width, element.height);
    if (!this.#image) return;
    const { scale } = this.#view;
    let image: CanvasImageSource = this.#image;
    for (const copy of this.#copies) if (copy.scale >= scale * this.#dpr) image = copy.image;
    toImageSpace(ctx, this.#view, this.#dpr);
    ctx.imageSmoothingEnabled = scale < CRISP_SCALE;
    ctx.imageSmoothingQuality = this.#resting !== 0 ? "low" : "medium";
    ctx.drawImage(image, 0, 0, this.size.width, this.size.height);
    if (scale >= GRID_SCALE) this.#drawGrid(ctx);
  }

  #drawGrid(ctx: Ctx): void {
    const seen = visible(this.#view, this.#pane);
    const x0 = Math.max(0, Math.floor(seen.x0)), x1 = Math.min(this.size.width, Math.ceil(seen.x1));
    const y0 = Math.max(0, Math.floor(seen.y0)), y1 = Math.min(this.size.height, Math.ceil(seen.y1));
    ctx.beginPath();
    for (let x = x0; x <= x1; x++) {
      ctx.moveTo(x, y0);
      ctx.lineTo(x, y1);
    }
    for (let y = y0; y <= y1; y++) {
      ctx.moveTo(x0, y);
      ctx.lineTo(x1, y);
    }
    ctx.lineWidth = 1 / (this.#view.scale * this.#dpr);
    ctx.strokeStyle = "rgba(128, 128, 128, 0.45)";
    ctx.stroke();
  }

  /** While the hand moves: the last drawing of the regions, shifted and scaled by the compositor. */
  #shiftRegions(): void {
    const ratio = this.#view.scale / this.#drawnView.scale;
    this.#regions.element.style.transform = `translate(${this.#view.x - this.#drawnView.x * ratio}px, ${this.#view.y - this.#drawnView.y * ratio}px) scale(${ratio})`;
  }

  #drawAllRegions(): void {
    const { element, ctx } = this.#regions;
    const started = performance.now();
    this.#dirtyRegions = [];
    this.#missing = false;
    this.#drawnView = this.#view;
    element.style.transform = "";
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, element.width, element.height);
    if (this.#hidden) return;
    const entries = this.#scene.search(this.#wider(visible(this.#view, this.#pane)));
    this.#detail = detailFor(entries.length);
    this.#drawEntries(ctx, entries);
    this.#heavy = entries.length > HEAVY_REGIONS || performance.now() - started > HEAVY_MS;
  }

  #mendRegions(dirty: readonly Bounds[]): void {
    const { ctx } = this.#regions;
    this.#dirtyRegions = [];
    if (this.#hidden) return;
    const px = 1 / this.#view.scale;
    for (const bounds of dirty) {
      const a = { x: Math.floor(bounds.x0 * this.#view.scale + this.#view.x) - 5, y: Math.floor(bounds.y0 * this.#view.scale + this.#view.y) - TAG_HEIGHT - 5 };
      const b = { x: Math.ceil(bounds.x1 * this.#view.scale + this.#view.x) + 5, y: Math.ceil(bounds.y1 * this.#view.scale + this.#view.y) + TAG_HEIGHT + 5 };
      b.x = Math.max(b.x, Math.max(a.x, 0)) + TAG_WIDTH + 8;
      // Names near the right border have been pushed back in.
      if (b.x > this.#pane.width) a.x = Math.min(a.x, this.#pane.width - TAG_WIDTH - 8);
      ctx.save();
      ctx.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
      ctx.beginPath();
      ctx.rect(a.x, a.y, b.x - a.x, b.y - a.y);
      ctx.clip();
      ctx.clearRect(a.x, a.y, b.x - a.x, b.y - a.y);
      const from = toImage(this.#view, a), to = toImage(this.#view, b);
      this.#drawEntries(ctx, this.#scene.search(this.#wider({ x0: from.x - 5 * px, y0: from.y - 5 * px, x1: to.x + 5 * px, y1: to.y + 5 * px })));
      ctx.restore();
    }
  }

  /** Names hang to the right of and above their region: what reaches into a rectangle may begin outside it. */
  #wider(bounds: Bounds): Bounds {
    const px = 1 / this.#view.scale;
    return { x0: bounds.x0 - TAG_WIDTH * px, y0: bounds.y0 - TAG_HEIGHT * px, x1: bounds.x1 + TAG_WIDTH * px, y1: bounds.y1 + (TAG_HEIGHT + 2) * px };
  }

  #drawEntries(ctx: Ctx, entries: readonly Entry[]): void {
    const { scale } = this.#view;
    const clip = visible(this.#view, this.#pane);
    const resting = entries.filter((entry) => !this.#lifted.has(this.#idOf(entry)));
    const items = resting.map((entry): Item => ({ entry, look: this.#look(entry) }));
    toImageSpace(ctx, this.#view, this.#dpr);
    this.#drawItems(ctx, items, scale, clip, this.#detail);
    if (this.#detail.names === "none") return;
    ctx.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
    this.#tags.draw(ctx, items.filter(({ entry }) => wantsTag(entry, this.#detail, scale)).map(({ entry, look }) => this.#tagOf(entry, look, this.#detail)).filter((tag) => tag !== null), this.#pane.width);
  }

  /** Masks lie under outlines. */
  #drawItems(ctx: Ctx, items: readonly Item[], scale: number, clip: Bounds, detail: Detail, skip?: { readonly id: string | null; readonly tiles: ReadonlyMap<string, unknown> }): void {
    for (const { entry, look } of items) {
      if (entry.region.shape !== "mask") continue;
      if (!drawMask(ctx, entry.region, look, this.#tiles, this.#pixels, scale, clip, skip?.id === entry.region.id ? skip.tiles : undefined)) {
        this.#missing ||= Object.values((entry.region.geometry as MaskGeometry).tiles).some((digest) => !this.#lost.has(digest) && !this.#options.parts?.get(digest));
      }
    }
    drawRegions(ctx, items.filter(({ entry }) => entry.points > 0), scale, detail);
  }

  #tagOf(entry: Entry, look: RegionLook, detail: Detail): Tag | null {
    const seen = visible(this.#view, this.#pane);
    if (entry.maxX < seen.x0 || entry.minX > seen.x1 || entry.maxY < seen.y0 || entry.minY > seen.y1) return null;
    const name = entry.layer >= 0 ? this.#nameOf(entry) : this.#options.nameOf?.(entry.region.label) ?? entry.region.label;
    // In a crowd a name is no wider than its region, in steps so that few texts are measured.
    const room = detail.names === "large" ? Math.max(40, Math.floor(((entry.maxX - entry.minX) * this.#view.scale - 12) / 8) * 8) : Infinity;
    return name === null ? null : { at: tagPlace(this.#tagAnchor(entry), this.#view), name, look, room };
  }

  /** A mask is bounded by its tiles: its name goes to its first pixel, where those are here. */
  #tagAnchor(entry: Entry): { minX: number; minY: number; maxX: number } {
    if (entry.region.shape !== "mask") return entry;
    const known = this.#anchors.get(entry.region);
    if (known) return known;
    let found: { minX: number; minY: number; maxX: number } | null = null;
    for (const [key, digest] of Object.entries((entry.region.geometry as MaskGeometry).tiles)) {
      const tile = this.#options.parts?.get(digest);
      if (!tile) return entry;
      const first = tile.indexOf(1);
      if (first < 0) continue;
      const [tx, ty] = key.split(",").map(Number) as [number, number];
      const x = tx * 256 + (first & 255), y = ty * 256 + (first >> 8);
      if (!found || y < found.minY) found = { minX: x, minY: y, maxX: x + 256 };
    }
    if (found) this.#anchors.set(entry.region, found);
    return found ?? entry;
  }
  #anchors = new WeakMap<Region, { minX: number; minY: number; maxX: number }>();

  #drawActive(): void {
    const { element, ctx } = this.#active;
    this.#dirtyActive = false;
    const { selection, draft, grips, crosshair, guides, candidate } = this.#overlay;
    const blank = this.#lifted.size === 0 && Object.keys(draft).length === 0 && !crosshair && !guides;
    if (blank && this.#blank) return;
    this.#blank = blank;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, element.width, element.height);
    if (blank) return;
    const { scale } = this.#view;
    const clip = visible(this.#view, this.#pane);
    const detail: Detail = { halo: true, fill: true, names: selection.size > 40 ? "large" : "all" };
    const drafted = new Map((draft.regions ?? []).map((region) => [region.id, region]));
    const shown: { entry: Entry; look: RegionLook }[] = [];
    const lift = (region: Region, entry: Entry | undefined, strong: boolean): void => {
      const made = entry?.region === region ? entry : this.#loose(region);
      if (!made) return;
      const base = entry ? this.#look(entry, strong) : { color: this.#options.colorOf?.(region.label) ?? "#4b9cff", kind: "person" as const, strong, faded: false };
      shown.push({ entry: made, look: { ...base, faded: false } });
    };
    for (const id of this.#lifted) {
      const entry = this.#entryOf(id);
      const region = drafted.get(id) ?? entry?.region;
      if (region) lift(region, entry, true);
    }
    for (const region of draft.regions ?? []) if (!this.#lifted.has(region.id)) lift(region, undefined, true);
    if (this.#hidden && shown.length > 0 && !draft.regions && !draft.tiles) shown.length = 0;

    toImageSpace(ctx, this.#view, this.#dpr);
    this.#drawItems(ctx, shown, scale, clip, detail, draft.tiles && draft.tilesOf ? { id: draft.tilesOf.id, tiles: draft.tiles } : undefined);
    if (draft.tiles && draft.tilesOf) {
      const color = this.#options.colorOf?.(draft.tilesOf.label) ?? "#4b9cff";
      ctx.imageSmoothingEnabled = scale < 1;
      for (const [key, tile] of draft.tiles) {
        const [tx, ty] = key.split(",").map(Number) as [number, number];
        ctx.drawImage(this.#tiles.draft(key, tile, draft.turns?.get(key) ?? 0, color, scale >= NEAR_SCALE), tx * 256, ty * 256);
      }
    }

    ctx.setTransform(this.#dpr, 0, 0, this.#dpr, 0, 0);
    if (guides) this.#drawGuides(ctx, guides);
    this.#tags.draw(ctx, shown.filter(({ entry }) => entry.region.id !== "" && wantsTag(entry, detail, scale)).map(({ entry, look }) => this.#tagOf(entry, look, detail)).filter((tag) => tag !== null), this.#pane.width);
    if (grips && selection.size === 1) {
      const [id] = selection;
      const entry = this.#entryOf(id!);
      const region = drafted.get(id!) ?? entry?.region;
      if (entry && region && !draft.tiles) {
        const { color } = this.#look(entry);
        const focused = draft.handle?.region === id ? draft.handle?.id : undefined;
        for (const handle of gripsOf(region, scale)) drawGrip(ctx, handle, this.#view, color, handle.id === focused);
      }
    }
    const looked = candidate && !this.#hidden ? this.#entryOf(candidate) : undefined;
    if (looked) drawCorners(ctx, boundsOf(looked), this.#view);
    if (draft.line) this.#drawLine(ctx, draft.line);
    if (draft.marquee) this.#drawMarquee(ctx, draft.marquee);
    if (draft.tip) this.#drawTip(ctx, draft.tip.at, draft.tip.diameter_px);
    if (crosshair) this.#drawCrosshair(ctx, crosshair);
  }

  /** A region that is not in the scene: as it would be. */
  #loose(region: Region): Entry | null {
    const shape = shapeOf(region);
    const bounds = shape?.bounds(region.geometry);
    if (!shape || !bounds) return null;
    return {
      minX: bounds.x0, minY: bounds.y0, maxX: bounds.x1, maxY: bounds.y1, layer: -1, order: 0, region, shape,
      points: shape.rings(region.geometry).reduce((sum, ring) => sum + ring.length, 0), path: null, coarse: null,
    };
  }

  #screen(p: Point): Point {
    return { x: p.x * this.#view.scale + this.#view.x, y: p.y * this.#view.scale + this.#view.y };
  }

  #drawGuides(ctx: Ctx, at: Point): void {
    const { x, y } = this.#screen(at);
    ctx.beginPath();
    ctx.moveTo(0, Math.round(y) + 0.5);
    ctx.lineTo(this.#pane.width, Math.round(y) + 0.5);
    ctx.moveTo(Math.round(x) + 0.5, 0);
    ctx.lineTo(Math.round(x) + 0.5, this.#pane.height);
    ctx.lineWidth = 1;
    ctx.strokeStyle = "rgba(0, 0, 0, 0.35)";
    ctx.stroke();
    ctx.setLineDash([4, 4]);
    ctx.strokeStyle = "rgba(255, 255, 255, 0.8)";
    ctx.stroke();
    ctx.setLineDash([]);
  }

  #drawLine(ctx: Ctx, line: NonNullable<Draft["line"]>): void {
    const color = this.#options.colorOf?.(line.label) ?? "#4b9cff";
    const points = line.points.map(([x, y]) => this.#screen({ x, y }));
    if (points.length === 0) return;
    ctx.beginPath();
    points.forEach((p, index) => (index === 0 ? ctx.moveTo(p.x, p.y) : ctx.lineTo(p.x, p.y)));
    if (points.length > 2) {
      ctx.save();
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = color;
      ctx.fill("evenodd");
      ctx.restore();
    }
    ctx.lineJoin = "round";
    ctx.strokeStyle = "rgba(8, 10, 14, 0.6)";
    ctx.lineWidth = 4;
    ctx.stroke();
    ctx.strokeStyle = color;
    ctx.lineWidth = 2;
    ctx.stroke();
    points.slice(0, -1).forEach((p, index) => {
      const first = index === 0;
      ctx.beginPath();
      ctx.arc(p.x, p.y, first && line.closes ? 7 : 4, 0, 7);
      ctx.fillStyle = first ? color : "#ffffff";
      ctx.fill();
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = first ? "#ffffff" : "rgba(0, 0, 0, 0.8)";
      ctx.stroke();
    });
  }

  #drawMarquee(ctx: Ctx, bounds: Bounds): void {
    const a = this.#screen({ x: bounds.x0, y: bounds.y0 }), b = this.#screen({ x: bounds.x1, y: bounds.y1 });
    ctx.fillStyle = "rgba(255, 255, 255, 0.12)";
    ctx.fillRect(a.x, a.y, b.x - a.x, b.y - a.y);
    ctx.lineWidth = 1;
    ctx.strokeStyle = "rgba(0, 0, 0, 0.7)";
    ctx.strokeRect(Math.round(a.x) + 0.5, Math.round(a.y) + 0.5, Math.round(b.x - a.x), Math.round(b.y - a.y));
    ctx.setLineDash([4, 4]);
    ctx.strokeStyle = "#ffffff";
    ctx.strokeRect(Math.round(a.x) + 0.5, Math.round(a.y) + 0.5, Math.round(b.x - a.x), Math.round(b.y - a.y));
    ctx.setLineDash([]);
  }

  #drawTip(ctx: Ctx, at: Point, diameter_px: number): void {
    const { scale } = this.#view;
    const odd = Math.round(diameter_px) % 2 === 1;
    const centre = this.#screen(odd ? { x: Math.floor(at.x) + 0.5, y: Math.floor(at.y) + 0.5 } : { x: Math.round(at.x), y: Math.round(at.y) });
    const r = (diameter_px * scale) / 2;
    ctx.beginPath();
    if (diameter_px <= 2) ctx.rect(centre.x - r, centre.y - r, 2 * r, 2 * r);
    else ctx.arc(centre.x, centre.y, r, 0, 7);
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = "rgba(0, 0, 0, 0.7)";
    ctx.stroke();
    ctx.lineWidth = 1.25;
    ctx.strokeStyle = "#ffffff";
    ctx.stroke();
    if (r < 4) {
      // A tip of a pixel or two cannot be seen at this scale: point at it.
      ctx.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
        ctx.moveTo(centre.x + dx * 6, centre.y + dy * 6);
        ctx.lineTo(centre.x + dx * 13, centre.y + dy * 13);
      }
      ctx.lineWidth = 3;
      ctx.strokeStyle = "rgba(0, 0, 0, 0.7)";
      ctx.stroke();
      ctx.lineWidth = 1.25;
      ctx.strokeStyle = "#ffffff";
      ctx.stroke();
    }
  }

  #drawCrosshair(ctx: Ctx, at: Point): void {
    const { x, y } = this.#screen(at);
    ctx.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      ctx.moveTo(x + dx * 3, y + dy * 3);
      ctx.lineTo(x + dx * 18, y + dy * 18);
    }
    ctx.lineWidth = 4;
    ctx.strokeStyle = "rgba(0, 0, 0, 0.75)";
    ctx.stroke();
    ctx.lineWidth = 2;
    ctx.strokeStyle = "#ffffff";
    ctx.stroke();
  }

  #ownHandlers(): PointerHandlers {
    let start: Point | null = null;
    return {
      pans: () => true,
      input: () => undefined,
      hover: () => undefined,
      cancel: () => {
        start = null;
      },
      press: (at) => {
        start = at;
      },
      release: (at, moved) => {
        if (start && !moved) this.onClick?.(this.hits(at)[0]?.region.id ?? null);
        start = null;
      },
    };
  }
}
