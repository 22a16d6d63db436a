/**
 * The state machine that brush and eraser share: rest, painting. A stroke works on copies of the tiles it touches and
 * ends in one list of changes that names those tiles and no others.
 */

import { t } from "../core/i18n.ts";
import { isEmptyTile } from "../document/parts.ts";
import type { Change, MaskGeometry, Region } from "../document/types.ts";
import type { Point } from "../view/viewport.ts";
import { drawn, setTiles } from "./edits.ts";
import { paint, type Stored } from "./painting.ts";
import type { Draft, Step, Tool, ToolContext } from "./tool.ts";

export type StrokeState =
  | { readonly at: "rest"; readonly hover: Point | null }
  | { readonly at: "painting"; readonly region: string | null; readonly label: string; readonly last: Point; readonly work: Map<string, Uint8Array>;
    /** tile -> the leg of the stroke that touched it last, so that a view colours only those again. */
    readonly turns: Map<string, number>; readonly turn: number };

const REST: StrokeState = { at: "rest", hover: null };

function onePaintable(context: ToolContext): Region | null {
  if (context.selection.size !== 1) return null;
  const [id] = context.selection;
  const region = context.document.regions[id!];
  return region?.shape === "mask" && (region.asset === null || region.asset === context.asset) ? region : null;
}

function storedOf(context: ToolContext, region: Region | null): Stored {
  const tiles = region ? (region.geometry as MaskGeometry).tiles : {};
  return (key) => {
    const digest = tiles[key];
    return digest ? context.tile(digest) : null;
  };
}

function finish(state: Extract<StrokeState, { at: "painting" }>, context: ToolContext): Step<StrokeState> {
  const rest: StrokeState = { at: "rest", hover: state.last };
  const digests = new Map<string, string | null>();
  for (const [key, tile] of state.work) digests.set(key, isEmptyTile(tile) ? null : context.putTile(tile));
  if (state.region === null) {
    const tiles: Record<string, string> = {};
    for (const [key, digest] of digests) if (digest) tiles[key] = digest;
    if (Object.keys(tiles).length === 0) return { state: rest };
    const region = drawn(context, "mask", state.label, { tiles });
    return { state: rest, changes: [{ op: "add", region }], select: [region.id], fresh: true };
  }
  const region = context.document.regions[state.region];
  const changes: readonly Change[] = region ? setTiles(region, digests) : [];
  return { state: rest, changes };
}

export function strokeTool(about: Pick<Tool, "name" | "title" | "icon" | "order">, value: 0 | 1): Tool<StrokeState> {
  return {
    ...about, shape: "mask", cursor: "none", draws: true, rest: REST,
    step(state, context, input) {
      if (!("at" in input)) return null;
      if (input.kind === "down") {
        let region = onePaintable(context);
        if (value === 1) {
          if (context.label === null) return { state: REST, say: t("Choose a label first.") };
          // The next label was chosen: that is a new object, not more of this one.
          if (region && region.label !== context.label) region = null;
        } else {
          region ??= context.hits(input.at).find((hit) => hit.prelabel === null && hit.region.shape === "mask")?.region ?? null;
          if (!region) return { state: REST, say: t("There is no mask here to erase.") };
        }
        const work = new Map<string, Uint8Array>();
        const turns = new Map<string, number>();
        const here = paint(work, storedOf(context, region), input.at, input.at, context.brush_px, value, context.size, (key) => turns.set(key, 0));
        if (!here) return { state: REST, say: t("The pixels of this mask are still loading.") };
        return { state: { at: "painting", region: region?.id ?? null, label: region?.label ?? context.label ?? "", last: input.at, work, turns, turn: 0 },
          ...(region && !context.selection.has(region.id) ? { select: [region.id] } : !region && context.selection.size > 0 ? { select: [] } : {}) };
      }
      if (state.at === "rest") return input.kind === "move" ? { state: { at: "rest", hover: input.at } } : null;
      const region = state.region ? context.document.regions[state.region] ?? null : null;
      if (input.kind === "move" || input.kind === "up") {
        const moved = input.at.x !== state.last.x || input.at.y !== state.last.y;
        // A tile that is not here yet is left alone, and said: it is never painted over blindly.
        const here = !moved || paint(state.work, storedOf(context, region), state.last, input.at, context.brush_px, value, context.size,
          (key) => state.turns.set(key, state.turn + 1));
        const next: StrokeState = { ...state, last: input.at, turn: state.turn + 1 };
        const step: Step<StrokeState> = input.kind === "up" ? finish(next as Extract<StrokeState, { at: "painting" }>, context) : { state: next };
        return here ? step : { ...step, say: t("The pixels of this mask are still loading.") };
      }
      return { state };
    },
    draft(state, context): Draft {
      const at = state.at === "rest" ? state.hover : state.last;
      const tip = at ? { tip: { at, diameter_px: context.brush_px } } : {};
      return state.at === "painting" ? { ...tip, tiles: state.work, turns: state.turns, tilesOf: { id: state.region, label: state.label } } : tip;
    },
  };
}
