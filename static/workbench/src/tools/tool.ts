/**
 * What a tool is: a few states. `step` gets (state, context, input) and returns the next state and changes; the draft
 * lives in the state, never in the document. Going back to the mark (Escape, blur, another tool, a remote deletion) is
 * therefore nothing but `tool.rest`. Pure: no DOM, so a tool is tested by feeding it inputs.
 */

import type { Change, Document, Region } from "../document/types.ts";
import type { Bounds, Point, Size } from "../view/viewport.ts";

export interface Hit { readonly region: Region; readonly prelabel: string | null; readonly on: "edge" | "inside" }

export interface ToolContext {
  readonly document: Document;
  readonly asset: string;
  readonly size: Size;
  /** CSS pixels an image pixel: slops are meant for the hand, so they are CSS pixels divided by this. */
  readonly scale: number;
  readonly selection: ReadonlySet<string>;
  readonly label: string | null;
  readonly brush_px: number;
  /** What lies under a point, the best first: edges before insides, small before large, a person's before a prelabel's. */
  hits(at: Point): readonly Hit[];
  within(bounds: Bounds): readonly string[];
  newId(): string;
  /** The pixels of a stored part: shared, never written; undefined while they are still on their way. */
  tile(digest: string): Uint8Array | undefined;
  putTile(tile: Uint8Array): string;
}

export type ToolInput =
  | { readonly kind: "down" | "move" | "up" | "double"; readonly at: Point; readonly shift: boolean; readonly alt: boolean; readonly ctrl: boolean; readonly coarse: boolean }
  | { readonly kind: "enter" | "backspace" | "delete" }
  /** Arrow keys on the selection, in image pixels. */
  | { readonly kind: "nudge"; readonly dx: number; readonly dy: number; readonly resize: boolean }
  /** `[` and `]`. */
  | { readonly kind: "walk"; readonly by: 1 | -1 };

export interface Step<S> {
  readonly state: S;
  readonly changes?: readonly Change[];
  /** Changes with the same key in a row are one step of undo. */
  readonly merge?: string;
  /** The new selection; absent = unchanged. */
  readonly select?: readonly string[];
  /** The region was drawn just now (see BenchState.fresh). */
  readonly fresh?: boolean;
  /** A prelabel region was pointed at: "prelabel/region". */
  readonly candidate?: string;
  /** To be said and shown: why nothing happened. */
  readonly say?: string;
  /** Handed to the assist process; the answer comes as changes from the bench. */
  readonly assist?: { readonly at: Point };
  /** Drag the picture so that the point stays under the hand: image pixels to go. */
  readonly pan?: Point;
}

/** Drawn on the active layer, above everything. */
export interface Draft {
  /** Regions as they would be: an id that exists is drawn in its place. */
  readonly regions?: readonly Region[];
  /** Unsaved pixels of a region: tile key -> 0/1 pixels. */
  readonly tiles?: ReadonlyMap<string, Uint8Array>;
  readonly turns?: ReadonlyMap<string, number>;
  readonly tilesOf?: { readonly id: string | null; readonly label: string };
  readonly marquee?: Bounds;
  /** An open line with its points, in the label's colour. */
  readonly line?: { readonly points: readonly (readonly [number, number])[]; readonly label: string; readonly closes: boolean };
  /** The tip of a brush at a place, image pixels. */
  readonly tip?: { readonly at: Point; readonly diameter_px: number };
  readonly handle?: { readonly region: string; readonly id: string };
}

export interface Tool<S = unknown> {
  readonly name: string;
  readonly title: () => string;
  /** Shape that it draws: offered when the schema asks for that shape; null = always offered. */
  readonly shape: string | null;
  readonly icon: string;
  /** Place in the tool column. */
  readonly order: number;
  readonly cursor: string;
  /** Draws: a keyboard cross-hair and guide lines make sense. */
  readonly draws: boolean;
  /** The keyboard's press is a whole click, not the start of a drag. */
  readonly clicks?: boolean;
  readonly rest: S;
  /** Work of many seconds that a person would not want lost with the focus of the window. */
  readonly keepsOnBlur?: boolean;
  /** null: this input means nothing to the tool now, so the bench may use it. */
  step(state: S, context: ToolContext, input: ToolInput): Step<S> | null;
  draft(state: S, context: ToolContext): Draft;
}
