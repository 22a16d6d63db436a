/**
 * Draws polygons: a click a point; Enter, a double click or a click on the first point closes; Backspace takes the last
 * point back. A drag while pressed draws points along the way. States: rest, drawing (points, where the hand is).
 */

import { t } from "../core/i18n.ts";
import { simplify } from "../core/geometry.ts";
import { ringOf } from "../shapes/polygon.ts";
import { clampPoint } from "../shapes/shape.ts";
import type { Point } from "../view/viewport.ts";
import { drawn } from "./edits.ts";
import type { Step, Tool, ToolContext } from "./tool.ts";

type Points = readonly (readonly [number, number])[];
type State = { readonly at: "rest" } | { readonly at: "drawing"; readonly points: Points; readonly to: Point; readonly pressed: boolean; readonly free: number };

const REST: State = { at: "rest" };
const CLOSE_PX = 9;
/** A drag leaves a point each so many CSS pixels; they are thinned when the hand is lifted. */
const FREE_PX = 6;

function close(points: Points, context: ToolContext): Step<State> {
  const ring = ringOf(points);
  if (!ring) return { state: points.length > 0 ? { at: "drawing", points, to: { x: points.at(-1)![0], y: points.at(-1)![1] }, pressed: false, free: 0 } : REST, say: t("A polygon needs three points that do not lie on one line.") };
  const region = drawn(context, "polygon", context.label!, { rings: [ring] });
  return { state: REST, changes: [{ op: "add", region }], select: [region.id], fresh: true };
}

export const tool: Tool<State> = {
  name: "polygon", title: () => t("Polygon"), shape: "polygon", icon: "polygon", order: 30, cursor: "crosshair", draws: true, clicks: true, rest: REST,
  // Forty points are a minute's work: looking something up in another window must not cost them. Escape does.
  keepsOnBlur: true,
  step(state, context, input) {
    if (input.kind === "enter") return state.at === "drawing" && state.points.length >= 3 ? close(state.points, context) : null;
    if (input.kind === "backspace") {
      if (state.at !== "drawing") return null;
      const points = state.points.slice(0, -1);
      return { state: points.length > 0 ? { ...state, points, pressed: false, free: 0 } : REST };
    }
    if (!("at" in input)) return state.at === "drawing" ? { state } : null;
    const at = clampPoint(input.at, context.size);
    if (input.kind === "down") {
      if (context.label === null) return { state: REST, say: t("Choose a label first.") };
      if (state.at === "rest") return { state: { at: "drawing", points: [[at.x, at.y]], to: at, pressed: true, free: 0 }, ...(context.selection.size > 0 ? { select: [] } : {}) };
      const first = state.points[0]!, last = state.points.at(-1)!;
      const reach = (input.coarse ? 2 : 1) * CLOSE_PX / context.scale;
      if (state.points.length >= 3 && Math.hypot(first[0] - at.x, first[1] - at.y) <= reach) return close(state.points, context);
      // The second press of a double click lands on the point that the first one made.
      if (Math.hypot(last[0] - at.x, last[1] - at.y) * context.scale < 2) return { state: { ...state, to: at, pressed: true, free: 0 } };
      return { state: { ...state, points: [...state.points, [at.x, at.y]], to: at, pressed: true, free: 0 } };
    }
    if (state.at !== "drawing") return null;
    if (input.kind === "move") {
      const last = state.points.at(-1)!;
      if (state.pressed && Math.hypot(last[0] - at.x, last[1] - at.y) * context.scale >= FREE_PX) {
        return { state: { ...state, points: [...state.points, [at.x, at.y]], to: at, free: state.free + 1 } };
      }
      return { state: { ...state, to: at } };
    }
    if (input.kind === "up") {
      if (state.free === 0) return { state: { ...state, to: at, pressed: false } };
      const from = state.points.length - state.free - 1;
      const thinned = [...state.points.slice(0, from), ...simplify(state.points.slice(from), 0.7 / context.scale)];
      return { state: { ...state, points: thinned as Points, to: at, pressed: false, free: 0 } };
    }
    return state.points.length >= 3 ? close(state.points, context) : { state };
  },
  draft(state, context) {
    if (state.at !== "drawing") return {};
    const first = state.points[0]!;
    const closes = state.points.length >= 3 && Math.hypot(first[0] - state.to.x, first[1] - state.to.y) * context.scale <= CLOSE_PX;
    return { line: { points: [...state.points, [state.to.x, state.to.y]], label: context.label ?? "", closes } };
  },
};
