/**
 * A text as a readable column with its spans: draws them, turns mouse and keys into a selection of code points, says
 * what was clicked. Reads the document, never writes it. Shared by the text bench, checking and arbitration.
 *
 * Each line is an element of its own and is rebuilt only when what covers it changed, so a keystroke in a text with
 * thousands of spans touches one line. Offsets: elements carry UTF-16 starts (the browser's unit); everything that
 * leaves this file is in code points.
 */
import { cutRuns, spanLevels, TextIndex } from "../core/spans.ts";
import type { SpanGeometry } from "../document/types.ts";
import { h, setVar } from "../ui/dom.ts";

export interface ShownSpan {
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly color: string;
  /** The tag before its first character; empty for none. */
  readonly tag: string;
  readonly look: "person" | "prelabel" | "quiet" | "loud";
  readonly selected?: boolean;
}

export interface TextHandlers {
  /** A place was clicked without selecting text: code point, ids of the spans there (innermost first). */
  click?(point: number, ids: readonly string[], event: MouseEvent): void;
  /** The selection changed by mouse or keys; start = end is a caret. */
  select?(start: number, end: number): void;
}

interface Line { readonly element: HTMLElement; readonly start: number; readonly end: number; signature: string }

export class TextView {
  readonly index: TextIndex;
  readonly element: HTMLElement;
  readonly #body: HTMLElement;
  readonly #caret: HTMLElement;
  readonly #lines: Line[] = [];
  readonly #handlers: TextHandlers;
  readonly #abort = new AbortController();
  #spans: readonly ShownSpan[] = [];
  /** Code points; focus is the end that moves. */
  #anchor = 0;
  #focus = 0;
  /** Horizontal place that up and down keep to, in CSS pixels; null after any other move. */
  #column: number | null = null;
  #pressed: { x: number; y: number } | null = null;

  constructor(host: HTMLElement, text: string, options: { readonly language?: string; readonly label: string; readonly handlers?: TextHandlers }) {
    this.index = new TextIndex(text, options.language);
    this.#handlers = options.handlers ?? {};
    this.#body = h("div", { class: "text-body" });
    this.#caret = h("div", { class: "text-caret", hidden: true, "aria-hidden": "true" });
    this.element = h("div", {
      class: "text-view", tabindex: 0, role: "textbox", "aria-multiline": "true", "aria-readonly": "true", "aria-label": options.label,
    }, h("div", { class: "text-page" }, this.#body, this.#caret));
    let at = 0;
    for (const line of text.split("\n")) {
      const length = Array.from(line).length;
      const element = h("div", { class: "text-line", dir: "auto" });
      this.#body.append(element);
      this.#lines.push({ element, start: at, end: at + length, signature: "\u0000" });
      at += length + 1;
    }
    host.append(this.element);
    this.setSpans([]);
    const listen = { signal: this.#abort.signal };
    this.element.addEventListener("mousedown", (event) => this.#down(event), listen);
    document.addEventListener("mouseup", (event) => this.#up(event), listen);
    this.element.addEventListener("dblclick", (event) => this.#double(event), listen);
    this.element.addEventListener("focus", () => this.#showCaret(), listen);
    this.element.addEventListener("blur", () => { this.#caret.hidden = true; }, listen);
    window.addEventListener("resize", () => this.#showCaret(), listen);
  }

  close(): void {
    this.#abort.abort();
    this.element.remove();
  }

  // --- spans ---

  setSpans(spans: readonly ShownSpan[]): void {
    this.#spans = spans;
    const levels = spanLevels(spans);
    const ordered = [...spans].sort((a, b) => a.start - b.start);
    let open: ShownSpan[] = [];
    let next = 0;
    let changed = false;
    for (const line of this.#lines) {
      open = open.filter((span) => span.end > line.start);
      while (next < ordered.length && ordered[next]!.start < Math.max(line.end, line.start + 1)) open.push(ordered[next++]!);
      const here = open.filter((span) => span.end > line.start);
      const signature = here.map((span) => [span.id, Math.max(span.start, line.start), Math.min(span.end, line.end),
        span.color, span.tag, span.look, span.selected ? 1 : 0, levels.get(span)].join("|")).join(";");
      if (signature === line.signature) continue;
      line.signature = signature;
      this.#drawLine(line, here, levels);
      changed = true;
    }
    // New nodes: the browser's selection stood in the old ones.
    if (changed && document.activeElement === this.element) this.#showSelection();
  }

  #drawLine(line: Line, spans: readonly ShownSpan[], levels: ReadonlyMap<ShownSpan, number>): void {
    const local = spans.map((span) => ({ start: Math.max(0, span.start - line.start), end: Math.min(line.end, span.end) - line.start, span }));
    const nodes: Node[] = [];
    for (const run of cutRuns(line.end - line.start, local)) {
      const start = line.start + run.start;
      for (const { span } of run.covering) {
        if (span.start === start && span.tag !== "") nodes.push(this.#tag(span));
      }
      const element = h("span", { class: "text-run", "data-u": this.index.toUnit(start) }, this.index.slice(start, line.start + run.end));
      if (run.covering.length > 0) this.#underlay(element, run.covering.map(({ span }) => span), levels);
      nodes.push(element);
    }
    // An empty line still needs a place for the caret.
    if (nodes.length === 0) nodes.push(h("span", { class: "text-run is-empty", "data-u": this.index.toUnit(line.start) }, "\u200b"));
    line.element.replaceChildren(...nodes);
  }

  #tag(span: ShownSpan): HTMLElement {
    const tag = h("span", { class: `text-tag is-${span.look}${span.selected ? " is-selected" : ""}`, "data-span": span.id, "aria-hidden": "true" }, span.tag);
    setVar(tag, "--label", span.color);
    return tag;
  }

  /** Outermost first: a tint of the innermost, and a line for each at its level. */
  #underlay(element: HTMLElement, covering: readonly ShownSpan[], levels: ReadonlyMap<ShownSpan, number>): void {
    const inner = covering.at(-1)!;
    const loud = covering.some((span) => span.look === "loud" || span.selected);
    element.className += ` is-span${loud ? " is-loud" : ""}${covering.some((span) => span.selected) ? " is-selected" : ""}`
      + `${covering.every((span) => span.look === "prelabel") ? " is-prelabel" : ""}${covering.every((span) => span.look === "quiet") ? " is-quiet" : ""}`;
    element.dataset["spans"] = [...covering].reverse().map((span) => span.id).join(" ");
    setVar(element, "--label", inner.color);
    const lines = covering.map((span) => {
      const color = `color-mix(in srgb, ${span.color} ${span.look === "quiet" ? 45 : 100}%, transparent)`;
      const image = span.look === "prelabel" ? `repeating-linear-gradient(90deg, ${color} 0 4px, transparent 4px 7px)` : `linear-gradient(${color}, ${color})`;
      return `${image} 0 calc(100% - ${(levels.get(span) ?? 0) * 3}px) / 100% 2px no-repeat`;
    });
    element.style.background = lines.join(", ");
    element.style.backgroundColor = `color-mix(in srgb, ${inner.color} ${loud ? 30 : inner.look === "quiet" ? 6 : 14}%, transparent)`;
    const deepest = Math.max(...covering.map((span) => levels.get(span) ?? 0));
    setVar(element, "--levels", String(deepest + 1));
  }

  // --- places ---

  #lineAt(point: number): Line {
    let low = 0, high = this.#lines.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (this.#lines[mid]!.start <= point) low = mid; else high = mid - 1;
    }
    return this.#lines[low]!;
  }

  /** The text node and offset that a code point lies at. */
  #node(point: number): [Node, number] {
    const line = this.#lineAt(point);
    const unit = this.index.toUnit(Math.min(point, line.end));
    const runs = line.element.querySelectorAll<HTMLElement>(".text-run");
    let run = runs[0]!;
    for (const one of runs) if (Number(one.dataset["u"]) <= unit) run = one;
    const text = run.firstChild ?? run;
    if (run.classList.contains("is-empty")) return [text, 0];
    return [text, Math.min(unit - Number(run.dataset["u"]), text.textContent?.length ?? 0)];
  }

  /** The code point of a place in the page; null outside the text. */
  #point(node: Node | null, offset: number): number | null {
    if (!node || !this.#body.contains(node)) return null;
    if (node instanceof Text) {
      const run = node.parentElement?.closest<HTMLElement>(".text-run");
      if (run) return this.index.toPoint(Number(run.dataset["u"]) + (run.classList.contains("is-empty") ? 0 : offset));
    }
    const element = node instanceof Element ? node : node.parentElement;
    // In a tag, or between elements: the run that follows, else the end of the line before.
    const tag = element?.closest(".text-tag");
    const from = tag ?? (element instanceof Element && offset < element.childNodes.length ? element.childNodes[offset]! : null);
    if (from instanceof Element) {
      const run = from.matches(".text-run") ? from : from.matches(".text-line") ? from.querySelector(".text-run")
        : [...(from.parentElement?.children ?? [])].slice([...(from.parentElement?.children ?? [])].indexOf(from)).find((one) => one.matches(".text-run"));
      if (run instanceof HTMLElement) return this.index.toPoint(Number(run.dataset["u"]));
    }
    const line = element?.closest(".text-line");
    const found = this.#lines.find((one) => one.element === line);
    return found ? found.end : element === this.#body ? this.index.length : null;
  }

  #fromScreen(x: number, y: number): number | null {
    const range = document.caretRangeFromPoint?.(x, y);
    if (range) return this.#point(range.startContainer, range.startOffset);
    const position = document.caretPositionFromPoint?.(x, y);
    return position ? this.#point(position.offsetNode, position.offset) : null;
  }

  /** Where a code point stands on the screen. */
  rectOf(point: number): DOMRect {
    const [node, offset] = this.#node(point);
    const range = document.createRange();
    range.setStart(node, offset);
    range.collapse(true);
    const rect = range.getClientRects()[0];
    if (rect) return rect;
    const line = this.#lineAt(point).element.getBoundingClientRect();
    return new DOMRect(line.left, line.top, 0, line.height);
  }

  reveal(point: number): void {
    const [node] = this.#node(point);
    node.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const rect = this.rectOf(point);
    const pane = this.element.getBoundingClientRect();
    if (rect.top < pane.top || rect.bottom > pane.bottom) this.element.scrollBy({ top: rect.top - pane.top - pane.height / 3 });
  }

  // --- selection ---

  get selection(): { readonly start: number; readonly end: number } {
    return { start: Math.min(this.#anchor, this.#focus), end: Math.max(this.#anchor, this.#focus) };
  }

  setSelection(anchor: number, focus: number, reveal = true): void {
    this.#anchor = Math.max(0, Math.min(this.index.length, anchor));
    this.#focus = Math.max(0, Math.min(this.index.length, focus));
    this.#showSelection();
    if (reveal) this.reveal(this.#focus);
    const { start, end } = this.selection;
    this.#handlers.select?.(start, end);
  }

  #showSelection(): void {
    const selection = document.getSelection();
    if (!selection) return;
    if (this.#anchor === this.#focus) selection.removeAllRanges();
    else selection.setBaseAndExtent(...this.#node(this.#anchor), ...this.#node(this.#focus));
    this.#showCaret();
  }

  #showCaret(): void {
    if (document.activeElement !== this.element) {
      this.#caret.hidden = true;
      return;
    }
    const rect = this.rectOf(this.#focus);
    const page = this.#body.parentElement!.getBoundingClientRect();
    this.#caret.hidden = false;
    setVar(this.#caret, "left", `${rect.left - page.left}px`);
    setVar(this.#caret, "top", `${rect.top - page.top}px`);
    setVar(this.#caret, "height", `${rect.height || 18}px`);
  }

  #down(event: MouseEvent): void {
    if (event.button !== 0) return;
    this.#pressed = { x: event.clientX, y: event.clientY };
    this.#column = null;
  }

  #up(event: MouseEvent): void {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (!pressed || event.button !== 0) return;
    const selection = document.getSelection();
    const moved = Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 3;
    if (selection && !selection.isCollapsed && (moved || event.shiftKey)) {
      const anchor = this.#point(selection.anchorNode, selection.anchorOffset);
      const focus = this.#point(selection.focusNode, selection.focusOffset) ?? this.#fromScreen(event.clientX, event.clientY);
      if (anchor !== null && focus !== null) return this.setSelection(...this.#whole(anchor, focus), false);
    }
    if (event.detail > 1) return;  // the double click selects by itself
    const target = event.target instanceof Element ? event.target : null;
    const tag = target?.closest<HTMLElement>(".text-tag")?.dataset["span"];
    const point = this.#fromScreen(event.clientX, event.clientY);
    if (point === null && !tag) return;
    if (point !== null) this.setSelection(event.shiftKey ? this.#anchor : point, point, false);
    if (event.shiftKey) return;
    const under = target?.closest<HTMLElement>(".text-run")?.dataset["spans"];
    this.#handlers.click?.(point ?? 0, tag ? [tag] : under ? under.split(" ") : [], event);
  }

  /** Never half of a character: both ends go outwards to the next caret stop. */
  #whole(anchor: number, focus: number): [number, number] {
    const low = Math.min(anchor, focus), high = Math.max(anchor, focus);
    const start = low > 0 ? this.index.previousStop(this.index.nextStop(low)) : 0;
    const end = high > low ? this.index.nextStop(this.index.previousStop(high)) : high;
    return anchor <= focus ? [Math.min(start, low), end] : [end, Math.min(start, low)];
  }

  #double(event: MouseEvent): void {
    const point = this.#fromScreen(event.clientX, event.clientY);
    if (point === null) return;
    // A click on the right half of a letter reports the place behind it: the word is the one before.
    const before = point > 0 && !this.index.isWord(point) && this.index.isWord(point - 1) ? point - 1 : point;
    const [start, end] = this.index.wordAt(before);
    this.setSelection(start, end, false);
  }

  // --- keys ---

  /** Moves the caret; true if the key was one of its. Letters and labels are the bench's. */
  key(event: KeyboardEvent): boolean {
    if (event.isComposing || event.keyCode === 229 || event.altKey) return false;
    const ctrl = event.ctrlKey || event.metaKey;
    const to = this.#target(event.key, ctrl);
    if (to === null) return false;
    event.preventDefault();
    const vertical = event.key === "ArrowUp" || event.key === "ArrowDown";
    const column = vertical ? this.#column ?? this.rectOf(this.#focus).left : null;
    this.setSelection(event.shiftKey ? this.#anchor : to, to);
    this.#column = column;
    return true;
  }

  #target(key: string, ctrl: boolean): number | null {
    const at = this.#focus;
    switch (key) {
      case "ArrowLeft": return ctrl ? this.index.previousWord(at) : this.index.previousStop(at);
      case "ArrowRight": return ctrl ? this.index.nextWord(at) : this.index.nextStop(at);
      case "ArrowUp": return this.#vertical(-1);
      case "ArrowDown": return this.#vertical(1);
      case "Home": return ctrl ? 0 : this.#rowEdge(-1);
      case "End": return ctrl ? this.index.length : this.#rowEdge(1);
      case "a": return null;
      default: return null;
    }
  }

  /** One row of the screen up or down, keeping the column. Off the screen: by whole lines of the text. */
  #vertical(by: 1 | -1): number {
    const rect = this.rectOf(this.#focus);
    const column = this.#column ?? rect.left;
    const page = this.element.getBoundingClientRect();
    const height = rect.height || 20;
    for (const step of [height * 0.9, height * 1.5, height * 2.2]) {
      const y = by > 0 ? rect.bottom + step - height * 0.4 : rect.top - step + height * 0.4;
      if (y < page.top || y > page.bottom) this.element.scrollBy({ top: by * height * 3, behavior: "instant" });
      const now = this.rectOf(this.#focus);
      const found = this.#fromScreen(column, by > 0 ? now.bottom + step - height * 0.4 : now.top - step + height * 0.4);
      if (found !== null && (by > 0 ? found > this.#focus : found < this.#focus) && this.rectOf(found).top !== now.top) return found;
    }
    const line = this.#lines.indexOf(this.#lineAt(this.#focus));
    const next = this.#lines[line + by];
    return next ? Math.min(next.end, next.start + this.#focus - this.#lines[line]!.start) : by > 0 ? this.index.length : 0;
  }

  #rowEdge(by: 1 | -1): number {
    const line = this.#lineAt(this.#focus);
    const top = this.rectOf(this.#focus).top;
    let at = this.#focus;
    for (let steps = 0; steps < 2000; steps += 1) {
      const next = by > 0 ? this.index.nextStop(at) : this.index.previousStop(at);
      if (next > line.end || next < line.start || next === at || Math.abs(this.rectOf(next).top - top) > 2) break;
      at = next;
    }
    return at;
  }

  spanShown(id: string): ShownSpan | undefined { return this.#spans.find((span) => span.id === id); }
}

/** For callers that hold regions. */
export function placed(geometry: SpanGeometry): { start: number; end: number } {
  return { start: geometry.start, end: geometry.end };
}
