/**
 * The picture bench: joins the view, the tools, the keys and the panels. Holds the tool's state and the keyboard's
 * cross-hair; the document belongs to the history, the screen's state to the core.
 */

import { newRegionId } from "../core/ids.ts";
import { t } from "../core/i18n.ts";
import { regionControls } from "../document/select.ts";
import type { Asset, Change, Region } from "../document/types.ts";
import { tools as found } from "../generated/tools.ts";
import { composing } from "../input/keymap.ts";
import { shapeOf } from "../shapes/registry.ts";
import { clampMove } from "../shapes/shape.ts";
import { loadPicture } from "../sync/pictures.ts";
import { copied } from "../tools/edits.ts";
import { gripAt, nudge } from "../tools/select.ts";
import type { Draft, Hit, Tool, ToolContext, ToolInput } from "../tools/tool.ts";
import { PictureView, type Layer } from "../view/canvas.ts";
import { visible, type Point } from "../view/viewport.ts";
import { requestAssist } from "./assist.ts";
import type { BenchContext } from "./context.ts";
import { BenchCore } from "./core.ts";
import { h, isEditable, setText } from "./dom.ts";
import { type Ends, endsOf } from "./ends.ts";
import { openFrame, quietButton, toggleSide, type ToolButton } from "./frame.ts";
import { icon } from "./icons.ts";
import { answerByKey, answersPanel } from "./panels/answers.ts";
import { attributesPanel } from "./panels/attributes.ts";
import { labelsPanel } from "./panels/labels.ts";
import { guidePanel, marksPanel } from "./panels/notes.ts";
import { regionsPanel } from "./panels/regions.ts";
import { drawPrelabels, prelabelCommands } from "./prelabels.ts";
import { recall, remember } from "./settings.ts";
import { openPalette, openSheet } from "./sheet.ts";

export interface PictureBench { readonly view: PictureView; readonly selection: ReadonlySet<string>; close(): void; focus(regionId: string): void }

/** The tools that the schema has work for, in the order of the column. */
function offeredTools(core: BenchCore): Tool[] {
  const shapes = new Set(regionControls(core.schema, core.asset?.role).flatMap((control) => control.shapes ?? []));
  return (found as unknown as readonly Tool[]).filter((tool) => (tool.shape === null || shapes.has(tool.shape)) && (!tool.draws || shapes.size > 0))
    .slice().sort((a, b) => a.order - b.order);
}

class Bench {
  readonly core: BenchCore;
  readonly view: PictureView;
  readonly #tools: readonly Tool[];
  readonly #context: BenchContext;
  readonly #asset: Asset;
  readonly #stop = new AbortController();
  readonly #off: (() => void)[] = [];
  readonly #frame: { readonly element: HTMLElement; close(): void };
  readonly #stage: HTMLElement;
  readonly #foot: { readonly zoom: HTMLElement; readonly place: HTMLElement; readonly prelabels: HTMLElement; readonly tool: HTMLElement };
  readonly #labels: { find(): void };
  readonly #ends: Ends;
  #tool: Tool;
  #state: unknown;
  #spaceHeld = false;
  #keyPressed = false;
  #crosshair: Point | null = null;
  #pointer: Point | null = null;
  #clipboard: readonly Region[] = [];

  constructor(host: HTMLElement, context: BenchContext, asset: Asset) {
    this.#context = context;
    this.#asset = asset;
    const live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.core = new BenchCore(context, asset, live, { brush_px: recall("brush", 12), tolerance: recall("tolerance", 40) });
    const { core } = this;
    this.#tools = offeredTools(core);
    const last = recall("tool", "");
    this.#tool = this.#tools.find((tool) => tool.name === last) ?? this.#tools.find((tool) => tool.draws) ?? this.#tools[0]!;
    this.#state = this.#tool.rest;
    core.state.set({ tool: this.#tool.name });

    this.#stage = h("main", { class: "bench-stage picture-stage" });
    this.view = new PictureView(this.#stage, asset, {
      colorOf: core.colorOf, nameOf: core.nameOf, parts: context.parts, load: loadPicture,
      onPartLost: () => core.say(t("Some pixels of a mask did not arrive. They are safe on the server; open the task again before painting here."), "warn"),
      description: t("Picture {name}. Arrow keys move the selection or the cross-hair, Tab leaves.", { name: asset.name }),
      handlers: {
        pans: () => this.#spaceHeld,
        input: (input) => this.#pointed(input),
        hover: (at) => this.#hovered(at),
        cancel: () => this.#rest(),
      },
    });
    this.#stage.append(live);
    core.reveal = (id) => this.view.focus(id);
    core.rest = () => this.#rest();
    this.#ends = endsOf(core, () => this.#frame.element,
      [t("Damaged or empty picture"), t("Too blurred or dark"), t("Nothing of what is asked can be in it"), t("Shows what must not be shown")], () => this.view.surface.focus());
    this.#commands();

    this.#foot = { zoom: h("span", { class: "foot-zoom" }), place: h("span", { class: "foot-place" }), prelabels: h("div", { class: "foot-prelabels" }), tool: h("div", { class: "foot-tool" }) };
    const labels = labelsPanel(core, () => this.view.surface.focus());
    this.#labels = labels;
    const button = (action: string, name: string): HTMLButtonElement => quietButton(action, core.commands.get(action)!.title, core.keys.shown(action), icon(name, 16), () => core.run(action));
    const toolButtons: ToolButton[] = this.#tools.map((tool) => ({ name: tool.name, title: tool.title(), icon: tool.icon, action: `tool.${tool.name}` }));
    this.#frame = openFrame(host, core, {
      tools: toolButtons,
      extras: [{ name: "", title: t("Undo"), icon: "undo", action: "undo" }, { name: "", title: t("Redo"), icon: "redo", action: "redo" }, { name: "", title: t("Fold the panels"), icon: "side", action: "fold_side" }],
      stage: this.#stage,
      panels: [marksPanel(core), labels, regionsPanel(core, () => this.view.surface.focus()), attributesPanel(core), answersPanel(core), guidePanel(core)],
      foot: [this.#foot.prelabels, this.#foot.tool, h("span", { class: "foot-gap" }), this.#foot.place, button("zoom_out", "zoom_out"), this.#foot.zoom, button("zoom_in", "zoom_in"), button("fit", "fit"), button("help", "help")],
      outcome: context.outcome ?? null,
    });
    this.view.onView = () => this.#drawZoom();
    this.#off.push(
      context.history.subscribe(({ document }) => this.#changed(document)),
      core.state.subscribe((now, before) => {
        if (now.tool !== before.tool) this.#switched(now.tool);
        if (now.hidden !== before.hidden) {
          this.view.setHidden(now.hidden);
          this.#stage.classList.toggle("is-hiding", now.hidden);
        }
        if (now.dropped !== before.dropped || now.prelabelsHidden !== before.prelabelsHidden) this.#layers();
        if (now.candidate !== before.candidate || now.dropped !== before.dropped || now.prelabelsHidden !== before.prelabelsHidden) drawPrelabels(core, this.#foot.prelabels);
        if (now.brush_px !== before.brush_px || now.tolerance !== before.tolerance || now.tool !== before.tool) this.#drawTool();
        if (now.selection !== before.selection) this.#selected(now.selection);
        this.#overlay();
      }),
    );
    const listen = <K extends keyof DocumentEventMap>(name: K, run: (event: DocumentEventMap[K]) => void): void => document.addEventListener(name, run, { signal: this.#stop.signal });
    listen("keydown", (event) => this.#keyDown(event));
    listen("keyup", (event) => this.#keyUp(event));
    window.addEventListener("blur", () => {
      this.#spaceHeld = false;
      if (!this.#tool.keepsOnBlur) this.#rest();
    }, { signal: this.#stop.signal });
    this.#layers();
    this.#drawZoom();
    this.#drawTool();
    drawPrelabels(core, this.#foot.prelabels);
    this.#cursor();
    this.view.surface.focus({ preventScroll: true });
    this.view.ready.then(() => this.#usable(), () => this.#unreadable());
    const first = core.candidates()[0];
    if (first) core.state.set({ candidate: first.key });
  }

  close(): void {
    this.#rest();
    this.#stop.abort();
    for (const off of this.#off) off();
    this.view.close();
    this.#frame.close();
    const { dataset } = document.documentElement;
    delete dataset["usable"];
    delete dataset["task"];
    delete dataset["regions"];
    delete dataset["prelabels"];
  }

  // ---- the picture

  #usable(): void {
    const { dataset } = document.documentElement;
    dataset["usable"] = "1";
    dataset["task"] = this.#context.work.task.id;
    dataset["regions"] = String(this.core.regions.length);
    dataset["prelabels"] = String(this.#context.work.prelabels.reduce((n, one) => n + Object.keys(one.regions).length, 0));
    performance.mark("bench-usable");
  }

  #unreadable(): void {
    this.#stage.append(h("div", { class: "stage-message", role: "alert" }, icon("warn", 28), h("h2", null, t("The picture cannot be shown.")),
      h("p", null, t("Its file did not arrive or cannot be read. What you have drawn is safe. Try again, or mark the item as unusable.")),
      h("div", { class: "stage-actions" }, h("button", { type: "button", class: "button is-primary", onclick: () => location.reload() }, t("Try again")),
        h("button", { type: "button", class: "button", onclick: () => this.core.run("unusable") }, t("Unusable…")))));
  }

  #layers(): void {
    const { prelabelsHidden } = this.core.state.get();
    const layers: Layer[] = [];
    if (!prelabelsHidden && this.#context.work.prelabels.length > 0) {
      const open = new Set(this.core.candidates().map(({ key }) => key));
      for (const prelabel of this.#context.work.prelabels) {
        const only = new Set(Object.keys(prelabel.regions).filter((id) => open.has(`${prelabel.id}/${id}`)));
        layers.push({ document: prelabel, style: { kind: "prelabel", name: prelabel.id, only } });
      }
    }
    layers.push({ document: this.core.document, style: { kind: "person" } });
    this.view.setLayers(layers);
  }

  #changed(document: { readonly regions: { readonly [id: string]: Region } }): void {
    const { selection } = this.core.state.get();
    const left = [...selection].filter((id) => document.regions[id] !== undefined);
    if (left.length !== selection.size) this.core.select(left);
    // What the tool works on was removed elsewhere: back to the mark.
    const { draft } = this.#draft();
    const gone = [...(draft.regions ?? []).map((region) => region.id), draft.tilesOf?.id ?? ""].some((id) => id !== "" && document.regions[id] === undefined);
    if (gone) this.#rest();
    this.#layers();
    drawPrelabels(this.core, this.#foot.prelabels);
    this.#overlay();
    globalThis.document.documentElement.dataset["regions"] = String(this.core.regions.length);
  }

  #selected(selection: ReadonlySet<string>): void {
    if (this.#tool.shape !== "mask" || selection.size !== 1) return;
    // With a brush in hand, taking a mask means going on with it.
    const [id] = selection;
    const region = this.core.document.regions[id!];
    if (region?.shape === "mask" && this.core.state.get().fresh !== id) this.core.state.set({ label: region.label });
  }

  // ---- tools

  #toolContext(coarse = false): ToolContext {
    const { core, view } = this;
    const { selection, label, brush_px } = core.state.get();
    return {
      document: core.document, asset: this.#asset.id, size: view.size, scale: view.view.scale, selection, label, brush_px,
      hits: (at): Hit[] => view.hits(at, coarse).map(({ region, layer, on }) => ({ region, on, prelabel: layer.style.kind === "prelabel" ? layer.style.name ?? null : null })),
      within: (bounds) => view.within(bounds),
      newId: newRegionId,
      tile: (digest) => this.#context.parts.get(digest),
      putTile: (tile) => this.#context.parts.putNow(tile),
    };
  }

  #draft(): { draft: Draft } {
    return { draft: this.#tool.draft(this.#state, this.#toolContext()) };
  }

  /** False: the tool had no use for it. */
  #feed(input: ToolInput): boolean {
    const step = this.#tool.step(this.#state, this.#toolContext("coarse" in input && input.coarse), input);
    if (step === null) return false;
    this.#state = step.state;
    if (step.pan) {
      const { scale } = this.view.view;
      this.view.panBy(step.pan.x * scale, step.pan.y * scale);
    }
    const changed = step.changes !== undefined && this.core.commit(step.changes, this.#tool.name, step.merge);
    if (step.select && (changed || step.changes === undefined)) this.core.select(step.select, step.fresh ?? false);
    if (step.candidate) this.core.lookAt(this.core.candidates().find(({ key }) => key === step.candidate));
    if (step.say) this.core.say(step.say, "info");
    if (step.assist) void this.#assist(step.assist.at);
    if (changed && step.fresh) {
      const region = this.core.selected[0];
      if (region) this.core.say(t("Drawn: {region}", { region: this.core.describe(region) }));
    }
    this.#overlay();
    return true;
  }

  #pointed(input: Extract<ToolInput, { at: Point }>): void {
    this.#crosshair = null;
    this.#keyPressed = false;
    this.#pointer = input.at;
    this.#feed(input);
    this.#drawPlace();
  }

  #hovered(at: Point | null): void {
    this.#pointer = at;
    if (at) {
      this.#crosshair = null;
      if (this.#tool.draws) this.#feed({ kind: "move", at, shift: false, alt: false, ctrl: false, coarse: false });
      else this.#cursor();
    } else if (this.#tool.shape === "mask") {
      // The tip leaves with the pointer; a stroke cannot be going on then.
      this.#state = this.#tool.rest;
    }
    this.#drawPlace();
    this.#overlay();
  }

  #rest(): void {
    this.#keyPressed = false;
    if (this.#state === this.#tool.rest) return;
    this.#state = this.#tool.rest;
    this.#overlay();
  }

  #switched(name: string): void {
    this.#rest();
    this.#tool = this.#tools.find((tool) => tool.name === name) ?? this.#tool;
    this.#state = this.#tool.rest;
    this.#crosshair = null;
    remember("tool", this.#tool.name);
    this.#selected(this.core.state.get().selection);
    this.#cursor();
    this.core.say(this.#tool.title());
  }

  async #assist(at: Point): Promise<void> {
    const { label } = this.core.state.get();
    if (label === null) return;
    this.#stage.classList.add("is-waiting");
    const shapes = new Set(regionControls(this.core.schema, this.#asset.role).flatMap((control) => control.shapes ?? []));
    const answer = await requestAssist(this.#context, this.#asset, at, this.core.state.get().tolerance, shapes);
    this.#stage.classList.remove("is-waiting");
    if (this.#stop.signal.aborted) return;
    if ("why" in answer) return this.core.say(answer.why, "warn");
    if (answer.cut) this.core.say(t("The region is larger than the tool looks at: it was cut there."), "warn");
    const z = Math.max(0, ...Object.values(this.core.document.regions).map((region) => region.z ?? 0)) + 1;
    const region: Region = { id: newRegionId(), shape: answer.shape, label, geometry: answer.geometry, attributes: {}, asset: this.#asset.id, origin: { kind: "drawn", source: "assist:click-segment" }, z };
    if (this.core.commit([{ op: "add", region }], "assist")) this.core.select([region.id], true);
  }

  #overlay(): void {
    const { selection, candidate } = this.core.state.get();
    const { draft } = this.#draft();
    const drawing = this.#tool.draws && this.#tool.shape !== "mask" && !this.#spaceHeld;
    this.view.setOverlay({
      selection, draft, candidate, crosshair: this.#crosshair,
      grips: this.#tool.name === "select" || (this.#tool.draws && this.core.state.get().fresh !== null),
      guides: drawing && this.#crosshair === null ? this.#pointer : null,
    });
  }

  #cursor(): void {
    const { surface } = this.view;
    let cursor = this.#spaceHeld ? "grab" : this.#tool.cursor;
    if (!this.#spaceHeld && this.#tool.name === "select" && this.#pointer) {
      const context = this.#toolContext();
      const grip = gripAt(context, this.#pointer);
      cursor = grip ? grip.handle.cursor : context.hits(this.#pointer).some((hit) => hit.prelabel === null && context.selection.has(hit.region.id)) ? "move" : context.hits(this.#pointer).length > 0 ? "pointer" : "default";
    }
    if (surface.style.cursor !== cursor) surface.style.cursor = cursor;
  }

  // ---- keys

  #keyDown(event: KeyboardEvent): void {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (isEditable(event.target)) {
      if (event.key === "Escape" && !composing(event)) {
        (event.target as HTMLElement).blur();
        this.view.surface.focus();
        event.preventDefault();
      } else if (!composing(event) && (event.ctrlKey || event.metaKey)) {
        const action = this.core.keys.actionOf(event, false);
        if (action === "submit" || action === "palette") this.#take(event, action);
      }
      return;
    }
    if (composing(event) && event.isComposing) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const onPicture = target === this.view.surface || target === document.body || target === null;
    // Buttons, lists and links keep the keys that belong to them.
    const theirs = !onPicture && !event.ctrlKey && !event.metaKey && (event.key === "Enter" || event.key === " " || event.key.startsWith("Arrow"));
    if (!theirs && this.#pictureKey(event)) {
      event.preventDefault();
      return;
    }
    const single = this.core.state.get().singleKeys;
    if (event.altKey && !event.ctrlKey && !event.metaKey && /^Digit[1-9]$/.test(event.code)) {
      const label = this.core.labelAt(event.code.slice(5));
      if (label) this.core.chooseLabel(label.name, true);
      event.preventDefault();
      return;
    }
    const action = this.core.keys.actionOf(event, single);
    if (action && !theirs) this.#take(event, action);
    else if (single && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1 && answerByKey(this.core, event.key)) event.preventDefault();
  }

  #take(event: KeyboardEvent, action: string): void {
    if (!this.core.commands.has(action)) return;
    event.preventDefault();
    if (event.repeat && ["submit", "skip", "keep", "drop", "unusable"].includes(action)) return;
    this.core.run(action);
  }

  /** Escape, arrows, Enter, space, Backspace: what they do depends on the tool. True: done. */
  #pictureKey(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey) return false;
    const key = event.key === "Process" || event.key === "Unidentified" ? event.code : event.key;
    switch (key) {
      case "Escape": {
        const busy = this.#state !== this.#tool.rest;
        this.#rest();
        if (!busy && this.core.state.get().selection.size > 0) this.core.select([]);
        else if (!busy && this.core.state.get().candidate) this.core.lookAt(undefined);
        else if (!busy && this.#crosshair) this.#crosshair = null;
        this.#overlay();
        return true;
      }
      case "ArrowLeft": return this.#arrow(-1, 0, event);
      case "ArrowRight": return this.#arrow(1, 0, event);
      case "ArrowUp": return this.#arrow(0, -1, event);
      case "ArrowDown": return this.#arrow(0, 1, event);
      case "Enter":
        if (this.#feed({ kind: "enter" })) return true;
        if (this.#crosshair && this.#tool.draws) return this.#press(event.repeat);
        if (this.core.candidate()) {
          this.core.keepCandidate(true);
          return true;
        }
        return false;
      case " ":
      case "Space":
        if (event.shiftKey || event.altKey) return false;
        if (this.#crosshair && this.#tool.draws) return this.#press(event.repeat);
        this.#spaceHeld = true;
        this.#cursor();
        this.#overlay();
        return true;
      case "Backspace":
        return this.#feed({ kind: "backspace" });
      case "Delete":
        return this.#feed({ kind: "delete" });
      default:
        return false;
    }
  }

  #keyUp(event: KeyboardEvent): void {
    if (event.code !== "Space" || !this.#spaceHeld) return;
    this.#spaceHeld = false;
    this.#cursor();
    this.#overlay();
  }

  #arrow(x: number, y: number, event: KeyboardEvent): boolean {
    const step = event.shiftKey ? 10 : 1;
    const dx = x * step, dy = y * step;
    const { selection } = this.core.state.get();
    const drafting = this.#state !== this.#tool.rest && !(this.#tool.shape === "mask" && !this.#keyPressed);
    if (this.#tool.draws && (selection.size === 0 || this.#tool.shape === "mask" || drafting) && !event.altKey) {
      this.#moveCrosshair(dx, dy);
      return true;
    }
    if (selection.size === 0) {
      this.view.panBy(-x * 40 * (event.shiftKey ? 4 : 1), -y * 40 * (event.shiftKey ? 4 : 1));
      return true;
    }
    if (this.#feed({ kind: "nudge", dx, dy, resize: event.altKey })) return true;
    const { changes, say } = nudge(this.#toolContext(), dx, dy, event.altKey);
    this.core.commit(changes, "nudge", `nudge:${event.altKey ? "size" : "place"}:${[...selection].sort().join()}`);
    if (say) this.core.say(say, "info");
    return true;
  }

  #moveCrosshair(dx: number, dy: number): void {
    const { size, view, pane } = this.view;
    if (!this.#crosshair) {
      const seen = visible(view, pane);
      const start = this.#pointer ?? { x: (Math.max(0, seen.x0) + Math.min(size.width, seen.x1)) / 2, y: (Math.max(0, seen.y0) + Math.min(size.height, seen.y1)) / 2 };
      this.#placeCrosshair(Math.round(start.x), Math.round(start.y));
      if (this.#pointer) this.#placeCrosshair(this.#crosshair!.x + dx, this.#crosshair!.y + dy);
      return;
    }
    this.#placeCrosshair(this.#crosshair.x + dx, this.#crosshair.y + dy);
  }

  #placeCrosshair(x: number, y: number): void {
    const { size, view, pane } = this.view;
    this.#crosshair = { x: Math.max(0, Math.min(size.width, x)), y: Math.max(0, Math.min(size.height, y)) };
    this.#pointer = null;
    const seen = visible(view, pane);
    const margin = 24 / view.scale;
    const by = {
      x: Math.min(0, this.#crosshair.x - margin - seen.x0) + Math.max(0, this.#crosshair.x + margin - seen.x1),
      y: Math.min(0, this.#crosshair.y - margin - seen.y0) + Math.max(0, this.#crosshair.y + margin - seen.y1),
    };
    if (by.x !== 0 || by.y !== 0) this.view.panBy(-by.x * view.scale, -by.y * view.scale);
    this.#feed({ kind: "move", at: this.#crosshair, shift: false, alt: false, ctrl: false, coarse: false });
    this.#drawPlace();
    this.#overlay();
  }

  /** Space and Enter at the cross-hair: a click where the tool clicks, else press at the first and release at the second. */
  #press(repeat: boolean): boolean {
    if (repeat || !this.#crosshair) return true;
    const input = { at: this.#crosshair, shift: false, alt: false, ctrl: false, coarse: false } as const;
    if (this.#tool.clicks) {
      this.#feed({ kind: "down", ...input });
      this.#feed({ kind: "up", ...input });
    } else if (this.#keyPressed) {
      this.#keyPressed = false;
      this.#feed({ kind: "up", ...input });
    } else {
      this.#feed({ kind: "down", ...input });
      this.#keyPressed = this.#state !== this.#tool.rest;
      if (this.#keyPressed) this.core.say(t("Pressed at {x}, {y}. Go on with the arrows, press again to release.", { x: this.#crosshair.x, y: this.#crosshair.y }));
    }
    return true;
  }

  // ---- commands

  #commands(): void {
    const { core, view } = this;
    const { actions, work } = this.#context;
    const add = (name: string, title: string, group: string, run: () => void, enabled?: () => boolean): void => core.command(name, enabled ? { title, group, run, enabled } : { title, group, run });
    const toolsGroup = t("Tools"), look = t("View"), edit = t("Edit"), task = t("Task"), labels = t("Labels and objects");
    for (const tool of this.#tools) add(`tool.${tool.name}`, tool.title(), toolsGroup, () => {
      core.state.set({ tool: tool.name });
      this.view.surface.focus();
    });
    if (this.#tools.some((tool) => tool.shape === "mask" || tool.name === "assist")) {
      add("smaller", t("Smaller brush, tighter tolerance"), toolsGroup, () => this.#brush(-1));
      add("larger", t("Larger brush, wider tolerance"), toolsGroup, () => this.#brush(1));
    }
    add("find_label", t("Find a label"), labels, () => this.#labels.find());
    for (let digit = 1; digit <= 9; digit++) {
      const label = core.labelAt(String(digit));
      if (label) add(`label_${digit}`, t("Label: {label}", { label: core.nameOf(label.name) }), labels, () => core.chooseLabel(label.name));
    }
    add("previous", t("Previous object"), labels, () => void (this.#feed({ kind: "walk", by: -1 }) || core.walk(-1)));
    add("next", t("Next object"), labels, () => void (this.#feed({ kind: "walk", by: 1 }) || core.walk(1)));
    prelabelCommands(core);
    add("undo", t("Undo"), edit, () => core.undo(), () => true);
    add("redo", t("Redo"), edit, () => core.redo(), () => true);
    add("remove", t("Delete the selection"), edit, () => core.removeSelected());
    add("select_all", t("Select all"), edit, () => {
      core.state.set({ tool: "select" });
      core.select(core.regions.map((region) => region.id));
    });
    add("copy", t("Copy"), edit, () => {
      this.#clipboard = core.selected;
      if (this.#clipboard.length > 0) core.say(t("Copied: {n}", { n: this.#clipboard.length }));
    });
    add("paste", t("Paste"), edit, () => this.#paste());
    add("hide", t("Hide or show objects"), look, () => {
      core.state.set({ hidden: !core.state.get().hidden });
      core.say(core.state.get().hidden ? t("Objects hidden.") : t("Objects shown."));
    });
    add("zoom_in", t("Zoom in"), look, () => view.zoomBy(1.25, this.#screenPointer()));
    add("zoom_out", t("Zoom out"), look, () => view.zoomBy(0.8, this.#screenPointer()));
    add("fit", t("Whole picture"), look, () => view.fit());
    add("one_to_one", t("One to one"), look, () => view.oneToOne());
    add("fold_side", t("Fold the panels"), look, () => toggleSide(this.#frame.element));
    if (work.assignment.stage !== "check") add("submit", t("Submit"), task, () => void this.#ends.submit());
    add("skip", t("Skip with a reason…"), task, () => void this.#ends.end("skip"));
    add("unusable", t("Mark as unusable…"), task, () => void this.#ends.end("unusable"));
    if (actions.park && work.assignment.parkable) add("park", t("Park: keep the seat for later"), task, () => void actions.park!());
    add("palette", t("Commands…"), task, () => openPalette(this.#frame.element, core, this.#tools.some((tool) => tool.draws) ? (x, y) => this.#goTo(x, y) : null));
    add("help", t("Keys…"), task, () => openSheet(this.#frame.element, core));
  }

  #goTo(x: number, y: number): void {
    if (!this.#tool.draws) this.core.state.set({ tool: this.#tools.find((tool) => tool.draws)!.name });
    this.view.surface.focus();
    this.#placeCrosshair(x, y);
  }

  #screenPointer(): Point | undefined {
    const at = this.#crosshair ?? this.#pointer;
    return at ? { x: at.x * this.view.view.scale + this.view.view.x, y: at.y * this.view.view.scale + this.view.view.y } : undefined;
  }

  #brush(by: 1 | -1): void {
    if (this.#tool.name === "assist") return this.#setTolerance(this.core.state.get().tolerance + by * 8);
    const now = this.core.state.get().brush_px;
    const step = now < 10 ? 1 : now < 30 ? 2 : now < 80 ? 5 : 20;
    this.#setBrush(now + by * step);
  }

  #setBrush(px: number): void {
    const brush_px = Math.max(1, Math.min(400, Math.round(px)));
    this.core.state.set({ brush_px });
    remember("brush", brush_px);
    this.core.say(t("Brush {n} px", { n: brush_px }));
  }

  /** Largest difference of a colour channel, 0..255. */
  #setTolerance(value: number): void {
    const tolerance = Math.max(4, Math.min(160, Math.round(value)));
    this.core.state.set({ tolerance });
    remember("tolerance", tolerance);
    this.core.say(t("Tolerance {n}", { n: tolerance }));
  }

  #paste(): void {
    const changes: Change[] = [];
    const ids: string[] = [];
    let document = this.core.document;
    for (const region of this.#clipboard) {
      const shape = shapeOf(region);
      const bounds = shape?.bounds(region.geometry);
      const shift = bounds ? clampMove(bounds, 12 / this.view.view.scale, 12 / this.view.view.scale, this.view.size) : { dx: 0, dy: 0 };
      const id = newRegionId();
      const change = copied(document, region, shape?.move(region.geometry, shift.dx, shift.dy) ?? region.geometry, id);
      changes.push(change);
      if (change.op === "add") document = { ...document, regions: { ...document.regions, [id]: change.region } };
      ids.push(id);
    }
    if (this.core.commit(changes, "paste")) {
      this.core.select(ids);
      this.#clipboard = this.core.selected;
    }
  }

  // ---- the foot

  #drawZoom(): void {
    const { scale } = this.view.view;
    setText(this.#foot.zoom, `${scale >= 1 ? Math.round(scale * 100) : Math.round(scale * 1000) / 10} %`);
  }

  #drawPlace(): void {
    const at = this.#crosshair ?? this.#pointer;
    setText(this.#foot.place, at ? `${Math.floor(at.x)}, ${Math.floor(at.y)}` : "");
  }

  #drawTool(): void {
    const { tool } = this.#foot;
    const { brush_px, tolerance } = this.core.state.get();
    const keys = `${this.core.keys.shown("smaller")} / ${this.core.keys.shown("larger")}`;
    // The brush's slider is logarithmic: the first pixels matter most.
    const kind = this.#tool.shape === "mask"
      ? { name: "brush", title: t("Brush"), min: 0, max: Math.round(Math.log2(400) * 100), value: Math.round(Math.log2(brush_px) * 100), text: t("{n} px", { n: brush_px }), set: (value: number) => this.#setBrush(2 ** (value / 100)) }
      : this.#tool.name === "assist" ? { name: "assist", title: t("Tolerance"), min: 4, max: 160, value: tolerance, text: String(tolerance), set: (value: number) => this.#setTolerance(value) } : null;
    if (!kind) {
      tool.replaceChildren();
      return;
    }
    const known = tool.querySelector("input");
    if (known?.name === kind.name) {
      known.value = String(kind.value);
      setText(tool.querySelector(".brush-size")!, kind.text);
      return;
    }
    const slider = h("input", { type: "range", name: kind.name, min: kind.min, max: kind.max, step: 1, value: kind.value, "aria-label": kind.title, title: `${kind.title} (${keys})`,
      oninput: () => kind.set(Number(slider.value)), onchange: () => this.view.surface.focus() });
    tool.replaceChildren(h("span", { class: "quiet" }, kind.title), slider, h("span", { class: "brush-size" }, kind.text));
  }
}

export function openBench(host: HTMLElement, context: BenchContext): PictureBench {
  const pictures = context.work.item.assets.filter((asset) => asset.kind === "image");
  const asset = context.work.item.assets.find((one) => one.id === context.asset) ?? pictures[0];
  if (!asset) throw new Error("this item has no picture");
  const bench = new Bench(host, context, asset);
  return { view: bench.view, get selection() { return bench.core.state.get().selection; }, close: () => bench.close(), focus: (id) => {
    bench.core.select([id]);
    bench.view.focus(id);
  } };
}

export { openBench as mountPictureBench };
