/**
 * Spans of text: code points (what is stored) against UTF-16 units (what the browser speaks), words, graphemes, and
 * the cutting of overlapping spans into runs that can be drawn. Pure.
 *
 * Offsets in documents count Unicode code points, half-open. A lone surrogate counts as one code point, as in Python.
 */
export class TextIndex {
  readonly text: string;
  /** Code points in the text. */
  readonly length: number;
  /** UTF-16 offset of each astral character, ascending; empty for most texts, which then need no search at all. */
  readonly #astral: number[] = [];
  #graphemes: Intl.Segmenter | undefined;
  #words: Intl.Segmenter | undefined;
  readonly #language: string | undefined;

  constructor(text: string, language?: string) {
    this.text = text;
    this.#language = language;
    for (let unit = 0; unit < text.length; unit += 1) {
      if (text.codePointAt(unit)! > 0xffff) {
        this.#astral.push(unit);
        unit += 1;
      }
    }
    this.length = text.length - this.#astral.length;
  }

  /** How many astral characters start before a UTF-16 offset. */
  #astralBefore(unit: number): number {
    let low = 0, high = this.#astral.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.#astral[mid]! < unit) low = mid + 1; else high = mid;
    }
    return low;
  }

  /** UTF-16 offset -> code points before it. An offset inside a pair counts the pair as passed. */
  toPoint(unit: number): number {
    const at = Math.max(0, Math.min(this.text.length, unit));
    const pairs = this.#astralBefore(at);
    const last = this.#astral[pairs - 1];
    return last !== undefined && last + 1 === at ? at - pairs + 1 : at - pairs;
  }

  /** Code point offset -> UTF-16 offset, clamped to the text. */
  toUnit(point: number): number {
    const at = Math.max(0, Math.min(this.length, point));
    let low = 0, high = this.#astral.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      // the mid-th astral character starts at code point astral[mid] - mid
      if (this.#astral[mid]! - mid < at) low = mid + 1; else high = mid;
    }
    return at + low;
  }

  /** The text of a half-open span of code points. */
  slice(start: number, end: number): string {
    return this.text.slice(this.toUnit(start), this.toUnit(end));
  }

  #segment(words: boolean, unit: number): Intl.SegmentData | undefined {
    const segmenter = words
      ? (this.#words ??= new Intl.Segmenter(this.#language, { granularity: "word" }))
      : (this.#graphemes ??= new Intl.Segmenter(this.#language, { granularity: "grapheme" }));
    // Only the line around the place: segmenting from the start of a book at each key would be felt.
    const from = this.text.lastIndexOf("\n", unit - 1) + 1;
    const newline = this.text.indexOf("\n", unit);
    const line = this.text.slice(from, newline < 0 ? this.text.length : newline + 1);
    const found = segmenter.segment(line).containing(unit - from);
    return found && { ...found, index: found.index + from };
  }

  /** The next place a caret may stand, in code points: a whole grapheme further, never inside an emoji or accent. */
  nextStop(point: number): number {
    const found = this.#segment(false, this.toUnit(point));
    return found ? this.toPoint(found.index + found.segment.length) : this.length;
  }

  previousStop(point: number): number {
    const unit = this.toUnit(point);
    if (unit === 0) return 0;
    const found = this.#segment(false, unit - 1);
    return found ? this.toPoint(found.index) : 0;
  }

  /** The word around a place, in code points; the grapheme where there is no word (spaces, punctuation). */
  wordAt(point: number): readonly [number, number] {
    if (this.length === 0) return [0, 0];
    const unit = Math.min(this.toUnit(point), this.text.length - 1);
    const found = this.#segment(true, unit);
    if (!found) return [point, point];
    return [this.toPoint(found.index), this.toPoint(found.index + found.segment.length)];
  }

  isWord(point: number): boolean {
    return this.length > 0 && this.#segment(true, Math.min(this.toUnit(point), this.text.length - 1))?.isWordLike === true;
  }

  /** The start of the next word, or the end of the text. */
  nextWord(point: number): number {
    let at = this.wordAt(point)[1];
    while (at < this.length && !this.isWord(at)) at = Math.max(at + 1, this.wordAt(at)[1]);
    return Math.min(at, this.length);
  }

  /** The start of this word, or of the one before. */
  previousWord(point: number): number {
    let at = point;
    while (at > 0) {
      const [start] = this.wordAt(at - 1);
      if (this.isWord(start)) return start;
      at = Math.min(at - 1, start);
    }
    return 0;
  }
}

/** A span without leading or trailing white space; null if nothing is left. Offsets in code points. */
export function trimSpan(index: TextIndex, start: number, end: number): readonly [number, number] | null {
  const from = Math.min(start, end);
  const text = index.slice(from, Math.max(start, end));
  const lead = text.length - text.trimStart().length;  // white space is never astral: units are code points here
  const tail = text.length - text.trimEnd().length;
  const to = Math.max(start, end) - tail;
  return from + lead < to ? [from + lead, to] : null;
}

export interface SpanLike { readonly start: number; readonly end: number }

/** Overlap over union in code points, 0..1; 0 when both are empty. */
export function spanIou(a: SpanLike, b: SpanLike): number {
  const both = Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
  const all = a.end - a.start + (b.end - b.start) - both;
  return all > 0 ? both / all : 0;
}

export interface Run<T> { readonly start: number; readonly end: number; readonly covering: readonly T[] }

/**
 * Cuts [0, length) at every edge of the spans: neighbouring runs, each with the spans that cover it, longest first
 * so that an inner label is drawn above the one around it. n log n for spans that seldom overlap.
 */
export function cutRuns<T extends SpanLike>(length: number, spans: readonly T[]): Run<T>[] {
  const edges = new Set([0, length]);
  const real = spans.filter((span) => span.start < span.end);
  for (const span of real) {
    edges.add(Math.max(0, Math.min(length, span.start)));
    edges.add(Math.max(0, Math.min(length, span.end)));
  }
  const cuts = [...edges].sort((a, b) => a - b);
  const waiting = [...real].sort((a, b) => a.start - b.start);
  const runs: Run<T>[] = [];
  let open: T[] = [];
  let next = 0;
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const start = cuts[i]!;
    open = open.filter((span) => span.end > start);
    while (next < waiting.length && waiting[next]!.start <= start) {
      if (waiting[next]!.end > start) open.push(waiting[next]!);
      next += 1;
    }
    const covering = [...open].sort((a, b) => b.end - b.start - (a.end - a.start));
    runs.push({ start, end: cuts[i + 1]!, covering });
  }
  return runs;
}

/** How deep each span lies under those it overlaps: 0 is the outermost. Greedy, so underlays never collide. */
export function spanLevels<T extends SpanLike>(spans: readonly T[]): Map<T, number> {
  const order = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  const ends: number[] = [];
  const levels = new Map<T, number>();
  for (const span of order) {
    let level = ends.findIndex((end) => end <= span.start);
    if (level < 0) level = ends.length;
    ends[level] = span.end;
    levels.set(span, level);
  }
  return levels;
}
