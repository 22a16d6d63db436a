/** The changes behind edits of spans. Pure: text index and document in, changes out. */
import { type TextIndex, trimSpan } from "../core/spans.ts";
import type { Change, Document, Region, SpanGeometry } from "../document/types.ts";
import { nextZ, setGeometry } from "../tools/edits.ts";

export type SpanRegion = Region & { readonly geometry: SpanGeometry };

export function spanGeometry(index: TextIndex, start: number, end: number): SpanGeometry {
  return { start, end, quote: index.slice(start, end) };
}

/** A new span over the trimmed selection; null when nothing is selected or the same span has that label already. */
export function addSpan(
  index: TextIndex, document: Document, asset: string, label: string, from: number, to: number, id: string,
): Change | null {
  const span = trimSpan(index, from, to);
  if (!span) return null;
  const [start, end] = span;
  const twin = Object.values(document.regions).some((region) => region.shape === "span" && region.asset === asset
    && region.label === label && (region.geometry as SpanGeometry).start === start && (region.geometry as SpanGeometry).end === end);
  if (twin) return null;
  const region: Region = {
    id, shape: "span", label, geometry: spanGeometry(index, start, end), attributes: {}, asset, origin: { kind: "drawn" }, z: nextZ(document),
  };
  return { op: "add", region };
}

/** Moves one edge by a whole grapheme (or word); an edge never passes the other. Empty when it cannot move. */
export function moveEdge(index: TextIndex, region: SpanRegion, edge: "start" | "end", by: 1 | -1, word: boolean): readonly Change[] {
  const { start, end } = region.geometry;
  const at = edge === "start" ? start : end;
  const to = by > 0 ? (word ? index.wordAt(Math.min(at, index.length - 1))[1] : index.nextStop(at))
    : (word ? index.previousWord(at) : index.previousStop(at));
  const next = edge === "start" ? [to, end] as const : [start, to] as const;
  if (next[0] >= next[1] || to === at) return [];
  return setGeometry(region, spanGeometry(index, next[0], next[1]));
}

/** Spans over a place, the innermost (shortest) first. */
export function spansAt(spans: readonly SpanRegion[], point: number): SpanRegion[] {
  return spans.filter(({ geometry }) => geometry.start <= point && point < geometry.end)
    .sort((a, b) => (a.geometry.end - a.geometry.start) - (b.geometry.end - b.geometry.start) || (a.id < b.id ? -1 : 1));
}
