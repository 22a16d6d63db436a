/**
 * What a kind of difference must say of itself; one file a kind beside this one, found by the build. The server's twin
 * (review/core/differences) decides; `apply` here serves the preview, so that an arbiter sees what will be accepted.
 */
import type { Change, Difference, DifferenceKind as KindName, Document, Json, Region, Schema, Side, Work } from "../document/types.ts";

export type Choice = string;  // a side's key, "none" or "edit"

export interface Decision {
  readonly choice: Choice;
  readonly region?: Region;
  readonly value?: Json;
  readonly attributes?: { readonly [name: string]: Json };
}
export type Decisions = { readonly [difference: string]: Decision };

export interface Dispute {
  readonly schema: Schema;
  readonly agreed: Document;
  readonly sides: readonly Side[];
  readonly differences: readonly Difference[];
  sideOf(key: string): Document;
  /** The region of a side that a difference is about. */
  regionOf(difference: Difference, side: string): Region | null;
  labelName(label: string | null): string;
  valueText(difference: Difference, value: Json): string;
}

/** One thing that can be chosen for a difference. */
export interface Offer { readonly choice: Choice; readonly text: string; readonly detail?: string }

export interface DifferenceKind {
  readonly name: KindName;
  /** Questions about one object are applied in this order, as on the server. */
  readonly order: number;
  title(): string;
  /** One line for the list. */
  line(difference: Difference, dispute: Dispute): string;
  offer(difference: Difference, side: string, dispute: Dispute): Offer;
  /** What "none of them" means here; null where it means nothing. */
  none(difference: Difference, dispute: Dispute): string | null;
  readonly edits: "region" | "value";
  apply(document: Document, difference: Difference, decision: Decision, dispute: Dispute): readonly Change[];
}

/** Sides of a difference in the server's (random) order. */
export function sidesOf(difference: Difference, dispute: Dispute): string[] {
  const named = new Set([...Object.keys(difference.regions), ...Object.keys(difference.values ?? {})]);
  return dispute.sides.map((side) => side.key).filter((key) => named.has(key));
}

/**
 * The side whose region the preview starts from when all sides have one. The server draws it with the task's seed and
 * does not tell before the verdict; the regions are alike there, so the preview differs at most within the tolerance.
 */
export function startOf(difference: Difference, dispute: Dispute): Region | null {
  for (const side of dispute.sides) {
    const region = dispute.regionOf(difference, side.key);
    if (region) return region;
  }
  return null;
}

/** The region in the document that the questions about this object are about, whichever side's id it carries. */
export function standing(document: Document, difference: Difference): Region | null {
  for (const id of Object.values(difference.regions)) {
    const region = id === null ? undefined : document.regions[id];
    if (region) return region;
  }
  return null;
}

export function replaceRegion(before: Region, after: Region): readonly Change[] {
  return [{ op: "replace", before, after }];
}

export function disputeOf(
  work: Work, labelName: (label: string | null) => string, valueText: (difference: Difference, value: Json) => string,
): Dispute {
  const sides = work.sides ?? [];
  const byKey = new Map(sides.map((side) => [side.key, side.document]));
  const sideOf = (key: string): Document => byKey.get(key) ?? { format: 1, regions: {}, answers: {}, unusable: null };
  return {
    schema: work.schema.document, agreed: work.agreed ?? work.document, sides, differences: work.differences ?? [], sideOf, labelName, valueText,
    regionOf: (difference, side) => {
      const id = difference.regions[side];
      return id === null || id === undefined ? null : sideOf(side).regions[id] ?? null;
    },
  };
}
