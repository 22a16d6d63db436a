/** What an arbiter's edit comes to. Pure. */
import { same } from "../core/canonical.ts";
import type { Document, Region } from "../document/types.ts";

/**
 * The region as edited; where it was removed and another drawn in its place, that one, under the id of the first: the
 * question is about one object. null when neither is there. Edits of other regions are not part of the decision.
 */
export function takenFrom(start: Document, now: Document, region: Region): Region | null {
  const edited = now.regions[region.id];
  const drawn = Object.values(now.regions).filter((one) => !(one.id in start.regions));
  if (edited && (drawn.length === 0 || !same(edited, region))) return edited;
  const last = drawn.at(-1);
  return last ? { ...last, id: region.id } : edited ?? null;
}
