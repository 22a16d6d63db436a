/**
 * What every bench needs whatever it shows: the state of the screen, the one way to change the document, the commands
 * that keys, palette and buttons share, and the walk through prelabels. Knows neither pictures nor text.
 */

import { newRegionId } from "../core/ids.ts";
import { t, titleOf, tn } from "../core/i18n.ts";
import { labelNamed, labelsFor, regionControls, regionsOnAsset } from "../document/select.ts";
import type { Asset, Change, Document, Json, Label, Prelabel, Region, Schema } from "../document/types.ts";
import { Keys } from "../input/keymap.ts";
import { shapeOf } from "../shapes/registry.ts";
import { keep, setLabel, usedPrelabels } from "../tools/edits.ts";
import { labelColors } from "./colours.ts";
import { NO_SELECTION, type BenchContext, type BenchState } from "./context.ts";
import { recall, remember } from "./settings.ts";
import { Store } from "./store.ts";
import { toast, type Tone } from "./toast.ts";

export interface Command { readonly title: string; readonly group: string; run(): void; enabled?(): boolean }
export interface Candidate { readonly key: string; readonly prelabel: Prelabel; readonly region: Region }

export class BenchCore {
  readonly context: BenchContext;
  readonly schema: Schema;
  readonly asset: Asset | null;
  readonly state: Store<BenchState>;
  readonly keys: Keys;
  readonly labels: readonly Label[];
  readonly colorOf: (label: string) => string;
  readonly commands = new Map<string, Command>();
  /** Brings a region into view; the bench that can sets it. */
  reveal: (regionId: string) => void = () => undefined;
  /** Anything that must be called off before the document is replaced or left (a stroke, a draft). */
  rest: () => void = () => undefined;
  readonly #live: HTMLElement;

  constructor(context: BenchContext, asset: Asset | null, live: HTMLElement, first: Partial<BenchState> = {}) {
    this.context = context;
    this.schema = context.work.schema.document;
    this.asset = asset;
    this.#live = live;
    this.keys = new Keys(context.boot.keys);
    this.labels = labelsFor(this.schema, asset ? regionControls(this.schema, asset.role) : []);
    this.colorOf = labelColors(this.schema);
    const last = recall<string | null>(`label.${context.work.schema.id}`, null);
    this.state = new Store<BenchState>({
      selection: NO_SELECTION, fresh: null, tool: "select",
      label: this.labels.find((label) => label.name === last)?.name ?? this.labels[0]?.name ?? null,
      asset: asset?.id ?? "", hidden: false, prelabelsHidden: false, brush_px: 12, tolerance: 40, candidate: null,
      dropped: new Set(recall<string[]>(`dropped.${context.work.assignment.id}`, [])),
      // The profile's switch, unless this browser's sheet of keys said otherwise since.
      singleKeys: recall("single_keys", (context.boot.keys as { readonly [name: string]: unknown })["single"] !== false), ...first,
    });
  }

  get document(): Document {
    return this.context.history.document;
  }

  /** Own regions on the asset in view, in drawing order. */
  get regions(): Region[] {
    return this.asset ? regionsOnAsset(this.document, this.asset.id) : [];
  }

  nameOf = (label: string): string => titleOf(labelNamed(this.schema, label)?.title) || label;

  /** For a screen reader; shown too when a tone is given. */
  say(text: string, tone?: Tone): void {
    // The same words twice must be read twice.
    this.#live.textContent = this.#live.textContent === text ? `${text}\u00a0` : text;
    if (tone) toast(text, tone);
  }

  command(name: string, command: Command): void {
    this.commands.set(name, command);
  }

  run(name: string): boolean {
    const command = this.commands.get(name);
    if (!command || command.enabled?.() === false) return false;
    command.run();
    return true;
  }

  /** The one way to change the document. False: nothing changed (and the person was told why if it is news). */
  commit(changes: readonly Change[], origin: string, merge?: string): boolean {
    if (changes.length === 0) return false;
    try {
      this.context.history.commit(changes.map((change) => this.#dressed(change)), origin, merge === undefined ? undefined : { merge });
      return true;
    } catch (error) {
      this.rest();
      this.say(t("That could not be done: the object has changed meanwhile."), "warn");
      console.warn(error);
      return false;
    }
  }

  /** A new region starts with its label's default values. */
  #dressed(change: Change): Change {
    if (change.op !== "add" || change.region.origin.kind !== "drawn") return change;
    const defaults = this.#defaults(change.region.label);
    return Object.keys(defaults).length === 0 ? change : { op: "add", region: { ...change.region, attributes: { ...defaults, ...change.region.attributes } } };
  }

  #defaults(label: string): { [name: string]: Json } {
    const values: { [name: string]: Json } = {};
    for (const attribute of labelNamed(this.schema, label)?.attributes ?? []) {
      if (attribute.default !== undefined && attribute.default !== null) values[attribute.name] = attribute.default;
    }
    return values;
  }

  undo(): void {
    this.rest();
    if (this.context.history.undo() === null) this.say(t("Nothing to undo."));
    else this.say(t("Undone."));
  }

  redo(): void {
    this.rest();
    if (this.context.history.redo() === null) this.say(t("Nothing to redo."));
    else this.say(t("Redone."));
  }

  // ---- selection

  select(ids: readonly string[], fresh = false): void {
    this.state.set({ selection: ids.length === 0 ? NO_SELECTION : new Set(ids), fresh: fresh ? ids[0] ?? null : null, ...(ids.length > 0 ? { candidate: null } : {}) });
  }

  get selected(): Region[] {
    return [...this.state.get().selection].map((id) => this.document.regions[id]).filter((region): region is Region => region !== undefined);
  }

  walk(by: 1 | -1): void {
    const regions = this.regions;
    if (regions.length === 0) return this.say(t("There are no objects yet."));
    const [current] = this.state.get().selection;
    const at = regions.findIndex((region) => region.id === current);
    const next = regions[at < 0 ? (by > 0 ? 0 : regions.length - 1) : (at + by + regions.length) % regions.length]!;
    this.select([next.id]);
    this.reveal(next.id);
    this.say(this.describe(next));
  }

  describe(region: Region): string {
    const regions = this.regions;
    return t("{label}, {shape}, {n} of {total}", {
      label: this.nameOf(region.label), shape: shapeOf(region)?.title() ?? region.shape, n: regions.findIndex((r) => r.id === region.id) + 1, total: regions.length,
    });
  }

  removeSelected(): void {
    const regions = this.selected;
    if (regions.length === 0) return;
    // The neighbour is selected next, so that a row of deletes needs no pointer.
    const order = this.regions;
    const at = order.findIndex((region) => region.id === regions[0]!.id);
    if (!this.commit(regions.map((region): Change => ({ op: "remove", region })), "remove")) return;
    const left = this.regions;
    const next = regions.length === 1 && this.state.get().tool === "select" ? left[Math.min(at, left.length - 1)] : undefined;
    this.select(next ? [next.id] : []);
    this.say(tn("{n} object removed.", "{n} objects removed.", regions.length));
  }

  // ---- labels

  /** Digits: the next object's label; and that of what is selected, unless it was drawn a moment ago. */
  chooseLabel(name: string, relabel?: boolean): void {
    const { selection, fresh } = this.state.get();
    const label = labelNamed(this.schema, name);
    if (!label) return;
    const changes = relabel ?? (selection.size > 0 && !(selection.size === 1 && fresh !== null && selection.has(fresh)));
    if (changes && selection.size > 0) {
      const known = new Set((label.attributes ?? []).map((attribute) => attribute.name));
      const all = this.selected.flatMap((region) => setLabel(region, name, known, this.#defaults(name)));
      this.commit(all, "relabel");
    }
    this.state.set({ label: name });
    remember(`label.${this.context.work.schema.id}`, name);
    this.say(changes ? t("Label: {label}", { label: this.nameOf(name) }) : t("Next label: {label}", { label: this.nameOf(name) }));
  }

  /** The label of a hotkey: the schema's own, else its place in the list. */
  labelAt(digit: string): Label | undefined {
    return this.labels.find((label) => label.hotkey === digit) ?? (this.labels.some((label) => label.hotkey) ? undefined : this.labels[Number(digit) - 1]);
  }

  hotkeyOf(label: Label): string {
    if (label.hotkey) return label.hotkey;
    const index = this.labels.indexOf(label);
    return !this.labels.some((other) => other.hotkey) && index >= 0 && index < 9 ? String(index + 1) : "";
  }

  // ---- prelabels

  /** Undecided ones on the asset in view, in reading order. */
  candidates(): Candidate[] {
    const used = usedPrelabels(this.document);
    const { dropped, prelabelsHidden } = this.state.get();
    if (prelabelsHidden) return [];
    const found: (Candidate & { x: number; y: number })[] = [];
    for (const prelabel of this.context.work.prelabels) {
      for (const region of Object.values(prelabel.regions)) {
        const key = `${prelabel.id}/${region.id}`;
        if (used.has(key) || dropped.has(key) || (region.asset !== null && region.asset !== this.asset?.id)) continue;
        const bounds = shapeOf(region)?.bounds(region.geometry);
        found.push({ key, prelabel, region, x: bounds?.x0 ?? 0, y: bounds?.y0 ?? 0 });
      }
    }
    // Rows of a sixteenth of the picture: the eye goes along, not up and down by single pixels.
    const row = Math.max(1, (this.asset?.height ?? 16) / 16);
    return found.sort((a, b) => Math.floor(a.y / row) - Math.floor(b.y / row) || a.x - b.x || (a.key < b.key ? -1 : 1));
  }

  candidate(): Candidate | null {
    const { candidate } = this.state.get();
    return candidate === null ? null : this.candidates().find(({ key }) => key === candidate) ?? null;
  }

  lookAt(candidate: Candidate | undefined): void {
    this.state.set({ candidate: candidate?.key ?? null, ...(candidate ? { selection: NO_SELECTION, fresh: null } : {}) });
    if (!candidate) return;
    this.reveal(candidate.key);
    this.say(t("Prelabel of {source}: {label}", { source: candidate.prelabel.source, label: this.nameOf(candidate.region.label) }));
  }

  /** The one after the one in view; the list may have lost it meanwhile. */
  #following(candidate: Candidate, before: readonly Candidate[]): Candidate | undefined {
    const left = this.candidates();
    const after = before.slice(before.findIndex(({ key }) => key === candidate.key) + 1).map(({ key }) => key);
    return left.find(({ key }) => key === after.find((wanted) => left.some((one) => one.key === wanted))) ?? left[0];
  }

  nextCandidate(): void {
    const all = this.candidates();
    if (all.length === 0) return this.say(t("Every prelabel has been looked at."));
    const at = all.findIndex(({ key }) => key === this.state.get().candidate);
    this.lookAt(all[(at + 1) % all.length]);
  }

  keepCandidate(thenSelect = false): void {
    const candidate = this.candidate();
    if (!candidate) return this.nextCandidate();
    const before = this.candidates();
    const id = newRegionId();
    if (!this.commit(keep(this.document, candidate.prelabel, candidate.region, id), "keep")) return;
    if (thenSelect) this.select([id]);
    else {
      this.lookAt(this.#following(candidate, before));
      if (!this.state.get().candidate) this.say(t("Kept. Every prelabel has been looked at."));
    }
  }

  dropCandidate(): void {
    const candidate = this.candidate();
    if (!candidate) return this.nextCandidate();
    const before = this.candidates();
    this.#setDropped(new Set([...this.state.get().dropped, candidate.key]));
    this.lookAt(this.#following(candidate, before));
    if (!this.state.get().candidate) this.say(t("Dropped. Every prelabel has been looked at."));
  }

  /** Takes the last drop back; drops are of this sitting's screen, not of the document, so undo does not know them. */
  restoreDropped(): void {
    const keys = [...this.state.get().dropped];
    const last = keys.pop();
    if (last === undefined) return this.say(t("No prelabel was dropped."));
    this.#setDropped(new Set(keys));
    this.lookAt(this.candidates().find(({ key }) => key === last));
  }

  #setDropped(dropped: ReadonlySet<string>): void {
    this.state.set({ dropped });
    remember(`dropped.${this.context.work.assignment.id}`, [...dropped]);
  }
}
