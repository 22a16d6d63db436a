/** One request to the assist process for one click. It may be away: then the tool says so and nothing else is lost. */

import { t } from "../core/i18n.ts";
import { ringsBounds } from "../core/geometry.ts";
import { decodePart } from "../document/parts.ts";
import type { Asset, Geometry, PolygonGeometry } from "../document/types.ts";
import type { Point } from "../view/viewport.ts";
import type { BenchContext } from "./context.ts";

export type AssistAnswer = { readonly shape: string; readonly geometry: Geometry; readonly cut: boolean } | { readonly why: string };
interface Said {
  readonly region?: { readonly shape: string; readonly geometry: Geometry };
  readonly parts?: { readonly [digest: string]: string };
  readonly cut?: boolean;
  readonly error?: { readonly message?: string; readonly cure?: string };
}
const PATIENCE_MS = 4000;

/** `shapes`: what the schema takes, the best first for this tool: an outline, else pixels, else the box around it. */
export async function requestAssist(context: BenchContext, asset: Asset, at: Point, tolerance: number, shapes: ReadonlySet<string>): Promise<AssistAnswer> {
  const { boot, work } = context;
  const output = shapes.has("polygon") || !shapes.has("mask") ? "polygon" : "mask";
  // The far edge belongs to no pixel.
  const inside = (value: number, size: number | undefined): number => Math.max(0, Math.min(value, (size ?? Infinity) - 0.001));
  try {
    const response = await fetch(`${boot.urls["api"] ?? "/api"}/assist`, {
      method: "POST", credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { "Content-Type": "application/json", "X-CSRFToken": boot.csrf },
      body: JSON.stringify({ assignment: work.assignment.id, asset: asset.id, tool: "click_segment.v1", x: inside(at.x, asset.width), y: inside(at.y, asset.height), tolerance, output }),
    });
    const said = (await response.json().catch(() => ({}))) as Said;
    if (!response.ok) return { why: [said.error?.message ?? t("The assist process did not answer."), said.error?.cure].filter(Boolean).join(" ") };
    if (!said.region) return { why: t("Nothing was found at this point.") };
    for (const part of Object.values(said.parts ?? {})) context.parts.putNow(decodePart(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
    const cut = said.cut === true;
    if (output === "polygon" && !shapes.has("polygon")) return { shape: "box", geometry: { ...ringsBounds((said.region.geometry as PolygonGeometry).rings) }, cut };
    return { ...said.region, cut };
  } catch {
    return { why: t("The assist process is away. Other tools work as ever.") };
  }
}
