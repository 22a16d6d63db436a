/** One request to the assist process for one click. It may be away: then the tool says so and nothing else is lost. */

import { t } from "../core/i18n.ts";
import type { Asset, Geometry } from "../document/types.ts";
import type { Point } from "../view/viewport.ts";
import type { BenchContext } from "./context.ts";

export type AssistAnswer = { readonly shape: string; readonly geometry: Geometry } | { readonly why: string };
const PATIENCE_MS = 4000;

export async function requestAssist(context: BenchContext, asset: Asset, at: Point): Promise<AssistAnswer> {
  const { boot, work } = context;
  try {
    const response = await fetch("/api/assist", {
      method: "POST", credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { "Content-Type": "application/json", "X-CSRFToken": boot.csrf },
      body: JSON.stringify({ assignment: work.assignment.id, token: work.assignment.token, asset: asset.id, tool: "click-segment", x: at.x, y: at.y }),
    });
    const body = (await response.json().catch(() => ({}))) as { region?: { shape?: string; geometry?: Geometry }; shape?: string; geometry?: Geometry; error?: { message?: string; cure?: string } };
    if (!response.ok) return { why: [body.error?.message ?? t("The assist process did not answer."), body.error?.cure].filter(Boolean).join(" ") };
    const { shape, geometry } = body.region ?? body;
    if (!geometry) return { why: t("Nothing was found at this point.") };
    return { shape: shape ?? ("rings" in geometry ? "polygon" : "tiles" in geometry ? "mask" : "box"), geometry };
  } catch {
    return { why: t("The assist process is away. Other tools work as ever.") };
  }
}
