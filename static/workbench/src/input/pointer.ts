/**
 * Turns pointer, pen, touch and wheel into tool inputs in image pixels, and into pan and zoom. Holds no document.
 *
 * Wheel zooms about the pointer, with shift it pans; middle button, right button and a held space bar pan; two fingers
 * pan and zoom and call off what one finger had begun.
 */

import type { ToolInput } from "../tools/tool.ts";
import type { Point } from "../view/viewport.ts";

/** What of a view this file needs: kept narrow so that it can be tried without a canvas. */
export interface PointerTarget {
  readonly surface: HTMLElement;
  toImage(clientX: number, clientY: number): Point;
  panBy(dx: number, dy: number): void;
  zoomBy(factor: number, at: Point): void;
}

export interface PointerHandlers {
  /** A plain drag pans: pan tool, held space bar, a view without tools. */
  pans(): boolean;
  input(input: Extract<ToolInput, { at: Point }>): void;
  /** The pointer rests over a point, or has left. */
  hover(at: Point | null): void;
  /** The gesture was taken away: back to the mark. */
  cancel(): void;
  press?(at: Point): void;
  release?(at: Point, moved: boolean): void;
}

const WHEEL_STEP = 0.0016;
const LINE_PX = 16;

export function attachPointer(target: PointerTarget, handlers: PointerHandlers): () => void {
  const { surface } = target;
  const stop = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(name: K, run: (event: HTMLElementEventMap[K]) => void, options: AddEventListenerOptions = {}): void =>
    surface.addEventListener(name, run, { ...options, signal: stop.signal });

  const touches = new Map<number, Point>();
  let mode: "none" | "tool" | "pan" | "pinch" = "none";
  let held = -1;
  let last: Point = { x: 0, y: 0 };
  let travelled = 0;
  let spread: { centre: Point; distance: number } | null = null;

  const local = (event: { clientX: number; clientY: number }): Point => {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const inputOf = (kind: "down" | "move" | "up" | "double", event: MouseEvent, coarse: boolean): Extract<ToolInput, { at: Point }> => ({
    kind, at: target.toImage(event.clientX, event.clientY), shift: event.shiftKey, alt: event.altKey, ctrl: event.ctrlKey || event.metaKey, coarse,
  });
  const measure = (): { centre: Point; distance: number } | null => {
    const [a, b] = [...touches.values()];
    return a && b ? { centre: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 } : null;
  };
  const end = (): void => {
    mode = "none";
    held = -1;
    surface.classList.remove("is-panning");
  };

  on("pointerdown", (event) => {
    surface.focus({ preventScroll: true });
    if (event.pointerType === "touch") touches.set(event.pointerId, local(event));
    if (touches.size === 2) {
      if (mode === "tool") handlers.cancel();
      mode = "pinch";
      spread = measure();
      return;
    }
    if (mode !== "none") return;
    surface.setPointerCapture(event.pointerId);
    held = event.pointerId;
    last = local(event);
    travelled = 0;
    if (event.button === 1 || event.button === 2 || handlers.pans()) {
      mode = "pan";
      surface.classList.add("is-panning");
      handlers.press?.(target.toImage(event.clientX, event.clientY));
      event.preventDefault();
    } else if (event.button === 0) {
      mode = "tool";
      handlers.input(inputOf("down", event, event.pointerType === "touch"));
    }
  });

  on("pointermove", (event) => {
    if (touches.has(event.pointerId)) touches.set(event.pointerId, local(event));
    if (mode === "pinch") {
      const now = measure();
      if (now && spread) {
        target.panBy(now.centre.x - spread.centre.x, now.centre.y - spread.centre.y);
        target.zoomBy(now.distance / spread.distance, now.centre);
        spread = now;
      }
      return;
    }
    if (mode === "none") {
      handlers.hover(target.toImage(event.clientX, event.clientY));
      return;
    }
    if (event.pointerId !== held) return;
    const at = local(event);
    if (mode === "pan") {
      target.panBy(at.x - last.x, at.y - last.y);
      travelled += Math.hypot(at.x - last.x, at.y - last.y);
      last = at;
      return;
    }
    // A quick hand is sampled more often than frames are drawn: a stroke wants every sample.
    const samples = event.getCoalescedEvents?.() ?? [];
    for (const sample of samples.length > 0 ? samples : [event]) handlers.input(inputOf("move", sample, event.pointerType === "touch"));
    handlers.hover(target.toImage(event.clientX, event.clientY));
  });

  on("pointerup", (event) => {
    touches.delete(event.pointerId);
    if (mode === "pinch") {
      if (touches.size === 0) end();
      spread = measure();
      return;
    }
    if (event.pointerId !== held) return;
    const was = mode;
    end();
    if (was === "tool") handlers.input(inputOf("up", event, event.pointerType === "touch"));
    else handlers.release?.(target.toImage(event.clientX, event.clientY), travelled > 3);
  });
  const lost = (event: PointerEvent): void => {
    touches.delete(event.pointerId);
    if (event.pointerId !== held) return;
    const was = mode;
    end();
    if (was === "tool") handlers.cancel();
  };
  on("pointercancel", lost);
  on("lostpointercapture", lost);
  on("pointerleave", () => {
    if (mode === "none") handlers.hover(null);
  });
  on("dblclick", (event) => handlers.input(inputOf("double", event, false)));
  on("contextmenu", (event) => event.preventDefault());
  on("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? surface.clientHeight : 1;
    const dx = event.deltaX * unit, dy = event.deltaY * unit;
    if (event.shiftKey) target.panBy(-(dx || dy), 0);
    // A pinch on a touch pad arrives as a wheel with ctrl, in small steps.
    else target.zoomBy(Math.exp(-Math.max(-400, Math.min(400, dy)) * WHEEL_STEP * (event.ctrlKey ? 6 : 1)), local(event));
  }, { passive: false });

  return () => stop.abort();
}
