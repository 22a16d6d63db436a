/** Draws boxes: press at a corner, release at the opposite one. Shift makes a square. States: rest, drawing. */

import { t } from "../core/i18n.ts";
import { boxBetween } from "../shapes/box.ts";
import { clampPoint } from "../shapes/shape.ts";
import type { Point } from "../view/viewport.ts";
import { drawn } from "./edits.ts";
import type { Tool, ToolContext } from "./tool.ts";

type State = { readonly at: "rest" } | { readonly at: "drawing"; readonly start: Point; readonly to: Point };

const REST: State = { at: "rest" };
/** Smaller than this on the screen, in both directions, is a click that shook. */
const SHAKE_PX = 3;

function target(start: Point, at: Point, square: boolean, context: ToolContext): Point {
  const to = clampPoint(at, context.size);
  if (!square) return to;
  const side = Math.min(Math.max(Math.abs(to.x - start.x), Math.abs(to.y - start.y)),
    to.x < start.x ? start.x : context.size.width - start.x, to.y < start.y ? start.y : context.size.height - start.y);
  return { x: start.x + (to.x < start.x ? -side : side), y: start.y + (to.y < start.y ? -side : side) };
}

export const tool: Tool<State> = {
  name: "box", title: () => t("Box"), shape: "box", icon: "box", order: 20, cursor: "crosshair", draws: true, rest: REST,
  step(state, context, input) {
    if (input.kind === "down") {
      if (context.label === null) return { state: REST, say: t("Choose a label first.") };
      const start = clampPoint(input.at, context.size);
      return { state: { at: "drawing", start, to: start }, ...(context.selection.size > 0 ? { select: [] } : {}) };
    }
    if (state.at !== "drawing" || !("at" in input)) return null;
    const to = target(state.start, input.at, input.shift, context);
    if (input.kind === "move") return { state: { ...state, to } };
    if (input.kind !== "up") return { state };
    const shaken = Math.abs(to.x - state.start.x) * context.scale < SHAKE_PX && Math.abs(to.y - state.start.y) * context.scale < SHAKE_PX;
    const geometry = boxBetween(state.start.x, state.start.y, to.x, to.y);
    if (!geometry || shaken) return { state: REST, say: t("A box needs a width and a height: drag from corner to corner.") };
    const region = drawn(context, "box", context.label!, geometry);
    return { state: REST, changes: [{ op: "add", region }], select: [region.id], fresh: true };
  },
  draft(state, context) {
    const geometry = state.at === "drawing" ? boxBetween(state.start.x, state.start.y, state.to.x, state.to.y) : null;
    if (!geometry) return {};
    return { regions: [{ id: "", shape: "box", label: context.label ?? "", geometry, attributes: {}, asset: context.asset, origin: { kind: "drawn" } }] };
  },
};
