/** Click-segment: one click on a thing asks the assist process for its outline. The answer arrives later, or the reason why not. */

import { t } from "../core/i18n.ts";
import { clampPoint } from "../shapes/shape.ts";
import type { Tool } from "./tool.ts";

type State = { readonly at: "rest" };

export const tool: Tool<State> = {
  name: "assist", title: () => t("Click-segment"), shape: null, icon: "assist", order: 60, cursor: "crosshair", draws: true, clicks: true, rest: { at: "rest" },
  step(state, context, input) {
    if (!("at" in input) || input.kind !== "down") return null;
    if (context.label === null) return { state, say: t("Choose a label first.") };
    return { state, assist: { at: clampPoint(input.at, context.size) } };
  },
  draft: () => ({}),
};
