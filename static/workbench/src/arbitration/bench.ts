/**
 * Arbitration: the differences as a list, one key to the next, what differs loud in one overlay or in a column a side.
 * Holds the decisions (kept as a draft in the outbox, so a reload or crash loses none) and sends one verdict. The sides
 * stand in the order in which the server gave them, and nothing here says whose they are.
 */
import { newIdempotencyKey, newRegionId } from "../core/ids.ts";
import { t, titleOf, tn } from "../core/i18n.ts";
import { ago, duration } from "../core/time.ts";
import { labelNamed } from "../document/select.ts";
import type { Asset, Difference, Document, Json, Region, Work } from "../document/types.ts";
import { chordsOf } from "../input/keymap.ts";
import { loadPicture } from "../sync/pictures.ts";
import { reasonOf } from "../sync/session.ts";
import type { Api } from "../sync/api.ts";
import { toBase64 } from "../sync/api.ts";
import type { ActiveTime } from "../sync/active.ts";
import type { OutboxStore, Seat } from "../sync/store.ts";
import { partsOf } from "../document/changes.ts";
import { isWide, loadText } from "../text/load.ts";
import { TextView } from "../text/view.ts";
import { labelColors } from "../ui/colours.ts";
import type { BenchContext } from "../ui/context.ts";
import { ask } from "../ui/dialog.ts";
import { fill, h, isEditable, setText, setVar } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { markdown } from "../ui/markdown.ts";
import { field, type FieldAbout } from "../ui/panels/fields.ts";
import { errorType } from "../ui/panels/notes.ts";
import { recall, remember } from "../ui/settings.ts";
import { toast } from "../ui/toast.ts";
import { PictureView, type Layer } from "../view/canvas.ts";
import { editRegion } from "./edit.ts";
import { disputeOf, type Decision, type Decisions, type Dispute, sidesOf } from "./kind.ts";
import { fitting, kindOf, listed, median, needed, preview, undecided, verdictBody } from "./verdict.ts";

/** Told apart by colour-blind eyes, on light and dark pictures, and never a label's colour. */
export const SIDE_COLORS: readonly string[] = ["#2f7bff", "#ff8a00", "#a259ff", "#00a896", "#d7263d", "#8d6e63", "#5c7cfa", "#94a60a", "#e64980", "#495057"];
const REASONS: readonly (readonly [string, () => string])[] = [
  ["clear", () => t("clear from the guideline")], ["guideline", () => t("the guideline is silent or unclear")],
  ["hard_case", () => t("a hard case")], ["both_wrong", () => t("all sides wrong")], ["other", () => t("other")],
];

interface Draft { readonly decisions: Decisions; readonly spent: { readonly [difference: string]: number }; readonly reason: string }

export interface ArbitrationParts {
  readonly context: BenchContext;
  readonly api: Api;
  readonly store: OutboxStore;
  readonly active: ActiveTime;
  done(): Promise<void>;
  leave(): void;
}

type Pane =
  | { readonly kind: "picture"; readonly side: string | null; readonly asset: Asset; readonly view: PictureView }
  | { readonly kind: "text"; readonly side: string | null; readonly asset: Asset; readonly view: TextView };

class Arbitration {
  readonly #o: ArbitrationParts;
  readonly #work: Work;
  readonly #seat: Seat;
  readonly #dispute: Dispute;
  readonly #order: readonly Difference[];
  readonly #colorOf: (label: string) => string;
  readonly #stop = new AbortController();
  readonly #root: HTMLElement;
  readonly #stage: HTMLElement;
  readonly #list: HTMLElement;
  readonly #card: HTMLElement;
  readonly #foot: HTMLElement;
  readonly #send: HTMLButtonElement;
  readonly #kept: HTMLElement;
  readonly #live: HTMLElement;
  #decisions: Decisions = {};
  #spent: { [difference: string]: number } = {};
  #reason = "";
  #past: Decisions[] = [];
  #future: Decisions[] = [];
  #at = 0;
  #columns: boolean;
  #panes: Pane[] = [];
  #asset: Asset | null;
  #keptAt: number | null = null;
  #editing = false;
  #sending = false;
  readonly #texts = new Map<string, string>();
  readonly #timer: number;

  constructor(host: HTMLElement, parts: ArbitrationParts, draft: Draft | null) {
    this.#o = parts;
    const { work, boot } = parts.context;
    this.#work = work;
    this.#seat = { account: boot.account.id, assignment: work.assignment.id };
    const schema = work.schema.document;
    const labelName = (label: string | null): string => titleOf(labelNamed(schema, label ?? "")?.title) || label || t("the whole item");
    this.#dispute = disputeOf(work, labelName, (difference, value) => this.#valueText(difference, value));
    this.#order = listed(this.#dispute.differences);
    this.#colorOf = labelColors(schema);
    this.#columns = recall("arbitration.columns", false);
    this.#asset = work.item.assets.find((asset) => asset.kind === "image") ?? work.item.assets[0] ?? null;
    if (draft) {
      this.#decisions = fitting(this.#dispute, draft.decisions);
      this.#spent = { ...draft.spent };
      this.#reason = draft.reason;
    }
    this.#live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.#stage = h("main", { class: "bench-stage arbitration-stage" });
    this.#list = h("div", { class: "difference-list", role: "listbox", tabindex: 0, "aria-label": t("Differences") });
    this.#card = h("div", { class: "difference-card" });
    this.#foot = h("div", { class: "arbitration-count" });
    this.#kept = h("span", { class: "save", role: "status" });
    this.#send = h("button", { type: "button", class: "button is-primary", "data-action": "verdict", onclick: () => void this.#verdict() }, t("Verdict…"), h("kbd", null, "Ctrl ⏎"));
    const guide = titleOf(schema.guideline?.text);
    this.#root = h("div", { class: "bench arbitration" },
      h("header", { class: "bench-top" },
        h("a", { class: "icon-button", href: boot.urls["desk"] ?? "/", title: t("Back to the desk"), "aria-label": t("Back to the desk") }, icon("back")),
        h("div", { class: "bench-where" }, h("span", { class: "bench-project" }, work.project.title), h("span", { class: "bench-item" }, work.item.key ?? work.item.id)),
        h("div", { class: "bench-facts" }, h("span", { class: "stage-chip" }, t("arbitrate")), this.#kept),
        h("div", { class: "bench-ends" },
          h("button", { type: "button", class: "button", "data-action": "flip", onclick: () => this.#flip() }, t("Overlay or columns"), h("kbd", null, "O")),
          h("button", { type: "button", class: "button", "data-action": "return", onclick: () => void this.#return() }, t("Return…"), h("kbd", null, "B")),
          this.#send)),
      this.#stage,
      h("aside", { class: "bench-side", "aria-label": t("Differences") }, this.#card, this.#list,
        guide === "" ? null : h("details", { class: "arbitration-guide", open: true }, h("summary", null, t("Guideline")), h("div", { class: "guide" }, markdown(guide)))),
      h("footer", { class: "bench-foot" }, this.#foot, h("span", { class: "foot-gap" }), h("span", { class: "quiet" }, t("1 2 3 take a side · 0 none · e edit · [ ] walk · ctrl z undo")), this.#live));
    host.append(this.#root);
    document.addEventListener("keydown", (event) => this.#key(event), { signal: this.#stop.signal });
    this.#timer = window.setInterval(() => this.#drawKept(), 1000);
    const first = undecided(this.#dispute, this.#decisions)[0];
    this.#at = first ? this.#order.indexOf(first) : 0;
    this.#chooseAsset();
    void this.#layout();
    this.#draw();
  }

  close(): void {
    this.#stop.abort();
    window.clearInterval(this.#timer);
    for (const pane of this.#panes) pane.view.close();
    this.#root.remove();
    delete document.documentElement.dataset["usable"];
  }

  get #current(): Difference | undefined { return this.#order[this.#at]; }

  #valueText(difference: Difference, value: Json): string {
    if (value === null || value === undefined) return t("nothing");
    const schema = this.#work.schema.document;
    const about = difference.kind === "attribute"
      ? labelNamed(schema, difference.label ?? "")?.attributes?.find((one) => one.name === difference.field)
      : schema.controls.find((control) => control.name === difference.field);
    const one = (name: Json): string => titleOf(about?.options?.find((option) => option.name === name)?.title) || (typeof name === "object" ? JSON.stringify(name) : String(name));
    if (value === true) return t("yes");
    if (value === false) return t("no");
    return Array.isArray(value) ? value.map(one).join(", ") : one(value);
  }

  // --- decisions ---

  #decide(decision: Decision): void {
    const current = this.#current;
    if (!current || this.#sending) return;
    this.#past.push(this.#decisions);
    this.#future = [];
    this.#decisions = { ...this.#decisions, [current.id]: decision };
    this.#spent[current.id] = (this.#spent[current.id] ?? 0) + this.#o.active.take(Date.now());
    void this.#keep();
    this.#say(t("Decided: {choice}", { choice: this.#choiceText(current, decision) }));
    const open = undecided(this.#dispute, this.#decisions);
    const next = open.find((one) => this.#order.indexOf(one) > this.#at) ?? open[0];
    if (next) this.#go(this.#order.indexOf(next));
    else this.#draw();
    if (open.length === 0) this.#send.focus();
  }

  #step(from: Decisions[], to: Decisions[]): void {
    const before = from.pop();
    if (!before) return;
    to.push(this.#decisions);
    const changed = this.#order.findIndex((one) => before[one.id] !== this.#decisions[one.id]);
    this.#decisions = before;
    void this.#keep();
    this.#go(changed < 0 ? this.#at : changed);
  }

  /** The draft goes to the outbox at every decision; the bar says since when it is kept. */
  async #keep(): Promise<void> {
    const draft: Draft = { decisions: this.#decisions, spent: this.#spent, reason: this.#reason };
    try {
      await this.#o.store.putDraft(this.#seat, draft);
      this.#keptAt = Date.now();
    } catch (error) {
      this.#keptAt = null;
      toast(t("this browser could not keep it: {reason}", { reason: String(error) }), "bad");
    }
    this.#drawKept();
  }

  #choiceText(difference: Difference, decision: Decision): string {
    if (decision.choice === "none") return kindOf(difference)?.none(difference, this.#dispute) ?? t("none");
    if (decision.choice === "edit") {
      return decision.value !== undefined ? this.#valueText(difference, decision.value) : t("as edited");
    }
    const offer = kindOf(difference)?.offer(difference, decision.choice, this.#dispute);
    return offer ? `${decision.choice} · ${offer.text}` : decision.choice;
  }

  // --- walking ---

  #go(at: number): void {
    this.#at = Math.max(0, Math.min(this.#order.length - 1, at));
    if (this.#chooseAsset()) void this.#layout();
    this.#draw();
  }

  /** The asset that the current difference lies on. True: another one than before. */
  #chooseAsset(): boolean {
    const current = this.#current;
    const region = current && sidesOf(current, this.#dispute).map((side) => this.#dispute.regionOf(current, side)).find((one) => one !== null);
    const wanted = this.#work.item.assets.find((asset) => asset.id === region?.asset);
    if (!wanted || wanted === this.#asset) return false;
    this.#asset = wanted;
    return true;
  }

  #flip(): void {
    this.#columns = !this.#columns;
    remember("arbitration.columns", this.#columns);
    void this.#layout();
  }

  // --- the stage ---

  async #layout(): Promise<void> {
    for (const pane of this.#panes) pane.view.close();
    this.#panes = [];
    const asset = this.#asset;
    const sides: (string | null)[] = this.#columns ? this.#dispute.sides.map((side) => side.key) : [null];
    if (!asset) return;
    let text: string | null = null;
    if (asset.kind === "text") {
      try {
        text = this.#texts.get(asset.id) ?? await loadText(asset);
      } catch {
        fill(this.#stage, h("div", { class: "stage-message", role: "alert" }, t("The text cannot be shown.")));
        return;
      }
      this.#texts.set(asset.id, text);
      if (this.#stop.signal.aborted || asset !== this.#asset) return;
    }
    const hosts = sides.map((side) => {
      const host = h("div", { class: `arbitration-pane${asset.kind === "text" ? " text-stage" : " picture-stage"}${text !== null && isWide(text) ? " is-cjk" : ""}` });
      if (side === null) return { host, column: host };
      const name = h("div", { class: "arbitration-side" }, side);
      setVar(name, "--side-color", this.#color(side));
      return { host, column: h("div", { class: "arbitration-column" }, name, host) };
    });
    fill(this.#stage, ...hosts.map(({ column }) => column));
    this.#panes = sides.map((side, index): Pane => {
      const { host } = hosts[index]!;
      if (text !== null) return { kind: "text", side, asset, view: new TextView(host, text, { label: side ?? asset.name }) };
      const view = new PictureView(host, asset, { colorOf: this.#colorOf, nameOf: this.#dispute.labelName, parts: this.#o.context.parts, load: loadPicture });
      return { kind: "picture", side, asset, view };
    });
    this.#together();
    this.#drawPanes();
    const ready = this.#panes.map((pane) => (pane.kind === "picture" ? pane.view.ready : Promise.resolve()));
    await Promise.allSettled(ready);
    if (this.#stop.signal.aborted) return;
    this.#reveal();
    document.documentElement.dataset["usable"] = "1";
    performance.mark("bench-usable");
  }

  /** Columns of pictures look at the same place. */
  #together(): void {
    let moving = false;
    for (const pane of this.#panes) {
      if (pane.kind !== "picture") continue;
      pane.view.onView = (view) => {
        if (moving) return;
        moving = true;
        for (const other of this.#panes) if (other.kind === "picture" && other !== pane) other.view.setView(view);
        moving = false;
      };
    }
  }

  #color(side: string): string {
    return SIDE_COLORS[this.#dispute.sides.findIndex((one) => one.key === side) % SIDE_COLORS.length] ?? SIDE_COLORS[0]!;
  }

  #idsOf(side: string): Set<string> {
    const id = this.#current?.regions[side];
    return new Set(id ? [id] : []);
  }

  #drawPanes(): void {
    const dispute = this.#dispute;
    const current = this.#current;
    const involved = current ? sidesOf(current, dispute) : [];
    /** Objects that other questions are about: seen, not loud. */
    const open = new Set(dispute.differences.flatMap((difference) => Object.values(difference.regions)));
    for (const pane of this.#panes) {
      const keys = pane.side === null ? involved : involved.filter((side) => side === pane.side);
      if (pane.kind === "picture") {
        const layers: Layer[] = [{ document: dispute.agreed, style: { kind: "quiet", names: false } }];
        const shown = pane.side === null ? dispute.sides.map((side) => side.key) : [pane.side];
        for (const side of shown) {
          const rest = new Set(Object.keys(dispute.sideOf(side).regions).filter((id) => open.has(id) && !this.#idsOf(side).has(id)));
          layers.push({ document: dispute.sideOf(side), style: { kind: "quiet", names: false, only: rest } });
        }
        for (const side of keys) {
          layers.push({ document: dispute.sideOf(side), style: { kind: "person", color: this.#color(side), tag: side, only: this.#idsOf(side) } });
        }
        pane.view.setLayers(layers);
      } else {
        const span = (region: Region, color: string, tag: string, look: "loud" | "quiet", id = region.id) => ({
          id, start: (region.geometry as { start: number }).start, end: (region.geometry as { end: number }).end, color, tag, look,
        } as const);
        const spans = Object.values(dispute.agreed.regions).filter((region) => region.shape === "span" && region.asset === pane.asset.id)
          .map((region) => span(region, this.#colorOf(region.label), "", "quiet"));
        for (const side of keys) {
          const region = current ? dispute.regionOf(current, side) : null;
          if (region?.shape === "span" && region.asset === pane.asset.id) {
            spans.push(span(region, this.#color(side), `${side} · ${dispute.labelName(region.label)}`, "loud", `${side}/${region.id}`));
          }
        }
        pane.view.setSpans(spans);
      }
    }
  }

  #reveal(): void {
    const current = this.#current;
    if (!current) return;
    for (const pane of this.#panes) {
      const sides = pane.side === null ? sidesOf(current, this.#dispute) : [pane.side, ...sidesOf(current, this.#dispute)];
      const region = sides.map((side) => this.#dispute.regionOf(current, side)).find((one) => one?.asset === pane.asset.id);
      if (!region) continue;
      if (pane.kind === "picture") pane.view.focus(region.id);
      else if (region.shape === "span") pane.view.reveal((region.geometry as { start: number }).start);
    }
  }

  // --- the list and the card ---

  #draw(): void {
    this.#drawPanes();
    this.#reveal();
    const wanted = new Set(needed(this.#dispute, this.#decisions).map((difference) => difference.id));
    const rows: Node[] = [];
    let kind = "";
    this.#order.forEach((difference, index) => {
      if (difference.kind !== kind) {
        kind = difference.kind;
        const n = this.#order.filter((one) => one.kind === kind).length;
        rows.push(h("div", { class: "difference-group", role: "presentation" }, kindOf(difference)?.title() ?? kind, h("span", { class: "panel-count" }, String(n))));
      }
      const decision = this.#decisions[difference.id];
      const row = h("div", {
        class: `difference-row${index === this.#at ? " is-current" : ""}${decision ? " is-decided" : ""}${wanted.has(difference.id) ? "" : " is-void"}`,
        role: "option", id: `difference-${index}`, "aria-selected": String(index === this.#at), "data-difference": difference.id,
        onclick: () => this.#go(index),
      }, h("span", { class: `difference-class is-${difference.class}` }, difference.class),
      h("span", { class: "difference-line" }, kindOf(difference)?.line(difference, this.#dispute) ?? difference.kind),
      h("span", { class: "difference-choice" }, decision ? this.#choiceText(difference, decision) : wanted.has(difference.id) ? "" : t("settled by usability")));
      rows.push(row);
    });
    fill(this.#list, ...rows);
    this.#list.setAttribute("aria-activedescendant", `difference-${this.#at}`);
    this.#list.querySelector(".is-current")?.scrollIntoView({ block: "nearest" });
    this.#drawCard();
    const all = needed(this.#dispute, this.#decisions);
    const left = undecided(this.#dispute, this.#decisions).length;
    const times = Object.values(this.#spent).filter((ms) => ms > 0);
    const middle = median(times);
    setText(this.#foot, middle === null ? t("decided {n} of {total}", { n: all.length - left, total: all.length })
      : t("decided {n} of {total}, median {duration}", { n: all.length - left, total: all.length, duration: duration(middle) }));
    this.#send.disabled = left > 0;
    this.#drawKept();
  }

  #drawKept(): void {
    setText(this.#kept, this.#keptAt === null ? "" : t("draft kept here {ago}", { ago: ago(this.#keptAt, Date.now()) }));
  }

  #drawCard(): void {
    const current = this.#current;
    const kind = current && kindOf(current);
    if (!current || !kind) return fill(this.#card, h("p", { class: "quiet" }, t("Nothing is open.")));
    const decision = this.#decisions[current.id];
    const option = (key: string, choice: string, text: string, detail: string | undefined, color: string | null): HTMLElement => {
      const swatch = h("span", { class: "side-letter" }, choice === "none" ? "–" : choice === "edit" ? "✎" : choice);
      if (color) setVar(swatch, "--side-color", color);
      return h("button", {
        type: "button", class: `offer${decision?.choice === choice ? " is-chosen" : ""}`, "data-choice": choice, "aria-pressed": String(decision?.choice === choice),
        onclick: () => (choice === "edit" ? void this.#edit() : this.#decide({ choice })),
      }, h("kbd", null, key), swatch, h("span", { class: "offer-text" }, text, detail ? h("span", { class: "quiet" }, detail) : null));
    };
    const none = kind.none(current, this.#dispute);
    fill(this.#card,
      h("div", { class: "card-head" }, h("span", { class: `difference-class is-${current.class}` }, current.class), h("h2", null, kind.title()),
        h("span", { class: "quiet" }, `${this.#at + 1} / ${this.#order.length}`)),
      h("p", { class: "card-line" }, kind.line(current, this.#dispute)),
      h("div", { class: "offers", role: "group", "aria-label": t("Decide") },
        ...sidesOf(current, this.#dispute).map((side, index) => {
          const offer = kind.offer(current, side, this.#dispute);
          return option(String(index + 1), side, offer.text, offer.detail, this.#color(side));
        }),
        // The key works all the same where a side says so already; a second button would only ask which is meant.
        none === null || sidesOf(current, this.#dispute).some((side) => kind.offer(current, side, this.#dispute).text === none) ? null : option("0", "none", none, undefined, null),
        option("E", "edit", decision?.choice === "edit" ? this.#choiceText(current, decision) : t("Edit…"), undefined, null)));
  }

  // --- edit ---

  async #edit(): Promise<void> {
    const current = this.#current;
    const kind = current && kindOf(current);
    if (!current || !kind || this.#editing || this.#sending) return;
    this.#editing = true;
    try {
      const decision = kind.edits === "region" ? await this.#editRegion(current) : await this.#editValue(current);
      if (decision && this.#current === current) this.#decide(decision);
    } finally {
      this.#editing = false;
    }
  }

  async #editRegion(current: Difference): Promise<Decision | null> {
    const chosen = this.#decisions[current.id];
    const from = chosen?.region ?? (chosen ? this.#dispute.regionOf(current, chosen.choice) : null)
      ?? sidesOf(current, this.#dispute).map((side) => this.#dispute.regionOf(current, side)).find((one) => one !== null) ?? null;
    if (!from) return null;
    this.#root.hidden = true;
    // An extent keeps the object's id; a region drawn for a missing one is the arbiter's own.
    const start: Region = current.kind === "extent" ? from : { ...from, id: newRegionId(), origin: { kind: "drawn" } };
    const standing = Object.values(current.regions).filter((id): id is string => id !== null);
    const region = await editRegion(this.#root.parentElement!, this.#o.context, preview(this.#dispute, this.#decisions), start,
      chosen?.region ? [...standing, chosen.region.id] : standing);
    this.#root.hidden = false;
    return region ? { choice: "edit", region } : null;
  }

  async #editValue(current: Difference): Promise<Decision | null> {
    const schema = this.#work.schema.document;
    const about: FieldAbout = current.kind === "label"
      ? { name: "label", kind: "choice", title: t("Label"), required: true, options: schema.labels.filter((label) => !label.retired).map(({ name, title }) => ({ name, title })) }
      : current.kind === "attribute"
        ? { required: true, ...labelNamed(schema, current.label ?? "")!.attributes!.find((one) => one.name === current.field)! }
        : current.kind === "usability"
          ? { name: "unusable", kind: "text", title: t("Why it cannot be labelled"), required: true }
          : schema.controls.find((control) => control.name === current.field) as unknown as FieldAbout;
    let value: Json = this.#decisions[current.id]?.value ?? null;
    const hold = h("div");
    const draw = (): void => fill(hold, field(about, value, (next) => {
      value = next;
      if (about.kind !== "text" && about.kind !== "number") draw();
    }, "edit-value"));
    draw();
    const answer = await ask(this.#root, {
      title: t("Decide in own words"), body: hold,
      actions: [{ name: "cancel", title: t("Back") }, { name: "take", title: t("Take this"), primary: true }],
      check: (action) => {
        (document.activeElement as HTMLElement | null)?.blur();
        return action === "take" && (value === null || value === "") ? t("Give a value.") : null;
      },
    });
    return answer === "take" ? { choice: "edit", value } : null;
  }

  // --- the end ---

  async #verdict(): Promise<void> {
    if (this.#sending || undecided(this.#dispute, this.#decisions).length > 0) return;
    const document_ = preview(this.#dispute, this.#decisions);
    const radios = REASONS.map(([code, title]) => ({ code, input: h("input", { type: "radio", name: "reason_code", value: code, checked: code === this.#reason }), title: title() }));
    const view = h("div", { class: "verdict-preview" });
    const dialog = ask(this.#root, {
      title: t("What will be accepted"), wide: true,
      body: h("div", null, this.#summary(document_), view, h("div", { class: "reasons", role: "radiogroup", "aria-label": t("Why") },
        ...radios.map(({ input, title }) => h("label", { class: "reason" }, input, h("span", null, title))))),
      actions: [{ name: "cancel", title: t("Back") }, { name: "send", title: t("Give the verdict"), primary: true }],
    });
    const shown = this.#previewPane(view, document_);
    const answer = await dialog;
    shown?.close();
    this.#reason = radios.find(({ input }) => input.checked)?.code ?? "";
    if (answer !== "send") {
      await this.#keep();
      return;
    }
    await this.#sendVerdict(document_);
  }

  #summary(result: Document): HTMLElement {
    const counts = new Map<string, number>();
    for (const region of Object.values(result.regions)) counts.set(region.label, (counts.get(region.label) ?? 0) + 1);
    const n = Object.keys(result.regions).length;
    const fresh = Object.keys(result.regions).filter((id) => !(id in this.#dispute.agreed.regions)).length;
    return h("div", { class: "verdict-summary" },
      result.unusable !== null ? h("p", null, t("Unusable: {reason}", { reason: result.unusable }))
        : h("p", null, tn("{n} object", "{n} objects", n), " · ", t("{n} by this verdict, {agreed} agreed before", { n: fresh, agreed: n - fresh })),
      h("ul", { class: "verdict-counts" }, ...[...counts].map(([label, count]) => {
        const swatch = h("span", { class: "swatch" });
        setVar(swatch, "--swatch", this.#colorOf(label));
        return h("li", null, swatch, `${this.#dispute.labelName(label)}: ${count}`);
      }), ...Object.entries(result.answers).map(([name, value]) => {
        const control = this.#work.schema.document.controls.find((one) => one.name === name);
        return h("li", null, `${titleOf(control?.title) || name}: ${this.#valueText({ kind: "answer", field: name } as Difference, value)}`);
      })));
  }

  #previewPane(host: HTMLElement, result: Document): { close(): void } | null {
    const asset = this.#asset;
    if (!asset || result.unusable !== null) return null;
    if (asset.kind === "image") {
      const view = new PictureView(host, asset, { colorOf: this.#colorOf, nameOf: this.#dispute.labelName, parts: this.#o.context.parts, load: loadPicture });
      const fresh = new Set(Object.keys(result.regions).filter((id) => !(id in this.#dispute.agreed.regions)));
      view.setLayers([{ document: result, style: { kind: "person", loud: fresh } }]);
      return view;
    }
    const text = this.#texts.get(asset.id);
    if (text === undefined) return null;
    const view = new TextView(host, text, { label: t("What will be accepted") });
    view.setSpans(Object.values(result.regions).filter((region) => region.shape === "span" && region.asset === asset.id).map((region) => ({
      id: region.id, start: (region.geometry as { start: number }).start, end: (region.geometry as { end: number }).end,
      color: this.#colorOf(region.label), tag: this.#dispute.labelName(region.label), look: region.id in this.#dispute.agreed.regions ? "quiet" : "loud",
    })));
    return view;
  }

  async #sendVerdict(result: Document): Promise<void> {
    this.#sending = true;
    const spent = Object.values(this.#spent).reduce((sum, ms) => sum + ms, 0) + this.#o.active.take(Date.now());
    const body = verdictBody(this.#dispute, this.#decisions, this.#reason);
    const parts: Record<string, string> = {};
    for (const digest of partsOf(Object.values(result.regions).map((region) => ({ op: "add", region })))) {
      const bytes = this.#o.context.parts.isPending(digest) ? this.#o.context.parts.bytes(digest) : undefined;
      if (bytes) parts[digest] = toBase64(bytes);
    }
    await this.#settle(`/api/disputes/${encodeURIComponent(this.#work.dispute?.id ?? "")}/verdict`, {
      token: this.#work.assignment.token, ...body, active_ms: Math.round(spent), ...(Object.keys(parts).length > 0 ? { parts } : {}),
    });
  }

  /** Sends until answered: no answer is tried again with the same key, a refusal is said and the draft stays. */
  async #settle(path: string, body: object): Promise<void> {
    this.#sending = true;
    this.#root.inert = true;
    const key = newIdempotencyKey();
    try {
      for (let wait = 1000; ; wait = Math.min(15_000, wait * 2)) {
        const answer = await this.#o.api.send("POST", path, body, { key });
        if (answer.ok) break;
        if (answer.status !== 0 && answer.status < 500 && answer.status !== 429) {
          toast(reasonOf(answer), "bad");
          const at = this.#order.findIndex((difference) => difference.id === answer.error.field);
          if (at >= 0) this.#go(at);
          return;
        }
        setText(this.#kept, t("kept here, sent again in {duration}", { duration: duration(wait) }));
        await new Promise((resolve) => window.setTimeout(resolve, wait));
        if (this.#stop.signal.aborted) return;
      }
      await this.#o.store.putDraft(this.#seat, null);
      await this.#o.done();
    } finally {
      this.#sending = false;
      this.#root.inert = false;
    }
  }

  async #return(): Promise<void> {
    const types = ["missed", "extra", "wrong_label", "wrong_extent", "wrong_attribute", "wrong_relation"];
    const sides = this.#dispute.sides.map(({ key }) => ({ key, input: h("input", { type: "checkbox", value: key }) }));
    const radios = types.map((type) => h("input", { type: "radio", name: "error_type", value: type }));
    const text = h("textarea", { class: "field", rows: 3, maxlength: 500, "aria-label": t("To the annotator") });
    const chosen = (): string[] => sides.filter(({ input }) => input.checked).map(({ key }) => key);
    const answer = await ask(this.#root, {
      title: t("Return for rework"), text: t("Whose work goes back? The other side's annotation stands in the new round. No decision is kept."),
      body: h("div", null,
        h("div", { class: "reasons", role: "group", "aria-label": t("Sides") }, ...sides.map(({ key, input }) => h("label", { class: "reason" }, input, h("span", null, t("side {side}", { side: key }))))),
        h("div", { class: "reasons", role: "radiogroup", "aria-label": t("Kind of error") }, ...types.map((type, i) => h("label", { class: "reason" }, radios[i]!, h("span", null, errorType(type))))), text),
      actions: [{ name: "cancel", title: t("Back") }, { name: "return", title: t("Return"), bad: true }],
      check: (action) => action !== "return" ? null : chosen().length === 0 ? t("Choose a side.")
        : !radios.some((radio) => radio.checked) ? t("Choose the kind of error.") : text.value.trim() === "" ? t("Say what is wrong.") : null,
    });
    if (answer !== "return") return;
    const current = this.#current;
    const about = chosen().map((side) => current?.regions[side]).filter((id): id is string => typeof id === "string");
    const marks = about.length > 0 ? about.map((region) => ({ region, text: text.value.trim() })) : [{ text: text.value.trim() }];
    await this.#settle(`/api/disputes/${encodeURIComponent(this.#work.dispute?.id ?? "")}/return`, {
      token: this.#work.assignment.token, seats: chosen(), error_type: radios.find((radio) => radio.checked)!.value, marks,
      active_ms: Math.round(Object.values(this.#spent).reduce((sum, ms) => sum + ms, 0) + this.#o.active.take(Date.now())),
    });
  }

  // --- keys ---

  #key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || this.#editing || this.#sending || this.#root.hidden
      || document.querySelector("dialog[open]") || isEditable(event.target)) return;
    const chord = chordsOf(event);
    const onButton = event.target instanceof HTMLButtonElement;
    for (const key of chord) {
      if (key === "enter" && onButton) return;
      const run = this.#action(key);
      if (!run) continue;
      event.preventDefault();
      if (!event.repeat) run();
      return;
    }
  }

  #action(chord: string): (() => void) | null {
    const current = this.#current;
    if (/^[1-9]$/.test(chord)) {
      const side = current && sidesOf(current, this.#dispute)[Number(chord) - 1];
      return side ? () => this.#decide({ choice: side }) : null;
    }
    switch (chord) {
      case "0": case "n": return current && kindOf(current)?.none(current, this.#dispute) ? () => this.#decide({ choice: "none" }) : null;
      case "e": return () => void this.#edit();
      case "b": return () => void this.#return();
      case "o": return () => this.#flip();
      case "[": case "up": return () => this.#go(this.#at - 1);
      case "]": case "down": return () => this.#go(this.#at + 1);
      case "ctrl+z": return () => this.#step(this.#past, this.#future);
      case "ctrl+shift+z": case "ctrl+y": return () => this.#step(this.#future, this.#past);
      case "ctrl+enter": return () => void this.#verdict();
      default: return null;
    }
  }

  #say(text: string): void { setText(this.#live, text); }
}

export async function openArbitration(host: HTMLElement, parts: ArbitrationParts): Promise<{ close(): void }> {
  const { boot, work } = parts.context;
  const draft = await parts.store.draft({ account: boot.account.id, assignment: work.assignment.id }).catch(() => null) as Draft | null;
  return new Arbitration(host, parts, draft);
}
