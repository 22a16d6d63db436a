/** Where the picture lies in the pane: screen = image * scale + offset, in CSS pixels. Pure, no DOM. */

export interface Size { readonly width: number; readonly height: number }
export interface Point { readonly x: number; readonly y: number }
export interface Bounds { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number }
export interface Viewport { readonly scale: number; readonly x: number; readonly y: number }

export const MAX_SCALE = 64;
/** Above this an image pixel is a thing to look at, so it is drawn as a square, not smoothed. */
export const CRISP_SCALE = 4;
const MARGIN_PX = 12;
/** So much of the picture always stays in the pane: it can be pushed aside but not lost. */
const KEEP_PX = 48;

export const toScreen = (view: Viewport, p: Point): Point => ({ x: p.x * view.scale + view.x, y: p.y * view.scale + view.y });
export const toImage = (view: Viewport, p: Point): Point => ({ x: (p.x - view.x) / view.scale, y: (p.y - view.y) / view.scale });

export function fitScale(image: Size, pane: Size): number {
  const margin = Math.min(MARGIN_PX, pane.width / 10, pane.height / 10);
  const scale = Math.min((pane.width - 2 * margin) / image.width, (pane.height - 2 * margin) / image.height);
  return Math.min(MAX_SCALE, Math.max(scale, 1e-4));
}

export function centred(image: Size, pane: Size, scale: number): Viewport {
  return { scale, x: (pane.width - image.width * scale) / 2, y: (pane.height - image.height * scale) / 2 };
}

export function fit(image: Size, pane: Size): Viewport {
  return centred(image, pane, fitScale(image, pane));
}

export function clampScale(scale: number, image: Size, pane: Size): number {
  return Math.min(MAX_SCALE, Math.max(Math.min(fitScale(image, pane) / 2, 1), scale));
}

/** Keeps a strip of the picture inside the pane on every side. */
export function clampPan(view: Viewport, image: Size, pane: Size): Viewport {
  const keepX = Math.min(KEEP_PX, image.width * view.scale), keepY = Math.min(KEEP_PX, image.height * view.scale);
  const x = Math.min(pane.width - keepX, Math.max(keepX - image.width * view.scale, view.x));
  const y = Math.min(pane.height - keepY, Math.max(keepY - image.height * view.scale, view.y));
  return x === view.x && y === view.y ? view : { scale: view.scale, x, y };
}

/** Zooms by a factor; the image point under `at` (screen) stays under it. */
export function zoomAt(view: Viewport, at: Point, factor: number, image: Size, pane: Size): Viewport {
  const scale = clampScale(view.scale * factor, image, pane);
  const ratio = scale / view.scale;
  return clampPan({ scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio }, image, pane);
}

export function pan(view: Viewport, dx: number, dy: number, image: Size, pane: Size): Viewport {
  return clampPan({ scale: view.scale, x: view.x + dx, y: view.y + dy }, image, pane);
}

export function visible(view: Viewport, pane: Size): Bounds {
  const a = toImage(view, { x: 0, y: 0 }), b = toImage(view, { x: pane.width, y: pane.height });
  return { x0: a.x, y0: a.y, x1: b.x, y1: b.y };
}

/** Shows `bounds`: moves nothing when it is in full view and large enough to see, else centres it, zooming in at most to 40 %. */
export function reveal(view: Viewport, bounds: Bounds, image: Size, pane: Size): Viewport {
  const seen = visible(view, pane);
  const inside = bounds.x0 >= seen.x0 && bounds.y0 >= seen.y0 && bounds.x1 <= seen.x1 && bounds.y1 <= seen.y1;
  const longest = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0, 1e-6);
  if (inside && longest * view.scale >= 12) return view;
  const most = 0.4 * Math.min(pane.width / Math.max(bounds.x1 - bounds.x0, 1e-6), pane.height / Math.max(bounds.y1 - bounds.y0, 1e-6));
  const whole = 0.9 * Math.min(pane.width / Math.max(bounds.x1 - bounds.x0, 1e-6), pane.height / Math.max(bounds.y1 - bounds.y0, 1e-6));
  let scale = view.scale;
  if (longest * scale < 12) scale = Math.min(most, Math.max(scale, 60 / longest), 16);
  if (scale > whole) scale = whole;
  scale = clampScale(scale, image, pane);
  const cx = (bounds.x0 + bounds.x1) / 2, cy = (bounds.y0 + bounds.y1) / 2;
  return clampPan({ scale, x: pane.width / 2 - cx * scale, y: pane.height / 2 - cy * scale }, image, pane);
}
