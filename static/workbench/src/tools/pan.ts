/** Moves the picture by hand; also what the space bar turns any tool into while it is held. */

import { t } from "../core/i18n.ts";
import type { Point } from "../view/viewport.ts";
import type { Tool } from "./tool.ts";

type State = { readonly at: "rest" } | { readonly at: "panning"; readonly start: Point };

export const tool: Tool<State> = {
  name: "pan", title: () => t("Pan"), shape: null, icon: "pan", order: 70, cursor: "grab", draws: false, rest: { at: "rest" },
  step(state, _context, input) {
    if (!("at" in input)) return null;
    if (input.kind === "down") return { state: { at: "panning", start: input.at } };
    if (state.at !== "panning") return null;
    if (input.kind === "up") return { state: { at: "rest" } };
    return { state, pan: { x: input.at.x - state.start.x, y: input.at.y - state.start.y } };
  },
  draft: () => ({}),
};
