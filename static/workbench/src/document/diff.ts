/** The changes that lead from one document to another. Pure; used where a person chose one of two versions. */
import { same } from "../core/canonical.ts";
import type { Change, Document } from "./types.ts";

/** Whole regions and whole answers: it says what differs, not how it came about. */
export function diff(from: Document, to: Document): Change[] {
  const changes: Change[] = [];
  for (const [id, region] of Object.entries(from.regions)) {
    const after = to.regions[id];
    if (!after || after.shape !== region.shape) changes.push({ op: "remove", region });
    else if (!same(region, after)) changes.push({ op: "replace", before: region, after });
  }
  for (const [id, region] of Object.entries(to.regions)) {
    const before = from.regions[id];
    if (!before || before.shape !== region.shape) changes.push({ op: "add", region });
  }
  for (const name of new Set([...Object.keys(from.answers), ...Object.keys(to.answers)])) {
    const before = from.answers[name] ?? null;
    const after = to.answers[name] ?? null;
    if (!same(before, after)) changes.push({ op: "set", path: ["answers", name], before, after });
  }
  if (from.unusable !== to.unusable) {
    changes.push({ op: "set", path: ["unusable"], before: from.unusable, after: to.unusable });
  }
  return changes;
}
