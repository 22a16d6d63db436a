/**
 * Select, move, resize, edit vertices, marquee. States: rest (with the vertex that has the focus, if any), pressed,
 * moving, handle, marquee. A press becomes a drag only after a few pixels, so a click never nudges what it selects.
 */

import { t } from "../core/i18n.ts";
import type { Change, Geometry, Region } from "../document/types.ts";
import { shapeOf } from "../shapes/registry.ts";
import { clampMove, clampPoint, type Handle } from "../shapes/shape.ts";
import type { Bounds, Point } from "../view/viewport.ts";
import { setGeometry } from "./edits.ts";
import type { Draft, Step, Tool, ToolContext, ToolInput } from "./tool.ts";

type State =
  | { readonly at: "rest"; readonly region: string | null; readonly vertex: string | null }
  | { readonly at: "pressed"; readonly start: Point; readonly on: string | null; readonly additive: boolean; readonly wasSelected: boolean; readonly cycle: readonly string[] }
  | { readonly at: "moving"; readonly start: Point; readonly to: Point; readonly ids: readonly string[] }
  | { readonly at: "handle"; readonly region: string; readonly handle: string; readonly start: Point; readonly geometry: Geometry; readonly moved: boolean; readonly drop: boolean }
  | { readonly at: "marquee"; readonly start: Point; readonly to: Point; readonly additive: boolean };
type S = Step<State>;

const REST: State = { at: "rest", region: null, vertex: null };
const DRAG_PX = 3;
const GRIP_PX = 7;
const COARSE_GRIP_PX = 16;
/** On things smaller than this on the screen the grips of the edges would cover each other. */
const SMALL_PX = 28;

/** The grips shown on a region at a scale. */
export function gripsOf(region: Region, scale: number): readonly Handle[] {
  const shape = shapeOf(region);
  const bounds = shape?.bounds(region.geometry);
  if (!shape || !bounds) return [];
  const small = Math.min(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0) * scale < SMALL_PX;
  const handles = shape.handles(region.geometry);
  if (handles.length > 400) return handles.filter((handle) => handle.kind !== "middle");
  return small ? handles.filter((handle) => handle.kind !== "edge" && handle.kind !== "middle") : handles;
}

export function gripAt(context: ToolContext, at: Point, coarse = false): { region: Region; handle: Handle } | null {
  if (context.selection.size !== 1) return null;
  const [id] = context.selection;
  const region = context.document.regions[id!];
  if (!region || (region.asset !== null && region.asset !== context.asset)) return null;
  const reach = (coarse ? COARSE_GRIP_PX : GRIP_PX) / context.scale;
  let best: Handle | null = null, nearest = reach;
  for (const handle of gripsOf(region, context.scale)) {
    // A real vertex is preferred to the middle beside it.
    const distance = Math.hypot(handle.x - at.x, handle.y - at.y) + (handle.kind === "middle" ? reach * 0.3 : 0);
    if (distance <= nearest) [best, nearest] = [handle, distance];
  }
  return best ? { region, handle: best } : null;
}

function here(context: ToolContext, ids: Iterable<string>): Region[] {
  return [...ids].map((id) => context.document.regions[id]).filter((region): region is Region =>
    region !== undefined && (region.asset === null || region.asset === context.asset));
}

/** The selected regions moved together as far as the picture allows. */
function movedBy(context: ToolContext, ids: readonly string[], dx: number, dy: number): { region: Region; geometry: Geometry }[] {
  const movable = here(context, ids).map((region) => ({ region, bounds: shapeOf(region)?.bounds(region.geometry) ?? null }));
  for (const { bounds } of movable) if (bounds) ({ dx, dy } = clampMove(bounds, dx, dy, context.size));
  const moved: { region: Region; geometry: Geometry }[] = [];
  for (const { region } of movable) {
    const geometry = shapeOf(region)?.move(region.geometry, dx, dy);
    if (geometry) moved.push({ region, geometry });
  }
  return moved;
}

/** Arrow keys on the selection: move, or resize with alt. Used by the bench whatever the tool. */
export function nudge(context: ToolContext, dx: number, dy: number, resize: boolean): { changes: readonly Change[]; say?: string } {
  const regions = here(context, context.selection);
  const changes: Change[] = [];
  if (resize) {
    for (const region of regions) {
      const bounds = shapeOf(region)?.bounds(region.geometry);
      const room = bounds ? { x: context.size.width - bounds.x1, y: context.size.height - bounds.y1 } : { x: 0, y: 0 };
      const geometry = shapeOf(region)?.resize(region.geometry, Math.min(dx, Math.max(0, room.x)), Math.min(dy, Math.max(0, room.y)));
      if (geometry) changes.push(...setGeometry(region, geometry));
    }
  } else {
    for (const { region, geometry } of movedBy(context, regions.map((region) => region.id), dx, dy)) changes.push(...setGeometry(region, geometry));
  }
  if (changes.length === 0 && regions.some((region) => region.shape === "mask")) return { changes, say: t("A mask is changed by painting, not by moving.") };
  return { changes };
}

function vertexOf(context: ToolContext, state: State): { region: Region; id: string } | null {
  if (state.at !== "rest" || !state.vertex || !state.region || !context.selection.has(state.region)) return null;
  const region = context.document.regions[state.region];
  return region && shapeOf(region)?.handles(region.geometry).some((handle) => handle.id === state.vertex) ? { region, id: state.vertex } : null;
}

function down(context: ToolContext, input: Extract<ToolInput, { kind: "down" | "move" | "up" | "double" }>): S {
  const grip = gripAt(context, input.at, input.coarse);
  if (grip && !input.shift) {
    return { state: { at: "handle", region: grip.region.id, handle: grip.handle.id, start: input.at, geometry: grip.region.geometry, moved: false,
      drop: input.alt && grip.handle.kind === "vertex" } };
  }
  const hits = context.hits(input.at);
  const own = hits.filter((hit) => hit.prelabel === null).map((hit) => hit.region.id);
  const selected = own.find((id) => context.selection.has(id));
  // With shift the topmost is meant, be it selected or not; without, what is selected may be dragged under others.
  const on = (input.shift ? own[0] : selected ?? own[0]) ?? null;
  const top = hits[0];
  if (top && top.prelabel !== null && on === null) return { state: REST, candidate: `${top.prelabel}/${top.region.id}`, select: [] };
  return { state: { at: "pressed", start: input.at, on, additive: input.shift, wasSelected: selected !== undefined, cycle: own } };
}

function released(context: ToolContext, state: Extract<State, { at: "pressed" }>): S {
  const { on, additive, wasSelected, cycle } = state;
  if (additive) {
    const next = new Set(context.selection);
    if (on && !next.delete(on)) next.add(on);
    return { state: REST, select: [...next] };
  }
  if (on === null) return { state: REST, select: [] };
  // A second click on a stack takes the one beneath.
  const next = wasSelected && context.selection.size === 1 && cycle.length > 1 ? cycle[(cycle.indexOf(on) + 1) % cycle.length]! : on;
  return { state: REST, select: [next] };
}

export const tool: Tool<State> = {
  name: "select", title: () => t("Select"), shape: null, icon: "select", order: 10, cursor: "default", draws: false, rest: REST,

  step(state, context, input): S | null {
    switch (input.kind) {
      case "down":
        return down(context, input);
      case "move": {
        const far = (from: Point): boolean => Math.hypot(input.at.x - from.x, input.at.y - from.y) * context.scale >= DRAG_PX;
        if (state.at === "pressed" && far(state.start)) {
          if (state.on === null || state.additive) return { state: { at: "marquee", start: state.start, to: input.at, additive: state.additive } };
          const ids = state.wasSelected ? [...context.selection] : [state.on];
          return { state: { at: "moving", start: state.start, to: input.at, ids }, ...(state.wasSelected ? {} : { select: ids }) };
        }
        if (state.at === "moving" || state.at === "marquee") return { state: { ...state, to: input.at } };
        if (state.at === "handle" && (state.moved || far(state.start))) {
          const region = context.document.regions[state.region];
          const next = region && shapeOf(region)?.drag(state.moved ? state.geometry : region.geometry, state.handle, clampPoint(input.at, context.size));
          return next ? { state: { ...state, geometry: next.geometry, handle: next.handle, moved: true, drop: false } } : { state };
        }
        return { state };
      }
      case "up": {
        if (state.at === "pressed") return released(context, state);
        if (state.at === "moving") {
          const changes = movedBy(context, state.ids, input.at.x - state.start.x, input.at.y - state.start.y)
            .flatMap(({ region, geometry }) => setGeometry(region, geometry));
          return { state: REST, changes, ...(changes.length === 0 && here(context, state.ids).some((region) => region.shape === "mask")
            ? { say: t("A mask is changed by painting, not by moving.") } : {}) };
        }
        if (state.at === "handle") {
          const region = context.document.regions[state.region];
          if (!region) return { state: REST };
          const rest: State = { at: "rest", region: region.id, vertex: state.handle.startsWith("v:") ? state.handle : null };
          if (state.moved) return { state: rest, changes: setGeometry(region, state.geometry) };
          if (state.drop) {
            const geometry = shapeOf(region)?.dropHandle?.(region.geometry, state.handle);
            return geometry ? { state: REST, changes: setGeometry(region, geometry) } : { state: rest, say: t("A polygon needs three points.") };
          }
          return { state: rest };
        }
        if (state.at === "marquee") {
          const found = context.within(between(state.start, input.at));
          return { state: REST, select: state.additive ? [...new Set([...context.selection, ...found])] : found };
        }
        return { state };
      }
      case "double":
        return { state };
      case "enter": {
        // Enter on a selected polygon takes its first vertex; again gives it back.
        if (state.at !== "rest" || context.selection.size !== 1) return null;
        if (vertexOf(context, state)) return { state: REST };
        const region = here(context, context.selection)[0];
        const first = region && shapeOf(region)?.handles(region.geometry).find((handle) => handle.kind === "vertex");
        return first ? { state: { at: "rest", region: region.id, vertex: first.id }, say: t("Vertex: arrows move it, [ and ] go on, delete removes it, Enter ends.") } : null;
      }
      case "walk": {
        const vertex = vertexOf(context, state);
        if (!vertex) return null;
        const all = (shapeOf(vertex.region)?.handles(vertex.region.geometry) ?? []).filter((handle) => handle.kind === "vertex");
        const next = all[(all.findIndex((handle) => handle.id === vertex.id) + input.by + all.length) % all.length]!;
        return { state: { at: "rest", region: vertex.region.id, vertex: next.id } };
      }
      case "nudge": {
        const vertex = vertexOf(context, state);
        if (!vertex || input.resize) return null;
        const shape = shapeOf(vertex.region)!;
        const grip = shape.handles(vertex.region.geometry).find((handle) => handle.id === vertex.id)!;
        const next = shape.drag(vertex.region.geometry, vertex.id, clampPoint({ x: grip.x + input.dx, y: grip.y + input.dy }, context.size));
        return next ? { state, changes: setGeometry(vertex.region, next.geometry), merge: `vertex:${vertex.region.id}:${vertex.id}` } : { state };
      }
      case "backspace":
      case "delete": {
        const vertex = vertexOf(context, state);
        if (!vertex) return null;
        const geometry = shapeOf(vertex.region)?.dropHandle?.(vertex.region.geometry, vertex.id);
        return geometry ? { state: REST, changes: setGeometry(vertex.region, geometry) } : { state, say: t("A polygon needs three points.") };
      }
    }
  },

  draft(state, context): Draft {
    if (state.at === "moving") {
      return { regions: movedBy(context, state.ids, state.to.x - state.start.x, state.to.y - state.start.y).map(({ region, geometry }) => ({ ...region, geometry })) };
    }
    if (state.at === "handle" && state.moved) {
      const region = context.document.regions[state.region];
      return region ? { regions: [{ ...region, geometry: state.geometry }], handle: { region: region.id, id: state.handle } } : {};
    }
    if (state.at === "marquee") return { marquee: between(state.start, state.to) };
    if (state.at === "rest" && state.vertex && state.region) return { handle: { region: state.region, id: state.vertex } };
    return {};
  },
};

function between(a: Point, b: Point): Bounds {
  return { x0: Math.min(a.x, b.x), y0: Math.min(a.y, b.y), x1: Math.max(a.x, b.x), y1: Math.max(a.y, b.y) };
}
