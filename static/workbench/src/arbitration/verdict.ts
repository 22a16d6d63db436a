/**
 * From decisions to the document that will be accepted, and to the body of the verdict. Pure; order and rules are those
 * of review/core/consensus.py (final_document), which has the last word.
 */
import { kinds as found } from "../generated/kinds.ts";
import { apply, ChangeConflict } from "../document/changes.ts";
import type { Difference, Document } from "../document/types.ts";
import { reasonOf } from "./kinds/usability.ts";
import { type Decision, type Decisions, type DifferenceKind, type Dispute, standing, startOf } from "./kind.ts";

const kinds = new Map<string, DifferenceKind>((found as readonly DifferenceKind[]).map((kind) => [kind.name, kind]));

export function kindOf(difference: Difference): DifferenceKind | undefined {
  return kinds.get(difference.kind);
}

/** Grouped by kind in the order in which kinds are decided, the worst class first inside a group. */
export function listed(differences: readonly Difference[]): Difference[] {
  const order = (difference: Difference): number => kindOf(difference)?.order ?? 99;
  return differences.map((difference, at) => ({ difference, at }))
    .sort((a, b) => order(a.difference) - order(b.difference)
      || (a.difference.kind < b.difference.kind ? -1 : a.difference.kind > b.difference.kind ? 1 : 0)
      || (a.difference.class < b.difference.class ? -1 : a.difference.class > b.difference.class ? 1 : 0) || a.at - b.at)
    .map(({ difference }) => difference);
}

/** The usability question as decided: null = open or not asked. */
function usability(dispute: Dispute, decisions: Decisions): { unusable: boolean; onlyOne: boolean } | null {
  const question = dispute.differences.find((difference) => difference.kind === "usability");
  const decision = question && decisions[question.id];
  if (!question || !decision) return null;
  return {
    unusable: reasonOf(question, decision) !== null,
    onlyOne: dispute.sides.filter((side) => side.document.unusable === null).length === 1,
  };
}

/** Differences that need a decision: once the item is unusable, or only one labelled it, the others are about nothing. */
export function needed(dispute: Dispute, decisions: Decisions): Difference[] {
  const usable = usability(dispute, decisions);
  const all = listed(dispute.differences);
  return usable && (usable.unusable || usable.onlyOne) ? all.filter((difference) => difference.kind === "usability") : all;
}

export function undecided(dispute: Dispute, decisions: Decisions): Difference[] {
  return needed(dispute, decisions).filter((difference) => !decisions[difference.id]);
}

/** The document as the decisions so far would make it; what is undecided is left out. */
export function preview(dispute: Dispute, decisions: Decisions): Document {
  let document = dispute.agreed;
  const decide = (difference: Difference): void => {
    const decision = decisions[difference.id];
    const kind = kindOf(difference);
    if (!decision || !kind) return;
    try {
      document = apply(document, kind.apply(document, difference, decision, dispute));
    } catch (error) {
      // A draft from an older form of the dispute: the server will say what is wrong, the preview must not fall over.
      if (!(error instanceof ChangeConflict)) throw error;
    }
  };
  const queue = needed(dispute, decisions);
  for (const difference of queue) if (difference.kind === "usability") decide(difference);
  if (document.unusable !== null) return document;
  const objects = queue.filter((difference) => ["extent", "label", "attribute"].includes(difference.kind));
  for (const difference of objects) {
    const start = startOf(difference, dispute);
    if (start && !standing(document, difference) && objects.some((other) => decisions[other.id] && sameObject(other, difference))) {
      document = apply(document, [{ op: "add", region: start }]);
    }
  }
  for (const difference of queue) if (difference.kind !== "usability") decide(difference);
  return document;
}

function sameObject(a: Difference, b: Difference): boolean {
  return Object.entries(a.regions).every(([side, id]) => b.regions[side] === id);
}

export interface VerdictBody {
  readonly decisions: readonly (Decision & { readonly difference: string })[];
  readonly reason_code?: string;
}

export function verdictBody(dispute: Dispute, decisions: Decisions, reasonCode: string): VerdictBody {
  return {
    decisions: needed(dispute, decisions).flatMap((difference) => {
      const decision = decisions[difference.id];
      return decision ? [{ difference: difference.id, ...decision }] : [];
    }),
    ...(reasonCode === "" ? {} : { reason_code: reasonCode }),
  };
}

/** Decisions of an earlier sitting that still fit this dispute. */
export function fitting(dispute: Dispute, decisions: Decisions): Decisions {
  const known = new Map(dispute.differences.map((difference) => [difference.id, difference]));
  const sides = new Set(dispute.sides.map((side) => side.key));
  return Object.fromEntries(Object.entries(decisions).filter(([id, decision]) =>
    known.has(id) && (sides.has(decision.choice) || decision.choice === "none" || decision.choice === "edit")));
}

/** The middle one of some durations in ms; null without any. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[mid]! : (sorted[mid - 1]! + sorted[mid]!) / 2;
}
