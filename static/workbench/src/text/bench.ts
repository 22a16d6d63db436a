/**
 * The text bench: joins the text view, the keys and the shared panels. A label's key makes the selected text a span of
 * that label; without a selection it means what it means everywhere. The document belongs to the history.
 */
import { newRegionId } from "../core/ids.ts";
import { t } from "../core/i18n.ts";
import { spansOf } from "../document/select.ts";
import type { Asset, Region } from "../document/types.ts";
import { composing } from "../input/keymap.ts";
import type { BenchContext } from "../ui/context.ts";
import { BenchCore } from "../ui/core.ts";
import { h, isEditable, setText } from "../ui/dom.ts";
import { endsOf } from "../ui/ends.ts";
import { type Frame, openFrame, quietButton, toggleSide } from "../ui/frame.ts";
import { icon } from "../ui/icons.ts";
import { answerByKey, answersPanel } from "../ui/panels/answers.ts";
import { attributesPanel } from "../ui/panels/attributes.ts";
import { labelsPanel } from "../ui/panels/labels.ts";
import { guidePanel, marksPanel } from "../ui/panels/notes.ts";
import { regionsPanel } from "../ui/panels/regions.ts";
import { drawPrelabels, prelabelCommands } from "../ui/prelabels.ts";
import { openPalette, openSheet } from "../ui/sheet.ts";
import { addSpan, moveEdge, type SpanRegion } from "./edits.ts";
import { isWide, loadText } from "./load.ts";
import { type ShownSpan, TextView } from "./view.ts";

/** The core with a text's ideas of order and of what a label's key does. */
class TextCore extends BenchCore {
  /** Set by the bench: makes a span of the selected text; false when no text is selected. */
  mark: (label: string) => boolean = () => false;

  override get regions(): Region[] {
    return this.asset ? spansOf(this.document, this.asset.id) : [];
  }

  override chooseLabel(name: string, relabel?: boolean): void {
    if (relabel !== true && this.mark(name)) {
      super.chooseLabel(name, false);
      return;
    }
    super.chooseLabel(name, relabel);
  }
}

class TextBench {
  readonly #context: BenchContext;
  readonly #core: TextCore;
  readonly #asset: Asset;
  readonly #frame: Frame;
  readonly #stage: HTMLElement;
  readonly #prelabels = h("div", { class: "foot-prelabels" });
  readonly #place = h("span", { class: "foot-place" });
  readonly #stop = new AbortController();
  readonly #off: (() => void)[] = [];
  readonly #labels: { find(): void };
  #view: TextView | null = null;

  constructor(host: HTMLElement, context: BenchContext, asset: Asset) {
    this.#context = context;
    this.#asset = asset;
    const live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
    const core = this.#core = new TextCore(context, asset, live);
    this.#stage = h("main", { class: "bench-stage text-stage" }, live);
    core.mark = (label) => this.#mark(label);
    core.reveal = (id) => this.#reveal(id);
    const back = (): void => this.#view?.element.focus({ preventScroll: true });
    const ends = endsOf(core, () => this.#frame.element,
      [t("Damaged or empty text"), t("In a language I was not told to label"), t("Nothing of what is asked can be in it"), t("Shows what must not be shown")], back);
    this.#commands(ends);
    const labels = labelsPanel(core, back);
    this.#labels = labels;
    this.#frame = openFrame(host, core, {
      tools: [],
      extras: [{ name: "", title: t("Undo"), icon: "undo", action: "undo" }, { name: "", title: t("Redo"), icon: "redo", action: "redo" },
        { name: "", title: t("Fold the panels"), icon: "side", action: "fold_side" }],
      stage: this.#stage,
      panels: [marksPanel(core), core.labels.length > 0 ? labels : null, core.labels.length > 0 ? regionsPanel(core, back) : null,
        attributesPanel(core), answersPanel(core), guidePanel(core)],
      foot: [this.#prelabels, h("span", { class: "foot-gap" }), this.#place,
        quietButton("help", t("Keys…"), core.keys.shown("help"), icon("help", 16), () => core.run("help"))],
      outcome: context.outcome ?? null,
    });
    this.#off.push(
      context.history.subscribe(() => this.#changed()),
      core.state.subscribe((now, before) => {
        if (now.selection !== before.selection || now.candidate !== before.candidate || now.hidden !== before.hidden
          || now.dropped !== before.dropped || now.prelabelsHidden !== before.prelabelsHidden) this.#draw();
      }),
    );
    document.addEventListener("keydown", (event) => this.#key(event), { signal: this.#stop.signal });
    void this.#open();
  }

  async #open(): Promise<void> {
    let text: string;
    try {
      text = await loadText(this.#asset);
    } catch {
      this.#stage.append(h("div", { class: "stage-message", role: "alert" }, icon("warn", 28), h("h2", null, t("The text cannot be shown.")),
        h("p", null, t("Its file did not arrive or cannot be read. What you have marked is safe. Try again, or mark the item as unusable.")),
        h("div", { class: "stage-actions" }, h("button", { type: "button", class: "button is-primary", onclick: () => location.reload() }, t("Try again")))));
      return;
    }
    if (this.#stop.signal.aborted) return;
    const core = this.#core;
    const view = this.#view = new TextView(this.#stage, text, {
      label: t("Text {name}. Arrow keys move, Shift selects, a label's key marks, Tab leaves.", { name: this.#asset.name }),
      handlers: {
        click: (_point, ids) => this.#clicked(ids),
        select: (start, end) => setText(this.#place, start === end ? String(start) : `${start}–${end} (${end - start})`),
      },
    });
    this.#stage.classList.toggle("is-cjk", isWide(text));
    const first = core.candidates()[0];
    if (first) core.state.set({ candidate: first.key });
    this.#draw();
    view.element.focus({ preventScroll: true });
    const { dataset } = document.documentElement;
    dataset["usable"] = "1";
    dataset["task"] = this.#context.work.task.id;
    performance.mark("bench-usable");
  }

  close(): void {
    this.#stop.abort();
    for (const off of this.#off) off();
    this.#view?.close();
    this.#frame.close();
    const { dataset } = document.documentElement;
    delete dataset["usable"];
    delete dataset["task"];
    delete dataset["regions"];
  }

  // --- what is shown ---

  #draw(): void {
    const core = this.#core;
    const { selection, candidate, hidden } = core.state.get();
    const shown: ShownSpan[] = hidden ? [] : core.regions.map((region) => {
      const { start, end } = (region as SpanRegion).geometry;
      return { id: region.id, start, end, color: core.colorOf(region.label), tag: core.nameOf(region.label), look: "person", selected: selection.has(region.id) };
    });
    for (const { key, region } of core.candidates()) {
      if (region.shape !== "span") continue;
      const { start, end } = (region as SpanRegion).geometry;
      shown.push({ id: key, start, end, color: core.colorOf(region.label), tag: `◇ ${core.nameOf(region.label)}`, look: "prelabel", selected: key === candidate });
    }
    this.#view?.setSpans(shown);
    drawPrelabels(core, this.#prelabels);
    document.documentElement.dataset["regions"] = String(core.regions.length);
  }

  #changed(): void {
    const { selection } = this.#core.state.get();
    const left = [...selection].filter((id) => this.#core.document.regions[id] !== undefined);
    if (left.length !== selection.size) this.#core.select(left);
    this.#draw();
  }

  #reveal(id: string): void {
    const region = this.#core.document.regions[id] ?? this.#core.candidates().find(({ key }) => key === id)?.region;
    if (region?.shape === "span") this.#view?.reveal((region as SpanRegion).geometry.start);
  }

  // --- the hand ---

  /** A click on spans takes the innermost; another click on the same place the one around it. */
  #clicked(ids: readonly string[]): void {
    const core = this.#core;
    const { selection, candidate } = core.state.get();
    const at = ids.findIndex((id) => selection.has(id) || id === candidate);
    const id = ids[(at + 1) % Math.max(1, ids.length)];
    if (id === undefined) core.select([]);
    else if (id.includes("/")) core.lookAt(core.candidates().find(({ key }) => key === id));
    else core.select([id]);
  }

  /** True: text was selected, so the label's key was about it. */
  #mark(label: string): boolean {
    const view = this.#view;
    if (!view) return false;
    const { start, end } = view.selection;
    if (start === end) return false;
    const core = this.#core;
    const change = addSpan(view.index, core.document, this.#asset.id, label, start, end, newRegionId());
    if (!change || change.op !== "add") core.say(t("This text carries that label already, or holds nothing but blanks."), "info");
    else if (core.commit([change], "mark")) {
      const { end: to } = (change.region as SpanRegion).geometry;
      view.setSelection(to, to, false);
      core.select([change.region.id], true);
      core.say(t("Marked: {region}", { region: core.describe(change.region) }));
    }
    return true;
  }

  #edge(event: KeyboardEvent): boolean {
    const region = this.#core.selected[0];
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (by === 0 || !event.altKey || region?.shape !== "span" || this.#core.selected.length !== 1 || !this.#view) return false;
    const edge = event.shiftKey ? "start" : "end";
    const changes = moveEdge(this.#view.index, region as SpanRegion, edge, by, event.ctrlKey || event.metaKey);
    this.#core.commit(changes, "edge", `edge:${edge}:${region.id}`);
    return true;
  }

  #escape(): void {
    const core = this.#core;
    const selection = this.#view?.selection;
    if (selection && selection.start !== selection.end) this.#view!.setSelection(selection.end, selection.end, false);
    else if (core.state.get().selection.size > 0) core.select([]);
    else core.lookAt(undefined);
  }

  #enter(): boolean {
    const core = this.#core;
    const { label } = core.state.get();
    const selection = this.#view?.selection;
    if (label !== null && selection && selection.start !== selection.end) {
      this.#mark(label);
      return true;
    }
    if (!core.candidate()) return false;
    core.keepCandidate(true);
    return true;
  }

  #key(event: KeyboardEvent): void {
    // A key that an input method is composing with is never ours; one that it merely saw is read by its place (keymap).
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const core = this.#core;
    if (isEditable(event.target)) {
      if (composing(event)) return;
      if (event.key === "Escape") {
        (event.target as HTMLElement).blur();
        this.#view?.element.focus({ preventScroll: true });
        event.preventDefault();
      } else if (event.ctrlKey || event.metaKey) {
        const action = core.keys.actionOf(event, false);
        if ((action === "submit" || action === "palette") && core.run(action)) event.preventDefault();
      }
      return;
    }
    const target = event.target instanceof HTMLElement ? event.target : null;
    const onText = target === null || target === document.body || target === this.#view?.element;
    if (onText && this.#edge(event)) return event.preventDefault();
    if (onText && this.#view?.key(event)) return;
    if (event.key === "Escape") {
      this.#escape();
      return event.preventDefault();
    }
    if (onText && event.key === "Enter" && !event.ctrlKey && !event.metaKey && this.#enter()) return event.preventDefault();
    // Buttons and lists keep the keys that belong to them.
    if (!onText && !event.ctrlKey && !event.metaKey && (event.key === "Enter" || event.key === " " || event.key.startsWith("Arrow"))) return;
    const single = core.state.get().singleKeys;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const selection = this.#view?.selection;
    if (single && plain && selection && selection.start !== selection.end) {
      const label = core.labels.find((one) => one.hotkey === event.key);
      if (label) {
        core.chooseLabel(label.name);
        return event.preventDefault();
      }
    }
    if (event.altKey && !event.ctrlKey && !event.metaKey && /^Digit[1-9]$/.test(event.code)) {
      const label = core.labelAt(event.code.slice(5));
      if (label) core.chooseLabel(label.name, true);
      return event.preventDefault();
    }
    const action = core.keys.actionOf(event, single);
    if (action && core.commands.has(action)) {
      event.preventDefault();
      if (!event.repeat || !["submit", "skip", "keep", "drop", "unusable"].includes(action)) core.run(action);
    } else if (single && plain && event.key.length === 1 && answerByKey(core, event.key)) event.preventDefault();
  }

  // --- commands ---

  #commands(ends: { submit(): Promise<void>; end(how: "skip" | "unusable"): Promise<void> }): void {
    const core = this.#core;
    const { actions, work } = this.#context;
    const edit = t("Edit"), task = t("Task"), labels = t("Labels and objects"), look = t("View");
    const add = (name: string, title: string, group: string, run: () => void): void => core.command(name, { title, group, run });
    if (core.labels.length > 0) {
      add("find_label", t("Find a label"), labels, () => this.#labels.find());
      for (let digit = 1; digit <= 9; digit += 1) {
        const label = core.labelAt(String(digit));
        if (label) add(`label_${digit}`, t("Label: {label}", { label: core.nameOf(label.name) }), labels, () => core.chooseLabel(label.name));
      }
      add("previous", t("Previous object"), labels, () => core.walk(-1));
      add("next", t("Next object"), labels, () => core.walk(1));
      add("remove", t("Delete the selection"), edit, () => core.removeSelected());
    }
    prelabelCommands(core);
    add("undo", t("Undo"), edit, () => core.undo());
    add("redo", t("Redo"), edit, () => core.redo());
    add("hide", t("Hide or show objects"), look, () => {
      core.state.set({ hidden: !core.state.get().hidden });
      core.say(core.state.get().hidden ? t("Objects hidden.") : t("Objects shown."));
    });
    add("fold_side", t("Fold the panels"), look, () => toggleSide(this.#frame.element));
    if (work.assignment.stage !== "check") {
      add("submit", t("Submit"), task, () => void ends.submit());
      add("skip", t("Skip with a reason…"), task, () => void ends.end("skip"));
      add("unusable", t("Mark as unusable…"), task, () => void ends.end("unusable"));
    }
    if (actions.park && work.assignment.parkable) add("park", t("Park: keep the seat for later"), task, () => void actions.park!());
    add("palette", t("Commands…"), task, () => openPalette(this.#frame.element, core, null));
    add("help", t("Keys…"), task, () => openSheet(this.#frame.element, core));
  }

  focus(id: string): void {
    this.#core.select([id]);
    this.#reveal(id);
  }

  get selection(): ReadonlySet<string> { return this.#core.state.get().selection; }
}

export interface OpenTextBench { close(): void; focus(regionId: string): void; readonly selection: ReadonlySet<string> }

export function openTextBench(host: HTMLElement, context: BenchContext): OpenTextBench {
  const { assets } = context.work.item;
  const asset = assets.find((one) => one.id === context.asset) ?? assets.find((one) => one.kind === "text");
  if (!asset) throw new Error("this item has no text");
  return new TextBench(host, context, asset);
}
